"""Signed statements as another repository publishes them: made in a clone, and taken away there again."""

import json
from dataclasses import replace
from pathlib import Path

from rules.events import ReviewGiven
from streams.sources import signatures
from tests.kafka.commands import run
from tests.kafka.events import NOON
from tests.streams.served import Served

LISTED = ("for-each-ref", "--format=%(refname)", "refs/twohand/reviews")


def statement(served: Served, verb: str, name: str, *, change: str = "") -> ReviewGiven:
    """What somebody says of `feature`, as an event of the change that has its content."""
    work = served.work
    before = {*work.git(*LISTED).split()}
    assert run(verb, "feature", "--as", name, "--key", served.keys / name, "-C", work.path).code == 0
    (ref,) = {*work.git(*LISTED).split()} - before
    blob = work.git("cat-file", "blob", ref) + "\n"
    work.git("update-ref", "-d", ref)
    text, _, armor = blob.partition("-----BEGIN")
    key = json.loads(text)["content_key"]
    said = {"statement": text, "signature": "-----BEGIN" + armor}
    return ReviewGiven(change=change or key, content_key=key, reviewer=name, at=NOON, **said)


def resigned(given: ReviewGiven, name: str, key: Path) -> ReviewGiven:
    """The same words in another's name, signed with this key."""
    text = given.statement.replace(f'"by":"{given.reviewer}"', f'"by":"{name}"')
    armor = signatures.sign(text.encode(), signatures.key_from_file(key)).decode()
    return replace(given, reviewer=name, statement=text, signature=armor)
