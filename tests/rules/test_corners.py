"""Corners of the law that the stories do not pass by (law 9, 15, 24, 25, 31, 41)."""

from dataclasses import replace

from rules.ballots import hands
from rules.case import fold
from rules.claims import Claim
from rules.decision import decide
from rules.events import CanaryPlanted, ChangeWithdrawn, EscalationAcknowledged, EscalationResolved
from rules.instants import later
from rules.judgement import judge
from rules.policy import default, parse
from rules.principals import Registry
from rules.record import record
from tests.rules.lawkit import (
    HEAD,
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
    key,
    law,
    line,
    mark,
    opened,
    proposed,
    said,
    scanned,
    verdict,
    written_by,
)  # fmt: skip
from tests.rules.test_requirements import text

CODE = proposed()


def crowd(count: int) -> str:
    return PEOPLE + "".join(
        f"[people.p{n}]\nemails = ['p{n}@example.com']\nkeys = ['{key(f'p{n}')}']\n"
        f"[agents.a{n}]\nkeys = ['{key(f'a{n}')}']\noperator = 'p{n % 3}'\nmodel = 'qwen-max'\n"
        for n in range(count)
    )


def test_many_approvals_of_one_family_are_one_hand() -> None:
    """Law 25: also where there are too many for an exact search."""
    rules = law(ONE_HAND + "approvals = 2\n", people=crowd(14))
    events = [approved(f"a{n}", CODE) for n in range(14)]
    assert verdict(CODE, *events[:3], policy=rules).outcome == "pending"
    assert verdict(CODE, *events, policy=rules).outcome == "pending"
    assert verdict(CODE, approved("alice", CODE), *events[:2], policy=rules).outcome == "admitted"
    people = [approved(f"p{n}", CODE) for n in range(14)]
    assert verdict(CODE, *people, policy=rules).outcome == "admitted"
    assert hands([], rules.independence) == 0


def test_events_of_others_change_nothing() -> None:
    """Law 38: acknowledgements and canaries are no votes; a withdrawn change may be proposed again."""
    more = (
        EscalationAcknowledged(change="c1", escalation="e", by="alice"),
        EscalationResolved(change="c1", escalation="e", how="approved"),
        CanaryPlanted(change="c1", canary="k", clean=True),
        ChangeWithdrawn(change="c1", by="bob"),
    )
    assert verdict(CODE, approved("alice", CODE), *more).outcome == "admitted"
    assert fold([CODE, *more]).withdrawn
    assert not fold([CODE, *more, CODE]).withdrawn


def test_verification_that_does_not_fit_the_signature_is_nothing() -> None:
    """Law 19: whoever writes an event cannot say whose key it was."""
    from rules.sshsig import Signer

    event = replace(approved("alice", CODE), signature="", signer=Signer(key("alice")))
    assert "approval.unsigned" in codes(verdict(CODE, event))
    other = replace(approved("alice", CODE), signer=Signer(key("carol")))
    assert "approval.unsigned" in codes(verdict(CODE, other))


def test_later_verification_is_heard() -> None:
    """Law 38: a statement that first came unverified counts once it is verified, and stays so."""
    from tests.rules.lawkit import unsigned

    event = approved("alice", CODE)
    assert verdict(CODE, unsigned(event), event).outcome == "admitted"
    assert verdict(CODE, event, unsigned(event)).outcome == "admitted"


def test_operators_are_transitive() -> None:
    """Law 15: an agent run by an agent is run by that one's operator."""
    people = PEOPLE + f"[agents.sub]\nkeys = ['{key('sub')}']\noperator = 'gpt'\nmodel = 'qwen-max'\n"
    registry = Registry(law(people=people))
    sub = registry.named("sub")
    assert sub
    assert registry.operators(sub) == {"dave"}


def test_person_and_agent_of_one_key_are_one_agent() -> None:
    """Law 15, 20: a key that an agent holds never speaks for a person."""
    people = PEOPLE.replace('model = "qwen3-coder"', 'model = "qwen3-coder"').replace(key("qwen"), key("alice"))
    rules = law('[[requirement]]\nname = "a human"\nfrom = ["human"]\n', people=people)
    assert verdict(CODE, approved("alice", CODE), policy=rules).outcome == "pending"


