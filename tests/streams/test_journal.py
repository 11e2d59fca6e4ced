"""The journal of a repository: nothing is lost, nothing is doubled, and what was changed afterwards shows."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.events import (
    EVENTS,
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    CommitFact,
    DecisionMade,
    Event,
    ReviewGiven,
    WaiverGranted,
    event_id,
)
from rules.sshsig import Signer
from streams.engines import journal as module
from streams.engines.journal import TOPICS, Journal, JournalUnusable, topic_of

ROOT = Path(__file__).resolve().parents[2]
AT = "2026-11-21T14:00:00Z"
WRITER = """
import sys, time
from pathlib import Path
from rules.events import ChangeWithdrawn
from streams.engines.journal import Journal
name, count, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Journal(path) as journal:
    for number in range(count):
        journal.append([ChangeWithdrawn(change=name, by=name, reason=f"{number}.{part}", at="2026-11-21T14:00:00Z") for part in "ab"])
        print(number, flush=True)
"""

AS_NOBODY = """
import os, sys
from pathlib import Path
from streams.engines.journal import Journal
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
Journal(Path(sys.argv[1]))
"""


def withdrawn(change: str = "one", reason: str = "", at: str = AT) -> ChangeWithdrawn:
    return ChangeWithdrawn(change=change, by="alice", reason=reason, at=at)


def proposed(change: str, content: str = "key", *patches: str) -> ChangeProposed:
    commits = tuple(CommitFact(f"commit {patch}", patch_id=patch) for patch in patches)
    return ChangeProposed(
        change=change, repository="r", target="t", base="b", head="h", content_key=content, commits=commits, at=AT
    )


def said(change: str, verb: str) -> ReviewGiven:
    text = f'{{"by":"bob","change":"{change}","verb":"{verb}"}}\n'
    return ReviewGiven(change=change, content_key="key", reviewer="bob", statement=text, signature="armor", at=AT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "twohand" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as opened:
        yield opened


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    """A process that appends when it is told to; it is ready when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, name, str(count), str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def edit(path: Path, statement: str, *values: object) -> None:
    """What somebody with another program does to the file."""
    db = sqlite3.connect(path)
    with db:
        db.execute(statement, values)
    db.close()


# -- what is appended -------------------------------------------------------------------------------------------------


def test_what_was_appended_comes_back_in_order(journal: Journal) -> None:
    """Events of one change and of all, as they were recorded, with their times."""
    events = [withdrawn("one", "a"), withdrawn("two", "b"), withdrawn("one", "c", "2026-11-21T14:00:01Z")]
    assert journal.append(events) == 3
    assert list(journal.events()) == events
    assert list(journal.events("one")) == [events[0], events[2]]
    assert list(journal.events("three")) == []
    assert journal.size() == 3


def test_the_same_event_is_recorded_once(journal: Journal) -> None:
    """Law 38, 42: a repeat changes nothing, also in one batch, and also when it arrives at another time."""
    assert journal.append([withdrawn(), withdrawn()]) == 1
    assert journal.append([withdrawn(at="2026-11-22T14:00:00Z")]) == 0
    assert [event.at for event in journal.events()] == [AT]


