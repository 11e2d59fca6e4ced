"""The paths by which a change could edit its own gate (law 29). Matched on bytes, without regard to case."""

import tomllib
from itertools import pairwise
from typing import Any

from rules import toml_lines

POLICY = b"twohand.toml"

_PIPELINES = frozenset({
    b".gitlab-ci.yml", b".gitlab-ci.yaml", b".travis.yml", b"jenkinsfile", b"azure-pipelines.yml", b"azure-pipelines.yaml",
    b"bitbucket-pipelines.yml", b".drone.yml", b".drone.yaml", b".woodpecker.yml", b".woodpecker.yaml", b"appveyor.yml",
    b".appveyor.yml", b"cloudbuild.yaml", b"cloudbuild.yml", b".cirrus.yml", b".build.yml", b"codefresh.yml", b"wercker.yml",
    b"buildspec.yml", b"buildspec.yaml", b".prow.yaml",
})  # fmt: skip
_RUNNERS = frozenset({
    b".circleci", b".woodpecker", b".buildkite", b".semaphore", b".teamcity", b".tekton", b".builds", b".sourcehut",
})  # fmt: skip
_NAMES = _PIPELINES | frozenset({
    POLICY, b"twohand.settings.toml", b"codeowners", b"owners", b"owners_aliases", b"allowed_signers",
    b".pre-commit-config.yaml", b".pre-commit-config.yml", b".pre-commit-hooks.yaml", b"lefthook.yml", b"lefthook.yaml",
    b"lefthook.toml", b".lefthook.yml", b".lefthook.yaml", b".huskyrc", b".huskyrc.json", b".huskyrc.js", b".overcommit.yml",
    b"agents.md", b"agents.override.md", b"agent.md", b"claude.md", b"claude.local.md", b"gemini.md", b"copilot-instructions.md",
    b".mcp.json", b"mcp.json", b".cursorrules", b".cursorignore", b".windsurfrules", b".clinerules", b".roorules", b".rules",
    b".goosehints", b".aider.conf.yml", b"crush.md", b"qwen.md", b"opencode.json",
    b"crush.json", b".crush.json", b".aiignore", b".coderabbit.yaml", b".coderabbit.yml",
})  # fmt: skip
_DIRECTORIES = _RUNNERS | frozenset({
    b".twohand", b".githooks", b".git-hooks", b"githooks", b"git-hooks", b".husky", b".lefthook", b".cursor", b".claude",
    b".codex", b".gemini", b".windsurf", b".continue", b".clinerules", b".roo", b".kiro", b".junie", b".amazonq", b".aider",
    b".agents", b".agent", b".opencode", b".crush", b".qwen", b".goose",
})  # fmt: skip
_FORGES = frozenset({b".github", b".gitea", b".forgejo", b".gitlab"})
_FORGE_PARTS = frozenset({
    b"workflows", b"actions", b"ci", b"instructions", b"prompts", b"chatmodes", b"agents", b"skills", b"hooks",
    b"dependabot.yml", b"dependabot.yaml", b"settings.yml", b"settings.yaml",
})  # fmt: skip
_FORGE_RUNS = frozenset({b"workflows", b"actions", b"ci"})
_FORGE_UPDATES = frozenset({b"dependabot.yml", b"dependabot.yaml"})
_PROSE = frozenset({b".cursorrules", b".windsurfrules", b".clinerules", b".roorules", b".rules", b".goosehints"})
_HOOKS = frozenset({b".githooks", b".git-hooks", b"githooks", b"git-hooks", b".husky", b".lefthook", b".twohand"})
_AGENT_FILES = frozenset(
    {b".mcp.json", b"mcp.json", b"opencode.json", b"opencode.jsonc", b"crush.json", b".crush.json"}
)
_AGENT_SETTINGS = frozenset({
    b"settings.json", b"settings.local.json", b"config.toml", b"config.json", b"mcp.json", b"mcp_settings.json",
    b"cline_mcp_settings.json", b"permissions.json", b"cli.json", b"hooks.json",
})  # fmt: skip
_AGENT_ROOMS = frozenset({
    b".claude", b".codex", b".gemini", b".cursor", b".windsurf", b".continue", b".roo", b".kiro", b".junie", b".amazonq",
    b".opencode", b".crush", b".qwen", b".goose", b".vscode", b"settings",
})  # fmt: skip
_UNSEEN = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)  # HFS+ skips them
_EDITOR = frozenset({b"mcp.json", b"settings.json", b"tasks.json"})


