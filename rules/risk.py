"""A risk that adds up: what the rules about lost checks saw of one function, and what speaks for and against it.

Each sign has a weight, measured by `bench.evaluate` on labelled changes: how much likelier it makes it that a check was weakened
(natural logarithm). The sum decides whether a function's findings hold; where it is high and two places of the function agree, or the
tests agree, the change is blocked, by a finding of its own that names the signs.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rules import guards, packaged, places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.rule import Edit, remembered, visible

if TYPE_CHECKING:
    from rules.lines import Line

SLUG = "several-signs"
_TESTS = "test-weakened"
LARGE = 20  # lines lost by a function that is being rewritten
SEEN = {
    "auth-check-removed": "a refusal is gone",
    "predicate-weakened": "a condition asks less",
    "verification-call-dropped": "a verifying call is gone",
    "constant-time-compare-dropped": "a comparison in constant time is gone",
    "security-decorator-or-middleware-dropped": "what stood guard before it is gone",
    "trusted-value-replaced": "a value on file gave way to a typed one",
    "guard-bypassed": "there is a way round a guard",
    "scope-filter-dropped": "a query is wider",
    "escape-or-normalisation-dropped": "an escape or normalisation is gone",
    "raw-output-added": "a value is taken at its word",
    "sensitive-value-kept": "a secret stays in",
    "list-changed": "a list lets in more",
    "setting-relaxed": "a protection is switched down",
    "pattern-loosened": "a pattern is another one",
    "argument-dropped": "a deciding call is told less",
    "method-relaxed": "more methods are answered",
    "verdict-made-constant": "an answer is always yes",
    "limit-dropped": "a limit is gone",
    "guard-made-optional": "a guard is optional",
    "check-after-use": "a check comes too late",
    "recovery-step-dropped": "a step of account recovery is gone",
}
_AROUND = {
    "pure": "nothing came in its place",
    "fewer": "less came than went",
    "security-path": "the file decides who is let in",
}
_FLOOR = frozenset({"recovery-step-dropped", "trusted-value-replaced"})  # few, and dear: never below a hold


class Weights(NamedTuple):
    """What a sign weighs, and from which sums on a function is held, and blocked where places or tests agree."""

    bias: float
    signs: dict[str, float]
    hold: float
    several: float
    tested: float


class Group(NamedTuple):
    """What was found in one function of one file."""

    where: str
    findings: tuple[Finding, ...]
    signs: frozenset[str]
    several: bool  # two places of the function agree
    tested: bool  # the tests of the change ask less too


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The measured weights, from rules/data/weights.toml."""
    data = packaged.table("weights.toml")
    return Weights(data["bias"], data["signs"], data["hold"], data["several"], data["tested"])


def score(group: Group, by: Weights) -> float:
    """The sum over the signs."""
    return by.bias + sum(by.signs.get(sign, 0.0) for sign in group.signs)


def tier(group: Group, by: Weights) -> Tier:
    """What a function's findings come to, together."""
    total = score(group, by)
    if (group.several and total >= by.several) or (group.tested and total >= by.tested):
        return Tier.BLOCK
    return Tier.HOLD if total >= by.hold or any(each.rule in _FLOOR for each in group.findings) else Tier.NOTE


def judged(found: Sequence[tuple[Edit, Finding]]) -> Iterator[Finding]:
    """All findings of a change, those about lost checks with the tier that they come to together."""
    yield from (finding for edit, finding in found if not _adds_up(edit, finding))
    for group in groups(found):
        reached = tier(group, weights())
        yield from (_lowered(finding, reached) for finding in group.findings)
        holds = any(finding.tier is not Tier.NOTE for finding in group.findings)
        if (reached is Tier.BLOCK and holds) or (reached is Tier.HOLD and group.several and not holds):
            yield _together(group, reached)


