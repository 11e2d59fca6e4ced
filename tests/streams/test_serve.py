"""`twohand serve`, `oncall` and `escalation`: what people on call do, from the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from streams import answers
from streams.engines.journal import Journal
from tests.gitrepo import Repo
from tests.streams.gate import Gate, clean_environment

ROTA = """
[escalation]
steps = [{ after = "0m", notify = ["owners"] }, { after = "15m", notify = ["first-line", "pager"] }]
[rotations.first-line]
people = ["bob", "carol"]
zone = "Europe/Berlin"
start = "2026-01-05"
[[rotations.first-line.override]]
person = "alice"
from = "2026-12-24T00:00"
until = "2026-12-27T00:00"
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    gate = Gate(tmp_path, keys, capsys)
    gate.repo.git("checkout", "-q", "main")
    gate.repo.write("twohand.toml", gate.policy + ROTA)
    gate.repo.commit("A rota")
    gate.repo.git("checkout", "-q", "feature")
    gate.repo.git("rebase", "-q", "main")
    return gate


def escalated(gate: Gate) -> None:
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    assert gate.run("review").code == 4


def listed(gate: Gate, *options: str) -> list[dict]:
    said = gate.run("escalation", "list", "--format", "json", *options)
    assert said.code == 0, said.err
    return json.loads(said.out)["escalations"]


def test_who_is_on_call_and_why(gate):
    """`oncall` names the person, the end of the turn, who is next, and an override as such."""
    said = gate.run("oncall", "--at", "2026-01-07T12:00:00Z")
    assert said.out == ("first-line: bob until 2026-01-12T08:00:00Z, then carol (weekly turn, Europe/Berlin)\n")
    stood_in = json.loads(gate.run("oncall", "first-line", "--at", "2026-12-25T12:00:00Z", "--format", "json").out)
    assert stood_in["rotations"][0] | {"since": ""} == {
        "rotation": "first-line", "person": "alice", "since": "", "until": "2026-12-26T23:00:00Z", "why": "override",
        "turn": "weekly", "zone": "Europe/Berlin", "zone_known": True, "left": [], "next": "bob",
    }  # fmt: skip


def test_a_rotation_that_is_not_there_is_told(gate):
    """An unknown name and a wrong instant are usage errors that name what is there."""
    assert gate.run("oncall", "second-line").code == 2
    assert "first-line" in gate.run("oncall", "second-line").err
    assert gate.run("oncall", "--at", "noon").code == 2


def test_once_tells_what_is_due_and_a_key_acknowledges_it(gate):
    """`serve --once` pages; `escalation ack` with an enrolled key stops it; nobody else's key does."""
    escalated(gate)
    assert gate.run("escalation", "list").out == "Nobody is asked anything.\n"
    first = gate.run("serve", "--once")
    assert "1 pages due, 1 messages sent, 0 not taken yet" in first.out, first.err
    assert "notifies 'pager', which is nobody there and no [alerts.pager] of the settings" in first.err
    assert first.err.count("note:") == 1
    (one,) = listed(gate)
    assert (one["state"], one["asked"], one["debt"]) == ("open", ["carol"], False)
    name = one["escalation"]
    wrong = gate.run("escalation", "ack", name[:10], "--as", "carol", "--key", str(gate.keys["bob"]))
    assert (wrong.code, listed(gate)[0]["state"]) == (2, "open")
    assert gate.run("escalation", "ack", name[:10], "--as", "claude-two", "--key", str(gate.keys["bot"])).code == 2
    done = gate.run("escalation", "ack", name[:10], "--as", "carol", "--key", str(gate.keys["carol"]))
    assert (done.code, done.out) == (0, f"carol acknowledged {name[:12]}; it approves nothing\n")
    (heard,) = listed(gate)  # told at once, before the service has seen it
    assert heard["next"] > one["next"]
    assert gate.run("serve", "--once").code == 0
    assert (listed(gate)[0]["state"], listed(gate)[0]["next"]) == ("acknowledged", heard["next"])
    assert gate.run("review").code == 4
    shown = gate.run("escalation", "show", name)
    assert re.search(
        r"acknowledged carol \(key\)\n  \S+Z  message \(open\) through owners: sent, 1 try\n", shown.out
    ), shown.out
    again = gate.run("escalation", "ack", name, "--as", "carol", "--key", str(gate.keys["carol"]))
    assert (again.code, "already" in again.err) == (2, True)


