"""Who is told, when, how often: a question to people is open, acknowledged, resolved (LAW 38, DESIGN 9). Pure.

The state is folded from recorded events; what is due follows from it, from the policy and from an instant that the
caller hands in. Time only ever makes pages due: nothing here decides a change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from rules import instants
from rules.canonical import digest
from rules.events import EscalationAcknowledged, EscalationOpened, EscalationResolved, Event

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"
HOWS: Final = ("approved", "waived", "reworked", "withdrawn", "landed", "refused", "answered", "reviewed")
DAILY: Final = instants.DAY  # when all rounds are over, the last step is told again so often
BACK: Final = 300  # seconds by which a clock may go back before steps begin anew
Opening = Callable[[int], int]


class Timetable(NamedTuple):
    """When pages are due. `after`: seconds of each step, rising; `opening` moves an instant into working hours."""

    after: tuple[int, ...]
    repeat: int
    quiet: int  # seconds that an acknowledgement silences
    opening: Opening = lambda at: at

    def when(self, turn: int, level: int) -> int | None:
        """Seconds after the opening of a step in a round; None where there is none.

        A round lasts until its last step and one acknowledgement more. After the rounds, the last step is told daily.
        """
        last = len(self.after) - 1
        if turn <= self.repeat:
            return turn * (self.after[last] + self.quiet) + self.after[level]
        if level < last:
            return None
        return self.repeat * (self.after[last] + self.quiet) + self.after[last] + (turn - self.repeat) * DAILY


@dataclass(frozen=True, slots=True)
class Escalation:
    """One question. Instants are seconds since 1970; a lapse is an acknowledgement that ended without an answer."""

    name: str
    change: str
    content: str
    since: int  # what the steps of this lapse count from
    opened: int
    newest: int  # the newest instant that was recorded
    lapse: int = 0
    told: frozenset[tuple[int, int]] = frozenset()  # round and level of what was told in this lapse
    asked: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    acknowledged: int | None = None
    by: str = ""
    how: str = ""  # how it ended

    @property
    def state(self) -> str:
        if self.how:
            return RESOLVED
        return OPEN if self.acknowledged is None else ACKNOWLEDGED


class Due(NamedTuple):
    """One step that is due: of which lapse and round, counted from when, and since when it is due."""

    lapse: int
    since: int
    turn: int
    level: int
    at: int


Known = Mapping[str, Escalation]


def name_of(change: str, content: str, number: int) -> str:
    """The id of a change's n-th escalation: whoever computes it computes the same."""
    return digest(["escalation", change, content, number])


def page_of(escalation: str, due: Due, target: str) -> str:
    """The id of one page: escalation, lapse, round, level and whom it goes to."""
    return digest(["page", escalation, due.lapse, due.turn, due.level, target])


def question(name: str, change: str, content: str, since: int) -> Escalation:
    """A question that nobody was asked yet."""
    return Escalation(name, change, content, since=since, opened=since, newest=since)


def evolve(known: Known, event: Event) -> Known:
    """Fold one event. Total: an event that says nothing about escalations, or nothing new, returns the same."""
    if isinstance(event, EscalationOpened):
        return {**known, event.escalation: _told(known.get(event.escalation), event)}
    if not isinstance(event, EscalationAcknowledged | EscalationResolved) or event.escalation not in known:
        return known
    one = known[event.escalation]
    after = _acknowledged(one, event) if isinstance(event, EscalationAcknowledged) else _resolved(one, event)
    return {**known, event.escalation: after}


def fold(events: Iterable[Event]) -> Known:
    """The escalations that these events tell of, by their ids, in the order of their opening."""
    known: Known = {}
    for event in events:
        known = evolve(known, event)
    return known


def _at(event: Event) -> int:
    return instants.seconds_of(event.at) if instants.is_instant(event.at) else 0


def _told(one: Escalation | None, event: EscalationOpened) -> Escalation:
    at = _at(event)
    since = instants.seconds_of(event.since) if instants.is_instant(event.since) else at
    step = (event.round, event.level)
    if one is None:
        return Escalation(
            event.escalation, event.change, event.content, since=since, opened=since, newest=at, lapse=event.lapse,
            told=frozenset({step}), asked=frozenset(event.asked), reasons=event.reasons,
        )  # fmt: skip
    if event.lapse < one.lapse or one.how:
        return one
    if event.lapse > one.lapse:
        one = replace(one, lapse=event.lapse, since=since, told=frozenset(), acknowledged=None, by="", newest=at)
    return replace(one, told=one.told | {step}, asked=one.asked | set(event.asked), newest=max(one.newest, at))


def _acknowledged(one: Escalation, event: EscalationAcknowledged) -> Escalation:
    """An answer to an earlier page than the last lapse silences nothing."""
    if event.lapse != one.lapse or one.how:
        return one
    at = max(_at(event), one.acknowledged or 0)
    return replace(one, acknowledged=at, by=event.by, newest=max(one.newest, at))


def _resolved(one: Escalation, event: EscalationResolved) -> Escalation:
    return one if one.how else replace(one, how=event.how, newest=max(one.newest, _at(event)))


def due(one: Escalation, table: Timetable, now: int) -> tuple[Due, ...]:
    """The steps that are due: of each step the newest round alone, so that after a long sleep nobody is told twice."""
    standing = _standing(one, table, now)
    if standing is None:
        return ()
    found = (_newest(standing, table, level, now) for level in range(len(table.after)))
    return tuple(row for row in found if row is not None)


def _standing(one: Escalation, table: Timetable, now: int) -> Escalation | None:
    """The escalation as it stands at this instant: a new lapse where one has begun; None while nobody is to be told."""
    if one.how:
        return None
    if now < one.newest - BACK:
        return _lapsed(one, now)
    if one.acknowledged is None:
        return one
    end = one.acknowledged + table.quiet
    return _lapsed(one, end) if end <= now else None


def _lapsed(one: Escalation, since: int) -> Escalation:
    return replace(one, lapse=one.lapse + 1, since=since, told=frozenset(), acknowledged=None)


def _newest(one: Escalation, table: Timetable, level: int, now: int) -> Due | None:
    """The newest round of a step that is due and was not told; none where a newer one was."""
    before = max((turn for turn, step in one.told if step == level), default=-1)
    for turn in range(_reached(one, table, level, now), before, -1):
        after = table.when(turn, level)
        if after is not None and table.opening(one.since + after) <= now:
            return Due(one.lapse, one.since, turn, level, table.opening(one.since + after))
    return None


def _reached(one: Escalation, table: Timetable, level: int, now: int) -> int:
    """The newest round whose time has come, before working hours are looked at; -1: none."""
    elapsed = now - one.since - table.after[level]
    if elapsed < 0:
        return -1
    turn = min(elapsed // (table.after[-1] + table.quiet), table.repeat)
    rounds = table.repeat * (table.after[-1] + table.quiet)
    if level == len(table.after) - 1 and elapsed >= rounds:
        turn = table.repeat + (elapsed - rounds) // DAILY
    return turn


def next_due(one: Escalation, table: Timetable) -> int | None:
    """When the next step is due, if nothing happens before; None where it is resolved."""
    if one.how:
        return None
    if one.acknowledged is not None:
        return table.opening(one.acknowledged + table.quiet + table.after[0])
    return min(when for level in range(len(table.after)) if (when := _following(one, table, level)) is not None)


def _following(one: Escalation, table: Timetable, level: int) -> int | None:
    before = max((turn for turn, step in one.told if step == level), default=-1)
    after = table.when(before + 1, level)
    return None if after is None else table.opening(one.since + after)
