"""A bare repository that enforces, a clone that pushes into it, and programs that stand where an interpreter would."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from streams.hooks.script import Fixed
from streams.sources.git import Repository
from tests.gitrepo import Repo


class Pushed(NamedTuple):
    """What became of a push: `lines` are those of the other side, without `remote: `."""

    code: int
    lines: list[str]


class Pair:
    """`server` is bare and its default branch is main; `clone` pushes into it over a local path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server = Repo(root / "server.git", bare=True)
        self.clone = Repo(root / "clone")
        self.clone.git("remote", "add", "origin", str(self.server.path))
        self.clone.write("a.txt", "one\n")
        self.clone.commit("One")
        self.clone.git("push", "-q", "origin", "main")

    @property
    def hooks(self) -> Path:
        return self.server.path / "hooks"

    def opened(self) -> Repository:
        return Repository.open(self.server.path)

    def push(self, *arguments: str, env: dict[str, str] | None = None) -> Pushed:
        return push(self.clone, *arguments, env=env)

    def tip(self, ref: str) -> str:
        return self.server.git("for-each-ref", "--format=%(objectname)", ref)


def push(clone: Repo, *arguments: str, env: dict[str, str] | None = None) -> Pushed:
    """`git push` as a user would; the caller's `env` goes last."""
    done = subprocess.run(
        ["git", "push", "origin", *arguments], cwd=clone.path, env={**clone.environment(), **(env or {})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines() if line.startswith("remote:")]
    return Pushed(done.returncode, said)


def program(path: Path, body: str) -> Path:
    """An executable file for /bin/sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def recorder(root: Path, *, code: int = 0) -> Fixed:
    """A program in the interpreter's place: writes arguments, input and environment beside itself, and ends with `code`."""
    told = root / "told"
    told.mkdir(exist_ok=True)
    body = f"printf '%s\\n' \"$@\" >{told}/args; /bin/cat >{told}/stdin; /usr/bin/env >{told}/env; exit {code}"
    return Fixed(str(program(root / "python", body)), path=os.defpath.strip(":"))


def told(root: Path, what: str) -> list[str]:
    return (root / "told" / what).read_text().splitlines()
