"""Dead letters: records that could not be handled, as they came, with where they came from and why (DESIGN 4).

Key, value and headers are the original's; what is added stands in headers that begin with `twohand_dead_`. The key keeps it in
the partition of its change, which is blocked until the letter is retried or dropped.
A letter's name is its origin and who gave it up: the same failure, met again, is the same letter. A settlement is a record of
the same topic and key without a value, whose headers begin with `twohand_settled_`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from streams.engines.kafka.records.topics import DEAD_LETTERS
from streams.engines.kafka.records.wire import Record, Unreadable

PREFIX: Final = "twohand_dead_"
MAX_WHY: Final = 2000  # characters
HANDLER: Final = "handler"  # the fault of what could be read and still failed after its last attempt
SETTLED: Final = "twohand_settled_"
SHORT: Final = 400  # characters of a letter's error that people are told
RETRIED, DROPPED, ACCEPTED = "retried", "dropped", "accepted"


class Origin(NamedTuple):
    """A record and where it was read. Offsets count from 0 in their partition."""

    record: Record
    partition: int
    offset: int


class DeadLetter(NamedTuple):
    """`record` as it lay at `partition` and `offset` of its topic. `fault` is a key of wire.FAULTS, or HANDLER."""

    record: Record
    partition: int
    offset: int
    fault: str
    why: str
    by: str  # the consumer group that gave it up
    at: str
    attempt: int = 1

    @property
    def change(self) -> str:
        """The change that is blocked by it; "" where its key is none."""
        return named(self.record.key)


class Settlement(NamedTuple):
    """What became of a letter: it was retried; somebody, signed, asks to drop it; the decider accepted that."""

    name: str
    how: str
    reason: str = ""
    signed: str = ""
    armor: str = ""


def bury(letter: DeadLetter) -> Record:
    """The record for the topic of dead letters. The same letter twice is the same record."""
    said = {"topic": letter.record.topic, "partition": letter.partition, "offset": letter.offset, "fault": letter.fault,
            "why": letter.why[:MAX_WHY], "by": letter.by, "at": letter.at, "attempt": letter.attempt}  # fmt: skip
    ours = ((f"{PREFIX}{name}", str(value).encode("utf-8", "replace")) for name, value in said.items())
    theirs = ((name, value) for name, value in letter.record.headers if not name.startswith(PREFIX))
    return Record(DEAD_LETTERS, letter.record.key, letter.record.value, (*theirs, *ours))


def exhume(record: Record) -> DeadLetter:
    """The letter of a record of that topic. Unreadable with the fault `headers` where somebody else wrote it."""
    said: dict[str, str] = {}
    for name, value in record.headers:
        if name.startswith(PREFIX):
            said[name.removeprefix(PREFIX)] = (value or b"").decode("utf-8", "replace")
    theirs = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    try:
        return DeadLetter(
            Record(said["topic"], record.key, record.value, theirs),
            _number(said, "partition"), _number(said, "offset"), said["fault"], said["why"], said["by"], said["at"],
            _number(said, "attempt"),
        )  # fmt: skip
    except KeyError as error:
        raise Unreadable("headers", f"{PREFIX}{error.args[0]} is missing") from None


def _number(said: Mapping[str, str], name: str) -> int:
    text = said[name]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Unreadable("headers", f"{PREFIX}{name} is no number")
    return int(text)


def name_of(letter: DeadLetter) -> str:
    """`twohand.changes:3:17:twohand-decider`."""
    return f"{place_of(letter)}:{letter.by}"


def place_of(letter: DeadLetter) -> str:
    """Where the record lay: `twohand.changes:3:17`. Several workers may have given it up."""
    return f"{letter.record.topic}:{letter.partition}:{letter.offset}"


def said(letter: DeadLetter) -> str:
    """One sentence for people."""
    times = f" in {letter.attempt} attempts" if letter.attempt > 1 else ""
    place = f"record {letter.offset} of {letter.record.topic}, partition {letter.partition}"
    return f"{letter.by} could not handle {place}{times}: {letter.fault}: {letter.why[:SHORT]}"


def named(key: bytes | None) -> str:
    """The change id that a key is: 64 hex digits; "" where it is something else."""
    text = (key or b"").decode("ascii", "replace")
    return text if len(text) == 64 and not set(text) - set("0123456789abcdef") else ""


def settle(key: bytes | None, settlement: Settlement) -> Record:
    """The record that says so; `key` is the letter's."""
    headers = ((SETTLED + name, value.encode("utf-8", "replace")) for name, value in settlement._asdict().items())
    return Record(DEAD_LETTERS, key, None, tuple(headers))


def settlement(record: Record) -> Settlement | None:
    """What a record says of a letter; None where it is a letter, or nothing that we know."""
    told = {
        name.removeprefix(SETTLED): (value or b"").decode("utf-8", "replace")
        for name, value in record.headers
        if name.startswith(SETTLED)
    }
    if told.keys() != set(Settlement._fields) or told["how"] not in (RETRIED, DROPPED, ACCEPTED):
        return None
    return Settlement(**told)


def bare(record: Record) -> Record:
    """A record of that topic without what may be large; where it came from and why stays."""
    kept = tuple(row for row in record.headers if row[0].startswith((PREFIX, SETTLED)))
    return record._replace(value=None if record.value is None else b"", headers=kept)


def theirs(record: Record) -> Record:
    """A record as a letter holds it: without headers of ours."""
    return record._replace(headers=tuple(row for row in record.headers if not row[0].startswith(PREFIX)))


def still_open(records: Iterable[Record]) -> dict[str, DeadLetter]:
    """The letters among these records that no later one settles, by name, oldest first."""
    found: dict[str, DeadLetter] = {}
    for record in records:
        if done := settlement(record):
            if done.how != DROPPED:
                found.pop(done.name, None)
        elif letter := _letter(record):
            found.setdefault(name_of(letter), letter)
    return found


def _letter(record: Record) -> DeadLetter | None:
    try:
        return exhume(record)
    except Unreadable:
        return None
