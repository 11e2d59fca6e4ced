"""Rotations partition time, in every zone and over every change of its clocks; working hours follow the wall clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules import instants, zones
from rules.instants import DAY
from rules.rotations import DAILY, TURNS, WEEKDAY, WEEKLY, Override, Rotation, on_call
from rules.zones import UTC, Hours, Offset, instant, local, offset_at, opening
from streams import clock

NOW = instants.seconds_of("2026-06-15T12:00:00Z")
NAMES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
TABLES = clock.zones(NAMES, NOW)
WEEK = ("mo", "tu", "we", "th", "fr", "sa", "su")


def at(text):
    return instants.seconds_of(text)


def wall(text):
    return instants.seconds_of(text + ":00Z")


rotations = st.builds(
    lambda people, turn, zone, handover, start: Rotation(
        WEEK if turn == WEEKDAY else tuple(people), turn, zone, handover, start
    ),
    st.lists(st.sampled_from(["ann", "ben", "cid"]), min_size=1, max_size=4),
    st.sampled_from(TURNS),
    st.sampled_from(NAMES),
    st.integers(0, 86_340),
    st.integers(19_000, 21_000),
)
moments = st.integers(NOW - 300 * DAY, NOW + 300 * DAY)


@given(rotations, moments)
@example(Rotation(("ann", "ben"), DAILY, "Europe/Berlin", 9000), at("2026-10-25T00:45:00Z"))
@example(Rotation(("ann", "ben"), DAILY, "America/New_York", 9000), at("2026-03-08T07:00:00Z"))
def test_every_instant_has_exactly_one_turn(rotation, now):
    """The turns before and after follow without a gap and without an overlap, also where clocks change."""
    table = TABLES[rotation.zone]
    duty = on_call(rotation, table, now)
    assert duty.since <= now < duty.until
    assert duty.person in rotation.people
    assert on_call(rotation, table, duty.since) == on_call(rotation, table, duty.until - 1) == duty
    assert on_call(rotation, table, duty.until).since == duty.until
    assert on_call(rotation, table, duty.since - 1).until == duty.since


@given(rotations, moments)
def test_a_handover_is_where_the_wall_clock_says(rotation, now):
    """At the end of a turn the wall clock shows the handover, or has just skipped it."""
    table = TABLES[rotation.zone]
    until = on_call(rotation, table, now).until
    shown = local(table, until) % DAY
    gap = (shown - rotation.handover) % DAY
    assert gap == 0 or (gap <= 2 * 3600 and offset_at(table, until) > offset_at(table, until - 1))


@given(rotations, moments, st.lists(st.tuples(moments, st.integers(1, 20 * DAY)), max_size=4))
def test_overrides_stand_while_they_last(rotation, now, spans):
    """Somebody stands in exactly from `from` until `until`; elsewhere the turn is as if there were no override."""
    table = TABLES[rotation.zone]
    overrides = tuple(Override(f"o{index}", local(table, start), local(table, start) + length)
                      for index, (start, length) in enumerate(spans))  # fmt: skip
    duty = on_call(rotation._replace(overrides=overrides), table, now)
    covering = [row for row in overrides if instant(table, row.start) <= now < instant(table, row.end)]
    plain = on_call(rotation, table, now)
    assert duty.person == (covering[-1].person if covering else plain.person)
    assert duty.why == ("override" if covering else "turn")
    assert duty.since <= now < duty.until
    edges = {instant(table, edge) for row in overrides for edge in (row.start, row.end)}
    assert not any(duty.since < edge < duty.until for edge in edges)


def test_weekly_turns_hand_over_on_the_day_of_the_start():
    """The first of the people took over on the day of `start`; the week begins with that weekday."""
    rotation = Rotation(("ann", "ben"), WEEKLY, "UTC", 9 * 3600, at("2026-01-07T00:00:00Z") // DAY)
    assert on_call(rotation, UTC, at("2026-01-07T09:00:00Z")).person == "ann"
    assert on_call(rotation, UTC, at("2026-01-14T08:59:59Z")).person == "ann"
    assert on_call(rotation, UTC, at("2026-01-14T09:00:00Z")).person == "ben"
    assert on_call(rotation, UTC, at("2026-01-07T08:59:59Z")).person == "ben"


def test_by_weekday_everybody_has_their_day():
    """Seven names from Monday on."""
    rotation = Rotation(WEEK, WEEKDAY, "UTC", 0)
    found = [on_call(rotation, UTC, at("2026-11-16T12:00:00Z") + day * DAY).person for day in range(7)]
    assert found == list(WEEK)


def test_an_hour_that_comes_twice_is_handed_over_once():
    """At the end of summer time, 02:30 comes twice in Berlin: the handover is the first of them."""
    rotation = Rotation(("ann", "ben"), DAILY, "Europe/Berlin", 2 * 3600 + 1800)
    table = TABLES["Europe/Berlin"]
    found = [on_call(rotation, table, at("2026-10-25T00:00:00Z") + minute * 60).person for minute in range(120)]
    assert found == [found[0]] * 30 + [found[-1]] * 90
    assert found[0] != found[-1]


def test_an_hour_that_is_skipped_is_handed_over_when_it_is():
    """At the beginning of summer time, 02:30 does not come in Berlin: the handover is at 03:00, 01:00 UTC."""
    rotation = Rotation(("ann", "ben"), DAILY, "Europe/Berlin", 2 * 3600 + 1800)
    assert on_call(rotation, TABLES["Europe/Berlin"], at("2026-03-29T00:59:59Z")).until == at("2026-03-29T01:00:00Z")


def test_who_has_left_is_passed_over():
    """The next in turn stands in for who has left; where all have left, nobody is on call and the override of one is none."""
    rotation = Rotation(
        ("ann", "ben", "cid"),
        DAILY,
        "UTC",
        0,
        19_723,
        (Override("ann", wall("2026-06-15T00:00"), wall("2026-06-16T00:00")),),
    )
    duty = on_call(rotation, UTC, NOW, {"cid"})
    assert (duty.person, duty.why) == ("cid", "turn")
    assert set(duty.left) <= {"ann", "ben"}
    empty = on_call(rotation, UTC, NOW, ())
    assert (empty.person, set(empty.left)) == ("", {"ann", "ben", "cid"})
    assert on_call(rotation, UTC, NOW, {"ann"}).why == "override"


@given(st.sampled_from(NAMES), moments)
def test_tables_agree_with_the_time_zone_data(name, now):
    """streams.clock writes what zoneinfo says."""
    zone = ZoneInfo(name)
    assert offset_at(TABLES[name], now) == datetime.fromtimestamp(now, zone).utcoffset().total_seconds()


def test_a_zone_that_nobody_knows_is_left_out():
    """An unknown name gives no table; reading it as UTC is for the caller to say."""
    assert clock.zones(["Europe/Berln", "UTC", "../../etc/passwd"], NOW) == {"UTC": UTC}
    assert clock.zones(["Europe/Berlin"], 0)["Europe/Berlin"]
    assert clock.zones(["Europe/Berlin"], 253_402_300_799)["Europe/Berlin"]


@given(st.sampled_from(NAMES), moments)
def test_an_instant_is_the_first_that_shows_the_time(name, now):
    """`instant` is the first second at which the wall clock has reached it."""
    table = TABLES[name]
    shown = local(table, now)
    first = instant(table, shown)
    assert first <= now
    assert local(table, first) >= shown
    assert all(local(table, before) < shown for before in range(first - 4 * 3600, first, 600))


def test_before_the_first_row_the_first_offset_holds():
    """A table's first offset is that of all time before it."""
    table = (Offset(NOW, 3600), Offset(NOW + 100, 7200))
    assert offset_at(table, NOW - 5) == 3600
    assert instant(table, NOW - 1000) == NOW - 4600
    assert instant(table, NOW + 100 + 5000) == NOW + 100


