"""Who made a change, as everything that a repository and its doors say about it (law 8, DESIGN 5.1)."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules import commits as commit_objects
from rules import messages, notes, paths, sshsig, traces
from rules.change import FileChange
from rules.claims import Claim
from rules.commits import Commit
from rules.events import CommitFact
from streams.sources import signatures
from streams.sources.change import Range, ReadChange
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.process import finish

NOTES = "refs/notes/ai"
TRACES = b".agent-trace/traces.jsonl"
EVERY_LINE = ((1, 1 << 31),)
AT_ONCE = 500  # commits whose notes are asked for in one command
LISTING = 10.0  # seconds
NOTE_LIMIT = 8 << 20
GIT_NAMESPACE = "git"


class Heard(NamedTuple):
    """What the channels say of the authors, and what of them could not be read: `evidence.incomplete` (law 40)."""

    claims: tuple[Claim, ...]
    unread: tuple[str, ...]


def parsed(read: ReadChange) -> list[Commit]:
    return [commit_objects.parse(name, data) for name, data in read.commits]


def facts(commits: Sequence[Commit], read: ReadChange, enrolled: frozenset[str]) -> tuple[CommitFact, ...]:
    """The commits with their patch ids and verified signers. Only enrolled keys are verified: others prove nothing."""
    signers = _signers(commits, enrolled)
    return tuple(
        CommitFact(
            commit.id,
            own_edits=len(commit.parents) < 2 or commit.id in read.own_edits,
            patch_id=read.patch_ids.get(commit.id, ""),
            signed_by=signers.get(commit.id, ""),
        )
        for commit in commits
    )


def _signers(commits: Iterable[Commit], enrolled: frozenset[str]) -> dict[str, str]:
    signed = [(commit, commit.signature.encode()) for commit in commits if commit.signature]
    known = [(commit, armor) for commit, armor in signed if (s := sshsig.parse(armor)) and s.key in enrolled]
    found = signatures.verify_all(((commit.payload, armor) for commit, armor in known), namespace=GIT_NAMESPACE)
    return {commit.id: signer.key for (commit, _), signer in zip(known, found, strict=True) if signer}


def heard(
    repo: Repository, commits: Sequence[Commit], found: Range, files: Iterable[FileChange], doors: Iterable[Claim]
) -> Heard:
    """Every channel that this repository holds, by union."""
    unread: list[str] = []
    touched = [paths.unquote(file.path).decode("utf-8", "replace") for file in files if file.exists_after]
    from_messages = (claim for commit in commits for claim in messages.claims(commit))
    said = (
        *from_messages,
        *_notes(repo, commits, unread),
        *_traces(repo, commits, _Tree(found.head, touched), unread),
        *messages.branch_claims(_short(found.branch)),
        *doors,
    )
    return Heard(tuple(dict.fromkeys(said)), tuple(unread))


class _Tree(NamedTuple):
    """The head, and the files of it that the change touched."""

    head: str
    touched: Sequence[str]


def _traces(repo: Repository, commits: Sequence[Commit], tree: _Tree, unread: list[str]) -> Iterator[Claim]:
    """Agent Trace records in the head's own tree; a change may say more about itself, never less.

    A record cannot name the commit that brings it: one without a revision speaks of the files that the change touches.
    """
    try:
        data = repo.tree_blob(tree.head, TRACES, limit=NOTE_LIMIT)
    except SourceError as error:
        unread.append(error.message)
        return
    records = traces.parse(data) if data else ()
    for commit in commits if records else ():
        whole = dict.fromkeys(tree.touched, EVERY_LINE) if commit.id == tree.head else {}
        yield from traces.claims(commit.id, records, touched=whole)


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/")


def asserted(channel: str, account: str) -> Claim:
    """What whoever runs the gate asserts about opener or pusher (law 10, grade B)."""
    verb = {"opened-by": "opened", "pushed-by": "pushed"}[channel]
    return Claim(channel, "B", name=account, account=account, text=f"{account} {verb} it, says the caller")


def _notes(repo: Repository, commits: Sequence[Commit], unread: list[str]) -> Iterator[Claim]:
    """git-ai notes of these commits, read in one batch. Several commits may have the same note."""
    wanted: dict[str, list[str]] = {}
    for commit, blob in _note_blobs(repo, commits, unread):
        wanted.setdefault(blob, []).append(commit)
    with repo.cat_file() as objects:
        for item in objects.read(sorted(wanted), NOTE_LIMIT):
            if item.data is None:
                why = f"missing or over {NOTE_LIMIT >> 20} MiB"
                unread.append(f"the note of commit {wanted[item.id][0]} in {NOTES} is {why}")
            elif note := notes.parse(item.data):
                yield from (claim for commit in wanted[item.id] for claim in notes.claims(commit, note))


def _note_blobs(repo: Repository, commits: Sequence[Commit], unread: list[str]) -> Iterator[tuple[str, str]]:
    """(commit, blob of its note)."""
    known = {commit.id for commit in commits} if repo.exists(NOTES) else set()
    for first in range(0, len(known) and len(commits), AT_ONCE):
        names = [part for commit in commits[first : first + AT_ONCE] for part in _note_places(commit.id)]
        listed = finish(repo.start("ls-tree", "-z", "--full-tree", NOTES, "--", *names), seconds=LISTING)
        if listed.code:
            unread.append(f"{NOTES} cannot be listed: it points to no notes, or objects are missing")
            return
        rows = (_note_entry(row) for row in listed.out.split(b"\0") if row and b" blob " in row[:16])
        yield from (row for row in rows if row[0] in known)


def _note_places(commit: str) -> Iterator[str]:
    """Where git keeps the note of a commit: flat, or fanned out by its first digits."""
    yield commit
    yield f"{commit[:2]}/{commit[2:]}"
    yield f"{commit[:2]}/{commit[2:4]}/{commit[4:]}"


def _note_entry(row: bytes) -> tuple[str, str]:
    meta, _, path = row.partition(b"\t")
    return os.fsdecode(path).replace("/", ""), meta.split()[2].decode("ascii")
