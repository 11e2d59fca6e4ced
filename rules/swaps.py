"""Lines that gave way to others, paired by what stands before the value, with the part that differs. In any language."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rules import guards, vocabulary
from rules.lines import Line
from rules.patterns import found, pattern
from rules.places import function_at
from rules.rule import Change, Edit, remembered
from rules.vocabulary import is_name

MAX_LINE = 400  # bytes; longer lines are not compared word by word
MAX_LINES = 2_000  # of one side
MAX_ALIKE = 400  # lines of one side that are compared by their words
AHEAD = 6  # of them at once
COMMON = 8  # lines of one beginning that are looked at
_HEAD = rb"^[^=:(\[{]{0,120}"
_NAME = rb"([A-Za-z_$@][\w$-]*[?!]?)[\"']?\s*\]?\s*(?::=|=>|=|:)\s*[\"'\[({]*\s*$"
_ASIDE = (b"#", b"//", b"*", b"/*", b"--", b"<!--", b"import ", b"from ", b"use ", b"require ", b"package ", b'"""')


class Swap(NamedTuple):
    """A removed line and the added one that took its place."""

    old: Line
    new: Line
    name: str  # what the differing value belongs to: a keyword, a key, a variable
    before: str  # the differing part, words and signs joined by blanks
    after: str


def is_code(text: bytes) -> bool:
    """Whether a line says something: no comment, no import."""
    return not text.startswith(_ASIDE)


@remembered
def lost_lines(edit: Edit) -> tuple[Line, ...]:
    """The lines of code that this file lost and no production file won, in whatever line breaks and parentheses."""
    lost = [line for line in edit.removed if is_code(line.text) and len(line.text) <= MAX_LINE][:MAX_LINES]
    parts = [_plain(line.text) for line in lost]
    won = _won(edit.change) if lost else ()
    kept = {whole for whole, _ in _runs(parts, won)}
    kept |= {part for whole, run in _runs(won, parts) for part in run}
    return tuple(line for index, line in enumerate(lost) if index not in kept)


@remembered
def _won(change: Change) -> tuple[bytes, ...]:
    return tuple(_plain(line.text) for edit in change.edits if edit.is_code for line in won_lines(edit))


def _runs(wholes: Sequence[bytes], parts: Sequence[bytes]) -> Iterator[tuple[int, range]]:
    """Lines that say what a run of other lines says, with the run: a statement that was broken or joined."""
    starts: dict[bytes, list[int]] = {}
    for index, part in enumerate(parts):
        if part:
            starts.setdefault(part[:_START], []).append(index)
    for index, whole in enumerate(wholes):
        for first in starts.get(whole[:_START], ())[:COMMON]:
            end, said = first, b""
            while end < len(parts) and len(said) < len(whole) and whole.startswith(said):
                said += parts[end]
                end += 1
            if said == whole:
                yield index, range(first, end)
                break


_START = 6
_DROPPED = bytes(byte for byte in range(256) if chr(byte) in "(),;{}[] \t\r\n\v\f\\")


def _plain(text: bytes) -> bytes:
    return text.translate(None, _DROPPED).replace(b"'", b'"')


@remembered
def won_lines(edit: Edit) -> tuple[Line, ...]:
    """The lines of code that this file won."""
    return tuple(line for line in edit.changed.added if is_code(line.text) and len(line.text) <= MAX_LINE)[:MAX_LINES]


@remembered
def _pairs(edit: Edit) -> tuple[Swap, ...]:
    """Lost lines with the won line of the same beginning, else the most alike near it; each won line is taken once."""
    waiting: dict[bytes, deque[Line]] = {}
    for line in won_lines(edit):
        waiting.setdefault(_key(line.text), deque()).append(line)
    paired: list[tuple[Line, Line]] = []
    others: list[Line] = []
    for line in lost_lines(edit):
        same = waiting.get(_key(line.text))
        if same:
            paired.append((line, same.popleft()))
        else:
            others.append(line)
    left = sorted(line for rest in waiting.values() for line in rest)
    paired += _alike(others[:MAX_ALIKE], left[:MAX_ALIKE])
    return tuple(_swap(old, new) for old, new in sorted(paired))


