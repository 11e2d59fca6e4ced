"""`twohand explain`: recorded changes then and now, rules and reason codes."""

import json

import pytest

from rules.catalogue import all_rules
from rules.events import DeadlinePassed
from rules.reasons import CODES
from rules.rule import Rule
from streams.commands.app import run
from streams.engines.journal import Journal
from tests.streams.gate import Gate


def test_every_decision_is_told_with_what_changed_since(gate: Gate) -> None:
    """First why, then what differs from the decision before, then now."""
    gate.say("propose", "alice", "--tool", "none")
    assert gate.run("review").code == 4
    gate.say("approve", "carol")
    assert gate.run("review").code == 0
    told = gate.run("explain", "latest")
    assert told.code == 0
    then, now = told.out.split("\nnow\n")
    assert "2 decisions recorded" in then
    assert "owner.required" in then
    assert "outcome: escalated -> admitted" in then
    assert "new: approve of carol: counts" in then
    assert "as in the last decision" in now
    assert "\nadmitted  feature" in now


@pytest.mark.parametrize("name", ["latest", "feature", "refs/heads/feature", "HEAD"])
def test_a_change_is_found_by_what_people_call_it(gate: Gate, name: str) -> None:
    """The newest, a branch or a revision."""
    made = json.loads(gate.run("review", "--format", "json").out)
    told = json.loads(gate.run("explain", name, "--format", "json").out)
    assert told["schema"] == "twohand.explanation/v1"
    assert told["change"] == made["change"]["id"]
    assert told["then"] == [made]


def test_a_change_is_found_by_the_beginning_of_its_id_content_or_head(gate: Gate) -> None:
    """Also a number of the forge, with and without #."""
    gate.say("propose", "alice", "--tool", "none", "--change", "12")
    made = json.loads(gate.run("review", "--change", "12", "--format", "json").out)["change"]
    assert made["id"] != made["content_key"]
    for name in (made["id"][:8], made["content_key"][:8], made["head"][:8], "12", "#12"):
        assert json.loads(gate.run("explain", name, "--format", "json").out)["change"] == made["id"]


def test_the_stored_decision_stays_what_it_was_when_the_law_decides_otherwise_now(gate: Gate) -> None:
    """Law 39: a deadline passes, what was pending is escalated, and the difference is named."""
    gate.repo.branch("docs", "main")
    gate.repo.write("README.md", "hello\n")
    gate.repo.commit("Readme")
    made = json.loads(gate.run("review", "--format", "json").out)
    assert made["outcome"] == "pending"
    names = {"change": made["change"]["id"], "content_key": made["change"]["content_key"]}
    with Journal(gate.repo.path / ".git/twohand/journal.db") as journal:
        journal.append([DeadlinePassed(**names, due="2026-01-01T00:00:00Z", at="2026-01-02T00:00:00Z")])
    told = json.loads(gate.run("explain", "docs", "--format", "json").out)
    assert told["then"] == [made]
    assert told["now"]["outcome"] == "escalated"
    assert {"what": "outcome", "then": "pending", "now": "escalated"} in told["differences"]
    assert "outcome: pending -> escalated" in gate.run("explain", "docs").out.split("\nnow\n")[1]


def test_explain_records_nothing(gate: Gate) -> None:
    """Looking is no event; without a journal none is made."""
    assert gate.run("explain", "latest").code == 2
    assert not (gate.repo.path / ".git/twohand/journal.db").exists()
    gate.run("review")
    before = gate.run("journal", "export").out
    gate.run("explain", "latest")
    assert gate.run("journal", "export").out == before


def test_what_is_not_recorded_says_how_to_record_it(gate: Gate) -> None:
    """Law 41: the next step."""
    said = gate.run("explain", "feature")
    assert said.code == 2
    assert "Nothing is recorded" in said.err
    assert "`twohand review --head feature`" in said.err


@pytest.mark.parametrize(
    ("name", "near"), [("owner.requird", "owner.required"), ("auth-check-remove", "auth-check-removed")]
)
def test_a_name_that_is_none_gives_close_ones(gate: Gate, name: str, near: str) -> None:
    """A typing mistake is answered with what was meant."""
    gate.run("review")
    said = gate.run("explain", name)
    assert said.code == 2
    assert f"Did you mean {near}" in said.err


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.slug)
def test_every_rule_is_explained_by_slug_id_and_reason(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, why, an example, and what to do instead."""
    pages = set()
    for name in (rule.slug, rule.id.lower(), f"finding.{rule.slug}"):
        assert run(["explain", name]) == 0
        pages.add(capsys.readouterr().out)
    (page,) = pages
    for title in ("What it does", "Why it matters", "What to do instead"):
        assert f"\n{title}\n  " in page


@pytest.mark.parametrize("code", CODES)
def test_every_reason_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it means and what to do."""
    assert run(["explain", code, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == code
    assert told["title"]
    assert told["sections"]["What to do"]


@pytest.mark.parametrize("name", ["presence", "undeclared", "not independent", "waived", "simulated"])
def test_every_stamp_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it means and what to do."""
    assert run(["explain", name]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"stamp: {name}")
    assert "\nWhat to do\n" in page


@pytest.mark.parametrize(("command", "formats"), [("explain", "[text|json]"), ("rules list", "[text|json|jsonl]")])
def test_only_the_formats_that_are_taken_are_offered(
    command: str, formats: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help page names them, and another one is a usage error."""
    assert run([*command.split(), "--help"]) == 0
    assert f"--format {formats}" in capsys.readouterr().out
    assert run([*command.split(), "--format", "sarif"]) == 2


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with id, tier, languages and a line, as text and as data."""
    assert run(["rules", "list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == sorted(rule.id for rule in all_rules())
    assert run(["rules", "list"]) == 0
    text = capsys.readouterr().out
    assert all(row["rule"] in text and row["title"] in text for row in rows)
