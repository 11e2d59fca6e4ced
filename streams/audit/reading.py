"""One commit as a row of the audit. A reader holds the git processes that it asks; each worker has one."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reviewers import statute
from rules import commits as objects
from rules import globs, history, instants, notes, reviewed
from rules.canonical import plain
from rules.claims import Claim
from rules.commits import Commit, Ident
from rules.history import Made
from rules.rule import Blobs
from streams.audit.asked import Plan, Task
from streams.audit.diffs import Changed, Edge, changed, contents, where
from streams.sources.catfile import CatFile, Object
from streams.sources.commits import COMMIT_LIMIT
from streams.sources.git import Repository

NOTE_LIMIT = 8 << 20
SUBJECT = 200  # characters
MOST_PATHS = 50
AT_ONCE = 100  # commits whose diffs are asked for together
NO_CHANGE = Changed(())


class Reader:
    """Reads tasks into JSON lines. Use it with `with`."""

    def __init__(self, repo: Repository, plan: Plan) -> None:
        self.repo = repo
        self.plan = plan
        self._globs = globs.compiled(plan.paths) if plan.paths else None
        self._objects: CatFile = repo.cat_file()
        self._landers: dict[str, Commit | None] = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._objects.close()

    def lines(self, tasks: Sequence[Task]) -> list[str]:
        """A JSON line for each task that is wanted, in order."""
        return [_json(row) for row in self.rows(tasks)]

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        """Errors of one commit are said in its own row."""
        found = self._commits(tasks)
        notes_of = self._notes(tasks)
        self._find_landers(tasks, found)
        changes = self._changes(tasks, found)
        for task, item in zip(tasks, found, strict=True):
            if isinstance(item, str):
                yield {"commit": task.id, "error": item}
                continue
            change = changes.get(task.id, NO_CHANGE)
            if self._globs and not self._globs.matching(where(change.files)):
                continue
            yield self._row(task, item, change, notes_of.get(task.note, ()))

    # -- what git holds -------------------------------------------------------------------------------------------

    def _commits(self, tasks: Sequence[Task]) -> list[Commit | str]:
        return [_commit(item) for item in self._objects.read((task.id for task in tasks), COMMIT_LIMIT)]

    def _notes(self, tasks: Sequence[Task]) -> dict[str, tuple[Claim, ...]]:
        wanted = sorted({task.note for task in tasks if task.note})
        found = self._objects.read(wanted, NOTE_LIMIT) if wanted else ()
        return {item.id: notes.claims("", notes.parse(item.data)) for item in found if item.data is not None}

    def _find_landers(self, tasks: Sequence[Task], found: Sequence[Commit | str]) -> None:
        if len(self._landers) > 5_000:
            self._landers.clear()
        wanted = sorted({task.lander for task in tasks if task.lander} - self._landers.keys())
        for item in self._objects.read(wanted, COMMIT_LIMIT) if wanted else ():
            commit = _commit(item)
            self._landers[item.id] = commit if isinstance(commit, Commit) else None

    def _changes(self, tasks: Sequence[Task], found: Sequence[Commit | str]) -> dict[str, Changed]:
        if not self.plan.diffs:
            return {}
        edges = [Edge(item.id, item.parents[0] if item.parents else "") for item in found if isinstance(item, Commit)]
        whole = [edge for edge in edges if edge.commit not in self.plan.edge]
        answers = {edge.commit: Changed((), "its parents are cut off by a shallow clone") for edge in edges}
        for start in range(0, len(whole), AT_ONCE):
            part = whole[start : start + AT_ONCE]
            answers.update(zip((edge.commit for edge in part), changed(self.repo, part), strict=True))
        return answers

    # -- the row --------------------------------------------------------------------------------------------------

    def _row(self, task: Task, commit: Commit, change: Changed, noted: tuple[Claim, ...]) -> dict[str, Any]:
        made = history.made((*history.said(commit), *noted, *task.traced))
        lander = self._landers.get(task.lander) if task.lander else None
        signs = reviewed.signs(commit, made.authors, lander)
        return {
            "commit": commit.id,
            "kind": made.kind,
            "authors": history.author_rows(made.authors),
            **self._read(commit, change),
            "review": reviewed.answer(signs),
            "review_evidence": plain(signs),
            "marks": list(made.marks),
            "unmarked": made.unmarked,
            **_said(commit),
            "landed_by": _landed(lander),
        }

    def _read(self, commit: Commit, change: Changed) -> dict[str, Any]:
        if not self.plan.diffs:
            return {"findings": None, "uncovered": None, "paths": None, "paths_more": 0, "added": None, "removed": None}
        blobs = contents(self._objects, change) if self.plan.rules else ()
        names = [file.path for file in change.files]
        incomplete = [change.why] if change.why else []
        row: dict[str, Any] = {"findings": None, "uncovered": None, "added": None, "removed": None}
        if self.plan.rules:
            seen = statute.review("", "", blobs, (commit,))
            row = {"findings": plain(seen.findings), "uncovered": plain(seen.uncovered), **_counts(blobs)}
        return {**row, "paths": names[:MOST_PATHS], "paths_more": len(names[MOST_PATHS:]), "incomplete": incomplete}


def _commit(item: Object) -> Commit | str:
    if item.data is None:
        return f"{item.type} is over 1 MiB" if item.type else "no such object here"
    if item.type != "commit":
        return f"it is a {item.type}, no commit"
    return objects.parse(item.id, item.data)


def _counts(blobs: Iterable[Blobs]) -> dict[str, int]:
    files = [each.file for each in blobs]
    return {"added": sum(file.added for file in files), "removed": sum(file.removed for file in files)}


def _said(commit: Commit) -> dict[str, Any]:
    return {
        "time": _instant(commit.committer),
        "subject": commit.message.lstrip("\n").partition("\n")[0][:SUBJECT],
        "author": _display(commit.author),
        "committer": _display(commit.committer),
        "parents": len(commit.parents),
    }


def _instant(who: Ident) -> str | None:
    return instants.text_of(who.when) if who.zone or who.when else None


def _display(who: Ident) -> str | None:
    return f"{who.name} <{who.email}>" if who.email else who.name or None


def _landed(lander: Commit | None) -> dict[str, Any] | None:
    if lander is None:
        return None
    return {"commit": lander.id, "author": _display(lander.author), "committer": _display(lander.committer)}


def _json(row: dict[str, Any]) -> str:
    """One line. What is no Unicode in a message stays escaped."""
    return json.dumps(row, ensure_ascii=True, separators=(",", ":"))
