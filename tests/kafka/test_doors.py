"""The doors of the Kafka engine, through the command line: submit, wait, decide, with real git, keys and workers."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner

from rules.case import fold
from rules.events import ChangeProposed, ReviewGiven
from rules.judgement import judge
from rules.statement import Statement, payload
from streams.engines.kafka.carrier.relay import Beside
from streams.engines.kafka.doors import gating, handing_in
from streams.engines.kafka.doors.gating import Sought, Watch, partition_of
from streams.engines.kafka.records.dead_letters import DeadLetter, bury, name_of
from streams.engines.kafka.records.wire import Record, decode, encode
from streams.memory import decided
from tests.gitrepo import Repo
from tests.kafka.commands import run
from tests.kafka.engine import Engine
from tests.kafka.events import NOON, carried, proposed, rules
from tests.kafka.processes import ROOT
from tests.streams.test_replay import keys  # noqa: F401 - alice, bob and carol

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory):
    made = Engine(broker, postgres, tmp_path_factory.mktemp("doors"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def workers(engine):
    return [engine.start("rules"), engine.start("decide")]


@pytest.fixture(scope="module")
def shop(keys, tmp_path_factory):  # noqa: F811
    """A change by alice, signed, that bob may approve."""
    repo = Repo(tmp_path_factory.mktemp("shop") / "repo")
    people = "".join(
        f'[people.{name}]\nemails = ["{name}@example.com"]\nkeys = ["{key.with_suffix(".pub").read_text().strip()}"]\n'
        for name, key in keys.items()
    )
    law = (
        'version = 1\nrepository = "example/shop"\n[[requirement]]\nname = "a hand"\napprovals = 1\nfrom = ["human"]\n'
    )
    repo.write("twohand.toml", law + '[owners]\nfallback = ["carol"]\n' + people)
    repo.write("greet.py", "print(1)\n")
    repo.commit("Start")
    repo.branch("feature")
    repo.write("greet.py", "print(2)\n")
    repo.commit("Greet", sign_key=keys["alice"])
    return repo


def twohand(*args: str | Path, **more) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams.cli", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, **more)


def test_submit_and_gate(engine, workers, shop, keys):  # noqa: F811
    """A submitted change waits for a hand; approved and submitted again it is admitted, and the gate says so."""
    where = ("-C", shop.path, "--settings", engine.settings, "--head", "feature")
    never = twohand("gate", *where, "--timeout", "1s")
    assert (never.returncode, never.stdout) == (5, "")
    assert "never submitted" in never.stderr
    assert "twohand submit" in never.stderr
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    sent = twohand("submit", *where, env={**os.environ, "TRACEPARENT": f"00-{trace}-00f067aa0ba902b7-01"})
    assert sent.returncode == 0, sent.stderr
    waited = twohand("gate", *where, "--timeout", "8s", "--format", "json")
    assert waited.returncode == 5, waited.stderr
    assert "heard: " in waited.stderr
    assert (json.loads(waited.stdout)["outcome"], json.loads(waited.stdout)["trace"]) == ("pending", trace)
    done: list[subprocess.CompletedProcess[str]] = []
    gate = threading.Thread(target=lambda: done.append(twohand("gate", *where, "--timeout", "60s", "--format", "json")))
    gate.start()
    said = twohand("approve", "feature", "-C", shop.path, "--as", "bob", "--key", keys["bob"])
    assert said.returncode == 0, said.stderr
    again = twohand("submit", *where)
    assert again.stdout == sent.stdout
    gate.join()
    assert done[0].returncode == 0, done[0].stderr + done[0].stdout
    decision = json.loads(done[0].stdout)
    assert (decision["outcome"], decision["change"]["id"]) == ("admitted", sent.stdout.strip())
    here = twohand("review", "-C", shop.path, "--head", "feature", "--dry-run", "--format", "json")
    same = ("outcome", "reasons", "findings", "requirements", "authors")
    assert {name: json.loads(here.stdout)[name] for name in same} == {name: decision[name] for name in same}
    shop.write("greet.py", "print(3)\n")
    shop.commit("More", sign_key=keys["alice"])
    other = twohand("gate", *where, "--timeout", "3s", "--id", sent.stdout.strip())
    assert other.returncode == 5
    assert "change.head-moved" in other.stderr


def outcome(engine, change: str) -> str:
    found = [decode(one) for one in engine.read("twohand.decisions")]
    return next((one.outcome for one in reversed(found) if one.change == change), "")


def until(engine, change: str, wanted: str) -> None:
    deadline = time.monotonic() + 20
    while outcome(engine, change) != wanted:
        assert time.monotonic() < deadline, f"{outcome(engine, change)} instead of {wanted}"
        time.sleep(0.1)


def placed(engine, record: Record) -> tuple[int, int]:
    """Send it; partition and offset."""
    sent = engine._producer.send(record.topic, record.value, key=record.key, headers=list(record.headers)).get(20)
    return sent.partition, sent.offset


def known(engine, keys, number: int, **more) -> ChangeProposed:  # noqa: F811
    """A change that the decider knows, with bob as a person who has no hand in it."""
    change = proposed(number, key=" ".join(keys["bob"].with_suffix(".pub").read_text().split()[:2]), **more)
    engine.send(carried(change))
    until(engine, change.change, "pending")
    return change


def test_dead_letters_are_shown_retried_and_dropped(engine, workers, keys):  # noqa: F811
    """What failed blocks its change until it was handled, or until an uninvolved person said, signed, that it never is."""
    change = known(engine, keys, 7)
    handled = encode(rules(change), "x")
    failed = DeadLetter(handled, *placed(engine, handled), "handler", "a defect", "twohand-decider", NOON, 3)
    engine.send(handled._replace(value=b"{"), bury(failed))
    until(engine, change.change, "blocked")
    settings = ("--settings", engine.settings)
    listed = json.loads(run("dead-letters", "list", *settings, "--format", "json").out)["letters"]
    assert sorted((row["fault"], row["attempt"]) for row in listed) == [("handler", 3), ("id", 1)]
    bad = next(row["name"] for row in listed if row["fault"] == "id")
    assert json.loads(run("dead-letters", "show", bad, *settings).out)["record"]["value"] == "{"
    short = name_of(failed).removesuffix(":twohand-decider")
    assert run("dead-letters", "retry", short, *settings) == (0, f"{name_of(failed)} was handled.\n", "")
    in_vain = run("dead-letters", "retry", bad, *settings)
    assert (in_vain.code, in_vain.err) == (1, "It failed again: this letter stands for it now.\n")
    again = in_vain.out.split("\n")[0]
    assert run("dead-letters", "list", *settings).out.startswith(f"{again}\n")
    assert again != bad
    assert outcome(engine, change.change) == "blocked"
    said = ("--as", "bob", "--reason", "a test of poison")
    others = run("dead-letters", "drop", again, *settings, *said, "--key", keys["alice"])
    assert others.code == 1
    assert f"has not accepted that bob drops {again}" in others.err
    assert run("dead-letters", "drop", again, *settings, *said, "--key", keys["bob"]).code == 0
    until(engine, change.change, "pending")
    log = engine.workers[-1].log.read_text()
    assert "counts for nothing: the key is none of an active person bob" in log
    assert run("dead-letters", "list", *settings).out == "No letter is open.\n"
    twice = run("dead-letters", "drop", again, *settings, *said, "--key", keys["bob"])
    assert twice.code == 2
    assert "is no open dead letter (0 are open)" in twice.err


def test_letters_about_one_record_are_one_thing(engine, workers, keys):  # noqa: F811
    """What two workers gave up is one entry, is retried at once, and is dropped by one command."""
    change = known(engine, keys, 11)
    settings = ("--settings", engine.settings)
    again = carried(change)
    partition, offset = placed(engine, again)
    place = f"twohand.changes:{partition}:{offset}"
    both = [
        DeadLetter(again, partition, offset, "handler", "a defect", by, NOON)
        for by in ("twohand-decider", "twohand-reviewer-rules")
    ]
    engine.send(*map(bury, both))
    until(engine, change.change, "blocked")
    listed = run("dead-letters", "list", *settings).out
    assert listed.startswith(f"{place}\n  2 workers gave it up: twohand-decider, twohand-reviewer-rules\n")
    assert listed.count("\n") == 3
    assert run("dead-letters", "retry", place, *settings).out == "".join(
        f"{name_of(one)} was handled.\n" for one in both
    )
    until(engine, change.change, "pending")
    engine.send(*map(bury, (one._replace(offset=offset + 10**6) for one in both)))
    until(engine, change.change, "blocked")
    said = ("--as", "bob", "--reason", "a test of poison", "--key", keys["bob"])
    dropped = run("dead-letters", "drop", f"twohand.changes:{partition}:{offset + 10**6}", *settings, *said)
    assert (dropped.code, dropped.out.count("is dropped by bob")) == (0, 2)
    assert run("dead-letters", "list", *settings).out == "No letter is open.\n"


def test_letters_of_others_harm_nobody_who_reads_them(engine, workers, keys):  # noqa: F811
    """What a right to write letters allows: no escape, no flood, and nothing but what lay there is ever handed in."""
    change = known(engine, keys, 8)
    forged = encode(proposed(9), "x")
    one = DeadLetter(forged, 0, 10**9, "json", "\x1b[2J\u202e\nSee above", "twohand-\x1b]0;x\x07", NOON)
    evil = [
        one,
        one._replace(record=forged._replace(topic="twohand.decisions", key=change.change.encode())),
        one._replace(partition=10**9),
        one._replace(record=forged._replace(topic="/etc", value=bytes(12 << 20)), by="twohand-decider"),
        one._replace(record=forged._replace(key=b"\x1b", value=None), by="twohand-decider"),
    ]
    engine.send(*map(bury, evil))
    settings = ("--settings", engine.settings)
    shown = run("dead-letters", "list", *settings)
    assert shown.code == 0
    assert shown.out.count("\n") == 2 * len(evil)
    assert shown.out.replace("\n", "").isprintable()
    for letter in evil:
        assert run("dead-letters", "show", name_of(letter), *settings).out.replace("\n", "").isprintable()
        retried = run("dead-letters", "retry", name_of(letter), *settings)
        assert (retried.code, retried.err.count("\n")) == (2, 2), retried
        assert "is not what" in retried.err or "no topic of ours" in retried.err
    several = run("dead-letters", "show", "twohand.changes", *settings)
    assert several.code == 2
    assert " may be twohand.changes:0:1000000000:" in several.err
    said = ("--as", "bob", "--reason", "noise", "--key", keys["bob"])
    nobody = run("dead-letters", "drop", name_of(evil[-1]), *settings, *said)
    assert "belongs to no change" in nobody.err
    assert [record.key for record in engine.read("twohand.decisions")].count(forged.key) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "twohand.changes:0:1:nobody"), "is no open dead letter"),
        (("retry", ""), "is no open dead letter"),
        (("drop", "x", "--reason", "never"), "A drop is signed and has a reason."),
        (("drop", "x", "--as", "bob", "--key", "/dev/null", "--reason", " "), "A drop is signed and has a reason."),
        (("drop", "x", "--as", "bob", "--key", "/no/such", "--reason", "never"), "/no/such"),
    ],
)
def test_careless_words_about_letters_are_answered(engine, words, told):
    """Exit code 2, what is wrong, and what to do."""
    done = run("dead-letters", *words, "--settings", engine.settings)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "\nhint: " in done.err


def test_a_change_that_was_never_understood_is_blocked_with_the_reason(engine, workers, shop, keys, monkeypatch):  # noqa: F811
    """A proposal that nobody can read, of a change that nobody knew: the gate says why, and does not wait in vain."""
    monkeypatch.setattr(gating, "GRACE", 0.5)
    shop.git("checkout", "-q", "-b", "lost", "main")
    shop.write("greet.py", "print(4)\n")
    shop.commit("Lost", sign_key=keys["alice"])
    where = ("-C", shop.path, "--settings", engine.settings, "--head", "lost")
    change = json.loads(run("review", *where, "--dry-run", "--format", "json").out)["change"]["id"]
    unknown = (("ce_type", b"dev.twohand.change-proposed.v9"),)
    engine.send(Record("twohand.changes", change.encode(), b"{", unknown))
    done = run("gate", *where, "--timeout", "60s", "--format", "json")
    assert done.code == 1, done.err
    decision = json.loads(done.out)
    assert (decision["outcome"], decision["change"]["id"]) == ("blocked", change)
    assert "dead-letter" in {finding["rule"] for finding in decision["findings"]}
    assert "twohand-decider could not handle record" in done.err + done.out
    assert "twohand dead-letters retry" in run("explain", "finding.dead-letter").out
    assert run("submit", *where).code == 0
    decided = run("gate", *where, "--timeout", "60s", "--format", "json")
    assert decided.code == 1
    assert json.loads(decided.out)["findings"] == decision["findings"]
    assert "no decision was made" not in decided.err


def test_the_relay_carries_a_journal_out_and_decisions_back(engine, workers, shop):
    """What `review` recorded here is decided there; the relay goes on where it stopped, and nothing goes out twice."""
    local = twohand("review", "-C", shop.path, "--head", "feature", "--format", "json")
    change = json.loads(local.stdout)["change"]
    where = ("-C", shop.path, "--settings", engine.settings)
    first = twohand("relay", "--once", *where)
    assert first.returncode == 0, first.stderr
    assert not first.stdout.startswith("0 records")
    journal = shop.path / ".git" / "twohand"
    deadline = time.monotonic() + 30
    with Beside(journal) as file:
        while (found := file.standing(change["id"])) is None or found.content_key != change["content_key"]:
            assert time.monotonic() < deadline
            again = twohand("relay", "--once", *where)
            assert again.stdout.startswith("0 records carried out"), again.stdout + again.stderr
        assert found.outcome == json.loads(local.stdout)["outcome"]
    settings = journal / "away.toml"
    settings.write_text(engine.settings.read_text().replace(engine.broker.bootstrap, "127.0.0.1:1"))
    away = twohand("relay", "--once", "-C", shop.path, "--settings", settings)
    assert away.returncode == 2
    assert "No broker answers" in away.stderr


@pytest.fixture
def away(tmp_path):
    """Settings whose broker does not answer."""
    settings = tmp_path / "settings.toml"
    settings.write_text('engine = "kafka"\n[kafka]\nbootstrap = "127.0.0.1:1"\n')
    return settings


def test_a_gate_without_a_broker_says_so(shop, away):
    """One sentence, exit code 2, and nothing is admitted."""
    done = twohand("gate", "-C", shop.path, "--settings", away, "--head", "feature")
    assert done.returncode == 2
    assert "No broker answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_submitted_while_the_broker_is_away_waits_in_order(engine, workers, shop, keys, away):  # noqa: F811
    """It is recorded, said to be so with exit code 3, and goes out with the next one, or with a relay."""
    shop.git("checkout", "-q", "-b", "later", "main")
    for number in (5, 6):
        shop.write("greet.py", f"print({number})\n")
        shop.commit("Later", sign_key=keys["alice"])
        where = ("-C", shop.path, "--head", "later", "--change", "17")
        done = run("submit", *where, "--settings", away)
        assert done.code == 3
        assert "error: Recorded, not yet carried. No broker answers at 127.0.0.1:1" in done.err
        assert "run `twohand relay`" in done.err
    change = done.out.strip()
    shop.git("checkout", "-q", "-b", "other", "main")
    shop.write("greet.py", "print(7)\n")
    shop.commit("Other", sign_key=keys["alice"])
    other = run("submit", "-C", shop.path, "--head", "other", "--settings", engine.settings)
    assert (other.code, other.err.count("\n")) == (0, 1), other.err
    records = [decode(record) for record in engine.read("twohand.changes") if record.key == change.encode()]
    assert [event.head for event in records] == [shop.id("later~1"), shop.id("later")]
    waited = run("gate", *where, "--settings", engine.settings, "--timeout", "1s", "--quiet")
    assert waited.code == 5
    assert waited.out.startswith("pending")
    assert run("relay", "--once", "-C", shop.path, "--settings", engine.settings).out.startswith("0 records")


def test_an_outbox_that_nobody_carries_takes_no_more(shop, away, monkeypatch):
    """It is bounded, and says who empties it."""
    monkeypatch.setattr(handing_in, "MOST", -1)
    done = run("submit", "-C", shop.path, "--head", "later", "--settings", away)
    assert (done.code, done.out) == (3, "")
    assert "wait to be carried, at most -1 may.\nhint: Run: twohand relay\n" in done.err


def made(number: int, *said: ReviewGiven, **more) -> tuple[Sought, Record]:
    change = proposed(number, **more)
    decision = decided(judge(fold([change, rules(change), *said]), NOON))
    return Sought.of(json.loads(decision.decision)), encode(decision, "x")


def test_only_a_decision_about_this_content_counts():
    """Law 7: another repository, target, content or change decides nothing; a newer one about another head takes it back."""
    sought, record = made(1)
    watch = Watch(sought)
    assert str(watch.progress()) == "nobody has judged yet; awaited: rules, the decider"
    for other in (made(2)[1], record._replace(value=b"{"), made(1, target="refs/heads/x")[1]):
        watch.hear(other)
        assert watch.outcome == ""
    watch.hear(record)
    assert (watch.outcome, watch.moved) == ("pending", "")
    watch.hear(made(1, data=b"other")[1])
    assert watch.outcome == ""
    assert "about head cccccccccccc" in str(watch.progress())


@pytest.mark.parametrize("name", ["zz", "A" * 64, "a" * 63, "\u0661" * 64])
def test_an_id_that_is_none_is_named(shop, away, name):
    """Nobody waits ten minutes for a slip of the pen."""
    done = run("gate", "-C", shop.path, "--settings", away, "--head", "feature", "--id", name)
    assert (done.code, done.out) == (2, "")
    assert "is no id of a change" in done.err


@pytest.mark.parametrize(
    ("here", "told"),
    [
        ({"statements": frozenset({"5" * 64})}, "it does not know statement 555555555555, which lies here"),
        ({"head": "e" * 40}, "it is about bbbbbbbbbbbb..cccccccccccc, here is bbbbbbbbbbbb..eeeeeeeeeeee"),
        ({"base": "e" * 40}, "here is eeeeeeeeeeee..cccccccccccc"),
        ({"policies": ("f" * 64,)}, "it was made under another policy"),
    ],
)
def test_a_decision_that_does_not_know_what_lies_here_does_not_count(here, told):
    """Law 7, 40: an objection that was handed in a moment ago is not overtaken by the admission from before it."""
    sought, record = made(1)
    watch = Watch(sought._replace(**here))
    watch.hear(record)
    assert watch.outcome == ""
    assert told in str(watch.progress())


def test_a_decision_that_has_not_heard_what_was_published_does_not_count():
    """Law 7, 40: nothing lies here but what the topics tell, and the decider is slower than those who speak."""
    change = proposed(1)
    about = (change.repository, change.target, change.base, change.head, change.content_key)
    text = payload(Statement("approve", "bob", *about, time=NOON)).decode()
    given = ReviewGiven(change=change.change, content_key=change.content_key, reviewer="bob", statement=text, at=NOON)
    sought, before = made(1)
    watch = Watch(sought)
    for record in (encode(rules(change), "x"), before, encode(replace(given, content_key="e" * 64), "x")):
        watch.hear(record)
    assert str(watch.progress()) == "pending; heard: rules; awaited: bob"
    watch.hear(encode(replace(given, statement="", account="forge.example:bob", verdict="approve"), "x"))
    assert str(watch.progress()) == "pending; heard: rules, bob"
    watch.hear(encode(given, "x"))
    assert (watch.outcome, watch.outdated) == ("", "it has not heard yet: approve by bob")
    assert "heard: rules, bob; awaited: the decider; the newest decision does not count: " in str(watch.progress())
    watch.hear(made(1, given)[1])
    assert (watch.outcome, watch.outdated) == ("pending", "")


@pytest.mark.parametrize(("key", "count"), [("a" * 64, 8), ("b" * 64, 3), ("c" * 64, 1)])
def test_the_gate_reads_where_producers_write(key, count):
    """Equal keys meet in one partition, whichever client of ours wrote them."""
    places = list(range(count))
    assert DefaultPartitioner()(key.encode(), places, places) == partition_of(key, count)
