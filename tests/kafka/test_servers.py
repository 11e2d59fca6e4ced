"""The local broker and database that tests and trials use do what real ones do."""

import shutil
import subprocess

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.kafka.processes import ROOT, Server, needs
from tests.streams.receivers import free_port

pytestmark = pytest.mark.xdist_group("kafka")


def test_a_killed_broker_comes_back_with_its_data(broker):
    """What was acknowledged before kill -9 is read after the restart."""
    admin = broker.admin()
    admin.create_topics({"twohand.trial": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type="zstd")
    producer.send("twohand.trial", b"value", key=b"key").get(10)
    producer.close()
    broker.kill()
    assert not broker.answers()
    broker.start()
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("twohand.trial", 0)])
    try:
        assert next(consumer).value == b"value"
    finally:
        consumer.close()
        broker.clear()


def test_a_killed_database_comes_back_with_its_data(postgres):
    """What was committed before kill -9 is read after the restart."""
    url = postgres.fresh("trial")
    with psycopg.connect(url) as database:
        database.execute("create table kept (number integer)")
        database.execute("insert into kept values (7)")
    postgres.kill()
    assert not postgres.answers()
    postgres.start()
    with psycopg.connect(url) as database:
        assert database.execute("select number from kept").fetchall() == [(7,)]


def test_a_server_that_does_not_come_up_is_named(tmp_path):
    """The end of its log is part of the failure."""
    server = Server(["/bin/sh", "-c", "echo no room; exit 1"], tmp_path / "log")
    server.start()
    with pytest.raises(TimeoutError, match="no room"):
        server.until(lambda: False, 5)


def test_what_is_missing_is_named(monkeypatch):
    """A test that cannot run is skipped with the reason, and a failure where everything has to run."""
    monkeypatch.delenv("TWOHAND_TEST_EVERYTHING", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-program"):
        needs("no-such-program", "sh")
    monkeypatch.setenv("TWOHAND_TEST_EVERYTHING", "1")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-program"):
        needs("no-such-program")


@pytest.mark.parametrize(
    ("java", "told"),
    [
        (None, "Kafka needs Java 17: apt-get install openjdk-17-jre-headless\n"),
        ("11.0.2", "Kafka needs Java 17, here is 11: apt-get install openjdk-17-jre-headless\n"),
        ("1.8.0_292", "Kafka needs Java 17, here is 8: apt-get install openjdk-17-jre-headless\n"),
        ("21.0.1", "Kafka needs Maven the first time: apt-get install maven\n"),
    ],
)
def test_what_the_broker_lacks_is_one_sentence(tmp_path, java, told):
    """Which program, which version, and the command that brings it; nothing is left behind."""
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts/kafka", tmp_path / "scripts")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "sed", "dirname"):
        (programs / name).symlink_to(shutil.which(name))
    if java:
        (programs / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{java}\" 2021-01-19' >&2\n")
        (programs / "java").chmod(0o755)
    command = [programs / "bash", script, "run", tmp_path / "data", str(free_port())]
    done = subprocess.run(command, env={"PATH": str(programs)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_named(broker, tmp_path):
    """Before anything is made."""
    command = [ROOT / "scripts/kafka", "run", tmp_path / "data", str(broker.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"listens on 127.0.0.1:{broker.port} already" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("script", ["kafka", "postgres"])
def test_the_scripts_say_how_they_are_used(script):
    """Without a directory they exit 2 and print their usage."""
    done = subprocess.run([ROOT / "scripts" / script, "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"scripts/{script} run DIR" in done.stderr
