"""Rows of an audit as the engine yields them, small and complete."""

from collections.abc import Iterable
from typing import Any

from streams.audit.summary import Folding, Summary
from tests.decisions import HOSTILE

TODAY = "2026-06-15T00:00:00Z"
MARKUP = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&" + HOSTILE


def folded(rows: Iterable[dict[str, Any]], *, partial: bool = False, **parts: Any) -> Summary:
    folding = Folding(today=TODAY)
    for row in rows:
        folding.add(row)
    return folding.summary(partial=partial, **{"repository": "example/shop"} | parts)


def row(kind: str = "human", **parts: Any) -> dict[str, Any]:
    """A person's commit that nobody else read; `parts` replace whole parts of it."""
    number = parts.pop("number", 1)
    whole = {
        "commit": f"{number:040x}", "kind": kind, "authors": [author("human", "Ann")], "findings": [], "uncovered": [],
        "paths": ["src/app.py"], "paths_more": 0, "added": 3, "removed": 1, "incomplete": [], "review": "none",
        "review_evidence": [], "marks": [], "unmarked": False, "suspected": [], "time": "2026-03-01T12:00:00Z",
        "subject": "Say hello", "author": "Ann <ann@example.com>", "committer": "Ann <ann@example.com>", "parents": 1,
        "landed_by": None,
    }  # fmt: skip
    return whole | parts


def made(*agents: dict[str, Any], kind: str = "mixed", **parts: Any) -> dict[str, Any]:
    return row(kind, **{"authors": [author("human", "Ann"), *(agents or (agent(),))]} | parts)


def agent(
    tool: str | None = "claude", maker: str | None = "anthropic", family: str | None = "claude", **parts: Any
) -> dict[str, Any]:
    return author("agent", tool or "somebody") | {"tool": tool, "maker": maker, "family": family} | parts


def author(kind: str, name: str) -> dict[str, Any]:
    return {
        "kind": kind, "name": name, "principal": None, "operator": None, "session": None, "tool": None, "model": None,
        "maker": None, "family": None, "accountable": False,
        "evidence": [{"channel": "co-author", "grade": "D", "claim": name}],
    }  # fmt: skip


def finding(rule: str = "auth-check-removed", tier: str = "hold", **parts: Any) -> dict[str, Any]:
    message = "reset no longer asks `verified`"
    return {
        "rule": rule,
        "tier": tier,
        "path": "src/auth/reset.py",
        "side": "old",
        "line": 5,
        "message": message,
        "quote": "",
    } | parts


def reading(result: str = "independent", grade: str = "D") -> dict[str, Any]:
    return {"channel": "forge-merge", "grade": grade, "by": "Bob", "result": result, "claim": "Bob merged it"}


def landed(name: str) -> dict[str, Any]:
    return {"commit": "e" * 40, "author": f"{name} <x@example.com>", "committer": "GitHub <noreply@github.com>"}


def hostile() -> list[dict[str, Any]]:
    """Every text that comes out of a repository tries to take over the page or the terminal."""
    who = {"author": MARKUP, "committer": MARKUP, "subject": MARKUP}
    named = agent(MARKUP, MARKUP, MARKUP, session=MARKUP, name=MARKUP)
    named["evidence"] = [{"channel": MARKUP, "grade": MARKUP, "claim": MARKUP}]
    place = finding(MARKUP, "block", path=f"src/auth/{MARKUP}.py", message=MARKUP * 9)
    bad = made(
        named, **who, findings=[place] * 5, unmarked=True, paths=[f"src/auth/{MARKUP}.py"], review=MARKUP,
        landed_by={"author": MARKUP, "committer": MARKUP}, review_evidence=[reading(MARKUP, MARKUP)],
    )  # fmt: skip
    return [bad | {"commit": MARKUP}, bad | {"kind": MARKUP, "time": MARKUP}, bad | {"kind": "agent", "review": "none"}]
