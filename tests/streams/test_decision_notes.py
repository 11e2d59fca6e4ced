"""Decisions as git notes, and recorded decisions as evidence of a review."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from rules import noted
from streams.audit import engine
from streams.audit.asked import Asked
from streams.settings import parse
from streams.sinks import notes
from streams.sources.errors import UnknownRevision
from streams.sources.git import Repository
from tests.streams.gate import Gate


def landed(gate: Gate, merge: bool = True) -> str:
    """A change that was admitted and then merged; the commit that it landed as."""
    gate.repo.checkout("feature")
    gate.say("propose", "alice")
    gate.say("approve", "bob")
    gate.say("approve", "carol")
    assert gate.run("review").code == 0
    gate.repo.checkout("main")
    if merge:
        return gate.repo.merge("feature")
    gate.repo.git("merge", "-q", "--squash", "feature")
    return gate.repo.commit("Greet (#1)")


def shown(gate: Gate, commit: str, ref: str = noted.REF) -> str:
    return gate.repo.git("notes", f"--ref={ref}", "show", commit)


def row_of(gate: Gate, commit: str) -> dict:
    return next(engine.run(Repository.open(gate.repo.path), Asked(ids=[commit], rules=False)))


def forget_statements(gate: Gate) -> None:
    for ref in gate.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand").split():
        gate.repo.git("update-ref", "-d", ref)


def test_what_landed_gets_its_decision_as_a_note(gate):
    """Git's own command shows it: who counted, of what kind the authors are, under which policy."""
    commit = landed(gate)
    said = gate.run("journal", "notes")
    assert (said.code, said.out) == (0, f"{noted.REF}: 1 written, 0 stood there already\n")
    told = json.loads(shown(gate, commit))
    assert (told["schema"], told["outcome"], told["target"]) == (noted.SCHEMA, "admitted", "refs/heads/main")
    assert {one["name"] for one in told["reviewers"]} == {"bob", "carol"}
    assert [author["kind"] for author in told["authors"]] == ["human"]
    assert told["policy"][0]["digest"]
    assert "@" not in json.dumps(told)  # no address of anybody


def test_a_second_run_writes_nothing(gate):
    """Notes that stand there are left alone, so that the ref does not move."""
    landed(gate, merge=False)
    gate.run("journal", "notes")
    before = gate.repo.id(noted.REF)
    assert gate.run("journal", "notes").out == f"{noted.REF}: 0 written, 1 stood there already\n"
    assert gate.repo.id(noted.REF) == before


def test_nothing_admitted_is_nothing_noted(gate):
    """What landed without a decision gets none (law 40)."""
    landed(gate)
    gate.repo.write("auth/late.py", "x = 1\n")
    late = gate.repo.commit("Late")
    gate.run("journal", "notes")
    assert late not in notes.blobs(Repository.open(gate.repo.path))


def test_no_journal_is_said(gate):
    """Without a record there is nothing to write (exit 2)."""
    assert gate.run("journal", "notes").code == 2


def test_other_notes_are_never_touched(gate):
    """Neither another ref nor another commit's note changes."""
    commit, first = gate.repo.id("main"), gate.repo.id("feature")
    gate.repo.git("notes", "--ref=ai", "add", "-m", "theirs", commit)
    before = gate.repo.id("refs/notes/ai")
    repo = Repository.open(gate.repo.path)
    notes.write(repo, first, {"schema": noted.SCHEMA, "outcome": "admitted"})
    notes.write(repo, commit, {"schema": noted.SCHEMA, "outcome": "blocked"})
    notes.write(repo, commit, {"schema": noted.SCHEMA, "outcome": "admitted"})
    assert json.loads(shown(gate, commit)) == json.loads(shown(gate, first))
    assert gate.repo.id("refs/notes/ai") == before
    assert shown(gate, commit, "ai") == "theirs"


def test_writers_at_the_same_moment_lose_nothing(gate):
    """Each of several writers finds its note there afterwards."""
    commits = [gate.repo.commit(f"Step {number}") for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda commit: notes.write(Repository.open(gate.repo.path), commit, {"of": commit}), commits))
    assert [json.loads(shown(gate, commit))["of"] for commit in commits] == commits


def test_a_note_beside_nothing_is_refused(gate):
    """What is no commit here gets no note, and no ref appears."""
    repo = Repository.open(gate.repo.path)
    for name in ("0" * 40, "HEAD", gate.repo.id("HEAD^{tree}")):
        with pytest.raises(UnknownRevision):
            notes.write(repo, name, {})
    assert not repo.exists(noted.REF)


