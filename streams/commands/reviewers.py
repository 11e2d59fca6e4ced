"""`twohand reviewers list|probe NAME|enrol NAME`: the model reviewers of the settings, what they can do, and who they are."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands import options
from streams.commands.options import HERE, Paged
from streams.sinks.render.safe import shown
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.desk import Desk
    from streams.judges.probing import Found
    from streams.settings_reviewers import Reviewer

Name = Annotated[str, typer.Argument(metavar="NAME", help="A reviewer of the settings.")]
FAILED = 2


class NoReviewer(SourceError):
    """The settings know no such reviewer."""


def register(app: typer.Typer) -> None:
    """The group of these commands."""
    group = typer.Typer(help="The model reviewers of the settings.", no_args_is_help=True)
    for command in (listed, probe, enrol):
        group.command(name={"listed": "list"}.get(command.__name__, command.__name__))(command)
    app.add_typer(group, name="reviewers")


def listed(*, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT, settings: options.Settings = None) -> int:
    """Show the reviewers, and what they may spend.

    Whose weights they are, and whether policy knows them. Asks no endpoint.
    """
    from streams.desk import Desk  # noqa: PLC0415 - the help page needs none of it

    with Desk.at(where, explicit=settings) as desk:
        rows = [_row(one, desk) for one in desk.settings.reviewers.values()]
        source = desk.settings.source
    if fmt is Paged.JSON:
        print(json.dumps({"schema": "twohand.reviewers/v1", "settings": source or None, "reviewers": rows}, indent=2))
        return 0
    if not rows:
        print("no model reviewers: the settings have no [reviewers.NAME]", file=sys.stderr)
    for row in rows:
        print("\n".join(_told(row)))
    return 0


def probe(
    name: Name, *, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT, settings: options.Settings = None
) -> int:
    """Ask a reviewer's endpoint about a small change of ours.

    In every mode. Says which model answers, which modes of structured output work, whether tokens are counted, and how its clock stands.
    Exit code 2 where the reviewer cannot be used as it is configured.
    """
    from streams.desk import Desk  # noqa: PLC0415
    from streams.judges import probing, roster  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        called = roster.called(_known(name, desk))
        if called.fault:
            raise NoReviewer(f"{name} cannot be asked: {called.fault}.", remedy="Correct the settings, or set the key.")
        found = probing.probe(called)
    if fmt is Paged.JSON:
        modes = [one._asdict() for one in found.modes]
        print(
            json.dumps(
                {"schema": "twohand.probe/v1", **found._asdict(), "modes": modes, "usable": found.usable}, indent=2
            )
        )
    else:
        print("\n".join(_probed(found)))
    return 0 if found.usable else FAILED


def enrol(name: Name, *, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Make the key that a reviewer signs with.

    Prints the policy's table for it. The key stays with the operator, readable by its owner alone; the table goes into the policy of the target branch.
    """
    from streams.desk import Desk  # noqa: PLC0415
    from streams.judges import identity  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        reviewer = _known(name, desk)
        made = identity.enrol(reviewer, desk.repo.common_dir)
        enrolled = made.line in _keys(reviewer, desk)
    print(identity.block(reviewer, made.line), end="")
    print(f"{'made' if made.fresh else 'kept'}: {made.file}", file=sys.stderr)
    if identity.others_may_read(made.file):
        print(f"warning: others may read it; chmod 600 {made.file}", file=sys.stderr)
    if not (reviewer.maker or _lineage(reviewer)):
        print(f"warning: nobody knows whose weights {reviewer.lineage} is; set maker and family", file=sys.stderr)
    if made.fresh:
        print(
            "note: whoever reads this file speaks as the reviewer; keep it where no agent writes changes",
            file=sys.stderr,
        )
    said = "the policy has this key already" if enrolled else "put this table into twohand.toml of the target branch"
    print(f"hint: {said}", file=sys.stderr)
    return 0


def _known(name: str, desk: "Desk") -> "Reviewer":
    if name not in desk.settings.reviewers:
        have = ", ".join(desk.settings.reviewers) or "no reviewers"
        where = f"{desk.settings.source} has" if desk.settings.source else "without settings there are"
        raise NoReviewer(f"{name!r} is no reviewer: {where} {have}.", remedy=f"Write a table [reviewers.{name}].")
    return desk.settings.reviewers[name]


