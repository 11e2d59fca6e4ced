"""`twohand cost`: what the model reviewers took, and what came of it."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rules import instants
from rules.shape import seconds_of
from streams.commands import options
from streams.commands.options import HERE, Paged
from streams.sinks.render.safe import shown
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.judges.ledger import Entry
    from streams.judges.upheld import Worth

Since = Annotated[
    str, typer.Option("--since", metavar="7d", help="How far back; default: everything.", show_default=False)
]
COLUMNS = (
    "reviewer",
    "reviews",
    "no cost",
    "failed",
    "tokens in",
    "tokens out",
    "money",
    "findings",
    "upheld",
    "per upheld",
)


class NoSpan(SourceError):
    """This is no span of time."""


def register(app: typer.Typer) -> None:
    """The command."""
    app.command(name="cost")(cost)


def cost(
    *,
    since: Since = "",
    where: options.Where = HERE,
    fmt: options.AsPage = Paged.TEXT,
    settings: options.Settings = None,
) -> int:
    """Say what model reviews took: tokens and money.

    And money for each finding that somebody acted on. A finding is upheld where the change went on and its file is another now. Money is in whatever unit the prices are.
    """
    from streams.desk import Desk  # noqa: PLC0415 - the help page needs none of it
    from streams.judges.ledger import entries_of, in_folder  # noqa: PLC0415
    from streams.judges.upheld import upheld  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        start = instants.later(desk.now(), -_seconds(since)) if since else ""
        journal = desk.memory(write=False).journal
        entries = [*entries_of(journal, start), *in_folder(desk.repo.common_dir, start)]
        worth = upheld(journal.events(), start) if journal and entries else {}
    rows = summed(entries, worth)
    if fmt is Paged.JSON:
        print(json.dumps({"schema": "twohand.cost/v1", "since": start or None, "reviewers": rows}, indent=2))
    else:
        print("\n".join(_table(rows, since)))
    return 0


def summed(entries: "Iterable[Entry]", worth: "dict[str, Worth]") -> list[dict[str, Any]]:
    """One row for each reviewer, and `total` at the end; money in whole units, null where nothing was upheld."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.reviewer, []).append(entry)
    rows = [_row(name, group, _worth(worth, [name])) for name, group in sorted(by_name.items())]
    if len(rows) > 1:
        everything = [entry for group in by_name.values() for entry in group]
        rows.append(_row("total", everything, _worth(worth, list(by_name))))
    return rows


def _worth(worth: "dict[str, Worth]", names: list[str]) -> tuple[int, int]:
    found = [worth[name] for name in names if name in worth]
    return sum(one.findings for one in found), sum(one.upheld for one in found)


def _row(name: str, entries: "list[Entry]", worth: tuple[int, int]) -> dict[str, Any]:
    from streams.judges.ledger import total  # noqa: PLC0415
    from streams.settings_reviewers import MILLION  # noqa: PLC0415

    came, went, micros = total(entries)
    statuses: dict[str, int] = {}
    for entry in entries:
        statuses[entry.status] = statuses.get(entry.status, 0) + 1
    findings, acted = worth
    return {
        "reviewer": name, "reviews": len(entries), "cached": sum(entry.cached for entry in entries),
        "statuses": dict(sorted(statuses.items())), "tokens_in": came, "tokens_out": went,
        "exact": all(entry.exact or not entry.tokens_in + entry.tokens_out for entry in entries), "money": micros / MILLION,
        "seconds": round(sum(entry.seconds for entry in entries), 1), "findings": findings, "upheld": acted,
        "money_per_upheld": micros / MILLION / acted if acted else None,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]], since: str) -> "Iterator[str]":
    if not rows:
        yield f"no model review{f' in the last {shown(since)}' if since else ''}: nothing was spent"
        return
    cells = [COLUMNS, *(tuple(_cells(row)) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(COLUMNS))]
    for row in cells:
        first, *rest = row
        numbers = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *numbers)).rstrip()
    if not all(row["exact"] for row in rows):
        yield "~ some tokens are estimated: the endpoint did not count them, or the review was broken off"


def _cells(row: dict[str, Any]) -> "Iterator[str]":
    about = "" if row["exact"] else "~"
    failed = sum(count for status, count in row["statuses"].items() if status != "completed")
    per = row["money_per_upheld"]
    yield from (shown(row["reviewer"], 64), str(row["reviews"]), str(row["cached"]), str(failed))
    yield from (f"{about}{row['tokens_in']:,}", f"{about}{row['tokens_out']:,}", f"{row['money']:.4f}")
    yield from (str(row["findings"]), str(row["upheld"]), "-" if per is None else f"{per:.4f}")


def _seconds(text: str) -> int:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise NoSpan(f"--since {text!r} {error}.", remedy="Write it as 30m, 12h or 7d.") from None
