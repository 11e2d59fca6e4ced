"""Where an installed hook begins: it imports one hook and nothing else, and whatever goes wrong, the gate stays closed."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

TYPE_CHECKING = False  # not from typing, which takes as long as the interpreter
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Final

INTERNAL: Final = 3
ALLOCATIONS: Final = (
    100_000  # between two collections of cycles: at 700, a short process spends a tenth of its time on them
)
HOOKS: Final = {
    "pre-receive": "streams.hooks.arrival",
    "post-receive": "streams.hooks.arrival",
    "pre-push": "streams.hooks.push",
    "prepare-commit-msg": "streams.hooks.message",
}


class Called:
    """How git called a hook: its own arguments, and the settings file that was fixed at installation."""

    __slots__ = ("args", "name", "settings")

    def __init__(self, name: str, args: tuple[str, ...] = (), settings: Path | None = None) -> None:
        self.name = name
        self.args = args
        self.settings = settings


def main() -> None:
    """`main` of an installed hook; sys.argv is -c NAME SETTINGS ARG...; SETTINGS is empty where none were fixed."""
    gc.set_threshold(ALLOCATIONS)
    name, settings, *args = sys.argv[1:]
    try:
        code = run(Called(name, tuple(args), _path(settings)))
    except BaseException as error:  # noqa: BLE001 - broken refuses, and a SystemExit(0) of somebody's is no admission
        print(f"error: twohand cannot run here: {type(error).__name__}: {error}"[:200], file=sys.stderr)
        print("hint: for who runs this: install it again, then `twohand hook status`", file=sys.stderr)
        code = INTERNAL
    sys.exit(code)


def _path(text: str) -> Path | None:
    if not text:
        return None
    from pathlib import Path  # noqa: PLC0415 - costs half as much as the interpreter

    return Path(text)


def run(called: Called) -> int:
    """The exit code of a hook. Every module of HOOKS has `run(called) -> int`."""
    return int(import_module(HOOKS[called.name]).run(called))


def names() -> Sequence[str]:
    return tuple(HOOKS)
