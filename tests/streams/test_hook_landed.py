"""post-receive records what landed; what moved while nobody looked is found afterwards, with its commits."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from rules.events import ChangeMerged
from streams.commands.app import run
from streams.desk import Desk
from streams.doctor_clone import FAIL
from streams.doctor_refs import protected_refs
from streams.engines.journal import Journal
from streams.moved import incidents
from streams.sources.git import Repository
from tests.streams.served import Served, enforce


def found(served: Served) -> list[str]:
    """The refs that moved without a decision."""
    with Desk(Repository.open(served.server.path), environ={}) as desk:
        return [incident.ref for incident in incidents(desk)]


def journal(served: Served) -> Journal:
    return Journal(served.server.path / "twohand" / "journal.db")


def test_what_landed_is_recorded(served: Served) -> None:
    """The change has merged, and the ref stands where the gate left it."""
    served.agree()
    assert served.push("feature:main").taken
    with journal(served) as book:
        assert [event.commit for event in book.events() if isinstance(event, ChangeMerged)] == [served.head]
        assert book.tips()["refs/heads/main"][0] == served.head
    assert found(served) == []


def test_a_push_past_the_hook_is_an_incident(served: Served) -> None:
    """The hook was off for a moment: its commits are named until somebody answers for them."""
    hook = served.server.path / "hooks" / "pre-receive"
    hook.rename(hook.with_name("off"))
    pushed = served.push("feature:main")
    hook.with_name("off").rename(hook)
    assert pushed.taken
    assert "no admitted decision is recorded" in pushed.words
    assert found(served) == ["refs/heads/main"]
    (check,) = protected_refs(Repository.open(served.server.path))
    assert check.state == FAIL
    assert served.head[:12] in check.said


def test_an_administrators_update_is_an_incident(served: Served) -> None:
    """Without any hook at all; and a later honest push does not hide it."""
    assert served.push("feature:topic").taken
    served.server.git("update-ref", "refs/heads/main", served.head)
    assert found(served) == ["refs/heads/main"]
    enforce(served.server)
    assert found(served) == ["refs/heads/main"]


def test_a_restored_backup_is_an_incident(served: Served) -> None:
    """An older tip was admitted once, and is a rewind all the same."""
    served.agree()
    assert served.push("feature:main").taken
    served.server.git("update-ref", "refs/heads/main", served.start)
    (check,) = protected_refs(Repository.open(served.server.path))
    assert f"lost: {served.head[:12]}" in check.said


def test_a_deleted_and_a_new_protected_branch_are_incidents(served: Served) -> None:
    """Past the gate, each of them."""
    assert served.push("main:refs/heads/release/1").taken
    served.server.git("update-ref", "-d", "refs/heads/release/1")
    served.server.git("update-ref", "refs/heads/release/2", served.start)
    assert found(served) == ["refs/heads/release/1", "refs/heads/release/2"]


def test_a_decision_afterwards_closes_an_incident(served: Served) -> None:
    """Approvals over exactly this step, and a review where the journal is."""
    served.agree()
    served.server.git("update-ref", "refs/heads/main", served.at("main"))
    assert served.push("feature:topic").taken
    served.server.git("update-ref", "refs/heads/main", served.head)
    assert found(served) == ["refs/heads/main"]
    step = ("--base", served.start, "--head", served.head, "--target", "main")
    assert run(["review", "-q", "-C", str(served.server.path), *step]) == 0
    assert found(served) == []


def test_a_later_honest_push_hides_no_incident(served: Served) -> None:
    """What came in unseen stays one, below what was admitted on top of it; `audit --check` tells, too."""
    assert served.push("feature:topic").taken
    served.server.git("update-ref", "refs/heads/main", served.head)
    served.work.git("fetch", "-q", "origin")
    served.work.git("branch", "-f", "main", "origin/main")
    served.work.write("shop/next.py", "N = 1\n")
    honest = served.work.commit("Next")
    served.agree(honest)
    assert served.push(f"{honest}:main").taken
    assert found(served) == ["refs/heads/main"]
    assert run(["audit", "--check", "-C", str(served.server.path)]) == 1


def test_what_was_there_before_the_gate_is_no_incident(served: Served) -> None:
    """`audit --check` looks at what landed since."""
    assert run(["audit", "--check", "-C", str(served.server.path)]) == 0


def test_a_lost_record_of_an_admitted_push_is_no_incident(served: Served) -> None:
    """post-receive was killed: the admitted decision still leads there."""
    served.agree()
    (served.server.path / "hooks" / "post-receive").unlink()
    assert served.push("feature:main").taken
    assert found(served) == []


def test_a_killed_hook_moves_nothing_and_can_be_repeated(served: Served) -> None:
    """kill -9 in the middle: git refuses, the journal is whole, the same push lands afterwards."""
    served.agree()
    process = subprocess.Popen(
        ["git", "push", "-q", "origin", "feature:main"], cwd=served.work.path, stderr=subprocess.PIPE,
        env=served.work.environment(),
    )  # fmt: skip
    killed = _kill_the_hook(served.server.path)
    process.communicate()
    if killed:
        assert process.returncode != 0
        assert served.at("main") == served.start
    with journal(served) as book:
        assert book.broken_row() is None
    assert served.push("feature:main").taken or served.at("main") == served.head


def _kill_the_hook(server: Path) -> bool:
    """Kills the interpreter that judges in this repository, by its id; whether it was found in time."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                here = (process / "cwd").readlink() == server
            except OSError:
                continue
            if here and b"streams.hooks.entry" in command:
                os.kill(int(process.name), signal.SIGKILL)
                return True
    return False


def test_a_clock_set_back_admits_nothing_new(served: Served, tmp_path: Path) -> None:
    """Statements of the future are refused where they arrive (law 18)."""
    early = 'import streams.clock as c; c.now = lambda: "2020-01-01T00:00:00Z"; '
    hook = served.server.path / "hooks" / "pre-receive"
    text = hook.read_text()
    assert "from streams.hooks.entry" in text
    hook.write_text(text.replace("from streams.hooks.entry", early + "from streams.hooks.entry"))
    key = str(served.keys / "bob")
    assert run(["approve", "HEAD", "--as", "bob", "--key", key, "-C", str(served.work.path)]) == 0
    pushed = served.push("refs/twohand/*:refs/twohand/*")
    assert not pushed.taken
    assert "in the future" in pushed.words


def test_the_decision_stands_beside_its_commit_where_the_operator_asked(served: Served) -> None:
    """`[record] notes = true`: other tools read refs/notes/twohand."""
    enforce(served.server, "[record]\nnotes = true\n")
    served.agree()
    assert served.push("feature:main").taken
    note = json.loads(served.server.git("notes", "--ref=twohand", "show", served.head))
    assert (note["outcome"], note["target"]) == ("admitted", "refs/heads/main")
    assert {row["name"] for row in note["reviewers"]} == {"bob", "carol"}
