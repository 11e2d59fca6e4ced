"""Lines that gave way to others, and the functions that they stand in."""

import pytest

from rules import places, swaps
from rules.rule import Change, Diff


def _edit(old: str, new: str, path: str = "src/a.py"):
    change = Change([Diff(path, old, new).blobs()])
    return change, change.edits[0]


def test_a_value_that_differs_is_named():
    """The part that differs has whole words, and the name of the keyword that it belongs to."""
    _, edit = _edit("put('s', v, secure=True)\n", "put('s', v, secure=False)\n")
    (swap,) = swaps.swaps(edit)
    assert (swap.name, swap.before, swap.after) == ("secure", "True", "False")


def test_lines_with_another_beginning_are_paired_by_their_words():
    """What shares half of its words with a line near it gave way to that line."""
    _, edit = _edit("return re.fullmatch(PART, host)\n", "return re.match(PART, host)\n")
    (swap,) = swaps.swaps(edit)
    assert (swap.before, swap.after) == ("fullmatch", "match")


def test_a_line_that_nothing_replaced_stands_alone():
    """A lost line without a successor is alone, and no swap."""
    _, edit = _edit("a = 1\nverify(token)\nb = 2\n", "a = 1\nb = 2\n")
    assert [line.text for line in swaps.alone(edit)] == [b"verify(token)"]
    assert not swaps.swaps(edit)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("check(user, role)\n", "check(\n    user,\n    role,\n)\n"),
        ("check(\n    user,\n    role,\n)\n", "check(user, role)\n"),
        ("if not (user.active):\n    go()\n", "if not user.active:\n    go()\n"),
        ("x = 'a'\n", 'x = "a"\n'),
    ],
)
def test_other_line_breaks_lose_nothing(old, new):
    """A statement that was broken, joined, bracketed or quoted otherwise is no lost line."""
    _, edit = _edit(old, new)
    assert not swaps.lost_lines(edit)


def test_a_new_name_of_a_variable_is_no_swap():
    """A renamed parameter changes lines, and nothing that they say; a called name does."""
    _, edit = _edit("def f(a):\n    go(a)\n", "def f(b):\n    go(b)\n")
    assert not swaps.swaps(edit)
    _, edit = _edit("def f(a):\n    check(a)\n", "def f(a):\n    skip(a)\n")
    assert [swap.before for swap in swaps.swaps(edit)] == ["check"]


def test_comments_imports_and_logs_say_nothing():
    """Only lines that do something are compared."""
    _, edit = _edit("# verify\nimport verify\nlogger.info('verify')\n", "")
    assert not swaps.lost_lines(edit)


def test_a_balance_counts_over_all_files():
    """What one file loses and another wins is no loss of the change."""
    files = [Diff("src/a.py", "x = clean(y)\n", "x = y\n"), Diff("src/b.py", "z = w\n", "z = clean(w)\n")]
    change = Change([file.blobs() for file in files])
    assert swaps.balance(change, rb"clean\(") == 0
    assert swaps.balance(Change([files[0].blobs()]), rb"clean\(") == -1


def test_the_innermost_function_of_a_line_is_found():
    """Nested functions and classes give the name of the innermost; what stands outside of all gives none."""
    text = "x = 1\nclass A:\n    def f(self):\n        return 1\n    y = 2\nz = 3\n"
    _, edit = _edit(text, text + "w = 4\n")
    names = [places.function_at(edit, line, old=True) for line in range(1, 7)]
    assert names == ["", "A", "A.f", "A.f", "A", ""]
    assert places.where(edit, 1) == "the module"
