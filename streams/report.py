"""A week in the record, for the people in charge: what nobody independent read, what was waived, who carries too much.

The report is data: sections of rows, which `streams.sinks.render.report` writes as text, Markdown or HTML.
"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from rules import instants
from streams.metrics import ADMITTED, DEPENDENT, GLASS, Asking, Meter, Story, Waiver, age, is_unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FEW: Final = 3  # approvals below which nobody's share says anything
HALF: Final = 0.5
HEADS: Final = "refs/heads/"


class Section(NamedTuple):
    """One question and its answer: a sentence, and rows under `columns`."""

    title: str
    lead: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Report(NamedTuple):
    """What happened between two instants. Texts of others in it are as they were recorded: renderers make them harmless."""

    title: str
    lead: str
    sections: tuple[Section, ...]


class Week(NamedTuple):
    """What is looked at."""

    meter: Meter
    since: str
    until: str

    def holds(self, at: str) -> bool:
        return self.since <= at < self.until

    def decided(self) -> list[Story]:
        """The changes that were decided or landed in this time, in the order of their last step."""
        found = [one for one in self.meter.stories.values() if self.holds(last(one))]
        return sorted(found, key=lambda one: (last(one), one.change))

    def let_in(self) -> list[Story]:
        return [one for one in self.decided() if one.merged or one.verdict.outcome == ADMITTED]


def report(meter: Meter, since: str, until: str) -> Report:
    """The report of what happened from `since` until before `until`."""
    week = Week(meter, since, until)
    parts = (_unread(week), _waived(week), _carried(week), _waiting(week), _recused(week), _times(week))
    return Report(f"Reviews from {since[:10]} to {until[:10]}", _lead(week), parts)


def last(one: Story) -> str:
    """When the change last took a step."""
    return one.merged or one.verdict.at


def _lead(week: Week) -> str:
    decided, inside = week.decided(), week.let_in()
    unread = sum(map(is_unread, inside))
    debt = len(week.meter.in_force(week.until))
    open_ = len(list(_open(week)))
    return (
        f"{_many(len(decided), 'change')} decided, {len(inside)} let in; {unread} of these nobody independent read. "
        f"{_many(debt, 'waiver')} in force, {_many(open_, 'question')} open."
    )


# -- what nobody independent read ---------------------------------------------------------------------------------------


def _unread(week: Week) -> Section:
    found = [one for one in week.let_in() if is_unread(one)]
    rows = tuple(
        (_name(one), last(one)[:10], str(one.verdict.lines), ", ".join(one.verdict.authors), _why_unread(one, week))
        for one in found
    )
    lead = (
        f"{_many(len(found), 'change')} came in that no independent hand approved. Somebody should look at "
        f"{'it' if len(found) == 1 else 'them'} now."
        if found
        else "Nothing came in that no independent hand approved."
    )
    return Section("What nobody independent read", lead, ("change", "day", "lines", "made by", "how it came in"), rows)


def _why_unread(one: Story, week: Week) -> str:
    used = [week.meter.waivers[name] for name in one.verdict.waivers if name in week.meter.waivers]
    if used:
        return "; ".join(f"{_waiver_words(waiver)}: {waiver.reason}" for waiver in sorted(used))
    if one.verdict.outcome != ADMITTED:
        return f"landed although it was {one.verdict.outcome or 'never decided'}"
    if DEPENDENT in one.verdict.stamps:
        return f"approved by {', '.join(one.verdict.approvals)}, who is not independent; the policy allows it"
    return "the policy asked for nobody"


def _waiver_words(waiver: Waiver) -> str:
    if waiver.kind == GLASS:
        return f"break-glass by {waiver.by}"
    return f"{'the objection of ' if waiver.kind == 'objection' else ''}{waiver.what} waived by {waiver.by}"


# -- what was waived ----------------------------------------------------------------------------------------------------


def _waived(week: Week) -> Section:
    force = {waiver.id for waiver in week.meter.in_force(week.until)}
    found = [one for one in week.meter.waivers.values() if one.id in force or week.holds(one.at)]
    rows = tuple(
        (_waiver_words(one), one.reason, _name(week.meter.stories.get(one.change, Story(one.change))), one.at[:10], _state(one, week, force))
        for one in sorted(found, key=lambda one: (one.at, one.id))
        if one.at < week.until
    )  # fmt: skip
    lead = (
        f"{_many(len(force), 'waiver')} in force. Each is debt: rework what was waived, review what was let in by break-glass."
        if rows
        else "Nothing was waived, and no waiver is in force."
    )
    return Section("What was waived", lead, ("waiver", "reason", "change", "given", "state"), rows)


def _state(waiver: Waiver, week: Week, force: set[str]) -> str:
    if waiver.id in force and waiver.kind == GLASS:
        return "until somebody reviews it"
    if waiver.id in force:
        return f"in force until {waiver.expires[:10]}"
    return "expired" if waiver.expires <= week.until else "does not count"


# -- who carries too much -----------------------------------------------------------------------------------------------


def _carried(week: Week) -> Section:
    approvals, lines, hasty = Counter[str](), Counter[str](), Counter[str]()
    for one in week.decided():
        approvals.update(one.verdict.approvals)
        lines.update(dict.fromkeys(one.verdict.approvals, one.verdict.lines))
        hasty.update(one.verdict.hasty)
    pages = Counter(name for asking in _asked(week) for name in asking.asked)
    names = sorted({*approvals, *hasty, *pages}, key=lambda name: (-approvals[name], -pages[name], name))
    total = approvals.total()
    rows = tuple(
        (name, f"{approvals[name]} of {total}", str(lines[name]), str(pages[name]), str(hasty[name]), _load(approvals[name], total))
        for name in names
    )  # fmt: skip
    heavy = [row[0] for row in rows if row[-1]]
    lead = (
        f"{' and '.join(heavy)} gave more than half of all approvals. Share it: enrol or name others."
        if heavy
        else "Nobody gave more than half of all approvals."
    )
    return Section("Who carries too much", lead, ("who", "approvals", "lines", "questions", "hasty", ""), rows)


def _load(given: int, total: int) -> str:
    return "more than half" if total >= FEW and given > total * HALF else ""


def _asked(week: Week) -> Iterator[Asking]:
    return (one for one in week.meter.askings.values() if week.holds(one.opened))


# -- what waits ---------------------------------------------------------------------------------------------------------


def _open(week: Week) -> Iterator[Asking]:
    return (
        one
        for one in week.meter.askings.values()
        if one.opened < week.until and (not one.resolved or one.resolved >= week.until)
    )


def _waiting(week: Week) -> Section:
    found = sorted(_open(week), key=lambda one: one.opened)
    rows = tuple(
        (_name(week.meter.stories.get(one.change, Story(one.change))), _span(age(one.opened, week.until)),
         ", ".join(sorted(one.asked)), str(one.pages), f"heard by {one.by}" if one.by else "nobody heard it yet")
        for one in found
    )  # fmt: skip
    lead = f"{_many(len(found), 'question')} without an answer." if found else "No question waits for an answer."
    return Section("What waits for people", lead, ("change", "since", "asked", "pages", "state"), rows)


def _recused(week: Week) -> Section:
    pairs = [(one, reviewer, axis) for one in week.decided() for reviewer, axis in one.verdict.recusals]
    axes: dict[tuple[str, str], list[str]] = {}
    for one, reviewer, axis in pairs:
        axes.setdefault((_name(one), reviewer), []).append(axis)
    rows = tuple((name, reviewer, ", ".join(sorted(found))) for (name, reviewer), found in axes.items())
    lead = (
        f"{_many(len(rows), 'review')} did not count: the reviewer is an author's hand."
        if rows
        else "No review was recused."
    )
    return Section("Reviews that did not count", lead, ("change", "reviewer", "the same"), rows)


def _times(week: Week) -> Section:
    decided = week.decided()
    heard = [one for one in _asked(week) if one.acknowledged]
    rows = (
        ("until a decision", *_middle(age(one.first, one.decided) for one in decided if one.first and one.decided)),
        ("until it was admitted", *_middle(age(one.first, one.admitted) for one in decided if one.first and one.admitted)),
        ("until somebody heard a page", *_middle(age(one.opened, one.acknowledged) for one in heard)),
    )  # fmt: skip
    said = sum(
        "undeclared" not in one.verdict.stamps and "provenance.missing" not in one.verdict.codes for one in decided
    )
    lead = f"{said} of {len(decided)} decided changes say who made them." if decided else "Nothing was decided."
    return Section("How long it took", lead, ("", "median", "longest", "times"), rows)


def _middle(seconds: Iterable[int]) -> tuple[str, str, str]:
    found: Sequence[int] = sorted(seconds)
    return (_span(int(median(found))), _span(found[-1]), str(len(found))) if found else ("-", "-", "0")


def _name(one: Story) -> str:
    branch = one.branch.removeprefix(HEADS) or one.head[:12] or one.change[:12]
    target = one.target.removeprefix(HEADS)
    return f"{branch} -> {target}" if target else branch


def _span(seconds: int) -> str:
    """`3 d 4 h`, `12 min`, `40 s`."""
    days, rest = divmod(seconds, instants.DAY)
    if days:
        return f"{days} d {rest // 3600} h"
    if rest >= 3600:
        return f"{rest // 3600} h {rest // 60 % 60} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
