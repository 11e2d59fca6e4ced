"""pre-receive with `engine = "kafka"`: what lies in the relay's file admits only what the decider admitted, and is never waited for."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rules import instants
from rules.events import ChangeProposed, DecisionMade
from streams import clock
from streams.commands.app import run
from streams.engines.journal import Journal
from streams.engines.kafka.carrier.relay_file import Beside, RelayRuns, Told, alone
from streams.hooks.second import FRESH
from tests.streams.served import Pushed, Served, enforce

SETTINGS = (
    'engine = "kafka"\n[kafka]\nbootstrap = "192.0.2.1:9092"\n[store]\nurl = "postgresql://nobody@192.0.2.1/none"\n'
)


class Elsewhere:
    """A server whose decider is far away: `192.0.2.1` answers nobody. What it said is written as the relay would."""

    def __init__(self, served: Served) -> None:
        self.served, self.folder, self.place = served, served.server.path / "twohand", 0
        enforce(served.server, SETTINGS)

    def push(self, *refspecs: str) -> Pushed:
        return self.served.push(*(refspecs or ("feature:main",)))

    def last(self, kind: type = DecisionMade):
        """What the journal recorded last of a kind."""
        with Journal(self.folder / "journal.db") as journal:
            return [event for event in journal.events() if isinstance(event, kind)][-1]

    def says(self, outcome: str = "admitted", *, reasons=(), ago: int = 0, **about: object) -> None:
        """The decider's word about what was pushed last, with `about` changed in it, carried `ago` seconds ago."""
        made = self.last()
        said = json.loads(made.decision)
        said["policy"] = [row for row in said["policy"] if row["role"] != "decider"]
        change = {name: about.pop(name, value) for name, value in said["change"].items()}
        said |= {"outcome": outcome, "reasons": list(reasons), "change": change, **about}
        self.tells(
            DecisionMade(change=made.change, content_key=made.content_key, outcome=outcome, decision=json.dumps(said)),
            ago,
        )

    def tells(self, event: DecisionMade, ago: int = 0) -> None:
        self.place += 1
        with Beside(self.folder) as file:
            file.hear([(event.change, event.content_key, "rules")], [Told(self.place, event)], {})
            file.reached(instants.later(clock.now(), -ago))


def plain(pushed: Pushed) -> str:
    """What the hook said, with folded commands on one line."""
    return " ".join(pushed.words.replace(" \\ ", " ").split())


@pytest.fixture
def elsewhere(served: Served) -> Elsewhere:
    return Elsewhere(served)


def test_both_laws_have_to_agree(elsewhere):
    """Nothing is admitted before the decider said so; a word that is not admitted, or one that came later, closes it again."""
    elsewhere.served.agree()
    first = elsewhere.push()
    assert not first.taken
    assert "proposed, waiting for the decider: nobody is known to have judged it yet" in first.words
    assert "no relay has carried everything from here yet" in first.words
    assert f"twohand relay -C {elsewhere.served.server.path}" in plain(first)
    elsewhere.says("pending", reasons=[])
    assert not elsewhere.push().taken
    veto = {
        "code": "veto",
        "subject": "bob",
        "requirement": "",
        "values": {"reason": "no"},
        "remedy": "twohand withdraw X",
    }
    elsewhere.says("blocked", reasons=[veto])
    blocked = elsewhere.push()
    assert not blocked.taken
    assert "is blocked" in blocked.words
    assert "veto: bob" in blocked.words
    elsewhere.says()
    landed = elsewhere.push()
    assert landed.taken, landed.err
    assert elsewhere.served.at("main") == elsewhere.served.head


def test_the_decider_alone_admits_nothing(elsewhere):
    """Law 19: its word does not stand in for an approval that this server has not verified."""
    elsewhere.push()
    elsewhere.says()
    pushed = elsewhere.push()
    assert not pushed.taken
    assert "bob or carol can" in pushed.words


