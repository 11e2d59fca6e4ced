"""Routes whose other end is down, slow, wrong or hostile: a reason within the deadline, and never an exception."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from streams.settings import Alert
from streams.sinks.alerts import mail, route, wire
from streams.sinks.alerts.route import NotSent, Sent, made
from tests.streams.alerting import message
from tests.streams.receivers import Receiver, accepted, certificate, free_port

DEADLINE = 0.5
KINDS = ("pagerduty", "alertmanager", "slack", "webhook", "email")


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A deadline that a test can wait for."""
    monkeypatch.setattr(wire, "DEADLINE", DEADLINE)
    monkeypatch.setattr(mail, "DEADLINE", DEADLINE)
    monkeypatch.setattr(wire.call, "__kwdefaults__", {"deadline": DEADLINE})


def told(kind, url, what="open"):
    """What the route answers; it has to, soon."""
    alert = Alert("a", kind, url, sender="twohand@example.com", key_env="KEY" if kind == "pagerduty" else "")
    started = time.monotonic()
    answer = made(alert, {"KEY": "k" * 32}).send(message(what))
    assert time.monotonic() - started < DEADLINE + 15
    return answer


def address(kind, port):
    return f"smtp://127.0.0.1:{port}" if kind == "email" else f"http://127.0.0.1:{port}/"


