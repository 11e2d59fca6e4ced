"""The JSON Schema is written from the table that the parser reads with."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from rules import policy, policy_shape

ROOT = Path(__file__).parents[2]
SCHEMA = policy_shape.json_schema()
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def test_the_published_schema_is_current():
    """docs/policy.schema.json is what `policy schema` prints."""
    written = json.loads((ROOT / "docs" / "policy.schema.json").read_text())
    assert written == SCHEMA, "run: twohand policy schema > docs/policy.schema.json"


def test_the_schema_is_a_schema():
    """It follows JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_follow_it(path):
    """The file and its full dump are both valid."""
    jsonschema.Draft202012Validator(SCHEMA).validate(tomllib.loads(path.read_text()))
    jsonschema.Draft202012Validator(SCHEMA).validate(policy.dump(policy.parse(path.read_text(), path.name)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 2",
        "version = 1\nprotct = []",
        "version = 1\nindependence.family = 'blok'",
        "version = 1\nowners.forge = 'false'",
        "version = 1\nwaivers.max = '2y'",
        "version = 1\nteams.x = []",
        "version = 1\nprotect = ['a', 'a']",
        "version = 1\n[[requirement]]\nname = 'a'\nfrom = ['humans']",
        "version = 1\n[[requirement]]\nname = 'a'\nfrom = ['human']\nwhen = { any = [{ pats = 'x' }] }",
        "version = 1\n[[requirement]]\nname = 'a'\nfrom = ['human']\napprovals = 0",
        "version = 1\n[people.'a b']",
    ],
)
def test_it_refuses_what_the_parser_refuses(text):
    """An editor shows the mistakes that need no knowledge of the other names."""
    with pytest.raises(policy.PolicyInvalid):
        policy.parse(text, "x")
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text))


def test_every_object_is_closed_and_every_key_described():
    """Unknown keys are mistakes everywhere, and an editor can explain each known one."""
    tables = list(_tables(SCHEMA))
    assert len(tables) > 10
    for table in tables:
        assert table["additionalProperties"] is False
        assert all(entry["description"] for entry in table["properties"].values())


def _tables(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from _tables(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _tables(value)