def test_the_service_pages_shows_its_page_and_drains(gate, tmp_path):
    """The real process: it listens on loopback, pages with a link that works once, and ends on SIGTERM with code 0."""
    escalated(gate)
    settings = tmp_path / "settings.toml"
    settings.write_text('[serve]\nlisten = "127.0.0.1:0"\n[alerts.owners]\nkind = "log"\n')
    command = [sys.executable, "-m", "streams.cli", "serve", "-C", str(gate.repo.path), "--settings", str(settings)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
    try:
        said = eventually(lambda: re.search(r"page at (\S+);", (tmp_path / "log").read_text()))
        with urllib.request.urlopen(f"{said[1]}/escalations", timeout=20) as page:
            assert page.status == 200
        eventually(lambda: listed(gate))
        link = f"{said[1]}/ack/{link_of(gate)}"
        with urllib.request.urlopen(link, timeout=20) as page:
            assert (page.status, listed(gate)[0]["state"]) == (200, "open")
        with urllib.request.urlopen(pressed(link, said[1]), timeout=20) as page:
            assert page.status == 200
        assert (listed(gate)[0]["state"], listed(gate)[0]["acknowledged_by"]) == ("acknowledged", "carol")
        with pytest.raises(urllib.error.HTTPError) as again:
            urllib.request.urlopen(pressed(link, said[1]), timeout=20)
        assert again.value.code == 410
        again.value.close()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (tmp_path / "log").read_text()
    secret = gate.repo.path / ".git" / "twohand" / answers.SECRET
    assert secret.stat().st_mode & 0o777 == 0o600


def test_an_agents_shell_acknowledges_nothing(gate, monkeypatch):
    """Law 20: an agent that finds a person's key or link does not silence pages in their name."""
    escalated(gate)
    assert gate.run("serve", "--once").code == 0
    monkeypatch.setenv("CLAUDECODE", "1")
    name = listed(gate)[0]["escalation"]
    for how in (["--as", "carol", "--key", str(gate.keys["carol"])], ["--link", link_of(gate)]):
        refused = gate.run("escalation", "ack", name, *how)
        assert (refused.code, "belongs to an agent" in refused.err) == (2, True)
    assert listed(gate)[0]["state"] == "open"


def link_of(gate: Gate) -> str:
    """What stands behind the last slash of the link in the newest message."""
    from streams.engines.outbox import JournalOutbox

    with Journal(gate.repo.path / ".git" / "twohand" / "journal.db") as journal:
        return JournalOutbox(journal).letters()[-1][0].message.link.rpartition("/")[2]


def pressed(link: str, origin: str) -> urllib.request.Request:
    """The button on the page of a link."""
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    return urllib.request.Request(link, data=b"", headers=headers, method="POST")


def eventually(work, seconds: float = 30):
    """What `work` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (found := work()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


def test_a_port_that_is_taken_is_told(gate, tmp_path):
    """`serve` on an address of somebody else says so and ends with code 2."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = tmp_path / "settings.toml"
        settings.write_text(f'[serve]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n')
        command = [sys.executable, "-m", "streams.cli", "serve", "-C", str(gate.repo.path), "--settings", str(settings)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert (done.returncode, "cannot listen" in done.stderr) == (2, True), done.stderr
    assert "one is enough" in done.stderr


def test_routes_that_reach_nobody_are_told_at_the_start(gate, tmp_path):
    """A key that is not there and a word that no route has are notes before anything is due; a whole route is none."""
    settings = tmp_path / "settings.toml"
    settings.write_text('[alerts.owners]\nkind = "pagerduty"\nkey_env = "NO_SUCH_KEY"\n[alerts.notes]\nkind = "log"\n')
    said = gate.run("serve", "--once", "--settings", str(settings))
    assert said.code == 0
    notes = [line for line in said.err.splitlines() if line.startswith("note: ")]
    assert [("'pager'" in line, "NO_SUCH_KEY" in line) for line in notes] == [(True, False), (False, True)], said.err
    assert "through 'owners'" in notes[0]
    assert "go into this log" in gate.run("serve", "--once").err


def test_a_repository_without_a_record_has_nobody_to_ask(tmp_path, monkeypatch, capsys):
    """Without a journal, `escalation list` says what makes one."""
    from streams.commands.app import run

    clean_environment(monkeypatch, tmp_path)
    repo = Repo(tmp_path / "empty")
    assert run(["escalation", "list", "-C", str(repo.path)]) == 2
    assert "twohand review" in capsys.readouterr().err
