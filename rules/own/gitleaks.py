"""gitleaks' rules as own rules: what they ask beside a pattern is told one by one, and makes a rule a note."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from rules import toml_lines
from rules.findings import Tier
from rules.own import text
from rules.own.book import RulesInvalid
from rules.own.keys import MOST_RULES
from rules.policy import decoded, syntax_problem
from rules.report import Problem

TAKEN = frozenset({"id", "description", "regex", "keywords", "tags", "secretGroup"})
NARROWS = {
    "entropy": "entropy is not measured",
    "path": "the pattern for paths is not asked",
    "allowlist": "what the allowlist lets through is found",
    "allowlists": "what the allowlists let through is found",
    "required": "what it requires beside itself is not asked",
    "skipReport": "it only helps other rules",
}  # keys that make a gitleaks rule find less than its pattern


class Imported(NamedTuple):
    """The TOML of our rules, their names, and what was left out or is otherwise."""

    toml: str
    slugs: tuple[str, ...]
    told: tuple[str, ...]


def convert(data: bytes, name: str) -> Imported:
    """Every rule whose pattern RE2 takes. Errors: RulesInvalid, where the file is no gitleaks configuration."""
    read = _loaded(data, name)
    rows = read.get("rules")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RulesInvalid((Problem(name, 0, "rules", "", ("[[rules]]",), "holds no rules of gitleaks"),))
    told = [f"{key}: is not taken over" for key in read if key not in ("rules", "title", "description", "minVersion")]
    made: dict[str, str] = {}
    for row in rows:
        for block, said in _rule(row, made):
            told += [said] if said else []
            made |= block
    over = list(made)[MOST_RULES:]
    told += [f"{slug}: left out, a file holds at most {MOST_RULES} rules" for slug in over]
    kept = {slug: block for slug, block in made.items() if slug not in over}
    return Imported("\n".join(kept.values()), tuple(kept), tuple(told))


def _loaded(data: bytes, name: str) -> dict[str, Any]:
    read = decoded(data, name, RulesInvalid)
    if toml_lines.is_bomb(data):
        raise RulesInvalid((Problem(name, 0, "", "", (), f"a line has more than {toml_lines.MOST_DOTS} dots"),))
    try:
        return tomllib.loads(read)
    except (ValueError, RecursionError) as error:
        raise RulesInvalid((syntax_problem(read, name, error),)) from None


def _rule(row: dict[str, Any], made: dict[str, str]) -> Iterator[tuple[dict[str, str], str]]:
    """The rule by its slug, and sentences about what it is not."""
    name = str(row.get("id", "without id"))[:100]
    pattern = row.get("regex")
    if not isinstance(pattern, str):
        yield {}, f"{name}: left out, it has no regex"
        return
    try:
        text.compiled(pattern)
    except ValueError as error:
        yield {}, f"{name}: left out, its regex {error}"
        return
    narrowed = [why for key, why in NARROWS.items() if key in row]
    for why in narrowed:
        yield {}, f"{name}: a note, for {why}"
    if row.get("keywords") and not _words(row["keywords"]):
        yield {}, f"{name}: its keywords are not asked"
    for key in sorted(row.keys() - TAKEN - NARROWS.keys()):
        yield {}, f"{name}: {key[:50]} is not taken over"
    slug = _slug(name, made)
    yield {slug: _block(slug, row, pattern, Tier.NOTE if narrowed else Tier.HOLD)}, ""


def _slug(name: str, made: dict[str, str]) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    slug = "gitleaks-" + ("-".join(filter(None, plain.split("-"))) or "rule")[:48].strip("-")
    names = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(made) + 2))
    return next(name for name in names if name not in made)


def _block(slug: str, row: dict[str, Any], pattern: str, tier: Tier) -> str:
    described = " ".join(str(row.get("description", "")).split())
    message = "".join(c for c in described if c.isprintable())[:200].strip() or f"looks like {slug}"
    words = _words(row.get("keywords", []))
    lines = [
        "[[rule]]", f"slug = {_quoted(slug)}", 'kind = "added"', f"tier = {_quoted(tier.value)}",
        f"message = {_quoted(message)}", f"pattern = {_quoted(pattern)}",
    ]  # fmt: skip
    lines += [f"words = [{', '.join(map(_quoted, words))}]"] if words else []
    return "\n".join([*lines, ""])


def _words(found: Any) -> list[str]:
    """The keywords, all or none: with fewer of them a rule would look at less."""
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        return []
    words = list(dict.fromkeys(word.lower() for word in found))
    return words if all(0 < len(word) <= 200 and word.isprintable() for word in words) else []


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
