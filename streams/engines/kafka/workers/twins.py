"""Two workers with one --name take each other's place for ever: Kafka's client only logs that its member id is unknown."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from typing import Final

LOST: Final = "Heartbeat failed: local member_id was not recognized"
LOGGER: Final = "aiokafka.consumer.group_coordinator"
OFTEN: Final = 3  # times within SPAN; a session that expired is one
SPAN: Final = 60.0  # seconds
log = logging.getLogger("twohand")


class Twins(logging.Filter):
    """Hears aiokafka, and ends the process with exit code 2 where another worker has its name."""

    def __init__(self, group: str, name: str) -> None:
        super().__init__()
        self._group, self._name = group, name
        self._lost: deque[float] = deque(maxlen=OFTEN)

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(LOST):
            self._lost.append(time.monotonic())
            if len(self._lost) == OFTEN and self._lost[-1] - self._lost[0] < SPAN:
                self._end()
        return True

    def _end(self) -> None:
        log.critical("%s ends: another worker is called %s; give each its own --name", self._group, self._name)
        logging.shutdown()
        os._exit(2)


def watch(group: str, name: str) -> None:
    """Of a worker with a name."""
    if name:
        logging.getLogger(LOGGER).addFilter(Twins(group, name))
