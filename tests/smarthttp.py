"""git over smart HTTP on loopback: a server that hands every request to `git http-backend`, as a web server does by CGI."""

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

CLIENT = {"GIT_ALLOW_PROTOCOL": "file:http", "GIT_TERMINAL_PROMPT": "0", "no_proxy": "127.0.0.1"}
CHUNK = 1 << 16


class Server:
    """Repositories below a directory. Who pushes has to be one of `users` (login to password); reading is free."""

    def __init__(self, http: ThreadingHTTPServer, root: Path, users: Mapping[str, str]) -> None:
        self.root, self.users = root, users
        self._port = http.server_port
        self.requests: list[str] = []

    def url(self, name: str, user: str = "") -> str:
        who = f"{user}:{self.users[user]}@" if user else ""
        return f"http://{who}127.0.0.1:{self._port}/{name}"


@contextmanager
def serving(root: Path, users: Mapping[str, str]) -> Iterator[Server]:
    """A server that answers while the block runs."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    http.known = Server(http, root, users)  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield http.known  # type: ignore[attr-defined]
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # git sends what is large in chunks

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        server: Server = self.server.known  # type: ignore[attr-defined]
        server.requests.append(f"{self.command} {self.path}")
        user = self._user(server)
        self.close_connection = True
        if "receive-pack" in self.path and not user:
            self._unauthorized()
            return
        with subprocess.Popen(
            [shutil.which("git") or "git", "http-backend"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=self._environment(server, user),
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            for part in self._body():
                process.stdin.write(part)
            process.stdin.close()
            self._answer(process.stdout)

    def _user(self, server: Server) -> str:
        """Who is logged in, "" where nobody is."""
        word, _, secret = self.headers.get("Authorization", "").partition(" ")
        login, _, password = base64.b64decode(secret).decode().partition(":") if word == "Basic" else ("", "", "")
        return login if login and server.users.get(login) == password else ""

    def _unauthorized(self) -> None:
        for _ in self._body():
            pass
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _environment(self, server: Server, user: str) -> dict[str, str]:
        """RFC 3875, as `git help http-backend` asks for it."""
        split = urlsplit(self.path)
        known = {
            "PATH": os.environ["PATH"], "HOME": str(server.root), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
            "GIT_PROJECT_ROOT": str(server.root), "GIT_HTTP_EXPORT_ALL": "1", "GATEWAY_INTERFACE": "CGI/1.1",
            "REQUEST_METHOD": self.command, "PATH_INFO": split.path, "QUERY_STRING": split.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "REMOTE_ADDR": self.client_address[0],
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_USER": user,
        }  # fmt: skip
        return {name: value for name, value in known.items() if value}

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left and (part := self.rfile.read(min(left, CHUNK))):
            left -= len(part)
            yield part

    def _answer(self, out: IO[bytes]) -> None:
        """The head of the CGI answer, then its body as it comes."""
        headers = []
        while line := out.readline().rstrip(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while part := out.read(CHUNK):
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Tests read `requests`."""
