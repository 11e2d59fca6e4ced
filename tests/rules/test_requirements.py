"""What must be met, and what the outcome is (law 29-32, 35, 36, 39-41)."""

from dataclasses import replace

import pytest

from rules import policy as policies
from rules.case import fold
from rules.decision import decide
from rules.events import DeadlinePassed, EscalationOpened, LawText, ReviewerRestored, ReviewerSuspended
from rules.findings import Tier, Uncovered
from rules.instants import later
from rules.judgement import judge
from rules.record import record
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    PEOPLE,
    approved,
    case_of,
    codes,
    file,
    finding,
    heard,
    law,
    opened,
    proposed,
    said,
    scanned,
    verdict,
    written_by,
)  # fmt: skip

CODE = proposed()
AUTH = proposed(files=(file("auth/login.py"), file("src/a.py")))
FALLBACK = "[owners]\nfallback = ['carol']\n"
BOTH = law(ONE_HAND + OWNED + FALLBACK)


def states(decision) -> dict[str, str]:
    return {ruling.name: ruling.state for ruling in decision.rulings}


def test_missing_approval_is_pending_and_says_who_can_give_it() -> None:
    """Law 39, 41: nobody tried in vain, so it waits, with names and a command."""
    decision = verdict(CODE)
    (missing,) = [reason for reason in decision.reasons if reason.code == "approval.missing"]
    assert decision.outcome == "pending"
    assert "alice" in missing.values["who"]
    assert "bob" not in missing.values["who"]
    assert missing.remedy.startswith("twohand approve aaaaaaaaaaaa --target main --as alice")


def test_nobody_is_told_to_sign_as_a_model() -> None:
    """Law 41: the command names a person; a model is asked again, and who objected or is suspended is not named at all."""
    (missing,) = [reason for reason in verdict(CODE).reasons if reason.code == "approval.missing"]
    assert missing.values["models"]
    assert not set(missing.values["models"]) & {"alice", "carol"}
    objecting = heard(said("object", "alice", CODE, reason="no"))
    (missing,) = [reason for reason in verdict(CODE, objecting).reasons if reason.code == "approval.missing"]
    assert "alice" not in missing.values["who"]
    alone = law(ONE_HAND.replace('from = ["', 'from = ["model:gpt"]  # "'))
    (missing,) = [reason for reason in verdict(CODE, policy=alone).reasons if reason.code == "approval.missing"]
    assert (missing.values["models"], missing.remedy) == (["gpt"], "twohand review")


def test_requirement_that_does_not_apply_says_so() -> None:
    """Law 30: not applicable is not met."""
    assert (
        states(verdict(CODE, approved("alice", CODE), policy=BOTH))["security belongs to its owners"]
        == "not-applicable"
    )


def test_no_requirement_is_escalated() -> None:
    """Law 30: a change that nothing speaks about is not let through."""
    rules = law(OWNED + FALLBACK)
    decision = verdict(CODE, policy=rules)
    assert (decision.outcome, codes(decision)) == ("escalated", {"policy.no-requirement"})


def test_requirements_combine_with_and() -> None:
    """Law 30: one approval may meet several of them."""
    assert verdict(AUTH, approved("alice", AUTH), policy=BOTH).outcome == "escalated"
    assert verdict(AUTH, approved("carol", AUTH), policy=BOTH).outcome == "admitted"


@pytest.mark.parametrize(
    ("source", "by", "outcome"),
    [("team:security", "carol", "admitted"), ("team:security", "alice", "pending"), ("model:qwen", "qwen", "admitted"),
     ("model:qwen", "gpt", "pending"), ("model", "alice", "pending"), ("human", "qwen", "pending")],
)  # fmt: skip
def test_sources(source: str, by: str, outcome: str) -> None:
    """Law 30: model, model:NAME, human, team:NAME."""
    rules = law(f'[[requirement]]\nname = "one"\nfrom = ["{source}"]\n')
    assert verdict(CODE, approved(by, CODE), policy=rules).outcome == outcome


