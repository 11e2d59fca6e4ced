"""`twohand model-server`: a scripted stand-in for a model, to try reviewers out without one."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.judges.server import Recorded

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Script = Annotated[Path, typer.Option("--script", metavar="FILE", help="What is answered: rules in TOML.")]
Listen = Annotated[
    str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen, on this machine; port 0: any free one.")
]


class CannotServe(SourceError):
    """The script cannot be read, or the address cannot be had."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="model-server")(model_server)


def model_server(*, script: Script, listen: Listen = "127.0.0.1:0") -> int:
    """Answer as a script says, in place of a model.

    Speaks the chat completions of the OpenAI API over HTTP, on this machine alone. The address is the first line of the output;
    every request is told on standard error. Ends with Ctrl-C. docs/judges.md describes the script.
    """
    from streams.judges.script import parse  # noqa: PLC0415
    from streams.judges.server import ScriptedServer  # noqa: PLC0415

    address = _address(listen)
    rules = parse(_text(script), str(script))
    try:
        with ScriptedServer(rules, listen=address, told=_told) as server:
            print(server.url, flush=True)
            _wait()
    except OSError as error:
        raise CannotServe(
            f"Cannot listen at {listen}: {error.strerror or error}.", remedy="Choose a free port, or port 0 for any."
        ) from None
    return 0


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    if not colon or not port.isascii() or not port.isdigit() or int(port[:6]) > 65_535 or host not in LOOPBACK:
        raise CannotServe(
            f"--listen {listen}: must be 127.0.0.1:PORT, localhost:PORT or [::1]:PORT.",
            remedy="It stands in for a model and knows no keys, so it serves this machine alone.",
        )
    return host, int(port)


def _text(script: Path) -> bytes:
    try:
        return script.read_bytes()
    except OSError as error:
        raise CannotServe(
            f"{script} cannot be read: {error.strerror}.", remedy="docs/judges.md shows a first script."
        ) from None


def _told(request: "Recorded", answered: str) -> None:
    model = request.body.get("model") if isinstance(request.body, dict) else None
    print(f"{str(model)[:80]!r}: {answered}", file=sys.stderr, flush=True)


def _wait() -> None:
    """Until somebody ends it, also where it was started with interrupts switched off."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
