"""Whether a server's hook decides with the engine that the settings name now, and whether a relay carries for it."""

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from rules import instants
from rules.report import Invalid
from streams import clock, settings
from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.hooks.script import Fixed
from streams.hooks.second import FRESH
from streams.settings import Settings
from streams.sources.git import Repository

KAFKA = "kafka"


def examine(repo: Repository, fixed: Fixed | None) -> Iterator[Check]:
    """Nothing where no hook is installed, or where settings cannot be used: others say so."""
    here = quote(str(repo.git_dir))
    try:
        found = _of_hook(repo, fixed) if fixed else None
        now = settings.load(None, repo.common_dir, os.environ)
    except Invalid:
        return
    if found and found.engine != now.engine:
        said = f"pre-receive decides with engine {found.engine} ({_source(found)}), the settings now name {now.engine} ({_source(now)})"
        yield Check("engine", FAIL, said, f"twohand hook install --server -C {here}")
    if found and found.engine == KAFKA:
        yield from _relay(repo, f"twohand relay -C {here}")


def _of_hook(repo: Repository, fixed: Fixed) -> Settings:
    return settings.load(Path(fixed.settings) if fixed.settings else None, repo.common_dir, {})


def _source(found: Settings) -> str:
    return found.source or "no settings"


def _relay(repo: Repository, run: str) -> Iterator[Check]:
    from streams.engines.kafka.carrier.relay_file import NAME, Beside, RelayUnusable  # noqa: PLC0415 - most servers have none

    folder = repo.common_dir / "twohand"
    if not (folder / NAME).exists():
        yield Check("relay", FAIL, "no relay has ever run here: every push waits for the decider", run)
        return
    try:
        with Beside(folder, writable=False) as file:
            whole, lost = file.whole(), file.lost()
    except RelayUnusable as error:
        yield Check("relay", FAIL, error.message, error.remedy)
        return
    fresh = whole and abs(instants.between(whole, clock.now())) <= FRESH
    said = f"everything was last carried at {whole}" if whole else "it never carried everything that there is"
    yield Check(
        "relay", OK if fresh else FAIL, said if fresh else f"{said}: every push waits for it", "" if fresh else run
    )
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        yield Check("relay", WARN, f"can never be carried: {lost[0]}{more}", "twohand journal export shows the rows")
