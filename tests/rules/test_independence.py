"""Who may judge: independence on five axes (law 10, 22-27)."""

import pytest

from rules.claims import Claim
from rules.decision import Decision
from rules.events import CommitFact
from tests.rules.lawkit import (
    HEAD,
    ONE_HAND,
    OWNED,
    PEOPLE,
    approved,
    codes,
    file,
    heard,
    key,
    law,
    line,
    mark,
    opened,
    proposed,
    said,
    verdict,
    written_by,
)  # fmt: skip


def axes(decision: Decision, name: str) -> dict[str, str]:
    ballot = next(ballot for ballot in decision.ballots if ballot.name == name)
    return {answer.axis: answer.result for answer in ballot.answers}


def test_another_person_is_another_hand() -> None:
    """Law 23: a person who is nobody in the change is distinct on every axis."""
    decision = verdict(change := proposed(), approved("alice", change))
    assert decision.outcome == "admitted"
    assert set(axes(decision, "alice").values()) == {"distinct"}


def test_own_approval_is_recused() -> None:
    """Law 23, 24: who wrote it does not approve it."""
    decision = verdict(change := proposed(), approved("bob", change))
    assert decision.outcome == "blocked"
    assert {"self-review.identity", "self-review.operator"} <= codes(decision)


def test_co_author_by_a_mark_alone_is_recused() -> None:
    """Law 10: the weakest evidence can show the same hand."""
    change = proposed(*written_by("bob"), opened("github:bob"), line("Alice", "ALICE@example.com", channel="co-author"))
    decision = verdict(change, approved("alice", change))
    assert decision.outcome == "blocked"
    assert "self-review.identity" in codes(decision)


def test_operator_of_the_author_is_recused() -> None:
    """Law 23: a person who operates an author agent is that author on the operator axis."""
    agent = Claim("author", "D", commit=HEAD, kind="agent", email="claude-two@agents.example.com", name="claude-two")
    change = proposed(agent, opened("github:alice"))
    decision = verdict(change, approved("bob", change))
    assert codes(decision) >= {"self-review.operator"}
    assert axes(decision, "bob")["identity"] == "distinct"


def test_two_agents_of_one_operator_are_one_hand() -> None:
    """Law 15, 23: operators are compared, not accounts."""
    change = proposed(mark("codex", "gpt-5.2"), *written_by("carol"), opened("github:carol"))
    decision = verdict(change, approved("qwen", change))
    assert axes(decision, "qwen")["operator"] == "same"
    assert decision.outcome == "blocked"


def test_same_model_under_another_name_is_recused() -> None:
    """Law 23: the weights decide, however they are spelled."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark("claude", "Claude Opus 5 (1M context)"))
    decision = verdict(change, approved("claude-two", change))
    assert codes(decision) >= {"self-review.model", "self-review.family"}


def test_sibling_models_share_a_family() -> None:
    """Law 23: two sizes of one family are two models and one family."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark("claude", "claude-haiku-4-5"))
    decision = verdict(change, approved("claude-two", change))
    assert axes(decision, "claude-two")["model"] == "distinct"
    assert codes(decision) >= {"self-review.family"}


def test_unknown_model_is_unresolved_and_asks_for_one_more() -> None:
    """Law 23, 24: unknown is not independent; off guarded paths one more approval makes up for it."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark())
    decision = verdict(change, approved("router", change))
    assert decision.outcome == "escalated"
    assert "independence.unresolved" in codes(decision)
    assert verdict(change, approved("router", change), approved("dave", change)).outcome == "admitted"


def test_unknown_model_is_recused_on_guarded_paths() -> None:
    """Law 24, 29: on a path that only an owner can release, unresolved does not count at all."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark(), files=(file("auth/login.py"),))
    rules = law(ONE_HAND.replace('"model", "human"', '"model"') + OWNED + "[owners]\nfallback = ['dave']\n")
    decision = verdict(change, approved("router", change), approved("dave", change), policy=rules)
    assert decision.outcome == "escalated"
    assert "independence.unresolved" in codes(decision)


