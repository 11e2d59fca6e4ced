"""Which line of a TOML text a key stands on. tomllib says what the values are, not where.

The scanner follows TOML 1.0 as far as positions need it, in linear time, and stops at the first thing it does not
understand: tomllib has refused such a text anyway.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from contextlib import suppress

Path = tuple[str | int, ...]
DEEPEST = 64
MOST_DOTS = 1000  # in one line; a key of 1,000 parts takes tomllib less than a tenth of a second


def is_bomb(data: bytes) -> bool:
    """Whether tomllib would choke on it: a key of so many dots that reading it takes the square of its length."""
    return any(line.count(b".") > MOST_DOTS for line in data.split(b"\n"))


class _Stop(Exception):
    """Ends a scan."""


def lines_of(text: str) -> dict[Path, int]:
    """Key paths (array items by index) -> line, counting from 1. What could not be read is absent."""
    scanner = _Scanner(text)
    with suppress(_Stop, IndexError):
        scanner.document()
    return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the path, else of the nearest table or list around it, else 0."""
    return next((lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in lines), 0)


def too_deep(text: str) -> int:
    """The line of a key of more than 64 parts, else 0.

    tomllib takes quadratic time for such keys. They need their dots on one line: other texts are not scanned.
    """
    if all(line.count(".") < DEEPEST for line in text.split("\n")):
        return 0
    scanner = _Scanner(text)
    try:
        scanner.document()
    except _Stop:
        return scanner.line if scanner.deep else 0
    except IndexError:
        return 0
    return 0


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.deep = False
        self._ends = [index for index, character in enumerate(text) if character == "\n"]
        self._arrays: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return bisect_right(self._ends, self.at - 1) + 1

    def document(self) -> None:
        table: Path = ()
        while self._blank():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table, 0)

    def _header(self) -> Path:
        line = self.line
        size = 2 if self.text.startswith("[[", self.at) else 1
        self.at += size
        key = self._key()
        self._expect("]" * size)
        path = self._resolved(key[:-1]) + key[-1:]
        if size == 2:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, self._arrays[path])
        else:
            path = self._resolved(key)
        for size in range(1, len(path)):
            self.lines.setdefault(path[:size], line)
        self.lines[path] = line
        return path

    def _resolved(self, key: Path) -> Path:
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        return path

    def _pair(self, table: Path, depth: int) -> None:
        line = self.line
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._spaces()
        self._value(path, depth)

    def _key(self) -> Path:
        parts: list[str | int] = []
        while True:
            self._spaces()
            parts.append(self._part())
            if len(parts) > DEEPEST:
                self.deep = True
                raise _Stop
            self._spaces()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _part(self) -> str:
        if self.text[self.at] in "\"'":
            start = self.at
            self._string()
            return _plain(self.text[start : self.at])
        start = self.at
        while self.text[self.at].isascii() and (self.text[self.at].isalnum() or self.text[self.at] in "-_"):
            self.at += 1
        if start == self.at:
            raise _Stop
        return self.text[start : self.at]

    def _value(self, path: Path, depth: int) -> None:
        if depth > DEEPEST:
            raise _Stop
        character = self.text[self.at]
        if character in "\"'":
            self._string()
        elif character == "[":
            self._array(path, depth)
        elif character == "{":
            self._inline(path, depth)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}\n#":
                self.at += 1

    def _array(self, path: Path, depth: int) -> None:
        self.at += 1
        index = 0
        while self._blank() and self.text[self.at] != "]":
            self.lines[(*path, index)] = self.line
            self._value((*path, index), depth + 1)
            index += 1
            self._comma("]")
        self._expect("]")

    def _inline(self, path: Path, depth: int) -> None:
        self.at += 1
        while self._blank() and self.text[self.at] != "}":
            self._pair(path, depth + 1)
            self._comma("}")
        self._expect("}")

    def _comma(self, end: str) -> None:
        """Past the comma after an item; without one the list or table must end here."""
        if self._blank() and self.text[self.at] == ",":
            self.at += 1
        elif not self.text.startswith(end, self.at):
            raise _Stop

    def _string(self) -> None:
        quote = self.text[self.at]
        long = self.text.startswith(quote * 3, self.at)
        end = quote * 3 if long else quote
        self.at += len(end)
        while not self.text.startswith(end, self.at):
            if self.text[self.at] == "\n" and not long:
                raise _Stop
            self.at += 2 if self.text[self.at] == "\\" and quote == '"' else 1
        self.at += len(end)
        if long:  # up to two quotes may stand before the closing three
            while self.text.startswith(quote, self.at):
                self.at += 1

    def _blank(self) -> bool:
        """Past spaces, newlines and comments; whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\r\n":
                self.at += 1
            else:
                return True
        return False

    def _spaces(self) -> None:
        while self.text[self.at] in " \t":
            self.at += 1

    def _expect(self, text: str) -> None:
        self._spaces()
        if not self.text.startswith(text, self.at):
            raise _Stop
        self.at += len(text)


def _plain(quoted: str) -> str:
    if "\\" not in quoted or quoted[0] == "'":
        return quoted[1:-1]
    try:
        return str(tomllib.loads("key = " + quoted)["key"])
    except tomllib.TOMLDecodeError:
        raise _Stop from None
