"""A scripted OpenAI-compatible server on loopback: real HTTP/1.1, no model. For tests, also those of users, and for trying out.

with ScriptedServer([Rule(finds="verify=False", verdict="object"), Rule()]) as server:
    Endpoint(server.url, "qwen3-coder") ...
    server.requests[0].body["model"]
"""

from __future__ import annotations

import asyncio
import json
import threading
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from streams.judges.script import Asked, Row, Rule, Script, quoted, read_request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

LARGEST = 64 << 20  # bytes of a request
HEAD = 64 << 10  # bytes of its headers
PIECE = 64 << 10
PATH = "/chat/completions"


class Recorded(NamedTuple):
    """A request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any  # the JSON, None where there is none


class ScriptedServer:
    """Serves in a thread of its own for as long as the `with` lasts. `url` is the base address, with /v1."""

    def __init__(
        self, rules: Sequence[Rule], *, listen: tuple[str, int] = ("127.0.0.1", 0), tls: ssl.SSLContext | None = None,
        told: Callable[[Recorded, str], None] | None = None,
    ) -> None:  # fmt: skip
        """`told` hears of every request and what was answered, in words."""
        self.requests: list[Recorded] = []
        self.url = ""
        self._script = Script(tuple(rules))
        self._listen, self._tls, self._told = listen, tls, told
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._connected, *self._listen, ssl=self._tls, limit=LARGEST)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/v1"

    async def _stop(self) -> None:
        assert self._server
        self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays."""
        request = await _received(reader)
        self.requests.append(request)
        if not request.path.endswith(PATH):
            models = {"object": "list", "data": []}
            await _write(writer, Rule(body=json.dumps(models), status=200 if request.path.endswith("/models") else 404))
            return True
        try:
            asked = read_request(request.body if isinstance(request.body, dict) else {})
        except ValueError as error:
            await _write(writer, Rule(status=400, reason=str(error)))
            return True
        rule = self._script.choose(asked) or Rule(status=404, reason="the script has no answer to this")
        if self._told:
            self._told(request, _words(rule))
        return await _write(writer, rule, asked)


def _words(rule: Rule) -> str:
    if rule.status != 200:
        return f"HTTP {rule.status}"
    return "a text of its own" if rule.text or rule.body else "what it is told" if rule.obeys else rule.verdict


async def _received(reader: asyncio.StreamReader) -> Recorded:
    """EOFError where the other side is done, ValueError where this is no request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    first, *rest = head.rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    size = int(headers.get("content-length", "0"))
    if size > LARGEST or len(head) > HEAD:
        raise ValueError("too large")
    body = await reader.readexactly(size)
    method, path, *_ = [*first.split(" "), ""]
    try:
        return Recorded(method, path, headers, json.loads(body) if body else None)
    except ValueError:
        return Recorded(method, path, headers, None)


async def _write(writer: asyncio.StreamWriter, rule: Rule, asked: Asked | None = None) -> bool:
    """Send the answer as the rule says; whether the connection stays."""
    await asyncio.sleep(rule.delay_ms / 1000)
    body = _body(rule, asked or Asked("", "", "", "")).encode("utf-8", "surrogateescape")
    length = (
        () if any(line.lower().startswith("transfer-encoding:") for line in rule.headers) else (len(body) + rule.pad,)
    )
    head = [f"HTTP/1.1 {rule.status} Scripted", f"Content-Type: {rule.type}"]
    head += (
        [] if any(line.lower().startswith("date:") for line in rule.headers) else [f"Date: {formatdate(usegmt=True)}"]
    )
    head += [*rule.headers, *(f"Content-Length: {size}" for size in length)]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode("latin1"))
    left = rule.cut if rule.cut >= 0 else len(body) + rule.pad
    for piece in _pieces(body, rule):
        writer.write(piece[:left])
        left -= len(piece)
        await writer.drain()
        if left <= 0:
            break
        await asyncio.sleep(len(piece) / rule.bytes_per_second if rule.bytes_per_second else 0)
    if rule.cut >= 0 and rule.reset:
        writer.transport.abort()
    return rule.cut < 0 and bool(length)


def _pieces(body: bytes, rule: Rule) -> Iterator[bytes]:
    size = min(rule.bytes_per_second, PIECE) or PIECE
    size = max(size // 10, 1) if rule.bytes_per_second else size
    yield from (body[at : at + size] for at in range(0, len(body), size))
    for at in range(0, rule.pad, PIECE):
        yield b" " * min(PIECE, rule.pad - at)


def _body(rule: Rule, asked: Asked) -> str:
    if rule.body:
        return _filled(rule.body, asked)
    if rule.status != 200:
        return json.dumps({"error": {"message": rule.reason, "type": "scripted", "code": None}})
    content = None if rule.refusal else _filled(rule.text, asked) or json.dumps(said(rule, asked))
    message = {"role": "assistant", "content": content, "refusal": rule.refusal or None}
    usage = {"prompt_tokens": len(asked.text) // 4, "completion_tokens": len(content or "") // 4}
    envelope: dict[str, Any] = {
        "id": "chatcmpl-scripted", "object": "chat.completion", "created": 0, "model": rule.reports or asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": rule.finish}], "usage": usage,
    }  # fmt: skip
    return json.dumps({name: value for name, value in envelope.items() if name != "model" or value != "-"})


def _filled(text: str, asked: Asked) -> str:
    return text.replace("{nonce}", asked.nonce).replace('"{marks}"', json.dumps(asked.marks()))


def said(rule: Rule, asked: Asked) -> dict[str, Any]:
    """A valid answer to this request."""
    approves = any("approve" in row.text.lower() for row in asked.rows()) if rule.obeys else rule.verdict == "approve"
    word = ("approve" if approves else "object") if rule.obeys else rule.verdict
    row = quoted(rule, asked) if word == "object" else None
    findings = [_finding(rule, row)] if row else []
    return {
        "nonce": rule.nonce or asked.nonce, "marks": asked.marks(rule.reads), "verdict": word, "reason": rule.reason,
        "findings": findings,
    }  # fmt: skip


def _finding(rule: Rule, row: Row) -> dict[str, Any]:
    return {
        "path": row.path, "side": "old" if row.sign == "-" else "new", "line": row.number, "quote": row.text,
        "severity": rule.severity, "message": rule.message,
    }  # fmt: skip
