"""One sitting: the panel is asked in parallel, nobody sees another's vote, and what each says is recorded at once.

A vote is a signed statement like any other voice; what a model saw comes beside it as an unsigned review. Nothing here
decides: the change is judged again afterwards, by the law alone.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from reviewers import panel, spoken
from reviewers.judging import Progress, Question, Status, Verdict, Word
from rules.canonical import canonical
from rules.events import Judged, ReviewGiven
from rules.statement import Content, Statement
from streams.judges import identity, roster
from streams.judges.ledger import Ledger, Place
from streams.judges.lines import Lines
from streams.judges.room import AtDesk
from streams.sources import signatures, statements
from streams.speaking import seen_authors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rules.case import Scan
    from rules.events import ChangeProposed
    from rules.judgement import Judgement
    from rules.votes import Voice
    from streams.desk import Desk, Reading
    from streams.judges.room import Room
    from streams.judges.roster import Called
    from streams.settings_reviewers import Reviewer

RECUSED: Final = "recused"


class Board(Protocol):
    """Where a sitting is watched."""

    def told(self, name: str, progress: Progress) -> None:
        """What is going on with a reviewer."""

    def ended(self, row: Sat) -> None:
        """A reviewer is done."""

    def barred(self, bar: panel.Bar) -> None:
        """A reviewer is not asked."""

    def waits(self, command: str) -> None:
        """Nobody is asked, before somebody answers for the change by this command."""


class Sat(NamedTuple):
    """What came of one reviewer. `statement` is the ref of its vote, "" where it gave none."""

    name: str
    verdict: Verdict
    cached: bool = False
    statement: str = ""
    micros: int = 0


class Scene(NamedTuple):
    """The change that is sat over."""

    room: Room
    judgement: Judgement
    ledger: Ledger
    board: Board
    court: panel.Bench
    question: Question

    @property
    def change(self) -> str:
        return self.judgement.case.change

    @property
    def proposed(self) -> ChangeProposed:
        """As it was judged without models."""
        assert self.judgement.case.proposed
        return self.judgement.case.proposed


def hold(desk: Desk, reading: Reading, *, judgement: Judgement, board: Board) -> tuple[tuple[Sat, ...], panel.Panel]:
    """Ask whoever may sit about a change that was judged once without them, and record what they say.

    Broken off (Ctrl-C), what was said until then is recorded and nothing else. Errors: JournalUnusable, SourceError.
    """
    room = AtDesk(desk)
    court = panel.bench(judgement, roster.candidates(room.reviewers.values(), room.folder))
    found = panel.pick(court)
    question = roster.question(desk, reading, judgement) if found.seats else Question(reading.key, ())
    rows = asyncio.run(_held(found, Scene(room, judgement, Ledger(desk.journal), board, court, question)))
    return rows, found


async def _held(found: panel.Panel, scene: Scene) -> tuple[Sat, ...]:
    async with Lines() as lines:
        return await sit(found, scene, lines)


async def sit(found: panel.Panel, scene: Scene, lines: Lines, *, only: str = "") -> tuple[Sat, ...]:
    """Ask everybody who was picked, record what they say, and why others may not; with `only`, of this leader's line alone."""
    if found.waits:
        scene.board.waits(found.waits)
    for bar in found.barred:
        if not only or bar.name in (only, *scene.court.known[only].fallback):
            recuse(bar, scene)
    seated = [*found.stands, *found.seats]
    tried: set[str] = set(seated)
    seats = zip(found.seats, found.leaders, strict=True)
    asked = [name for name, leader in seats if only in ("", leader)]
    rows = await asyncio.gather(*(_line(name, seated, tried, (scene, lines)) for name in asked))
    return tuple(row for said in rows for row in said)


async def _line(first: str, seated: list[str], tried: set[str], at: tuple[Scene, Lines]) -> list[Sat]:
    """A reviewer and, while nobody answers, who follows it; each is compared again before it is asked (law 24)."""
    scene, lines = at
    rows: list[Sat] = []
    name = first
    while name:
        rows.append(await _one(name, scene, lines))
        verdict = rows[-1].verdict
        if verdict.verdict is Word.OBJECT or (verdict.status is Status.COMPLETED and not verdict.mismatch):
            return rows
        seated.remove(name)
        following, bars = panel.following(name, tried, seated, scene.court)
        for bar in bars:
            recuse(bar, scene)
        name = following
        if name:
            tried.add(name)
            seated.append(name)
    return rows


async def _one(name: str, scene: Scene, lines: Lines) -> Sat:
    called = roster.called(scene.room.reviewers[name])
    key = sha256(canonical((scene.proposed.content_key, name, called.version))).hexdigest()
    place = Place(scene.room.now(), scene.change, scene.proposed.content_key, called.reviewer)
    before = _kept(key, name, called, scene)
    if before is not None:
        scene.ledger.reuse(place, before)
        return record(name, before, scene, cached=True)
    verdict = await _paid(called, place, scene, lines)
    if verdict.status is Status.COMPLETED and not verdict.mismatch:
        _keep(key, verdict, place, scene)
    return record(name, verdict, scene)


