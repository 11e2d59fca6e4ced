"""A decision as a GitLab Code Quality report: one issue for each finding and each reason, at its line.

Format: docs.gitlab.com, "Code Quality", custom tools: description, check_name, fingerprint, severity, location.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from rules.paths import unquote
from streams.sinks.render import words
from streams.sinks.render.safe import shown

Row = Mapping[str, Any]
SEVERITY = {"block": "blocker", "hold": "major", "note": "info"}
OUTCOMES = {"blocked": "blocker", "escalated": "major", "pending": "minor"}
POLICY = "twohand.toml"  # where issues of the whole change stand
LONGEST = 1000  # characters of a description


def render(decision: Row) -> list[dict[str, Any]]:
    """The report as plain data; empty where a change without findings is admitted."""
    seen: dict[str, int] = {}
    return [*(_finding(row, seen) for row in decision["findings"]), *_reasons(decision, seen)]


def _finding(finding: Row, seen: dict[str, int]) -> dict[str, Any]:
    here = finding["side"] == "new" and finding["line"] > 0
    before = f" (line {finding['line']} before the change)" if finding["line"] and not here else ""
    parts = (finding["rule"], finding["path"], finding["side"], finding["quote"] or finding["message"])
    return {
        "description": f"{shown(finding['message'], LONGEST)}{before}",
        "check_name": shown(finding["rule"]),
        "fingerprint": _fingerprint(parts, seen),
        "severity": SEVERITY[finding["tier"]],
        "location": _location(finding["path"], finding["line"] if here else 1),
    }


def _reasons(decision: Row, seen: dict[str, int]) -> Iterator[dict[str, Any]]:
    """What keeps the change out, besides its findings."""
    for reason in decision["reasons"]:
        if not reason["code"].startswith("finding."):
            parts = (reason["code"], reason["requirement"], reason["subject"])
            yield {
                "description": f"{shown(reason['code'], 60)}: {words.line(reason)}",
                "check_name": shown(reason["code"], 60),
                "fingerprint": _fingerprint(parts, seen),
                "severity": OUTCOMES.get(decision["outcome"], "info"),
                "location": _location("", 1),
            }


def _location(path: str, line: int) -> dict[str, Any]:
    name = unquote(path).decode("utf-8", "backslashreplace")
    return {"path": (name if name.isprintable() else path) or POLICY, "lines": {"begin": line}}


def _fingerprint(parts: tuple[str, ...], seen: dict[str, int]) -> str:
    """The same for the same words, wherever they move to; repeats are told apart by their number."""
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    seen[digest] = seen.get(digest, 0) + 1
    return sha256(f"{digest}:{seen[digest]}".encode()).hexdigest()[:40]