def test_owner_beside_other_sources() -> None:
    """Law 30: inside one requirement, `from` is OR."""
    rules = law('[[requirement]]\nname = "one"\nfrom = ["owner", "model:qwen"]\n' + FALLBACK)
    assert verdict(CODE, approved("qwen", CODE), policy=rules).outcome == "admitted"
    assert verdict(CODE, approved("carol", CODE), policy=rules).outcome == "admitted"
    assert verdict(CODE, approved("alice", CODE), policy=rules).outcome == "escalated"


def test_owners_file_names_owners() -> None:
    """Law 31: each matched path needs its own owner; teams and logins resolve to the enrolled."""
    owned = replace(AUTH, owners_file=".github/CODEOWNERS", owners_text="/auth/ @alice\n/src/ @example/security\n")
    assert verdict(owned, approved("alice", owned), policy=BOTH).outcome == "admitted"
    both = proposed(files=(file("auth/a.py"), file("auth/sub/b.py")))
    both = replace(both, owners_file="CODEOWNERS", owners_text="/auth/ @alice\n/auth/sub/ @example/security\n")
    decision = verdict(both, approved("alice", both), policy=BOTH)
    assert [reason.values["owners"] for reason in decision.reasons if reason.code == "owner.required"] == [
        ["carol", "dave"]
    ]
    assert verdict(both, approved("alice", both), approved("dave", both), policy=BOTH).outcome == "admitted"


def test_fallback_answers_where_nobody_can() -> None:
    """Law 31: nobody owns it, no named owner can be reached, every owner is an author."""
    for text in ("", "/auth/ @nobody\n", "/auth/ gone@example.com\n", "/auth/ @bob\n"):
        owned = replace(AUTH, owners_file="CODEOWNERS", owners_text=text)
        assert verdict(owned, approved("alice", owned), policy=BOTH).outcome == "escalated"
        assert verdict(owned, approved("carol", owned), policy=BOTH).outcome == "admitted"


def test_nobody_left_is_its_own_reason() -> None:
    """Law 31: owner.unresolved, and owner.inactive where a named owner cannot be reached."""
    rules = law(ONE_HAND + OWNED)
    owned = replace(AUTH, owners_file="CODEOWNERS", owners_text="/auth/ @nobody\n")
    decision = verdict(owned, approved("alice", owned), policy=rules)
    assert decision.outcome == "escalated"
    assert {"owner.unresolved", "owner.inactive"} <= codes(decision)


def test_owner_who_wrote_it_is_blocked() -> None:
    """Law 31, 39: an owner's approval releases nothing if it does not pass article 23."""
    change = proposed(*written_by("carol"), opened("github:carol"), files=(file("auth/login.py"),))
    decision = verdict(change, approved("carol", change), policy=BOTH)
    assert decision.outcome == "blocked"
    assert "self-review.identity" in codes(decision)


def test_tiers() -> None:
    """Law 32: note informs, hold needs the owner, block blocks."""
    rules = law(ONE_HAND + FALLBACK)
    note, hold, block = (finding(tier=tier) for tier in (Tier.NOTE, Tier.HOLD, Tier.BLOCK))
    yes = approved("alice", CODE)
    assert verdict(CODE, yes, policy=rules, findings=(note,)).outcome == "admitted"
    held = verdict(CODE, yes, policy=rules, findings=(hold,))
    assert (held.outcome, codes(held)) == ("escalated", {"finding.auth-check-removed", "owner.required"})
    assert verdict(CODE, yes, approved("carol", CODE), policy=rules, findings=(hold,)).outcome == "admitted"
    assert verdict(CODE, yes, approved("carol", CODE), policy=rules, findings=(block,)).outcome == "blocked"


def test_what_nobody_could_read_is_held() -> None:
    """Law 3: coverage.partial needs the owner of the path."""
    rules = law(ONE_HAND + FALLBACK)
    events = [CODE, scanned(CODE, uncovered=(Uncovered("src/a.py", "binary"),)), approved("alice", CODE)]
    assert "coverage.partial" in codes(decide(fold(events), rules, later(NOON, 60)))
    assert decide(fold([*events, approved("carol", CODE)]), rules, later(NOON, 60)).outcome == "admitted"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"too_large": "30000 files"}, "change.too-large"),
        ({"rewritten": True, "dropped": ("e" * 40,)}, "ref.rewritten"),
    ],
)
def test_whole_changes_are_held_for_an_owner(more: dict, code: str) -> None:
    """Law 3, 4: too large, or a rewound ref."""
    rules = law(ONE_HAND + FALLBACK)
    change = proposed(**more)
    assert code in codes(verdict(change, approved("alice", change), policy=rules))
    assert verdict(change, approved("carol", change), policy=rules).outcome == "admitted"


