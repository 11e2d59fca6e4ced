"""Escalation as law: never silent while open, never loud after an acknowledgement, one page per step (law 38, 39)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import escalation, instants
from rules.decision import ADMITTED
from rules.escalation import ACKNOWLEDGED, BACK, DAILY, OPEN, RESOLVED, Timetable, due, evolve, fold, next_due
from rules.events import DeadlinePassed, EscalationAcknowledged, EscalationOpened, EscalationResolved
from rules.zones import UTC, Hours, opening
from tests.rules.lawkit import NOON, approved, law, proposed, scanned, verdict

START = instants.seconds_of(NOON)
MINUTE, HOUR = 60, 3600
TABLE = Timetable((0, 15 * MINUTE, 60 * MINUTE), 3, 30 * MINUTE)
NAME = escalation.name_of("c1", "k1", 0)


def text(at):
    return instants.text_of(at)


def fresh():
    return escalation.question(NAME, "c1", "k1", START)


def opened(row, at, asked=("carol",)):
    return EscalationOpened(
        change="c1", escalation=NAME, level=row.level, asked=asked, content="k1", round=row.turn, lapse=row.lapse,
        since=text(row.since), at=text(at),
    )  # fmt: skip


def heard(one, at, by="carol"):
    return EscalationAcknowledged(change="c1", escalation=NAME, by=by, lapse=one.lapse, at=text(at))


def tell(one, now, table=TABLE):
    """What is due is told and recorded; the escalation after it, and what was told."""
    rows = due(one, table, now)
    for row in rows:
        one = evolve({NAME: one}, opened(row, now))[NAME]
    return one, rows


def levels(rows):
    return [(row.lapse, row.turn, row.level) for row in rows]


def test_steps_come_one_after_the_other_and_then_again():
    """Each step at its time, the next round after the last step and one acknowledgement's quiet."""
    one, told = fresh(), []
    for minute in range(0, 200, 5):
        one, rows = tell(one, START + minute * MINUTE)
        told += [(minute, row.turn, row.level) for row in rows]
    assert told == [
        (0, 0, 0), (15, 0, 1), (60, 0, 2), (90, 1, 0), (105, 1, 1), (150, 1, 2), (180, 2, 0), (195, 2, 1),
    ]  # fmt: skip
    assert one.state == OPEN


def test_after_the_rounds_the_last_step_is_told_daily():
    """Three repeats, then the last step once a day: an open question is never forgotten."""
    assert TABLE.when(3, 2) == (3 * 90 + 60) * MINUTE
    assert TABLE.when(4, 0) is None
    assert TABLE.when(5, 2) == (3 * 90 + 60) * MINUTE + 2 * DAILY
    one = replace(fresh(), told=frozenset({(3, 0), (3, 1), (3, 2)}))
    assert due(one, TABLE, START + 24 * HOUR) == ()
    assert levels(due(one, TABLE, START + 30 * HOUR)) == [(0, 4, 2)]
    assert next_due(one, TABLE) == START + 330 * MINUTE + DAILY


def test_an_acknowledgement_is_quiet_at_once_and_ends():
    """Acknowledging stops paging at once; when it lapses, the steps begin again."""
    one, _ = tell(fresh(), START)
    one = evolve({NAME: one}, heard(one, START + MINUTE))[NAME]
    assert (one.state, one.by) == (ACKNOWLEDGED, "carol")
    assert due(one, TABLE, START + 30 * MINUTE) == ()
    assert next_due(one, TABLE) == START + 31 * MINUTE
    one, rows = tell(one, START + 31 * MINUTE)
    assert (levels(rows), one.state, one.lapse) == ([(1, 0, 0)], OPEN, 1)
    assert levels(due(one, TABLE, START + 46 * MINUTE)) == [(1, 0, 1)]


