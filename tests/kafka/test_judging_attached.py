"""What a proposal carries for reviewers without a repository: statements that prove themselves, messages, and what is absent."""

from dataclasses import replace

import pytest

from rules.events import CommitFact, ReviewGiven
from rules.sshsig import BEGIN
from rules.statement import Statement, payload
from streams.engines.kafka.records.attached import MANY, MOST, attached, attached_to
from streams.engines.kafka.records.contents import pack, unpacked
from streams.engines.kafka.records.wire import sealed
from streams.sources import signatures
from tests.kafka.events import blob, carried, proposed
from tests.streams.keys import make_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"), ("bob", "mallory"))


def statement(change, **more: str) -> Statement:
    """A proposal in the name of bob."""
    bound = (change.repository, change.target, change.base, change.head, change.content_key)
    return Statement("propose", "bob", *bound, time=change.at, **more)


def given(keys, change, by: str = "bob") -> ReviewGiven:
    """It, with the signature of somebody."""
    signed = payload(statement(change))
    armor = signatures.sign(signed, signatures.key_from_file(keys / by)).decode()
    return ReviewGiven(
        change=change.change, content_key=change.content_key, reviewer="bob", statement=signed.decode(), signature=armor,
        at=change.at,
    )  # fmt: skip


@pytest.fixture
def change(keys):
    """By two commits, under a policy that knows bob."""
    line = " ".join((keys / "bob.pub").read_text().split()[:2])
    return replace(proposed(1, key=line), commits=(CommitFact("d" * 40), CommitFact("e" * 40)))


def test_what_is_attached_arrives(keys, change):
    """Packed with the contents and taken out again: who signed, what the commits say, nothing absent."""
    said = given(keys, change)
    packed = pack({blob(b"print(1)\n"): b"print(1)\n", **attached([said], ["second", "first"])})
    came = attached_to(change, unpacked(sealed(carried(change))._replace(packed=packed)))
    (event,) = came.events
    assert (event.statement, event.signature, event.signer.key) == (
        said.statement, said.signature, change.laws[0].text.split('keys = ["')[1].split('"')[0],
    )  # fmt: skip
    assert (came.messages, came.absent) == (("second", "first"), "")


def test_a_statement_by_another_hand_has_no_signer(keys, change):
    """Law 19: whoever may publish cannot speak for bob."""
    (event,) = attached_to(change, attached([given(keys, change, "mallory")], [])).events
    assert event.signer is None


def test_what_did_not_come_is_said(keys, change):
    """Without anything attached, and where it was too much."""
    assert attached_to(change, {}).absent == "the messages of 2 commits"
    long = attached([given(keys, change)], ["x" * (MOST + 1), "y"])
    assert attached_to(change, long).absent == "the messages of 2 commits"
    half = {name: data for name, data in long.items() if b"twohand.attached" in data}
    assert attached_to(change, half).absent == "1 statement about it and the messages of 2 commits"


def test_what_the_change_brings_is_nobodys_statement(keys, change):
    """A file whose content is a statement, or a list of messages, is content."""
    said = attached([given(keys, change)], ["lies"])
    files = tuple(replace_blob(change.files[0], name) for name in said)
    assert attached_to(replace(change, files=files), said) == ((), (), "the messages of 2 commits")


def replace_blob(file, name):
    return file._replace(path=f"{name}.py", new_blob=name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b'{"messages":[',
        b'{"messages":[1],"schema":"twohand.attached/v1","statements":"x"}',
        b"{}",
        b"[" * 100,
    ],
)
def test_garbage_beside_the_contents_is_nothing(change, data):
    """Anybody may have packed it."""
    assert attached_to(change, {blob(data): data}).events == ()


def test_a_flood_is_bounded(change):
    """Signatures are verified of so many statements alone."""
    rows = [payload(statement(change, reason=str(number))) + BEGIN for number in range(MANY + 9)]
    assert len(attached_to(change, {blob(row): row for row in rows}).events) == MANY