def test_self_edits_are_held() -> None:
    """Law 29, 36: policy, owners, workflows, agent instructions; pyproject only where the table changed."""
    rules = law(ONE_HAND + FALLBACK)
    for path in ("twohand.toml", ".github/CODEOWNERS", ".github/workflows/ci.yml", "AGENTS.md"):
        change = proposed(files=(file(path),))
        decision = verdict(change, approved("alice", change), policy=rules)
        assert "policy.self-edit" in codes(decision)
        assert verdict(change, approved("carol", change), policy=rules).outcome == "admitted"
    project = proposed(files=(file("pyproject.toml"),))
    assert verdict(project, approved("alice", project), policy=rules).outcome == "admitted"
    edited = replace(project, self_edits=("pyproject.toml",))
    assert "policy.self-edit" in codes(verdict(edited, approved("alice", edited), policy=rules))


def test_nothing_read_is_not_nothing_wrong() -> None:
    """Law 40: no listing of statements, no rules, or objects missing."""
    unread = replace(CODE, read_from=())
    assert codes(verdict(unread, approved("alice", unread))) == {"evidence.incomplete"}
    assert "evidence.incomplete" in codes(decide(fold([CODE, approved("alice", CODE)]), law(), later(NOON, 60)))
    missing = replace(CODE, incomplete=("an object is missing",))
    assert verdict(missing, approved("alice", missing)).outcome == "escalated"
    failed = replace(scanned(CODE), status="timeout")
    assert "evidence.incomplete" in codes(decide(fold([CODE, failed, approved("alice", CODE)]), law(), later(NOON, 60)))
    huge = replace(CODE, owners_file="CODEOWNERS", owners_text="* @alice\n" * 400_000)
    assert "evidence.incomplete" in codes(verdict(huge, approved("alice", huge)))


def test_empty_change_is_admitted() -> None:
    """Law 4: from an admitted commit, nothing is nothing."""
    empty = replace(CODE, files=(), commits=(), content_key="0" * 64)
    assert verdict(empty).outcome == "admitted"
    rewound = replace(empty, rewritten=True)
    assert verdict(rewound).outcome == "escalated"


def test_deadline_brings_people_in() -> None:
    """Law 39: what waits is escalated when its time has passed, and only an event lets time pass."""
    passed = DeadlinePassed(change="c1", content_key=CODE.content_key, due=NOON)
    assert verdict(CODE, at=later(NOON, 86400)).outcome == "pending"
    assert verdict(CODE, passed).outcome == "escalated"
    assert verdict(CODE, passed, approved("alice", CODE)).outcome == "admitted"


def test_awaited_reviewers_keep_it_open() -> None:
    """Law 39: a recused approval blocks only when nobody eligible is still awaited."""
    waiting = replace(CODE, awaited=("qwen",))
    assert verdict(waiting, approved("bob", waiting)).outcome == "pending"
    passed = DeadlinePassed(change="c1", content_key=CODE.content_key, due=NOON)
    assert verdict(waiting, approved("bob", waiting), passed).outcome == "blocked"
    asked = EscalationOpened(change="c1", escalation="e1", level=0, asked=("alice",))
    assert verdict(CODE, approved("bob", CODE), asked).outcome == "pending"


def test_suspended_reviewer_does_not_count() -> None:
    """DESIGN 8: until it is restored."""
    gone = ReviewerSuspended(change="c1", reviewer="qwen")
    decision = verdict(CODE, approved("qwen", CODE), gone)
    assert "reviewer.suspended" in codes(decision)
    assert (
        verdict(CODE, approved("qwen", CODE), gone, ReviewerRestored(change="c1", reviewer="qwen")).outcome
        == "admitted"
    )


