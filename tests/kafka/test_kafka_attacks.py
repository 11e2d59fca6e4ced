"""Attacks with rights of one role on a real broker: what is signed was read, and no record stops the others (law 2, 19, 40)."""

import random
import signal
import socket
from contextlib import ExitStack
from dataclasses import replace

import pytest

from rules.canonical import canonical
from rules.case import fold
from rules.change import content_key
from rules.claims import Claim
from rules.events import DecisionMade, ReviewGiven
from rules.findings import Finding, Tier
from rules.judgement import judge
from rules.record import record
from streams.engines.journal import Journal
from streams.engines.kafka.carrier.relay_file import Beside
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.doors.gating import Sought, Watch
from streams.engines.kafka.records.wire import Unreadable, decode, encode, sealed
from streams.engines.kafka.telemetry.gauges import Gauges
from streams.engines.kafka.telemetry.listener import AT_ONCE, Listener
from streams.engines.kafka.workers.escalating import Escalating
from streams.settings import parse
from tests.gitrepo import Repo
from tests.kafka.engine import Engine
from tests.kafka.events import NOON, blob, carried, proposed, rules
from tests.kafka.test_push_story import Story, newest
from tests.kafka.test_relay import desk_of
from tests.streams import served
from tests.streams.conftest import keys  # noqa: F401 - key pairs of alice, bob, carol and mallory
from tests.streams.gate import clean_environment
from tests.streams.receivers import eventually

pytestmark = pytest.mark.xdist_group("kafka")

HALF = "\ud800"  # half a character: JSON carries it, no database takes it
LONG = random.Random(1).randbytes(20_000).hex()  # more than an index holds, however it is packed


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory):
    made = Engine(broker, postgres, tmp_path_factory.mktemp("attacks"))
    made.start("rules", wait=False)
    made.start("decide")
    yield made
    made.close()


@pytest.fixture
def story(engine, tmp_path, keys, monkeypatch):  # noqa: F811
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(served, "POLICY", served.POLICY.replace("example/shop", f"example/{tmp_path.name}"))
    made = Story(engine, tmp_path, keys)
    yield made
    made.relay.end(signal.SIGKILL)


def outcomes(engine, change: str) -> list[str]:
    made = map(decode, engine.read("twohand.decisions"))
    return [one.outcome for one in made if isinstance(one, DecisionMade) and one.change == change]


BAD = proposed(1)
(FILE,) = BAD.files


@pytest.mark.parametrize(
    "files",
    [
        (FILE._replace(new_blob=blob(b"harmless\n")),),
        (),
        (FILE._replace(path="1/a.py\0000000 0\0001/a.py"),),
        (FILE._replace(old_mode="000000 x"),),
        (FILE._replace(new_blob="0" * 39),),
        (FILE._replace(path=HALF),),
    ],
)
def test_nobody_reads_one_content_and_signs_another(files):
    """Law 2, 17: a proposal whose files are not those of its content key is no proposal, whoever may write it."""
    assert decode(carried(BAD)) == BAD
    with pytest.raises(Unreadable) as caught:
        decode(encode(replace(BAD, files=files), "x"))
    assert caught.value.fault == "content"


def test_two_files_are_never_one():
    """Law 2: a path with NUL in it, whose key is that of two files, hides neither from who reads."""
    first, second = (FILE._replace(path=path) for path in ("a.py", "b.py"))
    sides = f"{first.old_mode} {first.old_blob} {first.new_mode} {first.new_blob}"
    both = FILE._replace(path=f"a.py\0{sides}\0b.py")
    key = content_key(BAD.repository, BAD.target, (first, second))
    assert content_key(BAD.repository, BAD.target, (both,)) == key
    assert decode(encode(replace(BAD, content_key=key, files=(first, second)), "x")).content_key == key
    with pytest.raises(Unreadable, match="its files are not those of"):
        decode(encode(replace(BAD, content_key=key, files=(both,)), "x"))


def test_a_change_that_cannot_be_stored_stops_no_pages(engine):
    """Text that no index holds costs its own change's pages; the next question is asked."""
    law = tuple(one._replace(text=one.text.replace('deadline = "2m"', 'deadline = "1s"')) for one in BAD.laws)
    bad, good = proposed(2, continues=(LONG,), laws=law), proposed(3, laws=law)
    for one in (bad, good):
        engine.send(encode(rules(one), "x"), carried(one))
    eventually(lambda: all(outcomes(engine, one.change) for one in (bad, good)), 20)
    work = Escalating(parse(engine.settings.read_text(), "settings.toml"))
    said = Casebook(engine.store)
    eventually(lambda: work.round() and [*said.ask("select 1 from said where change = ?", (good.change,))], 20)
    assert said.ask("select 1 from timer where name = ?", (f"~again:{bad.change}",))
    work.book.close()
    said.close()


