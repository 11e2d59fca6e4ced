"""What a proposal carries beside the contents of its files, for reviewers that have no repository: the signed statements about
it, and what its commits say.

They travel as further entries of the packed contents. A statement proves itself by its signature (law 19); messages are the
source's word, as is all that it tells of commits.
"""

from __future__ import annotations

import json
from hashlib import sha1
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import commits
from rules.canonical import canonical
from rules.events import ChangeProposed, Event, ReviewGiven, WaiverGranted
from rules.judgement import read_laws
from streams.engines.kafka.records.contents import wanted
from streams.hearing import enrolled, given_to
from streams.memory import Memory
from streams.sources import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from streams.sources.git import Repository

SCHEMA: Final = "twohand.attached/v1"
MOST: Final = 1 << 20  # bytes of statements, and as many of messages; what is over stays behind, and that is told
MANY: Final = 500  # statements whose signatures are verified; who sends more has not made them with `attached`
HEAD: Final = b'{"messages":['


class Attached(NamedTuple):
    """What came along. `absent` says in words what there is and did not come."""

    events: tuple[ReviewGiven | WaiverGranted, ...]
    messages: tuple[str, ...]  # newest first
    absent: str


def attached(spoken: Iterable[Event], messages: Iterable[str]) -> dict[str, bytes]:
    """By object id, what to carry along. `messages` are those of the commits, newest first."""
    blobs = [_blob(one) for one in spoken if isinstance(one, ReviewGiven | WaiverGranted) and one.statement]
    few = _fitting([text.encode("utf-8", "replace") for text in messages])
    told = {"schema": SCHEMA, "statements": len(blobs), "messages": [text.decode() for text in few]}
    return {_object_id(data): data for data in (*_fitting(sorted(blobs, key=len)[:MANY]), canonical(told))}


def messages_of(repo: Repository, proposed: ChangeProposed) -> Iterator[str]:
    """What the commits of a change say, as far as the repository has them: those of a refused push are gone."""
    names = [commit.id for commit in proposed.commits]
    with repo.cat_file() as objects:
        read = {item.id: item.data for item in objects.read(names, MOST)}
    for name in names:
        if (data := read.get(name)) is None:
            return
        yield commits.parse(name, data).message


def attached_to(proposed: ChangeProposed, contents: Mapping[str, bytes]) -> Attached:
    """What came along with a proposal, each statement with whoever signed it. NoVerifier where nobody can tell."""
    files = {*wanted(proposed)}
    beside = [data for name, data in sorted(contents.items()) if name not in files]
    count, messages = next(filter(None, map(_told, beside)), (0, ()))
    stored = (statements.stored("", _object_id(data), data) for data in beside)
    rows = [*islice((row for row in stored if row.statement), MANY)]
    keys = enrolled(law.policy for law in read_laws(proposed.laws) if law.policy)
    signers = Memory(None).signers(rows, keys, keep=False)
    events = tuple(given_to(row, proposed, signers.get(row.blob)) for row in rows)
    return Attached(events, messages, " and ".join(_absent(count - len(rows), len(proposed.commits) - len(messages))))


def _absent(voices: int, messages: int) -> Iterator[str]:
    if voices > 0:
        yield f"{voices} statement{'s' * (voices > 1)} about it"
    if messages > 0:
        yield f"the message{'s' * (messages > 1)} of {messages} commit{'s' * (messages > 1)}"


def _blob(event: ReviewGiven | WaiverGranted) -> bytes:
    """A statement as git stores it."""
    return event.statement.encode("utf-8", "surrogatepass") + event.signature.encode("ascii", "replace")


def _fitting(rows: Sequence[bytes]) -> list[bytes]:
    """The first of them that are not over MOST together."""
    kept, left = [], MOST
    for row in rows:
        left -= len(row)
        if left < 0:
            break
        kept.append(row)
    return kept


def _told(data: bytes) -> tuple[int, tuple[str, ...]] | None:
    """How many statements there are, and the messages; None where these bytes are something else."""
    if not data.startswith(HEAD):
        return None
    try:
        said: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if said.get("schema") != SCHEMA or not isinstance(said.get("statements"), int):
        return None
    return said["statements"], tuple(one for one in said["messages"] if isinstance(one, str))


def _object_id(data: bytes) -> str:
    """Git's id of a blob, by which packed contents are known."""
    return sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()
