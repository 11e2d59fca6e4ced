"""Workflow commands: annotations that GitHub reads as they were meant."""

import pytest

from streams.sinks.render import github
from tests.decisions import admitted, decision, finding, hostile, reason


def lines(value: dict) -> list[str]:
    return github.render(value).splitlines()


def test_tiers_have_their_levels_and_the_heaviest_comes_first() -> None:
    """GitHub shows only ten of a kind in a step."""
    rows = [finding("n", "note"), finding("h", "hold"), finding("b", "block")]
    kinds = [
        line.split(" ")[0] for line in lines(decision(findings=rows, reasons=[reason("veto", "eve", reason="no")]))
    ]
    assert kinds == ["::warning", "::error", "::error", "::warning", "::notice"]


def test_a_place_of_the_new_side_has_its_line_and_one_of_the_old_side_tells_it() -> None:
    """Only lines that exist in the new file can be annotated."""
    new, old = lines(decision(findings=[finding(side="new"), finding()]))[1:]
    assert new == "::warning file=src/a.py,line=5,title=auth-check-removed (hold)::reset no longer asks `verified`"
    assert old.startswith("::warning file=src/a.py,title=")
    assert old.endswith("`verified` (line 5 before the change)")


@pytest.mark.parametrize(
    ("path", "file"),
    [("a,b:c%d.py", "a%2Cb%3Ac%25d.py"), ('"q\\"uote.py"', 'q"uote.py'), ('"new\\nline.py"', '"new\\nline.py"')],
)
def test_properties_are_escaped(path: str, file: str) -> None:
    """Comma, colon and percent would end a property; a line feed would begin a command."""
    assert f"file={file},line" in lines(decision(findings=[finding(path=path, side="new")]))[1]


def test_a_message_cannot_begin_a_command_of_its_own() -> None:
    """A hostile change gives as many lines as there are annotations, each printable."""
    found = lines(hostile())
    assert len(found) == 3
    assert all(line.isprintable() and line.startswith(("::error ", "::warning ")) for line in found)


def test_the_summary_comes_first_and_percent_is_escaped_once() -> None:
    """One line says what is missing."""
    line = lines(decision(reasons=[reason("evidence.incomplete", "100% unread")]))[0]
    assert line == "::warning title=twohand%3A escalated::escalated: evidence.incomplete: 100%25 unread"
    assert lines(admitted() | {"findings": []}) == [
        "::notice title=twohand%3A admitted::admitted: every requirement that applies is met"
    ]