def test_a_later_acknowledgement_in_the_same_quiet_makes_it_longer():
    """Two people acknowledge: the quiet ends after the later one."""
    one, _ = tell(fresh(), START)
    known = evolve({NAME: one}, heard(one, START + 20 * MINUTE))
    known = evolve(known, heard(one, START + 5 * MINUTE, by="dave"))
    assert next_due(known[NAME], TABLE) == START + 50 * MINUTE


def test_an_answer_to_an_earlier_lapse_silences_nothing():
    """An old page that is acknowledged late does not stop the new ones, nor does one from nowhere."""
    one, _ = tell(fresh(), START)
    late = heard(one, START + 2 * HOUR)
    one = evolve({NAME: one}, heard(one, START))[NAME]
    one, _ = tell(one, START + 31 * MINUTE)
    assert evolve({NAME: one}, late)[NAME] == one
    assert evolve({}, late) == {}


def test_what_is_resolved_stays_so():
    """An end is an end: no page, no second end, no acknowledgement after it."""
    one, _ = tell(fresh(), START)
    known = fold(
        [
            opened(due(fresh(), TABLE, START)[0], START),
            EscalationResolved(change="c1", escalation=NAME, how="approved", at=text(START + 60)),
            EscalationResolved(change="c1", escalation=NAME, how="landed", at=text(START + 90)),
            heard(one, START + 100),
            opened(due(replace(fresh(), lapse=4), TABLE, START)[0], START + 120),
        ]
    )
    assert (known[NAME].state, known[NAME].how) == (RESOLVED, "approved")
    assert due(known[NAME], TABLE, START + 99 * DAILY) == ()
    assert next_due(known[NAME], TABLE) is None


def test_other_events_say_nothing():
    """What is no escalation changes none."""
    change = proposed()
    assert fold([change, scanned(change)]) == {}


def test_a_long_sleep_tells_each_step_once():
    """After hours without a tick every step is told once, in its newest round."""
    one, rows = tell(fresh(), START + 4 * HOUR)
    assert levels(rows) == [(0, 2, 0), (0, 2, 1), (0, 2, 2)]
    assert tell(one, START + 4 * HOUR)[1] == ()


def test_a_clock_that_goes_back_begins_anew_instead_of_being_silent():
    """A clock that was years ahead and is put right does not silence a question for years; a few seconds do nothing."""
    ahead = START + 3000 * DAILY
    one, _ = tell(fresh(), ahead)
    assert one.newest == ahead
    assert levels(due(one, TABLE, ahead - BACK)) == []
    one, rows = tell(one, START)
    assert (levels(rows), one.since) == ([(1, 0, 0)], START)


def test_the_first_step_may_wait():
    """A first step after a quarter of an hour counts from the decision, not from the first tick."""
    table = Timetable((15 * MINUTE,), 0, 30 * MINUTE)
    assert due(fresh(), table, START + 14 * MINUTE) == ()
    assert next_due(fresh(), table) == START + 15 * MINUTE
    assert levels(due(fresh(), table, START + 15 * MINUTE)) == [(0, 0, 0)]


def test_low_severity_waits_for_working_hours():
    """Law of hours: a page that is due at night goes out when work begins, once."""
    hours = Hours((0, 1, 2, 3, 4), 9 * HOUR, 17 * HOUR)
    table = TABLE._replace(opening=lambda at: opening(hours, UTC, at))
    saturday = instants.seconds_of("2026-11-21T20:00:00Z")
    monday = instants.seconds_of("2026-11-23T09:00:00Z")
    one = escalation.question(NAME, "c1", "k1", saturday)
    assert next_due(one, table) == monday
    assert due(one, table, monday - 1) == ()
    one, rows = tell(one, monday, table)
    assert {row.at for row in rows} == {monday}
    assert sorted(row.level for row in rows) == [0, 1, 2]
    assert due(one, table, monday + 10 * MINUTE) == ()


