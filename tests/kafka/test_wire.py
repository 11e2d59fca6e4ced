"""Events as Kafka records: what is written comes back, and a record is believed only as far as it proves itself."""

import json
from dataclasses import replace

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.canonical import canonical
from rules.events import ChangeProposed, ChangeWithdrawn, DecisionMade, ReviewGiven, body, event_id, type_name
from streams.engines.kafka.records import wire
from streams.engines.kafka.records.wire import FAULTS, Record, Unreadable, decode, encode, opened, sealed
from tests.streams.test_codec import ANY_EVENT

SOURCE = "example/shop"
EVENT = ChangeWithdrawn(change="ab" * 32, by="alice", reason="over", at="2026-11-21T14:00:00Z")
RECORD = encode(EVENT, SOURCE)
TRACEPARENT = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


def said(record: Record) -> dict[str, bytes]:
    return dict(record.headers)


def changed(record: Record = RECORD, **headers: bytes | None) -> Record:
    """The record with other headers; None takes one away."""
    raw = said(record) | {name.replace("content_type", "content-type"): value for name, value in headers.items()}
    return record._replace(headers=tuple((name, value) for name, value in raw.items() if value is not None))


def carrying(value: bytes, kind: type = ChangeWithdrawn) -> Record:
    """A record whose id is right for any bytes."""
    record = RECORD._replace(value=value)
    return changed(record, ce_id=wire._digest(type_name(kind), value).encode(), ce_type=type_name(kind).encode())


def fault(record: Record) -> str:
    with pytest.raises(Unreadable) as caught:
        decode(record)
    assert caught.value.fault in FAULTS
    assert str(caught.value).startswith(FAULTS[caught.value.fault])
    return caught.value.fault


@settings(max_examples=150, deadline=None)
@given(event=ANY_EVENT, source=st.text(max_size=20))
def test_every_event_comes_back(event, source):
    """Whatever an event holds, its record says the same, under the same id (law 42); of files, tests of contents tell."""
    event = replace(event, files=(), too_large="it is") if isinstance(event, ChangeProposed) else event
    record = encode(event, source)
    assert decode(record) == event
    assert said(record)["ce_id"].decode() == event_id(event)
    assert record.value == canonical(body(event))
    assert sealed(record).source == source


def test_other_software_reads_it_as_a_cloudevent():
    """The CloudEvents SDK reads our records in binary mode, with all attributes and the data."""
    read = from_kafka_event(KafkaMessage(said(RECORD), RECORD.key, RECORD.value))
    assert read.get_type() == "dev.twohand.change-withdrawn.v1"
    assert read.get_id() == event_id(EVENT)
    assert read.get_source() == SOURCE
    assert read.get_subject() == EVENT.change
    assert read.get_extension("partitionkey") == EVENT.change
    assert read.get_data() == body(EVENT)


def test_the_key_is_the_change():
    """Everything about one change lies in one partition, in order."""
    assert RECORD.key == EVENT.change.encode()
    assert RECORD.topic == "twohand.changes"


def test_trace_context_is_passed_through():
    """OpenTelemetry's headers go along; an overlong one is dropped and stops nothing."""
    record = encode(EVENT, SOURCE, trace=[TRACEPARENT, ("tracestate", "a=b"), ("other", "x")])
    assert sealed(record).trace == (TRACEPARENT, ("tracestate", "a=b"))
    assert "other" not in said(record)
    assert sealed(changed(traceparent=b"x" * 601)).trace == ()


def test_headers_of_others_are_none_of_our_business():
    """A proxy may add its own headers."""
    assert decode(changed(x_proxy=b"\xff")) == EVENT


@pytest.mark.parametrize("value", [b"", None])
def test_an_empty_value_is_no_event(value):
    """A tombstone withdraws nothing."""
    assert fault(RECORD._replace(value=value)) == "empty"


