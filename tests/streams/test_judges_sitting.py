"""A sitting against real endpoints: identity, budgets, kept answers, fallbacks, interruption (law 22-26, 40)."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from streams.engines.journal import Journal
from streams.judges.ledger import Ledger
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.streams.bench import CODE, NOWHERE, Bench, Table
from tests.streams.gate import clean_environment

QWEN, MISTRAL, CLAUDE, GPT = "qwen3-coder", "mistral-large", "claude-sonnet-5", "gpt-5.2"
ROOT = Path(__file__).resolve().parents[2]
PRICES = "price_in = 1000\nprice_out = 1000\n"
EDITED = CODE.replace("user", "account")


class Room:
    """Makes servers and benches that end with the test."""

    def __init__(self, stack: ExitStack, made: Any) -> None:
        self._stack = stack
        self._made = made

    def server(self, *rules: Rule) -> ScriptedServer:
        return self._stack.enter_context(ScriptedServer(rules or (Rule(),)))

    def bench(self, *tables: Table) -> Bench:
        found: Bench = self._made(tables)
        return found


@pytest.fixture
def room(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    clean_environment(monkeypatch, tmp_path)
    with ExitStack() as stack:
        yield Room(stack, lambda tables: Bench(tmp_path, keys, capsys, tables))


def decision(bench: Bench, *more: str) -> dict[str, Any]:
    said = bench.run("review", "--format", "json", *more)
    assert said.out, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def model_row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["reviews"] if (row["reviewer"], row["kind"]) == (name, "model"))


def journal_file(bench: Bench) -> Path:
    return bench.repo.path / ".git" / "twohand" / "journal.db"


def statuses(bench: Bench) -> list[str]:
    with Journal(journal_file(bench)) as journal:
        return [entry.status for entry in Ledger(journal).entries()]


# -- identity ----------------------------------------------------------------------------------------------------------


def test_another_model_than_the_declared_one_is_an_incident(room: Room) -> None:
    """Law 22: an endpoint that answers as another model has no vote, whatever it says."""
    server = room.server(Rule(reports=CLAUDE))
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    found = decision(bench)
    assert found["outcome"] == "pending"
    (reason,) = (row for row in found["reasons"] if row["code"] == "reviewer.identity-mismatch")
    assert QWEN in reason["values"]["why"]
    assert CLAUDE in reason["values"]["why"]
    assert model_row(found, "one")["judged"]["reported"] == CLAUDE
    assert "identity mismatch" in found["stamps"]
    assert bench.run("explain", "identity-mismatch").code == 0
    assert not [row for row in found["reviews"] if row["verdict"] == "approve"]


def test_the_name_of_a_deployment_stands_for_the_declared_model(room: Room) -> None:
    """Law 22: who declares what stands behind a name signs as that model."""
    server = room.server()
    bench = room.bench(Table("one", server.url, "prod-3", f'declared = "{QWEN}"\nmaker = "alibaba"\nfamily = "qwen"'))
    bench.change(EDITED)
    assert decision(bench)["outcome"] == "admitted"


def test_a_router_is_not_asked(room: Room) -> None:
    """Law 23: whose weights would answer is unknown, so nothing is spent."""
    server = room.server()
    bench = room.bench(Table("one", server.url, "openrouter/auto"))
    bench.change(EDITED)
    found = decision(bench)
    assert (model_row(found, "one")["status"], server.requests) == ("recused", [])


def test_a_registration_that_says_otherwise_is_not_asked(room: Room) -> None:
    """Law 22: settings and policy have to name the same model."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN))
    bench.configure(Table("one", server.url, MISTRAL))
    bench.change(EDITED)
    found = decision(bench)
    assert f"the policy registers {QWEN}" in model_row(found, "one")["why"]
    assert server.requests == []


