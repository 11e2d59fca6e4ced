"""A step of a pipeline may fail without consequence."""

from collections.abc import Iterator
from typing import ClassVar

from rules import gate_paths, switches
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_MAY_FAIL = rb"(?im)\bcontinue-on-error[\"']?\s*:\s*[\"']?true|\ballow_failure\s*:\s*true|\bcontinueOnError\s*:\s*true|\ballow-failure\s*:\s*true"
_NEVER = rb"(?im)^\s*(?:-\s*)?if\s*:\s*[\"']?(?:\$\{\{\s*)?false\b"
_SWALLOWED = (
    rb"(?im)\|\|\s*(?:true|:|exit 0|echo\b[^\n|&]{0,80})\s*[\"']?\s*$|(?:^|\s)set \+e\b|--exit-zero\b|--exit-code[ =]0\b|--no-fail\b|"
    rb"--soft-fail\b|--passWithNoTests\b|\bfail_ci_if_error\s*:\s*false|--no-verify\b|\bfail-on-\w+\s*:\s*[\"']?false"
)
_CHECKS = (
    rb"(?i)test|spec\b|lint|check|verify|audit|scan|codeql|semgrep|bandit|gosec|trivy|snyk|gitleaks|mypy|pyright|ruff|flake8|eslint|tsc\b|"
    rb"clippy|vet\b|phpstan|psalm|rubocop|cov(?:er|\b)|twohand|zizmor|attest|cosign|sha256sum|build"
)
_JOB = "jobs:\n  a:\n    steps:\n      - name: tests\n        run: pytest\n"


class PipelineCheckOptional(Rule):
    """A step of a pipeline may fail without consequence.

    ## What it does
    Finds steps and jobs of pipelines that come to swallow their failure: `continue-on-error: true`, `allow_failure: true`, `|| true`,
    `set +e`, `--exit-zero`, and steps switched off by `if: false`. Near a test, a linter or a scanner it is a hold, else a note.

    ## Why it matters
    The light stays green, and everybody believes that the check ran.

    ## Example
    `pytest` becomes `pytest || true` in the change that breaks a test.

    ## What to do instead
    Repair what fails. A check that cannot be trusted should be taken out openly.
    """

    id, slug, tier, since = "TH517", "pipeline-check-optional", Tier.HOLD, "0.1"
    triggers: ClassVar = (_MAY_FAIL, _NEVER, _SWALLOWED)

    HOLDS: ClassVar = (
        Diff(".github/workflows/ci.yml", _JOB, _JOB.replace("pytest", "pytest || true")),
        Diff(".github/workflows/ci.yml", _JOB, _JOB + "        continue-on-error: true\n"),
        Diff(".github/workflows/ci.yml", _JOB, _JOB + "        if: false\n"),
        Diff(".gitlab-ci.yml", "test:\n  script: make test\n", "test:\n  script: make test\n  allow_failure: true\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/ci.yml", _JOB, _JOB + "      - run: docker rm -f db || true\n"),
        Diff(".github/workflows/ci.yml", _JOB + "        continue-on-error: true\n", _JOB),
        Diff("scripts/clean.sh", "", "pytest || true\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return gate_paths.is_pipeline(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New switches of pipelines, weighed by what stands around them."""
        for text, said in (
            (_MAY_FAIL, "may fail now"),
            (_NEVER, "never runs now"),
            (_SWALLOWED, "fails in silence now"),
        ):
            for line, what in switches.on(edit, text):
                around = line.text if text is _SWALLOWED else _step(edit, line.number)
                tier = self.tier if edit.old.present and found(_CHECKS, around) else Tier.NOTE
                yield self.came(edit, line.number, f"this step {said}: `{visible(what)}`", tier=tier)


def _step(edit: Edit, number: int) -> bytes:
    """The lines of the step or job that a switch belongs to: those around it that are indented as far."""
    lines = edit.new.lines
    indent = _indent(lines[number - 1])
    start, end = number - 1, number
    while start > 0 and number - start < 12 and _indent(lines[start - 1]) >= indent:
        start -= 1
    while end < len(lines) and end - number < 12 and _indent(lines[end]) >= indent:
        end += 1
    return b"\n".join(lines[max(start - 1, 0) : end])


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" -")) if line.strip() else 1000
