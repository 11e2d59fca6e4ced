"""What every answer carries and every request has to meet: headers, the name of the host, and where a form comes from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from aiohttp.typedefs import Middleware

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
ALWAYS: Final = frozenset({"localhost"})
CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Every answer, also an error, says what a browser may do with it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "twohand"  # not which version of what


def hosts(names: Iterable[str]) -> Middleware:
    """Only requests to these names, to localhost and to addresses: a foreign name may have been pointed here (DNS rebinding)."""
    allowed = ALWAYS | {name.casefold() for name in names}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = host_of(request.headers.get("Host", ""))
        if name not in allowed and not _is_address(name):
            raise web.HTTPMisdirectedRequest(
                text=f"This page does not answer to the name {name[:100]!r}. Use the address that `twohand serve` printed.\n"
            )
        return await handler(request)

    return check


def forms(*, signed: str) -> Middleware:
    """What changes something has to come from a page of our own; below `signed` it proves itself by a signature."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in CHANGING and not request.path.startswith(signed) and not _from_here(request):
            raise web.HTTPForbidden(text="This form did not come from this page. Open the page and try again there.\n")
        return await handler(request)

    return check


def host_of(header: str) -> str:
    """The name or address in a Host header, without its port; "" where it is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").casefold()
    except ValueError:
        return ""


def stays_here(listen: str, url: str) -> bool:
    """Whether only programs of this machine reach the page."""
    names = (host_of(listen), host_of(urlsplit(url).netloc) if url else "localhost")
    return all(name in ALWAYS or (_is_address(name) and ip_address(name).is_loopback) for name in names)


def _is_address(name: str) -> bool:
    """Nobody can point a name at us and have an address in the header."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _from_here(request: web.Request) -> bool:
    """What the browser itself says; one that says nothing is not believed."""
    origin = request.headers.get("Origin", "")
    if origin and origin != "null":
        return urlsplit(origin).netloc.casefold() == request.headers.get("Host", "").casefold()
    return request.headers.get("Sec-Fetch-Site", "") == "same-origin"
