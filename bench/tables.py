"""Writes what bench.evaluate measured, as docs/detection.md and rules/data/weights.toml."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.fitting import Case
from rules import risk
from rules.findings import Tier

Rates = Callable[..., tuple[int, float, float]]

_HEAD = """# Detection, measured

<!-- Written by `python -m bench.evaluate MIRROR_DIR ROWS... --write`. -->

What the rules find in changes whose label is known, on {date}. Every figure is cross-validated by repository: a change is judged by
weights and thresholds that were computed from the other repositories ({read} of {rows} changes could be read).

*Weakening*: a security fix, asked in reverse, so that the change takes the check away. *Ordinary*: sampled from the same projects. *By
message*: fixes that were found by what their message says, and that nobody read; many of them add no check, so their recall is a lower
bound. Held means held or blocked.
"""

_LIMITS = """## Limits of the data

- Security fixes are often committed with their tests. Asked in reverse, the tests leave with the check, which real attackers need not do.
  The columns *without tests* judge as if no test had changed.
- Ordinary changes were sampled, not verified: some of them may weaken something. They come from projects that care about security and
  have many commits close to authentication, so elsewhere fewer should be held.
- Few labelled changes are in C, C#, Rust or Kotlin; where a language has under ten rows, read the number as an anecdote.
- The people who wrote the rules have read the labelled changes. The weights have not seen a change's own repository; the rules have.
- Removed protection that leaves no word of protection behind (a changed formula, a wider source of data) is not found.
"""


def document(
    answers: Sequence[Any],
    rates: Rates,
    curve: Sequence[tuple[float, float, float]],
    counts: tuple[int, int],
    by: risk.Weights,
) -> str:
    """The whole page; `by` are the weights of all rows, which the scan uses."""
    rows, read = counts
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", read=read, rows=rows)
    parts = [head, _totals(answers, rates), _curve(curve)]
    parts += [
        _by(answers, rates, "language"),
        _by(answers, rates, "shape"),
        _rules(answers),
        _weights(by),
        _LIMITS,
    ]
    return "\n".join(parts)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _totals(answers: Sequence[Any], rates: Rates) -> str:
    kinds: list[tuple[str, Callable[[Case], bool]]] = [
        ("weakening, read by a person", lambda case: case.is_weak and not case.by_message),
        ("ordinary", lambda case: case.row["kind"] == "benign" and not case.by_message),
        ("ordinary, marked as written by an AI", lambda case: case.row["kind"] == "benign-ai" and not case.by_message),
        ("weakening, by message", lambda case: case.is_weak and case.by_message),
        ("ordinary, second sample", lambda case: case.row["kind"].startswith("benign") and case.by_message),
    ]
    rows = []
    for name, keep in kinds:
        (number, held, blocked), (_, bare, bare_blocked) = (
            rates(answers, keep, tests=tests) for tests in (True, False)
        )
        if number:
            rows.append([name, str(number), *(f"{share:.1%}" for share in (held, blocked, bare, bare_blocked))])
    columns = ("changes", "number", "held", "blocked", "held without tests", "blocked without tests")
    return _table("In all", columns, rows)


def _curve(points: Sequence[tuple[float, float, float]]) -> str:
    rows = [[f"{allowed:.1%}", f"{benign:.1%}", f"{recall:.1%}"] for allowed, recall, benign in points]
    note = "What the lost checks alone find (no other rule), by the share of ordinary changes that the threshold may cost.\n"
    columns = ("allowed when fitted", "ordinary changes over it", "weakenings over it")
    return _table("The curve", columns, rows) + "\n" + note


def _by(answers: Sequence[Any], rates: Rates, field: str) -> str:
    def of(value: str) -> Callable[[Case], bool]:
        return lambda case: case.is_weak and not case.by_message and case.row.get(field, "") == value

    cases = [each.case for each in answers if each.case.is_weak and not each.case.by_message]
    rows = []
    for value in sorted({case.row.get(field, "") for case in cases}):
        number, held, blocked = rates(answers, of(value), tests=True)
        _, bare, _ = rates(answers, of(value), tests=False)
        rows.append([value, str(number), f"{held:.0%}", f"{blocked:.0%}", f"{bare:.0%}"])
    return _table(f"By {field}", (field, "number", "held", "blocked", "held without tests"), rows)


def _rules(answers: Sequence[Any]) -> str:
    """Precision as if weakenings and ordinary changes were equally many; that is what a weight is made of."""
    cases = [each.case for each in answers if each.case.row["kind"] != "attack"]
    weak = [case for case in cases if case.is_weak]
    benign = [case for case in cases if not case.is_weak]
    rows = [list(_rule(slug, weak, benign)) for slug in sorted({*risk.SEEN, *_slugs(cases)})]
    columns = ("rule", "weakenings found", "recall", "ordinary changes", "share", "precision at equal numbers")
    note = "A rule counts where it holds or blocks by itself, before the signs are added up; all rows, also those by message.\n"
    return _table("By rule", columns, rows) + "\n" + note


def _slugs(cases: Sequence[Case]) -> Iterator[str]:
    yield from (slug for case in cases for slug, tier in case.seen if tier is not Tier.NOTE)


def _counts(slug: str, weak: Sequence[Case], benign: Sequence[Case]) -> tuple[list[int], list[float]]:
    """How many of each a rule holds or blocks by itself, and which share of them."""
    counts = [
        sum(any(rule == slug and tier is not Tier.NOTE for rule, tier in case.seen) for case in group)
        for group in (weak, benign)
    ]
    return counts, [count / max(len(group), 1) for count, group in zip(counts, (weak, benign), strict=True)]


def _rule(slug: str, weak: Sequence[Case], benign: Sequence[Case]) -> Iterator[str]:
    counts, shares = _counts(slug, weak, benign)
    precision = f"{shares[0] / sum(shares):.0%}" if sum(shares) else "not seen"
    yield from (f"`{slug}`", str(counts[0]), f"{shares[0]:.1%}", str(counts[1]), f"{shares[1]:.1%}", precision)


def _weights(by: risk.Weights) -> str:
    rows = [[f"`{sign}`", f"{weight:+.2f}"] for sign, weight in sorted(by.signs.items(), key=lambda item: -item[1])]
    note = (
        f"A function's signs are added to {by.bias:+.2f}; from {by.hold:+.2f} on it is held, from {by.several:+.2f} on\n"
        f"blocked if two of its places agree, from {by.tested:+.2f} on if the tests of the change ask less too.\n"
    )
    return _table("The weights", ("sign", "weight"), rows) + "\n" + note


def toml(by: risk.Weights, cases: Sequence[Case]) -> str:
    """The weights as the law reads them."""
    weak = sum(case.is_weak for case in cases)
    head = [
        f"# Computed by `python -m bench.evaluate --write` on {datetime.now(UTC):%Y-%m-%d} from {weak} weakenings and",
        f"# {len(cases) - weak} other changes; see docs/detection.md. Natural logarithms.",
        f"bias = {by.bias:.3f}",
        f"hold = {by.hold:.3f}",
        f"several = {by.several:.3f}",
        f"tested = {by.tested:.3f}",
        "",
        "[signs]",
    ]
    signs = (f'"{sign}" = {weight:.3f}' for sign, weight in sorted(by.signs.items()))
    return "\n".join([*head, *signs, "", *_measured(cases)])


def _measured(cases: Sequence[Case]) -> Iterator[str]:
    """What rules.figures reads: each rule that held or blocked anything by itself."""
    kept = [case for case in cases if case.row["kind"] != "attack"]
    weak = [case for case in kept if case.is_weak]
    benign = [case for case in kept if not case.is_weak]
    for slug in sorted(set(_slugs(kept))):
        counts, shares = _counts(slug, weak, benign)
        yield from (f"[measured.{slug}]", f"weakenings = {counts[0]}", f"recall = {shares[0]:.4f}")
        yield from (f"ordinary = {counts[1]}", f"share = {shares[1]:.4f}")
        yield from (f"precision = {shares[0] / sum(shares):.4f}", "")
