"""The command `twohand`. This module imports next to nothing, so that `--version` and completion answer at once."""

import sys
from importlib.util import find_spec
from pathlib import Path

VERSION = "0.1.0"
USAGE, INTERNAL, INTERRUPTED = 2, 3, 130


def main() -> None:
    """Run the command line; the exit code tells the outcome (DESIGN 11)."""
    if sys.argv[1:] == ["--version"]:
        print(f"twohand {VERSION}")
        return
    _only_our_rules()
    sys.exit(_run())


def _only_our_rules() -> None:
    """PyPI's django-rules owns a top-level `rules` too, and pip overwrites silently: refuse to judge by another's law."""
    ours = Path(__file__).resolve().parent.parent / "rules"
    found = find_spec("rules")
    places = list(found.submodule_search_locations or [str(found.origin)]) if found else []
    if [Path(place).resolve() for place in places] != [ours]:
        print(f"error: the package `rules` that Python found is not twohand's: {places}", file=sys.stderr)
        print("hint: install twohand alone: `uv tool install twohand` or `pipx install twohand`", file=sys.stderr)
        sys.exit(USAGE)


def _run() -> int:
    from streams.commands.app import run  # noqa: PLC0415

    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
