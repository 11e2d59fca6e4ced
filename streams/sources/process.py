"""How we start git: nothing of the caller's environment, configuration or working tree may steer what it reads."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.sources.errors import GitMissing

KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME")
QUARANTINE = "GIT_QUARANTINE_PATH"
OBJECTS = "GIT_OBJECT_DIRECTORY"
ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"

# No replace refs, no grafts, no questions, no locks for convenience, no network on behalf of a partial clone.
FIXED = {
    "LC_ALL": "C",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}

# What a push may need of the caller's environment, besides.
TALKING = frozenset(
    ("SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "http_proxy", "https_proxy")
)

# Configuration of the user or the repository that would change what these commands print or start.
OVERRIDES = (
    "advice.graftFileDeprecated=false",
    "core.commitGraph=false",
    "core.fsmonitor=false",
    "core.quotePath=false",
    f"core.attributesFile={os.devnull}",
    "core.bigFileThreshold=1m",
    "color.ui=false",
    "diff.algorithm=myers",
    "diff.external=",
    "diff.ignoreSubmodules=none",
    "diff.mnemonicPrefix=false",
    "diff.noprefix=false",
    f"diff.orderFile={os.devnull}",
    "diff.relative=false",
    "diff.renames=true",
    "diff.submodule=short",
    "diff.suppressBlankEmpty=false",
    "i18n.logOutputEncoding=UTF-8",
    "log.diffMerges=separate",
    "log.follow=false",
    "log.showSignature=false",
    "merge.default=text",
    "merge.directoryRenames=conflict",
    "merge.renames=true",
    "merge.renormalize=false",
    "safe.bareRepository=all",  # a directory that somebody named with -C, or that git itself gave to its hook
)
OPTIONS = ("--no-pager", "--literal-pathspecs", *(part for pair in OVERRIDES for part in ("-c", pair)))


STALLED = -9  # the exit code of a git that was killed


class Done(NamedTuple):
    """A finished git: exit code and what it printed."""

    code: int
    out: bytes
    err: str


def environment(source: Mapping[str, str], objects: Path | None = None) -> dict[str, str]:
    """The environment of every git: an allow-list of `source`, then our own fixed variables.

    `objects` is the repository's object directory when its quarantine is to be read: the quarantine variables that
    receive-pack sets are taken over where they point into that directory, and dropped where they do not.
    """
    kept = {name: value for name, value in source.items() if name in KEPT or name.startswith("LC_")}
    return kept | FIXED | (_quarantine(source, objects) if objects else {})


def _quarantine(source: Mapping[str, str], objects: Path) -> dict[str, str]:
    home = objects.resolve()
    inside = {name: source[name] for name in (QUARANTINE, OBJECTS) if _within(source.get(name, ""), home)}
    if len(inside) != 2:
        return {}
    others = [part for part in source.get(ALTERNATES, "").split(os.pathsep) if _within(part, home)]
    return inside | {ALTERNATES: os.pathsep.join(others or [str(home)])}


def _within(path: str, home: Path) -> bool:
    return bool(path) and Path(path).resolve().is_relative_to(home)


def start(
    command: Sequence[str | bytes], *, env: Mapping[str, str], cwd: Path, stderr: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Starts `git` with these arguments, all in pipes. Errors: GitMissing, ValueError on a NUL argument."""
    try:
        return subprocess.Popen(
            ["git", *OPTIONS, *command],
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise
        raise GitMissing(
            "git is not on the PATH.", remedy="Install git 2.39 or later, or add its directory to the PATH."
        ) from error


def within(process: subprocess.Popen[bytes], most: int) -> bytes | None:
    """What a process without input prints; None, and it is killed, where that is over `most` bytes."""
    assert process.stdout
    assert process.stdin
    process.stdin.close()
    out = process.stdout.read(most + 1)
    if len(out) <= most:
        return out
    process.kill()
    return None


def finish(process: subprocess.Popen[bytes], stdin: bytes = b"", *, seconds: float | None = None) -> Done:
    """Feeds the process, waits for its end and collects what it printed; after `seconds` it is killed (`STALLED`)."""
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Done(STALLED, b"", f"it took longer than {seconds} seconds")
    return Done(process.returncode, out, err.decode("utf-8", "replace").strip())
