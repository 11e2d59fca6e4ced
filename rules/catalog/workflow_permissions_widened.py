"""A workflow may write what it could not."""

from collections.abc import Iterator
from typing import ClassVar

from rules import workflows
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule, visible
from rules.workflows import Entry

_HEAD = "on: push\n"


class WorkflowPermissionsWidened(Rule):
    """A workflow may write what it could not.

    ## What it does
    Compares the `permissions` of a workflow's token before and after, scope by scope, at the top and in each job. A scope that becomes
    `write`, or comes up from one job to all of them, is a hold; so is a restriction that is taken away. A new workflow that may write
    everything is a hold, one that may write single scopes is a note.

    ## Why it matters
    Whoever gets code into a step of this workflow, through a dependency or an action, gets what its token may do.

    ## Example
    A job that only read the repository asks for `contents: write`, and can push to every branch from then on.

    ## What to do instead
    Give the scope to the one job that needs it, and keep `permissions: {}` or `contents: read` at the top.
    """

    id, slug, tier, since = "TH511", "workflow-permissions-widened", Tier.HOLD, "0.1"
    triggers: ClassVar = (rb"(?i)\bpermissions\b|\b(?:read|write)(?:-all)?\b|:\s*none\b",)

    HOLDS: ClassVar = (
        Diff(
            ".github/workflows/ci.yml",
            _HEAD + "permissions:\n  contents: read\njobs: {}\n",
            _HEAD + "permissions:\n  contents: write\njobs: {}\n",
        ),
        Diff(".github/workflows/ci.yml", _HEAD + "permissions: read-all\n", _HEAD + "permissions: write-all\n"),
        Diff(
            ".github/workflows/ci.yml",
            _HEAD + "permissions: {}\njobs:\n  a:\n    runs-on: x\n",
            _HEAD + "jobs:\n  a:\n    runs-on: x\n",
        ),
        Diff(
            ".github/workflows/ci.yml",
            _HEAD + "permissions: {}\njobs:\n  a:\n    permissions: {contents: write}\n",
            _HEAD + "permissions: {contents: write}\njobs:\n  a:\n    runs-on: x\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            ".github/workflows/ci.yml",
            _HEAD + "permissions:\n  contents: write\njobs:\n  a:\n    runs-on: x\n",
            _HEAD + "permissions: {}\njobs:\n  a:\n    permissions:\n      contents: write\n    runs-on: x\n",
        ),
        Diff(".github/workflows/ci.yml", None, _HEAD + "permissions:\n  contents: write\n"),
        Diff("docs/write.yml", "permissions: {}\n", "permissions: write-all\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return workflows.is_workflow(edit.path) and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Scopes won, and the restriction lost."""
        old, new = workflows.read(edit.old), workflows.read(edit.new)
        if old is None or new is None:
            yield self.came(edit, 0, "the permissions of this workflow could not be compared: it is no plain YAML")
            return
        yield from self._won(edit, old, new)
        yield from self._lost(edit, old, new)

    def _won(self, edit: Edit, old: tuple[Entry, ...], new: tuple[Entry, ...]) -> Iterator[Finding]:
        before = _writes(old)
        for (place, scope), line in _writes(new).items():
            if {("", scope), ("", "all"), (place, "all"), (place, scope)} & before.keys():
                continue
            if place and any(had == scope for _, had in before):
                continue
            where = f"job `{_shown(place)}`" if place else "every job"
            what = "everything" if scope == "all" else f"`{_shown(scope)}`"
            tier = self.tier if edit.old.present or scope == "all" else Tier.NOTE
            yield self.came(edit, line, f"{where} of this workflow may write {what} now", tier=tier)

    def _lost(self, edit: Edit, old: tuple[Entry, ...], new: tuple[Entry, ...]) -> Iterator[Finding]:
        restricted = [entry for entry in old if entry.path == ("permissions",)]
        if not restricted or any(entry.path == ("permissions",) for entry in new):
            return
        held = {entry.job for entry in new if entry.path[2:] == ("permissions",)}
        free = [entry.key for entry in new if entry.path[:1] == ("jobs",) and len(entry.path) == 2]
        if any(job not in held for job in free) and not any(scope == "all" for _, scope in _writes(old)):
            message = (
                "the workflow no longer limits its token: jobs without `permissions` get the default, which may write"
            )
            yield self.lost(edit, restricted[0].line, message)


def _writes(entries: tuple[Entry, ...]) -> dict[tuple[str, str], int]:
    """(job or "", scope) -> line, of all that may be written; scope `all` is `write-all`."""
    found: dict[tuple[str, str], int] = {}
    for entry in entries:
        path = entry.path[2:] if entry.job else entry.path
        if path[:1] != ("permissions",):
            continue
        if len(path) == 1:
            told = workflows.pairs(entry.value) or [("all", "write" if entry.value == "write-all" else "")]
        else:
            told = [(entry.key, entry.value)]
        found |= {(entry.job, scope): entry.line for scope, level in told if level == "write"}
    return found


def _shown(text: str) -> str:
    return visible(text.encode())
