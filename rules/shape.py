"""Shapes of configuration files: one table of keys reads the values, names every mistake and writes the JSON Schema.

A shape reads what tomllib gave. It never raises: what is wrong goes into the `Report`, and the table or list around it
holds the shape's `empty` value in its place, so that one run finds all mistakes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rules.report import Path, Report

BAD: Final = object()
REQUIRED: Final = object()
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = "a duration such as 2s, 15m, 1h or 7d"
DAY = 86400


class Shape(Protocol):
    @property
    def empty(self) -> Any:
        """What stands for a value that is missing or wrong while the other mistakes are collected."""

    def read(self, value: Any, path: Path, report: Report) -> Any:
        """The value as the program uses it, or `BAD` with the reason in `report`."""

    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema 2020-12."""


class Text(NamedTuple):
    """A string. `convert` gives the value or raises ValueError with a sentence; `pattern` is for the JSON Schema alone."""

    what: str = "a text"
    convert: Callable[[str], Any] = str
    pattern: str = ""
    secret: bool = False
    empty: Any = ""

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, str):
            report.add(path, value, (self.what,), f"must be {self.what}")
            return BAD
        try:
            return self.convert(value)
        except ValueError as error:
            report.add(path, "(hidden)" if self.secret else value, (self.what,), str(error))
            return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "string", **({"pattern": self.pattern} if self.pattern else {})}


class OneOf(NamedTuple):
    """One of a few words."""

    choices: tuple[str, ...]
    empty: str = ""

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, str) and value in self.choices:
            return value
        report.add(path, value, self.choices, "is not one of the allowed values" + report.hint(value, self.choices))
        return BAD

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.choices)}


class Whole(NamedTuple):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    @property
    def empty(self) -> int:
        return self.low

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        allowed = str(self.low) if self.low == self.high else f"a whole number from {self.low} to {self.high}"
        report.add(path, value, (allowed,), f"must be {allowed}")
        return BAD

    def schema(self) -> dict[str, Any]:
        if self.low == self.high:
            return {"const": self.low}
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Flag(NamedTuple):
    """true or false, without quotes."""

    empty: bool = False

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, bool):
            return value
        quotes = ", without quotes" if isinstance(value, str) and value.lower() in {"true", "false"} else ""
        report.add(path, value, ("true", "false"), f"must be true or false{quotes}")
        return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Duration(NamedTuple):
    """A text such as "15m"; the value is whole seconds from `low` to `high`."""

    low: int = 0
    high: int = 366 * DAY
    empty: int = 0

    def read(self, value: Any, path: Path, report: Report) -> Any:
        seconds = _seconds(value) if isinstance(value, str) else None
        allowed = f"{DURATION}, from {duration_text(self.low)} to {duration_text(self.high)}"
        if seconds is None:
            report.add(path, value, (allowed,), f"must be {DURATION}")
        elif not self.low <= seconds <= self.high:
            report.add(path, value, (allowed,), f"must be from {duration_text(self.low)} to {duration_text(self.high)}")
        else:
            return seconds
        return BAD

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,9}[smhd]$"}


def seconds_of(text: str) -> int:
    """Seconds of "2s", "15m", "1h", "7d"; ValueError for anything else."""
    seconds = _seconds(text)
    if seconds is None:
        raise ValueError(f"must be {DURATION}")
    return seconds


def _seconds(text: str) -> int | None:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    return int(number) * UNITS[unit]


