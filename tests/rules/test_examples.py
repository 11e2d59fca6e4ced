"""The example policies decide: nothing lands unseen, and a self-review lands nowhere but where it is advised (law 24, 36)."""

from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from rules import policy as policies
from rules.change import content_key
from rules.claims import Claim
from rules.decision import decide
from rules.events import CommitFact
from rules.instants import later
from rules.sshsig import BEGIN, END, NAMESPACE, Signer
from tests.rules.lawkit import HEAD, NOON, REPOSITORY, TARGET, _string, case_of, file, heard, proposed, said

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def change_by(policy: policies.Policy, name: str):
    """A harmless file, written and opened by this person."""
    person = policy.people[name]
    claims = [
        Claim(channel, "D", commit=HEAD, kind="person", name=name, email=person.emails[0])
        for channel in ("author", "committer")
    ]
    repository = policy.repository or REPOSITORY
    files = (file("lib/words.txt"),)
    key = content_key(repository, TARGET, files)
    door = Claim("opened-by", "B", name=person.accounts[0], account=person.accounts[0])
    return proposed(*claims, door, files=files, repository=repository, content_key=key, commits=(CommitFact(HEAD),))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_lands_unseen(path: Path) -> None:
    """Law 30, 40: whoever wrote it, without an answer it is not admitted."""
    policy = policies.parse(path.read_text("utf-8"), path.name)
    for name in policy.people:
        decision = decide(case_of(change_by(policy, name)), policy, later(NOON, 60))
        assert decision.outcome in ("pending", "escalated")
        assert decision.reasons


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_own_approval_counts_only_where_it_is_advised_and_stamped(path: Path) -> None:
    """Law 24: the solo profile says so in every decision; the others refuse."""
    policy = policies.parse(path.read_text("utf-8"), path.name)
    name = next(name for name, person in policy.people.items() if person.active and person.keys)
    change = change_by(policy, name)
    event = heard(said("approve", name, change))
    signed = signed_by(event, policy.people[name].keys[0])
    decision = decide(case_of(change, signed), policy, later(NOON, 60))
    assert [ballot.name for ballot in decision.ballots] == [name]
    if policy.independence.identity == "advise":
        assert "not independent" in decision.stamps
    else:
        assert decision.outcome != "admitted"


def signed_by(event, key: policies.Key):
    """The event as if this enrolled key had been found to sign it."""
    parts = (b64decode(key.blob), NAMESPACE.encode(), b"", b"sha512", _string(key.type.encode()) + _string(bytes(64)))
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(map(_string, parts))
    armored = f"{BEGIN.decode()}\n{b64encode(blob).decode()}\n{END.decode()}\n"
    return replace(event, signature=armored, signer=Signer(f"{key.type} {key.blob}"))
