"""Decisions as the renderers get them, small and complete."""

from typing import Any

HEAD = "6176ada83605b3bca485445f14d03eb42fc5e000"
KEY = "e0d94c571fe51300fda14dd94b17eb60bfb20733e20c80daf5758e1da7b60acc"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eevil\u200b\n::error::x\r%0A\x9b1m"


def decision(**parts: Any) -> dict[str, Any]:
    """An escalated decision about one file; `parts` replace whole parts of it."""
    whole = {
        "schema": "twohand.decision/v1",
        "change": {
            "id": KEY, "number": None, "repository": "example/shop", "target": "refs/heads/main",
            "branch": "refs/heads/feature", "base": "d" * 40, "head": HEAD, "content_key": KEY,
            "commits": 1, "files": 1, "added": 0, "removed": 2,
        },
        "outcome": "escalated",
        "reasons": [reason("owner.required", "src/a.py", "owners", paths=["src/a.py"], count=1, owners=["alice"])],
        "requirements": [requirement("owners"), requirement("a hand", state="met", counted=1)],
        "authors": [author("claude")],
        "reviews": [review("bob"), review("claude-two", same=("model", "family"))],
        "findings": [finding()],
        "owners": [{"path": "src/a.py", "owners": ["alice"], "state": "awaited"}],
        "escalation": {"asks": ["alice"], "asked": []},
        "stamps": ["presence: unproven"],
        "read_from": ["refs/twohand/reviews (2)"],
        "policy": [{"role": "default", "source": "main:twohand.toml", "digest": "c" * 64, "outcome": "escalated"}],
        "decided_at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    return whole | parts


def admitted() -> dict[str, Any]:
    return decision(outcome="admitted", reasons=[], requirements=[requirement("a hand", state="met", counted=1)])


def reason(code: str, subject: str, requirement: str = "", remedy: str = "", **values: Any) -> dict[str, Any]:
    command = remedy or f"twohand approve {HEAD[:12]} --target main --as alice"
    return {"code": code, "subject": subject, "requirement": requirement, "values": values, "remedy": command}


def requirement(name: str, state: str = "unmet", counted: int = 0) -> dict[str, Any]:
    rest = {"needed": 1, "counted": counted, "waiting_for": [], "policy": "main:twohand.toml"}
    return {"name": name, "state": state, **rest}


def author(name: str) -> dict[str, Any]:
    claims = [("proposal", "A", "alice proposed it"), ("mark", "C", "Claude-Session"), ("author", "D", "Claude <x@y>")]
    return {
        "kind": "agent", "name": name, "principal": None, "operator": "alice", "session": "claude-web:1",
        "tool": "claude", "model": "claude-opus-5", "maker": "anthropic", "family": "claude", "accountable": False,
        "evidence": [{"channel": channel, "grade": grade, "claim": claim} for channel, grade, claim in claims],
    }  # fmt: skip


def review(name: str, same: tuple[str, ...] = ()) -> dict[str, Any]:
    """An approval; it counts where no axis is the same."""
    axes = [
        {
            "axis": axis, "result": "same" if axis in same else "distinct", "with": "claude",
            "evidence": "claude-opus-5 on both sides" if axis in same else None, "grade": None if axis in same else "A",
        }
        for axis in ("identity", "operator", "session", "model", "family")
    ]  # fmt: skip
    return {
        "reviewer": name, "kind": "agent" if same else "human", "verdict": "approve", "status": "completed",
        "counts": not same, "why": "recused" if same else None, "presence": "unproven", "statement": "a" * 64,
        "time": "2026-03-01T11:00:00Z", "reason": None, "axes": axes,
        "recusals": [axis for axis in axes if axis["result"] != "distinct"],
        "coverage": {"complete": True, "uncovered": []}, "findings": 0,
    }  # fmt: skip


def finding(rule: str = "auth-check-removed", tier: str = "hold", **parts: Any) -> dict[str, Any]:
    row = {
        "rule": rule, "tier": tier, "path": "src/a.py", "side": "old", "line": 5,
        "message": "reset no longer asks `verified`", "quote": "if not verified:",
    }  # fmt: skip
    return row | parts


def hostile() -> dict[str, Any]:
    """Every text that comes out of a repository tries to take over the terminal."""
    named = author(HOSTILE) | {"session": HOSTILE, "operator": HOSTILE, "model": HOSTILE, "maker": HOSTILE}
    named["evidence"] = [{"channel": "mark", "grade": "C", "claim": HOSTILE}]
    spoken = review("x", same=("model",)) | {"reviewer": HOSTILE, "reason": HOSTILE, "why": HOSTILE}
    spoken["axes"] = [axis | {"with": HOSTILE, "evidence": HOSTILE} for axis in spoken["axes"]]
    place = finding(HOSTILE, path='"src/a\\n\\033b.py"', message=HOSTILE * 40, quote=HOSTILE)
    return decision(
        change=decision()["change"] | {"branch": HOSTILE, "target": HOSTILE, "number": HOSTILE, "repository": HOSTILE},
        reasons=[
            reason(code, HOSTILE, HOSTILE, "x $(y)\nz", evidence=HOSTILE, why=HOSTILE, owners=[HOSTILE], **{"with": HOSTILE})
            for code in ("self-review.model", "owner.required", "veto", "evidence.incomplete", f"finding.{HOSTILE}")
        ],
        requirements=[requirement(HOSTILE) | {"policy": HOSTILE}],
        authors=[named], reviews=[spoken], findings=[place],
        owners=[{"path": HOSTILE, "owners": [HOSTILE], "state": "awaited"}], stamps=[HOSTILE], read_from=[HOSTILE],
        policy=[{"role": "default", "source": HOSTILE, "digest": "c" * 64, "outcome": "escalated"}],
    )  # fmt: skip
