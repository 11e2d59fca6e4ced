"""What happened to a change, newest first, in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rules import events as e
from streams.sinks.render.differences import differences, told
from streams.sinks.render.people import VERBS
from streams.sinks.render.safe import shown
from streams.sinks.render.text import count
from streams.sources import statements
from streams.web import recorded

MOST: Final = 60  # moments
MOST_DIFFERENCES: Final = 8


class Moment(NamedTuple):
    """`sort` names the picture beside it: proposed, said, decided or asked."""

    at: str
    sort: str
    title: str
    more: tuple[str, ...] = ()


def timeline(events: Sequence[e.Event]) -> list[Moment]:
    """The newest first; equal decisions in a row as one."""
    found: list[Moment] = []
    last: Mapping[str, Any] | None = None
    again = 0
    for event in events:
        if not isinstance(event, e.DecisionMade):
            found.extend(_moments(event))
            continue
        decision = recorded.decision(event.decision)
        if decision is None:
            found.append(Moment(event.at, "decided", "a decision that cannot be read"))
            continue
        changes = differences(last, decision) if last else []
        if last and not changes:
            again += 1
            continue
        found.append(_decided(event, [told(one) for one in changes], again))
        last, again = decision, 0
    return found[: -MOST - 1 : -1]


def _decided(event: e.DecisionMade, changes: Sequence[str], again: int) -> Moment:
    more = [*changes[:MOST_DIFFERENCES]]
    if len(changes) > MOST_DIFFERENCES:
        more.append(f"and {len(changes) - MOST_DIFFERENCES} more differences")
    if again:
        more.append(f"before, it was decided as before {count(again, 'more time')}")
    return Moment(event.at, "decided", f"decided: {event.outcome}", tuple(more))


def _moments(event: e.Event) -> Iterable[Moment]:
    work = SAID.get(type(event))
    if work and (found := work(event)):
        yield found


def _proposed(event: e.ChangeProposed) -> Moment:
    added, removed = (sum(getattr(file, side) for file in event.files) for side in ("added", "removed"))
    size = f"{count(len(event.commits), 'commit')}, {count(len(event.files), 'file')}, +{added} -{removed}"
    return Moment(event.at, "proposed", f"proposed at {event.head[:12]}", (size,))


def _reviewed(event: e.ReviewGiven) -> Moment | None:
    if event.account:
        return Moment(event.at, "said", f"{event.account} {VERBS.get(event.verdict, event.verdict)} at the forge")
    if event.statement:
        return _stated(event)
    seen = count(len(event.findings), "finding")
    if event.status != "completed":
        return Moment(event.at, "said", f"{event.reviewer}: {event.status}", (event.why,) if event.why else ())
    return Moment(event.at, "said", f"{event.reviewer} looked at it: {seen}")


def _stated(event: e.ReviewGiven | e.WaiverGranted) -> Moment:
    statement = statements.read(event.statement)
    if statement is None:
        return Moment(event.at, "said", "a statement that cannot be read")
    verb = VERBS.get(statement.verb, statement.verb)
    signed = "" if event.signer else " (no good signature)"
    reason = (f'"{shown(statement.reason)}"',) if statement.reason else ()
    return Moment(event.at, "said", f"{statement.by} {verb}{signed}", reason)


def _opened(event: e.EscalationOpened) -> Moment:
    return Moment(
        event.at, "asked", f"step {event.level + 1}: {', '.join(event.asked) or 'nobody'} asked", event.reasons
    )


SAID: Final[dict[type[e.Event], Callable[[Any], Moment | None]]] = {
    e.ChangeProposed: _proposed,
    e.ReviewGiven: _reviewed,
    e.WaiverGranted: _stated,
    e.EscalationOpened: _opened,
    e.EscalationAcknowledged: lambda event: Moment(event.at, "asked", f"acknowledged by {event.by}"),
    e.EscalationResolved: lambda event: Moment(event.at, "asked", f"no longer asked: {event.how}"),
    e.DeadlinePassed: lambda event: Moment(event.at, "asked", "the deadline for reviewers passed"),
    e.ChangeMerged: lambda event: Moment(event.at, "decided", f"landed as {event.commit[:12]}"),
    e.ChangeWithdrawn: lambda event: Moment(event.at, "said", f"withdrawn by {event.by}"),
}
