"""Our hooks as pre-commit calls them: it reads git's input itself, and says in variables what stood there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from streams.sources.git import Repository

BRANCH: Final = "PRE_COMMIT_LOCAL_BRANCH"
REMOTE: Final = ("PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_REMOTE_URL")
MESSAGE: Final = ("PRE_COMMIT_COMMIT_MSG_SOURCE", "PRE_COMMIT_COMMIT_OBJECT_NAME")


def translated(name: str, args: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The arguments that git itself would give; for pre-push, standard input becomes the line that git would write.

    Where pre-commit did not call, nothing changes.
    """
    if environ.get("PRE_COMMIT") != "1":
        return args
    if name == "prepare-commit-msg":
        return (*args, *(environ[variable] for variable in MESSAGE if environ.get(variable)))
    if name == "pre-push" and not args and all(environ.get(variable) for variable in (BRANCH, *REMOTE)):
        _feed(_line(environ))
        return tuple(environ[variable] for variable in REMOTE)
    return args


def _line(environ: Mapping[str, str]) -> str:
    """`LOCAL-REF ID REMOTE-REF ID`. For the first push of a whole history pre-commit names no commits."""
    local = environ[BRANCH]
    new = environ.get("PRE_COMMIT_TO_REF") or Repository.open(Path()).resolve(local)
    old = environ.get("PRE_COMMIT_FROM_REF") or "0" * len(new)
    return f"{local} {new} {environ.get('PRE_COMMIT_REMOTE_BRANCH') or local} {old}"


def _feed(line: str) -> None:
    """Make this line the standard input of this process."""
    reading, writing = os.pipe()
    os.write(writing, os.fsencode(line + "\n"))
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
