"""One proposal before one reviewer that has no repository: what there is is judged as the embedded engine judges it (law 22-26).

The court, the panel and the sitting are the embedded engine's own. Contents, statements and messages are those that came along;
what did not come is said in the review.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from reviewers import panel
from reviewers.judging import Question, Status, Verdict, Word
from rules import instants
from rules.case import fold
from rules.events import ReviewGiven
from rules.judgement import judge
from rules.statement import Statement, payload, statement_id
from streams.engines.kafka.records.attached import Attached, attached_to
from streams.engines.kafka.workers.reviewing import blobs_of
from streams.judges import display, roster, sitting
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reviewers.judging import Progress
    from reviewers.panel import Candidate
    from rules.case import Case
    from rules.events import ChangeProposed, Event
    from rules.judgement import Judgement
    from streams.engines.kafka.workers.notebook import Notebook
    from streams.judges.lines import Lines
    from streams.settings_reviewers import Reviewer

SOON = 60  # seconds that the time of a statement may be ahead of the clock
OURS = (Status.UNREACHABLE, Status.TIMEOUT, Status.OVER_BUDGET)  # whose reasons quote nobody
LOGGER = "twohand.judging"
log = logging.getLogger(LOGGER)


class Court(NamedTuple):
    """What a worker has: the line of `leader` among all reviewers of the settings, its keys, and its notebook."""

    leader: str
    reviewers: Mapping[str, Reviewer]
    folder: Path
    notebook: Notebook
    lines: Lines
    now: Callable[[], str]

    @property
    def line(self) -> tuple[str, ...]:
        return self.leader, *self.reviewers[self.leader].fallback


class Bench:
    """streams.judges.room.Room: what is said in it, in order, to be published."""

    def __init__(self, court: Court, case: Case, absent: str) -> None:
        self.reviewers, self.folder, self.now = court.reviewers, court.folder, court.now
        self._case, self._absent = case, absent
        self.said: list[ReviewGiven] = []

    def after(self, name: str) -> str:
        """Of what it said about this change: everything else it says is about something else."""
        now, heard = self.now(), (one.statement for one in self._case.heard.values())
        soon = instants.later(now, SOON)
        own = [one.time for one in heard if one and one.by == name and one.time <= soon]
        return max([now, *(instants.later(time, 1) for time in own)])

    def speak(self, statement: Statement, sign: Callable[[bytes], bytes]) -> str:
        signed = payload(statement)
        given = ReviewGiven(
            change=self._case.change, content_key=statement.content_key, reviewer=statement.by,
            statement=signed.decode("utf-8", "surrogatepass"), signature=sign(signed).decode("ascii", "replace"), at=self.now(),
        )  # fmt: skip
        self.said.append(given)
        return statement_id(signed)

    def tell(self, given: ReviewGiven) -> None:
        asked = given.judged is not None and given.judged.session
        without = f" (asked without {self._absent}, which did not come along)" if asked and self._absent else ""
        self.said.append(replace(given, why=given.why + without))


class Told(display.Quiet):
    """One line of the log when a reviewer is asked, is done, or is not asked; nothing that a model or a change says."""

    def __init__(self, change: str, leader: str) -> None:
        self._change, self._leader = change, leader
        self._asked: set[str] = set()

    def told(self, name: str, progress: Progress) -> None:
        if progress.stage == "asking" and name not in self._asked:
            self._asked.add(name)
            self._say(name, f"asking {shown(progress.model, 60)}")

    def ended(self, row: sitting.Sat) -> None:
        verdict = row.verdict
        why = f": {shown(verdict.why, 200)}" if verdict.status in OURS else ""
        said = "identity-mismatch" if verdict.mismatch else verdict.status.value
        cost = "kept answer" if row.cached else f"{verdict.tokens_in + verdict.tokens_out:,} tokens"
        self._say(row.name, f"{said}, {verdict.verdict.value}, {len(verdict.findings)} findings ({cost}){why}")

    def barred(self, bar: panel.Bar) -> None:
        self._say(bar.name, f"not asked, {shown(str(bar), 400)}")

    def waits(self, command: str) -> None:
        self._say(self._leader, f"not asked before somebody answers for the change: {shown(command, 200)}")

    def _say(self, name: str, text: str) -> None:
        fields = {"change": self._change, "reviewer": name}
        log.info("%s: %s (change %s)", name, text, self._change[:12], extra={"fields": fields})


async def heard(proposed: ChangeProposed, contents: Mapping[str, bytes], court: Court) -> list[Event]:
    """What this reviewer, or who stands in for it, says about a proposal. Errors: JournalUnusable, NoVerifier."""
    came = attached_to(proposed, contents)
    case = fold([*court.notebook.history(proposed.change), proposed, *came.events])
    judgement = judge(case, court.now())
    bench = panel.bench(judgement, _candidates(judgement, court))
    room, question = Bench(court, case, came.absent), _question(proposed, contents, came, judgement)
    scene = sitting.Scene(room, judgement, court.notebook.ledger, Told(proposed.change, court.leader), bench, question)
    found = panel.pick(bench) if proposed.files else panel.Panel((), ())
    if court.leader in found.leaders and (bar := _unknown(scene, court)):
        sitting.recuse(bar, scene)
    elif proposed.too_large:
        _refuse(found, scene, court)
    else:
        await sitting.sit(found, scene, court.lines, only=court.leader)
    return [*room.said]


def _unknown(scene: sitting.Scene, court: Court) -> panel.Bar | None:
    """A reviewer without operator is the gate's own only for a door that has it in its settings: else its vote would not count."""
    hands = (scene.court.hand(court.leader, one) for one in scene.court.sittings)
    if court.leader in scene.proposed.awaited or any(hand and hand.people for hand in hands):
        return None
    why = "whoever handed the change in does not have it among its reviewers"
    would = f"with [reviewers.{court.leader}] in the settings of `submit`, of the relay and of the server, too"
    return panel.Bar(court.leader, panel.ENROLMENT, why, would)


def _refuse(found: panel.Panel, scene: sitting.Scene, court: Court) -> None:
    """Its contents did not come: nobody is asked about what is left of it."""
    why = f"the change is too large to be carried: {scene.proposed.too_large}"
    for name, leader in zip(found.seats, found.leaders, strict=True):
        if leader == court.leader:
            sitting.record(name, Verdict(Status.OVER_BUDGET, Word.ABSTAIN, why), scene)


def _candidates(judgement: Judgement, court: Court) -> tuple[Candidate, ...]:
    """All of the settings. Of another line the key need not be here: its own worker has it, and looks."""
    found = roster.candidates(court.reviewers.values(), court.folder)
    return tuple(
        one._replace(key=one.key or ("" if one.name in court.line else _enrolled(one.name, judgement))) for one in found
    )


def _enrolled(name: str, judgement: Judgement) -> str:
    agents = (opinion.law.policy.agents.get(name) for opinion in judgement.opinions if opinion.law.policy)
    return next((agent.keys[0].line for agent in agents if agent and agent.keys), "")


def _question(
    proposed: ChangeProposed, contents: Mapping[str, bytes], came: Attached, judgement: Judgement
) -> Question:
    blobs = tuple(blobs_of(proposed.files, contents))
    return Question(proposed.content_key, blobs, roster.context_of(judgement, came.messages))
