"""What is kept about endpoints between reviews: connections, bulkheads, circuit breakers. One `Lines` for a process."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NamedTuple, Self

from streams.judges import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from openai import AsyncOpenAI

    from reviewers.judging import Endpoint

FAILURES = 5  # requests that failed in a row before an endpoint is left alone
REST = 30.0  # seconds that it is left alone
FIRST, MOST = 0.5, 8.0  # seconds between attempts: doubled each time, with jitter


class Circuit:
    """Open after so many failures in a row; then one request tries whether the endpoint is back. Clock: the event loop's."""

    def __init__(self) -> None:
        """Closed."""
        self.failures = 0
        self._until = 0.0

    def wait(self) -> float:
        """Seconds until a request may be tried; 0 where it may now, and then nobody else may until it came back."""
        now = asyncio.get_running_loop().time()
        if self.failures < FAILURES:
            return 0.0
        if now >= self._until:
            self._until = now + REST
            return 0.0
        return self._until - now

    def told(self, came: wire.Came | wire.Failure) -> None:
        """What became of a request. Only what another attempt may mend speaks against an endpoint."""
        if isinstance(came, wire.Failure) and came.again and came.http_status not in (409, 429):
            self.failures += 1
            self._until = asyncio.get_running_loop().time() + REST
        else:
            self.failures = 0


class Line(NamedTuple):
    """One endpoint: its client, as many places as requests may be under way, and whether it is spoken to at all."""

    endpoint: Endpoint
    client: AsyncOpenAI
    places: asyncio.Semaphore
    circuit: Circuit

    async def send(self, payload: Mapping[str, Any]) -> wire.Came | wire.Failure:
        """One request, when a place is free."""
        came = await wire.send(self.client, payload, self.endpoint)
        self.circuit.told(came)
        return came


class Lines:
    """Endpoints of one event loop. An endpoint has one client, one bulkhead and one breaker, whoever asks."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._jitter = jitter
        self._lines: dict[Endpoint, Line] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections."""
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            await line.client.close()

    def line(self, endpoint: Endpoint) -> Line:
        """The line to an endpoint."""
        if endpoint not in self._lines:
            places = asyncio.Semaphore(endpoint.limits.parallel)
            self._lines[endpoint] = Line(endpoint, wire.open_client(endpoint), places, Circuit())
        return self._lines[endpoint]

    def pause(self, attempt: int, after: float) -> float:
        """Seconds before the next attempt; never less than the endpoint asks for."""
        own = min(FIRST * 2.0 ** (attempt - 1), MOST) * (0.5 + self._jitter() / 2)
        return max(own, after)
