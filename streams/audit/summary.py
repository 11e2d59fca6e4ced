"""A whole history in one value: who wrote it, on what evidence, what it weakened, and what nobody independent read.

Folding takes one dict a commit and forgets it; memory does not grow with the length of the history.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.audit import rows
from streams.audit.rows import Told
from streams.audit.spans import KINDS, Calendar, Hands, Timeline
from streams.audit.tallies import Foremost, Rank, Tally

REVIEWS = ("independent", "self", "none", "unknown")
WORST = 12  # commits of a list
AREAS = 20_000  # sensitive paths that are followed
SHOWN_AREAS = 15
SAID = frozenset({"C", "D"})  # grades of what anybody can write
OTHERS = "(others)"  # beyond what a tally tells apart
WITH_AGENTS = frozenset({"agent", "mixed"})


class Counted(NamedTuple):
    """`name` is "" for what nothing names."""

    name: str
    commits: int


class Reviews(NamedTuple):
    """Commits by whether anybody independent of their authors looked at them."""

    independent: int = 0
    self: int = 0
    none: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return sum(self)

    @property
    def unread(self) -> int:
        return self.self + self.none


class LetIn(NamedTuple):
    """Weakening commits that somebody let in: by landing them, or, where no landing is on record, by committing them."""

    name: str
    landed: int
    committed: int

    @property
    def commits(self) -> int:
        return self.landed + self.committed


class Read(NamedTuple):
    """What was looked at. Dates are the first and last day, "" where no commit has one.

    errors: ids that are no commit here, counted in nothing else
    unreadable: commits with content that no rule could read, or that is missing; unscanned: commits that no rule looked at
    pathless: commits whose diff was not read; cut: commits with more paths than a row keeps, `cut_paths` in all left out
    suspected: commits without an agent that come from a branch named for one
    members: commits that were brought in, where each row is a landed step; else 0
    """

    commits: int
    first: str
    last: str
    unreadable: int
    unscanned: int
    pathless: int
    cut: int
    cut_paths: int
    suspected: int
    members: int
    errors: int


class Agents(NamedTuple):
    """Commits that an agent had a hand in. A commit counts once for each of its tools, and once for each maker.

    unmarked: those that no mark in author or message shows, by the channel that does (`shown_by`)
    grades: by the best evidence that an agent was there
    """

    tools: tuple[Counted, ...]
    makers: tuple[Counted, ...]
    grades: tuple[Counted, ...]
    sessions: int
    unmarked: int
    shown_by: tuple[Counted, ...]
    examples: tuple[Told, ...]


class Weakened(NamedTuple):
    """Commits with a finding of tier hold or block; `rules` count commits, too. `gate_only` found nothing but an edited gate."""

    commits: int
    gate_only: int
    blocks: int
    hands: Hands
    reviews: Reviews
    rules: tuple[Counted, ...]
    let_in: tuple[LetIn, ...]
    worst: tuple[Told, ...]


class Looked(NamedTuple):
    """Who read what. `declared` are the independent readings that rest on evidence of grade C or D alone."""

    reviews: Reviews
    with_agents: Reviews
    declared: int
    foremost: tuple[Told, ...]


class Area(NamedTuple):
    """A sensitive path: its changes, those by people alone, those read independently, those of either sort, those with an agent."""

    path: str
    changes: int
    by_people: int
    read: int
    known: int
    with_agents: int


class Areas(NamedTuple):
    """Sensitive paths, the least known first; `total` were followed, `missed` changes touched paths beyond the limit."""

    paths: tuple[Area, ...]
    total: int
    changes: int
    known: int
    missed: int


class Summary(NamedTuple):
    """Everything that the text and the page show. `notices` are sentences about the reading; `head` is where it began."""

    repository: str
    head: str
    notices: tuple[str, ...]
    partial: bool
    read: Read
    hands: Hands
    timeline: Timeline
    agents: Agents
    weakened: Weakened
    looked: Looked
    areas: Areas


class Folding:
    """Takes the commits of an audit one by one, in any order. `today` (an ISO instant) tells dates that lie ahead."""

    def __init__(self, *, today: str = "") -> None:
        self._today = today
        self._hands = [0] * len(KINDS)
        self._calendar = Calendar()
        self._reading = _Reading(today[:10])
        self._agents = _Agents()
        self._weakened = _Weakened()
        self._looked = _Looked()
        self._areas = _Areas()

    def add(self, row: Mapping[str, Any]) -> None:
        """One row, as the engine yields it. Only what is shown is kept of it."""
        if "kind" not in row:
            self._reading.errors += 1
            return
        kind = _place(row["kind"], KINDS)
        seen = _Seen(row, kind, _place(row["review"], REVIEWS), rows.machines(row), rows.areas(row))
        self._hands[kind] += 1
        self._calendar.add(row.get("time") or "", kind)
        self._reading.add(row)
        self._agents.add(seen)
        self._weakened.add(seen)
        self._looked.add(seen)
        self._areas.add(seen)

    def summary(self, *, partial: bool, repository: str, head: str = "", notices: Iterable[str] = ()) -> Summary:
        """What was folded so far; `partial` where the reading was interrupted."""
        return Summary(
            repository, head, tuple(notices), partial, self._reading.read(sum(self._hands)), Hands(*self._hands),
            self._calendar.timeline(self._today), self._agents.agents(), self._weakened.weakened(),
            self._looked.looked(), self._areas.areas(),
        )  # fmt: skip


class _Seen(NamedTuple):
    """A commit, and what every part of the summary asks of it; `kind` and `review` are places in KINDS and REVIEWS."""

    row: Mapping[str, Any]
    kind: int
    review: int
    machines: rows.Machines
    areas: list[str]

    @property
    def with_agents(self) -> bool:
        return KINDS[self.kind] in WITH_AGENTS

    @property
    def lines(self) -> int:
        return (self.row.get("added") or 0) + (self.row.get("removed") or 0)

    @property
    def independent(self) -> bool:
        return self.review == 0

    def rank(self, *weights: int) -> Rank:
        return Rank(weights, str(self.row.get("time") or ""), str(self.row["commit"]))

    def told(self, found: list[Mapping[str, Any]]) -> Told:
        return rows.told(self.row, found, tools=self.machines.tools, touched=self.areas)


def _place(name: str, among: tuple[str, ...]) -> int:
    """Where it stands; what is not among them is unknown, the last."""
    return among.index(name) if name in among else len(among) - 1


def _counted(tally: Tally[str]) -> tuple[Counted, ...]:
    rest = [Counted(OTHERS, tally.others)] if tally.others else []
    return (*(Counted(*row) for row in tally.rows()), *rest)


class _Reading:
    def __init__(self, today: str) -> None:
        self._today = today
        self._first = self._last = ""
        self._unreadable = self._unscanned = self._pathless = self._cut = self._cut_paths = 0
        self._suspected = self._members = self.errors = 0

    def add(self, row: Mapping[str, Any]) -> None:
        day = rows.day(row.get("time"))
        if day and (not self._today or day <= self._today):
            self._first = min(self._first or day, day)
            self._last = max(self._last, day)
        self._unscanned += row["findings"] is None
        self._unreadable += rows.unreadable(row)
        self._pathless += row.get("paths") is None
        self._suspected += bool(row.get("suspected")) and row["kind"] not in WITH_AGENTS
        self._members += row.get("members") or 0
        more = row.get("paths_more") or 0
        self._cut += more > 0
        self._cut_paths += more

    def read(self, commits: int) -> Read:
        return Read(
            commits, self._first, self._last, self._unreadable, self._unscanned, self._pathless, self._cut,
            self._cut_paths, self._suspected, self._members, self.errors,
        )  # fmt: skip


class _Agents:
    def __init__(self) -> None:
        self._tools: Tally[str] = Tally()
        self._makers: Tally[str] = Tally()
        self._grades: Tally[str] = Tally()
        self._shown_by: Tally[str] = Tally()
        self._sessions = self._unmarked = 0
        self._examples: Foremost[Told] = Foremost(WORST)

    def add(self, seen: _Seen) -> None:
        if not seen.with_agents:
            return
        for tool in seen.machines.tools or ("",):
            self._tools.add(tool)
        for maker in seen.machines.makers or ("",):
            self._makers.add(maker)
        self._grades.add(seen.machines.grade)
        self._sessions += seen.machines.session
        if seen.row.get("unmarked"):
            self._silent(seen)

    def _silent(self, seen: _Seen) -> None:
        self._unmarked += 1
        for channel in seen.machines.channels:
            self._shown_by.add(channel)
        rank = seen.rank(seen.lines)
        if self._examples.wants(rank):
            self._examples.add(rank, seen.told([]))

    def agents(self) -> Agents:
        tools, makers, grades, shown_by = (
            _counted(tally) for tally in (self._tools, self._makers, self._grades, self._shown_by)
        )
        return Agents(tools, makers, grades, self._sessions, self._unmarked, shown_by, self._examples.rows())


class _Weakened:
    def __init__(self) -> None:
        self._commits = self._gate_only = self._blocks = 0
        self._hands = [0] * len(KINDS)
        self._reviews = [0] * len(REVIEWS)
        self._rules: Tally[str] = Tally()
        self._let_in: Tally[tuple[str, bool]] = Tally()
        self._worst: Foremost[Told] = Foremost(WORST)

    def add(self, seen: _Seen) -> None:
        found = rows.weakening(seen.row)
        if not found:
            return
        blocks = any(one["tier"] == "block" for one in found)
        gate_only = all(one["rule"] == rows.GATE for one in found)
        self._commits += 1
        self._gate_only += gate_only
        self._blocks += blocks
        self._hands[seen.kind] += 1
        self._reviews[seen.review] += 1
        for rule in {rows.clipped(one["rule"]) for one in found}:
            self._rules.add(rule)
        self._let_in.add(rows.let_in_by(seen.row))
        rank = seen.rank(blocks, not gate_only, not seen.independent, bool(seen.areas), seen.with_agents, len(found))
        if self._worst.wants(rank):
            self._worst.add(rank, seen.told(found))

    def weakened(self) -> Weakened:
        hands, reviews = Hands(*self._hands), Reviews(*self._reviews)
        rules = _counted(self._rules)
        return Weakened(
            self._commits, self._gate_only, self._blocks, hands, reviews, rules, self._let_in_by(), self._worst.rows()
        )

    def _let_in_by(self) -> tuple[LetIn, ...]:
        counts = dict(self._let_in.rows())
        names = {name for name, _ in counts}
        found = [LetIn(name, counts.get((name, True), 0), counts.get((name, False), 0)) for name in names]
        rest = [LetIn(OTHERS, 0, self._let_in.others)] if self._let_in.others else []
        return (*sorted(found, key=lambda one: (-one.commits, one.name)), *rest)


class _Looked:
    def __init__(self) -> None:
        self._reviews = [0] * len(REVIEWS)
        self._with_agents = [0] * len(REVIEWS)
        self._declared = 0
        self._foremost: Foremost[Told] = Foremost(WORST)

    def add(self, seen: _Seen) -> None:
        self._reviews[seen.review] += 1
        self._with_agents[seen.review] += seen.with_agents
        if seen.independent:
            signs = seen.row.get("review_evidence") or ()
            grades = {sign["grade"] for sign in signs if sign["result"] == REVIEWS[0]}
            self._declared += bool(grades) and grades <= SAID
            return
        rank = seen.rank(REVIEWS[seen.review] != "unknown", bool(seen.areas), seen.with_agents, seen.lines)
        if self._foremost.wants(rank):
            self._foremost.add(rank, seen.told([]))

    def looked(self) -> Looked:
        return Looked(Reviews(*self._reviews), Reviews(*self._with_agents), self._declared, self._foremost.rows())


class _Areas:
    """Sensitive paths with four counts each: changes, by people, read, either of these two, with an agent."""

    def __init__(self) -> None:
        self._paths: dict[str, list[int]] = {}
        self._missed = 0

    def add(self, seen: _Seen) -> None:
        if not seen.areas:
            return
        person = KINDS[seen.kind] == "human"
        counts = (1, person, seen.independent, person or seen.independent, seen.with_agents)
        for path in seen.areas:
            self._count(path[: rows.LONGEST], counts)

    def _count(self, path: str, counts: tuple[int, ...]) -> None:
        if path not in self._paths and len(self._paths) >= AREAS:
            self._missed += 1
            return
        row = self._paths.setdefault(path, [0] * len(counts))
        for at, number in enumerate(counts):
            row[at] += number

    def areas(self) -> Areas:
        found = [Area(path, *counts) for path, counts in self._paths.items()]
        found.sort(key=lambda one: (one.known / one.changes, -one.changes, one.path))
        changes, known = sum(one.changes for one in found), sum(one.known for one in found)
        return Areas(tuple(found[:SHOWN_AREAS]), len(found), changes, known, self._missed)
