"""docs/events.md and docs/schema/: the events and their JSON Schemas, read from the law's own dataclasses (law 42)."""

import json
from dataclasses import fields
from inspect import cleandoc
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from rules.events import BESIDE_THE_BODY, EVENTS, Event, type_name

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_HEAD: Final = """\
<!-- Generated from rules/events.py; edit there, then run `make docs`. -->

# Events

Facts in the past tense. On disk and on the wire each is a CloudEvent 1.0; its `data` is the body below, its `time` is when
the source saw it, `subject` and `partitionkey` are the change, and its `id` is the sha256 of type and canonical body: the
same fact twice has the same id (law 42). Nothing extra is allowed in a body. The schema of each lies in
[schema/](schema/).
"""


class _AsWritten(GenerateJsonSchema):
    """Named tuples are written as objects, not as arrays."""

    def named_tuple_schema(self, schema: Any) -> JsonSchemaValue:
        rows = {field["name"]: field["schema"] for field in schema["fields"]}
        required = [name for name, inner in rows.items() if inner["type"] != "default"]
        properties = {
            name: {"title": self.get_title_from_name(name), **self.generate_inner(inner)}
            for name, inner in rows.items()
        }
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def pages() -> dict[str, str]:
    schemas = {f"schema/{_file(kind)}": json.dumps(schema(kind), indent=2) + "\n" for kind in EVENTS}
    return {"events.md": "\n".join([_HEAD, *map(_section, EVENTS)]), **schemas}


def schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's body."""
    made = TypeAdapter(kind).json_schema(schema_generator=_AsWritten)
    for name in BESIDE_THE_BODY:
        made["properties"].pop(name, None)
    if "Signer" not in json.dumps(made["properties"]):
        made.get("$defs", {}).pop("Signer", None)
    made = {name: value for name, value in made.items() if name != "$defs" or value}
    return {"$schema": DIALECT, "$id": f"urn:{type_name(kind)}", **made, "additionalProperties": False}


def _file(kind: type[Event]) -> str:
    return f"{type_name(kind).removeprefix('dev.twohand.')}.json"


def _section(kind: type[Event]) -> str:
    doc = "" if (kind.__doc__ or "").startswith(f"{kind.__name__}(") else cleandoc(kind.__doc__ or "")
    names = [f"`{field.name}`" for field in fields(kind) if field.name not in BESIDE_THE_BODY]
    lines = [f"## {kind.__name__}", "", f"`{type_name(kind)}` · [schema](schema/{_file(kind)})", ""]
    return "\n".join([*lines, *([doc, ""] if doc else []), f"Body: {', '.join(names)}.", ""])