def test_every_sitting_is_a_session_of_its_own(room: Room) -> None:
    """Law 23: sessions are ours and fresh, and stand in the signed vote."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN), Table("two", server.url, MISTRAL))
    bench.change(EDITED)
    found = decision(bench)
    sessions = {row["judged"]["session"] for row in found["reviews"] if row["kind"] == "model"}
    assert len(sessions) == 2


# -- panel and redundancy ----------------------------------------------------------------------------------------------


def test_votes_are_given_in_parallel_and_unseen(room: Room) -> None:
    """Two slow reviewers take as long as one; neither request holds the other's words; both votes are there."""
    one = room.server(Rule(reason="first-opinion", delay_ms=700))
    two = room.server(Rule(reason="second-opinion", delay_ms=700))
    bench = room.bench(Table("one", one.url, QWEN), Table("two", two.url, MISTRAL))
    bench.change(EDITED)
    started = time.monotonic()
    said = bench.run("review")
    took = time.monotonic() - started
    assert said.code == 0
    passes = max(len(one.requests), len(two.requests))
    assert took < passes * 0.7 * 2 + 2
    assert not any("opinion" in json.dumps(request.body) for request in (*one.requests, *two.requests))
    assert {row["reviewer"] for row in decision(bench)["reviews"] if row["verdict"] == "approve"} == {"one", "two"}


def test_disagreement_is_shown_and_the_objection_stands(room: Room) -> None:
    """One approves, one objects: blocked, stamped, and both reasons are told."""
    soft, hard = (
        room.server(Rule(reason="fine")),
        room.server(Rule(verdict="object", finds="account", reason="not fine")),
    )
    bench = room.bench(Table("soft", soft.url, QWEN), Table("hard", hard.url, MISTRAL))
    bench.change(EDITED)
    said = bench.run("review")
    assert said.code == 1
    assert "the reviewers disagree: soft approved, hard objected" in said.err
    assert "reviewers disagree" in decision(bench)["stamps"]


def test_when_none_is_left_the_panel_abstains(room: Room) -> None:
    """Law 40: the last fallback failed, too; every failure is named, and the change waits."""
    broken = room.server(Rule(status=500))
    bench = room.bench(
        Table("one", NOWHERE, QWEN, 'fallback = ["two"]'), Table("two", broken.url, MISTRAL, 'fallback = ["one"]')
    )
    bench.change(EDITED)
    found = decision(bench)
    assert found["outcome"] == "pending"
    assert {row["subject"] for row in found["reasons"] if row["code"] == "reviewer.failed"} == {"one", "two"}


def test_an_objection_is_not_asked_away(room: Room) -> None:
    """Law 34: running the review again does not ask the reviewer that objected for another opinion of the same content."""
    server = room.server(Rule(verdict="object", finds="account", times=1), Rule())
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    assert bench.run("review").code == 1
    asked = len(server.requests)
    assert bench.run("review").code == 1
    assert len(server.requests) == asked


# -- cost --------------------------------------------------------------------------------------------------------------


BUDGETS = [
    "tokens_per_change = 1500",
    "tokens_per_day = 1500",
    "tokens_per_repository = 1500",
    "money_per_change = 1.5",
]


@pytest.mark.parametrize("budget", BUDGETS)
def test_over_budget_is_a_status_and_nothing_is_sent(room: Room, budget: str) -> None:
    """What the review would take is estimated first; over it, nobody is asked and the reason names the budget."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN, PRICES + budget.replace("1500", "100").replace("1.5", "0.1")))
    bench.change(EDITED)
    found = decision(bench)
    assert (model_row(found, "one")["status"], server.requests) == ("over-budget", [])
    assert budget.partition(" ")[0] in model_row(found, "one")["why"]


def test_a_budget_counts_what_was_spent(room: Room) -> None:
    """The first review fits, the second of the same day does not."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN, "tokens_per_day = 6000"))
    bench.change(EDITED)
    assert decision(bench)["outcome"] == "admitted"
    server.requests.clear()
    for number in range(4):
        bench.change(EDITED.replace("account", f"account{number}"))
        found = decision(bench)
        if model_row(found, "one")["status"] == "over-budget":
            break
    else:
        pytest.fail("five reviews of more than 1,000 tokens stayed under 6,000")
    assert "are spent" in model_row(found, "one")["why"]


