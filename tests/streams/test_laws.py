"""Which policies speak about a change: those of the branches and of the operator, never the change's own (law 36)."""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.desk import Asked, Desk
from tests.streams.gate import Gate

OPEN = 'version = 1\nrepository = "example/shop"\n[[requirement]]\nname = "easy"\nfrom = ["human"]\n'


def commit(gate: Gate, branch: str, path: str, text: str | None) -> None:
    """A commit on a branch that is not the change's; `feature` is checked out again."""
    gate.repo.checkout(branch)
    if text is None:
        gate.repo.remove(path)
    else:
        gate.repo.write(path, text)
    gate.repo.commit("Law")
    gate.repo.checkout("feature")


def reviewed(gate: Gate, *arguments: str) -> dict[str, Any]:
    said = gate.run("review", "--format", "json", *arguments)
    assert said.out, said.err
    found = json.loads(said.out)
    assert said.code == {"admitted": 0, "blocked": 1, "escalated": 4, "pending": 5}[found["outcome"]]
    assert isinstance(found, dict)
    return found


def codes(decision: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in decision["reasons"]}


def sources(decision: dict[str, Any]) -> list[str]:
    return [row["source"] for row in decision["policy"]]


def admit(gate: Gate) -> None:
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")


def project(text: str) -> str:
    """The same policy as tables of pyproject.toml."""
    top, tables = text.split("[[requirement]]", 1)
    lines = ("[[requirement]]" + tables).splitlines()
    nested = [
        line.replace("[[", "[[tool.twohand.", 1)
        if line.startswith("[[")
        else line.replace("[", "[tool.twohand.", 1)
        if line.startswith("[")
        else line
        for line in lines
    ]
    return "\n".join(["[project]", 'name = "shop"', "[tool.twohand]", top, *nested]) + "\n"


# -- whose policy -----------------------------------------------------------------------------------------------------


def test_a_change_is_never_judged_by_its_own_policy(gate: Gate) -> None:
    """Law 36: a policy that the change brings is a self-edit, and nothing else."""
    gate.repo.write("twohand.toml", OPEN)
    gate.repo.commit("Let me in")
    decision = reviewed(gate)
    assert decision["outcome"] == "escalated"
    assert "policy.self-edit" in codes(decision)
    assert sources(decision) == ["main:twohand.toml"]


def test_the_working_tree_says_nothing(gate: Gate) -> None:
    """Law 36: a policy that nobody committed does not exist."""
    gate.repo.write("twohand.toml", OPEN)
    assert reviewed(gate)["outcome"] == "escalated"


def test_the_project_file_may_hold_the_policy(gate: Gate) -> None:
    """The same keys under [tool.twohand] of pyproject.toml."""
    gate.repo.checkout("main")
    gate.repo.remove("twohand.toml")
    commit(gate, "main", "pyproject.toml", project(gate.policy))
    decision = reviewed(gate)
    assert sources(decision) == ["main:pyproject.toml"]
    assert "policy.invalid" not in codes(decision)
    assert [row["name"] for row in decision["requirements"]] == ["a hand", "owners"]


def test_another_project_file_is_no_policy(gate: Gate) -> None:
    """A pyproject.toml without the table changes nothing."""
    commit(gate, "main", "pyproject.toml", '[project]\nname = "shop"\n')
    assert sources(reviewed(gate)) == ["main:twohand.toml"]


@pytest.mark.parametrize(
    "text", ["[tool.twohand]\nversion = 1\n", "[tool.twohand]\n", "[tool.twohand\n", "tool.twohand = 7\n"]
)
def test_two_policies_in_one_branch_are_none(gate: Gate, text: str) -> None:
    """Law 36: both files are `policy.invalid`, whatever the second one says."""
    commit(gate, "main", "pyproject.toml", text)
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "policy.invalid" in codes(decision)


def test_without_any_policy_the_built_in_one_decides(gate: Gate) -> None:
    """Law 36: no file is no policy, in either branch."""
    commit(gate, "main", "twohand.toml", None)
    decision = reviewed(gate)
    assert [row["role"] for row in decision["policy"]] == ["built-in"]
    assert decision["outcome"] != "admitted"


# -- default and target branch ----------------------------------------------------------------------------------------


@pytest.fixture
def release(gate: Gate) -> Gate:
    """A release branch from the same start; the change is admitted by main's policy for it."""
    gate.repo.git("branch", "release", "main")
    gate.say("propose", "alice", "--tool", "none", "--target", "release")
    gate.say("approve", "carol", "--target", "release")
    assert reviewed(gate, "--target", "release")["outcome"] == "admitted"
    return gate


def test_a_target_with_the_same_policy_is_decided_once(release: Gate) -> None:
    """Law 36: the target's, where it differs."""
    assert len(reviewed(release, "--target", "release")["policy"]) == 1


def test_a_weaker_target_does_not_loosen(gate: Gate) -> None:
    """Law 36: decided under each, and the worst stands: main still wants the owner that release forgot."""
    gate.repo.git("branch", "release", "main")
    commit(gate, "release", "twohand.toml", gate.policy.replace("auth/**", "nothing/**"))
    gate.repo.git("rebase", "-q", "release", "feature")
    gate.say("propose", "alice", "--tool", "none", "--target", "release")
    gate.say("approve", "bob", "--target", "release")
    decision = reviewed(gate, "--target", "release")
    assert [(row["role"], row["outcome"]) for row in decision["policy"]] == [
        ("default", "escalated"),
        ("target", "admitted"),
    ]
    assert decision["outcome"] == "escalated"


