"""Links that acknowledge: who holds one may say "I have heard it", once, for a while. It can approve nothing (law 17, 20).

The text of a link is what it grants and an HMAC-SHA256 over that, both base64url. Whether it was used already, and
whether what it answers still stands, is for the record to say.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, NamedTuple

from rules.canonical import canonical

PURPOSE: Final = b"twohand acknowledgement link v1\n"
LONGEST: Final = 2000  # characters
LEAST_SECRET: Final = 32  # bytes


class Grant(NamedTuple):
    """`by` may acknowledge this lapse of this escalation until `expires` (seconds since 1970)."""

    escalation: str
    by: str
    lapse: int
    expires: int


class LinkRefused(ValueError):
    """This link opens nothing; the text says why, and nothing about what a right one would look like."""


def written(secret: bytes, grant: Grant) -> str:
    """The text of a link: letters, digits, `-`, `_` and one `.`."""
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"the secret of links has {len(secret)} bytes, fewer than {LEAST_SECRET}")
    said = canonical(list(grant))
    return f"{_text(said)}.{_text(_seal(secret, said))}"


def read(secret: bytes, text: str, now: int) -> Grant:
    """What a link grants. LinkRefused where it was altered, is of another secret, or has expired."""
    said, seal = _parts(text)
    if not hmac.compare_digest(_seal(secret, said), seal) or len(secret) < LEAST_SECRET:
        raise LinkRefused("it is not one of ours, or was altered")
    grant = Grant(*json.loads(said))
    if now >= grant.expires:
        raise LinkRefused("it has expired")
    return grant


def _parts(text: str) -> tuple[bytes, bytes]:
    said, dot, seal = text.partition(".")
    if not dot or len(text) > LONGEST or not text.isascii():
        raise LinkRefused("it is no acknowledgement link")
    try:
        found = urlsafe_b64decode(_padded(said)), urlsafe_b64decode(_padded(seal))
    except (binascii.Error, ValueError):
        raise LinkRefused("it is no acknowledgement link") from None
    if (_text(found[0]), _text(found[1])) != (said, seal):
        raise LinkRefused("it is no acknowledgement link")
    return found


def _seal(secret: bytes, said: bytes) -> bytes:
    return hmac.new(secret, PURPOSE + said, sha256).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
