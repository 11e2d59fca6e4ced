"""What stands between the library and the network: headers that were meant, and answers that end. Loads httpx2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from reviewers.judging import Endpoint

SENT = frozenset({"host", "accept", "authorization", "connection", "content-type", "content-length", "user-agent"})
IDLE = 4  # connections that are kept open; looking through hundreds costs more than opening one


class TooLarge(Exception):
    """The answer is larger than it may be, or is packed so that nobody can tell."""


class Guard(httpx2.AsyncBaseTransport):
    """Sends no header that was not meant, and stops reading where an answer becomes too large."""

    def __init__(self, endpoint: Endpoint, trust: ssl.SSLContext) -> None:
        """Connections to one endpoint, with the certificates that are trusted."""
        bounds = httpx2.Limits(max_connections=None, max_keepalive_connections=IDLE)
        self._inner = httpx2.AsyncHTTPTransport(verify=trust, trust_env=False, limits=bounds)
        self._endpoint = endpoint

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange; TooLarge where the answer is compressed, which nobody asked for."""
        response = await self._inner.handle_async_request(self._plain(request))
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TooLarge("the answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Capped(response.stream, self._endpoint.limits.answer)
        return response

    def _plain(self, request: httpx2.Request) -> httpx2.Request:
        """The request with the headers of `SENT` alone; the library reads its own ones from the one that it made."""
        kept = {name: value for name, value in request.headers.items() if name in SENT}
        if not self._endpoint.key:
            kept.pop("authorization", None)
        headers = {**kept, "accept-encoding": "identity"}
        return httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )

    async def aclose(self) -> None:
        """End all connections."""
        await self._inner.aclose()


class _Capped(httpx2.AsyncByteStream):
    """Ends with TooLarge after so many bytes, also of an error's text."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        async for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise TooLarge(f"the answer is larger than {self._limit:,} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