def test_a_review_carries_over_to_another_head_without_cost(room: Room) -> None:
    """Law 33: the same content in another commit is the same review."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    assert bench.run("review").code == 0
    asked = len(server.requests)
    bench.repo.git(
        "commit", "-q", "--amend", "-m", "Other words\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>"
    )
    assert bench.run("review").code == 0
    assert len(server.requests) == asked


def test_a_kept_answer_gives_the_vote_again(room: Room) -> None:
    """A vote that got lost before it was shared is signed anew from the kept answer, for nothing."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN, PRICES))
    bench.change(EDITED)
    assert bench.run("review").code == 0
    asked = len(server.requests)
    for ref in bench.repo.git("for-each-ref", "--format=%(refname)", "refs/twohand/reviews").split():
        if b'"by":"one"' in bench.repo.raw("cat-file", "blob", ref):
            bench.repo.git("update-ref", "-d", ref)
    journal_file(bench).rename(journal_file(bench).with_suffix(".old"))
    with Journal(journal_file(bench).with_suffix(".old")) as old, Journal(journal_file(bench)) as new:
        kept = old.ask("select key, at, verdict from judged")
        Ledger(new)
        with new.transaction() as db:
            db.executemany("insert into judged values (?, ?, ?)", kept)
    said = bench.run("review")
    assert (said.code, len(server.requests)) == (0, asked)
    assert "kept answer, no cost" in said.err
    (row,) = json.loads(bench.run("cost", "--format", "json").out)["reviewers"]
    assert (row["cached"], row["money"], row["tokens_in"]) == (1, 0, 0)


