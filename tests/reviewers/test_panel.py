"""The panel: who may sit, who may not, and what would be eligible (law 22-25)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reviewers.panel import Bench, Candidate, bar_of, bench, following, pick
from rules.events import Event, LawText, ReviewerSuspended
from rules.findings import Finding
from rules.independence import DISTINCT
from rules.instants import later
from rules.judgement import judge
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    PEOPLE,
    REPOSITORY,
    approved,
    case_of,
    heard,
    key,
    mark,
    opened,
    proposed,
    said,
    written_by,
)

WEIGHTS = {
    "anthropic-one": ("claude-sonnet-5", "anthropic", "claude"),
    "alibaba-one": ("qwen3-coder", "alibaba", "qwen"),
    "alibaba-two": ("qwen3-max", "alibaba", "qwen"),
    "openai-one": ("gpt-5.2", "openai", "gpt"),
    "routed": ("openrouter/auto", "", ""),
}
AGENTS = "".join(
    f"[agents.{name}]\nkeys = ['{key(name)}']\nmodel = '{model}'\nmaker = '{maker}'\nfamily = '{family}'\n".replace(
        "maker = ''\nfamily = ''\n", ""
    )
    for name, (model, maker, family) in WEIGHTS.items()
)
WRITTEN = proposed(*written_by("bob"), mark("claude"), opened("github:bob"), awaited=tuple(WEIGHTS))


def candidate(name: str, *fallback: str, **more: Any) -> Candidate:
    model, maker, family = WEIGHTS.get(name, ("devstral", "mistral", "devstral"))
    return Candidate(
        name, **{"model": model, "maker": maker, "family": family, "fallback": fallback, "key": key(name)} | more
    )


def court(*candidates: Candidate, events: tuple[Event, ...] = (), top: str = "", change: Any = WRITTEN) -> Bench:
    text = f"version = 1\nrepository = '{REPOSITORY}'\n{top}\n{ONE_HAND}\n{PEOPLE}{AGENTS}"
    case = case_of(change, *events)
    return bench(judge(case, NOON, (LawText("default", "twohand.toml", text),)), candidates)


def axes(court: Bench) -> dict[str, str]:
    return {bar.name: bar.axis for bar in pick(court).barred}


def test_only_other_hands_than_the_authors_sit() -> None:
    """Law 23, 24: who shares the author's family is not asked, and is told what would be eligible."""
    found = pick(court(candidate("anthropic-one"), candidate("alibaba-one")))
    assert found.seats == ("alibaba-one",)
    (bar,) = found.barred
    assert (bar.name, bar.axis) == ("anthropic-one", "family")
    assert "weights that anthropic did not make" in str(bar)


def test_reviewers_are_other_hands_than_each_other() -> None:
    """Law 25: a second reviewer of the same weights would count once; its money is saved."""
    found = pick(court(candidate("alibaba-one"), candidate("alibaba-two"), candidate("openai-one")))
    assert found.seats == ("alibaba-one", "openai-one")
    assert [(bar.name, bar.axis) for bar in found.barred] == [("alibaba-two", "panel")]


def test_a_router_is_nobody() -> None:
    """Law 23: a name behind which any weights may stand is unresolved on model and family."""
    assert axes(court(candidate("routed"))) == {"routed": "model"}


def test_settings_and_registration_have_to_agree() -> None:
    """Law 22: another model, maker or family than the registered one is no reviewer."""
    other = candidate("alibaba-one", model="devstral")
    assert axes(court(other)) == {"alibaba-one": "model"}
    assert axes(court(candidate("alibaba-one", maker="meta"))) == {"alibaba-one": "family"}
    assert axes(court(candidate("alibaba-one", model="Qwen/Qwen3-Coder", maker=""))) == {}


def test_a_reviewer_signs_with_its_own_enrolled_key() -> None:
    """Law 18, 19: no key, or another's, and nothing is asked: the vote would be nothing."""
    assert axes(court(candidate("alibaba-one", key=""))) == {"alibaba-one": "key"}
    assert axes(court(candidate("alibaba-one", key=key("alice")))) == {"alibaba-one": "key"}
    assert axes(court(candidate("stranger"))) == {"stranger": "enrolment"}


def test_nobody_is_asked_about_a_change_that_nobody_answers_for() -> None:
    """Law 9: then every axis is unresolved; the remedy is to propose it."""
    orphan = proposed(*written_by("bob"), mark("claude"), awaited=tuple(WEIGHTS))
    found = pick(court(candidate("alibaba-one"), change=orphan))
    assert (found.seats, found.barred) == ((), ())
    assert found.waits.startswith("twohand propose")


def test_fallbacks_are_compared_again() -> None:
    """Law 24: the next in line is passed over where it is an author's hand or a seated one's, and the one after it is taken."""
    line = court(
        candidate("openai-one", "anthropic-one", "alibaba-two", "alibaba-one"), *map(candidate, list(WEIGHTS)[:3])
    )
    assert pick(line).seats == ("openai-one",)
    name, barred = following("openai-one", {"openai-one"}, (), line)
    assert (name, [bar.axis for bar in barred]) == ("alibaba-two", ["family"])
    name, barred = following("openai-one", {"openai-one", "alibaba-two"}, ("alibaba-two",), line)
    assert (name, [bar.axis for bar in barred]) == ("", ["family", "panel"])


