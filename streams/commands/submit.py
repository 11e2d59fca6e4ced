"""`twohand submit`: publish a change with its contents, so that workers review and decide it."""

import sys
from typing import TYPE_CHECKING

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.commands.review import OpenedBy, PushedBy

if TYPE_CHECKING:
    from streams.desk import Asked, Desk, Reading

LATER = 3  # exit code: recorded, but nobody else can read it yet


def register(app: typer.Typer) -> None:
    app.command(name="submit")(submit)


def submit(
    *, base: options.Base = None, head: options.Head = None, target: options.Target = None,
    where: options.Where = HERE, number: options.Number = "", opened_by: OpenedBy = "", pushed_by: PushedBy = None,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Record a change, publish it to Kafka, and print its id.

    Kafka has acknowledged it then. Publishing it again is harmless, and asks for its decision again. `twohand gate` waits for the decision.
    While the broker is away the change waits in the journal, and the exit code is 3.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it

    with Desk.at(where, explicit=settings) as desk:
        wanted = asked(base, head, target, number, opened_by, pushed_by or ())
        reading = desk.read(wanted)
        for note in desk.notes:
            print(f"note: {note}", file=sys.stderr)
        hands_in = _kafka if desk.settings.engine == "kafka" else _journal
        return hands_in(desk, reading, wanted)


def _journal(desk: "Desk", reading: "Reading", wanted: "Asked") -> int:
    """Without a broker all is decided here."""
    judgement = desk.judge(reading, wanted)
    print(judgement.case.change)
    print(
        'engine = journal: recorded here, published nowhere (set engine = "kafka" in the settings, see docs/kafka.md)',
        file=sys.stderr,
    )
    print(f"recorded {reading.found.head[:12]} for {reading.found.target}: {judgement.outcome}", file=sys.stderr)
    return 0


def _kafka(desk: "Desk", reading: "Reading", wanted: "Asked") -> int:
    from streams.engines.kafka.broker.greeting import BrokerUnusable  # noqa: PLC0415
    from streams.engines.kafka.doors.handing_in import carry, recorded  # noqa: PLC0415
    from streams.engines.kafka.doors.submitting import NotPublished  # noqa: PLC0415

    one = recorded(desk, reading, wanted)
    print(one.proposed.change)
    try:
        waiting = carry(desk, one, lambda text: print(f"note: {text}", file=sys.stderr))
    except (BrokerUnusable, NotPublished) as error:
        print(f"error: Recorded, not yet carried. {error.message}", file=sys.stderr)
        print(f"hint: {error.remedy} Then run `twohand relay`, or submit it again.", file=sys.stderr)
        return LATER
    if waiting:
        print(f"note: {waiting} older records of this journal wait to be carried: run `twohand relay`", file=sys.stderr)
    files, words = len(one.proposed.files), len(one.before)
    what = (
        f"{files} file{'s' * (files != 1)}, {words} {'statement or review' if words == 1 else 'statements and reviews'}"
    )
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