def test_answers_are_kept_as_they_came(room: Room) -> None:
    """The record names the digest of every answer, and the journal's file holds it."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    digests = model_row(decision(bench), "one")["judged"]["answers"]
    assert digests
    with Journal(journal_file(bench)) as journal:
        for digest in digests:
            body = Ledger(journal).answer(digest)
            assert body is not None
            assert json.loads(body)["model"] == QWEN
        assert Ledger(journal).answer("0" * 64) is None


def test_findings_that_somebody_acted_on_are_upheld(room: Room) -> None:
    """Cost per upheld finding: the file of the finding is another after the next push."""
    server = room.server(Rule(verdict="object", finds="account"), Rule())
    bench = room.bench(Table("one", server.url, QWEN, PRICES))
    bench.change(EDITED)
    assert bench.run("review").code == 1
    (row,) = json.loads(bench.run("cost", "--format", "json").out)["reviewers"]
    assert (row["findings"], row["upheld"], row["money_per_upheld"]) == (1, 0, None)
    bench.change(CODE.replace("user", "person"))
    bench.run("review")
    (row,) = json.loads(bench.run("cost", "--format", "json").out)["reviewers"]
    assert (row["findings"], row["upheld"]) == (1, 1)
    assert row["money_per_upheld"] == pytest.approx(row["money"])


# -- interruption ------------------------------------------------------------------------------------------------------


def test_interrupting_leaves_a_whole_journal(room: Room) -> None:
    """Ctrl-C: what was said is recorded, what was not is no vote, and the next run goes on from there."""
    quick, slow = room.server(Rule()), room.server(Rule(delay_ms=60_000))
    bench = room.bench(Table("quick", quick.url, QWEN), Table("slow", slow.url, MISTRAL))
    bench.change(EDITED)
    command = [sys.executable, "-c", "from streams.cli import main; main()", "review", "-C", str(bench.repo.path)]
    running = subprocess.Popen(
        [*command, "--settings", str(bench.settings)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
    )  # fmt: skip
    assert running.stderr
    for line in running.stderr:
        if line.startswith("judging: quick: approve"):
            break
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    with Journal(journal_file(bench)) as journal:
        assert journal.broken_row() is None
    assert sorted(statuses(bench)) == ["broken-off", "completed"]
    again = decision(bench, "--no-models")
    assert again["outcome"] == "admitted"
    assert [row["reviewer"] for row in again["reviews"] if row["kind"] == "model"] == ["quick"]


# -- commands ----------------------------------------------------------------------------------------------------------


def test_enrolling_makes_a_key_that_only_its_owner_reads(room: Room) -> None:
    """The table for the policy is printed alone on standard output; a second time it is the same key."""
    bench = room.bench(Table("one", NOWHERE, QWEN))
    bench.configure(Table("one", NOWHERE, QWEN), Table("fresh", NOWHERE, "some-model", 'maker = "acme"'))
    first, second = bench.run("reviewers", "enrol", "fresh"), bench.run("reviewers", "enrol", "fresh")
    assert (first.code, first.out) == (0, second.out)
    assert 'model = "some-model"\nmaker = "acme"\n' in first.out
    assert ("made:" in first.err, "kept:" in second.err) == (True, True)
    assert "the policy has this key already" in bench.run("reviewers", "enrol", "one").err
    key = bench.repo.path / ".git" / "twohand" / "reviewers" / "fresh.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    assert f"chmod 600 {key}" in bench.run("reviewers", "enrol", "fresh").err


def test_an_unknown_reviewer_is_a_usage_error(room: Room) -> None:
    """It names those that there are."""
    bench = room.bench(Table("one", NOWHERE, QWEN))
    said = bench.run("reviewers", "probe", "two")
    assert said.code == 2
    assert " has one." in said.err


def test_the_list_says_who_may_sit(room: Room) -> None:
    """Weights, identity, key and budget of each, and nobody is asked."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN, 'key_env = "NO_SUCH_KEY"\ntokens_per_day = 5\nfallback = []'))
    bench.configure(
        Table("one", server.url, QWEN, 'key_env = "NO_SUCH_KEY"\ntokens_per_day = 5'),
        Table("two", server.url, "mystery"),
    )
    rows = {row["name"]: row for row in json.loads(bench.run("reviewers", "list", "--format", "json").out)["reviewers"]}
    assert (rows["one"]["lineage"], rows["one"]["identity"]) == ("alibaba/qwen", "enrolled")
    assert rows["one"]["endpoint_key"] == "$NO_SUCH_KEY is not set"
    assert (rows["two"]["lineage"], rows["two"]["identity"]) == (None, "no key")
    text = bench.run("reviewers", "list").out
    assert "nobody knows whose" in text
    assert "tokens per day 5" in text
    assert server.requests == []


def test_a_missing_key_is_told_and_nothing_is_sent(room: Room) -> None:
    """A key that is not there is a failure of this reviewer, not of the review."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN, 'key_env = "NO_SUCH_KEY"'))
    bench.change(EDITED)
    assert model_row(decision(bench), "one")["why"] == "$NO_SUCH_KEY is not set"
    assert bench.run("reviewers", "probe", "one").code == 2
    assert server.requests == []


def test_a_probe_tells_what_an_endpoint_can_do(room: Room) -> None:
    """Each mode is tried; the reported model is compared with the declared one."""
    server = room.server(Rule(contains="discount", times=1), Rule(text="no idea"))
    bench = room.bench(Table("one", server.url, QWEN))
    found = json.loads(bench.run("reviewers", "probe", "one", "--format", "json").out)
    assert (found["usable"], found["reported"], found["maker"]) == (True, QWEN, "alibaba")
    assert [(row["mode"], row["works"]) for row in found["modes"]] == [
        ("json_schema", True), ("json_object", False), ("prompt", False),
    ]  # fmt: skip
    assert bench.run("reviewers", "probe", "one").code == 2


def test_an_agent_that_can_read_a_reviewers_key_is_told_of(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 19, 20: who has the key speaks as the reviewer, so it does not lie where agents write."""
    bench = room.bench(Table("one", NOWHERE, QWEN))
    assert "can sign as the reviewer" not in bench.run("doctor").out
    monkeypatch.setenv("CLAUDECODE", "1")
    assert "this shell belongs to an agent (claude), which can sign as the reviewer" in bench.run("doctor").out


