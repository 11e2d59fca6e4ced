"""`twohand relay`: carry what this repository's journal records to Kafka, and decisions back, until it is told to stop."""

import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE

if TYPE_CHECKING:
    from streams.engines.kafka.carrier.relay import Relay

Once = Annotated[bool, typer.Option("--once", help="Carry what there is, and end: for cron.")]


def register(app: typer.Typer) -> None:
    app.command(name="relay")(relay)


def relay(*, once: Once = False, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Carry between the journal of a repository and Kafka.

    What is proposed and said here goes out; decisions and signed statements come back. It goes on where it stopped. While
    the broker is away nothing is lost and nobody waits. `twohand serve` contains it.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it
    from streams.engines.kafka.broker.connection import chosen  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        bootstrap = chosen(desk.settings).bootstrap
        from streams.engines.kafka.carrier.relay import opened  # noqa: PLC0415

        with opened(desk) as carrier:
            if once:
                return carried(carrier)
            stop = until_told()
            print(f"twohand relay: {desk.repo.common_dir} <-> {bootstrap}", file=sys.stderr, flush=True)
            carrier.run(stop)
    return 0


def carried(relay: "Relay") -> int:
    """One round, told."""
    out, back = relay.round()
    print(f"{out} records carried out, {back} decisions came back")
    return 0


def until_told() -> Event:
    """Set once this process is told to end."""
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    return stop
