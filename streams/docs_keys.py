"""docs/policy.md, docs/settings.md and the policy's JSON Schema: every key, read from the tables that the parsers use."""

import json
from collections.abc import Iterator
from typing import Any, Final

from rules import policy_shape
from rules.shape import REQUIRED, Entry, ListOf, Named, Table
from streams import settings

_POLICY: Final = """\
<!-- Generated from rules/policy_shape.py; edit there, then run `make docs`. -->

# Policy

`twohand.toml` at the root of the default branch and of the target branch, or the same keys under `[tool.twohand]` in
pyproject.toml; never read from the change itself (law 36). An unknown key or a wrong value is an error that names its line.
Complete files that tests run: [examples/](../examples/). JSON Schema: [policy.schema.json](policy.schema.json).
Durations are written as `2s`, `15m`, `1h`, `7d`.
"""
_CONDITIONS: Final = """\
## Conditions of `when`

Several keys in one table must all hold. A condition without paths and findings is about every path of the change (law 30).

| key | meaning | values |
|---|---|---|"""
_SETTINGS: Final = f"""\
<!-- Generated from streams/settings.py; edit there, then run `make docs`. -->

# Settings

What only the operator decides: where secrets go and which addresses are called. Never read from a repository's tree.
The first of these that exists is read: {settings.PLACES}.
"""


def pages() -> dict[str, str]:
    conditions = [_row(name, entry._replace(default="")) for name, entry in policy_shape.CONDITIONS.items()]
    return {
        "policy.md": "\n".join([_POLICY, *_table("", policy_shape.POLICY), _CONDITIONS, *conditions, ""]),
        "policy.schema.json": json.dumps(policy_shape.json_schema(), indent=2) + "\n",
        "settings.md": "\n".join([_SETTINGS, *_table("", settings.SETTINGS)]),
    }


def _table(title: str, table: Table) -> Iterator[str]:
    """The plain keys of a table, and then the tables in it."""
    below = {name: inner for name, entry in table.entries.items() if (inner := _inner(name, entry))}
    rows = [_row(name, entry) for name, entry in table.entries.items() if name not in below]
    if rows:
        yield from ["| key | meaning | values |", "|---|---|---|", *rows, ""]
    for name, (heading, keys) in below.items():
        full = f"{title}.{name}".strip(".")
        yield from [f"## `{heading.format(full)}`", "", table.entries[name].doc, "", *_table(full, keys)]


def _inner(name: str, entry: Entry) -> tuple[str, Table] | None:
    shape = entry.shape
    if isinstance(shape, Table):
        return "[{}]", shape
    if isinstance(shape, ListOf) and isinstance(shape.item, Table):
        return ("{} = [ {{ ... }} ]" if name == "steps" else "[[{}]]"), shape.item
    if isinstance(shape, Named) and isinstance(shape.item, Table):
        return "[{}.NAME]", shape.item
    return None


def _row(name: str, entry: Entry) -> str:
    return f"| `{name}` | {_cell(entry.doc)} | {_cell(_kind(entry.shape) + _default(entry))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(entry: Entry) -> str:
    if entry.default is REQUIRED:
        return "; required"
    return "" if entry.default in ("", {}) or entry.default == [] else f"; default `{json.dumps(entry.default)}`"


def _kind(shape: Any) -> str:
    if isinstance(shape, ListOf):
        return f"list: {_kind(shape.item)}"
    if isinstance(shape, Named):
        return f"NAME = {_kind(shape.item)}"
    return _described(shape, shape.schema())


def _described(shape: Any, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if schema.get("type") == "boolean":
        return "`true` or `false`"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if isinstance(shape, policy_shape.WhenShape):
        return "[condition](#conditions-of-when)"
    return str(getattr(shape, "what", "duration"))
