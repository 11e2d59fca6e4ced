"""Whether a reviewer is another hand than each author, axis by axis (law 10, 22-27)."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rules.lineage import Model, declared, meet, same_model
from rules.policy import Independence
from rules.provenance import Author, Authorship

AXES = ("identity", "operator", "session", "model", "family")
DISTINCT, SAME, UNRESOLVED = "distinct", "same", "unresolved"


class Hand(NamedTuple):
    """One side of a comparison. `people` stand behind it; an agent's are None where nobody knows them."""

    kind: str  # human, agent, service
    name: str
    principal: str
    people: frozenset[str] | None
    tool: str = ""
    session: str = ""
    model: Model | None = None  # None: has none (people, services)
    grade: str = "A"
    model_grade: str = "A"


class Answer(NamedTuple):
    """One axis. `grade` is the weakest evidence that a `distinct` rests on; `with_` names the author that decided."""

    axis: str
    result: str
    grade: str = ""
    with_: str = ""
    evidence: str = ""


class Ground(NamedTuple):
    """What all comparisons of one change rest on."""

    shown: bool  # somebody accountable answers for every commit (law 9)
    grade: str  # of that
    declared: bool  # with grade A or B
    undeclared: str  # human or unresolved (law 11)
    weakest: str  # the weakest grade that policy lets a `distinct` rest on
    advised: frozenset[str] = frozenset()  # axes that policy only advises on (law 24)


def ground(made: Authorship, rules: Independence) -> Ground:
    shown = not made.unanswered and bool(made.grade)
    advised = frozenset(axis for axis in AXES if getattr(rules, axis) == "advise")
    return Ground(shown, made.grade or "D", made.attested, rules.undeclared, rules.grade, advised)


def author_hand(author: Author, answering: Iterable[str]) -> Hand:
    """An agent that nobody enrolled acts for who answers for the change, unless its tool recorded somebody else."""
    people: frozenset[str] | None = frozenset({author.operator} - {""})
    if author.kind == "agent" and not people:
        people = frozenset(answering) or None
    lineage = declared(author.model, author.maker, author.family) if author.kind == "agent" else None
    return Hand(
        author.kind, author.principal or author.name, author.principal, people, author.tool, author.session,
        lineage, author.strongest, author.strongest,
    )  # fmt: skip


def compare(reviewer: Hand, authors: Sequence[tuple[Author, Hand]], on: Ground) -> tuple[Answer, ...]:
    """The five answers for one reviewer against every author: the worst of each axis stands."""
    if not on.shown and not authors:
        return tuple(Answer(axis, UNRESOLVED, evidence="nobody is known to have made this change") for axis in AXES)
    rows = [_pair(reviewer, hand, author, on) for author, hand in authors]
    return tuple(_worst(axis, [row[at] for row in rows], on) for at, axis in enumerate(AXES))


def _worst(axis: str, answers: Sequence[Answer], on: Ground) -> Answer:
    for result in (SAME, UNRESOLVED):
        for answer in answers:
            if answer.result == result:
                return answer
    return max(answers, key=lambda answer: answer.grade, default=Answer(axis, DISTINCT, on.grade))


def _pair(reviewer: Hand, author: Hand, claim: Author, on: Ground) -> tuple[Answer, ...]:
    identity = _identity(reviewer, author, claim, on)
    operator = _operator(reviewer, author, claim, on)
    apart = all(
        one.result == DISTINCT or (one.result == SAME and one.axis in on.advised) for one in (identity, operator)
    )
    return (
        identity,
        operator,
        _session(reviewer, author, apart=apart, on=on),
        _weights("model", reviewer, author, on),
        _weights("family", reviewer, author, on),
    )


def _identity(reviewer: Hand, author: Hand, claim: Author, on: Ground) -> Answer:
    if author.principal and author.principal == reviewer.principal:
        return Answer("identity", SAME, "", author.name, _because(claim))
    return _distinct("identity", author, on, grade=max(on.grade, reviewer.grade, author.grade))


