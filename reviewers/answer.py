"""Reads what an endpoint answered. Whatever is not exactly what was asked for is a status with a reason, never an approval."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from reviewers import shown
from reviewers.judging import SEEN, Dropped, Status, Word
from reviewers.redaction import Redactor
from reviewers.request import ANSWER, FINDING, Request
from reviewers.sheets import Sheet
from rules.findings import Finding, Tier
from rules.rule import QUOTE, visible

MOST = 100  # findings in one answer
PART = 40  # characters that a quote of a long line has at least
WORDS = 400  # characters of a message or reason that are kept
_TIERS = {"note": Tier.NOTE, "hold": Tier.HOLD}


class Answer(NamedTuple):
    """One answer to one request. `verdict` is approve only where everything about it was valid."""

    status: Status
    verdict: Word = Word.ABSTAIN
    why: str = ""
    findings: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    model: str = ""  # as reported
    tokens_in: int = 0  # as reported; 0 where not
    tokens_out: int = 0


class _Fault(Exception):
    """Why there is no valid answer."""

    def __init__(self, status: Status, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def _invalid(why: str) -> NoReturn:
    raise _Fault(Status.INVALID, why)


def read(body: bytes, request: Request) -> Answer:
    """The answer in the body of a response with HTTP status 200. Never raises."""
    try:
        envelope = _object(_json(body, "the response"), "the response")
    except _Fault as fault:
        return Answer(fault.status, why=fault.why)
    model, tokens = _reported(envelope), _usage(envelope)
    try:
        answer = _judged(_content(envelope), request)
    except _Fault as fault:
        answer = Answer(fault.status, why=fault.why)
    return answer._replace(model=model, tokens_in=tokens[0], tokens_out=tokens[1])


def _json(data: bytes | str, what: str) -> Any:
    """Strict JSON: no key twice, no NaN, nothing behind it."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=_once, parse_constant=_constant)
    except UnicodeDecodeError:
        _invalid(f"{what} is no UTF-8")
    except _Twice as twice:
        _invalid(f"{what} says {shown.said(str(twice), 60)!r} twice")
    except (ValueError, RecursionError):
        _invalid(f"{what} is no JSON: it begins with {_beginning(data)}")


def _beginning(data: bytes | str) -> str:
    text = data[:200].decode("utf-8", "replace") if isinstance(data, bytes) else data[:200]
    return repr(shown.said(Redactor().text(text), 60))


