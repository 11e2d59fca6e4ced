"""What a model says unsigned: it may add findings, and nothing that it says is an approval (law 24-26, 38-40)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import Case, fold
from rules.decision import OUTCOMES, decide
from rules.events import DeadlinePassed, Event, Judged, LawText, ReviewGiven, event_id
from rules.findings import Finding, Tier, Uncovered
from rules.instants import later
from rules.judgement import Judgement, judge
from rules.record import record
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    PEOPLE,
    approved,
    case_of,
    codes,
    finding,
    heard,
    key,
    law,
    proposed,
    said,
    scanned,
    verdict,
)

JUDGE = f"""
[agents.second-hand]
keys = ["{key("second-hand")}"]
model = "qwen3-coder"
maker = "alibaba"
family = "qwen"
"""
POLICY = law(people=PEOPLE + JUDGE)
CODE = proposed(awaited=("second-hand",))
STATUSES = ("refused", "truncated", "invalid", "timeout", "unreachable", "over-budget", "recused", "identity-mismatch")


def seen(status: str = "completed", *findings: Finding, by: str = "second-hand", why: str = "") -> ReviewGiven:
    """A model's unsigned look at the change."""
    judged = Judged("qwen3-coder", "qwen3-coder")
    return ReviewGiven(
        change="c1", content_key=CODE.content_key, reviewer=by, status=status, findings=findings, why=why, judged=judged,
        at=NOON,
    )  # fmt: skip


def test_an_unsigned_look_of_a_model_is_no_approval() -> None:
    """Law 19, 26: only what its key signed is a vote."""
    assert verdict(CODE, seen(), policy=POLICY).outcome == "pending"
    assert verdict(CODE, seen(), approved("second-hand", CODE), policy=POLICY).outcome == "admitted"


@pytest.mark.parametrize("status", STATUSES)
def test_a_failed_review_is_a_reason(status: str) -> None:
    """Law 40: a refusal, an outage, a limit is told, with why, and approves nothing."""
    found = verdict(CODE, seen(status, why="because"), policy=POLICY)
    code = "reviewer.identity-mismatch" if status == "identity-mismatch" else "reviewer.failed"
    assert found.outcome == "pending"
    assert [reason.values["why"] for reason in found.reasons if reason.code == code] == ["because"]


def test_a_failure_does_not_take_what_was_given() -> None:
    """Law 38, 40: an outage after a completed review leaves its vote and its findings where they were."""
    held = finding(rule="model-finding")
    vote = approved("second-hand", CODE)
    assert verdict(CODE, seen(), vote, seen("timeout"), policy=POLICY).outcome == "admitted"
    assert verdict(CODE, seen("completed", held), vote, seen("timeout"), policy=POLICY).outcome == "escalated"
    assert verdict(CODE, seen("completed", held), seen(), vote, policy=POLICY).outcome == "admitted"


def test_what_a_model_could_not_read_costs_its_vote_alone() -> None:
    """Law 3: the rules say what nobody could read; a model that saw half of it just did not review."""
    half = replace(seen("truncated"), uncovered=(Uncovered("src/a.py", "cut"),))
    assert verdict(CODE, half, approved("alice", CODE), policy=POLICY).outcome == "admitted"


def test_an_answered_model_is_no_longer_awaited() -> None:
    """Law 39: a recused approval waits for eligible reviewers only as long as one may still answer."""
    recused = approved("bob", CODE)
    assert verdict(CODE, recused, policy=POLICY).outcome == "pending"
    assert verdict(CODE, recused, seen("timeout"), policy=POLICY).outcome == "pending"
    assert verdict(CODE, recused, seen(), policy=POLICY).outcome == "blocked"


def test_a_model_that_said_nothing_until_the_deadline_is_silent() -> None:
    """Law 39, 41: who was awaited and did not answer is named; who answered is not."""
    passed = DeadlinePassed(change="c1", content_key=CODE.content_key, due=NOON)
    assert "reviewer.silent" in codes(verdict(CODE, passed, policy=POLICY))
    assert "reviewer.silent" not in codes(verdict(CODE, passed, seen("timeout"), policy=POLICY))
    assert "reviewer.silent" not in codes(
        verdict(CODE, passed, heard(said("object", "second-hand", CODE)), policy=POLICY)
    )
    assert "reviewer.silent" not in codes(verdict(CODE, policy=POLICY))


def test_findings_of_several_models_are_one_for_each_place() -> None:
    """Union, without repeats: what two saw at one line is told once, by the heavier; what rules saw stays theirs."""
    note = Finding("model-finding", Tier.NOTE, "src/a.py", "new", 4, "odd", "x")
    held = note._replace(tier=Tier.HOLD, message="wrong")
    other = note._replace(line=5)
    rule = finding()
    found = verdict(
        CODE, seen("completed", note), seen("completed", held, other, by="third"), findings=(rule,), policy=POLICY
    )
    assert found.findings == (rule, held, other)


def test_models_that_do_not_say_the_same_are_stamped() -> None:
    """Disagreement is shown, and the objection stands."""
    against = heard(said("object", "second-hand", CODE))
    found = verdict(CODE, approved("gpt", CODE), against, policy=POLICY)
    assert (found.outcome, "reviewers disagree" in found.stamps) == ("blocked", True)
    assert "reviewers disagree" not in verdict(CODE, approved("alice", CODE), against, policy=POLICY).stamps
    assert "reviewers disagree" not in verdict(CODE, approved("second-hand", CODE), policy=POLICY).stamps


def test_the_record_tells_who_answered() -> None:
    """Law 22: asked and reported model stand beside the status."""
    case = fold([replace(CODE, laws=()), scanned(CODE), seen("timeout", why="no answer in 2 minutes")])
    case = replace(case, proposed=CODE)
    row = next(row for row in record(_judged(case))["reviews"] if row["reviewer"] == "second-hand")
    assert (row["kind"], row["status"], row["counts"]) == ("model", "timeout", False)
    assert (row["why"], row["judged"]["reported"]) == ("no answer in 2 minutes", "qwen3-coder")


def _judged(case: Case) -> Judgement:
    text = f"version = 1\nrepository = 'example/shop'\n{ONE_HAND}\n{PEOPLE}{JUDGE}"
    return judge(case, NOON, (LawText("default", "twohand.toml", text),))


def test_reviews_of_rules_keep_their_ids() -> None:
    """Law 42: what came later to the event is no part of a body that does not have it."""
    plain = scanned(CODE)
    assert event_id(plain) == event_id(replace(plain, why="", judged=None))
    assert event_id(plain) != event_id(replace(plain, why="x"))


FINDINGS = st.builds(
    Finding,
    st.sampled_from(("model-finding", "auth-check-removed", "", "coverage")),
    st.sampled_from(tuple(Tier)),
    st.sampled_from(("src/a.py", "auth/b.py", "", "twohand.toml", "../../etc")),
    st.sampled_from(("old", "new")),
    st.integers(0, 5),
    st.text(max_size=20),
    st.text(max_size=20),
)
LOOKS = st.builds(
    lambda status, findings, by, why, reported: replace(
        seen(status, *findings, by=by, why=why), judged=Judged("qwen3-coder", reported)
    ),
    st.sampled_from(("completed", *STATUSES, "approved", "admitted", "")),
    st.lists(FINDINGS, max_size=3),
    st.sampled_from(("second-hand", "alice", "carol", "gpt", "nobody", "claude-two")),
    st.text(max_size=20),
    st.sampled_from(("", "qwen3-coder", "claude-opus-5", "auto")),
)
HELD = law(ONE_HAND + OWNED, people=PEOPLE + JUDGE)


@given(st.lists(LOOKS, max_size=4), st.booleans())
def test_no_unsigned_look_opens_a_gate(looks: list[Event], vote: bool) -> None:
    """No look of a model, whatever it says, makes an outcome milder than it was without it (law 26, 39)."""
    votes = [approved("second-hand", CODE)] if vote else []
    for policy in (POLICY, HELD):
        for findings in ((), (finding(),), (finding(tier=Tier.BLOCK),)):
            before = decide(case_of(CODE, *votes, findings=findings), policy, later(NOON, 60))
            after = decide(case_of(CODE, *votes, *looks, findings=findings), policy, later(NOON, 60))
            assert OUTCOMES.index(after.outcome) <= OUTCOMES.index(before.outcome)
            assert after.made == before.made
            assert [one.name for one in after.ballots] == [one.name for one in before.ballots]