def test_a_stricter_target_is_heard(release: Gate) -> None:
    """Law 36: what main admits, the release branch may still ask more for."""
    strict = release.policy.replace('name = "a hand"\n', 'name = "a hand"\napprovals = 2\n')
    commit(release, "release", "twohand.toml", strict)
    decision = reviewed(release, "--target", "release")
    assert decision["outcome"] == "pending"
    assert [row["outcome"] for row in decision["policy"]] == ["admitted", "pending"]


def test_a_target_without_policy_has_the_default_branches(release: Gate) -> None:
    """Law 36: the built-in one only where neither branch has one."""
    commit(release, "release", "twohand.toml", None)
    decision = reviewed(release, "--target", "release")
    assert sources(decision) == ["main:twohand.toml"]


@pytest.mark.parametrize("branch", ["main", "release"])
@pytest.mark.parametrize(
    "text", ["version = 1\n[nonsense\n", "version = 1\nunknown = 2\n", "", "\xff", "version = 99\n"]
)
def test_a_broken_policy_in_either_branch_blocks(release: Gate, branch: str, text: str) -> None:
    """Law 36, 39: a policy that cannot be used admits nothing; the decision is still printed as JSON."""
    commit(release, branch, "twohand.toml", text)
    decision = reviewed(release, "--target", "release")
    assert decision["outcome"] == "blocked"
    assert "policy.invalid" in codes(decision)


def test_a_broken_target_cannot_enrol_anybody_below(release: Gate) -> None:
    """Law 36: another enrolment of a known name is `policy.invalid`."""
    taken = release.policy.replace(release.keys["carol"].with_suffix(".pub").read_text().strip(), "X")
    stolen = taken.replace("X", release.keys["bob"].with_suffix(".pub").read_text().strip())
    commit(release, "release", "twohand.toml", stolen)
    decision = reviewed(release, "--target", "release")
    assert decision["outcome"] == "blocked"
    assert "policy.invalid" in codes(decision)


@pytest.mark.parametrize("kind", ["link", "huge"])
def test_a_policy_that_is_no_readable_file_blocks(gate: Gate, kind: str) -> None:
    """A symbolic link, or more than 4 MiB: never taken for no policy."""
    gate.repo.checkout("main")
    if kind == "link":
        gate.repo.write("real.toml", OPEN)
        gate.repo.link("twohand.toml", "real.toml")
    else:
        gate.repo.write("twohand.toml", gate.policy + "# " + "x" * (5 << 20) + "\n")
    gate.repo.commit("Law")
    gate.repo.checkout("feature")
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "policy.invalid" in codes(decision)


# -- the operator's floor ---------------------------------------------------------------------------------------------


def floor(gate: Gate, text: str | None) -> Path:
    """The organisation's policy, named by the settings of the repository; None: it is not there."""
    path = gate.repo.path.parent / "floor.toml"
    if text is not None:
        path.write_text(text)
    settings = gate.repo.path / ".git" / "twohand" / "settings.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f'[floor]\npolicy = "{path}"\n')
    return path


def test_the_floor_is_decided_beside_the_branches(gate: Gate) -> None:
    """Law 36: what main admits, the organisation may still hold."""
    admit(gate)
    path = floor(gate, gate.policy.replace('name = "a hand"\n', 'name = "two hands"\napprovals = 2\n'))
    decision = reviewed(gate)
    assert decision["outcome"] == "pending"
    assert [(row["role"], row["source"], row["outcome"]) for row in decision["policy"]] == [
        ("floor", str(path), "pending"),
        ("default", "main:twohand.toml", "admitted"),
    ]


def test_a_floor_that_is_met_changes_nothing(gate: Gate) -> None:
    """The same approvals meet both."""
    admit(gate)
    floor(gate, gate.policy)
    assert reviewed(gate)["outcome"] == "admitted"


@pytest.mark.parametrize("text", [None, "nonsense [", "\0"])
def test_a_floor_that_cannot_be_used_blocks(gate: Gate, text: str | None) -> None:
    """Law 36, 40: absent or broken, it is never left out."""
    admit(gate)
    path = floor(gate, text)
    decision = reviewed(gate)
    assert decision["outcome"] == "blocked"
    assert "policy.invalid" in codes(decision)
    assert str(path) in json.dumps(decision)


# -- what is read besides ---------------------------------------------------------------------------------------------


def test_owners_are_those_of_the_target(gate: Gate) -> None:
    """The owners file of the branch to land on, never the change's."""
    commit(gate, "main", "CODEOWNERS", "* @carol\n")
    gate.repo.write("CODEOWNERS", "* @mallory\n")
    gate.repo.commit("Mine")
    with Desk.at(gate.repo.path) as desk:
        found = desk.read(Asked()).branches
    assert (found.owners_file, found.owners_text) == ("CODEOWNERS", "* @carol\n")


def test_a_repository_keeps_its_name_when_its_policy_breaks(gate: Gate) -> None:
    """Law 2: a mistake in the policy does not turn statements into those of another repository."""
    key = reviewed(gate)["change"]["content_key"]
    commit(gate, "main", "twohand.toml", gate.policy + "\n[unknown]\n")
    decision = reviewed(gate)
    assert decision["change"]["repository"] == "example/shop"
    assert decision["change"]["content_key"] == key


def test_a_repository_without_a_name_is_called_by_its_first_commit(gate: Gate) -> None:
    """Law 2: the root of the default branch's first-parent chain."""
    root = gate.repo.id("main")
    commit(gate, "main", "twohand.toml", gate.policy.replace('repository = "example/shop"\n', ""))
    assert reviewed(gate)["change"]["repository"] == root
