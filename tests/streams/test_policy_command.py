"""`twohand policy validate|show|schema` (law 36): every mistake with its line, and what is in force."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from streams.commands.app import run
from tests.gitrepo import Repo

GOOD = 'version = 1\n[[requirement]]\nname = "a hand"\nfrom = ["human"]\n'
BAD = 'version = 1\nprotekt = ["main"]\n[independence]\nfamily = "maybe"\n'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TWOHAND_SETTINGS", raising=False)
    repo = Repo(tmp_path / "repo")
    repo.write("README", "x\n")
    repo.commit("One")
    return repo


def test_every_mistake_has_file_line_value_and_what_is_allowed(tmp_path: Path, capsys) -> None:
    """Exit code 2; each mistake as file:line: key = value: what is wrong (allowed: ...)."""
    path = tmp_path / "twohand.toml"
    path.write_text(BAD)
    assert run(["policy", "validate", str(path)]) == 2
    out = capsys.readouterr().out
    assert f'{path}:2: protekt: is no known key; did you mean "protect"?' in out
    assert f'{path}:4: independence.family = "maybe"' in out
    assert "(allowed: block, extra, advise)" in out
    assert "2 mistakes" in out


def test_json_report(tmp_path: Path, capsys) -> None:
    """The same as data, for editors and CI."""
    path = tmp_path / "twohand.toml"
    path.write_text(BAD)
    assert run(["policy", "validate", str(path), "--format", "json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], [row["line"] for row in told["problems"]]) == (False, [2, 4])
    path.write_text(GOOD)
    assert run(["policy", "validate", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True


def test_bytes_that_are_no_text_are_said(tmp_path: Path, capsys) -> None:
    """A file that is no UTF-8 is invalid with its line, not a crash."""
    path = tmp_path / "twohand.toml"
    path.write_bytes(b"version = 1\nrepository = '\xff'\n")
    assert run(["policy", "validate", str(path)]) == 2
    assert ":2: is no UTF-8 text" in capsys.readouterr().out


def test_the_working_tree_is_checked_without_a_file(repo: Repo, capsys) -> None:
    """Law 36: twohand.toml, or the table in pyproject.toml; both are none, and neither says what holds."""
    assert run(["policy", "validate", "-C", str(repo.path)]) == 2
    assert "built-in policy holds" in capsys.readouterr().err
    repo.write("twohand.toml", GOOD)
    assert run(["policy", "validate", "-C", str(repo.path)]) == 0
    repo.write("pyproject.toml", "[tool.twohand]\nversion = 1\n")
    assert run(["policy", "validate", "-C", str(repo.path)]) == 2
    assert "keep one" in capsys.readouterr().out
    repo.remove("twohand.toml")
    assert run(["policy", "validate", "-C", str(repo.path)]) == 0


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEhxEtY449qkDsubpMjEGrW8GG1j0mNyZ+QDe9x137C"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMVz+ZCpiL6Fw5S8owTnyubjPtpG+dWlPcfL+BOX/ZQf"
ALICE = f'[people.alice]\nemails = ["a@example.com"]\nkeys = ["{KEY}"]\n'
BOB = f'[people.bob]\nemails = ["b@example.com"]\nkeys = ["{OTHER}"]\n'


def _notes(tmp_path: Path, capsys, text: str) -> list[str]:
    path = tmp_path / "twohand.toml"
    path.write_text(text)
    assert run(["policy", "validate", str(path), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["notes"]


def test_a_policy_under_which_nobody_can_sign_is_doubted(tmp_path: Path, capsys) -> None:
    """No key, no people, no key among the fallback: notes, not mistakes."""
    [note] = _notes(tmp_path, capsys, GOOD + '[people.alice]\nemails = ["a@example.com"]\n')
    assert "no enrolled person has a key" in note
    assert "nobody is enrolled" in _notes(tmp_path, capsys, GOOD)[0]
    lost = GOOD.replace("human", "owner") + ALICE + '[people.carol]\n[owners]\nfallback = ["carol"]\n'
    notes = _notes(tmp_path, capsys, lost)
    assert "without a key, and so unable to approve: carol; with one: alice" in notes
    assert any("nobody in [owners] fallback is active and has a key" in note for note in notes)
    assert any("nobody of them has a key, so it can never be met" in note for note in notes)


def test_a_requirement_that_one_person_cannot_pass_alone_is_doubted(tmp_path: Path, capsys) -> None:
    """Law 24: whoever is the only one with a key cannot answer for their own change, unless policy only advises."""
    rest = ALICE + '[owners]\nfallback = ["alice"]\n'
    [note] = _notes(tmp_path, capsys, GOOD + rest)
    assert note == "'a hand' asks for 1 of human: too few others have a key when the change is made by alice"
    loose = '[independence]\nidentity = "advise"\noperator = "advise"\n'
    assert _notes(tmp_path, capsys, GOOD + loose + rest) == []
    assert _notes(tmp_path, capsys, GOOD + BOB + rest) == []
    [note] = _notes(tmp_path, capsys, GOOD + loose + BOB + rest)
    assert note.startswith("2 people have keys, and [independence] only advises on identity and operator")


def test_an_agent_does_not_answer_for_its_operator(tmp_path: Path, capsys) -> None:
    """Law 24: the hand of the same operator is none, until policy only advises on operators."""
    agent = f'[agents.second]\nkeys = ["{OTHER}"]\noperator = "alice"\nmodel = "gpt-5.2"\n'
    text = GOOD.replace("human", "model") + ALICE + agent + '[owners]\nfallback = ["alice"]\n'
    assert ["too few others" in note for note in _notes(tmp_path, capsys, text)] == [True]
    advised = text.replace("[people", '[independence]\noperator = "advise"\n[people', 1)
    assert _notes(tmp_path, capsys, advised) == []


def test_names_of_the_floor_are_known(repo: Repo, tmp_path: Path) -> None:
    """Law 36: whom the organisation's policy enrols may be named below it."""
    floor = tmp_path / "floor.toml"
    floor.write_text(GOOD + '[people.zoe]\nemails = ["z@example.com"]\n')
    chosen = tmp_path / "settings.toml"
    chosen.write_text(f'[floor]\npolicy = "{floor}"\n')
    repo.write("twohand.toml", GOOD + '[owners]\nfallback = ["zoe"]\n')
    assert run(["policy", "validate", "-C", str(repo.path)]) == 2
    assert run(["policy", "validate", "-C", str(repo.path), "--settings", str(chosen)]) == 0


