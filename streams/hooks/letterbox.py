"""Statements that arrive by push: each is verified before its ref is accepted, and none ever leaves (DESIGN 11, law 40)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.instants import later
from rules.policy import Policy
from rules.principals import Registry
from rules.sshsig import Signer
from rules.sshsig import parse as parse_signature
from rules.statement import MAX_BYTES, statement_id
from rules.votes import CLOCK_SKEW
from streams.desk import Standing
from streams.engines.journal import Journal
from streams.hearing import enrolled, given
from streams.sources import statements
from streams.sources.git import Repository
from streams.sources.landing import Move
from streams.sources.statements import PREFIX, Stored

OURS = "refs/twohand/"


class Refused(NamedTuple):
    """Why one ref is not taken, and what to do."""

    ref: str
    why: str
    remedy: str

    @property
    def name(self) -> str:
        """The ref, or the first digits of a statement's id, which is all that people need of it."""
        folder, _, last = self.ref.rpartition("/")
        return f"statement {last[:12]}" if len(last) == 64 and folder.startswith(PREFIX) else self.ref


class Arrived(NamedTuple):
    """What may come in: the statements with their verified signers, and what may not."""

    rows: tuple[Stored, ...]
    signers: dict[str, Signer]
    refused: tuple[Refused, ...]


def opened(repo: Repository, moves: Iterable[Move], standing: Standing, journal: Journal, at: str) -> Arrived:
    """Look at everything that is pushed below refs/twohand/."""
    asked = list(moves)
    refused = {move.ref: why for move in asked if (why := _misplaced(repo, move))}
    rows, unread = _read(repo, [move for move in asked if move.ref not in refused])
    refused |= {row.ref: why for row in rows if (why := _malformed(row, standing, at))} | unread
    sound = [row for row in rows if row.ref not in refused]
    signers = _signers(sound, standing.policies, journal)
    refused |= {row.ref: why for row in sound if (why := _unsigned(row, signers.get(row.blob), standing.policies, at))}
    refused |= _crowded(repo, [row for row in sound if row.ref not in refused], signers, journal)
    taken = tuple(row for row in sound if row.ref not in refused)
    told = tuple(Refused(ref, why, _remedy(why)) for ref, why in refused.items())
    return Arrived(taken, {row.blob: signers[row.blob] for row in taken}, told)


ROOM = 128 << 20  # bytes of all statements of one key
CROWDED = f"its key would hold over {ROOM >> 20} MiB of statements, and every push reads them"
DELETED = "a statement is never deleted: its author takes it back with `twohand withdraw`"
CHANGED = "a statement that is there is never overwritten"


def _misplaced(repo: Repository, move: Move) -> str:
    if not move.ref.startswith(PREFIX + "/"):
        return f"nothing but statements below {PREFIX}/ is taken here"
    if move.new == repo.null_id:
        return DELETED
    if move.old != repo.null_id:
        return CHANGED
    parts = move.ref.removeprefix(PREFIX + "/").split("/")
    named = len(parts) == 2 and all(len(part) == 64 and not set(part) - set("0123456789abcdef") for part in parts)
    return "" if named else "its name is not <content key>/<statement id>"


def _read(repo: Repository, moves: Sequence[Move]) -> tuple[list[Stored], dict[str, str]]:
    with repo.cat_file() as objects:
        found = {item.id: item for item in objects.read(sorted({move.new for move in moves}), MAX_BYTES)}
    rows, refused = [], {}
    for move in moves:
        item = found[move.new]
        if item.type != "blob":
            refused[move.ref] = "it is no blob"
        elif item.data is None:
            refused[move.ref] = f"it is over {MAX_BYTES >> 20} MiB"
        else:
            rows.append(statements.stored(move.ref, move.new, item.data))
    return rows, refused


def _malformed(row: Stored, standing: Standing, at: str) -> str:
    if row.statement is None:
        return "its bytes are no statement in canonical form"
    if statements.ref_of(row.statement) != row.ref:
        return "its name is not that of its content"
    if row.statement.repository != standing.repository:
        return f"it speaks of the repository {row.statement.repository!r}; this one is {standing.repository!r}"
    return (
        f"it is dated {row.statement.time}, which is in the future"
        if row.statement.time > later(at, CLOCK_SKEW)
        else ""
    )


def _signers(rows: Sequence[Stored], policies: Sequence[Policy], journal: Journal) -> dict[str, Signer]:
    known = enrolled(policies)
    asked = [row for row in rows if (signature := parse_signature(row.armor)) and signature.key in known]
    found = statements.verified(asked, {})
    journal.remember_signers({blob: signer for blob, signer in found.items() if signer})
    return {blob: signer for blob, signer in found.items() if signer}


def _unsigned(row: Stored, signer: Signer | None, policies: Sequence[Policy], at: str) -> str:
    assert row.statement is not None
    by = row.statement.by
    if signer is None:
        return f"no enrolled key signed it as {by!r}"
    found = [held for policy in policies if (held := Registry(policy).by_key(signer.key))]
    keys = [key for owner, key in found if by in owner.names]
    if not keys:
        return f"the key that signed it is not that of {by!r}"
    return "" if any(key.valid_at(at) for key in keys) else f"the key of {by!r} that signed it is not valid now"


def _crowded(repo: Repository, rows: Sequence[Stored], signers: dict[str, Signer], journal: Journal) -> dict[str, str]:
    """The statements whose key would hold more than its room: every push reads all of them, so nobody may fill the day."""
    refused: dict[str, str] = {}
    for key in {signers[row.blob].key for row in rows}:
        mine = {row.blob: row for row in rows if signers[row.blob].key == key}
        brought = sum(len(row.signed) + len(row.armor) for row in mine.values())
        held = [name for (name,) in journal.ask("select statement from verified where key = ?", (key,))]
        with repo.cat_file() as objects:
            there = sum(info.size for info in objects.sizes(name for name in held if name not in mine) if info.type)
        if brought + there > ROOM:
            refused |= {row.ref: CROWDED for row in mine.values()}
    return refused


def _remedy(why: str) -> str:
    if why == CROWDED:
        return "who runs this server can take refs of old statements away: git update-ref -d REF"
    if why in (DELETED, CHANGED):
        return "push only what is new: git push REMOTE 'refs/twohand/*'"
    return "`twohand approve REV --as NAME --push REMOTE` makes and pushes a good one"


def recorded(rows: Iterable[Stored], signers: dict[str, Signer], journal: Journal, at: str) -> None:
    """Write what each statement amounts to into every change that it speaks of; of unknown content, into its own.

    An objection was valid now, and survives that its author leaves (law 18).
    """
    for row in rows:
        assert row.statement is not None
        if row.statement.verb == "object":
            journal.uphold([statement_id(row.signed)])
        key = row.statement.content_key
        names = journal.changes_with(key) or [key]
        journal.append(given(row, name, key, signer=signers[row.blob], at=at) for name in names)
