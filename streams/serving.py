"""The page in a thread of its own, beside the timers of `twohand serve`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, cast

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from streams.answers import Answers
    from streams.desk import Desk

READY: Final = 20.0  # seconds that the page may take to listen


class CannotListen(SourceError):
    """The address of the page is not to be had."""

    exit_code = 2


@contextmanager
def mounted(desk: Desk, answers: Answers, *, token: str = "") -> Iterator[str]:
    """The page of this repository while the block runs; its address. Errors: CannotListen."""
    from streams.metrics_text import Exporter  # noqa: PLC0415
    from streams.web.app import make_app  # noqa: PLC0415 - brings aiohttp
    from streams.web.place import Answers as Heard  # noqa: PLC0415
    from streams.web.place import Place  # noqa: PLC0415

    host, _, port = desk.settings.listen.rpartition(":")
    place = Place(desk.repo, desk.settings, answers=cast("Heard", answers))
    app = make_app(place, token=token, metrics=Exporter(desk.journal_path))
    thread = _Page(app, host.strip("[]"), int(port))
    thread.start()
    thread.ready.wait(READY)
    if not thread.address:
        raise CannotListen(
            f"The page cannot listen on {desk.settings.listen}: {thread.error or 'it did not start'}.",
            remedy="Another `twohand serve` may run here already; one is enough. Else set another [serve] listen,"
            " or use --no-page.",
        )
    try:
        yield thread.address
    finally:
        thread.end()


class _Page(Thread):
    """An event loop with one application. `ready` is set once it listens, or cannot."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        super().__init__(name="twohand-page", daemon=True)
        self.ready = Event()
        self.address = ""
        self.error = ""
        self._app, self._host, self._port = app, host, port
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self.error = str(error.strerror or error)
        finally:
            self._loop.close()
            self.ready.set()

    async def _serve(self) -> None:
        from aiohttp import web  # noqa: PLC0415

        runner = web.AppRunner(self._app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            self.ready.set()
            await self._over.wait()
        finally:
            await runner.cleanup()

    def end(self) -> None:
        """Finish what is being answered, and stop."""
        self._loop.call_soon_threadsafe(self._over.set)
        self.join(READY)
