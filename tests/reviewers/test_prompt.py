"""Prompts are files with a version; another text is another version of the reviewer."""

import json

import jsonschema
import pytest

from reviewers.prompt import NAMES, digest, prompt
from reviewers.request import schema_of_answers
from streams.docs_prompts import pages


def test_every_prompt_is_a_file_with_a_version():
    """The first line names it and is not sent."""
    for name in NAMES:
        found = prompt(name)
        assert found.version.startswith("v")
        assert len(found.sha256) == 64
        assert not found.text.startswith(name)
        assert len(found.text) < 4000
    assert len(digest()) == 64


def test_the_documentation_has_a_section_of_each():
    """docs/prompts.md shows what is sent, word for word, with version and hash."""
    page = pages()["prompts.md"]
    for name in NAMES:
        assert prompt(name).text in page
        assert prompt(name).sha256 in page


@pytest.mark.parametrize("key", ["nonce", "marks", "verdict", "reason", "findings"])
def test_the_schema_is_closed(key):
    """What endpoints are asked to enforce is what our own check accepts, and no more."""
    schema = schema_of_answers()
    answer = {"nonce": "a", "marks": ["b"], "verdict": "approve", "reason": "fine", "findings": []}
    jsonschema.validate(answer, schema)
    for wrong in ({**answer, "more": 1}, {name: value for name, value in answer.items() if name != key}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    assert f'"{key}"' in prompt("review").text
    assert json.dumps(schema)
