"""Who may say that a dead letter shall never be handled: an enrolled person who has no hand in its change, signed (law 35)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rules.canonical import canonical
from rules.judgement import judge
from rules.principals import Registry
from rules.sshsig import parse
from streams.sources import signatures

if TYPE_CHECKING:
    from rules.case import Case
    from rules.judgement import Judgement
    from rules.policy import Policy
    from streams.engines.kafka.records.dead_letters import Settlement

SCHEMA: Final = "twohand.drop/v1"


def words(letter: str, by: str, reason: str, time: str) -> bytes:
    """What is signed. `time` is an instant."""
    return canonical({"schema": SCHEMA, "letter": letter, "by": by, "reason": reason, "time": time})


def refused(drop: Settlement, case: Case, at: str) -> str:
    """Why a drop counts for nothing; "" where it stands."""
    try:
        said = json.loads(drop.signed)
        by, told = str(said["by"]), words(drop.name, str(said["by"]), drop.reason, str(said["time"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return "it is not signed"
    if not drop.reason.strip() or told != drop.signed.encode("utf-8", "replace"):
        return "what was signed is not this letter and this reason"
    armor = drop.armor.encode("ascii", "replace")
    signature = parse(armor)
    if signature is None or signatures.verify(told, armor) is None:
        return "the signature is not good"
    if case.proposed is None:
        return "no change is known that it belongs to"
    return _stranger(judge(case, at), by, signature.key, at)


def _stranger(judgement: Judgement, by: str, line: str, at: str) -> str:
    """Every policy must know the person, and find no hand of theirs in the change."""
    for opinion in judgement.opinions:
        if opinion.law.policy is None or opinion.decision is None:
            return "a policy of the change is broken"
        if not _is_person(opinion.law.policy, by, line, at):
            return f"the key is none of an active person {by} under {opinion.law.text.source}"
        hands = {name for author in opinion.decision.made.authors for name in (author.principal, author.operator)}
        if by in hands:
            return f"{by} has a hand in the change"
    return ""


def _is_person(policy: Policy, by: str, line: str, at: str) -> bool:
    found = Registry(policy).by_key(line)
    return bool(
        found and by in found[0].names and found[0].kind == "person" and found[0].active and found[1].valid_at(at)
    )
