"""The desk where one change is read, reviewed, judged and recorded on one machine (DESIGN 10, embedded)."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from rules import paths
from rules.case import fold
from rules.change import FileChange, content_key
from rules.claims import Claim
from rules.commits import Commit
from rules.events import ChangeProposed, Event, ReviewGiven, Touched, WaiverGranted
from rules.gate_paths import is_pyproject, policy_table_changed
from rules.judgement import Judgement, judge, read_laws
from rules.policy import Policy
from rules.protection import protection
from rules.rule import Blobs
from streams import clock, evidence, haste, scanning, settings
from streams.engines.journal import Journal
from streams.hearing import answering, concerning, enrolled, given_to, named
from streams.laws import Governing, governing
from streams.memory import Memory, decided, signed
from streams.sources import forge_reviews, statements
from streams.sources.change import Range, ReadChange, check_totals, read_blobs, read_change, resolve_range
from streams.sources.commits import touched_since
from streams.sources.errors import NoTarget, SourceError
from streams.sources.git import HEADS, Repository
from streams.sources.landing import Ground, Move, rewrite_range, step
from streams.sources.statements import Stored
from streams.speaking import Outdated, behind

Second = Callable[[Judgement], Judgement]
MOST_FILES = 20_000  # a change of more files is too large to be judged by anybody but an owner


class Asked(NamedTuple):
    """What a caller wants to be judged, and what it asserts about opener and pusher (grade B)."""

    base: str | None = None
    head: str | None = None
    target: str | None = None
    number: str = ""
    opened_by: str = ""
    pushed_by: str = ""
    unnamed: bool = False  # a push: nobody knows from which branch it comes (law 6)
    rewrite: bool = False  # the target shall be moved to the head, whatever it holds (law 4)
    claims: tuple[Claim, ...] = ()  # what a door knows besides
    forge: forge_reviews.Told | None = None  # what the forge says of the reviews on it (law 21)
    sarif: tuple[Path, ...] = ()  # files of other scanners

    def doors(self) -> tuple[Claim, ...]:
        named = (("opened-by", self.opened_by), ("pushed-by", self.pushed_by))
        return (*self.claims, *(evidence.asserted(channel, account) for channel, account in named if account))


class Standing(NamedTuple):
    """The policies that speak about a branch, the repository's name (law 2), and why it may be another."""

    branches: Governing
    policies: tuple[Policy, ...]
    repository: str
    doubts: tuple[str, ...]


class Reading(NamedTuple):
    """A change as read from git, before anybody's statement about it."""

    found: Range
    read: ReadChange
    branches: Governing
    policies: tuple[Policy, ...]
    repository: str
    key: str
    incomplete: tuple[str, ...]


