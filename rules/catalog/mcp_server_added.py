"""An agent gets a new tool server."""

from collections.abc import Iterator
from typing import ClassVar

from rules import agent_settings, gate_paths
from rules.agent_settings import Setting
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule, visible

_SERVERS = ("mcpservers", "mcp_servers", "servers", "mcp", "context_servers", "extensions")


class McpServerAdded(Rule):
    """An agent gets a new tool server, or an old one runs something else.

    ## What it does
    Compares the tool servers (MCP) that a project's files give to agents: a new server, another command, other arguments, another address,
    a new variable of its environment. Taking one away is nothing.

    ## Why it matters
    The command runs on the machine of everybody who opens the project, and what the server answers is read by an agent as truth.

    ## Example
    `.mcp.json` gains a server with `"command": "sh"`.

    ## What to do instead
    Add servers in a change of their own, pinned to a version, and let an owner of the gate answer for it.
    """

    id, slug, tier, since = "TH522", "mcp-server-added", Tier.HOLD, "0.1"
    triggers: ClassVar = (rb"(?i)mcp|servers|command|\burl\b|args|\benv\b|[\"']-",)

    HOLDS: ClassVar = (
        Diff(".mcp.json", '{"mcpServers": {}}\n', '{"mcpServers": {"x": {"command": "sh"}}}\n'),
        Diff(
            ".cursor/mcp.json",
            '{"mcpServers": {"x": {"command": "npx", "args": ["a@1"]}}}\n',
            '{"mcpServers": {"x": {"command": "npx", "args": ["b@1"]}}}\n',
        ),
        Diff(".codex/config.toml", "", '[mcp_servers.x]\ncommand = "npx"\n'),
        Diff(
            ".mcp.json",
            '{"mcpServers": {"x": {"env": {}}}}\n',
            '{"mcpServers": {"x": {"env": {"TOKEN": "${TOKEN}"}}}}\n',
        ),
    )
    PASSES: ClassVar = (
        Diff(".mcp.json", '{"mcpServers": {"x": {"command": "sh"}}}\n', '{"mcpServers": {}}\n'),
        Diff(
            ".mcp.json", '{"mcpServers": {"x": {"command": "sh"}}}\n', '{\n "mcpServers": {"x": {"command": "sh"}}\n}\n'
        ),
        Diff("src/servers.json", "{}\n", '{"servers": {"x": {"command": "sh"}}}\n'),
    )

    def reads(self, edit: Edit) -> bool:
        return gate_paths.is_agent_setting(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New values below a table of servers, one finding a server."""
        new = agent_settings.read(edit.new, edit.path) or ()
        before = frozenset(agent_settings.read(edit.old, edit.path) or ())
        known, seen = {_server(setting) for setting in before}, set()
        for setting in new:
            server = _server(setting)
            if not server or setting in before or server in seen or not _says_what_runs(setting):
                continue
            seen.add(server)
            did = "runs something else now" if server in known else "is given to everybody's agent"
            line = agent_settings.line_of(edit.new, setting)
            yield self.came(edit, line, f"the tool server `{visible(server.encode())}` {did}: `{_shown(setting)}`")


def _shown(setting: Setting) -> str:
    """A value; of the environment the name alone, for the value may be secret."""
    value = "" if "env" in setting.keys or "headers" in setting.keys else f" = {setting.value}"
    return visible(f"{setting.keys[-1]}{value}".encode())[:100]


def _server(setting: Setting) -> str:
    keys = [key.lower() for key in setting.keys]
    at = next((at for at, key in enumerate(keys) if key in _SERVERS), len(keys))
    return setting.keys[at + 1] if at + 2 < len(keys) else ""


def _says_what_runs(setting: Setting) -> bool:
    told = {
        "command",
        "args",
        "url",
        "serverurl",
        "httpurl",
        "env",
        "headers",
        "type",
        "cwd",
        "cmd",
        "uri",
        "environment",
        "envs",
    }
    return not told.isdisjoint(key.lower() for key in setting.keys)