def test_an_append_is_all_or_nothing(journal: Journal) -> None:
    """An event that cannot be written takes its whole batch with it, and the journal goes on."""
    unwritable = withdrawn(reason=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        journal.append([withdrawn("one"), unwritable])
    assert journal.size() == 0
    assert journal.append([withdrawn("one")]) == 1
    assert journal.broken_row() is None


def test_odd_text_survives(path: Path) -> None:
    """Bytes that are no Unicode arrive as lone surrogates; they and every control character come back as they were."""
    odd = "".join(map(chr, range(32))) + "\udc80\udcff\u2028\U0010ffff'\"\\"
    with Journal(path) as first:
        first.append([withdrawn(reason=odd)])
    with Journal(path) as second:
        assert [event.reason for event in second.events() if isinstance(event, ChangeWithdrawn)] == [odd]
        assert second.broken_row() is None


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_has_a_topic(kind: type[Event]) -> None:
    """None is left without a carrier (DESIGN 4)."""
    assert topic_of(kind) in TOPICS.values()


# -- what is found ----------------------------------------------------------------------------------------------------


def test_changes_are_found_by_content_and_patch(journal: Journal) -> None:
    """Law 12: the newest record first, each change once, and a commit without patch id finds nothing."""
    journal.append([proposed("one", "k1", "p1", ""), proposed("two", "k2", "p1"), proposed("three", "k1")])
    assert journal.changes_with("k1") == ["three", "one"]
    assert journal.changes_with("k1", {"p1"}) == ["three", "two", "one"]
    assert journal.changes_with("none", {"p1"}) == ["two", "one"]
    assert journal.changes_with("none", {""}) == []
    journal.append([withdrawn("one")])
    assert journal.changes_with("k1") == ["one", "three"]


def test_a_change_is_found_by_how_its_id_begins(journal: Journal) -> None:
    """Literally: no character is a wildcard."""
    journal.append([withdrawn("a%c"), withdrawn("abc"), withdrawn("a_c"), withdrawn("ABC")])
    assert journal.find_changes("a") == ["a%c", "a_c", "abc"]
    assert journal.find_changes("a%") == ["a%c"]
    assert journal.find_changes("a_") == ["a_c"]


def test_every_voice_but_approvals_is_heard_for_all_changes(journal: Journal) -> None:
    """Law 40: objections, withdrawals and proposals of other changes; a rule's review is no voice."""
    told = [said("one", "object"), said("two", "withdraw"), said("three", "propose")]
    rules = ReviewGiven(change="one", content_key="key", reviewer="rules", at=AT)
    journal.append([said("one", "approve"), told[0], rules, *told[1:]])
    assert list(journal.voices()) == told


def test_the_changes_that_somebody_waived_are_known(journal: Journal) -> None:
    """Law 35: a break-glass is remembered."""
    waived = WaiverGranted(change="two", content_key="key", statement="s", signature="a", at=AT)
    journal.append([withdrawn("one"), waived])
    assert journal.waived_changes() == ["two"]


def test_signers_are_remembered_and_never_replaced(journal: Journal) -> None:
    """A blob is verified once; what was found first stays."""
    journal.remember_signers({"b1": Signer("key one"), "b2": Signer("key two", presence=True)})
    journal.remember_signers({"b1": Signer("another key")})
    assert journal.known_signers(["b2", "b1", "b3"]) == {
        "b1": Signer("key one"),
        "b2": Signer("key two", presence=True),
    }


# -- what was changed afterwards --------------------------------------------------------------------------------------

BREAKS = {
    "text edited": ("update log set body = replace(body, 'r2', 'r9') where offset = 3", 3),
    "time edited": ("update log set at = '2026-11-21T15:00:00Z' where offset = 3", 3),
    "change edited": ("update log set key = 'two' where offset = 3", 3),
    "topic edited": ("update log set topic = 'twohand.trust' where offset = 3", 3),
    "row deleted": ("delete from log where offset = 3", 4),
    "first row deleted": ("delete from log where offset = 1", 2),
    "row moved to the end": ("update log set offset = 9 where offset = 3", 4),
    "row moved to the front": ("update log set offset = 0 where offset = 3", 0),
    "row put in": (
        "insert into log select 9, topic, key, type, at, 'another', body, hash from log where offset = 3",
        9,
    ),
    "hash edited": ("update log set hash = 'x' where offset = 3", 3),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_row_that_was_changed_is_named(path: Path, name: str) -> None:
    """The first row that does not follow from the one before it; a whole chain has none."""
    statement, broken = BREAKS[name]
    with Journal(path) as journal:
        journal.append([withdrawn("one", f"r{number}") for number in range(5)])
        assert journal.broken_row() is None
    edit(path, statement)
    with Journal(path) as journal:
        found = journal.broken_row()
    assert found
    assert found[0] == broken


def test_rows_that_changed_places_are_named(path: Path) -> None:
    """Two rows swapped: the earlier of them is the broken one."""
    with Journal(path) as journal:
        journal.append([withdrawn("one", f"r{number}") for number in range(5)])
    for old, new in ((2, 99), (4, 2), (99, 4)):
        edit(path, "update log set offset = ? where offset = ?", new, old)
    with Journal(path) as journal:
        assert journal.broken_row() == (2, "its hash does not follow from its content and the row before it")


def test_a_forged_chain_still_has_to_hold_events(path: Path) -> None:
    """Whoever computes the hashes anew must also forge ids and bodies; each is named."""
    row = ("twohand.changes", "one", "dev.twohand.change-withdrawn.v1", AT)
    forged = {
        "its id is not the digest of its body": (*row, "forged", '{"by":"a","change":"one","reason":""}'),
        "row 1 is no event": (*row, "forged", "{}"),
        "none that this version knows": ("t", "one", "dev.twohand.change-blessed.v1", AT, "forged", "{}"),
    }
    for number, (reason, values) in enumerate(forged.items()):
        file = path.with_name(f"{number}.db")
        Journal(file).__exit__()
        edit(file, "insert into log values (1, ?, ?, ?, ?, ?, ?, ?)", *values, module.chained("", values))
        with Journal(file) as journal:
            found = journal.broken_row()
        assert found
        assert found[0] == 1
        assert reason in found[1]


def test_a_row_that_is_no_event_is_never_skipped(path: Path) -> None:
    """Law 40: reading it is an error that names the row and says what to do."""
    with Journal(path) as journal:
        journal.append([withdrawn("one", "a"), withdrawn("one", "b")])
    edit(path, "update log set body = '[]' where offset = 2")
    with Journal(path) as journal, pytest.raises(JournalUnusable, match="row 2 is no event") as caught:
        list(journal.events("one"))
    assert "doctor" in caught.value.remedy
    assert caught.value.exit_code == 3


# -- files that are no journal ----------------------------------------------------------------------------------------


def unusable(path: Path) -> JournalUnusable:
    with pytest.raises(JournalUnusable) as caught:
        Journal(path)
    assert str(path) in caught.value.message
    assert caught.value.remedy
    return caught.value


def test_a_newer_journal_is_left_alone(path: Path) -> None:
    """Its format is named, and no byte of it changes."""
    Journal(path).__exit__()
    edit(path, "pragma user_version = 7")
    before = path.read_bytes()
    error = unusable(path)
    assert "format 7, this one knows 2" in error.message
    assert "Upgrade" in error.remedy
    assert path.read_bytes() == before


def test_garbage_is_left_alone(path: Path) -> None:
    """A file that is no database is not overwritten."""
    path.parent.mkdir()
    path.write_bytes(b"garbage " * 1000)
    assert "not a database" in unusable(path).message
    assert path.read_bytes() == b"garbage " * 1000


def test_a_truncated_journal_is_never_a_shorter_one(path: Path) -> None:
    """Half of the file is gone: nothing is read from the rest as if it were whole."""
    with Journal(path) as journal:
        journal.append([withdrawn("one", f"{number}" * 500) for number in range(100)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 // 4096 * 4096])
    with pytest.raises(JournalUnusable), Journal(path) as journal:
        list(journal.events())


def test_another_programs_database_is_no_journal(path: Path) -> None:
    """A table called otherwise: an error with a remedy, no crash."""
    path.parent.mkdir()
    edit(path, "create table something (text text)")
    edit(path, "pragma user_version = 1")
    with pytest.raises(JournalUnusable), Journal(path) as journal:
        journal.append([withdrawn()])


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "file").write_text("")
    unusable(tmp_path / "file" / "journal.db")


def test_a_directory_where_the_journal_should_be_is_named(path: Path) -> None:
    """Opening it fails with a remedy."""
    path.mkdir(parents=True)
    unusable(path)


def test_a_read_only_directory_is_named(path: Path) -> None:
    """Whoever may not write there is told so."""
    path.parent.mkdir()
    path.parent.chmod(0o555)
    for parent in path.parents[1:]:
        if parent.stat().st_mode & 0o055 != 0o055:
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    path.parent.chmod(0o755)
    assert "JournalUnusable" in done.stderr
    assert "unable to open database file" in done.stderr


# -- several processes ------------------------------------------------------------------------------------------------


def test_a_lock_that_lasts_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds it is named as another process, after the patience that is configured and not before."""
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    with Journal(path) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        started = time.monotonic()
        with pytest.raises(JournalUnusable, match="locked by another process") as caught:
            journal.append([withdrawn()])
        assert 0.3 <= time.monotonic() - started < 30
        assert "try again" in caught.value.remedy
        other.execute("rollback")
        other.close()
        assert journal.append([withdrawn()]) == 1


def test_a_lock_that_passes_is_waited_for(path: Path) -> None:
    """A writer waits its turn, and a reader never waits for a writer."""
    with Journal(path) as journal:
        journal.append([withdrawn("one")])
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("begin immediate")
        assert journal.size() == 1
        passing = threading.Timer(0.2, other.execute, ("commit",))
        passing.start()
        assert journal.append([withdrawn("two")]) == 1
        passing.join()
        other.close()


@pytest.mark.parametrize("writers", [2, 4])
def test_processes_that_write_at_once_lose_nothing(path: Path, writers: int) -> None:
    """Every event of each is there, in its writer's order, in one chain; they even make the file together."""
    count = 60 // writers
    running = [start(path, f"w{number}", count) for number in range(writers)]
    for process in running:
        begin(process)
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode == 0
    wanted = [f"{number}.{part}" for number in range(count) for part in "ab"]
    with Journal(path) as journal:
        assert journal.broken_row() is None
        assert journal.size() == 2 * count * writers
        for number in range(writers):
            events = journal.events(f"w{number}")
            assert [event.reason for event in events if isinstance(event, ChangeWithdrawn)] == wanted


def test_a_killed_writer_leaves_a_whole_journal(path: Path) -> None:
    """After `kill -9` in the middle of many appends: whole batches, whole chain, and everything that was confirmed."""
    for number in range(4):
        process = start(path, f"w{number}", 10_000)
        begin(process)
        assert process.stdout
        for _ in range(3 + 7 * number):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        confirmed = 3 + 7 * number + len([line for line in process.communicate()[0].splitlines() if line])
        with Journal(path) as journal:
            assert journal.broken_row() is None
            found = len(list(journal.events(f"w{number}")))
        assert found % 2 == 0
        assert found >= 2 * (confirmed - 1)


def test_a_full_disk_is_said_and_loses_nothing(journal: Journal) -> None:
    """What does not fit is not recorded at all, the error says why, and what was there stays whole."""
    journal.append([withdrawn("one")])
    pages = journal._db.execute("pragma page_count").fetchone()[0]
    journal._db.execute(f"pragma max_page_count = {pages + 2}")
    with pytest.raises(JournalUnusable, match="full"):
        journal.append([withdrawn("two", f"{number}" * 1000) for number in range(50)])
    assert list(journal.events()) == [withdrawn("one")]
    assert journal.broken_row() is None


def test_decisions_merges_and_the_rest_are_kept_alike(journal: Journal) -> None:
    """What has a content key is found by it."""
    decided = DecisionMade(change="one", content_key="k1", outcome="admitted", decision="{}", objections=("o",), at=AT)
    merged = ChangeMerged(change="two", content_key="k1", commit="c", at=AT)
    journal.append([decided, merged])
    assert list(journal.events()) == [decided, merged]
    assert journal.changes_with("k1") == ["two", "one"]
    assert event_id(decided) != event_id(merged)
