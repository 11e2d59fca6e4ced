"""Law 35: break-glass lets a change in, tells everybody it skips, stays a debt until reviewed, and is not to be had twice."""

import json
import shlex
from pathlib import Path

import pytest

from rules import instants
from rules.events import DecisionMade, EscalationOpened, EscalationResolved
from streams import clock
from streams.commands import say
from streams.desk import Asked, Desk
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.hooks import letterbox
from streams.sources import statements
from streams.sources.git import Repository
from streams.timers import Timers
from tests.streams.asked import ALERTS
from tests.streams.gate import Gate, clean_environment

RULES = """
[waivers]
break_glass = ["bob"]
[escalation]
steps = [{ after = "0m", notify = ["pager"] }, { after = "1h", notify = ["owners"] }]
"""


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    gate = Gate(tmp_path, keys, capsys)
    gate.repo.git("checkout", "-q", "main")
    gate.repo.write("twohand.toml", gate.policy + RULES)
    gate.repo.commit("Glass")
    gate.repo.git("checkout", "-q", "feature")
    gate.repo.git("rebase", "-q", "main")
    return gate


def broken(gate: Gate) -> None:
    """Bob, who is neither author nor owner, lets Alice's change in."""
    gate.say("propose", "alice", "--tool", "none")
    assert gate.run("review").code == 4
    gate.say("waive", "bob", "--break-glass", "--reason", "fire in production")
    assert gate.run("review").code == 0


def record(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


def listed(gate: Gate) -> list[dict]:
    return json.loads(gate.run("escalation", "list", "--format", "json").out)["escalations"]


def test_everybody_who_is_skipped_is_told(gate):
    """The owner whose approval was skipped is told who broke the glass and why, although the first step names another route."""
    broken(gate)
    with Journal(record(gate)) as journal:
        Timers(journal, ALERTS).run(clock.now())
        opened = [event for event in journal.events() if isinstance(event, EscalationOpened)]
        assert [(event.asked, event.reasons[0]) for event in opened] == [(("carol", "dave"), "break-glass")]
        told = [parcel.message for parcel, _, _ in JournalOutbox(journal).letters()]
    assert [message.names() for message in told] == ["carol, dave", ""]
    assert any("bob broke the glass: fire in production" in why for why in told[0].why)
    assert "skipped by break-glass" in told[0].what


def test_it_is_a_debt_until_somebody_reviewed_it(gate):
    """Landing does not end it; the approvals that were skipped do."""
    broken(gate)
    start = clock.now()
    with Journal(record(gate)) as journal:
        Timers(journal, ALERTS).run(start)
    assert [row["debt"] for row in listed(gate)] == [True]
    assert "debt: let in by break-glass" in gate.run("escalation", "list").out
    gate.say("approve", "carol")
    gate.say("approve", "bob")
    assert gate.run("review").code == 0
    with Journal(record(gate)) as journal:
        Timers(journal, ALERTS).run(instants.later(start, 60))
        ends = [event.how for event in journal.events() if isinstance(event, EscalationResolved)]
    assert ends == ["reviewed"]
    assert listed(gate) == []


def test_after_it_landed_the_command_of_the_message_reviews_it(gate):
    """The target holds the content then, so the command names the step's base; what is typed from the message ends the debt."""
    broken(gate)
    gate.repo.git("checkout", "-q", "main")
    gate.repo.git("merge", "-q", "--ff-only", "feature")
    with Journal(record(gate)) as journal:
        Timers(journal, ALERTS).run(clock.now())
        told = [parcel.message for parcel, _, _ in JournalOutbox(journal).letters()]
    command = shlex.split(told[0].command)[1:]
    assert command[command.index("--as") + 1] == "carol"
    for name in ("carol", "bob"):
        words = [name if word == "carol" else word for word in command]
        said = gate.run(*words, "--key", str(gate.keys[name]))
        assert said.code == 0, said.err
    rows = statements.listing(Repository.open(gate.repo.path)).rows
    content = {row.statement.content_key for row in rows if row.statement}
    assert len(content) == 1


def test_the_second_one_after_a_day_is_nothing(gate):
    """Within 24 hours another may be broken; after that none is taken until somebody reviewed the first."""
    broken(gate)
    start = clock.now()
    for name in ("second", "third"):
        gate.repo.git("checkout", "-q", "-b", name, "main")
        gate.repo.write("auth/login.py", f"def login(user):\n    check(user)\n    {name}(user)\n")
        gate.repo.commit(name)
    outcomes = {}
    for name, hours in (("second", 23), ("third", 25)):
        at = instants.later(start, hours * 3600)
        with Desk(Repository.open(gate.repo.path), now=lambda at=at: at) as opened:
            for speech in _words(gate):
                assert say._say(speech, Asked(head=name), opened, push="") == 0
            judgement = opened.review(Asked(head=name))
            outcomes[name] = judgement.outcome, {reason.code for reason in judgement.reasons}
    assert outcomes["second"][0] == "admitted"
    assert outcomes["third"][0] == "escalated"
    assert "waiver.invalid" in outcomes["third"][1]


def _words(gate: Gate) -> list[say.Speech]:
    proposal = say.Speech("propose", name="alice", key=gate.keys["alice"], tool="none")
    waiver = say.Speech("waive", name="bob", key=gate.keys["bob"], break_glass=True, reason="another fire")
    return [proposal, waiver]


def test_what_was_broken_since_counts_for_a_waiver_that_arrives(gate):
    """A waiver that is recorded without a push is decided with what was broken meanwhile: after a day it lets nothing in."""
    gate.repo.git("checkout", "-q", "-b", "second", "main")
    gate.repo.write("auth/login.py", "def login(user):\n    check(user)\n    again(user)\n")
    gate.repo.commit("again")
    gate.say("propose", "alice", "--tool", "none")
    assert gate.run("review").code == 4
    gate.repo.git("checkout", "-q", "feature")
    broken(gate)
    late = instants.later(clock.now(), 25 * 3600)
    repo = Repository.open(gate.repo.path)
    with Desk(repo, now=lambda: late) as opened:
        say._say(_words(gate)[1], Asked(head="second"), opened, push="")
    rows = [row for row in statements.listing(repo).rows if row.statement and row.statement.time == late]
    with Journal(record(gate)) as journal:
        letterbox.recorded(rows, statements.verified(rows, {}), journal, late)
        Timers(journal, ALERTS).run(late)
        made = [event for event in journal.events() if isinstance(event, DecisionMade)]
    assert [event.outcome for event in made] == ["escalated", "escalated", "admitted", "escalated"]
    assert made[-1].change == made[0].change
    assert "waiver.invalid" in made[-1].decision