WAIVERS = "[waivers]\nby = ['security']\nmax = '10d'\nbreak_glass = ['dave']\n"


def waive(by: str = "dave", change=CODE, **more):
    return heard(said("waive", by, change, **({"finding": "auth-check-removed", "reason": "known"} | more)))


def test_waiver_covers_one_finding() -> None:
    """Law 35: by an uninvolved human whom policy names, with a reason, and it is stamped."""
    rules = law(ONE_HAND + FALLBACK + WAIVERS)
    block = (finding(tier=Tier.BLOCK),)
    decision = verdict(CODE, approved("alice", CODE), waive(), policy=rules, findings=block)
    assert (decision.outcome, "waived" in decision.stamps) == ("admitted", True)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (waive("alice"), "waiver.invalid"),
        (waive("qwen"), "waiver.invalid"),
        (waive(reason=" "), "waiver.invalid"),
        (waive(finding="no-such-rule"), "waiver.invalid"),
        (waive(expires=later(NOON, 11 * 86400)), "waiver.invalid"),
        (waive(expires=later(NOON, 30)), "waiver.expired"),
        (waive(time=later(NOON, -8 * 86400)), "waiver.expired"),
        (waive(break_glass=True), "waiver.invalid"),
        (waive(change=proposed(files=(file(new="7"),))), "waiver.invalid"),
    ],
)
def test_waivers_that_are_nothing(event, code: str) -> None:
    """Law 35: wrong person, no reason, nothing to waive, too long, over, two things at once, other content."""
    rules = law(ONE_HAND + FALLBACK + WAIVERS)
    decision = verdict(CODE, approved("alice", CODE), event, policy=rules, findings=(finding(tier=Tier.BLOCK),))
    assert decision.outcome == "blocked"
    assert code in codes(decision)


def test_who_is_behind_the_change_waives_nothing() -> None:
    """Law 35: no author, nobody's operator in it."""
    rules = law(ONE_HAND + FALLBACK + WAIVERS)
    change = proposed(*written_by("carol"), opened("github:carol"))
    event = heard(said("waive", "carol", change, finding="auth-check-removed", reason="mine"))
    decision = verdict(change, approved("alice", change), event, policy=rules, findings=(finding(tier=Tier.BLOCK),))
    assert "waiver.invalid" in codes(decision)


def test_owners_waive_where_policy_names_nobody() -> None:
    """Law 35: the owners of the paths concerned."""
    rules = law(ONE_HAND + FALLBACK)
    block = (finding(tier=Tier.BLOCK),)
    assert verdict(CODE, approved("alice", CODE), waive("carol"), policy=rules, findings=block).outcome == "admitted"
    assert verdict(CODE, approved("alice", CODE), waive("dave"), policy=rules, findings=block).outcome == "blocked"


def test_waiver_covers_an_objection() -> None:
    """Law 34, 35: a named objection."""
    rules = law(ONE_HAND + FALLBACK + WAIVERS)
    no = heard(said("object", "qwen", CODE))
    event = waive(finding="", objection_of="qwen")
    assert verdict(CODE, approved("alice", CODE), no, policy=rules).outcome == "blocked"
    assert verdict(CODE, approved("alice", CODE), no, event, policy=rules).outcome == "admitted"


def test_break_glass_stands_in_for_missing_approvals() -> None:
    """Law 35: owners' too, never for self-review or a blocking finding; not again before somebody reviewed the last."""
    rules = law(ONE_HAND + OWNED + FALLBACK + WAIVERS)
    glass = waive("dave", AUTH, finding="", break_glass=True)
    assert verdict(AUTH, glass, policy=rules).outcome == "admitted"
    assert verdict(AUTH, glass, policy=law(ONE_HAND + OWNED + FALLBACK)).outcome == "escalated"
    block = (finding("auth/login.py", tier=Tier.BLOCK),)
    assert verdict(AUTH, glass, policy=rules, findings=block).outcome == "blocked"
    before = replace(AUTH, break_glass_open_since=later(NOON, -90_000))
    assert "waiver.invalid" in codes(verdict(before, waive("dave", before, finding="", break_glass=True), policy=rules))


