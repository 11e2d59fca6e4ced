"""`twohand alerts test`: a route works, or the reason is told."""

import pytest

from streams.commands.app import run
from tests.gitrepo import Repo
from tests.streams.receivers import Letters, Receiver, accepted, free_port, mail_server


@pytest.fixture
def told(tmp_path, capfd, monkeypatch):
    """Runs the command with these settings: exit code, output, errors."""
    repo = Repo(tmp_path / "repo")
    monkeypatch.setenv("KEY", "r0ut1ng")

    def call(settings, *arguments):
        path = tmp_path / "settings.toml"
        path.write_text(settings)
        code = run(["alerts", "test", *arguments, "-C", str(repo.path), "--settings", str(path)])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def test_every_route_is_tried_and_each_answer_told(told):
    """One that works, one where nobody listens: exit code 2, and which is which."""
    with Receiver(accepted) as server:
        settings = f"""
            [alerts.oncall]
            kind = "pagerduty"
            url = "{server.url}"
            key_env = "KEY"
            [alerts.watch]
            kind = "alertmanager"
            url = "http://127.0.0.1:{free_port()}"
            """
        code, out, _ = told(settings)
        alone = told(settings, "oncall")
    first, second = out.splitlines()
    assert code == 2
    assert first.startswith("oncall (pagerduty): sent (")
    assert second.startswith("watch (alertmanager): not sent (")
    assert "cannot be reached" in second
    assert alone[0] == 0
    assert [got.json()["event_action"] for got in server.got] == ["trigger", "resolve"] * 2
    assert "r0ut1ng" not in out


def test_mail_goes_to_whom_is_named(told):
    """A route of owners has nobody of its own to write to."""
    letters = Letters()
    with mail_server(letters) as port:
        settings = f'[alerts.owners]\nkind = "email"\nurl = "smtp://127.0.0.1:{port}"\nfrom = "twohand@example.com"\n'
        nobody = told(settings, "owners")
        named = told(settings, "owners", "--to", "alice@example.com")
    assert nobody[0] == 2
    assert "no address to go to" in nobody[1]
    assert named[0] == 0
    [(envelope, _)] = letters.taken
    assert envelope.rcpt_tos == ["alice@example.com"]
    assert b"nothing has happened" in envelope.content


def test_without_settings_the_log_speaks(told):
    """It stands for every route."""
    code, out, err = told("")
    assert code == 0
    assert out.startswith("log (log): sent (")
    assert "Test of the alert route log: nothing has happened" in err


def test_an_unknown_route_names_the_known_ones(told):
    """What is wrong, and what there is."""
    code, _, err = told('[alerts.a]\nkind = "log"\n[alerts.b]\nkind = "log"\n', "c")
    assert code == 2
    assert "no route 'c' (they have a, b)" in err
