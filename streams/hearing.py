"""Which statements concern a change, who answers for it, and the events that statements amount to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rules import provenance
from rules.change import change_id
from rules.claims import Claim
from rules.events import ChangeProposed, ReviewGiven, WaiverGranted
from rules.policy import Policy
from rules.principals import Registry
from rules.sshsig import Signer
from streams.sources.statements import Stored


def concerning(rows: Sequence[Stored], proposed: ChangeProposed, keys: frozenset[str]) -> list[Stored]:
    """The statements that this change may have to do with; the law decides what they mean.

    `keys` are the contents that this change, or one with this content, ever had.
    """
    near = _Near(keys, proposed)
    found = [row for row in rows if near.concerns(row)]
    speakers = {row.statement.by for row in found if row.statement and row.statement.verb == "object"}
    back = (r for r in rows if r.statement and r.statement.verb == "withdraw" and r.statement.by in speakers)
    return list({row.blob: row for row in (*found, *back)}.values())


def answering(
    proposed: ChangeProposed, rows: Sequence[Stored], signers: Mapping[str, Signer], known: Iterable[Policy]
) -> str:
    """The accountable principal (law 9), "" where there is none."""
    principal = ""
    for registry in map(Registry, known):
        said = [_proposer(row, signers.get(row.blob), registry, proposed) for row in rows]
        made = provenance.authorship(proposed, [claim for claim in said if claim], (), registry)
        principal = principal or min(made.accountable, default="")
    return principal


def named(proposed: ChangeProposed, principal: str) -> ChangeProposed:
    """Law 6: the change id, of the number, of branch and accountable principal, or of the content."""
    name = change_id(
        proposed.repository, proposed.target, number=proposed.number, branch=proposed.branch, principal=principal,
        key=proposed.content_key,
    )  # fmt: skip
    return replace(proposed, change=name)


class _Near:
    """Whether a statement may concern a change: its content, its commits, or its paths while they have not landed."""

    def __init__(self, keys: frozenset[str], proposed: ChangeProposed) -> None:
        self._keys = keys
        self._number = proposed.number
        self._commits = {commit.id for commit in proposed.commits}
        self._pairs = {(file.path, file.new_blob) for file in proposed.files}
        self._old = {file.path: file.old_blob for file in proposed.files}

    def concerns(self, row: Stored) -> bool:
        statement = row.statement
        if statement is None:
            return any(f"/{key}/" in row.ref for key in self._keys)
        if statement.content_key in self._keys or statement.head in self._commits:
            return True
        if self._number and statement.change == self._number:
            return True
        shared = [seen for seen in statement.paths if seen.path in self._old]
        return any(
            (seen.path, seen.new_blob) in self._pairs or seen.new_blob != self._old[seen.path] for seen in shared
        )


def given(row: Stored, change: str, content_key: str, *, signer: Signer | None, at: str) -> ReviewGiven | WaiverGranted:
    """The event that a statement amounts to."""
    signed = row.signed.decode("utf-8", "surrogateescape")
    armor = row.armor.decode("ascii", "replace")
    if row.statement and row.statement.verb == "waive":
        return WaiverGranted(
            change=change, content_key=content_key, statement=signed, signature=armor, signer=signer, at=at
        )
    by = row.statement.by if row.statement else "unreadable"
    return ReviewGiven(
        change=change, content_key=content_key, reviewer=by, statement=signed, signature=armor, signer=signer, at=at
    )


def given_to(row: Stored, proposed: ChangeProposed, signer: Signer | None) -> ReviewGiven | WaiverGranted:
    """`given`, for this change."""
    key = row.statement.content_key if row.statement else proposed.content_key
    return given(row, proposed.change, key, signer=signer, at=proposed.at)


def _proposer(row: Stored, signer: Signer | None, registry: Registry, proposed: ChangeProposed) -> Claim | None:
    statement, enrolled = row.statement, registry.by_key(signer.key) if signer else None
    if not statement or not enrolled or statement.verb != "propose" or statement.content_key != proposed.content_key:
        return None
    return Claim("proposal", "A", principal=enrolled[0].name) if statement.by in enrolled[0].names else None


def enrolled(known: Iterable[Policy]) -> frozenset[str]:
    """Every key line that some policy enrols: signatures by others prove nothing, and are not asked about."""
    groups = (group for policy in known for group in (policy.people, policy.agents, policy.services))
    return frozenset(key.line for group in groups for one in group.values() for key in one.keys)
