"""A pipeline no longer tests, lints or scans."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules import gate_paths
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Change, Diff, Edit, Rule, remembered, visible


class _Sort(NamedTuple):
    what: str
    tools: bytes


_SORTS = (
    _Sort("runs the tests", rb"(?i)\b(?:pytest|tox|nox|unittest|go test|cargo (?:test|nextest)|npm (?:run )?test\S*|npm t|yarn (?:run )?test\S*|pnpm (?:run )?test\S*|"
          rb"bun (?:run )?test|jest|vitest|mocha|rspec|rake (?:test|spec)|rails test|bin/test|phpunit|pest|mvn\b[^\n#]{0,60}\b(?:test|verify)|gradlew?\s[^\n#]{0,60}\b(?:test|check|build)|"
          rb"dotnet test|ctest|make (?:test|check|ci)\S*|task test\S*|just test\S*|manage\.py test|runtests\.py|prove|playwright test|cypress run)\b"),
    _Sort("looks for vulnerabilities", rb"(?i)codeql-action/analyze|\b(?:semgrep|bandit|gosec|brakeman|trivy|grype|snyk|gitleaks|trufflehog|detect-secrets|zizmor|"
          rb"osv-scanner|govulncheck|pip-audit|npm audit|yarn audit|pnpm audit|cargo audit|cargo deny|bundle(?:r)?[- ]audit|dependency-review-action|"
          rb"scorecard-action|checkov|tfsec|hadolint|sonar\w*-scan\w*|psalm-security|safety check)\b"),
    _Sort("checks types or style", rb"(?i)\b(?:mypy|pyright|ruff|flake8|pylint|black --check|eslint|tsc\b[^\n#]{0,30}--noEmit|golangci-lint\S*|go vet|staticcheck|rubocop|phpstan|psalm|"
          rb"clippy|shellcheck|actionlint|ktlint|detekt|checkstyle|spotless|(?:npm|yarn|pnpm)(?: run)? lint\S*|make lint|pre-commit run|tox -e ?lint|biome)\b"),
    _Sort("verifies what it takes or gives", rb"(?i)\b(?:cosign verify\S*|gh attestation verify|slsa-verifier|gpg --verify|sha(?:256|512)sum (?:-c|--check)|shasum[^\n#]{0,20} -c|"
          rb"npm audit signatures|minisign -V|attest-build-provenance)\b"),
)  # fmt: skip
_NO_STEP = rb"(?i)^#|^(?:-\s*)?name:|\b(?:install|add|restore|cache)\b"
_STEP = "jobs:\n  a:\n    steps:\n      - run: make\n"


class PipelineCheckRemoved(Rule):
    """A pipeline no longer tests, lints or scans.

    ## What it does
    Reads what the pipelines of the change run, before and after. Where none of them runs any tests, any scanner for vulnerabilities or any
    verification of signatures and checksums any more, the lost step is a hold; style and types are a note. One tool in place of another of
    its sort is no loss.

    ## Why it matters
    A step that is gone is green for ever.

    ## Example
    The scan that kept failing is taken out of the workflow together with the fix for something else.

    ## What to do instead
    Repair the step, or show which other pipeline does its work, and let an owner of the gate answer for it.
    """

    id, slug, tier, since = "TH516", "pipeline-check-removed", Tier.HOLD, "0.1"
    triggers: ClassVar = tuple(sort.tools for sort in _SORTS)

    HOLDS: ClassVar = (
        Diff(".github/workflows/ci.yml", _STEP + "      - run: pytest -q\n", _STEP),
        Diff(".github/workflows/ci.yml", _STEP + "      - uses: github/codeql-action/analyze@v3\n", _STEP),
        Diff(".gitlab-ci.yml", "test:\n  script:\n    - go test ./...\n", "test:\n  script:\n    - go build ./...\n"),
        Diff(".gitlab-ci.yml", "a:\n  script: sha256sum -c SUMS\n", "a:\n  script: true\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/ci.yml", _STEP + "      - run: pytest -q\n", _STEP + "      - run: uv run pytest\n"),
        Diff(".github/workflows/ci.yml", _STEP + "      - run: npm test\n", _STEP + "      - run: npx vitest run\n"),
        Diff(".github/workflows/ci.yml", _STEP + "      - run: flake8\n", _STEP),
        (
            Diff(".github/workflows/ci.yml", _STEP + "      - run: pytest\n", None),
            Diff(".github/workflows/test.yml", None, _STEP + "      - run: pytest\n"),
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return gate_paths.is_pipeline(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """The first lost step of each sort that no pipeline of the change has any more."""
        for index, sort in enumerate(_SORTS):
            if sort.what in _remaining(edit.change):
                continue
            for line in edit.changed.removed:
                match = pattern(sort.tools).search(line.text.split(b" #")[0])
                if match is not None and not found(_NO_STEP, line.text):
                    tier = Tier.NOTE if index == 2 else self.tier
                    told = f"no pipeline of this change {sort.what} any more: `{visible(match.group(0))}` is gone"
                    yield self.lost(edit, line.number, told, tier=tier)
                    break


@remembered
def _remaining(change: Change) -> frozenset[str]:
    """The sorts of checks that a changed pipeline still has, or a script that the change brings."""
    lines = [
        line
        for edit in change.edits
        if gate_paths.is_pipeline(edit.path)
        for line in map(bytes.strip, edit.new.lines)
        if not found(_NO_STEP, line)
    ]
    text = b"\n".join(lines)
    return frozenset(sort.what for sort in _SORTS if pattern(sort.tools).search(text) is not None)
