"""`twohand explain CHANGE|RULE|CODE|STAMP`: why a recorded change was decided so, then and now; or what a rule, a reason or a stamp means."""

import json
from typing import Annotated, Any

import typer

from streams.commands import options
from streams.commands.options import HERE, Paged
from streams.sinks.render import write
from streams.sources.errors import SourceError

Name = Annotated[
    str,
    typer.Argument(
        metavar="[CHANGE|RULE|CODE|STAMP]",
        help="`latest`, a branch, the beginning of a change id, content key or head, #number; a rule; a reason code; a stamp.",
        show_default=False,
    ),
]


class UnknownName(SourceError):
    """No change, rule or reason is called so."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="explain")(explain)


def explain(
    name: Name = "latest", *, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT,
    output: options.Output = None, quiet: options.Quiet = False, verbose: options.Verbose = False,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Tell why a change was decided so, or what a word means.

    Of a recorded change: then and now. A word is a rule, a reason code or a stamp.
    """
    from streams.sinks.render import explained, meanings  # noqa: PLC0415 - other commands need none of it

    colour = output is None and write.wants_colour()
    if found := meanings.meaning(name) or _own_rule(name, where, settings):
        text = write.as_json(found) if fmt is Paged.JSON else meanings.page(found, colour=colour)
    else:
        told = _recorded(name, where, settings)
        text = (
            write.as_json(told)
            if fmt is Paged.JSON
            else explained.render(told, quiet=quiet, verbose=verbose, colour=colour)
        )
    write.data(text, output)
    return 0


def _own_rule(name: str, where: options.Where, settings: options.Settings) -> dict[str, Any] | None:
    """The documentation of an own rule, or of a package's; a name with a hyphen may be one."""
    from rules.reasons import FINDING  # noqa: PLC0415
    from streams.rulebook import CATALOGUE, rulebook  # noqa: PLC0415
    from streams.sinks.render import meanings  # noqa: PLC0415

    slug = name.removeprefix(FINDING)
    if not slug.replace("-", "").isalnum() or slug == "latest":
        return None
    for rule, source in rulebook(where, settings).entries:
        if rule.slug == slug:
            return meanings.of_rule(rule) | ({"source": source} if source != CATALOGUE else {})
    return None


def _recorded(name: str, where: options.Where, settings: options.Settings) -> dict[str, Any]:
    from rules.judgement import judge  # noqa: PLC0415
    from rules.record import record  # noqa: PLC0415
    from streams.commands.recall import NotRecorded, recall  # noqa: PLC0415
    from streams.desk import Desk  # noqa: PLC0415
    from streams.sinks.render import explained  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        try:
            found = recall(desk, name)
        except NotRecorded as error:
            raise UnknownName(error.message, remedy=f"{_near(name)}{error.remedy}") from None
        now = record(judge(found.case, desk.now()))
    return explained.explanation(found.change, [json.loads(made.decision) for made in found.decisions], now)


def _near(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    from streams.sinks.render import meanings  # noqa: PLC0415

    near = get_close_matches(name, meanings.names(), n=3)
    return f"Did you mean {' or '.join(near)}? " if near else ""
