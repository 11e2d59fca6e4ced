"""One observation about who made a change, before anybody asks what policy makes of it (law 8, 10; DESIGN 5.1)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

NO_TOOL = "none"  # a person says so: `propose --tool none` (law 11)


class Claim(NamedTuple):
    """What one channel says about one hand. Empty text means that the channel does not say it.

    grade    A attested, B forge- or door-asserted, C tool-recorded, D self-declared text
    channel  author, committer, co-author, mark, note, trace, signature, proposal, opened-by, pushed-by, branch,
             environment, recorded, seen
    kind     person, agent or service, where the channel tells; else ""
    commit   the commit it speaks of; "" for the whole change
    session  `namespace:id`
    operator the name, e-mail or account of the human on whose behalf the tool acted
    text     the claim as it was found, at most 200 characters
    """

    channel: str
    grade: str
    commit: str = ""
    kind: str = ""
    name: str = ""
    email: str = ""
    account: str = ""  # `host:login`
    principal: str = ""  # an enrolled name, where the channel proves one (a verified key)
    tool: str = ""
    model: str = ""  # as found
    maker: str = ""
    family: str = ""
    session: str = ""
    operator: str = ""
    text: str = ""


def completed(claims: Iterable[Claim]) -> list[Claim]:
    """Marks of one tool in one commit are one hand: each takes the session or model that another of them brings."""
    rows = list(claims)
    known: dict[tuple[str, str], list[Claim]] = {}
    for claim in rows:
        if claim.tool and claim.commit:
            known.setdefault((claim.commit, claim.tool), []).append(claim)
    return [_completed(claim, known.get((claim.commit, claim.tool), [])) for claim in rows] if known else rows


def _completed(claim: Claim, others: Sequence[Claim]) -> Claim:
    sessions = {other.session for other in others if other.session}
    models = {(other.model, other.maker, other.family) for other in others if other.model}
    operators = {other.operator for other in others if other.operator}
    if not claim.session and len(sessions) == 1:
        claim = claim._replace(session=sessions.pop())
    if not claim.model and len(models) == 1:
        model, maker, family = models.pop()
        claim = claim._replace(model=model, maker=maker, family=family)
    if not claim.operator and len(operators) == 1:
        claim = claim._replace(operator=operators.pop())
    return claim
