"""docs/judges.md, followed by a stranger: its commands, in its order, in a shell (law 22-26)."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "judges.md").read_text("utf-8")
SHIM = f'#!/bin/sh\nexec "{sys.executable}" -m streams.cli "$@"\n'


def followed(place):
    """Everything that the page's shell blocks print, both streams in one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    shim = place / "bin" / "twohand"
    shim.parent.mkdir()
    shim.write_text(SHIM)
    shim.chmod(0o755)
    script = "\n".join(blocks).replace("8461", str(port)) + "\nkill %1\n"
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1"}
    with subprocess.Popen(
        ["bash", "-c", script], cwd=place, env=environ, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            return process.communicate(timeout=120)[0]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_page_does_what_it_says(tmp_path):
    """A change by an agent judged by an independent model, a same-family reviewer passed over, a fallback compared, the cost."""
    told = followed(tmp_path)
    shown = PAGE.split("\n```\njudging:", 1)[1].split("\n```\n", 1)[0]
    for line in ("judging:" + shown).split("\n"):
        if line.startswith("judging:"):
            assert line.partition(" (")[0] in told
    admitted, blocked = told.index("\nadmitted "), told.index("\nblocked ")
    assert told.index("third: approve") < admitted < told.index("third: object") < blocked
    assert re.search(r"^third +1 +0 +0 +[\d,]+ +[\d,]+ +0\.\d+ ", told, re.MULTILINE)
    assert "json_schema (configured): works" in told
    assert "Traceback" not in told
