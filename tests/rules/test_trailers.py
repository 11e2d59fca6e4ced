"""Lines of a message, read the short way: the same as all of the message read with care."""

from hypothesis import given
from hypothesis import strategies as st

from rules import trailers

PARTS = st.sampled_from(
    [
        "Co-Authored-By: Claude <noreply@anthropic.com>",
        "  Signed-off-by: Ann <ann@example.org>",
        "    Generated with Crush",
        "> Made with Cursor",
        "For example:",
        "```",
        "~~~",
        'Revert "Tidy"',
        "Squashed commit of the following:",
        "Read by hand\rAmp-Thread-ID: T-00000000-0000-4000-8000-000000000000",
        "Gründlich: by hand",
        "\t",
        "",
    ]
)


@given(st.lists(PARTS, max_size=9))
def test_what_may_quote_nothing_quotes_nothing(parts):
    """Where the short look finds no sign of a quotation, looking for one leaves out nothing."""
    message = "\n".join(["by", *parts])
    assert trailers.lines(message) == tuple(trailers._lines(message, may_quote=True))


@given(st.lists(PARTS, min_size=1, max_size=9))
def test_a_line_is_read_the_same_each_time(parts):
    """A short line that was read before has the same answer as one that is read anew."""
    for line in parts:
        assert trailers._line(line) == trailers._read(line) == trailers._line(line)
