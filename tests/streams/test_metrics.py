"""Numbers of integrity, worked out from the record (DESIGN 9)."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from rules.events import EVENTS, DecisionMade, WaiverGranted
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.metrics import Meter, measured
from streams.metrics_journal import TAKEN
from streams.metrics_text import BUCKETS, Exporter, text
from streams.sinks.alerts.dispatch import Dispatcher, Parcel
from tests.streams import alerting, story
from tests.streams.story import at, week

LATER = at(400)


@pytest.fixture(scope="module")
def values():
    return measured(week(), LATER)


def test_changes_are_counted_by_what_became_of_them(values):
    """Where each stands now, and how many decisions it took."""
    assert values.changes == {"merged": 1, "escalated": 1, "admitted": 2, "pending": 1, "withdrawn": 1}
    assert values.decisions == {"pending": 2, "admitted": 3, "escalated": 1}


def test_times_run_from_the_first_proposal(values):
    """To a decision that is not pending, to admission, to landing; from the first page to the first acknowledgement."""
    minutes = [sorted(seconds // 60 for seconds in times) for times in values[2:6]]
    assert minutes == [[0, 10, 30, 30], [10, 30, 30], [40], [18]]


def test_recusals_are_counted_by_axis(values):
    """One review of an author's model is one on each axis where it is the same."""
    assert values.recusals == {"model": 1, "family": 1}


def test_waivers_in_force_are_debt_with_an_age(values):
    """By kind, with the age of the oldest."""
    assert values.waivers == {"finding": 1, "break-glass": 1}
    assert values.oldest_waiver == 270 * 60


def test_a_waiver_that_expired_or_does_not_count_is_no_debt():
    """Nor one that no decision counts: it may be of somebody who may not waive."""
    event, row = story.waived("a", 0, finding="x", days=1)
    counted = [story.proposed("a", 0), event, story.decided("a", "admitted", 1, reviews=[row])]
    assert measured(counted, at(1439)).waivers == {"finding": 1}
    assert measured(counted, at(1441)).waivers == {}
    refused = [story.proposed("a", 0), event, story.decided("a", "escalated", 1, reviews=[{**row, "counts": False}])]
    assert measured(refused, at(10)).waivers == {}
    assert measured([event], at(10)).waivers == {}


def test_a_break_glass_is_debt_until_somebody_reviewed_it():
    """Law 35: it outlives its expiry, and a decision that no longer counts it."""
    event, row = story.waived("g", 0, glass=True, days=1)
    broken = [
        story.proposed("g", 0),
        event,
        story.decided("g", "admitted", 1, reviews=[row]),
        story.asked("g", 2, "alice"),
    ]
    assert measured(broken, at(9999)).waivers == {"break-glass": 1}
    late = story.decided("g", "escalated", 3000, reviews=[{**row, "counts": False}])
    assert measured([*broken, late], at(9999)).waivers == {"break-glass": 1}
    assert measured([*broken, story.answered("g", 60, "reviewed")], at(9999)).waivers == {}
    looked = story.decided("g", "admitted", 60, reviews=[row, story.review("alice")])
    assert measured([*broken, looked], at(9999)).waivers == {}
    refused = [story.proposed("g", 0), event, story.decided("g", "escalated", 1, reviews=[row])]
    assert measured(refused, at(2)).waivers == {}


def test_what_nobody_independent_read_is_counted(values):
    """Let in by a waiver alone; what a solo profile lets its own author approve counts, too."""
    assert values.unread == 2
    alone = [story.decided("s", "admitted", 1, reviews=[story.review("bob")], stamps=["not independent"])]
    assert measured(alone, LATER).unread == 1
    forced = [story.decided("f", "blocked", 1), story.ChangeMerged(change="f", content_key="f", commit="c", at=at(2))]
    assert measured(forced, LATER).unread == 1


def test_provenance_is_a_share_of_what_was_decided(values):
    """A change that is undeclared, or that nobody answers for, does not say who made it."""
    assert values.provenance == (4, 5)
    missing = [story.decided("m", "escalated", 1, reasons=[story.reason("provenance.missing", "c")])]
    assert measured(missing, LATER).provenance == (0, 1)


def test_hasty_approvals_and_open_questions(values):
    """The oldest question counts from its first page, acknowledged or not."""
    assert values.hasty == 1
    assert values.escalations == {"acknowledged": 1, "open": 1}
    assert values.oldest_escalation == (400 - 62) * 60


