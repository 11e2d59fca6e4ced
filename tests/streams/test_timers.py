"""Timers that survive: steps that are due are told once, whatever happens to clocks and processes (law 38, 39)."""

import json
from pathlib import Path

import pytest

from rules import instants
from rules.events import EscalationOpened, EscalationResolved
from streams import clock
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.settings import Alert
from streams.timers import Timers
from tests.streams.gate import Gate, clean_environment, make_keys

ALERTS = {"owners": Alert("owners", "log")}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    return Gate(tmp_path, keys, capsys)


def record(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


def kinds(journal: Journal) -> list[str]:
    return [parcel.message.kind for parcel, _, _ in JournalOutbox(journal).letters()]


def test_a_refused_change_pages_its_owner_and_an_approval_ends_it(gate):
    """An escalated decision becomes a page to the owners; their approval resolves it."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    assert gate.run("review").code == 4
    with Journal(record(gate)) as journal:
        timers, start = Timers(journal, ALERTS), clock.now()
        timers.run(start)
        assert kinds(journal) == ["open"]
        timers.run(start)
        timers.run(instants.later(start, 60))
        assert kinds(journal) == ["open"]
        message = JournalOutbox(journal).letters()[0][0].message
        assert message.names() == "carol"
        timers.run(instants.later(start, 1800))
        assert kinds(journal) == ["open", "remind"]
        gate.say("approve", "carol")
        assert gate.run("review").code == 0
        timers.run(instants.later(start, 1900))
        assert kinds(journal) == ["open", "remind", "resolved"]
        ends = [event for event in journal.events() if isinstance(event, EscalationResolved)]
        assert [end.how for end in ends] == ["approved"]
