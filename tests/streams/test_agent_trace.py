"""Agent Trace 0.1.0 in and out: records of a repository by revision and by lines, and ours for other tools."""

import json
from pathlib import Path

import jsonschema
import pytest

from streams.audit import engine
from streams.audit.asked import Asked
from streams.commands.authors import authors
from streams.sources.git import Repository
from tests.gitrepo import Repo

TEXT = {"type": "string", "minLength": 1}
LINE = {"type": "integer", "minimum": 1}
CONTRIBUTOR = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["human", "ai", "mixed", "unknown"]},
        "model_id": {"type": "string", "maxLength": 250, "minLength": 1},
    },
    "additionalProperties": False,
}
RANGE = {
    "type": "object",
    "required": ["start_line", "end_line"],
    "properties": {"start_line": LINE, "end_line": LINE, "content_hash": TEXT, "contributor": CONTRIBUTOR},
    "additionalProperties": False,
}
RELATED = {
    "type": "object",
    "required": ["type", "url"],
    "properties": {"type": TEXT, "url": {"type": "string", "pattern": "^[a-z]+:"}},
    "additionalProperties": False,
}
TALK = {
    "type": "object",
    "required": ["ranges"],
    "properties": {
        "url": TEXT,
        "contributor": CONTRIBUTOR,
        "ranges": {"type": "array", "items": RANGE},
        "related": {"type": "array", "items": RELATED},
    },
    "additionalProperties": False,
}
FILE = {
    "type": "object",
    "required": ["path", "conversations"],
    "properties": {"path": TEXT, "conversations": {"type": "array", "items": TALK}},
    "additionalProperties": False,
}
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
RECORD = {  # written after the published description of the format; its own schema rejects its own version number
    "type": "object",
    "required": ["version", "id", "timestamp", "files"],
    "properties": {
        "version": {"const": "0.1.0"},
        "id": {"type": "string", "pattern": UUID},
        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "vcs": {
            "type": "object",
            "required": ["type", "revision"],
            "properties": {"type": {"enum": ["git", "jj", "hg", "svn"]}, "revision": TEXT},
            "additionalProperties": False,
        },
        "tool": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "version": TEXT}},
        "files": {"type": "array", "items": FILE},
        "metadata": {"type": "object", "propertyNames": {"pattern": r"^[a-z]+(\.[a-z0-9-]+)+$"}},
    },
    "additionalProperties": False,
}
MESSAGES = (
    "Fix",
    "Fix\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>\nClaude-Session: https://claude.ai/code/session_01Ab\n",
    "Fix\n\nAssisted-by: Crush:gpt-5.2\nCo-authored-by: Amp <amp@ampcode.com>\n",
    "Fix\n\nAI-assisted: yes\n",
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.write("a.py", "one\ntwo\nthree\nfour\n")
    repo.commit("Begin")
    return repo


def record_of(repo: Repo, revision: str, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    from streams.commands.authors import Format

    authors(revision, where=repo.path, fmt=Format.AGENT_TRACE)
    return json.loads(capsys.readouterr().out)


def row_of(repo: Repo, commit: str) -> dict:
    return next(engine.run(Repository.open(repo.path), Asked(ids=[commit], rules=False)))


def told(row: dict) -> set[tuple[str, str, str]]:
    return {(one["tool"], one["maker"], one["session"]) for one in row["authors"] if one["kind"] == "agent"}


@pytest.mark.parametrize("message", MESSAGES)
def test_ours_has_the_published_shape(repo, capsys, message):
    """Every record that `authors` writes, of any kind of commit."""
    repo.write("a.py", "one\n2\nthree\n4\nfive\n")
    repo.write("name with ü and space.py", "x\n")
    commit = repo.commit(message)
    record = record_of(repo, commit, capsys)
    jsonschema.validate(record, RECORD)
    assert [file["path"] for file in record["files"]] == ["a.py", "name with ü and space.py"]
    assert record["files"][0]["conversations"][0]["ranges"] == [
        {"start_line": 2, "end_line": 2},
        {"start_line": 4, "end_line": 5},
    ]


@pytest.mark.parametrize("message", MESSAGES[:3])
def test_what_we_write_we_read_again(repo, capsys, message):
    """Session, maker and, where there is one, the tool survive: out through a record, in through a trace."""
    repo.write("a.py", "one\n2\n")
    marked = repo.commit(message)
    record = record_of(repo, marked, capsys)
    plain = repo.commit("Fix again")
    record["vcs"]["revision"] = plain
    repo.write(".agent-trace/traces.jsonl", json.dumps(record) + "\n")
    repo.commit("Traces")
    expected = told(row_of(repo, marked))
    found = told(row_of(repo, plain))
    if len(expected) == 1:
        assert found == expected
    assert {session for _, _, session in found} - {None} == {session for _, _, session in expected} - {None}
    assert bool(found) == bool(expected)


def loose(path: str, first: int, last: int) -> str:
    talk = {"contributor": {"type": "ai", "model_id": "openai/gpt-5.2"}}
    ranges = [{"start_line": first, "end_line": last}]
    files = [{"path": path, "conversations": [{**talk, "ranges": ranges}]}]
    return json.dumps({"version": "0.1.0", "id": "x", "timestamp": "2026-01-01T00:00:00Z", "files": files}) + "\n"


def test_a_record_without_revision_speaks_of_the_commit_that_brought_it(repo):
    """Where it covers lines that this commit brought, and of no other commit."""
    repo.write("a.py", "one\nzwei\ndrei\nfour\n")
    repo.write(".agent-trace/traces.jsonl", loose("a.py", 2, 3))
    first = repo.commit("Translate")
    repo.write("a.py", "eins\nzwei\ndrei\nfour\n")
    second = repo.commit("By hand")
    assert row_of(repo, first)["marks"] == ["trace"]
    assert row_of(repo, second)["marks"] == []


def test_a_record_of_other_lines_is_said_and_not_used(repo):
    """It covers nothing that its commit brought: nobody knows what it speaks of."""
    repo.write("a.py", "eins\ntwo\nthree\nfour\n")
    repo.write(".agent-trace/traces.jsonl", loose("a.py", 3, 4) + loose("b.py", 1, 1))
    commit = repo.commit("Translate")
    assert row_of(repo, commit)["marks"] == []
    audit = engine.Audit(Repository.open(repo.path), Asked())
    assert any(notice.startswith("2 records of .agent-trace/traces.jsonl name no commit") for notice in audit.notices)


@pytest.mark.parametrize(
    "data", [b"\xff\n", b"{}\n" * 2000, b"[" * 5000, b'{"files":[{"path":3,"conversations":"x"}]}\n']
)
def test_any_bytes_may_stand_in_the_file(repo, data):
    """A file of traces that holds none harms nothing."""
    repo.write(".agent-trace/traces.jsonl", data)
    commit = repo.commit("Traces")
    assert row_of(repo, commit)["kind"] == "human"
