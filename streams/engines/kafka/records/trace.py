"""W3C trace context (https://www.w3.org/TR/trace-context/): which trace a record belongs to, carried and never made up from what is wrong.

What is not well formed is dropped, never an error, and never told: anybody may have written it. No spans are exported; whoever
traces CI sees one trace id from the run that proposed a change to its decision.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.engines.kafka.records.wire import Record

    Trace = tuple[tuple[str, str], ...]

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
NAMES: Final = (TRACEPARENT, TRACESTATE)
OWN: Final = "twohand_"  # how headers begin that are no CloudEvents' and no trace's
LONG: Final = 55  # characters of version 00
MAX_STATE: Final = 512  # characters
MAX_MEMBERS: Final = 32
_HEX: Final = frozenset("0123456789abcdef")
_KEY: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-*/@")


def context(headers: Iterable[tuple[str, bytes | None]]) -> Trace:
    """The trace context among a record's headers: well formed, or empty. Said twice it is none."""
    said = [(name, (value or b"")[: MAX_STATE + 1].decode("latin-1")) for name, value in headers if name in NAMES]
    if not said:
        return ()
    parents, states = ([value for found, value in said if found == name] for name in NAMES)
    return _held(parents, states)


def of_environment(environ: Mapping[str, str]) -> Trace:
    """What CI put into TRACEPARENT and TRACESTATE; a new trace where there is none."""
    said = [[environ[name]] if name in environ else [] for name in map(str.upper, NAMES)]
    return _held(*said) or begun()


def begun() -> Trace:
    """A new trace."""
    return ((TRACEPARENT, f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"),)


def id_of(trace: Trace) -> str:
    """Its 32 hex digits; "" without a trace."""
    return dict(trace).get(TRACEPARENT, "")[3:35]


def line_of(trace: Trace) -> str:
    """The context as one text, for a column."""
    return " ".join(value for _, value in trace)


def traced(record: Record, line: str) -> Record:
    """An event in this trace; a dead letter, and what settles one, keeps the headers that it came with."""
    if not line or any(name.startswith((*NAMES, OWN)) for name, _ in record.headers):
        return record
    return record._replace(headers=(*record.headers, *((name, value.encode()) for name, value in of_line(line))))


def of_line(line: str) -> Trace:
    """What `line_of` wrote."""
    parent, _, state = line.partition(" ")
    return _held([parent] if parent else [], [state] if state else [])


def _held(parents: list[str], states: list[str]) -> Trace:
    parent = _parent(parents[0]) if len(parents) == 1 else ""
    if not parent:
        return ()
    state = states[0].strip(" \t") if len(states) == 1 else ""
    return ((TRACEPARENT, parent), (TRACESTATE, state)) if _is_state(state) else ((TRACEPARENT, parent),)


def _parent(text: str) -> str:
    """As version 00 writes it; a later version may have more behind a dash."""
    version, trace, parent, flags, more = text[:2], text[3:35], text[36:52], text[53:55], text[55:]
    written = f"{version}-{trace}-{parent}-{flags}"
    formed = text.startswith(written) and len(written) == LONG and _HEX.issuperset(version + trace + parent + flags)
    if not formed or version == "ff" or not trace.strip("0") or not parent.strip("0"):
        return ""
    if more and (version == "00" or more[0] != "-"):
        return ""
    return f"00{written[2:]}"


def _is_state(text: str) -> bool:
    members = [part.strip(" \t") for part in text.split(",")]
    keys = [member.partition("=")[0] for member in members if member]
    return (
        0 < len(text) <= MAX_STATE
        and len(keys) <= MAX_MEMBERS
        and len(keys) == len(set(keys)) > 0
        and all(_is_member(member) for member in members if member)
    )


def _is_member(text: str) -> bool:
    key, mark, value = text.partition("=")
    return (
        bool(mark and key and value)
        and len(key) <= 256
        and _KEY.issuperset(key)
        and key[0].isalnum()
        and len(value) <= 256
        and value.isascii()
        and value.isprintable()
        and "=" not in value
    )
