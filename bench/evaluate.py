"""Measures the rules about lost checks, and computes their weights: `python -m bench.evaluate MIRROR_DIR ROWS.jsonl... [--write]`.

Rows and repositories are those of bench.corpus; rows with `label` = "message" were found by what their message says (bench.sample) and
count apart. Every figure is cross-validated by repository: a change is judged by weights and thresholds of the other repositories.
`--write` writes rules/data/weights.toml, from all rows, and docs/detection.md.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.corpus import changes
from bench.fitting import Case, Sum, fit, thresholds
from bench.tables import document, toml
from rules import risk
from rules.catalogue import all_rules
from rules.findings import Tier
from rules.rule import Change
from rules.scan import limited, observed

ROOT = Path(__file__).parents[1]
FOLDS = 8
COSTS = (0.12, 0.005, 0.01)  # shares of ordinary changes that may be held, blocked by several signs, blocked with tests


class Judged(NamedTuple):
    """A case with the weights that were computed without its repository."""

    case: Case
    by: risk.Weights

    def tiers(self, *, tests: bool) -> set[Tier]:
        """What the change comes to; without what the tests of the change lost, if not `tests`."""
        lost = {self.tier_of(group if tests else group._replace(tested=False)) for group in self.case.groups}
        others = {tier for slug, tier in self.case.others if tests or slug != "test-weakened"}
        return lost | others

    def tier_of(self, group: risk.Group) -> Tier:
        """As the scan would decide, with these weights."""
        reached = risk.tier(group, self.by)
        weak = all(finding.tier is Tier.NOTE for finding in group.findings)
        return (
            Tier.NOTE if weak and not (reached is not Tier.NOTE and group.several) else Tier.HOLD if weak else reached
        )


def cases(rows: Sequence[dict[str, Any]], mirrors: Path) -> Iterator[Case]:
    """Every row whose repository and objects are there."""
    rules = all_rules()
    for row, blobs in changes(rows, mirrors):
        change = Change(limited(each) for each in blobs)
        found = observed(change, rules)
        groups = tuple(risk.groups(found))
        inside = {id(finding) for group in groups for finding in group.findings}
        others = frozenset((f.rule, f.tier) for _, f in found if id(f) not in inside)
        rules_seen = frozenset((f.rule, f.tier) for _, f in found)
        change.forget()
        yield Case(row, groups, others, rules_seen)


def judged(found: Sequence[Case]) -> list[Judged]:
    """Each case with weights of the other repositories."""
    names = sorted({case.row["repo"] for case in found})
    answers = []
    for fold in (set(names[index::FOLDS]) for index in range(FOLDS)):
        by = weights([case for case in found if case.row["repo"] not in fold])
        answers += [Judged(case, by) for case in found if case.row["repo"] in fold]
    return answers


def weights(found: Sequence[Case]) -> risk.Weights:
    """Signs fitted to the cases, and the thresholds that cost ordinary changes no more than they may."""
    summed: Sum = fit(found, frozenset(risk.SEEN))
    return risk.Weights(summed.bias, summed.signs, *thresholds(found, summed, COSTS))


def curve(found: Sequence[Case], shares: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    """From the share of ordinary changes that may be held to recall and benign share, by lost checks alone, cross-validated."""
    names = sorted({case.row["repo"] for case in found})
    fits = []
    for fold in (set(names[index::FOLDS]) for index in range(FOLDS)):
        others = [case for case in found if case.row["repo"] not in fold]
        fits.append((fold, others, fit(others, frozenset(risk.SEEN))))
    for share in shares:
        held: dict[bool, list[bool]] = defaultdict(list)
        for fold, others, summed in fits:
            limit, *_ = thresholds(others, summed, (share, share, share))
            for case in found:
                if case.row["repo"] in fold and not case.by_message:
                    held[case.is_weak].append(summed.best(case) >= limit)
        yield share, _share(held[True]), _share(held[False])


def _share(answers: Sequence[bool]) -> float:
    return sum(answers) / max(len(answers), 1)


def rates(answers: Sequence[Judged], keep: Callable[[Case], bool], *, tests: bool) -> tuple[int, float, float]:
    """Number, share held or blocked, share blocked."""
    tiers = [each.tiers(tests=tests) for each in answers if keep(each.case)]
    held = sum(bool({Tier.HOLD, Tier.BLOCK} & each) for each in tiers)
    blocked = sum(Tier.BLOCK in each for each in tiers)
    return len(tiers), held / max(len(tiers), 1), blocked / max(len(tiers), 1)


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = [json.loads(line) for path in options.rows for line in path.read_text().splitlines() if line.strip()]
    found = list(cases(rows, options.mirrors))
    answers = judged(found)
    shares = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.12)
    by = weights(found)
    text = document(answers, rates, tuple(curve(found, shares)), (len(rows), len(found)), by)
    print(text)
    if options.write:
        (ROOT / "docs" / "detection.md").write_text(text, encoding="utf-8")
        (ROOT / "rules" / "data" / "weights.toml").write_text(toml(by, found), encoding="utf-8")


if __name__ == "__main__":
    main()
