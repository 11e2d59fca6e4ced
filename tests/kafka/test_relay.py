"""The relay on a real broker: killed anywhere it loses nothing, what comes back is believed as far as it proves itself."""

import signal
import sqlite3
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rules import instants
from rules.case import fold
from rules.events import (
    ChangeProposed,
    DeadlinePassed,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    Judged,
    ReviewerSuspended,
    ReviewGiven,
    event_id,
)
from rules.findings import Finding, Tier
from rules.judgement import judge
from streams.desk import Desk
from streams.engines import journal as journals
from streams.engines.journal import Journal, JournalUnusable
from streams.engines.kafka.carrier.relay import Relay
from streams.engines.kafka.carrier.relay_file import Beside
from streams.engines.kafka.records.wire import decode, encode
from streams.memory import decided
from tests.gitrepo import Repo
from tests.kafka.commands import run
from tests.kafka.engine import Engine
from tests.kafka.events import NOON, proposed, rules
from tests.kafka.processes import Server
from tests.kafka.spoken import LISTED, resigned, statement
from tests.streams.conftest import keys  # noqa: F401 - key pairs of alice, bob, carol and mallory
from tests.streams.gate import clean_environment
from tests.streams.served import Served, enforce

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory):
    made = Engine(broker, postgres, tmp_path_factory.mktemp("relay"))
    yield made
    made.close()


@contextmanager
def desk_of(repo: Repo, engine: Engine):
    """A desk, the relay's file, and what the relay told."""
    with Desk.at(repo.path, explicit=engine.settings) as desk, Beside(desk.journal.path.parent) as file:
        told: list[str] = []
        yield desk, file, Relay(desk, file, told.append), told


def ids(engine: Engine, *topics: str) -> list[tuple[str, str]]:
    """Change and event id of every record, in order."""
    rows = [dict(record.headers) for topic in topics for record in engine.read(topic)]
    return [(row["ce_subject"].decode(), row["ce_id"].decode()) for row in rows]


def decision(change: ChangeProposed, at: str = NOON, **more: object) -> DecisionMade:
    """What the law says of a change that the rules have seen."""
    return decided(judge(fold([change, rules(change, **more)]), at))


