"""What differs between two decisions, as data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from streams.sinks.render.safe import shown

Decision = Mapping[str, Any]


class Difference(NamedTuple):
    """`what` as it was and as it is now; None: it is not there."""

    what: str
    then: str | None
    now: str | None


def differences(then: Decision, now: Decision) -> list[Difference]:
    """Outcome, reasons, requirements, reviews, stamps and policies that are not the same; nothing where all are."""
    before, after = _facts(then), _facts(now)
    names = dict.fromkeys([*before, *after])
    return [
        Difference(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def _facts(decision: Decision) -> dict[str, str]:
    facts = {"outcome": decision["outcome"], "head": decision["change"]["head"][:12]}
    for row in decision["requirements"]:
        facts[f"requirement {row['name']} ({row['policy']})"] = f"{row['state']}, {row['counted']} of {row['needed']}"
    for row in decision["reasons"]:
        facts[f"reason {row['code']} {row['subject']}"] = "given"
    for row in decision["reviews"]:
        worth = "counts" if row["counts"] else f"does not count, {row['why']}"
        name = f"{row['verdict']} of {row['reviewer']}"
        facts[name] = worth if facts.get(name) != "counts" else "counts"
    for stamp in decision["stamps"]:
        facts[f"stamp {stamp}"] = "given"
    for row in decision["policy"]:
        facts[f"policy {row['source']}"] = (row["digest"] or "unreadable")[:12]
    return facts


def told(one: Difference) -> str:
    """`outcome: escalated -> admitted`; what came or went says so."""
    what = shown(one.what)
    if one.then is None:
        return f"new: {what}" + ("" if one.now == "given" else f": {shown(one.now)}")
    if one.now is None:
        return f"gone: {what}"
    return f"{what}: {shown(one.then)} -> {shown(one.now)}"
