"""The audit's engine over real repositories: order, makers, findings, reviews, and what cannot be read."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rules.reviewed import INDEPENDENT, NONE, SELF, UNKNOWN
from streams.audit import engine, pool
from streams.audit.asked import Asked
from streams.audit.span import NoSpan, since
from streams.commands import app
from streams.sources.git import Repository
from tests.gitrepo import Repo

ROOT = Path(__file__).parents[2]
GUARDED = (
    "def show(request):\n    if not request.user.is_admin:\n        raise PermissionError\n    return request.rows\n"
)
BARE = "def show(request):\n    return request.rows\n"
CLAUDE = "Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>"
BOB = "Bob Roe <bob@example.com>"
GITHUB = "GitHub <noreply@github.com>"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "work")
    made.write("a.py", GUARDED)
    made.commit("Begin")
    return made


def rows(repo: Repo, *revisions: str, **options) -> list[dict]:
    asked = Asked(revisions or ("HEAD",), **{"cache": False, **options})
    return list(engine.run(Repository.open(repo.path), asked))


def by_id(found: list[dict]) -> dict[str, dict]:
    return {row["commit"]: row for row in found}


def run(*arguments: str, stdin: str = "", check: bool = False) -> subprocess.CompletedProcess:
    call = "from streams.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", call, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment,
        check=check,
    )


def test_every_commit_is_one_row_in_the_order_of_the_walk(repo):
    """Newest first, merges left out unless they are asked for."""
    repo.branch("topic")
    repo.write("b.py", "x = 1\n")
    topic = repo.commit("Topic")
    repo.checkout("main")
    repo.write("c.py", "x = 2\n")
    other = repo.commit("Other")
    merge = repo.merge("topic")
    names = [row["commit"] for row in rows(repo)]
    assert merge not in names
    assert set(names) == {topic, other, repo.id("HEAD~2")}
    assert next(row["commit"] for row in rows(repo, merges=True)) == merge


def test_a_row_says_who_and_what_was_weakened(repo):
    """A person's name and a tool's mark are mixed; the guard that went is a finding of the old side."""
    repo.write("a.py", BARE)
    commit = repo.commit(f"Tidy up\n\n{CLAUDE}\nClaude-Session: https://claude.ai/code/session_01AbCdEf\n")
    row = rows(repo)[0]
    assert (row["commit"], row["kind"]) == (commit, "mixed")
    agent, person = row["authors"]
    assert (agent["tool"], agent["maker"], agent["session"]) == ("claude", "anthropic", "claude-web:session_01AbCdEf")
    assert (person["kind"], person["tool"], person["session"]) == ("human", None, None)
    assert {(item["rule"], item["side"]) for item in row["findings"]} >= {("auth-check-removed", "old")}
    assert (row["added"], row["removed"], row["paths"]) == (0, 2, ["a.py"])


def test_the_root_is_compared_with_nothing(repo):
    """What the first commit brings is added."""
    row = rows(repo)[-1]
    assert (row["paths"], row["added"], row["incomplete"]) == (["a.py"], 4, [])


def test_without_rules_no_diff_is_read_and_none_is_claimed(repo):
    """Null says that nobody looked; an empty list would say that nothing is there."""
    row = rows(repo, rules=False)[0]
    assert row["findings"] is None
    assert row["paths"] is None


def test_ids_are_answered_one_by_one_in_their_order(repo):
    """An unknown id is an error of its own; the others are answered (exit 2)."""
    head = repo.id("HEAD")
    blob = repo.id("HEAD:a.py")
    done = run(
        "audit",
        "-C",
        str(repo.path),
        "--stdin",
        "--format",
        "jsonl",
        stdin=f"{head}\n{'0' * 40}\n{blob}\nx y\n{head}\n",
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [row["commit"] for row in found] == [head, "0" * 40, blob, "x y", head]
    assert ["error" in row for row in found] == [False, True, True, True, False]
    assert "blob" in found[2]["error"]


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_ids_may_come_as_any_bytes(repo, monkeypatch, encoding):
    """A line that is no text is an unknown id of its own, whatever the locale says of standard input."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    head = repo.id("HEAD")
    command = [sys.executable, "-c", "from streams.cli import main; main()", "audit", "-C", str(repo.path)]
    done = subprocess.run(
        [*command, "--stdin", "--format", "jsonl"],
        input=b"\xff\xe4\n" + head.encode(),
        capture_output=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2, done.stderr
    assert ["error" in row for row in found] == [True, False]
    assert found[1]["commit"] == head


def test_a_short_name_is_answered_by_the_commit_that_it_means(repo):
    """Its diff is read as that of the whole id."""
    repo.write("a.py", BARE)
    head = repo.commit("Drop")
    row = rows(repo, ids=[head[:12], "HEAD"])
    assert [one["commit"] for one in row] == [head, head]
    assert row[0]["findings"] == row[1]["findings"] != []


def test_any_bytes_may_stand_on_standard_input(repo):
    """What is no text is no commit, and no crash."""
    command = [
        sys.executable,
        "-c",
        "from streams.cli import main; main()",
        "audit",
        "-C",
        str(repo.path),
        "--stdin",
        "-f",
        "jsonl",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=b"\xff\x00\n\n--all\n", capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert ["error" in json.loads(line) for line in done.stdout.splitlines()] == [True, True]


def test_notes_name_agents_that_the_message_does_not(repo):
    """A git-ai note is another channel (DESIGN 5.1): the commit is mixed, and marked as unmarked."""
    commit = repo.id("HEAD")
    session = {
        "agent_id": {"tool": "cursor", "id": "1", "model": "claude-sonnet-4-5"},
        "human_author": "alice@example.com",
    }
    body = json.dumps({"schema_version": "authorship/3.0.0", "sessions": {"s_0123456789abcd": session}})
    repo.git(
        "notes",
        "--ref=ai",
        "add",
        "-F",
        "-",
        commit,
        stdin=f"a.py\n  s_0123456789abcd::t_1 1-4\n---\n{body}\n".encode(),
    )
    row = rows(repo)[0]
    assert (row["kind"], row["marks"], row["unmarked"]) == ("mixed", ["note"], True)
    assert row["authors"][0]["session"] == "git-ai:s_0123456789abcd"


def test_a_notes_ref_that_holds_no_notes_is_said_and_harms_nothing(repo):
    """refs/notes/ai may point to anything."""
    repo.git("update-ref", "refs/notes/ai", repo.id("HEAD:a.py"))
    audit = engine.Audit(Repository.open(repo.path), Asked(("HEAD",), cache=False))
    assert any("refs/notes/ai" in notice for notice in audit.notices)
    assert len(list(audit.lines())) == 1
    repo.git("update-ref", "refs/notes/ai", repo.id("HEAD"))
    assert any("no notes of commits" in n for n in engine.Audit(Repository.open(repo.path), Asked()).notices)


def test_traces_of_a_revision_are_claims_about_it(repo):
    """An Agent Trace record that names a commit speaks of that commit alone."""
    commit = repo.id("HEAD")
    talk = {"contributor": {"type": "ai", "model_id": "openai/gpt-5.2"}, "ranges": [{"start_line": 1, "end_line": 4}]}
    record = {
        "version": "0.1.0", "id": "550e8400-e29b-41d4-a716-446655440000", "timestamp": "2026-01-23T14:30:00Z",
        "vcs": {"type": "git", "revision": commit}, "tool": {"name": "codex"}, "files": [{"path": "a.py", "conversations": [talk]}],
    }  # fmt: skip
    repo.write(".agent-trace/traces.jsonl", json.dumps(record) + "\n")
    repo.commit("Traces")
    newest, oldest = rows(repo)
    assert newest["kind"] == "human"
    assert (oldest["kind"], oldest["marks"], oldest["authors"][0]["maker"]) == ("mixed", ["trace"], "openai")


def test_a_branch_name_is_a_suspicion_and_no_mark(repo):
    """What came from claude/... is suspected; the kind stays what author and message show."""
    repo.branch("claude/fix")
    repo.write("b.py", "x = 1\n")
    topic = repo.commit("Fix")
    repo.checkout("main")
    repo.merge("claude/fix", message="Merge pull request #4 from org/claude/fix")
    row = by_id(rows(repo))[topic]
    assert (row["kind"], row["unmarked"]) == ("human", True)
    assert [author["tool"] for author in row["suspected"]] == ["claude"]


def test_a_person_whose_name_a_branch_bears_is_no_suspect(repo):
    """Devin calls branches devin/... as people do."""
    repo.branch("devin/fix")
    repo.write("b.py", "x = 1\n")
    topic = repo.commit("Fix", author="Devin Smith <devin@example.com>")
    repo.checkout("main")
    repo.merge("devin/fix", message="Merge pull request #4 from org/devin/fix")
    row = by_id(rows(repo))[topic]
    assert (row["kind"], row["suspected"], row["unmarked"]) == ("human", [], False)


# -- whether anybody looked -------------------------------------------------------------------------------------------


def test_review_marks_count_for_somebody_else_only(repo):
    """`Reviewed-by:` is evidence of grade D, and of the author's own no independence."""
    repo.commit(f"One\n\nReviewed-by: {BOB}\n")
    repo.commit("Two\n\nReviewed-by: Alice Doe <alice@example.com>\n")
    repo.commit("Three\n")
    three, two, one, _ = rows(repo)
    assert (one["review"], two["review"], three["review"]) == (INDEPENDENT, SELF, NONE)
    assert one["review_evidence"][0]["grade"] == "D"


@pytest.mark.parametrize(
    ("merger", "text", "expected"),
    [
        (BOB, "Merge pull request #4 from org/topic", INDEPENDENT),
        ("Alice Doe <alice@example.com>", "Merge pull request #4 from org/topic", SELF),
        (
            "merge-queue[bot] <1+merge-queue[bot]@users.noreply.github.com>",
            "Merge pull request #4 from org/topic",
            UNKNOWN,
        ),
        (BOB, "Merge branch 'topic'", NONE),
    ],
)
def test_who_pressed_the_merge_button_looked(repo, merger, text, expected):
    """A forge's merge by somebody else is evidence that they looked; a merge by hand is none."""
    repo.branch("topic")
    repo.write("b.py", "x = 1\n")
    topic = repo.commit("Topic")
    repo.checkout("main")
    tree, base = repo.git("write-tree"), repo.id("main")
    name, _, mail = merger.partition(" <")
    who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail.rstrip(">")}
    repo.git("checkout", "-q", "topic")
    tree = repo.git("rev-parse", "topic^{tree}")
    merge = repo.git("commit-tree", tree, "-p", base, "-p", topic, "-m", text, env=who)
    row = by_id(rows(repo, merge))[topic]
    assert row["review"] == expected
    assert row["landed_by"]["commit"] == merge


def test_a_forges_merge_adds_no_author_to_its_step(repo):
    """Who pressed the button wrote nothing of what landed: the step is the agent's, and somebody else let it in (law 5)."""
    repo.branch("topic")
    repo.write("b.py", "x = 1\n")
    repo.commit("Topic", author="Carol Poe <carol@example.com>", committer="Carol Poe <carol@example.com>")
    repo.checkout("main")
    merge = repo.merge("topic", message="Merge pull request #4 from org/topic")
    step = rows(repo, landed=True)[0]
    assert (step["commit"], step["members"], step["review"]) == (merge, 2, INDEPENDENT)
    assert [author["name"] for author in step["authors"]] == ["Carol Poe <carol@example.com>"]


def test_a_committer_who_merged_it_too_is_no_author_reading_their_own(repo):
    """A maintainer who rebased a contribution and merged it has looked at it."""
    repo.branch("topic")
    repo.write("b.py", "x = 1\n")
    topic = repo.commit("Topic", author=BOB)
    repo.checkout("main")
    repo.merge("topic", message="Merge pull request #4 from org/topic")
    row = by_id(rows(repo))[topic]
    assert (row["committer"], row["review"]) == ("Alice Doe <alice@example.com>", INDEPENDENT)


def test_who_committed_what_another_wrote_may_have_read_it(repo):
    """A rebase or a patch passed through somebody's hands: not known to be read, nor unread."""
    repo.commit("Patch", author=BOB)
    row = rows(repo)[0]
    assert (row["review"], row["review_evidence"][0]["channel"]) == (UNKNOWN, "committer")
    repo.commit("Mine", author="Alice Doe <alice@home.example>")
    assert rows(repo)[0]["review"] == NONE


def test_what_a_forge_squashed_is_not_known_to_be_unread(repo):
    """The forge does not write into git who read a pull request."""
    repo.commit("Add it (#12)", committer=GITHUB)
    assert rows(repo)[0]["review"] == UNKNOWN


def test_an_agents_merger_may_be_its_operator(repo):
    """Nobody is named beside the agent: whoever merged it may have asked for it."""
    repo.commit(f"One\n\nReviewed-by: {BOB}\n", author="google-labs-jules[bot] <1+google-labs-jules[bot]@users.noreply.github.com>",
                committer=GITHUB)  # fmt: skip
    row = rows(repo)[0]
    assert (row["kind"], row["review"]) == ("agent", UNKNOWN)


# -- ranges and filters -----------------------------------------------------------------------------------------------


def test_landed_steps_speak_for_all_that_they_brought(repo):
    """A merge on the default branch is one row with the authors of its commits and its whole diff."""
    repo.branch("topic")
    repo.write("a.py", BARE)
    repo.commit(f"Drop\n\n{CLAUDE}\n")
    repo.commit("Later", author=BOB)
    repo.checkout("main")
    merge = repo.merge("topic")
    newest, oldest = rows(repo, landed=True)
    assert (newest["commit"], newest["members"], newest["kind"]) == (merge, 3, "mixed")
    assert {author["name"].partition(" <")[0] for author in newest["authors"]} == {"claude", "Alice Doe", "Bob Roe"}
    assert newest["findings"]
    assert oldest["members"] == 1


def test_a_merge_shows_what_it_changed_itself(repo):
    """The other side's commits are not the merge's; what was slipped into it is, also where it dropped their work."""
    repo.branch("topic")
    repo.write("b.py", GUARDED)
    repo.commit("Topic")
    repo.checkout("main")
    repo.write("c.py", "x = 1\n")
    repo.commit("Other")
    clean = repo.merge("topic")
    repo.branch("second")
    repo.write("d.py", GUARDED)
    repo.commit("Second")
    repo.checkout("main")
    repo.write("e.py", "x = 1\n")
    repo.commit("Fifth")
    repo.merge("second", commit=False)
    repo.write("d.py", BARE)
    evil = repo.commit("Merge")
    found = by_id(rows(repo, merges=True))
    assert found[clean]["paths"] == []
    assert found[evil]["paths"] == ["d.py"]


def test_paths_choose_commits(repo):
    """Only commits that change one of the globs are rows, with and without rules."""
    repo.write("docs/x.md", "x\n")
    docs = repo.commit("Docs")
    repo.write("b.py", "x = 1\n")
    repo.commit("Code")
    for rules in (True, False):
        assert [row["commit"] for row in rows(repo, paths=("docs/**",), rules=rules)] == [docs]


def test_since_and_limit_cut_the_history(repo):
    """`since` is in seconds since 1970; `limit` counts rows."""
    repo.commit("Late", date="@1800000000 +0000")
    assert len(rows(repo, since=1_799_999_999)) == 1
    assert len(rows(repo, limit=1)) == 1
    assert since("1d", "1970-01-03T00:00:00Z") == 86_400
    assert since("1970-01-02", "2026-01-01T00:00:00Z") == 86_400
    with pytest.raises(NoSpan):
        since("soon", "2026-01-01T00:00:00Z")


def test_workers_answer_in_order(repo, monkeypatch):
    """Many batches in several processes give the rows that one process gives."""
    for number in range(30):
        repo.write("a.py", f"x = {number}\n")
        repo.commit(f"Commit {number}")
    alone = rows(repo)
    monkeypatch.setattr(engine, "WITH_RULES", 5)
    monkeypatch.setattr(pool, "count", lambda: 2)
    assert rows(repo) == alone


def test_a_worker_that_dies_is_an_error(repo, monkeypatch):
    """Nothing is left out in silence."""
    for number in range(9):
        repo.commit(f"Commit {number}")
    monkeypatch.setattr(engine, "WITH_RULES", 2)
    monkeypatch.setattr(pool, "count", lambda: 2)
    monkeypatch.setattr(sys, "path", ["/nonexistent"])
    with pytest.raises(pool.WorkerDied):
        rows(repo)


# -- the cache --------------------------------------------------------------------------------------------------------


def test_what_was_read_is_not_read_again(repo):
    """The second answer is the first one, without the objects that it was made of."""
    repo.write("a.py", BARE)
    repo.commit("Drop")
    first = rows(repo, cache=True)
    for blob in (repo.id("HEAD:a.py"), repo.id("HEAD~1:a.py")):
        (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    assert rows(repo, cache=True) == first
    assert rows(repo) != first


def test_a_cache_that_cannot_be_used_is_none(repo):
    """A broken file beside the journal changes no answer."""
    expected = rows(repo)
    (repo.path / ".git/twohand").mkdir()
    (repo.path / ".git/twohand/history.db").write_bytes(b"no database" * 100)
    assert rows(repo, cache=True) == expected


# -- bad input --------------------------------------------------------------------------------------------------------


def object_of(
    repo: Repo, *, author: bytes = b"A <a@example.com> 1700000000 +0000", message: bytes = b"x", extra: bytes = b""
) -> str:
    tree = repo.git("rev-parse", "HEAD^{tree}").encode()
    head = b"tree " + tree + b"\nauthor " + author + b"\ncommitter A <a@example.com> 1700000000 +0000\n" + extra
    return repo.commit_raw(head + b"\n" + message)


@pytest.mark.parametrize(
    ("data", "kind", "tool"),
    [
        ({"message": b"x\n\n" + b"y" * (1 << 20) + b"\n" + CLAUDE.encode()}, "mixed", "claude"),
        ({"message": b"x\0hidden\n" + CLAUDE.encode()}, "mixed", "claude"),
        ({"message": "Grüße\n\n".encode("latin-1") + CLAUDE.encode(), "extra": b"encoding ISO-8859-1\n"}, "mixed", "claude"),
        ({"message": f"x\r\n\r\n{CLAUDE}\r\n".encode()}, "mixed", "claude"),
        ({"message": b"x\n\n" + b"Signed-off-by: A <a@example.com>\n" * 10_000 + CLAUDE.encode()}, "mixed", "claude"),
        ({"message": "x\u202e\n\ne\u0301\n".encode()}, "human", None),
        ({"message": b"\xff\xfe\n"}, "human", None),
        ({"author": b" <> 1700000000 +0000"}, "unknown", None),
        ({"author": b"garbage"}, "human", None),
        ({"author": b"A <a@example.com> -5 +0000"}, "human", None),
        ({"author": b"A <a@example.com> 99999999999 +0000"}, "human", None),
    ],
)  # fmt: skip
def test_odd_commits_are_read(repo, data, kind, tool):
    """Long, hidden, foreign and malformed commits have their row, and their marks are found."""
    commit = object_of(repo, **data)
    row = rows(repo, ids=[commit], rules=False)[0]
    assert row["kind"] == kind
    assert next((author["tool"] for author in row["authors"] if author["kind"] == "agent"), None) == tool


def test_a_commit_without_author_is_unknown(repo):
    """No author line, no kind; the rest of the row is there."""
    tree = repo.git("rev-parse", "HEAD^{tree}")
    commit = repo.commit_raw(f"tree {tree}\n\nx".encode())
    row = rows(repo, ids=[commit])[0]
    assert (row["kind"], row["authors"], row["author"], row["time"]) == ("unknown", [], None, None)
    assert any("no author line" in item["message"] for item in row["findings"])


def test_dates_before_1970_and_far_ahead_are_no_errors(repo):
    """What is no date of our calendar is the nearest one, or null."""
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for stamp, expected in (
        ("-86400", None),
        ("99999999999", "5138-11-16T09:46:39Z"),
        ("999999999999999", "9999-12-31T23:59:59Z"),
    ):
        commit = repo.commit_raw(f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> {stamp} +0000\n\nx".encode())
        assert rows(repo, ids=[commit], rules=False)[0]["time"] == expected


def test_missing_blobs_are_said(repo):
    """A partial clone shows what it could not read, and the next commit is read."""
    repo.write("a.py", BARE)
    repo.commit("Drop")
    repo.write("b.py", "x = 1\n")
    repo.commit("More")
    blob = repo.id("HEAD~1:a.py")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    newest, dropped, _ = rows(repo)
    assert dropped["uncovered"] == [{"path": "a.py", "why": "missing object"}]
    assert newest["uncovered"] == []


def test_missing_trees_are_said_for_their_commit_alone(repo):
    """The commits around it are read."""
    repo.write("a.py", BARE)
    broken = repo.commit("Drop")
    repo.write("c.py", "x = 1\n")
    repo.commit("More")
    tree = repo.id("HEAD~1^{tree}")
    (repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    found = by_id(rows(repo))
    assert found[broken]["incomplete"]
    assert found[broken]["findings"] == []


def test_a_shallow_edge_is_said(repo, tmp_path):
    """A cut off parent is not nothing: the edge is no root."""
    for number in range(3):
        repo.write("a.py", f"x = {number}\n")
        repo.commit(f"Commit {number}")
    clone = Repo.clone(repo, tmp_path / "clone", "--depth=2")
    audit = engine.Audit(Repository.open(clone.path), Asked(("HEAD",), cache=False))
    newest, edge = map(json.loads, audit.lines())
    assert "shallow" in audit.notices[0]
    assert newest["incomplete"] == []
    assert "shallow" in edge["incomplete"][0]
    assert edge["paths"] == []


def test_replaced_and_grafted_history_is_read_as_it_is_stored(repo):
    """Replace refs and grafts show another history; they are ignored, and it is said."""
    head = repo.id("HEAD")
    other = object_of(repo, message=CLAUDE.encode())
    repo.git("replace", head, other)
    (repo.path / ".git/info/grafts").write_text(f"{head} {other}\n")
    audit = engine.Audit(Repository.open(repo.path), Asked(("HEAD",), cache=False))
    assert [json.loads(line)["commit"] for line in audit.lines()] == [head]
    assert {notice.partition(" ")[0] for notice in audit.notices} == {"1", "info/grafts"}


def test_a_cyclic_mailmap_has_no_say(repo):
    """Identities are read as the commit has them."""
    repo.write(".mailmap", "B <b@example.com> <alice@example.com>\nA <alice@example.com> <b@example.com>\n")
    repo.commit("Map")
    assert rows(repo)[0]["author"] == "Alice Doe <alice@example.com>"


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_formats_of_the_command(repo, tmp_path):
    """jsonl and json hold the same rows; text and html are made of them; --output takes any."""
    place = ("-C", str(repo.path))
    lines = run("audit", *place, "--format", "jsonl").stdout.splitlines()
    document = json.loads(run("audit", *place, "--format", "json").stdout)
    assert document["commits"] == [json.loads(line) for line in lines]
    assert (document["schema"], document["partial"]) == ("twohand.audit/v1", False)
    assert "1 commit" in run("audit", *place).stdout
    page = tmp_path / "page.html"
    assert run("audit", *place, "--html", "--output", str(page)).returncode == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_unknown_ranges_are_usage_errors(repo, capsys):
    """Each says what to do next."""
    place = ["audit", "-C", str(repo.path)]
    for arguments in (["nothing"], ["A...B"], ["--all", "HEAD"], ["--since", "soon"], ["--paths", "["]):
        code = app.run([*place, *arguments])
        assert code == 2 or arguments == ["--paths", "["]
    assert "hint:" in capsys.readouterr().err


def test_ctrl_c_leaves_whole_rows_and_says_so(repo):
    """What was read before Ctrl-C is written, and the exit code is 130."""
    for number in range(200):
        repo.write("a.py", GUARDED.replace("show", f"show_{number}") * 40)
        repo.commit(f"Commit {number}")
    call = "from streams.cli import main; main()"
    command = [sys.executable, "-c", call, "audit", "-C", str(repo.path), "--format", "jsonl"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, start_new_session=True
    ) as running:
        assert running.stdout
        assert running.stderr
        first = running.stdout.readline()
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(0)
        rest = running.stdout.read()
        said = running.stderr.read().decode()
    assert running.returncode == 130
    assert "interrupted" in said
    found = [json.loads(line) for line in (first + rest).splitlines()]
    assert all("error" not in row for row in found)
