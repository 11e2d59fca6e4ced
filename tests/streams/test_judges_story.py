"""The story of docs/judges.md: three endpoints of different families, one honest, one lenient, one dead (law 22-26)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.bench import CODE, FILE, NOWHERE, Bench, Table
from tests.streams.gate import clean_environment

LENIENT = "claude-sonnet-5"  # of the family that writes the change
HONEST = "qwen3-coder"
DEAD = "mistral-large"
SCRIPT = [
    Rule(model=LENIENT, reason="looks good to me"),
    Rule(
        model=HONEST, finds="verified", verdict="object", reason="the check is gone", message="nobody asks `verified`"
    ),
    Rule(model=HONEST, reason="nothing is lost"),
]
PRICES = "price_in = 0.5\nprice_out = 2.0\n"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(SCRIPT) as running:
        yield running


@pytest.fixture
def bench(
    tmp_path: Path,
    keys: Path,
    server: ScriptedServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    clean_environment(monkeypatch, tmp_path)
    tables = (
        Table("first", NOWHERE, DEAD, 'fallback = ["second", "third"]'),
        Table("second", server.url, LENIENT, PRICES),
        Table("third", server.url, HONEST, PRICES),
    )
    return Bench(tmp_path, keys, capsys, tables)


def decided(bench: Bench, *more: str) -> dict[str, Any]:
    said = bench.run("review", "--format", "json", *more)
    assert said.out, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def spoke(decision: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    return next(row for row in decision["reviews"] if (row["reviewer"], row["kind"]) == (name, kind))


def test_a_change_by_an_agent_is_judged_by_an_independent_model(bench: Bench, server: ScriptedServer) -> None:
    """The dead one is asked, the author's family is passed over, the independent one votes, and the change is admitted."""
    bench.change(CODE.replace("user", "account"))
    said = bench.run("review")
    assert said.code == 0, said.out + said.err
    assert "first: unreachable" in said.err
    assert "second: not asked, family: same as claude" in said.err
    assert "third: approve" in said.err
    assert {request.body["model"] for request in server.requests} == {HONEST}
    decision = decided(bench)
    vote = spoke(decision, "third", "agent")
    assert (vote["verdict"], vote["counts"], vote["reason"]) == ("approve", True, "nothing is lost")
    assert {axis["result"] for axis in vote["axes"]} == {"distinct"}
    seen = spoke(decision, "third", "model")
    assert (seen["judged"]["reported"], seen["judged"]["session"][:8]) == (HONEST, "twohand:")
    assert spoke(decision, "first", "model")["status"] == "unreachable"
    assert (
        "would be eligible: a reviewer with weights that anthropic did not make"
        in spoke(decision, "second", "model")["why"]
    )


def test_an_objection_of_the_independent_model_blocks(bench: Bench) -> None:
    """Its finding quotes its line, its objection is signed, and the lenient one is never asked to outvote it."""
    bench.repo.checkout("main")
    bench.repo.write(FILE, CODE.replace("    link", "    note(user.verified)\n    link"))
    bench.repo.commit("Note it")
    bench.repo.branch("feature")
    bench.change(CODE)
    said = bench.run("review")
    assert said.code == 1, said.out
    decision = decided(bench)
    assert {"veto"} <= {reason["code"] for reason in decision["reasons"]}
    (found,) = (row for row in decision["findings"] if row["rule"] == "model-finding")
    assert (found["path"], found["side"], found["quote"]) == (FILE, "old", "note(user.verified)")
    assert found["message"] == "third says: nobody asks `verified`"
    assert bench.run("explain", "model-finding").code == 0


def test_an_approval_of_the_same_family_is_recused(bench: Bench) -> None:
    """Law 24, 26: whoever has the reviewer's key can sign with it; the decision compares once more."""
    bench.change(CODE.replace("user", "account"))
    key = bench.repo.path / ".git" / "twohand" / "reviewers" / "second.key"
    assert bench.run("approve", "HEAD", "--as", "second", "--key", str(key)).code == 0
    said = bench.run("review", "--no-models", "--format", "json")
    decision = json.loads(said.out)
    assert decision["outcome"] == "pending"
    assert "self-review.family" in {reason["code"] for reason in decision["reasons"]}
    assert not spoke(decision, "second", "agent")["counts"]


def test_the_cost_is_told_and_a_second_run_has_none(bench: Bench, server: ScriptedServer) -> None:
    """Tokens and money of the one that answered; what it said carries over."""
    bench.change(CODE.replace("user", "account"))
    assert bench.run("review").code == 0
    asked = len(server.requests)
    assert bench.run("review").code == 0
    assert len(server.requests) == asked
    rows = {
        row["reviewer"]: row
        for row in json.loads(bench.run("cost", "--since", "1d", "--format", "json").out)["reviewers"]
    }
    third = rows["third"]
    assert (third["reviews"], third["statuses"]) == (1, {"completed": 1})
    expected = (third["tokens_in"] * 0.5 + third["tokens_out"] * 2.0) / 1_000_000
    assert third["tokens_in"] > 100
    assert abs(third["money"] - expected) < 0.000_001
    assert rows["first"]["money"] == 0
    assert re.search(r"^third +1 ", bench.run("cost").out, re.MULTILINE)


def test_sarif_carries_quotes_and_identities(bench: Bench) -> None:
    """What a model saw is a result with its quote; who it was stands in the run's properties."""
    bench.change(CODE.replace("mail(user, link)", "mail(user, link, verified=False)"))
    run = json.loads(bench.run("review", "--format", "sarif").out)["runs"][0]
    (result,) = (row for row in run["results"] if row["ruleId"] == "model-finding")
    assert result["properties"]["quote"] == "mail(user, link, verified=False)"
    judges = {row["reviewer"]: row for row in run["properties"]["twohand/judges"]}
    assert (judges["third"]["asked"], judges["third"]["reported"], judges["third"]["status"]) == (
        HONEST,
        HONEST,
        "completed",
    )
    assert judges["first"]["status"] == "unreachable"


def test_without_models_nobody_is_asked(bench: Bench, server: ScriptedServer) -> None:
    """--no-models, and a dry run, ask nobody and wait for somebody."""
    bench.change(CODE.replace("user", "account"))
    assert bench.run("review", "--no-models").code == 5
    assert bench.run("review", "--dry-run").code == 5
    assert server.requests == []
