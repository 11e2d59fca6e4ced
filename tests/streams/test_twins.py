"""Paths that a disk which ignores case takes for another (law 29, 31)."""

from pathlib import Path

import pytest

from rules.gate_paths import is_gate_path
from streams.sources.git import Repository
from streams.sources.twins import twins
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    for path in ("src/auth/login.py", "src/Caf\u00e9.py", "README"):
        made.write(path, "x\n")
    made.commit("start")
    return made


@pytest.mark.parametrize(
    ("added", "place"),
    [
        ("src/AUTH/login.py", "src/auth/login.py"),
        ("SRC/auth/new.py", "src/auth/new.py"),
        ("Src/Auth/Login.PY", "src/auth/login.py"),
        ("src/Cafe\u0301.py", "src/Caf\u00e9.py"),
        ("readme", "README"),
    ],
)
def test_a_twin_is_found(repo: Repo, added: str, place: str) -> None:
    """Each part of the path is taken as the base writes it."""
    found = twins(Repository.open(repo.path), repo.git("rev-parse", "HEAD"), [added.encode()])
    assert [origin.path.decode() for origin in found[added.encode()]] == [place]


@pytest.mark.parametrize("added", ["src/auth/other.py", "src/new/login.py", "lib/AUTH/login.py", "a"])
def test_an_ordinary_new_file_has_none(repo: Repo, added: str) -> None:
    """Nothing stands where it goes."""
    assert twins(Repository.open(repo.path), repo.git("rev-parse", "HEAD"), [added.encode()]) == {}


@pytest.mark.parametrize(
    "path",
    [".GIT/config", "a/.git/hooks/post-checkout", "git~1/x", ".git. /x", ".g\u200cit/x", ".git::$INDEX_ALLOCATION/x"],
)
def test_what_some_disk_takes_for_the_git_directory_is_the_gate(path: str) -> None:
    """Law 29: what git would run after a checkout decides about what comes next."""
    assert is_gate_path(path.encode())


@pytest.mark.parametrize("path", [".gitignore", "src/git.py", ".github/x.md", "a.git/x"])
def test_other_names_with_git_are_ordinary(path: str) -> None:
    """Only the directory itself."""
    assert not is_gate_path(path.encode())
