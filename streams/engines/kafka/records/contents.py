"""Contents that a proposed change carries along, because nobody else can read a hook's quarantined objects (DESIGN 4).

Packed, they are one zstd frame that tells its size, over entries `object id, space, length, line feed, bytes`, sorted by id.
Each proves itself: its id is git's hash of its bytes. What exceeds the limits is never clipped: the change then says that it
is too large to review, and carries none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha1, sha256
from typing import Final

import zstandard

from rules.change import ABSENT, SUBMODULE
from rules.events import ChangeProposed
from streams.engines.kafka.records.wire import MAX_RECORD, Envelope, TooLarge, Unreadable, encode

MAX_PACKED: Final = 8 << 20  # bytes
MAX_UNPACKED: Final = 64 << 20  # bytes, so that a small record does not fill a worker's memory
LEVEL: Final = 3
HEAD: Final = 90  # bytes that the head of an entry has at most
SPARE: Final = 4 << 10  # bytes kept free for headers


def wanted(event: ChangeProposed) -> tuple[str, ...]:
    """The object ids of both sides of every file, without submodules, sorted."""
    sides = (side for file in event.files for side in ((file.old_mode, file.old_blob), (file.new_mode, file.new_blob)))
    return tuple(sorted({blob for mode, blob in sides if mode not in (ABSENT, SUBMODULE)}))


def bounded(event: ChangeProposed, blobs: Mapping[str, bytes]) -> tuple[ChangeProposed, bytes]:
    """The event as it can be carried, with its packed contents.

    Where contents are over a limit the event becomes `too_large` and carries none; where the body alone does not fit, it also
    loses its lists and says so in `incomplete`: both are escalated, neither is ever admitted by an approval of what is left.
    """
    try:
        packed = b"" if event.too_large else pack(blobs)
        encode(event, " " * SPARE, packed=packed)
    except TooLarge as error:
        event, packed = replace(event, too_large=event.too_large or str(error)), b""
    else:
        return event, packed
    return (event if _fits(event) else _bare(event)), packed


def pack(blobs: Mapping[str, bytes]) -> bytes:
    """Contents by object id as one zstd frame, b"" for none. TooLarge where they are over a limit."""
    size = sum(len(data) + HEAD for data in blobs.values())
    if size > MAX_UNPACKED:
        raise TooLarge(f"its contents are {size} bytes, at most {MAX_UNPACKED} are carried")
    raw = b"".join(b"%s %d\n%s" % (name.encode(), len(data), data) for name, data in sorted(blobs.items()))
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(raw) if raw else b""
    if len(packed) > MAX_PACKED:
        raise TooLarge(f"its contents are {len(packed)} bytes compressed, at most {MAX_PACKED} are carried")
    return packed


def unpacked(envelope: Envelope) -> dict[str, bytes]:
    """The contents by object id that a record carries, each verified. Unreadable with the fault `contents`."""
    return dict(_entries(_raw(envelope.packed))) if envelope.packed else {}


def _raw(packed: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(packed)
        if len(packed) > MAX_PACKED or not 0 <= size <= MAX_UNPACKED:
            raise Unreadable("contents", f"{size} bytes from {len(packed)} are over the limits")
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_UNPACKED, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Unreadable("contents", str(error)) from None


def _entries(raw: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    last = b""
    while at < len(raw):
        end = raw.find(b"\n", at, at + HEAD)
        name, _, digits = raw[at : max(end, at)].partition(b" ")
        size = int(digits) if digits.isdigit() else -1
        at, data = end + 1 + size, raw[end + 1 : end + 1 + max(size, 0)]
        if end < 0 or size != len(data) or name <= last or _object_id(data, len(name)) != name:
            raise Unreadable("contents", f"an entry at {end} is not what {name[:64]!r} names")
        last = name
        yield name.decode(), data


def _object_id(data: bytes, digits: int) -> bytes:
    """Git's own hash of a blob; the repository's format tells which."""
    hashed = sha256 if digits == 64 else sha1
    return hashed(b"blob %d\0%s" % (len(data), data)).hexdigest().encode()


def _fits(event: ChangeProposed) -> bool:
    try:
        encode(event, " " * SPARE)
    except TooLarge:
        return False
    return True


def _bare(event: ChangeProposed) -> ChangeProposed:
    why = f"the change has {len(event.files)} files and {len(event.commits)} commits; its description is over {MAX_RECORD} bytes"
    return replace(
        event, files=(), commits=(), claims=(), recorded=(), touched=(), dropped=(), self_edits=(), owners_text="",
        continues=(), incomplete=(*event.incomplete, why)
    )  # fmt: skip


def missing(event: ChangeProposed, blobs: Iterable[str]) -> tuple[str, ...]:
    """The object ids that the change needs and `blobs` lacks: what they belong to is not covered (law 3)."""
    return tuple(sorted(set(wanted(event)) - set(blobs)))
