"""`twohand store migrate|check`: the case store of the Kafka engine."""

from typing import TYPE_CHECKING

import typer

from streams.commands import options
from streams.commands.options import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from streams.engines.kafka.cases.store import Store


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The case store of the Kafka engine.", no_args_is_help=True, rich_markup_mode=None)
    group.command(name="migrate")(migrate)
    group.command(name="check")(check)
    app.add_typer(group, name="store")


def migrate(*, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Make its tables, or bring them to this release. What is there stays."""
    with _opened(where, settings) as store:
        steps = store.migrate()
        done = f"migrated to version {steps[-1]}" if steps else f"nothing to do: version {store.version()}"
    print(done)
    return 0


def check(*, where: options.Where = HERE, settings: options.Settings = None) -> int:
    """Whether its tables are those of this release; exit code 2 where they are not."""
    with _opened(where, settings) as store:
        store.check()
        print(f"version {store.version()}, {len(store.waiting())} records wait to be published")
    return 0


def _opened(where: "Path", explicit: "Path | None") -> "Store":
    from streams.engines.kafka.broker import connection  # noqa: PLC0415
    from streams.engines.kafka.cases.store import Store  # noqa: PLC0415

    return Store(connection.settings_at(where, explicit).store)
