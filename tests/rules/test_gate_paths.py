"""Law 29: which paths a change could edit its own gate by."""

import pytest

from rules.gate_paths import is_agent_setting, is_gate_path, is_instruction, is_pipeline, policy_table_changed


@pytest.mark.parametrize(
    "path",
    [
        "twohand.toml", "TwoHand.TOML", "CODEOWNERS", ".github/CODEOWNERS", "docs/codeowners", "pkg/OWNERS", "OWNERS_ALIASES",
        ".githooks/pre-push", ".husky/pre-commit", ".pre-commit-config.yaml", ".github/workflows/ci.yml", ".GitHub/Workflows/ci.yml",
        ".github/actions/x/action.yml", ".gitlab-ci.yml", ".gitlab/ci/x.yml", ".gitea/workflows/a.yaml", ".forgejo/workflows/a.yaml",
        ".circleci/config.yml", "Jenkinsfile", "azure-pipelines.yml", ".woodpecker.yml", ".buildkite/pipeline.yml",
        "AGENTS.md", "sub/dir/AGENTS.md", "CLAUDE.md", "GEMINI.md", ".cursor/rules/a.mdc", ".cursorrules", ".claude/settings.json",
        ".mcp.json", ".vscode/mcp.json", ".github/copilot-instructions.md", ".github/instructions/a.instructions.md",
        ".twohand/rules.toml", ".claude", "allowed_signers", "keys/allowed_signers", ".windsurfrules", "agents.override.md",
    ],
)  # fmt: skip
def test_what_decides_about_changes_is_a_gate_path(path):
    """In any case, at any depth."""
    assert is_gate_path(path.encode())


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml", "src/owners.py", "owners/list.txt", "src/hooks/use_name.ts", "docs/agents.rst", "github/workflows/a.yml",
        "workflows/ci.yml", ".github/FUNDING.yml", "claude/a.py", "src/twohand.toml.py", "README.md", "cursor/a", "", "/",
    ],
)  # fmt: skip
def test_what_does_not_is_none(path):
    """A like name is not enough."""
    assert not is_gate_path(path.encode())


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        (b"[tool.twohand]\na = 1\n", b"# x\n[tool]\ntwohand = {a = 1}\n", False),
        (b"[tool.twohand]\na = 1\n", b"[tool.twohand]\na = 2\n", True),
        (None, b"[project]\n", False),
        (None, b"[tool.twohand]\n", True),
        (b"[tool.twohand]\n", None, True),
        (b"[project]\n", b"not toml", False),
        (b"[project]\n", b"[tool.twohand\n", True),
        (b"[project]\n", b'["tool"]."two\\u0068and"]\n', True),
        (b"tool = 1\n", b"tool = 2\n", False),
        (b"\xff", b"[project]\n", False),
        (b"twohand \xff", b"[project]\n", True),
    ],
)
def test_only_another_parsed_value_edits_the_policy(old, new, changed):
    """Law 36: form does not count, the value does; what cannot be parsed and might be policy counts as changed."""
    assert policy_table_changed(old, new) is changed


def test_deep_nesting_does_not_break_the_parser():
    """A file made to exhaust the parser is decided like one that cannot be parsed."""
    assert policy_table_changed(b"", b"twohand = " + b"[" * 100_000) is True


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        (".github/workflows/ci.yml", "pipeline"), (".gitlab-ci.yml", "pipeline"), (".circleci/config.yml", "pipeline"),
        (".github/dependabot.yml", "pipeline"), ("AGENTS.md", "instruction"), (".cursor/rules/a.mdc", "instruction"),
        (".cursorrules", "instruction"), (".claude/skills/x/SKILL.md", "instruction"), (".claude/settings.json", "setting"),
        (".mcp.json", "setting"), (".codex/config.toml", "setting"), (".vscode/settings.json", "setting"),
        ("CODEOWNERS", ""), (".husky/README.md", ""), ("twohand.toml", ""), (".twohand/notes.md", ""), ("README.md", ""),
        ("src/settings.json", ""), (".claude/hooks/run.sh", ""),
    ],
)  # fmt: skip
def test_what_rules_of_their_own_read(path, sort):
    """Pipelines, instructions and settings of agents are told apart from what is held for any edit."""
    sorts = {"pipeline": is_pipeline, "instruction": is_instruction, "setting": is_agent_setting}
    assert {name for name, judge in sorts.items() if judge(path.encode())} == ({sort} if sort else set())
