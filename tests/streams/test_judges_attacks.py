"""What somebody would try who writes the change, the journal or the endpoint's answers (law 17-25, 34, 40)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.engines.journal import Journal
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.bench import CODE, Bench, Table, make_keys
from tests.streams.gate import clean_environment

QWEN, MISTRAL = "qwen3-coder", "mistral-large"
EDITED = CODE.replace("user", "account")
Make = Callable[..., Bench]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def make(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Make:  # fmt: skip
    clean_environment(monkeypatch, tmp_path)
    return lambda *tables: Bench(tmp_path, keys, capsys, tables)


def decision(bench: Bench) -> dict[str, Any]:
    said = bench.run("review", "--format", "json")
    assert said.out, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def rewrite(bench: Bench, old: str, new: str) -> None:
    """Change what the journal's file keeps of models' answers, as anybody can who may write it."""
    with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
        db.execute("update judged set verdict = replace(verdict, ?, ?)", (old, new))


# -- asking until it agrees --------------------------------------------------------------------------------------------


def test_a_harmless_approval_before_opens_no_second_chance(make: Make) -> None:
    """A model that approved an earlier content and abstains now is not asked again by running the review again."""
    with ScriptedServer([Rule(finds="def more", verdict="abstain", times=1), Rule()]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 0
        bench.change(EDITED + "def more():\n    return 1\n")
        assert bench.run("review").code == 5
        asked = len(server.requests)
        assert [bench.run("review").code for _ in range(2)] == [5, 5]
        assert len(server.requests) == asked


# -- kept answers ------------------------------------------------------------------------------------------------------


def test_a_kept_answer_that_somebody_rewrote_is_none(make: Make) -> None:
    """Law 19: a right to write the journal is no identity; the reviewer signs no approval that it did not give."""
    with ScriptedServer([Rule(verdict="abstain")]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 5
        asked = len(server.requests)
        rewrite(bench, "abstain", "approve")
        assert bench.run("review").code == 5
        assert len(server.requests) > asked


@pytest.mark.parametrize("new", ["", "[]", "null", '{"said": 1, "seal": 2}', '{"said": "{}", "seal": "x"}'])
def test_a_kept_answer_that_is_broken_is_asked_for_again(make: Make, new: str) -> None:
    """Whatever stands there instead, the review goes on."""
    with ScriptedServer([Rule(verdict="abstain")]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 5
        with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
            db.execute("update judged set verdict = ?", (new,))
        said = bench.run("review")
        assert (said.code, "internal error" in said.err) == (5, False)


def test_a_kept_answer_of_another_content_is_none(make: Make) -> None:
    """An approval of something harmless, moved to the place of what was not approved."""
    with ScriptedServer([Rule(finds="def more", verdict="abstain"), Rule()]) as server:
        bench = make(Table("one", server.url, QWEN))
        bench.change(EDITED)
        assert bench.run("review").code == 0
        bench.change(EDITED + "def more():\n    return 1\n")
        assert bench.run("review").code == 5
        with Journal(bench.repo.path / ".git" / "twohand" / "journal.db") as journal, journal.transaction() as db:
            rows = dict(db.execute("select key, verdict from judged").fetchall())
            approved = next(text for text in rows.values() if "approve" in text)
            db.execute("update judged set verdict = ?", (approved,))
        assert bench.run("review").code == 5
