"""The desk: one change of a real repository is read, judged and recorded, whatever the repository is like."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rules import instants
from streams import clock
from streams.desk import Asked, Desk
from streams.engines.journal import Journal
from streams.evidence import NOTE_LIMIT
from streams.sources.git import Repository
from tests.gitrepo import Repo
from tests.streams.gate import Gate

NOTE = {
    "schema_version": "authorship/3.0.0",
    "sessions": {
        "s_00112233445566": {
            "agent_id": {"tool": "cursor", "id": "conv-1", "model": "claude-sonnet-4-5"},
            "human_author": "Alice Doe <alice@example.com>",
        }
    },
}
TRACE = {
    "version": "0.1.0",
    "id": "01234567-89ab-cdef-0123-456789abcdef",
    "timestamp": "2026-01-23T14:30:00Z",
    "tool": {"name": "cursor"},
    "files": [
        {
            "path": "auth/login.py",
            "conversations": [
                {
                    "url": "https://tool.example/c/1",
                    "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5"},
                    "ranges": [{"start_line": 1, "end_line": 9}],
                }
            ],
        }
    ],
}


def reviewed(gate: Gate, *arguments: str) -> dict[str, Any]:
    said = gate.run("review", "--format", "json", *arguments)
    assert said.out, said.err
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


def codes(decision: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in decision["reasons"]}


def admit(gate: Gate, *arguments: str, rev: str = "HEAD") -> None:
    for verb, name, more in (("propose", "alice", ("--tool", "none")), ("approve", "carol", ())):
        said = gate.run(verb, rev, "--as", name, "--key", str(gate.keys[name]), *more, *arguments)
        assert said.code == 0, said.err


def journal(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


# -- what is written --------------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing(gate: Gate) -> None:
    """No journal appears, no ref, no file; the answer is the same as that of a run that records."""
    before = sorted(path for path in gate.repo.path.rglob("*") if path.is_file())
    dry = reviewed(gate, "--dry-run")
    assert sorted(path for path in gate.repo.path.rglob("*") if path.is_file()) == before
    wet = reviewed(gate)
    assert journal(gate).is_file()
    assert (dry["outcome"], dry["reasons"]) == (wet["outcome"], wet["reasons"])


def test_a_dry_run_adds_nothing_to_a_journal(gate: Gate) -> None:
    """What was recorded before is read, and left as it is; so are verified signers."""
    reviewed(gate)
    admit(gate)
    with closing(sqlite3.connect(journal(gate))) as db:
        before = list(db.iterdump())
    assert reviewed(gate, "--dry-run")["outcome"] == "admitted"
    with closing(sqlite3.connect(journal(gate))) as db:
        assert list(db.iterdump()) == before


def test_a_review_records_proposal_rules_statements_and_decision(gate: Gate) -> None:
    """Law 40: every decision is recorded with what it was made of; a repeat adds its decision alone."""
    admit(gate)
    reviewed(gate)
    with Journal(journal(gate)) as opened:
        first = [type(event).__name__ for event in opened.events()]
        assert first == ["ChangeProposed", "ReviewGiven", "ReviewGiven", "ReviewGiven", "DecisionMade"]
        assert opened.broken_row() is None
    reviewed(gate)
    with Journal(journal(gate)) as opened:
        again = [type(event).__name__ for event in opened.events()][len(first) :]
        assert set(again) <= {"ChangeProposed", "DecisionMade"}


def test_a_journal_that_cannot_be_written_admits_nothing(gate: Gate) -> None:
    """Law 40: exit 0 without a recorded decision is a defect."""
    admit(gate)
    journal(gate).parent.mkdir()
    journal(gate).write_bytes(b"no database at all, but something else " * 99)
    said = gate.run("review")
    assert said.code == 3
    assert said.out == ""
    assert "not a database" in said.err
    assert "hint: " in said.err


# -- what a change is called ------------------------------------------------------------------------------------------


def test_a_change_without_anybody_is_called_by_its_content(gate: Gate) -> None:
    """Law 6: the content key, as long as nobody answers for it."""
    change = reviewed(gate)["change"]
    assert change["id"] == change["content_key"]


def test_a_change_is_called_by_branch_and_principal(gate: Gate) -> None:
    """Law 6: with somebody who answers, its name survives another content."""
    gate.say("propose", "alice", "--tool", "none")
    first = reviewed(gate)["change"]
    assert first["id"] != first["content_key"]
    gate.repo.write("auth/login.py", "def login(user):\n    check(user)\n    welcome(user)\n")
    gate.repo.commit("Better")
    gate.say("propose", "alice", "--tool", "none")
    second = reviewed(gate)["change"]
    assert second["content_key"] != first["content_key"]
    assert second["id"] == first["id"]
    gate.repo.branch("renamed")
    assert reviewed(gate)["change"]["id"] != first["id"]


def test_a_change_is_called_by_its_number(gate: Gate) -> None:
    """Law 6: the forge's, whatever branch and content."""
    first = reviewed(gate, "--change", "17")["change"]["id"]
    gate.repo.branch("renamed")
    gate.repo.write("more", "x\n")
    gate.repo.commit("More")
    assert reviewed(gate, "--change", "17")["change"]["id"] == first
    assert reviewed(gate, "--change", "18")["change"]["id"] != first


