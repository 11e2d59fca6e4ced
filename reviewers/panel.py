"""Who may sit: the model reviewers that are another hand than every author and than each other (law 22-25).

Pure, and without a comparison of its own: the court of each policy answers, as it does when the approval is there. Asked
before a token is spent and again for every fallback; the law asks once more when it decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import NamedTuple

from rules.decision import Sitting, sit
from rules.independence import DISTINCT, Answer, Hand, hands_meet
from rules.judgement import Judgement
from rules.lineage import declared, same_model
from rules.policy import Key
from rules.principals import Principal

ENROLMENT, KEY, TRUST, PANEL = "enrolment", "key", "trust", "panel"  # beside the five axes


class Candidate(NamedTuple):
    """A reviewer of the settings. `key` is the public line of the key that would sign, "" where there is none."""

    name: str
    model: str
    maker: str = ""
    family: str = ""
    fallback: tuple[str, ...] = ()
    key: str = ""


class Bar(NamedTuple):
    """Why a reviewer may not sit: on which axis, compared with whom, and what would have to be otherwise."""

    name: str
    axis: str
    why: str
    would: str

    def __str__(self) -> str:
        return f"{self.axis}: {self.why}; would be eligible: {self.would}"


class Panel(NamedTuple):
    """Who is asked, in order; `barred` are the others that were considered; `stands` have spoken already.

    `waits`: nobody is asked, because nobody answers for the change yet; the command that does.
    """

    seats: tuple[str, ...]
    barred: tuple[Bar, ...]
    stands: tuple[str, ...] = ()
    waits: str = ""
    leaders: tuple[str, ...] = ()  # for each seat, the reviewer in whose place it is taken


class Bench(NamedTuple):
    """Everything that reviewers are compared against: the change under each policy that can be read."""

    sittings: tuple[Sitting, ...]
    known: dict[str, Candidate]

    def hand(self, name: str, sitting: Sitting) -> Hand | None:
        """The reviewer as one side of a comparison; nobody stands behind one that the gate runs itself (law 15)."""
        principal = sitting.docket.registry.named(name)
        agent = principal.agent if principal else None
        if principal is None or agent is None:
            return None
        people = sitting.docket.registry.operators(principal)
        lineage = declared(agent.model, agent.maker, agent.family)
        return Hand("agent", principal.name, principal.name, people, agent.tool, "", lineage)


def bench(judgement: Judgement, candidates: Iterable[Candidate]) -> Bench:
    """What this judgement's case is, under each of its policies."""
    policies = [opinion.law.policy for opinion in judgement.opinions if opinion.law.policy]
    sittings = tuple(sit(judgement.case, policy, judgement.at) for policy in policies)
    return Bench(sittings, {one.name: one for one in candidates})


def pick(court: Bench) -> Panel:
    """The first reviewer of every line that may sit. Reviewers that only stand in for others wait for their turn.

    A line of which somebody has voted is done.
    """
    if not any(one.docket.court.on.shown for one in court.sittings):
        return Panel((), (), waits=next((one.docket.commands.propose() for one in court.sittings), ""))
    stands = dict.fromkeys(name for name in court.known if _stands(name, court)).keys()
    seats: dict[str, str] = {}
    barred: dict[str, Bar] = {}
    for name in leaders({name: one.fallback for name, one in court.known.items()}):
        line = (name, *court.known[name].fallback)
        for asked in line if stands.isdisjoint(line) else ():
            if asked in seats:
                break
            bar = bar_of(asked, (*stands, *seats), court)
            if bar is None:
                seats[asked] = name
                barred.pop(asked, None)
                break
            barred[asked] = bar
    return Panel(tuple(seats), tuple(barred.values()), tuple(stands), leaders=tuple(seats.values()))


