"""Which commits a history has, and which merge brought each of them in."""

import subprocess
from collections.abc import Iterator

from streams.audit.asked import Asked, Task
from streams.sources.git import Repository, failure
from streams.sources.process import Done


def walk(repo: Repository, asked: Asked) -> Iterator[Task]:
    """The commits of the asked history, children before their parents, each with the merge that landed it."""
    landing: dict[str, tuple[int, str]] = {}
    depth = 0
    following = ""
    for row in _rev_list(repo, asked):
        name, parents = row[0], tuple(row[1:])
        if not following:
            following = name
        if name == following:
            depth += 1
            here, following = (depth, name), parents[0] if parents else "none"
        else:
            here = landing.pop(name, (0, ""))
        landing.pop(name, None)
        for parent in parents:
            if parent != following and here > landing.get(parent, (0, "")):
                landing[parent] = here
        lander = here[1] if here[1] != name else ""
        yield Task(name, parents, lander)


def _rev_list(repo: Repository, asked: Asked) -> Iterator[list[str]]:
    """Rows of `rev-list --parents`. The whole graph is walked, also what is not shown, so that landings are known."""
    since = [f"--max-age={asked.since}"] if asked.since is not None else []
    order = "--topo-order"
    command = ("rev-list", order, "--parents", *since, *asked.revisions, "--")
    with repo.start(*command, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.close()
        try:
            for line in running.stdout:
                yield line.decode("ascii").split()
        except GeneratorExit:
            running.kill()
            raise
        said = running.stderr.read().decode("utf-8", "replace").strip()
        if running.wait():
            raise failure(command, Done(running.returncode, b"", said))
