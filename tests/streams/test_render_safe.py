"""Text of others on a terminal: visible, one line, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sinks.render.safe import LIMIT, columns, pasteable, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("a\u202eb\u2066c", "a\\u{202e}b\\u{2066}c"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("\x9b1m", "\\x9b1m"),
        ("Zoë 王小明 😀", "Zoë 王小明 😀"),
        ("blank\u3164", "blank\\u{3164}"),
        ("tag\U000e0041", "tag\\u{e0041}"),
        ("byte\udcff", "byte\\u{dcff}"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302\\u{303}\\u{304}"),
    ],
)
def test_what_a_terminal_would_act_on_is_written_out(text: str, seen: str) -> None:
    """Escapes, bidi controls, blanks and heaps of marks become visible; letters of any script stay."""
    assert shown(text) == seen


@given(st.text())
def test_whatever_comes_is_one_printable_line(text: str) -> None:
    """No text at all gets a control character or a line feed through."""
    assert shown(text).isprintable()


def test_long_text_is_cut_with_a_count() -> None:
    """What is left out is counted, and the rest is bounded."""
    assert shown("x" * (LIMIT + 7)) == "x" * LIMIT + "... (+7)"
    assert len(shown("\u202e" * 1_000_000)) < LIMIT + 20


@pytest.mark.parametrize(
    "command", ["twohand approve 6176ada --target main --as alice", "twohand waive x --target 'a;b' --reason 'WHY'"]
)
def test_our_commands_can_be_pasted(command: str) -> None:
    """Words, options and one pair of quotes do nothing else in a shell."""
    assert pasteable(command)


@pytest.mark.parametrize(
    "command", ["a; rm b", "a $(b)", "a `b`", "a\nb", "a | b", "a 'b", "a 'b\nc'", "'a';b", "a > b", "a \\", 'a "b"']
)
def test_what_a_shell_would_run_besides_is_told(command: str) -> None:
    """A branch name may hold any of these."""
    assert not pasteable(command)


def test_wide_letters_take_two_columns() -> None:
    """Columns of names stay aligned for any script."""
    assert (columns("abc"), columns("王小"), columns("e\u0301")) == (3, 4, 1)
