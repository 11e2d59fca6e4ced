"""`twohand owners` (law 29, 31): who answers for which path, what is wrong, what a departure would change."""

import json
from pathlib import Path

import pytest

from streams.commands.app import run
from tests.gitrepo import Repo

POLICY = """version = 1
[[requirement]]
name = "security"
when = { paths = ["src/auth/**"] }
from = ["owner"]
[[requirement]]
name = "operations sign"
from = ["team:operations"]
[owners]
fallback = ["carol"]
[people.alice]
emails = ["alice@example.com"]
accounts = ["github:alice"]
[people.bob]
emails = ["bob@example.com"]
accounts = ["github:bob"]
[people.carol]
emails = ["carol@example.com"]
[people.dana]
emails = ["dana@example.com"]
active = false
[teams]
operations = ["bob"]
"""
OWNERS = "*.py @alice\nsrc/auth/ dana@example.com\n/src/auth/ @bob @shop/nobody\nbad x\n/docs/\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setenv("HOME", str(tmp_path))
    repo = Repo(tmp_path / "repo")
    repo.write("twohand.toml", POLICY)
    repo.write(".github/CODEOWNERS", OWNERS)
    for path in ("src/auth/login.py", "src/a b.py", "docs/x.md", b"src/\xff\n.py"):
        repo.write(path, "x\n")
    repo.commit("One")
    return repo


def _told(repo: Repo, capsys, *arguments: str) -> dict:
    assert run(["owners", *arguments, "-C", str(repo.path), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_path_names_its_line_people_and_state(repo: Repo, capsys) -> None:
    """Law 31: the last line that matches, whom it reaches, and whether the path is guarded."""
    [row] = _told(repo, capsys, "src/auth/login.py")["paths"]
    assert (row["line"], row["named"], row["people"]) == (3, ["@bob", "@shop/nobody"], ["bob"])
    assert (row["state"], row["guarded"], row["why"]) == ("owned", True, None)


def test_a_cleared_path_falls_to_the_fallback(repo: Repo, capsys) -> None:
    """Law 31: a line without owners clears; the fallback answers, and the reason is said."""
    [row] = _told(repo, capsys, "docs")["paths"]
    assert (row["path"], row["state"], row["people"], row["line"]) == ("docs/x.md", "fallback", ["carol"], 5)
    assert row["why"] == "nobody owns it"


def test_the_summary_lists_everything_that_is_wrong(repo: Repo, capsys) -> None:
    """Bad lines with their numbers, dead lines, owners that reach nobody, people without a key."""
    told = _told(repo, capsys)
    assert [row["line"] for row in told["problems"]] == [4]
    assert [row["line"] for row in told["dead"]] == [2]
    assert [row["owner"] for row in told["unreachable"]] == ["dana@example.com", "@shop/nobody"]
    assert told["without_key"] == ["alice", "bob", "carol"]
    assert len(told["paths"]) == 6
    assert run(["owners", "-C", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert ".github/CODEOWNERS:4:" in out
    assert "files: 3 owned, 3 left to the fallback" in out
    assert "guarded paths left to the fallback: 2" in out


def test_a_departure_shows_what_falls(repo: Repo, capsys) -> None:
    """Without bob his paths fall to the fallback, and no one is left to sign for operations."""
    told = _told(repo, capsys, "--without", "bob")
    [row] = [row for row in told["paths"] if row["path"] == "src/auth/login.py"]
    assert row["state"] == "owned"
    assert row["without"]["state"] == "fallback"
    assert told["unmeetable"] == ["operations sign: needs 1 of team:operations, 0 left with a key"]
    assert run(["owners", "--without", "bob", "--without", "carol", "-C", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert "files left to nobody: " in out
    assert "src/auth/login.py  (guarded)" in out


def test_unknown_people_and_outside_paths_are_usage_errors(repo: Repo, capsys) -> None:
    """The error names who is known; a path outside of the repository is refused."""
    assert run(["owners", "--without", "zed", "-C", str(repo.path)]) == 2
    assert "alice, bob, carol, dana" in capsys.readouterr().err
    assert run(["owners", "../other", "-C", str(repo.path)]) == 2


def test_paths_are_read_from_where_the_user_stands(repo: Repo, capsys) -> None:
    """A path counts from -C; names that are no UTF-8 are shown in git's quoted form."""
    assert run(["owners", "login.py", "-C", str(repo.path / "src/auth"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["paths"][0]["path"] == "src/auth/login.py"
    told = _told(repo, capsys, "src")
    assert '"src/\\377\\n.py"' in [row["path"] for row in told["paths"]]


def test_the_owners_file_is_that_of_the_base(repo: Repo, capsys) -> None:
    """Law 31: what lies in the working tree does not count; --base names another commit."""
    repo.branch("feature")
    repo.write(".github/CODEOWNERS", "* @carol\n")
    assert _told(repo, capsys, "src/auth/login.py")["paths"][0]["people"] == ["bob"]
    repo.commit("Mine now")
    assert _told(repo, capsys, "src/auth/login.py")["paths"][0]["people"] == ["bob"]
    assert _told(repo, capsys, "src/auth/login.py", "--base", "feature")["paths"][0]["line"] == 1


def test_without_an_owners_file_the_fallback_answers(tmp_path: Path, capsys, monkeypatch) -> None:
    """No owners file is said, and every path has the fallback."""
    monkeypatch.setenv("HOME", str(tmp_path))
    repo = Repo(tmp_path / "plain")
    repo.write("twohand.toml", POLICY)
    repo.commit("One")
    assert run(["owners", "-C", str(repo.path)]) == 0
    assert "owners file: none" in capsys.readouterr().out
    repo.write("twohand.toml", "version = 2\n")
    repo.commit("Broken")
    assert run(["owners", "-C", str(repo.path)]) == 2
    assert "main:twohand.toml:1" in capsys.readouterr().err


def test_a_path_that_is_not_there_is_said(repo: Repo, capsys) -> None:
    """A name with a slip is told, and answered as if it were there; a file that is there is not."""
    assert run(["owners", "nope.py", "docs/x.md", "-C", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert out.count("there is no such path in") == 1
    assert out.index("nope.py") < out.index("there is no such path") < out.index("docs/x.md")
    assert [row["exists"] for row in _told(repo, capsys, "nope.py", "docs/x.md")["paths"]] == [False, True]


def test_owners_without_a_key_are_shown_as_unreachable(repo: Repo, capsys) -> None:
    """Law 17: who cannot sign cannot answer, and the line that names them says so."""
    assert run(["owners", "src/auth/login.py", "-C", str(repo.path)]) == 0
    assert "answered for by bob (no key: unreachable)" in capsys.readouterr().out
    assert run(["owners", "-C", str(repo.path)]) == 0
    assert "fallback: carol (no key: unreachable)" in capsys.readouterr().out
