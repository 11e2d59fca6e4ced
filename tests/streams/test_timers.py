"""Timers that survive: steps that are due are told once, whatever happens to clocks and processes (law 38, 39)."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bench.escalation import many, year
from rules import instants
from rules.events import (
    DeadlinePassed,
    DecisionMade,
    EscalationOpened,
)
from streams import clock
from streams.engines.journal import Journal
from streams.engines.outbox import LEASE
from streams.service import Service
from streams.settings import Alert
from streams.timers import Timers
from tests.streams.asked import ALERTS, START, change
from tests.streams.gate import Gate
from tests.streams.receivers import Receiver
from tests.streams.timers_contract import *  # noqa: F403 - the suite over this record
from tests.streams.timers_contract import MINUTE, MOVES, after, ends, kinds, messages, whatever_happens

ROOT = Path(__file__).parents[2]


@pytest.fixture
def another(tmp_path: Path):
    return lambda: Journal(tmp_path / "journal.db")


@pytest.fixture
def journal(another):
    """An empty journal; whatever is done to it, its rows stay chained."""
    with another() as opened:
        yield opened
        assert opened.broken_row() is None


@pytest.fixture
def empty(tmp_path_factory):
    """As many empty journals as are asked for."""

    @contextmanager
    def made():
        with Journal(tmp_path_factory.mktemp("any") / "journal.db") as opened:
            yield opened
            assert opened.broken_row() is None

    return made


def record(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


def test_a_refused_change_pages_its_owner_and_an_approval_ends_it(gate):
    """An escalated decision becomes a page to the owners; their approval resolves it."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    assert gate.run("review").code == 4
    with Journal(record(gate)) as journal:
        timers, start = Timers(journal, ALERTS), clock.now()
        timers.run(start)
        timers.run(start)
        timers.run(instants.later(start, 60))
        (message,) = messages(journal)
        assert (message.kind, message.names(), message.severity) == ("open", "carol", "critical")
        assert message.paths == ("auth/login.py",)
        timers.run(instants.later(start, 1800))
        assert kinds(journal) == ["open", "remind"]
        gate.say("approve", "carol")
        assert gate.run("review").code == 0
        timers.run(instants.later(start, 1900))
        assert kinds(journal) == ["open", "remind", "resolved"]
        assert ends(journal) == ["approved"]


def test_a_statement_that_arrives_is_decided_by_the_timers(gate, keys):
    """An approval that was recorded without a decision ends the question at the next tick (law 19: verified again)."""
    from streams.hooks import letterbox
    from streams.sources import statements
    from streams.sources.git import Repository

    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    assert gate.run("review").code == 4
    gate.say("approve", "carol")
    with Journal(record(gate)) as journal:
        timers, start = Timers(journal, ALERTS), clock.now()
        timers.run(start)
        rows = statements.listing(Repository.open(gate.repo.path)).rows
        carol = [row for row in rows if row.statement and row.statement.by == "carol"]
        letterbox.recorded(carol, statements.verified(carol, {}), journal, clock.now())
        timers.run(instants.later(clock.now(), 1))
        assert [event.outcome for event in journal.events() if isinstance(event, DecisionMade)][-1] == "admitted"
        assert ends(journal) == ["approved"]


def test_a_deadline_passes_and_people_are_asked(gate):
    """Law 39: nobody who was awaited answered in time: the fact and a new decision are recorded, and the owner is paged."""
    gate.repo.git("checkout", "-q", "-b", "plain", "main")
    gate.repo.write("shop.py", "x = 1\n")
    gate.repo.commit("A shop")
    gate.say("propose", "alice", "--tool", "none")
    assert gate.run("review").code == 5
    with Journal(record(gate)) as journal:
        timers, start = Timers(journal, ALERTS), clock.now()
        timers.run(start)
        assert (kinds(journal), timers.next_due() is not None) == ([], True)
        timers.run(instants.later(start, 3 * MINUTE))
        passed = [event for event in journal.events() if isinstance(event, DeadlinePassed)]
        made = [event.outcome for event in journal.events() if isinstance(event, DecisionMade)]
        assert (len(passed), made) == (1, ["pending", "escalated"])
        assert kinds(journal) == ["open"]
        timers.run(instants.later(start, 4 * MINUTE))
        assert sum(isinstance(event, DeadlinePassed) for event in journal.events()) == 1
    assert gate.run("review").code == 4


