"""What a forge says of the reviews on it, in a file that whoever runs the gate hands over (law 10, 21; grade B).

The file is the forge's whole answer about one change: an account's last review stands, and what the file no longer says is
taken back. Three shapes are read, told apart by what they hold: our own, GitHub's list of reviews, and GitLab's approvals
beside the versions of the merge request, which alone tell what head was approved. docs/ci.md shows all three.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from rules import instants
from rules.events import ChangeProposed, Event, ReviewGiven
from rules.report import Invalid, Problem, key_text, shown
from rules.votes import CLOCK_SKEW
from streams.sources.errors import SourceError

SCHEMA: Final = "twohand.forge-reviews/v1"
LARGEST: Final = 16 << 20  # bytes
MOST: Final = 10_000  # reviews of one change
LONGEST: Final = 200  # characters of an account
FORGES: Final = ("gitea", "github", "gitlab")
STATES: Final = ("approve", "object", "withdraw", "comment")
GITHUB: Final = {
    "APPROVED": "approve",
    "CHANGES_REQUESTED": "object",
    "DISMISSED": "withdraw",
    "COMMENTED": "comment",
    "PENDING": "comment",
}
HEAD_LENGTHS: Final = (40, 64)

At = tuple[str | int, ...]


class ReviewsInvalid(Invalid):
    """A file that is no answer of a forge, or of one that the settings do not trust."""


class Word(NamedTuple):
    """What one account did. `account` is host:login; `verdict` one of STATES; `head` "" where the forge names none."""

    account: str
    verdict: str
    head: str
    time: str


class Told(NamedTuple):
    """The last word of each account that approves or objects. `source` is the file."""

    source: str
    words: tuple[Word, ...]


class _Wrong(Exception):
    def __init__(self, at: At, value: object, allowed: Collection[str], message: str) -> None:
        super().__init__(message)
        self.at, self.value, self.allowed, self.message = at, value, tuple(allowed), message


def read(path: Path, trusted: Collection[str], now: str) -> Told:
    """The words in a file. ReviewsInvalid names key and value; SourceError where the file cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.", remedy="Name the file that holds the forge's reviews."
        ) from error
    return parse(data, str(path), trusted, now)


def parse(data: bytes, source: str, trusted: Collection[str], now: str) -> Told:
    """The words in a JSON text. ReviewsInvalid names the first mistake."""
    try:
        words = list(_words(_decoded(data)))
        _check(words, sorted(set(trusted) & set(FORGES)), instants.later(now, CLOCK_SKEW))
    except _Wrong as wrong:
        problem = Problem(source, 0, key_text(wrong.at), shown(wrong.value), wrong.allowed, wrong.message)
        raise ReviewsInvalid((problem,)) from None
    latest = {word.account.casefold(): word for _, word in sorted(words, key=lambda row: row[1].time)}
    standing = (word for _, word in sorted(latest.items()) if word.verdict in ("approve", "object"))
    return Told(source, tuple(standing))


def _decoded(data: bytes) -> Any:
    if len(data) > LARGEST:
        raise _Wrong((), None, (), f"is larger than {LARGEST >> 20} MiB")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _Wrong((), None, (), f"is no JSON: {str(error)[:200]}") from None


Placed = tuple[At, Word]


def _words(data: Any) -> Iterator[Placed]:
    """Every review that says something, with its place in the file."""
    if isinstance(data, list):
        return _github(data)
    if isinstance(data, dict) and "schema" in data:
        return _own(data)
    if isinstance(data, dict) and data.keys() >= {"approvals", "versions"}:
        return _gitlab(data)
    if isinstance(data, dict) and "approved_by" in data:
        message = 'names no head: put it as "approvals" beside the "versions" of the merge request'
        raise _Wrong(("approved_by",), None, (), message)
    wanted = (SCHEMA, "GitHub's list of reviews", "GitLab's approvals with versions")
    raise _Wrong((), data, wanted, "is no list of reviews that is known")


def _check(words: Sequence[Placed], trusted: Sequence[str], latest: str) -> None:
    if len(words) > MOST:
        raise _Wrong((), None, (), f"holds more than {MOST} reviews")
    for at, word in words:
        if word.account.partition(":")[0] not in trusted:
            message = "is no account of a forge that [identity] trust in the settings names"
            raise _Wrong(at, word.account, trusted, message)
        if word.time > latest:
            raise _Wrong(at, word.time, (), "is in the future: the clock of the forge or of this machine is wrong")


