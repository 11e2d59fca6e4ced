"""Writes the documentation that is generated: `python -m streams.docs`, or `--check` to say what is not current."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from streams import docs_asyncapi, docs_cli, docs_events, docs_keys, docs_prompts, docs_reasons, docs_rules, docs_tables

ROOT: Final = Path(__file__).resolve().parent.parent / "docs"
WRITERS: Final[tuple[Callable[[], Mapping[str, str]], ...]] = (
    docs_asyncapi.pages,
    docs_cli.pages,
    docs_events.pages,
    docs_keys.pages,
    docs_prompts.pages,
    docs_reasons.pages,
    docs_tables.pages,
    lambda: {f"rules/{name}": text for name, text in docs_rules.pages().items()},
)


def pages() -> dict[str, str]:
    """From path under docs/ to text, of everything that is generated."""
    return {name: text for writer in WRITERS for name, text in writer().items()}


def stale(root: Path = ROOT) -> list[str]:
    """The generated pages that are missing or not current."""
    return [name for name, text in sorted(pages().items()) if not _is(root / name, text)]


def write(root: Path = ROOT) -> list[str]:
    """Write what is not current; the names of the pages written."""
    changed = stale(root)
    made = pages()
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(made[name], "utf-8")
    return changed


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def main() -> int:
    """1 with `--check` where a page is not current."""
    check = sys.argv[1:] == ["--check"]
    changed = stale() if check else write()
    for name in changed:
        print(f"docs/{name} {'is not current' if check else 'written'}")
    if check and changed:
        print("hint: make docs", file=sys.stderr)
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
