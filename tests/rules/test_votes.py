"""Statements: what makes them count, what voids them, what outlives a head (law 17-20, 28, 33, 34)."""

from dataclasses import replace

import pytest

from rules.case import fold
from rules.decision import decide
from rules.events import Busy, ChangeMerged, DecisionMade, Touched
from rules.instants import later
from rules.statement import statement_id
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    PEOPLE,
    approved,
    codes,
    file,
    heard,
    key,
    law,
    proposed,
    said,
    scanned,
    unsigned,
    verdict,
)  # fmt: skip

CODE = proposed()


def test_unsigned_approval_is_nothing() -> None:
    """Law 17: a statement whose signature says nothing good."""
    decision = verdict(CODE, unsigned(approved("alice", CODE)))
    assert decision.outcome == "pending"
    assert codes(decision) >= {"approval.missing", "approval.unsigned"}


def test_key_of_another_is_nothing() -> None:
    """Law 17: another name than the key's."""
    assert "approval.unsigned" in codes(verdict(CODE, heard(said("approve", "alice", CODE), key_of="carol")))


def test_unknown_key_is_nothing() -> None:
    """Law 18: keys stand in the policy."""
    assert "approval.unsigned" in codes(verdict(CODE, heard(said("approve", "mallory", CODE))))


def test_edited_statement_is_nothing() -> None:
    """Law 17: bytes that are no statement count for nobody and are told."""
    event = approved("alice", CODE)
    edited = replace(event, statement=event.statement.replace('"approve"', '"approved"'))
    decision = verdict(CODE, edited)
    assert decision.outcome == "pending"
    assert [voice.fault for voice in decision.voices] == ["these bytes are no statement"]


@pytest.mark.parametrize("more", [{"repository": "example/other"}, {"target": "refs/heads/release"}])
def test_statement_for_elsewhere_is_nothing(more: dict[str, str]) -> None:
    """Law 17: repository and target are part of what is signed."""
    assert verdict(CODE, approved("alice", CODE, **more)).outcome == "pending"


def test_the_future_is_refused() -> None:
    """Law 18: a signer's time may not lie ahead."""
    assert "approval.unsigned" in codes(verdict(CODE, approved("alice", CODE, time=later(NOON, 7200))))


def test_who_has_left_approves_nothing() -> None:
    """Law 18: inactive people."""
    decision = verdict(CODE, approved("gone", CODE))
    assert decision.outcome == "pending"
    assert decision.voices[0].fault == "its author has left"


@pytest.mark.parametrize(
    ("window", "outcome"),
    [('valid-before="20261120"', "pending"), ('valid-after="20261122"', "pending"), ('valid-after="20261101"', "admitted"),
     ('namespaces="twohand,git"', "admitted")],
)  # fmt: skip
def test_keys_are_valid_in_their_window(window: str, outcome: str) -> None:
    """Law 18: at the decision, and for what they are enrolled for."""
    people = PEOPLE.replace(f'["{key("alice")}"]', f"['{window} {key('alice')}']")
    assert verdict(CODE, approved("alice", CODE), policy=law(people=people)).outcome == outcome


def test_key_must_have_been_valid_at_receipt() -> None:
    """Law 18: a statement that arrived before its key was valid stays nothing."""
    people = PEOPLE.replace(f'["{key("alice")}"]', f"['valid-after=\"20261121120500Z\" {key('alice')}']")
    early = heard(said("approve", "alice", CODE), at=NOON)
    assert verdict(CODE, early, policy=law(people=people), at=later(NOON, 3600)).outcome == "pending"
    late = heard(said("approve", "alice", CODE), at=later(NOON, 1800))
    assert verdict(CODE, late, policy=law(people=people), at=later(NOON, 3600)).outcome == "admitted"


def test_presence_is_read_from_the_signature() -> None:
    """Law 20: a security key's touch, and a stamp where it was not shown."""
    rules = law(ONE_HAND + 'presence = "required"\n')
    plain = verdict(CODE, approved("carol", CODE), policy=rules)
    assert plain.outcome == "pending"
    sk = "sk-ssh-ed25519@openssh.com"
    touched = heard(said("approve", "carol", CODE), key_of="carol-touch", kind=sk, touched=True)
    assert verdict(CODE, touched, policy=rules).outcome == "admitted"
    untouched = heard(said("approve", "carol", CODE), key_of="carol-touch", kind=sk)
    assert verdict(CODE, untouched, policy=rules).outcome == "pending"
    assert "presence: unproven" in verdict(CODE, approved("carol", CODE)).stamps


