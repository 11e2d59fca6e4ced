"""The facts of the files that were parsed last. Native trees are 30 to 45 times as large as their text, so they are counted."""

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules.structure import Facts, Memory

ROOM = 1_000_000  # bytes of text whose facts are kept; the last file always is


class Shelf:
    """Equal text has equal facts: a file that two commits of a history share, or that many rules ask about, is parsed once.

    What has fallen off is parsed again where somebody asks again, so that a change of any size needs no more memory.
    """

    def __init__(self, room: int = ROOM) -> None:
        """An empty shelf for so many bytes of text."""
        self._room = room
        self._kept: OrderedDict[tuple[str, bytes], Facts | None] = OrderedDict()
        self._size = 0

    def facts(self, data: bytes, language: str, memory: "Memory") -> "Facts | None":
        """As `structure.read`, which is asked where the answer is not at hand."""
        from rules import structure  # noqa: PLC0415 - the grammars are loaded only when a change needs them

        key = language, data
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._make_room(len(data))
        found = structure.read(data, language, memory)
        self._kept[key] = found
        self._size += len(data)
        return found

    def _make_room(self, size: int) -> None:
        while self._kept and self._size + size > self._room:
            (_, data), _ = self._kept.popitem(last=False)
            self._size -= len(data)


shelf = Shelf()
