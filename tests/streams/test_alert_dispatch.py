"""From the outbox to people: nothing lost, the next route used, an end that overtakes (DESIGN 9)."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import instants
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.settings import Alert
from streams.sinks.alerts.dispatch import Dispatcher, Parcel
from streams.sinks.alerts.route import NotSent, Sent, routes
from tests.streams.alerting import AT, message
from tests.streams.receivers import Receiver, accepted, free_port

NOW = instants.seconds_of(AT)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.db") as found:
        yield found


@pytest.fixture
def outbox(journal):
    return JournalOutbox(journal)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


class Told(list):
    """A route that answers as it is told, and keeps what it took."""

    kind = "recording"

    def __init__(self, name, *answers, resend=0.0):
        super().__init__()
        self.name = name
        self.answers = list(answers) or [Sent()]
        self.resend = resend
        self.asked = 0

    def send(self, one):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Sent):
            self.append((one.kind, one.dedup))
        return answer


class Forgets(Told):
    """A route whose other end ends what it is not told again."""

    def again(self, messages):
        return [self.send(one) for one in messages][-1]


LATER = NotSent("down")
NEVER = NotSent("wrong key", None)


def put(outbox, kind="open", route="a", instead=(), *, dedup="d" * 64):
    told = message(kind, dedup=dedup)
    outbox.put(Parcel(f"{dedup}-{kind}-{route}", 0, route, told, instead))


def dispatcher(outbox, *found, clock=None):
    return Dispatcher({route.name: route for route in found}, outbox, clock=clock or Clock())


def states(outbox):
    return [(parcel.route, parcel.message.kind, state) for parcel, state, _ in outbox.letters()]


def test_what_a_route_took_is_done_with(outbox):
    """One message, once."""
    a = Told("a")
    put(outbox)
    put(outbox)
    desk = dispatcher(outbox, a)
    [done] = desk.run(NOW)
    assert (done.by, done.reason, done.again) == ("a", "", None)
    assert desk.run(NOW + 3600) == []
    assert a == [("open", "d" * 64)]


def test_while_a_route_fails_the_next_one_is_told_at_once_and_the_route_when_it_can(outbox):
    """Somebody hears it now; the route gets it after 30 seconds, then a minute, then two."""
    clock = Clock()
    a, b, c = Told("a", LATER, LATER, LATER, Sent()), Told("b", NEVER), Told("c")
    desk = dispatcher(outbox, a, b, c, clock=clock)
    put(outbox, instead=("a", "b", "c"))
    [first] = desk.run(NOW)
    assert (first.by, first.reason, first.again) == ("c", "down", NOW + 30)
    waits = []
    at = first.again
    while True:
        clock.seconds += 10_000
        [done] = desk.run(at)
        if done.again is None:
            break
        waits.append(done.again - at)
        at = done.again
    assert waits == [60, 120]
    assert (list(a), list(b), list(c)) == ([("open", "d" * 64)], [], [("open", "d" * 64)])
    assert b.asked == 1
    assert desk.failures == {"a": 3, "b": 1}


def test_a_question_that_reached_nobody_is_never_given_up(outbox, capsys):
    """Years later it is still tried; the log of the service said it once."""
    clock = Clock()
    desk = dispatcher(outbox, Told("a", NEVER), clock=clock)
    put(outbox, instead=("nowhere",))
    at = NOW
    for _ in range(5):
        [done] = desk.run(at)
        assert done.by == ""
        assert done.again > at
        clock.seconds += 1e9
        at = done.again + 365 * 86_400
    error = capsys.readouterr().err
    assert error.count("wrong key; no other route took it. It is kept and tried again.") == 1
    assert "twohand approve 70d441cee582" in error


def test_what_somebody_else_heard_is_given_up_after_a_day(outbox):
    """A page of yesterday that a stand-in delivered helps nobody."""
    clock = Clock()
    desk = dispatcher(outbox, Told("a", NEVER), Told("b"), clock=clock)
    put(outbox, instead=("b",))
    [done] = desk.run(NOW)
    assert (done.by, done.again) == ("b", NOW + 3600)
    [done] = desk.run(NOW + 86_400)
    assert done.again is None
    assert states(outbox) == [("a", "open", "sent")]


@pytest.mark.parametrize("kind", ["acknowledged", "resolved"])
def test_an_end_overtakes_what_was_not_told_yet(outbox, kind):
    """Nobody is woken by a retry for what somebody has answered since; the end itself is told."""
    clock = Clock()
    a = Told("a", LATER, Sent())
    desk = dispatcher(outbox, a, clock=clock)
    put(outbox)
    desk.run(NOW)
    put(outbox, kind)
    clock.seconds += 60
    desk.run(NOW + 5)
    desk.run(NOW + 3600)
    assert a == [(kind, "d" * 64)]


def test_a_reminder_after_an_acknowledgement_is_told(outbox):
    """Only what came before it is overtaken."""
    a = Told("a")
    desk = dispatcher(outbox, a)
    put(outbox, "acknowledged")
    put(outbox, "remind")
    desk.run(NOW)
    assert [kind for kind, _ in a] == ["acknowledged", "remind"]


def test_who_was_told_instead_hears_of_the_end(outbox):
    """No stand-in is left with an open page; whoever was not told is not told of the end."""
    clock = Clock()
    a, b, c = Told("a", LATER), Told("b"), Told("c")
    desk = dispatcher(outbox, a, b, c, clock=clock)
    put(outbox, instead=("b", "c"))
    desk.run(NOW)
    put(outbox, "resolved", instead=("c",))
    desk.run(NOW + 1)
    desk.run(NOW + 2)
    assert list(b) == [("open", "d" * 64), ("resolved", "d" * 64)]
    assert list(c) == []


def test_a_route_that_is_down_costs_one_deadline_and_holds_up_no_other(outbox):
    """It rests: hundreds of parcels do not each wait for it, and other routes are told meanwhile."""
    clock = Clock()
    a, b = Told("a", LATER), Told("b")
    desk = dispatcher(outbox, a, b, clock=clock)
    for number in range(200):
        put(outbox, instead=("b",), dedup=f"{number}")
    done = desk.run(NOW)
    assert len(done) == 200
    assert a.asked == 1
    assert len(b) == 200


def test_a_slow_route_is_spoken_to_beside_the_others(outbox):
    """Pages through another route do not wait for it."""
    heard = []
    seen = threading.Event()

    class Slow(Told):
        def send(self, one):
            heard.append(seen.wait(5))
            return super().send(one)

    class Quick(Told):
        def send(self, one):
            seen.set()
            return super().send(one)

    put(outbox, route="slow")
    put(outbox, route="quick")
    dispatcher(outbox, Slow("slow"), Quick("quick")).run(NOW)
    assert heard == [True]


def test_a_pass_ends_in_its_time_and_the_rest_waits(outbox):
    """What is left over is neither lost nor counted as tried."""
    clock = Clock()

    class Slow(Told):
        def send(self, one):
            clock.seconds += 20
            return super().send(one)

    a = Slow("a")
    desk = dispatcher(outbox, a, clock=clock)
    for number in range(5):
        put(outbox, dedup=f"{number}")
    assert len(desk.run(NOW)) == 2
    assert len(desk.run(NOW + 3600)) == 2
    assert len(desk.run(NOW + 7200)) == 1
    assert len(a) == 5


def test_a_route_with_a_defect_is_a_reason(outbox):
    """An exception of ours keeps nobody else from being told."""
    b = Told("b")
    put(outbox, instead=("b",))
    [done] = dispatcher(outbox, Told("a", RuntimeError("x")), b).run(NOW)
    assert (done.by, done.reason) == ("b", "recording failed: RuntimeError")


def test_a_route_that_the_settings_do_not_have_is_named(outbox):
    """The policy may name a route that the operator never set up."""
    put(outbox, route="pager")
    [done] = dispatcher(outbox).run(NOW)
    assert done.reason == "the settings have no [alerts.pager]"


def test_what_is_open_is_told_again_to_who_forgets(outbox):
    """Alertmanager every minute, others never; a failure is tried at the next turn."""
    clock = Clock()
    forgets, keeps = Forgets("forgets", LATER, Sent(), resend=60.0), Told("keeps")
    desk = dispatcher(outbox, forgets, keeps, clock=clock)
    standing = [("forgets", message()), ("keeps", message()), ("unknown", message())]
    told = []
    for _ in range(10):
        desk.keep(standing)
        told.append(len(forgets))
        clock.seconds += 30
    assert told == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert list(keeps) == []
    desk.keep([])
    desk.keep(standing)
    assert len(forgets) == 6


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(["open", "remind", "acknowledged", "resolved"]), st.sampled_from("ab"), st.sampled_from("xy")),
        st.tuples(st.just("run"), st.integers(0, 4000)),
        st.tuples(st.just("fault"), st.sampled_from("ab"), st.sampled_from([Sent(), LATER, NEVER])),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60)
@given(STEPS)
def test_nothing_is_lost_whatever_fails_when(tmp_path_factory, steps):
    """Once routes work again: every question that no end overtook was taken, and every end was told."""
    with Journal(tmp_path_factory.mktemp("d") / "journal.db") as journal:
        outbox, clock, at = JournalOutbox(journal), Clock(), NOW
        found = {name: Told(name) for name in "ab"}
        desk = Dispatcher(found, outbox, clock=clock)
        for number, (step, *values) in enumerate(steps):
            if step == "put":
                kind, route, dedup = values
                outbox.put(Parcel(f"p{number}", 0, route, message(kind, dedup=dedup), ("a", "b")))
            elif step == "fault":
                found[values[0]].answers = [values[1]]
            else:
                at, clock.seconds = at + values[0], clock.seconds + values[0]
                desk.run(at)
        for route in found.values():
            route.answers = [Sent()]
        for _ in range(4):
            at, clock.seconds = at + 4000, clock.seconds + 4000
            desk.run(at)
        for parcel, state, reason in outbox.letters():
            assert state == "sent" or "overtaken" in reason, (parcel, state, reason)


def test_a_page_that_nobody_took_goes_to_the_next_real_route(outbox):
    """PagerDuty is down, the hook answers 500, Slack takes it: over real sockets."""
    with Receiver((500, b"", {})) as hook, Receiver((200, b"ok", {})) as slack, Receiver(accepted) as again:
        port = free_port()
        alerts = {
            "oncall": Alert("oncall", "pagerduty", f"http://127.0.0.1:{port}", key_env="KEY"),
            "hook": Alert("hook", "webhook", hook.url),
            "chat": Alert("chat", "slack", slack.url),
        }
        put(outbox, route="oncall", instead=("hook", "chat"))
        [done] = Dispatcher(routes(alerts, {"KEY": "k"}), outbox).run(NOW)
        assert done.by == "chat"
        assert (len(hook.got), len(slack.got)) == (1, 1)
        repaired = alerts | {"oncall": alerts["oncall"]._replace(url=again.url)}
        [done] = Dispatcher(routes(repaired, {"KEY": "k"}), outbox).run(done.again)
        assert done.by == "oncall"
        assert again.got[0].json()["dedup_key"] == "d" * 64


KILLED = """
import os, signal, sys
from streams.engines.journal import Journal
from streams.engines.outbox import JournalOutbox
from streams.sinks.alerts.dispatch import Dispatcher
from streams.sinks.alerts.route import routes
from streams.settings import Alert
from pathlib import Path

