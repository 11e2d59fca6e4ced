"""Workflow files of GitHub, Gitea and Forgejo, read by lines: which key a value stands under. No YAML library, linear time.

The reader follows what such files are written in: block mappings and lists, flow lists, block scalars, comments. A file that it
cannot follow (tabs, too deep, too long) gives None; the rules then say that they could not read it.
"""

from itertools import pairwise
from typing import NamedTuple

from rules.rule import Source

LONGEST = 512 << 10  # bytes
DEEPEST = 24  # keys
_FORGES = (b".github", b".gitea", b".forgejo")


class Entry(NamedTuple):
    """A key with its value, or an item of a list (key `-`). `path` holds the keys around it; list items are counted."""

    line: int
    path: tuple[str, ...]
    value: str

    @property
    def key(self) -> str:
        """The last key."""
        return self.path[-1]

    @property
    def job(self) -> str:
        """The job that it belongs to; "" outside of all."""
        return self.path[1] if len(self.path) > 1 and self.path[0] == "jobs" else ""


def is_workflow(path: bytes) -> bool:
    """Whether a forge runs this file: a workflow or a composite action."""
    *directories, name = path.lower().split(b"/")
    if not name.endswith((b".yml", b".yaml")):
        return False
    inside = any(forge in _FORGES and room == b"workflows" for forge, room in pairwise(directories))
    return inside or name in (b"action.yml", b"action.yaml")


def read(source: Source) -> tuple[Entry, ...] | None:
    """All entries of one side, in order; None where the file cannot be followed."""
    if not source.present:
        return ()
    if len(source.data) > LONGEST:
        return None
    return _Reader(source.lines).entries()


def triggers(entries: tuple[Entry, ...]) -> frozenset[str]:
    """The events that start a workflow."""
    found: set[str] = set()
    for entry in entries:
        if entry.path[0] not in ("on", "true"):
            continue
        if len(entry.path) == 1:
            found.update(items(entry.value))
        elif len(entry.path) == 2:
            found.add(entry.key if entry.key != "-" and not entry.key.startswith("-") else entry.value)
    return frozenset(found - {""})


def items(value: str) -> list[str]:
    """The items of a flow list, or the value itself; a flow mapping gives its keys."""
    inner = value.strip("[]{} ")
    return [_bare(item.split(":", 1)[0]) for item in inner.split(",")] if inner else []


def pairs(value: str) -> list[tuple[str, str]]:
    """The pairs of a flow mapping."""
    parts = (item.partition(":") for item in value.strip("{} ").split(","))
    return [(_bare(key), _bare(told)) for key, colon, told in parts if colon]


def _bare(text: str) -> str:
    return text.strip().strip("\"'").strip()


class _Reader:
    """One pass over the lines with the open keys on a stack of (indent, key)."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._open: list[tuple[int, str]] = []
        self._found: list[Entry] = []
        self._block: int | None = None  # indent of the key whose block scalar runs
        self._counts: dict[int, int] = {}

    def entries(self) -> tuple[Entry, ...] | None:
        for number, raw in enumerate(self._lines, 1):
            text = raw.decode("utf-8", "replace").rstrip()
            body = text.lstrip(" ")
            if self._in_block(len(text) - len(body), body, number):
                continue
            if not body or body.startswith(("#", "---", "%", "...")):
                continue
            if body.startswith("\t") or len(self._open) > DEEPEST:
                return None
            self._take(len(text) - len(body), body, number)
        return tuple(self._found)

    def _in_block(self, indent: int, body: str, number: int) -> bool:
        if self._block is None:
            return False
        if body and indent <= self._block:
            self._block = None
            return False
        if body:
            self._found.append(Entry(number, (*(key for _, key in self._open), "|"), body))
        return True

    def _take(self, indent: int, body: str, number: int) -> None:
        while self._open and self._open[-1][0] >= indent + (1 if self._is_item(indent, body) else 0):
            self._open.pop()
        if body == "-" or body.startswith("- "):
            self._item(indent, body, number)
            return
        key, value = _split(body)
        if key is None:
            self._continue(body, number)
            return
        self._open.append((indent, key))
        path = tuple(name for _, name in self._open)
        self._found.append(Entry(number, path, value))
        if value[:1] in ("|", ">"):
            self._block = indent

    def _is_item(self, indent: int, body: str) -> bool:
        """A list may stand as far left as the key that it belongs to."""
        last = self._open[-1] if self._open else (0, "")
        return (body == "-" or body.startswith("- ")) and last[0] == indent and not last[1].startswith("-")

    def _item(self, indent: int, body: str, number: int) -> None:
        rest = body[1:].lstrip(" ")
        self._counts[indent] = self._counts.get(indent, 0) + 1
        self._open.append((indent, f"-{self._counts[indent]}"))
        inner = indent + len(body) - len(rest)
        if rest and (_split(rest)[0] is not None or rest.startswith("- ")):
            self._take(inner, rest, number)
        elif rest:
            self._found.append(Entry(number, tuple(name for _, name in self._open), _plain(rest)))
            self._block = indent if rest[:1] in ("|", ">") else None

    def _continue(self, body: str, number: int) -> None:
        """The next line of a value that runs on."""
        if self._open:
            self._found.append(Entry(number, (*(name for _, name in self._open), "|"), _plain(body)))


def _split(body: str) -> tuple[str | None, str]:
    """A key and its value; None where the line is no pair."""
    if body[:1] in ('"', "'"):
        end = body.find(body[0], 1)
        if end < 0 or not body[end + 1 :].lstrip().startswith(":"):
            return None, body
        return body[1:end], _plain(body[end + 1 :].lstrip()[1:])
    if body[:1] in ("{", "["):
        return None, body
    key, colon, value = body.partition(":")
    if not colon or (value and value[0] != " "):
        return None, body
    return key.strip(), _plain(value)


def _plain(value: str) -> str:
    """A value without its comment and quotes."""
    text = value.strip()
    if text[:1] in ('"', "'"):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    cut = text.find(" #")
    return (text[:cut] if cut >= 0 else "" if text.startswith("#") else text).strip()
