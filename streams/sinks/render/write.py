"""Where a rendered result goes, and in which form."""

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from streams.commands.options import Format
from streams.sources.errors import SourceError


class CannotWrite(SourceError):
    """The file named by --output takes nothing."""


class Untold(SourceError):
    """The verdict could not be told."""

    exit_code = 3


def result(decision: Mapping[str, Any], fmt: Format, *, output: Path | None, quiet: bool, verbose: bool) -> None:
    """Write one decision to a file or to standard output."""
    text = rendered(decision, fmt, quiet=quiet, verbose=verbose, colour=output is None and wants_colour())
    data(text, output)


def data(text: str, output: Path | None) -> None:
    """Write text; what the encoding cannot say (lone surrogates of odd bytes, letters on an old terminal) is escaped.

    CannotWrite where nobody could read it: a verdict that was not told is no admission.
    """
    if output is None:
        _told(text)
        return
    try:
        output.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise CannotWrite(f"{output} cannot be written: {error.strerror}.", remedy="Name another file.") from error


def _told(text: str) -> None:
    if sys.stdout is None:
        raise Untold("Standard output is closed.", remedy="Use --output FILE.")
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
        raise Untold(f"Standard output takes nothing: {error.strerror}.", remedy="Use --output FILE.") from error


def rendered(decision: Mapping[str, Any], fmt: Format, *, quiet: bool, verbose: bool, colour: bool) -> str:
    """The text of a decision in one of the formats, with its last line feed."""
    match fmt:
        case Format.JSON | Format.JSONL:
            return as_json(decision, indent=2 if fmt is Format.JSON else None)
        case Format.SARIF | Format.GITLAB:
            return as_json(import_module(f"streams.sinks.render.{fmt}").render(decision))
        case Format.GITHUB | Format.JUNIT:
            return str(import_module(f"streams.sinks.render.{fmt}").render(decision))
        case Format.TEXT:
            from streams.sinks.render import text  # noqa: PLC0415

            return text.render(decision, quiet=quiet, verbose=verbose, colour=colour)


def as_json(value: object, *, indent: int | None = 2) -> str:
    """JSON with its line feed; letters stand for themselves where standard output can say them."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "").casefold().replace("-", "") == "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=not utf8) + "\n"


def wants_colour() -> bool:
    """Colour only on a terminal that can show it, and never against NO_COLOR."""
    return (
        sys.stdout is not None
        and sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )
