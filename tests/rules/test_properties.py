"""What holds for every change and every order of events (law 10, 26, 38, 40)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.canonical import canonical
from rules.case import evolve, fold
from rules.decision import ADMITTED, OUTCOMES, decide
from rules.events import ChangeProposed, Event, LawText, body, event_id
from rules.findings import Tier
from rules.instants import later
from rules.judgement import judge
from rules.record import record
from rules.revive import reviver
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    PEOPLE,
    approved,
    file,
    finding,
    heard,
    law,
    line,
    mark,
    opened,
    proposed,
    pushed,
    said,
    scanned,
    unsigned,
    written_by,
)  # fmt: skip

NAMES = ("alice", "bob", "carol", "dave", "gone", "claude-two", "gpt", "qwen", "router", "mallory")
POLICIES = (
    law(),
    law(ONE_HAND + "approvals = 2\n"),
    law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n"),
    law(ONE_HAND + "[independence]\nfamily = 'extra'\noperator = 'advise'\nundeclared = 'unresolved'\n"),
    law(ONE_HAND + "[independence]\ngrade = 'B'\n"),
)
AT = later(NOON, 600)

people = st.sampled_from(NAMES)
weak = st.one_of(
    st.builds(lambda n: line(n, f"{n}@example.com", channel="co-author"), people),
    st.builds(lambda n: line(n, f"{n}@example.com", channel="committer"), people),
    st.builds(
        mark,
        st.sampled_from(["claude", "codex", "amp"]),
        st.sampled_from(["", "claude-opus-5", "gpt-5.2", "auto"]),
    ),
    st.builds(lambda s: mark(session=s), st.sampled_from(["claude-web:1", "amp:1"])),
)
doors = st.lists(
    st.one_of(st.builds(lambda n: opened(f"github:{n}"), people), st.builds(lambda n: pushed(f"github:{n}"), people)),
    max_size=2,
)
paths = st.sampled_from(
    [(file(),), (file("auth/login.py"),), (file(), file("auth/x.py", new="4")), (file("AGENTS.md"),)]
)


@st.composite
def changes(draw: st.DrawFn) -> ChangeProposed:
    author = draw(people)
    claims = (*written_by(author), *draw(st.lists(weak, max_size=3)), *draw(doors))
    return proposed(*claims, files=draw(paths))


@st.composite
def voices(draw: st.DrawFn, change: ChangeProposed) -> Event:
    verb = draw(st.sampled_from(["approve", "approve", "approve", "object", "withdraw", "propose", "waive"]))
    name = draw(people)
    more = {"time": later(NOON, draw(st.integers(0, 300)))}
    if verb == "waive":
        more |= {"finding": "auth-check-removed", "reason": "known"}
    if verb == "propose":
        more |= {"tool": draw(st.sampled_from(["", "none", "claude"]))}
    if verb == "approve" and draw(st.booleans()):
        more |= {"not_author": True}
    event = heard(said(verb, name, change, **more), key_of=draw(st.sampled_from([name, name, name, "alice"])))
    return unsigned(event) if draw(st.integers(0, 9)) == 0 else event


@st.composite
def stories(draw: st.DrawFn) -> tuple[ChangeProposed, list[Event]]:
    change = draw(changes())
    findings = draw(st.lists(st.sampled_from([finding(tier=tier) for tier in Tier]), max_size=2))
    events = draw(st.lists(voices(change), max_size=6))
    return change, [scanned(change, *findings), *events]


def told(change: ChangeProposed, events: list[Event], policy) -> bytes:
    decision = decide(fold([change, *events]), policy, AT)
    return canonical([decision.outcome, decision.reasons, decision.rulings, decision.owned, decision.stamps])


def outcome(change: ChangeProposed, events: list[Event], policy) -> str:
    return decide(fold([change, *events]), policy, AT).outcome


@given(stories(), st.randoms(), st.sampled_from(POLICIES))
def test_order_of_reviews_does_not_matter(story, random, policy) -> None:
    """Law 38."""
    change, events = story
    shuffled = list(events)
    random.shuffle(shuffled)
    assert told(change, shuffled, policy) == told(change, events, policy)


@given(stories(), st.data(), st.sampled_from(POLICIES))
def test_repeats_change_nothing(story, data, policy) -> None:
    """Law 38: an event that was folded once is folded."""
    change, events = story
    again = data.draw(st.lists(st.sampled_from(events), max_size=4))
    assert told(change, [*events, *again], policy) == told(change, events, policy)
    case = fold([change, *events])
    assert evolve(case, change) == case


@given(stories())
def test_replay_equals_live(story) -> None:
    """Law 38: events that went through text give the same bytes; only signatures are verified anew."""
    change, events = story
    change = replace(
        change,
        laws=(
            LawText("default", "main:twohand.toml", f"version = 1\nrepository = 'example/shop'\n{ONE_HAND}\n{PEOPLE}"),
        ),
    )
    live = judge(fold([change, *events]), AT)
    plain = [__import__("json").loads(canonical(body(event))) for event in (change, *events)]
    back = [reviver(type(event))(row) for event, row in zip((change, *events), plain, strict=True)]
    back = [
        replace(b, at=e.at, **({"signer": e.signer} if hasattr(e, "signer") else {}))
        for b, e in zip(back, (change, *events), strict=True)
    ]
    assert [event_id(event) for event in back] == [event_id(event) for event in (change, *events)]
    assert canonical(record(judge(fold(back), AT))) == canonical(record(live))


@given(stories(), st.lists(weak, min_size=1, max_size=3), st.sampled_from(POLICIES))
def test_weak_evidence_never_turns_a_refusal_into_an_admission(story, more, policy) -> None:
    """Law 10: it may add suspicion, never remove it."""
    change, events = story
    if outcome(change, events, policy) != ADMITTED:
        assert outcome(replace(change, claims=(*change.claims, *more)), events, policy) != ADMITTED


@given(stories(), people, st.sampled_from(POLICIES))
def test_recused_review_never_turns_a_refusal_into_an_admission(story, name, policy) -> None:
    """Law 24, 26: whoever is recused has no vote."""
    change, events = story
    more = [*events, approved(name, change)]
    decision = decide(fold([change, *more]), policy, AT)
    recused = any(ballot.name == name and ballot.spoiled for ballot in decision.ballots)
    if recused and outcome(change, events, policy) != ADMITTED:
        assert decision.outcome != ADMITTED


@given(stories(), st.data(), st.sampled_from(POLICIES))
def test_objection_never_helps(story, data, policy) -> None:
    """Law 34: a valid objection makes no outcome better."""
    change, events = story
    name = data.draw(st.sampled_from(["alice", "carol", "qwen"]))
    before = outcome(change, events, policy)
    after = outcome(change, [*events, heard(said("object", name, change, time=later(NOON, 500)))], policy)
    assert OUTCOMES.index(after) <= OUTCOMES.index(before)


@given(stories(), st.sampled_from(POLICIES))
def test_every_refusal_says_why(story, policy) -> None:
    """Law 40, 41: no refusal without reasons that can be acted on, no reasons for an admission."""
    change, events = story
    decision = decide(fold([change, *events]), policy, AT)
    assert bool(decision.reasons) == (decision.outcome != ADMITTED)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_value_crashes_the_reviver(value) -> None:
    """Law 38: what is no event is a ValueError."""
    try:
        reviver(ChangeProposed)(value)
    except ValueError:
        return
    raise AssertionError("a random value is no change")
