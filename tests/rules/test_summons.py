"""Whom a step asks, whom a storm spares, and what a policy may not say about either (law 31, 39)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import instants, policy, summons
from rules.canonical import digest
from rules.policy import PolicyInvalid
from rules.storms import QUIET, Page, Quiet, gathered, parted, silenced, storm_of
from rules.summons import Call, Roster, calls
from tests.rules.lawkit import NOON, PEOPLE, REPOSITORY, law

AT = instants.seconds_of(NOON)
ROTA = """
[rotations.night]
people = ["gone", "bob"]
turn = "daily"
"""


def rota(notify, more=ROTA, *, fallback='["dave"]', last=""):
    steps = f'[{{ after = "0m", notify = {notify} }}{last}]'
    return law(f"[owners]\nfallback = {fallback}\n[escalation]\nsteps = {steps}\n{more}")


def asked(notify, owners=("carol",), **more):
    found = rota(notify, **more)
    return calls(found.escalation.steps[0].notify, Roster(found, owners, AT, {}))


def problems(text, top=""):
    with pytest.raises(PolicyInvalid) as caught:
        policy.parse(f"version = 1\nrepository = '{REPOSITORY}'\n{top}\n{text}\n{PEOPLE}", "twohand.toml")
    return str(caught.value)


def test_every_sort_of_name_is_understood():
    """Owners, a team with and without its mark, a person, a rotation, and a route, which names nobody."""
    assert asked('["owners"]') == (Call("owners", ("carol",), "owners"),)
    assert asked('["team:security"]') == (Call("team:security", ("carol", "dave"), "team"),)
    assert asked('["security"]') == (Call("security", ("carol", "dave"), "team"),)
    assert asked('["bob"]') == (Call("bob", ("bob",), "person"),)
    assert asked('["night"]') == (Call("night", ("bob",), "rotation"),)
    assert asked('["pager"]') == (Call("pager", (), "route"),)


def test_nobody_is_asked_twice_by_one_step():
    """Who is an owner and on the team is asked once; a word that adds nobody is left out."""
    assert asked('["owners", "security", "carol", "pager"]') == (
        Call("owners", ("carol",), "owners"), Call("security", ("dave",), "team"), Call("pager", (), "route"),
    )  # fmt: skip


def test_owners_who_left_are_answered_for():
    """Law 31: the fallback answers for owners who have left; then the last step; then the page goes out to nobody by name."""
    assert asked('["owners"]', owners=("gone",)) == (Call("owners", ("dave",), "fallback"),)
    last = ', { after = "15m", notify = ["owners", "bob"] }'
    assert asked('["owners"]', owners=(), fallback='["gone"]', last=last) == (Call("owners", ("bob",), "fallback"),)
    assert asked('["owners"]', owners=(), fallback='["gone"]') == (Call("owners", (), "nobody"),)


def test_a_rotation_that_everybody_has_left_is_answered_for():
    """An empty rotation asks the fallback."""
    empty = '[rotations.old]\npeople = ["gone"]\n'
    assert asked('["old", "pager"]', more=empty) == (Call("old", ("dave",), "fallback"), Call("pager", (), "route"))


@given(
    st.lists(st.sampled_from(["owners", "security", "bob", "night", "pager", "gone", "other"]), min_size=1, unique=True)
)
def test_no_step_asks_nobody(words):
    """With a fallback who is there, every word reaches a person or is a route, and no person twice."""
    found = rota('["owners"]')
    rows = calls(words, Roster(found, (), AT, {}))
    assert rows
    assert all(row.people or row.why == summons.ROUTE for row in rows)
    people = [name for row in rows for name in row.people]
    assert len(people) == len(set(people))


def page(name="p1", people=("carol",), session="claude-web:1", escalation="e1", target="owners"):
    return Page(digest(name), escalation, target, people, session)


def test_one_page_for_each_owner_and_session():
    """A second change of the same session is held for whom the first paged; others, and the first one's own next page, are told at once."""
    (first,) = parted(page(), {}, AT)
    assert (first.storm, first.people) == ("", ("carol",))
    quiet = silenced(first, AT)
    assert quiet == {storm_of(page(), "carol"): Quiet(AT + QUIET, "e1")}
    told, held = parted(page("p2", ("carol", "dave"), escalation="e2"), quiet, AT + 1)
    assert (told.people, told.storm) == (("dave",), "")
    assert (held.people, held.storm) == (("carol",), storm_of(page(), "carol"))
    assert parted(page("p3", escalation="e3"), quiet, AT + QUIET)[0].storm == ""
    assert parted(page("p5", escalation="e3"), quiet, AT - 1)[0].storm == ""
    assert parted(page("p6"), quiet, AT + 1)[0].storm == ""
    assert parted(page("p4", escalation="e4", session="claude-web:2"), quiet, AT)[0].storm == ""


def test_routes_and_changes_without_a_session():
    """A route is spared like a person; without a session each change is a storm of its own."""
    (told,) = parted(page(people=()), {}, AT)
    (held,) = parted(page("p2", (), escalation="e2"), silenced(told, AT), AT)
    assert (told.people, held.people, bool(held.storm)) == ((), (), True)
    silent = silenced(parted(page(session=""), {}, AT)[0], AT)
    assert parted(page("p2", session="", escalation="e2"), silent, AT)[0].storm == ""


def test_what_was_held_is_told_together_the_newest_of_each():
    """A digest names every problem once; nothing held, nothing told."""
    rows = [("e1", 1), ("e2", 2), ("e1", 3)]
    ((name, told),) = gathered(rows, lambda row: row[0])
    assert told == [("e1", 3), ("e2", 2)]
    assert name == digest(["digest", ["e1", "e2"]])
    assert list(gathered([], str)) == []


