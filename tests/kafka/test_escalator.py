"""The escalator on a real broker and a real database: people are asked once, whatever ends in between, and it never decides."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from rules import instants
from rules.events import (
    ChangeProposed,
    DeadlinePassed,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    LawText,
    ReviewGiven,
)
from streams import clock
from streams.answers import Answers
from streams.desk import Desk
from streams.engines.codec import decode as decode_line
from streams.engines.kafka.carrier.relay import Relay
from streams.engines.kafka.carrier.relay_file import Beside
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.cases.connection import StoreUnusable
from streams.engines.kafka.records.wire import decode, encode
from streams.engines.kafka.workers.escalating import Escalating, TopicMissing
from streams.engines.outbox import LEASE
from streams.settings import parse
from tests.gitrepo import Repo
from tests.kafka.engine import Engine
from tests.kafka.events import KEY, POLICY, carried, proposed, rules
from tests.kafka.processes import ROOT, Server
from tests.streams.receivers import Receiver, eventually, free_port
from tests.streams.test_replay import exported, keys  # noqa: F401 - a change that two people approved

pytestmark = pytest.mark.xdist_group("kafka")

SECRET = b"s" * 32
AHEAD = "2099-01-01T00:00:00Z"  # what a server says whose clock is wrong


@pytest.fixture(scope="module")
def people():
    with Receiver((200, b"", {})) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory, people):
    """Broker, store and decider, with a route to people."""
    made = Engine(broker, postgres, tmp_path_factory.mktemp("escalator"))
    with made.settings.open("a") as settings:
        settings.write(f'[alerts.owners]\nkind = "webhook"\nurl = "{people.url}"\n')
    made.start("decide")
    yield made
    made.close()


class Clock:
    """Tells what it is set to."""

    def __init__(self, at):
        self.start = self.at = at

    def __call__(self):
        return self.at

    def after(self, minutes):
        self.at = instants.later(self.start, int(60 * minutes))


@pytest.fixture
def escalator(engine):
    """Makes escalators in this process."""
    made = []

    def make(now=clock.now, **changed) -> Escalating:
        settings = parse(engine.settings.read_text(), "settings.toml")
        made.append(Escalating(settings._replace(**changed), now=now, secret=SECRET))
        return made[-1]

    yield make
    for one in made:
        one.book.close()


def published(engine) -> list[object]:
    """What the topic has, each fact once, in order."""
    return list(
        {dict(record.headers)["ce_id"]: decode(record) for record in engine.read("twohand.escalations")}.values()
    )


def said(engine, change) -> list[object]:
    """What it has of a change."""
    return [event for event in published(engine) if event.change == change]


def told(people, change) -> list[tuple[str, str]]:
    """Kind and id of each message about a change that people got."""
    bodies = [(got.json(), {name.lower(): value for name, value in got.headers.items()}) for got in people.got]
    return [(body["meta"]["kind"], heads["x-twohand-id"]) for body, heads in bodies if body["meta"]["change"] == change]


def outcome(engine, change) -> str:
    made = [decode(record) for record in engine.read("twohand.decisions")]
    return next((one.outcome for one in reversed(made) if one.change == change), "")


def test_asked_acknowledged_and_answered(engine, people, escalator, exported):  # noqa: F811
    """Law 39: the rules stay silent, time passes, the decider escalates, two escalators ask once, somebody hears it, and
    when all have spoken it is over."""
    events = [event for event in map(decode_line, exported) if not isinstance(event, DecisionMade)]
    change = next(event for event in events if isinstance(event, ChangeProposed))
    spoken = [event for event in events if isinstance(event, ReviewGiven)]
    now = Clock(change.at)
    both = [escalator(now) for _ in range(2)]

    def rounds(minutes):
        now.after(minutes)
        hands = [threading.Thread(target=one.round) for one in both]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        return [kind for kind, _ in told(people, change.change)]

    engine.send(*(encode(event, "example/shop") for event in events if event not in spoken))
    with Casebook(engine.store) as book:
        eventually(lambda: list(book.events(change.change)), 20)
    assert rounds(1) == []
    rounds(3)
    eventually(lambda: outcome(engine, change.change) == "escalated", 20)
    assert eventually(lambda: rounds(3), 20) == ["open"]
    one = next(event for event in said(engine, change.change) if isinstance(event, EscalationOpened))
    assert one.asked == ("bob", "carol")
    heard = EscalationAcknowledged(change=one.change, escalation=one.escalation, by="carol", through="link", at=AHEAD)
    engine.send(encode(heard, "example/shop"))
    assert eventually(lambda: len(rounds(5)) > 1 and rounds(5), 20) == ["open", "acknowledged"]
    assert rounds(30) == ["open", "acknowledged"]
    assert rounds(36) == ["open", "acknowledged", "remind"]
    engine.send(*(encode(event, "example/shop") for event in spoken))
    eventually(lambda: outcome(engine, change.change) == "admitted", 20)
    assert eventually(lambda: len(rounds(37)) > 3 and rounds(37), 20) == ["open", "acknowledged", "remind", "resolved"]
    kinds = Counter(type(event) for event in said(engine, change.change))
    assert kinds == {DeadlinePassed: 1, EscalationOpened: 2, EscalationAcknowledged: 1, EscalationResolved: 1}


def waiting(number) -> ChangeProposed:
    """A change whose reviewers have no time at all."""
    law = LawText("default", "twohand.toml", POLICY.format(key=KEY).replace('deadline = "2m"', 'deadline = "0s"'))
    return proposed(number, laws=(law,), at=clock.now())


def test_killed_and_restarted_workers_ask_once(engine, people, escalator, postgres):
    """kill -9 of one of two workers and a restart of the database: every change is asked about once; SIGTERM ends the other."""
    workers = [engine.start("escalate", name) for name in ("one", "two")]
    changes = [waiting(number) for number in range(100, 130)]
    engine.send(*(record for one in changes[:15] for record in (carried(one), encode(rules(one), "x"))))
    eventually(lambda: len(people.got) > 5, 30)
    workers[0].end(signal.SIGKILL)
    postgres.restart()
    engine.send(*(record for one in changes[15:] for record in (carried(one), encode(rules(one), "x"))))
    wanted = Counter((one.change, kind) for one in changes for kind in (DeadlinePassed, EscalationOpened))

    def found():
        return Counter(
            (event.change, type(event)) for event in published(engine) if (event.change, type(event)) in wanted
        )

    eventually(lambda: found() >= wanted, 40)
    assert found() == wanted
    later = escalator(lambda: instants.later(clock.now(), LEASE))  # takes up what the killed one had in its hands
    eventually(lambda: later.round() and all(told(people, one.change) for one in changes), 20)
    assert {len({name for _, name in told(people, one.change)}) for one in changes} == {1}
    workers[1].end(seconds=10)
    assert workers[1].code == 0, workers[1].log.read_text()


KILLED = """
import sys
from pathlib import Path
from streams.engines.kafka.workers.escalating import Escalating, TopicMissing
from streams.engines.kafka.carrier.relay import Relay
from streams.engines.kafka.carrier.relay_file import Beside
from streams.engines.kafka.cases.connection import StoreUnusable
from streams.engines.outbox import LEASE
from streams.settings import parse

