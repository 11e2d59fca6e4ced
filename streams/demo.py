"""The recovery incident, told with real commands in a temporary repository: `twohand demo`.

Every step runs git or twohand itself, as its own process, with keys that ssh-keygen made a moment ago. Nothing of the
caller's home, git configuration or environment takes part, and nothing leaves the machine.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Final, NamedTuple

from streams.demo_story import EXIT, FILE, KEYS, PEOPLE, POLICY, PROLOGUE, STEPS, Step
from streams.sources.errors import SourceError

PACKAGES: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ("PATH", "TMPDIR", "LANG", "LC_ALL", "SYSTEMROOT")
TIMEOUT: Final = 60.0  # seconds for one command
LEFT_OUT: Final = "..."
Say = Callable[[str], None]


class StoryFailed(Exception):
    """A step came out otherwise than it is told; the text says which, how, and what was printed."""


class Ran(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str


class Stage:
    """The temporary directory: `keys/` of everybody, `home/`, and `shop/`, the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = root / "shop"
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        config = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(root / "home")}
        self._environment = {**kept, **config, "NO_COLOR": "1", "TZ": "UTC"}

    def prepare(self) -> None:
        """The keys, and a repository whose main branch holds the code, its owners and the policy."""
        for folder in ("home", "keys", "shop/shop"):
            (self.root / folder).mkdir(parents=True)
        for name in KEYS:
            self.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key(name)))
        public = {name: self.key(name).with_suffix(".pub").read_text("utf-8").strip() for name in KEYS}
        (self.repo / "twohand.toml").write_text(dedent(POLICY).format(**public), "utf-8")
        (self.repo / "CODEOWNERS").write_text("/shop/ @alice\n", "utf-8")
        (self.repo / FILE.path).write_text(dedent(FILE.text), "utf-8")
        self.must("git", "init", "-q", "--initial-branch=main", ".")
        self.must("git", "add", "--all")
        self.must("git", "commit", "-q", "-m", "The shop", speaker="alice")
        self.must("git", "switch", "-q", "-c", "simpler-helper")

    def key(self, name: str) -> Path:
        return self.root / "keys" / name

    def edit(self, old: str, new: str) -> None:
        path = self.repo / FILE.path
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    def must(self, *command: str, speaker: str = "") -> str:
        """What a command printed that has to succeed. StoryFailed otherwise."""
        done = self.run(command, speaker)
        if done.code:
            raise StoryFailed(f"`{shlex.join(command)}` ended with {done.code}:\n{done.out}{done.err}")
        return done.out

    def run(self, command: Sequence[str], speaker: str = "") -> Ran:
        """One command in the repository. SourceError where its program is not there."""
        argv = [*_twohand(), *command[1:]] if command[0] == "twohand" else list(command)
        environment = self._environment | _committer(speaker)
        try:
            done = subprocess.run(
                argv, cwd=self.repo, env=environment, capture_output=True, timeout=TIMEOUT, check=False
            )
        except OSError as error:
            raise SourceError(
                f"{argv[0]} could not be run: {error}.",
                remedy="The demo needs git 2.35 and OpenSSH 8.2 or newer on the PATH.",
            ) from error
        return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _twohand() -> list[str]:
    start = f"import sys; sys.path[:0] = [{str(PACKAGES)!r}]; from streams.cli import main; main()"
    return [sys.executable, "-I", "-c", start]


def _committer(speaker: str) -> dict[str, str]:
    if not speaker:
        return {}
    name, email = PEOPLE[speaker]
    return {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (("NAME", name), ("EMAIL", email))
    }


def tell(root: Path, say: Say, *, quiet: bool, steps: Sequence[Step] = STEPS) -> None:
    """Play the story in the empty directory `root`. StoryFailed at the first step that comes out otherwise."""
    stage = Stage(root)
    stage.prepare()
    if not quiet:
        say(dedent(PROLOGUE))
    for number, step in enumerate(steps, 1):
        say(f"{number}. {step.title}" + ("" if quiet else "\n"))
        for line in _played(number, step, stage):
            if not quiet:
                say(line)


def _played(number: int, step: Step, stage: Stage) -> Iterator[str]:
    """The lines that a step prints."""
    yield from _indented([step.told])
    yield ""
    if step.edit:
        stage.edit(*step.edit)
    for command in step.commands:
        yield from _indented(f"$ {shlex.join(command.argv)}".split("\n"))
        done = stage.run(command.argv, command.speaker)
        _check(number, step, command.argv, done)
        yield from _indented(_essential(command.argv, done.out, step.sections))
        yield ""


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"   {line}".rstrip() for line in lines)


def _check(number: int, step: Step, argv: Sequence[str], done: Ran) -> None:
    judged = argv[:2] == ("twohand", "review")
    wanted = EXIT[step.outcome] if judged else 0
    problem = f"ended with {done.code}, not with {wanted}" if done.code != wanted else ""
    said = " ".join(done.out.split())
    if judged and not problem:
        problem = next((f"does not say {word!r}" for word in (step.outcome, *step.shows) if word not in said), "")
    if problem:
        raise StoryFailed(f"step {number}, {step.title!r}: `{shlex.join(argv)}` {problem}:\n{done.out}{done.err}")


def _essential(argv: Sequence[str], out: str, sections: Sequence[str]) -> list[str]:
    """Of a statement its first line, of a diff the lines that differ, of a decision its outcome and the sections named."""
    lines = out.rstrip("\n").split("\n")
    if argv[:2] == ("git", "diff"):
        return [line for line in lines if not line.startswith(("diff ", "index "))]
    if argv[:2] != ("twohand", "review"):
        return lines[:1] if out else []
    return _sections(out, sections)


def _sections(out: str, wanted: Sequence[str]) -> list[str]:
    """The first paragraph and those that begin as is wanted; what is left out leaves a mark."""
    first, *others = out.rstrip("\n").split("\n\n")
    shown = [first]
    for paragraph in others:
        if paragraph.lstrip().startswith(tuple(wanted)):
            shown.append(paragraph)
        elif shown[-1] != LEFT_OUT:
            shown.append(LEFT_OUT)
    return "\n\n".join(shown).replace(f"\n\n{LEFT_OUT}", f"\n{LEFT_OUT}").split("\n")
