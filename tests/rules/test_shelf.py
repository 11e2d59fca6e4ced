"""What is parsed once, and what the lines of a change are, read fast: the same answers as read anew."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rules import lines, structure
from rules.rule import Diff, Source
from rules.scan import scan
from rules.shelf import Shelf

MODULE = b"def show(user):\n    if not user.admin:\n        raise Denied\n    return %d\n"
LINE = st.sampled_from([b"", b" ", b"a", b" a", b"a\r", b"b", b"c", b"d"])


def test_equal_text_is_parsed_once():
    """Two sides or two commits with the same text share their facts; another language reads it anew."""
    shelf = Shelf()
    first = shelf.facts(MODULE % 1, "python", {})
    assert shelf.facts(bytes(bytearray(MODULE % 1)), "python", {}) is first
    assert shelf.facts(MODULE % 1, "ruby", {}) is not first


def test_a_full_shelf_lets_the_oldest_go():
    """The room is counted in bytes of text; the last file is kept, however large."""
    shelf = Shelf(room=2 * len(MODULE % 1))
    facts = [shelf.facts(MODULE % number, "python", {}) for number in (1, 2, 3)]
    assert shelf.facts(MODULE % 3, "python", {}) is facts[2]
    assert shelf.facts(MODULE % 2, "python", {}) is facts[1]
    assert shelf.facts(MODULE % 1, "python", {}) is not facts[0]
    large = (MODULE % 4) * 10
    assert shelf.facts(large, "python", {}) is shelf.facts(large, "python", {})


def test_what_fell_off_is_read_again(monkeypatch):
    """A change of many files has the same findings where the shelf has no room for any of them."""
    edits = [Diff(f"src/part{n}.py", MODULE % n, b"def show(user):\n    return %d\n" % n).blobs() for n in range(5)]
    roomy = scan(edits)
    monkeypatch.setattr("rules.rule.shelf", Shelf(room=0))
    assert scan(edits) == roomy
    assert len({finding.path for finding in roomy.findings}) == 5


def test_facts_of_a_side_are_those_of_its_text():
    """The same functions and conditions as structure reads."""
    source = Source(MODULE % 1, "python", {})
    read = structure.read(MODULE % 1, "python", {})
    assert read is not None
    assert source.facts is not None
    assert source.facts.spans == read.spans
    assert source.facts.branches("show") == read.branches("show")


@given(st.lists(LINE, max_size=14), st.lists(LINE, max_size=14))
def test_the_difference_is_that_of_the_two_multisets(before, after):
    """Blank lines are not counted; what is on both sides is in neither part, and of equal lines the last is named."""
    changed = lines.compare(b"\n".join(before), b"\n".join(after))
    old, new = (Counter(map(bytes.strip, side or [b""])) for side in (before, after))
    for part, surplus, side in ((changed.removed, old - new, before), (changed.added, new - old, after)):
        assert Counter(line.text for line in part) == Counter({text: n for text, n in surplus.items() if text})
        assert all(side[line.number - 1].strip() == line.text for line in part)
        assert [line.number for line in part] == sorted(line.number for line in part)