@pytest.mark.parametrize("name", [name for name, _ in RECORD.headers])
def test_every_header_is_needed_once_and_right(name):
    """A header that is missing, there twice, null, or no text is refused."""
    assert fault(RECORD._replace(headers=tuple(pair for pair in RECORD.headers if pair[0] != name))) == "headers"
    assert fault(RECORD._replace(headers=(*RECORD.headers, (name, b"x")))) == "headers"
    spoilt = tuple((key, b"\xff" if key == name else value) for key, value in RECORD.headers)
    assert fault(RECORD._replace(headers=spoilt)) == "headers"
    if name != "ce_source":
        null = tuple((key, None if key == name else value) for key, value in RECORD.headers)
        assert fault(RECORD._replace(headers=null)) in {"specversion", "type", "key", "id", "time"}


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (changed(ce_type=b"dev.twohand.change-withdrawn.v2"), "type"),
        (changed(ce_type=b"dev.twohand.nothing.v1"), "type"),
        (changed(ce_specversion=b"0.3"), "specversion"),
        (changed(content_type=b"application/avro"), "specversion"),
        (changed(ce_extra=b"x"), "headers"),
        (changed(ce_time=b"yesterday"), "time"),
        (changed(ce_id=b"0" * 64), "id"),
        (RECORD._replace(value=RECORD.value.replace(b"over", b"oven")), "id"),
        (RECORD._replace(key=b"cd" * 32), "key"),
        (RECORD._replace(key=None), "key"),
        (changed(ce_partitionkey=b"cd" * 32), "key"),
        (changed(RECORD._replace(key=b"other"), ce_subject=b"other", ce_partitionkey=b"other"), "key"),
        (RECORD._replace(topic="twohand.reviews"), "topic"),
        (changed(twohand_contents=b"x"), "contents"),
        (carrying(b"{"), "json"),
        (carrying(b"\xff\xfe"), "json"),
        (carrying(b"[" * 100_000), "json"),
        (carrying(b'{"a":' * 100_000), "json"),
        (carrying(b"9" * 5000), "json"),
        (carrying(b"[]"), "body"),
        (carrying(b"null"), "body"),
        (carrying(b"NaN"), "body"),
        (carrying(RECORD.value[:-1] + b',"more":1}'), "body"),
        (carrying(RECORD.value.replace(b":", b": ")), "body"),
        (carrying(RECORD.value.decode().encode("utf-16")), "body"),
        (carrying(b'{"by":"mallory",' + RECORD.value[1:]), "body"),
        (carrying(RECORD.value[:-1] + b',"at":"2026-11-21T14:00:00Z"}'), "body"),
        (RECORD._replace(value=b"x" * wire.MAX_RECORD), "too-large"),
    ],
)  # fmt: skip
def test_what_does_not_prove_itself_is_refused(record, name):
    """Each kind of defect has its own name, which its dead letter carries."""
    assert fault(record) == name


def test_a_body_without_its_optional_fields_is_another_text_of_the_same_fact():
    """One fact has one text and one id, or repeats would not be recognised (law 42)."""
    short = {name: value for name, value in body(EVENT).items() if name != "reason"}
    assert fault(carrying(canonical(short))) == "body"


def test_a_right_to_write_reviews_is_no_right_to_decide():
    """A decision on the topic of reviewers is refused (law 19)."""
    decision = DecisionMade(change="one", content_key="two", outcome="admitted", decision="{}", at=EVENT.at)
    assert fault(encode(decision, SOURCE)._replace(topic="twohand.reviews")) == "topic"


def test_what_is_too_large_is_never_clipped():
    """An event over the size of a record is an error of its writer."""
    with pytest.raises(wire.TooLarge, match="ReviewGiven needs"):
        encode(ReviewGiven(change="one", content_key="two", reviewer="r", why="x" * wire.MAX_RECORD), SOURCE)


@settings(max_examples=300, deadline=None)
@given(
    topic=st.sampled_from(["twohand.changes", "twohand.reviews", "x"]),
    key=st.none() | st.binary(max_size=20) | st.just(RECORD.key),
    value=st.none() | st.binary(max_size=60) | st.just(RECORD.value),
    headers=st.lists(st.tuples(st.sampled_from([*said(RECORD), "x"]), st.none() | st.binary(max_size=20)), max_size=9)
    | st.just(RECORD.headers),
)
def test_no_record_crashes_the_reader(topic, key, value, headers):
    """Any record is an event or Unreadable, never another error."""
    try:
        found = decode(Record(topic, key, value, headers))
    except Unreadable:
        return
    assert found == EVENT


@settings(max_examples=200, deadline=None)
@given(data=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                         lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)),
       kind=st.sampled_from([ChangeProposed, ChangeWithdrawn]))  # fmt: skip
def test_no_body_crashes_the_reader(data, kind):
    """Any JSON under a right id is refused as a body."""
    assert fault(carrying(json.dumps(data).encode(), kind)) in {"body", "json"}


def test_an_envelope_is_read_without_its_body():
    """What only routes or counts an event needs not parse it."""
    envelope = sealed(RECORD)
    assert (envelope.kind, envelope.id, envelope.change) == (ChangeWithdrawn, event_id(EVENT), EVENT.change)
    assert opened(envelope) == EVENT
