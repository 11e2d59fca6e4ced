"""A record that a client cannot read stops nobody: it is handed over as one that says so, and the next ones follow."""

import asyncio
import lzma
import time
import zlib

import aiokafka
import pytest
import zstandard
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.engines.kafka.broker import sturdy, sturdy_sync, topic_admin
from streams.engines.kafka.records import unpacking
from streams.engines.kafka.records.wire import Record, Unreadable, sealed

pytestmark = pytest.mark.xdist_group("kafka")
for _ in range(2):
    sturdy.install()
    sturdy_sync.install()


class Spoilt(str):
    """A header's name that is no text on the wire."""

    __slots__ = ()

    def encode(self, *_):
        return b"\xff\xfe"


@pytest.fixture
def bootstrap(broker):
    """A broker with our topics, one partition each."""
    broker.clear()
    admin = broker.admin()
    topic_admin.create(admin, partitions=1)
    admin.close()
    yield broker.bootstrap
    broker.clear()


def send(bootstrap, *values, header="x", **options):
    """Send values in one batch."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=200, batch_size=1 << 20, **options)
    sent = [producer.send("twohand.changes", value, key=b"k", headers=[(header, b"")]) for value in values]
    producer.flush()
    offsets = [one.get(20).offset for one in sent]
    producer.close()
    return offsets


async def consumed(bootstrap, count, start):
    """So many records from an offset on, as aiokafka hands them over, and where it stands then."""
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        place = aiokafka.TopicPartition("twohand.changes", 0)
        consumer.assign([place])
        consumer.seek(place, start)
        rows = []
        while len(rows) < count:
            for found in (await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 20)).values():
                rows += found
        return rows, await consumer.position(place)


def by_kafka_python(bootstrap, count, start=0):
    """The same with kafka-python."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    place = TopicPartition("twohand.changes", 0)
    consumer.assign([place])
    consumer.seek(place, start)
    rows, end = [], time.monotonic() + 20
    while len(rows) < count and time.monotonic() < end:
        for found in consumer.poll(1000).values():
            rows += found
    position = consumer.position(place)
    consumer.close()
    return rows, position


def by_aiokafka(bootstrap, count, start=0):
    return asyncio.run(consumed(bootstrap, count, start))


CLIENTS = pytest.mark.parametrize("client", [by_aiokafka, by_kafka_python])


def fault(row):
    with pytest.raises(Unreadable) as caught:
        sealed(Record(row.topic, row.key, row.value, row.headers))
    return caught.value.fault


@CLIENTS
def test_a_header_whose_name_is_no_text_stops_nobody(bootstrap, client):
    """Its batch is one record that is refused by name; what follows arrives, from the middle of it, too."""
    assert send(bootstrap, b"before") == [0]
    assert send(bootstrap, b"a", b"b", b"c", header=Spoilt("x")) == [1, 2, 3]
    assert send(bootstrap, b"after") == [4]
    rows, position = client(bootstrap, 3)
    assert [row.value for row in rows] == [b"before", None, b"after"]
    assert rows[1].offset in (1, 3)
    assert position == 5
    assert fault(rows[1]) == "record"
    assert "UnicodeDecodeError" in dict(rows[1].headers)["twohand_unreadable"].decode()
    rows, _ = client(bootstrap, 2, start=2)
    assert [row.value for row in rows] == [None, b"after"]


@CLIENTS
@pytest.mark.parametrize("codec", ["zstd", "gzip"])
def test_a_batch_that_unpacks_to_too_much_stops_nobody(bootstrap, codec, client):
    """80 MiB of zeros in a few kilobytes: refused before they fill the memory."""
    options = {"compression_type": codec, "max_request_size": 100 << 20}
    assert send(bootstrap, bytes(80 << 20), **options) == [0]
    assert send(bootstrap, b"after", compression_type=codec) == [1]
    rows, _ = client(bootstrap, 2)
    assert [(row.offset, row.value) for row in rows] == [(0, None), (1, b"after")]
    assert fault(rows[0]) == "record"
    assert b"unpacks to more than 67108864 bytes" in dict(rows[0].headers)["twohand_unreadable"]


@pytest.mark.parametrize("size", [0, 1, 100_000, 5 << 20])
def test_ordinary_batches_unpack_as_ever(size):
    """With and without a frame that tells its size."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert unpacking.zstd(zstandard.compress(data)) == data
    streamed = zstandard.ZstdCompressor(write_content_size=False).compress(data)
    assert unpacking.zstd(memoryview(streamed)) == data
    assert unpacking.gzip(zlib.compress(data, wbits=31)) == data


def test_bombs_are_refused_in_bounded_memory():
    """Whatever the frame says of its size; and what nothing of ours packs is not unpacked at all."""
    zeros = bytes(unpacking.MOST + 1)
    for packed in (zstandard.compress(zeros), zstandard.ZstdCompressor(write_content_size=False).compress(zeros)):
        with pytest.raises(unpacking.Bomb):
            unpacking.zstd(packed)
    with pytest.raises(unpacking.Bomb):
        unpacking.gzip(zlib.compress(zeros, wbits=31))
    with pytest.raises(unpacking.Bomb, match="neither as zstd nor as gzip"):
        unpacking.refused(lzma.compress(b""))


def test_somebody_who_claims_it_is_refused_all_the_same():
    """The header of an unreadable record, forged: still no event."""
    record = Record("twohand.changes", b"k", None, (("twohand_unreadable", b"\xff"),))
    with pytest.raises(Unreadable) as caught:
        sealed(record)
    assert caught.value.fault == "record"
