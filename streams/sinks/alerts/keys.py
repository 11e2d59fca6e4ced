"""Addresses and keys of a route: read when they are used, from the environment or a file, and in no text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from streams.sinks.alerts.route import NotSent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.settings import Alert

MOST: Final = 4096  # bytes of a key


def address(alert: Alert, environ: Mapping[str, str], default: str = "") -> str | NotSent:
    """`url`, or what the variable `url_env` holds."""
    if not alert.url_env:
        return alert.url or default
    found = environ.get(alert.url_env, "").strip()
    if not found:
        return NotSent(f"the environment variable {alert.url_env}, which holds the address, is not set", None)
    return found if _usable(found) else NotSent(f"the value of {alert.url_env} is no address", None)


def key(alert: Alert, environ: Mapping[str, str]) -> str | NotSent:
    """The key that the settings name; empty where they name none."""
    if alert.key_file:
        return _from_file(alert.key_file)
    return variable(alert.key_env, environ) if alert.key_env else ""


def variable(name: str, environ: Mapping[str, str]) -> str | NotSent:
    """The secret in an environment variable."""
    found = environ.get(name, "").strip()
    if not found:
        return NotSent(f"the environment variable {name}, which holds the key, is not set", None)
    return found if _usable(found) else NotSent(f"the value of {name} is no key: it is not one printable line", None)


def missing(alert: Alert, environ: Mapping[str, str]) -> str:
    """Why its address, its key or the secret of its answers cannot be had; empty where all are there."""
    found = [address(alert, environ), key(alert, environ)]
    found += [variable(alert.answers_env, environ)] if alert.answers_env else []
    return next((one.reason for one in found if isinstance(one, NotSent)), "")


def place(url: str) -> str:
    """Scheme, host and port of an address: the rest of it may be a secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _from_file(name: str) -> str | NotSent:
    try:
        with Path(name).open("rb") as file:
            found = file.read(MOST).decode("utf-8", "replace").strip()
    except OSError as error:
        return NotSent(f"the key file {name} cannot be read: {error.strerror}", None)
    return found if found and _usable(found) else NotSent(f"{name} holds no key: it is not one printable line", None)


def _usable(text: str) -> bool:
    return len(text) <= MOST and text.isascii() and text.isprintable()
