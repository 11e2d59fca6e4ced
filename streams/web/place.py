"""What the page reads: one repository, its settings, its journal, never written; and what it may pass on to the timers."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from rules.events import ReviewGiven, WaiverGranted
from rules.judgement import read_laws
from streams import clock
from streams.engines.journal import Journal
from streams.laws import governing
from streams.memory import Signed, signed, verified, verified_signer
from streams.web.ledger import Ledger, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rules.events import Event
    from rules.policy import Policy
    from rules.sshsig import Signer
    from streams.settings import Settings
    from streams.sources.git import Repository

MOST_SIGNERS: Final = 20_000  # verifications that are remembered


class Offer(NamedTuple):
    """What a link would acknowledge, and for whom."""

    escalation: str
    change: str
    by: str
    until: str = ""  # when the link ends, "" where it does not say


class Answers(Protocol):
    """The timers, as the page sees them. Each raises SourceError with what is wrong and what to do."""

    def acknowledge(self, escalation: str, by: str) -> None:
        """Stop paging for a while, in the name of an enrolled person."""

    def offered(self, link: str) -> Offer:
        """What a signed link says, without using it: programs follow links, too."""

    def use(self, link: str) -> Offer:
        """Acknowledge by a signed, expiring, single-use link."""


class Place:
    """One repository for all requests; safe for several threads."""

    def __init__(
        self,
        repo: Repository,
        settings: Settings,
        *,
        answers: Answers | None = None,
        now: Callable[[], str] = clock.now,
    ) -> None:
        self.repo = repo
        self.settings = settings
        self.answers = answers
        self.now = now
        self._ledger = Ledger()
        self._signers: OrderedDict[Signed, Signer | None] = OrderedDict()
        self._lock = Lock()

    @property
    def journal_path(self) -> Path:
        return self.repo.common_dir / "twohand" / "journal.db"

    @contextmanager
    def journal(self) -> Iterator[Journal | None]:
        """The journal, read-only, for one request; None before anything was recorded."""
        if not self.journal_path.exists():
            yield None
            return
        with Journal(self.journal_path, writable=False) as journal:
            yield journal

    def standing(self, journal: Journal | None) -> Standing:
        """The latest of all changes."""
        return self._ledger.standing(journal) if journal else Standing(0, {}, {})

    def events(self, journal: Journal, change: str) -> tuple[Event, ...]:
        """The events of a change, every statement verified by ourselves, each once (law 19)."""
        return tuple(self._verified(event) for event in journal.events(change))

    def _verified(self, event: Event) -> Event:
        if not isinstance(event, ReviewGiven | WaiverGranted) or not event.statement:
            return event
        key = signed(event)
        with self._lock:
            known = key in self._signers
        signer = self._signers[key] if known else verified_signer(event)
        with self._lock:
            self._signers[key] = signer
            while len(self._signers) > MOST_SIGNERS:
                self._signers.popitem(last=False)
        return verified(event, {key: signer})

    def policies(self) -> tuple[Policy, ...]:
        """Those that speak about the default branch now; none where they cannot be read."""
        branch = self.repo.default_branch()
        if not branch or not self.repo.exists(branch):
            return ()
        tip = self.repo.resolve(branch)
        found = governing(self.repo, self.settings, default=branch, target=branch, target_tip=tip)
        return tuple(law.policy for law in read_laws(found.texts) if law.policy)

    def people(self) -> Sequence[str]:
        """Who may acknowledge: enrolled people who have not left."""
        found: dict[str, Any] = {}
        for policy in self.policies():
            found |= {name: None for name, person in policy.people.items() if person.active}
        return sorted(found)
