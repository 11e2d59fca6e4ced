"""`twohand relay`: carry what this repository's journal records to Kafka, and decisions back, until it is told to stop."""

import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.engines.kafka.relay import Relay

Once = Annotated[bool, typer.Option("--once", help="Carry what there is, and end: for cron.")]
PAUSE = 0.5  # seconds between two looks
AWAY = 5.0  # seconds until a broker that is away is asked again


def register(app: typer.Typer) -> None:
    app.command(name="relay")(relay)


def relay(*, once: Once = False, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Carry between the journal of a repository and Kafka.

    It goes on where it stopped. While the broker is away nothing is lost and nobody waits.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it
    from streams.engines.kafka.relay import Beside, Relay  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk, Beside(desk.journal.path.parent) as file:
        carrier = Relay(desk, file)
        if not once:
            return _until_stopped(carrier)
        out, back = carrier.round()
    print(f"{out} records carried out, {back} decisions came back")
    return 0


def _until_stopped(carrier: "Relay") -> int:
    stop, told = Event(), ""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    pause = 0.0
    while not stop.wait(pause):
        try:
            carrier.round()
            pause, told = PAUSE, ""
        except SourceError as error:
            if told != error.message:
                print(f"twohand relay waits: {error.message}", file=sys.stderr, flush=True)
            pause, told = AWAY, error.message
    return 0
