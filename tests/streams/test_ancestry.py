"""Lineage across changes: code that moved to a harmless path in one change is still what it was in the next."""

import json
import sqlite3
from pathlib import Path

import pytest

from rules.ancestors import Origin
from streams.sources import ancestry as module
from streams.sources.ancestry import ancestry
from streams.sources.git import Repository
from tests.gitrepo import Repo

CODE = "".join(f"def step_{n}(user):\n    return check(user, {n})\n\n\n" for n in range(20))


@pytest.fixture
def repo(tmp_path):
    made = Repo(tmp_path / "shop")
    made.write("auth/login.py", CODE)
    made.write("README.md", "# Shop\n")
    made.commit("start")
    return made


def names(repo, *paths, base="main", write=True):
    """Earlier names by path, and what is doubtful."""
    kept = repo.path / ".git" / "twohand" / "ancestry.db"
    found = ancestry(Repository.open(repo.path), repo.id(base), [p.encode() for p in paths], kept=kept, write=write)
    return {path.decode(): [o.path.decode() for o in rows] for path, rows in found.origins.items()}, found.doubt


def move(repo, old, new, text=CODE):
    if repo.file(old).exists():
        repo.remove(old)
    repo.write(new, text)
    return repo.commit("Move")


def test_a_file_that_was_renamed_has_its_earlier_name(repo):
    """Also where it was edited on the way."""
    commit = move(repo, "auth/login.py", "lib/util.py", CODE + "# more\n")
    found = ancestry(
        Repository.open(repo.path), commit, [b"lib/util.py", b"README.md"], kept=Path("/nowhere/x"), write=False
    )
    assert found.origins == {b"lib/util.py": (Origin(b"auth/login.py", commit),)}
    assert found.doubt == ""


def test_earlier_names_have_earlier_names(repo):
    """Through several changes, nearest first; a circle of names ends."""
    for old, new in (("auth/login.py", "a.py"), ("a.py", "b.py"), ("b.py", "auth/login.py"), ("auth/login.py", "c.py")):
        move(repo, old, new)
    assert names(repo, "c.py") == ({"c.py": ["auth/login.py", "b.py", "a.py"]}, "")


