"""Where a sitting is held: whose reviewers it has, where their keys are, and where what they say goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streams.sources import statements
from streams.speaking import after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rules.events import ReviewGiven
    from rules.statement import Statement
    from streams.desk import Desk
    from streams.settings_reviewers import Reviewer


class Room(Protocol):
    """What a sitting needs from the engine that holds it. `folder` is where `identity` finds the keys."""

    @property
    def reviewers(self) -> Mapping[str, Reviewer]: ...

    @property
    def folder(self) -> Path: ...

    def now(self) -> str: ...

    def after(self, name: str) -> str:
        """Now, or a second after this reviewer's last statement (law 18)."""

    def speak(self, statement: Statement, sign: Callable[[bytes], bytes]) -> str:
        """Sign a statement and keep it; its name. CannotSign, StatementExists."""

    def tell(self, given: ReviewGiven) -> None:
        """Keep what was seen."""


class AtDesk:
    """The embedded engine: statements are refs of the repository, what was seen stands in its journal."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.reviewers: Mapping[str, Reviewer] = desk.settings.reviewers
        self.folder = desk.repo.common_dir

    def now(self) -> str:
        return self._desk.now()

    def after(self, name: str) -> str:
        return after(name, self._desk)

    def speak(self, statement: Statement, sign: Callable[[bytes], bytes]) -> str:
        return statements.write(self._desk.repo, statement, sign)

    def tell(self, given: ReviewGiven) -> None:
        self._desk.journal.append([given])
