"""A bare repository whose gate decides, and clones that push to it, as people do."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from streams.commands.app import run
from tests.gitrepo import Repo

PEOPLE = ("alice", "bob", "carol", "mallory")
POLICY = """version = 1
repository = "example/shop"
protect = ["release/*"]
[[requirement]]
name = "a hand"
from = ["model", "human"]
[[requirement]]
name = "owners"
when = {{ paths = ["auth/**"] }}
from = ["owner"]
[owners]
fallback = ["carol"]
[people.alice]
emails = ["alice@example.com"]
accounts = ["gitlab:alice"]
keys = ["{alice}"]
[people.bob]
keys = ["{bob}"]
[people.carol]
keys = ["{carol}"]
"""


class Pushed(NamedTuple):
    """What git said to the pusher, without the `remote: ` in front of the server's words."""

    code: int
    err: str

    @property
    def taken(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> list[str]:
        """The lines of the hook."""
        lines = (line.rstrip() for line in self.err.splitlines())
        return [line.removeprefix("remote: ") for line in lines if line.startswith("remote: ")]

    @property
    def words(self) -> str:
        """What the hook said, without the words in front of its lines and without its line breaks."""
        return " ".join(line.partition(": ")[2].strip() for line in self.said)


def enforce(server: Repo, settings: str = "") -> None:
    """Make a bare repository an enforcing one, as its administrator does."""
    path = server.path / "twohand" / "settings.toml"
    if settings:
        path.parent.mkdir(exist_ok=True)
        path.write_text(settings)
    assert run(["hook", "install", "--server", "-q", "-C", str(server.path)]) == 0


class Served:
    """`server` is enforced from its first push on; `work` is Alice's clone, on branch `feature` with one commit to land."""

    def __init__(self, root: Path, keys: Path, *, files: dict[str, str] | None = None) -> None:
        self.root = root
        self.keys = keys
        self.policy = POLICY.format(**{name: (keys / f"{name}.pub").read_text().strip() for name in PEOPLE[:3]})
        self.server = Repo(root / "server.git", bare=True)
        enforce(self.server)
        self.work = Repo(root / "work")
        self.work.git("remote", "add", "origin", str(self.server.path))
        self.work.write("twohand.toml", self.policy)
        self.work.write("auth/login.py", "def login(user):\n    check(user)\n")
        for path, text in (files or {}).items():
            self.work.write(path, text)
        self.start = self.work.commit("start")
        first = self.push("main")
        assert first.taken, first.err
        self.work.branch("feature")
        self.work.write("shop/cart.py", "TOTAL = 1\n")
        self.head = self.work.commit("A total")

    def push(self, *refspecs: str, options: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Pushed:
        """`git push origin` out of Alice's clone."""
        return push(self.work, "origin", *refspecs, options=options, env=env)

    def say(self, verb: str, name: str, rev: str = "HEAD", *options: str, repo: Repo | None = None) -> None:
        """A signed statement, pushed to the server."""
        where = repo or self.work
        command = [verb, rev, "--as", name, "--key", str(self.keys / name), "--push", "origin", "-C", str(where.path)]
        assert run([*command, *options]) == 0, f"{verb} by {name}"

    def agree(self, rev: str = "HEAD", *options: str) -> None:
        """Alice answers for it, Bob and Carol approve: enough for everything."""
        self.say("propose", "alice", rev, "--tool", "none", *options)
        for name in ("bob", "carol"):
            self.say("approve", name, rev, *options)

    def at(self, ref: str) -> str:
        """Where a ref of the server stands, "" where it is none."""
        done = subprocess.run(
            ["git", "-C", str(self.server.path), "rev-parse", "--verify", "-q", ref], capture_output=True, check=False
        )
        return done.stdout.decode().strip()


def push(repo: Repo, *args: str, options: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Pushed:
    done = subprocess.run(
        ["git", "push", *options, *args], cwd=repo.path, capture_output=True, check=False,
        env={**repo.environment(), "PATH": os.environ["PATH"], **(env or {})},
    )  # fmt: skip
    return Pushed(done.returncode, done.stderr.decode("utf-8", "replace"))
