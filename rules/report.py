"""Mistakes in a configuration file: each with its file, line, key, the wrong value and what is allowed."""

from __future__ import annotations

from typing import Any, NamedTuple

from rules import toml_lines

Path = tuple[str | int, ...]
MOST_PROBLEMS = 100
LONGEST_VALUE = 80


class Problem(NamedTuple):
    """One mistake. `line` counts from 1; 0 speaks of the whole file. `value` is as written, shortened; "" where none is."""

    file: str
    line: int
    key: str
    value: str
    allowed: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        subject = " = ".join(part for part in (self.key, self.value) if part)
        allowed = f" (allowed: {', '.join(self.allowed)})" if self.allowed else ""
        return ": ".join(part for part in (where, subject, self.message + allowed) if part)


class Invalid(ValueError):
    """A file that cannot be used, with every mistake that was found in it (at most 100 and a last one that says so)."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Report:
    """Collects mistakes by key path; lines are looked up only when there are some."""

    def __init__(self, source: str, text: str, prefix: Path = ()) -> None:
        self._source, self._text, self._prefix = source, text, prefix
        self._found: list[tuple[Path, str, tuple[str, ...], str]] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def full(self) -> bool:
        """Whether further mistakes are only counted, so that nobody needs to word them."""
        return len(self._found) >= MOST_PROBLEMS

    def add(self, path: Path, value: Any, allowed: tuple[str, ...], message: str) -> None:
        """A wrong value at a path. At most 100 are kept, the others are counted."""
        if self.full:
            self._more += 1
        else:
            self._found.append((path, shown(value), allowed, message))

    def unknown(self, path: Path, known: tuple[str, ...]) -> None:
        self.add(path, None, known, "is no known key" + self.hint(path[-1], known))

    def missing(self, path: Path, doc: str) -> None:
        self.add(path, None, (), f"is missing: {doc}")

    def hint(self, value: Any, known: tuple[str, ...]) -> str:
        """`; did you mean "x"?` for the closest of the known words, if one is close."""
        if not isinstance(value, str) or len(value) > 64 or self.full:
            return ""
        from difflib import get_close_matches  # noqa: PLC0415  (only when something is wrong)

        close = get_close_matches(value.lower(), known[:500], n=1, cutoff=0.6)
        return f'; did you mean "{close[0]}"?' if close else ""

    def problems(self) -> tuple[Problem, ...]:
        """All mistakes in the order of their lines."""
        lines = toml_lines.lines_of(self._text)
        found = [self._problem(lines, *found) for found in self._found]
        found.sort(key=lambda problem: problem.line)
        if self._more:
            found.append(Problem(self._source, 0, "", "", (), f"{self._more} more mistakes: fix these first"))
        return tuple(found)

    def _problem(
        self, lines: dict[Path, int], path: Path, value: str, allowed: tuple[str, ...], message: str
    ) -> Problem:
        line = toml_lines.line_of(lines, (*self._prefix, *path))
        return Problem(self._source, line, key_text(path), value, allowed, message)


def key_text(path: Path) -> str:
    """`requirement[1].when.paths[0]`; indexes count from 0, names that TOML would quote are quoted."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            out += ("." if out else "") + (part if _bare(part) else shown(part))
    return out


def _bare(name: str) -> bool:
    return 0 < len(name) <= LONGEST_VALUE and name.isascii() and name.replace("-", "_").replace("_", "a").isalnum()


def shown(value: Any) -> str:
    """A value as the file has it, on one line, at most 80 characters; "" for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (dict, list)):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value)}"
    return str(value)


def _quoted(text: str) -> str:
    if "PRIVATE KEY" in text:
        return '"(a private key)"'
    short = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in short) + '"'


def _escaped(character: str) -> str:
    return "\\" + character if character in '"\\' else f"\\u{ord(character):04x}"