def test_a_fallback_steps_in_for_whoever_may_not_sit() -> None:
    """A recused reviewer's line is not lost."""
    found = pick(court(candidate("anthropic-one", "alibaba-one"), candidate("alibaba-one")))
    assert found.seats == ("alibaba-one",)
    assert [bar.name for bar in found.barred] == ["anthropic-one"]


def test_who_has_voted_on_this_content_is_not_asked_again() -> None:
    """Law 33: what carries over costs nothing."""
    vote = approved("alibaba-one", WRITTEN)
    found = pick(court(candidate("alibaba-one"), candidate("openai-one"), events=(vote,)))
    assert (found.seats, found.stands) == (("openai-one",), ("alibaba-one",))
    against = heard(said("object", "alibaba-one", WRITTEN))
    assert pick(court(candidate("alibaba-one"), events=(against,))).stands == ("alibaba-one",)


def test_a_line_of_which_somebody_voted_is_done() -> None:
    """A re-run asks neither the reviewer that failed nor those behind it, once its fallback has voted."""
    line = (
        candidate("openai-one", "anthropic-one", "alibaba-one"),
        candidate("anthropic-one"),
        candidate("alibaba-one"),
    )
    assert pick(court(*line)).seats == ("openai-one",)
    after = pick(court(*line, events=(approved("alibaba-one", WRITTEN),)))
    assert (after.seats, after.barred, after.stands) == ((), (), ("alibaba-one",))


def test_a_recused_approval_keeps_nobody_from_being_asked() -> None:
    """Law 24: whoever signs with the key of a reviewer of the author's family does not end its line."""
    line = (
        candidate("openai-one", "anthropic-one", "alibaba-one"),
        candidate("anthropic-one"),
        candidate("alibaba-one"),
    )
    assert pick(court(*line, events=(approved("anthropic-one", WRITTEN),))).seats == ("openai-one",)


def test_what_was_taken_back_is_not_said_again() -> None:
    """A vote that somebody withdrew with the reviewer's key is not given anew from a kept answer."""
    for verb in ("approve", "object"):
        before = heard(said(verb, "alibaba-one", WRITTEN))
        back = heard(said("withdraw", "alibaba-one", WRITTEN, time=later(NOON, 5)))
        found = pick(court(candidate("alibaba-one"), events=(before, back)))
        assert (found.seats, found.stands) == ((), ("alibaba-one",))


def test_a_floor_that_enrols_nobody_bars_nobody() -> None:
    """Law 36: it is compared under the policies that know it; one at least has to."""
    floor = f"version = 1\nrepository = '{REPOSITORY}'\n[[requirement]]\nname = 'people'\nfrom = ['human']\n"
    text = f"version = 1\nrepository = '{REPOSITORY}'\n{ONE_HAND}\n{PEOPLE}{AGENTS}"
    laws = (LawText("floor", "floor.toml", floor), LawText("default", "twohand.toml", text))
    found = pick(bench(judge(case_of(WRITTEN), NOON, laws), [candidate("alibaba-one"), candidate("anthropic-one")]))
    assert (found.seats, [bar.axis for bar in found.barred]) == (("alibaba-one",), ["family"])


def test_suspended_reviewers_do_not_sit() -> None:
    """A reviewer that missed what it was tested with waits until it is restored."""
    out = ReviewerSuspended(change="c1", reviewer="alibaba-one", at=NOON)
    assert axes(court(candidate("alibaba-one"), events=(out,))) == {"alibaba-one": "trust"}


def test_an_axis_that_policy_only_advises_on_bars_nobody() -> None:
    """Law 24: `advise` only says so."""
    assert pick(court(candidate("anthropic-one"), top="[independence]\nfamily = 'advise'")).seats == ("anthropic-one",)


@given(st.permutations(list(WEIGHTS)), st.lists(st.sampled_from(list(WEIGHTS)), max_size=3, unique=True))
def test_whoever_sits_is_distinct_on_every_axis(order: list[str], spares: list[str]) -> None:
    """Law 23-25: in whatever order and with whatever fallbacks, and the law says the same of the vote."""
    line = court(*(candidate(name, *(one for one in spares if one != name)) for name in order))
    found = pick(line)
    for name in found.seats:
        assert bar_of(name, (), line) is None
        (ballot,) = (b for b in _ballots(name) if b.name == name)
        assert {answer.result for answer in ballot.answers} == {DISTINCT}
    makers = [WEIGHTS[name][1] for name in found.seats]
    assert len(makers) == len(set(makers))


def _ballots(name: str, *findings: Finding) -> tuple[Any, ...]:
    return court(candidate(name), events=(approved(name, WRITTEN),)).sittings[0].ballots
