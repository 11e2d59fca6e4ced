"""A workflow runs on a machine of your own."""

from collections.abc import Iterator
from typing import ClassVar

from rules import workflows
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule

_STRANGERS = frozenset({
    "pull_request", "pull_request_target", "issue_comment", "issues", "discussion", "fork", "workflow_run", "pull_request_review",
})  # fmt: skip
_JOB = "jobs:\n  a:\n    runs-on: "


class WorkflowSelfHostedRunner(Rule):
    """A workflow runs on a machine of your own.

    ## What it does
    Finds jobs that come to run on a self-hosted runner. Where strangers can start the workflow it is a hold, else a note.

    ## Why it matters
    Such a machine is not thrown away after the job. What one pull request leaves there, the next release build finds.

    ## Example
    `runs-on: ubuntu-latest` becomes `runs-on: [self-hosted, gpu]` in a workflow that starts on `pull_request`.

    ## What to do instead
    Keep own machines for workflows that only your own pushes start, or use runners that live for one job.
    """

    id, slug, tier, since = "TH515", "workflow-self-hosted-runner", Tier.HOLD, "0.1"
    triggers: ClassVar = (rb"(?i)self-?hosted|pull_request|issue|discussion|\bfork\b|workflow_run",)

    HOLDS: ClassVar = (
        Diff(
            ".github/workflows/a.yml",
            "on: pull_request\n" + _JOB + "x\n",
            "on: pull_request\n" + _JOB + "self-hosted\n",
        ),
        Diff(
            ".github/workflows/a.yml",
            "on: push\n" + _JOB + "[self-hosted]\n",
            "on: [push, issues]\n" + _JOB + "[self-hosted]\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/a.yml", "on: push\n" + _JOB + "x\n", "on: push\n" + _JOB + "self-hosted\n"),
        Diff(".github/workflows/a.yml", None, "on: pull_request\n" + _JOB + "ubuntu-latest\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return workflows.is_workflow(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Jobs that were not there, or not reachable for strangers, before."""
        old, new = workflows.read(edit.old) or (), workflows.read(edit.new) or ()
        open_now, open_before = (bool(workflows.triggers(side) & _STRANGERS) for side in (new, old))
        before = _jobs(old)
        for job, line in _jobs(new).items():
            if job in before and open_before >= open_now:
                continue
            said = "and strangers can start it" if open_now else "which only your own pushes start"
            yield self.came(
                edit,
                line,
                f"this job runs on a machine of your own now, {said}",
                tier=self.tier if open_now else Tier.NOTE,
            )


def _jobs(entries: tuple[workflows.Entry, ...]) -> dict[str, int]:
    return {
        entry.job: entry.line
        for entry in entries
        if "runs-on" in entry.path and "self-hosted" in entry.value.lower().replace("selfhosted", "self-hosted")
    }
