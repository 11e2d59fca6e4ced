"""What goes wrong around a review: it is killed, raced, starved and cut off, and the gate stays closed."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streams.engines.journal import Journal
from streams.sources import signatures
from tests.streams.gate import Gate

ROOT = Path(__file__).resolve().parents[2]
REVIEW = ("review", "--format", "json")


@pytest.fixture
def admitted(gate: Gate) -> Gate:
    """Alice answers and carol approved; nothing is recorded yet."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    return gate


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def start(gate: Gate, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    """`twohand` as a process of its own, with these variables added; an empty one is taken away."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli", *arguments, "-C", str(gate.repo.path)],
        env={name: value for name, value in variables.items() if value},
        text=True,
        **given,
    )


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out or "", err or "")


def journal(gate: Gate) -> Path:
    return gate.repo.path / ".git" / "twohand" / "journal.db"


def whole(gate: Gate) -> int:
    """How many events the journal holds, whose chain is whole."""
    with Journal(journal(gate)) as opened:
        assert opened.broken_row() is None
        return opened.size()


def tools(directory: Path, *names: str) -> str:
    """A PATH with these programs and no other."""
    directory.mkdir()
    for name in names:
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (directory / name).symlink_to(found)
    return str(directory)


def clear(answer: Ended, *words: str) -> None:
    """An error for people: what, why and what to do next; no traceback."""
    assert answer.err.startswith("error: ")
    assert "\nhint: " in answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


# -- killed -----------------------------------------------------------------------------------------------------------


def test_a_killed_review_leaves_a_whole_journal(admitted: Gate) -> None:
    """`kill -9` at twenty moments: the chain is whole each time, and the next review decides the same."""
    started = time.monotonic()
    assert ended(start(admitted, *REVIEW)).code == 0
    lasts = time.monotonic() - started
    moments = random.Random(7)
    sizes = [whole(admitted)]
    for _ in range(20):
        process = start(admitted, *REVIEW, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.1, 0.95) * lasts)
        process.send_signal(signal.SIGKILL)
        process.wait()
        sizes.append(whole(admitted))
    assert sizes == sorted(sizes)
    assert ended(start(admitted, *REVIEW)).code == 0


def test_the_first_review_may_be_killed_too(admitted: Gate) -> None:
    """While the journal is being made: it is there and whole, or it is not there."""
    moments = random.Random(11)
    for _ in range(4):
        process = start(admitted, *REVIEW, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not journal(admitted).exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert whole(admitted) % 5 == 0
        for file in journal(admitted).parent.iterdir():
            file.unlink()
    assert ended(start(admitted, *REVIEW)).code == 0


def test_an_interrupt_is_no_verdict(admitted: Gate) -> None:
    """Ctrl-C: neither admitted nor a traceback, and nothing half recorded."""
    process = start(admitted, *REVIEW)
    time.sleep(0.25)
    process.send_signal(signal.SIGINT)
    answer = ended(process)
    assert answer.code in (130, -signal.SIGINT, 0)
    assert (answer.code == 0) == bool(answer.out)
    if journal(admitted).exists():
        whole(admitted)


# -- at once ----------------------------------------------------------------------------------------------------------


def test_reviews_at_once_decide_the_same(admitted: Gate) -> None:
    """Two processes, one change: both are recorded, both admit, the chain is whole."""
    running = [start(admitted, *REVIEW) for _ in range(2)]
    answers = [ended(process) for process in running]
    assert [answer.code for answer in answers] == [0, 0], [answer.err for answer in answers]
    first, second = (json.loads(answer.out) for answer in answers)
    assert {first["outcome"], second["outcome"]} == {"admitted"}
    assert whole(admitted) >= 5


def test_statements_at_once_are_all_kept(gate: Gate) -> None:
    """Four speakers in one second, each with a ref of their own."""
    names = ("alice", "bob", "carol", "claude-two")
    keys = [gate.keys["bot" if name == "claude-two" else name] for name in names]
    pairs = zip(names, keys, strict=True)
    running = [start(gate, "object", "HEAD", "--as", name, "--key", str(key)) for name, key in pairs]
    assert [ended(process).code for process in running] == [0, 0, 0, 0]
    assert len(gate.repo.git("for-each-ref", "refs/twohand").splitlines()) == 4


# -- nobody listens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_reader_that_left_never_hears_admitted(admitted: Gate, form: str) -> None:
    """`twohand review | head -0`: the verdict could not be told, so the exit code is not that of an admission."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start(admitted, "review", "--format", form, stdout=writing)
    os.close(writing)
    answer = ended(process)
    assert answer.code == 3
    assert "Traceback" not in answer.err
    assert "Exception ignored" not in answer.err


def test_a_reader_that_has_enough_ends_a_report_in_silence(admitted: Gate) -> None:
    """`twohand audit | head -1`: neither an error nor a success; a full disk stays an error."""
    for command in (["audit", "--format", "json"], ["audit"], ["rules", "list"]):
        reading, writing = os.pipe()
        os.close(reading)
        process = start(admitted, *command, stdout=writing)
        os.close(writing)
        answer = ended(process)
        assert (answer.code, answer.err) == (141, "")
    with Path("/dev/full").open("w") as full:
        answer = ended(start(admitted, "audit", stdout=full))
    assert answer.code == 3
    assert "No space left" in answer.err


def test_a_closed_output_never_hears_admitted(admitted: Gate) -> None:
    """`twohand review >&-`."""
    command = f'exec "$0" -m streams.cli review -C "{admitted.repo.path}" >&-'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_full_disk_behind_the_output_is_told(admitted: Gate) -> None:
    """/dev/full takes nothing."""
    with Path("/dev/full").open("w") as full:
        answer = ended(start(admitted, *REVIEW, stdout=full))
    assert answer.code == 3
    assert "Exception ignored" not in answer.err


# -- a full disk ------------------------------------------------------------------------------------------------------


def small_files() -> None:
    """No file may grow beyond 24 KiB: what a full disk is to the journal, without a disk to fill."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (24_576, 24_576))


def test_a_journal_without_room_admits_nothing(admitted: Gate) -> None:
    """Law 40: a decision that could not be recorded is none; the error says what is wrong with the journal."""
    answer = ended(start(admitted, *REVIEW, preexec_fn=small_files))
    assert answer.code == 3
    assert answer.out == ""
    clear(answer, "journal.db")
    assert whole(admitted) == 0
    assert ended(start(admitted, *REVIEW)).code == 0


FULL = 'mount -t tmpfs -o size=192k tmpfs "$1" && shift && exec "$@"'


def test_a_really_full_disk_admits_nothing(admitted: Gate) -> None:
    """The same on a file system of 192 KiB, where the system lets us make one."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    place = journal(admitted).parent
    place.mkdir()
    if subprocess.run([*unshare, "sh", "-c", FULL, "sh", place, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small file system")
    fill = f'dd if=/dev/zero of="{place}/filler" bs=1k count=150 2>/dev/null; exec "$0" "$@"'
    review = [sys.executable, "-m", "streams.cli", *REVIEW, "-C", str(admitted.repo.path)]
    done = subprocess.run(
        [*unshare, "sh", "-c", FULL, "sh", place, "sh", "-c", fill, *review],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    clear(Ended(3, "", done.stderr), "journal.db")


# -- a poor environment -----------------------------------------------------------------------------------------------


def test_without_a_home_it_decides_the_same(admitted: Gate) -> None:
    """Nothing of a review is looked for at home; a key that nobody named is an error with a remedy."""
    assert ended(start(admitted, *REVIEW, env={"HOME": ""})).code == 0
    answer = ended(start(admitted, "object", "HEAD", "--as", "bob", env={"HOME": "", "SSH_AUTH_SOCK": ""}))
    assert answer.code in (0, 2)
    if answer.code:
        clear(answer, "--key FILE")


def test_without_git_nothing_is_decided(admitted: Gate, tmp_path: Path) -> None:
    """A usage error that says what to install."""
    answer = ended(start(admitted, *REVIEW, env={"PATH": tools(tmp_path / "bin", "env")}))
    assert (answer.code, answer.out) == (2, "")
    clear(answer, "git is not on the PATH", "Install git")


def test_without_ssh_keygen_nothing_is_admitted(admitted: Gate, tmp_path: Path) -> None:
    """Law 40: what cannot be verified is not called unsigned; the error names what is missing."""
    answer = ended(start(admitted, *REVIEW, env={"PATH": tools(tmp_path / "bin", "git", "env")}))
    assert answer.code not in (0, 5)
    assert "ssh-keygen" in answer.out + answer.err


def test_without_ssh_keygen_an_objection_is_not_lost(admitted: Gate, tmp_path: Path) -> None:
    """Law 34, 40: approvals were verified before, the objection was not: it must not be taken for a bad signature."""
    assert ended(start(admitted, *REVIEW)).code == 0
    admitted.say("object", "bob")
    answer = ended(start(admitted, *REVIEW, env={"PATH": tools(tmp_path / "bin", "git", "env")}))
    assert answer.code not in (0, 5)
    assert "ssh-keygen" in answer.out + answer.err
    assert ended(start(admitted, *REVIEW)).code == 1


def test_a_hanging_ssh_keygen_loses_no_objection(
    admitted: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 40: a verifier that does not answer in time has not said no."""
    assert admitted.run("review").code == 0
    admitted.say("object", "bob")
    path = Path(tools(tmp_path / "bin", "git", "env", "sleep"))
    (path / "ssh-keygen").write_text("#!/bin/sh\nexec sleep 5\n")
    (path / "ssh-keygen").chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:/bin")
    monkeypatch.setattr(signatures, "TIMEOUT", 0.2)
    answer = admitted.run("review")
    assert answer.code not in (0, 5)


def test_a_temporary_directory_that_cannot_be_written_admits_nothing(admitted: Gate, tmp_path: Path) -> None:
    """Verifying needs a file; without a place for it, nothing is verified."""
    process = start(
        admitted, *REVIEW, env={"TMPDIR": str(tmp_path / "nowhere")}, preexec_fn=lambda: os.chdir(admitted.repo.path)
    )
    answer = ended(process)
    assert answer.code == 0 or "Traceback" not in answer.err
