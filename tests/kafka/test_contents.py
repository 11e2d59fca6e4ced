"""Contents that a proposed change carries along."""

import os
from hashlib import sha1, sha256

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.change import ABSENT, FileChange, content_key
from rules.events import ChangeProposed
from streams.engines.kafka.records import contents
from streams.engines.kafka.records.contents import bounded, missing, pack, unpacked, wanted
from streams.engines.kafka.records.wire import MAX_RECORD, Record, TooLarge, Unreadable, decode, encode, sealed

NONE = "0" * 40


def named(data: bytes, hashed=sha1) -> str:
    return hashed(b"blob %d\0%s" % (len(data), data)).hexdigest()


def kept(*blobs: bytes) -> dict[str, bytes]:
    return {named(data): data for data in blobs}


def proposed(*files: FileChange, **more: object) -> ChangeProposed:
    return ChangeProposed(
        change="ab" * 32, repository="example/shop", target="refs/heads/main", base="b" * 40, head="c" * 40,
        content_key=content_key("example/shop", "refs/heads/main", files), files=files, at="2026-11-21T14:00:00Z", **more
    )  # fmt: skip


def added(name: str, path: str = "a.py", mode: str = "100644") -> FileChange:
    return FileChange(path, ABSENT, NONE, mode, name, 1, 0)


def carried(event: ChangeProposed, blobs: dict[str, bytes]) -> Record:
    fitting, packed = bounded(event, blobs)
    return encode(fitting, "example/shop", packed=packed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=6))
def test_contents_come_back(blobs):
    """What a change carries is what arrives, byte for byte, beside the event."""
    event = proposed()
    record = carried(event, kept(*blobs))
    assert unpacked(sealed(record)) == kept(*blobs)
    assert decode(record) == event


def test_repositories_with_sha256_are_carried_too():
    """The length of an id tells git's object format."""
    blobs = {named(b"x\n", sha256): b"x\n", named(b"", sha256): b""}
    assert unpacked(sealed(carried(proposed(), blobs))) == blobs


def test_without_contents_there_is_no_attachment():
    """A change whose contents others can read carries none."""
    record = carried(proposed(), {})
    assert "twohand_contents" not in dict(record.headers)
    assert unpacked(sealed(record)) == {}


def test_what_is_wanted_and_what_is_missing():
    """Both sides of every file, but no submodule; what did not come along is named (law 3)."""
    one, two = kept(b"1", b"2")
    event = proposed(added(one), added(two, "b"), added("e" * 40, "sub", "160000"))
    assert wanted(event) == tuple(sorted((one, two)))
    assert missing(event, [one]) == (two,)


def test_too_much_becomes_a_fact_and_nothing_is_clipped():
    """Over 8 MiB compressed the change says that it is too large, and carries none of it."""
    event, packed = bounded(proposed(added("e" * 40)), kept(os.urandom(contents.MAX_PACKED + 1)))
    assert packed == b""
    assert event.too_large.endswith("compressed, at most 8388608 are carried")
    assert event.files
    assert decode(encode(event, "x")) == event


def test_what_unpacks_to_too_much_is_too_large():
    """Zeros compress to nothing, and would still fill a worker's memory."""
    event, packed = bounded(proposed(), kept(bytes(contents.MAX_UNPACKED)))
    assert packed == b""
    assert "67108954 bytes" in event.too_large


def test_nearly_too_much_is_carried_whole():
    """8 MiB beside a description of 3 MiB fit into one record."""
    data = os.urandom(contents.MAX_PACKED - 2000)
    record = carried(proposed(owners_text="x" * (3 << 20)), kept(data))
    assert unpacked(sealed(record)) == kept(data)


def test_contents_give_way_to_the_description():
    """Where both together do not fit, the change keeps its files and says that it is too large."""
    data = os.urandom(contents.MAX_PACKED - 2000)
    event, packed = bounded(proposed(added("e" * 40), owners_text="x" * (5 << 20)), kept(data))
    assert packed == b""
    assert event.files
    assert not event.incomplete
    assert event.too_large


def test_a_description_that_does_not_fit_is_incomplete_evidence():
    """100,000 files are no record: the change says so, twice over, and an approval of what is left admits nothing."""
    files = [added("e" * 40, f"{'d' * 60}/{n}") for n in range(70_000)]
    event, packed = bounded(proposed(*files), {})
    assert packed == b""
    assert event.files == ()
    assert event.too_large
    assert event.incomplete == (
        f"the change has 70000 files and 0 commits; its description is over {MAX_RECORD} bytes",
    )
    assert decode(encode(event, "x")) == event


def refused(packed: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        unpacked(sealed(encode(proposed(), "x", packed=packed)))
    assert caught.value.fault == "contents"


ONE = named(b"1").encode()
TWO = named(b"2").encode()


@pytest.mark.parametrize(
    "raw",
    [
        ONE + b" 1\n2",
        ONE + b" 2\n1",
        ONE + b" -1\n1",
        ONE + b" 1",
        ONE + b" 99999999999999999999999999999999999999999999\n1",
        ONE + b" 1\n1" + ONE + b" 1\n1",
        max(ONE, TWO) + b" 1\n" + (b"1" if ONE > TWO else b"2") + min(ONE, TWO) + b" 1\n" + (b"2" if ONE > TWO else b"1"),
        b" 1\n1",
        b"\n",
        b"x" * 200,
    ],
)  # fmt: skip
def test_contents_that_are_not_what_their_ids_say_are_refused(raw):
    """A content under another's id would be reviewed in its place."""
    refused(zstandard.compress(raw))


def test_frames_that_lie_are_refused():
    """No frame, none that tells its size, one with something behind it, one that unpacks to too much."""
    good = pack(kept(b"1"))
    refused(b"x" * 40)
    refused(good[:-1])
    refused(good + b"x")
    refused(zstandard.ZstdCompressor(write_content_size=False).compress(ONE + b" 1\n1"))
    refused(zstandard.compress(bytes(contents.MAX_UNPACKED + 1)))


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=80) | st.binary(max_size=80).map(zstandard.compress))
def test_no_attachment_crashes_the_reader(packed):
    """Any bytes are contents or Unreadable."""
    try:
        found = unpacked(sealed(encode(proposed(), "x", packed=packed)))
    except Unreadable:
        return
    assert found == {}


def test_only_a_proposal_carries_contents():
    """Too large is an error of `pack`, and another event with contents one of its writer."""
    with pytest.raises(TooLarge):
        pack(kept(os.urandom(contents.MAX_PACKED + 1)))
