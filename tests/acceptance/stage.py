"""A small theatre for cases: one real repository, its law, people and agents with real keys, and the command line.

Every verb returns the stage, so that a case reads as one sentence; `review` ends it with a verdict. Commands run in this
process, each a minute of the stage's own clock after the last, or (`real=True`) as processes of their own.
"""

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, Self

from rules import instants
from rules.statement import parse, payload, split, statement_id
from streams import clock
from streams.commands import app
from tests.acceptance.law import KEYS, law_text
from tests.acceptance.names import account, authoring, committing, flags, identity
from tests.gitrepo import Repo

ROOT = Path(__file__).resolve().parents[2]
CLAUDE = "Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>"
SESSION = "Claude-Session: https://claude.ai/code/session_abc123"
STARTED = instants.seconds_of("2026-11-02T09:00:00Z")
REVIEWS = "refs/twohand/reviews"
CART = "src/cart.py"
AUTH = "src/auth/login.py"
HELPERS = "src/accounts/helpers.py"
CHECK = """    if not user.email_verified:
        raise PermissionDenied("unverified")
"""
HELPERS_TEXT = f"""def reset(email, token):
    user = find(email)
    if email != user.email:
        raise PermissionDenied("not yours")
{CHECK}    send(user, token)
"""


class Said(NamedTuple):
    """What one command answered."""

    code: int
    out: str
    err: str


class Verdict(NamedTuple):
    """A decision as `review --format json` printed it, with the exit code."""

    code: int
    decision: dict[str, Any]
    err: str

    @property
    def outcome(self) -> str:
        return str(self.decision["outcome"])

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(reason["code"] for reason in self.decision["reasons"])

    @property
    def counts(self) -> frozenset[str]:
        """Whose approvals counted."""
        rows = self.decision["reviews"]
        return frozenset(row["reviewer"] for row in rows if row["verdict"] == "approve" and row["counts"])


class Keys(NamedTuple):
    """Ed25519 keys of everybody in the law and of mallory, whom nobody enrolled."""

    directory: Path
    public: dict[str, str]

    @classmethod
    def made(cls, directory: Path) -> Self:
        for name in KEYS:
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], cwd=directory, check=True
            )
        return cls(directory, {name: (directory / f"{name}.pub").read_text().strip() for name in KEYS})


