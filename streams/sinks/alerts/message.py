"""What people are told when they are asked: one value for every route (DESIGN 9).

Texts come out of changes that anybody can write. Each is one harmless line (streams.sinks.render.safe), bounded, and
without credentials (reviewers.redaction): a message leaves the machine and cannot be called back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.canonical import digest, plain
from rules.reasons import FINDING
from streams.sinks.render import words
from streams.sinks.render.safe import pasteable, shown
from streams.sources.git import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OPEN: Final = "open"
REMIND: Final = "remind"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"
DIGEST: Final = "digest"
TEST: Final = "test"
KINDS: Final = (OPEN, REMIND, ACKNOWLEDGED, RESOLVED, DIGEST, TEST)
CLOSING: Final = frozenset({ACKNOWLEDGED, RESOLVED})  # after these nobody is to be woken for what came before
MOST_LINES: Final = 20  # sentences, paths and quotes of each sort; the rest is counted
WIDTH: Final = 300  # characters of one sentence
_FIRST: Final = (
    "ref.rewritten",
    "owner.unresolved",
    "policy.invalid",
    "owner.required",
    "policy.self-edit",
    "veto",
    "approval.missing",
)


class Person(NamedTuple):
    """Somebody who is asked: the policy's name and e-mail addresses."""

    name: str
    emails: tuple[str, ...] = ()


class Gone(NamedTuple):
    """A line that a rule speaks of: a check that is gone (side old) or what came instead (side new)."""

    path: str
    line: int
    side: str
    rule: str
    quote: str


class Envelope(NamedTuple):
    """What the escalation knows and the decision does not. `dedup` is stable per problem, `event` names this one message."""

    dedup: str
    event: str
    at: str
    asked: tuple[Person, ...] = ()
    severity: str = "critical"
    link: str = ""
    by: str = ""  # who acknowledged or ended it
    until: str = ""  # how long an acknowledgement silences
    how: str = ""  # approved, reworked, withdrawn or waived


class Message(NamedTuple):
    """`event` repeats when a message is sent again, so that a receiver can drop repeats; `at` and `until` are instants."""

    kind: str
    dedup: str
    event: str
    change: str
    what: str
    why: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    gone: tuple[Gone, ...] = ()
    asked: tuple[Person, ...] = ()
    command: str = ""
    link: str = ""
    severity: str = "critical"
    at: str = ""
    by: str = ""
    until: str = ""
    repository: str = ""
    target: str = ""

    def names(self) -> str:
        """`alice, bob`."""
        return ", ".join(person.name for person in self.asked)

    def emails(self) -> tuple[str, ...]:
        """The addresses of everybody who is asked, each once."""
        return tuple(dict.fromkeys(address for person in self.asked for address in person.emails))


def of_decision(kind: str, decision: Mapping[str, Any], envelope: Envelope) -> Message:
    """The message about one change; `decision` is its `twohand.decision/v1`."""
    change, reasons = decision["change"], list(decision["reasons"])
    main = _main(reasons)
    return Message(
        kind=kind,
        dedup=envelope.dedup,
        event=envelope.event,
        change=change["id"],
        what=_what(kind, change, _clean(words.line(main)) if main else "", envelope),
        why=_bounded(f"{_clean(words.line(reason))} ({reason['code']})" for reason in reasons),
        paths=_bounded(dict.fromkeys(_clean(path) for path in _paths(decision))),
        gone=tuple(_gone(decision["findings"])),
        asked=envelope.asked,
        command=_command(main, reasons) if kind not in CLOSING else "",
        link=envelope.link,
        severity=envelope.severity,
        at=envelope.at,
        by=shown(envelope.by, 120),
        until=envelope.until,
        repository=_clean(change["repository"]),
        target=_clean(_short(change["target"])),
    )


def digest_of(messages: Sequence[Message], envelope: Envelope) -> Message:
    """One message instead of many: what else waits for the same people."""
    count = len(messages)
    first = messages[0] if messages else Message(DIGEST, envelope.dedup, envelope.event, "", "")
    return first._replace(
        kind=DIGEST, dedup=envelope.dedup, event=envelope.event, at=envelope.at, asked=envelope.asked,
        link=envelope.link, severity=envelope.severity, gone=(),
        what=f"{count} change{'s wait' if count != 1 else ' waits'} for {_names(envelope.asked)}",
        why=_bounded(message.what for message in messages),
        paths=_bounded(dict.fromkeys(path for message in messages for path in message.paths)),
        command="twohand escalation list",
    )  # fmt: skip