def test_pages_and_escalations_have_names_that_everybody_computes():
    """Two leaders name the same page alike; another round, target or lapse is another page."""
    row = due(fresh(), TABLE, START)[0]
    names = {
        escalation.page_of(NAME, row, "owners"), escalation.page_of(NAME, row, "oncall"),
        escalation.page_of(NAME, row._replace(turn=1), "owners"), escalation.page_of(NAME, row._replace(lapse=1), "owners"),
    }  # fmt: skip
    assert len(names) == 4
    assert escalation.page_of(NAME, row, "owners") in names
    assert escalation.name_of("c1", "k1", 0) != escalation.name_of("c1", "k1", 1)


def test_an_opening_without_instants_is_still_one():
    """Total: events without times fold."""
    known = fold([EscalationOpened(change="c1", escalation="e", level=0, asked=("carol",))])
    assert (known["e"].since, known["e"].newest, known["e"].asked) == (0, 0, frozenset({"carol"}))


tables = st.builds(
    lambda gaps, repeat, quiet: Timetable(tuple(sum(gaps[: at + 1]) for at in range(len(gaps))), repeat, quiet),
    st.lists(st.integers(1, 7200), min_size=1, max_size=4),
    st.integers(0, 4),
    st.integers(1, 7200),
)
moves = st.lists(st.tuples(st.integers(1, 90_000), st.sampled_from(["tick", "tick", "tick", "ack"])), max_size=40)


@given(tables, moves)
def test_never_silent_never_loud_and_once(table, steps):
    """While open, the next page has a time that is at most a day and an acknowledgement away; after an
    acknowledgement none goes out until it lapses; no step of a round is told twice."""
    one, now, told = fresh(), START, []
    for seconds, what in steps:
        now += seconds
        if what == "ack" and one.told:
            one = evolve({NAME: one}, heard(one, now))[NAME]
        quiet = one.acknowledged is not None and now < one.acknowledged + table.quiet
        one, rows = tell(one, now, table)
        assert not (quiet and rows)
        told += levels(rows)
        following = next_due(one, table)
        assert following is not None
        assert now < following <= now + DAILY + table.after[-1] + table.quiet
    assert len(told) == len(set(told))


@given(tables, st.lists(st.integers(1, 90_000), min_size=1, max_size=25))
def test_ticks_do_not_change_what_is_told_when(table, gaps):
    """Whoever ticks more often tells each step no later, and whoever starts again tells nothing anew."""
    one, now = fresh(), START
    for gap in gaps:
        now += gap
        one, rows = tell(one, now, table)
        assert all(row.at <= now for row in rows)
        assert due(one, table, now) == ()


@given(tables, st.integers(0, 400_000))
def test_next_due_is_when_it_is_due(table, seconds):
    """Nothing is due a second before the time that is told, and something is at it."""
    one, _ = tell(fresh(), START + seconds, table)
    following = next_due(one, table)
    assert due(one, table, following - 1) == ()
    assert due(one, table, following) != ()


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 400), st.booleans())
def test_time_admits_nothing(turns, days, late):
    """Law 38: pages, acknowledgements and deadlines never turn what was not admitted into an admission."""
    change = proposed(files=())
    events = [
        EscalationOpened(change="c1", escalation=NAME, level=turn, asked=("carol", "dave"), at=NOON) for turn in turns
    ]
    events += [EscalationAcknowledged(change="c1", escalation=NAME, by="carol", at=NOON) for _ in turns]
    if late:
        events.append(DeadlinePassed(change="c1", content_key=change.content_key, due=NOON, at=NOON))
    at = instants.later(NOON, days * DAILY)
    assert verdict(change, *events, at=at).outcome != ADMITTED
    assert verdict(change, *events, approved("bob", change), at=at, policy=law()).outcome != ADMITTED


@pytest.mark.parametrize("how", escalation.HOWS)
def test_every_way_to_end_ends(how):
    """Each of the ways that an escalation may end by resolves it."""
    one, _ = tell(fresh(), START)
    known = evolve({NAME: one}, EscalationResolved(change="c1", escalation=NAME, how=how, at=text(START)))
    assert known[NAME].state == RESOLVED
