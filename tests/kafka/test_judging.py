"""Model reviewers as workers on a real broker, against scripted endpoints: the same votes, the same failures, nothing paid twice."""

import asyncio
import json
import signal
from dataclasses import replace

import pytest

from rules.events import ReviewerSuspended, ReviewGiven
from rules.statement import Content, Statement, payload
from streams import clock, settings
from streams.engines.kafka.records.contents import pack, unpacked
from streams.engines.kafka.records.dead_letters import Origin
from streams.engines.kafka.records.wire import Record, decode, encode, sealed
from streams.engines.kafka.workers.judging import Judging
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from streams.sources import signatures
from tests.kafka.engine import Engine
from tests.kafka.judged import CODE, Shop
from tests.streams.bench import NOWHERE
from tests.streams.keys import make_keys

pytestmark = pytest.mark.xdist_group("kafka")

HONEST, LENIENT = "qwen3-coder", "claude-sonnet-5"
LONG = 60_000  # milliseconds
SCRIPT = [
    Rule(contains="garbage", text="Looks fine to me!"),
    Rule(contains="impostor", reports="gpt-5.2"),
    Rule(contains="user_killed", times=1, delay_ms=LONG),
    Rule(contains="user_ended", times=1, delay_ms=LONG),
    Rule(finds="verified", verdict="object", reason="the check is gone", message="nobody asks"),
    Rule(reason="nothing is lost"),
]


@pytest.fixture(scope="module")
def server():
    with ScriptedServer(SCRIPT) as running:
        yield running


