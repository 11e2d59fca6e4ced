"""`twohand doctor`: what works is shown to work, what is broken is named with what to do."""

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from rules import lineage
from streams.commands.app import run
from streams.doctor import version_of
from streams.doctor_clone import FAIL, OK, WARN
from streams.engines.journal import Journal
from tests.gitrepo import Repo


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TWOHAND_SETTINGS", raising=False)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    for name in lineage.environment():
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def repo(home: Path) -> Repo:
    repo = Repo(home / "repo")
    repo.git("config", "user.email", "alice@example.com")
    repo.git("config", "user.name", "Alice Doe")
    return repo


def _checks(path: Path, capsys, *, code: int) -> dict[str, dict[str, str]]:
    assert run(["doctor", "-C", str(path), "--format", "json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is (code == 0)
    return {row["name"]: row for row in told["checks"]}


def _enrolled(repo: Repo, home: Path) -> None:
    (home / ".ssh").mkdir()
    key = home / ".ssh" / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a", "-f", str(key)], check=True)
    repo.commit("One")
    assert run(["init", "-C", str(repo.path), "--quiet"]) == 0
    repo.commit("Policy")


def test_a_healthy_repository_has_nothing_to_fix(repo: Repo, home: Path, capsys) -> None:
    """After init with a key, every check is ok, and the exit code is 0."""
    _enrolled(repo, home)
    run(["review", "-C", str(repo.path), "--format", "json"])
    capsys.readouterr()
    found = _checks(repo.path, capsys, code=0)
    wrong = {name: row for name, row in found.items() if row["state"] != OK and name != "terminal"}
    assert wrong == {}
    assert {"git", "ssh-keygen", "google-re2", "ast-grep", "journal", "you", "policy", "owners"} <= found.keys()
    assert "alice-doe" in found["you"]["said"]


def test_a_broken_journal_row_fails(repo: Repo, home: Path, capsys) -> None:
    """The row is named; exit code 2."""
    _enrolled(repo, home)
    run(["review", "-C", str(repo.path), "--format", "json"])
    with sqlite3.connect(repo.path / ".git/twohand/journal.db") as db:
        db.execute("update log set at = '2020-01-01T00:00:00Z' where offset = 2")
    capsys.readouterr()
    found = _checks(repo.path, capsys, code=2)
    assert found["journal"]["state"] == FAIL
    assert "row 2 is broken" in found["journal"]["said"]


def test_a_journal_that_is_none_fails(repo: Repo, capsys) -> None:
    """Bytes that are no database are said, not a crash."""
    repo.commit("One")
    repo.write(".git/twohand/journal.db", b"\x00nonsense" * 400)
    assert _checks(repo.path, capsys, code=2)["journal"]["state"] == FAIL


def test_a_journal_that_has_grown_large_is_a_warning(repo: Repo, home: Path, capsys, monkeypatch) -> None:
    """It decides as before and keeps no contents any more; the remedy makes room without a loss to the record."""
    _enrolled(repo, home)
    run(["review", "-C", str(repo.path)])
    capsys.readouterr()
    monkeypatch.setattr("streams.engines.journal.FULL", 200_000)
    path = repo.path / ".git" / "twohand" / "journal.db"
    with Journal(path) as journal:
        journal.keep_blobs({"0" * 40: os.urandom(300_000)})
        journal.keep_blobs({"1" * 40: b"x"})
        assert (journal.full(), journal.blob("1" * 40)) == (True, None)
    found = _checks(repo.path, capsys, code=0)["journal room"]
    assert found["state"] == WARN
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("delete from blob")
        db.execute("vacuum")
    checks = _checks(repo.path, capsys, code=0)
    assert "journal room" not in checks
    assert checks["journal"]["state"] == OK


def test_a_broken_policy_fails_with_its_line(repo: Repo, capsys) -> None:
    """Law 36: an invalid policy blocks everything, and doctor says where it is wrong."""
    repo.write("twohand.toml", "version = 1\nnonsense = 1\n")
    repo.commit("Broken")
    found = _checks(repo.path, capsys, code=2)
    assert "twohand.toml:2" in found["policy"]["said"]
    assert found["policy"]["remedy"] == "twohand policy validate"


def test_strangers_and_missing_keys_are_warnings(repo: Repo, capsys) -> None:
    """Whoever is not enrolled, or has no key, is told how to be; that fails nothing."""
    repo.commit("One")
    assert _checks(repo.path, capsys, code=0)["you"]["state"] == WARN
    assert run(["init", "-C", str(repo.path), "--quiet"]) == 0
    capsys.readouterr()
    repo.commit("Policy")
    found = _checks(repo.path, capsys, code=0)["you"]
    assert (found["state"], "no key in the policy" in found["said"]) == (WARN, True)


def test_wrong_settings_fail(repo: Repo, capsys) -> None:
    """A settings file with a mistake is named with its line."""
    repo.commit("One")
    repo.write(".git/twohand/settings.toml", 'engine = "paper"\n')
    found = _checks(repo.path, capsys, code=2)
    assert found["settings"]["state"] == FAIL
    assert "settings.toml:1" in found["settings"]["said"]


def test_routes_that_reach_nobody_are_warnings(repo: Repo, home: Path, capsys, monkeypatch) -> None:
    """Keys that are not there and misspelt words of steps are found before somebody has to be woken; nothing is sent."""
    _enrolled(repo, home)
    capsys.readouterr()
    assert "alerts" not in _checks(repo.path, capsys, code=0)
    policy = repo.path / "twohand.toml"
    steps = '\n[escalation]\nsteps = [{ after = "0m", notify = ["owners", "pagr"] }]\n'
    repo.write("twohand.toml", policy.read_text("utf-8") + steps)
    repo.commit("Steps")
    repo.write(".git/twohand/settings.toml", '[alerts.pager]\nkind = "pagerduty"\nkey_env = "NO_SUCH_KEY"\n')
    assert run(["doctor", "-C", str(repo.path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "notifies 'pagr', which is nobody there and no route of the settings" in said
    assert "[alerts.pager] reaches nobody as it is: the environment variable NO_SUCH_KEY" in said
    monkeypatch.setenv("NO_SUCH_KEY", "k")
    repo.write("twohand.toml", policy.read_text("utf-8").replace("pagr", "pager"))
    repo.commit("Spelt")
    found = _checks(repo.path, capsys, code=0)["alerts"]
    assert (found["state"], found["said"]) == (OK, "pager; `twohand alerts test` sends a message")


def test_a_shallow_clone_is_said(repo: Repo, home: Path, capsys) -> None:
    """What is cut off cannot be judged: a warning with the command that fetches it."""
    repo.commit("One")
    repo.commit("Two")
    clone = Repo.clone(repo, home / "clone", "--depth", "1")
    found = _checks(clone.path, capsys, code=0)["history"]
    assert (found["state"], found["remedy"]) == (WARN, "git fetch --unshallow")


def test_files_that_everybody_can_write_fail(repo: Repo, capsys) -> None:
    """Who can write the repository's files can replace its journal."""
    repo.commit("One")
    (repo.path / ".git").chmod(0o777)
    found = _checks(repo.path, capsys, code=2)["files"]
    assert found["remedy"] == f"chmod o-w {repo.path / '.git'}"


def test_outside_of_a_repository_the_machine_is_checked(home: Path, capsys) -> None:
    """The repository fails, the machine is still examined."""
    found = _checks(home, capsys, code=2)
    assert found["repository"]["state"] == FAIL
    assert found["ssh-keygen"]["state"] == OK


def test_an_empty_repository_fails_nothing(repo: Repo, capsys) -> None:
    """Before the first commit there is nothing to judge: warnings only."""
    found = _checks(repo.path, capsys, code=0)
    assert found["default branch"]["state"] == WARN


def test_without_ssh_keygen_it_fails(repo: Repo, home: Path, capsys, monkeypatch) -> None:
    """Signing is tried for real: without the program the check fails and names what to install."""
    import shutil

    git = shutil.which("git")
    assert git
    (home / "bin").mkdir()
    (home / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(home / "bin"))
    found = _checks(repo.path, capsys, code=2)["ssh-keygen"]
    assert found["state"] == FAIL
    assert "OpenSSH" in found["remedy"]


def test_text_is_one_line_a_check(repo: Repo, capsys) -> None:
    """Every line begins with its state, remedies stand below, the last one counts."""
    repo.commit("One")
    assert run(["doctor", "-C", str(repo.path), "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith((WARN, "      -> ")) for line in lines[:-1])
    assert "failing" in lines[-1]


def test_versions_of_git() -> None:
    """As git's vendors write them."""
    assert version_of("git version 2.39.5 (Apple Git-154)") == (2, 39)
    assert version_of("git version 2.50.1.windows.1") == (2, 50)
    assert version_of("nothing") == (0, 0)


def test_a_policy_that_is_not_committed_is_one_finding(repo: Repo, home: Path, capsys) -> None:
    """What lies in the working tree counts for nothing: commit it, and nothing else is asked."""
    _enrolled(repo, home)
    repo.git("update-ref", "refs/heads/main", "HEAD~1")
    repo.git("reset", "-q")
    capsys.readouterr()
    found = _checks(repo.path, capsys, code=0)
    wrong = {name for name, row in found.items() if row["state"] != OK and name != "terminal"}
    assert wrong == {"policy"}
    assert "not committed on main" in found["policy"]["said"]
    assert "git commit" in found["policy"]["remedy"]
    assert "counts once it is committed" in found["root of trust"]["said"]
    repo.write("twohand.toml", "nonsense = 1\n")
    broken = _checks(repo.path, capsys, code=2)
    assert "not valid, and not committed" in broken["policy"]["said"]
    assert "you" not in broken
    repo.remove("twohand.toml")
    repo.write("pyproject.toml", "[tool.twohand]\nversion = 1\n")
    assert "pyproject.toml is written, and not committed" in _checks(repo.path, capsys, code=0)["policy"]["said"]


def test_nobody_with_a_key_is_a_warning(repo: Repo, capsys) -> None:
    """Law 17: where no enrolled person can sign, nothing can ever be admitted, and doctor says so."""
    repo.commit("One")
    assert run(["init", "-C", str(repo.path), "--quiet"]) == 0
    repo.commit("Policy")
    capsys.readouterr()
    found = _checks(repo.path, capsys, code=0)["hands"]
    assert found["state"] == WARN
    assert "no enrolled person has a key" in found["said"]


def test_statements_of_others_are_not_fetched_by_themselves(repo: Repo, home: Path, capsys) -> None:
    """A clone's refspec brings branches alone; the line that brings statements is told, until a refspec has them."""
    repo.commit("One")
    repo.git("clone", "-q", str(repo.path), str(home / "clone"))
    found = _checks(home / "clone", capsys, code=0)["statements"]
    assert found["state"] == WARN
    assert found["remedy"].startswith("git fetch origin 'refs/twohand/*:refs/twohand/*'")
    spec = "refs/twohand/*:refs/twohand/*"
    repo.git("-C", str(home / "clone"), "config", "--add", "remote.origin.fetch", spec)
    assert _checks(home / "clone", capsys, code=0)["statements"]["state"] == OK
    assert "statements" not in _checks(repo.path, capsys, code=0)


def test_a_guessed_default_branch_is_a_warning(repo: Repo, home: Path, capsys) -> None:
    """A remote-tracking `main` is no word of the remote's that it is its default."""
    repo.commit("One")
    clone = home / "clone"
    repo.git("clone", "-q", str(repo.path), str(clone))
    for command in (["remote", "set-head", "origin", "-d"], ["switch", "-q", "--detach"], ["branch", "-D", "main"]):
        repo.git("-C", str(clone), *command)
    found = _checks(clone, capsys, code=0)["default branch"]
    assert (found["state"], found["remedy"]) == (WARN, "git remote set-head origin -a")
    repo.git("-C", str(clone), "remote", "set-head", "origin", "-a")
    assert _checks(clone, capsys, code=0)["default branch"]["state"] == OK
