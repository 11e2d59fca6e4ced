"""What differs between two sides of a file, line by line, in time that grows with the file: no crafted file can stall it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

AROUND = 6  # lines shown before and after a change
ABOVE = 2  # less indented lines above a hunk, such as its function and class
REACH = 400  # lines that are looked through for them
DEPTH = 12  # of anchors between anchors


class Row(NamedTuple):
    """A line of a diff. `sign` is "-", "+" or " "; `number` counts from 1, on the old side for "-", else on the new one."""

    sign: str
    number: int
    text: bytes


Hunk = tuple[Row, ...]
_Block = tuple[int, int, int]  # start on the old side, start on the new side, how many lines are equal


def hunks(old: bytes | None, new: bytes | None) -> tuple[Hunk, ...]:
    """Every line that is not on both sides in this order, with lines around it. None: there is no file on that side.

    Taking the "-" rows out of the old side and putting the "+" rows in gives the new side.
    """
    before, after = _lines(old), _lines(new)
    blocks = [*_blocks(before, after), (len(before), len(after), 0)]
    gaps = list(_gaps(blocks))
    return tuple(_hunk(group, before, after) for group in _groups(gaps))


def _lines(data: bytes | None) -> list[bytes]:
    """Lines between line feeds. What stands after the last one is a line, also where it is empty: its coming and going shows."""
    return data.split(b"\n") if data else []


class _Gap(NamedTuple):
    """Lines [old, old_end) became lines [new, new_end)."""

    old: int
    old_end: int
    new: int
    new_end: int


def _gaps(blocks: Sequence[_Block]) -> Iterator[_Gap]:
    old = new = 0
    for start_old, start_new, size in blocks:
        if start_old > old or start_new > new:
            yield _Gap(old, start_old, new, start_new)
        old, new = start_old + size, start_new + size


def _groups(gaps: Sequence[_Gap]) -> Iterator[list[_Gap]]:
    """Gaps whose surroundings touch belong together."""
    group: list[_Gap] = []
    for gap in gaps:
        if group and gap.new - group[-1].new_end > 2 * AROUND:
            yield group
            group = []
        group.append(gap)
    if group:
        yield group


def _hunk(group: Sequence[_Gap], before: Sequence[bytes], after: Sequence[bytes]) -> Hunk:
    start = max(group[0].new - AROUND, 0)
    rows = [Row(" ", at + 1, after[at]) for at in _enclosing(after, start)]
    at = start
    for gap in group:
        rows += [Row(" ", number + 1, after[number]) for number in range(at, gap.new)]
        rows += [Row("-", number + 1, before[number]) for number in range(gap.old, gap.old_end)]
        rows += [Row("+", number + 1, after[number]) for number in range(gap.new, gap.new_end)]
        at = gap.new_end
    rows += [Row(" ", number + 1, after[number]) for number in range(at, min(at + AROUND, len(after)))]
    return tuple(rows)


def _enclosing(lines: Sequence[bytes], start: int) -> list[int]:
    """The lines above that hold what starts here, by indentation."""
    found: list[int] = []
    depth = next((indent(line) for line in lines[start : start + 2 * AROUND] if line.strip()), 0)
    for at in range(start - 1, max(start - REACH, 0) - 1, -1):
        if depth == 0 or len(found) == ABOVE:
            break
        if lines[at].strip() and indent(lines[at]) < depth:
            depth = indent(lines[at])
            found.append(at)
    return found[::-1]


def indent(line: bytes) -> int:
    """Blanks before the first character."""
    return len(line) - len(line.lstrip())


def _blocks(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[_Block]:
    """Runs of equal lines, in order. Work is done from a list, so that no depth of anchors exhausts the stack."""
    waiting = [(0, len(before), 0, len(after), 0)]
    found: list[_Block] = []
    while waiting:
        old, old_end, new, new_end, depth = waiting.pop()
        head = _common(before, after, (old, old_end, new, new_end))
        tail = _common_tail(before, after, (old + head, old_end, new + head, new_end))
        found += [(old, new, head), (old_end - tail, new_end - tail, tail)]
        inner = (old + head, old_end - tail, new + head, new_end - tail)
        if (
            depth < DEPTH
            and inner[0] < inner[1]
            and inner[2] < inner[3]
            and inner[1] - inner[0] + inner[3] - inner[2] > 2
        ):
            waiting += [(*part, depth + 1) for part in _between(_anchors(before, after, inner), inner)]
    return iter(sorted(block for block in found if block[2]))


_Area = tuple[int, int, int, int]


def _common(before: Sequence[bytes], after: Sequence[bytes], area: _Area) -> int:
    """How many lines at the front are equal; whole runs at once."""
    old, old_end, new, new_end = area
    limit, count, step = min(old_end - old, new_end - new), 0, 1
    while count < limit and step:
        end = min(count + step, limit)
        if before[old + count : old + end] == after[new + count : new + end]:
            count, step = end, step * 2
        else:
            step //= 2
    return count


def _common_tail(before: Sequence[bytes], after: Sequence[bytes], area: _Area) -> int:
    """The same at the end."""
    old, old_end, new, new_end = area
    limit, count, step = min(old_end - old, new_end - new), 0, 1
    while count < limit and step:
        end = min(count + step, limit)
        if before[old_end - end : old_end - count] == after[new_end - end : new_end - count]:
            count, step = end, step * 2
        else:
            step //= 2
    return count


def _between(anchors: Sequence[tuple[int, int]], area: _Area) -> Iterator[_Area]:
    """The areas that begin at a run of anchors and end before the next; the first begins where the area does."""
    if not anchors:
        return
    old, old_end, new, new_end = area
    before_old, before_new = old - 1, new - 1
    for at_old, at_new in anchors:
        if at_old != before_old + 1 or at_new != before_new + 1:
            yield old, at_old, new, at_new
            old, new = at_old, at_new
        before_old, before_new = at_old, at_new
    yield old, old_end, new, new_end


def _anchors(before: Sequence[bytes], after: Sequence[bytes], area: _Area) -> list[tuple[int, int]]:
    """Lines that stand once on either side, the longest row of them that is in the same order on both."""
    old, old_end, new, new_end = area
    here, there = Counter(before[old:old_end]), Counter(after[new:new_end])
    places = {after[at]: at for at in range(new, new_end) if there[after[at]] == 1}
    pairs = [(at, places[before[at]]) for at in range(old, old_end) if here[before[at]] == 1 and before[at] in places]
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest rising row of second numbers."""
    tops: list[int] = []
    ends: list[int] = []
    came_from: list[int] = []
    for at, (_, number) in enumerate(pairs):
        pile = bisect_left(tops, number)
        came_from.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [number]
        ends[pile : pile + 1] = [at]
    row: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        row.append(pairs[at])
        at = came_from[at]
    return row[::-1]
