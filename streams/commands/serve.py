"""`twohand serve`: the timers, the letters and the page of one repository, until it is told to stop."""

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.commands.relay import until_told
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.desk import Desk
    from streams.service import Done, Service

Once = Annotated[bool, typer.Option("--once", help="Do what is due, send what waits, and end: for cron.")]
NoPage = Annotated[bool, typer.Option("--no-page", help="Only timers and messages.")]


def register(app: typer.Typer) -> None:
    app.command(name="serve")(serve)


def serve(
    *, once: Once = False, no_page: NoPage = False, where: options.Where = HERE, settings: options.Settings = None
) -> int:
    """Page people, remind them, and show the page.

    Escalations are opened from recorded decisions; steps that are due are told through the routes of the settings.
    It may be stopped and started at any time, and several may run: nothing is told twice.
    With engine = "kafka" it carries between the journal and Kafka instead, as `twohand relay` does.
    """
    from streams import answers, clock  # noqa: PLC0415 - other commands need none of it
    from streams.desk import Desk  # noqa: PLC0415
    from streams.service import Service  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        if desk.settings.engine == "kafka":
            return _carrying(desk, once=once, page=not no_page)
        secret = answers.secret_at(desk.journal_path.parent)
        address = "" if no_page else desk.settings.url or f"http://{desk.settings.listen}"
        service = Service(desk.journal, desk.settings.alerts, now=clock.now, secret=secret, address=address)
        _warn(desk)
        if once:
            print(_told(service.round()))
            return 0
        return _until_stopped(service, desk, secret, page=not no_page)


def _until_stopped(service: "Service", desk: "Desk", secret: bytes, *, page: bool) -> int:
    stop = until_told()
    routes = ", ".join(f"{name} ({alert.kind})" for name, alert in sorted(desk.settings.alerts.items())) or "a log"
    with _page(desk, secret) if page else nullcontext("no page") as where:
        print(f"twohand serves {desk.repo.common_dir}: {where}; messages go to {routes}", file=sys.stderr, flush=True)
        service.run(stop)
    return 0


def _carrying(desk: "Desk", *, once: bool, page: bool) -> int:
    """With Kafka: the page and the relay. People are asked by the escalator, which knows the changes of all repositories."""
    from streams import answers  # noqa: PLC0415
    from streams.commands.relay import carried  # noqa: PLC0415
    from streams.engines.kafka.carrier.relay import opened  # noqa: PLC0415

    secret = answers.secret_at(desk.journal_path.parent)
    with opened(desk) as relay:
        if once:
            return carried(relay)
        stop = until_told()
        with _page(desk, secret) if page else nullcontext("no page") as where:
            print(f"twohand serves {desk.repo.common_dir}: {where}; carries to and from {desk.settings.bootstrap};", file=sys.stderr)  # fmt: skip
            print("  deadlines and messages to people are the escalator's: `twohand worker --only escalate`", file=sys.stderr, flush=True)  # fmt: skip
            relay.run(stop)
    return 0


@contextmanager
def _page(desk: "Desk", secret: bytes) -> "Iterator[str]":
    """The page while the block runs; where it is."""
    from streams import answers  # noqa: PLC0415
    from streams.serving import mounted  # noqa: PLC0415

    place = answers.Answers(desk.journal_path, secret)
    with mounted(desk, place, token=os.environ.get("TWOHAND_TOKEN", "")) as address:
        yield f"page at {address}"


def _warn(desk: "Desk") -> None:
    """What would only be found out at three in the morning is told at the start: misspelt words of steps, keys that are not there."""
    from streams.letters import route_of, unrouted  # noqa: PLC0415
    from streams.sinks.alerts.keys import missing  # noqa: PLC0415

    alerts = desk.settings.alerts
    default = desk.default_branch or ""
    tip = desk.repo.first_ref(default) if default else None
    for policy in desk.standing(default, tip.id).policies if tip else ():
        for word in unrouted(policy, alerts):
            route = f"through {route_of(word, alerts)[0]!r}" if alerts else "into this log"
            _note(
                f"{policy.source} notifies {word!r}, which is nobody there and no [alerts.{word}] of the settings;"
                f" its messages go {route}"
            )
    for name, alert in sorted(alerts.items()):
        if why := missing(alert, os.environ):
            _note(f"[alerts.{name}] of the settings reaches nobody as it is: {why}")


def _note(text: str) -> None:
    print(f"note: {shown(text, 400)}", file=sys.stderr)


def _told(done: "Done") -> str:
    sent = sum(not outcome.reason for outcome in done.sent)
    late = len(done.sent) - sent
    return f"{done.looked} changes looked at, {done.pages} pages due, {sent} messages sent, {late} not taken yet"
