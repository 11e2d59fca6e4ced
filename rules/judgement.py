"""The decision under every policy that speaks: floor, default branch, target; the worst outcome stands (law 36)."""

from functools import lru_cache
from typing import NamedTuple

from rules import policy as policies
from rules.case import Case
from rules.decision import BLOCKED, OUTCOMES, Decision, decide
from rules.events import LawText
from rules.policy import Policy, PolicyInvalid
from rules.reasons import Reason

GUESSED = "guessed"  # the role of a default branch that nobody stated: it decides, and enrols nobody below


class Law(NamedTuple):
    """One policy text, read. Exactly one of `policy` and `problems` is there."""

    text: LawText
    policy: Policy | None
    problems: tuple[policies.Problem, ...] = ()


class Opinion(NamedTuple):
    """What one policy decides; a broken policy decides `blocked` without a decision."""

    law: Law
    outcome: str
    decision: Decision | None
    reasons: tuple[Reason, ...]


class Judgement(NamedTuple):
    """All opinions, and the outcome that stands."""

    case: Case
    outcome: str
    opinions: tuple[Opinion, ...]
    at: str

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Of the policies that are not satisfied, the worst first, each reason once."""
        ranked = sorted(self.opinions, key=lambda opinion: OUTCOMES.index(opinion.outcome))
        seen: dict[str, Reason] = {}
        for opinion in ranked:
            for reason in opinion.reasons:
                seen.setdefault(str((reason.code, reason.subject, reason.requirement, reason.values)), reason)
        return tuple(seen.values())

    @property
    def leading(self) -> Decision | None:
        """The decision to show people: the worst one that could be made."""
        ranked = sorted(self.opinions, key=lambda opinion: OUTCOMES.index(opinion.outcome))
        return next((opinion.decision for opinion in ranked if opinion.decision), None)


@lru_cache(maxsize=32)
def read_laws(texts: tuple[LawText, ...]) -> tuple[Law, ...]:
    """Parse the policies, highest first; whom a higher one enrols is known in those below it."""
    laws: list[Law] = []
    above: Policy | None = None
    for text in texts:
        law = _read(text, above)
        laws.append(law)
        above = law.policy or above if text.role != GUESSED else above
    return tuple(laws)


def _read(text: LawText, above: Policy | None) -> Law:
    if text.problem:
        return Law(text, None, (policies.Problem(text.source, 0, "", "", (), text.problem),))
    try:
        parse = policies.parse_pyproject if text.form == "pyproject.toml" else policies.parse
        found = parse(text.text, text.source, above=above)
    except PolicyInvalid as invalid:
        return Law(text, None, tuple(invalid.problems))
    if found is None:
        return Law(text, None, (policies.Problem(text.source, 0, "tool.twohand", "", (), "there is no such table"),))
    return Law(text, found)


def judge(case: Case, at: str, texts: tuple[LawText, ...] | None = None) -> Judgement:
    """Decide the case under the policies that its proposal carries, or under others for a what-if."""
    if case.proposed is None:
        raise ValueError("a case without a proposed change cannot be decided")
    laws = read_laws(case.proposed.laws if texts is None else texts)
    opinions = tuple(_opinion(law, case, at) for law in laws) or (_lawless(),)
    outcome = min((opinion.outcome for opinion in opinions), key=OUTCOMES.index)
    return Judgement(case, outcome, opinions, at)


def _opinion(law: Law, case: Case, at: str) -> Opinion:
    if law.policy is None:
        return Opinion(law, BLOCKED, None, tuple(_broken(problem) for problem in law.problems))
    decision = decide(case, law.policy, at)
    return Opinion(law, decision.outcome, decision, decision.reasons)


def _broken(problem: policies.Problem) -> Reason:
    values = {"line": problem.line, "key": problem.key, "value": problem.value, "allowed": list(problem.allowed)}
    values["message"] = problem.message
    return Reason("policy.invalid", problem.file, values=values, remedy="twohand policy validate")


def _lawless() -> Opinion:
    text = LawText("none", "no policy was read", "", problem="no policy was read")
    return Opinion(
        Law(text, None), BLOCKED, None, (Reason("policy.invalid", text.source, remedy="twohand policy show"),)
    )
