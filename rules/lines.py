"""Which lines a change took away and which it brought, without regard to order and indentation."""

from collections import Counter
from typing import NamedTuple


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


def compare(old: bytes, new: bytes) -> Changed:
    """The difference. Equal lines at both ends are set aside first, so that of several equal lines the right one is named."""
    before, after = split(old), split(new)
    start = _common(before, after, limit=min(len(before), len(after)))
    end = _common(before[start:][::-1], after[start:][::-1], limit=min(len(before), len(after)) - start)
    middle_old = [line.strip() for line in before[start : len(before) - end]]
    middle_new = [line.strip() for line in after[start : len(after) - end]]
    removed, kept = _surplus(middle_old, middle_new, start)
    added, now = _surplus(middle_new, middle_old, start)
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


def _surplus(lines: list[bytes], others: list[bytes], offset: int) -> tuple[tuple[Line, ...], list[bytes]]:
    """The lines that the others do not have as often, and the rest."""
    spare = Counter(others)
    found: list[Line] = []
    kept: list[bytes] = []
    for number, text in enumerate(lines, offset + 1):
        if spare[text] > 0:
            spare[text] -= 1
            kept.append(text)
        elif text:
            found.append(Line(number, text))
    return tuple(found), kept


def squeeze(text: bytes) -> bytes:
    """A line without any blanks, to tell reformatting from change."""
    return b"".join(text.split())


_SPACES = bytes(byte if byte >= 0x80 or chr(byte).isalnum() or byte == 0x5F else 0x20 for byte in range(256))


def words(data: bytes) -> list[str]:
    """The words of a text: letters, digits, underscores and whatever is no ASCII."""
    return data.translate(_SPACES).decode("latin1").split(" ")
