"""From what the law finds due to letters in the outbox: which route a word of the policy means, and what the message says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import instants
from rules.canonical import digest, plain
from rules.escalation import Escalation
from rules.events import LawText
from rules.judgement import read_laws
from rules.questions import BREAK_GLASS, Question
from rules.revive import reviver
from rules.summons import OWNERS, TEAM
from streams.engines.outbox import Letter
from streams.settings import Alert
from streams.sinks.alerts.message import (
    ACKNOWLEDGED,
    OPEN,
    REMIND,
    RESOLVED,
    Envelope,
    Message,
    Person,
    as_text,
    digest_of,
    from_text,
    of_decision,
)
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from rules.policy import Policy
    from rules.storms import Part

LOG: Final = "log"
APPROVE: Final = "twohand approve "
SHORT: Final = 12  # characters of a commit's id
Link = Callable[[Escalation, str], str]


def no_link(_one: Escalation, _by: str) -> str:
    return ""


class Row(NamedTuple):
    """An open escalation as the timers keep it, so that a step needs neither the change nor its decision.

    `law` is the digest of the policies' texts, `place` the one among them that asks.
    """

    one: Escalation
    law: str
    place: int
    asks: tuple[str, ...]
    low: bool
    session: str
    first: str  # the message of its opening, as text
    again: str  # that of every later page

    def text(self) -> str:
        one = {name: getattr(self.one, name) for name in Escalation.__dataclass_fields__}
        fields = {**self._asdict(), "one": {**one, "told": sorted(map(list, one["told"]))}}
        return json.dumps(plain(fields), separators=(",", ":"))


def row_of(text: str) -> Row:
    """The row that `Row.text` wrote."""
    fields = json.loads(text)
    one = fields.pop("one")
    told = frozenset((turn, level) for turn, level in one.pop("told"))
    asked, reasons = frozenset(one.pop("asked")), tuple(one.pop("reasons"))
    asks = tuple(fields.pop("asks"))
    return Row(one=Escalation(**one, told=told, asked=asked, reasons=reasons), asks=asks, **fields)


def policy_in(laws: str, place: int) -> Policy:
    """The policy that asks, of the recorded texts of all of them."""
    texts: tuple[LawText, ...] = reviver(tuple[LawText, ...])(json.loads(laws))
    found = read_laws(texts)[place].policy
    assert found is not None
    return found


def routes_with_log(alerts: Mapping[str, Alert]) -> dict[str, Alert]:
    """The routes of the settings; without any, a log stands for all of them."""
    return dict(alerts) or {OWNERS: Alert(OWNERS, LOG)}


def route_of(target: str, alerts: Mapping[str, Alert]) -> tuple[str, tuple[str, ...]]:
    """The route of a step's word, and those to use where it fails: its own name, else that of `owners`, else the first."""
    known = routes_with_log(alerts)
    wanted = (target, target.removeprefix(TEAM), OWNERS, *known)
    route = next(name for name in wanted if name in known)
    return route, tuple(name for name in known if name != route)


def unrouted(policy: Policy, alerts: Mapping[str, Alert]) -> list[str]:
    """Words of the steps that name nobody of the policy and no route of the settings: most likely misspelt."""
    known = {OWNERS, *policy.teams, *policy.people, *policy.rotations, *alerts}
    words = (word for step in policy.escalation.steps for word in step.notify)
    return sorted({word for word in words if word.removeprefix(TEAM) not in known})


def texts(record: Mapping[str, Any], question: Question, name: str, *, by: str = "", why: str = "") -> tuple[str, str]:
    """The messages of an opening and of later pages, as text. `by` and `why`: who broke the glass, and what they said."""
    envelope = Envelope(name, name, "", severity="warning" if question.low else "critical")
    first = of_decision(OPEN, record, envelope)
    if question.reasons[:1] == (BREAK_GLASS,):
        said = of_decision(OPEN, {**record, "reasons": [_broken(by, why)]}, envelope).why
        first = first._replace(what=f"{first.what} - skipped by break-glass", why=(*said, *first.why))
    first = first._replace(command=_reaching(first.command, record["change"], question))
    where, _, what = first.what.partition(": ")
    return as_text(first), as_text(first._replace(kind=REMIND, what=f"{where}: still {what}"))


def _reaching(command: str, change: Mapping[str, Any], question: Question) -> str:
    """The command as the person who is asked has to type it: a push names no branch, and its answers count once they are
    pushed, too; what a break-glass let in has landed, and from then on only its base says which step is meant.
    """
    if not command.startswith(APPROVE):
        return command
    glass = question.reasons[:1] == (BREAK_GLASS,) and "--rewrite" not in command
    landed = f" --base {change['base'][:SHORT]}" if glass else ""
    return command + landed + ("" if change["branch"] else " --push origin")


def _broken(by: str, why: str) -> dict[str, Any]:
    return {
        "code": BREAK_GLASS,
        "subject": f"{by} broke the glass: {why}",
        "requirement": "",
        "values": {},
        "remedy": "",
    }


def page(part: Part, row: Row, policy: Policy, at: int, link: Link) -> Message:
    """The message of one part of a page."""
    opening = not row.one.lapse and len(row.one.told) == 1
    message = from_text(row.first if opening else row.again)
    people = tuple(_person(name, policy) for name in part.people)
    by = ", ".join(part.people) or part.page.target
    ended = instants.text_of(row.one.since) if row.one.lapse else ""  # when the last acknowledgement did
    return message._replace(
        event=part.name, dedup=row.one.name, at=instants.text_of(at), asked=people, link=link(row.one, by), until=ended
    )


def _person(name: str, policy: Policy) -> Person:
    return Person(name, policy.people[name].emails if name in policy.people else ())


def gathered(name: str, messages: Sequence[Message], at: int) -> Message:
    """A digest of pages that were held for the same people."""
    newest = messages[-1]
    grave = any(message.severity == "critical" for message in messages)
    envelope = Envelope(
        f"digest-{name}", name, instants.text_of(at), newest.asked, severity="critical" if grave else "warning"
    )
    return digest_of(messages, envelope)


def letter(message: Message, target: str, alerts: Mapping[str, Alert], at: int) -> Letter:
    """A message in the outbox, for the route that a word means. Through one route, one message once."""
    route, instead = route_of(target, alerts)
    name = digest([message.event, route])
    return Letter(name, message.dedup, route, as_text(message), instead, at)


def heard(message: Message, by: str, until: str, at: str) -> Message:
    """What routes are told when somebody has acknowledged; `message` is the newest that they told."""
    what = f"{_where(message)}: acknowledged by {shown(by, 120)} until {until}"
    event = digest(["heard", message.dedup, until])
    return message._replace(
        kind=ACKNOWLEDGED, event=event, what=what, at=at, by=shown(by, 120), until=until, command="", link=""
    )


def ended(message: Message, how: str, at: str, *, by: str = "") -> Message:
    """What routes are told when a question is over; `by`: whose word ended it."""
    by = shown(by, 120)
    what = f"{_where(message)}: {how}{f' by {by}' if by else ''}; nobody needs to answer any more"
    event = digest(["end", message.dedup])
    return message._replace(kind=RESOLVED, event=event, what=what, at=at, by=by, command="", link="")


def _where(message: Message) -> str:
    """`branch -> target` or `deletes target`, with which every message about a change begins; no name of a ref holds a colon."""
    return message.what.partition(": ")[0]


def closing(message: Message, routes: Iterable[str], at: int) -> list[Letter]:
    """An acknowledgement or an end, for every route that told of the problem."""
    return [Letter(digest([message.event, route]), message.dedup, route, as_text(message), (), at) for route in routes]
