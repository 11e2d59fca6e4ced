"""Agents' settings, tools and instructions; what runs when a project is opened."""

import json

import pytest

from rules.agent_settings import MOST, read
from rules.findings import Tier
from rules.rule import Diff, Source
from rules.scan import scan

SETTINGS = ".claude/settings.json"


def _tiers(*files):
    return {finding.rule: finding.tier for finding in scan([file.blobs() for file in files]).findings}


def _values(text, path=b"a.json"):
    return read(Source(text.encode(), "", {}), path)


def test_json_with_comments_and_trailing_commas_is_read():
    """As editors read it; what looks like a comment inside a text is text."""
    (value,) = _values('\ufeff{ // c\n "a": [/* d */ "http://x//y", ],\n}')
    assert (value.keys, value.value) == (("a",), "http://x//y")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": ' * 9000, json.dumps(list(range(MOST + 1)))])
def test_what_cannot_be_read_is_none(text):
    """Broken, nested without end, or more than anybody writes."""
    assert _values(text) is None


def test_settings_that_cannot_be_read_are_held():
    """Unknown is no permission (law 40)."""
    assert _tiers(Diff(SETTINGS, "{}", "{broken"))["agent-permissions-widened"] is Tier.HOLD


@pytest.mark.parametrize(
    "value",
    [
        {"permissions": {"defaultMode": "bypassPermissions"}},
        {"permissions": {"allow": ["Bash(curl:*)"]}},
        {"permissions": {"allow": ["Bash"]}},
        {"enableAllProjectMcpServers": True},
        {"sandbox": {"enabled": False}},
        {"skipDangerousModePermissionPrompt": True},
    ],
)
def test_whatever_lets_an_agent_go_on_without_asking_is_held(value):
    """In any of the shapes that tools know."""
    assert _tiers(Diff(SETTINGS, "{}", json.dumps(value)))["agent-permissions-widened"] is Tier.HOLD


def test_narrower_permissions_pass():
    """Taking from an agent what it might do needs nobody's leave but the gate owner's."""
    old = {"permissions": {"allow": ["Bash(*)", "Write"], "deny": []}}
    new = {"permissions": {"allow": ["Bash(make test)"], "deny": ["Bash(rm *)"]}}
    assert Tier.HOLD not in _tiers(Diff(SETTINGS, json.dumps(old), json.dumps(new))).values()


def test_a_secret_of_a_tool_server_is_not_shown():
    """The name of the variable is enough."""
    new = {"mcpServers": {"x": {"env": {"TOKEN": "hunter2-hunter2"}}}}
    (found,) = [
        finding
        for finding in scan([Diff(".mcp.json", "{}", json.dumps(new)).blobs()]).findings
        if finding.rule == "mcp-server-added"
    ]
    assert "hunter2" not in found.message
    assert "TOKEN" in found.message


def test_many_lines_of_instructions_are_compared_in_linear_time():
    """A file made of demands alone is no way to stall the gate."""
    old = "".join(f"You must wait for review number {n} of module m{n}.\n" for n in range(5000))
    new = "".join(f"You must wait for approval {n} by owner o{n}.\n" for n in range(5000))
    assert _tiers(Diff("AGENTS.md", old, new))["gate-edited"] is Tier.NOTE
