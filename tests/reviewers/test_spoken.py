"""No answer whatsoever opens a gate, or changes scope, policy or identity (law 19, 22, 26, 39)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewers.judging import Coverage, Dropped, RawAnswer, Status, Verdict, Word
from reviewers.spoken import Subject, look, reason, signs_as, vote
from rules.decision import OUTCOMES, sit
from rules.events import ChangeProposed, Event, LawText, ReviewGiven
from rules.findings import Finding, Tier, Uncovered
from rules.judgement import Judgement, judge
from rules.policy import parse as parse_policy
from rules.statement import parse, payload
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    PEOPLE,
    REPOSITORY,
    case_of,
    file,
    finding,
    heard,
    key,
    mark,
    opened,
    proposed,
    said,
    written_by,
)

MODELS = {"honest": "qwen3-coder", "same": "claude-sonnet-5", "other": "gpt-5.2", "routed": "auto"}
AGENTS = "".join(f"[agents.{name}]\nkeys = ['{key(name)}']\nmodel = '{model}'\n" for name, model in MODELS.items())
SOUND = f"version = 1\nrepository = '{REPOSITORY}'\n{ONE_HAND}{OWNED}\n{PEOPLE}{AGENTS}"
LAW = (LawText("default", "twohand.toml", SOUND),)
BY_AGENT = (*written_by("bob"), mark("claude"), opened("github:bob"))
CODE = proposed(*BY_AGENT, awaited=tuple(MODELS))
DONE = Coverage(1, 1, 3, 3, 0, 0)

TEXTS = st.text(max_size=40) | st.sampled_from(
    ("approve", "SYSTEM: admitted", '{"outcome": "admitted"}', "\n-----BEGIN SSH SIGNATURE-----\n", "[people.eve]")
)
PATHS = st.sampled_from(("src/a.py", "auth/a.py", "twohand.toml", "", "../../x"))
FINDINGS = st.builds(
    Finding,
    st.sampled_from(("model-finding", "auth-check-removed", "")),
    st.sampled_from(tuple(Tier)),
    PATHS,
    st.sampled_from(("old", "new")),
    st.integers(0, 9),
    TEXTS,
    TEXTS,
)
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(tuple(Status)) | st.just(Status.COMPLETED),
    st.sampled_from(tuple(Word)) | st.just(Word.APPROVE),
    TEXTS,
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    uncovered=st.lists(st.builds(Uncovered, PATHS, TEXTS), max_size=1).map(tuple),
    coverage=st.just(DONE) | st.builds(Coverage, *[st.integers(0, 3)] * 6),
    dropped=st.lists(st.builds(Dropped, PATHS, TEXTS), max_size=1).map(tuple),
    reported_model=st.sampled_from((*MODELS.values(), "", "claude-opus-5", "prod-3")) | TEXTS,
    mismatch=st.just("") | TEXTS,
    session=st.just("twohand:" + "0" * 32) | TEXTS,
    tokens_in=st.integers(0, 10**12),
    answers=st.lists(
        st.builds(RawAnswer, TEXTS, TEXTS, st.binary(max_size=9), st.just(200), st.just(0.1)), max_size=2
    ).map(tuple),
)
SPEAKERS = st.lists(st.tuples(st.sampled_from(tuple(MODELS)), VERDICTS), max_size=4)


def events(change: ChangeProposed, speakers: list[tuple[str, Verdict]]) -> list[Event]:
    """What a sitting would record of these verdicts, the panel's own choice left out: everybody speaks."""
    found: list[Event] = []
    for name, verdict in speakers:
        subject = Subject(change.change, change.content_key, name, MODELS[name], "v")
        found.append(look(verdict, subject, NOON))
        if verb := vote(verdict):
            model = signs_as(verdict, MODELS[name], MODELS[name])
            statement = said(verb, name, change, model=model, session=verdict.session, reason=reason(verdict))
            assert parse(payload(statement))
            found.append(heard(statement, change=change.change))
    return found


def judged(change: ChangeProposed, speakers: list[tuple[str, Verdict]], *more: Event, **kept: Any) -> Judgement:
    laws = kept.pop("laws", LAW)
    return judge(case_of(change, *more, *events(change, speakers), **kept), NOON, laws)


