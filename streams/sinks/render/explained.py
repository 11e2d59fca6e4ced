"""The decisions that the journal holds of a change, and what the same case gives now."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.sinks.render import text
from streams.sinks.render.differences import Difference, differences, told
from streams.sinks.render.safe import shown
from streams.sinks.render.sheet import Sheet, width_of_terminal

SCHEMA = "twohand.explanation/v1"
MOST = 8  # decisions
Row = Mapping[str, Any]


def explanation(change: str, then: Sequence[Row], now: Row) -> dict[str, Any]:
    """As data; `differences` are those between the last recorded decision and now."""
    differ = differences(then[-1], now) if then else []
    return {
        "schema": SCHEMA, "change": change, "then": list(then), "now": now,
        "differences": [one._asdict() for one in differ],
    }  # fmt: skip


def render(found: Row, *, quiet: bool, verbose: bool, colour: bool, width: int | None = None) -> str:
    """As text: what was decided when and what differed, what would be decided now, and why."""
    if quiet:
        return text.render(found["now"], quiet=True, verbose=False, colour=False)
    sheet = Sheet(width or width_of_terminal(), colour=colour)
    sheet.put(f"change {found['change'][:16]}, {text.count(len(found['then']), 'decision')} recorded")
    sheet.heading("then")
    _then(found["then"], sheet, verbose=verbose)
    sheet.heading("now")
    _when(found["now"], sheet)
    for one in found["differences"]:
        sheet.wrapped(told(Difference(**one)), indent=6)
    if found["then"] and not found["differences"]:
        sheet.put("      as in the last decision")
    body = text.render(found["now"], quiet=False, verbose=verbose, colour=colour, width=sheet.width)
    return f"{sheet.text()}\n{body}"


def _when(decision: Row, sheet: Sheet) -> None:
    outcome = sheet.paint(decision["outcome"], decision["outcome"])
    sheet.put(f"  {decision['decided_at']}  {outcome}  {decision['change']['head'][:12]}")


def _then(decisions: Sequence[Row], sheet: Sheet, *, verbose: bool) -> None:
    """The first with its reasons, each later one with what differs from the one before; equal ones as a count."""
    steps = [(at, row) for at, row in enumerate(decisions) if at == 0 or differences(decisions[at - 1], row)]
    first = 0 if verbose else max(len(steps) - MOST, 0)
    if first:
        sheet.put(f"  {first} earlier; -v shows all")
    for step, (at, row) in enumerate(steps[first:], first):
        _when(row, sheet)
        for one in differences(decisions[at - 1], row) if at else ():
            sheet.wrapped(told(one), indent=6, as_="dim")
        if not at:
            sheet.wrapped(
                ", ".join(dict.fromkeys(shown(reason["code"], 60) for reason in row["reasons"])), indent=6, as_="dim"
            )
        again = (steps[step + 1][0] if step + 1 < len(steps) else len(decisions)) - at - 1
        if again:
            sheet.put(f"      decided so {again} more {'time' if again == 1 else 'times'}")
    if not decisions:
        sheet.put("  no decision is recorded")