def is_gate_path(path: bytes) -> bool:
    """Whether editing this path edits what decides about the edit. pyproject.toml is judged by `policy_table_changed`."""
    *directories, name = path.lower().split(b"/")
    if any(map(_is_git_directory, (*directories, name))):
        return True
    if name in _NAMES or not _DIRECTORIES.isdisjoint((*directories, name)):
        return True
    if name.endswith((b".instructions.md", b".prompt.md", b".chatmode.md", b".agent.md", b".gitlab-ci.yml")):
        return True
    return _in_forge([*directories, name]) or (directories[-1:] == [b".vscode"] and name in _EDITOR)


def _is_git_directory(part: bytes) -> bool:
    """A name that some disk takes for `.git`: with blanks or dots behind, a stream, short, or with letters nobody sees."""
    plain = part.decode("utf-8", "ignore").translate(_UNSEEN).partition(":")[0].rstrip(". ")
    return plain in (".git", "git~1")


def is_own_rule(path: bytes, directory: str) -> bool:
    """Whether the path is the policy's directory of own rules, lies in it, or stands where one above it would."""
    if not directory:
        return False
    here, there = path.lower() + b"/", directory.lower().encode("utf-8", "surrogateescape") + b"/"
    return here.startswith(there) or there.startswith(here)


def _in_forge(parts: list[bytes]) -> bool:
    return any(forge in _FORGES and part in _FORGE_PARTS for forge, part in pairwise(parts))


def is_pipeline(path: bytes) -> bool:
    """Whether the file says what runs on a forge: a workflow, an action, a pipeline."""
    *directories, name = path.lower().split(b"/")
    runs = any(forge in _FORGES and part in _FORGE_RUNS for forge, part in pairwise(directories))
    runs = runs or (name in _FORGE_UPDATES and directories[-1:] == [b".github"])
    return runs or name in _PIPELINES or name.endswith(b".gitlab-ci.yml") or not _RUNNERS.isdisjoint(directories)


def is_instruction(path: bytes) -> bool:
    """Whether the file tells an agent in prose what to do."""
    if not is_gate_path(path):
        return False
    *directories, name = path.lower().split(b"/")
    prose = name.endswith((b".md", b".mdc", b".txt", b".mdx")) or name in _PROSE
    return prose and name not in (b"codeowners", b"owners") and not _HOOKS & {*directories}


def is_agent_setting(path: bytes) -> bool:
    """Whether the file says in JSON or TOML what an agent may do, and with which tools."""
    *directories, name = path.lower().split(b"/")
    if not name.endswith((b".json", b".jsonc", b".toml")):
        return False
    return name in _AGENT_FILES or (name in _AGENT_SETTINGS and not _AGENT_ROOMS.isdisjoint(directories[-1:]))


def is_pyproject(path: bytes) -> bool:
    """Whether the file may hold the policy as `[tool.twohand]`: at the root only."""
    return path.lower() == b"pyproject.toml"


def policy_table_changed(old: bytes | None, new: bytes | None) -> bool:
    """Whether the parsed value of `[tool.twohand]` differs (law 36). What cannot be parsed counts as changed."""
    before, after = _table(old), _table(new)
    return before is _UNREADABLE or after is _UNREADABLE or before != after


_UNREADABLE = object()


def _table(data: bytes | None) -> Any:
    if data is None:
        return None
    if toml_lines.is_bomb(data):
        return _UNREADABLE if _may_hold_policy(data) else None
    try:
        tool = tomllib.loads(data.decode("utf-8")).get("tool", {})
    except (ValueError, RecursionError):
        return _UNREADABLE if _may_hold_policy(data) else None
    return tool.get("twohand") if isinstance(tool, dict) else None


def _may_hold_policy(data: bytes) -> bool:
    """A broken file that nowhere names us holds no policy of ours; an escape could spell the name."""
    return b"twohand" in data or b"\\" in data
