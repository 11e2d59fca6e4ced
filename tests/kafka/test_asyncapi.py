"""docs/asyncapi.json says what the table of topics says, in the words of AsyncAPI 3.0."""

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from rules.events import EVENTS, ChangeWithdrawn, body, type_name
from streams.docs_asyncapi import document
from streams.engines.kafka.records.topics import TOPICS
from streams.engines.kafka.records.wire import encode
from tests.kafka.processes import ROOT, lacking

DOCUMENT = document()
EVENT = ChangeWithdrawn(change="ab" * 32, by="alice", at="2026-11-21T14:00:00Z")


def references(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def found(reference):
    """What a reference stands for: a file beside the document, or a place in it."""
    path, _, place = reference.partition("#/")
    value = json.loads((ROOT / "docs" / path).read_text()) if path else DOCUMENT
    for step in filter(None, place.split("/")):
        value = value[step]
    return value


def test_the_document_is_asyncapi():
    """The official schema of AsyncAPI 3.0 has no complaint."""
    command = [ROOT / "scripts/from-npm", "@asyncapi/specs@6.11.1", "schemas/3.0.0-without-$id.json"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    if fetched.returncode:
        lacking(fetched.stderr.strip())
    validator = jsonschema.Draft7Validator(json.loads(Path(fetched.stdout.strip()).read_text("utf-8")))
    assert [error.message for error in validator.iter_errors(DOCUMENT)] == []
    broken = {**DOCUMENT, "channels": {"changes": {"adress": "twohand.changes"}}}
    assert not validator.is_valid(broken)


def test_the_document_is_current():
    """docs/asyncapi.json is what the table makes."""
    assert json.loads((ROOT / "docs/asyncapi.json").read_text()) == DOCUMENT


def test_every_reference_leads_somewhere():
    """Into the document or to a schema file."""
    assert all(found(reference) for reference in references(DOCUMENT))


def test_every_event_is_a_message_of_one_channel():
    """And its payload is the generated schema of its body."""
    said = {name: channel for channel, row in DOCUMENT["channels"].items() for name in row["messages"]}
    assert said.pop("DeadLetter") == "dead-letters"
    assert said.keys() == {kind.__name__ for kind in EVENTS}
    for kind in EVENTS:
        payload = found(DOCUMENT["components"]["messages"][kind.__name__]["payload"]["$ref"])
        assert payload["$id"] == f"urn:{type_name(kind)}"


def test_who_sends_and_receives_is_the_table():
    """One operation for each role and topic."""
    assert DOCUMENT["operations"].keys() == {
        *(f"{role}-sends-{topic.name[8:]}" for topic in TOPICS for role in topic.writers),
        *(f"{role}-receives-{topic.name[8:]}" for topic in TOPICS for role in topic.readers),
    }


@pytest.mark.parametrize("spoilt", ["", "ce_id", "ce_type", "content-type"])
def test_a_real_record_is_as_documented(spoilt):
    """Headers and body of an event meet their schemas; a spoilt header does not."""
    record = encode(EVENT, "example/shop")
    message = json.loads(json.dumps(DOCUMENT["components"]["messages"]["ChangeWithdrawn"]))
    headers = message["headers"]
    for name, row in headers["properties"].items():
        headers["properties"][name] = found(row["$ref"]) if "$ref" in row else row
    said = {name: "x" if name == spoilt else value.decode() for name, value in record.headers}
    assert jsonschema.Draft7Validator(headers).is_valid(said) is (not spoilt)
    jsonschema.validate(body(EVENT), found(message["payload"]["$ref"]))
