"""Runs the rules over a change: one pass of all patterns first, structure only where they hit."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rules import catalogue, media, risk
from rules.findings import Finding, Tier, Uncovered
from rules.kinds import Kind
from rules.patterns import Triggers
from rules.rule import Blobs, Change, Edit, Rule

__all__ = ["Blobs", "Scan", "all_rules", "scan"]

MAX_BYTES = 4 << 20  # of one side of a file
MAX_LINES = 100_000
MAX_FINDINGS = 50  # of one rule in one file; the last one says that there are more
all_rules = catalogue.all_rules


class Scan(NamedTuple):
    """What the rules found, by path, line and rule; and the paths that they could not read."""

    findings: tuple[Finding, ...]
    uncovered: tuple[Uncovered, ...]


def scan(blobs: Sequence[Blobs], *, rules: Sequence[Rule] | None = None) -> Scan:
    """Every rule over every file of one change. The order of the files is without effect."""
    chosen = all_rules() if rules is None else tuple(rules)
    change = Change(limited(each) for each in blobs)
    found = tuple(risk.judged(observed(change, chosen)))
    unread = [(edit.file.path, media.unread(edit)) for edit in change.edits]
    change.forget()
    return Scan(tuple(sorted(set(found), key=_order)), tuple(Uncovered(path, why) for path, why in unread if why))


def observed(change: Change, rules: tuple[Rule, ...]) -> list[tuple[Edit, Finding]]:
    """What each rule says by itself, with the file that it says it of."""
    found = [(edit, finding) for edit in change.edits for finding in _file(edit, rules)]
    moved = ((edit, finding) for edit in change.renames for finding in _file(edit, rules))
    return found + [(edit, finding) for edit, finding in moved if finding.side == "old" and finding.line]


def _order(finding: Finding) -> tuple[str, int, str, str, str]:
    return finding.path, finding.line, finding.rule, finding.side, finding.message


def limited(blobs: Blobs) -> Blobs:
    """Too large a side is not read, and says so."""
    if blobs.why:
        return Blobs(blobs.file, None, None, blobs.why)
    sides = [side for side in (blobs.old, blobs.new) if side is not None]
    if any(len(side) > MAX_BYTES for side in sides):
        return Blobs(blobs.file, None, None, f"over {MAX_BYTES >> 20} MiB")
    if any(side.count(b"\n") > MAX_LINES for side in sides):
        return Blobs(blobs.file, None, None, f"over {MAX_LINES} lines")
    return blobs


def _file(edit: Edit, rules: tuple[Rule, ...]) -> Iterator[Finding]:
    hit = _triggered(edit, rules)
    for index, rule in enumerate(rules):
        if index in hit or not rule.triggers:
            yield from _capped(rule, edit)


def _triggered(edit: Edit, rules: tuple[Rule, ...]) -> frozenset[int]:
    """The rules with a pattern in the changed lines."""
    asked = [index for index, rule in enumerate(rules) if rule.triggers and rule.reads(edit)]
    return _triggers(rules).owners(edit.changed.joined(), asked)


@lru_cache(maxsize=8)
def _triggers(rules: tuple[Rule, ...]) -> Triggers:
    return Triggers((index, rule.triggers) for index, rule in enumerate(rules))


def _capped(rule: Rule, edit: Edit) -> Iterator[Finding]:
    for count, finding in enumerate(rule.check(edit)):
        if count == MAX_FINDINGS:
            yield finding._replace(
                line=0, message=f"more than {MAX_FINDINGS} findings of this rule in this file", quote=""
            )
            return
        yield _weighed(finding, edit)


def _weighed(finding: Finding, edit: Edit) -> Finding:
    """What others wrote or a tool generated is scored apart: a lost check there informs."""
    apart = edit.kind in {Kind.VENDORED, Kind.GENERATED} and finding.tier is Tier.HOLD and finding.side == "old"
    return finding._replace(tier=Tier.NOTE) if apart else finding
