"""Who answers in PagerDuty or Alertmanager has answered here; who only pretends has not (DESIGN 9)."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.settings import Alert
from streams.sinks.alerts.answers import Heard, Refused, pagerduty, silences
from streams.sinks.alerts.route import NotSent
from tests.streams.receivers import Receiver

SECRET = "w3bh00k-secret"


def event(kind="incident.acknowledged", agent="user_reference", **changes):
    """A webhook of PagerDuty, version 3."""
    data = {"id": "Q1", "type": "incident", "incident_key": "d" * 64, "status": "acknowledged"}
    found = {
        "id": "01E", "event_type": kind, "resource_type": "incident", "occurred_at": "2026-11-21T14:03:04.567Z",
        "agent": {"id": "PA", "type": agent, "summary": "Alice Example"}, "client": None, "data": data,
    }  # fmt: skip
    return json.dumps({"event": {**found, **changes}}).encode()


def signed(body, secret=SECRET):
    return "v1=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


def heard(body, signature=None):
    return pagerduty(body, signed(body) if signature is None else signature, secret=SECRET, route="oncall")


@pytest.mark.parametrize("kind", ["incident.acknowledged", "incident.resolved"])
def test_a_person_who_acknowledges_or_ends_it_there_has_heard_it(kind):
    """Ended there is heard here: no click in another system approves anything."""
    assert heard(event(kind)) == (Heard("d" * 64, "Alice Example", "2026-11-21T14:03:04Z", "oncall", "01E"),)


@pytest.mark.parametrize("body", [event("incident.triggered"), event("pagey.ping"), event(agent="service_reference")])
def test_what_no_person_did_is_no_answer(body):
    """Neither other events nor our own acknowledgement coming back."""
    assert heard(body) == ()


def test_only_a_right_signature_is_heard():
    """Of exactly these bytes, by the secret; one of several while the secret is changed."""
    body = event()
    old = signed(body, "old")
    assert isinstance(heard(body, f"{old}, {signed(body)}"), tuple)
    for wrong in ("", old, signed(body)[3:], "v1=", "v2=" + signed(body)[3:], signed(body + b" "), "v1=\u00e9"):
        assert isinstance(heard(body, wrong), Refused)
    empty = "v1=" + hmac.new(b"", body, "sha256").hexdigest()
    assert isinstance(pagerduty(body, empty, secret="", route="oncall"), Refused)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"event":[]}', b'{"event":{"event_type":[]}}', b"[" * 100_000, b"\xff", event(data={}), event(data="x"), b'{"event":{"event_type":"incident.resolved","agent":"x"}}', event(occurred_at=None, data=None), b"x" * (1 << 21)])  # fmt: skip
def test_a_signed_body_that_nobody_understands_is_refused(body):
    """It changes nothing and raises nothing."""
    assert isinstance(heard(body), Refused)


@given(st.binary(max_size=200), st.text(max_size=100))
def test_no_body_and_no_header_raises(body, signature):
    """Whatever arrives at the door."""
    assert isinstance(pagerduty(body, signature, secret=SECRET, route="oncall"), Refused)
    assert isinstance(heard(body), Refused | tuple)


def test_a_name_of_there_is_harmless_here():
    """It is shown on pages and in terminals."""
    data = json.loads(event())
    data["event"]["agent"]["summary"] = "\x1b[2JAlice\n" + "x" * 500
    [one] = heard(json.dumps(data).encode())
    assert one.by.isprintable()
    assert len(one.by) < 120


ROWS = [
    [{"status": {"state": "active"}, "createdBy": "alice", "matchers": None}],
    [{"status": {"state": "active"}, "createdBy": "alice", "matchers": [None, 3, {"name": "twohand"}]}],
    [{"status": None}, {}],
    [{"status": {"state": "active"}, "matchers": [{"name": "twohand", "value": "k", "isEqual": False}]}],
    [{"status": {"state": "expired"}, "matchers": [{"name": "twohand", "value": "k"}]}],
]


@pytest.mark.parametrize("rows", ROWS)
def test_a_silence_that_says_nothing_of_a_problem_is_no_answer(rows):
    """Odd, negated or ended ones."""
    with Receiver((200, json.dumps(rows).encode(), {})) as server:
        assert silences(Alert("watch", "alertmanager", server.url), {}, {"k"}) == ()


def test_silences_that_cannot_be_read_are_not_none():
    """Not read is said; nobody takes it for no answer."""
    with Receiver((500, b"", {})) as server:
        found = silences(Alert("watch", "alertmanager", server.url), {}, {"k"})
    assert isinstance(found, NotSent)
    assert isinstance(silences(Alert("watch", "alertmanager", url_env="NO"), {}, {"k"}), NotSent)
