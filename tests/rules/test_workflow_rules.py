"""What workflow files let in, and how they are read."""

import pytest

from rules import workflows
from rules.findings import Tier
from rules.rule import Diff, Source
from rules.scan import scan

CI = ".github/workflows/ci.yml"
JOB = "jobs:\n  a:\n    runs-on: x\n    steps:\n"
HEAD = "      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n"


def _read(text):
    return workflows.read(Source(text.encode(), "", {}))


def _tiers(*files):
    return {finding.rule: finding.tier for finding in scan([file.blobs() for file in files]).findings}


def test_values_know_the_keys_above_them():
    """Lists as far left as their key, quotes, comments, flow values and block scalars."""
    entries = _read(
        "on: [push, 'issues'] # c\njobs:\n  \"a b\":\n    steps:\n    - name: x\n      run: |\n        echo a: b\n    - uses: c/d@v1\n"
    )
    assert workflows.triggers(entries) == {"push", "issues"}
    told = {(entry.key, entry.value, entry.job) for entry in entries}
    assert {("name", "x", "a b"), ("|", "echo a: b", "a b"), ("uses", "c/d@v1", "a b")} <= told


def test_what_cannot_be_followed_is_no_workflow_without_permissions():
    """Tabs and endless nesting give None, and the rule about permissions says so."""
    assert _read("on:\n\tpush\n") is None
    assert _read("".join(f"{'  ' * depth}k:\n" for depth in range(40))) is None
    held = _tiers(Diff(CI, "on: push\npermissions: {}\n", "on: push\npermissions:\n\tcontents: write\n"))
    assert held["workflow-permissions-widened"] is Tier.HOLD


def test_the_forge_s_most_dangerous_combination_is_blocked():
    """A token that may write, and strangers' code, in one change."""
    old = "on: pull_request\npermissions:\n  contents: read\n" + JOB
    new = "on: pull_request_target\npermissions:\n  contents: write\n" + JOB + HEAD
    tiers = _tiers(Diff(CI, old, new))
    assert tiers["workflow-runs-untrusted-code"] is Tier.BLOCK
    assert tiers["workflow-permissions-widened"] is Tier.HOLD


def test_the_same_with_a_token_that_only_reads_is_held():
    """Less can be lost, so an owner may say yes."""
    new = "on: pull_request_target\npermissions:\n  contents: read\n" + JOB + HEAD
    assert _tiers(Diff(CI, "on: push\n", new))["workflow-runs-untrusted-code"] is Tier.HOLD


@pytest.mark.parametrize(
    "old", ["      - run: make test\n", "      - run: go test ./...\n", "      - run: npm audit\n"]
)
def test_a_check_that_moves_to_another_pipeline_is_not_lost(old):
    """The whole change is looked at, not one file."""
    gone, here = Diff(CI, JOB + old, JOB), Diff(".github/workflows/other.yml", None, JOB + old)
    assert _tiers(gone)["pipeline-check-removed"] is Tier.HOLD
    assert "pipeline-check-removed" not in _tiers(gone, here)


def test_an_ordinary_update_of_actions_is_a_note():
    """What bots do every week needs the gate's owner, but no rule holds it."""
    old, new = (JOB + f"      - uses: actions/checkout@{version}\n" for version in ("v4", "v5"))
    assert set(_tiers(Diff(CI, old, new)).values()) == {Tier.NOTE}