def duration_text(seconds: int) -> str:
    """The shortest text that `seconds_of` reads as this: 120 is "2m"."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % UNITS[unit] == 0 and (seconds or unit == "s"))
    return f"{seconds // UNITS[unit]}{unit}"


class ListOf(NamedTuple):
    """A list; the value is a tuple. `single` also takes one item without brackets. Repeated items are mistakes.

    `whole` raises ValueError with a sentence where right items make no right list.
    """

    item: Shape
    least: int = 0
    most: int = 1000
    single: bool = False
    unique: bool = True
    whole: Callable[[tuple[Any, ...]], object] = len
    empty: tuple[Any, ...] = ()

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if self.single and not isinstance(value, list):
            one = self.item.read(value, path, report)
            return BAD if one is BAD else (one,)
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            return self._refused(value, path, report)
        items = [self.item.read(item, (*path, index), report) for index, item in enumerate(value)]
        if self.unique:
            self._repeated(items, value, path, report)
        if BAD not in items:
            self._check_whole(tuple(items), value, path, report)
        return tuple(self.item.empty if item is BAD else item for item in items)

    def _check_whole(self, items: tuple[Any, ...], value: list[Any], path: Path, report: Report) -> None:
        try:
            self.whole(items)
        except ValueError as error:
            report.add(path, value, (), str(error))

    def _refused(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, list) and not value:
            report.add(path, value, ("at least one item",), "is empty: it names nobody and nothing")
        elif isinstance(value, list):
            report.add(path, value, (f"{self.least} to {self.most} items",), f"must have at most {self.most} items")
        else:
            report.add(path, value, ("a list",), "must be a list")
        return BAD

    def _repeated(self, items: list[Any], value: list[Any], path: Path, report: Report) -> None:
        seen: set[Any] = set()
        for index, item in enumerate(items):
            if item is not BAD and item in seen:
                report.add((*path, index), value[index], ("each item once",), "is there twice")
            seen.add(item)

    def schema(self) -> dict[str, Any]:
        many: dict[str, Any] = {"type": "array", "items": self.item.schema(), "maxItems": self.most}
        many |= {"minItems": self.least} if self.least else {}
        many |= {"uniqueItems": True} if self.unique else {}
        return {"anyOf": [self.item.schema(), many]} if self.single else many


class Entry(NamedTuple):
    """One key of a table. `default` stands as it would in the file and is read by the shape; REQUIRED has none."""

    shape: Shape
    doc: str
    default: Any = REQUIRED


class Table(NamedTuple):
    """A table of known keys; the value is a dict with every one of them. Unknown keys are mistakes."""

    entries: Mapping[str, Entry]

    @property
    def empty(self) -> dict[str, Any]:
        return {name: _defaulted(entry) for name, entry in self.entries.items()}

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, dict):
            report.add(path, value, ("a table",), "must be a table")
            return BAD
        for name in value:
            if name not in self.entries:
                report.unknown((*path, name), tuple(self.entries))
        return {name: self._entry(name, value, path, report) for name in self.entries}

    def _entry(self, name: str, value: Mapping[str, Any], path: Path, report: Report) -> Any:
        entry = self.entries[name]
        if name in value:
            read = entry.shape.read(value[name], (*path, name), report)
            return entry.shape.empty if read is BAD else read
        if entry.default is REQUIRED:
            report.missing((*path, name), entry.doc)
        return _defaulted(entry)

    def schema(self) -> dict[str, Any]:
        required = [name for name, entry in self.entries.items() if entry.default is REQUIRED]
        return {
            "type": "object",
            "additionalProperties": False,
            **({"required": required} if required else {}),
            "properties": {name: _documented(entry) for name, entry in self.entries.items()},
        }


def _defaulted(entry: Entry) -> Any:
    if entry.default is REQUIRED:
        return entry.shape.empty
    if entry.default == {}:
        return entry.shape.empty
    return entry.shape.read(entry.default, (), _NO_REPORT)


def _documented(entry: Entry) -> dict[str, Any]:
    default = {} if entry.default is REQUIRED or entry.default == {} else {"default": entry.default}
    return {"description": entry.doc, **entry.shape.schema(), **default}


class Named(NamedTuple):
    """A table whose keys are names; the value is a dict name -> item. A wrong item keeps its name."""

    item: Shape
    name: Text
    most: int = 20_000

    @property
    def empty(self) -> dict[str, Any]:
        return {}

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, dict) or len(value) > self.most:
            report.add(path, value, (f"a table of at most {self.most} names",), "must be a table of names")
            return BAD
        out = {}
        for name, item in value.items():
            self.name.read(name, (*path, name), report)
            read = self.item.read(item, (*path, name), report)
            out[name] = self.item.empty if read is BAD else read
        return out

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": {"pattern": self.name.pattern},
            "additionalProperties": self.item.schema(),
        }


_NO_REPORT: Final = cast("Report", None)  # defaults are right by construction: a wrong one ends in an AttributeError
