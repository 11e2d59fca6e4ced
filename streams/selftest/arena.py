"""Where one case happens: a repository of its own with our gate, a clone, everybody's keys, and what can be done there.

Statements are made by hand, not by our own client: an attacker has another one.
"""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from rules import instants
from rules.statement import Content, Statement, payload
from streams.desk import Asked, Desk, Reading
from streams.selftest import law
from streams.selftest.ground import CART, Answer, Ground, ask, author, command_line, environment, start
from streams.sources import statements
from streams.sources.git import Repository
from streams.sources.statements import PREFIX

GIT = shutil.which("git") or "git"  # ours, also where a case has another search path
LETTERS = "refs/twohand/*:refs/twohand/*"  # all statements of the clone, pushed along
CLAUDE = "Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>"
Env = Mapping[str, str] | None  # variables beside the arena's own
SOME_TIME_AGO = 3600  # seconds; statements are dated one after another from then on


class Pushed(NamedTuple):
    """What came of a push: git's exit code, what the server said, and the server's refs that moved."""

    code: int
    said: str
    moved: tuple[str, ...]

    @property
    def told(self) -> str:
        """The server's words without margins, as one line."""
        rows = (line.removeprefix("remote:").strip() for line in self.said.splitlines())
        words = (row.partition(": ")[2] if row.startswith(("error:", "hint:")) else row for row in rows)
        return " ".join(" ".join(words).split())


class About(NamedTuple):
    """Which change a statement speaks of; `rewrite`: the branch shall be set to the head ("": deleted)."""

    head: str = "HEAD"
    onto: str = "main"
    base: str = ""
    rewrite: bool = False