@given(
    st.sampled_from(NAMES),
    moments,
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 86_000),
    st.integers(1, 86_400),
)
def test_working_hours_open_when_people_work(name, now, days, start, length):
    """The opening is now where people work now, else the first instant after it at which they do."""
    hours = Hours(tuple(sorted(days)), start, min(start + length, DAY), name)
    table = TABLES[name]
    opened = opening(hours, table, now)
    assert now <= opened <= now + 8 * DAY + 7200
    assert opening(hours, table, opened) == opened


def test_working_hours_of_a_week():
    """Friday evening opens on Monday morning, local time; noon is open."""
    hours = Hours((0, 1, 2, 3, 4), 9 * 3600, 17 * 3600, "Europe/Berlin")
    table = TABLES["Europe/Berlin"]
    assert opening(hours, table, at("2026-06-12T15:00:00Z")) == at("2026-06-15T07:00:00Z")
    assert opening(hours, table, at("2026-06-12T14:59:59Z")) == at("2026-06-12T14:59:59Z")


def test_hours_that_never_open_hold_nothing():
    """Where no working hour is to be found, a page goes out at once."""
    assert opening(Hours((), 0, 3600), UTC, NOW) == NOW


@pytest.mark.parametrize(("day", "name"), [(0, 3), (19_723, 0), (-1, 2)])
def test_weekdays(day, name):
    """1970-01-01 was a Thursday, 2024-01-01 a Monday."""
    assert zones.weekday(day) == name
