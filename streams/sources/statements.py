"""Signed statements as git carries them: one blob under `refs/twohand/reviews/<content key>/<statement id>` (DESIGN 11).

Every read verifies: a blob is only as good as the signature over exactly its bytes (law 19).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rules.sshsig import Signer
from rules.statement import MAX_BYTES, Statement, StatementInvalid, parse, payload, split, statement_id
from streams.sources import signatures
from streams.sources.errors import RefMoved, SourceError
from streams.sources.git import Repository

PREFIX = "refs/twohand/reviews"


class StatementExists(SourceError):
    """The very same statement is there already."""


class Stored(NamedTuple):
    """One statement as the repository holds it; `statement` is None where the bytes are none."""

    ref: str
    blob: str
    signed: bytes
    armor: bytes
    statement: Statement | None


class Listing(NamedTuple):
    """What was read, and how many refs there were; `unread` names those whose blob could not be had."""

    rows: tuple[Stored, ...]
    refs: int
    unread: tuple[str, ...]


def listing(repo: Repository) -> Listing:
    """All statements of the repository, in the order of their refs."""
    refs, doubts = repo.refs_and_doubts(PREFIX)
    names = [(os.fsdecode(name), blob) for name, blob in refs]
    rows, unread = [], [*_broken(doubts), *_dangling(repo, {name for name, _ in names})]
    with repo.cat_file() as objects:
        found = {item.id: item.data for item in objects.read(sorted({blob for _, blob in names}), MAX_BYTES)}
    for name, blob in names:
        data = found.get(blob)
        if data is None:
            unread.append(name)
        else:
            rows.append(stored(name, blob, data))
    return Listing(tuple(rows), len(names), tuple(dict.fromkeys(unread)))


def _broken(doubts: str) -> list[str]:
    """The refs that git says it ignores, where it names them; else what it says."""
    return [next((word for word in line.split() if word.startswith(PREFIX)), line) for line in doubts.splitlines()]


def _dangling(repo: Repository, listed: set[str]) -> list[str]:
    """Loose refs that git leaves out without a word, because they point nowhere (law 40)."""
    loose = (file for file in (repo.common_dir / PREFIX).rglob("*") if file.is_file() and file.suffix != ".lock")
    return sorted({file.relative_to(repo.common_dir).as_posix() for file in loose} - listed)


def stored(ref: str, blob: str, data: bytes) -> Stored:
    """A statement's blob, taken apart; `blob` is any name that is this content's alone."""
    signed, armor = split(data)
    return Stored(ref, blob, signed, armor, _parsed(signed))


def read(text: str) -> Statement | None:
    """The statement of an event's text, None where it is none."""
    return _parsed(text.encode("utf-8", "surrogatepass"))


def _parsed(signed: bytes) -> Statement | None:
    try:
        return parse(signed)
    except StatementInvalid:
        return None


def verified(rows: Sequence[Stored], known: Mapping[str, Signer | None]) -> dict[str, Signer | None]:
    """Whose good signature each statement carries, by blob id; None: it is not good. `known` were verified before."""
    fresh = [row for row in rows if row.blob not in known]
    signers = signatures.verify_all((row.signed, row.armor) for row in fresh)
    found = {row.blob: signer for row, signer in zip(fresh, signers, strict=True)}
    return found | {row.blob: known[row.blob] for row in rows if row.blob in known}


def ref_of(statement: Statement) -> str:
    return f"{PREFIX}/{statement.content_key}/{statement_id(payload(statement))}"


def write(repo: Repository, statement: Statement, sign: Callable[[bytes], bytes]) -> str:
    """Sign a statement and keep it; its ref. StatementExists where it is there already."""
    signed = payload(statement)
    ref = ref_of(statement)
    blob = repo.write_blob(signed + sign(signed))
    try:
        repo.update_ref(ref, blob, repo.null_id)
    except RefMoved as error:
        if repo.exists(ref):
            raise StatementExists(
                f"This very statement is there already: {ref}.", remedy="Nothing is left to do."
            ) from error
        raise
    return ref
