"""The embedded service: timers, letters and answers from elsewhere, again and again until it is told to stop (DESIGN 10)."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from rules import instants
from streams import answers
from streams.engines.outbox import JournalOutbox
from streams.letters import no_link, routes_with_log
from streams.sinks.alerts import answers as alert_answers
from streams.sinks.alerts.dispatch import Dispatcher, Outcome
from streams.sinks.alerts.route import NotSent, routes
from streams.sources.errors import SourceError
from streams.timers import ALL, Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from streams.engines.book import Book, Casebook
    from streams.engines.journal import Journal
    from streams.settings import Alert

PAUSE: Final = 1.0  # seconds between two looks at the record
LISTEN_EVERY: Final = 30  # seconds between two looks at silences
ALERTMANAGER: Final = "alertmanager"


class Done(NamedTuple):
    """What one round did."""

    looked: int
    pages: int
    sent: tuple[Outcome, ...]
    heard: int
    more: bool = False  # whether more is due at once


class Service:
    """One record with its routes. `secret` and `address` make the links in messages; without an address there are none."""

    def __init__(
        self,
        journal: Journal | Casebook,
        alerts: Mapping[str, Alert],
        *,
        now: Callable[[], str],
        secret: bytes = b"",
        address: str = "",
    ) -> None:
        self._journal: Book = journal
        self._alerts = routes_with_log(alerts)
        self._now = now
        link = answers.linker(secret, address, now) if secret and address else no_link
        self.timers = Timers(journal, self._alerts, link=link)
        self.outbox = JournalOutbox(journal)
        self._routes = routes(self._alerts, os.environ)
        self.dispatcher = Dispatcher(self._routes, self.outbox)
        self._listened = 0

    def round(self, *, ticks: int = ALL) -> Done:
        """Hear what was answered elsewhere, do what is due in so many ticks, send what waits."""
        at = self._now()
        now = instants.seconds_of(at)
        heard = self._listen(at, now)
        ticked = self.timers.run(at, ticks=ticks)
        sent = self.dispatcher.run(now)
        forgetful = [name for name, route in self._routes.items() if route.resend]
        self.dispatcher.keep(self.outbox.standing(forgetful))
        return Done(ticked.looked, ticked.pages, tuple(sent), heard, ticked.more)

    def run(self, stop: Event) -> None:
        """Rounds until `stop` is set; then one last one, so that nothing that is due stays behind."""
        while not stop.is_set():
            self._safely()
            stop.wait(PAUSE)
        self._safely()

    def _safely(self) -> None:
        """A locked journal or a full disk is told and tried again; nothing that is due is lost by waiting."""
        try:
            self.round()
        except SourceError as error:
            print(f"error: {error.message}", file=sys.stderr)
            print(f"hint: {error.remedy}", file=sys.stderr)
            time.sleep(PAUSE)

    def _listen(self, at: str, now: int) -> int:
        """Who silenced a problem in Alertmanager has acknowledged it."""
        kinds = [alert for alert in self._alerts.values() if alert.kind == ALERTMANAGER]
        if not kinds or now - self._listened < LISTEN_EVERY:
            return 0
        self._listened = now
        keys = {row[0] for row in self._journal.ask("select distinct dedup from told")}
        found = [alert_answers.silences(alert, os.environ, keys) for alert in kinds] if keys else []
        return sum(answers.elsewhere(self._journal, heard, at) for heard in found if not isinstance(heard, NotSent))
