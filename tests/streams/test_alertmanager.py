"""The route to a real Alertmanager on loopback, and what people answer there (DESIGN 9)."""

import json
import time
import urllib.request

import pytest

from rules import instants
from streams import clock
from streams.settings import Alert
from streams.sinks.alerts import answers
from streams.sinks.alerts.route import Sent, made
from tests.streams.alerting import message
from tests.streams.receivers import Receiver, alertmanager, eventually

pytestmark = pytest.mark.xdist_group("alertmanager")


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """An Alertmanager, what it told, and the route to it."""
    with Receiver((200, b"", {})) as receiver, alertmanager(tmp_path_factory.mktemp("am"), receiver.url) as url:
        yield Stage(url, receiver)


class Stage:
    def __init__(self, url, receiver):
        self.url = url
        self.receiver = receiver
        self.alert = Alert("watch", "alertmanager", url)

    def send(self, told):
        assert made(self.alert, {}).send(told) == Sent()

    def heard(self, key):
        """The state of what Alertmanager told about one problem, in order."""
        bodies = [got.json() for got in self.receiver.got]
        return [body["status"] for body in bodies if body["groupLabels"]["twohand"] == key]

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/api/v2/{path}", timeout=5) as reply:
            return json.load(reply)

    def alerts(self, key):
        return [row for row in self.get("alerts") if row["labels"]["twohand"] == key]

    def silences(self, key):
        """Silences of one problem, with their state."""
        rows = self.get("silences")
        return [row for row in rows if any(matcher["value"] == key for matcher in row["matchers"])]

    def silence(self, by, until, *matchers):
        """As a person makes one in Alertmanager's page."""
        body = {
            "matchers": list(matchers),
            "startsAt": clock.now(),
            "endsAt": until,
            "createdBy": by,
            "comment": "seen",
        }
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/silences", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.load(reply)["silenceID"]

    def end(self, silence):
        request = urllib.request.Request(f"{self.url}/api/v2/silence/{silence}", method="DELETE")
        urllib.request.urlopen(request, timeout=5).close()


def about(kind, key, **changes):
    now = clock.now()
    if kind == "acknowledged":
        changes = {"until": instants.later(now, 1800), **changes}
    return message(kind, dedup=key, at=now, **changes)


def matcher(name, value, *, regex=False):
    return {"name": name, "value": value, "isRegex": regex, "isEqual": True}


def test_a_problem_that_is_told_again_is_told_once_and_ends(stage):
    """Labels are the identity: sending again keeps it alive and wakes nobody; `endsAt` resolves it."""
    for _ in range(3):
        stage.send(about("open", "once"))
    eventually(lambda: stage.heard("once") == ["firing"])
    [alert] = stage.alerts("once")
    assert alert["labels"]["alertname"] == "TwohandEscalation"
    assert alert["annotations"]["command"] == "twohand approve 70d441cee582 --target main --as alice"
    assert alert["generatorURL"] == "https://gate.example.com/changes/cccc"
    stage.send(about("resolved", "once"))
    eventually(lambda: stage.heard("once") == ["firing", "resolved"])


def test_what_is_kept_open_wakes_nobody_and_is_neither_silenced_nor_ended(stage):
    """Open and acknowledged problems in one call; one that ended in between is left alone."""
    stage.send(about("open", "kept"))
    eventually(lambda: stage.heard("kept") == ["firing"])
    before = stage.alerts("kept")[0]["updatedAt"]
    again = [about("acknowledged", "kept"), about("resolved", "other")]
    assert made(stage.alert, {}).again(again) == Sent()
    [alert] = stage.alerts("kept")
    assert alert["updatedAt"] > before
    assert (alert["status"]["state"], stage.silences("kept"), stage.alerts("other")) == ("active", [], [])
    assert stage.heard("kept") == ["firing"]


def test_an_end_finds_the_alert_whatever_its_severity_was(stage):
    """The severity is a label too; the end takes the labels from the alert that stands there."""
    stage.send(about("open", "graver", severity="warning"))
    eventually(lambda: stage.heard("graver") == ["firing"])
    stage.send(about("resolved", "graver", severity="critical"))
    eventually(lambda: stage.heard("graver") == ["firing", "resolved"])


def test_an_acknowledgement_is_a_silence_that_ends_with_the_problem(stage):
    """Acknowledged here, it is silent there until then; repeats make no second one; the end lifts it."""
    stage.send(about("open", "seen"))
    until = instants.later(clock.now(), 600)
    stage.send(about("acknowledged", "seen", until=until))
    stage.send(about("acknowledged", "seen", until=until))
    standing = [row for row in stage.silences("seen") if row["status"]["state"] == "active"]
    assert [(row["createdBy"], row["endsAt"][:19] + "Z") for row in standing] == [("twohand", until)]
    eventually(lambda: stage.alerts("seen")[0]["status"]["state"] == "suppressed")
    stage.send(about("resolved", "seen"))
    assert {row["status"]["state"] for row in stage.silences("seen")} == {"expired"}


def test_a_reminder_lifts_our_silence(stage):
    """Where the acknowledgement has lapsed, it fires again."""
    stage.send(about("open", "lapsed"))
    stage.send(about("acknowledged", "lapsed"))
    stage.send(about("remind", "lapsed"))
    assert {row["status"]["state"] for row in stage.silences("lapsed")} == {"expired"}
    eventually(lambda: stage.alerts("lapsed")[0]["status"]["state"] == "active")


def test_who_silences_it_there_has_acknowledged_here(stage):
    """A silence of exactly this problem is an answer; ours, an ended one, and one of everything are none."""
    stage.send(about("open", "heard"))
    stage.send(about("acknowledged", "ours"))
    later = instants.later(clock.now(), 600)
    everything = stage.silence("everything", later, matcher("alertname", ".+", regex=True))
    stage.silence("pattern", later, matcher("twohand", "hea.*", regex=True))
    stage.silence("elsewhere", later, matcher("twohand", "unknown"))
    name = stage.silence("alice", later, matcher("twohand", "heard"), matcher("alertname", "TwohandEscalation"))
    eventually(lambda: any(row["status"]["state"] == "active" for row in stage.silences("heard")))
    found = answers.silences(stage.alert, {}, {"heard", "ours"})
    stage.end(everything)
    assert [(one.key, one.by, one.through, one.id) for one in found] == [("heard", "alice", "watch", name)]
    assert instants.is_instant(found[0].at)


def test_an_acknowledgement_that_is_over_makes_no_silence(stage):
    """Alertmanager refuses a silence in the past, and says so; nothing is sent again."""
    past = instants.later(clock.now(), -60)
    answer = made(stage.alert, {}).send(about("acknowledged", "late", until=past))
    assert "end time" in answer.reason
    assert answer.retry_after is None


def test_a_key_with_quotes_is_found_again(stage):
    """What a filter would take for its own end is escaped."""
    key = 'a"b\\c{}=~,'
    stage.send(about("open", key))
    eventually(lambda: stage.heard(key) == ["firing"])
    stage.send(about("resolved", key))
    eventually(lambda: stage.heard(key) == ["firing", "resolved"])


def test_a_storm_passes_quickly(stage):
    """Each message is a call or three, and no certificates are loaded where there is no TLS."""
    started = time.monotonic()
    for number in range(20):
        stage.send(about("open", f"n{number}"))
        stage.send(about("resolved", f"n{number}"))
    assert time.monotonic() - started < 60
