"""`twohand topics create|check|describe|acls`: the topics of the Kafka engine on their brokers."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands import options
from streams.commands.options import HERE, Paged
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from streams.engines.kafka.broker.topic_admin import Found
    from streams.settings import Settings

Partitions = Annotated[
    int,
    typer.Option(
        "--partitions", min=0, max=1000, help="Of each topic; default: as the others have, else 8.", show_default=False
    ),
]
Replicas = Annotated[
    int,
    typer.Option(
        "--replicas", min=-1, max=9, help="Copies of each partition; default: the broker's.", show_default=False
    ),
]
Repair = Annotated[bool, typer.Option("--repair", help="Also set what existing topics have otherwise.")]
Principal = Annotated[
    list[str] | None,
    typer.Option(
        "--principal",
        metavar="ROLE=PRINCIPAL",
        help="Who a role is, such as reviewer=User:rules; repeat it. Default: User:twohand-ROLE for each.",
        show_default=False,
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Grant them now, instead of printing the commands that do.")]


class NoCopies(SourceError):
    """A partition without a copy cannot be."""


class NoRole(SourceError):
    """There is no such role."""


def register(app: typer.Typer) -> None:
    topics = typer.Typer(help="The topics of the Kafka engine.", no_args_is_help=True, rich_markup_mode=None)
    topics.command(name="create")(create)
    topics.command(name="check")(check)
    topics.command(name="describe")(describe)
    topics.command(name="acls")(acls)
    app.add_typer(topics, name="topics")


def create(
    partitions: Partitions = 0, replicas: Replicas = -1, *, repair: Repair = False, where: options.Where = HERE,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Make the topics that are missing."""
    from streams.engines.kafka.broker import connection, topic_admin  # noqa: PLC0415

    if replicas == 0:
        raise NoCopies("--replicas 0 would keep no copy.", "Give 1 or more; leave it out for the broker's default.")
    with connection.admin(_settings(where, settings)) as admin:
        done = topic_admin.create(admin, partitions=partitions, replicas=replicas, repair=repair)
        other = topic_admin.other_copies(topic_admin.found(admin, configured=False), replicas)
    told = [*done, *(f"{row.topic}: {row.what}\n  hint: {row.remedy}" for row in other)]
    print("\n".join(told) or "Nothing to do: all topics are there.")
    return 2 if other else 0


def check(
    *, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT, settings: options.Settings = None
) -> int:  # fmt: skip
    """Compare the topics with what is needed.

    Exit code 0 where all is well, 2 with each difference and its remedy.
    """
    from streams.engines.kafka.broker import topic_admin  # noqa: PLC0415

    found = topic_admin.differences(_found(_settings(where, settings)))
    if fmt is Paged.JSON:
        print(
            json.dumps({"schema": "twohand.topics-check/v1", "differences": [row._asdict() for row in found]}, indent=2)
        )
    else:
        lines = [f"{row.topic}: {row.what}\n  hint: {row.remedy}" for row in found]
        print("\n".join(lines) or "All topics are as they should be.")
    return 2 if found else 0


def describe(
    *, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT, settings: options.Settings = None
) -> int:  # fmt: skip
    """Show the topics as they are.

    Partitions, copies, retention, and who writes.
    """
    from streams.engines.kafka.records.topics import TOPICS  # noqa: PLC0415

    there = _found(_settings(where, settings))
    rows = [_row(topic, there) for topic in TOPICS]
    if fmt is Paged.JSON:
        print(json.dumps({"schema": "twohand.topics/v1", "topics": rows}, indent=2))
    else:
        print("\n".join(map(_line, rows)))
    return 0


def acls(
    principal: Principal = None, *, apply: Apply = False, where: options.Where = HERE, settings: options.Settings = None
) -> int:
    """Print, or grant, the rights of each role.

    None can write another's topic.
    """
    from streams.engines.kafka.broker import acls as rights  # noqa: PLC0415
    from streams.engines.kafka.broker import connection  # noqa: PLC0415

    operator = _settings(where, settings)
    wanted = rights.grants(_principals(principal or []))
    if apply:
        with connection.admin(operator) as admin:
            rights.apply(admin, wanted)
        print(f"{len(wanted)} rights granted. Nothing was taken away.")
    else:
        print("\n".join(rights.command(grant, operator.bootstrap) for grant in wanted))
    return 0


def _principals(said: list[str]) -> "Mapping[str, str]":
    from streams.engines.kafka.broker.acls import PRINCIPALS  # noqa: PLC0415

    pairs = dict(pair.partition("=")[::2] for pair in said)
    for role, who in pairs.items():
        if role not in PRINCIPALS or ":" not in who:
            raise NoRole(
                f"--principal {role}={who} is no role and principal.",
                f"Write it as reviewer=User:rules; roles are {', '.join(PRINCIPALS)}.",
            )
    return pairs or PRINCIPALS


def _settings(where: "Path", explicit: "Path | None") -> "Settings":
    from streams.engines.kafka.broker.connection import settings_at  # noqa: PLC0415

    return settings_at(where, explicit)


def _found(settings: "Settings") -> "Mapping[str, Found]":
    from streams.engines.kafka.broker import connection, topic_admin  # noqa: PLC0415

    with connection.admin(settings) as admin:
        return topic_admin.found(admin)


def _row(topic: Any, there: "Mapping[str, Found]") -> dict[str, Any]:
    found = there.get(topic.name)
    return {
        "topic": topic.name, "partitions": found.partitions if found else None,
        "replicas": found.replicas if found else None, "writers": list(topic.writers), "readers": list(topic.readers),
        "events": [kind.__name__ for kind in topic.kinds], "configs": dict(sorted(found.configs.items())) if found else {},
    }  # fmt: skip


def _line(row: "Mapping[str, Any]") -> str:
    if row["partitions"] is None:
        return f"{row['topic']}: not there"
    kept = int(row["configs"].get("retention.ms", -1))
    how_long = f"{kept // 86_400_000} days" if kept >= 0 else "for ever"
    copies = f"{row['replicas']} {'copy' if row['replicas'] == 1 else 'copies'}"
    return f"{row['topic']}: {row['partitions']} partitions, {copies}, kept {how_long}, written by {', '.join(row['writers'])}"
