"""One log line for each event that a worker handled: which, where it lay, what came of it, how long it took. Never its contents."""

from __future__ import annotations

import logging
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from streams.engines.codec import TYPES
from streams.engines.kafka.records.dead_letters import PREFIX, named
from streams.engines.kafka.records.topics import DEAD_LETTERS
from streams.engines.kafka.records.trace import context, id_of
from streams.engines.kafka.telemetry.gauges import DECISIONS, outcome_of
from streams.logs import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.engines.kafka.records.dead_letters import Origin
    from streams.engines.kafka.records.wire import Record
    from streams.engines.kafka.telemetry.gauges import Handled

TAKEN: Final = "taken"  # nothing was published because of it
PUBLISHED: Final = "published"
DEAD: Final = "dead letter"
_PLACE: Final = ("topic", "partition", "offset")
log = logging.getLogger(EVENTS)


def wanted() -> bool:
    """Whether anybody reads these lines."""
    return log.isEnabledFor(logging.INFO)


def tell(one: Handled, group: str) -> None:
    """A line for each event of a batch."""
    for fields in lines(one, group):
        log.info("%s", fields.pop("result"), extra={"fields": fields})


def lines(one: Handled, group: str) -> Iterator[dict[str, Any]]:
    """What is told of each event. What was published of a change is told with the last event of it in the batch."""
    letters = dict(_letters(one.records))
    by_key = sorted((record for record in one.records if record.topic != DEAD_LETTERS), key=_key)
    published = {key: [*map(_said, rows)] for key, rows in groupby(by_key, key=_key)}
    last = {origin.record.key or b"": number for number, origin in enumerate(one.origins)}
    for number, origin in enumerate(one.origins):
        record, place = origin.record, (origin.record.topic, str(origin.partition), str(origin.offset))
        key = record.key or b""
        said = published.get(key, []) if last[key] == number else []
        yield {
            "result": DEAD if place in letters else PUBLISHED if said else TAKEN,
            **({"fault": letters[place]} if place in letters else {}),
            **({"published": said} if said else {}),
            **_event(origin),
            "seconds": round(one.seconds, 4),
            "worker": group,
        }


def _event(origin: Origin) -> dict[str, Any]:
    """Ids and place, each only where it is what it should be: anybody may have written the record."""
    headers = dict(origin.record.headers)
    kind = (headers.get("ce_type") or b"").decode("ascii", "replace")
    return {
        "change": named(origin.record.key),
        "event": named(headers.get("ce_id")),
        "type": kind if kind in TYPES else "",
        "topic": origin.record.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "trace": id_of(context(origin.record.headers)),
    }


def _letters(records: Sequence[Record]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where each letter's record lay, and its fault."""
    for record in records:
        if record.topic == DEAD_LETTERS:
            headers: Mapping[str, bytes | None] = dict(record.headers)
            place = tuple(_text(headers, name) for name in _PLACE)
            yield place, _text(headers, "fault")


def _text(headers: Mapping[str, bytes | None], name: str) -> str:
    return (headers.get(PREFIX + name) or b"").decode("ascii", "replace")


def _said(record: Record) -> str:
    """`DecisionMade escalated`, or the type alone."""
    kind = (dict(record.headers).get("ce_type") or b"").decode("ascii", "replace")
    name = TYPES[kind].__name__ if kind in TYPES else ""
    return f"{name} {outcome_of(record)}" if record.topic == DECISIONS else name


def _key(record: Record) -> bytes:
    return record.key or b""