class Arena:
    """Every verb returns the arena, so that a case reads as one sentence; `push` ends it."""

    def __init__(self, root: Path, ground: Ground) -> None:
        self.root = root
        self.server = root / "server.git"
        self.clone = root / "clone"
        self.ground = ground
        self.letters: list[str] = []  # refs of statements that were made here
        self.env = environment(root) | author("alice")
        self.seconds = int(time.time()) - SOME_TIME_AGO
        self._edits = 0
        self._readings: dict[tuple[object, ...], Reading] = {}
        shutil.copytree(ground.server, self.server, symlinks=True)
        shutil.copytree(ground.clone, self.clone, symlinks=True)

    # -- git ------------------------------------------------------------------------------------------------------

    def git(self, *args: str, at: Path | None = None, stdin: bytes = b"", env: Env = None) -> str:
        """What git prints in the clone, or elsewhere. Errors: Unstaged."""
        return self.raw(*args, at=at, stdin=stdin, env=env).decode("utf-8", "surrogateescape").removesuffix("\n")

    def raw(self, *args: str, at: Path | None = None, stdin: bytes = b"", env: Env = None) -> bytes:
        return ask(["git", *args], at=at or self.clone, env=self.env | dict(env or {}), stdin=stdin)

    def do(self, *args: str, at: Path | None = None, env: Env = None) -> Self:
        """A git command whose answer does not matter."""
        self.git(*args, at=at, env=env)
        return self

    def tries(self, *args: str) -> Answer:
        """A git command that may fail."""
        return start(["git", *args], at=self.clone, env=self.env)

    def id(self, revision: str = "HEAD", *, at: Path | None = None) -> str:
        return self.git("rev-parse", "--verify", revision, at=at)

    def twohand(self, *arguments: str) -> Answer:
        """A command of ours in the clone, as somebody types it."""
        return start(command_line(*arguments), at=self.clone, env=self.env)

    # -- changes --------------------------------------------------------------------------------------------------

    def branch(self, name: str = "feature", at: str = "origin/main") -> Self:
        return self.do("checkout", "-q", "--no-track", "-B", name, at)

    def write(self, path: str, data: str | bytes | None = "") -> Self:
        """Writes a file, removes it (None), or adds a line to it ("")."""
        file = self.clone / path
        if data is None:
            file.unlink()
            return self
        if data == "":
            self._edits += 1
            data = (file.read_text() if file.exists() else "") + f"value_{self._edits} = {self._edits}\n"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return self

    def commit(
        self, *paths: str, data: str | bytes | None = "", by: str = "alice", committer: str = "", marks: str = "",
        message: str = "Tidy the cart", sign: str = "",
    ) -> Self:  # fmt: skip
        """Writes these files and commits everything; `by` is a name of the law or a whole identity."""
        for path in paths or (CART,):
            self.write(path, data)
        return self.record(
            by=by, committer=committer, message=f"{message}\n\n{marks}\n" if marks else message, sign=sign
        )

    def record(self, *, by: str = "alice", committer: str = "", message: str = "Change", sign: str = "") -> Self:
        """Commits the working tree as it is."""
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.ground.keys / sign}") if sign else ()
        people = author(by) | {k: v for k, v in author(committer or by).items() if "COMMITTER" in k}
        self.do("add", "-A")
        options = ("-S",) if sign else ()
        return self.do(*signing, "commit", "-q", "--allow-empty", *options, "-m", message, env=people)

    def made(self, *paths: str, by: str = "alice", propose: bool = True, **more: Any) -> Self:
        """The usual beginning: a branch with one commit that its author answers for."""
        self.branch().commit(*paths, by=by, **more)
        return self.propose(by) if propose else self

    def amend(self, *paths: str, message: str = "", by: str = "alice") -> Self:
        for path in paths:
            self.write(path)
        self.do("add", "-A")
        words = ("-m", message) if message else ("--no-edit",)
        return self.do("commit", "-q", "--amend", "--allow-empty", *words, env=author(by))

    def merge(self, *names: str, by: str = "alice", options: tuple[str, ...] = ()) -> Self:
        return self.do("merge", "-q", "--no-ff", "--no-edit", *options, *names, env=author(by))

    def main_is(self, **law_text: str) -> Self:
        """Who runs the server gives it another law, past the gate."""
        self.branch("law").write("twohand.toml", law.text(self.ground.public, **law_text)).record(
            message="Law", by="carol"
        )
        return self.by_hand("law", "main").branch()

    def by_hand(self, branch: str, to: str) -> Self:
        """Who runs the server moves a branch there, past the gate."""
        self.do("fetch", "-q", str(self.clone), f"+{branch}:{to}", "--update-head-ok", at=self.server)
        return self.do("fetch", "-q", "origin")

    # -- statements -----------------------------------------------------------------------------------------------

    def propose(self, name: str, **more: Any) -> Self:
        return self.say("propose", name, **more)

    def approve(self, *names: str, **more: Any) -> Self:
        for name in names:
            self.say("approve", name, **more)
        return self

    def say(self, verb: str, name: str, *, key: str = "", **more: Any) -> Self:
        """A statement; of `more`, what About knows says of which change, the other fields are replaced before `key` signs."""
        reading = self.reading(About(**{field: more.pop(field) for field in About._fields if field in more}))
        self.seconds += 1
        said = Statement(
            verb, name, reading.repository, reading.found.target, reading.found.base, reading.found.head, reading.key,
            paths=tuple(map(Content.of, reading.read.files)), time=instants.text_of(self.seconds),
        )._replace(**more)  # fmt: skip
        signed = payload(said)
        return self.post(statements.ref_of(said), signed + self.signed(signed, key or name))

    def reading(self, about: "About") -> Reading:
        """The change as anybody reads it."""
        there = self.tries("rev-parse", "--verify", "-q", f"refs/remotes/origin/{about.onto}").out.decode().strip()
        head = self.id(about.head) if about.head else ""
        asked = (head, there, *about)
        if asked not in self._readings:
            target = f"refs/remotes/origin/{about.onto}" if there else about.onto
            with Desk(Repository.open(self.clone), environ={}) as desk:
                whole = Asked(about.base or None, head or desk.repo.empty_tree, target, rewrite=about.rewrite)
                self._readings[asked] = desk.read(whole)
        return self._readings[asked]

    def post(self, ref: str, data: bytes) -> Self:
        """A blob under a ref, as a statement is kept."""
        blob = self.git("hash-object", "-w", "--stdin", stdin=data)
        self.letters.append(ref)
        return self.do("update-ref", ref, blob)

    def later(self, seconds: int) -> str:
        """An instant after that of the last statement."""
        return instants.text_of(self.seconds + seconds)

    def signed(self, data: bytes, name: str, namespace: str = "twohand") -> bytes:
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.ground.keys / name)]
        return ask(command, at=self.root, env=self.env, stdin=data)

    def letter(self) -> bytes:
        """The last statement, as it is kept."""
        return self.raw("cat-file", "blob", self.letters[-1])

    # -- pushes ---------------------------------------------------------------------------------------------------

    def push(self, *refspecs: str, options: tuple[str, ...] = (), at: Path | None = None, env: Env = None) -> Pushed:
        """The push that counts."""
        before = self._refs()
        command = [GIT, "push", "--porcelain", *options, "origin", *refspecs]
        done = start(command, at=at or self.clone, env=self.env | dict(env or {}))
        after = self._refs()
        moved = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return Pushed(done.code, done.err, tuple(moved))

    def _refs(self) -> dict[str, str]:
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)", at=self.server).splitlines()
        return dict(row.split(" ") for row in rows)

    def sent(self) -> Self:
        """The statements made so far reach the server."""
        refs = dict.fromkeys(self.letters)
        return self.do("push", "-q", "origin", *(f"{ref}:{ref}" for ref in refs))

    def lands(self, refspec: str = "HEAD:main") -> Self:
        """An honest push, which is admitted."""
        return self.do("push", "-q", "origin", refspec)

    def refused(self, refspec: str = "HEAD:main") -> Self:
        """A first push that the gate refuses, and remembers."""
        self.tries("push", "-q", "origin", refspec)
        return self


def place(content_key: str, name: str) -> str:
    """The ref of a statement by its two names."""
    return f"{PREFIX}/{content_key}/{name}"