@remembered
def swaps(edit: Edit) -> tuple[Swap, ...]:
    """The lines that gave way to others which say something else: new names for what a function holds are no change."""
    return tuple(swap for swap in _pairs(edit) if not _is_renamed(edit, swap))


def _is_renamed(edit: Edit, swap: Swap) -> bool:
    """Only names of values differ, the old ones are gone from the function and the new ones were unknown to it."""
    before, after = _tokens(swap.old), _tokens(swap.new)
    mapping = {(old, new) for old, new in zip(before, after, strict=False) if old != new}
    if len(before) != len(after) or not all(is_name(name) and name not in _VALUES for pair in mapping for name in pair):
        return False
    bound = {token for index, token in enumerate(before) if _is_bound(before, index)}
    old_words = guards.words_of(edit, function_at(edit, swap.old.number, old=True), old=True)
    new_words = guards.words_of(edit, function_at(edit, swap.new.number, old=False), old=False)
    return all(old not in new_words and new not in old_words and old not in bound for old, new in mapping)


_VALUES = frozenset({"True", "False", "true", "false", "None", "null", "nil", "undefined", "yes", "no", "on", "off"})


def _is_bound(tokens: tuple[str, ...], index: int) -> bool:
    """Whether a name belongs to something else: an attribute, or what is called."""
    return (index > 0 and tokens[index - 1] in {".", ">"}) or tokens[index + 1 : index + 2] == ("(",)


def _alike(lost: list[Line], won: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Lines that share half of their words with one of the next few that are left."""
    start = 0
    words = [frozenset(_tokens(line)) for line in won]
    for line in lost:
        mine = frozenset(_tokens(line))
        ahead = range(start, min(start + AHEAD, len(won)))
        best = max(ahead, key=lambda index: (len(mine & words[index]), -index), default=-1)
        if best >= 0 and len(mine & words[best]) * 2 >= max(len(mine), len(words[best])) and len(mine) > 2:
            yield line, won[best]
            start = best + 1


@remembered
def alone(edit: Edit) -> tuple[Line, ...]:
    """Lost lines that nothing took the place of."""
    taken = {swap.old.number for swap in _pairs(edit)}
    return tuple(line for line in lost_lines(edit) if line.number not in taken)


def _key(text: bytes) -> bytes:
    hit = pattern(_HEAD).search(text)
    return b"".join(hit.group(0).split()) if hit else b""


def _swap(old: Line, new: Line) -> Swap:
    before, after = _tokens(old), _tokens(new)
    shortest = min(len(before), len(after))
    start = next((i for i in range(shortest) if before[i] != after[i]), shortest)
    end = next((i for i in range(shortest - start) if before[-1 - i] != after[-1 - i]), shortest - start)
    return Swap(old, new, _name(before[:start]), _part(before, start, end), _part(after, start, end))


def _tokens(line: Line) -> tuple[str, ...]:
    return vocabulary.tokens(line.text.decode("utf-8", "replace"))


def _part(tokens: tuple[str, ...], start: int, end: int) -> str:
    return " ".join(tokens[start : len(tokens) - end])


def _name(ahead: tuple[str, ...]) -> str:
    """The last name with a sign of assignment before the difference, else the last word."""
    shown = "".join(f" {token}" if is_name(token) else token for token in ahead).encode("utf-8", "replace")
    hit = pattern(_NAME).search(shown)
    if hit is not None:
        return str(hit.group(1).decode("utf-8", "replace"))
    named = [token for token in ahead if is_name(token)]
    return named[-1] if named else ""


@remembered
def balance(change: Change, what: bytes) -> int:
    """How often the change's code says something after, less before; imports and comments are not asked."""
    total = 0
    for edit in change.edits:
        if edit.is_code:
            total += sum(found(what, line.text) for line in won_lines(edit))
            total -= sum(found(what, line.text) for line in _own(edit))
    return total


@remembered
def _own(edit: Edit) -> tuple[Line, ...]:
    return tuple(line for line in edit.changed.removed if is_code(line.text) and len(line.text) <= MAX_LINE)[:MAX_LINES]
