"""Other ends of alert routes, on loopback: an HTTP server that answers as told, a mail server, a real Alertmanager."""

import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from aiosmtpd.controller import Controller

ROOT = Path(__file__).parents[2]
EVERYTHING = "TWOHAND_TEST_EVERYTHING"  # set where a test that cannot run is a failure


class Got(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Receiver:
    """Answers each request with the next of `answers`, the last one for ever: (status, body, headers) or a function."""

    def __init__(self, *answers):
        self.answers = list(answers) or [(200, b"{}", {})]
        self.got = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def _handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                got = Got(self.command, self.path, dict(self.headers), self.rfile.read(length))
                outer.got.append(got)
                told = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if callable(told):
                    told = told(self, got)
                if told:
                    self.reply(*told)

            def reply(self, status, body, headers):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET = do_DELETE = answer  # noqa: N815 - named so by the standard library

            def log_message(self, *_):
                pass

        return Handler

    def secured(self, certificate):
        """The same over TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http://127.0.0.1", "https://localhost")
        return self

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def accepted(_handler, got):
    """PagerDuty's answer to an event."""
    body = {"status": "success", "message": "Event processed", "dedup_key": got.json()["dedup_key"]}
    return 202, json.dumps(body).encode(), {"Content-Type": "application/json"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def certificate(folder):
    """A self-signed certificate and key for localhost, in one file."""
    path = folder / "localhost.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, *names, "-keyout", f"{path}.key", "-out", path], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.key").read_bytes())
    return path


class Letters:
    """An SMTP server's handler: keeps what it takes, refuses whom it is told to refuse."""

    def __init__(self, refuses=(), answer="250 OK"):
        self.taken = []
        self.refuses = dict(refuses)
        self.answer = answer

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - named so by aiosmtpd
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - named so by aiosmtpd
        if self.answer.startswith("250"):
            self.taken.append((envelope, session.ssl is not None))
        return self.answer


@contextmanager
def mail_server(handler, **options):
    """A real SMTP server; its port."""
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def program(package, name):
    """The path of a Debian package's program; skips with the reason where it cannot be had."""
    done = subprocess.run(
        [ROOT / "scripts" / "from-debian", package, name], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return done.stdout.strip()
    reason = f"{name} cannot be had: {done.stderr.strip()}"
    return pytest.fail(reason) if os.environ.get(EVERYTHING) else pytest.skip(reason)


@contextmanager
def alertmanager(folder, receiver):
    """A real Alertmanager that tells `receiver` (a URL); its base address."""
    config = folder / "alertmanager.json"
    route = {"receiver": "people", "group_by": ["twohand"], "group_wait": "0s", "group_interval": "1s"}
    hooks = [{"url": receiver, "send_resolved": True}]
    receivers = [{"name": "people", "webhook_configs": hooks}]
    config.write_text(json.dumps({"route": {**route, "repeat_interval": "1h"}, "receivers": receivers}))
    port = free_port()
    path = Path(program("prometheus-alertmanager", "prometheus-alertmanager"))
    command = [path, f"--config.file={config}"]
    options = [
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], cwd=path.parents[2], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(f"{url}/-/ready"))
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url):
    """Whether a GET gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:
            return reply.status == 200
    except OSError:
        return False


def eventually(check, seconds=10.0):
    """What `check` gives as soon as it gives something; AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{check} gave nothing within {seconds} seconds")