def test_the_doctor_looks_at_reviewers(room: Room) -> None:
    """Enrolled and not enrolled, known and unknown weights, a key that is missing."""
    bench = room.bench(Table("one", NOWHERE, QWEN))
    assert "one: qwen3-coder, enrolled with its own key" in bench.run("doctor").out
    bench.configure(Table("one", NOWHERE, QWEN, 'key_env = "NO_SUCH_KEY"'), Table("two", NOWHERE, "mystery"))
    said = bench.run("doctor").out
    for words in ("one: $NO_SUCH_KEY is not set", "two: nobody knows whose weights mystery is", "two: it has no key"):
        assert words in said


def test_hooks_import_no_network_client() -> None:
    """The path of a push is short: neither asyncio nor the client of the models is on it."""
    code = "import streams.hooks.entry, streams.hooks.receive, streams.desk, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"asyncio", "openai", "httpx2", "pydantic", "rich"}.isdisjoint(done.stdout.split())


def test_a_lapsed_approval_is_asked_for_again(room: Room) -> None:
    """Law 33: where the target touched the paths since, no kept answer stands in for another look."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    assert bench.run("review").code == 0
    asked = len(server.requests)
    bench.repo.checkout("main")
    for text in (CODE + "# more\n", CODE):
        bench.repo.write("shop/reset.py", text)
        bench.repo.commit("Back and forth")
    bench.repo.checkout("feature")
    bench.repo.git("rebase", "-q", "main")
    bench.run("propose", "HEAD", "--as", "alice", "--key", str(bench.keys / "alice"), "--tool", "claude")
    assert "approval.stale" in {row["code"] for row in decision(bench, "--no-models")["reasons"]}
    assert len(server.requests) == asked
    assert decision(bench)["outcome"] == "admitted"
    assert len(server.requests) > asked


def test_a_replay_of_the_record_decides_the_same(room: Room) -> None:
    """Law 38: nobody is asked again; the recorded looks and votes are enough."""
    soft, hard = room.server(Rule()), room.server(Rule(verdict="object", finds="account"))
    bench = room.bench(Table("soft", soft.url, QWEN), Table("hard", hard.url, MISTRAL), Table("dead", NOWHERE, GPT))
    bench.change(EDITED)
    before = decision(bench)
    events = bench.repo.path.parent / "events.jsonl"
    exported = bench.plain("journal", "export", "-C", str(bench.repo.path), "--output", str(events))
    assert exported.code == 0, exported.err
    asked = len(soft.requests), len(hard.requests)
    said = bench.plain("replay", str(events), "--format", "json")
    assert (len(soft.requests), len(hard.requests)) == asked
    assert before["outcome"] == "blocked"
    assert '"blocked"' in said.out


def test_a_door_without_the_settings_does_not_know_who_runs_it(room: Room) -> None:
    """Law 15, 23: a reviewer without operator is the gate's own only where the settings say so."""
    server = room.server()
    bench = room.bench(Table("one", server.url, QWEN))
    bench.change(EDITED)
    assert bench.run("review").code == 0
    elsewhere = json.loads(bench.plain("review", "--format", "json", "-C", str(bench.repo.path)).out)
    assert elsewhere["outcome"] != "admitted"
    why = {row["values"]["axis"]: row["values"]["evidence"] for row in elsewhere["reasons"] if "axis" in row["values"]}
    assert why["operator"] == "nobody is known to operate one"