def test_hasty_approval_does_not_count() -> None:
    """Law 28: more changed lines a minute than a person reads."""
    rules = law(ONE_HAND + "[independence]\nhasty = 200\n")
    big = proposed(files=(file(lines=1000),))
    assert "approval.hasty" in codes(verdict(big, approved("alice", big), policy=rules))
    slow = heard(said("approve", "alice", big, time=later(NOON, 600)), at=later(NOON, 600))
    assert verdict(big, slow, policy=rules, at=later(NOON, 660)).outcome == "admitted"


def test_an_approval_dated_ahead_took_no_longer_to_give() -> None:
    """Law 18, 28: reading ends when the approval was received, whatever its signer says."""
    rules = law(ONE_HAND + "[independence]\nhasty = 200\n")
    big = proposed(files=(file(lines=1000),))
    ahead = heard(said("approve", "alice", big, time=later(NOON, 600)), at=later(NOON, 60))
    assert "approval.hasty" in codes(verdict(big, ahead, policy=rules, at=later(NOON, 660)))


def test_approvals_in_bulk_are_hasty() -> None:
    """Law 28: reading a change begins when the approval before it was given."""
    rules = law(ONE_HAND + "[independence]\nhasty = 200\n")
    big = proposed(files=(file(lines=1000),))
    slow = heard(said("approve", "alice", big, time=later(NOON, 600)), at=later(NOON, 600))
    name = statement_id(slow.statement.encode())
    for seconds, outcome in ((299, "admitted"), (301, "pending")):
        busy = replace(big, busy=(Busy(name, later(NOON, seconds)), Busy("other", later(NOON, 590))))
        assert verdict(busy, slow, policy=rules, at=later(NOON, 660)).outcome == outcome


def test_other_content_is_stale() -> None:
    """Law 33: one more byte voids an approval."""
    second = proposed(files=(file(new="3"),))
    case = fold([CODE, scanned(CODE), approved("alice", CODE), second, scanned(second)])
    decision = decide(case, law(), later(NOON, 60))
    assert decision.outcome == "pending"
    assert codes(decision) == {"approval.missing", "approval.stale"}


def test_same_content_under_another_head_is_carried() -> None:
    """Law 33: an amended message keeps the approval."""
    amended = proposed(head="9" * 40)
    case = fold([CODE, scanned(CODE), approved("alice", CODE), amended, scanned(amended)])
    assert decide(case, law(), later(NOON, 60)).outcome == "admitted"


@pytest.mark.parametrize(
    ("paths", "outcome"), [((), "admitted"), (("docs/x",), "admitted"), (("src/a.py",), "pending"), (None, "pending")]
)
def test_carry_over_a_moved_base(paths: tuple[str, ...] | None, outcome: str) -> None:
    """Law 33: it holds unless a commit on the target touched one of the paths; unknown is stale."""
    moved = proposed(base="d" * 40, touched=(Touched(CODE.base, paths),))
    assert verdict(moved, approved("alice", CODE)).outcome == outcome
    assert verdict(proposed(base="d" * 40), approved("alice", CODE)).outcome == "pending"


def test_owner_keeps_the_paths_that_did_not_change() -> None:
    """Law 33: an owner's approval holds for those of their paths whose pairs are equal."""
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n")
    first = proposed(files=(file("auth/a.py"), file("src/b.py")))
    second = proposed(files=(file("auth/a.py"), file("src/b.py", new="3")))
    events = [first, scanned(first), approved("carol", first), second, scanned(second), approved("alice", second)]
    assert decide(fold(events), rules, later(NOON, 60)).outcome == "admitted"
    third = proposed(files=(file("auth/a.py", new="4"), file("src/b.py")))
    events = [first, scanned(first), approved("carol", first), third, scanned(third), approved("alice", third)]
    assert "owner.required" in codes(decide(fold(events), rules, later(NOON, 60)))


def test_approvals_lapse() -> None:
    """Law 33: after max_age."""
    assert verdict(CODE, approved("alice", CODE), at=later(NOON, 29 * 86400)).outcome == "admitted"
    assert "approval.stale" in codes(verdict(CODE, approved("alice", CODE), at=later(NOON, 31 * 86400)))


def test_objection_stops_whatever_was_approved() -> None:
    """Law 34, 39: a veto beats approvals, whoever approves."""
    decision = verdict(CODE, approved("alice", CODE), approved("carol", CODE), heard(said("object", "dave", CODE)))
    assert (decision.outcome, codes(decision)) == ("blocked", {"veto"})


