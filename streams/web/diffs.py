"""The diff of one file with what the rules saw in it, bounded, and every line made harmless to look at.

Contents come from the repository's objects, or from what the journal kept of a refused push, whose objects vanished.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rules import paths
from rules.canonical import plain
from rules.change import ABSENT, SUBMODULE, FileChange
from rules.events import Event, ReviewGiven
from rules.lines import split
from streams.engines.journal import Journal
from streams.sinks.render.safe import shown
from streams.sources.git import Repository
from streams.web.alignment import Block, blocks

LARGEST: Final = 512 * 1024  # bytes of one side
MOST_LINES: Final = 400  # rows of one file
WIDEST: Final = 400  # characters of a line
CONTEXT: Final = 3
TAB: Final = 4
TIERS: Final = ("block", "hold", "note")
LOOKED_AT: Final = 8_000  # bytes in which a NUL makes a binary, as git has it
Row = Mapping[str, Any]


class Line(NamedTuple):
    """`sort` is old, new, same or gap; numbers count from 1, 0 where the line is not on that side."""

    sort: str
    old: int = 0
    new: int = 0
    text: str = ""
    findings: tuple[Row, ...] = ()


class FileDiff(NamedTuple):
    """`apart` are findings about the whole file or a line that is not among `lines`; `why` says why nothing is shown."""

    path: str
    lines: tuple[Line, ...] = ()
    apart: tuple[Row, ...] = ()
    why: str = ""
    left_out: int = 0
    modes: str = ""
    command: str = ""


class Unread(NamedTuple):
    """Why a side cannot be shown."""

    why: str


def order(files: Sequence[FileChange], findings: Sequence[Row]) -> list[int]:
    """Where to look first: files that lost what a rule holds or blocks, then other findings, then what lost most."""
    weights: dict[str, tuple[int, int]] = {}
    for row in findings:
        weight = (TIERS.index(row["tier"]) if row["tier"] in TIERS else len(TIERS), int(row["side"] != "old"))
        weights[row["path"]] = min(weights.get(row["path"], weight), weight)
    none = (len(TIERS) + 1, 0)
    return sorted(range(len(files)), key=lambda at: (*weights.get(files[at].path, none), -files[at].removed, at))


def heaviest_first(findings: Iterable[Row]) -> list[Row]:
    """By tier, and in each what is gone before what came."""
    return sorted(findings, key=lambda row: (TIERS.index(row["tier"]), row["side"] != "old"))


def of_file(repo: Repository, journal: Journal | None, file: FileChange, findings: Sequence[Row]) -> FileDiff:
    """The diff of one file; `findings` are those of its path."""
    command = f"git diff {file.old_blob[:12]} {file.new_blob[:12]}" if file.exists_before and file.exists_after else ""
    base = FileDiff(file.path, apart=tuple(findings), modes=_modes(file), command=command)
    if SUBMODULE in (file.old_mode, file.new_mode):
        return base._replace(why=f"a submodule: {file.old_blob[:12]} became {file.new_blob[:12]}")
    sides = [_side(repo, journal, *one) for one in ((file.old_mode, file.old_blob), (file.new_mode, file.new_blob))]
    unread = next((side for side in sides if isinstance(side, Unread)), None)
    if unread:
        return base._replace(why=unread.why)
    old, new = (split(side) if side else [] for side in sides if isinstance(side, bytes))
    if old[-1:] == new[-1:] == [b""] or ((not old or not new) and (old or new)[-1:] == [b""]):
        del old[-1:], new[-1:]  # both end with a line feed
    return _filled(base, _rows(old, new), findings)


def _modes(file: FileChange) -> str:
    if not file.exists_before:
        return f"new file, mode {file.new_mode}" if file.new_mode != "100644" else "new file"
    if not file.exists_after:
        return "deleted"
    return f"mode {file.old_mode} became {file.new_mode}" if file.old_mode != file.new_mode else ""


def _side(repo: Repository, journal: Journal | None, mode: str, name: str) -> bytes | Unread:
    """One side; empty where the file is not there."""
    if mode == ABSENT:
        return b""
    with repo.cat_file() as objects:
        size = objects.sizes([name])[0]
        data = next(iter(objects.read([name], LARGEST))).data if size.type and size.size <= LARGEST else None
    if data is None and not size.type:
        data = journal.blob(name) if journal else None
        if data is None:
            return Unread("its content is neither in the repository nor kept in the journal")
    if data is None or len(data) > LARGEST:
        return Unread(f"it is larger than {LARGEST // 1024} KiB; look at it with git")
    return Unread("a binary; look at it with a program that reads its format") if b"\0" in data[:LOOKED_AT] else data


def _rows(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[str, int, int, bytes]]:
    """The lines to show, with a gap where equal ones are left out; in each place what is gone comes first."""
    found = blocks(old, new)
    if all(block.same for block in found):
        return
    for index, block in enumerate(found):
        if block.same:
            yield from _context(old, block, first=index == 0, last=index == len(found) - 1)
            continue
        yield from (("old", at + 1, 0, old[at]) for at in range(block.old_from, block.old_to))
        yield from (("new", 0, at + 1, new[at]) for at in range(block.new_from, block.new_to))


def _context(old: Sequence[bytes], block: Block, *, first: bool, last: bool) -> Iterator[tuple[str, int, int, bytes]]:
    count = block.old_to - block.old_from
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    kept = range(count) if count <= head + tail + 1 else (*range(head), *range(count - tail, count))
    for position, at in enumerate(kept):
        if position == head and len(kept) < count:
            yield "gap", 0, 0, b""
        yield "same", block.old_from + at + 1, block.new_from + at + 1, old[block.old_from + at]
    if len(kept) < count and head == len(kept):
        yield "gap", 0, 0, b""


def _filled(base: FileDiff, rows: Iterable[tuple[str, int, int, bytes]], findings: Sequence[Row]) -> FileDiff:
    """The rows as lines, with the findings under the lines that they speak of."""
    places: dict[tuple[str, int], list[Row]] = {}
    for row in findings:
        places.setdefault((row["side"], row["line"]), []).append(row)
    lines: list[Line] = []
    left_out = 0
    for sort, at_old, at_new, data in rows:
        if len(lines) >= MOST_LINES:
            left_out += sort != "gap"
            continue
        here = [
            *(places.pop(("old", at_old), ()) if at_old else ()),
            *(places.pop(("new", at_new), ()) if at_new else ()),
        ]
        lines.append(Line(sort, at_old, at_new, _text(data), tuple(here)))
    apart = tuple(row for group in places.values() for row in group)
    return base._replace(lines=tuple(lines), apart=apart, left_out=left_out, why="" if lines else _nothing(base))


def _nothing(base: FileDiff) -> str:
    return "only its mode changed" if base.modes else "nothing in it differs"


def _text(data: bytes) -> str:
    """A line for the eye: tabs as blanks, whatever shows nothing or turns the writing as an escape."""
    text = data[: 4 * WIDEST].decode("utf-8", "backslashreplace").expandtabs(TAB)
    more = len(data) - 4 * WIDEST
    return shown(text, WIDEST) + (f" (+{more} bytes)" if more > 0 else "")


def path_for_people(path: str) -> str:
    """A path as people know it, harmless."""
    return shown(paths.unquote(path).decode("utf-8", "backslashreplace"))


def findings_of(events: Iterable[Event], content_key: str) -> list[Row]:
    """What the newest look of each reviewer saw in a content, each once."""
    looks: dict[str, ReviewGiven] = {}
    for event in events:
        if isinstance(event, ReviewGiven) and event.content_key == content_key and not event.statement:
            looks[event.reviewer] = event
    return list({str(row): row for look in looks.values() for row in plain(look.findings)}.values())
