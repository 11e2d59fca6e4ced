"""GitPython's view of a repository, under the same environment as our own git commands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import git


def open_handle(directory: Path, git_dir: Path, environment: Mapping[str, str]) -> git.Repo:
    """GitPython's commands would run in the process's environment, and where its `GIT_WORK_TREE` says.

    These run in `directory`, the working tree or else the git directory, with `environment` and nothing else.
    """
    pairs = [f"{name}={value}" for name, value in environment.items() if name != "GIT_INDEX_FILE"]

    class Scrubbed(git.Git):
        def __init__(self, _: Any = None) -> None:
            super().__init__(str(directory))

        def execute(self, command: Any, *args: Any, **options: Any) -> Any:
            return super().execute(["env", "-i", *pairs, *command], *args, **options)

    class Handle(git.Repo):
        GitCommandWrapperType = Scrubbed  # type: ignore[assignment]  # GitPython names its own class there

    return Handle(git_dir)
