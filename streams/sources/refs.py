"""Refs as one command of git listed them, for whoever asks about several within a moment."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PATTERN = frozenset("*?[\\\0")  # no ref's name holds these; git would take them as a pattern
MOST_STEPS = 100  # first-parent steps of one push that are looked at one by one
UNUSED = "refs/heads/.invalid"  # what HEAD says where another format than files holds the refs


class Move(NamedTuple):
    """A ref moves; `old` and `new` are all zeros where it did not or will not exist."""

    ref: str
    old: str
    new: str


class Seen(NamedTuple):
    """Every ref at or below the names that were asked for: name -> (what it is symbolic for, fully resolved, or "", id)."""

    asked: frozenset[str]
    rows: dict[str, tuple[str, str]]
    doubts: str  # what git said of refs that it left out

    def knows(self, name: str) -> bool:
        """Whether a ref of this name would be here. A symbolic one that points nowhere never is."""
        return name in self.asked or any(name.startswith(f"{above}/") for above in self.asked)

    def below(self, prefix: str) -> tuple[list[tuple[bytes, str]], str]:
        """The refs at or below a prefix, and the doubts that speak of it, or of no ref at all."""
        inside = f"{prefix}/"
        found = [(os.fsencode(name), row[1]) for name, row in self.rows.items() if f"{name}/".startswith(inside)]
        said = [line for line in self.doubts.splitlines() if " refs/" not in line or f" {prefix}" in line]
        return found, "\n".join(said)


def plain(names: Iterable[str]) -> tuple[str, ...]:
    """Those that git would not take as a pattern."""
    return tuple(name for name in names if f"{name}/".startswith("refs/") and not PATTERN & set(name))


def command(asked: Iterable[str]) -> tuple[str, ...]:
    return ("for-each-ref", "--format=%(refname)%00%(symref)%00%(objectname)", *asked)


def seen(asked: Iterable[str], out: bytes, doubts: str) -> Seen:
    """What the command printed."""
    rows = (os.fsdecode(line).split("\0") for line in out.splitlines())
    return Seen(frozenset(asked), {name: (real, object_id) for name, real, object_id in rows}, doubts)


def head(git_dir: Path) -> str:
    """The branch that HEAD names, born or not; "" where it names none, or another format than files holds the refs."""
    start, _, name = os.fsdecode((git_dir / "HEAD").read_bytes()).strip().partition(" ")
    return name if start == "ref:" and name.startswith("refs/") and name != UNUSED else ""


def hidden(common_dir: Path, name: str) -> bool:
    """Whether a ref that git does not list may be a symbolic one that points nowhere."""
    return (common_dir / "reftable").exists() or os.path.lexists(common_dir / name)
