"""Rules tried on their own examples: what `twohand rules test` reports."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rules.findings import Finding
from rules.rule import Diff, Example, Rule
from rules.scan import scan

HOLDS, PASSES = "holds", "passes"


class Failure(NamedTuple):
    """An example in which a rule did not do what its file says. `number` counts from 1 in its part."""

    rule: Rule
    part: str  # holds or passes
    number: int
    example: Example
    found: tuple[Finding, ...]


def failures(rule: Rule) -> Iterator[Failure]:
    """Examples of `holds` without a finding of this rule, and of `passes` with one."""
    for part, examples in ((HOLDS, rule.HOLDS), (PASSES, rule.PASSES)):
        for number, example in enumerate(examples, 1):
            found = tuple(_found(rule, example))
            if bool(found) is (part == PASSES):
                yield Failure(rule, part, number, example, found)


def untested(rules: Iterable[Rule]) -> list[str]:
    """The rules that have no example in which they must find something."""
    return [rule.slug for rule in rules if not rule.HOLDS]


def _found(rule: Rule, example: Example) -> Iterator[Finding]:
    files = (example,) if isinstance(example, Diff) else example
    seen = scan([file.blobs() for file in files], rules=(rule,))
    return (finding for finding in seen.findings if finding.rule == rule.slug)
