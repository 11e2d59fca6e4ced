"""`twohand dead-letters list|show|retry|drop`: what workers could not handle."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands import options
from streams.commands.options import HERE, Listed
from streams.commands.say import As, KeyFile, Why
from streams.sinks.render.safe import shown
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from streams.engines.kafka.records.dead_letters import DeadLetter
    from streams.settings import Settings

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The letter, as `list` names it; without its worker where one is meant.")
]
MOST = 2000  # bytes of a record that are shown
LONGEST = 400  # characters of a name
AGAIN = 1  # exit code: what was handed in again failed again


class NotSigned(SourceError):
    """A drop lacks a name, a key or a reason."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What workers could not handle.", no_args_is_help=True, rich_markup_mode=None)
    group.command(name="list")(list_)
    group.command(name="show")(show)
    group.command(name="retry")(retry)
    group.command(name="drop")(drop)
    app.add_typer(group, name="dead-letters")


def list_(*, where: options.Where = HERE, fmt: options.AsList = Listed.TEXT, settings: options.Settings = None) -> int:
    """The letters that are open, oldest first."""
    from streams.engines.kafka.doors import mailroom  # noqa: PLC0415 - other commands need none of it

    rows = [_row(letter) for letter in mailroom.letters(_settings(where, settings)).values()]
    if fmt is Listed.JSON:
        print(json.dumps({"schema": "twohand.dead-letters/v1", "letters": rows}, indent=2))
    elif fmt is Listed.JSONL:
        print("\n".join(map(json.dumps, rows)))
    else:
        print("\n".join(_line(row) for row in rows) or "No letter is open.")
    return 0


def show(name: Name, *, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """One letter, with the record as it came."""
    from streams.engines.kafka.doors import mailroom  # noqa: PLC0415

    letter = mailroom.the_one(_settings(where, settings), name)
    headers = [(key, _shown(value)) for key, value in letter.record.headers]
    record = {"key": _shown(letter.record.key), "headers": headers, "value": _shown(letter.record.value)}
    print(json.dumps(_row(letter) | {"record": record}, indent=2))
    return 0


def retry(name: Name, *, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Hand a record in again, as it came.

    Its change stays blocked until the worker has taken it. Where it fails again there is another letter, and exit code 1.
    """
    from streams.engines.kafka.doors import mailroom  # noqa: PLC0415
    from streams.engines.kafka.records.dead_letters import name_of  # noqa: PLC0415

    operator = _settings(where, settings)
    letter = mailroom.the_one(operator, name)
    again = mailroom.retry(operator, letter)
    if again is None:
        print(f"{shown(name_of(letter), LONGEST)} was handled.")
        return 0
    print(_line(_row(again)))
    print("It failed again: this letter stands for it now.", file=sys.stderr)
    return AGAIN


def drop(
    name: Name, *, by: As = "", key: KeyFile = None, reason: Why = "", where: options.Where = HERE,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Say, signed, that a record shall never be handled.

    It counts where the policy of its change enrols you as an active person and you have no hand in the change; the decider
    judges that. Exit code 1 where it has not accepted it within a few seconds.
    """
    from streams import clock  # noqa: PLC0415
    from streams.engines.kafka.doors import mailroom  # noqa: PLC0415
    from streams.engines.kafka.records.dead_letters import name_of  # noqa: PLC0415
    from streams.sources import signatures  # noqa: PLC0415

    if not (by and key and reason.strip()):
        raise NotSigned("A drop is signed and has a reason.", "Give --as NAME --key FILE --reason 'WHY'.")
    operator = _settings(where, settings)
    chosen = signatures.key_from_file(key)
    letter = mailroom.the_one(operator, name)
    mailroom.drop(operator, letter, by, reason, (chosen, clock.now()))
    print(f"{shown(name_of(letter), LONGEST)} is dropped by {shown(by)}.")
    return 0


def _settings(where: "Path", explicit: "Path | None") -> "Settings":
    from streams.engines.kafka.broker.connection import settings_at  # noqa: PLC0415

    return settings_at(where, explicit)


def _row(letter: "DeadLetter") -> dict[str, Any]:
    from streams.engines.kafka.records.dead_letters import name_of  # noqa: PLC0415

    return {
        "name": name_of(letter), "change": letter.change or None, "topic": letter.record.topic,
        "partition": letter.partition, "offset": letter.offset, "worker": letter.by, "fault": letter.fault,
        "why": letter.why, "attempt": letter.attempt, "at": letter.at,
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    change = f"blocks change {row['change'][:12]}" if row["change"] else "blocks no change"
    why = f"{shown(row['fault'], 40)}: {shown(row['why'], 500)}"
    return f"{shown(row['name'], LONGEST)}\n  {shown(row['at'], 40)}, {change}: {why}"


def _shown(value: bytes | None) -> str | None:
    if value is None:
        return None
    more = f" ... {len(value)} bytes" if len(value) > MOST else ""
    return value[:MOST].decode("utf-8", "backslashreplace") + more
