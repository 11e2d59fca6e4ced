"""GitLab's Code Quality report: an array of issues, each with the five fields that GitLab reads."""

import json
from typing import Any

from streams.sinks.render import gitlab
from tests.decisions import admitted, decision, finding, hostile, reason

SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def issues(value: dict[str, Any]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(gitlab.render(value)))


def test_every_issue_has_what_gitlab_reads() -> None:
    """A description, a name, a fingerprint of its own, a known severity, a path and a line."""
    found = issues(decision(findings=[finding(), finding(), finding("n", "note", side="new")])) + issues(hostile())
    for issue in found:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in SEVERITIES
        assert issue["description"].isprintable()
        assert issue["location"]["path"].isprintable()
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in found}) == len(found)


def test_tiers_and_outcomes_have_their_severity() -> None:
    """Block is a blocker, hold major, note info; what keeps a change out has the weight of the outcome."""
    rows = [finding("n", "note"), finding("h", "hold"), finding("b", "block")]
    told = issues(decision(findings=rows, outcome="blocked", reasons=[reason("veto", "eve"), reason("finding.b", "x")]))
    assert [issue["severity"] for issue in told] == ["info", "major", "blocker", "blocker"]
    assert [issue["check_name"] for issue in told] == ["n", "h", "b", "veto"]


def test_a_line_of_the_old_side_is_told_in_words() -> None:
    """Only lines of the new file can be shown."""
    new, old = issues(decision(findings=[finding(side="new"), finding()], reasons=[]))
    assert new["location"] == {"path": "src/a.py", "lines": {"begin": 5}}
    assert old["location"]["lines"] == {"begin": 1}
    assert old["description"].endswith("(line 5 before the change)")


def test_silence_when_all_is_well() -> None:
    """An admitted change without findings reports nothing."""
    assert issues(admitted() | {"findings": []}) == []


def test_fingerprints_stay_when_lines_move() -> None:
    """GitLab compares reports by them."""
    (first,) = issues(decision(findings=[finding(line=5)], reasons=[]))
    (second,) = issues(decision(findings=[finding(line=50)], reasons=[]))
    assert first["fingerprint"] == second["fingerprint"]