# -- our own shape ------------------------------------------------------------------------------------------------


def _own(data: Mapping[str, Any]) -> Iterator[Placed]:
    if data["schema"] != SCHEMA:
        raise _Wrong(("schema",), data["schema"], (SCHEMA,), "is no known schema")
    _only(data, ("schema", "reviews"), ())
    for at, row in _rows(_got(data, "reviews", ()), ("reviews",)):
        _only(row, ("account", "state", "head", "time"), at)
        state = _one_of(_got(row, "state", at), STATES, (*at, "state"))
        yield at, Word(_account(row, at), state, _head(row, "head", at), _time(row, "time", at))


def _account(row: Mapping[str, Any], at: At) -> str:
    host, _, login = _text(row, "account", at).partition(":")
    if host not in FORGES:
        raise _Wrong((*at, "account"), row["account"], [f"{name}:LOGIN" for name in FORGES], "names no known forge")
    return _login(host, login, (*at, "account"))


def _only(row: Mapping[str, Any], known: Collection[str], at: At) -> None:
    for name in row:
        if name not in known:
            raise _Wrong((*at, name), None, known, "is no known key")


# -- GitHub -------------------------------------------------------------------------------------------------------


def _github(data: Sequence[Any]) -> Iterator[Placed]:
    """docs.github.com, "List reviews for a pull request"; pages may stand as lists in the list (`gh api --slurp`)."""
    for at, row in _paged(data):
        if "node_id" not in row:  # Gitea's reviews look alike, and are another forge's
            raise _Wrong(at, None, (), f"is no review as GitHub lists them: write {SCHEMA} for other forges")
        state = GITHUB[_one_of(_got(row, "state", at), GITHUB, (*at, "state"))]
        if state != "comment":
            yield at, Word(_github_user(row, at), state, _head(row, "commit_id", at), _time(row, "submitted_at", at))


def _paged(data: Sequence[Any]) -> Iterator[tuple[At, Mapping[str, Any]]]:
    for index, row in enumerate(data):
        if isinstance(row, list):
            yield from _rows(row, (index,))
        else:
            yield from _rows([row], (), first=index)


def _github_user(row: Mapping[str, Any], at: At) -> str:
    """The account; GitHub calls one that was deleted ghost."""
    user = _got(row, "user", at)
    login = "ghost" if user is None else _text(_object(user, (*at, "user")), "login", (*at, "user"))
    return _login("github", login, (*at, "user", "login"))


# -- GitLab -------------------------------------------------------------------------------------------------------


def _gitlab(data: Mapping[str, Any]) -> Iterator[Placed]:
    """docs.gitlab.com, "Merge request approvals" and "merge request diff versions".

    GitLab keeps no head with an approval: it was given to the newest version that was there by then.
    """
    versions = sorted(
        (_moment(row, "created_at", at), _head(row, "head_commit_sha", at))
        for at, row in _rows(data["versions"], ("versions",))
    )
    where: At = ("approvals", "approved_by")
    approvals = _object(data["approvals"], ("approvals",))
    for at, row in _rows(_got(approvals, "approved_by", ("approvals",)), where):
        user = _object(_got(row, "user", at), (*at, "user"))
        moment = _moment(row, "approved_at", at)
        heads = [head for since, head in versions if since <= moment]
        account = _login("gitlab", _text(user, "username", (*at, "user")), (*at, "user", "username"))
        yield at, Word(account, "approve", heads[-1] if heads else "", _instant(moment))


# -- values -------------------------------------------------------------------------------------------------------


def _rows(value: Any, at: At, *, first: int = 0) -> Iterator[tuple[At, Mapping[str, Any]]]:
    if not isinstance(value, list):
        raise _Wrong(at, value, (), "must be a list")
    for index, row in enumerate(value, first):
        yield (*at, index), _object(row, (*at, index))


def _object(value: Any, at: At) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(at, value, (), "must be an object")
    return value


