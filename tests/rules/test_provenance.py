"""Who made it (law 8-16)."""

from rules.case import fold
from rules.claims import Claim
from rules.decision import decide
from rules.events import CommitFact, Recorded
from rules.instants import later
from tests.rules.lawkit import (
    HEAD,
    NOON,
    approved,
    case_of,
    codes,
    heard,
    key,
    law,
    line,
    mark,
    opened,
    proposed,
    pushed,
    said,
    scanned,
    verdict,
    written_by,
)  # fmt: skip


def names(decision) -> set[str]:
    return {author.principal or author.name for author in decision.made.authors}


def test_authors_are_a_union_of_all_channels() -> None:
    """Law 8: author, committer, co-author, opener, pusher and tools, each with its evidence."""
    change = proposed(
        *written_by("bob"), line("Carol", "carol@example.com", channel="co-author"), mark("codex", "gpt-5.2"),
        opened("github:alice"), pushed("github:bob"),
    )  # fmt: skip
    decision = verdict(change)
    assert names(decision) == {"bob", "carol", "codex", "alice"}
    bob = next(author for author in decision.made.authors if author.principal == "bob")
    assert {item.channel for item in bob.evidence} == {"author", "committer", "pushed-by"}


def test_bare_login_of_a_door_is_found() -> None:
    """Law 9: the caller may name the opener by account, login, address or enrolled name."""
    for account in ("github:alice", "alice", "alice@example.com"):
        change = proposed(*written_by("bob"), opened(account))
        assert verdict(change).made.accountable == {"alice"}


def test_stranger_as_opener_answers_for_nothing() -> None:
    """Law 9: only the enrolled are accountable."""
    change = proposed(*written_by("bob"), opened("github:mallory"))
    decision = verdict(change, approved("alice", change))
    assert decision.made.accountable == frozenset()
    assert "provenance.missing" in codes(decision)


def test_agent_answers_through_its_operator() -> None:
    """Law 9: an enrolled agent that proposes is answered for by the person behind it."""
    change = proposed(*written_by("claude-two"))
    decision = verdict(change, heard(said("propose", "claude-two", change)), approved("alice", change))
    assert decision.made.accountable == {"bob"}
    assert decision.outcome == "admitted"


def test_dependency_bot_answers_for_its_own_change() -> None:
    """Law 9, 16: a service that opened and pushed a change of its own commits alone."""
    bot = Claim(
        "author", "D", commit=HEAD, kind="service", name="dependabot[bot]",
        email="49699333+dependabot[bot]@users.noreply.github.com",
    )  # fmt: skip
    doors = (opened("github:dependabot[bot]"), pushed("github:dependabot[bot]"))
    change = proposed(bot, *doors)
    assert verdict(change, approved("alice", change)).outcome == "admitted"
    foreign = proposed(bot, *doors, *written_by("bob", "e" * 40), commits=(CommitFact(HEAD), CommitFact("e" * 40)))
    assert "provenance.missing" in codes(verdict(foreign, approved("alice", foreign)))
    merged = proposed(bot, opened("github:bob"), pushed("github:dependabot[bot]"))
    assert verdict(merged).made.accountable == {"bob"}


def test_clean_merge_adds_no_author_but_its_own_edits_do() -> None:
    """Law 5: who merely merges is no author; who edits while merging is."""
    merge = "f" * 40
    claims = (*written_by("bob"), *written_by("alice", merge), opened("github:bob"))
    clean = proposed(*claims, commits=(CommitFact(merge, own_edits=False), CommitFact(HEAD)))
    assert verdict(clean, approved("alice", clean)).outcome == "admitted"
    edited = proposed(*claims, commits=(CommitFact(merge, own_edits=True), CommitFact(HEAD)))
    assert verdict(edited, approved("alice", edited)).outcome == "blocked"


