"""The change as a model is shown it: whole, deletions too, cut into parts between hunks and functions, never clipped (law 3)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reviewers import hunks, shown
from reviewers.hunks import Hunk
from reviewers.judging import Coverage
from reviewers.redaction import Redacted, Redactor
from rules.change import FileChange
from rules.findings import Uncovered
from rules.media import is_binary, medium, unread
from rules.rule import Blobs, Change
from rules.scan import limited

MARK = 12  # characters of the mark before every line
_ROW = MARK + 10  # bytes that a row takes besides its text, about


class Shown(NamedTuple):
    """One row as it is shown. A line that is too long for one row has several, of which the last is `last`."""

    sign: str  # "-", "+" or " "
    number: int
    text: str
    piece: int = 0
    last: bool = True

    @property
    def label(self) -> str:
        return f"{self.sign}{self.number}" + (f".{self.piece + 1}" if self.piece or not self.last else "")


class Leaf(NamedTuple):
    """Rows of one file that stand together. The first leaf of a file counts the file."""

    heading: str
    path: str
    told: str  # the path as it is shown
    first: bool
    rows: tuple[Shown, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire, about."""
        return len(self.heading) + _ROW * (len(self.rows) + 1) + sum([len(row.text) for row in self.rows])


Sheet = tuple[Leaf, ...]


class Sheets(NamedTuple):
    """The parts of a change; what nobody can show; how many credentials were withheld; and what there is in all."""

    parts: tuple[Sheet, ...]
    uncovered: tuple[Uncovered, ...]
    redactions: int
    total: Coverage  # with nothing seen


def sheets(blobs: Sequence[Blobs], size: int) -> Sheets:
    """The change in parts of about `size` bytes. The order of the files is without effect."""
    change = Change(limited(each) for each in blobs)
    why = {edit.file.path: unread(edit) for edit in change.edits}
    readable = [Blobs(edit.file, edit.old.data, edit.new.data) for edit in change.edits if not why[edit.file.path]]
    change.forget()
    redactor = Redactor()
    found = [(each, hunks.hunks(*_sides(each))) for each in readable]
    leaves = [leaf for each, parts in found for leaf in _leaves(each, parts, redactor, size)]
    uncovered = tuple(Uncovered(path, reason) for path, reason in why.items() if reason)
    return Sheets(
        tuple(_packed(leaves, size)), uncovered, redactor.count, _total(len(why), [parts for _, parts in found])
    )


def _sides(blobs: Blobs) -> tuple[bytes | None, bytes | None]:
    """What is shown of either side: images and fonts are named, nobody has to read them (law 3)."""
    old = blobs.old if blobs.file.exists_before and not _medium(blobs.old) else None
    return old, blobs.new if blobs.file.exists_after and not _medium(blobs.new) else None


def _medium(data: bytes | None) -> str:
    """`image` or `font`; text that only begins like one is text."""
    return medium(data) if data and is_binary(data) else ""


def seen(total: Coverage, parts: Iterable[Sheet]) -> Coverage:
    """What of it these parts show."""
    leaves = [leaf for part in parts for leaf in part]
    signs = [row.sign for leaf in leaves for row in leaf.rows if row.last]
    removed = signs.count("-")
    return total._replace(
        files_seen=sum(leaf.first for leaf in leaves), lines_seen=removed + signs.count("+"), removed_seen=removed
    )


def _total(files: int, found: Iterable[Sequence[Hunk]]) -> Coverage:
    signs = [row.sign for parts in found for hunk in parts for row in hunk]
    removed = signs.count("-")
    return Coverage(files=files, lines=removed + signs.count("+"), removed=removed)


def _leaves(blobs: Blobs, parts: Sequence[Hunk], redactor: Redactor, size: int) -> Iterator[Leaf]:
    """A file as leaves that each fit into a part; a file without lines is a heading."""
    path = blobs.file.path
    told = shown.written(redactor.text(path))
    heading = f"file {told} {_heading(blobs.file, _medium(blobs.new) or _medium(blobs.old))}"
    sides = {"-": redactor.lines(blobs.old or b""), "+": redactor.lines(blobs.new or b"")}
    first = True
    for hunk in parts or ((),):
        for rows in _cut(tuple(_rows(hunk, sides)), size):
            yield Leaf(heading, path, told, first, rows)
            first = False


def _rows(hunk: Hunk, sides: dict[str, Redacted]) -> Iterator[Shown]:
    for sign, number, line in hunk:
        side = sides["-" if sign == "-" else "+"]
        text = shown.line(side.line(number, line) if side.suspicious else line)
        if len(text) <= shown.PIECE:
            yield Shown(sign, number, text)
            continue
        pieces = shown.pieces(text)
        for at, piece in enumerate(pieces):
            yield Shown(sign, number, piece, at, at == len(pieces) - 1)


def _heading(file: FileChange, kind: str) -> str:
    """What happened to the file as a whole, behind its name."""
    done = "changed" if file.exists_before and file.exists_after else "added" if file.exists_after else "deleted"
    modes = dict.fromkeys(mode for mode in (file.old_mode, file.new_mode) if mode != "000000")
    note = f", {kind}, content not shown" if kind else ""
    return f"{done}, mode {' -> '.join(modes)}{note}"


def _cut(rows: tuple[Shown, ...], size: int) -> Iterator[tuple[Shown, ...]]:
    """Where rows are too many for one part: cut at the least indented line of the last half that fits."""
    start = 0
    while True:
        end = _fitting(rows, start, size)
        if end == len(rows):
            yield rows[start:]
            return
        middle = start + max((end - start) // 2, 1)
        cut = min(range(middle, end), key=lambda at: (_depth(rows[at]), -at), default=end)
        yield rows[start:cut]
        start = cut


def _fitting(rows: Sequence[Shown], start: int, size: int) -> int:
    """The first row that no longer fits; at least one does."""
    left = size
    for at in range(start, len(rows)):
        left -= len(rows[at].text) + _ROW
        if left < 0 and at > start:
            return at
    return len(rows)


def _depth(row: Shown) -> int:
    """How deep a line stands; a blank line and the middle of a long one are no place to begin."""
    return len(row.text) - len(row.text.lstrip()) if row.text.strip() and not row.piece else 1000


def _packed(leaves: Iterable[Leaf], size: int) -> Iterator[Sheet]:
    """Leaves in order, as many as fit into a part."""
    part: list[Leaf] = []
    left = size
    for leaf in leaves:
        takes = leaf.size
        if part and takes > left:
            yield tuple(part)
            part, left = [], size
        part.append(leaf)
        left -= takes
    if part:
        yield tuple(part)
