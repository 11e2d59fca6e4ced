"""Events as CloudEvents: what is written comes back, and a line is believed only as far as it proves itself."""

import json
from collections.abc import Callable
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import instants
from rules.events import EVENTS, ChangeWithdrawn, Event, ReviewGiven, event_id, type_name
from rules.sshsig import Signer
from streams.engines import codec
from streams.engines.codec import Undecodable, decode, encode, envelope

SOURCE = "example/shop"
EVENT = ChangeWithdrawn(change="one", by="alice", reason="over", at="2026-11-21T14:00:00Z")
TEXT = st.text(st.characters(), max_size=12)  # lone surrogates, controls and all
TIMES = st.integers(-62_135_596_800, 253_402_300_799).map(instants.text_of)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if get_origin(kind) is UnionType:
        return st.one_of(*map(values, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    simple = {str: TEXT, int: st.integers(), bool: st.booleans(), NoneType: st.none()}
    return simple[kind] if kind in simple else st.builds(kind, **fields(kind))


def fields(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name not in ("at", "signer")}
    return {name: values(hint) for name, hint in hints.items()}


def events(kind: type[Event]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **fields(kind), at=TIMES)


ANY_EVENT = st.sampled_from(EVENTS).flatmap(events)


def changed(**changes: Any) -> bytes:
    """The line of `EVENT` with other attributes; None takes one away."""
    raw = {name: value for name, value in (envelope(EVENT, SOURCE) | changes).items() if value is not None}
    return json.dumps(raw).encode()


@pytest.mark.parametrize("kind", EVENTS, ids=type_name)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_event_comes_back(kind: type[Event], data: st.DataObject) -> None:
    """Law 38, 42: the same value, the same id, the same bytes; one line without a line feed."""
    event = data.draw(events(kind))
    line = encode(event, SOURCE)
    assert b"\n" not in line
    again = decode(line)
    assert again == event
    assert event_id(again) == event_id(event)
    assert encode(again, SOURCE) == line


def test_a_signer_never_travels() -> None:
    """Law 19: who signed is what the reader's own verification finds."""
    review = ReviewGiven(change="c", content_key="k", reviewer="bob", signer=Signer("ssh-ed25519 AAAA"), at=EVENT.at)
    line = encode(review, SOURCE)
    assert b"ssh-ed25519" not in line
    again = decode(line)
    assert isinstance(again, ReviewGiven)
    assert again.signer is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (changed(id="0" * 64), "is not the digest of the body"),
        (changed(id=None), "is not the digest of the body"),
        (changed(id=["x"]), "is not the digest of the body"),
        (changed(data={"change": "one", "by": "mallory", "reason": "over"}), "is not the digest of the body"),
        (changed(type="dev.twohand.change-merged.v1"), "missing or unknown"),
        (changed(type="dev.twohand.change-withdrawn.v2"), "is none that this version knows"),
        (changed(type=None), "is none that this version knows"),
        (changed(type=["a"]), "is none that this version knows"),
        (changed(specversion="0.3"), "specversion 1.0"),
        (changed(specversion=1.0), "specversion 1.0"),
        (changed(specversion=None), "specversion 1.0"),
        (changed(time="2026-11-21 14:00:00"), "is no instant"),
        (changed(time="2026-11-21T14:00:00.5Z"), "is no instant"),
        (changed(time="2026-11-21T14:00:00+01:00"), "is no instant"),
        (changed(time="2026-02-30T14:00:00Z"), "is no instant"),
        (changed(time="2026-11-21T14:00:0\u0660Z"), "is no instant"),
        (changed(time=None), "is no instant"),
        (changed(time=1_700_000_000), "is no instant"),
        (changed(subject="two"), "different changes"),
        (changed(subject=["one"]), "different changes"),
        (changed(extra="x", another="y"), "unknown attributes: another, extra"),
        (changed(signer="me"), "unknown attributes: signer"),
        (changed(data={"change": "one", "by": "alice", "reason": "over", "at": EVENT.at}), "beside the body"),
        (changed(data={"change": "one", "by": "alice", "reason": "over", "signer": None}), "beside the body"),
        (changed(data={"change": "one"}), "missing or unknown: by"),
        (changed(data={"change": "one", "by": 7}), "7 is no str"),
        (changed(data={"change": "one", "by": None}), "None is no str"),
        (changed(data=[]), "is no ChangeWithdrawn"),
        (changed(data=None), "is no ChangeWithdrawn"),
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"\xef\xbb\xbf{}", "no CloudEvent"),
        (b"[]", "no CloudEvent"),
        (b"null", "no CloudEvent"),
        (b"1" * 5000, "no JSON"),
        (b"NaN", "no CloudEvent"),
    ],
)
def test_a_line_that_does_not_prove_itself_is_refused(line: bytes, reason: str) -> None:
    """The reason is told, and names what was wrong."""
    with pytest.raises(Undecodable) as caught:
        decode(line)
    assert reason in str(caught.value)