class _Twice(Exception):
    """A key that an object has twice: of two verdicts none is chosen."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _invalid(f"{what} is no JSON object")
    return value


def _reported(envelope: dict[str, Any]) -> str:
    model = envelope.get("model")
    return shown.said(model, 200) if isinstance(model, str) else ""


def _usage(envelope: dict[str, Any]) -> tuple[int, int]:
    usage = envelope.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    found = [counts.get(name) for name in ("prompt_tokens", "completion_tokens")]
    first, second = (each if type(each) is int and 0 <= each < 1 << 40 else 0 for each in found)
    return first, second


def _content(envelope: dict[str, Any]) -> str:
    """What the model wrote, where it finished of itself."""
    if envelope.get("error"):
        _invalid(f"the endpoint answered with an error: {_error(envelope['error'])}")
    choices = envelope.get("choices")
    if not isinstance(choices, list) or len(choices) != 1:
        count = f"{len(choices)} choices" if isinstance(choices, list) else "no list of choices"
        _invalid(f"the response holds {count}, not one")
    choice = _object(choices[0], "the choice")
    message = _object(choice.get("message"), "the message")
    _finished(choice.get("finish_reason"), message)
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        _invalid("the answer is empty")
    return content


def _error(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return shown.said(Redactor().text(message[:2000]), 200) if isinstance(message, str) else "without a message"


def _finished(reason: Any, message: dict[str, Any]) -> None:
    if message.get("refusal"):
        text = message["refusal"]
        said = shown.said(Redactor().text(text[:2000]), 200) if isinstance(text, str) else ""
        raise _Fault(Status.REFUSED, f"the model refused: {said}")
    if reason == "content_filter":
        raise _Fault(Status.REFUSED, "the endpoint's content filter ended the answer")
    if reason == "length":
        raise _Fault(Status.TRUNCATED, "the answer was cut at the token limit")
    if message.get("tool_calls") or message.get("function_call"):
        _invalid("the model called a tool; it was given none")
    if reason != "stop":
        _invalid(f"the answer ended with {shown.said(str(reason), 40)!r}, not with 'stop'")
    if message.get("role", "assistant") != "assistant":
        _invalid("the message is not the assistant's")


def _unwrapped(content: str) -> str:
    """The content without thoughts before it, and without one code fence around all of it."""
    text = content.strip()
    if text.startswith("<think>"):
        text = text.partition("</think>")[2].strip()
    first, _, rest = text.partition("\n")
    if first.strip().lower() in ("```", "```json") and rest.endswith("```"):
        return rest.removesuffix("```").strip()
    return text


def _judged(content: str, request: Request) -> Answer:
    said = _object(_json(_unwrapped(content), "the answer"), "the answer")
    _keys(said, ANSWER, "the answer")
    if said["nonce"] != request.nonce:
        _invalid("the answer does not carry the mark of this request: it answers something else")
    _all_read(said["marks"], request.marks)
    verdict, rows = said["verdict"], said["findings"]
    if verdict not in ("approve", "object", "abstain"):
        _invalid(f"unknown verdict {shown.said(str(verdict), 40)!r}")
    if not isinstance(said["reason"], str) or not isinstance(rows, list) or len(rows) > MOST:
        _invalid(f"reason must be a text and findings a list of at most {MOST}")
    checked = [_checked(row, at) for at, row in enumerate(rows, 1)]
    return _weighed(Word(verdict), said["reason"], _placed(checked, request.sheet))


def _all_read(said: Any, marks: Sequence[str]) -> None:
    """Whoever was given every row knows every mark between them, in order."""
    if said == list(marks):
        return
    if not isinstance(said, list):
        _invalid("marks must be a list")
    have = {mark for mark in said if isinstance(mark, str)}
    known = sum(1 for mark in marks if mark in have)
    raise _Fault(
        Status.TRUNCATED,
        f"the answer repeats {known} of {len(marks)} marks: part of the request did not reach the model, or it did not read it"
        " (give the endpoint a longer context, or lower `part`)",
    )


def _keys(value: dict[str, Any], wanted: dict[str, Any], what: str) -> None:
    for name in wanted:
        if name not in value:
            _invalid(f"{what} lacks {name!r}")
    extra = next((name for name in value if name not in wanted), None)
    if extra is not None:
        _invalid(f"{what} has {shown.said(extra, 40)!r}, which was not asked for")


class _Said(NamedTuple):
    """A finding as the model wrote it, its shape checked."""

    path: str
    side: str
    line: int
    quote: str
    severity: str
    message: str


def _checked(row: Any, at: int) -> _Said:
    what = f"finding {at}"
    found = _object(row, what)
    _keys(found, FINDING, what)
    for name, shape in FINDING.items():
        kind = int if shape["type"] == "integer" else str
        if type(found[name]) is not kind:
            _invalid(f"{what}: {name!r} must be {'a whole number' if kind is int else 'a text'}")
        if "enum" in shape and found[name] not in shape["enum"]:
            _invalid(f"{what}: {name!r} must be one of {', '.join(shape['enum'])}")
    return _Said(**found)


def _placed(said: Sequence[_Said], sheet: Sheet) -> Iterator[Finding | Dropped]:
    """Each finding where it was shown; without its line, word for word, it is none."""
    rows: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
    for leaf in sheet if said else ():
        for row in leaf.rows:
            side = "old" if row.sign == "-" else "new"
            rows.setdefault((leaf.told, side, row.number), []).append((leaf.path, row.text))
    told = {leaf.told for leaf in sheet}
    for one in said:
        stands = rows.get((one.path, one.side, one.line), [])
        path = next((path for path, text in stands if _quotes(one.quote, text)), None)
        if path is not None:
            message = shown.said(Redactor().text(one.message[:4000]), WORDS)
            quote = visible(one.quote.encode("utf-8", "replace"))[:QUOTE]
            yield Finding(SEEN, _TIERS[one.severity], path, one.side, one.line, message, quote)
        elif one.path in told:
            why = f"line {str(one.line)[:20]} of the {one.side} side does not read like its quote"
            yield Dropped(shown.said(one.path, 200), why)
        else:
            yield Dropped(shown.said(Redactor().text(one.path[:2000]), 200), "this part of the change has no such file")


def _quotes(quote: str, text: str) -> bool:
    """Byte for byte, but for blanks and a carriage return at the ends; of a long line a good part."""
    bare, line = quote.strip(), text.strip()
    if bare in (line, line.removesuffix("\\u{d}").rstrip()):
        return bool(bare)
    return len(bare) >= PART and len(line) > QUOTE and bare in line


def _weighed(verdict: Word, reason: str, placed: Iterator[Finding | Dropped]) -> Answer:
    rows = list(placed)
    findings = tuple(row for row in rows if isinstance(row, Finding))
    dropped = tuple(row for row in rows if isinstance(row, Dropped))
    said = shown.said(Redactor().text(reason[:4000]), WORDS)
    kept, why = _kept(verdict, findings, dropped)
    return Answer(Status.COMPLETED, kept, f"{why}: {said}" if why else said, findings, dropped)


def _kept(verdict: Word, findings: Sequence[Finding], dropped: Sequence[Dropped]) -> tuple[Word, str]:
    """What of the verdict stands with these findings."""
    if verdict is Word.APPROVE and dropped:
        return Word.ABSTAIN, f"it approved, but {len(dropped)} of its findings speak of what is not in the change"
    if verdict is Word.APPROVE and any(finding.tier is Tier.HOLD for finding in findings):
        return Word.ABSTAIN, "it approved, but found something that must be mended first"
    if verdict is Word.OBJECT and not findings:
        return Word.ABSTAIN, "it objected, but quoted no line of the change"
    return verdict, ""