def test_equal_sessions_in_one_namespace_are_one_hand() -> None:
    """Law 15, 23: one session is one hand, whoever signs."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark(session="claude-web:s1"))
    decision = verdict(change, approved("qwen", change, session="claude-web:s1"))
    assert codes(decision) >= {"self-review.session"}
    other = verdict(change, approved("qwen", change, session="amp:s1"))
    assert axes(other, "qwen")["session"] == "distinct"


def test_nobody_accountable_leaves_every_axis_unresolved() -> None:
    """Law 9: commits that nobody answers for show no difference to anybody."""
    decision = verdict(change := proposed(*written_by("bob")), approved("alice", change))
    assert set(axes(decision, "alice").values()) == {"unresolved"}
    assert {"independence.unresolved", "provenance.missing"} <= codes(decision)


def test_signed_commits_answer_for_themselves() -> None:
    """Law 9: who signed every commit answers for the change."""
    change = proposed(*written_by("bob"), commits=(CommitFact(HEAD, signed_by=key("bob")),))
    assert verdict(change, approved("alice", change)).outcome == "admitted"


def test_one_commit_that_nobody_answers_for_is_enough() -> None:
    """Law 9: a signature answers for its own commit only."""
    other = "e" * 40
    change = proposed(
        *written_by("bob"),
        *written_by("bob", other),
        commits=(CommitFact(HEAD, signed_by=key("bob")), CommitFact(other)),
    )
    decision = verdict(change, approved("alice", change))
    assert decision.made.unanswered == (other,)
    assert "provenance.missing" in codes(decision)


@pytest.mark.parametrize(("mode", "outcome"), [("block", "blocked"), ("extra", "escalated"), ("advise", "admitted")])
def test_policy_says_what_same_means(mode: str, outcome: str) -> None:
    """Law 24: per axis, the same hand blocks, asks for one more, or is only told."""
    rules = law(ONE_HAND + f'[independence]\nfamily = "{mode}"\nmodel = "{mode}"\n')
    change = proposed(*written_by("alice"), opened("github:alice"), mark())
    decision = verdict(change, approved("claude-two", change), policy=rules)
    assert decision.outcome == {"escalated": "pending"}.get(outcome, outcome)
    assert ("not independent" in decision.stamps) is (mode == "advise")


def test_two_of_one_family_count_once() -> None:
    """Law 25: approvals that are not independent of each other are one."""
    people = f"[agents.qwen-b]\nkeys = ['{key('qwen-b')}']\noperator = 'dave'\nmodel = 'qwen-max'\n"
    two = law(ONE_HAND + "approvals = 2\n", people=PEOPLE + people)
    change = proposed(*written_by("alice"), opened("github:alice"))
    both = verdict(change, approved("qwen", change), approved("qwen-b", change), policy=two)
    assert both.outcome == "pending"
    assert verdict(change, approved("qwen", change), approved("gpt", change), policy=two).outcome == "admitted"


def test_who_was_only_named_may_say_so() -> None:
    """Law 27: an author by D evidence alone may sign that it was not them; both claims are shown."""
    change = proposed(*written_by("bob"), opened("github:bob"), line("Alice", "alice@example.com", channel="co-author"))
    decision = verdict(change, approved("alice", change, not_author=True))
    assert decision.outcome == "admitted"
    assert any(author.principal == "alice" for author in decision.made.authors)


def test_who_answers_for_it_cannot_deny_it() -> None:
    """Law 27: A and B evidence is not talked away."""
    change = proposed(*written_by("alice"), opened("github:alice"))
    assert verdict(change, approved("alice", change, not_author=True)).outcome == "blocked"


def test_another_model_than_registered_counts_for_nobody() -> None:
    """Law 14, 22: an agent that signs as another model than its registration's is a conflict."""
    change = proposed(*written_by("alice"), opened("github:alice"))
    decision = verdict(change, approved("qwen", change, model="gpt-5.2"))
    assert decision.outcome == "escalated"
    assert "provenance.conflict" in codes(decision)


def test_grade_that_policy_asks_for() -> None:
    """Law 10: a `distinct` names the weakest grade it rests on, and policy may ask for more."""
    rules = law(ONE_HAND + '[independence]\ngrade = "B"\n')
    change = proposed(*written_by("alice"), opened("github:alice"), mark())
    decision = verdict(change, approved("qwen", change), policy=rules)
    assert decision.outcome == "escalated"
    plain = proposed(opened("github:alice"))
    proposal = heard(said("propose", "alice", plain, tool="claude", model="claude-opus-5"))
    assert verdict(plain, proposal, approved("qwen", plain), policy=rules).outcome == "admitted"


def test_undeclared_is_what_policy_says() -> None:
    """Law 11: silence about tools is human or unresolved, and every decision shows it."""
    change = proposed()
    decision = verdict(change, approved("qwen", change))
    assert decision.outcome == "admitted"
    assert "undeclared" in decision.stamps
    strict = law(ONE_HAND + '[independence]\nundeclared = "unresolved"\n')
    assert "independence.unresolved" in codes(verdict(change, approved("qwen", change), policy=strict))
    none = heard(said("propose", "bob", change, tool="none"))
    told = verdict(change, none, approved("qwen", change), policy=strict)
    assert (told.outcome, "undeclared" in told.stamps) == ("admitted", False)


def test_recusal_takes_the_vote_not_the_voice() -> None:
    """Law 26: an author may still object."""
    change = proposed()
    decision = verdict(change, approved("alice", change), heard(said("object", "bob", change, reason="not ready")))
    assert decision.outcome == "blocked"
    assert codes(decision) == {"veto"}