def test_a_statement_without_number_speaks_of_its_content(gate: Gate) -> None:
    """Law 6: said without `--change`, it counts for the change that has this content, numbered or not."""
    admit(gate)
    assert reviewed(gate, "--change", "17")["outcome"] == "admitted"


def test_the_opener_that_the_caller_asserts_answers(gate: Gate) -> None:
    """Law 10: grade B, by whoever runs the gate."""
    gate.say("approve", "carol")
    assert "provenance.missing" in codes(reviewed(gate))
    decision = reviewed(gate, "--opened-by", "alice", "--pushed-by", "alice")
    assert decision["outcome"] == "admitted"
    assert {row["grade"] for author in decision["authors"] for row in author["evidence"]} >= {"B"}


# -- time -------------------------------------------------------------------------------------------------------------


def at(gate: Gate, now: str) -> str:
    with Desk(Repository.open(gate.repo.path), now=lambda: now) as desk:
        return str(desk.review(Asked()).outcome)


def test_a_clock_that_goes_back_admits_nothing_new(gate: Gate) -> None:
    """Law 18: what is dated in the future is refused; when the clock is right again, it counts."""
    admit(gate)
    now = clock.now()
    assert at(gate, instants.later(now, -3600)) == "escalated"
    assert at(gate, instants.later(now, 60)) == "admitted"
    with Journal(journal(gate)) as opened:
        assert opened.broken_row() is None


def test_a_clock_that_goes_back_does_not_lift_an_objection(gate: Gate) -> None:
    """Law 34, 40: an objection that was recorded stays in force at whatever time it seems to be."""
    admit(gate)
    gate.say("object", "bob")
    now = clock.now()
    assert at(gate, instants.later(now, 60)) == "blocked"
    assert at(gate, instants.later(now, -3600)) != "admitted"


def test_approvals_lapse(gate: Gate) -> None:
    """Law 33: after thirty days the same approval is stale."""
    admit(gate)
    now = clock.now()
    assert at(gate, instants.later(now, 29 * instants.DAY)) == "admitted"
    assert at(gate, instants.later(now, 31 * instants.DAY)) == "escalated"


# -- repositories of every kind ---------------------------------------------------------------------------------------


def test_a_changed_submodule_is_not_covered(gate: Gate, tmp_path: Path) -> None:
    """Law 3: a pointer to another repository is held for an owner."""
    other = Repo(tmp_path / "other")
    other.write("file", "x\n")
    other.commit()
    gate.repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "vendor")
    gate.repo.commit("Vendor")
    decision = reviewed(gate)
    assert "coverage.partial" in codes(decision)
    assert decision["outcome"] == "escalated"


def test_a_shallow_clone_is_not_enough(gate: Gate, tmp_path: Path) -> None:
    """Law 1: a history that is cut off is `evidence.incomplete`, with the command that fetches the rest."""
    admit(gate)
    assert reviewed(gate)["outcome"] == "admitted"
    clone = Repo.clone(gate.repo, tmp_path / "clone", "--depth=1", "--no-single-branch", "--branch=feature")
    clone.git("fetch", "-q", "origin", "refs/twohand/*:refs/twohand/*")
    gate.repo = clone
    said = gate.run("review", "--format", "json", "--target", "main")
    decision = json.loads(said.out)
    assert decision["outcome"] == "escalated"
    assert "evidence.incomplete" in codes(decision)


COMMITS = {
    "NUL in message": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\0y\nCo-Authored-By: Claude <noreply@anthropic.com>\n",
    "no author": b"tree %(tree)s\nparent %(parent)s\ncommitter A <a@b> 1 +0000\n\nx\n",
    "no dates": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b>\ncommitter A\n\nx\n",
    "no message": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n",
    "two authors": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b> 1 +0000\nauthor B <c@d> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n",
    "NUL in author": b"tree %(tree)s\nparent %(parent)s\nauthor A\0B <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n",
    "huge date": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b> 99999999999999999999999 +9999\ncommitter A <a@b> -1 x\n\nx\n",
    "no Unicode": b"tree %(tree)s\nparent %(parent)s\nauthor \xff\xfe <\xff> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding \xff\n\n\xff\n",
    "odd signature": b"tree %(tree)s\nparent %(parent)s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n !!!\n\nx\n",
}


