"""`twohand worker` alone: every role and every model under one process, on a real broker."""

import os
import signal
import sys
from pathlib import Path

import pytest

from streams.judges.script import Rule
from streams.judges.server import ScriptedServer
from tests.kafka.engine import Engine
from tests.kafka.judged import CODE, Shop
from tests.kafka.processes import Server
from tests.streams.keys import make_keys

pytestmark = pytest.mark.xdist_group("kafka")


def children(server: Server) -> dict[str, int]:
    """The running workers by role."""
    pids = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    words = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids}
    return {said[said.index("--only") + 1]: pid for pid, said in words.items() if "--only" in said}


def test_one_command_runs_everything(broker, postgres, tmp_path):
    """Rules, decider, escalator and model; a killed one comes back; SIGTERM ends all of them within ten seconds."""
    engine = Engine(broker, postgres, tmp_path)
    with ScriptedServer([Rule(reason="nothing is lost")]) as models:
        table = f'endpoint = "{models.url}"\nmodel = "qwen3-coder"\n'
        shop = Shop(engine, tmp_path, make_keys(tmp_path / "keys"), {"third": table})
        command = [sys.executable, "-m", "streams.cli", "worker", "--settings", str(engine.settings)]
        server = Server([*command, "--state", str(shop.state), "--name", "all"], tmp_path / "all.log")
        engine.workers.append(server)
        server.start()
        shop.decided(shop.change("one", CODE.replace("user", "one")), "admitted")
        before = children(server)
        assert before.keys() == {"rules", "decide", "escalate", "model:third"}
        os.kill(before["model:third"], signal.SIGKILL)
        shop.decided(shop.change("two", CODE.replace("user", "two")), "admitted")
        after = children(server)
        assert {role for role in before if before[role] == after[role]} == {"rules", "decide", "escalate"}
        server.end(seconds=10)
        assert server.code == 0, server.log.read_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in after.values())
    engine.close()
