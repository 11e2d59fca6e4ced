"""docs/cli.md: every command, argument and option, read from the command line itself."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import typer.main

from streams.commands.app import EPILOG, build

_HEAD: Final = f"""\
<!-- Generated from streams/commands; edit there, then run `make docs`. -->

# Commands

Results go to standard output, diagnostics to standard error. {EPILOG}
`NO_COLOR` is honoured; `-h` after any command shows its options.
"""


def pages() -> dict[str, str]:
    root: Any = typer.main.get_command(build())
    return {
        "cli.md": "\n".join([_HEAD, *(line for name in root.commands for line in _command(name, root.commands[name]))])
    }


def _command(name: str, command: Any) -> Iterator[str]:
    if command.hidden:
        return
    yield f"## twohand {name}\n"
    children = getattr(command, "commands", {})
    if children:
        yield f"{command.help or ''}\n"
        for child, below in children.items():
            yield from _command(f"{name} {child}", below)
        return
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    usage = " ".join(["twohand", name, *(_word(argument) for argument in arguments), "[OPTIONS]"])
    yield f"{command.help or ''}\n\n```\n{usage}\n```\n"
    rows = [row for param in command.params if not param.hidden and (row := _row(param))]
    yield from ["| option | meaning |", "|---|---|", *rows, ""] if rows else []


def _word(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _row(param: Any) -> str:
    value = "" if getattr(param, "is_flag", False) else _value(param)
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    if param.param_type_name == "argument":
        names, value = f"`{_word(param)}`", ""
    return f"| {names}{value} | {(param.help or '').replace('|', chr(92) + '|')}{_default(param)} |"


def _value(option: Any) -> str:
    if choices := getattr(option.type, "choices", ()):
        return " " + " ".join(f"`{choice.value if isinstance(choice, Enum) else choice}`" for choice in choices)
    return f" {option.metavar or option.name.upper()}"


def _default(param: Any) -> str:
    if param.required:
        return " Required."
    default = param.default.value if isinstance(param.default, Enum) else param.default
    shown = param.show_default and default not in (None, "", False) and not getattr(param, "is_flag", False)
    return f" Default: `{default}`." if shown else ""