def _got(row: Mapping[str, Any], name: str, at: At) -> Any:
    if name not in row:
        raise _Wrong((*at, name), None, (), "is missing")
    return row[name]


def _text(row: Mapping[str, Any], name: str, at: At) -> str:
    value = _got(row, name, at)
    if not isinstance(value, str):
        raise _Wrong((*at, name), value, (), "must be a text")
    return value


def _one_of(value: Any, allowed: Collection[str], at: At) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _Wrong(at, value, allowed, "is none of the known values")
    return value


def _login(host: str, login: str, at: At) -> str:
    if not login or len(login) > LONGEST or not login.isprintable() or " " in login or ":" in login:
        raise _Wrong(at, login, (), f"must be a login of at most {LONGEST} characters")
    return f"{host}:{login}"


def _head(row: Mapping[str, Any], name: str, at: At) -> str:
    """A full commit id; "" for null, which is what GitHub says of a commit that is gone."""
    if _got(row, name, at) is None:
        return ""
    value = _text(row, name, at)
    if len(value) not in HEAD_LENGTHS or set(value) - set("0123456789abcdef"):
        raise _Wrong((*at, name), value, (), "must be a full commit id of 40 or 64 hex digits")
    return value


def _time(row: Mapping[str, Any], name: str, at: At) -> str:
    return _instant(_moment(row, name, at))


def _moment(row: Mapping[str, Any], name: str, at: At) -> datetime:
    value = _text(row, name, at)
    try:
        return _utc(value)
    except (ValueError, OverflowError):
        raise _Wrong((*at, name), value, (), "must be an instant such as 2026-11-21T14:00:00Z") from None


def _utc(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


def _instant(moment: datetime) -> str:
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


# -- events -------------------------------------------------------------------------------------------------------


def events(told: Told | None, proposed: ChangeProposed, recorded: Iterable[Event]) -> list[ReviewGiven]:
    """What the words amount to for this change, beside what was recorded of the forge before; repeats give equal events."""
    if told is None:
        return []
    last = _last(recorded)
    here = {word.account.casefold() for word in told.words}
    given = [event for word in told.words for event in _said(word, last.get(word.account.casefold()), proposed)]
    gone = (event for account, event in sorted(last.items()) if account not in here)
    return given + [_taken_back(event, proposed.at) for event in gone if _stands(event, proposed)]


def _last(recorded: Iterable[Event]) -> dict[str, ReviewGiven]:
    """The newest recorded word of each account."""
    found: dict[str, ReviewGiven] = {}
    for event in recorded:
        if isinstance(event, ReviewGiven) and event.account and not event.statement:
            account = event.account.casefold()
            if account not in found or found[account].time <= event.time:
                found[account] = event
    return found


def _said(word: Word, before: ReviewGiven | None, proposed: ChangeProposed) -> Iterator[ReviewGiven]:
    """A word, always later than what it replaces: the forge's clock shows seconds, and of a dismissal not even these."""
    if before is None:
        yield _event(word, proposed)
        return
    if (before.verdict, before.head) == (word.verdict, word.head) and before.time >= word.time:
        yield _event(word._replace(time=before.time), proposed)
        return
    if before.verdict == "object":
        yield _taken_back(before, proposed.at)
    after = instants.later(before.time, 2 if before.verdict == "object" else 1)
    yield _event(word._replace(time=max(word.time, after)), proposed)


def _stands(event: ReviewGiven, proposed: ChangeProposed) -> bool:
    """An approval of another head counts for nothing already, and taking it back could reach what was signed."""
    return event.verdict == "object" or (event.verdict == "approve" and event.head == proposed.head)


def _taken_back(event: ReviewGiven, at: str) -> ReviewGiven:
    return ReviewGiven(
        change=event.change, content_key=event.content_key, reviewer=event.reviewer, account=event.account,
        verdict="withdraw", head=event.head, time=instants.later(event.time or event.at, 1), at=at,
    )  # fmt: skip


def _event(word: Word, proposed: ChangeProposed) -> ReviewGiven:
    return ReviewGiven(
        change=proposed.change, content_key=proposed.content_key, reviewer=word.account, account=word.account,
        verdict=word.verdict, head=word.head, time=word.time, at=proposed.at,
    )  # fmt: skip
