"""Working trees of one repository that read their hooks from elsewhere: each may have a configuration of its own."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from streams.doctor_clone import FAIL, Check
from streams.hooks import script
from streams.hooks.install import target
from streams.hooks.place import KEY, content
from streams.sources.git import Repository


def astray(repo: Repository, names: Iterable[str]) -> Iterator[Check]:
    """The working trees besides this one where git looks for hooks in a directory without ours."""
    if repo.config("extensions.worktreeConfig") != "true":
        return
    for git_dir in (repo.common_dir, *sorted((repo.common_dir / "worktrees").glob("*"))):
        file = git_dir / "config.worktree"
        if git_dir == repo.git_dir or not file.is_file():
            continue
        done = repo.run("config", "--file", str(file), "--type=path", "--get", KEY, ok=(0, 1))
        if done.code == 0:
            yield from _checked(_root(git_dir, repo), os.fsdecode(done.out).removesuffix("\n"), file, tuple(names))


def _root(git_dir: Path, repo: Repository) -> Path:
    """The working tree of a git directory, as its own `gitdir` file names it."""
    named = content(git_dir / "gitdir").decode("utf-8", "surrogateescape").strip()
    if named:
        return Path(named).parent
    return repo.common_dir.parent if repo.common_dir.name == ".git" else repo.common_dir


def _checked(root: Path, value: str, file: Path, names: tuple[str, ...]) -> Iterator[Check]:
    directory = Path(os.path.normpath(root / (value or "/")))
    lacking = [name for name in names if not script.read(content(target(directory, name).path))]
    if lacking:
        said = f"in the working tree {root}, core.hooksPath is {value or '(empty)'} ({file}): no {', '.join(lacking)} of twohand's there"
        yield Check("hooks", FAIL, said, f"git -C {quote(str(root))} config --worktree --unset core.hooksPath")
