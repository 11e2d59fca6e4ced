"""A checker is told to look away."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found, pattern
from rules.rule import Change, Diff, Edit, Rule, remembered, visible

_SECURITY = (
    rb"(?i)#\s*nosec\b|//\s*#?nosec\b|\bnosemgrep\b|\bNOSONAR\b|//\s*nolint:\s*[\w,]*gosec|#\s*noqa:\s*[\w, ]*\bS\d{3}|#\s*type:\s*ignore\[.*security|\blgtm\s*\[|codeql\[[\w/-]+\]|"
    rb"eslint-disable[\w-]*[^\n]{0,60}\bsecurity/|@SuppressFBWarnings|\bgitleaks:allow|pragma:\s*allowlist secret|trufflehog:ignore|#\s*brakeman|zizmor:\s*ignore|checkov:skip|tfsec:ignore|\btrivy:ignore|psalm-taint-escape|@psalm-suppress\s+Tainted"
)
_ANY = (
    rb"(?i)#\s*noqa\b|#\s*type:\s*ignore|#\s*pyright:\s*ignore|#\s*mypy:\s*ignore|#\s*pylint:\s*disable|#\s*ruff:\s*noqa|eslint-disable|@ts-(?:ignore|nocheck|expect-error)|\bbiome-ignore|tslint:disable|"
    rb"//\s*nolint\b|rubocop:disable|phpcs:ignore|@phpstan-ignore|@psalm-suppress|@SuppressWarnings|@Suppress\(|#\[allow\(|#!\[allow\(|#pragma warning disable|NOLINT|pragma:\s*no cover|istanbul ignore|c8 ignore|v8 ignore|shellcheck disable|@codeCoverageIgnore|:nocov:"
)
_WHOLE = rb"(?i)^#\s*(?:ruff|flake8):\s*noqa\s*$|^#\s*mypy:\s*ignore-errors|^/\*\s*eslint-disable\s*\*/|^//\s*@ts-nocheck|^#!\[allow\(warnings|^#\s*pylint:\s*skip-file|^//\s*nolint\s*$|^/\*\s*tslint:disable\s*\*/|^#\s*type:\s*ignore\s*$|^//\s*biome-ignore-all"


class CheckerSilenced(Rule):
    """A checker is told to look away.

    ## What it does
    Finds comments and annotations that silence a linter, a type checker, coverage or a scanner. A scanner for vulnerabilities or secrets that
    is silenced beside code of production is a hold; everything else is a note, counted once a file.

    ## Why it matters
    The finding was there. Now nobody sees it, and the next one in this place neither.

    ## Example
    `subprocess.run(cmd, shell=True)  # nosec`, in the commit that makes `cmd` come from a form.

    ## What to do instead
    Repair what was found. Where it is wrong, say why in the words that the checker keeps.
    """

    id, slug, tier, since = "TH303", "checker-silenced", Tier.HOLD, "0.1"
    triggers: ClassVar = (_SECURITY, _ANY)

    HOLDS: ClassVar = (
        Diff("app/run.py", "run(cmd)\n", "run(cmd, shell=True)  # nosec\n"),
        Diff("app/run.go", "run(cmd)\n", "exec.Command(cmd) //nolint:gosec\n"),
        Diff("app/key.py", "k = 1\n", "k = get()  # gitleaks:allow\n"),
    )
    PASSES: ClassVar = (
        Diff("app/a.py", "f()\n", "f()  # noqa: E501\n"),
        Diff("tests/test_a.py", "f()\n", "f()  # nosec\n"),
        Diff("app/a.py", "f()  # nosec\n", "f(1)  # nosec\n"),
        Diff("docs/a.md", "", "Use `# nosec`.\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Scanners one by one, all others together."""
        if edit.kind in {Kind.DOCS, Kind.VENDORED, Kind.GENERATED}:
            return
        tier = switches.weight(edit, self.tier) or Tier.NOTE
        lines = [line for line in edit.changed.added if found(_ANY, line.text) or found(_SECURITY, line.text)]
        hushed = _hushed(edit.change)
        for line in lines:
            match = pattern(_SECURITY).search(line.text)
            if match is not None:
                hushed -= 1
                if hushed < 0:
                    message = f"`{visible(match.group(0))}`: what a scanner for weaknesses finds in this line is shown to nobody"
                    yield self.came(edit, line.number, message, tier=tier)
        others = [line for line in lines if not found(_SECURITY, line.text)]
        whole = next((line for line in others if found(_WHOLE, line.text)), None)
        if whole is not None:
            yield self.came(edit, whole.number, "a checker no longer looks at this file", tier=Tier.NOTE)
        elif len(others) > _count_lost(edit):
            message = f"checkers are told to look away in {len(others)} places"
            yield self.came(edit, others[0].number, message, tier=Tier.NOTE)


@remembered
def _hushed(change: Change) -> int:
    """How many lines of the whole change that silenced a scanner are gone or were written anew."""
    return sum(
        1
        for other in change.edits
        if other.kind not in {Kind.DOCS, Kind.TEST}
        for line in other.changed.removed
        if found(_SECURITY, line.text)
    )


def _count_lost(edit: Edit) -> int:
    return sum(1 for line in edit.changed.removed if found(_ANY, line.text))
