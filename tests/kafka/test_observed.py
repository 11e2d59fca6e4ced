"""What workers tell of themselves while they work: metrics, readiness, log lines, and one trace for a change."""

import json
import subprocess
import sys
import urllib.request
from contextlib import closing
from urllib.error import HTTPError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rules.events import DeadlinePassed
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.cases.store import Store
from streams.engines.kafka.records.trace import context, id_of
from streams.engines.kafka.records.wire import Record, decode, encode, sealed
from streams.engines.kafka.telemetry.event_log import lines
from streams.engines.kafka.telemetry.gauges import Gauges, Handled, Standing, outcome_of
from streams.engines.kafka.telemetry.listener import CannotListen, Listener, NoAddress, parsed
from streams.engines.kafka.telemetry.observing import beside
from streams.engines.kafka.workers.deciding import Deciding
from tests.kafka.engine import Engine
from tests.kafka.events import NOON, carried, origins, proposed, rules
from tests.kafka.watched import GROUP, counted, decision
from tests.streams.receivers import answers, eventually, free_port, program

pytestmark = pytest.mark.xdist_group("kafka")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())
STATE = ("tracestate", b"ci=run1")
OLDER = b"00-11111111111111111111111111111111-2222222222222222-00"
SECRET = b"hunter2-of-the-content"
POISON = Record("twohand.changes", b"x", b'{"' + SECRET + b'":', (PARENT, ("traceparent", b"\x1b[31m")))


def get(port, path):
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, reply.read()
    except HTTPError as error:
        return error.code, error.read()


