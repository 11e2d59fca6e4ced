"""What supervisors and Prometheus ask a worker over HTTP: /metrics, /readyz, /livez. A thread that no event loop can stop."""

from __future__ import annotations

import json
import logging
import socket
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from streams.metrics_text import CONTENT_TYPE
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engines.kafka.telemetry.gauges import Gauges

AT_ONCE: Final = 8  # connections; for another one the oldest is closed: who asks nothing keeps nobody out
PATIENCE: Final = 5.0  # seconds that a client may take for anything
JSON: Final = "application/json"
log = logging.getLogger("twohand")


class NoAddress(SourceError):
    """The address is none."""


class CannotListen(SourceError):
    """The address is not to be had."""


class Listener:
    """Answers until the process ends, or until it is closed. `port` is where."""

    def __init__(self, address: str, gauges: Gauges) -> None:
        """Listen at once. NoAddress, CannotListen."""
        host, port = parsed(address)
        try:
            self._server = _Server((host, port), _handler(gauges))
        except OSError as error:
            raise CannotListen(
                f"--listen {address}: {error.strerror or error}.",
                "Another worker may listen there already: give each its own port, or port 0 for any.",
            ) from None
        self.port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, daemon=True, name="twohand-listener").start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def parsed(address: str) -> tuple[str, int]:
    """Host and port; a port alone is one of this machine's loopback. NoAddress."""
    host, colon, port = address.rpartition(":")
    if port.isascii() and port.isdigit() and int(port[:6]) < 65_536 and (host or not colon):
        return host.strip("[]") or "127.0.0.1", int(port)
    raise NoAddress(
        f"--listen {address}: it is no address.", "Write PORT or HOST:PORT, such as 9464 or 127.0.0.1:9464."
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 4 * AT_ONCE

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self._open: dict[socket.socket, None] = {}
        self._lock = Lock()
        super().__init__(place, handler)

    def server_bind(self) -> None:
        """Without asking a name server for our own name, as http.server does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            oldest = next(iter(self._open)) if len(self._open) >= AT_ONCE else None
            self._open[request] = None
            if oldest:
                del self._open[oldest]
        if oldest:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # its thread reads the end, and ends
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)

    def handle_error(self, *_: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that goes away in the middle is nobody's concern
            log.error("a question was not answered", exc_info=error)


def _handler(gauges: Gauges) -> type[BaseHTTPRequestHandler]:
    def metrics() -> tuple[int, str, bytes]:
        return 200, CONTENT_TYPE, gauges.text()

    def ready() -> tuple[int, str, bytes]:
        standing = gauges.standing
        return _told("" if standing.ready else standing.why, group=gauges.group, lag=sum(standing.lag.values()))

    answers: dict[str, Callable[[], tuple[int, str, bytes]]] = {
        "/metrics": metrics,
        "/readyz": ready,
        "/livez": lambda: _told(gauges.dead(), group=gauges.group),
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            status, kind, body = answer() if answer else (404, JSON, json.dumps({"paths": sorted(answers)}).encode())
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - named so by the standard library

        def version_string(self) -> str:
            return "twohand"

        def log_message(self, *_: object) -> None:
            """Scrapes are no news."""

    return Handler


def _told(why: str, **more: object) -> tuple[int, str, bytes]:
    said = {"status": "fail", "why": why} if why else {"status": "ok"}
    return 503 if why else 200, JSON, json.dumps(said | more).encode()
