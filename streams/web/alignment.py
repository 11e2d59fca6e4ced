"""Two files side by side in time that grows with their size, whatever is in them: no crafted file can stall a page.

Equal lines at both ends are set aside; lines that stand once on either side anchor the rest, twice over. What then lies
between two anchors counts as replaced: more may be shown as changed than git would show, never less.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

DEPTH: Final = 3  # how often the lines between anchors are looked at again


class Block(NamedTuple):
    """Lines `old_from..old_to` became `new_from..new_to`, counted from 0, ends not included; equal ones when `same`."""

    same: bool
    old_from: int
    old_to: int
    new_from: int
    new_to: int


def blocks(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """The whole of both files, in order, neighbours of one sort joined."""
    found: list[Block] = []
    for block in _split(old, new, (0, len(old), 0, len(new)), DEPTH):
        last = found[-1] if found else None
        if last and last.same == block.same:
            found[-1] = Block(last.same, last.old_from, block.old_to, last.new_from, block.new_to)
        elif block.old_from < block.old_to or block.new_from < block.new_to:
            found.append(block)
    return found


Span = tuple[int, int, int, int]


def _split(old: Sequence[bytes], new: Sequence[bytes], span: Span, depth: int) -> Iterator[Block]:
    first, last, start, end = span
    head = _common(old, new, span)
    yield Block(True, first, first + head, start, start + head)
    tail = _common_end(old, new, (first + head, last, start + head, end))
    middle = (first + head, last - tail, start + head, end - tail)
    yield from _middle(old, new, middle, depth)
    yield Block(True, last - tail, last, end - tail, end)


def _common(old: Sequence[bytes], new: Sequence[bytes], span: Span) -> int:
    first, last, start, end = span
    count = 0
    while first + count < last and start + count < end and old[first + count] == new[start + count]:
        count += 1
    return count


def _common_end(old: Sequence[bytes], new: Sequence[bytes], span: Span) -> int:
    first, last, start, end = span
    count = 0
    while first < last - count and start < end - count and old[last - count - 1] == new[end - count - 1]:
        count += 1
    return count


def _middle(old: Sequence[bytes], new: Sequence[bytes], span: Span, depth: int) -> Iterator[Block]:
    first, last, start, end = span
    anchors = _anchors(old, new, span) if depth and first < last and start < end else []
    if not anchors:
        yield Block(False, *span)
        return
    for at_old, at_new in anchors:
        yield from _split(old, new, (first, at_old, start, at_new), depth - 1)
        yield Block(True, at_old, at_old + 1, at_new, at_new + 1)
        first, start = at_old + 1, at_new + 1
    yield from _split(old, new, (first, last, start, end), depth - 1)


def _anchors(old: Sequence[bytes], new: Sequence[bytes], span: Span) -> list[tuple[int, int]]:
    """Pairs of lines that stand exactly once on each side, as many as are in one order on both."""
    first, last, start, end = span
    once_old, once_new = Counter(old[first:last]), Counter(new[start:end])
    places = {new[at]: at for at in range(start, end) if once_new[new[at]] == 1}
    pairs = [(at, places[old[at]]) for at in range(first, last) if once_old[old[at]] == 1 and old[at] in places]
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs in which the second numbers rise, too."""
    ends: list[int] = []  # smallest second number that ends a row of this length
    holders: list[int] = []  # which pair that is
    before: list[int] = []
    for index, (_, at_new) in enumerate(pairs):
        length = bisect_left(ends, at_new)
        before.append(holders[length - 1] if length else -1)
        ends[length : length + 1] = [at_new]
        holders[length : length + 1] = [index]
    found = []
    index = holders[-1] if holders else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]