def test_subject_and_partition_key_may_be_left_out() -> None:
    """What repeats the body proves nothing, so it need not be there."""
    assert decode(changed(subject=None, partitionkey=None, datacontenttype=None)) == EVENT


def test_a_line_of_any_size_is_refused_at_once() -> None:
    """Over 64 MiB nothing is parsed."""
    with pytest.raises(Undecodable, match="67108865 bytes are over 67108864"):
        decode(b" " * (codec.MAX_LINE + 1))


def nested(depth: int) -> list[bytes]:
    """Lines with something deep in each place where a value may stand."""
    deep = "[" * depth + "]" * depth
    body = f'"data":{{"change":"one","by":{deep}}}'
    review = f'"data":{{"change":"one","content_key":"k","reviewer":"r","findings":[{deep}]}}'
    withdrawn, given_ = '"type":"dev.twohand.change-withdrawn.v1"', '"type":"dev.twohand.review-given.v1"'
    time, plain = f'"time":"{EVENT.at}"', '"data":{"change":"one","by":"alice"}'
    rows = [
        f'"type":{deep}',
        f'{withdrawn},"time":{deep},{plain}',
        f"{withdrawn},{time},{body}",
        f"{given_},{time},{review}",
        f'{withdrawn},{time},{plain},"id":{deep}',
        f'{withdrawn},{time},{plain},"subject":{deep}',
    ]
    return [deep.encode(), *(f'{{"specversion":"1.0",{row}}}'.encode() for row in rows)]


@pytest.mark.parametrize("depths", [range(1, 40, 13), range(700, 1000), (5000, 1_000_000)], ids=["few", "edge", "many"])
def test_no_nesting_crashes(depths: range) -> None:
    """Neither what the JSON reader just takes nor what it just refuses: an error, never a crash."""
    for depth in depths:
        for line in nested(depth):
            with pytest.raises(Undecodable):
                decode(line)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))))
def test_no_bytes_crash(line: bytes) -> None:
    """Any bytes are an event or Undecodable."""
    with pytest.raises(Undecodable):
        decode(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(event=ANY_EVENT, place=st.integers(0, 40), value=JSON)
def test_nothing_in_an_event_can_be_changed_unseen(event: Event, place: int, value: Any) -> None:
    """Another value anywhere in the body is refused, or is the same event."""
    raw = json.loads(encode(event, SOURCE))
    names = sorted(raw["data"])
    raw["data"][names[place % len(names)]] = value
    assert outcome(lambda: decode(json.dumps(raw).encode())) in (None, event)


def outcome(work: Callable[[], Event]) -> Event | None:
    try:
        return work()
    except Undecodable:
        return None


@settings(max_examples=60, deadline=None)
@given(event=ANY_EVENT)
def test_others_read_what_we_write(event: Event) -> None:
    """The SDK of CloudEvents takes every line for a valid event with the same attributes."""
    line = encode(event, SOURCE)
    if not event.change or b"\\ud" in line:
        return
    read = JSONFormat().read(CloudEvent, line)
    assert read.get_id() == event_id(event)
    assert read.get_type() == type_name(type(event))
    assert read.get_source() == SOURCE
    assert read.get_subject() == event.change
    assert read.get_extension("partitionkey") == event.change
    assert read.get_data() == json.loads(line)["data"]


def test_what_others_write_again_is_still_ours() -> None:
    """Through the SDK and back: key order, spaces and the form of the time do not matter to the digest."""
    written = JSONFormat().write(JSONFormat().read(CloudEvent, encode(EVENT, SOURCE)))
    assert decode(written) == EVENT
