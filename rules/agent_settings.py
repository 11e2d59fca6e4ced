"""The settings of coding agents, whichever tool they belong to: which commands run, what is allowed without asking.

JSON (with comments) and TOML become flat pairs of keys and values, so that two versions can be compared key by key.
"""

import json
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from rules import toml_lines
from rules.rule import Source

LONGEST = 256 << 10  # bytes
MOST = 5_000  # values


class Setting(NamedTuple):
    """One value and the keys above it; items of a list have the list's keys."""

    keys: tuple[str, ...]
    value: str

    @property
    def name(self) -> str:
        """The keys as one text, in lower case without dashes and underscores."""
        return ".".join(self.keys).lower().replace("-", "").replace("_", "")


def read(source: Source, path: bytes) -> tuple[Setting, ...] | None:
    """All values of one side; empty where there is no file, None where it cannot be read."""
    if not source.present:
        return ()
    if len(source.data) > LONGEST:
        return None
    try:
        text = source.data.decode("utf-8").removeprefix("\ufeff")
        return _bounded(_parsed(text, source.data, path))
    except (ValueError, RecursionError):
        return None


def line_of(source: Source, setting: Setting) -> int:
    """The first line that holds the value, else the last key; 0 where neither stands in one piece."""
    for text in (setting.value, setting.keys[-1] if setting.keys else ""):
        wanted = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
        for number, line in enumerate(source.lines, 1):
            if text and (wanted in line or wanted.strip(b'"') in line):
                return number
    return 0


def _parsed(text: str, data: bytes, path: bytes) -> Any:
    if not path.lower().endswith(b".toml"):
        return json.loads(_uncommented(text)) if text.strip() else {}
    if toml_lines.is_bomb(data):
        raise ValueError
    return tomllib.loads(text)


def _uncommented(text: str) -> str:
    """JSON without `//` lines, `/* */` and commas before a bracket, outside of strings."""
    out: list[str] = []
    at, size = 0, len(text)
    while at < size:
        if text[at] == '"':
            end = _string_end(text, at)
        elif text.startswith("//", at):
            at = _after(text, "\n", at)
            continue
        elif text.startswith("/*", at):
            at = _after(text, "*/", at) + 2
            continue
        else:
            end = at + 1
        if text[at] in "]}":
            _drop_comma(out)
        out.append(text[at:end])
        at = end
    return "".join(out)


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return found if found >= 0 else len(text)


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return min(at + 1, len(text))


def _drop_comma(out: list[str]) -> None:
    blanks = 0
    while blanks < len(out) and blanks < 200 and out[-1 - blanks].isspace():
        blanks += 1
    if blanks < len(out) and out[-1 - blanks] == ",":
        out[-1 - blanks] = ""


def _bounded(value: Any) -> tuple[Setting, ...] | None:
    found: list[Setting] = []
    for setting in _flat(value, ()):
        if len(found) == MOST:
            return None
        found.append(setting)
    return tuple(found)


def _flat(value: Any, keys: tuple[str, ...]) -> Iterator[Setting]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, (*keys, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item, keys)
    else:
        yield Setting(keys, "" if value is None else str(value).lower() if isinstance(value, bool) else str(value))