@given(MOVES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_nobody_is_told_twice_and_nothing_is_forgotten(empty, steps):
    """Opening, acknowledging, answering, restarts and clocks that go back, in any order."""
    whatever_happens(empty, steps)


def test_hundreds_of_open_questions_are_told_in_short_ticks():
    """Every one of four hundred is told in its tick; none holds the journal for a second of processor time."""
    found = many(400)
    assert found["longest_tick"] <= 1
    assert found["idle"] <= 0.1


def test_a_year_is_simulated_in_seconds():
    """Three escalations a day for two months, answered, forgotten and ignored: the same code, and nothing stays open but the newest."""
    found = year(60)
    assert found["open"] == 2
    assert found["seconds"] < 30


def test_a_change_that_cannot_be_read_stops_nobody(journal, capsys):
    """A damaged record of one change is told and tried again; others are paged as if it were not there."""
    journal.append([*change(1), *change(2)])
    with journal.transaction() as db:
        (text,) = db.execute("select body from log where key = 'change-1' and type like '%decision%'").fetchone()
        db.execute("update log set body = '{}' where key = 'change-1' and type like '%decision%'")
    timers = Timers(journal, ALERTS)
    timers.run(START)
    assert [message.change for message in messages(journal)] == ["change-2"]
    assert "change change-1 is put off" in capsys.readouterr().err
    timers.run(after(0.5))
    assert capsys.readouterr().err == ""
    with journal.transaction() as db:
        db.execute("update log set body = ? where key = 'change-1' and type like '%decision%'", (text,))
    timers.run(after(1))
    assert {message.change for message in messages(journal)} == {"change-1", "change-2"}


def test_an_idle_service_writes_nothing(journal):
    """Where nothing is due, a tick leaves the file alone."""
    journal.append(change(1))
    service = Service(journal, ALERTS, now=lambda: START)
    service.round()
    service.round()
    before = journal.ask("select total_changes()")
    for second in range(30):
        service.timers.run(instants.later(START, second))
        assert service.outbox.due(instants.seconds_of(START) + second) == []
    assert journal.ask("select total_changes()") == before


KILLED = """
import os, sys
from pathlib import Path
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.service import Service
from tests.streams.asked import START
from streams.settings import Alert

class Dying(JournalOutbox):
    def settle(self, outcome):
        Path(sys.argv[2]).touch()
        while True:
            pass

with Journal(Path(sys.argv[1])) as journal:
    service = Service(journal, {"owners": Alert("owners", "webhook", url=sys.argv[3])}, now=lambda: START)
    service.dispatcher._outbox = Dying(journal)
    service.round()
"""


def test_killed_between_page_and_record(journal, tmp_path):
    """kill -9 after the page went out and before that was recorded: it is sent again, with the id by which the receiver drops it."""
    journal.append(change(1))
    mark = tmp_path / "sent"
    with Receiver() as receiver:
        command = [sys.executable, "-c", KILLED, str(journal.path), str(mark), receiver.url]
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 60
        while not mark.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        at = instants.later(START, LEASE)
        service = Service(journal, {"owners": Alert("owners", "webhook", url=receiver.url)}, now=lambda: at)
        assert [outcome.by for outcome in service.round().sent] == ["owners"]
        assert service.round().sent == ()
        names = [{name.lower(): value for name, value in got.headers.items()}["x-twohand-id"] for got in receiver.got]
    assert (len(names), len(set(names))) == (2, 1)
    assert sum(isinstance(event, EscalationOpened) for event in journal.events()) == 1
