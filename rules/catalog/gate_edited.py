"""The change edits what decides about it."""

from collections.abc import Iterator
from typing import ClassVar

from rules import gate_paths
from rules.change import SYMLINK
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule

_HIDES = rb"(?i)\s(?:-diff|binary|-text|linguist-generated|linguist-vendored|export-ignore|diff=|filter=|merge=)"
_HOOK_LISTS = (b".pre-commit-config.yaml", b".pre-commit-config.yml")
_VERSION = rb"^(?:-\s*)?rev:\s|^#"


class GateEdited(Rule):
    """The change edits what decides about it.

    ## What it does
    Reports every edit of the policy, of owners files, hooks and allowed signers, in any spelling; of pyproject.toml where the value of
    `[tool.twohand]` differs; `.gitattributes` lines that hide content; pipelines that run twohand; and any of these files that is deleted.
    Edits of other pipelines, of agent instructions and of agent settings are notes here: rules of their own hold what weakens them,
    and the decision asks the gate's owner for each of these paths in any case.

    ## Why it matters
    Who may change the gate needs no other way through it.

    ## Example
    A feature comes with a line in CODEOWNERS that takes the directory from its owner.

    ## What to do instead
    Make such edits in a change of their own, and let an owner of the gate answer for it.
    """

    id, slug, tier, since = "TH201", "gate-edited", Tier.HOLD, "0.1"

    HOLDS: ClassVar = (
        Diff(".github/CODEOWNERS", "* @ann\n/auth/ @bob\n", "* @ann\n"),
        Diff("twohand.toml", "[people.ann]\n", "[people.mallory]\n"),
        Diff("sub/Claude.MD", "Run the gate.\n", None),
        Diff(".github/workflows/ci.yml", "run: twohand gate\n", "run: echo\n"),
        Diff(".pre-commit-config.yaml", "- id: a\n- id: b\n", "- id: a\n"),
        Diff("pyproject.toml", "[tool.twohand]\nage = 1\n", "[tool.twohand]\nage = 2\n"),
        Diff(".gitattributes", "", "*.py -diff\n"),
    )
    PASSES: ClassVar = (
        Diff(
            "pyproject.toml",
            "[tool.twohand]\nage = 1\n[project]\n",
            "[tool.twohand]\nage = 1  # day\n[project]\nname = 'x'\n",
        ),
        Diff("src/hooks/use_name.ts", "export const a = 1\n", "export const a = 2\n"),
        Diff(".gitattributes", "", "*.sh text eol=lf\n"),
        Diff(".github/workflows/ci.yml", "on: push\njobs: {}\n", "on: [push]\njobs: {}\n"),
        Diff("AGENTS.md", "Use tabs.\n", "Use tabs.\nUse make.\n"),
        Diff(".pre-commit-config.yaml", "  rev: v1.0\n", "  rev: v1.1\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """By path; of two kinds of file by value."""
        if gate_paths.is_gate_path(edit.path):
            message = "this file decides about changes: its edit needs an owner of the gate"
            yield self._whole(edit, message, tier=Tier.NOTE if _is_ordinary(edit) else self.tier)
        elif gate_paths.is_pyproject(edit.path) and gate_paths.policy_table_changed(
            _data(edit, new=False), _data(edit, new=True)
        ):
            yield self._whole(edit, "the value of [tool.twohand], the policy, differs")
        elif edit.path.lower().rsplit(b"/", 1)[-1] == b".gitattributes":
            yield from self._attributes(edit)

    def _whole(self, edit: Edit, message: str, *, tier: Tier = Tier.HOLD) -> Finding:
        side = "new" if edit.file.exists_after else "old"
        return Finding(self.slug, tier, edit.file.path, side, 0, message, "")

    def _attributes(self, edit: Edit) -> Iterator[Finding]:
        for line in edit.changed.added:
            if found(_HIDES, line.text) and not line.text.startswith(b"#"):
                yield self.came(edit, line.number, "this attribute hides content from diffs, archives or statistics")


def _is_ordinary(edit: Edit) -> bool:
    """Whether other rules read what became weaker in this file, so that the edit alone says little."""
    if not edit.new.present or SYMLINK in (edit.file.old_mode, edit.file.new_mode) or edit.why:
        return False
    if gate_paths.is_pipeline(edit.path):
        return b"twohand" not in edit.old.data.lower() and b"twohand" not in edit.new.data.lower()
    if edit.path.lower().endswith(_HOOK_LISTS):
        return all(found(_VERSION, line.text) for line in (*edit.changed.removed, *edit.changed.added))
    return gate_paths.is_instruction(edit.path) or gate_paths.is_agent_setting(edit.path)


def _data(edit: Edit, *, new: bool) -> bytes | None:
    side = edit.new if new else edit.old
    return side.data if side.present else None
