"""`twohand submit` and `twohand gate` without a broker: the same doors, and this machine decides (law 7)."""

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.engines.journal import Journal
from streams.progress import NAMED, Progress, Teller
from tests.gitrepo import Repo
from tests.streams.gate import Gate

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(gate: Gate) -> Gate:
    """A change that waits for one approval, and answered for."""
    gate.repo.git("checkout", "-q", "-b", "small", "main")
    gate.repo.write("greet.py", "print(1)\n")
    gate.repo.commit("Greet", sign_key=gate.keys["alice"])
    return gate


def waiting(gate: Gate, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams.cli", "gate", "-C", str(gate.repo.path), *more]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until_told(process: subprocess.Popen[str], part: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return
    raise AssertionError(process.communicate())


def test_the_gate_waits_for_a_hand_and_opens(small: Gate) -> None:
    """What is said while it waits is heard; what is admitted is recorded (law 40)."""
    submitted = small.run("submit")
    assert submitted.code == 0
    assert submitted.err.startswith("engine = journal: recorded here, published nowhere (set ")
    gate = waiting(small, "--timeout", "60s", "--format", "json")
    until_told(gate, "pending; heard: rules; awaited: ")
    small.say("approve", "bob")
    out, err = gate.communicate(timeout=60)
    assert gate.returncode == 0, err
    decision = json.loads(out)
    assert (decision["outcome"], decision["change"]["id"]) == ("admitted", submitted.out.strip())
    with Journal(small.repo.path / ".git/twohand/journal.db", writable=False) as journal:
        assert journal.admitted("refs/heads/main", small.repo.id("HEAD"))


def test_waiting_in_vain_is_no_decision(small: Gate) -> None:
    """Exit code 5 with what is missing; and nothing is recorded again and again while nobody speaks."""
    done = small.run("gate", "--timeout", "2s")
    assert done.code == 5
    assert "approval.missing" in done.out
    assert done.err.startswith("engine = journal: decided from this clone\n")
    assert done.err.count("\n") == 2
    with Journal(small.repo.path / ".git/twohand/journal.db", writable=False) as journal:
        assert journal.size() <= 4


@pytest.mark.parametrize(("verb", "code"), [("object", 1), ("approve", 4)])
def test_the_exit_code_is_the_outcome(gate: Gate, verb: str, code: int) -> None:
    """1 blocked, 4 escalated: nobody waits for what a person has to answer elsewhere."""
    gate.say(verb, "bob", *(("--reason", "It greets strangers") if verb == "object" else ()))
    done = gate.run("gate", "--timeout", "60s", "--quiet")
    assert done.code == code, done.err
    assert done.err == ""


def test_a_head_that_moves_is_another_content(small: Gate) -> None:
    """Law 7: what the gate was asked about is not there any more."""
    gate = waiting(small, "--timeout", "60s")
    until_told(gate, "pending")
    small.repo.write("greet.py", "print(2)\n")
    head = small.repo.commit("More", sign_key=small.keys["alice"])
    out, err = gate.communicate(timeout=60)
    assert (gate.returncode, out) == (5, "")
    assert f"change.head-moved: the newest decision is about head {head[:12]}" in err


def test_an_interrupt_ends_it_at_once(small: Gate) -> None:
    """Exit code 130, and neither a traceback nor a decision."""
    gate = waiting(small, "--timeout", "60s")
    until_told(gate, "pending")
    gate.send_signal(signal.SIGINT)
    assert gate.communicate(timeout=20) == ("", "")
    assert gate.returncode == 130


def test_a_head_that_is_not_there_is_named(small: Gate) -> None:
    """With what to do; nothing is waited for."""
    started = time.monotonic()
    done = small.run("gate", "--head", "f" * 40, "--timeout", "60s")
    assert done.code == 2
    assert "f" * 40 in done.err
    assert "hint: " in done.err
    assert time.monotonic() - started < 30


def test_nothing_to_land_is_said_at_once(small: Gate) -> None:
    """On the target itself nobody can decide anything: exit code 2, with what to name instead."""
    done = small.run("gate", "--head", "main", "--timeout", "60s")
    assert (done.code, done.out) == (2, "")
    assert "is part of refs/heads/main already: there is nothing to land." in done.err
    assert "--head BRANCH" in done.err


@pytest.mark.parametrize(("option", "code"), [("--depth=1", 2), ("--origin=origin", 5)])
def test_a_checkout_that_is_cut_off_is_refused(small: Gate, tmp_path: Path, option: str, code: int) -> None:
    """Law 1, 7: the content of a shallow clone would be another one."""
    small.repo = Repo.clone(small.repo, tmp_path / "clone", "--no-single-branch", option)
    done = small.run("gate", "--head", "origin/small", "--target", "main", "--timeout", "1s")
    assert done.code == code, done.err
    assert ("git fetch --unshallow" in done.err) == (code == 2)


@pytest.mark.parametrize("text", ["10", "soon", "-1m", "1y", ""])
def test_a_timeout_that_is_no_duration_is_named(small: Gate, text: str) -> None:
    """How it is written stands in the hint."""
    done = small.run("gate", f"--timeout={text}")
    assert done.code == 2
    assert "Write it as 90s, 10m or 2h." in done.err


# -- the line of progress -----------------------------------------------------------------------------------------


def told(*steps: Progress, live: bool) -> str:
    out = io.StringIO()
    with Teller(quiet=False, out=out, live=live) as tell:
        for step in steps:
            tell(step)
    return out.getvalue()


def test_logs_get_a_line_for_each_change() -> None:
    """What is said again is not told again."""
    first, second = Progress(awaited=("rules",)), Progress(("rules",), ("bob",), "pending")
    assert told(first, first, second, second, live=False).splitlines() == [
        "twohand gate: nobody has judged yet; awaited: rules (0 s)",
        "twohand gate: pending; heard: rules; awaited: bob (0 s)",
    ]


def test_a_terminal_gets_one_line_in_place() -> None:
    """Drawn anew, cut to the width, and left behind at the end."""
    drawn = told(Progress(awaited=("rules",)), Progress(beside="x" * 500), live=True)
    assert drawn.count("\r\x1b[K") == 2
    assert drawn.count("\n") == 1
    assert all(len(line.rstrip()) < 80 for line in drawn.split("\r\x1b[K"))


def test_names_of_others_do_nothing_to_a_terminal() -> None:
    """Escapes are shown, long lists are counted."""
    line = str(Progress(("\x1b[2J\u202eevil\n",), tuple(f"r{number}" for number in range(NAMED + 3))))
    assert line.isprintable()
    assert "\\x1b[2J" in line
    assert line.endswith(", 3 more")
