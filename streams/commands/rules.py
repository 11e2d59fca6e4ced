"""`twohand rules list|test|new|import-gitleaks`: what looks at changes, and what a repository adds to it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import VERSION
from streams.commands import options
from streams.commands.options import HERE, Listed
from streams.sinks.render import write

if TYPE_CHECKING:
    from rules.own.trial import Failure
    from streams.rulebook import Rulebook

FAILED, INVALID = 1, 2
Directory = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="A directory of rule files, or one file; default: that of the policy.", show_default=False
    ),
]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="What the rule is called, such as tenant-filter-dropped.")]
Python = Annotated[bool, typer.Option("--python", help="A rule of the catalogue, in twohand's own source.")]
Gitleaks = Annotated[Path, typer.Argument(metavar="FILE", help="A gitleaks configuration.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What the gate looks for in a change.", no_args_is_help=True)
    group.command(name="list")(list_)
    group.command(name="test")(try_)
    group.command(name="new")(new)
    group.command(name="import-gitleaks")(import_gitleaks)
    app.add_typer(group, name="rules")


# -- list --------------------------------------------------------------------------------------------------------------


def list_(
    *, where: options.Where = HERE, fmt: options.AsList = Listed.TEXT, output: options.Output = None,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Every rule: what it finds, and where it comes from.

    With id, name, tier and languages. Own rules are those of the default branch, which judge changes now.
    """
    from streams.rulebook import rulebook  # noqa: PLC0415 - other commands need none of it

    book = rulebook(where, settings)
    rows = _rows(book)
    if fmt is Listed.JSON:
        write.data(write.as_json(rows), output)
    elif fmt is Listed.JSONL:
        write.data("".join(write.as_json(row, indent=None) for row in rows), output)
    else:
        write.data(_table(rows, colour=output is None and write.wants_colour()), output)
    for problem in book.problems:
        print(f"error: {problem}", file=sys.stderr)
    return INVALID if book.problems else 0


def _rows(book: "Rulebook") -> list[dict[str, Any]]:
    from inspect import cleandoc  # noqa: PLC0415

    return [
        {
            "id": rule.id, "rule": rule.slug, "tier": rule.tier.value, "since": rule.since,
            "languages": list(rule.languages), "title": cleandoc(rule.__doc__ or rule.slug).splitlines()[0],
            "source": source,
        }
        for rule, source in sorted(book.entries, key=lambda entry: (entry.source != "catalogue", entry.rule.id))
    ]  # fmt: skip


def _table(rows: list[dict[str, Any]], *, colour: bool) -> str:
    from streams.sinks.render.sheet import Sheet, width_of_terminal  # noqa: PLC0415

    sheet = Sheet(width_of_terminal(), colour=colour)
    column = max(len(row["rule"]) for row in rows)
    for row in rows:
        tier = sheet.paint(row["tier"], row["tier"]) + " " * (5 - len(row["tier"]))
        languages = _languages(row["languages"])
        sheet.put(f"{row['id']}  {row['rule'].ljust(column)}  {tier}  {languages}")
        own = "" if row["source"] == "catalogue" else f" [{row['source']}]"
        sheet.wrapped(row["title"] + own, indent=7, as_="dim")
    sheet.gap()
    sheet.wrapped("`twohand explain RULE` tells what a rule does, why, and what to do instead.", indent=0)
    return sheet.text()


def _languages(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names) or "any text"


# -- test --------------------------------------------------------------------------------------------------------------


def try_(place: Directory = None, *, where: options.Where = HERE) -> int:
    """Try own rules on their examples.

    As they lie in the working tree. Exit code 0 where all do what they say, 1 where an example does not, 2 with every mistake where a file is no rule.
    """
    from rules.own.trial import failures, untested  # noqa: PLC0415
    from streams.rulebook import NoRules, directory_of, tried  # noqa: PLC0415

    named = place or directory_of(where)
    if named is None:
        raise NoRules(
            "The policy of the working tree names no directory of own rules.",
            remedy='Name one here, or add to twohand.toml: [rules] directory = ".twohand/rules".',
        )
    rules = tried(named)
    wrong = [failure for rule in rules for failure in failures(rule)]
    for failure in wrong:
        print("\n".join(_told(failure)))
    for slug in untested(rules):
        print(f"note: {slug} has no example that it must find: add [[rule.holds]]", file=sys.stderr)
    count = sum(len(rule.HOLDS) + len(rule.PASSES) for rule in rules)
    print(f"{_many(len(rules), 'rule')}, {_many(count, 'example')}, {len(wrong)} wrong")
    return FAILED if wrong else 0


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _told(failure: "Failure") -> list[str]:
    from rules.own.trial import HOLDS  # noqa: PLC0415
    from streams.docs_rules import diff_lines  # noqa: PLC0415

    spec = getattr(failure.rule, "spec", None)
    said = "must be found, and is not" if failure.part == HOLDS else "must stay silent, and is found"
    head = f"{spec.source if spec else failure.rule.slug}: {failure.rule.slug}: example {failure.number} of {failure.part} {said}"
    found = [f"  {one.side} line {one.line}: {one.message}: {one.quote}" for one in failure.found]
    return [head, *(f"  {line}" for line in diff_lines(failure.example)), *found, ""]


# -- new, import-gitleaks ----------------------------------------------------------------------------------------------


def new(slug: Slug, *, python: Python = False, where: options.Where = HERE) -> int:
    """Write the first words of a rule, with examples.

    They can be tried at once. Into the directory that the policy of the working tree names; with --python, a rule of the catalogue.
    """
    from streams.rule_skeleton import write_catalogued, write_own  # noqa: PLC0415
    from streams.rulebook import DEFAULT_DIRECTORY, directory_of  # noqa: PLC0415

    if python:
        path = write_catalogued(where, slug, VERSION.rpartition(".")[0])
        print(f"{path} is written. Edit it, then run `python -m pytest tests/rules/test_catalog.py` and `make docs`.")
        return 0
    named = directory_of(where)
    path = write_own(named or where / DEFAULT_DIRECTORY, slug)
    print(f"{path} is written. Edit it, then run `twohand rules test{'' if named else f' {path.parent}'}`.")
    if named is None:
        print(f'It judges nothing before twohand.toml says: [rules] directory = "{DEFAULT_DIRECTORY}".')
    return 0


def import_gitleaks(file: Gitleaks, *, output: options.Output = None) -> int:
    """Write the rules of a gitleaks configuration as own rules.

    What they ask beside a pattern is told one by one: such a rule becomes a note, or is left out.
    """
    from rules.own.gitleaks import convert  # noqa: PLC0415
    from streams.rulebook import NoRules, files_of  # noqa: PLC0415

    if file.is_dir():
        raise NoRules(f"{file} is a directory.", remedy="Name the configuration file of gitleaks.")
    (read,) = files_of(file)
    made = convert(read.data, str(file))
    for said in made.told:
        print(f"note: {said}", file=sys.stderr)
    if not made.slugs:
        raise NoRules(f"{file} holds no rule that can be taken over.", remedy="The notes above say why.")
    write.data(made.toml, output)
    print(
        f"Taken over: {_many(len(made.slugs), 'rule')}. Add examples, and try them with `twohand rules test`.",
        file=sys.stderr,
    )
    return 0
