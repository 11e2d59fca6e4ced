"""`twohand simulate`: what if, through the same law, and nothing of it is ever taken for a statement."""

import json
from pathlib import Path

import pytest

from rules.sshsig import parse
from streams.imagine import unsigned
from streams.sources import signatures
from tests.streams.gate import Gate, clean_environment

SK = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIDmWQ1eBYyXk4uC0pFFoPmDmwyLgSKtBRqGzcmt1vcGnAAAABHNzaDo="


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    made = Gate(tmp_path, keys, capsys)
    made.say("propose", "alice", "--tool", "none")
    made.run("review")
    return made


@pytest.mark.parametrize(
    ("options", "code", "outcome"),
    [
        ([], 4, "escalated"),
        (["--with", "approve:carol"], 0, "admitted"),
        (["--with", "approve:bob"], 4, "escalated"),
        (["--with", "approve:carol", "--with", "object:bob"], 1, "blocked"),
        (["--with", "approve:claude-two"], 1, "blocked"),
        (["--with", "approve:carol", "--without", "alice"], 4, "escalated"),
    ],
)
def test_the_outcome_and_its_exit_code_are_those_of_the_law(
    gate: Gate, options: list[str], code: int, outcome: str
) -> None:
    """An owner's approval admits, an objection blocks, self-review is recused, and silence is told."""
    said = gate.run("simulate", "latest", *options, "--format", "json")
    assert (said.code, json.loads(said.out)["outcome"]) == (code, outcome)


def test_a_simulation_is_marked_everywhere(gate: Gate) -> None:
    """Nobody may take it for a decision."""
    options = ("simulate", "latest", "--with", "approve:carol")
    data = json.loads(gate.run(*options, "--format", "json").out)
    assert data["simulated"] == ["approve:carol"]
    assert "simulated" in data["stamps"]
    assert [row["reviewer"] for row in data["reviews"] if row.get("simulated")] == ["carol"]
    text = gate.run(*options).out
    assert "simulated  approve:carol; nothing is recorded" in text
    assert "carol  person, approves (simulated): counts" in text
    assert gate.run(*options, "-q").out == "admitted (simulated)\n"
    assert "(simulated)" in gate.run(*options, "--format", "github").out


def test_a_simulation_records_nothing(gate: Gate) -> None:
    """The journal and the refs are as before, and so is the next decision."""
    before = gate.run("journal", "export").out, gate.repo.git("for-each-ref")
    gate.run("simulate", "latest", "--with", "approve:carol")
    assert (gate.run("journal", "export").out, gate.repo.git("for-each-ref")) == before
    assert gate.run("review").code == 4


def test_a_supposed_signature_proves_nothing(gate: Gate) -> None:
    """Law 19: it names the key, and verification finds no signer."""
    key = " ".join(gate.keys["carol"].with_suffix(".pub").read_text().split()[:2])
    armor = unsigned(key)
    found = parse(armor.encode())
    assert found
    assert (found.key, found.namespace) == (key, "twohand")
    assert signatures.verify(b"anything", armor.encode()) is None


def test_a_security_key_is_supposed_to_be_touched() -> None:
    """Law 20: the flag is read from the signature, there as well."""
    found = parse(unsigned(SK).encode())
    assert found
    assert (found.key, found.presence) == (SK, True)


def test_another_policy_can_be_supposed(gate: Gate, tmp_path: Path) -> None:
    """What would this change need under the policy that somebody proposes?"""
    file = tmp_path / "new.toml"
    file.write_text(gate.policy.replace('fallback = ["carol"]', 'fallback = ["bob"]'))
    said = gate.run("simulate", "latest", "--policy", str(file), "--with", "approve:bob")
    assert said.code == 0
    assert str(file) in said.out
    assert gate.run("simulate", "latest", "--with", "approve:bob").code == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--with", "approve:carl"], "Did you mean carol?"),
        (["--with", "approve:dave"], "dave has no key in the policy"),
        (["--with", "bless:carol"], "VERB:NAME"),
        (["--with", "approve"], "VERB:NAME"),
        (["--without", "bob"], "'bob' said nothing about this change"),
        (["--policy", "nowhere.toml"], "nowhere.toml cannot be read"),
    ],
)
def test_what_cannot_be_supposed_is_a_usage_error(gate: Gate, options: list[str], message: str) -> None:
    """What happened, why, and what to do next."""
    said = gate.run("simulate", "latest", *options)
    assert said.code == 2
    assert message in said.err.replace("\n", " ")
