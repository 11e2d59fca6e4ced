"""`twohand worker`: a worker of the Kafka engine, until it is told to stop."""

import signal
import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.engines.kafka.worker import Work
    from streams.settings import Settings

AGAIN = 2.0  # seconds until a worker that ended is started again, and between two looks for the broker


class Role(StrEnum):
    """What one worker does."""

    RULES = "rules"
    DECIDE = "decide"


Only = Annotated[
    Role | None, typer.Option("--only", help="Only this; default: each in a process of its own.", show_default=False)
]
Name = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="STABLE",
        help="A name that this worker alone has: started again, it returns to its partitions at once.",
        show_default=False,
    ),
]
Ready = Annotated[
    Path | None,
    typer.Option("--ready", metavar="FILE", help="A file that is touched while all is well.", show_default=False),
]


class NotReady(SourceError):
    """The broker lacks what a worker needs."""


def register(app: typer.Typer) -> None:
    app.command(name="worker")(worker)


def worker(
    *, only: Only = None, name: Name = "", ready: Ready = None, where: options.Where = HERE,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Review or decide what comes over Kafka, until SIGTERM.

    It waits for the broker. Exit code 1: it could not go on, nothing is lost, start it again.
    """
    from streams.engines.kafka import connection  # noqa: PLC0415 - other commands need none of it

    operator = connection.settings_at(where, settings)
    if only is None:
        return _both(name, operator.source)
    from streams.engines.kafka.worker import run  # noqa: PLC0415

    work = _work(only, operator)
    _wait(work, operator)
    work.open()
    return run(work, operator, name=name, ready=ready)


def _work(role: Role, settings: "Settings") -> "Work":
    from streams import clock  # noqa: PLC0415

    if role is Role.RULES:
        from streams.engines.kafka.reviewing import Reviewing  # noqa: PLC0415

        return Reviewing(clock.now)
    from streams.engines.kafka.deciding import Deciding  # noqa: PLC0415

    return Deciding(settings.store, clock.now)


def _wait(work: "Work", settings: "Settings") -> None:
    """Until a broker answers that has the topics; NotReady where it has not, because waiting does not make them."""
    from streams.engines.kafka import connection, topic_admin  # noqa: PLC0415
    from streams.engines.kafka.greeting import BrokerUnusable  # noqa: PLC0415
    from streams.engines.kafka.topics import of_role  # noqa: PLC0415

    names = of_role(work.role)
    while True:
        try:
            with connection.admin(settings) as admin:
                found = topic_admin.differences(topic_admin.found(admin, names, configured=False), names)
            break
        except BrokerUnusable as error:
            print(f"twohand waits: {error.message}", file=sys.stderr, flush=True)
            time.sleep(AGAIN)
    if stops := [row for row in found if row.stops]:
        raise NotReady(f"{stops[0].topic} {stops[0].what}.", f"Run: {stops[0].remedy}")


def _both(name: str, source: str) -> int:
    """Each role in its own process; one that ends is started again until we are told to stop."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    commands = [_command(role, name, source) for role in Role]
    running = [subprocess.Popen(command) for command in commands]
    while not stopping:
        time.sleep(0.2)
        for at, process in enumerate(running):
            if process.poll() == 2:
                stopping.append(process.pid)
            elif process.poll() is not None:
                time.sleep(AGAIN)
                running[at] = subprocess.Popen(commands[at])
    for process in running:
        process.terminate()
    return max(process.wait() for process in running)


def _command(role: Role, name: str, source: str) -> list[str]:
    more = [*(["--name", name] if name else []), *(["--settings", source] if source else [])]
    return [sys.executable, "-m", "streams.cli", "worker", "--only", role.value, *more]