class Stage:
    """One repository with `main` and its law; the working tree stands on `main` until `branch`."""

    def __init__(self, directory: Path, keys: Keys, *, real: bool = False) -> None:
        self.repo = Repo(directory / "repo", init=False)
        self.keys = keys
        self.real = real
        self.environ: dict[str, str] = {}
        self.ref = ""  # of the last statement
        self._seconds = STARTED
        self._edits = 0

    @classmethod
    def set_up(cls, directory: Path, keys: Keys, template: Path, *, real: bool = False) -> Self:
        """A stage in a copy of a repository that `furnish` made."""
        shutil.copytree(template, directory / "repo")
        return cls(directory, keys, real=real)

    def furnish(self) -> Self:
        """The repository that every case begins with."""
        self.repo.git("init", "-q", "--initial-branch=main")
        for path in (CART, AUTH, "src/auth/keys.py", "docs/guide.md"):
            self.repo.write(path, f"name = {path!r}\n\n\n\n\n\n\n\n\n\nlast = 1\n")
        self.repo.write(HELPERS, HELPERS_TEXT)
        return self.law()

    # -- the world ------------------------------------------------------------------------------------------------

    def law(self, *, path: str = "twohand.toml", text: str | None = None, **sections: Any) -> Self:
        """The policy on the branch that is checked out, made of sections or given as it is."""
        self.repo.write(path, law_text(self.keys.public, **sections) if text is None else text)
        self.repo.commit("Law")
        return self

    def owners(self, text: str, path: str = ".github/CODEOWNERS") -> Self:
        return self.put(path, text, by="carol")

    def put(self, path: str, data: str | bytes | None, *, by: str = "alice") -> Self:
        """A commit that writes or (None) removes one file."""
        return self.commit(path, data=data, author=by)

    def branch(self, name: str = "feature", start: str = "main") -> Self:
        self.repo.branch(name, start)
        return self

    def on(self, name: str) -> Self:
        self.repo.checkout(name)
        return self

    def commit(
        self, *paths: str, data: str | bytes | None = "", author: str = "alice", committer: str = "", marks: str = "",
        message: str = "Tidy the cart", sign: str = "", executable: bool = False,
    ) -> Self:  # fmt: skip
        """A commit by names of the law or by whole identities; without `data` each path gets one more line."""
        for path in paths or (CART,):
            self._write(path, data, executable=executable)
        text = f"{message}\n\n{marks}\n" if marks else f"{message}\n"
        self.repo.commit(
            text, author=identity(author), committer=identity(committer or author),
            sign_key=self.keys.directory / sign if sign else None,
        )  # fmt: skip
        return self

    def _write(self, path: str, data: str | bytes | None, *, executable: bool) -> None:
        if data is None:
            self.repo.remove(path)
        elif data:
            self.repo.write(path, data, executable=executable)
        else:
            self._edits += 1
            file = self.repo.file(path)
            before = file.read_text() if file.exists() else ""
            self.repo.write(path, f"{before}value_{self._edits} = {self._edits}\n", executable=executable)

    def made(self, *paths: str, by: str = "alice", marks: str = CLAUDE, propose: bool = True, **more: Any) -> Self:
        """The usual beginning: a branch with one commit, marked as Claude's, that its author answers for."""
        self.branch().commit(*paths, author=by, marks=marks, **more)
        return self.propose(by) if propose else self

    def main_moves(self, *paths: str, by: str = "carol", **more: Any) -> Self:
        """Somebody lands something else meanwhile."""
        here = self.repo.git("symbolic-ref", "--short", "HEAD")
        return self.on("main").commit(*paths, author=by, **more).on(here)

    def rebase(self, by: str = "alice") -> Self:
        self.git("rebase", "-q", "main", env=committing(by))
        return self

    def amend(self, by: str = "alice", *, author: str = "", message: str = "", paths: tuple[str, ...] = ()) -> Self:
        for path in paths:
            self._write(path, "", executable=False)
        self.git("add", "-A")
        words = ["-m", message] if message else ["--no-edit"]
        renamed = ["--author", identity(author)] if author else []
        self.git("commit", "-q", "--amend", "--allow-empty", *words, *renamed, env=committing(by))
        return self

    def squash(self, by: str = "alice", *, message: str = "Squashed", onto: str = "main") -> Self:
        """One commit with the tree of the branch, which drops every mark."""
        self.git("reset", "-q", "--soft", onto)
        self.repo.commit(message, author=identity(by), committer=identity(by))
        return self

    def merge(self, name: str = "main", *, by: str = "alice", also: str = "") -> Self:
        """A merge into the branch; `also` is a path that the merge edits on its own."""
        self.git("merge", "-q", "--no-ff", "--no-commit", name, env=committing(by))
        if also:
            self._write(also, "", executable=False)
        self.git("add", "-A")
        self.git("commit", "-q", "--no-edit", env={**committing(by), **authoring(by)})
        return self

    def git(self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        return self.repo.git(*args, stdin=stdin, env=env)

    def do(self, *args: str) -> Self:
        """A git command whose answer does not matter."""
        self.git(*args)
        return self

    def lasts(self, seconds: int) -> Self:
        """Time passes."""
        self._seconds += seconds
        return self

    def at_once(self) -> Self:
        """The next command runs within the second of the last."""
        self._seconds -= 60
        return self

    def shell(self, **variables: str) -> Self:
        """The variables of the shell that the next commands run in."""
        self.environ = variables
        return self

    # -- what people and agents say -------------------------------------------------------------------------------

    def propose(self, name: str, **options: Any) -> Self:
        return self.say("propose", name, **options)

    def approve(self, *names: str, **options: Any) -> Self:
        for name in names:
            self.say("approve", name, **options)
        return self

    def object(self, name: str, **options: Any) -> Self:
        return self.say("object", name, **options)

    def withdraw(self, name: str, **options: Any) -> Self:
        return self.say("withdraw", name, **options)

    def waive(self, name: str, *, reason: str = "We looked at it", **options: Any) -> Self:
        return self.say("waive", name, reason=reason, **options)

    def say(self, verb: str, name: str, **options: Any) -> Self:
        """A statement that the command takes; AssertionError with its words where it does not."""
        said = self.tries(verb, name, **options)
        assert said.code == 0, said.err
        self.ref = said.out.splitlines()[1].strip()
        return self

    def tries(self, verb: str, name: str, *, rev: str = "HEAD", key: str = "", **options: Any) -> Said:
        """A statement that the command may refuse."""
        return self.run(verb, rev, "--as", name, "--key", str(self.keys.directory / (key or name)), *flags(options))

    def follow(self, remedy: str) -> Said:
        """Do what a refusal says; who is named has the key of that name. AssertionError where the command is refused."""
        program, *words = shlex.split(remedy)
        name = words[words.index("--as") + 1]
        said = self.run(*words, "--key", str(self.keys.directory / name))
        assert (program, said.code) == ("twohand", 0), (remedy, said.err)
        return said

    def forge(self, kind: str, name: str, *, key: str = "", ref: str = "", **fields: Any) -> Self:
        """A statement that no command of ours would make: `fields` replaced after the fact, signed with `key` (name's)."""
        self.say(kind, name)
        statement = parse(split(self._blob(self.ref))[0])._replace(**fields)
        self.do("update-ref", "-d", self.ref)
        signed = payload(statement)
        return self.store(
            ref or f"{REVIEWS}/{statement.content_key}/{statement_id(signed)}",
            signed + self.signed(signed, key or name),
        )

    def tamper(self, old: bytes, new: bytes, *, keep: bool = False) -> Self:
        """Edit the last statement's bytes and leave its signature; `keep` leaves the original beside it."""
        data = self._blob(self.ref)
        assert old in data
        if keep:
            return self.store(f"{self.ref[:-8]}{'0' * 8}", data.replace(old, new))
        return self.store(self.ref, data.replace(old, new))

    def store(self, ref: str, data: bytes) -> Self:
        blob = self.repo.git("hash-object", "-w", "--stdin", stdin=data)
        self.ref = ref
        return self.do("update-ref", ref, blob)

    def shallow(self) -> Self:
        """The repository as CI often has it: the newest commit of each branch, and every statement."""
        self.git("gc", "--quiet")
        edge = "\n".join({self.repo.id(name) for name in ("HEAD", "main")})
        (self.repo.path / ".git" / "shallow").write_text(f"{edge}\n")
        return self

    def weakened(self, **more: Any) -> Self:
        """The change of the recovery incident: the check that an address was verified goes."""
        return self.made(HELPERS, data=HELPERS_TEXT.replace(CHECK, ""), **more)

    def copy_to(self, key: str) -> Self:
        """The last statement, as it is, under another content key."""
        return self.store(f"{REVIEWS}/{key}/{self.ref.rpartition('/')[2]}", self._blob(self.ref))

    def signed(self, data: bytes, name: str, namespace: str = "twohand") -> bytes:
        key = str(self.keys.directory / name)
        return subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", key], input=data, capture_output=True, check=True
        ).stdout

    def _blob(self, ref: str) -> bytes:
        return self.repo.raw("cat-file", "blob", ref)

    # -- the gate -------------------------------------------------------------------------------------------------

    def seen(self, **options: Any) -> Self:
        """The gate looks at the change as it is now, and records it."""
        self.review(**options)
        return self

    def review(self, head: str = "HEAD", **options: Any) -> Verdict:
        """What the gate says. `opened_by` and `pushed_by` take names of the law or accounts."""
        for door in ("opened_by", "pushed_by"):
            if options.get(door):
                options[door] = account(options[door])
        said = self.run("review", "--head", head, "--format", "json", *flags(options))
        assert said.code in (0, 1, 4, 5), f"review exits {said.code}: {said.err}"
        return Verdict(said.code, json.loads(said.out), said.err)

    def run(self, *arguments: str) -> Said:
        """Any command in this repository."""
        command = [arguments[0], *arguments[1:], "-C", str(self.repo.path)]
        self._seconds += 60
        return self._as_process(command) if self.real else self._inside(command)

    def now(self) -> str:
        return instants.text_of(int(time.time()) if self.real else self._seconds)

    def _inside(self, command: list[str]) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with environment(self._environment()), self._clock(), redirect_stdout(out), redirect_stderr(err):
            code = app.run(command)
        return Said(code, out.getvalue(), err.getvalue())

    def _as_process(self, command: list[str]) -> Said:
        started = [sys.executable, "-c", "from streams.cli import main; main()", *command]
        env = {**self._environment(), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(started, capture_output=True, text=True, env=env, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.repo.path.parent), **self.environ}

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """The one place that asks what time it is asks the stage."""
        before = vars(clock)["time"]
        vars(clock)["time"] = _Clock(self._seconds)
        try:
            yield
        finally:
            vars(clock)["time"] = before


class _Clock(NamedTuple):
    seconds: int

    def time(self) -> int:
        return self.seconds


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Exactly these variables and no others."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
