"""The audit: every commit of a history as one row, in order, read by as many workers as there is work for."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from streams.audit.asked import Asked, Plan, Task
from streams.audit.reading import Reader
from streams.audit.walk import walk
from streams.sources.git import Repository


def run(repo: Repository, asked: Asked) -> Iterator[dict[str, Any]]:
    """A row for each commit (keys: docs/audit.md), in the order of the walk or of `asked.ids`.

    An id that is no commit here is a row of `commit` and `error`.
    """
    return map(json.loads, lines(repo, asked))


def lines(repo: Repository, asked: Asked) -> Iterator[str]:
    """The same as JSON text."""
    plan = Plan(asked.rules, asked.rules or bool(asked.paths), asked.paths, repo.shallow_edge())
    rows = _rows(repo, plan, _tasks(repo, asked), size=100 if plan.diffs else 1000)
    yield from islice(rows, asked.limit)


def _rows(repo: Repository, plan: Plan, tasks: Iterator[Task], *, size: int) -> Iterator[str]:
    with Reader(repo, plan) as reader:
        while batch := list(islice(tasks, size)):
            yield from reader.lines(batch)


def _tasks(repo: Repository, asked: Asked) -> Iterator[Task]:
    if asked.ids is not None:
        return (Task(text.strip()) for text in asked.ids if text.strip())
    return (task for task in walk(repo, asked) if asked.merges or len(task.parents or ()) < 2)
