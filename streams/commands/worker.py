"""`twohand worker`: a worker of the Kafka engine, until it is told to stop."""

import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.logs import Format, ending, secrets_of, setup
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engines.kafka.workers.window import Slow
    from streams.engines.kafka.workers.worker import Work
    from streams.settings import Settings

AGAIN = 2.0  # seconds between two looks for the broker
MODEL = "model"  # `--only model:NAME`
ROLES = ("rules", "decide", "escalate")  # and one for each model reviewer of the settings
SYNONYMS = {"reviewer": "rules", "decider": "decide", "escalator": "escalate"}  # the roles of topics, which people try

Only = Annotated[
    str,
    typer.Option(
        "--only",
        metavar="ROLE",
        help=f"Only this: {', '.join(ROLES)}, or {MODEL}:NAME; default: each in a process of its own.",
        show_default=False,
    ),
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
    typer.Option(
        "--ready",
        metavar="FILE",
        help="A file that is touched while all is well; without --only also FILE.ROLE of each worker.",
        show_default=False,
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Where a model's worker keeps answers and costs; default: the git directory of the repository here.",
        show_default=False,
    ),
]
Listen = Annotated[
    str,
    typer.Option(
        "--listen",
        metavar="[HOST:]PORT",
        help="Where /metrics, /readyz and /livez are answered, each worker on a port of its own; default: nowhere.",
        show_default=False,
    ),
]
Log = Annotated[Format, typer.Option("--log", help="How log lines are written; json also tells each handled event.")]
Leash = Annotated[int, typer.Option("--leash", hidden=True)]


class NotReady(SourceError):
    """The broker lacks what a worker needs."""


class NoRole(SourceError):
    """No worker does this."""


class Place(NamedTuple):
    """Where a worker runs: the directory of `-C`, and of `--state` where that is given."""

    where: Path
    state: Path | None


def register(app: typer.Typer) -> None:
    app.command(name="worker")(worker)


def worker(
    *, only: Only = "", name: Name = "", ready: Ready = None, state: State = None, where: options.Where = HERE,
    settings: options.Settings = None, listen: Listen = "", log: Log = Format.TEXT, leash: Leash = -1,
) -> int:  # fmt: skip
    """Review, decide or ask people, until SIGTERM.

    Review or decide what comes over Kafka, or ask people about what was decided. It waits for the broker. Exit code 1: it could not go on, nothing is lost, start it again.
    """
    from streams.engines.kafka.broker import connection  # noqa: PLC0415 - other commands need none of it
    from streams.engines.kafka.workers import supervising  # noqa: PLC0415 - other commands need none of it

    if leash >= 0:
        supervising.hold(leash)
    operator, place = connection.settings_at(where, settings), Place(where, state)
    setup(log, secrets=secrets_of(operator, os.environ))
    only = SYNONYMS.get(only, only)

    def work() -> int:
        with _told_of(only if leash >= 0 else ""):
            if not only:
                with _told_of("decide"):
                    _check_store(operator)
                commands = [(role, _command(role, name, operator.source, place)) for role in _roles(operator)]
                return supervising.supervise(
                    {role: [*words, *_watched(listen, log, number)] for number, (role, words) in enumerate(commands)},
                    ready,
                )
            if only == "escalate":
                return _escalate(operator, listen, ready)
            return _run(_work(only, operator, place), operator, listen, name=name, ready=ready)

    return ending(log, work)


def _check_store(settings: "Settings") -> None:
    """StoreUnfit where none is set, or it is that of another release; one that is away is waited for."""
    import psycopg  # noqa: PLC0415 - an optional package

    from streams.engines.kafka.cases.connection import StoreAway  # noqa: PLC0415
    from streams.engines.kafka.cases.store import Store  # noqa: PLC0415

    with suppress(StoreAway, psycopg.Error), Store(settings.store) as store:
        store.check()


@contextmanager
def _told_of(role: str) -> "Iterator[None]":
    """Where several workers share a terminal, an error that ends one begins with its name."""
    try:
        yield
    except SourceError as error:
        error.message = f"{role}: {error.message}" if role else error.message
        raise


