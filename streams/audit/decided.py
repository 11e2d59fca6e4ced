"""What the journal of this repository admits: decisions, and the commits that they are about."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

from rules.events import ChangeMerged, ChangeProposed, DecisionMade
from streams.engines.journal import Journal
from streams.sources.git import Repository


class Decided(NamedTuple):
    """An admitted decision. `commits` are those of the change and those that it landed as."""

    repository: str
    target: str
    base: str
    head: str
    key: str
    commits: tuple[str, ...]
    decision: dict[str, Any]  # twohand.decision/v1


class _Heard:
    """The events of a journal by change and content; the last decision about a content is the one that counts."""

    def __init__(self) -> None:
        self.proposed: dict[tuple[str, str], ChangeProposed] = {}
        self.made: dict[tuple[str, str], DecisionMade] = {}
        self.merged: dict[tuple[str, str], list[str]] = {}

    def take(self, event: object) -> None:
        if isinstance(event, ChangeProposed):
            self.proposed[event.change, event.content_key] = event
        elif isinstance(event, DecisionMade):
            self.made[event.change, event.content_key] = event
        elif isinstance(event, ChangeMerged):
            self.merged.setdefault((event.change, event.content_key), []).append(event.commit)

    def admitted(self) -> Iterator[Decided]:
        for at, made in self.made.items():
            change = self.proposed.get(at) if made.outcome == "admitted" else None
            if change:
                commits = (*(fact.id for fact in change.commits), *self.merged.get(at, ()))
                yield Decided(
                    change.repository, change.target, change.base, change.head, change.content_key, commits,
                    json.loads(made.decision),
                )  # fmt: skip


def decided(repo: Repository) -> list[Decided]:
    """What the journal admits, oldest first; nothing where there is none. Errors: JournalUnusable."""
    path = repo.common_dir / "twohand" / "journal.db"
    if not path.exists():
        return []
    heard = _Heard()
    with ExitStack() as stack:
        for event in stack.enter_context(Journal(path, writable=False)).events():
            heard.take(event)
    return list(heard.admitted())
