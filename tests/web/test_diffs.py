"""Diffs for the page: whole, bounded in time and size, removed lines first."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.change import ABSENT, SUBMODULE, FileChange
from streams.sources.git import Repository
from streams.web import diffs
from streams.web.alignment import blocks
from tests.decisions import finding
from tests.gitrepo import Repo
from tests.web import world

LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"}"]), max_size=25)


@given(LINES, LINES)
def test_nothing_is_lost_or_made_up(old: list[bytes], new: list[bytes]) -> None:
    """The blocks tell both files from the first line to the last, and call equal only what is."""
    at_old = at_new = 0
    for block in blocks(old, new):
        assert (block.old_from, block.new_from) == (at_old, at_new)
        assert not block.same or old[block.old_from : block.old_to] == new[block.new_from : block.new_to]
        at_old, at_new = block.old_to, block.new_to
    assert (at_old, at_new) == (len(old), len(new))


@given(LINES)
def test_equal_files_have_no_difference(lines: list[bytes]) -> None:
    """One file beside itself is one block, or none where it is empty."""
    assert [block.same for block in blocks(lines, list(lines))] == ([True] if lines else [])


@pytest.mark.parametrize("shape", ["alternating", "reversed", "repeated", "interleaved"])
def test_no_crafted_file_stalls_it(shape: str) -> None:
    """100,000 lines in the worst orders end; a quadratic diff of them would take hours."""
    count = 100_000
    unique = [b"%d" % number for number in range(count)]
    pairs = {
        "alternating": ([b"a", b"b"] * (count // 2), [b"b", b"a"] * (count // 2)),
        "reversed": (unique, unique[::-1]),
        "repeated": ([b"x"] * count, [b"x"] * (count // 2) + [b"y"] + [b"x"] * (count // 2)),
        "interleaved": (unique[::2] + unique[1::2], unique),
    }
    begun = time.perf_counter()
    blocks(*pairs[shape])
    assert time.perf_counter() - begun < 60


class Files:
    """Two contents as objects of a repository, and the change from one to the other."""

    def __init__(self, root: Path) -> None:
        self.repo = world.empty(root)

    def change(self, old: bytes | None, new: bytes | None, path: str = "a.py") -> FileChange:
        sides = [(ABSENT, "0" * 40) if data is None else ("100644", self.blob(data)) for data in (old, new)]
        return FileChange(path, *sides[0], *sides[1], 1, 1)

    def blob(self, data: bytes) -> str:
        return self.repo.git("hash-object", "-w", "--stdin", stdin=data)

    def diff(self, file: FileChange, *findings: dict) -> diffs.FileDiff:
        return diffs.of_file(Repository.open(self.repo.path), None, file, findings)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def told(found: diffs.FileDiff) -> list[str]:
    signs = {"old": "-", "new": "+", "same": " ", "gap": "."}
    return [signs[line.sort] + line.text for line in found.lines]


def test_removed_lines_come_before_added_ones_with_a_little_around(files: Files) -> None:
    """Three equal lines on either side; what is further away is a gap."""
    old = [b"line %d" % number for number in range(1, 21)]
    new = [*old[:9], b"other", *old[10:]]
    found = files.diff(files.change(b"\n".join(old) + b"\n", b"\n".join(new) + b"\n"))
    around = [f" line {number}" for number in (7, 8, 9)], [f" line {number}" for number in (11, 12, 13)]
    assert told(found) == [".", *around[0], "-line 10", "+other", *around[1], "."]


@pytest.mark.parametrize(
    ("old", "new", "lines", "modes"),
    [
        (None, b"a\nb\n", ["+a", "+b"], "new file"),
        (b"a\n", None, ["-a"], "deleted"),
        (b"a\n", b"a", [" a", "-"], ""),
        (b"a\tb\n", b"a\tc\r\n", ["-a   b", "+a   c\\r"], ""),
    ],
    ids=["new", "deleted", "line feed", "tab and carriage return"],
)
def test_edges(files: Files, old: bytes | None, new: bytes | None, lines: list[str], modes: str) -> None:
    """A side that is not there, a last line feed that is gone, blanks that can be told apart."""
    found = files.diff(files.change(old, new))
    assert (told(found), found.modes) == (lines, modes)


def test_a_finding_stands_under_its_line(files: Files) -> None:
    """On the side that it speaks of; what is about the whole file, or far from any change, stands apart."""
    far = b"".join(b"line %d\n" % number for number in range(50))
    file = files.change(b"gone\n" + far, far)
    here, whole, elsewhere = finding(side="old", line=1), finding(line=0), finding(side="new", line=40)
    found = files.diff(file, here, whole, elsewhere)
    assert found.lines[0].text == "gone"
    assert found.lines[0].findings == (here,)
    assert found.apart == (whole, elsewhere)


def test_what_is_too_long_is_counted(files: Files) -> None:
    """400 rows are shown, the rest counted with the command that shows it; a long line is cut and counted."""
    found = files.diff(files.change(None, b"x" * 5_000 + b"\n" + b"y\n" * 1_000))
    assert len(found.lines) == diffs.MOST_LINES
    assert found.left_out == 1_001 - diffs.MOST_LINES
    assert len(found.lines[0].text) < 500
    assert "(+" in found.lines[0].text


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"a\n", b"a\0b\n", "a binary"),
        (b"a\n", b"b\n" * 400_000, "larger than 512 KiB"),
        (b"a\n", b"a\n", "nothing in it differs"),
    ],
    ids=["binary", "large", "same"],
)
def test_what_cannot_be_shown_says_why(files: Files, old: bytes, new: bytes, why: str) -> None:
    """A binary, a large file, equal contents: never an empty box (law 40)."""
    found = files.diff(files.change(old, new), finding(line=0))
    assert why in found.why
    assert found.apart


def test_contents_that_are_nowhere_are_told(files: Files) -> None:
    """A blob that neither the repository nor the journal has."""
    assert (
        "neither in the repository nor kept"
        in files.diff(FileChange("a", "100644", "a" * 40, "100644", "b" * 40, 1, 1)).why
    )


def test_a_submodule_shows_its_two_commits(files: Files) -> None:
    """Its pointer is all that changed (law 3)."""
    assert (
        "a submodule: aaaaaaaaaaaa became bbbbbbbbbbbb"
        in files.diff(FileChange("lib", SUBMODULE, "a" * 40, SUBMODULE, "b" * 40, 1, 1)).why
    )


def test_the_file_that_lost_most_is_looked_at_first() -> None:
    """First what a rule blocks or holds on the removed side, then on the added one, then by removed lines."""
    changed = [
        FileChange(path, "100644", "a" * 40, "100644", "b" * 40, 0, gone)
        for path, gone in (("a", 0), ("b", 9), ("c", 1), ("d", 1))
    ]
    found = [finding(path="c", side="new"), finding(path="d", side="old")]
    assert [changed[at].path for at in diffs.order(changed, found)] == ["d", "c", "b", "a"]


def test_a_repository_is_left_as_it_is(files: Files) -> None:
    """Showing a diff writes nothing."""
    before = Repo(files.repo.path, init=False).git("count-objects")
    file = files.change(b"a\n", b"b\n")
    after = files.repo.git("count-objects")
    files.diff(file)
    assert files.repo.git("count-objects") == after != before
