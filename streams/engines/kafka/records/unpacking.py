"""What a batch of records unpacks to, in bounded memory, whichever client unpacks it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import zstandard

from streams.engines.kafka.records.wire import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 64 << 20  # bytes that one batch may unpack to; a producer of ours sends at most 14 MiB
PIECE: Final = 1 << 20


class Bomb(ValueError):
    """A batch that unpacks to more than MOST, or is packed in a way that nothing of ours uses."""


def bound(module: Any) -> None:
    """Give a client's module bounded ways to unpack: zstd and gzip; lz4 and snappy are refused."""
    module.zstd_decode, module.gzip_decode = zstd, gzip
    module.lz4_decode = module.snappy_decode = refused


def lost_to(error: Exception) -> tuple[str, bytes]:
    """The header of the record that stands for what could not be read."""
    return UNREADABLE, f"{type(error).__name__}: {error}"[:500].encode("utf-8", "replace")


def zstd(packed: Any) -> bytes:
    data = bytes(packed)
    size = zstandard.frame_content_size(data)
    if 0 <= size <= MOST:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=MOST)
    return _bounded(iter(zstandard.ZstdDecompressor().read_to_iter(data, write_size=PIECE)))


def gzip(packed: Any) -> bytes:
    unpacked = zlib.decompressobj(31).decompress(bytes(packed), MOST + 1)
    return _bounded(iter([unpacked]))


def refused(packed: Any) -> bytes:
    """Always Bomb."""
    raise Bomb(f"{len(packed)} bytes packed neither as zstd nor as gzip")


def _bounded(pieces: Iterator[bytes]) -> bytes:
    found, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > MOST:
            raise Bomb(f"the batch unpacks to more than {MOST} bytes")
        found.append(piece)
    return b"".join(found)
