"""The one place where logging is set up: text for people, or one JSON object a line for machines (docs/kafka.md).

Whatever is logged, by whomever: one line is printable, bounded, and holds no secret of the settings. Of an error, its type and
where it happened are told; its own text only where that speaks of connections and files, because others quote the change that
they stumbled over.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from streams.sinks.render.safe import shown
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TextIO

    from streams.settings import Settings

LONGEST: Final = 2000  # characters of one message
FRAMES: Final = 12  # of an error's stack, the innermost
CAUSES: Final = 4  # of an error, each with its stack
SHORTEST: Final = 4  # characters of a secret that is looked for: a shorter one would be found in every word
HIDDEN: Final = "***"
EVENTS: Final = "twohand.events"  # the logger of handled events, streams.engines.kafka.telemetry.event_log
CLIENTS: Final = frozenset({"aiokafka", "kafka", "faust", "mode", "ssl", "socket"})  # whose errors' text is told
NOISE: Final = (  # how clients begin what passes, or is told in our own words: an absent broker, a group that rebalances
    "Cannot send %r", "Could not send %r", "Error sending %s to node", "Failed fetch ", "FindCoordinator Request failed",
    "Group Coordinator Request failed", "Heartbeat failed for group", "Heartbeat send request failed",
    "Heartbeat session expired", "LeaveGroup request failed", "Marking the coordinator dead",
    "OffsetCommit failed before join", "Timer %s is overlapping", "Unable connect to", "Unable to request metadata",
    "Unable to update metadata",
)  # fmt: skip
DATABASE: Final = frozenset({"OperationalError", "InterfaceError"})  # psycopg's, about connections
SECRETS: Final = ("sasl_plain_password", "ssl_password")
VARIABLES: Final = ("PGPASSWORD", "TWOHAND_TOKEN")


class Format(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def setup(fmt: Format, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Log to stderr, also what ends this process or a thread of it. JSON tells each handled event, text what is wrong and who is ready."""
    hidden = tuple(sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Seldom())
    handler.setFormatter(_Json(hidden) if fmt is Format.JSON else _Text(hidden))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("twohand").setLevel(logging.INFO)
    logging.getLogger(EVENTS).setLevel(logging.INFO if fmt is Format.JSON else logging.WARNING)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a line that cannot be formatted is told as it is, not as a traceback
    sys.excepthook = lambda _, error, __: _ended(error)
    sys.unraisablehook = lambda seen: _ended(seen.exc_value)
    threading.excepthook = lambda seen: _ended(seen.exc_value)


def ending(fmt: Format, work: Callable[[], int]) -> int:
    """What `work` returns. In JSON an error that ends it is a line like any other, and its exit code is returned."""
    try:
        return work()
    except Exception as error:
        if fmt is not Format.JSON:
            raise
        if isinstance(error, SourceError):
            logging.getLogger("twohand").critical("%s %s", error.message, error.remedy)
            return error.exit_code
        _ended(error)
        return 1


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """What of the settings and the environment no line may show."""
    yield from (str(settings.kafka.get(name, "")) for name in SECRETS)
    yield from (environ.get(name, "") for name in VARIABLES)
    if password := urlsplit(settings.store).password:
        yield from (password, unquote(password))


def told(error: BaseException) -> str:
    """One sentence about an error that quotes no change: its type, and its text or where it happened."""
    name = type(error).__name__
    if _may_tell(error):
        return f"{name}: {shown(str(error).strip(), 400)}"
    stack = _stack(error)
    return f"{name} at {stack[-1]}" if stack else name


def _ended(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        logging.getLogger("twohand").critical("an error that nobody caught", exc_info=error)


def _may_tell(error: BaseException) -> bool:
    package = type(error).__module__.partition(".")[0]
    database = package == "psycopg" and type(error).__name__ in DATABASE
    known = isinstance(error, OSError | SourceError) and not isinstance(error, UnicodeError)
    return known or database or package in CLIENTS


def _stack(error: BaseException) -> list[str]:
    """File, line and function of the innermost frames; no source text."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then what led to it."""
    one: BaseException | None = error
    for _ in range(CAUSES):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


class Seldom(logging.Filter):
    """Of a client's lines no noise, and one a second of each kind: aiokafka tells of an absent broker eighty times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in CLIENTS:
            return True
        if _noise(record):
            return False
        with self._lock:
            now, kind = time.monotonic(), str(record.msg)[:80]
            told = now - self._last.get(kind, -1.0) >= 1
            if told:
                self._last[kind] = now
            return told


def _noise(record: logging.LogRecord) -> bool:
    """Refused credentials are none."""
    return str(record.msg).startswith(NOISE) and not any("uthentication" in str(one) for one in record.args or ())


class _Harmless(logging.Formatter):
    """What both ways of writing have in common."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        """What is said, on one line."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit: somebody else's mistake, and still a line
            text = str(record.msg)
        return self.harmless(text)

    def harmless(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return shown(text, LONGEST)


class _Text(_Harmless):
    """A line, and below it the stack of an error, innermost last."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [f"{_at(record)[:19]}Z {record.levelname} {record.name}: {self.message(record)}"]
        for error in _errors(record):
            lines += [f"  {self.harmless(row)}" for row in (*_stack(error), told(error))]
        return "\n".join(lines)


class _Json(_Harmless):
    """One object, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {"time": _at(record), "level": record.levelname.lower(), "logger": record.name}
        said |= {"message": self.message(record), **getattr(record, "fields", {})}
        if errors := _errors(record):
            said["errors"] = [{"error": self.harmless(told(one)), "stack": _stack(one)} for one in errors]
        return json.dumps(said, separators=(",", ":"))


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _errors(record: logging.LogRecord) -> list[BaseException]:
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return list(_causes(error)) if error else []