@pytest.mark.parametrize("name", COMMITS)
def test_a_malformed_commit_is_judged(gate: Gate, name: str) -> None:
    """No commit object crashes the gate, and none of these is admitted on the word of what it says."""
    values = {b"tree": gate.repo.id("HEAD^{tree}").encode(), b"parent": gate.repo.id("main").encode()}
    data = COMMITS[name].replace(b"%(tree)s", values[b"tree"]).replace(b"%(parent)s", values[b"parent"])
    gate.repo.git("update-ref", "refs/heads/feature", gate.repo.commit_raw(data))
    decision = reviewed(gate)
    assert decision["outcome"] == "escalated"
    assert decision["change"]["files"] == 1
    admit(gate)
    assert reviewed(gate)["outcome"] in ("admitted", "escalated", "blocked")


def test_a_mark_behind_a_nul_is_read(gate: Gate) -> None:
    """Law 8: git shows no message behind a NUL; we read it whole."""
    data = COMMITS["NUL in message"].replace(b"%(tree)s", gate.repo.id("HEAD^{tree}").encode())
    data = data.replace(b"%(parent)s", gate.repo.id("main").encode())
    gate.repo.git("update-ref", "refs/heads/feature", gate.repo.commit_raw(data))
    assert "anthropic" in {author["maker"] for author in reviewed(gate)["authors"]}


def test_notes_of_git_ai_are_read(gate: Gate) -> None:
    """Law 8: `refs/notes/ai` names tool, model and session of a commit."""
    head = "auth/login.py\n  s_00112233445566::t_01 1-10\n---\n"
    gate.repo.git("notes", "--ref=ai", "add", "-F", "-", "feature", stdin=(head + json.dumps(NOTE)).encode())
    authors = reviewed(gate)["authors"]
    found = [author for author in authors if author["tool"] == "cursor"]
    assert [(author["maker"], author["family"]) for author in found] == [("anthropic", "claude")]
    assert {row["channel"] for row in found[0]["evidence"]} == {"note"}


@pytest.mark.parametrize("text", [b"", b"\xff\0", b"---\n{}", b"[" * 100_000])
def test_a_note_that_is_none_says_nothing(gate: Gate, text: bytes) -> None:
    """Odd notes neither crash nor speak."""
    blob = gate.repo.git("hash-object", "-w", "--stdin", stdin=text)
    gate.repo.git("notes", "--ref=ai", "add", "--allow-empty", "-C", blob, "feature")
    assert reviewed(gate)["outcome"] == "escalated"


def test_one_note_may_speak_of_several_commits(gate: Gate) -> None:
    """git stores equal notes once; each of their commits has the author that they name (law 8)."""
    gate.repo.write("more.py", "MORE = 1\n")
    commits = [gate.repo.id("feature"), gate.repo.commit("More")]
    text = ("more.py\n  s_00112233445566::t_01 1-1\n---\n" + json.dumps(NOTE)).encode()
    for commit in commits:
        gate.repo.git("notes", "--ref=ai", "add", "-F", "-", commit, stdin=text)
    reviewed(gate)
    first = json.loads(gate.run("journal", "export").out.splitlines()[0])
    assert {claim["commit"] for claim in first["data"]["claims"] if claim["channel"] == "note"} == set(commits)


def test_a_note_that_cannot_be_read_is_not_silence(gate: Gate) -> None:
    """Law 40: too large to be read, gone, or no notes at all: the decision says so."""
    huge = gate.repo.git("hash-object", "-w", "--stdin", stdin=b" " * (NOTE_LIMIT + 1))
    gate.repo.git("notes", "--ref=ai", "add", "-C", huge, "feature")
    assert "is missing or over 8 MiB" in unread(gate)
    (gate.repo.path / ".git" / "objects" / huge[:2] / huge[2:]).unlink()
    assert "is missing or over 8 MiB" in unread(gate)
    gate.repo.git("update-ref", "refs/notes/ai", gate.repo.id("HEAD:auth/login.py"))
    assert "refs/notes/ai cannot be listed" in unread(gate)


def test_traces_that_cannot_be_read_are_not_silence(gate: Gate) -> None:
    """Law 40: records that were there before the change and are too large to be read."""
    gate.repo.git("switch", "-q", "main")
    gate.repo.write(".agent-trace/traces.jsonl", "\n" * (NOTE_LIMIT + 1))
    gate.repo.commit("Traces")
    gate.repo.git("switch", "-q", "-C", "feature")
    gate.repo.write("more.py", "MORE = 1\n")
    gate.repo.commit("More")
    assert "'.agent-trace/traces.jsonl' of commit" in unread(gate)


def unread(gate: Gate) -> str:
    found = reviewed(gate)
    assert found["outcome"] != "admitted"
    return " ".join(row["subject"] for row in found["reasons"] if row["code"] == "evidence.incomplete")


