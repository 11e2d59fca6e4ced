"""What other systems tell us: an acknowledgement in PagerDuty is one here. Signed by them, and never an approval."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from aiohttp import web

from streams import answers
from streams.engines.journal import Journal
from streams.sinks.alerts import answers as elsewhere
from streams.sinks.alerts import keys
from streams.sinks.alerts.route import NotSent
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from streams.settings import Alert
    from streams.web.place import Place

PREFIX: Final = "/hooks/"
PATIENCE: Final = 10.0  # seconds that a body may take
SIGNATURE: Final = "X-PagerDuty-Signature"


def listening(alerts: Mapping[str, Alert]) -> dict[str, Alert]:
    """The routes that can be answered from outside: PagerDuty's whose `answers_env` is set."""
    return {name: alert for name, alert in alerts.items() if alert.kind == "pagerduty" and alert.answers_env}


def add(app: web.Application, place: Place) -> None:
    """`POST /hooks/NAME` for each of them, and nothing where there is none."""
    for name, alert in listening(place.settings.alerts).items():
        app.router.add_post(f"{PREFIX}{name}", _handler(place, alert))


def _handler(place: Place, alert: Alert) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def heard(request: web.Request) -> web.Response:
        secret = keys.variable(alert.answers_env, os.environ)
        if isinstance(secret, NotSent):
            return web.json_response({"error": secret.reason}, status=503)
        body = await _body(request)
        told = elsewhere.pagerduty(body, request.headers.get(SIGNATURE, ""), secret=secret, route=alert.name)
        if isinstance(told, elsewhere.Refused):
            return web.json_response({"error": told.reason}, status=403)
        try:
            count = await asyncio.to_thread(_recorded, place, told)
        except SourceError as error:  # they send it again
            return web.json_response({"error": error.message}, status=503)
        return web.json_response({"heard": count})

    return heard


async def _body(request: web.Request) -> bytes:
    """As much as is looked at and one byte more, within PATIENCE seconds."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while len(body) <= elsewhere.MOST and (part := await request.content.readany()):
                body += part
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return body


def _recorded(place: Place, told: tuple[elsewhere.Heard, ...]) -> int:
    if not told or not place.journal_path.exists():
        return 0
    with Journal(place.journal_path) as journal:
        return answers.elsewhere(journal, told, place.now())
