"""The audit: every commit of a history as one row, in order, read by as many workers as there is work for."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from streams.audit import channels, covering, pool
from streams.audit.asked import Asked, Plan, Task, Voucher
from streams.audit.cache import NAME, Cache
from streams.audit.walk import Step, count, walk
from streams.sources.errors import SourceError
from streams.sources.git import Repository

WITH_RULES, WITHOUT = 40, 1000  # commits of a batch
WORTH = 3  # batches that are worth more than one worker
LARGE = 1 << 20  # bytes of pack indexes, about 35,000 objects: as many as some thousand commits have


def run(repo: Repository, asked: Asked) -> Iterator[dict[str, Any]]:
    """A row for each commit (keys: docs/audit.md), in the order of the walk or of `asked.ids`.

    An id that is no commit here is a row of `commit` and `error`. Errors: SourceError.
    """
    return map(json.loads, Audit(repo, asked).lines())


class Audit:
    """One reading of a history. `notices` are sentences that a reader of its result needs to know."""

    def __init__(self, repo: Repository, asked: Asked) -> None:
        """Reads what stands beside the commits. Errors: SourceError."""
        self.repo = repo
        self.asked = asked
        self.head = _tip(repo, asked)
        self._beside = channels.channels(repo, self.head)
        self.notices = self._beside.notices
        self._vouchers = covering.vouchers(repo)
        diffs = asked.rules or bool(asked.paths)
        self._plan = Plan(asked.rules, diffs, asked.landed, asked.paths, repo.shallow_edge(), covering.laws(repo))

    def total(self) -> int:
        """About how many commits will be read; 0 where that is not known before."""
        if self.asked.ids is not None:
            return 0
        found = count(self.repo, self.asked)
        return min(found, self.asked.limit) if self.asked.limit and not self.asked.paths else found

    def lines(self, seen: Callable[[int], None] = lambda _: None) -> Iterator[str]:
        """The rows as JSON text. `seen` is told how many commits were read, also those that `paths` leaves out."""
        return islice(self._lines(seen), self.asked.limit)

    def _lines(self, seen: Callable[[int], None]) -> Iterator[str]:
        path = self.repo.common_dir / "twohand" / NAME if self.asked.rules and self.asked.cache else None
        with Cache(path) as cache:
            batches = self._batches(cache)
            first = [] if self._is_large else list(islice(batches, WORTH))
            workers = pool.count() if self._is_large or len(first) == WORTH else 1
            for size, answer in pool.read(self.repo, self._plan, chain(first, batches), workers=workers):
                cache.keep(answer.fresh)
                seen(size)
                yield from answer.lines

    def _batches(self, cache: Cache) -> Iterator[list[Task]]:
        size = WITH_RULES if self._plan.diffs else WITHOUT
        limit = None if self.asked.paths else self.asked.limit
        remaining = islice(self._tasks(), limit)
        while batch := list(islice(remaining, size)):
            known = cache.known([task.id for task in batch if task.id.isascii()]) if self._remembers else {}
            yield [task._replace(seen=known.get(task.id, "")) for task in batch] if known else batch

    @property
    def _is_large(self) -> bool:
        """Is it plain at once that there is work for all? Then workers start while git still walks the history."""
        whole = self.asked.ids is None and self.asked.since is None and len(self.asked.revisions) == 1
        packs = (self.repo.common_dir / "objects/pack").glob("*.idx") if whole and not self.asked.limit else ()
        return sum(pack.stat().st_size for pack in packs) > LARGE

    @property
    def _remembers(self) -> bool:
        """A landed step is another diff than its commit's own, and globs are matched against the diff itself."""
        return not self.asked.landed and not self.asked.paths

    def _tasks(self) -> Iterator[Task]:
        found = _named(self.asked) if self.asked.ids is not None else _walked(self.repo, self.asked)
        for task in found:
            told = self._beside.told(task)
            yield told._replace(vouchers=self._covering(task)) if self._vouchers else told

    def _covering(self, task: Task) -> tuple[Voucher, ...]:
        """The approvals of a commit; of a landed step also those that cover all that it brought in."""
        each = [frozenset(self._vouchers.get(member.id, ())) for member in task.members]
        shared = frozenset.intersection(*each) if each else frozenset()
        return tuple(sorted(shared.union(self._vouchers.get(task.id, ()))))


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
    name = asked.revisions[0].rpartition("..")[2].lstrip(".") if asked.ids is None and asked.revisions else "HEAD"
    try:
        return repo.resolve("HEAD" if name.startswith("-") else name or "HEAD")
    except SourceError:
        return ""
