"""Events as CloudEvents 1.0 in JSON, one a line, and back (DESIGN 4, law 42).

A line is believed as far as it proves itself: its id must be the digest of its body, and signatures are verified by the
caller before anything is folded (law 19).
"""

import json
from typing import Any, cast

from rules import instants
from rules.canonical import canonical
from rules.events import EVENTS, Event, body, event_id, type_name
from rules.revive import reviver, short

SPECVERSION = "1.0"
TYPES: dict[str, type[Event]] = {type_name(kind): kind for kind in EVENTS}
ATTRIBUTES = frozenset(
    ("specversion", "type", "source", "subject", "partitionkey", "id", "time", "datacontenttype", "dataschema", "data")
)
MAX_LINE = 64 << 20  # bytes


class Undecodable(ValueError):
    """These bytes are no event of ours; the text says why."""


def envelope(event: Event, source: str) -> dict[str, Any]:
    """The CloudEvent in structured mode."""
    return {
        "specversion": SPECVERSION,
        "type": type_name(type(event)),
        "source": source,
        "subject": event.change,
        "partitionkey": event.change,
        "id": event_id(event),
        "time": event.at,
        "datacontenttype": "application/json",
        "data": body(event),
    }


def encode(event: Event, source: str) -> bytes:
    """One line, without its line feed."""
    return canonical(envelope(event, source))


def decode(line: bytes) -> Event:
    """The event of one line. Undecodable with the reason."""
    if len(line) > MAX_LINE:
        raise Undecodable(f"{len(line)} bytes are over {MAX_LINE}")
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"no JSON: {error}") from None
    return decode_envelope(raw)


def decode_envelope(raw: Any) -> Event:
    """The event of a CloudEvent in structured mode."""
    if not isinstance(raw, dict) or raw.get("specversion") != SPECVERSION:
        raise Undecodable(f"no CloudEvent of specversion {SPECVERSION}")
    if odd := raw.keys() - ATTRIBUTES:
        raise Undecodable(f"unknown attributes: {', '.join(sorted(odd))}")
    name = raw.get("type")
    kind = TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Undecodable(f"type {short(name)} is none that this version knows")
    event = revive(kind, raw.get("data"), raw.get("time"))
    if raw.get("id") != event_id(event):
        raise Undecodable(f"id {short(raw.get('id'))} is not the digest of the body ({event_id(event)})")
    if raw.get("subject", event.change) != event.change:
        raise Undecodable("subject and body name different changes")
    return event


def revive(kind: type[Event], data: Any, at: Any) -> Event:
    """An event from its body and its envelope's time."""
    if not isinstance(at, str) or not instants.is_instant(at):
        raise Undecodable(f"time {short(at)} is no instant of the form 2026-11-21T14:00:00Z")
    if not isinstance(data, dict):
        raise Undecodable(f"{short(data)} is no {kind.__name__}")
    if not {"at", "signer"}.isdisjoint(data):
        raise Undecodable("at and signer travel beside the body, not in it")
    try:
        event: Event = reviver(cast("Any", kind))({**data, "at": at})
    except (ValueError, TypeError, RecursionError) as error:
        raise Undecodable(str(error)) from None
    return event
