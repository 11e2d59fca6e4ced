"""How the case store is reached, and why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from streams.engines.book import BookAway
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    Database = psycopg.Connection[tuple[Any, ...]]

STATEMENT: Final = 4000  # milliseconds of one statement; a session with the broker lasts 10 s
LOCK: Final = 3000  # milliseconds that another transaction is waited for
CONNECT: Final = 5  # seconds
REMEDY: Final = "Start PostgreSQL (`make store` for a trial), or correct [store] url"


class StoreUnusable(SourceError):
    """The case store cannot be used as it is."""

    exit_code = 3


class StoreUnfit(StoreUnusable):
    """No case store is set, or it is that of another release: waiting does not help."""

    exit_code = 2


class StoreAway(StoreUnusable, BookAway):
    """The case store does not answer."""


def connected(url: str, path: str = "") -> Database:
    """A connection that waits for nothing long; `path` are schemas to look into first. StoreUnfit without a url, StoreAway."""
    if not url:
        raise StoreUnfit(
            "[store] url is not set in the settings.", 'Set it: [store] url = "postgresql://twohand@127.0.0.1/twohand"'
        )
    options = f"-c statement_timeout={STATEMENT} -c lock_timeout={LOCK} -c idle_in_transaction_session_timeout=60000"
    options += f" -c search_path={path}" if path else ""
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT,
            options=options,
            row_factory=tuple_row,
            application_name="twohand",
        )
    except psycopg.Error as error:
        raise StoreAway(f"The case store cannot be reached{reason(error, url)}.", f"{REMEDY}.") from None


def reason(error: psycopg.Error, url: str) -> str:
    """` at HOST:PORT: WHY`, of an error that ended an attempt to connect; no full stop."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    why = " ".join(first.rpartition(" failed: ")[2].split()).rstrip(".?")
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        return f": {why}"
    return f" at {said.get('host') or said.get('hostaddr') or 'the local socket'}:{said.get('port') or 5432}: {why}"