def samples(text):
    """Every number by its name and its labels, but the group's."""
    return {
        (one.name, *sorted(value for label, value in one.labels.items() if label != "group")): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


class Watched:
    """Two workers that handled one proposal with a trace and one record that is none."""

    def __init__(self, engine):
        self.engine, self.change = engine, proposed(1)
        self.ports = {"rules": free_port(), "decide": free_port()}
        for only, port in self.ports.items():
            engine.start(only, "one", "--listen", str(port), "--log", "json")
        record = carried(self.change, SECRET)
        engine.send(POISON, record._replace(headers=(*record.headers, PARENT, STATE)))
        (self.decision,) = engine.until("twohand.decisions", 1)
        self.outcome = decode(self.decision).outcome

    def numbers(self, only):
        return samples(get(self.ports[only], "/metrics")[1])

    def log(self, only):
        return (self.engine.folder / f"{only}.log").read_text()


@pytest.fixture(scope="module")
def watched(broker, postgres, tmp_path_factory):
    engine = Engine(broker, postgres, tmp_path_factory.mktemp("observed"))
    yield Watched(engine)
    engine.close()


def test_a_decider_counts_what_it_does(watched):
    """Records, decisions by outcome, the time from proposal to decision, dead letters by fault, and what is behind."""
    caught_up = ("twohand_worker_lag_records", "0", "twohand.changes")
    eventually(lambda: watched.numbers("decide").get(caught_up) == 0)
    eventually(lambda: watched.numbers("decide")[("twohand_worker_last_commit_timestamp_seconds",)] > 1e9)
    found = watched.numbers("decide")
    assert found["twohand_worker_records_total", "twohand.changes"] == 2
    assert found["twohand_worker_decisions_total", watched.outcome] == 1
    assert found[("twohand_worker_decision_seconds_count",)] == 1
    assert 0 < found[("twohand_worker_decision_seconds_sum",)] < 60
    assert found["twohand_worker_dead_letters_total", "headers"] == 1
    assert found[("twohand_worker_batch_seconds_count",)] >= 1
    assert found[("twohand_worker_ready",)] == 1
    assert (found[("twohand_store_up",)], found[("twohand_store_outbox_records",)]) == (1, 0)
    assert not [key for key in watched.numbers("rules") if key[0].startswith("twohand_store")]


def test_supervisors_get_their_answers(watched):
    """Ready and alive are 200; anything else is not there, and nothing can be sent."""
    port = watched.ports["rules"]
    status, body = get(port, "/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert get(port, "/livez")[0] == 200
    assert get(port, "/")[0] == 404
    with pytest.raises(HTTPError, match="501"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", b"x", timeout=5)


def test_one_trace_covers_a_change(watched):
    """The context of the proposal is that of the review and of the decision."""
    (review,) = watched.engine.read("twohand.reviews")
    for record in (review, watched.decision):
        assert sealed(record).trace == (("traceparent", PARENT[1].decode()), ("tracestate", "ci=run1"))


def test_each_event_is_one_line_of_json(watched):
    """Ids, place, what came of it, trace; of a record that is none nothing but where it lay. No content, no control character."""
    for only in watched.ports:
        text = watched.log(only)
        rows = [json.loads(line) for line in text.splitlines()]
        assert SECRET.decode() not in text
        assert "\x1b" not in text
        events = [row for row in rows if row["logger"] == "twohand.events"]
        mine = next(row for row in events if row["change"] == watched.change.change)
        assert (mine["trace"], mine["type"]) == (TRACE, "dev.twohand.change-proposed.v1")
        assert mine["seconds"] > 0
        dead = next(row for row in events if row["message"] == "dead letter")
        assert (dead["fault"], dead["change"], dead["event"], dead["trace"]) == ("headers", "", "", "")
    published = [row.get("published") for row in map(json.loads, watched.log("decide").splitlines())]
    assert [f"DecisionMade {watched.outcome}"] in published


def test_a_real_prometheus_scrapes_a_worker(watched, tmp_path):
    """It takes every line, and finds the worker up."""
    done = subprocess.run(
        [program("prometheus", "promtool"), "check", "metrics"],
        input=get(watched.ports["decide"], "/metrics")[1], capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    job = {"job_name": "twohand-workers", "static_configs": [{"targets": [f"127.0.0.1:{watched.ports['decide']}"]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    command = [program("prometheus", "prometheus"), f"--config.file={tmp_path}/prometheus.yml",
               f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))

        def found():
            query = "up%20*%20on()%20group_left%20sum(twohand_worker_decisions_total)"
            return json.loads(get(port, f"/api/v1/query?query={query}")[1])["data"]["result"]

        eventually(found)
        assert found()[0]["value"][1] == "1"
    finally:
        process.terminate()
        process.wait(10)


def test_a_port_that_is_taken_is_told_before_anything_is_consumed(watched):
    """One line of JSON where that is asked for, with what to do; exit code 2, as for all that cannot get better by itself."""
    taken = str(watched.ports["rules"])
    words = [
        "worker",
        "--only",
        "rules",
        "--listen",
        taken,
        "--log",
        "json",
        "--settings",
        str(watched.engine.settings),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *words], capture_output=True, text=True, check=False, timeout=30
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"--listen {taken}: Address already in use." in json.loads(line)["message"]
    assert "give each its own port" in json.loads(line)["message"]


def test_the_trace_outlives_a_decider_and_covers_what_the_escalator_says(postgres):
    """It lies in the store: another decider's decision has it, and so has a deadline that passed; the newest proposal's counts."""
    url = postgres.fresh("traced")
    with Store(url) as store:
        store.migrate()
    change, record = proposed(1), carried(proposed(1))
    for start, headers in enumerate([(("traceparent", b"nonsense"),), (("traceparent", OLDER),), (PARENT, STATE), ()]):
        first = Deciding(url, lambda: NOON, patience=1)
        first.take(origins(record._replace(headers=(*record.headers, *headers)), start=start), lambda: None)
        first.close()
    second = Deciding(url, lambda: NOON, patience=1)
    (told,) = second.take(origins(encode(rules(change), "example/shop")), lambda: None)
    second.close()
    with Casebook(url) as book:
        book.append([DeadlinePassed(change=change.change, content_key=change.content_key, due=NOON, at=NOON)])
        (said,) = book.unsent()
    for one in (told, said.record):
        assert context(one.headers) == (("traceparent", PARENT[1].decode()), ("tracestate", "ci=run1"))


# -- without workers -----------------------------------------------------------------------------------------------


def test_addresses():
    """A port is one of loopback; several workers take one port after the other."""
    assert parsed("9464") == ("127.0.0.1", 9464)
    assert parsed("[::1]:9464") == ("::1", 9464)
    assert [beside("9464", number) for number in (0, 2)] == ["127.0.0.1:9464", "127.0.0.1:9466"]
    assert (beside("[::1]:9464", 1), beside("0", 1), beside("", 1)) == ("[::1]:9465", "127.0.0.1:0", "")
    for wrong in ("", ":9464", "host", "host:99999", "9464x", "host:-1"):
        with pytest.raises(NoAddress, match="no address"):
            parsed(wrong)
    with pytest.raises(CannotListen, match="nowhere"):
        Listener("nowhere.invalid:1", Gauges(GROUP))


def test_a_worker_that_is_not_ready_says_why():
    """Before it started, without partitions, and when its watchdog is gone."""
    gauges = Gauges(GROUP)
    with closing(Listener("0", gauges)) as listener:
        assert json.loads(get(listener.port, "/readyz")[1])["why"] == "it has not started yet"
        gauges.stand(Standing(ready=False, why="it has no partitions"))
        assert get(listener.port, "/readyz")[0] == 503
        assert get(listener.port, "/livez")[0] == 200
        gauges._looked -= 60
        status, body = get(listener.port, "/livez")
        assert (status, json.loads(body)["why"]) == (503, "its watchdog has not looked for 60 s")


def test_a_decision_is_timed_once_from_its_proposal():
    """A later decision of the same change is not: what it waited for was people."""
    gauges = counted()
    gauges.handled(Handled([], [], [decision(proposed(1))], 0.1))
    found = samples(gauges.text())
    assert found[("twohand_worker_decision_seconds_count",)] == 1
    assert found[("twohand_worker_decision_seconds_bucket", "2.5")] == 1
    assert found["twohand_worker_decisions_total", "escalated"] == 2
    assert found[("twohand_worker_retries_total",)] == 4


def test_what_a_decision_decides_is_read_off_its_body():
    """Whatever texts inside of it say."""
    assert outcome_of(decision(proposed(1))) == "escalated"
    for value in (None, b"", b'"outcome":"', b'"outcome":"\xff"'):
        assert outcome_of(Record("twohand.decisions", b"k", value)) == "other"


def test_what_came_of_a_batch_is_told_with_the_last_event_of_its_change():
    """Two events of one change, one decision."""
    change = proposed(1)
    came = origins(carried(change), carried(change), carried(proposed(2)))
    told = list(lines(Handled(came, [0.0] * 3, [decision(change)], 0.25), GROUP))
    assert [row["result"] for row in told] == ["taken", "published", "taken"]
    assert told[1]["published"] == ["DecisionMade escalated"]
    assert {row["seconds"] for row in told} == {0.25}
    assert id_of(()) == ""