async def _paid(called: Called, place: Place, scene: Scene, lines: Lines) -> Verdict:
    """Ask, within the budgets; what it took is in the ledger however it ends."""
    from streams.judges.client import judge  # noqa: PLC0415 - imports the network client, a third of a second

    if called.fault:
        return Verdict(Status.UNREACHABLE, Word.ABSTAIN, called.fault)
    tokens = roster.needed(scene.question, called.endpoint) if _has_budget(called.reviewer) else 0
    number, over = scene.ledger.enter(place, tokens)
    if over:
        return Verdict(Status.OVER_BUDGET, Word.ABSTAIN, over)
    took = [0, 0]

    def tell(progress: Progress) -> None:
        took[:] = progress.tokens_in, progress.tokens_out
        scene.board.told(called.reviewer.name, progress)

    started = time.monotonic()
    try:
        verdict = await judge(
            scene.question, called.endpoint, deadline_seconds=called.reviewer.timeout, progress=tell, lines=lines
        )
    except BaseException:
        scene.ledger.leave(number, (took[0], took[1]), called.reviewer)
        raise
    if verdict.status is Status.UNREACHABLE and not verdict.answers:
        verdict = verdict._replace(tokens_in=0, tokens_out=0)
    scene.ledger.settle(number, place, verdict, time.monotonic() - started)
    return verdict


def _has_budget(reviewer: Reviewer) -> bool:
    spans = ("change", "day", "repository")
    return any(getattr(reviewer, f"{kind}_per_{span}") for kind in ("tokens", "money") for span in spans)


def _kept(key: str, name: str, called: Called, scene: Scene) -> Verdict | None:
    """What it answered to this before. Only an approval lapses: else asking again would be asking until it agrees."""
    check = partial(identity.is_sealed, called.reviewer, scene.room.folder)
    before = scene.ledger.kept(key, check)
    approved = before is not None and before.verdict is Word.APPROVE
    return None if approved and _lapsed(name, scene) else before


def _keep(key: str, verdict: Verdict, place: Place, scene: Scene) -> None:
    """For the next time; a reviewer that cannot sign any more keeps nothing, and its vote will say so."""
    with suppress(signatures.CannotSign):
        scene.ledger.keep(key, verdict, place.at, partial(identity.seal, place.reviewer, scene.room.folder))


def _lapsed(name: str, scene: Scene) -> bool:
    """Whether an earlier approval of this content does not hold any more: then it has to look again (law 33)."""
    ballots = (ballot for sitting in scene.court.sittings for ballot in sitting.ballots)
    return any(one.name == name and one.vote.fault == "stale" and _of(one.vote.voice, scene) for one in ballots)


def _of(voice: Voice, scene: Scene) -> bool:
    """Whether it was said about exactly this content."""
    return voice.statement is not None and voice.statement.content_key == scene.proposed.content_key


def record(name: str, verdict: Verdict, scene: Scene, *, cached: bool = False) -> Sat:
    """The vote first, then what was seen: whoever is interrupted between them has spoken, and is heard."""
    called = roster.called(scene.room.reviewers[name])
    statement = ""
    if spoken.vote(verdict):
        try:
            statement = _sign(name, verdict, called, scene)
        except (signatures.CannotSign, statements.StatementExists) as error:
            why = f"it could not sign: {error.message}"
            verdict = verdict._replace(status=Status.INVALID, verdict=Word.ABSTAIN, why=why)
    subject = spoken.Subject(scene.change, scene.proposed.content_key, name, called.endpoint.model, called.version)
    given = _unless_repeated(spoken.look(verdict, subject, scene.room.now()), scene)
    if given is not None:
        scene.room.tell(given)
    micros = 0 if cached else called.reviewer.micros(verdict.tokens_in, verdict.tokens_out)
    row = Sat(name, verdict, cached, statement, micros)
    scene.board.ended(row)
    return row


def _sign(name: str, verdict: Verdict, called: Called, scene: Scene) -> str:
    room, found = scene.room, scene.proposed
    verb = spoken.vote(verdict)
    key = identity.choice(called.reviewer, room.folder)
    statement = Statement(
        verb, name, found.repository, found.target, found.base, found.head, found.content_key, change=found.number,
        paths=tuple(map(Content.of, found.files)),
        authors=seen_authors(scene.judgement) if verb == "approve" else (),
        model=spoken.signs_as(verdict, called.endpoint.model, called.reviewer.lineage), session=verdict.session,
        time=room.after(name), reason=spoken.reason(verdict),
    )  # fmt: skip
    return room.speak(statement, lambda data: signatures.sign(data, key))


def _unless_repeated(given: ReviewGiven, scene: Scene) -> ReviewGiven | None:
    """A failure is told again only where it is another; its time makes it another event than an equal one before."""
    before: Scan | None = scene.judgement.case.scans.get((given.content_key, given.reviewer))
    if given.status == Status.COMPLETED.value:
        return given
    if before and (before.status, before.why) == (given.status, given.why):
        return None
    return replace(given, time=given.at)


def recuse(bar: panel.Bar, scene: Scene) -> None:
    """A reviewer that may not sit: nothing was asked, and the record says why and what would be eligible."""
    scene.board.barred(bar)
    reviewer = scene.room.reviewers[bar.name]
    given = ReviewGiven(
        change=scene.change, content_key=scene.proposed.content_key, reviewer=bar.name, status=RECUSED, why=str(bar),
        judged=Judged(reviewer.lineage), at=scene.room.now(),
    )  # fmt: skip
    told = _unless_repeated(given, scene)
    if told:
        scene.room.tell(told)


def disagreement(rows: Sequence[Sat]) -> str:
    """Who says what, where those who voted do not say the same; else empty."""
    said = {verb: [row.name for row in rows if spoken.vote(row.verdict) == verb] for verb in ("approve", "object")}
    return f"{', '.join(said['approve'])} approved, {', '.join(said['object'])} objected" if all(said.values()) else ""
