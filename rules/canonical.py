"""One value, one text: the canonical JSON that is hashed, signed, stored and compared (law 38, 42)."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any


def plain(value: Any) -> Any:
    """Dataclasses and named tuples become dicts, sets sorted lists; what JSON knows stays."""
    if isinstance(value, str | int | float | None):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted, no spaces. Text that is no Unicode keeps its escapes."""
    return as_text(plain(value))


def as_text(value: Any) -> bytes:
    """`canonical` of what is plain already."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def digest(value: Any) -> str:
    """sha256 of the canonical form, 64 hex digits."""
    return sha256(canonical(value)).hexdigest()
