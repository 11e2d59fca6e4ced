"""Records on a real broker, with every client that we use: what was sent is what arrives, also the largest."""

import asyncio
import os
import subprocess
import sys
from hashlib import sha1

import aiokafka
import pytest
from aiokafka.errors import MessageSizeTooLargeError as AioTooLarge
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError

from rules.change import content_key
from rules.events import ChangeProposed, ChangeWithdrawn
from streams.engines.kafka.broker import topic_admin
from streams.engines.kafka.records.contents import bounded, unpacked
from streams.engines.kafka.records.topics import BY_NAME, MAX_REQUEST
from streams.engines.kafka.records.wire import MAX_RECORD, Record, encode, opened, sealed, size_of

pytestmark = pytest.mark.xdist_group("kafka")
AT = "2026-11-21T14:00:00Z"
SMALL = encode(ChangeWithdrawn(change="ab" * 32, by="alice", at=AT), "example/shop")


def largest():
    """A proposal with 8 MiB of contents that do not compress, filled up to what a record may have."""
    blob = os.urandom((8 << 20) - 4000)
    event = ChangeProposed(
        change="cd" * 32, repository="example/shop", target="refs/heads/main", base="b" * 40, head="c" * 40,
        content_key=content_key("example/shop", "refs/heads/main", ()), owners_text="x" * ((4 << 20) - 9000), at=AT
    )  # fmt: skip
    blobs = {sha1(b"blob %d\0%s" % (len(blob), blob)).hexdigest(): blob}
    fitting, packed = bounded(event, blobs)
    assert fitting == event
    return event, blobs, encode(event, "example/shop", packed=packed)


@pytest.fixture(scope="module")
def topics(broker):
    """All topics, each with one partition."""
    broker.clear()
    admin = broker.admin()
    topic_admin.create(admin, partitions=1)
    admin.close()
    yield broker.bootstrap
    broker.clear()


def sent(bootstrap, *records):
    """Send with kafka-python, compressed, and wait for the acknowledgement."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type="zstd", max_request_size=MAX_REQUEST)
    try:
        return [
            producer.send(row.topic, row.value, key=row.key, headers=list(row.headers)).get(20).offset
            for row in records
        ]
    finally:
        producer.close()


def read(bootstrap, topic, offset):
    """One record with kafka-python."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, offset)
    try:
        row = next(consumer)
        return Record(row.topic, row.key, row.value, row.headers)
    finally:
        consumer.close()


async def by_aiokafka(bootstrap, record):
    """Send and read one record with aiokafka."""
    options = {"compression_type": "zstd", "max_request_size": MAX_REQUEST, "enable_idempotence": True}
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, **options) as producer:
        future = await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
        done = await future
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        place = aiokafka.TopicPartition(record.topic, 0)
        consumer.assign([place])
        consumer.seek(place, done.offset)
        row = await consumer.getone()
        return Record(row.topic, row.key, row.value, row.headers)


@pytest.mark.parametrize("client", ["kafka-python", "aiokafka"])
def test_the_largest_change_is_carried_whole(topics, client):
    """Nearly 12 MiB, 8 of them contents, through either client."""
    event, blobs, record = largest()
    assert size_of(record) > MAX_RECORD - (32 << 10)
    if client == "aiokafka":
        back = asyncio.run(by_aiokafka(topics, record))
    else:
        back = read(topics, record.topic, sent(topics, record)[0])
    envelope = sealed(back)
    assert opened(envelope) == event
    assert unpacked(envelope) == blobs


def test_what_is_over_the_limit_is_refused_aloud(topics):
    """By the broker, and by either client before that: never clipped, never lost in silence."""
    over = SMALL._replace(value=os.urandom(BY_NAME["twohand.changes"].bytes + 1))
    with pytest.raises(MessageSizeTooLargeError):
        sent(topics, over)
    with pytest.raises(AioTooLarge):
        asyncio.run(by_aiokafka(topics, over))


def test_what_others_send_arrives_as_it_is(topics):
    """Null, empty and undecodable values reach us: it is for us to refuse them."""
    rows = [SMALL._replace(value=None), SMALL._replace(value=b""), SMALL._replace(value=b"\xff"), SMALL]
    offsets = sent(topics, *rows)
    back = [read(topics, "twohand.changes", offset).value for offset in offsets]
    assert back == [None, b"", b"\xff", SMALL.value]


def test_events_of_one_change_keep_their_order(topics):
    """One key, one partition, in the order of sending."""
    events = [ChangeWithdrawn(change="ef" * 32, by=f"one-{number}", at=AT) for number in range(50)]
    offsets = sent(topics, *(encode(event, "example/shop") for event in events))
    assert offsets == sorted(offsets)


def test_hooks_and_reviews_import_none_of_it():
    """A push or a review on a machine without the engine never loads its clients."""
    code = (
        "import sys, streams.hooks.receive, streams.hooks.push, streams.desk, streams.commands.review, streams.settings;"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('kafka', 'aiokafka', 'faust', 'mode', 'psycopg', 'zstandard', 'cramjam') or 'engines.kafka' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