def test_a_word_about_something_else_is_none(elsewhere):
    """Law 7: another repository, target, content or proposal, or the same under other policies or by other hands."""
    elsewhere.served.agree()
    elsewhere.push()
    others = (
        {"target": "refs/heads/release/1"}, {"content_key": "0" * 64}, {"repository": "example/other"},
        {"head": "1" * 40}, {"base": "2" * 40},
    )  # fmt: skip
    for other in others:
        elsewhere.says(**other)
        pushed = elsewhere.push()
        assert not pushed.taken
        assert f"its newest decision is about another {next(iter(other)).replace('_', ' ')}" in pushed.words
    said = json.loads(elsewhere.last().decision)
    elsewhere.says(policy=[{**row, "digest": "0" * 64} for row in said["policy"][:-1]])
    assert "this change under other policies" in elsewhere.push().words
    elsewhere.says(authors=[{**row, "principal": "mallory"} for row in said["authors"]])
    assert "this content by other hands" in elsewhere.push().words
    elsewhere.says()
    assert elsewhere.push().taken


def test_what_nobody_has_carried_lately_may_be_over(elsewhere):
    """Law 40: an old admission says nothing about what was said since."""
    elsewhere.served.agree()
    elsewhere.push()
    elsewhere.says(ago=FRESH + 60)
    pushed = elsewhere.push()
    assert not pushed.taken
    assert "what it said last may be over" in pushed.words
    assert "the relay last carried everything at" in pushed.words
    elsewhere.says(ago=-FRESH - 60)
    assert not elsewhere.push().taken


def test_a_decision_that_cannot_be_read_is_none(elsewhere):
    """Law 40: the reason and the way out are told, and the change is proposed all the same."""
    elsewhere.served.agree()
    elsewhere.push()
    proposal = elsewhere.last(ChangeProposed)
    whose = {"change": proposal.change, "content_key": proposal.content_key, "outcome": "admitted"}
    for said in ("{", "[]", "null", '{"outcome":"admitted"}', '{"change":{},"outcome":"admitted"}'):
        elsewhere.tells(DecisionMade(decision=said, **whose))
        pushed = elsewhere.push()
        assert not pushed.taken
        assert "the decider's word cannot be read: relay.db holds a decision that is none" in pushed.words
        assert f"rm {elsewhere.folder / 'relay.db'} && twohand relay" in plain(pushed)


def test_a_file_that_cannot_be_read_says_nothing(elsewhere):
    """Garbage, and a file of a newer version."""
    elsewhere.served.agree()
    (elsewhere.folder / "relay.db").write_bytes(b"garbage " * 1000)
    pushed = elsewhere.push()
    assert not pushed.taken
    assert "cannot be used: file is not a database" in pushed.words
    (elsewhere.folder / "relay.db").unlink()
    with Beside(elsewhere.folder):
        pass
    with sqlite3.connect(elsewhere.folder / "relay.db") as db:
        db.execute("pragma user_version = 99")
    assert "has format 99" in elsewhere.push().words


def test_what_only_the_decider_withholds_is_no_admission_on_record(elsewhere):
    """A ref that is moved by hand to such a head is an incident (law 40)."""
    elsewhere.served.agree()
    assert not elsewhere.push().taken
    decision = json.loads(elsewhere.last().decision)
    assert (decision["outcome"], decision["policy"][-1]["role"]) == ("pending", "decider")
    with Journal(elsewhere.folder / "journal.db") as journal:
        assert journal.admitted("refs/heads/main", elsewhere.served.head) == []


def test_status_names_what_keeps_the_decider_away(elsewhere, capsys):
    """No relay, one that is late, one that carries; and settings that name another engine than those of the installation."""
    server = elsewhere.served.server.path

    def status() -> str:
        capsys.readouterr()
        run(["hook", "status", "-C", str(server)])
        return " ".join(capsys.readouterr().out.split())

    assert "no relay has ever run here" in status()
    elsewhere.push()
    elsewhere.says(ago=FRESH + 60)
    assert "every push waits for it" in status()
    elsewhere.says()
    assert "everything was last carried at" in status()
    other = server / "twohand" / "other.toml"
    other.write_text('engine = "journal"\n')
    assert run(["hook", "install", "--server", "-q", "-C", str(server), "--settings", str(other)]) == 0
    assert "pre-receive decides with engine journal" in status()


def test_one_relay_at_a_time(tmp_path: Path):
    """The second one says who carries already."""
    with alone(tmp_path), pytest.raises(RelayRuns, match=r"process \d+ holds .*relay\.lock"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_the_hook_opens_no_socket():
    """Nothing of Kafka is imported, not even a socket: a push is as fast as without."""
    code = (
        "import sys, streams.hooks.receive, streams.hooks.second;"
        "print([n for n in sys.modules if n.split('.')[0] in ('kafka', 'zstandard', 'psycopg', 'socket', 'ssl')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
