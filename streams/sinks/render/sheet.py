"""Lines of text in columns: wrapped by hand, painted only where the words alone already say it."""

import sys
from collections.abc import Iterable
from textwrap import wrap

from streams.sinks.render.safe import columns

WIDEST = 100
NARROWEST = 40
GLUE = "\u00a0"  # a blank at which no line is broken
PAINT = {
    "blocked": "1;31", "escalated": "1;33", "pending": "1;36", "admitted": "1;32",
    "block": "31", "hold": "33", "note": "2", "SAME": "31", "dim": "2",
}  # fmt: skip


def width_of_terminal() -> int:
    """What the terminal shows in a line, at most WIDEST; WIDEST where there is no terminal."""
    if not sys.stdout.isatty():
        return WIDEST
    from shutil import get_terminal_size  # noqa: PLC0415 - 2 ms, which hooks would pay on each push

    known = get_terminal_size((WIDEST, 24)).columns
    return max(NARROWEST, min(known, WIDEST))


class Sheet:
    """Text that grows line by line."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = width
        self._colour = colour
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines).strip("\n") + "\n"

    def gap(self) -> None:
        self._lines.append("")

    def put(self, line: str) -> None:
        """A line as it is: it is neither wrapped nor painted."""
        self._lines.append(line.rstrip())

    def heading(self, title: str) -> None:
        self.gap()
        self.put(title)

    def paint(self, text: str, as_: str) -> str:
        """The text in a colour; itself where there is no colour."""
        return f"\x1b[{PAINT[as_]}m{text}\x1b[0m" if self._colour and as_ in PAINT and text else text

    def row(self, head: str, text: str, *, indent: int = 2, column: int = 0, as_: str = "") -> None:
        """`head` in a column of that width, then the text, wrapped beside it. A long head has its text below."""
        first = " " * indent + self.paint(head, as_ or head)
        room = indent + (column + 2 if column else 0)
        lines = self._wrap(text, room) or [""]
        if head and columns(head) <= column:
            gap = " " * (column + 2 - columns(head))
            self.put(first + gap + lines.pop(0))
        elif head:
            self.put(first)
        self.block(lines, indent=room)

    def block(self, lines: Iterable[str], *, indent: int, as_: str = "") -> None:
        for line in lines:
            self.put(" " * indent + self.paint(line, as_))

    def wrapped(self, text: str, *, indent: int = 2, as_: str = "") -> None:
        """A paragraph."""
        self.block(self._wrap(text, indent), indent=indent, as_=as_)

    def _wrap(self, text: str, indent: int) -> list[str]:
        room = max(self.width - indent, 20)
        lines = wrap(text, room, break_long_words=False, break_on_hyphens=False)
        return [line.replace(GLUE, " ") for line in lines]