def _run(work: "Work | Slow", settings: "Settings", listen: str, *, name: str, ready: Path | None) -> int:
    from streams.engines.kafka.telemetry.observing import begin  # noqa: PLC0415
    from streams.engines.kafka.workers.worker import run  # noqa: PLC0415

    gauges = begin(work, settings, listen)
    _wait(work, settings)
    work.open()
    return run(work, settings, name=name, ready=ready, gauges=gauges)


def _escalate(settings: "Settings", listen: str, ready: Path | None) -> int:
    """The one worker that consumes nothing."""
    from streams import answers  # noqa: PLC0415
    from streams.engines.kafka.telemetry.observing import begin  # noqa: PLC0415
    from streams.engines.kafka.workers.escalating import Escalating, run  # noqa: PLC0415

    work = Escalating(settings, secret=answers.shared_secret(os.environ))
    return run(work, begin(work, settings, listen), ready=ready)


def _watched(listen: str, log: Format, number: int) -> list[str]:
    """What the worker of this number is told of how it is watched."""
    from streams.engines.kafka.telemetry.observing import beside  # noqa: PLC0415

    return ["--log", log.value, *(["--listen", beside(listen, number)] if listen else [])]


def _roles(settings: "Settings") -> tuple[str, ...]:
    """All that may stand behind --only. A reviewer that stands in for another is asked by the other's worker."""
    from streams.judges.roster import leaders  # noqa: PLC0415

    return (*ROLES, *(f"{MODEL}:{name}" for name in leaders(settings.reviewers)))


def _work(only: str, settings: "Settings", place: Place) -> "Work | Slow":
    """The work of a role. NoRole where it is none."""
    from streams import clock  # noqa: PLC0415

    if only == "rules":
        from streams.engines.kafka.workers.reviewing import Reviewing  # noqa: PLC0415

        return Reviewing(clock.now)
    if only == "decide":
        from streams.engines.kafka.workers.deciding import Deciding  # noqa: PLC0415

        _check_store(settings)
        return Deciding(settings.store, clock.now)
    kind, _, reviewer = only.partition(":")
    if kind == MODEL and only in _roles(settings):
        from streams.engines.kafka.workers.judging import Judging, enrolled, folder  # noqa: PLC0415

        judging = Judging(reviewer, settings, folder(place.where, place.state), clock.now)
        judging.look()
        if place.state is None:
            enrolled(settings.reviewers[reviewer], place.where, settings)
        return judging
    raise _no_role(only, settings)


def _no_role(only: str, settings: "Settings") -> NoRole:
    kind, _, name = only.partition(":")
    leader = next((one.name for one in settings.reviewers.values() if name in one.fallback), "")
    if kind == MODEL and leader and name in settings.reviewers:
        return NoRole(
            f"--only {only}: {name} stands in for {leader}, whose worker asks it when its turn comes.",
            f"Start it with --only {MODEL}:{leader}.",
        )
    allowed = ", ".join(_roles(settings))
    where = settings.source or "the settings"
    known = "" if settings.reviewers else f" {where} has no [reviewers.NAME]."
    return NoRole(f"--only {only}: no worker does this.{known}", f"Allowed: {allowed}.")


def _wait(work: "Work | Slow", settings: "Settings") -> None:
    """Until a broker answers that has the topics; NotReady where it has not, because waiting does not make them."""
    from streams.engines.kafka.broker import connection, topic_admin  # noqa: PLC0415
    from streams.engines.kafka.broker.greeting import BrokerUnusable  # noqa: PLC0415
    from streams.engines.kafka.records.topics import of_role  # noqa: PLC0415
    from streams.engines.kafka.workers.absence import Absence  # noqa: PLC0415

    names, absence = of_role(work.role), Absence(settings, work.group)
    while True:
        try:
            with connection.admin(settings) as admin:
                found = topic_admin.differences(topic_admin.found(admin, names, configured=False), names)
            break
        except BrokerUnusable as error:
            absence.begins(error)
            time.sleep(AGAIN)
    absence.ends()
    if stops := [row for row in found if row.stops]:
        raise NotReady(f"{stops[0].topic} {stops[0].what}.", f"Run: {stops[0].remedy}")


def _command(role: str, name: str, source: str, place: Place) -> list[str]:
    said = {"--name": name, "--settings": source, "--state": str(place.state or ""), "-C": str(place.where)}
    more = [word for option, value in said.items() if value for word in (option, value)]
    return [sys.executable, "-m", "streams.cli", "worker", "--only", role, *more]