@pytest.fixture(scope="module")
def engine(broker, postgres, tmp_path_factory):
    made = Engine(broker, postgres, tmp_path_factory.mktemp("judging"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(engine, server, tmp_path_factory):
    """Two lines: one whose first is dead and whose second is of the author's family, and one of its own."""
    root = tmp_path_factory.mktemp("shop")
    table = 'endpoint = "{}"\nmodel = "{}"\nattempts = 1\n'
    tables = {
        "first": table.format(NOWHERE, "mistral-large") + 'fallback = ["second"]\n',
        "second": table.format(server.url, LENIENT),
        "third": table.format(server.url, HONEST),
    }
    made = Shop(engine, root, make_keys(root / "keys"), tables)
    for only in ("rules", "decide"):
        engine.start(only, wait=False)
    return made


@pytest.fixture(scope="module")
def third(shop):
    """Its worker, which tests end and start again."""
    return {"worker": shop.start("third")}


def asked(server, text: str) -> list[str]:
    """The requests that show this text."""
    return [said for one in server.requests if text in (said := json.dumps(one.body))]


def test_a_model_admits_a_change(shop, third, server):
    """A blind pass and one with the commit's message, a signed vote, and a look beside it (law 19, 22-26)."""
    change = shop.change("renamed", CODE.replace("user", "renamed"))
    decision = shop.decided(change, "admitted")
    vote, look = shop.told(change, "third")
    assert (look.status, look.why, look.judged.reported) == ("completed", "nothing is lost", HONEST)
    assert vote.statement
    (counted,) = (row for row in decision["reviews"] if (row["reviewer"], row["kind"]) == ("third", "agent"))
    assert (counted["verdict"], counted["counts"]) == ("approve", True)
    blind, context = asked(server, "renamed")
    assert "Shorten the reset" not in blind
    assert "Shorten the reset" in context
    assert shop.spent(change) == [("third", "completed")]
    (cost,) = json.loads(shop.said("cost", "--format", "json"))["reviewers"]
    assert (cost["reviewer"], cost["reviews"]) == ("third", 1)


def test_a_dead_one_and_its_fallback_say_so(shop, third):
    """Each line is a worker: the dead one is unreachable, its fallback is compared again and recused (law 24, 40)."""
    worker = shop.start("first")
    change = shop.change("dead", CODE.replace("user", "dead"))
    shop.until(lambda: shop.told(change, "second"))
    (first,), (second,) = shop.told(change, "first"), shop.told(change, "second")
    assert (first.status, second.status) == ("unreachable", "recused")
    assert second.why.startswith("family: same as claude")
    worker.end()
    assert worker.code == 0


@pytest.mark.parametrize(("text", "status"), [("garbage", "invalid"), ("impostor", "identity-mismatch")])
def test_what_is_no_review_is_no_approval(shop, third, text, status):
    """Law 22, 40: no answer, or another model's: a look with its status, no statement, and nothing is admitted."""
    change = shop.change(text, CODE.replace("user", text))
    shop.until(lambda: shop.told(change, "third"))
    (look,) = shop.told(change, "third")
    assert (look.status, look.statement) == (status, "")
    assert shop.decided(change, "pending")["outcome"] == "pending"


def test_an_objection_blocks(shop, third):
    """It is signed, its finding quotes the line, and asking again about the same content asks nobody."""
    change = shop.change("objected", CODE.replace("mail(user, link)", "mail(user, link, verified=False)"))
    decision = shop.decided(change, "blocked")
    assert "veto" in {reason["code"] for reason in decision["reasons"]}
    (found,) = (row for row in decision["findings"] if row["rule"] == "model-finding")
    assert found["quote"] == "mail(user, link, verified=False)"


def test_nobody_is_asked_before_somebody_answers(shop, third, server):
    """Law 9, 23: without an accountable principal no hand is shown to be another; the proposal brings it along later."""
    shop.change("unanswered", CODE.replace("user", "unanswered"), propose=False)
    later = shop.change("behind", CODE.replace("user", "behind"))
    shop.decided(later, "admitted")
    assert not asked(server, "unanswered")
    shop.propose("unanswered")
    shop.decided(shop.submit("unanswered"), "admitted")
    assert len(asked(server, "unanswered")) == 2


def test_a_forged_review_counts_for_nothing(shop, third, engine):
    """Law 19: a right to write is no identity: neither an unsigned approval, nor one with another key, nor one of other bytes."""
    change = shop.change("forged", CODE.replace("user", "forged_garbage"))
    shop.decided(change, "pending")
    proposed = shop.proposed(change)
    statement = Statement(
        "approve", "third", proposed.repository, proposed.target, proposed.base, proposed.head, proposed.content_key,
        paths=tuple(map(Content.of, proposed.files)), model=HONEST, time=proposed.at,
    )  # fmt: skip
    signed = payload(statement)
    armor = {name: signatures.sign(signed, shop.key(name)).decode() for name in ("mallory", "third")}
    forged = ReviewGiven(
        change=change, content_key=proposed.content_key, reviewer="third", statement=signed.decode(), at=proposed.at
    )
    other = payload(statement._replace(reason="edited")).decode()
    said = [("", forged.statement), (armor["mallory"], forged.statement), (armor["third"], other)]
    engine.send(*(encode(replace(forged, signature=one, statement=text), "example/shop") for one, text in said))
    shop.until(lambda: "approval.unsigned" in {reason["code"] for reason in shop.decision(change)["reasons"]})
    assert shop.decision(change)["outcome"] == "pending"


def test_killed_in_the_middle_of_a_call(shop, third, server):
    """kill -9: what waited is asked once more, what was said is said again byte for byte, and nobody is paid twice."""
    slow = shop.change("killed", CODE.replace("user", "user_killed"))
    shop.until(lambda: asked(server, "user_killed"))
    quick = shop.change("quick", CODE.replace("user", "quick"))
    shop.decided(quick, "admitted")
    third["worker"].end(signal.SIGKILL)
    third["worker"] = shop.start("third")
    shop.decided(slow, "admitted")
    assert (len(asked(server, "user_killed")), len(asked(server, "quick"))) == (3, 2)
    assert (shop.spent(slow), shop.spent(quick)) == (
        [("third", "open"), ("third", "completed")],
        [("third", "completed")],
    )


def test_told_to_end_in_the_middle_of_a_call(shop, third, server):
    """SIGTERM: the call is given up and entered in the ledger, the worker ends at once, and the change comes again."""
    change = shop.change("ended", CODE.replace("user", "user_ended"))
    shop.until(lambda: asked(server, "user_ended"))
    third["worker"].end(seconds=10)
    assert third["worker"].code == 0
    assert shop.spent(change) == [("third", "broken-off")]
    third["worker"] = shop.start("third")
    shop.decided(change, "admitted")
    assert shop.spent(change) == [("third", "broken-off"), ("third", "completed")]


class Direct:
    """The reviewer without its worker: records of the topic are handed to it, each at an offset."""

    def __init__(self, engine, folder) -> None:
        known = settings.parse(engine.settings.read_text(), "settings.toml")
        self._engine, self._judging = engine, Judging("third", known, folder, clock.now)
        self._judging.open()

    def proposal(self, branch: str, **more: object) -> Record:
        """What was submitted from a branch, with these fields instead."""
        (record,) = (
            one for one in self._engine.read("twohand.changes") if decode(one).branch == f"refs/heads/{branch}"
        )
        return encode(replace(decode(record), **more), "example/shop", packed=sealed(record).packed)

    def told(self, record: Record, offset: int) -> list[Record]:
        return asyncio.run(self._judging.handle(Origin(record, 0, offset)))

    def close(self) -> None:
        self._judging.close()


@pytest.fixture
def direct(shop, third, engine, tmp_path):
    made = Direct(engine, shop.copy(tmp_path))
    yield made
    made.close()


def test_a_record_that_comes_again(direct, server):
    """The same bytes are told and nobody is asked; handed in anew, what stands is not asked again, and what failed is."""
    before = len(server.requests)
    renamed, garbage = direct.proposal("renamed"), direct.proposal("garbage")
    good, bad = direct.told(renamed, 5), direct.told(garbage, 6)
    assert (direct.told(renamed, 5), direct.told(garbage, 6)) == (good, bad)
    assert [len(one) for one in (good, bad, direct.told(renamed, 7))] == [2, 1, 0]
    assert len(server.requests) == before + 3
    assert direct.told(garbage, 8) == []
    assert len(server.requests) == before + 4


def test_nobody_is_asked_in_vain(direct, server):
    """Suspended, unknown to the door, too large to be carried: a status and a reason each, before a token is spent."""
    before = len(server.requests)
    record = direct.proposal("garbage")
    stranger, large = direct.proposal("renamed", awaited=()), direct.proposal("renamed", too_large="9 MiB")
    said = [decode(one) for offset, record_ in enumerate((stranger, large)) for one in direct.told(record_, offset)]
    suspended = ReviewerSuspended(change=decode(record).change, reviewer="third", at=clock.now())
    assert direct.told(encode(suspended, "example/shop"), 2) == []
    said += map(decode, direct.told(record, 3))
    assert [(one.status, one.why.partition(";")[0]) for one in said] == [
        ("recused", "enrolment: whoever handed the change in does not have it among its reviewers"),
        ("over-budget", "the change is too large to be carried: 9 MiB"),
        ("recused", "trust: it is suspended"),
    ]
    assert len(server.requests) == before


def test_what_did_not_come_along_is_said(direct, server):
    """Contents without the messages: the model judges what there is, and its look names what it did not see."""
    record = direct.proposal("dead")
    contents = unpacked(sealed(record))
    told = next(name for name, data in contents.items() if b"twohand.attached" in data)
    bare = encode(
        decode(record), "example/shop", packed=pack({name: contents[name] for name in contents if name != told})
    )
    *_, look = map(decode, direct.told(bare, 0))
    assert look.status == "completed"
    assert look.why.endswith("(asked without the message of 1 commit, which did not come along)")


def test_two_instances_share_the_work(shop, third, server):
    """Each change is judged by one of them, and asked about once."""
    second = shop.start("third", "two")
    changes = [shop.change(f"shared{number}", CODE.replace("user", f"shared{number}_")) for number in range(4)]
    for change in changes:
        shop.decided(change, "admitted")
    assert [len(asked(server, f"shared{number}_")) for number in range(4)] == [2] * 4
    assert [len(shop.told(change, "third")) for change in changes] == [2] * 4
    second.end()
    assert second.code == 0
