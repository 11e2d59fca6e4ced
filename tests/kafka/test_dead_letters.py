"""Dead letters: nothing of what could not be handled is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engines.kafka.records.dead_letters import MAX_WHY, PREFIX, DeadLetter, bury, exhume
from streams.engines.kafka.records.topics import BY_NAME
from streams.engines.kafka.records.wire import MAX_RECORD, Record, Unreadable, size_of

HEADERS = st.lists(
    st.tuples(st.text(max_size=8).filter(lambda name: not name.startswith(PREFIX)), st.none() | st.binary(max_size=8)),
    max_size=4,
).map(tuple)
LETTER = DeadLetter(
    Record("twohand.changes", b"ab" * 32, b"{", (("ce_id", b"\xff"),)), 3, 17, "json", "no JSON", "twohand-decider",
    "2026-11-21T14:00:00Z", 2
)  # fmt: skip


@given(key=st.none() | st.binary(max_size=8), value=st.none() | st.binary(max_size=20), headers=HEADERS,
       fault=st.text(st.characters(codec="utf-8"), max_size=9))  # fmt: skip
def test_what_is_buried_comes_back_as_it_came(key, value, headers, fault):
    """Key, value and headers, byte for byte, also null ones; and where it lay."""
    letter = LETTER._replace(record=Record("twohand.reviews", key, value, headers), fault=fault)
    assert exhume(bury(letter)) == letter


def test_a_letter_says_where_it_came_from():
    """Source, offset, class of error, attempt, and the worker that gave it up: in headers anybody can read."""
    said = {name: value for name, value in bury(LETTER).headers if name.startswith(PREFIX)}
    assert said == {
        "twohand_dead_topic": b"twohand.changes", "twohand_dead_partition": b"3", "twohand_dead_offset": b"17",
        "twohand_dead_fault": b"json", "twohand_dead_why": b"no JSON", "twohand_dead_by": b"twohand-decider",
        "twohand_dead_at": b"2026-11-21T14:00:00Z", "twohand_dead_attempt": b"2",
    }  # fmt: skip
    assert LETTER.change == "ab" * 32
    assert bury(LETTER).topic == "twohand.dead-letters"


def test_a_letter_buried_again_says_the_newest():
    """What was retried in vain carries one set of our headers."""
    again = bury(LETTER._replace(record=bury(LETTER)._replace(topic="twohand.changes"), attempt=3))
    assert exhume(again) == LETTER._replace(attempt=3)


def test_the_largest_record_fits_its_letter():
    """What was too large for its own topic is still kept whole."""
    letter = LETTER._replace(
        record=LETTER.record._replace(value=bytes(BY_NAME["twohand.changes"].bytes)), why="x" * 9000
    )
    record = bury(letter)
    assert MAX_RECORD < size_of(record) < BY_NAME["twohand.dead-letters"].bytes
    assert len(exhume(record).why) == MAX_WHY


@pytest.mark.parametrize("name", ["topic", "partition", "offset", "fault", "attempt"])
def test_what_others_wrote_there_is_no_letter(name):
    """A header that is missing, or no number where one belongs."""
    record = bury(LETTER)
    rest = tuple(pair for pair in record.headers if pair[0] != PREFIX + name)
    with pytest.raises(Unreadable, match=f"{name} is missing"):
        exhume(record._replace(headers=rest))
    if name in ("partition", "offset", "attempt"):
        with pytest.raises(Unreadable, match=f"{name} is no number"):
            exhume(record._replace(headers=(*rest, (PREFIX + name, "\u0663".encode()))))