names = st.sampled_from(["carol", "dave", "erin"])
asks = st.lists(
    st.tuples(st.integers(0, 400), st.sets(names, min_size=1), st.sampled_from(["s1", "s2"])), min_size=1, max_size=25
)


@given(asks)
def test_no_page_is_lost_in_a_storm(rows):
    """Every person of every page is told at once or held, once; at most one page a person and session within the quiet."""
    quiet, now, loud = {}, AT, {}
    for number, (gap, people, session) in enumerate(rows):
        now += gap
        one = page(f"p{number}", tuple(sorted(people)), session, f"e{number}")
        parts = parted(one, quiet, now)
        assert sorted(name for part in parts for name in part.people) == sorted(people)
        for part in parts:
            if not part.storm:
                quiet |= silenced(part, now)
                for name in part.people:
                    assert now - loud.get((name, session), -QUIET) >= QUIET
                    loud[name, session] = now
    assert len({part.name for part in parted(page(), {}, now)}) == 1


def test_teams_hold_people_alone_and_are_never_empty():
    """Circular and empty teams cannot be written: a team in a team and a team of nobody are mistakes."""
    circle = 'version = 1\n[teams]\na = ["b"]\nb = ["a"]\nc = []\n'
    with pytest.raises(PolicyInvalid) as caught:
        policy.parse(circle, "twohand.toml")
    said = str(caught.value)
    assert said.count("is a team: only people can stand here") == 2
    assert "is empty" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[rotations.security]\npeople = ["bob"]', "already among the teams"),
        ('[rotations.owners]\npeople = ["bob"]', "means the owners concerned"),
        ('[rotations.n]\npeople = ["bobb"]', "is no person of this policy; did you mean"),
        ("[rotations.n]\npeople = []", "is empty"),
        ('[rotations.n]\npeople = ["bob"]\nturn = "weekday"', "does not name a person for each weekday"),
        ('[rotations.n]\npeople = ["bob"]\nzone = "Europe Berlin"', "must be the name of a time zone"),
        ('[rotations.n]\npeople = ["bob"]\nhandover = "25:00"', "must be a time of day"),
        ('[rotations.n]\npeople = ["bob"]\nstart = "2026-02-30"', "must be a day such as"),
        ('[rotations.n]\npeople = ["bob"]\nturn = "monthly"', "is not one of the allowed values"),
        ('[rotations.n]\npeople = ["bob"]\noverride = [{ person = "bob", from = "2026-01-02T00:00", until = "2026-01-01T00:00" }]', "is not later than `from`"),
        ('[rotations.n]\npeople = ["bob"]\noverride = [{ person = "bobo", from = "noon", until = "2026-01-01T00:00" }]', "must be a local time"),
        ('[escalation]\nsteps = [{ after = "0m", notify = ["team:secure"] }]', "names no team"),
        ('[escalation]\nsteps = [{ after = "0m", notify = ["gone"] }]', "is the last step and reaches nobody"),
        ("[escalation]\nsteps = []", "is empty"),
        ('[escalation]\nsteps = [{ after = "0m", notify = ["gpt"] }]', "is an agent: only people are asked"),
        ('[escalation]\nsteps = [{ after = "0m", notify = ["dependabot"] }]', "is a service: only people are asked"),
        ('[escalation]\nsteps = [{ after = "0m", notify = [] }]', "is empty"),
        ('[escalation]\nhours = { days = ["mon"], from = "17:00", until = "09:00" }', "is not later than `from`"),
        ('[escalation]\nhours = { days = ["monday"] }', "is not one of the allowed values"),
    ],
)  # fmt: skip
def test_wrong_rotations_and_steps_are_told(text, said):
    """Each mistake is named with what is allowed."""
    assert said in problems(text)


def test_the_last_step_may_name_a_rotation_with_somebody_in_it():
    """A rotation, a team, a route or the owners end the steps; only names of people who left do not."""
    for words in ('["night"]', '["team:security"]', '["pager"]', '["owners"]', '["gone", "bob"]'):
        assert rota(words).escalation.steps[-1].notify


def test_people_of_the_floor_may_be_on_call_below():
    """Law 36: whom a higher policy enrols can be in a rotation and in the last step of a lower one."""
    above = law()
    text = f"""version = 1
repository = '{REPOSITORY}'
[escalation]
steps = [{{ after = "0m", notify = ["security"] }}]
[rotations.n]
people = ["carol"]
"""
    below = policy.parse(text, "twohand.toml", above=above)
    assert below.rotations["n"].people == ("carol",)


def test_a_policy_reads_what_it_writes():
    """`policy show` writes rotations and hours so that they mean the same again."""
    hours = '[escalation]\nhours = { days = ["mon", "fri"], from = "08:30", until = "24:00", zone = "Europe/Berlin" }\n'
    more = '[[rotations.night.override]]\nperson = "bob"\nfrom = "2026-12-24T08:30"\nuntil = "2026-12-25T00:00"\n'
    found = law(f"{hours}\n{ROTA}\n{more}")
    assert found.escalation.hours is not None
    shown = policy.dump(found)
    assert shown["rotations"]["night"] == {
        "people": ["gone", "bob"], "turn": "daily", "zone": "UTC", "handover": "09:00", "start": "2024-01-01",
        "override": [{"person": "bob", "from": "2026-12-24T08:30", "until": "2026-12-25T00:00"}],
    }  # fmt: skip
    assert shown["escalation"]["hours"] == {
        "days": ["mon", "fri"], "from": "08:30", "until": "24:00", "zone": "Europe/Berlin",
    }  # fmt: skip
    assert policy.dump(law())["escalation"]["hours"]["days"] == []
