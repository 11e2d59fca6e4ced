"""What timers do over every record: test_timers.py runs this over the journal, tests/kafka/test_escalator_timers.py over the case store.

`journal` is an empty record, `another()` opens the same one again, `empty()` makes one more.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import strategies as st

from rules import instants
from rules.escalation import BACK, DAILY
from rules.events import (
    ChangeMerged,
    ChangeWithdrawn,
    DecisionMade,
    EscalationOpened,
    EscalationResolved,
)
from streams import answers
from streams.answers import AckRefused, Word, hear
from streams.engines.journal import Journal
from streams.engines.outbox import LEASE, JournalOutbox
from streams.service import Service
from streams.sinks.alerts.answers import Heard
from streams.sinks.alerts.dispatch import Outcome
from streams.sinks.alerts.message import Message
from streams.timers import Timers
from tests.streams.asked import ALERTS, POLICY, START, answered, change

ROOT = Path(__file__).parents[2]
MINUTE = 60


def messages(journal: Journal) -> list[Message]:
    return [parcel.message for parcel, _, _ in JournalOutbox(journal).letters()]


def kinds(journal: Journal) -> list[str]:
    return [message.kind for message in messages(journal)]


def after(minutes: float) -> str:
    return instants.later(START, int(minutes * MINUTE))


def only(journal: Journal):
    (one,) = answers.escalations(journal).values()
    return one


def ends(journal: Journal) -> list[str]:
    return [event.how for event in journal.events() if isinstance(event, EscalationResolved)]


def test_steps_ask_others_in_their_time(journal):
    """Owners first, who is on call after a quarter of an hour, the last step after an hour; the record says who was asked."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    for minute in (0, 5, 14, 15, 16, 59, 60, 61):
        timers.run(after(minute))
    asked = [(event.at, event.level, event.asked) for event in journal.events() if isinstance(event, EscalationOpened)]
    on_call = asked[1][2]
    assert asked == [(START, 0, ("carol",)), (after(15), 1, on_call), (after(60), 2, ("bob",))]
    assert len(on_call) == 1
    assert [message.at for message in messages(journal)] == [START, after(15), after(60)]


def test_an_acknowledgement_stops_paging_and_lapses(journal):
    """No page while it lasts; then the steps begin again and say until when it was quiet; routes hear of it."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    timers.run(START)
    hear(journal, Word(only(journal).name, "carol", "page"), after(1))
    for minute in range(2, 31, 4):
        timers.run(after(minute))
    assert kinds(journal) == ["open", "acknowledged"]
    assert (messages(journal)[1].at, messages(journal)[1].until) == (after(1), after(31))
    timers.run(after(31))
    assert kinds(journal) == ["open", "acknowledged", "remind"]
    assert messages(journal)[2].until == after(31)
    hear(journal, Word(only(journal).name, "carol", "page"), after(32))
    timers.run(after(61))
    assert kinds(journal) == ["open", "acknowledged", "remind", "acknowledged"]
    timers.run(after(62))
    assert kinds(journal)[-1] == "remind"


def test_an_acknowledgement_of_this_very_moment_is_heard(journal):
    """What is recorded between the look and the page stops the page."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    timers.run(START)
    hear(journal, Word(only(journal).name, "carol", "page"), after(14))
    assert timers._tell(instants.seconds_of(after(15))) == (0, True)
    timers.run(after(15))
    assert kinds(journal) == ["open", "acknowledged"]


@pytest.mark.parametrize(
    ("outcome", "how"), [("admitted", "approved"), ("blocked", "refused"), ("pending", "answered")]
)
def test_a_decision_ends_it(journal, outcome, how):
    """Whoever answers ends the question, and where it was told it is told so."""
    events = change(1)
    journal.append(events)
    timers = Timers(journal, ALERTS)
    timers.run(START)
    journal.append([answered(events, outcome, after(1))])
    timers.run(after(1))
    timers.run(after(1.5))
    assert ends(journal) == [how]
    assert kinds(journal) == ["open", "resolved"]
    assert how in messages(journal)[1].what