def test_a_recorded_decision_is_evidence_of_a_review(gate):
    """The journal knows who counted when the statements are gone: grade B, the gate's own word."""
    landed(gate)
    head = gate.repo.id("feature")
    forget_statements(gate)
    row = row_of(gate, head)
    assert row["review"] == "independent"
    signs = {(sign["channel"], sign["grade"], sign["by"]) for sign in row["review_evidence"]}
    assert signs == {("decision", "B", "bob"), ("decision", "B", "carol")}


def test_a_landed_step_is_covered_when_all_that_it_brought_is(gate):
    """The merge itself was in no decision; what it brought in was."""
    commit = landed(gate)
    rows = list(engine.run(Repository.open(gate.repo.path), Asked(("main",), landed=True, rules=False)))
    assert (rows[0]["commit"], rows[0]["review"]) == (commit, "independent")


def test_a_note_is_a_claim_that_anybody_can_write(gate):
    """Grade D, and its text says so; one by the author is no review."""
    commit = gate.repo.id("feature")
    repo = Repository.open(gate.repo.path)
    record = {"schema": noted.SCHEMA, "outcome": "admitted", "reviewers": [{"name": "bob"}], "decided_at": "2026-01-01"}
    notes.write(repo, commit, record)
    row = row_of(gate, commit)
    assert (row["review"], row["review_evidence"][0]["grade"]) == ("independent", "D")
    assert "who may push can write that" in row["review_evidence"][0]["claim"]
    notes.write(repo, commit, {**record, "reviewers": [{"name": "alice"}]})
    assert row_of(gate, commit)["review"] == "self"
    notes.write(repo, commit, {**record, "stamps": [noted.DEPENDENT]})
    assert row_of(gate, commit)["review"] == "self"
    notes.write(repo, commit, {**record, "reviewers": []})
    assert row_of(gate, commit)["review"] == "unknown"
    notes.write(repo, commit, {**record, "outcome": "blocked"})
    assert row_of(gate, commit)["review"] == "none"


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"[]", b'"x"', b'{"schema":"other"}', b"[" * 100_000, b'{"schema":{}}', b"{}" * 1000],
)
def test_what_is_no_note_of_ours_is_none(data):
    """Any bytes may stand in a note."""
    assert noted.parse(data) is None


def test_odd_values_in_a_note_do_no_harm(gate):
    """Values of other shapes are left out."""
    odd = {
        "schema": noted.SCHEMA,
        "outcome": "admitted",
        "reviewers": [1, {"name": 2}, {}],
        "stamps": [3],
        "target": [],
    }
    note = noted.parse(json.dumps(odd).encode())
    assert note == noted.Note("admitted", "", "", "", (), ("",))


def test_a_notes_ref_that_is_none_does_no_harm(gate):
    """A ref that points to a blob, or to files, holds no decisions."""
    blob = gate.repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    gate.repo.git("update-ref", noted.REF, blob)
    assert row_of(gate, gate.repo.id("feature"))["review"] == "none"
    gate.repo.git("update-ref", noted.REF, gate.repo.id("main"))
    assert row_of(gate, gate.repo.id("feature"))["review"] == "none"


def test_the_check_says_what_it_read(gate):
    """Notes and statements are no decisions: the journal is named."""
    landed(gate)
    said = gate.run("audit", "--check")
    assert f"1 admitted decision for main in {gate.repo.path / '.git' / 'twohand' / 'journal.db'}" in said.out
    assert json.loads(gate.run("audit", "--check", "--format", "json").out)["read_from"].endswith("journal.db")


def test_the_settings_ask_for_notes():
    """`[record] notes` is off unless somebody wants it."""
    assert parse("", "s.toml").notes is False
    assert parse("[record]\nnotes = true\n", "s.toml").notes is True


def test_a_clone_with_sha256_takes_notes(tmp_path):
    """Longer ids are ids, too."""
    done = subprocess.run(["git", "init", "-q", "--object-format=sha256", tmp_path], check=False)
    assert done.returncode == 0
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", tmp_path, *who, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    repo = Repository.open(tmp_path)
    notes.write(repo, repo.resolve("HEAD"), {"a": 1})
    assert list(notes.blobs(repo)) == [repo.resolve("HEAD")]
