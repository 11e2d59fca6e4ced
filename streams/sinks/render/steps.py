"""What to do next, as text: each command once, who can run it, and what it is for."""

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any, NamedTuple

from rules.reasons import AGAIN
from streams.sinks.render import words
from streams.sinks.render.safe import pasteable, shown
from streams.sinks.render.sheet import Sheet

Row = Mapping[str, Any]
FIRST = ("init", "propose")  # approvals count only once somebody answers for the change
LAST = ("approve", "waive")
SPOKEN = ("propose", "approve", "withdraw", "waive", "object")
LETTERS = "twohand dead-letters list"  # no waiver tells what a record that nobody could read would have said
LETTER = "dead-letter"  # the finding whose quote is a letter's name
MOST_LETTERS = 3
PURPOSES = 4  # requirements of one command that are named


class Step(NamedTuple):
    """A command, and for each requirement that asks for it who can run it."""

    command: str
    whom: dict[str, str]
    again: tuple[str, ...] = ()  # sentences about the models that it asks

    @property
    def place(self) -> int:
        """0 for what comes first, 1 for what repairs something, then approvals, waivers last."""
        verb = self.command.removeprefix("twohand ").split(" ", 1)[0]
        return 0 if verb in FIRST else 2 + LAST.index(verb) if verb in LAST else 1


def steps(reasons: Iterable[Row]) -> list[Step]:
    """Every command of the reasons once, in the order in which they help; equals in the order given."""
    found: dict[str, Step] = {}
    for reason in reasons:
        if command := LETTERS if reason["code"] == words.LETTER else reason["remedy"]:
            step = found.setdefault(command, Step(command, {}))
            step.whom.setdefault(reason["requirement"], words.who(reason))
        if told := words.again(reason):
            step = found.setdefault(AGAIN, Step(AGAIN, {}))
            found[AGAIN] = step._replace(again=tuple(dict.fromkeys((*step.again, told))))
    return sorted(found.values(), key=lambda step: step.place)


def shared(command: str, remote: str = "origin") -> str:
    """The command so that others hear it: a statement counts where it is pushed to."""
    verb = command.removeprefix("twohand ").split(" ", 1)[0]
    return f"{command} --push {remote}" if verb in SPOKEN else command


def next_steps(decision: Row, sheet: Sheet) -> None:
    """What helps a change that is held, or what becomes of one that is not."""
    told = steps(decision["reasons"])
    if decision["outcome"] == "admitted" and not decision.get("simulated"):
        sheet.heading("next")
        _landed(decision, sheet)
    elif told:
        sheet.heading("next")
    for step in told:
        _step(step, sheet)
        if step.command == LETTERS:
            _letters(decision, sheet)


def _letters(decision: Row, sheet: Sheet) -> None:
    """What ends each letter, by its name."""
    names = dict.fromkeys(row["quote"] for row in decision["findings"] if row["rule"] == LETTER)
    for name in [*names][:MOST_LETTERS]:
        sheet.put(f"  {_pasted(f'twohand dead-letters retry {quote(name)}')}")
    if names:
        sheet.wrapped("once what failed is repaired; or `twohand dead-letters drop` it, signed", indent=6, as_="dim")


def _pasted(command: str) -> str:
    return ("" if pasteable(command) else "not to be pasted as it is: ") + shown(command, 1000)


def _landed(decision: Row, sheet: Sheet) -> None:
    sheet.wrapped("Push or merge as usual.")
    if any(row.get("statement") for row in decision["reviews"]):
        sheet.put("  git push origin 'refs/twohand/*'")
        sheet.wrapped("shares the statements, so that others decide the same", indent=6, as_="dim")


def _step(step: Step, sheet: Sheet) -> None:
    sheet.put(f"  {_pasted(step.command)}")
    for sentence in step.again:
        sheet.wrapped(sentence, indent=6, as_="dim")
    by_person: dict[str, list[str]] = {}
    for requirement, who in step.whom.items():
        if who and (requirement or len(step.whom) == 1):
            by_person.setdefault(who, []).extend([shown(requirement)] if requirement else [])
    for who, purposes in by_person.items():
        more = [f"{len(purposes) - PURPOSES} more"] if len(purposes) > PURPOSES else []
        for_what = f", for {'; '.join([*purposes[:PURPOSES], *more])}" if purposes else ""
        sheet.wrapped(f"{who}{for_what}", indent=6, as_="dim")
