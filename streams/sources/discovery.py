"""Where the repository of a directory has what, as git itself says."""

import os
from pathlib import Path
from typing import NamedTuple

from streams.sources import errors, process


class Places(NamedTuple):
    """Where a repository has what. All paths are absolute; without a checked out tree `work_tree` is None."""

    git_dir: Path
    common_dir: Path
    work_tree: Path | None
    bare: bool
    object_format: str  # sha1 or sha256
    shallow: bool


def discover(path: Path) -> Places:
    """Errors: NotARepository, GitMissing."""
    questions = ("is-bare-repository", "show-object-format", "is-shallow-repository", "absolute-git-dir")
    env = process.environment(os.environ)
    if not path.is_dir():
        raise errors.NotARepository(f"{path} is no directory.", remedy="Name a directory inside a repository with -C.")
    command = ["rev-parse", *(f"--{question}" for question in questions), "--show-toplevel"]
    done = process.finish(process.start(command, env=env, cwd=path))
    answers = os.fsdecode(done.out).split("\n")[:-1]
    if len(answers) not in (4, 5):
        raise _not_a_repository(path, done.err)
    git_dir = Path(answers[3])
    return Places(
        git_dir=git_dir,
        common_dir=_common_dir(git_dir),
        work_tree=Path(answers[4]) if len(answers) == 5 else None,
        bare=answers[0] == "true",
        object_format=answers[1],
        shallow=answers[2] == "true",
    )


def _not_a_repository(path: Path, said: str) -> errors.NotARepository:
    if "dubious ownership" in said:
        remedy = f"If you trust it: `git config --global --add safe.directory {path.resolve()}`."
        return errors.NotARepository(f"{path} belongs to somebody else, and git refuses to read it.", remedy=remedy)
    return errors.NotARepository(
        f"{path} is no git repository that we can read ({said or 'its path holds a newline'}).",
        remedy="Name one with -C, or make one with `git init`.",
    )


def _common_dir(git_dir: Path) -> Path:
    """The directory that the working trees of one repository share, as git's own `commondir` file names it."""
    try:
        shared = os.fsdecode((git_dir / "commondir").read_bytes()).rstrip("\n")
    except FileNotFoundError:
        return git_dir
    return (git_dir / shared).resolve()
