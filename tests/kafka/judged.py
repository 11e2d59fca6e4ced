"""A shop whose changes model reviewers judge over Kafka: real git and keys, scripted endpoints, workers as processes."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from rules.events import ChangeProposed, DecisionMade, Event, ReviewGiven
from streams import settings
from streams.engines.kafka.records.wire import decode
from streams.judges import identity
from streams.sources import signatures
from tests.gitrepo import Repo
from tests.kafka.commands import run
from tests.kafka.engine import Engine
from tests.streams.bench import CLAUDE, MARK, POLICY

FILE = "shop/reset.py"
CODE = "def reset(user):\n    link = make(user)\n    mail(user, link)\n"
PATIENCE = 40.0  # seconds; 3 on a machine with nothing else to do


class Shop:
    """`main` holds policy and code. `tables` are the reviewers' settings as TOML, by name; `state` has their keys and costs."""

    def __init__(self, engine: Engine, root: Path, keys: Path, tables: dict[str, str]) -> None:
        self.engine, self.keys, self.repo = engine, keys, Repo(root / "shop")
        self.state = self.repo.path / ".git"
        said = engine.settings.read_text()
        rows = [f"[reviewers.{name}]\n{table}\n" for name, table in tables.items()]
        engine.settings.write_text(said + "".join(rows))
        known = settings.parse(engine.settings.read_text(), "settings.toml").reviewers
        blocks = [identity.block(one, identity.enrol(one, self.state).line) for one in known.values()]
        people = {name: (keys / f"{name}.pub").read_text().strip() for name in ("alice", "bob")}
        self.repo.write("twohand.toml", POLICY.format(**people) + "".join(blocks))
        self.repo.write(FILE, CODE)
        self.repo.commit("The shop")

    def start(self, name: str, instance: str = "one", *, wait: bool = True):
        """The worker of a reviewer."""
        return self.engine.start(f"model:{name}", instance, "--state", str(self.state), wait=wait)

    def change(self, branch: str, text: str, *, propose: bool = True) -> str:
        """An agent's change that alice answers for, submitted; its id."""
        self.repo.checkout("main")
        self.repo.branch(branch)
        self.repo.write(FILE, text)
        self.repo.commit("Shorten the reset" + MARK, author=CLAUDE)
        if propose:
            self.propose(branch)
        return self.submit(branch)

    def propose(self, branch: str) -> None:
        """Alice answers for it."""
        who = ("--as", "alice", "--key", self.keys / "alice", "--tool", "claude", "--model", "claude-opus-5")
        self.said("propose", branch, *who)

    def key(self, name: str) -> signatures.KeyChoice:
        """The key of a person, or of a reviewer."""
        own = self.state / "twohand" / "reviewers" / f"{name}.key"
        return signatures.key_from_file(own if own.exists() else self.keys / name)

    def submit(self, branch: str) -> str:
        return self.said("submit", "--head", branch).strip()

    def said(self, *words: object) -> str:
        done = run(*words, "-C", self.repo.path, "--settings", self.engine.settings)
        assert done.code == 0, done.err
        return done.out

    def told(self, change: str, reviewer: str) -> list[ReviewGiven]:
        """What a reviewer said about a change, in order; what was said twice, twice."""
        return [one for one in self._events("twohand.reviews", change) if one.reviewer == reviewer]

    def copy(self, folder: Path) -> Path:
        """A state of its own with the same keys."""
        shutil.copytree(self.state / "twohand" / "reviewers", folder / "twohand" / "reviewers")
        return folder

    def proposed(self, change: str) -> ChangeProposed:
        """The newest proposal of a change."""
        return [one for one in self._events("twohand.changes", change) if isinstance(one, ChangeProposed)][-1]

    def decision(self, change: str) -> dict:
        made = [one for one in self._events("twohand.decisions", change) if isinstance(one, DecisionMade)]
        return json.loads(made[-1].decision) if made else {"outcome": ""}

    def _events(self, topic: str, change: str) -> list[Event]:
        return [one for one in map(decode, self.engine.read(topic)) if one.change == change]

    def decided(self, change: str, outcome: str) -> dict:
        """The decision as soon as it is this."""
        self.until(lambda: self.decision(change)["outcome"] == outcome)
        return self.decision(change)

    def until(self, there: Callable[[], object]) -> None:
        """Fails with the workers' logs where it stays away."""
        deadline = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log.read_text()[-3000:] for worker in self.engine.workers)
                raise AssertionError(logs)
            time.sleep(0.1)

    def spent(self, change: str) -> list[tuple[str, str]]:
        """Reviewer and status of every review that was asked for, in order."""
        db = sqlite3.connect(self.state / "twohand" / "judges.db")
        try:
            asked = "select reviewer, status from spent where change = ? and not cached order by id"
            return db.execute(asked, (change,)).fetchall()
        finally:
            db.close()
