"""What a repository holds about commits outside of them: git-ai notes, Agent Trace records, policies; and what it hides."""

import os
from collections.abc import Iterable
from typing import NamedTuple

from streams.audit.asked import Task
from streams.audit.traced import Traced, traced
from streams.sources.git import Repository

NOTES = "refs/notes/ai"


class Channels(NamedTuple):
    """Claims that stand beside commits. `notices` are sentences that a reader of the audit needs to know."""

    notes: dict[str, str]  # commit -> blob of its note
    traced: Traced  # commit -> what traces say of it
    notices: tuple[str, ...]

    def told(self, task: Task) -> Task:
        """The task with what stands beside its commit."""
        note, claims = self.notes.get(task.id, ""), self.traced.get(task.id, ())
        return task._replace(note=note, traced=claims) if note or claims else task


def channels(repo: Repository, head: str) -> Channels:
    """Everything there is; what cannot be read becomes a notice."""
    notices: list[str] = []
    return Channels(_notes(repo, notices), traced(repo, head, notices), (*_hidden(repo), *notices))


def _notes(repo: Repository, notices: list[str]) -> dict[str, str]:
    if not repo.exists(NOTES):
        return {}
    done = repo.run("ls-tree", "-r", "-z", NOTES, ok=(0, 128))
    if done.code:
        notices.append(f"{NOTES} holds no notes: {done.err[:200]}")
        return {}
    entries = (_entry(row) for row in done.out.split(b"\0") if row)
    found = {name: blob for kind, name, blob in entries if kind == b"blob" and repo.is_id(name)}
    if not found and done.out:
        notices.append(f"{NOTES} holds files, but no notes of commits")
    return found


def _entry(row: bytes) -> tuple[bytes, str, str]:
    meta, _, path = row.partition(b"\t")
    _, kind, blob = meta.split()
    return kind, os.fsdecode(path).replace("/", ""), blob.decode("ascii")


def _hidden(repo: Repository) -> Iterable[str]:
    """What would have shown another history than the one that is stored."""
    replaced = len(repo.refs("refs/replace"))
    if replaced:
        yield f"{replaced} replace refs are ignored: the history is read as it is stored"
    if (repo.common_dir / "info" / "grafts").is_file():
        yield "info/grafts is ignored: the history is read as it is stored"
    if repo.is_shallow:
        yield "this clone is shallow: commits at its edge have no known parents; `git fetch --unshallow` brings them"
