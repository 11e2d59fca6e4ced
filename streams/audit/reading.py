"""One commit as a row of the audit. A reader holds the git processes that it asks; each worker has one."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple, Self

from rules import globs, history, instants, notes, quick, reviewed
from rules.canonical import plain
from rules.claims import Claim
from rules.commits import Commit, Ident
from rules.events import LawText
from rules.history import Answer as Answered
from rules.history import Bench, Made
from rules.reviewed import Sign
from rules.rule import Blobs
from streams.audit.asked import Answer, Plan, Task
from streams.audit.bulk import Bulk
from streams.audit.diffs import NOTHING, Changed, Edge, changed, contents, own_edits, where
from streams.sources.catfile import CatFile, Object
from streams.sources.git import Repository

COMMIT_LIMIT = 32 << 20  # bytes of one commit object
NOTE_LIMIT = 8 << 20
SUBJECT = 200  # characters
MOST_PATHS = 50
AT_ONCE = 100  # commits whose diffs are asked for together
LAST = 253_402_300_799  # the last second of the year 9999
KEPT = 5_000  # merges that are remembered
PRESSED = frozenset(("author", "committer", "signature"))  # of a merge that a forge made: who pressed its button
CUT_OFF = Changed((), "its parents are cut off by a shallow clone")


NOT_SCANNED: dict[str, Any] = dict.fromkeys(("findings", "uncovered", "added", "removed"))
_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
UNREAD = _json({**NOT_SCANNED, "paths": None, "paths_more": 0, "incomplete": []})[1:-1]


class _Read(NamedTuple):
    """A commit with everything that was said about it."""

    commit: Commit
    answer: Answered
    members: tuple[Commit, ...]


class Reader:
    """Reads tasks into JSON lines. Use it with `with`."""

    def __init__(self, repo: Repository, plan: Plan) -> None:
        self.repo = repo
        self.plan = plan
        self._bench = _bench(plan.laws)
        self._globs = globs.compiled(plan.paths) if plan.paths else None
        self._objects: CatFile = repo.cat_file()
        self._bulk = Bulk(repo, COMMIT_LIMIT)
        self._landers: dict[str, Commit | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._objects.close()
        self._bulk.close()

    def answer(self, tasks: Sequence[Task]) -> Answer:
        """A JSON line for each task that is wanted, in order. Errors of one commit are said in its own line."""
        self._fresh: list[tuple[str, str]] = []
        return Answer(list(self._lines(tasks)), self._fresh)

    def _lines(self, tasks: Sequence[Task]) -> Iterator[str]:
        found = self._commits(tasks)
        self._find_landers(tasks)
        notes_of = self._notes(tasks)
        changes = self._changes(tasks, found)
        for task in tasks:
            if line := self._line(task, found, notes_of, changes):
                yield line

    def _line(
        self,
        task: Task,
        found: dict[str, Commit | str],
        notes_of: dict[str, tuple[Claim, ...]],
        changes: dict[str, Changed],
    ) -> str:
        commit = found[task.id]
        if isinstance(commit, str):
            return _json({"commit": task.id, "error": commit})
        change = changes.get(commit.id, NOTHING)
        if self._globs and not self._globs.matching(where(change.files)):
            return ""
        if not (task.note or task.traced or task.members):
            return self._text(task, _Read(commit, self._bench.of(commit), ()), change)
        members = [(member, found[member.id]) for member in task.members]
        each = [(task, commit), *((member, item) for member, item in members if isinstance(item, Commit))]
        claims = (claim for one, item in each for claim in self._claims(one, item, notes_of))
        read = _Read(commit, self._bench.answer(tuple(dict.fromkeys(claims))), tuple(item for _, item in each[1:]))
        return self._text(task, read, change)

    # -- what git holds -------------------------------------------------------------------------------------------

    def _commits(self, tasks: Sequence[Task]) -> dict[str, Commit | str]:
        wanted = dict.fromkeys(one.id for task in tasks for one in (task, *task.members))
        found = self._bulk.read(wanted)
        return {name: _commit(name, item) for name, item in zip(wanted, found, strict=True)}

    def _notes(self, tasks: Sequence[Task]) -> dict[str, tuple[Claim, ...]]:
        wanted = sorted({one.note for task in tasks for one in (task, *task.members)} - {""})
        found = self._objects.read(wanted, NOTE_LIMIT) if wanted else ()
        return {item.id: notes.claims("", notes.parse(item.data)) for item in found if item.data is not None}

    def _find_landers(self, tasks: Sequence[Task]) -> None:
        if len(self._landers) > KEPT:
            self._landers.clear()
        wanted = sorted({task.lander for task in tasks} - self._landers.keys() - {""})
        for item in self._bulk.read(wanted) if wanted else ():
            commit = _commit(item.id, item)
            self._landers[item.id] = commit if isinstance(commit, Commit) else None

    def _claims(self, task: Task, commit: Commit, notes_of: dict[str, tuple[Claim, ...]]) -> tuple[Claim, ...]:
        said = self._bench.said(commit)
        if task.members and reviewed.is_forge_merge(commit):
            said = tuple(claim for claim in said if claim.channel not in PRESSED)
        return (*said, *notes_of.get(task.note, ()), *task.traced)

    def _changes(self, tasks: Sequence[Task], found: dict[str, Commit | str]) -> dict[str, Changed]:
        if not self.plan.diffs:
            return {}
        items = {task.id: found[task.id] for task in tasks if not task.seen}
        commits = [item for item in items.values() if isinstance(item, Commit)]
        asked = {commit.id for commit in commits}
        merges = {commit.id: commit.parents for commit in commits if len(commit.parents) > 1 and not self.plan.landed}
        edges = [Edge(c.id, c.parents[0] if c.parents else "") for c in commits if c.id not in merges]
        answers = dict.fromkeys(self.plan.edge & asked, CUT_OFF)
        whole = [edge for edge in edges if edge.commit not in answers]
        for start in range(0, len(whole), AT_ONCE):
            part = whole[start : start + AT_ONCE]
            answers.update(zip((edge.commit for edge in part), changed(self.repo, part), strict=True))
        return answers | own_edits(self.repo, merges)

    # -- the row --------------------------------------------------------------------------------------------------

    def _text(self, task: Task, read: _Read, change: Changed) -> str:
        """The row, put together from JSON texts: most of them are equal for many commits."""
        commit = read.commit
        made, makers = read.answer
        lander = self._landers.get(task.lander) if task.lander else None
        signs = self._signs(task, read, made, lander)
        hinted = history.suspected(commit if self.plan.landed else lander, made)
        return "".join(
            (
                f'{{"commit":"{commit.id}",{makers},',
                task.seen or self._seen(commit, change),
                f',"review":"{reviewed.answer(signs)}","review_evidence":[{",".join(map(_sign, signs))}]',
                f',"suspected":{_json(history.author_rows(hinted)) if hinted else "[]"}',
                f',"unmarked":{"true" if hinted or made.unmarked else "false"}',
                f',"time":{_instant(commit.committer)},"subject":{_subject(commit.message)}',
                f',"author":{_display(commit.author[:2])},"committer":{_display(commit.committer[:2])}',
                f',"parents":{len(commit.parents)},"landed_by":{_landed(lander) if lander else "null"}',
                f',"members":{len(read.members) + 1}}}' if self.plan.landed else "}",
            )
        )

    def _signs(self, task: Task, read: _Read, made: Made, lander: Commit | None) -> tuple[Sign, ...]:
        if self.plan.landed:
            found = reviewed.of_step(read.commit, read.members, made.authors)
        else:
            found = reviewed.signs(read.commit, made.authors, lander)
        return (*self._vouched(task, made), *found) if task.vouchers else found

    def _vouched(self, task: Task, made: Made) -> Iterator[Sign]:
        registry = self._bench.registry
        for voucher in task.vouchers:
            if voucher.channel != "statement":
                by_name, claim, channel, dependent = voucher
                yield reviewed.reported(by_name, claim, made.authors, channel=channel, dependent=dependent)
            elif by := registry.named(voucher.by):
                yield reviewed.vouched(by, registry.operators(by), voucher.claim, made.authors)

    def _seen(self, commit: Commit, change: Changed) -> str:
        """The JSON fields that speak of the diff; null where it was not read."""
        if not self.plan.diffs:
            return UNREAD
        names = [file.path for file in change.files]
        shown = {"paths": names[:MOST_PATHS], "paths_more": len(names[MOST_PATHS:])}
        incomplete = [change.why] if change.why else []
        if not self.plan.rules:
            return _json({**NOT_SCANNED, **shown, "incomplete": incomplete})[1:-1]
        from reviewers import statute  # noqa: PLC0415 - without rules, nobody waits for them

        blobs = contents(self._objects, change)
        seen = statute.review("", "", blobs, (commit,))
        found = {"findings": plain(seen.findings), "uncovered": plain(seen.uncovered)}
        text = _json({**found, **_counts(blobs), **shown, "incomplete": incomplete})[1:-1]
        if not self.plan.landed and not incomplete and not any(each.why == "missing object" for each in blobs):
            self._fresh.append((commit.id, text))
        return text


def _bench(laws: tuple[LawText, ...]) -> Bench:
    if not laws:
        return history.nobody()
    from rules.judgement import read_laws  # noqa: PLC0415 - most repositories have no policy

    known = [law.policy for law in read_laws(laws) if law.policy]
    return Bench(known[-1]) if known else history.nobody()


def _commit(name: str, item: Object) -> Commit | str:
    if item.data is None:
        return f"{item.type} {name} is over {COMMIT_LIMIT >> 20} MiB" if item.type else f"no object {name} is here"
    if item.type != "commit":
        return f"{name} is a {item.type}, no commit"
    return quick.parse(item.id, item.data)


def _counts(blobs: Iterable[Blobs]) -> dict[str, int]:
    files = [each.file for each in blobs]
    return {"added": sum(file.added for file in files), "removed": sum(file.removed for file in files)}


@lru_cache(8192)
def _sign(sign: Sign) -> str:
    return _json(sign._asdict())


def _subject(message: str) -> str:
    text = message.lstrip("\n")
    end = text.find("\n", 0, SUBJECT)
    return quoted(text[: end if end >= 0 else SUBJECT])


def _instant(who: Ident) -> str:
    if not who.zone and not who.when:
        return "null"
    when = min(who.when, LAST)
    rest = when % instants.DAY
    return f'"{_day(when - rest)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"'


@lru_cache(4096)
def _day(when: int) -> str:
    return instants.text_of(when)[:10]


@lru_cache(8192)
def _display(who: tuple[str, str]) -> str:
    name, email = who
    return quoted(f"{name} <{email}>" if email else name) if name or email else "null"


def _landed(lander: Commit) -> str:
    who = f'"author":{_display(lander.author[:2])},"committer":{_display(lander.committer[:2])}'
    return f'{{"commit":"{lander.id}",{who}}}'
