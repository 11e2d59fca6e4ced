"""`twohand rules list`: the rules of the catalogue."""

from typing import Any

import typer

from streams.commands import options
from streams.commands.options import Listed
from streams.sinks.render import write


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What the gate looks for in a change.", no_args_is_help=True)
    group.command(name="list")(list_)
    app.add_typer(group, name="rules")


def list_(*, fmt: options.AsList = Listed.TEXT, output: options.Output = None) -> int:
    """Every rule: id, name, tier, languages, and what it finds."""
    rows = _rows()
    if fmt is Listed.JSON:
        write.data(write.as_json(rows), output)
    elif fmt is Listed.JSONL:
        write.data("".join(write.as_json(row, indent=None) for row in rows), output)
    else:
        write.data(_table(rows, colour=output is None and write.wants_colour()), output)
    return 0


def _rows() -> list[dict[str, Any]]:
    from inspect import cleandoc  # noqa: PLC0415

    from rules.catalogue import all_rules  # noqa: PLC0415 - other commands need none of it

    return [
        {
            "id": rule.id, "rule": rule.slug, "tier": rule.tier.value, "since": rule.since,
            "languages": list(rule.languages), "title": cleandoc(rule.__doc__ or rule.slug).splitlines()[0],
        }
        for rule in sorted(all_rules(), key=lambda rule: rule.id)
    ]  # fmt: skip


def _table(rows: list[dict[str, Any]], *, colour: bool) -> str:
    from streams.sinks.render.sheet import Sheet, width_of_terminal  # noqa: PLC0415

    sheet = Sheet(width_of_terminal(), colour=colour)
    column = max(len(row["rule"]) for row in rows)
    for row in rows:
        tier = sheet.paint(row["tier"], row["tier"]) + " " * (5 - len(row["tier"]))
        languages = _languages(row["languages"])
        sheet.put(f"{row['id']}  {row['rule'].ljust(column)}  {tier}  {languages}")
        sheet.wrapped(row["title"], indent=7, as_="dim")
    sheet.gap()
    sheet.wrapped("`twohand explain RULE` tells what a rule does, why, and what to do instead.", indent=0)
    return sheet.text()


def _languages(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names) or "any text"