def test_rework_withdrawal_and_landing_end_it(journal):
    """Another head, a withdrawal, and what landed by another way each end it; a new head asks anew."""
    timers = Timers(journal, ALERTS)
    journal.append([*change(1), *change(2), *change(3)])
    timers.run(START)
    again = [event.__class__(**{**_fields(event), "change": "change-1"}) for event in change(4, after(1))]
    journal.append(again)
    journal.append([ChangeWithdrawn(change="change-2", by="bob", at=after(1))])
    key = change(3)[0].content_key
    journal.append([ChangeMerged(change="change-3", content_key=key, commit="c" * 40, at=after(1))])
    timers.run(after(1))
    assert sorted(ends(journal)) == ["landed", "reworked", "withdrawn"]
    assert [one.state for one in answers.escalations(journal).values()] == ["resolved"] * 3 + ["open"]


def _fields(event):
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


def test_two_leaders_tell_everything_once(journal, another):
    """Three services over one record: each step is recorded once and has one letter."""
    journal.append([event for number in range(40) for event in change(number)])
    together = Barrier(3, timeout=60)

    def lead() -> None:
        with another() as mine:
            timers = Timers(mine, ALERTS)
            for minute in (0, 15, 60, 90):
                together.wait()
                timers.run(after(minute))

    with ThreadPoolExecutor(3) as pool:
        leaders = [pool.submit(lead) for _ in range(3)]
    assert [leader.result() for leader in leaders] == [None] * 3
    steps = Counter(
        (event.escalation, event.lapse, event.round, event.level)
        for event in journal.events()
        if isinstance(event, EscalationOpened)
    )
    told = Counter(message.event for message in messages(journal))
    assert set(steps.values()) == set(told.values()) == {1}
    assert len(steps) == len(told) == 40 * 4


def test_a_restart_goes_on_where_it_stopped(empty):
    """Every tick in a process of its own gives the same record as one that never stopped."""
    records = []
    for restart in (True, False):
        with empty() as journal:
            journal.append(change(1))
            timers = Timers(journal, ALERTS)
            for minute in range(0, 200, 7):
                timers = Timers(journal, ALERTS) if restart else timers
                timers.run(after(minute))
            records.append([(message.event, message.at) for message in messages(journal)])
    assert records[0] == records[1]
    assert len(records[0]) == 8


