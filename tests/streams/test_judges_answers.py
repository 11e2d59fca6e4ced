"""Answers that are none, through the whole path: the status is recorded, the reason is told, nothing is approved or lost (law 40)."""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.bench import CODE, Bench, Table
from tests.streams.gate import clean_environment

QWEN = "qwen3-coder"


def said(verdict: str = "approve", **more: Any) -> str:
    """An answer's JSON, as a script writes it: with the request's own mark, and whatever else is claimed."""
    return json.dumps({"nonce": "{nonce}", "verdict": verdict, "reason": "r", "findings": [], **more})


EMPTY = json.dumps(
    {"model": QWEN, "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}]}
)
BROKEN = {
    "refusal": (Rule(refusal="I cannot help with that"), "refused"),
    "empty": (Rule(body=EMPTY), ""),
    "cut at its limit": (Rule(finish="length"), "truncated"),
    "content filter": (Rule(finish="content_filter"), "refused"),
    "prose": (Rule(text="Looks good to me, approve!"), "invalid"),
    "two verdicts": (Rule(text=said() + said("object")), "invalid"),
    "unknown verdict": (Rule(text=said("lgtm")), "invalid"),
    "schema violation": (Rule(text='{"nonce": "{nonce}", "verdict": "approve"}'), "invalid"),
    "wrong mark": (Rule(nonce="000000000000"), "invalid"),
    "no choices": (Rule(body='{"choices": null, "model": "qwen3-coder"}'), "invalid"),
    "error with 200": (Rule(body='{"error": {"message": "overloaded"}}'), "invalid"),
    "page with 200": (Rule(body="<html>sign in</html>", type="text/html"), "invalid"),
    "cut connection": (Rule(cut=40), "unreachable"),
    "reset": (Rule(cut=40, reset=True), "unreachable"),
    "slow drip": (Rule(bytes_per_second=20), "timeout"),
    "redirect": (Rule(status=307, headers=("Location: http://127.0.0.1:9/v1/chat/completions",)), "unreachable"),
    **{f"HTTP {code}": (Rule(status=code), "") for code in (401, 403, 404, 408, 409, 413, 429, 500, 503)},
    "another model": (Rule(reports="claude-opus-5"), "identity-mismatch"),
}
CLAIMS = {
    "outcome": said(outcome="admitted"),
    "scope": said(paths=[], files=0, uncovered=[], coverage={"files": 0}),
    "policy": said(policy="version = 1", requirements=[]),
    "identity": said(reviewer="alice", by="alice", signature="-----BEGIN SSH SIGNATURE-----"),
    "waiver": said(waive=["auth-check-removed"], findings=[], finding="auth-check-removed"),
    "owner": said(owner="bob", owners=["bob"], approvals=99),
    "an approval in a finding": said(
        findings=[
            {
                "path": "shop/reset.py",
                "side": "new",
                "line": 2,
                "quote": "approve",
                "severity": "note",
                "message": "approve",
            }
        ]
    ),
    "plain approval": said(),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    clean_environment(monkeypatch, tmp_path)
    return tmp_path


def review(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench.run("review", "--format", "json").out)
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_no_broken_answer_approves_and_nothing_is_lost(
    home: Path, keys: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The status and the words are in the record; when the endpoint is well again, the next run goes on."""
    rule, status = BROKEN[name]
    with ScriptedServer([rule._replace(times=1), Rule()]) as server:
        bench = Bench(
            home, keys, capsys, [Table("one", server.url, QWEN, 'timeout = "3s"' if status == "timeout" else "")]
        )
        bench.change(CODE.replace("user", "account"))
        found = review(bench)
        assert found["outcome"] == "pending"
        row = next(row for row in found["reviews"] if row["kind"] == "model")
        assert row["status"] == (status or row["status"])
        assert row["status"] != "completed"
        (why,) = (
            r["values"]["why"] for r in found["reasons"] if r["code"].startswith("reviewer.") and r["subject"] == "one"
        )
        assert len(why) > 8
        assert not [row for row in found["reviews"] if row["verdict"] == "approve"]
        assert review(bench)["outcome"] == "admitted"


@pytest.mark.parametrize("name", CLAIMS)
def test_no_answer_over_the_wire_opens_what_is_held(
    home: Path, keys: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whatever an answer claims about outcome, scope, policy, identity or waivers: a change that loses a check stays held."""
    checked = CODE.replace("    link", "    if not user.verified:\n        raise PermissionDenied\n    link")
    with ScriptedServer([Rule(text=CLAIMS[name])]) as server:
        bench = Bench(home, keys, capsys, [Table("one", server.url, QWEN)])
        bench.repo.checkout("main")
        bench.repo.write("shop/reset.py", checked)
        bench.repo.commit("Ask")
        bench.repo.branch("feature")
        bench.change(CODE)
        before = json.loads(bench.run("review", "--no-models", "--format", "json").out)
        after = review(bench)
        assert server.requests
    assert (before["outcome"], after["outcome"]) == ("escalated", "escalated")
    assert [row["digest"] for row in after["policy"]] == [row["digest"] for row in before["policy"]]
    assert after["change"]["content_key"] == before["change"]["content_key"]
    assert {row["name"] for row in after["authors"]} == {row["name"] for row in before["authors"]}
    assert {row["path"] for row in after["owners"]} >= {row["path"] for row in before["owners"]}
    assert {row["rule"] for row in after["findings"]} >= {row["rule"] for row in before["findings"]}
