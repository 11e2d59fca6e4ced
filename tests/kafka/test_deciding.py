"""The decider over a real database, without a broker: the law's decisions, once each, whatever comes how often."""

import random
import subprocess
import sys
from dataclasses import replace
from threading import Thread

import pytest

from rules.canonical import canonical
from rules.events import ChangeProposed, DecisionMade, body
from streams.engines.codec import decode as decode_line
from streams.engines.kafka.cases import store as case_store
from streams.engines.kafka.cases.connection import StoreUnusable
from streams.engines.kafka.cases.decider import SOURCE, beside
from streams.engines.kafka.cases.migrations import MIGRATIONS
from streams.engines.kafka.cases.store import Batch, Store
from streams.engines.kafka.doors.dropping import words
from streams.engines.kafka.records.dead_letters import (
    DROPPED,
    RETRIED,
    DeadLetter,
    Settlement,
    bury,
    exhume,
    name_of,
    settle,
    settlement,
    still_open,
)
from streams.engines.kafka.records.wire import Record, decode, encode
from streams.engines.kafka.workers.deciding import Deciding
from streams.engines.kafka.workers.reviewing import Reviewing
from streams.sources import signatures
from tests.kafka.events import NOON, carried, origins, proposed, rules
from tests.streams.test_replay import exported, keys  # noqa: F401 - a journal with three decisions

pytestmark = pytest.mark.xdist_group("kafka")
LATER = "2026-11-21T12:05:00Z"


class Clock:
    """Tells what it is set to."""

    def __init__(self, at: str = NOON) -> None:
        self.at = at

    def __call__(self) -> str:
        return self.at


class Desk:
    """A decider whose records are counted through as if from one partition."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock, self.work, self.offset = url, clock, Deciding(url, clock, patience=1), 0

    def hear(self, *records: Record, start: int | None = None, sent: bool = True) -> list[Record]:
        """Take a batch, and acknowledge what it publishes."""
        told = self.work.take(origins(*records, start=self.offset if start is None else start), lambda: None)
        self.offset += len(records) if start is None else 0
        if sent:
            self.work.sent()
        return told

    def events(self, change: str | None = None):
        with Store(self.url) as store:
            return store.events(change)


@pytest.fixture
def desk(postgres):
    url = postgres.fresh("deciding")
    with Store(url) as store:
        store.migrate()
    made = Desk(url, Clock())
    yield made
    made.work.close()


def outcomes(records) -> list[str]:
    return [decode(record).outcome for record in records]


def said(event) -> tuple[str, bytes, str]:
    return type(event).__name__, canonical(body(event)), event.at


def test_both_engines_decide_the_same_bytes(desk, exported):  # noqa: F811
    """Law 38: the journal's events through this decider give the journal's decisions, byte for byte."""
    recorded, waiting = [], []
    for event in map(decode_line, exported):
        if isinstance(event, DecisionMade):
            recorded.append(said(event))
            desk.clock.at = event.at
            desk.hear(*(encode(one, "example/shop") for one in waiting))
            waiting = []
        else:
            waiting.append(event)
    made = [said(event) for event in desk.events() if isinstance(event, DecisionMade)]
    assert len(recorded) == 3
    assert made == recorded


def test_order_and_repeats_lead_to_the_same_decision(desk, exported):  # noqa: F811
    """Law 38: everything twice, in any order, one by one or at once, and the last decision is the same."""
    events = [decode_line(line) for line in exported]
    last = [event for event in events if isinstance(event, DecisionMade)][-1]
    rest = [event for event in events if not isinstance(event, DecisionMade)]
    proposals = [encode(event, "x") for event in rest if isinstance(event, ChangeProposed)]
    others = [encode(event, "x") for event in rest if not isinstance(event, ChangeProposed)]
    desk.clock.at = last.at
    shuffled = random.Random(7).sample([*others, *others], 2 * len(others))
    for record in shuffled:
        desk.hear(record)
    desk.hear(*proposals)
    for record in shuffled:
        assert desk.hear(record) == []
    made = [event for event in desk.events() if isinstance(event, DecisionMade)]
    assert said(made[-1]) == said(last)


def test_a_forge_is_not_believed_over_kafka(desk):
    """Law 19, 21: nobody signed what an account did, and whoever may write reviews could say so."""
    event = proposed(0, b"x = 1\n")
    word = replace(rules(event), reviewer="bob", account="forge.example:bob", verdict="approve", head=event.head)
    desk.hear(carried(event, b"x = 1\n"), encode(word, "x"))
    assert [type(one) for one in desk.events(event.change)] == [ChangeProposed]
    assert desk.hear(encode(rules(event), "x"))


def test_nothing_is_decided_before_the_rules_have_spoken(desk):
    """Law 40: a proposal alone waits, whatever arrives first; with the rules' review there is one decision."""
    change = proposed(1)
    assert desk.hear(encode(rules(change), "x")) == []
    assert outcomes(desk.hear(carried(change))) == ["pending"]
    assert desk.hear(encode(rules(change), "x"), start=0) == []


