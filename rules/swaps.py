"""Lines that gave way to others, paired by what stands before the value, with the part that differs. In any language."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rules import guards, vocabulary
from rules.lines import Line, words
from rules.patterns import found, pattern
from rules.places import function_at
from rules.rule import Change, Edit, remembered
from rules.vocabulary import is_name

MAX_LINE = 400  # bytes; longer lines are not compared word by word
MAX_LINES = 2_000  # of one side
MAX_ALIKE = 400  # lines of one side that are compared by their words
AHEAD = 6  # of them at once
COMMON = 8  # lines of one beginning that are looked at
_NAME = rb"([A-Za-z_$@][\w$-]*[?!]?)[\"']?\s*\]?\s*(?::=|=>|=|:)\s*[\"'\[({]*\s*$"
_LOGS = rb"(?i)^(?:\w+(?:\.|->|::))*_?(?:log|logger|logging|slog|klog|logrus|console)(?:\(\))?(?:\.|->|::)\w+\("
_ASIDE = (b"#", b"//", b"*", b"/*", b"--", b"<!--", b"import ", b"from ", b"use ", b"require ", b"package ", b'"""')


class Swap(NamedTuple):
    """A removed line and the added one that took its place."""

    old: Line
    new: Line
    name: str  # what the differing value belongs to: a keyword, a key, a variable
    before: str  # the differing part; no word is cut
    after: str


def is_code(text: bytes) -> bool:
    """Whether a line does something: no comment, no import, no line of a log."""
    return not text.startswith(_ASIDE) and not (_may_log(text) and found(_LOGS, text))


def _may_log(text: bytes) -> bool:
    return b"log" in text or b"LOG" in text or b"Log" in text or b"console" in text


@remembered
def lost_lines(edit: Edit) -> tuple[Line, ...]:
    """The lines of code that this file lost and no production file won, in whatever line breaks and parentheses."""
    lost = [line for line in edit.removed if is_code(line.text) and len(line.text) <= MAX_LINE][:MAX_LINES]
    parts = [_plain(line.text) for line in lost]
    won = _won(edit.change) if lost else ()
    kept = {whole for whole, _ in _runs(parts, won)}
    kept |= {part for whole, run in _runs(won, parts) for part in run}
    return tuple(line for index, line in enumerate(lost) if parts[index] and index not in kept)


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
        heads = (starts.get(whole[:length], ()) for length in range(min(_START, len(whole)), 0, -1))
        for first in (index for head in heads for index in head[:COMMON]):
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
    for line in won_lines(edit) if lost_lines(edit) else ():
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


def _alike(lost: list[Line], won: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Lines that share half of their words with one of the next few that are left."""
    start = 0
    known = [frozenset(words(line.text)) for line in won]
    for line in lost:
        mine = frozenset(words(line.text))
        ahead = range(start, min(start + AHEAD, len(won)))
        best = max(ahead, key=lambda index: (len(mine & known[index]), -index), default=-1)
        if best >= 0 and len(mine & known[best]) * 2 >= max(len(mine), len(known[best])) and len(mine) > 1:
            yield line, won[best]
            start = best + 1


@remembered
def swaps(edit: Edit) -> tuple[Swap, ...]:
    """The lines that gave way to others which say something else: new names for what a function holds are no change."""
    return tuple(swap for swap in _pairs(edit) if not _is_renamed(edit, swap))


def _is_renamed(edit: Edit, swap: Swap) -> bool:
    """Only names of values differ, the old ones are gone from the function and the new ones were unknown to it."""
    before, after = vocabulary.tokens(swap.before), vocabulary.tokens(swap.after)
    mapping = {(old, new) for old, new in zip(before, after, strict=False) if old != new}
    if len(before) != len(after) or not all(is_name(name) and name not in _VALUES for pair in mapping for name in pair):
        return False
    shown = vocabulary.tokens(swap.old.text.decode("utf-8", "replace"))
    bound = {token for index, token in enumerate(shown) if _is_bound(shown, index)}
    old_words = guards.words_of(edit, function_at(edit, swap.old.number, old=True), old=True)
    new_words = guards.words_of(edit, function_at(edit, swap.new.number, old=False), old=False)
    return all(old not in new_words and new not in old_words and old not in bound for old, new in mapping)


_VALUES = frozenset({"True", "False", "true", "false", "None", "null", "nil", "undefined", "yes", "no", "on", "off"})


def _is_bound(tokens: tuple[str, ...], index: int) -> bool:
    """Whether a name belongs to something else: an attribute, or what is called."""
    return (index > 0 and tokens[index - 1] in {".", ">"}) or tokens[index + 1 : index + 2] == ("(",)


@remembered
def alone(edit: Edit) -> tuple[Line, ...]:
    """Lost lines that nothing took the place of."""
    taken = {swap.old.number for swap in _pairs(edit)}
    return tuple(line for line in lost_lines(edit) if line.number not in taken)


def _key(text: bytes) -> bytes:
    """What stands before the first sign of a value."""
    for sign in (b"=", b":", b"(", b"[", b"{"):
        text = text[: text.find(sign)] if sign in text else text
    return b"".join(text[:120].split())


def _swap(old: Line, new: Line) -> Swap:
    before, after = old.text, new.text
    start = _boundary(before, after, _common(before, after))
    end = _boundary(before[::-1], after[::-1], _common(before[start:][::-1], after[start:][::-1]))
    parts = (text[start : len(text) - end].strip().decode("utf-8", "replace") for text in (before, after))
    return Swap(old, new, _name(before[:start]), *parts)


def _common(left: bytes, right: bytes) -> int:
    """How many bytes at the front are equal."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _boundary(left: bytes, right: bytes, count: int) -> int:
    """The same, but no word is cut."""
    cut = any(_is_word(text[count : count + 1]) for text in (left, right))
    while cut and count and _is_word(left[count - 1 : count]):
        count -= 1
    return count


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"


def _name(ahead: bytes) -> str:
    """The last name with a sign of assignment before the difference, else the last word."""
    hit = pattern(_NAME).search(ahead)
    if hit is not None:
        return str(hit.group(1).decode("utf-8", "replace"))
    return next((word for word in reversed(words(ahead)) if is_name(word)), "")


@remembered
def balance(change: Change, what: bytes) -> int:
    """How often the change's code says something after, less before; imports and comments are not asked."""
    asked = pattern(what)
    total = 0
    for edit in change.edits:
        if edit.is_code:
            total += sum(1 for _ in asked.finditer(_joined(edit, old=False)))
            total -= sum(1 for _ in asked.finditer(_joined(edit, old=True)))
    return total


@remembered
def _joined(edit: Edit, *, old: bool) -> bytes:
    """The changed lines of code of one side as one text."""
    lines = edit.changed.removed if old else edit.changed.added
    return b"\n".join(line.text for line in lines[:MAX_LINES] if is_code(line.text) and len(line.text) <= MAX_LINE)