def until(check, seconds: float = 40, say=lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, say()
        time.sleep(0.05)


def test_kill_9_anywhere_loses_nothing_and_keeps_the_order(engine, tmp_path):
    """Killed six times in the middle, the broker once: each event is there, in order; the newest decision stands."""
    repo = Repo(tmp_path / "server.git", bare=True)
    folder = repo.path / "twohand"
    changes = [proposed(number) for number in range(1000, 1060)]
    said = {one.change: [replace(one, head=f"{turn}" * 40) for turn in range(3)] for one in changes}
    with Journal(folder / "journal.db") as journal:
        for turn in range(3):
            for one in changes:
                journal.append([said[one.change][turn], rules(one, why=f"{turn}")])
    engine.send(*(encode(decision(one), "x") for one in changes))
    relay = Server(
        [sys.executable, "-m", "streams.cli", "relay", "-C", str(repo.path), "--settings", str(engine.settings)],
        tmp_path / "relay.log",
    )

    def reached(place: int) -> bool:
        with Beside(folder) as file:
            return (file.cursor("out") or 0) >= place

    try:
        for place in range(50, 350, 50):
            relay.start()
            until(lambda place=place: reached(place), say=relay.log.read_text)
            relay.end(signal.SIGKILL)
            if place == 150:
                relay.start()
                engine.kill_broker()
                until(lambda: "goes on" in relay.log.read_text(), say=relay.log.read_text)
                relay.end(signal.SIGKILL)
                engine.send(*(encode(decision(one, uncovered=()), "x") for one in changes[:30]))
                last = {one.change: decision(one, status="failed", why="late") for one in changes[:30]}
                engine.send(*(encode(one, "x") for one in last.values()))
        relay.start()
        until(lambda: reached(360), say=relay.log.read_text)
        with Beside(folder) as file:
            until(lambda: file.whole() != "", say=relay.log.read_text)
            stands = {one.change: file.standing(one.change) for one in changes}
        assert all(stands.values())
        assert {c: stands[c].decision for c in last} == {c: one.decision for c, one in last.items()}
    finally:
        relay.end(signal.SIGKILL)
    carried = [(c, name) for c, name in ids(engine, "twohand.changes") if c in said]
    first = list(dict.fromkeys(carried))
    heads = {dict(one.headers)["ce_id"].decode(): decode(one).head for one in engine.read("twohand.changes")}
    for change, turns in said.items():
        assert [heads[name] for c, name in first if c == change] == [one.head for one in turns]
    assert len(carried) - len(first) <= 7
    reviews = [decode(one) for one in engine.read("twohand.reviews") if one.key.decode() in said]
    distinct = list(dict.fromkeys((one.change, one.why) for one in reviews))
    assert sorted(distinct) == sorted((change, str(turn)) for change in said for turn in range(3))
    assert len(reviews) - len(distinct) <= 7


def test_what_is_too_large_is_told_once_and_holds_up_nobody(engine, tmp_path):
    """The next record goes out; `hook status` of that server names what did not."""
    repo, change = Repo(tmp_path / "server.git", bare=True), proposed(2000)
    with desk_of(repo, engine) as (desk, file, relay, told):
        large = ReviewGiven(
            change=change.change, content_key=change.content_key, reviewer="bob", statement="x" * (13 << 20), at=NOON
        )
        desk.journal.append([change, large, rules(change)])
        assert relay.round()[0] == 2
        assert relay.round()[0] == 0
        assert len(told) == 1
        assert "row 2 of the journal" in told[0]
        assert "is too large" in told[0]
        assert file.left_out(change.change) == [file.lost()[0].partition(": ")[2]]
    carried = [decode(one) for one in engine.read("twohand.changes") if one.key.decode() == change.change]
    assert [one.read_from[-1] for one in carried] == ["published beside it: source"]


def test_an_amended_push_that_comes_back_is_proposed_again(engine, tmp_path):
    """The journal records a proposal once; that it was pushed again is told by its decision, and goes out again."""
    repo, first = Repo(tmp_path / "server.git", bare=True), proposed(3000)
    second = replace(first, head="e" * 40)
    with desk_of(repo, engine) as (desk, _, relay, _told):
        for turn, one in enumerate((first, second, first, first)):
            desk.journal.append([one, rules(one), decision(one, at=instants.later(NOON, turn))])
            relay.round()
    heads = [decode(one).head for one in engine.read("twohand.changes") if one.key.decode() == first.change]
    assert heads == [first.head, second.head, first.head]


def test_a_locked_journal_is_waited_for(engine, tmp_path, monkeypatch):
    """What came meanwhile is not lost: the next round takes it."""
    monkeypatch.setattr(journals, "PATIENCE", 0.1)
    repo, change = Repo(tmp_path / "server.git", bare=True), proposed(4000)
    opened = EscalationOpened(change=change.change, escalation="x", level=0, asked=("bob",), at=NOON)
    with desk_of(repo, engine) as (desk, _, relay, _told):
        desk.journal.append([change])
        engine.send(encode(opened, "x"))
        with sqlite3.connect(desk.journal.path, isolation_level=None) as other:
            other.execute("begin immediate")
            with pytest.raises(JournalUnusable, match="locked"):
                relay.round()
            other.execute("rollback")
        relay.round()
        assert opened in list(desk.journal.events(change.change))


def test_topics_and_journals_that_were_made_anew_are_carried_from_the_start(engine, tmp_path):
    """A cursor beyond the end is of another topic, or of another journal."""
    repo, change = Repo(tmp_path / "server.git", bare=True), proposed(5000)
    with desk_of(repo, engine) as (desk, file, relay, told):
        desk.journal.append([change])
        engine.send(encode(decision(change), "x"))
        for place in range(2):
            file.move(f"twohand.decisions:{place}", 10**9)
        file.move("out", 10**9)
        assert relay.round()[0] == 1
        assert file.standing(change.change).outcome == "pending"
        assert [text.partition(" ")[2] for text in told] == [
            "journal is another than it was: it is carried from its start", "was made anew; it is read from its start",
        ]  # fmt: skip


@pytest.fixture
def shop(engine, tmp_path, keys, monkeypatch):  # noqa: F811
    """An enforcing server with a proposed change that Alice answers for."""
    clean_environment(monkeypatch, tmp_path)
    served = Served(tmp_path, keys)
    enforce(served.server, engine.settings.read_text())
    served.push("feature:main")
    return served


def test_signed_statements_come_back_and_never_go_out_again(engine, shop):
    """Law 17, 19: Bob's, said elsewhere, is a ref here and counts; a forged one, an unsigned one and another's are nothing."""
    given = statement(shop, "approve", "bob")
    forged = [resigned(given, "carol", shop.keys / name) for name in ("mallory", "bob")]
    unsigned = ReviewGiven(change=given.change, content_key=given.content_key, reviewer="rules", why="me", at=NOON)
    elsewhere = statement(shop, "object", "carol", change="ab" * 32)
    engine.send(*(encode(one, "x") for one in (given, *forged, unsigned, elsewhere)))
    with desk_of(shop.server, engine) as (desk, file, relay, told):
        relay.round()
        relay.round()
        refs = shop.server.git(*LISTED).split()
        assert len(refs) == 2
        recorded = {event_id(one): one for one in desk.journal.events(given.change) if isinstance(one, ReviewGiven)}
        assert event_id(given) in recorded
        assert event_id(unsigned) not in recorded
        assert {one.reviewer for one in recorded.values()} == {"rules", "bob", "carol"}
        assert len(told) == 1
        assert "the key that signed it is not that of 'carol'" in told[0]
        assert file.judged(given.change, given.content_key) == ("bob", "carol", "rules")
    counts = [name for _, name in ids(engine, "twohand.reviews")]
    assert counts.count(event_id(given)) == 1
    refused = shop.push("feature:main")
    assert "veto" in refused.words


def test_what_nobody_signed_is_believed_of_known_models_only(engine, shop):
    """A configured model's look, escalations, deadlines and suspensions of changes that were seen here; nothing else."""
    shop.server.path.joinpath("twohand/settings.toml").write_text(
        engine.settings.read_text() + '[reviewers.second]\nmodel = "x"\nendpoint = "http://127.0.0.1:1/v1"\n'
    )
    with Journal(shop.server.path / "twohand" / "journal.db") as journal:
        change = next(one for one in reversed(list(journal.events())) if isinstance(one, ChangeProposed))
    whose = {"change": change.change, "at": NOON}
    found = (Finding("model", Tier.HOLD, "shop/cart.py", "new", 1, "look", "x"),)
    look = ReviewGiven(content_key=change.content_key, reviewer="second", findings=found, judged=Judged("x"), **whose)
    stranger = replace(look, reviewer="stranger")
    opened = EscalationOpened(escalation="e", level=0, asked=("carol",), **whose)
    heard = EscalationAcknowledged(escalation="e", by="carol", through="pager", **whose)
    passed = DeadlinePassed(content_key=change.content_key, due=NOON, **whose)
    out = ReviewerSuspended(reviewer="second", **whose)
    unknown = replace(opened, change="cd" * 32)
    engine.send(*(encode(one, "x") for one in (look, stranger, opened, heard, passed, out, unknown)))
    own = EscalationAcknowledged(escalation="e", by="bob", through="page", **whose)
    with Desk.at(shop.server.path) as desk, Beside(desk.journal.path.parent) as file:
        relay = Relay(desk, file, print)
        relay.round()
        events = list(desk.journal.events())
        assert all(one in events for one in (look, opened, heard, passed, out))
        assert stranger not in events
        assert unknown not in events
        desk.journal.append([own])
        assert relay.round()[0] == 1
    acks = [
        decode(one).by for one in engine.read("twohand.escalations") if b"acknowledged" in dict(one.headers)["ce_type"]
    ]
    assert sorted(acks) == ["bob", "carol"]


def test_the_page_carries_and_no_second_relay_runs(engine, tmp_path, shop):
    """`serve` contains the relay, says who asks people, and keeps others out; journals are not carried without Kafka."""
    where = ("-C", str(shop.server.path))
    page = Server([sys.executable, "-m", "streams.cli", "serve", "--no-page", *where], tmp_path / "serve.log")
    page.start()
    try:
        page.until(lambda: "are the escalator's" in page.log.read_text(), 30)
        for command in (("relay",), ("relay", "--once"), ("serve", "--no-page")):
            second = run(*command, *where)
            assert second.code == 2
            assert f"A relay runs for this repository already: process {page.pid} holds" in second.err
        with Journal(shop.server.path / "twohand" / "journal.db") as journal:
            change = [one for one in journal.events() if isinstance(one, ChangeProposed)][-1].change
        until(lambda: change in {c for c, _ in ids(engine, "twohand.changes")}, say=page.log.read_text)
    finally:
        page.end()
    assert page.code == 0
    plain = tmp_path / "plain.toml"
    plain.write_text("")
    for command in (("relay",), ("store", "check"), ("topics", "check"), ("worker",), ("dead-letters", "list")):
        said = run(*command, *where, "--settings", plain)
        assert said.code == 2
        assert f'Set engine = "kafka" in {plain}, see docs/kafka.md.' in said.err