def _operator(reviewer: Hand, author: Hand, claim: Author, on: Ground) -> Answer:
    if reviewer.people and author.people and reviewer.people & author.people:
        who = ", ".join(sorted(reviewer.people & author.people))
        return Answer("operator", SAME, "", author.name, f"{who} is behind both: {_because(claim)}")
    if reviewer.people is None or author.people is None:
        unknown = reviewer.name if reviewer.people is None else author.name
        return Answer("operator", UNRESOLVED, "", author.name, f"nobody is known to operate {unknown}")
    return _distinct("operator", author, on, grade=max(on.grade, reviewer.grade, author.grade))


def _session(reviewer: Hand, author: Hand, *, apart: bool, on: Ground) -> Answer:
    if reviewer.session and reviewer.session == author.session:
        return Answer("session", SAME, "", author.name, f"session {author.session}")
    if not apart and not _comparable(reviewer.session, author.session):
        return Answer("session", UNRESOLVED, "", author.name, "identity and operator are not shown to differ")
    return _distinct("session", author, on, grade=max(on.grade, reviewer.grade))


def _comparable(one: str, other: str) -> bool:
    """Law 15: sessions say something about each other only inside one namespace."""
    return bool(one and other) and one.partition(":")[0] == other.partition(":")[0]


def _weights(axis: str, reviewer: Hand, author: Hand, on: Ground) -> Answer:
    """The model and family axes: people and services have no weights, and silence is what policy says (law 11)."""
    if reviewer.model is None:
        return _distinct(axis, author, on, grade=max(on.grade, reviewer.grade))
    if author.model is None:
        return _silent(axis, reviewer, author, on)
    if axis == "model" and same_model(reviewer.model.name, author.model.name):
        return Answer(axis, SAME, "", author.name, f"{reviewer.model.name} on both sides")
    meets = meet(reviewer.model, author.model)
    if axis == "family" and meets:
        return Answer(axis, SAME, "", author.name, f"{_line(reviewer.model)} meets {_line(author.model)}")
    if meets is None or (axis == "model" and meets and not (reviewer.model.name and author.model.name)):
        unknown = reviewer if not reviewer.model.maker else author
        return Answer(axis, UNRESOLVED, "", author.name, f"the {axis} of {unknown.name} is unknown")
    return _distinct(axis, author, on, grade=max(on.grade, reviewer.model_grade, author.model_grade))


def _silent(axis: str, reviewer: Hand, author: Hand, on: Ground) -> Answer:
    if not on.declared and author.kind == "human" and on.undeclared == "unresolved":
        return Answer(axis, UNRESOLVED, "", author.name, "the change says nothing about tools")
    grade = max(on.grade, reviewer.model_grade) if on.declared else "D"
    return _distinct(axis, author, on, grade=grade)


def _distinct(axis: str, author: Hand, on: Ground, *, grade: str) -> Answer:
    if not on.shown:
        return Answer(axis, UNRESOLVED, "", author.name, "nobody answers for this change")
    if grade > on.weakest:
        return Answer(
            axis, UNRESOLVED, grade, author.name, f"rests on evidence of grade {grade}, policy asks {on.weakest}"
        )
    return Answer(axis, DISTINCT, grade, author.name)


def _line(known: Model) -> str:
    return f"{known.maker}/{known.family}" if known.family else known.maker


def _because(author: Author) -> str:
    if not author.evidence:
        return author.name
    best = author.evidence[0]
    return f"{best.channel} ({best.grade}): {best.claim}"


@lru_cache(maxsize=1024)
def hands_meet(one: Hand, other: Hand, modes: Independence) -> bool:
    """Law 25: whether two reviewers are not shown to be independent of each other on an axis that policy blocks."""
    authored = Author(other.kind, other.name, other.principal)
    on = Ground(shown=True, grade="A", declared=True, undeclared="human", weakest="D")
    answers = _pair(one, other, authored, on)
    return any(answer.result != DISTINCT and getattr(modes, answer.axis) == "block" for answer in answers)
