"""Which commits a history has, and which merge brought each of them in."""

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from streams.audit.asked import Asked
from streams.sources.git import Repository, failure
from streams.sources.process import Done


class Step(NamedTuple):
    """A commit as the graph has it. `lander` is the first-parent commit that brought it in, itself where it is one."""

    id: str
    parents: tuple[str, ...]
    lander: str


def walk(repo: Repository, asked: Asked) -> Iterator[Step]:
    """The commits of the asked history, children before their parents. Errors: GitFailed."""
    landing: dict[str, tuple[int, str]] = {}  # commit -> how deep down the chain it landed, and by which merge
    depth = 0
    following = ""
    for row in _rev_list(repo, asked):
        name, parents = row[0], tuple(row[1:])
        if name == (following or name):
            depth += 1
            here, following = (depth, name), parents[0] if parents else "the end"
            landing.pop(name, None)
        else:
            here = landing.pop(name, (0, ""))
        for parent in parents:
            if parent != following and here > landing.get(parent, (0, "")):
                landing[parent] = here
        yield Step(name, parents, here[1])


def count(repo: Repository, asked: Asked) -> int:
    """How many commits `walk` will show. Errors: GitFailed."""
    shown = ["--first-parent"] if asked.landed else [] if asked.merges else ["--no-merges"]
    return int(repo.run("rev-list", "--count", *shown, *_which(asked)).out)


def _which(asked: Asked) -> tuple[str, ...]:
    since = [f"--max-age={asked.since}"] if asked.since is not None else []
    return (*since, *asked.revisions, "--")


def _rev_list(repo: Repository, asked: Asked) -> Iterator[list[str]]:
    command = ("rev-list", "--topo-order", "--parents", *_which(asked))
    with repo.start(*command, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.close()
        try:
            yield from (line.decode("ascii").split() for line in running.stdout)
        except GeneratorExit:
            running.kill()
            raise
        said = running.stderr.read().decode("utf-8", "replace").strip()
        if running.wait():
            raise failure(command, Done(running.returncode, b"", said))