def test_logins_that_two_hands_share_name_nobody() -> None:
    """Law 9: an ambiguous login answers for nothing."""
    people = PEOPLE.replace('accounts = ["github:carol"]', 'accounts = ["gitlab:alice"]')
    assert (
        verdict(proposed(*written_by("bob"), opened("alice")), policy=law(people=people)).made.accountable
        == frozenset()
    )
    assert verdict(proposed(*written_by("bob"), opened("dave"))).made.accountable == {"dave"}


def test_github_noreply_addresses_name_accounts() -> None:
    """Law 8: a private address of a forge account."""
    change = proposed(line("A", "123+alice@users.noreply.github.com"), opened("github:bob"))
    assert "alice" in {author.principal for author in verdict(change).made.authors}


def test_agent_of_unknown_operator_is_unresolved() -> None:
    """Law 23: nobody is known behind it, so it is not shown to be another hand."""
    people = PEOPLE.replace('operator = "carol"\n[services', "[services")
    decision = verdict(CODE, approved("router", CODE), policy=law(people=people))
    assert "independence.unresolved" in codes(decision)
    awaited = replace(CODE, awaited=("router",))
    ballot = verdict(awaited, approved("router", awaited), policy=law(people=people)).ballots[0]
    assert next(answer for answer in ballot.answers if answer.axis == "operator").result == "distinct"


def test_nobody_known_to_have_made_it() -> None:
    """Law 23: a change without any author leaves every axis unresolved."""
    nobody = replace(CODE, claims=(), commits=())
    ballot = verdict(nobody, approved("alice", nobody)).ballots[0]
    assert {answer.result for answer in ballot.answers} == {"unresolved"}


def test_recorded_operator_of_a_tool() -> None:
    """Law 8: whom the tool recorded as its human stands behind it."""
    claim = mark()._replace(operator="carol@example.com")
    change = proposed(claim, opened("github:bob"))
    assert "self-review.operator" in codes(verdict(change, approved("carol", change)))
    stranger = proposed(mark()._replace(operator="zoe@else.example"), opened("github:bob"))
    assert verdict(stranger, approved("carol", stranger)).outcome == "admitted"


def test_signed_commit_gives_its_agent_an_operator() -> None:
    """Law 9: who signed a commit stands behind the tool that it names."""
    from rules.events import CommitFact

    change = proposed(*written_by("bob"), mark(), commits=(CommitFact(HEAD, signed_by=key("bob")),))
    claude = next(author for author in verdict(change).made.authors if author.kind == "agent")
    assert claude.operator == "bob"


def test_signature_by_a_key_that_nobody_has_is_nothing() -> None:
    """Law 9: an unknown key answers for no commit and is no author."""
    from rules.events import CommitFact

    change = proposed(*written_by("bob"), commits=(CommitFact(HEAD, signed_by=key("mallory")),))
    decision = verdict(change)
    assert decision.made.unanswered == (HEAD,)
    assert {author.principal for author in decision.made.authors} == {"bob"}


def test_two_sessions_of_one_tool_are_two_appearances() -> None:
    """Law 15: each session is kept, and what names none joins the only one it can mean."""
    change = proposed(mark(session="amp:1"), mark(session="amp:2", commit="e" * 40), opened("github:bob"))
    assert {author.session for author in verdict(change).made.authors if author.kind == "agent"} == {"amp:1", "amp:2"}


def test_record_of_every_kind_of_statement() -> None:
    """DESIGN 11: the data of a decision says of every statement whether it counts and why not."""
    change = replace(
        CODE, laws=(text(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n"),), files=(file("auth/a.py"),)
    )
    events = [
        heard(said("object", "dave", change)), heard(said("propose", "bob", change)), approved("alice", change),
        approved("carol", change), approved("qwen", change, model="gpt-5.2"),
        approved("alice", change, time=later(NOON, -9)), approved("mallory", change),
        replace(approved("alice", change), statement="{}"),
    ]  # fmt: skip
    data = record(judge(case_of(change, *events), later(NOON, 60)))
    why = {(row["reviewer"], row["verdict"]): row["why"] for row in data["reviews"]}
    assert data["schema"] == "twohand.decision/v1"
    assert why[("carol", "approve")] is None
    assert why[("alice", "unreadable")] == "these bytes are no statement"
    assert "registered with" in why[("qwen", "approve")]
    assert "superseded" in {row["why"] for row in data["reviews"]}
    assert data["owners"] == [{"path": "auth/a.py", "owners": ["carol"], "state": "approved"}]


def test_stale_and_hasty_are_told_apart() -> None:
    """Law 28, 33: each says so in the record."""
    other = proposed(files=(file(new="7"),), laws=(text(),))
    data = record(judge(fold([CODE, scanned(CODE), approved("alice", CODE), other, scanned(other)]), later(NOON, 60)))
    assert [row["why"] for row in data["reviews"] if row["reviewer"] == "alice"] == ["stale"]
    assert data["escalation"] is None


def test_change_that_undoes_itself_needs_its_approval() -> None:
    """Law 4, 30: commits that change nothing in the end are not yet admitted commits."""
    undone = replace(CODE, files=(), content_key="0" * 64)
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n")
    assert codes(verdict(undone, policy=rules)) == {"approval.missing"}
    assert verdict(undone, approved("alice", undone), policy=rules).outcome == "admitted"


def test_objection_follows_its_content_to_another_target() -> None:
    """Law 34: every change whose own diff still contains what was objected to; approvals stay where they were given."""
    release = proposed(target="refs/heads/release")
    objection = heard(said("object", "dave", CODE))
    assert verdict(release, approved("alice", release), objection).outcome == "blocked"
    assert verdict(release, approved("alice", CODE)).outcome == "pending"


def test_reason_that_looks_like_a_signature_is_a_reason() -> None:
    """Law 17: no text in a statement ends it early."""
    from rules.sshsig import BEGIN
    from rules.statement import parse, payload, split
    from tests.rules.lawkit import armor

    statement = said("object", "dave", CODE, reason=f"see\n{BEGIN.decode()}\nAAAA")
    signed, signature = split(payload(statement) + armor("dave").encode())
    assert parse(signed) == statement
    assert signature == armor("dave").encode()


def test_authors_stick_where_a_signed_proposal_answered_for_them() -> None:
    """Law 12: the accountable principal may be known by a proposal alone."""
    first = proposed(*written_by("alice"), mark())
    second = proposed(*written_by("alice"), files=(file(new="3"),))
    proposals = [
        heard(said("propose", "alice", change, tool=tool)) for change, tool in ((first, "claude"), (second, "none"))
    ]
    events = [first, scanned(first), second, scanned(second), *proposals, approved("claude-two", second)]
    assert "self-review.family" in codes(decide(fold(events), law(), later(NOON, 60)))


def test_finding_that_names_no_file_speaks_of_the_whole_change() -> None:
    """Law 30: a hidden mark in a commit message is about everything in the change."""
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n")
    decision = verdict(CODE, approved("alice", CODE), policy=rules, findings=(finding(""),))
    assert decision.outcome == "escalated"
    assert verdict(CODE, approved("carol", CODE), policy=rules, findings=(finding(""),)).outcome == "admitted"


def test_first_policy_is_what_remedies_name_where_nobody_is_enrolled() -> None:
    """Law 41: with the built-in default alone, there is nobody whose statement could count."""
    decision = verdict(CODE, policy=default())
    assert {reason.remedy for reason in decision.reasons} == {"twohand init"}


def test_decisions_of_one_meaning_share_a_registry() -> None:
    """DESIGN 14: formatting does not matter."""
    one = parse("version = 1\nrepository = 'example/shop'\n" + ONE_HAND + PEOPLE, "a")
    two = parse("version = 1\nrepository = 'example/shop'\n\n" + ONE_HAND + PEOPLE, "b")
    case = case_of(CODE, approved("alice", CODE))
    assert decide(case, one, later(NOON, 60)).outcome == decide(case, two, later(NOON, 60)).outcome == "admitted"


def test_hostile_names_stay_one_argument() -> None:
    """Law 41: a command that can be pasted does one thing only."""
    change = proposed(target="refs/heads/x;touch $(y)")
    (reason,) = [r for r in verdict(change).reasons if r.code == "approval.missing"]
    assert "--target 'x;touch $(y)' --as" in reason.remedy


def test_claim_of_nobody_is_no_author() -> None:
    """Law 8: an empty line names nobody."""
    assert verdict(proposed(Claim("author", "D", commit=HEAD), opened("github:bob"))).made.authors[0].principal == "bob"


def test_waiver_covers_only_what_was_objected_before() -> None:
    """Law 35: no objection is born waived, and a later one stands."""
    from tests.rules.test_requirements import FALLBACK, WAIVERS, waive

    rules = law(ONE_HAND + FALLBACK + WAIVERS)
    event = waive(finding="", objection_of="alice")
    after = heard(said("object", "alice", CODE, time=later(NOON, 30)))
    yes = approved("carol", CODE)
    assert verdict(CODE, yes, event, after, policy=rules).outcome == "blocked"
    assert "waiver.invalid" in codes(verdict(CODE, yes, event, after, policy=rules))
    assert verdict(CODE, yes, event, heard(said("object", "alice", CODE)), policy=rules).outcome == "admitted"


def test_withdrawal_elsewhere_withdraws_nothing_here() -> None:
    """Law 34: it is about the content that it names."""
    other = proposed(files=(file("else.py", new="5"),), head="7" * 40)
    away = heard(said("withdraw", "dave", other, time=later(NOON, 30)))
    assert verdict(CODE, approved("alice", CODE), heard(said("object", "dave", CODE)), away).outcome == "blocked"


def test_commit_signature_by_a_key_out_of_its_window_is_nothing() -> None:
    """Law 18: an old key answers for no commit."""
    from rules.events import CommitFact

    change = proposed(*written_by("bob"), commits=(CommitFact(HEAD, signed_by=key("bob")),))
    for option in ('valid-before="20261120"', 'namespaces="twohand"'):
        people = PEOPLE.replace(f'["{key("bob")}"]', f"['{option} {key('bob')}']")
        assert "provenance.missing" in codes(verdict(change, approved("alice", change), policy=law(people=people)))
    assert verdict(change, approved("alice", change)).outcome == "admitted"


def test_break_glass_releases_holds() -> None:
    """Law 35: it stands in for the owner's answer to a finding of tier hold."""
    from tests.rules.test_requirements import AUTH, FALLBACK, WAIVERS, waive

    rules = law(ONE_HAND + OWNED + FALLBACK + WAIVERS)
    glass = waive("dave", AUTH, finding="", break_glass=True)
    assert verdict(AUTH, glass, policy=rules, findings=(finding("auth/login.py"),)).outcome == "admitted"


def test_names_that_share_a_key_with_a_machine_are_no_people() -> None:
    """Law 15, 16: they neither approve nor own."""
    twin = PEOPLE.replace("[services.dependabot]", f"[services.dependabot]\nkeys = ['{key('carol')}']")
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n", people=twin)
    change = replace(CODE, files=(file("auth/a.py"),), owners_file="CODEOWNERS", owners_text="auth/ @carol\n")
    assert "owner.unresolved" in codes(verdict(change, approved("carol", change), policy=rules))


def test_agents_of_one_agent_share_its_operator() -> None:
    """Law 15: two names of one hand lead to one person."""
    people = PEOPLE + "".join(
        f"[agents.{name}]\nkeys = ['{key('pair')}']\noperator = 'gpt'\nmodel = 'qwen-max'\n" for name in ("one", "two")
    )
    registry = Registry(law(people=people))
    pair = registry.named("one")
    assert pair
    assert registry.operators(pair) == {"dave"}


def test_judging_needs_a_change() -> None:
    """Law 38: there is nothing to judge before a change was proposed."""
    import pytest

    with pytest.raises(ValueError, match="without a proposed change"):
        judge(fold([]), NOON)


def test_another_family_of_the_registered_maker_is_no_conflict() -> None:
    """Law 22: a maker names its models as it likes."""
    claim = Claim(
        "author",
        "D",
        commit=HEAD,
        kind="agent",
        email="claude-two@agents.example.com",
        model="m",
        maker="anthropic",
        family="m",
    )
    assert not verdict(proposed(claim, opened("github:alice"))).made.conflicts


def test_operator_that_one_mark_names_is_the_operator_of_them_all() -> None:
    """Law 8: marks of one tool in one commit are one hand."""
    change = proposed(mark(), mark()._replace(channel="mark", operator="carol@example.com"), opened("github:bob"))
    (claude,) = [author for author in verdict(change).made.authors if author.kind == "agent"]
    assert claude.operator == "carol"


def test_signature_that_breaks_off_is_none() -> None:
    """Law 17: lengths that lie name no key."""
    from base64 import b64encode

    from rules import sshsig

    for tail in (b"\0\0\0\xff", b"\0\0"):
        blob = b64encode(b"SSHSIG\0\0\0\1" + tail)
        assert sshsig.parse(sshsig.BEGIN + b"\n" + blob + b"\n" + sshsig.END) is None


def test_agent_without_a_registered_model_may_name_one() -> None:
    """Law 22: there is nothing that it could contradict, and nothing that it proves."""
    change = proposed(*written_by("alice"), opened("github:alice"), mark())
    assert verdict(change, approved("qwen", change, model="Qwen3 Coder")).outcome == "admitted"
    decision = verdict(change, approved("router", change, model="gpt-5.2"))
    assert "provenance.conflict" not in codes(decision)
    assert "independence.unresolved" in codes(decision)


def test_stale_approval_does_not_hide_a_good_one() -> None:
    """Law 33: who approved this content and later another one has approved this content."""
    other = proposed(files=(file(new="7"),))
    later_one = approved("alice", other, time=later(NOON, 30))
    assert verdict(CODE, approved("alice", CODE), later_one).outcome == "admitted"


def test_base_is_looked_up_among_several() -> None:
    """Law 33: each earlier base has its own answer."""
    from rules.events import Touched

    moved = proposed(base="d" * 40, touched=(Touched("f" * 40, None), Touched(CODE.base, ())))
    assert verdict(moved, approved("alice", CODE)).outcome == "admitted"


def test_objection_by_number_holds_for_the_number() -> None:
    """Law 6, 34: `--change` is the forge's number."""
    change = proposed(number="7", files=(file("z.py", new="9"),), commits=())
    objection = heard(said("object", "dave", CODE, head="0" * 40)._replace(change="7"))
    assert verdict(change, approved("alice", change), objection).outcome == "blocked"


def test_mark_ends_no_silence_that_counts_against_a_change() -> None:
    """Law 10, 11: where silence is unresolved, only a proposal or a door speaks; text that anybody writes does not."""
    strict = law(ONE_HAND + '[independence]\nundeclared = "unresolved"\n')
    marked = proposed(*written_by("alice"), opened("github:alice"), mark())
    assert "independence.unresolved" in codes(verdict(marked, approved("qwen", marked), policy=strict))
    told = heard(said("propose", "alice", marked, tool="claude", model="claude-opus-5"))
    assert verdict(marked, told, approved("qwen", marked), policy=strict).outcome == "admitted"


def test_login_that_equals_a_name_is_not_that_person() -> None:
    """Law 9, 15: a name stands for a login only where the person has no account."""
    people = PEOPLE.replace('accounts = ["github:carol"]', 'accounts = ["github:carol-dev"]')
    change = proposed(line("Someone", "x@y.example"), opened("carol"))
    assert verdict(change, policy=law(people=people)).made.accountable == frozenset()
    assert verdict(
        proposed(line("Someone", "x@y.example"), opened("carol-dev")), policy=law(people=people)
    ).made.accountable == {"carol"}


def test_line_of_text_takes_no_owner_out_of_reach() -> None:
    """Law 10, 31: the fallback answers where an owner is shown to be an author, not where a commit merely says so."""
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['dave']\n")
    named = line("Carol", "carol@example.com", channel="co-author")
    owned = {"files": (file("auth/a.py"),), "owners_file": "CODEOWNERS", "owners_text": "auth/ @carol\n"}
    change = proposed(*written_by("bob"), opened("github:bob"), named, **owned)
    assert "owner.required" in codes(verdict(change, approved("dave", change), policy=rules))
    assert verdict(change, approved("carol", change, not_author=True), policy=rules).outcome == "admitted"
    hers = proposed(*written_by("bob"), opened("github:carol"), **owned)
    assert verdict(hers, approved("dave", hers), policy=rules).outcome == "admitted"


def test_signature_of_another_takes_no_statements_place() -> None:
    """Law 17, 38: the same bytes signed by two keys are two, in whatever order they come."""
    other = heard(said("approve", "alice", CODE), key_of="carol")
    for events in ([other, approved("alice", CODE)], [approved("alice", CODE), other]):
        assert verdict(CODE, *events).outcome == "admitted"


def test_default_branch_that_was_guessed_enrols_nobody() -> None:
    """Law 36: it decides beside the others, but whom it enrols is unknown below."""
    own = PEOPLE.split("[people.bob]")[0]
    guessed, target = text(role="guessed"), text(role="target", people=own)
    assert (
        judge(case_of(replace(CODE, laws=(guessed, target)), approved("carol", CODE)), later(NOON, 60)).outcome
        != "admitted"
    )
    stated = replace(CODE, laws=(text(), target))
    assert judge(case_of(stated, approved("carol", stated)), later(NOON, 60)).outcome == "admitted"
