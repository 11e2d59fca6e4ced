"""What a forge reports about reviews on it (law 21)."""

from dataclasses import replace

import pytest

from rules.events import ReviewGiven, event_id
from rules.instants import later
from tests.rules.lawkit import HEAD, NOON, ONE_HAND, OWNED, codes, file, heard, law, proposed, said, verdict

CODE = proposed(forges=("github",))


def reported(
    account: str = "github:alice", verdict_: str = "approve", change=CODE, head: str = HEAD, at: str = NOON
) -> ReviewGiven:
    return ReviewGiven(
        change="c1",
        content_key=change.content_key,
        reviewer=account,
        account=account,
        time=at,
        verdict=verdict_,
        head=head,
        at=at,
    )


def test_forges_approval_of_this_head_is_a_humans() -> None:
    """Law 21: with the credential configured and the account enrolled."""
    decision = verdict(CODE, reported(), reported())
    assert decision.outcome == "admitted"
    assert "presence: unproven" in decision.stamps
    assert {answer.grade for answer in decision.ballots[0].answers if answer.axis == "identity"} <= {"B", "D"}


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (reported("github:mallory"), CODE),
        (reported("github:dependabot[bot]"), CODE),
        (reported("gitlab:alice"), CODE),
        (reported(), proposed()),
        (reported(head="9" * 40), CODE),
        (reported(at=later(NOON, -40 * 86400)), CODE),
    ],
)
def test_forges_approval_that_is_nothing(event: ReviewGiven, change) -> None:
    """Law 21: strangers, machines, forges without a credential, other heads, lapsed ones."""
    assert verdict(change, event).outcome == "pending"


def test_author_on_the_forge_is_recused() -> None:
    """Law 21, 23: whose word it is does not matter to whose change it is."""
    assert "self-review.identity" in codes(verdict(CODE, reported("github:bob")))


def test_forges_objection_and_its_end() -> None:
    """Law 21, 34: what an account objected stands until the account takes it back."""
    no = reported("github:carol", "object")
    assert verdict(CODE, reported(), no).outcome == "blocked"
    assert verdict(CODE, reported(), no, reported("github:carol", "withdraw", at=later(NOON, 30))).outcome == "admitted"


def test_objection_given_again_is_another() -> None:
    """Law 34, 42: what was taken back and said once more stands."""
    story = [
        reported("github:carol", verb, at=later(NOON, n)) for n, verb in enumerate(("object", "withdraw", "object"))
    ]
    assert verdict(CODE, reported(), *story).outcome == "blocked"
    assert len({event_id(event) for event in story}) == 3


def test_owner_on_the_forge_answers_where_policy_says_so() -> None:
    """Law 21: `[owners] forge = true`."""
    change = replace(proposed(files=(file("auth/a.py"),)), forges=("github",))
    event = reported("github:carol", change=change)
    for forge, outcome in (("true", "admitted"), ("false", "escalated")):
        rules = law(ONE_HAND + OWNED + f"[owners]\nfallback = ['carol']\nforge = {forge}\n")
        assert verdict(change, event, policy=rules).outcome == outcome


def test_who_has_left_the_forge_too_approves_nothing() -> None:
    """Law 18, 21."""
    from tests.rules.lawkit import PEOPLE, key

    people = PEOPLE.replace(f'keys = ["{key("alice")}"]', f'keys = ["{key("alice")}"]\nactive = false')
    assert verdict(CODE, reported(), policy=law(people=people)).outcome == "pending"


def test_a_forge_takes_nothing_back_that_was_signed() -> None:
    """Law 10, 34: weaker evidence lifts no signed objection and ends no signed approval; a signed word does both."""
    late = reported("github:alice", "withdraw", at=later(NOON, 60))
    signed_no = heard(said("object", "alice", CODE, reason="no"))
    assert "veto" in codes(verdict(CODE, signed_no, late))
    assert verdict(CODE, heard(said("approve", "alice", CODE)), late).outcome == "admitted"
    taken_back = heard(said("withdraw", "alice", CODE, time=later(NOON, 120)))
    assert "veto" not in codes(verdict(CODE, signed_no, taken_back))
    assert "veto" not in codes(verdict(CODE, reported(verdict_="object"), taken_back))
