"""A workflow with the repository's secrets runs what a stranger sent."""

from collections.abc import Iterator
from typing import ClassVar

from rules import workflows
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule
from rules.workflows import Entry

_PRIVILEGED = frozenset({"pull_request_target", "workflow_run"})
_HEAD = (
    rb"(?i)github\.event\.(?:pull_request\.head|workflow_run\.head)|github\.head_ref|\bgh pr checkout\b|refs/pull/|"
    rb"pull/\$\{\{|event\.number\s*\}\}/(?:head|merge)"
)
_TARGET = "on: pull_request_target\n"
_STEPS = "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
_FETCHES = _STEPS + "        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n"


class WorkflowRunsUntrustedCode(Rule):
    """A workflow with the repository's secrets runs what a stranger sent.

    ## What it does
    Looks at workflows that start on `pull_request_target` or `workflow_run`, which run with the repository's secrets and a token that may
    write. One that comes to check out the proposed head is blocked, unless its token is limited to reading and it names no secret: then it
    is a hold, as is the trigger alone when it is new.

    ## Why it matters
    Anybody can open a pull request. With this trigger their code runs as if it were yours.

    ## Example
    `on: pull_request` becomes `on: pull_request_target` to post a comment, and the same job builds the head of the pull request.

    ## What to do instead
    Build on `pull_request`, hand the result over as an artifact, and let a second workflow that runs no foreign code use the token.
    """

    id, slug, tier, since = "TH512", "workflow-runs-untrusted-code", Tier.BLOCK, "0.1"
    triggers: ClassVar = (rb"pull_request_target|workflow_run", _HEAD, rb"(?i)permissions|write|secrets\.")

    HOLDS: ClassVar = (
        Diff(".github/workflows/ci.yml", "on: pull_request\n" + _FETCHES, _TARGET + _FETCHES),
        Diff(".github/workflows/ci.yml", _TARGET + _STEPS, _TARGET + _FETCHES),
        Diff(".github/workflows/ci.yml", None, _TARGET + _STEPS + "        with: {ref: '${{ github.head_ref }}'}\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/ci.yml", "on: push\n" + _FETCHES, "on: pull_request\n" + _FETCHES),
        Diff(".github/workflows/ci.yml", _TARGET + _FETCHES, _TARGET + _FETCHES + "      - run: make\n"),
        Diff("docs/ci.yml", "on: push\n", _TARGET + _FETCHES),
    )

    def reads(self, edit: Edit) -> bool:
        return workflows.is_workflow(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """The combination where it is new, else the trigger where it is."""
        old, new = workflows.read(edit.old) or (), workflows.read(edit.new) or ()
        events = workflows.triggers(new) & _PRIVILEGED
        if not events:
            return
        heads = _heads(new)
        if heads and not (workflows.triggers(old) & _PRIVILEGED and _heads(old)):
            tier = Tier.HOLD if _is_harmless(new) else self.tier
            message = f"on `{min(events)}` this step takes the proposed head: strangers' code runs with this repository's token"
            yield self.came(edit, heads[0].line, message, tier=tier)
        elif not workflows.triggers(old) & _PRIVILEGED:
            line = next((entry.line for entry in new if entry.path[0] in ("on", "true")), 0)
            tier = Tier.NOTE if events == {"workflow_run"} or _is_harmless(new) else Tier.HOLD
            yield self.came(
                edit,
                line,
                f"strangers can start this workflow with this repository's token: `{min(events)}`",
                tier=tier,
            )


def _heads(entries: tuple[Entry, ...]) -> list[Entry]:
    """Where the proposed head is fetched: the `ref` or `repository` of a checkout, or a command."""
    return [
        entry
        for entry in entries
        if entry.job
        and ("run" in entry.path or _is_place(entry))
        and found(_HEAD, entry.value.encode())
        and (_is_place(entry) or found(rb"(?i)\b(?:git|gh) ", entry.value.encode()))
    ]


def _is_place(entry: Entry) -> bool:
    """Whether the entry says what to check out; a flow mapping holds it in its value."""
    return entry.key in ("ref", "repository") or entry.value.startswith("{")


def _is_harmless(entries: tuple[Entry, ...]) -> bool:
    """A token that only reads, and no secret."""
    limited = any(entry.path == ("permissions",) for entry in entries)
    levels = [entry.value for entry in entries if "permissions" in entry.path]
    return limited and not any("write" in level for level in levels) and not any("secrets." in e.value for e in entries)
