"""The enforcing server with `engine = "kafka"`: real pushes, a real broker, workers and relay as processes."""

import json
import signal
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path

import pytest

from rules.events import event_id
from streams.desk import Desk
from streams.engines.kafka.carrier.relay_file import Beside, RelayUnusable
from streams.engines.kafka.records.wire import decode, encode
from tests.gitrepo import Repo
from tests.kafka.engine import Engine
from tests.kafka.processes import ROOT, Server
from tests.kafka.spoken import statement
from tests.streams import served
from tests.streams.conftest import keys  # noqa: F401 - key pairs of alice, bob, carol and mallory
from tests.streams.gate import clean_environment
from tests.streams.served import Served, enforce

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory):
    made = Engine(broker, postgres, tmp_path_factory.mktemp("story"))
    made.start("rules")
    made.start("decide")
    yield made
    made.close()


class Story:
    """A server whose decider is elsewhere, and a relay that can be killed."""

    def __init__(self, engine: Engine, folder: Path, folder_of_keys: Path) -> None:
        self.engine, self.served = engine, Served(folder, folder_of_keys)
        enforce(self.served.server, engine.settings.read_text())
        self.folder = self.served.server.path / "twohand"
        self.relay = Server(
            [sys.executable, "-m", "streams.cli", "relay", "-C", str(self.served.server.path)], folder / "relay.log"
        )

    def standing(self, key: str) -> dict | None:
        """What the decider last said about a content, as it came back."""
        if not (self.folder / "relay.db").exists():
            return None
        try:
            with Beside(self.folder, writable=False) as file:
                found = file.standing(key)
        except RelayUnusable as error:
            if error.busy:  # it is just being made
                return None
            raise
        return json.loads(found.decision) if found else None

    def until(self, key: str, outcome: str, seconds: float = 40) -> dict:
        """The decision once it is this; fails with everybody's log."""
        deadline = time.monotonic() + seconds
        while (found := self.standing(key)) is None or found["outcome"] != outcome:
            if time.monotonic() > deadline:
                logs = [self.relay.log, *(worker.log for worker in self.engine.workers)]
                raise AssertionError(
                    f"{found and found['outcome']}\n" + "\n".join(log.read_text()[-2000:] for log in logs)
                )
            time.sleep(0.05)
        return found

    def lands(self, refspec: str, seconds: float = 40) -> None:
        """Push again, exactly this, until it is taken; never taken before the decider said so."""
        deadline = time.monotonic() + seconds
        while not (pushed := self.served.push(refspec)).taken:
            assert time.monotonic() < deadline, pushed.err + self.relay.log.read_text()[-2000:]
            time.sleep(0.2)


@pytest.fixture
def story(engine, tmp_path, keys, monkeypatch):  # noqa: F811
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(served, "POLICY", served.POLICY.replace("example/shop", f"example/{tmp_path.name}"))
    made = Story(engine, tmp_path, keys)
    yield made
    made.relay.end(signal.SIGKILL)


def newest(repo: Repo, *, head: str) -> str:
    """The change that the journal of a server recorded last for a head."""
    with Desk.at(repo.path) as desk:
        rows = desk.journal.ask("select key from log where body ->> '$.head' = ? order by offset desc limit 1", (head,))
    return rows[0][0]


def twohand(*args: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams.cli", *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_push_waits_is_decided_elsewhere_and_lands(story):
    """Pushed, waiting; worker and relay are killed meanwhile; owners approve; one decision, the gate exits 0, it lands."""
    served, engine = story.served, story.engine
    first = served.push("feature:main")
    assert not first.taken
    assert "proposed, waiting for the decider: nobody is known to have judged it yet" in first.words
    assert "no relay has carried everything from here yet" in first.words
    key = newest(served.server, head=served.head)
    story.relay.start()
    story.until(key, "pending")
    assert "bob or carol can" in served.push("feature:main").words
    served.push("feature")
    clone = Repo.clone(served.server, served.root / "ci")
    settings = ("--settings", engine.settings)
    gate = twohand("gate", "-C", clone.path, "--head", served.head, "--timeout", "60s", *settings, "--format", "json")
    engine.workers[1].end(signal.SIGKILL)
    story.relay.end(signal.SIGKILL)
    engine.start("decide", wait=False)
    served.agree()
    waiting = served.push("feature:main")
    assert not waiting.taken
    assert "waiting for the decider: it has not heard yet:" in waiting.words
    assert "approve by bob" in waiting.words
    story.relay.start()
    admitted = story.until(key, "admitted")
    out, err = gate.communicate(timeout=60)
    assert gate.returncode == 0, err + out
    assert json.loads(out)["change"]["id"] == key == admitted["change"]["id"]
    landed = served.push("feature:main")
    assert landed.taken, landed.err
    assert served.at("main") == served.head
    told = {event_id(one): one for one in map(decode, engine.read("twohand.decisions")) if one.change == key}
    assert [outcome for outcome, _ in groupby(one.outcome for one in told.values())] == ["pending", "admitted"]


def test_an_objection_that_comes_over_kafka_closes_it_again(story):
    """Admitted, then Carol objects elsewhere: blocked here, too, until she takes it back; another content stays outside."""
    served = story.served
    story.relay.start()
    served.push("feature:main")
    key = newest(served.server, head=served.head)
    served.agree()
    story.until(key, "admitted")
    story.engine.send(encode(statement(served, "object", "carol"), "x"))
    story.until(key, "blocked")
    refused = served.push("feature:main")
    assert not refused.taken
    assert "veto" in refused.words
    served.work.git("fetch", "-q", "origin", "refs/twohand/*:refs/twohand/*")
    served.say("withdraw", "carol")
    story.lands("feature:main")
    served.work.write("shop/cart.py", "TOTAL = 2\n")
    served.work.commit("Another total")
    other = served.push("feature:main")
    assert not other.taken
    assert "waiting for the decider" in other.words


def test_every_route_waits_for_the_decider_and_then_lands(story):
    """A new branch, several steps at once, a rewind, a deletion, and the making again of what was deleted (law 4, 5)."""
    served, work = story.served, story.served.work
    story.relay.start()
    assert not served.push("main:refs/heads/release/1").taken
    story.lands("main:refs/heads/release/1")
    served.agree()
    work.write("shop/cart.py", "TOTAL = 2\n")
    second = work.commit("Another total")
    served.agree(second, "--base", served.head)
    both = served.push("feature:main")
    assert not both.taken
    story.lands("feature:main")
    assert served.at("main") == second
    work.git("fetch", "-q", "origin")
    assert not served.push(f"+{served.start}:main").taken
    served.agree(served.start, "--rewrite", "--target", "main")
    story.lands(f"+{served.start}:main")
    empty = work.git("hash-object", "-t", "tree", "/dev/null")
    served.agree(empty, "--rewrite", "--target", "release/1")
    story.lands(":refs/heads/release/1")
    again = served.push("main:refs/heads/release/1")
    assert not again.taken
    assert "ref.rewritten" in again.words


def test_a_broker_that_is_away_holds_up_no_push(story, engine):
    """The pusher reads at once what is known; the statement that was pushed meanwhile goes out when the broker is back."""
    served = story.served
    story.relay.start()
    served.push("feature:main")
    key = newest(served.server, head=served.head)
    story.until(key, "pending")
    with engine.without_broker():
        served.agree()
        pushed = served.push("feature:main")
        assert "it has not heard yet:" in pushed.words
    story.until(key, "admitted", 90)
    story.lands("feature:main")
