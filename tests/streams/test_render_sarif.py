"""SARIF 2.1.0 as code scanning reads it."""

import json
from typing import Any

import pytest

from rules.catalogue import all_rules
from streams.sinks.render import sarif
from tests.decisions import admitted, decision, finding, hostile

LEVELS = {"none", "note", "warning", "error"}


def run(value: dict) -> dict[str, Any]:
    log = sarif.render(value)
    check(log)
    return log["runs"][0]


def check(log: dict[str, Any]) -> None:
    """What the specification requires of the parts that we write (OASIS SARIF 2.1.0, 3.13-3.52) and GitHub of a result."""
    assert log["version"] == "2.1.0"
    assert log.keys() <= {"$schema", "version", "runs"}
    for one in log["runs"]:
        driver = one["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        assert all(
            rule["shortDescription"]["text"] and rule["defaultConfiguration"]["level"] in LEVELS
            for rule in driver["rules"]
        )
        assert all(
            "://" in row["repositoryUri"] or row["repositoryUri"].startswith("urn:")
            for row in one["versionControlProvenance"]
        )
        for result in one["results"]:
            check_result(result, ids)


def check_result(result: dict[str, Any], ids: list[str]) -> None:
    assert result["message"]["text"]
    assert result["level"] in LEVELS
    assert "ruleIndex" not in result or ids[result["ruleIndex"]] == result["ruleId"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uri"].isascii()
    assert not place["artifactLocation"]["uri"].startswith("/")
    assert place["region"]["startLine"] >= 1
    assert all(isinstance(value, str) for value in result["partialFingerprints"].values())


def test_findings_are_results_with_rules_of_the_catalogue() -> None:
    """Each rule is described, and each result names its own."""
    found = run(decision())
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == {
        "twohand/decision",
        *(r.slug for r in all_rules()),
    }
    assert [row["ruleId"] for row in found["results"]] == ["auth-check-removed", "twohand/decision"]


def test_a_finding_of_the_old_side_points_to_its_file_and_tells_the_line() -> None:
    """A line of the old file is none of the new one."""
    old, new = run(decision(findings=[finding(), finding(side="new", line=7)]))["results"][:2]
    assert old["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert old["properties"]["side"] == "old"
    assert old["message"]["text"].endswith("(line 5 before the change)")
    assert new["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}


@pytest.mark.parametrize(("outcome", "level"), [("blocked", "error"), ("escalated", "warning"), ("pending", "note")])
def test_a_change_that_is_not_admitted_is_one_result_more(outcome: str, level: str) -> None:
    """The decision itself is seen where only results are."""
    (result,) = (row for row in run(decision(outcome=outcome))["results"] if row["ruleId"] == "twohand/decision")
    assert result["level"] == level
    assert "owner.required: an owner must answer for src/a.py: alice" in result["message"]["text"]


def test_an_admitted_change_without_findings_has_no_results() -> None:
    """An empty run closes the alerts of the one before."""
    assert run(admitted() | {"findings": []})["results"] == []


def test_fingerprints_follow_the_words_and_differ_where_they_repeat() -> None:
    """Lines move; alerts should not be opened again for that."""
    first = run(decision(findings=[finding(line=5), finding(line=9)]))["results"]
    moved = run(decision(findings=[finding(line=6), finding(line=90)]))["results"]
    prints = [[row["partialFingerprints"]["primaryLocationLineHash"] for row in rows[:2]] for rows in (first, moved)]
    assert prints[0] == prints[1]
    assert prints[0][0] != prints[0][1]


@pytest.mark.parametrize(
    ("path", "uri"), [("a b.py", "a%20b.py"), ('"n\\nl.py"', "n%0Al.py"), ("ü.py", "%C3%BC.py"), ("", "twohand.toml")]
)
def test_paths_become_uris(path: str, uri: str) -> None:
    """Any path that git holds has one."""
    place = run(decision(findings=[finding(path=path)]))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_the_heaviest_results_stay_within_the_limit_and_the_rest_is_counted() -> None:
    """GitHub keeps 5,000 results of a run; nothing is dropped silently."""
    found = run(decision(findings=[*(finding("n", "note") for _ in range(6000)), finding("b", "block")]))
    assert len(found["results"]) == sarif.MOST
    assert found["results"][0]["ruleId"] == "b"
    assert found["properties"]["resultsDropped"] == 1002


def test_hostile_text_gives_valid_json_without_controls() -> None:
    """Messages are shown by viewers as they are."""
    found = run(hostile())
    assert json.loads(json.dumps(found))
    assert all(row["message"]["text"].isprintable() for row in found["results"])
