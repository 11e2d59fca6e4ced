"""The whole way: a lost owner's answer pages people, one hears it elsewhere, approves here, and every alert ends (DESIGN 9)."""

import hmac
import json
from contextlib import closing
from http.client import HTTPConnection

import pytest

from rules.events import EscalationAcknowledged
from streams import clock
from streams.engines.journal import Journal
from streams.service import Service
from streams.settings import Alert, Settings
from streams.sources.git import Repository
from streams.web.app import make_app
from streams.web.place import Place
from tests.streams.gate import Gate, clean_environment
from tests.streams.keys import make_keys
from tests.streams.receivers import Receiver, accepted, alertmanager, eventually
from tests.web.site import served

SECRET = "w3bh00k"
STEPS = '[escalation]\nsteps = [{ after = "0m", notify = ["owners", "pager"] }]\n'


@pytest.fixture
def gate(tmp_path, tmp_path_factory, capsys, monkeypatch):
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("PAGERDUTY_KEY", "r0ut1ng")
    monkeypatch.setenv("PAGERDUTY_SECRET", SECRET)
    gate = Gate(tmp_path, make_keys(tmp_path_factory.mktemp("keys")), capsys)
    gate.repo.git("checkout", "-q", "main")
    gate.repo.write("twohand.toml", gate.policy + STEPS)
    gate.repo.commit("Steps")
    gate.repo.git("checkout", "-q", "feature")
    gate.repo.git("rebase", "-q", "main")
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    assert gate.run("review").code == 4
    return gate


def webhook(site, key, *, secret=SECRET, path="/hooks/pager", number="01E"):
    """PagerDuty tells that a person acknowledged; status and answer."""
    agent = {"type": "user_reference", "summary": "Carol"}
    event = {"id": number, "event_type": "incident.acknowledged", "occurred_at": clock.now(), "agent": agent}
    body = json.dumps({"event": {**event, "data": {"incident_key": key}}}).encode()
    signature = "v1=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    connection = HTTPConnection("127.0.0.1", site.port, timeout=20)
    with closing(connection):
        connection.request("POST", path, body, {"X-PagerDuty-Signature": signature, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_paged_heard_elsewhere_approved_and_over(gate, tmp_path):
    """A real Alertmanager fires, is silenced and resolves; PagerDuty's acknowledgement counts once; the report tells it."""
    path = gate.repo.path / ".git" / "twohand" / "journal.db"
    with Receiver(accepted) as pager, Receiver((200, b"", {})) as people, alertmanager(tmp_path, people.url) as url:
        alerts = {
            "owners": Alert("owners", "alertmanager", url),
            "pager": Alert("pager", "pagerduty", pager.url, key_env="PAGERDUTY_KEY", answers_env="PAGERDUTY_SECRET"),
        }
        place = Place(Repository.open(gate.repo.path), Settings(alerts=alerts))
        with Journal(path) as journal, served(make_app(place)) as site:
            service = Service(journal, alerts, now=clock.now, secret=b"s" * 32, address="https://gate.example.com")

            def told():
                return [got.json()["event_action"] for got in pager.got]

            def heard():
                return [got.json()["status"] for got in people.got]

            service.round()
            assert told() == ["trigger"]
            eventually(lambda: heard() == ["firing"])
            trigger = pager.got[0].json()
            assert "auth/login.py" in trigger["payload"]["summary"]
            assert trigger["links"][0]["href"].startswith("https://gate.example.com/ack/")
            key = trigger["dedup_key"]
            assert webhook(site, key, secret="guessed")[0] == 403
            assert webhook(site, key, path="/hooks/owners")[0] == 404
            assert webhook(site, key) == (200, '{"heard": 1}')
            assert webhook(site, key) == (200, '{"heard": 0}')
            [event] = [event for event in journal.events() if isinstance(event, EscalationAcknowledged)]
            assert (event.by, event.through) == ("Carol", "pager")
            service.round()
            assert told() == ["trigger", "acknowledge"]
            gate.say("approve", "carol")
            assert gate.run("review").code == 0
            service.round()
            assert told() == ["trigger", "acknowledge", "resolve"]
            eventually(lambda: heard() == ["firing", "resolved"])
            assert site.get("/metrics").status == 404
    report = gate.run("report", "--week").out
    assert "1 change decided, 1 let in; 0 of these nobody independent read" in report
    assert "until somebody heard a page" in report


def test_a_webhook_without_its_secret_or_with_a_huge_body_is_refused(gate, monkeypatch):
    """Nothing is taken on trust, and nobody fills our memory."""
    alert = Alert("pager", "pagerduty", "http://127.0.0.1:1", key_env="PAGERDUTY_KEY", answers_env="PAGERDUTY_SECRET")
    place = Place(Repository.open(gate.repo.path), Settings(alerts={"pager": alert}))
    with served(make_app(place)) as site:
        assert webhook(site, "x" * (1 << 20))[0] == 403
        monkeypatch.delenv("PAGERDUTY_SECRET")
        status, said = webhook(site, "x")
    assert status == 503
    assert "PAGERDUTY_SECRET" in said
