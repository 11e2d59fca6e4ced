"""One value, one text: the canonical JSON that is hashed, signed, stored and compared (law 38, 42)."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from types import NoneType
from typing import Any

_KNOWN = frozenset((str, int, float, bool, NoneType))  # what JSON has just so
_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def plain(value: Any) -> Any:
    """Dataclasses and named tuples become dicts, sets sorted lists; what JSON knows stays."""
    kind = type(value)
    if kind in _KNOWN:
        return value
    if kind is tuple or kind is list:
        return [plain(item) for item in value]
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, str | int | float):
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
        kind: Any = type(value)
        return {name: plain(getattr(value, name)) for name in _names(kind)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(field.name for field in fields(kind))


def canonical(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted, no spaces. Text that is no Unicode keeps its escapes."""
    return as_text(plain(value))


def as_text(value: Any) -> bytes:
    """`canonical` of what is plain already."""
    return _written(value).encode("utf-8", "backslashreplace")


def digest(value: Any) -> str:
    """sha256 of the canonical form, 64 hex digits."""
    return sha256(canonical(value)).hexdigest()
