"""A decision as SARIF 2.1.0, for code scanning: findings as results, the decision itself as one more when not admitted.

Limits that GitHub sets (docs: code-security/reference/code-scanning/sarif-support): 25,000 results in a run, of which the
5,000 heaviest are kept; every result needs a place, and a region must exist in the new file.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from inspect import cleandoc
from typing import Any
from urllib.parse import quote

from rules.catalogue import all_rules
from rules.paths import unquote
from rules.rule import Rule
from streams.cli import VERSION
from streams.sinks.render import words
from streams.sinks.render.safe import shown

Row = Mapping[str, Any]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RULE = "twohand/decision"
LEVELS = {"block": "error", "hold": "warning", "note": "note"}
OUTCOMES = {"blocked": "error", "escalated": "warning", "pending": "note"}
SEVERITY = {"block": "9.0", "hold": "7.0", "note": "2.0"}  # GitHub: over 8.9 critical, over 6.9 high, over 0 low
MOST = 5000  # results
LONGEST = 1000  # characters of a message


def render(decision: Row) -> dict[str, Any]:
    """The log with its one run, as plain data."""
    rules = [*map(_rule, all_rules()), _decision_rule()]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(decision, rules)]}


def _run(decision: Row, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    results = sorted(_results(decision, index), key=lambda row: ("error", "warning", "note").index(row["level"]))
    change = decision["change"]
    return {
        "tool": {"driver": {"name": "twohand", "version": VERSION, "semanticVersion": VERSION, "rules": list(rules)}},
        "automationDetails": {"id": f"twohand/{change['target'].removeprefix('refs/heads/')}/"},
        "versionControlProvenance": [_provenance(change)],
        "columnKind": "utf16CodeUnits",
        "results": results[:MOST],
        "properties": {**_properties(decision), "resultsDropped": max(len(results) - MOST, 0)},
    }


def _provenance(change: Row) -> dict[str, Any]:
    known = {"repositoryUri": _repository(change["repository"]), "revisionId": change["head"]}
    return known | ({"branch": change["branch"]} if change["branch"] else {})


def _repository(name: str) -> str:
    """`repositoryUri` must be an absolute URI; a name that is none becomes a URN."""
    return name if "://" in name else f"urn:twohand:repository:{quote(name, safe='')}"


def _properties(decision: Row) -> dict[str, Any]:
    kept = ("schema", "outcome", "reasons", "requirements", "stamps", "read_from", "policy", "decided_at")
    judges = [{"reviewer": row["reviewer"], **_judge(row)} for row in decision["reviews"] if row["kind"] == "model"]
    more = {"twohand/change": decision["change"], **({"twohand/judges": judges} if judges else {})}
    return {f"twohand/{name}": decision[name] for name in kept} | more


def _judge(row: Row) -> Row:
    """Who a model reviewer was, and what became of its review."""
    return {"status": row["status"], "why": shown(row["why"], LONGEST), **row["judged"]}


# -- rules --------------------------------------------------------------------------------------------------------


def _rule(rule: Rule) -> dict[str, Any]:
    title, _, body = cleandoc(rule.__doc__ or rule.slug).partition("\n")
    return {
        "id": rule.slug,
        "name": rule.slug,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": body.strip() or title, "markdown": body.strip() or title},
        "defaultConfiguration": {"level": LEVELS[rule.tier]},
        "properties": {"tags": ["security", "review"], "security-severity": SEVERITY[rule.tier], "code": rule.id},
    }


def _decision_rule() -> dict[str, Any]:
    title = "A change lands only when an independent hand has approved it."
    return {
        "id": RULE, "name": "decision", "shortDescription": {"text": title}, "fullDescription": {"text": title},
        "help": {"text": "`twohand explain latest` tells why, and what to do next."},
        "defaultConfiguration": {"level": "warning"}, "properties": {"tags": ["review"]},
    }  # fmt: skip


# -- results ------------------------------------------------------------------------------------------------------


def _results(decision: Row, index: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for finding in decision["findings"]:
        yield _finding(finding, index, seen)
    if decision["outcome"] in OUTCOMES:
        yield _decision(decision, index)


def _finding(finding: Row, index: Mapping[str, int], seen: dict[str, int]) -> dict[str, Any]:
    row = {
        "ruleId": finding["rule"],
        "level": LEVELS[finding["tier"]],
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(finding, seen)},
        "properties": {
            "side": finding["side"],
            "tier": finding["tier"],
            "line": finding["line"],
            "quote": finding["quote"],
        },
    }
    return row | ({"ruleIndex": index[finding["rule"]]} if finding["rule"] in index else {})


def _message(finding: Row) -> str:
    where = f" (line {finding['line']} before the change)" if finding["side"] == "old" and finding["line"] else ""
    return f"{shown(finding['message'], LONGEST)}{where}"


def _location(finding: Row) -> dict[str, Any]:
    """A line of the old side is none of the new file, so it is told in words; GitHub wants a region all the same."""
    here = finding["side"] == "new" and finding["line"] > 0
    place = {"artifactLocation": _artifact(finding["path"]), "region": {"startLine": finding["line"] if here else 1}}
    return {"physicalLocation": place}


def _artifact(path: str) -> dict[str, Any]:
    """An empty path speaks of the whole change: code scanning shows it at the policy."""
    return {"uri": quote(unquote(path) or b"twohand.toml", safe="/-._~"), "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Row, seen: dict[str, int]) -> str:
    """The same for the same words in the same file, wherever they move to; numbered where they repeat."""
    parts = (finding["rule"], finding["path"], finding["side"], finding["quote"] or finding["message"])
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{digest}:{seen[digest]}"


def _decision(decision: Row, index: Mapping[str, int]) -> dict[str, Any]:
    told = "; ".join(
        dict.fromkeys(f"{shown(reason['code'], 60)}: {words.line(reason)}" for reason in decision["reasons"])
    )
    key = decision["change"]["content_key"]
    return {
        "ruleId": RULE,
        "ruleIndex": index[RULE],
        "level": OUTCOMES[decision["outcome"]],
        "message": {"text": shown(f"{decision['outcome']}: {told}", 4 * LONGEST)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(""), "region": {"startLine": 1}}}],
        "partialFingerprints": {"primaryLocationLineHash": f"{key[:32]}:1"},
    }
