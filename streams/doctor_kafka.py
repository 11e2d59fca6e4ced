"""What `twohand doctor` finds of the Kafka engine: its packages, brokers, topics and case store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.extras import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.doctor import Scene
    from streams.settings import Settings

PATIENCE: Final = 3  # seconds that the case store may take to answer


def kafka(scene: Scene) -> Iterator[Check]:
    """Nothing where the engine is the journal; the case store only where the settings name one: servers need none."""
    if scene.settings.engine == "kafka":
        yield from _brokers(scene.settings)
        if scene.settings.store:
            yield from _store(scene.settings)


def _brokers(settings: Settings) -> Iterator[Check]:
    from streams.engines.kafka.broker import connection, topic_admin  # noqa: PLC0415 - only with the packages of the extra
    from streams.sources.errors import SourceError  # noqa: PLC0415

    try:
        with connection.admin(settings) as admin:
            there = topic_admin.found(admin)
    except SourceError as error:
        yield Check("kafka", FAIL, error.message, error.remedy)
        return
    lacking = topic_admin.differences(there)
    for one in lacking:
        yield Check("kafka", FAIL if one.stops else WARN, f"{one.topic} {one.what}", one.remedy)
    if not lacking:
        count = there["twohand.changes"].partitions
        yield Check("kafka", OK, f"{settings.bootstrap} has all {len(there)} topics, {count} partitions each")


def _store(settings: Settings) -> Iterator[Check]:
    try:
        import psycopg  # noqa: PLC0415
    except ImportError:
        yield Check("case store", FAIL, "package psycopg is not installed", f"{CLIENTS}.")
        return
    try:
        with psycopg.connect(settings.store, connect_timeout=PATIENCE) as database:
            version = database.info.server_version // 10_000
    except psycopg.Error as error:
        from streams.engines.kafka.cases.connection import REMEDY, reason  # noqa: PLC0415

        why = f"cannot be reached{reason(error, settings.store)}"
        yield Check("case store", FAIL, why, f"{REMEDY} in {settings.source}.")
    else:
        yield Check("case store", OK, f"PostgreSQL {version} answers")