def test_what_a_source_publishes_beside_a_change_is_waited_for(desk, exported):  # noqa: F811
    """Law 34: an objection that another topic still carries is no reason to admit; named, it is heard first."""
    change, said = proposed(1), [decode_line(line) for line in exported if b'"reviewer":"bob"' in line]
    statement = replace(said[0], change=change.change)
    spoken = replace(rules(change), reviewer=SOURCE)
    change = replace(change, read_from=("refs (1)", beside([spoken, statement])))
    assert desk.hear(carried(change), encode(rules(change), "x")) == []
    assert desk.hear(encode(spoken, "x")) == []
    assert outcomes(desk.hear(encode(statement, "x"))) == ["pending"]


def test_what_was_not_acknowledged_is_published_again(desk):
    """A crash between the database and the broker: the repeat of the input finds the decision in the outbox, once."""
    change = proposed(1)
    records = [carried(change), encode(rules(change), "x")]
    first = desk.hear(*records, start=0, sent=False)
    again = desk.hear(*records, start=0)
    assert first == again
    assert outcomes(first) == ["pending"]
    assert desk.hear(*records, start=0) == []


def test_a_head_that_comes_back_is_answered_again(desk):
    """The same proposal said later stands last, and its decision is told again: the same event (law 42)."""
    one = proposed(1)
    other = proposed(1, b"print(2)\n", head="d" * 40)
    first = desk.hear(carried(one), encode(rules(one), "x"))
    desk.hear(carried(other, b"print(2)\n"), encode(rules(other), "x"))
    (back,) = desk.hear(carried(one))[-1:]
    assert decode(back).content_key == one.content_key
    (again,) = desk.hear(carried(one))
    assert dict(again.headers)["ce_id"] == dict(back.headers)["ce_id"]
    assert decode(first[0]).content_key == one.content_key


@pytest.mark.parametrize("value", [None, b"", b"{", b"x" * 100])
def test_poison_blocks_its_change_until_it_is_settled(desk, value):
    """What cannot be read is a dead letter, and its change is blocked with that reason, never admitted (law 40)."""
    change = proposed(1)
    desk.hear(carried(change), encode(rules(change), "x"))
    poison = encode(rules(change), "x")._replace(value=value)
    letter, decision = sorted(desk.hear(poison), key=lambda record: record.topic)
    told = decode(decision)
    assert (letter.topic, told.outcome) == ("twohand.dead-letters", "blocked")
    assert '"finding.dead-letter"' in told.decision
    assert exhume(letter).record == poison
    assert desk.hear(letter) == []
    done = settle(letter.key, Settlement(name_of(exhume(letter)), RETRIED))
    assert outcomes(desk.hear(done)) == ["pending"]


def test_poison_of_no_change_is_kept(desk):
    """A record whose key is no change id blocks nothing, and is a dead letter all the same."""
    poison = Record("twohand.reviews", b"\x00", b"{", ())
    (letter,) = desk.hear(poison)
    assert exhume(letter).record == poison


def test_only_an_uninvolved_person_drops_a_letter(desk, keys, tmp_path):  # noqa: F811
    """Law 35: dropped is what an enrolled person without a hand in the change signed, with the reason."""
    line = " ".join(keys["bob"].with_suffix(".pub").read_text().split()[:2])
    change = proposed(1, key=line)
    desk.hear(carried(change), encode(rules(change), "x"))
    letter, _ = sorted(desk.hear(carried(change)._replace(value=b"{")), key=lambda record: record.topic)
    name = name_of(exhume(letter))

    def drop(who: str, reason: str = "not ours", said: str = "not ours") -> Record:
        text = words(name, "bob", reason, NOON)
        armor = signatures.sign(text, signatures.key_from_file(keys[who]))
        return settle(letter.key, Settlement(name, DROPPED, said, text.decode(), armor.decode()))

    assert desk.hear(drop("alice")) == []
    assert desk.hear(drop("bob", said="something else")) == []
    assert desk.hear(settle(letter.key, Settlement(name, DROPPED, "not ours"))) == []
    accepted, decision = sorted(desk.hear(drop("bob")), key=lambda record: record.topic)
    assert settlement(accepted).how == "accepted"
    assert still_open([letter, drop("bob")]).keys() == {name}
    assert still_open([letter, drop("bob"), accepted]) == {}
    assert decode(decision).outcome == "pending"


