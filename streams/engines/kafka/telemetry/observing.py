"""How a worker is watched from outside: what it counts, and where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from streams.engines.kafka.telemetry import store_gauges
from streams.engines.kafka.telemetry.gauges import Gauges
from streams.engines.kafka.telemetry.listener import Listener, parsed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from streams.settings import Settings


STORES: Final = ("decider", "escalator")  # roles whose workers know the case store


class Watched(Protocol):
    """What every work says of itself."""

    role: str
    group: str


@runtime_checkable
class Retrying(Protocol):
    """Work that tells how often it was tried again."""

    retries: int


def begin(work: Watched, settings: Settings, listen: str = "") -> Gauges:
    """The numbers of a worker, asked for at an address from now on; "" for nowhere. NoAddress, CannotListen."""

    def of_store() -> Iterable[Any]:
        return store_gauges.families(settings.store) if work.role in STORES and settings.store else ()

    gauges = Gauges(work.group, retries=lambda: work.retries if isinstance(work, Retrying) else 0, more=of_store)
    if listen:
        Listener(listen, gauges)
    return gauges


def beside(listen: str, number: int) -> str:
    """Where the worker of this number listens, of several that are told one address: each on the next port. NoAddress."""
    if not listen:
        return ""
    host, port = parsed(listen)
    place = f"[{host}]" if ":" in host else host
    return f"{place}:{port + number if port else 0}"
