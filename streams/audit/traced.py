"""Agent Trace records of a repository, and which commits they speak of: those they name, else those that brought them."""

import os
from collections.abc import Iterator, Sequence
from itertools import islice

from rules import traces, tracing
from rules.claims import Claim
from rules.traces import Record
from streams.audit.diffs import Edge, changed, contents
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.process import STALLED

PLACE = b".agent-trace/traces.jsonl"
NAME = os.fsdecode(PLACE)
LIMIT = 64 << 20  # bytes of the file
MOST = 500  # commits whose lines are compared with records that name none
SECONDS = 20.0  # for git to tell which commit brought which record

Traced = dict[str, tuple[Claim, ...]]


def traced(repo: Repository, head: str, notices: list[str]) -> Traced:
    """Commit -> what the records of the newest commit say of it. What cannot be used becomes a notice."""
    try:
        data = repo.tree_blob(head, PLACE, limit=LIMIT) if head else None
    except SourceError as error:
        notices.append(error.message)
        return {}
    named: dict[str, list[Record]] = {}
    records = traces.parse(data) if data else ()
    for record in records:
        if record.revision:
            named.setdefault(record.revision, []).append(record)
    found = {commit: _claims(commit, rows, {}) for commit, rows in named.items()}
    loose = sum(not record.revision for record in records)
    if loose:
        used = _brought(repo, head, found)
        if used < loose:
            notices.append(
                f"{loose - used} records of {NAME} name no commit, nor were they brought by one that they fit"
            )
    return found


def _claims(
    commit: str, records: Sequence[Record], touched: dict[str, tuple[tuple[int, int], ...]]
) -> tuple[Claim, ...]:
    return tuple(claim._replace(commit="") for claim in traces.claims(commit, tuple(records), touched=touched))


def _brought(repo: Repository, head: str, found: Traced) -> int:
    """Adds the claims of records without a revision: each speaks of the commit that brought it, where it covers its lines."""
    by_commit: dict[str, list[Record]] = {}
    for commit, line in _blamed(repo, head):
        by_commit.setdefault(commit, []).extend(one for one in traces.parse(line) if not one.revision)
    used = 0
    for commit, records in islice(by_commit.items(), MOST):
        touched = _touched(repo, commit) if records else {}
        for record in records:
            claims = _claims(commit, [record], touched)
            used += bool(claims)
            found[commit] = tuple(dict.fromkeys((*found.get(commit, ()), *claims)))
    return used


def _blamed(repo: Repository, head: str) -> Iterator[tuple[str, bytes]]:
    """Each line of the file with the commit that brought it; nothing where git does not say in time."""
    done = repo.run("blame", "-p", "--root", head, "--", PLACE, ok=(0, 128, STALLED), seconds=SECONDS)
    commit = ""
    for row in done.out.split(b"\n") if not done.code else ():
        if row.startswith(b"\t"):
            yield commit, row[1:]
        elif repo.is_id(name := row.partition(b" ")[0].decode("ascii", "replace")):
            commit = name


def _touched(repo: Repository, commit: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """Path -> first and last line of what the commit brought."""
    parents = repo.run("rev-list", "--parents", "--max-count=1", commit, "--").out.decode("ascii").split()[1:]
    change = changed(repo, [Edge(commit, parents[0] if parents else "")])[0]
    with repo.cat_file() as objects:
        blobs = contents(objects, change)
    return {tracing.path(each): tracing.ranges(each) for each in blobs if each.new}
