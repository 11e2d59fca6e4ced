"""The audit: every commit of a history as one row, in order, read by as many workers as there is work for."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from streams.audit import channels, covering, pool
from streams.audit.asked import Asked, Plan, Task
from streams.audit.walk import Step, walk
from streams.sources.errors import SourceError
from streams.sources.git import Repository

WITH_RULES, WITHOUT = 40, 1000  # commits of a batch
WORTH = 3  # batches that are worth more than one worker
FEWEST = 2000  # commits without rules that are worth more than one worker


def run(repo: Repository, asked: Asked) -> Iterator[dict[str, Any]]:
    """A row for each commit (keys: docs/audit.md), in the order of the walk or of `asked.ids`.

    An id that is no commit here is a row of `commit` and `error`. Errors: SourceError.
    """
    return map(json.loads, lines(repo, asked))


def lines(repo: Repository, asked: Asked, *, seen: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """The same as JSON text. `seen` is told how many commits were read, also those that `paths` leaves out."""
    return islice(_lines(repo, asked, seen), asked.limit)


def _lines(repo: Repository, asked: Asked, seen: Callable[[int], None]) -> Iterator[str]:
    diffs = asked.rules or bool(asked.paths)
    laws = covering.laws(repo)
    plan = Plan(asked.rules, diffs, asked.landed, asked.paths, repo.shallow_edge(), laws)
    size = WITH_RULES if diffs else WITHOUT
    batches = _batches(_tasks(repo, asked), size, asked.limit if not asked.paths else None)
    first = list(islice(batches, WORTH))
    workers = pool.count() if len(first) == WORTH else 1
    sizes: list[int] = []
    counted = _counted(chain(first, batches), sizes)
    for answer in pool.read(repo, plan, counted, workers=workers):
        seen(sizes.pop(0))
        yield from answer


def _counted(batches: Iterable[Sequence[Task]], sizes: list[int]) -> Iterator[Sequence[Task]]:
    for batch in batches:
        sizes.append(len(batch))
        yield batch


def _batches(tasks: Iterable[Task], size: int, limit: int | None) -> Iterator[list[Task]]:
    remaining = iter(islice(tasks, limit))
    while batch := list(islice(remaining, size)):
        yield batch


# -- which commits ----------------------------------------------------------------------------------------------------


def _tasks(repo: Repository, asked: Asked) -> Iterator[Task]:
    head = "" if asked.ids is not None else _tip(repo, asked)
    beside = channels.channels(repo, head)
    vouchers = covering.vouchers(repo)
    found = _named(asked) if asked.ids is not None else _walked(repo, asked)
    for task in found:
        told = beside.told(task)
        yield told._replace(vouchers=vouchers.get(task.id, ())) if vouchers else told


def _named(asked: Asked) -> Iterator[Task]:
    return (Task(text.strip()) for text in asked.ids or () if text.strip())


def _walked(repo: Repository, asked: Asked) -> Iterator[Task]:
    steps = walk(repo, asked)
    if asked.landed:
        yield from _landed(steps)
        return
    for step in steps:
        if asked.merges or len(step.parents) < 2:
            yield Task(step.id, step.lander if step.lander != step.id else "")


def _landed(steps: Iterable[Step]) -> Iterator[Task]:
    """The first-parent steps, each with what it brought in."""
    groups: dict[str, list[Task]] = {}
    for step in steps:
        group = groups.setdefault(step.lander, [])
        if step.lander != step.id:
            group.append(Task(step.id))
    for name, members in groups.items():
        if name:
            yield Task(name, members=tuple(members))


def _tip(repo: Repository, asked: Asked) -> str:
    """The commit whose tree holds Agent Trace records: the end of the asked range."""
    name = asked.revisions[0].rpartition("..")[2].lstrip(".") or "HEAD"
    try:
        return repo.resolve("HEAD" if name.startswith("-") else name)
    except SourceError:
        return ""