def test_a_clock_that_jumps(journal):
    """Ahead: each step is told once, in its newest round. Back: a little is waited for, much begins the steps anew."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    timers.run(START)
    timers.run(after(3 * 24 * 60))
    assert len(kinds(journal)) == 4
    timers.run(instants.later(after(3 * 24 * 60), -BACK))
    assert len(kinds(journal)) == 4
    timers.run(after(30))
    assert (len(kinds(journal)), only(journal).lapse) == (5, 1)
    timers.run(after(46))
    assert len(kinds(journal)) == 6


def test_a_storm_is_one_page_and_a_digest(journal):
    """Fifty changes of one session page the owner once; ten minutes later one digest names the other forty-nine."""
    events = [event for number in range(50) for event in change(number, session="claude-web:1")]
    journal.append([*events, *change(99, session="claude-web:2")])
    timers = Timers(journal, ALERTS)
    timers.run(START)
    assert Counter(kinds(journal)) == {"open": 2}
    timers.run(after(9))
    assert Counter(kinds(journal)) == {"open": 2}
    timers.run(after(10))
    assert Counter(kinds(journal)) == {"open": 2, "digest": 1}
    digest = messages(journal)[-1]
    assert (digest.what, digest.names()) == ("49 changes wait for carol", "carol")
    assert {len(one.asked) for one in answers.escalations(journal).values()} == {1}


def test_what_ended_is_left_out_of_the_digest(journal):
    """Answered, acknowledged and withdrawn questions are in no digest; its end is told when the last of it has ended."""
    everything = {number: change(number, session="s:1") for number in range(4)}
    journal.append(event for events in everything.values() for event in events)
    timers = Timers(journal, ALERTS)
    timers.run(START)
    held = [one for one in answers.escalations(journal).values() if not _was_told(journal, one.name)]
    assert len(held) == 3
    hear(journal, Word(held[0].name, "carol", "page"), after(1))
    timers.run(after(10))
    assert messages(journal)[-1].what == "2 changes wait for carol"
    numbers = {f"change-{number}": number for number in everything}
    for minute, one in enumerate(held[1:], start=11):
        journal.append([answered(everything[numbers[one.change]], "admitted", after(minute))])
        timers.run(after(minute))
        assert (kinds(journal)[-1] == "resolved") == (minute == 12)


def _was_told(journal: Journal, name: str) -> bool:
    return any(message.dedup == name for message in messages(journal))


def test_an_answer_to_a_digest_answers_all_of_it_once(journal):
    """Who acknowledges the digest where they were paged has acknowledged every question in it; the same answer counts once."""
    journal.append(event for number in range(3) for event in change(number, session="s:1"))
    timers = Timers(journal, ALERTS)
    timers.run(START)
    timers.run(after(10))
    digest = messages(journal)[-1]
    heard = [Heard(digest.dedup, "Carol C.", after(11), "pager", "silence-1"), Heard("nobody", "x", "", "pager", "2")]
    assert answers.elsewhere(journal, heard, after(11)) == 2
    timers.run(after(11))
    assert Counter(one.state for one in answers.escalations(journal).values()) == {"acknowledged": 2, "open": 1}
    timers.run(after(60))
    assert answers.elsewhere(journal, heard, after(60)) == 0
    assert "acknowledged" not in {one.state for one in answers.escalations(journal).values()}


def test_low_severity_waits_for_the_morning(journal):
    """What only lacks an approval is told in working hours; what concerns owners is told at once."""
    hours = 'hours = { days = ["mon", "tue"], from = "09:00", until = "17:00", zone = "Europe/Berlin" }\nsteps'
    policy = POLICY.replace("steps", hours).replace('from = ["owner"]', 'from = ["human"]').replace(
        "[escalation]", '[escalation]\ndeadline = "0s"'
    )  # fmt: skip
    saturday = "2026-01-03T12:00:00Z"
    journal.append(change(1, saturday, policy=policy))
    timers = Timers(journal, ALERTS)
    timers.run(saturday)
    assert [event.outcome for event in journal.events() if isinstance(event, DecisionMade)] == ["pending", "escalated"]
    timers.run("2026-01-05T07:59:59Z")
    assert kinds(journal) == []
    timers.run("2026-01-05T08:00:00Z")
    assert (messages(journal)[0].kind, messages(journal)[0].severity) == ("open", "warning")


def test_an_open_question_is_never_forgotten(journal):
    """After all rounds the last step is told every day, for weeks."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    for hour in range(24 * 21):
        timers.run(after(60 * hour))
    at = [instants.seconds_of(event.at) for event in journal.events() if isinstance(event, EscalationOpened)]
    assert max(later - before for before, later in pairwise(at)) <= DAILY
    assert len(at) == 12 + 20


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["tick", "tick", "tick", "tick", "ack", "answer", "restart", "back"]),
        st.integers(0, 2),
        st.integers(1, 40_000),
    ),
    max_size=25,
)


def whatever_happens(empty, steps):
    """Opening, acknowledging, answering, restarts and clocks that go back in any order: each message once, none in the
    quiet of an acknowledgement, none after the end, and whatever is open has a next page at most a day and an hour away."""
    with empty() as journal:
        timers, now, answered_already = Timers(journal, ALERTS), instants.seconds_of(START), set()
        quiet: dict[str, int] = {}
        for number in range(3):
            journal.append(change(number, START, session="s:1" if number else ""))
        for what, number, seconds in steps:
            now += -seconds if what == "back" else seconds
            quiet = {} if what == "back" else quiet
            at = instants.text_of(now)
            before = {message.event for message in messages(journal)}
            known = {one.change: one for one in answers.escalations(journal).values()}
            one = known.get(f"change-{number}")
            if what == "ack" and one and not one.how:
                try:
                    hear(journal, Word(one.name, f"p{now}", "page"), at)
                    quiet[one.name] = now + 1800
                except AckRefused:
                    pass
            if what == "answer" and number not in answered_already:
                answered_already.add(number)
                journal.append([answered(change(number, START, session="s:1" if number else ""), "admitted", at)])
            timers = Timers(journal, ALERTS) if what == "restart" else timers
            timers.run(at)
            told = [message for message in messages(journal) if message.event not in before]
            for message in told:
                if message.kind in ("open", "remind") and what != "back":
                    assert quiet.get(message.dedup, 0) <= now
                    assert message.change.removeprefix("change-") not in map(str, answered_already)
        events = Counter(message.event for message in messages(journal))
        assert set(events.values()) <= {1}
        open_now = [one for one in answers.escalations(journal).values() if not one.how]
        due = dict(journal.ask("select name, due from timer where name < '~'"))
        assert all(due[one.name] <= now + DAILY + 2 * 3600 for one in open_now)


