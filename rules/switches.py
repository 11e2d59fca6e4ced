"""What a change turns on or off: matches of a pattern that its code has more often, or less often, than before.

Counted over the whole change, so that what only moved to another file is neither.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from rules.findings import Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import pattern
from rules.rule import Change, Edit, remembered

_COMMENTS = (b"#", b"//", b"* ", b"*/", b"/*", b"-- ", b"<!--", b";", b'"""', b"'''")
_LONGEST = 20_000  # bytes of one line; what is longer is a finding of its own


class Turned(NamedTuple):
    """One match: where it stands, and its text with single blanks."""

    line: Line
    what: bytes


def on(edit: Edit, text: bytes) -> Iterator[Turned]:
    """Matches in the new lines of this file that the whole change did not take away elsewhere."""
    return (turned for path, turned in _surplus(edit.change, text, new=True) if path == edit.path)


def off(edit: Edit, text: bytes) -> Iterator[Turned]:
    """Matches in the lost lines of this file that the whole change brings nowhere else."""
    return (turned for path, turned in _surplus(edit.change, text, new=False) if path == edit.path)


def weight(edit: Edit, tier: Tier) -> Tier | None:
    """How much it weighs here: nothing in documentation, little in tests and in what others wrote."""
    if edit.kind is Kind.DOCS:
        return None
    return Tier.NOTE if edit.kind in {Kind.TEST, Kind.VENDORED, Kind.GENERATED} else tier


def is_comment(line: bytes) -> bool:
    """Whether a line, without the blanks around it, is a comment in one of the common languages."""
    return line.startswith(_COMMENTS) and not line.startswith((b"#[", b"#!", b"#define", b"#pragma"))


@remembered
def _surplus(change: Change, text: bytes, *, new: bool) -> tuple[tuple[bytes, Turned], ...]:
    spare = Counter(turned.what for _, turned in _matches(change, text, new=not new))
    found = []
    for path, turned in _matches(change, text, new=new):
        if spare[turned.what] > 0:
            spare[turned.what] -= 1
        else:
            found.append((path, turned))
    return tuple(found)


def _matches(change: Change, text: bytes, *, new: bool) -> Iterator[tuple[bytes, Turned]]:
    compiled = pattern(text)
    for edit in change.edits:
        side = edit.new if new else edit.old
        if edit.kind is Kind.DOCS or not side.present or (b"^" not in text and compiled.search(side.data) is None):
            continue
        for line in edit.changed.added if new else edit.changed.removed:
            if not is_comment(line.text):
                for match in compiled.finditer(line.text[:_LONGEST]):
                    yield edit.path, Turned(line, b" ".join(match.group(0).split()))