def test_objection_ends_with_its_author_alone() -> None:
    """Law 34: withdrawn by who made it, and by nobody else."""
    objection = heard(said("object", "dave", CODE))
    mine = heard(said("withdraw", "dave", CODE, time=later(NOON, 30)))
    theirs = heard(said("withdraw", "bob", CODE, time=later(NOON, 30)))
    early = heard(said("withdraw", "dave", CODE, time=later(NOON, -30)))
    assert verdict(CODE, approved("alice", CODE), objection, mine).outcome == "admitted"
    assert verdict(CODE, approved("alice", CODE), objection, theirs).outcome == "blocked"
    assert verdict(CODE, approved("alice", CODE), objection, early).outcome == "blocked"


def test_later_approval_does_not_withdraw_a_persons_objection() -> None:
    """Law 34: only a withdrawal does."""
    later_yes = approved("dave", CODE, time=later(NOON, 30))
    assert verdict(CODE, heard(said("object", "dave", CODE)), later_yes).outcome == "blocked"


def test_models_later_review_supersedes_its_objection() -> None:
    """Law 34: a model's objection ends with its own later completed review, not with another's."""
    objection = heard(said("object", "qwen", CODE))
    assert verdict(CODE, objection, approved("qwen", CODE, time=later(NOON, 30))).outcome == "admitted"
    assert verdict(CODE, objection, approved("gpt", CODE, time=later(NOON, 30))).outcome == "blocked"


def test_objection_supersedes_ones_own_approval() -> None:
    """Law 34: who approves and then objects does not approve."""
    decision = verdict(CODE, approved("alice", CODE), heard(said("object", "alice", CODE, time=later(NOON, 9))))
    assert codes(decision) == {"veto"} | ({"approval.missing"} & codes(decision))


def test_objection_outlives_the_head() -> None:
    """Law 34: for every head of the change, every descendant, and wherever its blobs stand again."""
    objection = heard(said("object", "dave", CODE))
    amended = proposed(files=(file(new="3"),))
    case = fold([CODE, scanned(CODE), objection, amended, scanned(amended), approved("alice", amended)])
    assert decide(case, law(), later(NOON, 60)).outcome == "blocked"
    elsewhere = proposed(files=(file(), file("src/new.py", old="")), change="c2")
    assert verdict(elsewhere, heard(said("object", "dave", CODE), change="c2")).outcome == "blocked"
    unrelated = proposed(files=(file("src/z.py", new="5"),), change="c3", commits=())
    assert "veto" not in codes(verdict(unrelated, heard(said("object", "dave", CODE, head="0" * 40), change="c3")))


def test_objection_survives_its_authors_leaving() -> None:
    """Law 18, 34: valid when received, in force until withdrawn; removed from the policy, once a decision upheld it."""
    objection = heard(said("object", "dave", CODE))
    left = law(
        people=PEOPLE.replace('keys = ["' + key("dave") + '"]', 'keys = ["' + key("dave") + '"]\nactive = false')
    )
    assert verdict(CODE, approved("alice", CODE), objection, policy=left).outcome == "blocked"
    gone = law(people=PEOPLE.split("[people.dave]")[0] + "[people.gone]" + PEOPLE.split("[people.gone]")[1]
               .replace('operator = "dave"', 'operator = "carol"').replace('"carol", "dave"', '"carol"'))  # fmt: skip
    first = verdict(CODE, objection)
    upheld = DecisionMade(
        change="c1", content_key=CODE.content_key, outcome="blocked", decision="{}", objections=first.objections
    )
    assert verdict(CODE, approved("alice", CODE), objection, upheld, policy=gone).outcome == "blocked"
    assert verdict(CODE, approved("alice", CODE), objection, policy=gone).outcome == "admitted"


def test_objection_ends_when_the_change_lands() -> None:
    """Law 34: the next change of the same number starts anew."""
    landed = ChangeMerged(change="c1", content_key=CODE.content_key, commit="9" * 40)
    following = proposed(files=(file("src/z.py", new="5"),), head="8" * 40, commits=())
    events = [CODE, scanned(CODE), heard(said("object", "dave", CODE)), landed, following, scanned(following)]
    assert "veto" not in codes(decide(fold(events), law(), later(NOON, 60)))


def test_services_approve_nothing() -> None:
    """Law 16: whatever they sign."""
    rules = law(people=PEOPLE.replace("[services.dependabot]", f"[services.dependabot]\nkeys = ['{key('bot')}']"))
    assert verdict(CODE, heard(said("approve", "dependabot", CODE), key_of="bot"), policy=rules).outcome == "pending"
