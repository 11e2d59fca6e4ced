"""`twohand report --week`: what nobody independent read, what was waived, who carries too much."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rules import instants
from streams import clock
from streams.commands import options
from streams.commands.options import HERE
from streams.sources.errors import SourceError
from streams.sources.git import Repository


class Form(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


Formatted = Annotated[Form, typer.Option("--format", "-f", help="How to write the result.")]
Week = Annotated[bool, typer.Option("--week", help="The last seven days; the default.")]
Days = Annotated[int, typer.Option("--days", min=1, max=3660, help="How many days.")]
Until = Annotated[
    str,
    typer.Option(
        "--until", metavar="INSTANT", help="The end, such as 2026-11-21T00:00:00Z; default: now.", show_default=False
    ),
]
WEEK = 7


class CannotReport(SourceError):
    """There is nothing to report on."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="report")(report)


def report(
    *, week: Week = False, days: Days = WEEK, until: Until = "", fmt: Formatted = Form.TEXT,
    output: options.Output = None, where: options.Where = HERE,
) -> int:  # fmt: skip
    """Tell the people in charge what the record says.

    What nobody independent read, what was waived and why, who carries too much, what waits for people since when.
    """
    from streams import report as made  # noqa: PLC0415 - the help page needs none of these
    from streams.engines.journal import Journal  # noqa: PLC0415
    from streams.metrics import Meter  # noqa: PLC0415
    from streams.metrics_journal import taken  # noqa: PLC0415

    end = _instant(until) if until else instants.later(clock.now(), 1)
    meter = Meter()
    with Journal(_path(where), writable=False) as journal:
        for _, _, event in taken(journal):
            if event is not None and event.at < end:
                meter.take(event)
    told = made.report(meter, instants.later(end, -(WEEK if week else days) * instants.DAY), end)
    _write(_written(told, fmt), output)
    return 0


def _instant(text: str) -> str:
    found = f"{text}T00:00:00Z" if len(text) == len("2026-11-21") else text
    if not instants.is_instant(found):
        raise CannotReport(
            f"{text!r} is no instant.", remedy="Write a day such as 2026-11-21, or 2026-11-21T14:00:00Z."
        )
    return found


def _path(where: Path) -> Path:
    path = Repository.open(where).common_dir / "twohand" / "journal.db"
    if not path.is_file():
        raise CannotReport(f"There is no journal at {path}.", remedy="`twohand review` records the first decision.")
    return path


def _written(told: object, fmt: Form) -> str:
    from rules.canonical import plain  # noqa: PLC0415
    from streams.report import Report  # noqa: PLC0415
    from streams.sinks.render import report as render  # noqa: PLC0415

    assert isinstance(told, Report)
    if fmt is Form.JSON:
        return json.dumps({"schema": "twohand.report/v1", **plain(told)}, indent=2, ensure_ascii=False) + "\n"
    return {Form.TEXT: render.text, Form.MARKDOWN: render.markdown, Form.HTML: render.html}[fmt](told)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.encode("utf-8", "backslashreplace"), nl=False)
        return
    try:
        output.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise CannotReport(
            f"{output} cannot be written: {error.strerror}.", remedy="Name a file that you may write with --output."
        ) from None