def probe(route: str, at: str) -> Message:
    """A test of one route: it wakes nobody for a change, and says so."""
    name = digest(["twohand alerts test", route, at])
    return Message(
        TEST, f"twohand-test-{route}", name, "", f"Test of the alert route {route}: nothing has happened",
        why=("Somebody ran `twohand alerts test`. Nobody needs to do anything.",), severity="info", at=at,
    )  # fmt: skip


def as_text(message: Message) -> str:
    """The message as one line of JSON, for an outbox."""
    return json.dumps(plain(message), ensure_ascii=True, separators=(",", ":"))


def from_text(text: str) -> Message:
    """The message that `as_text` wrote. ValueError where the text is none."""
    try:
        data = json.loads(text)
        made = {name: tuple(data[name]) for name in ("why", "paths")}
        gone = tuple(Gone(**row) for row in data["gone"])
        asked = tuple(Person(row["name"], tuple(row["emails"])) for row in data["asked"])
        message = Message(**{**data, **made, "gone": gone, "asked": asked})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no message: {error}") from None
    if message.kind not in KINDS:
        raise ValueError(f"no message: kind {message.kind!r}")
    return message


def _main(reasons: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The reason that says best why people are asked."""
    for code in _FIRST:
        for reason in reasons:
            if reason["code"] == code:
                return reason
    return reasons[0] if reasons else None


def _what(kind: str, change: Mapping[str, Any], line: str, envelope: Envelope) -> str:
    where = _where(change)
    by = f" by {shown(envelope.by, 120)}" if envelope.by else ""
    if kind == RESOLVED:
        return f"{where}: {envelope.how or 'ended'}{by}; nobody needs to answer any more"
    if kind == ACKNOWLEDGED:
        return f"{where}: acknowledged{by}{f' until {envelope.until}' if envelope.until else ''}"
    return f"{where}: {'still ' if kind == REMIND else ''}{line or 'needs an answer'}"


def _where(change: Mapping[str, Any]) -> str:
    """`branch -> target`, or `deletes target`."""
    target = _clean(_short(change["target"]))
    if change["head"] in NOTHING:
        return f"deletes {target}"
    return f"{_clean(_short(change['branch'] or '') or change['head'][:12])} -> {target}"


def _paths(decision: Mapping[str, Any]) -> Iterable[str]:
    yield from (row["path"] for row in decision["owners"])
    yield from (row["path"] for row in decision["findings"] if row["path"])


def _gone(findings: Sequence[Mapping[str, Any]]) -> Iterable[Gone]:
    """The quotes of what holds or blocks, removed lines first."""
    rows = [row for row in findings if row["tier"] != "note" and row["path"]]
    for row in sorted(rows, key=lambda row: str(row["side"]) != "old")[:MOST_LINES]:
        quote = _clean(row["quote"] or row["message"])
        yield Gone(_clean(row["path"]), row["line"], row["side"], row["rule"], quote)


def _command(main: Mapping[str, Any] | None, reasons: Iterable[Mapping[str, Any]]) -> str:
    """What the person who is asked types; only a line that a shell takes as the one command that it shows."""
    owners = [reason for reason in reasons if reason["code"].startswith(("owner.", FINDING))]
    for reason in (*([main] if main else ()), *owners):
        if reason["remedy"] and pasteable(reason["remedy"]):
            return str(reason["remedy"])
    return ""


def _bounded(texts: Iterable[str]) -> tuple[str, ...]:
    rows = list(texts)
    more = len(rows) - MOST_LINES
    return (*rows[:MOST_LINES], *([f"... and {more} more"] if more > 0 else []))


def _clean(text: object) -> str:
    """One harmless line without credentials."""
    from reviewers.redaction import Redactor  # noqa: PLC0415 - brings the catalogue's patterns, which few callers need

    readable = str(text)[: 4 * WIDTH].encode("utf-8", "backslashreplace").decode()
    return shown(Redactor().text(readable), WIDTH)


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _names(asked: Iterable[Person]) -> str:
    return ", ".join(person.name for person in asked) or "nobody"
