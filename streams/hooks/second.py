"""With `engine = "kafka"`: the decider's word about a push, as the relay brought it back. No broker is asked.

It is one opinion more beside those of the policies, and the worst stands (law 36): what the decider refuses, has not heard of,
or decided about something else, is not admitted (law 7, 40).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any, Final, NamedTuple

from rules import instants
from rules.decision import ADMITTED, ESCALATED, OUTCOMES, PENDING
from rules.events import LawText
from rules.judgement import Judgement, Law, Opinion
from rules.reasons import Reason
from rules.record import record
from streams.engines.kafka.carrier.relay_file import NAME, Beside, RelayUnusable, Standing

DECIDER: Final = "decider"
SILENT: Final = "reviewer.silent"
UNREAD: Final = "evidence.incomplete"
FRESH: Final = 180  # seconds since the relay carried all there was, after which nobody knows what was said meanwhile
SAME: Final = ("id", "repository", "target", "content_key", "base", "head")
HAND: Final = ("kind", "principal", "operator", "tool", "model", "session")
Row = dict[str, Any]


class Heard(NamedTuple):
    """What the relay's file holds about a change. `whole`: when the relay last carried all that there was."""

    standing: Standing | None = None
    judged: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    whole: str = ""


class Second:
    """The decider's side. `directory` holds journal and relay file; `repository` is what commands name."""

    def __init__(self, directory: Path, repository: Path) -> None:
        self._directory, self._repository = directory, repository

    def joined(self, judgement: Judgement) -> Judgement:
        """The judgement with the decider's opinion in it."""
        opinion = self._opinion(judgement)
        outcome = min(judgement.outcome, opinion.outcome, key=OUTCOMES.index)
        return judgement._replace(outcome=outcome, opinions=(*judgement.opinions, opinion))

    def _opinion(self, judgement: Judgement) -> Opinion:
        mine = record(judgement)
        try:
            heard = self._heard(mine["change"])
            return self._weighed(mine, heard)
        except RelayUnusable as error:
            return self._unread(error.message, "" if error.busy else self._anew())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return self._unread(f"{NAME} holds a decision that is none: {error}", self._anew())

    def _unread(self, why: str, server: str) -> Opinion:
        values = {"waiting": f"the decider's word cannot be read: {why}"}
        anew = {"relay": "stop the relay, then begin anew: what is carried twice counts once", "server": server}
        return _opinion(ESCALATED, [Reason(UNREAD, DECIDER, values={**values, **(anew if server else {})})])

    def _heard(self, about: Row) -> Heard:
        if not (self._directory / NAME).exists():
            return Heard()
        with Beside(self._directory, writable=False) as file:
            change, key = about["id"], about["content_key"]
            return Heard(file.standing(change), file.judged(change, key), tuple(file.left_out(change)), file.whole())

    def _weighed(self, mine: Row, heard: Heard) -> Opinion:
        stale = _stale(heard.whole, mine["decided_at"])
        if heard.standing is None:
            return self._waiting(_progress(heard), heard, stale)
        theirs: Row = json.loads(heard.standing.decision)
        if other := _other(mine, theirs):
            return self._waiting(f"its newest decision is about {other}", heard, stale)
        if theirs["outcome"] == ADMITTED:
            return self._waiting("what it said last may be over", heard, stale) if stale else _opinion(ADMITTED, ())
        if unheard := list(_unheard(mine, theirs)):
            return self._waiting(f"it has not heard yet: {', '.join(unheard)}", heard, stale)
        return _opinion(theirs["outcome"], [Reason(**row) for row in theirs["reasons"] if row not in mine["reasons"]])

    def _waiting(self, what: str, heard: Heard, stale: str) -> Opinion:
        values = {"waiting": f"proposed, waiting for the decider: {what}"}
        left = {"left": heard.left_out[0]} if heard.left_out else {}
        relay = {"relay": stale, "server": f"twohand relay -C {quote(str(self._repository))}"} if stale else {}
        return _opinion(PENDING, [Reason(SILENT, DECIDER, values={**values, **left, **relay})])

    def _anew(self) -> str:
        """What makes a file that is of no use a new one."""
        return f"rm {quote(str(self._directory / NAME))} && twohand relay -C {quote(str(self._repository))}"


def _stale(whole: str, now: str) -> str:
    """Why nobody knows what was said meanwhile, "" where the relay carried lately."""
    if not whole:
        return "no relay has carried everything from here yet"
    age = instants.between(whole, now)
    return "" if -FRESH <= age <= FRESH else f"the relay last carried everything at {whole}"


def _opinion(outcome: str, reasons: Iterable[Reason]) -> Opinion:
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome {outcome!r}")
    return Opinion(Law(LawText(DECIDER, "twohand.decisions", ""), None), outcome, None, tuple(reasons))


def _progress(heard: Heard) -> str:
    return f"heard: {', '.join(heard.judged)}" if heard.judged else "nobody is known to have judged it yet"


def _other(mine: Row, theirs: Row) -> str:
    """What else the decision is about than what is pushed now; "" where it is this (law 7)."""
    for name in SAME:
        if mine["change"][name] != theirs["change"][name]:
            return f"another {name.replace('_', ' ')}: {str(theirs['change'][name])[:40]}"
    if _digests(mine) != _digests(theirs):
        return "this change under other policies"
    if ADMITTED == theirs["outcome"] == mine["outcome"] and _hands(mine) != _hands(theirs):
        return "this content by other hands"
    return ""


def _digests(decision: Row) -> list[str | None]:
    return [row["digest"] for row in decision["policy"] if row["role"] != DECIDER]


def _hands(decision: Row) -> set[tuple[str | None, ...]]:
    return {tuple(author[name] for name in HAND) for author in decision["authors"]}


def _unheard(mine: Row, theirs: Row) -> Iterator[str]:
    """What was said here and is no part of the decision."""
    known = {row.get("statement") for row in theirs["reviews"]}
    for row in mine["reviews"]:
        if row.get("statement") and row["statement"] not in known:
            yield f"{row['verdict']} by {row['reviewer']}"