def test_rebase_of_what_somebody_proposed_is_a_carry() -> None:
    """Law 13: a committer of content that another is shown to have made is no author."""
    claims = (line("bob", "bob@example.com"), line("alice", "alice@example.com", channel="committer"))
    change = proposed(*claims)
    proposal = heard(said("propose", "bob", change))
    assert verdict(change, proposal, approved("alice", change)).outcome == "admitted"
    assert verdict(proposed(*claims, opened("github:bob")), approved("alice", change)).outcome == "blocked"


def test_who_opened_this_very_change_shows_nothing_about_its_content() -> None:
    """Law 13: an opener is no maker; the pusher of the same content stays an author."""
    change = proposed(*written_by("bob"), opened("github:bob"), pushed("github:alice"))
    assert verdict(change, approved("alice", change)).outcome == "blocked"


def test_pusher_of_signed_commits_is_a_carrier() -> None:
    """Law 13: the author's own signature shows who made it."""
    commits = (CommitFact(HEAD, signed_by=key("bob")),)
    change = proposed(*written_by("bob"), opened("github:bob"), pushed("github:alice"), commits=commits)
    assert verdict(change, approved("alice", change)).outcome == "admitted"


def test_earlier_recorded_change_shows_the_maker() -> None:
    """Law 13: content that was recorded before, by somebody accountable, is carried by whoever pushes it again."""
    earlier = (*written_by("bob"), opened("github:bob"))
    change = proposed(*written_by("bob"), opened("github:alice"), recorded=(Recorded(earlier, shows=True),))
    assert verdict(change, approved("carol", change)).outcome == "admitted"
    assert "alice" not in names(verdict(change))


def test_authors_stick_to_content() -> None:
    """Law 12: a squash that drops the mark launders nobody."""
    earlier = (*written_by("alice"), mark(), opened("github:alice"))
    change = proposed(*written_by("alice"), opened("github:alice"), recorded=(Recorded(earlier, shows=True),))
    assert "self-review.family" in codes(verdict(change, approved("claude-two", change)))


def test_claims_that_nobody_answers_for_stick_to_nobody() -> None:
    """Law 12: only proposals by accountable principals make others stick, else anybody could name a reviewer away."""
    poisoned = (*written_by("alice"), line("Carol", "carol@example.com", channel="co-author"))
    change = proposed(recorded=(Recorded(poisoned, shows=True),))
    assert verdict(change, approved("carol", change)).outcome == "admitted"


def test_authors_stick_to_the_change() -> None:
    """Law 12: one more byte in the same change keeps the authors that it had."""
    first = proposed(*written_by("alice"), mark(), opened("github:alice"))
    second = proposed(*written_by("alice"), opened("github:alice"), head="9" * 40)
    case = fold([first, scanned(first), second, scanned(second), approved("claude-two", second)])
    assert "self-review.family" in codes(decide(case, law(), later(NOON, 60)))


def test_approval_brings_the_authors_that_it_saw() -> None:
    """Law 12: what an approver saw stays evidence."""
    from rules.statement import Seen

    change = proposed()
    seen = (Seen("agent", "claude", "claude", "claude-opus-5"),)
    assert "claude" in names(verdict(change, approved("alice", change, authors=seen)))


def test_signer_other_than_the_committer_is_a_conflict() -> None:
    """Law 14: an agent's key under a person's name."""
    change = proposed(*written_by("alice"), opened("github:alice"), commits=(CommitFact(HEAD, signed_by=key("gpt")),))
    decision = verdict(change, approved("carol", change))
    assert decision.outcome == "escalated"
    assert "provenance.conflict" in codes(decision)


def test_signer_who_committed_anothers_work_is_no_conflict() -> None:
    """Law 13: signer = committer other than the author is a carry."""
    claims = (line("bob", "bob@example.com"), line("alice", "alice@example.com", channel="committer"))
    change = proposed(*claims, opened("github:bob"), commits=(CommitFact(HEAD, signed_by=key("alice")),))
    assert "provenance.conflict" not in codes(verdict(change))