def test_nothing_recorded_is_nothing_counted():
    """An empty record gives numbers, not errors."""
    empty = measured([], LATER)
    assert (empty.changes, empty.provenance, empty.oldest_waiver, empty.unread) == ({}, (0, 0), 0, 0)
    assert b"twohand_changes_with_provenance_ratio 1.0" in text(empty)


@pytest.mark.parametrize("broken", ["", "[]", "{}", "null", '{"reviews":[{}]}', '{"reasons":[1]}', "[" * 9999])
def test_a_record_that_is_not_readable_still_has_its_outcome(broken):
    """One damaged decision does not take all numbers away."""
    event = DecisionMade(change="x", content_key="x", outcome="blocked", decision=broken, at=at(0))
    found = measured([story.proposed("x", 0), event], LATER)
    assert found.changes == {"blocked": 1}
    assert found.to_decision == (0,)


def test_a_clock_that_went_back_gives_no_negative_time():
    """An event before its cause took no time."""
    assert measured([story.proposed("x", 10), story.decided("x", "admitted", 0)], at(0)).to_approval == (0,)


@given(st.permutations(week()))
def test_any_order_of_events_gives_numbers(events):
    """A merged record of several sources raises nothing, and counts every change once."""
    found = measured(events, LATER)
    assert sum(found.changes.values()) >= 5
    assert sum(found.decisions.values()) == 6
    assert all(span >= 0 for spans in found[2:6] for span in spans)


def test_every_event_is_taken():
    """No type of event is an error, whatever it holds."""
    meter = Meter()
    for kind in EVENTS:
        needed = {f.name: "x" for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
        meter.take(kind(**needed))
    assert meter.values(LATER).decisions == {"x": 1}


def test_no_other_event_changes_a_number():
    """What is not read of the record would say nothing."""
    for kind in set(EVENTS) - set(TAKEN):
        meter = Meter()
        meter.take(kind(**{f.name: "x" for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}))
        assert meter.values(LATER) == Meter().values(LATER)


def families(exported):
    return {family.name: family for family in text_string_to_metric_families(exported.decode())}


def sample(exported, name, **labels):
    [value] = [
        one.value
        for family in families(exported).values()
        for one in family.samples
        if (one.name, one.labels) == (name, labels)
    ]
    return value


def test_the_text_is_prometheus_own_format(values):
    """Parsed by its own parser: names, labels, buckets that add up."""
    exported = text(values)
    assert sample(exported, "vcs_change_count", vcs_change_state="escalated") == 1
    assert sample(exported, "twohand_waivers", kind="break-glass") == 1
    assert sample(exported, "twohand_recusals", axis="operator") == 0
    assert sample(exported, "vcs_change_time_to_approval_seconds_count") == 3
    assert sample(exported, "vcs_change_time_to_approval_seconds_sum") == 70 * 60
    buckets = [
        sample(exported, "vcs_change_time_to_approval_seconds_bucket", le=le) for le in (*map(str, BUCKETS), "+Inf")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3


def test_an_exporter_reads_only_what_is_new_and_notices_another_file(tmp_path):
    """The same numbers as from the beginning; a restored backup is read anew."""
    path = tmp_path / "journal.db"
    exporter = Exporter(path, now=lambda: LATER)
    assert b"vcs_change_count" in exporter()
    events = week()
    with Journal(path) as journal:
        journal.append(events[:8])
        half = exporter()
        journal.append(events[8:])
    whole = exporter()
    assert half != whole
    assert whole == Exporter(path, now=lambda: LATER)()
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with Journal(path) as journal:
        journal.append(events[:4])
    assert exporter() == Exporter(path, now=lambda: LATER)()


def test_messages_that_nobody_took_are_seen(tmp_path):
    """By route: what waits, since when, and how often it failed."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        outbox = JournalOutbox(journal)
        outbox.put(Parcel("p", 0, "oncall", alerting.message()))
        Dispatcher({}, outbox).run(0)
        Dispatcher({}, outbox).run(2_000_000_000)
    exported = Exporter(path, now=lambda: "2026-11-21T14:10:00Z")()
    assert sample(exported, "twohand_alerts_waiting", route="oncall") == 1
    assert sample(exported, "twohand_alert_oldest_waiting_seconds") == 600
    assert sample(exported, "twohand_alerts_failed_attempts", route="oncall") == 2


def test_unsigned_words_are_no_waivers():
    """A body that is no statement counts nowhere."""
    meter = Meter()
    meter.take(WaiverGranted(change="x", content_key="x", statement="{}", signature="", at=at(0)))
    assert meter.waivers == {}
