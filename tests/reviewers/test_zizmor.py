"""zizmor beside the rules: what it finds is new or not said, its failure is said, its silence is nothing."""

import stat

import pytest

from reviewers import zizmor
from rules.findings import Tier
from rules.rule import Diff

WORKFLOW = ".github/workflows/a.yml"
JOB = "jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n"
CHANGE = Diff(WORKFLOW, "on: push\n", "on: issues\n" + JOB).blobs()


def _program(tmp_path, body):
    """A program that answers like this."""
    program = tmp_path / "zizmor"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.parametrize("body", ["exit 3", "echo no json", "echo '{}'", "echo '[{}]'", "echo '[{\"locations\": []}]'"])
def test_its_failure_is_a_finding(tmp_path, body):
    """Law 40: an error is said, and it is no approval."""
    (found,) = zizmor.findings([CHANGE], program=_program(tmp_path, body))
    assert (found.rule, found.tier, found.line) == ("zizmor", Tier.NOTE, 0)
    assert "no evidence" in found.message


def test_a_program_that_hangs_is_left(tmp_path, monkeypatch):
    """The deadline ends it."""
    monkeypatch.setattr(zizmor, "SECONDS", 0.2)
    (found,) = zizmor.findings([CHANGE], program=_program(tmp_path, "exec sleep 5"))
    assert "TimeoutExpired" in found.message


def test_it_is_not_asked_where_no_workflow_changed(tmp_path):
    """A program that would fail does not run."""
    assert not list(zizmor.findings([Diff("a.py", "", "x = 1\n").blobs()], program=_program(tmp_path, "exit 3")))


def test_too_many_files_are_said(tmp_path):
    """No silent cap."""
    rows = [Diff(f".github/workflows/a{n}.yml", None, "on: push\n").blobs() for n in range(zizmor.MOST + 1)]
    (found,) = zizmor.findings(rows, program=_program(tmp_path, "exit 3"))
    assert str(zizmor.MOST + 1) in found.message


def test_it_sees_neither_credentials_nor_the_caller_s_settings(tmp_path, monkeypatch):
    """Its environment is ours."""
    monkeypatch.setenv("GH_TOKEN", "secret")
    seen = tmp_path / "seen"
    list(zizmor.findings([CHANGE], program=_program(tmp_path, f"env > {seen}; echo '[]'")))
    assert "GH_TOKEN" not in seen.read_text()


@pytest.mark.skipif(zizmor.installed() is None, reason="needs zizmor: make dev")
def test_what_stood_there_before_is_not_found_again():
    """And a comment of the change does not silence it."""
    hushed = JOB.replace(" }}\n", " }} # zizmor: ignore[template-injection]\n")
    new = list(zizmor.findings([Diff(WORKFLOW, "on: push\n", "on: issues\n" + hushed).blobs()]))
    assert Tier.HOLD in {finding.tier for finding in new}
    old = list(
        zizmor.findings([Diff(WORKFLOW, "on: issues\n" + JOB, "on: issues\n" + JOB + "      - run: ls\n").blobs()])
    )
    assert not [finding for finding in old if "template-injection" in finding.message]