def test_show_prints_what_is_in_force(repo: Repo, capsys) -> None:
    """Law 36: the built-in policy first, then the default branch's and the target's, each with source and digest."""
    assert run(["policy", "show", "-C", str(repo.path)]) == 0
    out = capsys.readouterr().out
    assert "built-in" in out
    assert tomllib.loads(out)["version"] == 1

    repo.write("twohand.toml", GOOD)
    repo.commit("Policy")
    repo.branch("release")
    repo.write("twohand.toml", GOOD.replace("a hand", "two hands"))
    repo.commit("Stricter")
    assert run(["policy", "show", "-C", str(repo.path), "--target", "release", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["policies"]
    assert [row["role"] for row in told] == ["default", "target"]
    assert [row["policy"]["requirement"][0]["name"] for row in told] == ["a hand", "two hands"]
    assert all(len(row["digest"]) == 64 for row in told)


def test_show_never_reads_the_working_tree(repo: Repo, capsys) -> None:
    """Law 36: a policy that is not committed on a branch is not in force."""
    repo.write("twohand.toml", GOOD)
    assert run(["policy", "show", "-C", str(repo.path)]) == 0
    assert "built-in" in capsys.readouterr().out


def test_a_broken_policy_in_force_is_said(repo: Repo, capsys) -> None:
    """Exit code 2, with the mistakes and what they mean for changes."""
    repo.write("twohand.toml", BAD)
    repo.commit("Broken")
    assert run(["policy", "show", "-C", str(repo.path)]) == 2
    out = capsys.readouterr().out
    assert "NOT VALID: every change is blocked" in out
    assert "twohand.toml:2" in out


def test_show_before_the_first_commit(tmp_path: Path, capsys, monkeypatch) -> None:
    """An empty repository is under the built-in policy."""
    monkeypatch.setenv("HOME", str(tmp_path))
    Repo(tmp_path / "empty")
    assert run(["policy", "show", "-C", str(tmp_path / "empty")]) == 0
    assert "built-in" in capsys.readouterr().out


def test_schema_accepts_what_validate_accepts(capsys) -> None:
    """The JSON Schema is printed whole, and takes a good policy and refuses a bad one."""
    assert run(["policy", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.validate(tomllib.loads(GOOD), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(BAD), schema)
