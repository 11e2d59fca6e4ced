"""What a change that is held waits for, who can end it, and the command that does (law 41)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from streams.sinks.render import words
from streams.sinks.render.safe import pasteable
from streams.sinks.render.steps import shared, steps

Row = Mapping[str, Any]
ASKING: Final = (
    "ref.rewritten", "owner.unresolved", "policy.invalid", "owner.required", "policy.self-edit", "veto", "approval.missing",
)  # fmt: skip
MOST_NAMES: Final = 20


class Wait(NamedTuple):
    """`names` are the people who are meant by `who`, where they are known."""

    what: str
    who: str
    command: str
    code: str = ""
    names: tuple[str, ...] = ()
    since: str = ""
    requirement: str = ""

    @property
    def pasteable(self) -> bool:
        """Whether the command may be offered for copying."""
        return bool(self.command) and pasteable(self.command)


NOTHING: Final = Wait("", "", "")
UNREADABLE: Final = Wait("its recorded decision cannot be read", "who runs this service", "twohand journal verify")


def wait(reason: Row, since: str = "") -> Wait:
    """One reason as what is waited for."""
    values = reason["values"]
    names = tuple(values.get("owners") or values.get("who") or ())[:MOST_NAMES]
    return Wait(
        words.line(reason), words.who(reason), reason["remedy"], reason["code"], names, since, reason["requirement"]
    )


def foremost(decision: Row) -> Wait:
    """What says best why a change is held; NOTHING where it is not."""
    reasons = decision["reasons"]
    for code in ASKING:
        for reason in reasons:
            if reason["code"] == code:
                return _heard(wait(reason), decision)
    return _heard(wait(reasons[0]), decision) if reasons else NOTHING


def _heard(found: Wait, decision: Row) -> Wait:
    return found._replace(command=_reaching(found.command, decision))


def _reaching(command: str, decision: Row) -> str:
    """A change that was pushed has no branch or number here: what is said about it counts once it is pushed, too."""
    change = decision["change"]
    return command if change["branch"] or change["number"] else shared(command)


class Next(NamedTuple):
    """A command once, who can run it, and for which requirements."""

    command: str
    pasteable: bool
    whom: tuple[tuple[str, tuple[str, ...]], ...]


def next_steps(decision: Row) -> list[Next]:
    """Every command of its reasons, in the order in which they help."""
    told = ((_reaching(step.command, decision), step) for step in steps(decision["reasons"]))
    return [Next(command, pasteable(command), tuple(_whom(step.whom))) for command, step in told]


def _whom(by_requirement: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for requirement, who in by_requirement.items():
        if who and (requirement or len(by_requirement) == 1):
            found.setdefault(who, []).extend([requirement] if requirement else [])
    return ((who, tuple(purposes)) for who, purposes in found.items())


def beginnings(decisions: Iterable[Row], now: Row) -> dict[tuple[str, str, str], str]:
    """Since when each reason of `now` has been given without a break."""
    since: dict[tuple[str, str, str], str] = {}
    for decision in (*decisions, now):
        named = [(row["code"], row["subject"], row["requirement"]) for row in decision["reasons"]]
        since = {name: since.get(name, decision["decided_at"]) for name in named}
    return since