class Desk:
    """One repository with its settings and its journal. Use it with `with`."""

    def __init__(
        self,
        repo: Repository,
        *,
        explicit: Path | None = None,
        now: Callable[[], str] = clock.now,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.repo = repo
        self.explicit = explicit
        self.settings = settings.load(explicit, repo.common_dir, environ)
        self.now = now
        self.arriving: tuple[Stored, ...] = ()  # statements that come with a push, verified at the door
        self.notes: tuple[str, ...] = ()  # what a user should know about how the range was chosen
        self._stack = ExitStack()
        self._journal: Journal | None = None

    @classmethod
    def at(cls, path: Path, *, explicit: Path | None = None) -> Self:
        return cls(Repository.open(path), explicit=explicit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def default_branch(self) -> str | None:
        return self.repo.default_branch()

    @property
    def journal_path(self) -> Path:
        return self.repo.common_dir / "twohand" / "journal.db"

    @property
    def journal(self) -> Journal:
        """The journal of this repository; made where there is none."""
        if self._journal is None:
            self._journal = self._stack.enter_context(Journal(self.journal_path))
        return self._journal

    # -- reading --------------------------------------------------------------------------------------------------

    def read(self, asked: Asked, *, outdated: bool = False) -> Reading:
        """Range, files, commits and the policies that speak about them. Errors: SourceError, Outdated.

        `outdated`: a target that was not pulled for long is told in a note, and read all the same.
        """
        target = self.default_branch if asked.target is None else asked.target
        found = self._range(asked, target)
        newer = "" if asked.base or asked.rewrite else behind(self.repo, found)
        if newer and not outdated:
            raise Outdated(found.target, newer)
        self.notes = (*found.notes, *([str(Outdated(found.target, newer))] if newer else []))
        return self.reading(found)

    def _range(self, asked: Asked, target: str | None) -> Range:
        if asked.rewrite:
            return rewrite_range(self.repo, head=asked.head, target=target)
        try:
            return resolve_range(self.repo, base=asked.base, head=asked.head, target=target)
        except NoTarget:
            if found := self._new_branch(asked.head, target or ""):
                return found
            raise

    def _new_branch(self, head: str | None, target: str) -> Range | None:
        """A protected branch that is not there yet is judged from the default branch on (law 4)."""
        default = self.repo.first_ref(self.default_branch or "")
        ref = target if target.startswith("refs/") else HEADS + target
        if not default or not protection("", self.standing(default.name, default.id).policies).covers(ref):
            return None
        move = Move(ref, self.repo.null_id, self.repo.resolve(head or "HEAD"))
        return step(self.repo, move, Ground(default.id))

    def reading(self, found: Range) -> Reading:
        """The change in a range that is known already. Errors: SourceError."""
        read = read_change(self.repo, found)
        branches, known, repository, doubts = self.standing(found.target, found.target_tip)
        key = content_key(repository, found.target, read.files)
        return Reading(found, read, branches, known, repository, key, (*read.incomplete, *doubts, *branches.problems))

    def standing(self, target: str, tip: str) -> Standing:
        """What holds for a branch before anything of a change is looked at."""
        branches = governing(self.repo, self.settings, default=self.default_branch, target=target, target_tip=tip)
        known = tuple(law.policy for law in read_laws(branches.texts) if law.policy)
        return Standing(branches, known, *self._name(known, branches.repository))

    def _name(self, known: Sequence[Policy], stated: str) -> tuple[str, tuple[str, ...]]:
        """Law 2: the policy's `repository`, else the root of the default branch's first-parent chain."""
        named = next((policy.repository for policy in reversed(known) if policy.repository), "") or stated
        if named or not self.default_branch:
            return named or "unnamed", ()
        try:
            return self.repo.root_commit(self.default_branch), ()
        except SourceError as error:
            return "unnamed", (error.message,)

    # -- judging --------------------------------------------------------------------------------------------------

    def memory(self, *, write: bool) -> Memory:
        """What was recorded before; a dry run makes no journal."""
        if write:
            return Memory(self.journal)
        if self._journal is None and not self.journal_path.exists():
            return Memory(None)
        return Memory(self._journal or self._stack.enter_context(Journal(self.journal_path, writable=False)))

    def review(self, asked: Asked, *, dry_run: bool = False) -> Judgement:
        """Read, run the rules, hear the statements, decide; recorded unless `dry_run`. Errors: as of `read`."""
        return self.judge(self.read(asked), asked, dry_run=dry_run)

    def judge(
        self, reading: Reading, asked: Asked, *, dry_run: bool = False, second: Second | None = None
    ) -> Judgement:
        """`review` of what was read already. `second` adds what somebody else says of it, before it is recorded."""
        memory = self.memory(write=not dry_run)
        fresh = self.events(reading, asked, memory, keep=not dry_run)
        heard = {signed(event): event.signer for event in fresh if isinstance(event, ReviewGiven | WaiverGranted)}
        case = fold([*memory.history(fresh[0].change, heard), *fresh])
        judgement = judge(case, self.now())
        judgement = second(judgement) if second else judgement
        if not dry_run:
            self.journal.append([*fresh, decided(judgement)])
        return judgement

    def events(self, reading: Reading, asked: Asked, memory: Memory, *, keep: bool) -> list[Event]:
        """The proposal, what the rules saw, and the statements that concern it."""
        commits = evidence.parsed(reading.read)
        too_large = len(reading.read.files) > MOST_FILES
        blobs = [] if too_large else list(read_blobs(self.repo, reading.read.files))
        stored = statements.listing(self.repo)
        proposed = self._proposed(reading, asked, commits, blobs)
        proposed = replace(
            proposed,
            incomplete=(*proposed.incomplete, *_unread(stored)),
            read_from=(
                f"{statements.PREFIX} ({stored.refs})",
                *([str(self.journal_path)] if memory.journal else []),
                *_told(asked),
                *reading.branches.rules_from,
            ),
        )
        here = (*stored.rows, *self.arriving)
        known = [*here, *memory.vanished(here)]
        keys, known_keys = memory.contents(proposed.content_key), enrolled(reading.policies)
        rows = concerning(known, proposed, keys)
        principal = answering(proposed, rows, memory.signers(rows, known_keys, keep=keep), reading.policies)
        proposed = named(proposed, principal)
        continued = memory.continued(proposed, principal) if asked.unnamed else ()
        proposed = replace(proposed, continues=tuple(one.content_key for one in continued))
        rows = concerning(known, proposed, keys | memory.contents_of(proposed.change) | set(proposed.continues))
        signers = memory.signers(rows, known_keys, keep=keep)
        proposed = replace(
            proposed,
            touched=self._touched([row for row in rows if row.blob in signers], proposed),
            recorded=memory.recorded(proposed, continued),
            upheld=memory.upheld(rows),
            busy=haste.busy(
                [row for row in rows if row.blob in signers],
                known,
                reading.policies,
                lambda asked: memory.signers(asked, known_keys, keep=keep),
            ),
            break_glass_open_since=memory.open_glass(proposed.change, proposed.at, proposed.laws),
        )
        scanned = scanning.reviews(self, reading, proposed, (blobs, commits), asked.sarif, keep=keep)
        said = (given_to(row, proposed, signers.get(row.blob)) for row in rows)
        recorded = memory.journal.events(proposed.change) if memory.journal else ()
        told = forge_reviews.events(asked.forge, proposed, recorded)
        return [proposed, *scanned, *said, *told]

    def _proposed(
        self, reading: Reading, asked: Asked, commits: Sequence[Commit], blobs: Sequence[Blobs]
    ) -> ChangeProposed:
        """The change as git alone tells it; its id comes when the statements are known."""
        found, read, branches = reading.found, reading.read, reading.branches
        count = len(read.files)
        heard = evidence.heard(self.repo, commits, found, read.files, asked.doors())
        return ChangeProposed(
            change="", repository=reading.repository, target=found.target, base=found.base, head=found.head,
            content_key=reading.key, number=asked.number, branch=found.branch, files=read.files,
            commits=evidence.facts(commits, read, enrolled(reading.policies)),
            claims=heard.claims, incomplete=(*reading.incomplete, *heard.unread, *check_totals(read.files, blobs)),
            rewritten=found.rewritten, dropped=found.dropped,
            too_large=f"{count} files are over {MOST_FILES}" if count > MOST_FILES else "",
            self_edits=_project_edits(read.files, blobs), owners_file=branches.owners_file, owners_text=branches.owners_text,
            laws=branches.texts, forges=tuple(sorted(self.settings.trust)), awaited=tuple(sorted(self.settings.reviewers)), at=self.now(),
        )  # fmt: skip

    def _touched(self, rows: Iterable[Stored], proposed: ChangeProposed) -> tuple[Touched, ...]:
        bases = {row.statement.base for row in rows if row.statement and row.statement.verb in ("approve", "waive")}
        return tuple(self._touched_since(base, proposed.base) for base in sorted(bases - {proposed.base}))

    def _touched_since(self, since: str, base: str) -> Touched:
        try:
            found = touched_since(self.repo, since, base) if self.repo.is_id(since) else None
        except SourceError:
            found = None
        return Touched(since, None if found is None else tuple(sorted(map(paths.quote, found))))


def _told(asked: Asked) -> list[str]:
    return [f"{asked.forge.source} ({len(asked.forge.words)})"] if asked.forge else []


def _unread(stored: statements.Listing) -> tuple[str, ...]:
    return tuple(f"statement {ref} could not be read" for ref in stored.unread)


def _project_edits(files: Iterable[FileChange], blobs: Iterable[Blobs]) -> tuple[str, ...]:
    """A pyproject.toml whose policy table changed, or whose content was not read (law 36, 40)."""
    read = {row.file.path: row for row in blobs}
    edits = (file.path for file in files if is_pyproject(paths.unquote(file.path)))
    return tuple(path for path in edits if path not in read or policy_table_changed(read[path].old, read[path].new))