@pytest.mark.parametrize("revision", [True, False], ids=["with revision", "by lines"])
def test_agent_traces_are_read(gate: Gate, revision: bool) -> None:
    """Law 8: `.agent-trace/traces.jsonl` in the head's tree, by the commit that it names or by the lines."""
    vcs = {"vcs": {"type": "git", "revision": gate.repo.id("feature")}} if revision else {}
    gate.repo.write(".agent-trace/traces.jsonl", json.dumps(TRACE | vcs) + "\n")
    gate.repo.commit("Trace")
    authors = reviewed(gate)["authors"]
    found = [author for author in authors if author["tool"] == "cursor"]
    assert [(author["maker"], author["family"]) for author in found] == [("anthropic", "claude")]
    assert {row["channel"] for row in found[0]["evidence"]} == {"trace"}


def test_a_sha256_repository_works_end_to_end(gate: Gate, tmp_path: Path) -> None:
    """Longer ids everywhere: proposal, approval, decision, journal, and the next decision from it."""
    repo = Repo(tmp_path / "long", init=False)
    repo.git("init", "-q", "--object-format=sha256", "--initial-branch=main")
    repo.write("twohand.toml", gate.policy)
    repo.write("auth/login.py", "def login(user):\n    check(user)\n")
    repo.commit("start")
    repo.branch("feature")
    repo.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n")
    repo.commit("Greet")
    gate.repo = repo
    assert reviewed(gate)["outcome"] == "escalated"
    admit(gate)
    for _ in range(2):
        decision = reviewed(gate)
        assert decision["outcome"] == "admitted"
        assert len(decision["change"]["head"]) == 64


def test_a_detached_head_is_judged_by_its_content(gate: Gate) -> None:
    """Without a branch the change is called by its content, and what was said of that content counts."""
    admit(gate)
    gate.repo.git("checkout", "-q", "--detach", "feature")
    decision = reviewed(gate)
    assert decision["outcome"] == "admitted"
    assert decision["change"]["id"] == decision["change"]["content_key"]


@pytest.mark.parametrize("base", ["HEAD", "feature", "HEAD~1"])
def test_a_base_that_is_not_on_the_target_admits_nothing(gate: Gate, base: str) -> None:
    """Law 1, 4: what lies between the target and that base is part of the change; nobody has judged it."""
    gate.repo.write("readme", "x\n")
    gate.repo.commit("Say more")
    admit(gate, "--base", "HEAD~1")
    assert reviewed(gate, "--base", base)["outcome"] != "admitted"


@pytest.mark.parametrize("name", [b"a b", "\u00fc".encode(), b"\xff", b"-x", b"'q\""])
def test_a_repository_may_lie_anywhere(gate: Gate, tmp_path: Path, name: bytes) -> None:
    """Spaces, quotes, dashes and bytes that are no Unicode in its path; the result is told all the same."""
    place = tmp_path / os.fsdecode(name)
    shutil.copytree(gate.repo.path, place / "repo")
    gate.repo.path = place / "repo"
    admit(gate)
    assert reviewed(gate)["outcome"] == "admitted"
    assert "admitted" in gate.run("review").out
    assert journal(gate).is_file()


def test_files_and_branches_may_be_called_anything(gate: Gate) -> None:
    """Bytes of every kind in paths and in the target's name are spoken of, signed, decided and told."""
    gate.repo.git(b"update-ref", b"refs/heads/\xff", b"main")
    for name in (b"\xff\xfe", b"a\nb", "\u00fc".encode(), b'q"\\', b"\x1b[31m", b"-x", b"a" * 250):
        gate.repo.write(name, "x\n")
    gate.repo.commit("Odd names")
    admit(gate, "--target", "\udcff")
    decision = reviewed(gate, "--target", "\udcff")
    assert decision["outcome"] == "admitted"
    assert decision["change"]["files"] == 8
    assert "\x1b" not in gate.run("review", "-v", "--target", "\udcff").out


def test_a_change_of_unrelated_history_is_incomplete(gate: Gate) -> None:
    """Law 1: without a merge base nothing can be compared."""
    gate.repo.git("checkout", "-q", "--orphan", "alone")
    gate.repo.commit("From nowhere")
    decision = reviewed(gate)
    assert "evidence.incomplete" in codes(decision)
    assert decision["outcome"] != "admitted"


def test_the_environment_of_the_caller_steers_nothing(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR and its kin are scrubbed, also while a statement is made."""
    before = subprocess.run(["git", "-C", gate.repo.path, "rev-parse", "HEAD"], capture_output=True, check=True).stdout
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"):
        monkeypatch.setenv(name, str(gate.repo.path.parent / "nowhere"))
    admit(gate)
    decision = reviewed(gate)
    assert decision["outcome"] == "admitted"
    assert decision["change"]["head"] == before.decode().strip()
