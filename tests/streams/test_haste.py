"""Approvals in bulk, or before anybody could have read: shown as hasty, and not counted where the policy says so (law 28)."""

import json
from pathlib import Path

import pytest

from rules import instants
from streams import clock
from streams.commands import say
from streams.desk import Asked, Desk
from streams.sources.git import Repository
from tests.streams.gate import Gate, clean_environment

LINES = "".join(f"x{number} = {number}\n" for number in range(1000))


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    clean_environment(monkeypatch, tmp_path)
    gate = Gate(tmp_path, keys, capsys)
    gate.repo.git("checkout", "-q", "main")
    gate.repo.write("twohand.toml", gate.policy + "[independence]\nhasty = 200\n")
    gate.repo.commit("Nobody reads faster")
    return gate


def bulk(gate: Gate, names: tuple[str, ...], gap: int) -> dict[str, tuple[str, set[str]]]:
    """Changes that wait since an hour; Bob approves one after the other, `gap` seconds apart; outcome and reason codes."""
    start = clock.now()
    repo = Repository.open(gate.repo.path)
    for name in names:
        gate.repo.git("checkout", "-q", "-b", name, "main")
        gate.repo.write(f"shop/{name}.py", LINES)
        gate.repo.commit(name)
        with Desk(repo, now=lambda: start) as desk:
            say._say(say.Speech("propose", "alice", gate.keys["alice"], tool="none"), Asked(head=name), desk, push="")
            desk.review(Asked(head=name))
    found = {}
    for number, name in enumerate(names):
        at = instants.later(start, 3600 + number * gap)
        with Desk(repo, now=lambda at=at: at) as desk:
            say._say(say.Speech("approve", "bob", gate.keys["bob"]), Asked(head=name), desk, push="")
            judgement = desk.review(Asked(head=name))
            found[name] = judgement.outcome, {reason.code for reason in judgement.reasons}
    return found


def test_approvals_in_bulk_do_not_count(gate):
    """The first of three was readable; those that follow it after ten seconds were not, and say so."""
    found = bulk(gate, ("one", "two", "three"), 10)
    assert found["one"] == ("admitted", set())
    assert [found[name][0] for name in ("two", "three")] == ["pending", "pending"]
    assert "approval.hasty" in found["two"][1] & found["three"][1]


def test_approvals_with_time_to_read_count(gate):
    """A thousand lines at two hundred a minute: six minutes between them are enough."""
    assert [outcome for outcome, _ in bulk(gate, ("one", "two"), 360).values()] == ["admitted", "admitted"]


def test_an_approval_before_anybody_could_read_is_shown_as_such(gate):
    """Approved in the second in which it was first seen: the record names it hasty."""
    gate.repo.git("checkout", "-q", "-b", "quick", "main")
    gate.repo.write("shop/quick.py", LINES)
    gate.repo.commit("quick")
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")
    record = json.loads(gate.run("review", "--format", "json").out)
    reviews = {row["reviewer"]: row for row in record["reviews"] if row["verdict"] == "approve"}
    assert (reviews["bob"]["counts"], reviews["bob"]["why"]) == (False, "hasty")
    assert record["outcome"] == "pending"
