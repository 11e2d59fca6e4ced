"""A judgement as data: `twohand.decision/v1`, the one value that every renderer reads (DESIGN 11)."""

from collections.abc import Iterator
from typing import Any

from rules.ballots import Ballot
from rules.canonical import plain
from rules.decision import Decision, scanned
from rules.events import ChangeProposed
from rules.independence import DISTINCT, Answer
from rules.judgement import Judgement, Opinion
from rules.votes import Voice

SCHEMA = "twohand.decision/v1"


def record(judgement: Judgement) -> dict[str, Any]:
    """Plain data; null where something is unknown."""
    proposed, leading = judgement.case.proposed, judgement.leading
    assert proposed is not None
    return {
        "schema": SCHEMA,
        "change": _change(proposed),
        "outcome": judgement.outcome,
        "reasons": [plain(reason) for reason in judgement.reasons],
        "requirements": [row for opinion in judgement.opinions for row in _requirements(opinion)],
        "authors": [author.as_row() for author in leading.made.authors] if leading else [],
        "reviews": list(_reviews(leading, judgement)) if leading else [],
        "findings": plain(leading.findings if leading else scanned(judgement.case, proposed)[0]),
        "owners": [_owned(row) for row in leading.owned] if leading else [],
        "escalation": _escalation(judgement),
        "stamps": list(leading.stamps) if leading else [],
        "read_from": list(proposed.read_from),
        "policy": [_policy(opinion) for opinion in judgement.opinions],
        "decided_at": judgement.at,
    }


def _change(proposed: ChangeProposed) -> dict[str, Any]:
    return {
        "id": proposed.change,
        "number": proposed.number or None,
        "repository": proposed.repository,
        "target": proposed.target,
        "branch": proposed.branch or None,
        "base": proposed.base,
        "head": proposed.head,
        "content_key": proposed.content_key,
        "commits": len(proposed.commits),
        "files": len(proposed.files),
        "added": sum(file.added for file in proposed.files),
        "removed": sum(file.removed for file in proposed.files),
    }


def _requirements(opinion: Opinion) -> Iterator[dict[str, Any]]:
    for ruling in opinion.decision.rulings if opinion.decision else ():
        yield {
            "name": ruling.name,
            "state": ruling.state,
            "needed": ruling.needed,
            "counted": ruling.counted,
            "waiting_for": list(ruling.waiting_for),
            "policy": opinion.law.text.source,
        }


def _reviews(decision: Decision, judgement: Judgement) -> Iterator[dict[str, Any]]:
    proposed = judgement.case.proposed
    for (key, name), scan in sorted(judgement.case.scans.items()):
        if proposed and key == proposed.content_key:
            yield {
                "reviewer": name, "kind": "model" if scan.judged else "rules", "verdict": "abstain",
                "status": scan.status, "counts": False, "why": scan.why if scan.judged else "rules never approve",
                "presence": None, "axes": [], "recusals": [],
                "coverage": {"complete": not scan.uncovered, "uncovered": plain(scan.uncovered)},
                "findings": len(scan.findings), **({"judged": plain(scan.judged)} if scan.judged else {}),
            }  # fmt: skip
    ballots = {ballot.vote.voice.heard: ballot for ballot in decision.ballots}
    used = {name for ruling in decision.rulings for name in ruling.uses}
    owners = {name for _, people, state in decision.owned if state == "approved" for name in people}
    for voice in decision.voices:
        yield _review(voice, ballots.get(voice.heard), used | owners, decision)


def _review(voice: Voice, ballot: Ballot | None, used: set[str], decision: Decision) -> dict[str, Any]:
    statement = voice.statement
    kind = voice.principal.kind if voice.principal else None
    counts = _counts(voice, ballot, used, decision)
    return {
        "reviewer": voice.principal.name if voice.principal else voice.heard.by,
        "kind": {"person": "human"}.get(kind or "", kind),
        "verdict": statement.verb if statement else "unreadable",
        "status": "invalid" if voice.fault else "completed",
        "counts": counts,
        "why": decision.void.get(voice.heard.id) or _why(voice, ballot, counts=counts),
        "presence": "proven" if voice.presence else "unproven",
        "not_author": bool(statement and statement.not_author),
        "statement": voice.heard.id,
        "time": statement.time if statement else None,
        "reason": statement.reason or None if statement else None,
        "axes": [_answer(answer) for answer in ballot.answers] if ballot else [],
        "recusals": [_answer(answer) for answer in ballot.answers if answer.result != DISTINCT] if ballot else [],
        "coverage": {"complete": bool(ballot and ballot.vote.whole), "uncovered": []},
        "findings": 0,
    }


def _counts(voice: Voice, ballot: Ballot | None, used: set[str], decision: Decision) -> bool:
    if voice.statement and voice.statement.verb == "object":
        return voice.heard.id in decision.objections
    if voice.statement and voice.statement.verb in ("propose", "waive", "withdraw"):
        return not voice.fault and voice.heard.id not in decision.void
    carried = ballot is not None and (not ballot.vote.fault or bool(ballot.vote.paths))
    return bool(ballot and carried and not ballot.spoiled and ballot.name in used)


def _why(voice: Voice, ballot: Ballot | None, *, counts: bool) -> str | None:
    if voice.fault:
        return voice.fault
    if ballot and ballot.vote.fault and not counts:
        return ballot.vote.fault
    if ballot and ballot.conflict:
        return ballot.conflict
    if ballot and (ballot.same or ballot.unresolved):
        return "recused" if ballot.same else "unresolved"
    if voice.statement and voice.statement.verb == "approve" and not ballot:
        return "superseded"
    return None if counts else "no requirement counts it"


def _answer(answer: Answer) -> dict[str, Any]:
    """`grade` is the weakest evidence that a `distinct` rests on (law 10)."""
    row = {"axis": answer.axis, "result": answer.result, "with": answer.with_ or None}
    return {**row, "evidence": answer.evidence or None, "grade": answer.grade or None}


def _owned(row: tuple[str, tuple[str, ...], str]) -> dict[str, Any]:
    path, people, state = row
    return {"path": path, "owners": list(people), "state": state}


def _escalation(judgement: Judgement) -> dict[str, Any] | None:
    if judgement.outcome != "escalated" or not judgement.leading:
        return None
    waiting = {n for r in judgement.leading.rulings for n in r.waiting_for if r.state == "unmet"}
    asked = {n for _, people, state in judgement.leading.owned if state == "awaited" for n in people}
    return {"asks": sorted(asked or waiting), "asked": sorted(judgement.case.asked)}


def _policy(opinion: Opinion) -> dict[str, Any]:
    return {
        "role": opinion.law.text.role,
        "source": opinion.law.text.source,
        "digest": opinion.law.policy.digest if opinion.law.policy else None,
        "outcome": opinion.outcome,
    }
