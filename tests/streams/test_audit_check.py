"""Statements and decisions in the audit: who vouched for a commit, what landed undecided, and authors for other tools."""

import json
import subprocess
from pathlib import Path

import pytest

from rules import signers
from streams.audit import engine
from streams.audit.asked import Asked
from streams.audit.check import check
from streams.sources.git import Repository
from tests.streams.gate import Gate

TRACE_KEYS = {"version", "id", "timestamp", "vcs", "files", "metadata", "tool"}


def newest(gate: Gate, revision: str = "HEAD") -> dict:
    return next(engine.run(Repository.open(gate.repo.path), Asked((revision,), cache=False)))


def admit(gate: Gate, branch: str = "feature") -> None:
    """Carol owns the path, Bob reads it, Alice answers for it; then it is decided and recorded."""
    gate.repo.checkout(branch)
    gate.say("propose", "alice")
    gate.say("approve", "bob")
    gate.say("approve", "carol")
    said = gate.run("review")
    assert said.code == 0, said.out


def test_a_verified_approval_by_somebody_else_is_independence(gate):
    """Bob signed that he read Alice's commit: grade A, by the name that the policy enrols."""
    gate.say("approve", "bob")
    row = newest(gate)
    assert row["review"] == "independent"
    sign = row["review_evidence"][0]
    assert (sign["channel"], sign["grade"], sign["by"]) == ("statement", "A", "bob")
    assert row["authors"][0]["principal"] == "alice"


def test_ones_own_approval_is_none(gate):
    """Alice reads what Alice wrote: the only review is an author's."""
    gate.say("approve", "alice")
    assert newest(gate)["review"] == "self"


def test_the_approval_of_ones_own_agent_is_none(gate):
    """Alice operates claude-two: behind both stands one person (law 23)."""
    gate.say("approve", "claude-two", "--tool", "claude", "--model", "claude-opus-5", "--session", "claude:s-1")
    assert newest(gate)["review"] == "self"


def test_a_statement_by_nobody_enrolled_or_over_other_bytes_vouches_for_nothing(gate):
    """A ref with a forged name or a broken signature is no review (law 17)."""
    gate.say("approve", "bob")
    ref, blob = gate.repo.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/twohand/reviews").split()
    forged = gate.repo.raw("cat-file", "blob", blob).replace(b'"by":"bob"', b'"by":"carol"')
    other = gate.repo.git("hash-object", "-w", "--stdin", stdin=forged)
    gate.repo.git("update-ref", ref, other)
    assert newest(gate)["review"] == "none"


def test_nothing_decided_is_not_covered(gate):
    """Without a journal every step is uncovered, and the command says what to do (exit 1)."""
    said = gate.run("audit", "--check")
    assert said.code == 1
    assert "twohand review --base" in said.out
    assert "No admitted decision is recorded" in said.out


def test_an_admitted_change_that_landed_is_covered(gate):
    """The door's content key is computed again from what landed: fast-forward, merge and squash alike (law 7)."""
    admit(gate)
    gate.repo.checkout("main")
    begin = gate.repo.id("main")
    merge = gate.repo.merge("feature")
    found = check(Repository.open(gate.repo.path))
    assert (found.anchor, found.uncovered) == (merge, ())
    assert gate.run("audit", "--check").code == 0
    gate.repo.git("reset", "-q", "--hard", begin)
    gate.repo.git("merge", "-q", "--squash", "feature")
    squash = gate.repo.commit("Greet (#1)")
    assert check(Repository.open(gate.repo.path)).anchor == squash


def test_several_steps_that_were_decided_together_are_covered(gate):
    """A fast-forward of two commits is one decision over both (law 5)."""
    gate.repo.write("auth/more.py", "x = 1\n")
    head = gate.repo.commit("More")
    admit(gate)
    gate.repo.checkout("main")
    gate.repo.git("merge", "-q", "--ff-only", "feature")
    found = check(Repository.open(gate.repo.path), "HEAD~2..HEAD")
    assert found.uncovered == ()
    assert check(Repository.open(gate.repo.path)).anchor == head


def test_what_landed_after_the_last_decision_is_named(gate):
    """One more byte is another content: exit 1, the step by name, the decision it came after."""
    admit(gate)
    gate.repo.checkout("main")
    merge = gate.repo.merge("feature")
    gate.repo.write("auth/login.py", "def login(user):\n    pass\n")
    late = gate.repo.commit("Simplify")
    said = gate.run("audit", "--check", "--format", "json")
    found = json.loads(said.out)
    assert said.code == 1
    assert (found["anchor"], [step["commit"] for step in found["uncovered"]]) == (merge, [late])


def test_a_range_is_checked_whole(gate):
    """With A..B no covered step ends the search: what slipped in before it is found."""
    gate.repo.checkout("main")
    begin = gate.repo.id("HEAD")
    gate.repo.write("auth/other.py", "x = 1\n")
    slipped = gate.repo.commit("Slipped")
    gate.repo.branch("later")
    gate.repo.write("auth/login.py", "def login(user):\n    check(user)\n    log(user)\n")
    gate.repo.commit("Log")
    admit(gate, "later")
    gate.repo.checkout("main")
    gate.repo.merge("later")
    assert check(Repository.open(gate.repo.path)).uncovered == ()
    found = check(Repository.open(gate.repo.path), f"{begin}..main")
    assert [step.commit for step in found.uncovered] == [slipped]