def test_a_copy_whose_source_was_edited_has_its_name(repo):
    """A stub that stays behind hides nothing."""
    repo.write("auth/login.py", "from lib.util import *\n" + CODE[: len(CODE) // 2])
    repo.write("lib/util.py", CODE)
    repo.commit("Extract")
    assert names(repo, "lib/util.py") == ({"lib/util.py": ["auth/login.py"]}, "")


def test_a_copy_whose_source_was_left_alone_has_its_name(repo):
    """Copied in one commit and deleted in another: the tree in which the copy was born is searched."""
    repo.write("lib/util.py", CODE)
    repo.commit("Copy")
    repo.remove("auth/login.py")
    repo.commit("Delete")
    assert names(repo, "lib/util.py") == ({"lib/util.py": ["auth/login.py"]}, "")


def test_a_rename_on_a_branch_and_in_a_merge_is_seen(repo):
    """Both the commits of a branch and what a merge itself did are read."""
    repo.branch("side")
    move(repo, "auth/login.py", "lib/one.py")
    repo.checkout("main")
    repo.write("README.md", "# The shop\n")
    repo.commit("Words")
    repo.merge("side", commit=False)
    repo.git("mv", "lib/one.py", "lib/two.py")
    repo.commit("Merge, and move on")
    found, doubt = names(repo, "lib/two.py", "lib/one.py")
    assert "auth/login.py" in found["lib/two.py"]
    assert found["lib/one.py"] == ["auth/login.py"]
    assert doubt == ""


def test_what_only_resembles_is_no_copy(repo):
    """Files of their own, and empty ones, came from nowhere."""
    repo.write("lib/util.py", CODE[:200] + "x = 1\n" * 200)
    repo.write("auth/__init__.py", "")
    repo.write("auth/index.py", "from auth import login\n")
    repo.commit("New")
    repo.write("lib/__init__.py", "")
    repo.write("lib/index.py", "from auth import login\n")
    repo.commit("Empty, and a line that many have")
    assert names(repo, "lib/util.py", "lib/__init__.py", "lib/index.py") == ({}, "")


def test_later_reviews_read_only_what_is_new(repo, monkeypatch):
    """What was read is kept; the next base adds its own commits."""
    move(repo, "auth/login.py", "a.py")
    assert names(repo, "a.py")[0]
    move(repo, "a.py", "b.py")
    asked = []
    printed = module._Reader._printed
    monkeypatch.setattr(module._Reader, "_printed", lambda self, *a, fed=b"": keep(a) or printed(self, *a, fed=fed))
    keep = asked.append
    assert names(repo, "b.py") == ({"b.py": ["a.py", "auth/login.py"]}, "")
    assert [(command[0], f"^{repo.id('main~1')}" in command) for command in asked] == [("log", True)]
    assert names(repo, "b.py") == ({"b.py": ["a.py", "auth/login.py"]}, "")
    assert len(asked) == 1


def test_a_look_that_may_write_nothing_writes_nothing(repo):
    """A dry run knows what was kept, and keeps nothing itself."""
    move(repo, "auth/login.py", "a.py")
    assert names(repo, "a.py", write=False)[0] == {"a.py": ["auth/login.py"]}
    assert not (repo.path / ".git" / "twohand").exists()
    names(repo, "a.py")
    before = (repo.path / ".git" / "twohand" / "ancestry.db").read_bytes()
    move(repo, "a.py", "b.py")
    assert names(repo, "b.py", write=False)[0] == {"b.py": ["a.py", "auth/login.py"]}
    assert (repo.path / ".git" / "twohand" / "ancestry.db").read_bytes() == before


def test_what_was_not_read_in_time_is_said_and_read_later(repo, monkeypatch):
    """The bound is a doubt, never silence; each review reads on."""
    move(repo, "auth/login.py", "a.py")
    monkeypatch.setattr(module, "SECONDS", 0.0)
    found, doubt = names(repo, "a.py")
    assert found == {}
    assert doubt.startswith(("its commits could not be listed in time", "2 commits are not read to the end yet"))
    monkeypatch.setattr(module, "SECONDS", 10.0)
    assert names(repo, "a.py") == ({"a.py": ["auth/login.py"]}, "")


def test_a_history_that_is_too_long_is_said(repo, monkeypatch):
    """Only the newest commits are read, in that and in every later review."""
    move(repo, "auth/login.py", "a.py")
    for _ in range(3):
        repo.commit("More")
    monkeypatch.setattr(module, "MOST_COMMITS", 2)
    assert names(repo, "a.py") == ({}, "only its newest 2 commits are read")
    move(repo, "a.py", "b.py")
    assert names(repo, "b.py") == ({"b.py": ["a.py"]}, "only its newest 2 commits are read")


def test_copies_that_were_not_searched_in_time_are_said_and_searched_later(repo, monkeypatch):
    """Every copy of an untouched file is found, each of several, sooner or later."""
    repo.write("lib/one.py", CODE)
    repo.write("lib/two.py", CODE)
    repo.commit("Copies")
    search = module._Reader._search_births
    monkeypatch.setattr(module._Reader, "_search_births", lambda self: None)
    assert names(repo, "lib/one.py") == ({}, "1 commits are not read to the end yet, each review reads on")
    monkeypatch.setattr(module._Reader, "_search_births", search)
    found = {"lib/one.py": ["auth/login.py"], "lib/two.py": ["auth/login.py"]}
    assert names(repo, "lib/one.py", "lib/two.py") == (found, "")


def test_copies_are_searched_in_the_newest_of_an_old_history_and_in_all_later(repo, monkeypatch):
    """The first look searches few commits for copies; renames are read in all of them."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    repo.write("lib/old.py", CODE)
    repo.commit("Copy")
    for _ in range(3):
        repo.commit("More")
    assert names(repo, "lib/old.py") == ({}, "")
    repo.write("lib/new.py", CODE)
    repo.commit("Copy")
    for _ in range(3):
        repo.commit("More")
    assert sorted(names(repo, "lib/new.py")[0]["lib/new.py"]) == ["auth/login.py", "lib/old.py"]


def test_a_shallow_history_is_said(repo, tmp_path):
    """What is cut off cannot be read."""
    move(repo, "auth/login.py", "a.py")
    shallow = Repo.clone(repo, tmp_path / "shallow", "--depth=1")
    assert names(shallow, "a.py")[1] == "the history is cut off by a shallow clone"


def test_a_broken_database_is_said(repo):
    """It can be removed and is made anew."""
    kept = repo.path / ".git" / "twohand" / "ancestry.db"
    kept.parent.mkdir()
    kept.write_bytes(b"no database at all" * 100)
    found, doubt = names(repo, "auth/login.py")
    assert found == {}
    assert "remove it, and it is made anew" in doubt


def test_a_root_that_joins_later_is_read(repo):
    """A history of its own that was merged in has births without a parent's tree."""
    names(repo, "README.md")
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Another beginning")
    repo.checkout("main")
    repo.merge("other", options=("--allow-unrelated-histories",))
    assert names(repo, "auth/login.py")[1] == ""


def test_a_tip_that_is_gone_stops_nothing(repo):
    """Commits that were pruned since are not asked for."""
    names(repo, "README.md")
    with sqlite3.connect(repo.path / ".git" / "twohand" / "ancestry.db") as db:
        db.execute("INSERT INTO tip VALUES (?, '')", ("1" * 40,))
    db.close()
    move(repo, "auth/login.py", "a.py")
    assert names(repo, "a.py") == ({"a.py": ["auth/login.py"]}, "")


@pytest.mark.parametrize("name", ["auth/a b.py", "auth/ü.py", 'auth/"q"\n.py', "A", "R100", "C075"])
def test_any_name_is_read(repo, name):
    """Names with blanks, quotes and line ends, and names that look like git's own words."""
    repo.write(name, CODE[::-1])
    repo.commit("Odd")
    move(repo, name, "plain.py", CODE[::-1])
    assert names(repo, "plain.py") == ({"plain.py": [name]}, "")


# -- through the door -------------------------------------------------------------------------------------------------


def reviewed(gate, *arguments):
    said = gate.run("review", "--format", "json", *arguments)
    assert said.out, said.err
    return json.loads(said.out)


def landed(gate, old, new):
    """A change that moved a file has landed on main, and another one begins."""
    gate.repo.checkout("main")
    gate.repo.write(old, CODE)
    gate.repo.commit("Steps")
    move(gate.repo, old, new)
    gate.repo.branch("second")


def edit(gate, path):
    gate.repo.write(path, CODE.replace("check(user, 7)", "seven(user)"))
    gate.repo.commit("Simplify")


def test_moved_in_one_change_and_weakened_in_the_next_is_escalated(gate):
    """The neutral path is still the guarded one: a hold names its earlier name and the requirement."""
    landed(gate, "auth/steps.py", "lib/steps.py")
    edit(gate, "lib/steps.py")
    decision = reviewed(gate)
    assert decision["outcome"] == "escalated"
    held = [reason for reason in decision["reasons"] if reason["code"] == "finding.security-path"]
    assert [reason["subject"] for reason in held] == ["lib/steps.py"]
    assert "this file came from auth/steps.py (in " in held[0]["values"]["message"]
    assert 'the policy asks "owners"' in held[0]["values"]["message"]


def test_the_owners_answer_releases_it(gate):
    """Law 31, 32: what holds is released by who owns the path."""
    landed(gate, "auth/steps.py", "lib/steps.py")
    edit(gate, "lib/steps.py")
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    assert reviewed(gate)["outcome"] == "admitted"


def test_moved_on_while_it_is_weakened_it_is_held_too(gate):
    """Another move in the second change hides nothing: the path that it leaves is part of the change."""
    landed(gate, "auth/steps.py", "lib/steps.py")
    move(gate.repo, "lib/steps.py", "misc/steps.py", CODE.replace("check(user, 7)", "seven(user)"))
    findings = reviewed(gate)["findings"]
    assert ("security-path", "hold", "lib/steps.py") in {(f["rule"], f["tier"], f["path"]) for f in findings}


def test_a_path_for_which_the_policy_asks_nothing_is_a_note(gate):
    """As strict as it was where it came from, and no stricter."""
    landed(gate, "src/login.py", "src/steps.py")
    edit(gate, "src/steps.py")
    found = [f for f in reviewed(gate)["findings"] if f["rule"] == "security-path"]
    assert [(f["tier"], f["path"]) for f in found] == [("note", "src/steps.py")]
    assert "came from src/login.py" in found[0]["message"]


def test_what_moved_under_the_same_requirement_says_nothing(gate):
    """The requirement speaks for itself there."""
    landed(gate, "auth/steps.py", "auth/more/steps.py")
    edit(gate, "auth/more/steps.py")
    assert not [f for f in reviewed(gate)["findings"] if f["rule"] == "security-path" and "came from" in f["message"]]


def test_a_history_that_was_not_read_is_a_note(gate, monkeypatch):
    """Over the bound there is a note about coverage rather than nothing; nothing is blocked by it."""
    monkeypatch.setattr(module, "MOST_COMMITS", 1)
    landed(gate, "auth/steps.py", "lib/steps.py")
    gate.repo.commit("One more on main")
    gate.repo.git("branch", "-f", "main", "second")
    edit(gate, "lib/steps.py")
    found = [f for f in reviewed(gate)["findings"] if f["rule"] == "coverage"]
    assert [(f["tier"], f["path"]) for f in found] == [("note", "")]
    assert "only its newest 1 commits are read" in found[0]["message"]
