"""Which lines a change took away and which it brought, without regard to order and indentation."""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

REMEMBERED = 512  # pairs of files whose difference is kept until their change is done with


class Line(NamedTuple):
    """A line without the blanks around it. `number` counts from 1."""

    number: int
    text: bytes


class Changed(NamedTuple):
    """The multiset difference of two files: a line that only moved inside the file is in neither of the first two parts."""

    removed: tuple[Line, ...]
    added: tuple[Line, ...]
    moved: tuple[bytes, ...] = ()  # what stands on both sides, but in another order

    def joined(self) -> bytes:
        """All changed lines as one buffer, for one pass of the patterns."""
        return b"\n".join([line.text for line in (*self.removed, *self.added)] + [*self.moved])


def split(data: bytes) -> list[bytes]:
    """Lines as git counts them: only a line feed ends one."""
    return data.split(b"\n")


@lru_cache(REMEMBERED)  # who reads a history counts the lines first, and then looks at them
def compare(old: bytes, new: bytes) -> Changed:
    """The difference. Equal lines at both ends are set aside first, so that of several equal lines the right one is named."""
    before, after = split(old), split(new)
    start = _common(before, after, limit=min(len(before), len(after)))
    end = _common(before[start:][::-1], after[start:][::-1], limit=min(len(before), len(after)) - start)
    middle_old = list(map(bytes.strip, before[start : len(before) - end]))
    middle_new = list(map(bytes.strip, after[start : len(after) - end]))
    count_old, count_new = Counter(middle_old), Counter(middle_new)
    removed, kept = _surplus(middle_old, count_old, count_new, start)
    added, now = _surplus(middle_new, count_new, count_old, start)
    return Changed(removed, added, () if kept == now else tuple(kept))


def _common(left: list[bytes], right: list[bytes], *, limit: int) -> int:
    """How many lines at the front are equal but for the blanks around them; whole blocks at once where they are equal."""
    count, step = 0, 1
    while count < limit:
        end = min(count + step, limit)
        if left[count:end] == right[count:end]:
            count, step = end, step * 2
        elif step > 1:
            step //= 2
        elif left[count].strip() == right[count].strip():
            count += 1
        else:
            return count
    return count


def _surplus(
    lines: list[bytes], own: dict[bytes, int], others: dict[bytes, int], offset: int
) -> tuple[tuple[Line, ...], list[bytes]]:
    """The lines that the others do not have as often, of equal ones the last; and the rest."""
    spare = {text: has for text, count in own.items() if count > (has := others.get(text, 0))}
    found: list[Line] = []
    gone: list[int] = []
    for at in [at for at, text in enumerate(lines) if text in spare] if spare else ():
        text = lines[at]
        if spare[text] > 0:
            spare[text] -= 1
            continue
        gone.append(at)
        if text:
            found.append(Line(at + offset + 1, text))
    return tuple(found), _without(lines, gone)


def _without(lines: list[bytes], gone: list[int]) -> list[bytes]:
    starts, ends = [0, *(at + 1 for at in gone)], [*gone, len(lines)]
    return [text for start, end in zip(starts, ends, strict=True) for text in lines[start:end]]


def squeeze(text: bytes) -> bytes:
    """A line without any blanks, to tell reformatting from change."""
    return b"".join(text.split())


_SPACES = bytes(byte if byte >= 0x80 or chr(byte).isalnum() or byte == 0x5F else 0x20 for byte in range(256))


def words(data: bytes) -> list[str]:
    """The words of a text: letters, digits, underscores and whatever is no ASCII."""
    return data.translate(_SPACES).decode("latin1").split(" ")