def leaders(fallbacks: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Who is asked first: reviewers that nobody names as fallback; all of them where everybody is named."""
    spares = {name for names in fallbacks.values() for name in names}
    return tuple(name for name in fallbacks if name not in spares) or tuple(fallbacks)


def following(name: str, tried: Iterable[str], seated: Sequence[str], court: Bench) -> tuple[str, tuple[Bar, ...]]:
    """Who follows a reviewer that could not answer: its first fallback that may sit, "" where none; and who may not."""
    barred: list[Bar] = []
    for asked in court.known[name].fallback:
        if asked in tried or asked in seated:
            continue
        bar = bar_of(asked, seated, court)
        if bar is None:
            return asked, tuple(barred)
        barred.append(bar)
    return "", tuple(barred)


def bar_of(name: str, seated: Iterable[str], court: Bench) -> Bar | None:
    """Why this reviewer may not sit beside those seated; None where it may.

    It has to be another hand under every policy that enrols it, and one has to.
    """
    enrolling = [one for one in court.sittings if court.hand(name, one)]
    if not enrolling:
        return Bar(
            name,
            ENROLMENT,
            "no policy has it under [agents.NAME]",
            f"once enrolled: `twohand reviewers enrol {quote(name)}`",
        )
    bars = (bar for one in enrolling for bar in _bars(court.known[name], one, tuple(seated), court))
    return next(bars, None)


def _bars(candidate: Candidate, sitting: Sitting, seated: tuple[str, ...], court: Bench) -> Iterator[Bar]:
    hand, principal = court.hand(candidate.name, sitting), sitting.docket.registry.named(candidate.name)
    assert hand
    assert principal
    yield from _unregistered(candidate, principal, sitting)
    for answer in sitting.docket.court.answers(hand):
        if answer.result != DISTINCT and getattr(sitting.docket.policy.independence, answer.axis) != "advise":
            yield Bar(candidate.name, answer.axis, _because(answer), _would(answer, sitting))
    for other in seated:
        against = court.hand(other, sitting)
        if against and hands_meet(hand, against, sitting.docket.policy.independence):
            why = f"it is no other hand than {other}, which sits already"
            yield Bar(candidate.name, PANEL, why, "a reviewer whose weights nobody else on the panel has")


def _unregistered(candidate: Candidate, principal: Principal, sitting: Sitting) -> Iterator[Bar]:
    """Law 22: key, model, maker and family are those of the registration; settings that say otherwise are a conflict."""
    name, agent = candidate.name, principal.agent
    assert agent
    keys = {key.line for one in principal.names for key in _keys(one, sitting)}
    if candidate.key not in keys:
        has = "its key is none of those of [agents.NAME]" if candidate.key else "it has no key to sign with"
        yield Bar(name, KEY, has, f"with the key of `twohand reviewers enrol {quote(name)}` in the policy")
    if agent.model and not same_model(agent.model, candidate.model) and agent.model != candidate.model:
        why = f"the settings declare {candidate.model}, the policy registers {agent.model}"
        yield Bar(name, "model", why, "with the same model in settings and policy")
    for axis in ("maker", "family"):
        says, registered = getattr(candidate, axis), getattr(agent, axis)
        if says and registered and says != registered:
            why = f"the settings declare {axis} {says}, the policy registers {registered}"
            yield Bar(name, "family", why, f"with the same {axis} in settings and policy")
    if name in sitting.case.suspended:
        yield Bar(name, TRUST, "it is suspended", "once it is restored")


def _keys(name: str, sitting: Sitting) -> Iterable[Key]:
    agent = sitting.docket.policy.agents.get(name)
    return agent.keys if agent else ()


def _stands(name: str, court: Bench) -> bool:
    """Whether it has spoken about exactly this content, under every policy that enrols it, so that it is not asked again."""
    enrolling = [one for one in court.sittings if court.hand(name, one)]
    return bool(enrolling) and all(_spoke(name, one) for one in enrolling)


def _spoke(name: str, sitting: Sitting) -> bool:
    """An approval that counts, an objection, or one of them taken back: that was somebody's decision, and stays."""
    principal = sitting.docket.registry.named(name)
    who = principal.name if principal else name
    if any(b.name == who and b.vote.whole and not (b.vote.fault or b.spoiled or b.unresolved) for b in sitting.ballots):
        return True
    taken_back = (v for v in sitting.all_voices if not v.fault and v.statement and v.statement.verb == "withdraw")
    about = (
        voice.statement.content_key
        for voice in (*sitting.objections, *taken_back)
        if voice.statement and voice.principal and voice.principal.name == who
    )
    return sitting.proposed.content_key in about


def _because(answer: Answer) -> str:
    with_ = f" as {answer.with_}" if answer.with_ and answer.result != "unresolved" else ""
    why = f" ({answer.evidence})" if answer.evidence else ""
    return f"{answer.result}{with_}{why}"


def _would(answer: Answer, sitting: Sitting) -> str:
    """What would be eligible instead, in words."""
    if answer.result == "unresolved" and answer.axis not in ("model", "family"):
        return "any of them, once somebody answers for the change: `" + sitting.docket.commands.propose() + "`"
    if answer.axis in ("model", "family"):
        makers = sorted({hand.model.maker for _, hand in sitting.docket.court.pairs if hand.model and hand.model.maker})
        other = f"weights that {' and '.join(makers)} did not make" if makers else "weights whose maker is known"
        return f"a reviewer with {other}"
    return "a reviewer that no author operates"
