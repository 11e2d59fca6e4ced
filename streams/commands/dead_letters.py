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
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from streams.engines.kafka.records.dead_letters import DeadLetter
    from streams.settings import Settings

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The letter, as `list` names it; without its worker: all about that record."),
]
MOST = 2000  # bytes of a record that are shown
LONGEST = 400  # characters of a name
WIDEST = 120  # columns of a line on a terminal
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
        print("\n".join(_listed(rows)) or "No letter is open.")
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
    about = mailroom.at_one_place(operator, name)
    again = mailroom.retry(operator, about)
    if not again:
        print("\n".join(f"{shown(name_of(letter), LONGEST)} was handled." for letter in about))
        return 0
    print("\n".join(_listed([_row(letter) for letter in again])))
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
    for letter in mailroom.at_one_place(operator, name):
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


def _listed(rows: "Iterable[dict[str, Any]]") -> "Iterator[str]":
    """The letters, those of several workers about one record together; on a terminal no line is wider than WIDEST."""
    places: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows:
        places.setdefault((row["topic"], row["partition"], row["offset"], row["change"]), []).append(row)
    for about in places.values():
        yield from (
            _told(about) if not sys.stdout.isatty() else (part for line in _told(about) for part in _folded(line))
        )


def _told(about: list[dict[str, Any]]) -> "Iterator[str]":
    row = about[0]
    if len(about) > 1:
        yield shown(row["name"].removesuffix(f":{row['worker']}"), LONGEST)
        yield f"  {len(about)} workers gave it up: {', '.join(shown(one['worker'], 60) for one in about)}"
    else:
        yield shown(row["name"], LONGEST)
    change = f"blocks change {row['change'][:12]}" if row["change"] else "blocks no change"
    yield f"  {shown(row['at'], 40)}, {change}: {shown(row['fault'], 40)}: {shown(row['why'], 500)}"


def _folded(line: str) -> list[str]:
    from textwrap import wrap  # noqa: PLC0415 - only for people

    indent = "  " if line.startswith("  ") else ""
    return wrap(line, WIDEST, subsequent_indent=2 * indent, break_on_hyphens=False)


def _shown(value: bytes | None) -> str | None:
    if value is None:
        return None
    more = f" ... {len(value)} bytes" if len(value) > MOST else ""
    return value[:MOST].decode("utf-8", "backslashreplace") + more
