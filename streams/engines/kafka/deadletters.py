"""Dead letters: records that could not be handled, as they came, with where they came from and why (DESIGN 4).

Key, value and headers are the original's; what is added stands in headers that begin with `twohand_dead_`. The key keeps it in
the partition of its change, which is blocked until the letter is retried or dropped.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.engines.kafka.topics import DEAD_LETTERS
from streams.engines.kafka.wire import Record, Unreadable

PREFIX: Final = "twohand_dead_"
MAX_WHY: Final = 2000  # characters
HANDLER: Final = "handler"  # the fault of what could be read and still failed after its last attempt


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
        return (self.record.key or b"").decode("utf-8", "replace")


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
