"""One request to one endpoint over HTTP: no redirects, no proxies of the environment, no endless answers, no secrets told."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from reviewers import shown
from reviewers.judging import Status
from reviewers.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from openai import APIStatusError, AsyncOpenAI

    from reviewers.judging import Endpoint

CONNECT = 10.0  # seconds to connect; all else has the deadline of the review alone
AGAIN = frozenset({408, 409, 425, 429})  # and everything from 500
LEAST_KEY = 8  # bytes; a shorter one stands in every answer by chance
LONGEST_WAIT = 1e6  # seconds that anybody believes
NO_KEY = "none"  # the library wants one; it is not sent


class Came(NamedTuple):
    """A response with HTTP status 200."""

    body: bytes


class Failure(NamedTuple):
    """No answer. `again`: another attempt may help; `after`: seconds that the endpoint asks to wait, -1 where it does not."""

    status: Status
    why: str
    again: bool = False
    after: float = -1.0
    http_status: int = 0


def open_client(endpoint: Endpoint) -> AsyncOpenAI:
    """A client of the `openai` library with its own ideas taken away: retries, redirects, proxies and the environment."""
    import httpx2  # noqa: PLC0415 - a third of a second
    from openai import AsyncOpenAI, DefaultAsyncHttpx2Client  # noqa: PLC0415

    from streams.judges.guard import Guard  # noqa: PLC0415

    http = DefaultAsyncHttpx2Client(transport=Guard(endpoint, _trust()), follow_redirects=False, trust_env=False)
    return AsyncOpenAI(
        api_key=endpoint.key or NO_KEY, base_url=endpoint.url, max_retries=0, http_client=http,
        timeout=httpx2.Timeout(None, connect=CONNECT),
    )  # fmt: skip


@cache
def _trust() -> ssl.SSLContext:
    """What this machine trusts; $SSL_CERT_FILE names other roots. $SSLKEYLOGFILE gets no keys: with them others read along."""
    context = ssl.create_default_context()
    context.keylog_filename = None  # type: ignore[assignment]
    return context


async def send(client: AsyncOpenAI, payload: Mapping[str, Any], endpoint: Endpoint) -> Came | Failure:
    """What comes back of one request. Never raises but for cancellation; the deadline is the caller's.

    The payload is the whole body, in the place of what the library would make: it is sent as it was hashed, and nothing
    walks through it once more.
    """
    from openai import APIConnectionError, APIStatusError  # noqa: PLC0415

    try:
        response = await client.chat.completions.with_raw_response.create(
            model=endpoint.model, messages=[], extra_body=payload
        )
    except APIStatusError as error:
        return _refused(error, endpoint)
    except APIConnectionError as error:
        return _broken(error, endpoint)
    except Exception as error:  # noqa: BLE001 - whatever the library raises, there is no answer
        return _broken(error, endpoint)
    raw = response.http_response
    if raw.status_code != 200:
        return Failure(Status.INVALID, f"HTTP {raw.status_code} instead of an answer", http_status=raw.status_code)
    return Came(raw.content)


def _refused(error: APIStatusError, endpoint: Endpoint) -> Failure:
    """An HTTP status that is no answer."""
    code, headers = error.status_code, error.response.headers
    again = code in AGAIN or code >= 500
    status, words = _meaning(error, endpoint)
    said = _said(error, endpoint)
    why = f"HTTP {code}, {words}" + (f": {said}" if said else "")
    return Failure(status, why, again, _after(headers) if again else -1.0, code)


def _meaning(error: APIStatusError, endpoint: Endpoint) -> tuple[Status, str]:
    code = error.status_code
    if code == 400 and error.code in ("content_filter", "content_policy_violation"):
        return Status.REFUSED, "the endpoint's content filter refuses the change"
    if 300 <= code < 400:
        return Status.UNREACHABLE, f"it redirects{_elsewhere(error)}, and nothing follows: set the final address"
    if code in (408, 504):
        return Status.TIMEOUT, "the endpoint gave up waiting"
    if code == 413:
        return Status.OVER_BUDGET, "the request is larger than the endpoint takes: lower `part`"
    words = {
        400: "the endpoint does not understand the request: perhaps another mode of structured output",
        401: "the endpoint does not accept the key",
        403: "the key may not do this",
        404: f"the endpoint knows no such address or no model {endpoint.model!r}",
        429: "too many requests, or the quota is used up",
    }
    return Status.UNREACHABLE, words.get(code, "the endpoint failed" if code >= 500 else "the endpoint refused")


def _elsewhere(error: APIStatusError) -> str:
    try:
        host = urlsplit(error.response.headers.get("location", "")).hostname
    except ValueError:
        host = None
    return f" to {shown.said(host, 80)}" if host else ""


def _said(error: APIStatusError, endpoint: Endpoint) -> str:
    """The endpoint's own words, without the key and without anything else that looks like one."""
    body = error.body if isinstance(error.body, dict) else {}
    message = body.get("message")
    return discreet(message[:2000], endpoint) if isinstance(message, str) else ""


def keyless(body: bytes, endpoint: Endpoint) -> bytes:
    """An answer as it is read: an endpoint that tells its own key writes it into no record. The body is kept as it came."""
    key = endpoint.key.encode()
    return body.replace(key, b"[key]") if len(key) >= LEAST_KEY else body


def discreet(text: str, endpoint: Endpoint) -> str:
    """A text of the endpoint's, short, that tells no key."""
    text = text.replace(endpoint.key, "[key]") if endpoint.key else text
    return shown.said(Redactor().text(text), 200)


def _after(headers: Mapping[str, str]) -> float:
    """`Retry-After` in seconds, -1 where there is none. A date is read against the endpoint's own clock, not ours."""
    text = headers.get("retry-after", "").strip()[:40]
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), LONGEST_WAIT)
    return _until(text, headers.get("date", "")[:40]) if text else -1.0


def _until(text: str, now: str) -> float:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    try:
        return max((parsedate_to_datetime(text) - parsedate_to_datetime(now)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return -1.0


def _broken(error: BaseException, endpoint: Endpoint) -> Failure:
    """Why no whole response came, by the first cause that says something."""
    for cause in _causes(error):
        name = type(cause).__name__
        if name == "TooLarge":
            return Failure(Status.INVALID, str(cause))
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(Status.UNREACHABLE, f"TLS: the certificate is not trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return Failure(Status.UNREACHABLE, f"TLS: {shown.said(cause.reason or 'no connection', 80)}", again=True)
        if name == "gaierror":
            return Failure(
                Status.UNREACHABLE, f"the name {urlsplit(endpoint.url).hostname} does not resolve", again=True
            )
        if name in _WORDS:
            return Failure(Status.UNREACHABLE, _WORDS[name], again=True)
    return Failure(Status.UNREACHABLE, f"no answer came ({type(error).__name__})", again=True)


_WORDS = {
    "ConnectionRefusedError": "nothing listens at this address",
    "ConnectTimeout": f"no connection within {CONNECT:g} seconds",
    "ConnectionResetError": "the connection was reset before the answer was whole",
    "BrokenResourceError": "the connection was reset before the answer was whole",
    "ReadError": "the connection broke before the answer was whole",
    "WriteError": "the connection broke while the request was sent",
    "RemoteProtocolError": "the answer broke off or is no HTTP",
    "ConnectError": "no connection could be made",
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """From the deepest cause to the error itself."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(chain) < 30:
        one = waiting.pop()
        if one is None or one in chain:
            continue
        chain.append(one)
        waiting += [one.__cause__ or one.__context__]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else []
    return reversed(chain)
