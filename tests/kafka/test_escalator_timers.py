"""Timers over the case store do what they do over a journal; and what only the escalator has: it never decides."""

from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from psycopg.errors import InsufficientPrivilege

from rules import instants
from rules.escalation import DAILY
from rules.events import DecisionMade, EscalationAcknowledged, EscalationOpened, EscalationResolved, type_name
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.cases.connection import StoreUnusable
from streams.engines.kafka.cases.store import Arrival, Batch, Store
from streams.service import Service
from streams.timers import Timers
from tests.kafka.casebooks import Played
from tests.kafka.processes import ROOT
from tests.streams.asked import ALERTS, START, change
from tests.streams.timers_contract import *  # noqa: F403 - the suite over this record
from tests.streams.timers_contract import MOVES, after, kinds, messages, only, whatever_happens

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def url(postgres):
    url = postgres.fresh("timers")
    with Store(url) as store:
        store.migrate()
    return url


@pytest.fixture
def another(url):
    return lambda: Played(url)


@pytest.fixture
def empty(another):
    """The case store, emptied; what the escalator said of itself is never a decision."""

    @contextmanager
    def made():
        with another() as opened:
            opened.clear()
            yield opened
            kinds = {row[0] for row in opened.ask("select distinct type from said")}
            assert not [kind for kind in kinds if "escalation" not in kind and "deadline" not in kind]

    return made


@pytest.fixture
def journal(empty):
    with empty() as opened:
        yield opened


@given(MOVES)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_nobody_is_told_twice_and_nothing_is_forgotten(empty, steps):
    """Opening, acknowledging, answering, restarts and clocks that go back, in any order."""
    whatever_happens(empty, steps)


def test_the_escalator_cannot_decide(journal):
    """Law 38: only what its topic carries can be said."""
    with pytest.raises(ValueError, match="the escalator does not say"), journal.transaction() as db:
        journal.append_in(db, [DecisionMade(change="c", content_key="k", outcome="admitted", decision="{}")])


def test_a_database_role_separates_the_powers(journal, url):
    """With the grants of docs/kafka.md each does all its work, and neither can do the other's (law 19)."""
    said = (ROOT / "docs/kafka.md").read_text().partition("```sql\n")[2].partition("```")[0]
    with journal.transaction() as db:
        for line in said.replace(" password '...'", "").split(";")[:-1]:
            db.execute(line)
    proposed = change(1)
    with Store(url.replace("twohand@", "decider@")) as store:
        store.take(Batch([Arrival.of(event) for event in proposed[:2]]), lambda: START)
        with pytest.raises(InsufficientPrivilege):
            store._db.execute("insert into escalator.said values (1, 'x', 'x', 'x', 'x', 'x')")
    with Casebook(url.replace("twohand@", "escalator@")) as book:
        book.open()
        Service(book, ALERTS, now=lambda: START).round()
        assert kinds(journal) == ["open"]
        book.sent(book.unsent())
        for forbidden in ("delete from event", "update change set outcome = 'admitted'", "delete from public.outbox"):
            with pytest.raises(StoreUnusable, match="permission denied"), book.transaction() as db:
                db.execute(forbidden)
    with journal.transaction() as db:
        for role in ("escalator", "decider"):
            db.execute(f"drop owned by {role}")
            db.execute(f"drop role {role}")


def test_only_its_own_word_ends_a_page(journal):
    """Whoever may write the topic can claim that a page went out or is over; the escalator goes on, and acknowledgements count."""
    journal.append(change(1))
    timers = Timers(journal, ALERTS)
    timers.run(START)
    one = only(journal)
    forged = EscalationOpened(
        change=one.change, escalation=one.name, level=1, asked=("x",), content=one.content, since=START, at=START
    )
    journal.append([forged, EscalationResolved(change=one.change, escalation=one.name, how="approved", at=START)])
    timers.run(after(15))
    assert kinds(journal) == ["open", "remind"]
    journal.append([EscalationAcknowledged(change=one.change, escalation=one.name, by="carol", at=after(16))])
    timers.run(after(45))
    assert kinds(journal)[2:] == ["acknowledged"]


def test_what_cannot_be_read_or_stored_stops_nobody(journal, capsys):
    """A damaged row of one change is told and tried again; others are asked about as if it were not there."""
    journal.append([*change(1), *change(2)])
    with journal.transaction() as db:
        db.execute("update event set body = '{}' where change = 'change-1' and type = 'dev.twohand.decision-made.v1'")
    timers = Timers(journal, ALERTS)
    timers.run(START)
    assert [message.change for message in messages(journal)] == ["change-2"]
    assert "change change-1 is put off" in capsys.readouterr().err
    assert timers.next_due() == instants.seconds_of(after(1))


def test_an_idle_escalator_writes_nothing(journal):
    """Where nothing is due, no transaction is written, and none stays open."""
    journal.append(change(1))
    service = Service(journal, ALERTS, now=lambda: START)
    service.round()
    service.round()
    asked = "select txid_snapshot_xmax(txid_current_snapshot())"
    before = journal.ask(asked)
    for _ in range(5):
        service.round()
    assert journal.ask(asked) == before
    states = journal.ask(
        "select distinct state from pg_stat_activity where application_name = 'twohand' and pid <> pg_backend_pid()"
    )
    assert set(states) <= {("idle",)}


def test_a_store_of_the_first_version_is_brought_along(postgres):
    """What was recorded before there was an escalator is asked about: only what is younger than a week."""
    url = postgres.fresh("first")
    with Store(url) as store:
        store.migrate(1)
        for at, number in ((START, 1), (instants.later(START, -90 * DAILY), 2)):
            for event in change(number, at):
                one = Arrival.of(event)
                row = (one.id, event.change, type_name(type(event)), event.at, one.text)
                store._db.execute(
                    "insert into event (id, change, type, at, place, body, signer, presence) values (%s, %s, %s, %s, '', %s, '', false)",
                    row,
                )
        store._db.execute("insert into change (id, content_key) values ('change-1', 'key')")
        store._db.execute("insert into deadline values ('change-1', 'key', %s)", (START,))
        store.migrate()
        store.check()
    with Casebook(url) as book:
        assert book.changes_with("key") == ["change-1"]
        Timers(book, ALERTS).run(after(1))
        assert [message.change for message in messages(book)] == ["change-1"]