def groups(found: Sequence[tuple[Edit, Finding]]) -> Iterator[Group]:
    """The findings about lost checks by file and function, in the order of the paths."""
    tested = any(finding.rule == _TESTS and finding.tier is not Tier.NOTE for _, finding in found)
    security = {finding.path for _, finding in found if finding.rule == "security-path"}
    sorted_in: dict[tuple[str, str], list[tuple[Edit, Finding]]] = {}
    for edit, finding in found:
        if _adds_up(edit, finding):
            sorted_in.setdefault((finding.path, _function(edit, finding)), []).append((edit, finding))
    for (path, name), mine in sorted(sorted_in.items(), key=lambda item: item[0]):
        signs = frozenset((*_signs(mine, name), *(["security-path"] if path in security else [])))
        where = visible(name.encode()) or "the module"
        several = len({_place(*each) for each in mine}) > 1
        yield Group(where, tuple(finding for _, finding in mine), signs, several, tested)


def _adds_up(edit: Edit, finding: Finding) -> bool:
    """What others wrote, or a tool generated, is never more than a note."""
    return finding.rule in SEEN and edit.kind in {Kind.PRODUCTION, Kind.DATA}


def _function(edit: Edit, finding: Finding) -> str:
    """The function of the old file that a finding speaks of, whichever side it stands on."""
    name = places.function_at(edit, finding.line, old=finding.side == "old")
    if finding.side == "old" or edit.both is None:
        return name
    return next((old for old, new in guards.pairs(edit).items() if new == name), name)


def _signs(mine: Sequence[tuple[Edit, Finding]], name: str) -> Iterator[str]:
    for _, finding in mine:
        yield finding.rule if finding.tier is not Tier.NOTE else f"{finding.rule}:weak"
        if vocabulary.is_guarding(finding.message):
            yield "access"
    if vocabulary.is_guarding(name):
        yield "function"
    rules = len({finding.rule for _, finding in mine})
    yield from ("two rules",) if rules == 2 else ("three rules",) if rules > 2 else ()
    lost, won = _balance(mine[0][0], name)
    yield from ("pure",) if not won and lost else ("fewer",) if won < lost else ()
    yield from ("rewritten",) if lost >= LARGE else ()


def _balance(edit: Edit, name: str) -> tuple[int, int]:
    """How many lines of code a function lost and won."""
    new = guards.pairs(edit).get(name, "") if edit.both is not None else ""
    return _lines(edit, old=True).get(name, 0), _lines(edit, old=False).get(new, 0)


@remembered
def _lines(edit: Edit, *, old: bool) -> dict[str, int]:
    changed: tuple[Line, ...] = edit.changed.removed if old else edit.changed.added
    counts: dict[str, int] = {}
    for line in changed:
        if swaps.is_code(line.text):
            name = places.function_at(edit, line.number, old=old)
            counts[name] = counts.get(name, 0) + 1
    return counts


def _place(edit: Edit, finding: Finding) -> tuple[str, int]:
    """Where a finding stands; all that lies in one lost condition is one place."""
    if finding.side != "old":
        return "new", finding.line
    return "old", _conditions(edit).get(finding.line, finding.line)


@remembered
def _conditions(edit: Edit) -> dict[int, int]:
    """From the lines of lost conditions to where the outermost of them begins."""
    found: dict[int, int] = {}
    for lost in sorted(guards.lost(edit), key=lambda lost: (lost.branch.line, -lost.branch.end)):
        for line in range(lost.branch.line, min(lost.branch.end, lost.branch.line + 200) + 1):
            found.setdefault(line, lost.branch.line)
    return found


def _lowered(finding: Finding, reached: Tier) -> Finding:
    return finding._replace(tier=Tier.NOTE) if reached is Tier.NOTE else finding


def _together(group: Group, reached: Tier) -> Finding:
    """One finding for all signs of a function."""
    first = min(group.findings, key=lambda each: (each.tier is Tier.NOTE, each.side != "old", each.line))
    seen = dict.fromkeys(SEEN[finding.rule] for finding in group.findings)
    beside = [said for sign, said in _AROUND.items() if sign in group.signs]
    tests = ["the tests of the change ask less too"] if group.tested else []
    said = "; ".join([*seen, *beside, *tests])
    return Finding(SLUG, reached, first.path, first.side, first.line, f"{group.where}: {said}", first.quote)