def text(body: str = ONE_HAND, role: str = "default", people: str = PEOPLE) -> LawText:
    return LawText(role, f"{role}:twohand.toml", f"version = 1\nrepository = 'example/shop'\n{body}\n{people}")


def test_the_worst_of_all_policies_stands() -> None:
    """Law 36: floor, default and target are decided side by side; nothing is merged."""
    floor = text('[[requirement]]\nname = "a human"\nfrom = ["human"]\n', "floor")
    change = replace(CODE, laws=(floor, text(people="")))
    assert judge(case_of(change, approved("qwen", change)), later(NOON, 60)).outcome == "pending"
    both = judge(case_of(change, approved("alice", change)), later(NOON, 60))
    assert [opinion.outcome for opinion in both.opinions] == ["admitted", "admitted"]


def test_lower_policy_may_not_redefine_whom_a_higher_one_enrols() -> None:
    """Law 36: equal enrolment is no redefinition, another is policy.invalid."""
    other = PEOPLE.replace("alice@example.com", "alice@else.example")
    same = replace(CODE, laws=(text(role="floor"), text()))
    differs = replace(CODE, laws=(text(role="floor"), text(people=other)))
    assert judge(case_of(same, approved("alice", same)), later(NOON, 60)).outcome == "admitted"
    judged = judge(case_of(differs, approved("alice", differs)), later(NOON, 60))
    assert (judged.outcome, {reason.code for reason in judged.reasons}) == ("blocked", {"policy.invalid"})


@pytest.mark.parametrize(
    "broken", [LawText("default", "main:twohand.toml", "version = 2"), LawText("default", "x", "", problem="two of them"),
               LawText("default", "x", "", "pyproject.toml"), LawText("default", "x", "[[")],
)  # fmt: skip
def test_broken_policy_blocks(broken: LawText) -> None:
    """Law 36, 39: a policy that cannot be read is no policy to be admitted by."""
    change = replace(CODE, laws=(broken,))
    judged = judge(case_of(change, approved("alice", change)), later(NOON, 60))
    assert judged.outcome == "blocked"
    data = record(judged)
    assert [reason["code"] for reason in data["reasons"]] == ["policy.invalid"] * len(data["reasons"])
    assert data["authors"] == []


def test_no_policy_at_all_blocks() -> None:
    """Law 40: nothing read is nothing to be admitted by; a what-if may bring its own."""
    case = case_of(CODE, approved("alice", CODE))
    assert judge(case, later(NOON, 60)).outcome == "blocked"
    assert judge(case, later(NOON, 60), (text(),)).outcome == "admitted"


def test_default_policy_decides() -> None:
    """Law 36: the built-in default asks for one independent approval, and for owners on security paths."""
    change = proposed(files=(file("lib/recovery.py"),))
    decision = verdict(change, policy=policies.default())
    assert decision.outcome == "escalated"
    assert "owner.unresolved" in codes(decision)


def test_every_reason_has_a_remedy_and_a_known_code() -> None:
    """Law 41: what is missing, who can supply it, and the command that does."""
    from rules.reasons import CODES

    change = replace(AUTH, incomplete=("x",), rewritten=True)
    decision = verdict(change, approved("bob", change), policy=BOTH, findings=(finding("auth/login.py"),))
    for reason in decision.reasons:
        assert reason.code in CODES or reason.code.startswith("finding.")
        assert reason.remedy.startswith("twohand "), reason


def test_media_that_policy_does_not_list_are_not_covered() -> None:
    """Law 3: images and fonts are notes unless the policy says otherwise."""
    from rules.findings import Finding

    image = Finding("binary-or-too-large", Tier.NOTE, "src/a.py", "new", 0, "media, known by its content: image", "")
    yes = approved("alice", CODE)
    assert verdict(CODE, yes, findings=(image,)).outcome == "admitted"
    strict = law(ONE_HAND + FALLBACK, top='media = ["font"]')
    assert "coverage.partial" in codes(verdict(CODE, yes, policy=strict, findings=(image,)))
