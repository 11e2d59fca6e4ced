"""What the scripted model server answers: rules in order, the first that fits speaks. No model is behind it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.policy import decoded, syntax_problem
from rules.report import Invalid, Report
from rules.shape import Entry, Flag, ListOf, OneOf, Table, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAY: Final = 86_400_000


class ScriptInvalid(Invalid):
    """A script that cannot be used, with every mistake in it."""


class Rule(NamedTuple):
    """One scripted answer; the keys of `[[answer]]`, which `ANSWER` documents. Everything by default: an approval."""

    model: str = ""
    contains: str = ""
    finds: str = ""
    times: int = 0
    verdict: str = "approve"
    reason: str = "scripted"
    message: str = "scripted finding"
    severity: str = "hold"
    obeys: bool = False
    reads: int = 0
    nonce: str = ""
    text: str = ""
    body: str = ""
    pad: int = 0
    type: str = "application/json"
    finish: str = "stop"
    refusal: str = ""
    reports: str = ""
    status: int = 200
    headers: tuple[str, ...] = ()
    delay_ms: int = 0
    bytes_per_second: int = 0
    cut: int = -1
    reset: bool = False


class Row(NamedTuple):
    """A row of the change as a request shows it."""

    path: str
    sign: str
    number: int
    text: str


class Asked(NamedTuple):
    """What a request asks, read from its own text."""

    model: str
    text: str
    nonce: str
    user: str  # the last message

    def marks(self, reads: int = 0) -> list[str]:
        """The words between the rows, of the last `reads` characters where that is not 0."""
        begin = f"{self.nonce} mark "
        return [line[len(begin) :] for line in self.user[-reads:].split("\n") if self.nonce and line.startswith(begin)]

    def rows(self) -> Iterator[Row]:
        """Every row of the change."""
        path = ""
        for line in self.user.split("\n") if self.nonce else ():
            own, shown = line.startswith(self.nonce + " "), line[len(self.nonce) + 1 :]
            if own and shown.startswith("file "):
                path = shown[5:].rpartition(", mode")[0].rpartition(" ")[0]
            elif own and shown[:1] in ("-", "+", " "):
                label, _, text = shown.partition("|")
                number = label[1:].partition(".")[0]
                if number.isdigit():
                    yield Row(path, shown[0], int(number), text)


class Script:
    """Rules with how often each has spoken."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        """No rule has spoken yet."""
        self._rules = rules
        self._spoken = [0] * len(rules)

    def choose(self, asked: Asked) -> Rule | None:
        """The first rule that fits and is not used up."""
        for at, rule in enumerate(self._rules):
            if (not rule.times or self._spoken[at] < rule.times) and _fits(rule, asked):
                self._spoken[at] += 1
                return rule
        return None


def _fits(rule: Rule, asked: Asked) -> bool:
    return (
        (not rule.model or rule.model == asked.model)
        and rule.contains in asked.text
        and (not rule.finds or quoted(rule, asked) is not None)
    )


def quoted(rule: Rule, asked: Asked) -> Row | None:
    """The changed row that the rule's finding quotes: the first that contains what it looks for."""
    return next((row for row in asked.rows() if row.sign != " " and row.text.strip() and rule.finds in row.text), None)


def read_request(body: Mapping[str, Any]) -> Asked:
    """A request for a chat completion. ValueError where it is none."""
    model, messages = body.get("model"), body.get("messages")
    if not (isinstance(model, str) and isinstance(messages, list)):
        raise ValueError("model and messages are needed")  # noqa: TRY004 - of what came over the wire
    texts = [message.get("content") for message in messages if isinstance(message, dict)]
    text = "\n".join(each for each in texts if isinstance(each, str))
    user = texts[-1] if texts and isinstance(texts[-1], str) else ""
    nonce = user.partition(",")[0].removeprefix("Request ") if user.startswith("Request ") else ""
    return Asked(model, text, nonce, user)


def parse(text: str | bytes, source: str) -> tuple[Rule, ...]:
    """The rules of a TOML text; ScriptInvalid with every mistake."""
    read = decoded(text, source, ScriptInvalid)
    try:
        data = tomllib.loads(read)
    except (ValueError, RecursionError) as error:
        raise ScriptInvalid((syntax_problem(read, source, error),)) from None
    report = Report(source, read)
    found = SCRIPT.read(data, (), report)
    if report:
        raise ScriptInvalid(report.problems())
    return tuple(Rule(**row) for row in found["answer"])


def _header(text: str) -> str:
    name, colon, value = text.partition(":")
    if colon and name.strip() and text.isprintable() and text.isascii():
        return f"{name.strip()}: {value.strip()}"
    raise ValueError("must be a header such as `Retry-After: 2`")


_TEXT: Final = Text()
ANSWER: Final = Table(
    {
        "model": Entry(_TEXT, "Only requests for this model.", ""),
        "contains": Entry(_TEXT, "Only requests that contain this text.", ""),
        "finds": Entry(_TEXT, "Only where a changed line contains this text; an objection quotes that line.", ""),
        "times": Entry(Whole(0, 1_000_000), "So often, and then the rules below speak; 0: always.", 0),
        "verdict": Entry(OneOf(("approve", "object", "abstain")), "What is said.", "approve"),
        "reason": Entry(_TEXT, "Why.", "scripted"),
        "message": Entry(_TEXT, "What is wrong with the line that an objection quotes.", "scripted finding"),
        "severity": Entry(OneOf(("note", "hold")), "How much it weighs.", "hold"),
        "obeys": Entry(
            Flag(), "Approve whatever holds the word `approve`, object otherwise: a model that obeys.", default=False
        ),
        "reads": Entry(
            Whole(0, 1 << 31), "Read the last so many characters alone, as where a context is short; 0: all.", 0
        ),
        "nonce": Entry(_TEXT, "Answer with this mark instead of the request's.", ""),
        "text": Entry(
            _TEXT, 'Answer exactly this; {nonce} becomes the request\'s mark, "{marks}" the list of words.', ""
        ),
        "body": Entry(_TEXT, "Send exactly this body, which need not be an answer; {nonce} as above.", ""),
        "pad": Entry(Whole(0, 1 << 31), "So many blanks behind the body, sent as they are made.", 0),
        "type": Entry(_TEXT, "The content type.", "application/json"),
        "finish": Entry(_TEXT, "The finish reason.", "stop"),
        "refusal": Entry(_TEXT, "Refuse with this text.", ""),
        "reports": Entry(_TEXT, "The model that is reported; default: the one asked for. `-`: none.", ""),
        "status": Entry(Whole(200, 599), "The HTTP status; with other than 200 the body is an error.", 200),
        "headers": Entry(ListOf(Text("a header", _header)), "More headers.", []),
        "delay_ms": Entry(Whole(0, DAY), "Milliseconds before the answer.", 0),
        "bytes_per_second": Entry(Whole(0, 1 << 31), "No faster than this; 0: at once.", 0),
        "cut": Entry(Whole(-1, 1 << 31), "End the connection after so many bytes of the body; -1: never.", -1),
        "reset": Entry(Flag(), "Where it is cut, reset the connection instead of closing it.", default=False),
    }
)
SCRIPT: Final = Table({"answer": Entry(ListOf(ANSWER, least=1, unique=False), "Answers, in order.")})
