"""A repository, scripted endpoints and settings for tests of model reviewers: real HTTP on loopback, real git, real keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from streams import settings
from streams.commands.app import run
from streams.judges import identity
from tests.gitrepo import Repo
from tests.streams.gate import Said

CLAUDE = "Claude <noreply@anthropic.com>"
MARK = "\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>\n"
NOWHERE = "http://127.0.0.1:9/v1"  # nothing listens at the discard port
FILE = "shop/reset.py"
CODE = "def reset(user):\n    link = make(user)\n    mail(user, link)\n"
POLICY = """version = 1
repository = "example/shop"
[[requirement]]
name = "a hand"
from = ["model", "human"]
[[requirement]]
name = "owners"
when = {{ any = [ {{ paths = ["auth/**"] }}, {{ tier = "hold" }} ] }}
from = ["owner"]
[owners]
fallback = ["bob"]
[people.alice]
emails = ["alice@example.com"]
keys = ["{alice}"]
[people.bob]
keys = ["{bob}"]
"""


class Table(NamedTuple):
    """One reviewer of the settings."""

    name: str
    url: str
    model: str
    more: str = ""


class Bench:
    """`main` holds policy and code; `feature` is checked out, and what an agent changes there alice answers for."""

    def __init__(self, root: Path, keys: Path, capture: pytest.CaptureFixture[str], tables: Sequence[Table]) -> None:
        self.repo = Repo(root / "shop")
        self.keys = keys
        self.settings = root / "settings.toml"
        self._capture = capture
        self.configure(*tables)
        public = {name: (keys / f"{name}.pub").read_text().strip() for name in ("alice", "bob")}
        blocks = [self.block(table.name) for table in tables]
        self.repo.write("twohand.toml", POLICY.format(**public) + "".join(blocks))
        self.repo.write(FILE, CODE)
        self.repo.commit("The shop")
        self.repo.branch("feature")

    def configure(self, *tables: Table) -> None:
        """Write the settings anew."""
        rows = [
            f'[reviewers.{row.name}]\nendpoint = "{row.url}"\nmodel = "{row.model}"\nattempts = 1\n{row.more}\n'
            for row in tables
        ]
        self.settings.write_text("\n".join(rows))

    def block(self, name: str) -> str:
        """The policy's table of a reviewer, its key made where there was none."""
        reviewer = settings.parse(self.settings.read_text(), "settings.toml").reviewers[name]
        made = identity.enrol(reviewer, self.repo.path / ".git")
        return identity.block(reviewer, made.line)

    def change(self, text: str, path: str = FILE, *, message: str = "Shorten the reset", propose: bool = True) -> None:
        """An agent's commit, and alice answers for it."""
        self.repo.write(path, text)
        self.repo.commit(message + MARK, author=CLAUDE)
        if propose:
            said = self.run("propose", "HEAD", "--as", "alice", "--key", str(self.keys / "alice"), "--tool", "claude",
                            "--model", "claude-opus-5")  # fmt: skip
            assert said.code == 0, said.err

    def listens(self, capture: pytest.CaptureFixture[str]) -> None:
        """Read what commands print from here on with the capture of another test."""
        self._capture = capture

    def run(self, *arguments: str) -> Said:
        """A command in the repository, with these settings."""
        self._capture.readouterr()
        code = run([*arguments, "-C", str(self.repo.path), "--settings", str(self.settings)])
        return Said(code, *self._capture.readouterr())

    def plain(self, *arguments: str) -> Said:
        """A command as it is, without repository and settings."""
        self._capture.readouterr()
        return Said(run([*arguments]), *self._capture.readouterr())
