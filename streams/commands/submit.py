"""`twohand submit`: publish a change with its contents, so that workers review and decide it."""

import sys
from typing import TYPE_CHECKING

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.commands.review import OpenedBy, PushedBy

if TYPE_CHECKING:
    from streams.desk import Asked


def register(app: typer.Typer) -> None:
    app.command(name="submit")(submit)


def submit(
    *, base: options.Base = None, head: options.Head = None, target: options.Target = None,
    where: options.Where = HERE, number: options.Number = "", opened_by: OpenedBy = "", pushed_by: PushedBy = None,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Publish a change to Kafka, acknowledged, and print its id.

    Publishing it again is harmless, and asks for its decision again. `twohand gate` waits for the decision.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it
    from streams.engines.kafka.submitting import publish, submission  # noqa: PLC0415

    with Desk.at(where, explicit=settings) as desk:
        wanted = asked(base, head, target, number, opened_by, pushed_by or ())
        one = submission(desk, desk.read(wanted), wanted)
        publish(desk.settings, one)
        for note in desk.notes:
            print(f"note: {note}", file=sys.stderr)
    print(one.proposed.change)
    what = f"{len(one.proposed.files)} files, {len(one.before)} statements and reviews"
    print(f"submitted {one.proposed.head[:12]} for {one.proposed.target}: {what}", file=sys.stderr)
    return 0


def asked(
    base: str | None, head: str | None, target: str | None, number: str, opened_by: str, pushed_by: "list[str] | tuple[()]"
) -> "Asked":  # fmt: skip
    """What `submit` and `gate` are asked: equal options name an equal change."""
    from streams import evidence  # noqa: PLC0415
    from streams.desk import Asked  # noqa: PLC0415

    pushers = tuple(evidence.asserted("pushed-by", account) for account in pushed_by if account)
    return Asked(base, head, target, number, opened_by, claims=pushers)
