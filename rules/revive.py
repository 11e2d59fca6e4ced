"""Plain data back to the law's own values, strictly: what is missing, unknown or of another type is a ValueError."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Reviver = Callable[[Any], Any]


@cache
def reviver(kind: Any) -> Reviver:
    """How values of this type are read back."""
    origin = get_origin(kind)
    if origin is tuple:
        return _row(reviver(get_args(kind)[0]))
    if origin in (Union, UnionType):
        return _optional(next(arm for arm in get_args(kind) if arm is not NoneType))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _record(kind)
    return _exactly(kind)


def _exactly(kind: type) -> Reviver:
    def revive(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{short(value)} is no {kind.__name__}")
        return value

    return revive


def _optional(kind: Any) -> Reviver:
    inner = reviver(kind)
    return lambda value: None if value is None else inner(value)


def _row(inner: Reviver) -> Reviver:
    def revive(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise ValueError(f"{short(value)} is no list")
        return tuple(map(inner, value))

    return revive


def _record(kind: Any) -> Reviver:
    hints = get_type_hints(kind)
    required = _required(kind)
    inner: dict[str, Reviver] = {}

    def revive(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"{short(value)} is no {kind.__name__}")  # noqa: TRY004 - one error for all that is no event
        odd = (value.keys() - hints.keys()) | (required - value.keys())
        if odd:
            raise ValueError(f"{kind.__name__}: missing or unknown: {', '.join(sorted(map(str, odd)))}")
        if not inner:
            inner.update({name: reviver(hint) for name, hint in hints.items()})
        return kind(**{name: inner[name](item) for name, item in value.items()})

    return revive


def _required(kind: Any) -> frozenset[str]:
    if is_dataclass(kind):
        return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    return frozenset(set(kind._fields) - set(kind._field_defaults))


def short(value: Any) -> str:
    """A value as an error names it, at most 60 characters."""
    if isinstance(value, list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
