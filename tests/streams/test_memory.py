"""What a journal remembers about a change: its makers, its patches, its voices; and what nobody can write into it."""

import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rules.events import ReviewGiven
from rules.sshsig import Signer
from streams import clock
from streams.engines.journal import Journal
from streams.memory import Memory, verified
from streams.sources.statements import stored
from tests.streams.gate import Gate

MARK = "Greet\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>\n"


def reviewed(gate: Gate, *arguments: str) -> dict[str, Any]:
    said = gate.run("review", "--format", "json", *arguments)
    assert said.out, said.err
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


def makers(decision: dict[str, Any]) -> set[str]:
    return {author["maker"] for author in decision["authors"] if author["maker"]}


def public(gate: Gate, name: str) -> str:
    """The key as the policy has it, without its comment."""
    return " ".join(gate.keys[name].with_suffix(".pub").read_text().split()[:2])


def journal(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


def amend(gate: Gate, message: str) -> None:
    gate.repo.git("commit", "-q", "--amend", "-m", message)


@pytest.fixture
def marked(gate: Gate) -> Gate:
    """A change with a model's mark, answered for by alice, and recorded."""
    amend(gate, MARK)
    gate.say("propose", "alice", "--tool", "claude-code")
    assert makers(reviewed(gate)) == {"anthropic"}
    return gate


# -- authors stick ----------------------------------------------------------------------------------------------------


def test_a_mark_that_was_amended_away_is_remembered(marked: Gate) -> None:
    """Law 12: the same content, another message."""
    amend(marked, "Greet")
    assert makers(reviewed(marked)) == {"anthropic"}


def test_a_mark_is_remembered_on_another_branch(marked: Gate) -> None:
    """Law 12: the same content under another name."""
    marked.repo.branch("renamed")
    amend(marked, "Greet")
    assert makers(reviewed(marked)) == {"anthropic"}


def test_a_patch_carries_its_mark_to_another_base(marked: Gate) -> None:
    """Law 12: the same verbatim patch on a main that moved on."""
    marked.repo.checkout("main")
    marked.repo.write("other", "x\n")
    marked.repo.commit("Moved on")
    marked.repo.branch("again")
    marked.repo.git("cherry-pick", "--no-commit", "feature")
    marked.repo.commit("Greet")
    assert makers(reviewed(marked)) == {"anthropic"}


def test_a_mark_that_was_never_recorded_is_not_invented(gate: Gate) -> None:
    """Without a journal, only what is there speaks; a dry run remembers nothing."""
    amend(gate, MARK)
    gate.say("propose", "alice", "--tool", "claude-code")
    reviewed(gate, "--dry-run")
    gate.repo.git("update-ref", "-d", gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand"))
    amend(gate, "Greet")
    assert makers(reviewed(gate)) == set()


# -- signers ----------------------------------------------------------------------------------------------------------


def test_a_signer_in_an_event_is_never_believed(gate: Gate) -> None:
    """Law 19: it is found anew by our own verification, whatever an event says."""
    gate.say("object", "bob")
    reviewed(gate)
    with Journal(journal(gate)) as opened:
        (event,) = [e for e in opened.events() if isinstance(e, ReviewGiven) and e.statement]
    mallory = Signer("ssh-ed25519 AAAA", presence=True)
    found = verified(replace(event, signer=mallory))
    assert isinstance(found, ReviewGiven)
    assert found.signer == Signer(public(gate, "bob"))
    forged = verified(replace(event, signer=mallory, statement=event.statement.replace("bob", "eve")))
    assert isinstance(forged, ReviewGiven)
    assert forged.signer is None


def test_each_blob_is_verified_once(gate: Gate) -> None:
    """What was found is kept by blob id, and only by who records."""
    gate.say("object", "bob")
    enrolled = frozenset({public(gate, "bob")})
    with Journal(journal(gate)) as opened:
        blob = gate.repo.git("for-each-ref", "--format=%(objectname)", "refs/twohand")
        row = stored("ref", blob, gate.repo.raw("cat-file", "blob", blob))
        memory = Memory(opened)
        first = memory.signers([row], enrolled, keep=False)
        assert opened.known_signers([blob]) == {}
        assert memory.signers([row], enrolled, keep=True) == first
        assert opened.known_signers([blob]) == first == {blob: Signer(public(gate, "bob"))}


def test_a_key_that_nobody_enrolled_signs_nothing(gate: Gate) -> None:
    """Law 18: keys stand in the policy; those of others are not even asked about, nor remembered."""
    gate.say("object", "bob")
    with Journal(journal(gate)) as opened:
        blob = gate.repo.git("for-each-ref", "--format=%(objectname)", "refs/twohand")
        row = stored("ref", blob, gate.repo.raw("cat-file", "blob", blob))
        assert Memory(opened).signers([row], frozenset({public(gate, "carol")}), keep=True) == {}
        assert opened.known_signers([blob]) == {}


def test_an_unsigned_blob_is_not_remembered(gate: Gate) -> None:
    """Only good signatures are kept."""
    with Journal(journal(gate)) as opened:
        row = stored("ref", "a" * 40, b"nothing")
        assert Memory(opened).signers([row], frozenset({public(gate, "bob")}), keep=True) == {}
        assert opened.known_signers(["a" * 40]) == {}


def test_a_signer_that_somebody_wrote_into_the_journal_signs_nothing(gate: Gate) -> None:
    """Law 19: a row that says that a blob was verified does not make its armor a signature of that key."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    with Journal(journal(gate)) as opened:
        for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").splitlines():
            data = gate.repo.raw("cat-file", "blob", ref)
            if b'"verb":"approve"' in data:
                forged = data[: data.index(b"\n-----") + 1] + b"-----BEGIN SSH SIGNATURE-----\nx\n"
                blob = gate.repo.git("hash-object", "-w", "--stdin", stdin=forged)
                gate.repo.git("update-ref", ref, blob)
                opened.remember_signers({blob: Signer(public(gate, "carol"))})
    decision = reviewed(gate)
    assert decision["outcome"] == "escalated"
    assert "approval.unsigned" in {reason["code"] for reason in decision["reasons"]}


# -- voices -----------------------------------------------------------------------------------------------------------


def test_only_what_is_gone_has_vanished(gate: Gate) -> None:
    """Law 40: objections and withdrawals whose refs are there are read from there."""
    gate.say("object", "bob")
    gate.say("approve", "carol")
    reviewed(gate)
    blobs = gate.repo.git("for-each-ref", "--format=%(objectname)", "refs/twohand").split()
    rows = [stored("ref", blob, gate.repo.raw("cat-file", "blob", blob)) for blob in blobs]
    with Journal(journal(gate)) as opened:
        memory = Memory(opened)
        assert memory.vanished(rows) == []
        (gone,) = memory.vanished([])
    assert gone.statement
    assert (gone.statement.by, gone.statement.verb) == ("bob", "object")


def minutes_pass(patch: pytest.MonkeyPatch) -> None:
    """It is a minute later than it is."""
    now = time.time()
    patch.setattr(clock, "time", SimpleNamespace(time=lambda: now + 60))


def answer_and_approve(gate: Gate) -> None:
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")


def test_a_recorded_objection_stays_when_its_ref_is_gone(gate: Gate) -> None:
    """Law 40: a recorder keeps it in force, also for another branch with the same content and after an amend."""
    answer_and_approve(gate)
    gate.say("object", "bob")
    assert reviewed(gate)["outcome"] == "blocked"
    for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").splitlines():
        gate.repo.git("update-ref", "-d", ref)
    assert reviewed(gate)["outcome"] == "blocked"
    gate.repo.branch("renamed")
    gate.repo.git("commit", "-q", "--amend", "-m", "Another message")
    answer_and_approve(gate)
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "veto" in {reason["code"] for reason in decision["reasons"]}


def test_a_recorded_objection_is_withdrawn_like_any_other(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 34: its author takes it back; nobody else does."""
    answer_and_approve(gate)
    gate.say("object", "bob")
    reviewed(gate)
    for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").splitlines():
        gate.repo.git("update-ref", "-d", ref)
    gate.say("withdraw", "carol")
    assert reviewed(gate)["outcome"] == "blocked"
    minutes_pass(monkeypatch)
    gate.say("withdraw", "bob")
    gate.say("approve", "carol")
    assert reviewed(gate)["outcome"] == "admitted"


def without_bob(gate: Gate) -> None:
    """Bob left: the policy does not know his key any more."""
    line = gate.keys["bob"].with_suffix(".pub").read_text().strip()
    gate.repo.checkout("main")
    gate.repo.write("twohand.toml", gate.policy.replace(f'[people.bob]\nkeys = ["{line}"]\n', ""))
    gate.repo.commit("Bob left")
    gate.repo.checkout("feature")


@pytest.mark.parametrize("gone", [False, True], ids=["ref", "no ref"])
def test_an_objection_survives_its_author(gate: Gate, gone: bool) -> None:
    """Law 18: it was valid when it was received."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("object", "bob")
    assert reviewed(gate)["outcome"] == "blocked"
    if gone:
        for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").splitlines():
            gate.repo.git("update-ref", "-d", ref)
    without_bob(gate)
    gate.say("approve", "carol")
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "veto" in {reason["code"] for reason in decision["reasons"]}


def test_an_objection_survives_its_author_under_another_name(gate: Gate) -> None:
    """Law 18, 34: it was recorded before anybody proposed, so the change was called otherwise; it holds all the same."""
    gate.say("object", "bob")
    assert reviewed(gate)["outcome"] == "blocked"
    without_bob(gate)
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    assert reviewed(gate)["outcome"] == "blocked"


@pytest.mark.parametrize("answered", [True, False], ids=["same change", "another change"])
def test_a_withdrawn_approval_does_not_come_back(gate: Gate, answered: bool) -> None:
    """Law 40: the withdrawal was recorded; without its ref the approval is still taken back."""
    if answered:
        gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    gate.say("withdraw", "carol")
    assert reviewed(gate)["outcome"] == "escalated"
    if not answered:
        gate.say("propose", "alice", "--tool", "none")
    for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").splitlines():
        if b'"verb":"withdraw"' in gate.repo.raw("cat-file", "blob", ref):
            gate.repo.git("update-ref", "-d", ref)
    assert reviewed(gate)["outcome"] == "escalated"


def test_without_a_journal_nothing_is_remembered() -> None:
    """A dry run in a repository that never recorded anything."""
    memory = Memory(None)
    assert list(memory.history("change", {})) == []
    assert memory.contents("key") == frozenset({"key"})
    assert memory.vanished([]) == []


def test_a_broken_journal_decides_nothing(marked: Gate) -> None:
    """Law 40: a recorded row that is no event any more stops the review with an error that names it."""
    with sqlite3.connect(journal(marked)) as db:
        db.execute("update log set body = '{}' where offset = 1")
    db.close()
    said = marked.run("review")
    assert (said.code, said.out) == (3, "")
    assert "row 1 is no event" in said.err


def test_an_approval_of_earlier_content_is_not_taken_for_this(marked: Gate) -> None:
    """Law 33: what was approved before another byte came is stale, though the change is the same."""
    marked.say("approve", "carol")
    assert reviewed(marked)["outcome"] == "admitted"
    marked.repo.write("auth/login.py", "def login(user):\n    greet(user)\n")
    marked.repo.commit("Shorter")
    marked.say("propose", "alice", "--tool", "claude-code")
    decision = reviewed(marked)
    assert decision["outcome"] == "escalated"
    assert "approval.stale" in {reason["code"] for reason in decision["reasons"]}
