"""What a worker says of its broker: once that none can be worked with, and once that one can again."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from streams.engines.kafka.broker import connection
from streams.engines.kafka.broker.greeting import BrokerUnusable

if TYPE_CHECKING:
    from streams.settings import Settings

SELDOM: Final = 5.0  # seconds between two looks of `ask`
log = logging.getLogger("twohand")


class Absence:
    """`name` is the worker's consumer group."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self.name = settings, name
        self._told = ""
        self._asked = 0.0

    def begins(self, error: BrokerUnusable) -> None:
        """Told again only where it is another reason."""
        if error.message != self._told:
            log.warning("%s waits: %s %s", self.name, error.message, error.remedy)
        self._told = error.message

    def ends(self) -> None:
        """The broker takes it again."""
        if self._told:
            log.warning("%s goes on: a broker answers", self.name)
        self._told = ""

    def ask(self) -> None:
        """Look why the broker is away; it may be back already."""
        if time.monotonic() - self._asked < SELDOM:
            return
        try:
            connection.reach(self._settings)
        except BrokerUnusable as error:
            self.begins(error)
        self._asked = time.monotonic()
