"""Hosted forges on loopback: they answer as GitHub's and GitLab's public API documentation says they do.

Also the parts of a runner that recipes need: the expressions of a workflow, and the commands `gh`, `pip` and `pipx`.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATA = Path(__file__).parents[1] / "data" / "forges"
TOKEN = "token-of-the-job"


def payload(name: str) -> Any:
    """A recorded event or answer."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


class Forge:
    """Answers by path; what was asked stands in `asked`. Lists are cut into pages as the query says."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{server.server_port}"


@contextmanager
def serving() -> Iterator[Forge]:
    """A forge that answers while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.forge = Forge(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.forge  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        forge: Forge = self.server.forge  # type: ignore[attr-defined]
        split = urlsplit(self.path)
        forge.asked.append(self.path)
        allowed = TOKEN in (
            self.headers.get("PRIVATE-TOKEN"),
            self.headers.get("Authorization", "").removeprefix("Bearer "),
        )
        if not allowed or split.path not in forge.answers:
            self._answer(404, {"message": "404 Not Found"}, "")
            return
        body, rest = _page(forge.answers[split.path], parse_qs(split.query))
        self._answer(200, body, f'<{forge.url}{split.path}?{rest}>; rel="next"' if rest else "")

    def _answer(self, status: int, body: Any, link: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Tests read `asked`."""


def _page(body: Any, query: dict[str, list[str]]) -> tuple[Any, str]:
    """One page of a list and the query of the next; both forges give at most 100 a page."""
    if not isinstance(body, list):
        return body, ""
    size, number = min(int(query.get("per_page", ["30"])[0]), 100), int(query.get("page", ["1"])[0])
    more = f"per_page={size}&page={number + 1}" if len(body) > size * number else ""
    return body[size * (number - 1) : size * number], more


GH = """
import json, os, sys, urllib.request
import jq
args = sys.argv[1:]
assert args.pop(0) == "api", args
expression = args.pop(args.index("--jq") + 1) if "--jq" in args else ""
paginate = "--paginate" in args
assert paginate == ("--slurp" in args), args
(path,) = [arg for arg in args if not arg.startswith("--")]
url, pages = f"{os.environ['FORGE']}/{path}", []
while url:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {os.environ['GH_TOKEN']}"})
    with urllib.request.urlopen(request) as answer:
        pages.append(json.load(answer))
        url = answer.headers["Link"].split(";")[0].strip("<>") if paginate and answer.headers["Link"] else ""
if expression:
    for value in jq.compile(expression).input_value(pages[0]).all():
        print(value if isinstance(value, str) else json.dumps(value))
else:
    print(json.dumps(pages if paginate else pages[0]))
"""
INSTALLER = """
import re, sys
wanted = sys.argv[-1]
sys.exit(0 if re.fullmatch(r"(twohand\\[kafka\\] @ )?git\\+https://\\S+@[0-9a-f]{40}", wanted) else f"not pinned: {wanted}")
"""


def commands(place: Path, root: Path) -> Path:
    """A directory for PATH: gh against the forge, installers that look at what is asked for, and this tree's twohand."""
    place.mkdir()
    twohand = f"import sys; sys.path.insert(0, {str(root)!r}); from streams.cli import main; main()"
    for name, code in {"gh": GH, "pip": INSTALLER, "pipx": INSTALLER, "twohand": twohand}.items():
        (place / name).write_text(f"#!{sys.executable}\n{code}\n")
        (place / name).chmod(0o755)
    return place


def expressions(text: str, context: dict[str, Any]) -> str:
    """`${{ a.b || c }}` in a text, as a runner fills it in: the first of the alternatives that is something."""
    before, *rest = text.split("${{")
    filled = (part.split("}}", 1) for part in rest)
    return before + "".join(_value(expression, context) + after for expression, after in filled)


def _value(expression: str, context: dict[str, Any]) -> str:
    for alternative in expression.split("||"):
        found: Any = context
        for name in alternative.strip().split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found:
            return str(found)
    return ""
