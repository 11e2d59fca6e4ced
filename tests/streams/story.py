"""A week of a repository as events: what metrics and reports are made of."""

import json

from rules import instants
from rules.events import (
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    WaiverGranted,
)
from rules.statement import Statement, payload, statement_id
from tests.decisions import author, decision, finding, reason, review

START = "2026-11-16T09:00:00Z"  # a Monday


def at(minutes):
    return instants.later(START, minutes * 60)


def proposed(change, minutes, **changes):
    given = {
        "repository": "example/shop",
        "target": "refs/heads/main",
        "branch": f"refs/heads/{change}",
        "base": "b" * 40,
    }
    return ChangeProposed(
        change=change, head=change[0] * 40, content_key=change, at=at(minutes), **{**given, **changes}
    )


def decided(change, outcome, minutes, **parts):
    """A decision whose record says `parts`; without any, it is about nothing in particular."""
    plain = {
        "reasons": [],
        "reviews": [],
        "findings": [],
        "owners": [],
        "stamps": [],
        "escalation": None,
        "authors": [author("claude")],
    }
    text = json.dumps(decision(outcome=outcome, **{**plain, **parts}))
    return DecisionMade(change=change, content_key=change, outcome=outcome, decision=text, at=at(minutes))


def waived(change, minutes, *, by="dora", finding="", objection_of="", glass=False, days=7, why="it has to go out"):
    """A waiver, and the row by which a decision counts it."""
    statement = Statement(
        "waive", by, "example/shop", "refs/heads/main", "b" * 40, change[0] * 40, change, time=at(minutes), reason=why,
        finding=finding, objection_of=objection_of, break_glass=glass, expires=at(minutes + days * 1440),
    )  # fmt: skip
    signed = payload(statement)
    event = WaiverGranted(change=change, content_key=change, statement=signed.decode(), signature="", at=at(minutes))
    row = {**review(by), "verdict": "waive", "statement": statement_id(signed), "counts": True}
    return event, row


def asked(change, minutes, *people, name="", level=0):
    return EscalationOpened(change=change, escalation=name or f"e-{change}", level=level, asked=people, at=at(minutes))


def heard(change, minutes, by):
    return EscalationAcknowledged(change=change, escalation=f"e-{change}", by=by, at=at(minutes))


def answered(change, minutes, how="approved"):
    return EscalationResolved(change=change, escalation=f"e-{change}", how=how, at=at(minutes))


def week():
    """One change read by bob and landed; one that waits for alice; two waived by dora, one of them by break-glass; one hasty."""
    waiver, waiver_row = waived("waived", 130, finding="auth-check-removed", why="the check moved to the proxy")
    glass, glass_row = waived("glass", 200, glass=True, why="the shop is down")
    owner = {"path": "shop/helpers.py", "owners": ["alice"], "state": "awaited"}
    return [
        proposed("read", 0),
        decided("read", "pending", 0, reasons=[reason("approval.missing", "a hand")]),
        decided("read", "admitted", 30, reviews=[review("bob")]),
        ChangeMerged(change="read", content_key="read", commit="c" * 40, at=at(40)),
        proposed("waits", 60),
        decided(
            "waits", "escalated", 60, reasons=[reason("owner.required", "shop/helpers.py", owners=["alice"])],
            reviews=[review("claude-two", same=("model", "family"))], owners=[owner], findings=[finding()],
            escalation={"asks": ["alice"], "asked": []}, stamps=["undeclared"],
        ),
        asked("waits", 62, "alice"),
        asked("waits", 77, "alice", "oncall", level=1),
        heard("waits", 80, "alice"),
        proposed("waived", 100),
        waiver,
        decided("waived", "admitted", 130, reviews=[waiver_row], findings=[finding()], stamps=["waived"]),
        proposed("glass", 190),
        glass,
        decided("glass", "admitted", 200, reviews=[glass_row], stamps=["waived"]),
        asked("glass", 201, "alice", "bob"),
        proposed("hasty", 300),
        decided("hasty", "pending", 300, reasons=[reason("approval.hasty", "bob")]),
        proposed("gone", 310),
        ChangeWithdrawn(change="gone", by="carol", at=at(320)),
    ]  # fmt: skip
