"""The page: what waits for whom, since when, why, and the command that ends it. Server-rendered, read-only without a session.

Mount it: `runner = web.AppRunner(make_app(place, token=..., hosts=...)); await runner.setup(); await web.TCPSite(runner, host,
port).start()`. `place` is `Place(repo, settings, answers=...)`; `answers` passes acknowledgements on to the timers
(`streams.web.place.Answers`), without it nothing can be acknowledged. `token` lets people sign in ("" = nobody can). Where the
settings' `[serve]` listen or url lead beyond this machine, reading takes a session, too.
A browser may ask for the page under localhost, an address, the host of the settings' `[serve] url`, and `hosts`.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from aiohttp import web

from streams.sources.errors import SourceError
from streams.web import guard, pages, webhooks
from streams.web.actions import Actions
from streams.web.sessions import COOKIE, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp.typedefs import Middleware

    from streams.web.place import Place

LARGEST_FORM: Final = 16 * 1024  # bytes
OPEN: Final = (
    "/ack/",
    "/sign-in",
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
    webhooks.PREFIX,
)  # without a session, wherever we listen
STATIC: Final = {
    "page.css": "text/css", "page.js": "text/javascript", "htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml",
}  # fmt: skip
READ: Final[dict[str, pages.Work]] = {
    "/": pages.queue,
    "/changes/{change}": pages.change,
    "/changes/{change}/files/{at:[0-9]{1,6}}": pages.file,
    "/escalations": pages.escalations,
    "/rules": pages.rules,
    "/rules/{name}": pages.rule,
    "/health": pages.state,
    "/sign-in": pages.sign_in,
}


def make_app(
    place: Place,
    *,
    token: str = "",
    hosts: Iterable[str] = (),
    metrics: Callable[[], bytes] | None = None,
) -> web.Application:
    """The application; `metrics` gives the text that Prometheus reads at /metrics.

    Errors: TokenTooShort.
    """
    sessions = Sessions(token)
    rules = [_refusals(place, sessions), guard.hosts((*hosts, *_own_names(place))), guard.forms(signed=webhooks.PREFIX)]
    if not guard.stays_here(place.settings.listen, place.settings.url):
        rules.append(_signed_in_only(sessions))
    app = web.Application(middlewares=rules, client_max_size=LARGEST_FORM)
    app.on_response_prepare.append(guard.add_headers)
    for path, work in READ.items():
        app.router.add_get(path, pages.handler(place, sessions, work))
    _answering(app, Actions(place, sessions))
    _machines(app, place, metrics)
    webhooks.add(app, place)
    for name, kind in STATIC.items():
        app.router.add_get(f"/static/{name}", _static(name, kind))
    return app


def _own_names(place: Place) -> list[str]:
    """The names that the settings give to this page."""
    listen = place.settings.listen
    return [name for name in (guard.host_of(urlsplit(place.settings.url).netloc), guard.host_of(listen)) if name]


def _signed_in_only(sessions: Sessions) -> Middleware:
    """Beyond this machine even reading takes a session; links, and what programs ask for, do not."""

    @web.middleware
    async def check(request: web.Request, handler: guard.Handler) -> web.StreamResponse:
        if not request.path.startswith(OPEN) and not sessions.find(request.cookies.get(COOKIE, "")):
            raise web.HTTPSeeOther(f"/sign-in?next={quote(request.path)}")
        return await handler(request)

    return check


def _answering(app: web.Application, actions: Actions) -> None:
    app.router.add_post("/sign-in", actions.sign_in)
    app.router.add_post("/sign-out", actions.sign_out)
    app.router.add_post("/escalations/{escalation}/acknowledge", actions.acknowledge)
    app.router.add_get("/ack/{link}", actions.link)
    app.router.add_post("/ack/{link}", actions.use_link)


def _machines(app: web.Application, place: Place, metrics: Callable[[], bytes] | None) -> None:
    """What programs ask for: whether it lives, whether it can read, what is new, and the metrics."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        try:
            offset = await asyncio.to_thread(_offset, place)
        except SourceError as error:
            return web.json_response({"status": "fail", "why": error.message, "do": error.remedy}, status=503)
        return web.json_response({"status": "ok", "events": offset})

    async def news(request: web.Request) -> web.Response:
        offset = str(await asyncio.to_thread(_offset, place))
        if request.query.get("since", offset) == offset:
            return web.Response(status=204)
        text = '<p><a class="button" href="">Something is new. Show it</a></p>'
        return web.Response(text=text, content_type="text/html")

    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/news", news)
    if metrics:
        told = metrics

        async def counted(_: web.Request) -> web.Response:
            text = await asyncio.to_thread(told)
            return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

        app.router.add_get("/metrics", counted)


def _offset(place: Place) -> int:
    with place.journal() as journal:
        rows = journal.ask("select max(offset) from log") if journal else []
    return int(rows[0][0] or 0) if rows else 0


def _static(name: str, kind: str) -> guard.Handler:
    body = (files("streams.web") / "static" / name).read_bytes()

    async def answer(_: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=3600"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return answer


def _refusals(place: Place, sessions: Sessions) -> Middleware:
    """Whatever breaks down inside is an answer without its innards; the log of the service has them."""

    @web.middleware
    async def catch(request: web.Request, handler: guard.Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            asked = pages.of_request(place, sessions, request)
            return pages.problem(asked, 404, "There is no such page.", "The list of changes has what there is.")
        except web.HTTPException:
            raise
        except Exception:
            request.app.logger.exception("%s %s", request.method, request.path)
            text = "This page could not be made. It may be temporary: try again in half a minute; `twohand doctor` looks deeper.\n"
            raise web.HTTPInternalServerError(text=text) from None

    return catch