def test_no_review_ends_a_relay(story):
    """A name that no database takes, or that nobody has, is told to nobody; the next record is carried."""
    story.relay.start()
    story.served.push("feature:main")
    key = newest(story.served.server, head=story.served.head)
    story.until(key, "pending")
    given = ReviewGiven(change=key, content_key=key, reviewer="carol", at=NOON)
    odd = [replace(given, reviewer=HALF), replace(given, content_key=HALF), replace(given, reviewer="The server")]
    story.engine.send(*(encode(one, "x") for one in (*odd, given)))
    told = ("rules", "carol")
    eventually(lambda: {*judged(story, key)} >= {*told} or not story.relay.alive, 20)
    assert judged(story, key) == tuple(sorted(told))


def judged(story, key: str) -> tuple[str, ...]:
    """Who has judged it, as pushers are told."""
    with Beside(story.folder, writable=False) as file:
        return file.judged(key, key)


def test_a_gate_is_not_told_less_than_it_sees():
    """Sources and reviewers are believed by the decider: an admission without a hand or a finding that shows here is none."""
    hand = Claim("author", "D", name="Bob", email="bob@example.com", principal="bob")
    change = proposed(4, claims=(hand,))
    seen = Finding("secret-added", Tier.BLOCK, "4/a.py", "new", 1, "a key", "print(1)")
    here = record(judge(fold([change, rules(change, findings=(seen,))]), NOON))
    told = {
        "admitted": (here, ""),
        "finding": ({**here, "findings": []}, "it does not know finding secret-added in 4/a.py"),
    }
    told["hand"] = ({**here, "authors": []}, "it does not know that bob had a hand in it")
    for said, why in told.values():
        watch = Watch(Sought.of(here))
        text = canonical({**said, "outcome": "admitted"}).decode()
        made = DecisionMade(
            change=change.change, content_key=change.content_key, outcome="admitted", decision=text, at=NOON
        )
        watch.hear(encode(made, "x"))
        assert (watch.outcome, watch.outdated.removesuffix(", which shows here")) == ("" if why else "admitted", why)


def test_who_holds_connections_keeps_nobody_from_asking():
    """Connections that ask nothing give way to the next that asks."""
    listener = Listener("0", Gauges("twohand-decider"))
    address = ("127.0.0.1", listener.port)
    with ExitStack() as held:
        for _ in range(3 * AT_ONCE):
            held.enter_context(socket.create_connection(address)).send(b"GET /metr")
        with socket.create_connection(address, timeout=5) as asking:
            asking.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert asking.recv(100).startswith(b"HTTP/1.0 200")
    listener.close()


def test_what_others_propose_of_a_change_holds_it_up_no_longer_than_a_push(story):
    """Law 7: somebody proposes another head of the same change: the same push proposes ours anew, and lands."""
    served = story.served
    served.push("feature:main")
    served.agree()
    assert not served.push("feature:main").taken
    key = newest(served.server, head=served.head)
    story.relay.start()
    story.until(key, "admitted")
    (*_, ours) = (one for one in story.engine.read("twohand.changes") if one.key == key.encode())
    story.engine.send(encode(replace(decode(ours), head="e" * 40), "x", packed=sealed(ours).packed))
    eventually(lambda: story.standing(key)["change"]["head"] == "e" * 40, 20)
    assert "its newest decision is about another head" in served.push("feature:main").words
    story.lands("feature:main")


def test_a_journal_that_was_made_anew_is_carried_from_its_start(engine, tmp_path):
    """It is another one although it has more rows than what was carried of the one before: nothing of it is left out."""
    repo = Repo(tmp_path / "server.git", bare=True)
    folder = repo.path / "twohand"
    for changes in ([proposed(100), proposed(101)], [proposed(number) for number in range(110, 115)]):
        for path in folder.glob("journal.db*"):
            path.unlink()
        with Journal(folder / "journal.db") as journal:
            journal.append(changes)
        with desk_of(repo, engine) as (_, _, relay, _):
            assert relay.round()[0] == len(changes)
            assert relay.round()[0] == 0
