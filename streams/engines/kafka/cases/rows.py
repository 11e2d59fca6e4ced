"""Rows of the case store and what they stand for: events, and headers of records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rules.events import Event, ReviewGiven, WaiverGranted
from rules.sshsig import Signer
from streams.engines.codec import TYPES, revive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def revived(row: Sequence[Any]) -> Event:
    """The event of its id, change, type, instant, body, and the key and presence that its signature was found to have."""
    _, _, kind, at, text, key, presence = row
    event = revive(TYPES[kind], json.loads(text), at)
    return (
        replace(event, signer=Signer(key, presence))
        if key and isinstance(event, ReviewGiven | WaiverGranted)
        else event
    )


def packed(headers: Iterable[tuple[str, bytes | None]]) -> bytes:
    """Headers in one column."""
    return json.dumps([[name, None if value is None else value.hex()] for name, value in headers]).encode()


def unpacked(data: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """What `packed` took."""
    return tuple((name, None if value is None else bytes.fromhex(value)) for name, value in json.loads(data))
