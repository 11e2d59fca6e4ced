"""A gate asks for less: coverage, strictness, the rules of a linter."""

from collections.abc import Iterator
from typing import ClassVar

from rules import gate_paths, manifests, switches
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_NUMBERS = (
    rb"(?i)\b(fail[_-]?under|cov-fail-under|coverageThreshold|minimum_coverage(?:_by_file)?|min[_-]?coverage|coverage[_-]?threshold|minCoveredLines|--fail-under|branches|functions|lines|statements|"
    rb"minimum|threshold|target|mutation[_-]?score|min_?msi|min-covered-msi|levels?)[\"']?\s*(?:=>|[=: (])\s*[\"']?(\d{1,3}(?:\.\d+)?)\s*%?"
)
_LOOSER = rb"(?i)\b(max-?warnings|max_?complexity|max-complexity|--max-warnings)[\"']?\s*(?:[=: ,])\s*[\"']?(-?\d{1,6})"
_SURE = rb"(?i)fail[_-]?under|coverage|min_?msi|mutation"
_STRICT = (
    rb"(?i)[\"']?\b(strict|noImplicitAny|strictNullChecks|strictFunctionTypes|noUnusedLocals|noImplicitReturns|noUncheckedIndexedAccess|disallow_untyped_defs|disallow_any_generics|warn_unused_ignores|check_untyped_defs|"
    rb"no_implicit_optional|warn_return_any|exitOnError|failOnViolation|failOnWarning|failOnError|treatWarningsAsErrors|warnings_as_errors|xfail_strict|strict_optional|abortOnError|warningsAsErrors|allWarningsAsErrors)[\"']?\s*(?:=>|[=:>])\s*[\"']?(true|false)\b"
)
_FILES = frozenset({
    b".coveragerc", b"setup.cfg", b"tox.ini", b"pytest.ini", b"mypy.ini", b".mypy.ini", b"pyrightconfig.json", b"codecov.yml", b".codecov.yml",
    b"package.json", b".nycrc", b".nycrc.json", b".c8rc.json", b"phpstan.neon", b"phpstan.neon.dist", b"psalm.xml", b"infection.json", b"infection.json5", b"pom.xml",
    b"build.gradle", b"build.gradle.kts", b"ruff.toml", b".ruff.toml", b".golangci.yml", b".golangci.yaml", b".rubocop.yml", b"biome.json", b".simplecov",
    b"deno.json", b"makefile", b"pyproject.toml", b"directory.build.props", b"detekt.yml", b"checkstyle.xml", b"noxfile.py", b"cargo.toml", b"clippy.toml",
})  # fmt: skip
_STARTS = (b"jest.config", b"vitest.config", b"tsconfig", b".eslintrc", b"eslint.config", b"karma.conf", b"phpunit.xml")


class ThresholdLowered(Rule):
    """A gate asks for less: coverage, strictness, warnings.

    ## What it does
    Compares numbers and switches in the settings of test runners, coverage, linters and type checkers. A threshold of coverage that goes down
    or away, and a strict mode that is switched off, are holds; other numbers that ask for less are notes.

    ## Why it matters
    Lowering the bar by two points is easier than a test, and nobody raises it again.

    ## Example
    `fail_under = 90` becomes `fail_under = 85` beside a feature without tests.

    ## What to do instead
    Write the test, or lower the bar in a change of its own that says why.
    """

    id, slug, tier, since = "TH304", "threshold-lowered", Tier.HOLD, "0.1"
    triggers: ClassVar = (_NUMBERS, _LOOSER, _STRICT)

    HOLDS: ClassVar = (
        Diff("pyproject.toml", "fail_under = 90\n", "fail_under = 85\n"),
        Diff(".coveragerc", "[report]\nfail_under = 90\n", "[report]\n"),
        Diff("tsconfig.json", '{"strict": true}\n', '{"strict": false}\n'),
        Diff(
            ".github/workflows/ci.yml", "  - run: pytest --cov-fail-under=90\n", "  - run: pytest --cov-fail-under=80\n"
        ),
    )
    PASSES: ClassVar = (
        Diff("pyproject.toml", "fail_under = 85\n", "fail_under = 90\n"),
        Diff("tsconfig.json", '{"strict": false}\n', '{"strict": true}\n'),
        Diff("src/a.py", "threshold = 9\n", "threshold = 8\n"),
        Diff("package.json", '"lines": 90\n', '"lines": 80\n'),
    )

    def reads(self, edit: Edit) -> bool:
        return _is_setting(edit)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Settings of tools only."""
        for text, down in ((_NUMBERS, True), (_LOOSER, False)):
            yield from self._numbers(edit, text, down=down)
        switched = {
            what.split(b":")[0].split(b"=")[0].strip(b" \"'>").lower()
            for _, what in switches.on(edit, _STRICT)
            if what.lower().endswith(b"false")
        }
        for line, what in switches.off(edit, _STRICT):
            name = what.split(b":")[0].split(b"=")[0].strip(b" \"'>").lower()
            if edit.new.present and what.lower().endswith(b"true"):
                tier = self.tier if name in switched else Tier.NOTE
                yield self.lost(
                    edit, line.number, f"`{visible(what)}` no longer holds: the checker asks for less", tier=tier
                )

    def _numbers(self, edit: Edit, text: bytes, *, down: bool) -> Iterator[Finding]:
        new = _read(text, edit.changed.added)
        for name, (old, line) in _read(text, edit.changed.removed).items():
            now = new.get(name)
            sure = found(_SURE, name)
            if now is None and sure and edit.new.present and name not in edit.new.data.lower():
                yield self.lost(edit, line.number, f"`{visible(name)}`, which asked for {old:g}, is gone")
            elif now is not None and (now[0] < old if down else now[0] > old):
                message = f"`{visible(name)}` goes from {old:g} to {now[0]:g}: the gate asks for less"
                yield self.came(edit, now[1].number, message, tier=self.tier if sure else Tier.NOTE)


def _is_setting(edit: Edit) -> bool:
    name = manifests.base(edit.path)
    known = name in _FILES or name.startswith(_STARTS) or gate_paths.is_pipeline(edit.path)
    return known and edit.kind not in {Kind.DOCS, Kind.VENDORED} and edit.old.present


def _read(text: bytes, lines: tuple[Line, ...]) -> dict[bytes, tuple[float, Line]]:
    return {
        match.group(1).lower(): (float(match.group(2)), line)
        for line in lines
        if not switches.is_comment(line.text)
        for match in pattern(text).finditer(line.text[:1000])
    }