class Dying(JournalOutbox):
    def settle(self, outcome):
        os.kill(os.getpid(), signal.SIGKILL)

with Journal(Path(sys.argv[1])) as journal:
    box = (Dying if sys.argv[4] == "dies" else JournalOutbox)(journal)
    Dispatcher(routes({"a": Alert("a", "webhook", sys.argv[2])}, {}), box).run(int(sys.argv[3]))
"""


def test_a_sender_that_dies_between_page_and_record_repeats_the_same_event(outbox, journal):
    """kill -9 after the hook took it: the next one sends it again under the same id, which the receiver drops."""
    put(outbox)
    with Receiver() as hook:
        for at, how in ((NOW, "dies"), (NOW + 3600, "lives"), (NOW + 7200, "lives")):
            command = [sys.executable, "-c", KILLED, str(journal.path), hook.url, str(at), how]
            done = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
            assert done.returncode == (-signal.SIGKILL if how == "dies" else 0)
    assert [got.headers["X-Twohand-Id"] for got in hook.got] == ["event-open", "event-open"]
    assert states(outbox) == [("a", "open", "sent")]


def test_thousands_of_parcels_in_a_pass(outbox):
    """A storm through one route that works is a matter of seconds."""
    a = Told("a")
    desk = dispatcher(outbox, a)
    for number in range(500):
        put(outbox, dedup=f"{number}")
    started = time.monotonic()
    desk.run(NOW)
    assert len(a) == 500
    assert time.monotonic() - started < 20