def test_a_record_that_the_law_cannot_take_is_a_letter(desk, monkeypatch):
    """A defect costs the change that met it, not the batch: the others are decided."""
    bad, good = proposed(1), proposed(2)
    real = case_store.conclude

    def broken(known, now):
        if known.case.proposed and known.case.change == bad.change and not known.letters:
            raise ValueError("a defect")
        return real(known, now)

    monkeypatch.setattr(case_store, "conclude", broken)
    told = desk.hear(*(r for c in (bad, good) for r in (carried(c), encode(rules(c), "x"))))
    letters = [exhume(record) for record in told if record.topic == "twohand.dead-letters"]
    assert {(letter.fault, letter.attempt) for letter in letters} == {("handler", 3)}
    decisions = [decode(record) for record in told if record.topic == "twohand.decisions"]
    assert [one.outcome for one in decisions if one.change == good.change] == ["pending"]
    assert all(one.outcome == "blocked" for one in decisions if one.change == bad.change)


def test_without_a_verifier_nothing_is_given_up(desk, exported, monkeypatch):  # noqa: F811
    """Law 19, 40: a machine without ssh-keygen is no reason for a dead letter: the worker ends, and another reads it."""
    monkeypatch.setenv("PATH", "/nowhere")
    statement = next(decode_line(line) for line in exported if b'"reviewer":"bob"' in line)
    with pytest.raises(signatures.NoVerifier):
        desk.hear(encode(statement, "x"))
    assert desk.events() == []


def test_what_a_database_cannot_store_is_a_letter(desk):
    """Text with a NUL byte is no text there, and no index holds what is too long: a dead letter, and the batch goes on."""
    good = proposed(2)
    said = (("a NUL: \0", "x"), ("too long a name", random.Random(1).randbytes(20_000).hex()))
    odd = [bury(DeadLetter(Record("t", b"f" * 64, b""), 0, 0, "handler", why, by, NOON)) for why, by in said]
    told = desk.hear(*odd, carried(good), encode(rules(good), "x"))
    decisions = [decode(record) for record in told if record.topic == "twohand.decisions"]
    assert [one.change for one in decisions if one.outcome == "pending"] == [good.change]
    assert [record.topic for record in told].count("twohand.dead-letters") == len(odd)


def test_two_deciders_make_one_decision(desk):
    """Both get everything, as after a reassignment: the change is locked, and decided once."""
    other = Desk(desk.url, Clock())
    records = [record for n in range(40) for record in (carried(proposed(n)), encode(rules(proposed(n)), "x"))]
    told: list[Record] = []
    hands = [Thread(target=lambda who=who: told.extend(who.hear(*records, start=0))) for who in (desk, other)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    other.work.close()
    made = [event.change for event in desk.events() if isinstance(event, DecisionMade)]
    assert len(made) == len(set(made)) == 40
    assert {dict(record.headers)["ce_subject"].decode() for record in told} == set(made)


def test_a_database_that_restarts_costs_nothing(desk, postgres):
    """The connection breaks between two batches: the decider connects again and goes on."""
    change = proposed(1)
    desk.hear(carried(change))
    postgres.restart()
    assert outcomes(desk.hear(encode(rules(change), "x"))) == ["pending"]


def test_a_store_of_another_version_is_refused(postgres):
    """An empty database and a newer one: one sentence, and what to do."""
    url = postgres.fresh("versions")
    with Store(url) as store:
        with pytest.raises(StoreUnusable, match="twohand store migrate"):
            store.check()
        assert store.migrate(1) == [1]
        with pytest.raises(StoreUnusable, match=f"has version 1, this twohand needs {len(MIGRATIONS)}"):
            store.check()
        assert store.migrate() == [*range(2, len(MIGRATIONS) + 1)]
        assert store.migrate() == []
        store._db.execute("insert into migration values (99, now())")
        with pytest.raises(StoreUnusable, match="Upgrade twohand"):
            store.check()
        assert store.take(Batch(), Clock()) == []


@pytest.mark.parametrize(
    ("command", "name"),
    [("store check", ""), ("worker", "decide: "), ("worker --only decide", ""), ("worker --only escalate", "")],
)
def test_an_empty_store_ends_commands_at_once(command, name, postgres, tmp_path):
    """Exit code 2 with the command that helps, before a broker is looked for."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'engine = "kafka"\n[kafka]\nbootstrap = "127.0.0.1:9"\n[store]\nurl = "{postgres.fresh("empty")}"\n'
    )
    words = [sys.executable, "-m", "streams.cli", *command.split(), "--settings", str(settings)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: {name}The case store has version 0, this twohand needs {len(MIGRATIONS)}.",
        "hint: Run: twohand store migrate",
    ]


def test_a_file_whose_content_did_not_come_along_is_not_covered():
    """Law 3: the rules review what was carried, and name what was not."""
    change = proposed(1)
    (record,) = Reviewing(Clock()).take(origins(encode(change, "x")), lambda: None)
    assert decode(record).uncovered == (("1/a.py", "its content did not come along"),)
