"""Client hooks in a working repository, started as the installer's own script starts them."""

import shlex
import sys
from pathlib import Path

from tests.gitrepo import Repo

ROOT = Path(__file__).resolve().parents[2]
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from streams.hooks.entry import main; main()"


def install(repo: Repo, name: str) -> None:
    """Write the hook into the repository."""
    hooks = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    hooks.mkdir(exist_ok=True)
    command = shlex.join((sys.executable, "-I", "-c", START, name, ""))
    (hooks / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (hooks / name).chmod(0o755)
