"""A refused push pages the owner; the pushed approval ends that, and the push lands: the enforcing repository, end to end."""

import json

import pytest

from rules import instants
from rules.events import DecisionMade, EscalationResolved
from streams import clock
from streams.commands.app import run
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.timers import Timers
from tests.streams.asked import ALERTS
from tests.streams.served import Served


def listed(served: Served, capsys: pytest.CaptureFixture[str]) -> list[dict]:
    capsys.readouterr()
    assert run(["escalation", "list", "--all", "--format", "json", "-C", str(served.server.path)]) == 0
    return json.loads(capsys.readouterr().out)["escalations"]


def test_from_refusal_to_landing(served, capsys):
    """Refused, paged, approved by a statement alone, resolved before anybody pushes again, landed, and silent."""
    served.work.write("auth/login.py", "def login(user):\n    pass\n")
    served.work.commit("No check")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    refused = served.push("HEAD:main")
    assert not refused.taken
    path = served.server.path / "twohand" / "journal.db"
    with Journal(path) as journal:
        timers, start = Timers(journal, ALERTS), clock.now()
        timers.run(start)
        told = [parcel.message for parcel, _, _ in JournalOutbox(journal).letters()]
        assert [(message.kind, message.names()) for message in told] == [("open", "carol")]
        assert [gone.quote.strip() for gone in told[0].gone] == ["check(user)"]
        assert (
            told[0].command == f"twohand approve {served.work.id('HEAD')[:12]} --target main --as carol --push origin"
        )
    assert [row["state"] for row in listed(served, capsys)] == ["open"]
    for name in ("bob", "carol"):
        served.say("approve", name)
    with Journal(path) as journal:
        timers = Timers(journal, ALERTS)
        timers.run(instants.later(clock.now(), 1))
        assert [event.how for event in journal.events() if isinstance(event, EscalationResolved)] == ["approved"]
    assert served.push("HEAD:main").taken
    with Journal(path) as journal:
        timers = Timers(journal, ALERTS)
        timers.run(instants.later(clock.now(), 7 * instants.DAY))
        kinds = [parcel.message.kind for parcel, _, _ in JournalOutbox(journal).letters()]
        assert kinds == ["open", "resolved"]
        ended = [parcel.message for parcel, _, _ in JournalOutbox(journal).letters()][-1]
        assert ended.by == "bob, carol"
        assert "approved by bob, carol; nobody needs to answer any more" in ended.what
        assert timers.next_due() is None
        assert [event.outcome for event in journal.events() if isinstance(event, DecisionMade)][-1] == "admitted"
        assert journal.broken_row() is None


def test_rework_asks_anew_and_ends_what_was_asked(served, capsys):
    """Another push of the same work resolves the first question as reworked; the page of the new content is its own."""
    served.work.write("auth/login.py", "def login(user):\n    pass\n")
    served.work.commit("No check")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    assert not served.push("HEAD:main").taken
    path = served.server.path / "twohand" / "journal.db"
    with Journal(path) as journal:
        Timers(journal, ALERTS).run(clock.now())
    served.work.write("auth/login.py", "def login(user):\n    return user\n")
    served.work.commit("Still no check")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    assert not served.push("HEAD:main").taken
    with Journal(path) as journal:
        Timers(journal, ALERTS).run(instants.later(clock.now(), 1))
    states = [(row["state"], row["how"]) for row in listed(served, capsys)]
    assert states == [("resolved", "reworked"), ("open", None)]
