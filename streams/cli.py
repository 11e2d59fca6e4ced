"""The command `twohand`. This module imports next to nothing, so that `--version` and completion answer at once."""

import sys
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
    import rules  # noqa: PLC0415

    ours = Path(__file__).resolve().parent.parent / "rules"
    if [Path(path).resolve() for path in rules.__path__] != [ours]:
        sys.exit(
            f"error: the package `rules` that Python found is not twohand's: {list(rules.__path__)}\n"
            "hint: install twohand alone: `uv tool install twohand` or `pipx install twohand`"
        )


def _run() -> int:
    from streams.commands.app import run  # noqa: PLC0415

    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