def _lineage(reviewer: "Reviewer") -> str:
    """`maker/family` as declared, or as the name of the model tells; "" where nobody knows."""
    from rules.lineage import declared  # noqa: PLC0415

    known = declared(reviewer.lineage, reviewer.maker, reviewer.family)
    return f"{known.maker}/{known.family}" if known.family else known.maker


def _keys(reviewer: "Reviewer", desk: "Desk") -> set[str]:
    """The key lines that the policies of the default branch enrol for this name."""
    tip = desk.repo.first_ref(desk.default_branch or "")
    policies = desk.standing(tip.name, tip.id).policies if tip else ()
    return {key.line for one in policies if (agent := one.agents.get(reviewer.name)) for key in agent.keys}


def _row(reviewer: "Reviewer", desk: "Desk") -> dict[str, Any]:
    from urllib.parse import urlsplit  # noqa: PLC0415

    from streams.judges import roster  # noqa: PLC0415

    line = roster.candidate(reviewer, desk.repo.common_dir).key
    keys = _keys(reviewer, desk)
    state = "no key" if not line else "enrolled" if line in keys else "not in the policy"
    return {
        "name": reviewer.name, "model": reviewer.model, "declared": reviewer.declared or None,
        "lineage": _lineage(reviewer) or None, "host": urlsplit(reviewer.endpoint).netloc, "mode": reviewer.mode,
        "identity": state, "endpoint_key": roster.called(reviewer).fault or "there",
        "fallback": list(reviewer.fallback), "timeout": reviewer.timeout, "tokens": reviewer.tokens,
        "price": [reviewer.price_in, reviewer.price_out],
        "budget": {name: value for name, value in reviewer._asdict().items() if "_per_" in name and value},
    }  # fmt: skip


def _told(row: dict[str, Any]) -> "Iterator[str]":
    yield f"{row['name']}: {shown(row['model'])} at {shown(row['host'])}"
    behind = f", declared to be {shown(row['declared'])}" if row["declared"] else ""
    yield f"  weights: {row['lineage'] or 'nobody knows whose; set maker and family'}{behind}"
    next_ = "" if row["identity"] == "enrolled" else f"; `twohand reviewers enrol {row['name']}`"
    yield f"  identity: {row['identity']}{next_}"
    if row["endpoint_key"] != "there":
        yield f"  key of the endpoint: {shown(row['endpoint_key'])}"
    if row["fallback"]:
        yield f"  followed by: {', '.join(row['fallback'])}"
    yield f"  per review: {row['timeout']} s, {row['tokens']:,} tokens; a million tokens cost {row['price'][0]:g} in, {row['price'][1]:g} out"
    limits = [f"{name.replace('_', ' ')} {value:g}" for name, value in row["budget"].items()]
    yield f"  budget: {', '.join(limits) or 'no limit'}"


def _probed(found: "Found") -> "Iterator[str]":
    yield f"{found.name}: {'usable' if found.usable else 'not usable as it is configured'}"
    yield f"  asked for {shown(found.asked)} at {shown(found.host)}, answers as {shown(found.reported or 'nobody (no model is named)')}"
    if found.mismatch:
        yield f"  identity mismatch: {shown(found.mismatch)}; its vote would not count"
    lineage = f"{found.maker}/{found.family}" if found.family else found.maker
    yield f"  weights: {lineage or 'nobody knows whose; set maker and family'}"
    for one in found.modes:
        mark = " (configured)" if one.mode == found.configured else ""
        said = f"works, {one.seconds:g} s, {one.tokens:,} tokens" if one.works else f"{one.status}: {shown(one.why)}"
        yield f"  {one.mode}{mark}: {said}"
    yield f"  tokens: {'counted by the endpoint' if found.counts_tokens else 'estimated, the endpoint does not count them'}"
    yield f"  clock: {_clock(found.skew)}"


def _clock(skew: int | None) -> str:
    from streams.judges.probing import SKEW  # noqa: PLC0415

    if skew is None:
        return "the endpoint tells no time"
    return f"{abs(skew)} s {'ahead' if skew > 0 else 'behind'}" if abs(skew) > SKEW else "agrees with ours"
