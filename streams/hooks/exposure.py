"""Who besides its owner can write what a gate rests on: the repository's files, the interpreter, the packages."""

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.hooks.interpreter import PACKAGES, ROOT, ask
from streams.hooks.place import place
from streams.hooks.script import Fixed
from streams.sources.git import Repository

NO_SHELLS = ("git-shell", "nologin", "false")  # who has one of these can do nothing but push


class Loose(NamedTuple):
    """A file or directory that others can write, and what ends that."""

    path: Path
    who: str
    remedy: str


def examine(repo: Repository, fixed: Fixed | None) -> Iterator[Check]:
    yield from _shared(repo)
    program = list(_program(fixed)) if fixed else []
    found = list(dict.fromkeys(writable_by_others([*_files(repo), *program])))
    for loose in found:
        yield Check("files", FAIL, f"{loose.who} can write {loose.path}, and so pass the gate by", loose.remedy)
    if not found:
        yield Check(
            "files", OK, "repository, hooks, journal, interpreter and packages: nobody but their owners writes them"
        )
    yield from _strangers(repo, program)
    yield from _journal(repo)
    yield _owner(repo)


def _files(repo: Repository) -> Iterator[Path]:
    common = repo.common_dir
    yield from (common, common / "config", common / "refs", common / "objects", common / "twohand")
    yield from (
        common / "twohand/journal.db",
        common / "twohand/relay.db",
        common / "twohand/settings.toml",
        common / "packed-refs",
    )
    yield from _hooks(repo)


def _hooks(repo: Repository) -> list[Path]:
    directory = place(repo).directory
    try:
        return [directory, *sorted(path for path in directory.iterdir() if path.suffix != ".sample")]
    except OSError:
        return [directory]


def _program(fixed: Fixed) -> Iterator[Path]:
    interpreter = Path(fixed.interpreter)
    yield from (interpreter, interpreter.parent, Path(os.path.realpath(interpreter)))
    found = ask(fixed.interpreter, fixed.packages, ()).found
    root = found.parent if found else ROOT
    yield from (root, *(root / name for name in PACKAGES), *(root / name / "__pycache__" for name in PACKAGES))


def writable_by_others(paths: Iterable[Path]) -> Iterator[Loose]:
    """Those of these that exist and somebody else can write, and the directories above in which they can be replaced."""
    for path in paths:
        for place_, above in ((path, False), *((parent, True) for parent in path.parents)):
            if who := _who(place_, above=above):
                flag = "o-w" if who == "everybody" else "g-w"
                yield Loose(place_, who, f"chmod {flag} {quote(str(place_))}")


def _who(path: Path, *, above: bool) -> str:
    """Who else can write it; in a sticky directory nobody replaces what is another's."""
    try:
        found = path.stat()
    except OSError:
        return ""
    if above and found.st_mode & stat.S_ISVTX:
        return ""
    if found.st_mode & stat.S_IWOTH:
        return "everybody"
    return _group(found) if found.st_mode & stat.S_IWGRP else ""


def _group(found: os.stat_result) -> str:
    """The group, where anybody but the owner may be in it."""
    try:
        group, owner = grp.getgrgid(found.st_gid), pwd.getpwuid(found.st_uid)
    except KeyError:
        return f"group {found.st_gid}"
    alone = group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and not set(group.gr_mem) - {owner.pw_name}
    return "" if alone else f"group {group.gr_name}"


def _shared(repo: Repository) -> Iterator[Check]:
    value = repo.config("core.sharedRepository")
    if value and value not in {"false", "umask", "0"}:
        said = (
            f"core.sharedRepository = {value}: whoever pushes by path or has a shell can write the repository's files"
        )
        remedy = "Serve it over ssh or HTTP under one account of its own (docs/hooks.md), then: git config --unset core.sharedRepository"
        yield Check("shared", FAIL, said, remedy)


def _strangers(repo: Repository, program: list[Path]) -> Iterator[Check]:
    """What a hook runs and belongs to neither root nor the owner of the repository."""
    owner = repo.common_dir.stat().st_uid
    for path in (*_hooks(repo), *program):
        uid = path.stat().st_uid if path.exists() else owner
        if uid not in (0, owner):
            said = f"{path} belongs to {_name(uid)}: whoever works as {_name(uid)} can change what judges here"
            yield Check("files", WARN, said, f"Install twohand and its hooks as root or as {_name(owner)}.")
            return


def _journal(repo: Repository) -> Iterator[Check]:
    """A journal of root's in a repository of somebody else's: every push would be refused."""
    owner = repo.common_dir.stat().st_uid
    for path in (repo.common_dir / "twohand" / name for name in ("", "journal.db", "relay.db")):
        if path.exists() and owner not in (0, path.stat().st_uid):
            said = f"{path} belongs to {_name(path.stat().st_uid)}, and the repository to {_name(owner)}: no push can be recorded"
            yield Check("journal", FAIL, said, f"chown -R --reference={quote(str(repo.common_dir))} {quote(str(path))}")
            return


def _owner(repo: Repository) -> Check:
    """Who may do anything: no file says who pushes as the owner, so that is said as it is."""
    uid = repo.common_dir.stat().st_uid
    name = _name(uid)
    try:
        shell = Path(pwd.getpwuid(uid).pw_shell).name
    except KeyError:
        shell = "unknown"
    if shell in NO_SHELLS:
        return Check("owner", OK, f"{name}, who has no shell ({shell}): pushes as {name} cannot write files otherwise")
    said = (
        f"{name}, who has a shell ({shell}). Whoever works or pushes as {name} on this machine can replace hook and "
        "journal; who that is, no file tells"
    )
    remedy = (
        f"Let people push over ssh or HTTP to an account with git-shell: chsh -s $(command -v git-shell) {quote(name)}"
    )
    return Check(
        "owner", WARN, said, remedy if uid else "Give the repository to an account of its own, with git-shell."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
