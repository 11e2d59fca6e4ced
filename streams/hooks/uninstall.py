"""Taking hooks away: what was there before is put back as the very file that it was."""

from pathlib import Path
from typing import NamedTuple

from streams.hooks import script
from streams.hooks.install import RECORD, NotInstalled, Target, pins, recorded, target
from streams.hooks.place import KEY, PINNED, git_version, place
from streams.hooks.script import CLIENT, SERVER
from streams.sources.git import Repository


class Removed(NamedTuple):
    """A hook that is gone; `restored`: what was there before is back in its place."""

    path: Path
    restored: bool


def uninstall(repo: Repository, *, server: bool) -> tuple[Removed, ...]:
    """Take our hooks away and put back what was there. NotInstalled where somebody changed ours, before anything is done."""
    names = SERVER if server else CLIENT
    ours = [found for name in names for found in _places(repo, name) if _mine(found)]
    done = tuple(_remove(found) for found in ours)
    if server:
        _unpin(repo)
    for name in names:
        repo.run("config", "--local", "--remove-section", f"hook.twohand-{name}", ok=(0, 128))
    _forget(repo, names)
    return done


def _places(repo: Repository, name: str) -> tuple[Target, ...]:
    """Where ours may lie: what git reads now, the usual directory, and the one of configured hooks."""
    found = place(repo)
    there = (target(found.directory, name), target(found.usual, name))
    configured = Target(name, repo.common_dir / "twohand" / "hooks" / name, by_config=True)
    return tuple(dict.fromkeys((*there, configured)))


def _mine(found: Target) -> bool:
    try:
        read = None if found.path.is_symlink() else script.read(found.path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    if read is not None and not read.whole:
        raise NotInstalled(
            f"{found.path} is twohand's, and somebody changed it since it was written; it was not touched.",
            remedy=f"Look at it, then take it away yourself: `mv {found.path} {found.path}.changed`.",
        )
    return read is not None


def _remove(found: Target) -> Removed:
    try:
        if found.before.is_symlink() or found.before.exists():
            found.before.replace(found.path)
            return Removed(found.path, restored=True)
        found.path.unlink()
    except OSError as error:
        raise NotInstalled(
            f"{found.path} could not be taken away: {error.strerror}.", remedy="Run it as the owner of the file."
        ) from error
    return Removed(found.path, restored=False)


def _unpin(repo: Repository) -> None:
    pinned = repo.config(PINNED)
    if pinned and repo.config(KEY) == pinned:
        repo.run("config", "--local", "--unset", KEY)
    for key in (PINNED, *pins(git_version(repo))):
        repo.run("config", "--local", "--unset", key, ok=(0, 5))


def _forget(repo: Repository, names: tuple[str, ...]) -> None:
    left = " ".join(name for name in recorded(repo) if name not in names)
    if left:
        repo.run("config", "--local", RECORD, left)
    else:
        repo.run("config", "--local", "--unset", RECORD, ok=(0, 5))
