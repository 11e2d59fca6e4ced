"""The whole story with real programs: one service, one Alertmanager, pushes, a form, a key, and the report of the week (DESIGN 9)."""

import json
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from streams.commands.app import run
from tests.gitrepo import Repo
from tests.streams import served as served_module
from tests.streams.gate import clean_environment
from tests.streams.keys import make_keys
from tests.streams.receivers import Receiver, alertmanager, eventually, free_port
from tests.streams.served import Served, push

ROOT = Path(__file__).parents[2]
TOKEN = "a token that nobody guesses"
STEPS = """
[[escalation.steps]]
after = "0m"
notify = ["owners", "notes"]
[[escalation.steps]]
after = "15m"
notify = ["first-line"]
[rotations.first-line]
people = ["bob", "carol"]
zone = "Europe/Berlin"
start = "2026-01-05"
"""


@pytest.fixture
def served(tmp_path, tmp_path_factory, monkeypatch):
    """An enforcing repository whose policy asks the owner, then who is on call."""
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(served_module, "POLICY", served_module.POLICY + STEPS)
    return Served(tmp_path, make_keys(tmp_path_factory.mktemp("keys")))


class Service:
    """`twohand serve` of one repository, as its administrator starts it."""

    def __init__(self, server: Repo, url: str, log: Path) -> None:
        self.server, self.log, self.port = server, log, free_port()
        (server.path / "twohand" / "settings.toml").write_text(
            f'[alerts.owners]\nkind = "alertmanager"\nurl = "{url}"\n[alerts.notes]\nkind = "log"\n'
            f'[serve]\nlisten = "127.0.0.1:{self.port}"\n'
        )

    @contextmanager
    def running(self, *options: str):
        command = [sys.executable, "-m", "streams.cli", "serve", "-C", str(self.server.path), *options]
        environ = {**self.server.environment(), "PYTHONPATH": str(ROOT), "TWOHAND_TOKEN": TOKEN}
        before = self.said().count("twohand serves")
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        try:
            eventually(lambda: self.said().count("twohand serves") > before, 20)
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0, self.said()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def states(self, capsys) -> list[str]:
        """What `escalation list --all` says of each question."""
        capsys.readouterr()
        assert run(["escalation", "list", "--all", "--format", "json", "-C", str(self.server.path)]) == 0
        return [row["how"] or row["state"] for row in json.loads(capsys.readouterr().out)["escalations"]]


class Phone:
    """A browser as far as forms go: cookies, and where a form came from."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open

    def get(self, path: str) -> str:
        with self._open(self.address + path, timeout=20) as answer:
            return answer.read().decode()

    def press(self, path: str, **fields: str) -> str:
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.address + path, data, {"Origin": self.address})
        with self._open(request, timeout=20) as answer:
            return answer.read().decode()


def weaken(served: Served) -> None:
    """Alice drops the check, says that no tool did it, and shares her branch."""
    served.work.write("auth/login.py", "def login(user):\n    pass\n")
    served.work.commit("No check")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    assert push(served.work, "origin", "HEAD:refs/heads/simpler").taken


def typed(served: Served, command: str, clone: Repo) -> None:
    """What the owner copies out of the page that woke her, in a clone of her own."""
    words = shlex.split(command)
    assert words.pop(0) == "twohand"
    assert run([*words, "--key", str(served.keys / "carol"), "-C", str(clone.path)]) == 0


def cloned(served: Served, path: Path) -> Repo:
    clone = Repo.clone(served.server, path)
    clone.git("fetch", "-q", "origin", "refs/twohand/*:refs/twohand/*")
    return clone


def test_paged_acknowledged_approved_landed_and_reported(served, tmp_path, capsys):
    """The owner is paged once, hears it on the page, approves by the command of the message; the push lands, the alert ends."""
    with Receiver((200, b"", {})) as people, alertmanager(tmp_path, people.url) as url:
        service = Service(served.server, url, tmp_path / "serve.log")

        def heard():
            return [got.json()["status"] for got in people.got]

        with service.running():
            weaken(served)
            assert not served.push("HEAD:main").taken
            eventually(lambda: heard() == ["firing"])
            alert = people.got[0].json()["alerts"][0]
            assert alert["annotations"]["asked"] == "carol"
            assert "check(user)" in alert["annotations"]["gone"]
            assert "Your answer is needed" in service.said()
            phone = Phone(f"http://127.0.0.1:{service.port}")
            phone.press("/sign-in", token=TOKEN, name="carol")
            form = re.search(
                r'action="(/escalations/[^"]+)".*?name="form" value="([^"]+)"', phone.get("/escalations"), re.DOTALL
            )
            assert form, phone.get("/escalations")
            phone.press(form[1], form=form[2])
            assert service.states(capsys) == ["acknowledged"]
            eventually(lambda: "acknowledged by carol until" in service.said())
        with service.running():
            typed(served, alert["annotations"]["command"], cloned(served, tmp_path / "carol"))
            served.say("approve", "bob")
            eventually(lambda: heard() == ["firing", "resolved"])
            assert served.push("HEAD:main").taken
            eventually(lambda: service.states(capsys) == ["approved"])
        assert service.said().count("Your answer is needed") == 1
        assert heard() == ["firing", "resolved"]
    assert run(["report", "--week", "-C", str(served.server.path)]) == 0
    report = capsys.readouterr().out
    assert "1 change decided, 1 let in; 0 of these nobody independent read" in report
    assert "until somebody heard a page" in report


def test_what_waited_while_the_service_was_down_is_told_once(served, tmp_path, capsys):
    """Refused while nothing served: told at the start; the link of the message acknowledges once, from a form alone."""
    with Receiver((200, b"", {})) as people, alertmanager(tmp_path, people.url) as url:
        service = Service(served.server, url, tmp_path / "serve.log")
        weaken(served)
        assert not served.push("HEAD:main").taken
        assert service.states(capsys) == []
        with service.running(), service.running("--no-page"):
            eventually(lambda: people.got)
            link = people.got[0].json()["alerts"][0]["generatorURL"].removeprefix(f"http://127.0.0.1:{service.port}")
            phone = Phone(f"http://127.0.0.1:{service.port}")
            assert "Acknowledge as carol" in phone.get(link)
            assert service.states(capsys) == ["open"]
            assert "acknowledged" in phone.press(link)
            with pytest.raises(urllib.error.HTTPError) as used:
                phone.press(link)
            with used.value as refused:
                assert refused.code == 410
            assert service.states(capsys) == ["acknowledged"]
        assert service.said().count("Your answer is needed") == 1
