"""Events as Kafka records and back: CloudEvents 1.0 in binary mode (DESIGN 4).

Key: the change id. Value: the canonical JSON of the body. Headers: `ce_id`, `ce_type`, `ce_source`, `ce_subject`, `ce_time`,
`ce_specversion`, `ce_partitionkey`, `content-type`; a ChangeProposed may carry contents in `twohand_contents`
(streams.engines.kafka.records.contents); `traceparent` and `tracestate` are passed through where they are well formed.

A record is believed as far as it proves itself: `ce_id` is the digest of type and value (law 42), the topic is the one that
carries the type, the key is the change that the body names. Signatures are verified by whoever folds the event (law 19).
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from rules import instants
from rules.canonical import canonical
from rules.change import ABSENT, FileChange, content_key
from rules.events import ChangeProposed, Event, body, type_name
from rules.paths import unquote
from rules.revive import short
from streams.engines.codec import SPECVERSION, TYPES, Undecodable, revive
from streams.engines.journal import topic_of
from streams.engines.kafka.records import trace as trace_context

MAX_RECORD: Final = 12 << 20  # bytes of key, value and headers
JSON: Final = "application/json"
CONTENTS: Final = "twohand_contents"
TRACE: Final = trace_context.NAMES
UNREADABLE: Final = (
    "twohand_unreadable"  # what streams.engines.kafka.broker.sturdy says where a client could not read a record
)
FAULTS: Final[Mapping[str, str]] = {
    "record": "Kafka's client cannot read the record",
    "empty": "the value is empty or null",
    "too-large": "key, value and headers are over 12 MiB",
    "headers": "a CloudEvents header is missing, twice there, unknown, or no UTF-8",
    "specversion": "not CloudEvents 1.0 in JSON",
    "type": "a type, or a version of one, that this release does not know",
    "topic": "this topic does not carry this type",
    "key": "key, subject, partition key and body name different changes",
    "id": "the id is not the digest of type and value",
    "time": "no instant of the form 2026-11-21T14:00:00Z",
    "json": "the value is no JSON",
    "body": "the value is no canonical body of its type",
    "content": "the content key of a proposal is not that of its files",
    "contents": "the attached contents are not what their ids say",
}
_ATTRIBUTES: Final = ("id", "type", "source", "subject", "time", "specversion", "partitionkey")
_HEX: Final = frozenset("0123456789abcdef")
_NAMES: Final = {f"ce_{name}": name for name in _ATTRIBUTES} | {"content-type": "content-type"}

Headers = tuple[tuple[str, bytes], ...]


class Unreadable(Undecodable):
    """A record that is no event of ours. `fault` is a key of FAULTS, the class that its dead letter names; the text says why."""

    def __init__(self, fault: str, why: str) -> None:
        super().__init__(f"{FAULTS[fault]}: {why}" if why else FAULTS[fault])
        self.fault = fault


class TooLarge(ValueError):
    """An event that does not fit into a record; nothing of it is ever clipped. The text says what is over which limit."""


class Record(NamedTuple):
    """What Kafka carries, as kafka-python and aiokafka produce and consume it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Iterable[tuple[str, bytes | None]] = ()


class Envelope(NamedTuple):
    """A record whose headers and id hold; `opened` revives its value, `contents.unpacked` what it carries along."""

    kind: type[Event]
    id: str  # 64 hex digits
    change: str
    at: str
    source: str
    value: bytes
    packed: bytes = b""
    trace: tuple[tuple[str, str], ...] = ()


def encode(event: Event, source: str, *, packed: bytes = b"", trace: Iterable[tuple[str, str]] = ()) -> Record:
    """The record of an event for its topic. `packed` comes from `contents.bounded`. TooLarge where it does not fit."""
    if packed and not isinstance(event, ChangeProposed):
        raise ValueError(f"{type(event).__name__} carries no contents")
    value, name, key = canonical(body(event)), type_name(type(event)), _raw(event.change)
    said = (_digest(name, value), name, source, event.change, event.at, SPECVERSION, event.change)
    headers = [(f"ce_{attribute}", _raw(text)) for attribute, text in zip(_ATTRIBUTES, said, strict=True)]
    headers.append(("content-type", JSON.encode()))
    headers += [(name, _raw(text)) for name, text in trace if name in TRACE]
    headers += [(CONTENTS, packed)] if packed else []
    record = Record(topic_of(type(event)), key, value, tuple(headers))
    if (size := size_of(record)) > MAX_RECORD:
        raise TooLarge(f"{type(event).__name__} needs {size} bytes, a record has at most {MAX_RECORD}")
    return record