def test_a_letter_is_nobody_elses_while_it_is_sent(journal):
    """Two senders never hold the same letter; one whose sender died is taken up again, with the same event."""
    journal.append([*change(1), *change(2)])
    Timers(journal, ALERTS).run(START)
    outbox, now = JournalOutbox(journal), instants.seconds_of(START)
    first = outbox.due(now)
    assert (len(first), outbox.due(now)) == (2, [])
    outbox.settle(Outcome(first[0], "owners"))
    outbox.settle(Outcome(first[1], "", "it is down", now + 30))
    assert [parcel.attempts for parcel in outbox.due(now + 30)] == [1]
    again = outbox.due(now + 30 + LEASE)
    assert [parcel.message.event for parcel in again] == [first[1].message.event]
    outbox.settle(Outcome(again[0], "pager", "it is down", now + 500))
    assert outbox.next_due() == now + 500
    assert outbox.stand_ins(first[1].message.dedup, "owners") == ["pager"]
    outbox.settle(Outcome(again[0], "", "it never will"))
    assert [state for _, state, _ in outbox.letters()] == ["sent", "failed"]


def test_a_damaged_letter_holds_up_no_other(journal):
    """A letter that cannot be read is filed as failed, and the others are sent."""
    journal.append([*change(1), *change(2)])
    service = Service(journal, ALERTS, now=lambda: START)
    service.timers.run(START)
    with journal.transaction() as db:
        db.execute("update outbox set message = '{}' where number = 1")
    assert [outcome.by for outcome in service.round().sent] == ["owners"]
    assert journal.ask("select state, count(*) from outbox group by state order by 1") == [("failed", 1), ("sent", 1)]


def test_routes_that_forget_are_told_again(journal):
    """What is open stays in `standing` until it is resolved."""
    events = change(1)
    journal.append(events)
    service = Service(journal, ALERTS, now=lambda: START)
    service.round()
    assert [(route, message.kind) for route, message in service.outbox.standing(["owners"])] == [("owners", "open")]
    journal.append([answered(events, "admitted", after(1))])
    service.timers.run(after(1))
    assert service.outbox.standing(["owners", "other"]) == []


def test_an_acknowledgement_needs_an_open_question(journal):
    """Unknown, ambiguous and resolved escalations, and the same words twice, are refused with what to do."""
    events = change(1)
    journal.append(events)
    timers = Timers(journal, ALERTS)
    timers.run(START)
    name = only(journal).name
    for wrong in ("", "zz"):
        with pytest.raises(AckRefused, match="No escalation"):
            hear(journal, Word(wrong, "carol", "page"), after(1))
    hear(journal, Word(name[:8], "carol", "page"), after(1))
    with pytest.raises(AckRefused, match="already"):
        hear(journal, Word(name, "carol", "page"), after(2))
    hear(journal, Word(name, "bob", "page"), after(2))
    with pytest.raises(AckRefused, match="earlier page"):
        hear(journal, Word(name, "dave", "page", lapse=7), after(2))
    journal.append([answered(events, "admitted", after(3))])
    timers.run(after(3))
    with pytest.raises(AckRefused, match="is over: approved"):
        hear(journal, Word(name, "dave", "page"), after(4))


def test_the_first_start_leaves_old_questions_alone(journal):
    """What was given up months ago wakes nobody; what was refused yesterday does, and everything after a first start."""
    journal.append([*change(1, instants.later(START, -90 * DAILY)), *change(2, instants.later(START, -DAILY))])
    Timers(journal, ALERTS).run(START)
    assert {message.change for message in messages(journal)} == {"change-2"}
    journal.append(change(3, after(1)))
    Timers(journal, ALERTS).run(instants.later(START, 30 * DAILY))
    assert {message.change for message in messages(journal)} == {"change-2", "change-3"}
