"""Who is signed in: sessions in memory, their cookies, and the tokens that a form has to bring back."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

COOKIE: Final = "twohand_session"
LASTS: Final = 12 * 3600  # seconds
MOST: Final = 1_000
SHORTEST: Final = 20  # characters of a token that somebody chose
TRIES: Final = 10  # wrong tokens in PAUSE seconds, from whomever
PAUSE: Final = 60.0


class TokenTooShort(SourceError):
    """Nobody could sign in safely with this token."""

    exit_code = 2


class Session(NamedTuple):
    """`form` is what every form of this session brings back (CSRF)."""

    name: str
    form: str
    ends: float


class Sessions:
    """Sessions of one service; with an empty token nobody can sign in. A restart ends them all."""

    def __init__(self, token: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        if token and len(token) < SHORTEST:
            raise TokenTooShort(
                f"The token of the page has {len(token)} characters, and can be guessed.",
                remedy=f"Give it {SHORTEST} or more: `openssl rand -hex 32` makes one.",
            )
        self._token = token.encode()
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._wrong: list[float] = []
        self._lock = Lock()

    @property
    def possible(self) -> bool:
        """Whether anybody can sign in."""
        return bool(self._token)

    def sign_in(self, token: str, name: str) -> str | None:
        """The cookie of a new session; None where the token is wrong, or too many wrong ones came."""
        with self._lock:
            now = self._clock()
            self._wrong = [at for at in self._wrong if now - at < PAUSE]
            right = hmac.compare_digest(self._token, token.encode("utf-8", "replace"))
            if not self._token or len(self._wrong) >= TRIES or not right:
                self._wrong.append(now)
                return None
            cookie = secrets.token_urlsafe(32)
            self._open[cookie] = Session(name, secrets.token_urlsafe(32), now + LASTS)
            while len(self._open) > MOST:
                self._open.popitem(last=False)
            return cookie

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie, while it lasts."""
        with self._lock:
            found = self._open.get(cookie)
            if found and found.ends <= self._clock():
                del self._open[cookie]
                return None
            return found

    def sign_out(self, cookie: str) -> None:
        with self._lock:
            self._open.pop(cookie, None)


def matches(session: Session, form: str) -> bool:
    """Whether a form came out of a page of this session."""
    return hmac.compare_digest(session.form.encode(), form.encode("utf-8", "replace"))