def size_of(record: Record) -> int:
    """Bytes of key, value and headers, without what Kafka adds (less than 1 KiB)."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def decode(record: Record) -> Event:
    """The event of a record, checked whole. Unreadable with its fault."""
    return opened(sealed(record))


def sealed(record: Record) -> Envelope:
    """The envelope of a record: everything is checked but what only the parsed value tells. Unreadable with its fault."""
    if not record.value:
        lost = dict(record.headers).get(UNREADABLE)
        raise Unreadable("empty", "") if lost is None else Unreadable("record", lost.decode("utf-8", "replace"))
    if (size := size_of(record)) > MAX_RECORD:
        raise Unreadable("too-large", f"{size} bytes")
    said, rest = _headers(record.headers)
    kind = _kind(record.topic, said)
    change, value = said["subject"], record.value
    if record.key is None or record.key != _raw(change) or said["partitionkey"] != change:
        raise Unreadable("key", f"key {short(record.key)}, subject {short(change)}, {short(said['partitionkey'])}")
    if (found := _digest(said["type"], value)) != said["id"]:
        raise Unreadable("id", f"{short(said['id'])} where {found} is")
    if not instants.is_instant(said["time"]):
        raise Unreadable("time", short(said["time"]))
    packed = rest.get(CONTENTS, b"")
    if packed and kind is not ChangeProposed:
        raise Unreadable("contents", f"a {kind.__name__} carries none")
    trace = trace_context.context(record.headers)
    return Envelope(kind, said["id"], change, said["time"], said["source"], value, packed, trace)


def opened(envelope: Envelope) -> Event:
    """The event of an envelope. Unreadable with its fault."""
    try:
        data = json.loads(envelope.value)
    except (ValueError, RecursionError) as error:
        raise Unreadable("json", str(error)[:200]) from None
    try:
        event = revive(envelope.kind, data, envelope.at)
    except Undecodable as error:
        raise Unreadable("body", str(error)[:500]) from None
    if canonical(body(event)) != envelope.value:
        raise Unreadable("body", "the same body in its canonical form has other bytes")
    if event.change != envelope.change:
        raise Unreadable("key", f"the body names {short(event.change)}, the key {short(envelope.change)}")
    if isinstance(event, ChangeProposed) and not _holds(event):
        raise Unreadable("content", f"its files are not those of {short(event.content_key)}")
    return event


def _holds(event: ChangeProposed) -> bool:
    """Whether the content key is that of its files (law 2): else somebody would read one content and sign for another.

    What lost its files because it is too large is excused: nobody is asked about it.
    """
    if event.too_large and not event.files:
        return True
    try:
        plain = all(map(_is_plain, event.files)) and "\0" not in event.repository + event.target
        return plain and content_key(event.repository, event.target, event.files) == event.content_key
    except ValueError:  # text of a path that is no bytes
        return False


def _is_plain(file: FileChange) -> bool:
    """Whether it can be taken for nothing but one file: in what the key is made of, NUL and space part the fields."""
    modes, blobs = file.old_mode + file.new_mode, (file.old_blob, file.new_blob)
    return (
        b"\0" not in unquote(file.path)
        and len(file.old_mode) == len(file.new_mode) == len(ABSENT)
        and modes.isascii()
        and modes.isdigit()
        and all(len(blob) in (40, 64) and _HEX.issuperset(blob) for blob in blobs)
    )


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> tuple[dict[str, str], dict[str, bytes]]:
    said: dict[str, str] = {}
    rest: dict[str, bytes] = {}
    for name, value in headers:
        attribute = _NAMES.get(name)
        if attribute is not None:
            if attribute in said:
                raise Unreadable("headers", f"{name} is there twice")
            said[attribute] = _text(name, value)
        elif name.startswith("ce_"):
            raise Unreadable("headers", f"{short(name)} is none that we know")
        elif name == CONTENTS and name in rest:
            raise Unreadable("headers", f"{name} is there twice")
        elif name == CONTENTS:
            rest[name] = value or b""
    if missing := _NAMES.values() - said.keys():
        raise Unreadable("headers", f"missing: {', '.join(sorted(missing))}")
    return said, rest


def _kind(topic: str, said: Mapping[str, str]) -> type[Event]:
    if said["specversion"] != SPECVERSION or said["content-type"] != JSON:
        raise Unreadable("specversion", f"{short(said['specversion'])} with {short(said['content-type'])}")
    kind = TYPES.get(said["type"])
    if kind is None:
        raise Unreadable("type", short(said["type"]))
    if topic_of(kind) != topic:
        raise Unreadable("topic", f"{said['type']} on {short(topic)} instead of {topic_of(kind)}")
    return kind


def _text(name: str, value: bytes | None) -> str:
    try:
        return (value or b"").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Unreadable("headers", f"{name} is no UTF-8") from None


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(name: str, value: bytes) -> str:
    """`event_id` (law 42) without parsing: the canonical form of type and body, around a value that is canonical itself."""
    return sha256(b'{"body":%s,"type":"%s"}' % (value, name.encode("utf-8", "surrogatepass"))).hexdigest()
