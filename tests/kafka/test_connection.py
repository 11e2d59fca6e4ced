"""What answers where a broker should: one clear sentence each, in bounded time."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager

import pytest

from streams.engines.kafka.broker import greeting
from streams.engines.kafka.broker.connection import options, reach
from streams.engines.kafka.broker.greeting import BrokerUnusable, greet
from streams.settings import Settings
from tests.kafka.commands import run
from tests.streams.receivers import Receiver, certificate, free_port

pytestmark = pytest.mark.xdist_group("kafka")
PLAIN = {"security_protocol": "PLAINTEXT"}
SECURE = {"security_protocol": "SSL"}


@contextmanager
def answering(reply):
    """An address where each connection is given to `reply`."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    reply(peer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def problem(address, kafka=PLAIN):
    with pytest.raises(BrokerUnusable) as caught:
        greet(address, Settings(bootstrap=address, kafka=kafka, source="settings.toml"))
    assert caught.value.exit_code == 2
    assert caught.value.remedy.endswith("(settings.toml).")
    return caught.value.message


def test_nobody_there():
    """Refused, with what to do."""
    port = free_port()
    assert problem(f"127.0.0.1:{port}") == f"No broker answers at 127.0.0.1:{port}: Connection refused."
    assert problem("no-such-host.invalid:9092").startswith("No broker answers at no-such-host.invalid:9092: ")


def test_a_web_server_is_no_broker():
    """What it says instead is shown."""
    with Receiver() as web:
        address = web.url.removeprefix("http://")
        assert problem(address).startswith(f"What answers at {address} is no Kafka broker: it ")
        assert problem(address, SECURE) == f"{address} does not speak TLS, and [kafka] security_protocol is SSL."


def test_something_that_talks_is_no_broker():
    """Its first bytes are part of the sentence."""
    with answering(lambda peer: peer.sendall(b"220 mail.example.com ESMTP\r\n")) as address:
        assert problem(address) == (
            f"What answers at {address} is no Kafka broker: it says b'220 mail.example.com ESMTP\\r\\n'."
        )


def test_silence_ends(monkeypatch):
    """Something that takes connections and says nothing holds us up for a bounded time."""
    monkeypatch.setattr(greeting, "PATIENCE", 0.2)
    with answering(lambda peer: time.sleep(3)) as address:
        started = time.monotonic()
        assert "it closes the connection or says nothing" in problem(address)
        assert time.monotonic() - started < 2
        assert "does not speak TLS" in problem(address, SECURE)


def test_tls_that_is_not_asked_for_is_recognised(tmp_path):
    """A server that speaks TLS only, and is no Kafka either way."""
    pem = certificate(tmp_path)
    with Receiver().secured(pem) as web:
        address = web.url.removeprefix("https://")
        assert "speaks TLS, and [kafka] security_protocol is PLAINTEXT." in problem(address)
        assert "is not accepted: self-signed certificate." in problem(address, SECURE)
        trusted = {**SECURE, "ssl_cafile": str(pem)}
        assert problem(address, trusted).startswith(f"What answers at {address} is no Kafka broker: it ")


def test_a_client_certificate_that_is_wanted_is_named(tmp_path):
    """A server that refuses us without one."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def refuse(peer):
        with pytest.raises(OSError, match=r"certificate|peer"):
            context.wrap_socket(peer, server_side=True)

    with answering(refuse) as address:
        local = address.replace("127.0.0.1", "localhost")
        said = problem(local, {**SECURE, "ssl_cafile": str(pem)})
    assert said.startswith(f"{local} refuses our TLS: ")


def test_one_of_several_is_enough(broker):
    """The first that answers is taken; when none does, the first's reason is told."""
    dead = f"127.0.0.1:{free_port()}"
    assert reach(Settings(bootstrap=f"{dead},{broker.bootstrap}")) == broker.bootstrap
    with pytest.raises(BrokerUnusable, match=dead):
        reach(Settings(bootstrap=f"{dead},127.0.0.1:{free_port()}"))


def test_clients_are_given_what_is_set():
    """Nothing that the settings leave empty."""
    assert options(Settings(bootstrap="a:1,b:2", kafka=PLAIN)) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "twohand",
        "security_protocol": "PLAINTEXT",
    }


def test_commands_say_it_in_two_lines(tmp_path):
    """What happened and what to do, naming the file; exit code 2."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f'engine = "kafka"\nstore.url = "postgresql://x@127.0.0.1/x"\n[kafka]\nbootstrap = "127.0.0.1:{free_port()}"\n'
    )
    done = run("topics", "check", "--settings", path)
    assert done.code == 2
    assert done.err.startswith("error: No broker answers at 127.0.0.1:")
    assert done.err.endswith(f"correct [kafka] bootstrap ({path}).\n")
