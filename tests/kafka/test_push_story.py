"""The enforcing server with `engine = "kafka"`: real pushes, a real broker, workers and relay as processes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.engines.kafka.relay_file import Beside
from tests.gitrepo import Repo
from tests.kafka.engine import Engine
from tests.kafka.processes import ROOT, Server
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
        with Beside(self.folder, writable=False) as file:
            found = file.standing(key)
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


@pytest.fixture
def story(engine, tmp_path, keys, monkeypatch):  # noqa: F811
    clean_environment(monkeypatch, tmp_path)
    made = Story(engine, tmp_path, keys)
    yield made
    made.relay.end(signal.SIGKILL)


def newest(repo: Repo, *, head: str) -> str:
    """The change that the journal of a server recorded last for a head."""
    from streams.desk import Desk

    with Desk.at(repo.path) as desk:
        rows = desk.journal.ask("select key from log where body ->> '$.head' = ? order by offset desc limit 1", (head,))
    return rows[0][0]


def twohand(*args: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams.cli", *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_push_waits_is_decided_elsewhere_and_lands(story):
    """Pushed, waiting; a worker is killed meanwhile; approved by an owner; one decision, the gate exits 0, the same push lands."""
    served, engine = story.served, story.engine
    first = served.push("feature:main")
    assert not first.taken
    assert "proposed, waiting for the decider" in first.words
    assert "no relay has carried everything from here yet" in first.words
    key = newest(served.server, head=served.head)
    story.relay.start()
    story.until(key, "pending")
    served.push("feature")
    clone = Repo.clone(served.server, served.root / "ci")
    settings = ("--settings", engine.settings)
    gate = twohand("gate", "-C", clone.path, "--head", served.head, "--timeout", "60s", *settings, "--format", "json")
    engine.workers[1].end(signal.SIGKILL)
    engine.start("decide")
    served.agree()
    story.until(key, "admitted")
    out, err = gate.communicate(timeout=60)
    assert gate.returncode == 0, err + out
    assert json.loads(out)["change"]["id"] == key
    landed = served.push("feature:main")
    assert landed.taken, landed.err
    assert served.at("main") == served.head