@contextmanager
def raw(serve):
    """A TCP server; `serve` gets each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=quietly, args=(serve, connection), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def quietly(serve, connection):
    with connection, suppress(OSError):
        serve(connection)


def hangs(connection):
    while connection.recv(65536):
        pass


def drips(connection):
    """A byte now and then, for ever: each arrives long before any timeout of a read."""
    for byte in b"220-HTTP/1.1 200 OK\r\n" * 100:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def resets(connection):
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def half(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")


def garbage(connection):
    connection.recv(65536)
    connection.sendall(b"\x00\xff" * 1000 + b"\r\n\r\n")


def closes(connection):
    connection.recv(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [hangs, drips, resets, half, garbage, closes])
def test_a_peer_that_does_not_speak_is_left_within_the_deadline(kind, fault):
    """Half-open, dripping, cut off or talking nonsense: it is tried again later."""
    with raw(fault) as port:
        answer = told(kind, address(kind, port))
    assert isinstance(answer, NotSent)
    assert answer.retry_after == 30
    assert f"127.0.0.1:{port}" in answer.reason


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there_is_said(kind):
    """Nothing listens, or the name is none."""
    port = free_port()
    down = told(kind, address(kind, port))
    unknown = told(kind, address(kind, port).replace("127.0.0.1", "no-such-host.invalid"))
    assert "cannot be reached" in down.reason
    assert "no-such-host.invalid" in unknown.reason
    assert (down.retry_after, unknown.retry_after) == (30, 30)


def test_a_resolver_that_does_not_answer_holds_nobody(monkeypatch):
    """Looking up a name cannot be interrupted; it is left behind."""
    found = threading.Event()

    def slow(*_arguments, **_options):
        found.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    for kind in KINDS:
        assert "within 0.5 seconds" in told(kind, address(kind, 1).replace("127.0.0.1", "x.example")).reason
    found.set()


STATUSES = [
    (429, {"Retry-After": "120"}, 120),
    (429, {}, 60),
    (500, {}, 30),
    (503, {"Retry-After": "7"}, 7),
    (503, {"Retry-After": "99999999"}, 3600),
    (503, {"Retry-After": "Sat, 21 Nov 2026 14:00:00 GMT"}, 30),
    (408, {}, 30),
    (400, {}, None),
    (403, {}, None),
    (404, {}, None),
    (302, {"Location": "http://127.0.0.1:1/"}, None),
]


@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize(("status", "headers", "wait"), STATUSES)
def test_a_refusal_says_when_to_come_again(kind, status, headers, wait):
    """Too many and server errors pass; a refusal does not; a redirect is not followed."""
    with Receiver((status, b"what went wrong", headers)) as server:
        answer = told(kind, server.url)
    assert answer.retry_after == wait
    assert str(status) in answer.reason
    assert len(server.got) == 1


@pytest.mark.parametrize("kind", ["pagerduty", "slack"])
@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[]", b"null", b"[" * 100_000, b'{"status":"error"}'])
def test_an_answer_that_is_none_is_no_delivery(kind, body):
    """A page of some other server says 200 too."""
    with Receiver((200, body, {})) as server:
        answer = told(kind, server.url)
    assert isinstance(answer, NotSent)
    assert answer.retry_after == 30


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"null"])
@pytest.mark.parametrize("kind", ["resolved", "acknowledged"])
def test_an_alertmanager_that_lists_nonsense_has_ended_nothing(kind, body):
    """What is not a list of alerts is not an empty one."""
    with Receiver((200, body, {})) as server:
        assert told("alertmanager", server.url, kind).retry_after == 30


OURS = [
    {
        "id": "s1",
        "createdBy": "twohand",
        "status": {"state": "active"},
        "matchers": [{"name": "twohand", "value": "d" * 64}],
    }
]


def test_a_silence_that_stays_is_a_problem_that_goes_on():
    """An end or a reminder whose silence cannot be lifted is sent again; one that is gone already is lifted."""
    listed = (200, json.dumps(OURS).encode(), {})
    alerts = (200, b"[]", {})
    for last, wait in (((500, b"", {}), 30), ((404, b"", {}), 0)):
        with Receiver(alerts, alerts, listed, last) as server:
            answer = told("alertmanager", server.url, "resolved")
        assert isinstance(answer, Sent) if not wait else answer.retry_after == wait
        assert [got.method for got in server.got] == ["GET", "POST", "GET", "DELETE"]
    with raw(closes) as port:
        alert = Alert("a", "alertmanager", f"http://127.0.0.1:{port}")
        assert isinstance(made(alert, {}).again([message()]), NotSent)


def test_an_endless_answer_is_cut():
    """Nobody fills our memory."""
    with Receiver((200, b"x" * (wire.MOST + 1), {})) as server:
        assert "more than" in told("webhook", server.url).reason


def test_a_certificate_that_nobody_vouches_for_ends_the_call(tmp_path, monkeypatch):
    """TLS is checked against what the system trusts."""
    pem = certificate(tmp_path)
    with Receiver(accepted).secured(pem) as server:
        unknown = told("pagerduty", server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        known = told("pagerduty", server.url)
        plain = told("pagerduty", server.url.replace("https", "http"))
        monkeypatch.delenv("SSL_CERT_FILE")
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.reason
    assert isinstance(known, Sent)
    assert isinstance(plain, NotSent)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    """Where messages go stands in the settings and nowhere else."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with Receiver() as server:
        assert told("webhook", server.url) == Sent()


@pytest.mark.parametrize("fault", [(401, b"no", {}), (500, b"no", {}), (302, b"", {"Location": "http://x/"})])
def test_no_secret_is_in_a_reason(fault):
    """Keys, passwords in addresses and the path of a hook are not printed, whatever went wrong."""
    with Receiver(fault) as server:
        secret = server.url.replace("http://", "http://user:hunter2@") + "/services/T0/B0/s3cr3t?token=s3cr3t"
        answers = [told(kind, secret) for kind in KINDS]
    answers += [told(kind, "http://user:hunter2@127.0.0.1:1/s3cr3t") for kind in KINDS]
    text = " ".join(answer.reason for answer in answers)
    assert "hunter2" not in text
    assert "s3cr3t" not in text
    assert "kkkk" not in text


def test_a_key_that_is_no_header_is_not_printed():
    """A client that complains of a header shows it; ours does not get that far."""
    alert = Alert("a", "alertmanager", "http://127.0.0.1:1", key_env="KEY")
    answer = made(alert, {"KEY": "secret\x7fvalue"}).send(message())
    assert "secret" not in answer.reason
    assert answer.retry_after is None


def test_the_deadline_of_real_life_is_ten_seconds():
    """What these tests shorten."""
    assert route.DEADLINE == 10
