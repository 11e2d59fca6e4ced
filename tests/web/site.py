"""A page on a real socket of loopback, and a client that sends exactly what a test says."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event, Thread
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


class Site:
    """`cookie` is sent with every request once it is set."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """As a browser sends a form of our own page; `headers` replace what it says of itself."""
        own = {"Origin": self.address, "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form), own | headers)

    def sign_in(self, name: str, token: str) -> Answer:
        answer = self.post("/sign-in", {"name": name, "token": token})
        self.cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        return answer

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, ({"Cookie": self.cookie} if self.cookie else {}) | named)
            found = connection.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read().decode())
        finally:
            connection.close()


@contextmanager
def served(app: web.Application) -> Iterator[Site]:
    """The application in a thread of its own while the block runs."""
    loop, ready, over, port = asyncio.new_event_loop(), Event(), asyncio.Event(), [0]

    async def work() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port[0] = runner.addresses[0][1]
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = Thread(target=lambda: loop.run_until_complete(work()))
    thread.start()
    assert ready.wait(20)
    try:
        yield Site(port[0])
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()
