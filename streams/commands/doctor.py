"""`twohand doctor`: whether it can do its work here, and what to do where it cannot."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE
from streams.doctor import examine
from streams.doctor_clone import FAIL, OK, WARN, Check

SCHEMA = "twohand.doctor/v1"
FAILED = 2


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


Formatted = Annotated[Form, typer.Option("--format", "-f", help="How to write the result.")]


def register(app: typer.Typer) -> None:
    app.command(name="doctor")(doctor)


def doctor(
    *, where: options.Where = HERE, fmt: Formatted = Form.TEXT, quiet: options.Quiet = False,
    settings: options.Settings = None,
) -> int:  # fmt: skip
    """Check machine and repository, and say what to do.

    Exit code 0 where nothing fails, 2 where something does.
    """
    checks = examine(where, settings)
    failed = [check for check in checks if check.state == FAIL]
    if fmt is Form.JSON:
        data = {"schema": SCHEMA, "ok": not failed, "checks": [check._asdict() for check in checks]}
        print(json.dumps(data, indent=2))
    else:
        shown = [check for check in checks if not quiet or check.state != OK]
        text = "\n".join([*(line for check in shown for line in lines(check)), verdict(checks)])
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    return FAILED if failed else 0


def lines(check: Check) -> list[str]:
    said = "".join(c if c.isprintable() else "\\n" if c == "\n" else "?" for c in check.said)
    told = [f"{check.state:<4}  {check.name}: {said}"]
    return [*told, f"      -> {check.remedy}"] if check.remedy else told


def verdict(checks: Sequence[Check]) -> str:
    count = {state: sum(check.state == state for check in checks) for state in (OK, WARN, FAIL)}
    return f"{count[OK]} ok, {count[WARN]} to look at, {count[FAIL]} failing"
