"""One HTTP call that ends: a deadline over everything, no redirects, no proxies of the environment, a bounded answer."""

from __future__ import annotations

import asyncio
import json
import queue
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from streams.sinks.alerts.keys import place
from streams.sinks.alerts.route import DEADLINE, LATER, NotSent
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")
MOST: Final = 4 << 20  # bytes of an answer
BUSY: Final = frozenset({408, 425, 429})  # answers that pass, besides 5xx
LONGEST: Final = 3600.0  # seconds that another server may make us wait
GRACE: Final = 0.5  # seconds for a call to end by itself before it is left behind
JSON: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "twohand",
}


class Reply(NamedTuple):
    """What the other end answered; `retry_after` is seconds where it said so."""

    status: int
    body: bytes
    retry_after: float | None = None

    def json(self) -> Any:
        """The answer as data; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Request(NamedTuple):
    """One call."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = JSON


def call(request: Request, *, deadline: float = DEADLINE) -> Reply | NotSent:
    """The answer within `deadline` seconds, whatever it is, or why there is none. Never raises."""
    found = within(deadline + GRACE, lambda: asyncio.run(_call(request, deadline)))
    return found or NotSent(f"{place(request.url)} did not answer within {deadline:g} seconds")


def within(seconds: float, work: Callable[[], _T]) -> _T | None:
    """What `work` returns; None where it is not done in time: it is left behind in a thread that keeps no process alive.

    The resolver of names cannot be interrupted, and a peer that sends a byte a second keeps every other timeout away.
    """
    answers: queue.SimpleQueue[_T] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(work()), daemon=True, name="twohand-alert").start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return None


def refused(reply: Reply, where: str) -> NotSent:
    """Why an answer that is not the wanted one is none, and when to come again."""
    if 300 <= reply.status < 400:
        return NotSent(f"{where} answered {reply.status}: redirects are not followed; name the final address", None)
    if reply.status in BUSY or reply.status >= 500:
        wait = reply.retry_after if reply.retry_after is not None else LATER * (2 if reply.status == 429 else 1)
        return NotSent(f"{where} answered {reply.status}{_said(reply)}", wait)
    if reply.status >= 400:
        return NotSent(f"{where} refused it with {reply.status}{_said(reply)}", None)
    return NotSent(f"{where} answered {reply.status} with something else than its protocol says", LATER)


async def _call(request: Request, deadline: float) -> Reply | NotSent:
    import httpx2  # noqa: PLC0415 - a tenth of a second that only senders pay

    where = place(request.url)
    try:
        async with asyncio.timeout(deadline), _client(httpx2, request.url, deadline) as client:
            return await _answered(client, request, where)
    except (TimeoutError, httpx2.TimeoutException):
        return NotSent(f"{where} did not answer within {deadline:g} seconds")
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        return NotSent(f"{where} is no address that can be called", None)
    except (httpx2.NetworkError, ssl.SSLError, OSError) as error:
        return NotSent(f"{where} cannot be reached: {shown(str(error) or type(error).__name__, 160)}")
    except (httpx2.HTTPError, httpx2.StreamError, ValueError, RuntimeError) as error:  # its text may hold what was sent
        return NotSent(f"{where} does not speak HTTP as it should ({type(error).__name__})")


def _client(httpx2: Any, url: str, deadline: float) -> Any:
    """TLS trusts what the system trusts; where there is none, nothing is loaded for it."""
    trusted = ssl.create_default_context() if url.startswith("https:") else False
    return httpx2.AsyncClient(verify=trusted, trust_env=False, follow_redirects=False, timeout=deadline)


async def _answered(client: Any, request: Request, where: str) -> Reply | NotSent:
    sending = client.stream(request.method, request.url, content=request.body or None, headers=dict(request.headers))
    async with sending as reply:
        body = b""
        async for chunk in reply.aiter_raw():
            body += chunk
            if len(body) > MOST:
                return NotSent(f"{where} answered with more than {MOST:,} bytes")
        return Reply(reply.status_code, body, _seconds(reply.headers.get("Retry-After", "")))


def _seconds(text: str) -> float | None:
    """`Retry-After` in seconds; the form with a date is read as nothing said."""
    text = text.strip()[:9]
    return min(max(float(text), 1.0), LONGEST) if text.isascii() and text.isdigit() else None


def _said(reply: Reply) -> str:
    """The first line of what it said."""
    text = reply.body[:2000].decode("utf-8", "replace").strip()
    return f": {shown(text, 160)}" if text else ""
