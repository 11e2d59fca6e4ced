"""A decision in words, for people: the outcome, why, who made it, who spoke, what was seen, and what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.sinks.render import stamps, words
from streams.sinks.render.people import OWN_LOOK, SOURCE, authors, reviews
from streams.sinks.render.safe import columns, shown
from streams.sinks.render.sheet import Sheet, width_of_terminal
from streams.sinks.render.steps import next_steps

Decision = Mapping[str, Any]
MOST = 8  # rows of a list before it is cut
OF_A_RULE = 2  # findings
CODE = 24  # the widest column of codes
BESIDE = "published beside it: "  # before names in `read_from`
JOURNAL = "/twohand/journal.db"  # where one ends that was read
ID = 64  # digits of a statement's id
TIERS = ("block", "hold", "note")


def render(decision: Decision, *, quiet: bool, verbose: bool, colour: bool, width: int | None = None) -> str:
    """The decision as text that ends with a line feed; one line when `quiet`, nothing cut when `verbose`."""
    if quiet:
        return _line(decision)
    sheet = Sheet(width or width_of_terminal(), colour=colour)
    _outcome(decision, sheet)
    _why(decision, sheet, verbose=verbose)
    _requirements(decision, sheet, verbose=verbose)
    authors(decision, sheet, verbose=verbose)
    reviews(decision, sheet, verbose=verbose)
    _findings(decision, sheet, verbose=verbose)
    _owners(decision, sheet, verbose=verbose)
    next_steps(decision, sheet)
    _small_print(decision, sheet, verbose=verbose)
    return sheet.text()


def _line(decision: Decision) -> str:
    told = list(dict.fromkeys(f"{shown(r['code'])} {shown(r['subject'], 60)}" for r in decision["reasons"]))
    more = [f"and {len(told) - 3} more"] if len(told) > 3 else []
    outcome = decision["outcome"] + (" (simulated)" if "simulated" in decision else "")
    return " ".join([outcome, "; ".join([*told[:3], *more])]).rstrip() + "\n"


def short(ref: str) -> str:
    """A branch without its folder."""
    return shown(ref.removeprefix("refs/heads/"))


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def judged(decision: Decision) -> str:
    """What the decision is about, in one line."""
    change = decision["change"]
    head = change["head"][:12]
    number = f"#{shown(change['number'])} " if change["number"] else ""
    origin = f"{number}{short(change['branch'])} ({head})" if change["branch"] else f"{number}{head}"
    size = f"{count(change['commits'], 'commit')}, {count(change['files'], 'file')}, +{change['added']} -{change['removed']}"
    return f"{origin} -> {short(change['target'])}, {size}"


def _outcome(decision: Decision, sheet: Sheet) -> None:
    outcome = decision["outcome"]
    sheet.row(outcome, judged(decision), indent=0, column=len(outcome))
    if supposed := decision.get("simulated"):
        told = ", ".join(map(shown, supposed))
        sheet.row("simulated", f"{told}; nothing is recorded", indent=0, column=max(len(outcome), 9))


# -- why ----------------------------------------------------------------------------------------------------------


def _why(decision: Decision, sheet: Sheet, *, verbose: bool) -> None:
    groups = _grouped(decision["reasons"])
    if not groups:
        return
    sheet.heading("why")
    column = max((columns(code) for _, code in groups if columns(code) <= CODE), default=CODE)
    told = None
    for (requirement, code), reasons in groups.items():
        if requirement != told:
            sheet.put(f"  {_asked(requirement, decision)}")
        told = requirement
        for at, text in enumerate(_cut(_sentences(reasons), verbose=verbose, most=4)):
            sheet.row("" if at else code, text, indent=4, column=column)


def _grouped(reasons: Sequence[Decision]) -> dict[tuple[str, str], list[Decision]]:
    """By requirement and code, both in the order in which they first occur."""
    by_requirement: dict[str, list[Decision]] = {}
    for reason in reasons:
        by_requirement.setdefault(reason["requirement"], []).append(reason)
    groups: dict[tuple[str, str], list[Decision]] = {}
    for rows in by_requirement.values():
        for reason in rows:
            groups.setdefault((reason["requirement"], shown(reason["code"], 60)), []).append(reason)
    return groups


def _sentences(reasons: Sequence[Decision]) -> list[str]:
    return list(dict.fromkeys(words.line(reason) for reason in reasons))


def _asked(requirement: str, decision: Decision) -> str:
    if not requirement:
        return "the change itself"
    row = next((row for row in decision["requirements"] if row["name"] == requirement), None)
    return f"{shown(requirement)} ({row['counted']} of {row['needed']})" if row else shown(requirement)


def _cut(rows: Sequence[str], *, verbose: bool, most: int = MOST) -> list[str]:
    if verbose or len(rows) <= most:
        return list(rows)
    return [*rows[: most - 1], f"and {len(rows) - most + 1} more; -v shows all"]


def _requirements(decision: Decision, sheet: Sheet, *, verbose: bool) -> None:
    """What is met; what is not is told under `why`."""
    shown_states = ("met", "unmet", "not-applicable") if verbose else ("met",)
    rows = [row for row in decision["requirements"] if row["state"] in shown_states]
    if not rows:
        return
    sheet.heading("requirements")
    column = max(len(row["state"]) for row in rows)
    for row in rows:
        number = f" ({row['counted']} of {row['needed']})" if row["needed"] else ""
        source = f", {shown(row['policy'])}" if verbose else ""
        sheet.row(row["state"], f"{shown(row['name'])}{number}{source}", column=column)


# -- what was seen, and whose it is -------------------------------------------------------------------------------


def _findings(decision: Decision, sheet: Sheet, *, verbose: bool) -> None:
    rows = sorted(decision["findings"], key=lambda row: TIERS.index(row["tier"]))
    if not rows:
        return
    sheet.heading("findings")
    kept = list(rows) if verbose else _few(rows)
    for row in kept:
        sheet.row(row["tier"], f"{_place(row)}  {shown(row['rule'])}", column=5)
        sheet.wrapped(shown(row["message"]), indent=9)
        if row["quote"]:
            sheet.put(f"         {'-' if row['side'] == 'old' else '+'} {shown(row['quote'], sheet.width - 12)}")
    if len(kept) < len(rows):
        sheet.put(f"  and {len(rows) - len(kept)} more; -v shows all")


def _few(rows: Sequence[Decision]) -> list[Decision]:
    """The first of each rule, so that many of one sort hide no other."""
    told: dict[str, int] = {}
    kept: list[Decision] = []
    for row in rows:
        told[row["rule"]] = told.get(row["rule"], 0) + 1
        if told[row["rule"]] <= OF_A_RULE and len(kept) < MOST:
            kept.append(row)
    return kept


def _place(row: Decision) -> str:
    if not row["path"]:
        return "the change"
    line = f":{row['line']}" if row["line"] else ""
    return f"{shown(row['path'])}{line}{' (before)' if line and row['side'] == 'old' else ''}"


def _owners(decision: Decision, sheet: Sheet, *, verbose: bool) -> None:
    groups: dict[tuple[str, str], list[str]] = {}
    for row in decision["owners"]:
        groups.setdefault((row["state"], _whose(row, decision)), []).append(shown(row["path"]))
    if not groups:
        return
    sheet.heading("owners")
    column = max(len(state) for state, _ in groups)
    for (state, names), paths in groups.items():
        told = ", ".join(_cut(paths, verbose=verbose, most=4))
        sheet.row(state, f"{names}: {told}" if names else told, column=column)


def _whose(row: Decision, decision: Decision) -> str:
    """The owners; where they approved, only those whose approval counts."""
    if row["state"] != "approved":
        return ", ".join(map(shown, row["owners"])) or "nobody"
    said = {one["reviewer"] for one in decision["reviews"] if one["verdict"] == "approve" and one["counts"]}
    signed = ", ".join(shown(name) for name in row["owners"] if name in said)
    return f"by {signed}" if signed else ""


def _read(entry: str) -> str:
    """What was read, in words: no path of the machine that read it, ids of 64 digits cut, a source's review without a name."""
    begun, beside, names = entry.partition(BESIDE)
    if begun or not beside:
        return "the journal" if entry.endswith(JOURNAL) else shown(entry)
    told = [OWN_LOOK if name == SOURCE else shown(name[:12] if len(name) == ID else name) for name in names.split(", ")]
    return f"{BESIDE}{', '.join(told)}"


def _small_print(decision: Decision, sheet: Sheet, *, verbose: bool) -> None:
    sheet.gap()
    if decision["stamps"]:
        sheet.wrapped(f"stamps: {', '.join(map(stamps.told, decision['stamps']))}", indent=0, as_="dim")
    read = map(shown if verbose else _read, decision["read_from"])
    sheet.wrapped(f"read from: {', '.join(read) or 'nothing'}", indent=0, as_="dim")
    for row in decision["policy"] if verbose else ():
        digest = row["digest"] or "unreadable"
        sheet.wrapped(
            f"policy: {shown(row['source'])} ({row['role']}), {row['outcome']}, {digest}", indent=0, as_="dim"
        )
    ending = f", content {decision['change']['content_key']}" if verbose else ""
    sheet.wrapped(
        f"change {decision['change']['id'][:16]}, decided {decision['decided_at']}{ending}", indent=0, as_="dim"
    )
