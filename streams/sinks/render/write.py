"""Where a rendered result goes, and in which form."""

import json
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from streams.commands.options import Format


def result(decision: Mapping[str, Any], fmt: Format, *, output: Path | None, quiet: bool, verbose: bool) -> None:
    """Write one decision to a file or to standard output."""
    text = rendered(decision, fmt, quiet=quiet, verbose=verbose, colour=output is None and wants_colour())
    data(text, output)


def data(text: str, output: Path | None) -> None:
    """Write text; what the encoding cannot say (lone surrogates of odd bytes, letters on an old terminal) is escaped."""
    if output is not None:
        output.write_text(text, "utf-8", "backslashreplace")
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(text)


def rendered(decision: Mapping[str, Any], fmt: Format, *, quiet: bool, verbose: bool, colour: bool) -> str:
    """The text of a decision in one of the formats, with its last line feed."""
    match fmt:
        case Format.JSON:
            return as_json(decision)
        case Format.JSONL:
            return as_json(decision, indent=None)
        case Format.SARIF:
            from streams.sinks.render import sarif  # noqa: PLC0415

            return as_json(sarif.render(decision))
        case Format.GITHUB:
            from streams.sinks.render import github  # noqa: PLC0415

            return github.render(decision)
        case Format.TEXT:
            from streams.sinks.render import text  # noqa: PLC0415

            return text.render(decision, quiet=quiet, verbose=verbose, colour=colour)


def as_json(value: object, *, indent: int | None = 2) -> str:
    """JSON with its line feed; letters stand for themselves where standard output can say them."""
    utf8 = (sys.stdout.encoding or "").casefold().replace("-", "") == "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=not utf8) + "\n"


def wants_colour() -> bool:
    """Colour only on a terminal that can show it, and never against NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
