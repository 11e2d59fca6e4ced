"""What looks at a change: the catalogue, the repository's own rules, those of installed packages, and other scanners."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reviewers import statute
from rules.ancestors import inherited
from rules.commits import Commit
from rules.events import ChangeProposed, ReviewGiven
from rules.findings import Finding, Tier
from rules.paths import unquote
from rules.rule import Blobs, Rule
from streams.own_rules import BrokenRules
from streams.sources.ancestry import ancestry
from streams.sources.twins import twins

if TYPE_CHECKING:
    from streams.desk import Desk, Reading


def reviews(
    desk: "Desk", reading: "Reading", proposed: ChangeProposed, seen: tuple[Sequence[Blobs], Sequence[Commit]],
    scanners: Sequence[Path] = (), *, keep: bool,
) -> list[ReviewGiven]:  # fmt: skip
    """The review of the rules, and one of each scanner whose SARIF file is given. `seen`: blobs and commits.

    `keep`: whether what is read of the history may be kept beside the journal.
    """
    blobs, commits = seen
    rules = beside(desk, reading)
    given = statute.review(proposed.change, proposed.content_key, blobs, commits, beside=rules)
    findings = (*given.findings, *_inherited(desk, reading, keep=keep)) if blobs else given.findings
    return [replace(given, findings=findings, at=proposed.at), *_scanned(desk, reading, proposed, (blobs, scanners))]


def beside(desk: "Desk", reading: "Reading") -> tuple[Rule, ...]:
    """The rules that run beside the catalogue. Errors: SourceError, where a package is broken or two share a name."""
    own, packages = reading.branches.rules, desk.settings.packages
    if not packages:
        return own
    from streams.rule_packages import package_rules  # noqa: PLC0415 - importlib.metadata, only where one is named

    brought = package_rules(packages)
    named = {rule.slug for rule in brought}
    for rule in own:
        if rule.slug in named:
            raise BrokenRules(
                f"{rule.slug} is a rule of this repository and of a package that the settings name.",
                remedy="Rename the repository's rule, or take the package out of [rules] packages in the settings.",
            )
    return (*own, *brought)


def _inherited(desk: "Desk", reading: "Reading", *, keep: bool) -> Iterator[Finding]:
    """What the earlier names of the files mean, and a note where some may be missing; and what twins of names mean."""
    files, base = reading.read.files, reading.found.base
    added = [unquote(file.path) for file in files if not file.exists_before]
    yield from inherited(files, twins(desk.repo, base, added), reading.policies)
    paths = [unquote(file.path) for file in files if file.exists_before]
    if not paths:
        return
    kept = desk.journal_path.with_name("ancestry.db")
    found = ancestry(desk.repo, base, paths, kept=kept, write=keep)
    yield from inherited(files, found.origins, reading.policies)
    if found.doubt:
        said = f"earlier names of these files may be missing: of the history before the change, {found.doubt}"
        yield Finding("coverage", Tier.NOTE, "", "new", 0, said, "")


def _scanned(
    desk: "Desk", reading: "Reading", proposed: ChangeProposed, given: tuple[Sequence[Blobs], Sequence[Path]]
) -> list[ReviewGiven]:
    """Each scanner as a reviewer of this content; its time makes a later look at equal content another one."""
    blobs, files = given
    if not files:
        return []
    from streams.sources import sarif  # noqa: PLC0415 - only where a file is given

    order = {Tier.NOTE: 0, Tier.HOLD: 1, Tier.BLOCK: 2}
    weighs = [Tier(policy.rules.sarif) for policy in reading.policies]
    error = max(weighs, key=order.__getitem__, default=Tier.HOLD)
    root = desk.repo.work_tree
    found = sarif.together(report for path in files for report in sarif.read(path, blobs, error=error, root=root))
    return [
        ReviewGiven(
            change=proposed.change, content_key=proposed.content_key, reviewer=report.reviewer,
            findings=report.findings, time=proposed.at, at=proposed.at,
        )
        for report in found
    ]  # fmt: skip
