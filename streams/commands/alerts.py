"""`twohand alerts test [ROUTE]`: whether a message reaches the people whom it is for."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams import clock, settings
from streams.commands import options
from streams.commands.options import HERE
from streams.settings import Alert
from streams.sources.errors import SourceError
from streams.sources.git import Repository

if TYPE_CHECKING:
    from streams.sinks.alerts.message import Message

Route = Annotated[
    str, typer.Argument(metavar="[ROUTE]", help="A route of the settings; default: all of them.", show_default=False)
]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to", metavar="EMAIL", help="Who gets the e-mail, besides the route's own `to`.", show_default=False
    ),
]
NOT_SENT = 2


class NoRoute(SourceError):
    """The settings have no such route."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The routes by which people are told.", no_args_is_help=True)
    group.callback()(_group)
    group.command(name="test")(tried)
    app.add_typer(group, name="alerts")


def _group() -> None:
    """The routes by which people are told."""


def tried(route: Route = "", *, to: To = None, where: options.Where = HERE, explicit: options.Settings = None) -> int:
    """Send a test message through a route, or through all of them.

    It says that it is a test; PagerDuty's incident is ended at once, Alertmanager's alert ends by itself. Exit code 2 where
    a route did not take it, with the reason.
    """
    from streams.sinks.alerts import message  # noqa: PLC0415 - the help page needs none of it

    known = _known(where, explicit)
    if route and route not in known:
        raise NoRoute(
            f"The settings have no route {route!r} (they have {', '.join(known)}).",
            remedy="Name one of these, or add [alerts.NAME] to the settings.",
        )
    at = clock.now()
    asked = (message.Person("who runs this test", tuple(to)),) if to else ()
    names = [route] if route else list(known)
    return max(_tried(known[name], message.probe(name, at)._replace(asked=asked)) for name in names)


def _known(where: Path, explicit: Path | None) -> Mapping[str, Alert]:
    """The routes by name; where there are none, the log that stands for all of them."""
    found = settings.load(explicit, Repository.open(where).common_dir, os.environ).alerts
    return found or {"log": Alert("log", "log")}


def _tried(alert: Alert, message: "Message") -> int:
    from streams.sinks.alerts.route import NotSent, made  # noqa: PLC0415
    from streams.sinks.render.safe import shown  # noqa: PLC0415

    started = time.monotonic()
    answer = made(alert, os.environ).send(message)
    took = f"{time.monotonic() - started:.1f} s"
    if isinstance(answer, NotSent):
        print(f"{alert.name} ({alert.kind}): not sent ({took}): {shown(answer.reason, 400)}", flush=True)
        return NOT_SENT
    print(f"{alert.name} ({alert.kind}): sent ({took})", flush=True)
    return 0