def test_a_signature_by_a_vendors_key_is_a_claim(gate, platform):
    """It names the platform that holds the key; read here and not verified, it is grade D and only adds suspicion (law 10)."""
    gate.repo.commit("Signed", sign_key=platform)
    row = newest(gate)
    assert (row["kind"], row["marks"], row["unmarked"]) == ("mixed", ["signature"], True)
    agent = next(author for author in row["authors"] if author["kind"] == "agent")
    assert [item["grade"] for item in agent["evidence"]] == ["D"]


def test_a_signature_by_an_enrolled_agent_names_it(gate):
    """The policy says whose key it is."""
    gate.repo.commit("Signed", sign_key=gate.keys["bot"])
    row = newest(gate)
    assert (row["kind"], row["authors"][0]["principal"]) == ("mixed", "claude-two")


def test_a_signer_other_than_the_author_is_seen(gate):
    """Bob's key under Alice's name: Bob had a hand in it, as far as a signature that was only read can say."""
    gate.repo.commit("Mine", sign_key=gate.keys["bob"])
    authors = {author["principal"]: author for author in newest(gate)["authors"]}
    assert set(authors) == {"alice", "bob"}
    assert [(item["channel"], item["grade"]) for item in authors["bob"]["evidence"]] == [("signature", "D")]
    gate.repo.commit("Mine", sign_key=gate.keys["alice"])
    assert [author["principal"] for author in newest(gate)["authors"]] == ["alice"]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private key that nobody enrolled and that a vendor is known by."""
    key = tmp_path / "platform"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    printed = signers.fingerprint(key.with_suffix(".pub").read_text())
    monkeypatch.setattr(signers, "known", lambda: {printed: "claude"})
    return key


def test_authors_verifies_the_signature_of_its_commit(gate, platform):
    """A good one is grade C, since whose key it is, is inferred; one over other bytes says so and stays D."""
    commit = gate.repo.commit("Signed", sign_key=platform)
    agent = next(one for one in authors_of(gate, commit) if one["kind"] == "agent")
    assert (agent["evidence"][0]["grade"], "the signature is good" in agent["evidence"][0]["claim"]) == ("C", True)
    forged = gate.repo.raw("cat-file", "commit", commit).replace(b"Signed", b"Forged")
    other = gate.repo.commit_raw(forged)
    agent = next(one for one in authors_of(gate, other) if one["kind"] == "agent")
    assert (agent["evidence"][0]["grade"], "the signature is not good" in agent["evidence"][0]["claim"]) == ("D", True)


def authors_of(gate: Gate, commit: str) -> list[dict]:
    return json.loads(gate.run("authors", commit, "--format", "json").out)["authors"]


def test_the_summary_says_what_was_verified(gate, platform):
    """How many signatures name a known key, where nothing else does, and which were verified to be good."""
    for text in ("One", "Two\n\nCo-Authored-By: Claude <noreply@anthropic.com>"):
        gate.repo.commit(text, sign_key=platform)
    said = gate.run("audit", "--no-rules")
    told = " ".join(said.out.split())
    assert said.code == 0, said.err
    assert "2 commits name in the signature a key that a tool's platform is known by" in told
    assert "in 1 nothing else shows the tool; 2 were verified: all good" in told


# -- authors of one commit --------------------------------------------------------------------------------------------


def test_authors_are_told_to_people_and_to_other_tools(gate):
    """The Agent Trace record names revision, lines, model and session, and has the same id each time."""
    gate.repo.write("auth/new.py", "a = 1\nb = 2\n\nc = 3\n")
    text = "Add\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>\nClaude-Session: https://claude.ai/code/session_01Ab\n"
    commit = gate.repo.commit(text)
    first = json.loads(gate.run("authors", commit, "--format", "agent-trace").out)
    assert first == json.loads(gate.run("authors", "--format", "agent-trace").out)
    assert set(first) == TRACE_KEYS
    assert first["vcs"] == {"type": "git", "revision": commit}
    assert first["files"] == [
        {
            "path": "auth/new.py",
            "conversations": [
                {
                    "contributor": {"type": "mixed", "model_id": "anthropic/Claude Opus 5"},
                    "related": [{"type": "session", "url": "urn:session:claude-web:session_01Ab"}],
                    "ranges": [{"start_line": 1, "end_line": 2}, {"start_line": 4, "end_line": 4}],
                }
            ],
        }
    ]
    told = gate.run("authors").out
    assert "claude-web:session_01Ab" in told
    assert json.loads(gate.run("authors", "--format", "json").out)["kind"] == "mixed"
    assert gate.run("authors", "nothing").code == 2


def test_our_traces_are_read_by_our_own_reader(gate):
    """What `authors` writes is a record that the audit understands."""
    commit = gate.repo.commit("Fix\n\nAssisted-by: Crush:gpt-5.2\n")
    gate.repo.write("b.py", "x = 1\n")
    later = gate.repo.commit("Fix more\n\nAssisted-by: Crush:gpt-5.2\n")
    record = json.loads(gate.run("authors", later, "--format", "agent-trace").out)
    record["vcs"]["revision"] = commit
    gate.repo.write(".agent-trace/traces.jsonl", json.dumps(record) + "\n")
    gate.repo.commit("Traces")
    row = list(engine.run(Repository.open(gate.repo.path), Asked(("HEAD",), cache=False)))[2]
    assert row["marks"] == ["mark", "trace"]
    assert {author["maker"] for author in row["authors"] if author["kind"] == "agent"} == {"openai"}