def test_one_session_of_two_tools_is_a_conflict() -> None:
    """Law 14: a session belongs to one tool."""
    change = proposed(mark("claude", session="x:1"), mark("codex", "gpt-5.2", session="x:1"), opened("github:alice"))
    assert "provenance.conflict" in codes(verdict(change))


def test_enrolled_agent_of_another_family_than_it_says_is_a_conflict() -> None:
    """Law 14, 22: registration and mark cannot both be true."""
    claim = Claim(
        "author", "D", commit=HEAD, kind="agent", email="claude-two@agents.example.com", model="gpt-5.2", maker="openai",
        family="gpt",
    )  # fmt: skip
    assert "provenance.conflict" in codes(verdict(proposed(claim, opened("github:alice"))))


def test_person_beside_agent_lines_is_mixed_and_no_conflict() -> None:
    """Law 14: a person's author line beside recorded agent lines."""
    decision = verdict(proposed(*written_by("alice"), mark(), opened("github:alice")))
    assert decision.made.kinds == {"agent", "mixed"}
    assert not decision.made.conflicts


def test_names_that_share_a_key_are_one_hand() -> None:
    """Law 15: a second account with the same key is the same person."""
    from tests.rules.lawkit import PEOPLE

    twin = f"[people.alter]\nemails = ['alter@example.com']\nkeys = ['{key('bob')}']\n"
    rules = law(people=PEOPLE + twin)
    change = proposed()
    assert verdict(change, heard(said("approve", "alter", change), key_of="bob"), policy=rules).outcome == "blocked"


def test_strangers_behind_an_accountable_person_are_named_and_distinct() -> None:
    """Law 10: a co-author whom nobody enrolled is a stranger, not a reason to stop."""
    change = proposed(*written_by("bob"), opened("github:bob"), line("Zoe", "zoe@else.example", channel="co-author"))
    decision = verdict(change, approved("alice", change))
    assert decision.outcome == "admitted"
    zoe = next(author for author in decision.made.authors if author.name.startswith("Zoe"))
    assert (zoe.kind, zoe.principal) == ("human", "")


def test_kinds_for_the_policy() -> None:
    """Law 39: agent when any is, human when all are, unknown when nobody is known."""
    assert verdict(proposed()).made.kinds == {"human"}
    assert verdict(proposed(mark(), opened("github:alice"))).made.kinds == {"agent", "mixed"}
    assert "unknown" in verdict(proposed(line("Zoe", "zoe@else.example"))).made.kinds


def test_forge_as_committer_is_nobody() -> None:
    """Law 13: a web-flow committer is no identity."""
    web = Claim("committer", "D", commit=HEAD, kind="service", name="GitHub", email="noreply@github.com")
    assert names(verdict(proposed(line("bob", "bob@example.com"), web, opened("github:bob")))) == {"bob"}


def test_case_without_proposal_cannot_be_decided() -> None:
    """Law 38: there is nothing to decide before a change was proposed."""
    import pytest

    with pytest.raises(ValueError, match="without a proposed change"):
        decide(fold([]), law(), NOON)
    assert case_of(proposed()).proposed


def test_one_patch_among_several_shows_nothing_about_the_rest() -> None:
    """Law 13: an equal patch id tells who made a single-commit change, not who made what stands beside it."""
    earlier = (*written_by("alice"), opened("github:alice"))
    change = proposed(*written_by("alice"), opened("github:bob"), recorded=(Recorded(earlier, shows=False),))
    assert names(verdict(change)) == {"alice", "bob"}


def test_recorded_proposal_by_anothers_key_answers_for_nothing() -> None:
    """Law 13, 17: a key speaks for its own name alone."""
    claim = Claim("proposal", "A", name="alice", account=key("bob"))
    change = proposed(*written_by("bob"), recorded=(Recorded((claim,), shows=True),))
    assert verdict(change).made.accountable == frozenset()
