"""The diff that models are shown: nothing that differs is missing, and no file stalls it."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from reviewers.hunks import AROUND, hunks

LINES = st.lists(st.sampled_from([b"a", b"b", b"  c", b"", b"    d", b"e e", b"\r"]), max_size=40).map(b"\n".join)
SIDES = st.none() | LINES


def rebuilt(old, parts):
    """The new side from the old one and the rows: what a reader of the diff would believe."""
    before = old.split(b"\n") if old else []
    removed = {row.number: row.text for part in parts for row in part if row.sign == "-"}
    added = {row.number: row.text for part in parts for row in part if row.sign == "+"}
    assert all(before[number - 1] == text for number, text in removed.items())
    kept = iter([line for number, line in enumerate(before, 1) if number not in removed])
    size = len(before) - len(removed) + len(added)
    return b"\n".join(added[number] if number in added else next(kept) for number in range(1, size + 1))


@settings(max_examples=500)
@given(SIDES, SIDES)
def test_the_rows_say_all_that_differs(old, new):
    """Law 3: whoever takes the removed rows out and puts the added ones in has the new file, deletions and empty ends too."""
    assert rebuilt(old, hunks(old, new)) == (new or b"")


@settings(max_examples=200)
@given(SIDES, SIDES)
def test_rows_around_stand_where_they_say(old, new):
    """Context is quoted by the number that it has in the new file."""
    after = new.split(b"\n") if new else []
    for part in hunks(old, new):
        assert any(row.sign != " " for row in part)
        assert all(after[row.number - 1] == row.text for row in part if row.sign != "-")


@given(SIDES)
def test_equal_sides_have_no_hunks(side):
    """Nothing to show."""
    assert hunks(side, side) == ()


def test_an_edit_in_the_middle_comes_with_its_surroundings():
    """Some lines around, and the class and function that it stands in."""
    body = [b"class A:", b"    def f(self):", *(b"        x%d()" % at for at in range(40))]
    (part,) = hunks(b"\n".join(body), b"\n".join([*body[:30], b"        new()", *body[31:]]))
    assert [row.text for row in part][:2] == [b"class A:", b"    def f(self):"]
    assert [row.sign for row in part if row.sign != " "] == ["-", "+"]
    assert len(part) == 2 + 2 * AROUND + 2


def test_far_edits_are_hunks_of_their_own():
    """Two places, two hunks."""
    old = [b"%d" % at for at in range(100)]
    new = [*old[:10], b"x", *old[11:80], b"y", *old[81:]]
    assert len(hunks(b"\n".join(old), b"\n".join(new))) == 2


def test_files_made_to_stall_a_diff_do_not():
    """Time grows with the file: reversed, shuffled and two-lined files of 40,000 lines."""
    lines = [b"%d" % at for at in range(40_000)]
    stride = [lines[at * 7919 % 40_000] for at in range(40_000)]
    pairs = [(lines, lines[::-1]), (lines, stride), ([b"x", b"y"] * 20_000, [b"y", b"x", b"x"] * 13_000)]
    began = time.process_time()
    for old, new in pairs:
        hunks(b"\n".join(old), b"\n".join(new))
    assert time.process_time() - began < 5.0
