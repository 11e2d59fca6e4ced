"""Text that a stranger writes becomes part of a command."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches, workflows
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_STRANGERS = (
    rb"\$\{\{[^{}]{0,200}?(?:github\.event\.(?:issue|pull_request|discussion|comment|review|review_comment)\.(?:title|body|head\.(?:ref|label)|"
    rb"head\.repo\.default_branch)|github\.event\.(?:head_commit|commits[^{} ]{0,20}|workflow_run)\.(?:message|author\.(?:email|name)|head_branch|"
    rb"display_title|head_commit\.message)|github\.event\.pages[^{} ]{0,20}\.page_name|github\.head_ref|github\.event\.client_payload\.)[^{}]{0,200}\}\}"
)
_JOB = "on: issues\njobs:\n  a:\n    steps:\n      - "
_TITLE = "${{ github.event.issue.title }}"


class WorkflowScriptInjection(Rule):
    """Text that a stranger writes becomes part of a command.

    ## What it does
    Finds titles, bodies, branch names and commit messages of the event that a workflow newly puts into a `run` step, into a script, or
    into the prompt of an agent.

    ## Why it matters
    The forge pastes the text before the shell reads it. A title with a quote and a semicolon is a command; in a prompt it is an order.

    ## Example
    `run: echo "${{ github.event.issue.title }}"` in a workflow that anybody starts by opening an issue.

    ## What to do instead
    Put the text into `env:` and use the variable in double quotes. Give an agent that reads strangers' text no tools and no token.
    """

    id, slug, tier, since = "TH513", "workflow-script-injection", Tier.HOLD, "0.1"
    triggers: ClassVar = (_STRANGERS,)

    HOLDS: ClassVar = (
        Diff(".github/workflows/a.yml", _JOB + "run: make\n", _JOB + f'run: echo "{_TITLE}"\n'),
        Diff(".github/workflows/a.yml", None, _JOB + f"run: |\n          x=1\n          echo {_TITLE}\n"),
        Diff(".github/workflows/a.yml", None, _JOB + f"with:\n          prompt: |\n            Do {_TITLE}\n"),
        Diff(".github/workflows/a.yml", None, _JOB + "run: git switch ${{ github.head_ref }}\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/a.yml", None, _JOB + f'run: echo "$T"\n        env:\n          T: {_TITLE}\n'),
        Diff(".github/workflows/a.yml", None, _JOB + "run: echo ${{ github.event.issue.number }}\n"),
        Diff(".github/workflows/a.yml", _JOB + f"run: echo {_TITLE}\n", _JOB + f"run: echo {_TITLE} # same\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return workflows.is_workflow(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New uses inside commands and prompts."""
        entries = {entry.line: entry for entry in workflows.read(edit.new) or ()}
        for line, what in switches.on(edit, _STRANGERS):
            entry = entries.get(line.number)
            keys = entry.path if entry is not None else ("run",)
            if {"run", "script"} & {*keys}:
                yield self.came(
                    edit, line.number, f"`{visible(what)}`, which a stranger writes, is pasted into a command"
                )
            elif any(found(rb"(?i)prompt|instructions", key.encode()) for key in keys):
                yield self.came(
                    edit, line.number, f"`{visible(what)}`, which a stranger writes, is given to an agent as an order"
                )
