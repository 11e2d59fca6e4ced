"""What a person or an agent says about exact content, as the bytes that they sign (law 17).

One blob holds the canonical JSON of a `Statement`, a newline, and the armored SSH signature over both of them.
"""

import json
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, get_type_hints

from rules import instants, sshsig
from rules.canonical import as_text, canonical
from rules.change import FileChange

SCHEMA = "twohand.statement/v1"
VERBS = ("propose", "approve", "object", "withdraw", "waive")
MAX_BYTES = 32 << 20


class StatementInvalid(ValueError):
    """These bytes are no statement; the text says why."""


class Content(NamedTuple):
    """One path of what was seen: enough to tell later whether the same stands there still (law 33, 34)."""

    path: str
    old_mode: str
    old_blob: str
    new_mode: str
    new_blob: str

    @classmethod
    def of(cls, file: FileChange) -> "Content":
        return cls(file.path, file.old_mode, file.old_blob, file.new_mode, file.new_blob)


class Seen(NamedTuple):
    """An author whom the signer saw (law 12)."""

    kind: str
    name: str
    tool: str = ""
    model: str = ""
    session: str = ""
    operator: str = ""


class Statement(NamedTuple):
    """Empty text: not said. Times are instants (rules.instants); `time` only orders one signer's own statements (law 18)."""

    verb: str
    by: str
    repository: str
    target: str
    base: str
    head: str
    content_key: str
    change: str = ""  # the forge's number, where one was given (law 6)
    paths: tuple[Content, ...] = ()
    authors: tuple[Seen, ...] = ()
    tool: str = ""
    model: str = ""
    session: str = ""
    time: str = ""
    reason: str = ""
    finding: str = ""  # waive: the rule
    objection_of: str = ""  # waive: whose objection
    break_glass: bool = False  # waive: missing approvals (law 35)
    expires: str = ""  # waive
    not_author: bool = False  # approve (law 27)


_TYPES = get_type_hints(Statement)
_Row = TypeVar("_Row", Content, Seen)
_FIELDS = {kind: frozenset(kind._fields) for kind in (Content, Seen)}


def payload(statement: Statement) -> bytes:
    """The bytes to sign."""
    return canonical({"schema": SCHEMA, **statement._asdict()}) + b"\n"


def statement_id(signed: bytes) -> str:
    """sha256 of the signed bytes, 64 hex digits: the last part of the ref's name."""
    return sha256(signed).hexdigest()


def split(blob: bytes) -> tuple[bytes, bytes]:
    """The signed bytes and the armored signature of a statement's blob; the signature is empty where there is none.

    Canonical JSON holds no line feed but its last one, so no reason that somebody gives can look like a signature.
    """
    at = blob.find(b"\n" + sshsig.BEGIN) + 1
    return (blob[:at], blob[at:]) if at else (blob, b"")


def parse(signed: bytes) -> Statement:
    """Read signed bytes strictly: exactly the canonical form of a statement, nothing missing, nothing more."""
    if len(signed) > MAX_BYTES:
        raise StatementInvalid(f"a statement of {len(signed)} bytes is over {MAX_BYTES}")
    try:
        raw = json.loads(signed)
    except (ValueError, RecursionError):
        raise StatementInvalid("no JSON") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise StatementInvalid(f"no {SCHEMA}")
    if as_text(raw) + b"\n" != signed:
        raise StatementInvalid("not in canonical form")
    del raw["schema"]
    return _read(raw)


def _read(raw: dict[str, Any]) -> Statement:
    if raw.keys() != _TYPES.keys():
        odd = sorted(raw.keys() ^ _TYPES.keys())
        raise StatementInvalid(f"missing or unknown: {', '.join(odd)}")
    for name, kind in _TYPES.items():
        wanted = kind if kind in (str, bool) else list
        if type(raw[name]) is not wanted:
            raise StatementInvalid(f"{name} is no {wanted.__name__}")
    raw["paths"] = tuple(_row(Content, row) for row in raw["paths"])
    raw["authors"] = tuple(_row(Seen, row) for row in raw["authors"])
    return _checked(Statement(**raw))


def _row(kind: type[_Row], row: Any) -> _Row:
    if type(row) is not dict or row.keys() != _FIELDS[kind] or not {str}.issuperset(map(type, row.values())):
        raise StatementInvalid(f"a {kind.__name__} that is none")
    return kind(**row)


def _checked(statement: Statement) -> Statement:
    if statement.verb not in VERBS:
        raise StatementInvalid(f"verb {statement.verb!r} is none of {', '.join(VERBS)}")
    for name in ("time", "expires"):
        text = getattr(statement, name)
        if not instants.is_instant(text) and (text or name == "time"):
            raise StatementInvalid(f"{name} {text!r} is no instant")
    return statement
