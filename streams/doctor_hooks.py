"""What `twohand doctor` finds of git hooks: what was installed and takes no effect, and a server on which nothing judges."""

from collections.abc import Iterator

from streams.doctor_clone import OK, Check
from streams.hooks.install import recorded
from streams.hooks.script import CLIENT, SERVER
from streams.hooks.status import effective, examine
from streams.hooks.worktrees import astray
from streams.sources.git import Repository


def hooks(repo: Repository) -> Iterator[Check]:
    """The hooks that were installed here; in a bare repository, which others push to, always those of a server."""
    names = recorded(repo)
    server = repo.bare or any(name in SERVER for name in names)
    if not names and not server:
        yield Check("hooks", OK, "none installed; `twohand hook install` says before a push what the server will say")
        return
    for name in (name for name in CLIENT if name in names):
        yield from effective(repo, name)
    yield from examine(repo, server=True) if server else astray(repo, names)
