"""Installing hooks: what is fixed, where they go, and what was there before is kept byte for byte and runs first."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from streams.hooks import script
from streams.hooks.place import CONFIGURED, KEY, PINNED, Place, configured, git_version, husky, manager, place, tracked
from streams.hooks.script import BEFORE, CLIENT, SERVER, Fixed
from streams.sources.errors import SourceError
from streams.sources.git import Repository

RECORD = "twohand.hooks"  # names what was installed, so that `doctor` misses what is gone
MODE = 0o755


class NotInstalled(SourceError):
    """No hook was written, and nothing was changed."""


class Target(NamedTuple):
    """One hook file of ours: where it goes, and where what is there goes."""

    name: str
    path: Path
    by_config: bool = False  # git runs it because its configuration names it, not its directory

    @property
    def before(self) -> Path:
        return self.path.with_name(self.name + BEFORE)


class Written(NamedTuple):
    """What became of one hook. `state` is new, same or upgraded; `before` is what runs first, None where nothing does."""

    target: Target
    state: str
    before: Path | None


def install(repo: Repository, fixed: Fixed, *, server: bool) -> tuple[Written, ...]:
    """Write the hooks; repeating it changes nothing. Errors: NotInstalled, before anything is written."""
    targets = check(repo, server=server)
    done = tuple(_write(target, fixed) for target in targets)
    if server:
        _pin(repo, git_version(repo))
    for target in targets:
        if target.by_config:
            _configure(repo, target)
    _record(repo, [target.name for target in targets])
    return done


def check(repo: Repository, *, server: bool) -> tuple[Target, ...]:
    """Our files, where all of them can be written. Errors: NotInstalled."""
    targets = wanted(repo, server=server)
    for one in targets:
        _possible(one)
    return targets


def recorded(repo: Repository) -> tuple[str, ...]:
    """The names of the hooks that were installed here and not taken away by us."""
    return tuple(name for name in repo.config(RECORD).split() if name in (*SERVER, *CLIENT))


def _record(repo: Repository, names: list[str]) -> None:
    together = [name for name in (*SERVER, *CLIENT) if name in {*names, *recorded(repo)}]
    repo.run("config", "--local", RECORD, " ".join(together))


# -- where -------------------------------------------------------------------------------------------------------------


def wanted(repo: Repository, *, server: bool) -> tuple[Target, ...]:
    """Our files. NotInstalled, with what to do, where git reads a directory that is not ours to write into."""
    if repo.bare and not server:
        remedy = f"twohand hook install --server -C {quote(str(repo.git_dir))}"
        raise NotInstalled(
            "This repository is bare: nobody commits or pushes from it, and others push to it.", remedy=remedy
        )
    found = place(repo)
    names = SERVER if server else CLIENT
    trouble = _not_ours(repo, found, server=server)
    if trouble is None:
        return tuple(target(found.directory, name) for name in names)
    if not server and git_version(repo) >= CONFIGURED:
        return tuple(Target(name, repo.common_dir / "twohand" / "hooks" / name, by_config=True) for name in names)
    raise trouble


def target(directory: Path, name: str) -> Target:
    """Gitea runs what lies in NAME.d; pre-commit runs NAME.legacy, and moves ours there when it is installed later."""
    path = directory / name
    if manager(path) in {"Gitea", "Forgejo"} and (directory / f"{name}.d").is_dir():
        return Target(name, directory / f"{name}.d" / "twohand")
    legacy = directory / f"{name}.legacy"
    if manager(path) == "pre-commit" and legacy.is_file() and script.read(legacy.read_bytes()):
        return Target(name, legacy)
    return Target(name, path)


def _not_ours(repo: Repository, found: Place, *, server: bool) -> NotInstalled | None:
    """Why the directory that git reads is not written into."""
    if found.setting is None or not found.elsewhere:
        return _linked(found.directory)
    where = f"{KEY} is {found.setting.value or '(empty)'} ({found.setting.scope}: {found.setting.origin})"
    own = f"git -C {quote(str(repo.git_dir))} config {KEY} {'hooks' if repo.bare else quote(str(found.usual))}"
    mine = f"Let this repository read its own: `{own}`, then install again. What lies in {found.directory} no longer runs here then."
    if found.setting.scope in {"global", "system"}:
        return NotInstalled(f"{where}, which all repositories of this machine share.", remedy=mine)
    if husky(found):
        remedy = mine if server else _call(".husky/pre-push", ".husky/prepare-commit-msg")
        return NotInstalled(f"{where}: husky writes that directory anew with each installation.", remedy=remedy)
    if tracked(repo, found.directory):
        remedy = mine if server else _call(*(str(found.directory / name) for name in CLIENT))
        return NotInstalled(f"{where}, which lies in the working tree and is shared with everybody.", remedy=remedy)
    return _linked(found.directory)


def _call(push: str, message: str) -> str:
    lines = (f'`twohand hook {name} "$@"` to {path}' for name, path in zip(CLIENT, (push, message), strict=True))
    return f"Add the line {' and '.join(lines)}, where every run reaches it."


def _linked(directory: Path) -> NotInstalled | None:
    """GitLab links the hooks of all repositories to one directory."""
    if directory.is_symlink():
        shared = f"{directory} is a link to {directory.readlink()}, which other repositories may share."
        remedy = "Replace the link by a directory of this repository's own; on GitLab: mkdir custom_hooks beside it, then install again."
        return NotInstalled(shared, remedy=remedy)
    if os.path.lexists(directory) and not directory.is_dir():
        return NotInstalled(
            f"{directory} is a file, and git looks for hooks in a directory of that name.",
            remedy=f"Move it away: `mv {directory} {directory}.old`, then install again.",
        )
    return None


# -- files -------------------------------------------------------------------------------------------------------------


def _possible(target: Target) -> None:
    """NotInstalled where what is there cannot be kept, or is ours and was changed."""
    path = target.path
    if path.is_dir() and not path.is_symlink():
        raise NotInstalled(
            f"{path} is a directory.", remedy=f"Move it away: `mv {path} {path}.old`, then install again."
        )
    ours = _ours(path)
    if ours is not None and not ours.whole:
        raise NotInstalled(
            f"{path} is twohand's, and somebody changed it since it was written; it was not touched.",
            remedy=f"Look at it, then `mv {path} {path}.changed` and install again.",
        )
    if ours is None and os.path.lexists(path) and os.path.lexists(target.before) and not _kept(target):
        raise NotInstalled(
            f"{path} is not twohand's, and {target.before} is there already: one of them would be lost.",
            remedy=f"Move the one that is not wanted away, e.g. `mv {target.before} {target.before}.old`, then install again.",
        )


def _kept(target: Target) -> bool:
    """Whether what is there is kept already: a manager wrote its hook anew over ours."""
    one, other = target.path, target.before
    plain = not (one.is_symlink() or other.is_symlink())
    return plain and one.read_bytes() == other.read_bytes() and one.stat().st_mode == other.stat().st_mode


def _ours(path: Path) -> script.Read | None:
    try:
        return None if path.is_symlink() else script.read(path.read_bytes())
    except OSError:
        return None


def _write(target: Target, fixed: Fixed) -> Written:
    wanted_text = script.text(target.name, fixed)
    path, ours = target.path, _ours(target.path)
    same = ours is not None and path.read_bytes() == wanted_text and os.access(path, os.X_OK)
    try:
        if ours is None and os.path.lexists(path) and not os.path.lexists(target.before):
            keep(path, target.before)
        if not same:
            _put(path, wanted_text)
    except OSError as error:
        raise _unwritable(path, error) from error
    before = target.before if os.path.lexists(target.before) else None
    return Written(target, "same" if same else "upgraded" if ours else "new", before)


def keep(path: Path, before: Path) -> None:
    """A second name for the very file: bytes, mode and owner stay, and there is no moment without a hook."""
    try:
        os.link(path, before, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        path.rename(before)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".twohand-", delete=False) as file:
        scratch = Path(file.name)
        file.write(data)
    try:
        scratch.chmod(MODE)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> NotInstalled:
    who = f"Run it as the owner of {path.parent}" if os.access(path.parent, os.F_OK) else f"Make {path.parent}"
    return NotInstalled(f"{path} could not be written: {error.strerror}.", remedy=f"{who}, then install again.")


# -- configuration -----------------------------------------------------------------------------------------------------


def _pin(repo: Repository, version: tuple[int, int]) -> None:
    """A pusher's own git configuration may name another directory of hooks, or switch hooks off: the repository's goes first."""
    if configured(repo, KEY) is None:
        value = "hooks" if repo.bare else str(repo.common_dir / "hooks")
        repo.run("config", "--local", KEY, value)
        repo.run("config", "--local", PINNED, value)
    for key in pins(version):
        repo.run("config", "--local", key, "true")


def pins(version: tuple[int, int]) -> Iterator[str]:
    """The switches of git 2.55 and later that are set to true."""
    if version >= (2, 55):
        yield from (f"hook.{name}.enabled" for name in SERVER)


def _configure(repo: Repository, target: Target) -> None:
    """git 2.54 and later: `hook.<name>.command` is a line for the shell."""
    stem = f"hook.twohand-{target.name}"
    repo.run("config", "--local", f"{stem}.command", quote(str(target.path)))
    repo.run("config", "--local", f"{stem}.event", target.name)
