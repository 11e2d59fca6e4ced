"""A repository with a policy and enrolled keys, and the command line run in this process."""

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from rules.messages import environment_claims
from streams.commands.app import run
from tests.gitrepo import Repo

POLICY = """version = 1
repository = "example/shop"
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
keys = ["{alice}"]
[people.bob]
keys = ["{bob}"]
[people.carol]
keys = ["{carol}"]
[people.dave]
[agents.claude-two]
keys = ["{bot}"]
operator = "alice"
model = "claude-opus-5"
"""
NAMES = ("alice", "bob", "carol", "bot")


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Gate:
    """`main` holds the policy, `feature` changes auth/login.py and is checked out."""

    def __init__(self, root: Path, keys: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.repo = Repo(root / "repo")
        self.keys = {name: keys / name for name in NAMES}
        self.policy = POLICY.format(**{name: (keys / f"{name}.pub").read_text().strip() for name in NAMES})
        self._capture = capture
        self.repo.write("twohand.toml", self.policy)
        self.repo.write("auth/login.py", "def login(user):\n    check(user)\n")
        self.repo.commit("start")
        self.repo.branch("feature")
        self.repo.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n")
        self.repo.commit("Greet")

    def run(self, command: str, *arguments: str) -> Said:
        """Run a command in the repository."""
        self._capture.readouterr()
        code = run([command, *arguments, "-C", str(self.repo.path)])
        out, err = self._capture.readouterr()
        return Said(code, out, err)

    def say(self, verb: str, name: str, *arguments: str) -> None:
        key = self.keys["bot" if name == "claude-two" else name]
        said = self.run(verb, "HEAD", "--as", name, "--key", str(key), *arguments)
        assert said.code == 0, said.err


def clean_environment(patch: pytest.MonkeyPatch, home: Path) -> None:
    """No agent's marks, no agent for keys, no configuration of the machine."""
    for name in [name for name in os.environ if environment_claims({name: os.environ[name]})]:
        patch.delenv(name)
    for name in ("SSH_AUTH_SOCK", "TWOHAND_SETTINGS"):
        patch.delenv(name, raising=False)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
