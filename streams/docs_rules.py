"""Writes the page of every rule from its file: `python -m streams.docs_rules docs/rules`."""

import sys
from collections.abc import Iterator
from difflib import unified_diff
from inspect import cleandoc
from pathlib import Path

from rules.catalogue import all_rules
from rules.figures import measured
from rules.lines import words
from rules.rule import Diff, Example, Rule, visible

HEADINGS = ("What it does", "Why it matters", "Example", "What to do instead")
_MARK = "<!-- Generated from rules/catalog; edit the rule, then run `python -m streams.docs_rules docs/rules`. -->"
_SHOWN = 2  # examples of each sort


def pages() -> dict[str, str]:
    """From file name to text: one page a rule, and the table of all."""
    return {f"{rule.slug}.md": page(rule) for rule in all_rules()} | {"README.md": _table()}


def page(rule: Rule) -> str:
    """The page of one rule."""
    title, body = cleandoc(rule.__doc__ or "").split("\n", 1)
    languages = ", ".join(rule.languages) or "any text"
    head = f"{_MARK}\n\n# {rule.slug}\n\n{title}\n\n`{rule.id}` · {rule.tier} · since {rule.since} · {languages}\n"
    parts = [head, body.strip() + "\n"]
    parts += [f"## Measured\n\n{figures}\n"] if (figures := measured(rule.slug)) else []
    parts += [_examples("Found", rule.HOLDS), _examples("Silent", rule.PASSES)]
    return "\n".join(parts)


def _table() -> str:
    rows = [
        f"| [{rule.slug}]({rule.slug}.md) | {rule.id} | {rule.tier} | {cleandoc(rule.__doc__ or '').splitlines()[0]} |"
        for rule in all_rules()
    ]
    return "\n".join([_MARK, "", "# Rules", "", "| rule | id | tier | what it finds |", "|---|---|---|---|", *rows, ""])


def _examples(title: str, examples: tuple[Example, ...] | list[Example] | object) -> str:
    assert isinstance(examples, tuple | list)
    shown = [_shown(example) for example in examples[:_SHOWN]]
    return "\n".join([f"## {title}", "", *shown])


def _shown(example: Example) -> str:
    return "\n".join(["```diff", *diff_lines(example), "```", ""])


def diff_lines(example: Example) -> Iterator[str]:
    """An example as the lines of a diff, its credentials masked."""
    for file in (example,) if isinstance(example, Diff) else example:
        yield from _lines(file)


def _lines(file: Diff) -> Iterator[str]:
    old, new = (_text(side) for side in (file.old, file.new))
    yield f"--- {file.path}" if file.old is not None else "--- (no file)"
    yield f"+++ {file.path}" if file.new is not None else "+++ (no file)"
    yield from list(unified_diff(old, new, lineterm="", n=20))[3:]


def _text(side: str | bytes | None) -> list[str]:
    data = side.encode() if isinstance(side, str) else side or b""
    return [_line(line) for line in data.removesuffix(b"\n").split(b"\n") if data]


def _line(line: bytes) -> str:
    indent = len(line) - len(line.lstrip(b" \t"))
    return line[:indent].decode() + _masked(visible(line))


def _masked(text: str) -> str:
    """A page must not look as if it held a credential."""
    long = [word for word in words(text.encode()) if len(word) >= 16 and word.isascii() and not word.islower()]
    for word in long:
        if any(letter.isdigit() for letter in word):
            text = text.replace(word, word[:4] + "...")
    return text


def main() -> None:
    """Write all pages into the directory that is named."""
    target = Path(sys.argv[1])
    for name, text in pages().items():
        (target / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