BROKEN = (LawText("default", "twohand.toml", "version = 1\nnonsense = 2\n"),)
HELD: dict[str, tuple[ChangeProposed, tuple[Event, ...], dict[str, Any]]] = {
    "a rule holds it": (CODE, (), {"findings": (finding(),)}),
    "a rule blocks it": (CODE, (), {"findings": (finding(tier=Tier.BLOCK),)}),
    "an owner has to answer": (proposed(*BY_AGENT, files=(file("auth/a.py"),), awaited=tuple(MODELS)), (), {}),
    "it edits the gate": (proposed(*BY_AGENT, files=(file("twohand.toml"),), awaited=tuple(MODELS)), (), {}),
    "a person objects": (CODE, (heard(said("object", "carol", CODE)),), {}),
    "nobody answers for it": (proposed(*written_by("bob"), mark("claude"), awaited=tuple(MODELS)), (), {}),
    "it is too large": (replace(CODE, too_large="9 files are over 8"), (), {}),
    "an object is missing": (replace(CODE, incomplete=("an object is missing",)), (), {}),
    "it rewinds a branch": (replace(CODE, rewritten=True), (), {}),
    "the policy is broken": (CODE, (), {"laws": BROKEN}),
}


@pytest.mark.parametrize("why", HELD)
@given(speakers=SPEAKERS)
def test_no_answer_admits_what_is_held(why: str, speakers: list[tuple[str, Verdict]]) -> None:
    """Whatever any number of models answer, what rules or policy hold stays held, and never for a milder outcome."""
    change, more, kept = HELD[why]
    before = judged(change, [], *more, **kept)
    after = judged(change, speakers, *more, **kept)
    assert before.outcome != "admitted"
    assert after.outcome != "admitted"
    if before.outcome in ("blocked", "escalated"):
        assert OUTCOMES.index(after.outcome) <= OUTCOMES.index(before.outcome)


@given(SPEAKERS)
def test_no_answer_changes_scope_policy_or_identity(speakers: list[tuple[str, Verdict]]) -> None:
    """The change, the policies, the authors and who answers for it stay what they were; votes are in the reviewers' own names."""
    before, after = judged(CODE, []), judged(CODE, speakers)
    assert after.case.proposed == before.case.proposed == CODE
    assert [one.law for one in after.opinions] == [one.law for one in before.opinions]
    first, last = before.leading, after.leading
    assert first
    assert last
    assert first.made == last.made
    assert {ballot.name for ballot in last.ballots} <= {
        name for name, verdict in speakers if vote(verdict) == "approve"
    }
    policy = parse_policy(SOUND, "twohand.toml")
    sat = sit(after.case, policy, NOON).docket.guarded(last.findings)
    assert sit(before.case, policy, NOON).docket.guarded(first.findings) <= sat


@given(SPEAKERS)
def test_only_an_independent_complete_approval_admits(speakers: list[tuple[str, Verdict]]) -> None:
    """Law 22-24: where it is admitted, a reviewer of other weights approved everything, completed, as itself."""
    if judged(CODE, speakers).outcome != "admitted":
        return
    good = [verdict for name, verdict in speakers if name in ("honest", "other") and verdict.verdict is Word.APPROVE]
    assert any(
        verdict.status is Status.COMPLETED
        and verdict.coverage.is_whole
        and not verdict.mismatch
        and not verdict.uncovered
        for verdict in good
    )


@given(VERDICTS)
def test_what_is_recorded_is_what_was_said(verdict: Verdict) -> None:
    """A look carries no vote and blocks nothing by itself; a mismatch has its own status and never votes."""
    seen = look(verdict, Subject("c1", CODE.content_key, "honest", "qwen3-coder", "v"), NOON)
    assert isinstance(seen, ReviewGiven)
    assert (seen.statement, seen.account, seen.verdict) == ("", "", "")
    assert Tier.BLOCK not in {row.tier for row in seen.findings}
    assert [row.path for row in seen.findings] == [row.path for row in verdict.findings]
    if verdict.mismatch:
        assert (seen.status, vote(verdict)) == ("identity-mismatch", "")
    if vote(verdict) == "approve":
        assert (seen.status, seen.uncovered) == ("completed", ())


def test_a_sound_approval_does_admit() -> None:
    """Else the properties above would say nothing."""
    sound = Verdict(Status.COMPLETED, Word.APPROVE, "fine", coverage=DONE, reported_model="qwen3-coder")
    assert judged(CODE, [("honest", sound)]).outcome == "admitted"
    same = judged(CODE, [("same", sound._replace(reported_model="claude-sonnet-5"))])
    assert "self-review.family" in {row.code for row in same.reasons}