class Dying(Escalating):
    def publish(self):
        Path(sys.argv[2]).touch()
        while True:
            pass

Dying(parse(Path(sys.argv[1]).read_text(), "settings.toml")).round()
"""


def test_killed_between_record_and_publication(engine, people, escalator, tmp_path):
    """kill -9 after people were asked and before the topic was told: the next one tells it, and asks nobody again."""
    change, mark = waiting(200), tmp_path / "recorded"
    engine.send(carried(change), encode(rules(change), "x"))
    eventually(lambda: outcome(engine, change.change) == "pending", 20)
    first = escalator()
    first.round()
    eventually(lambda: outcome(engine, change.change) == "escalated", 20)
    command = [sys.executable, "-c", KILLED, str(engine.settings), str(mark)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    eventually(mark.exists, 30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [type(event) for event in said(engine, change.change)] == [DeadlinePassed]
    assert first.round() == (True, False)
    assert [type(event) for event in said(engine, change.change)] == [DeadlinePassed, EscalationOpened]
    assert [kind for kind, _ in told(people, change.change)] == ["open"]


def test_a_broker_that_is_away_keeps_nobody_from_being_asked(engine, people, escalator, caplog):
    """What is asked goes out; what has to be published waits, is told of once, and is published when there is a broker."""
    change = waiting(300)
    engine.send(carried(change), encode(rules(change), "x"))
    eventually(lambda: outcome(engine, change.change) == "pending", 20)
    lonely = escalator(bootstrap=f"127.0.0.1:{free_port()}")
    assert lonely.round() == (False, False)
    assert lonely.round() == (False, False)
    assert [record.levelname for record in caplog.records if "waits" in record.message] == ["WARNING"]
    with Casebook(engine.store) as book:
        assert [type(decode(row.record)) for row in book.unsent()] == [DeadlinePassed]
    escalator().publish()
    eventually(lambda: outcome(engine, change.change) == "escalated", 20)
    lonely.round()
    assert [kind for kind, _ in told(people, change.change)] == ["open"]
    escalator().publish()
    assert [type(event) for event in said(engine, change.change)] == [DeadlinePassed, EscalationOpened]


def test_a_link_pressed_at_a_server_stops_paging(engine, people, escalator, tmp_path):
    """The page of a server takes the link with the shared secret; its relay carries the answer, and the escalator hears it."""
    repo, change, one = Repo(tmp_path / "shop"), waiting(400), escalator()
    repo.write("twohand.toml", change.laws[0].text)
    repo.commit("Start")
    with Desk.at(repo.path, explicit=engine.settings) as desk, Beside(desk.journal.path.parent) as file:
        desk.journal.append([change])
        relay = Relay(desk, file, lambda _: None)
        relay.round()
        engine.send(encode(rules(change), "x"))
        eventually(lambda: one.round() and told(people, change.change), 20)
        link = next(got.json()["link"] for got in people.got if got.json()["change"] == change.change)
        place = Answers(desk.journal.path, SECRET)
        eventually(
            lambda: relay.round() and desk.journal.ask("select 1 from log where type like '%escalation-opened%'"), 20
        )
        assert place.use(link.rpartition("/")[2]).by == "bob"
        relay.round()
    eventually(lambda: one.round() and told(people, change.change)[1:], 20)
    assert [kind for kind, _ in told(people, change.change)] == ["open", "acknowledged"]


def test_a_database_that_is_away_is_waited_for(engine, escalator, tmp_path, caplog):
    """It says so once, is not ready, and SIGTERM ends it at once."""
    settings, ready = tmp_path / "settings.toml", tmp_path / "ready"
    settings.write_text(engine.settings.read_text().replace(engine.store, f"postgresql://x@127.0.0.1:{free_port()}/x"))
    command = [sys.executable, "-m", "streams.cli", "worker", "--only", "escalate", "--settings", str(settings)]
    worker = Server([*command, "--ready", str(ready)], tmp_path / "log")
    worker.start()
    eventually(lambda: "The case store cannot be reached" in worker.log.read_text(), 30)
    assert not ready.exists()
    worker.end(seconds=10)
    assert worker.code == 0, worker.log.read_text()
    away = escalator(store=f"postgresql://x@127.0.0.1:{free_port()}/x")
    assert [away.round() for _ in range(3)] == [(False, False)] * 3
    assert [record.levelname for record in caplog.records if "waits" in record.message] == ["WARNING"]


def test_what_cannot_work_is_said_at_the_start(engine, escalator):
    """No store in the settings, tables of another release, a topic that is not there: each with what to do."""
    with pytest.raises(StoreUnusable, match=r"\[store\] url is not set"):
        escalator(store="").check()
    with pytest.raises(StoreUnusable, match="has version 0"):
        escalator(store=engine.store.replace("/engine", "/postgres")).check()
    engine.broker.delete("twohand.escalations")
    with pytest.raises(TopicMissing, match=r"twohand\.escalations is not there"):
        escalator().check()


def test_a_round_that_hangs_ends_the_process():
    """Its supervisor starts it again; what was recorded is not done twice."""
    source = "import threading\nfrom streams.engines.kafka.workers import escalating as e\nfrom streams.engines.kafka.telemetry.gauges import Gauges\n"
    source += "e.STILL = 0.2\ne.Guard(threading.Event(), Gauges(''), None).start()\nthreading.Event().wait(60)\n"
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "nothing done for 0 s" in done.stderr
