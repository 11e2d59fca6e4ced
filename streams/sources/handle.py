"""GitPython's view of a repository, under the same environment as our own git commands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import git


def open_handle(git_dir: Path, environment: Mapping[str, str]) -> git.Repo:
    """GitPython copies the process's environment into each command; this one replaces it by `environment`."""

    class Scrubbed(git.Git):
        def execute(self, command: Any, *args: Any, **options: Any) -> Any:
            pairs = [f"{name}={value}" for name, value in environment.items() if name != "GIT_INDEX_FILE"]
            return super().execute(["env", "-i", *pairs, *command], *args, **options)

    class Handle(git.Repo):
        GitCommandWrapperType = Scrubbed

    return Handle(git_dir)
