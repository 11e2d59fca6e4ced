"""Recorded decisions as data; one that cannot be read is no reason to show nothing."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rules.record import SCHEMA

ROWS: Final = ("reasons", "requirements", "authors", "reviews", "findings", "owners", "policy")
TEXTS: Final = ("stamps", "read_from")


def decision(text: str) -> Mapping[str, Any] | None:
    """The `twohand.decision/v1` of a text; None where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        return None
    whole = isinstance(found.get("change"), dict) and all(
        isinstance(found.get(name), str) for name in ("outcome", "decided_at")
    )
    return found if whole and _are(found, ROWS, dict) and _are(found, TEXTS, str) else None


def _are(found: Mapping[str, Any], names: Iterable[str], kind: type) -> bool:
    lists = (found.get(name) for name in names)
    return all(isinstance(rows, list) and all(isinstance(row, kind) for row in rows) for rows in lists)
