"""What goes wrong around an enforcing server: no room, a wrong clock, very many refs. It stays closed, and recovers by itself."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from streams.commands.app import run
from streams.engines.journal import Journal
from streams.hooks import budget
from tests.gitrepo import Repo
from tests.streams.served import Pushed, Served

ROOT = Path(__file__).resolve().parents[2]
IMPORT = "from streams.hooks.entry"  # in an installed hook
MOUNTED = """set -e
mount -t tmpfs -o size=2m tmpfs "$1"
cp "$2"/* "$1"
dd if=/dev/zero of="$1/filler" bs=1k 2>/dev/null || true
git push origin feature:main >&2 && exit 7
rm "$1/filler"
echo ---- >&2
git push origin feature:main >&2
cp "$1"/journal.db* "$2"
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


def hooks(served: Served) -> list[Path]:
    return [served.server.path / "hooks" / name for name in ("pre-receive", "post-receive")]


def agreed(served: Served) -> None:
    """What the change on `feature` needs."""
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "bob")


@contextmanager
def edited(served: Served, old: str, new: str) -> Iterator[None]:
    """Both hooks with other words in them, for as long as it lasts."""
    before = {hook: hook.read_text() for hook in hooks(served)}
    assert all(old in text for text in before.values())
    for hook, text in before.items():
        hook.write_text(text.replace(old, new, 1))
    yield
    for hook, text in before.items():
        hook.write_text(text)


def whole(served: Served) -> int:
    """How many events the journal holds, whose chain is whole."""
    with Journal(served.server.path / "twohand" / "journal.db") as journal:
        assert journal.broken_row() is None
        return journal.size()


def closed(pushed: Pushed, served: Served) -> None:
    """Law 40, 41: refused, and said with the journal's name and what to do."""
    assert not pushed.taken
    assert served.at("main") == served.start
    assert "nothing was taken" in pushed.words
    assert "journal.db" in "".join(pushed.said)
    assert "See whether its disk is full" in pushed.words
    assert any(line.startswith("hint: for who runs this server") for line in pushed.said)


def mounting(script: str, place: Path, *command: str | Path, repo: Repo) -> Pushed:
    """Runs a script where mounts are its own; skipped where nobody may mount."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file system")
    done = subprocess.run(
        [*unshare, "sh", "-c", script, "sh", place, *command], cwd=repo.path, capture_output=True, check=False,
        env={**repo.environment(), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    return Pushed(done.returncode, done.stderr.decode("utf-8", "replace"))


# -- no room -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [1, 72])
def test_without_room_for_the_journal_nothing_lands(served: Served, blocks: int) -> None:
    """Law 40: files of the server may not grow; with room again, the same push lands and nothing is lost."""
    agreed(served)
    before = whole(served)
    with edited(served, "IFS=' '", f"IFS=' '\nulimit -f {blocks}"):
        closed(served.push("feature:main"), served)
    assert whole(served) == before
    assert served.push("feature:main").taken
    assert whole(served) > before


def test_a_full_disk_is_recovered_from(served: Served) -> None:
    """The same on a file system that is full, and then is not."""
    agreed(served)
    before = whole(served)
    place, kept = served.server.path / "twohand", served.root / "kept"
    place.rename(kept)
    place.mkdir()
    done = mounting(MOUNTED, place, kept, repo=served.work)
    refused, _, landed = done.err.partition("----\n")
    assert (done.code, "feature -> main" in landed) == (0, True)
    assert "nothing was taken" in Pushed(1, refused).words
    place.rmdir()
    kept.rename(place)
    assert served.at("main") == served.head
    assert whole(served) > before


# -- a journal that cannot be written ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["journal", "directory"])
def test_a_journal_that_cannot_be_made_refuses(served: Served, which: str) -> None:
    """A directory in its place, and a file in the place of its directory: not even root writes there."""
    agreed(served)
    place = served.server.path / "twohand"
    away = served.root / "away"
    place.rename(away)
    if which == "journal":
        (place / "journal.db").mkdir(parents=True)
    else:
        place.write_text("")
    closed(served.push("feature:main"), served)
    if which == "journal":
        shutil.rmtree(place)
    else:
        place.unlink()
    away.rename(place)
    assert served.push("feature:main").taken
    whole(served)


def test_a_read_only_journal_refuses(served: Served) -> None:
    """A file system that takes nothing, and says so."""
    agreed(served)
    place = served.server.path / "twohand"
    pushed = mounting(READ_ONLY, place, "git", "push", "origin", "feature:main", repo=served.work)
    closed(pushed, served)
    assert served.push("feature:main").taken
    whole(served)


# -- a clock that runs ahead -------------------------------------------------------------------------------------------


def ahead(served: Served, at: str = "2040-01-01T00:00:00Z") -> AbstractContextManager[None]:
    """The server believes that it is this instant."""
    return edited(served, IMPORT, f'import streams.clock as c; c.now = lambda: "{at}"; {IMPORT}')


def test_a_clock_ahead_makes_approvals_old_and_nothing_else(served: Served) -> None:
    """Law 33: what is too old does not count; when the clock is right again, the same push lands."""
    agreed(served)
    with ahead(served):
        pushed = served.push("feature:main")
        assert not pushed.taken
        assert "approval.stale" in pushed.words
    assert served.push("feature:main").taken
    whole(served)


def test_statements_received_by_a_clock_ahead_count_afterwards(served: Served) -> None:
    """Law 18, 34: an objection holds, and its withdrawal too, whatever the server's clock said when they came."""
    with ahead(served):
        agreed(served)
        served.say("object", "bob", "HEAD", "--reason", "no")
        assert "veto" in served.push("feature:main").words
    assert "veto" in served.push("feature:main").words
    served.say("withdraw", "bob")
    served.say("approve", "bob")
    pushed = served.push("feature:main")
    assert pushed.taken, pushed.err


def test_a_clock_ahead_ends_keys_only_while_it_is_wrong(served: Served) -> None:
    """Law 18: a key with an end says nothing after it by the server's clock; the same statement is taken once that is right."""
    key = (served.keys / "bob.pub").read_text().strip()
    served.work.git("switch", "-q", "-c", "law", "main")
    served.work.write("twohand.toml", served.policy.replace(f'"{key}"', f"'valid-before=\"20350101\" {key}'"))
    served.work.commit("Bob's key ends")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    assert served.push("law:main").taken
    assert (
        run(["object", "feature", "--as", "bob", "--key", str(served.keys / "bob"), "-C", str(served.work.path)]) == 0
    )
    with ahead(served):
        pushed = served.push("refs/twohand/*:refs/twohand/*")
        assert not pushed.taken
        assert "the key of 'bob' that signed it is not valid now" in pushed.words
    assert served.push("refs/twohand/*:refs/twohand/*").taken


def test_a_signers_clock_ahead_is_refused(served: Served) -> None:
    """Law 18: who says that it is next year is told so; nothing of it is kept."""
    clock = "import streams.clock as c; c.now = lambda: '2040-01-01T00:00:00Z'; from streams.cli import main; main()"
    command = ["approve", "HEAD", "--as", "bob", "--key", str(served.keys / "bob"), "-C", str(served.work.path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", clock, *command], env=environment, check=True, capture_output=True)
    pushed = served.push("refs/twohand/*:refs/twohand/*")
    assert not pushed.taken
    assert "in the future" in pushed.words


# -- very much ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [False, True])
def test_ten_thousand_tags_are_taken(served: Served, *, beside: bool) -> None:
    """Refs that nobody protects, alone and beside an approved change, are taken in time."""
    if beside:
        agreed(served)
    rows = "".join(f"create refs/tags/t/{number} {served.head}\n" for number in range(10_000))
    served.work.git("update-ref", "--stdin", stdin=rows.encode())
    began = time.monotonic()
    pushed = served.push("refs/tags/*:refs/tags/*", *(["feature:main"] if beside else []))
    took = time.monotonic() - began
    assert pushed.taken, pushed.err[-2000:]
    assert served.at("refs/tags/t/9999") == served.head
    assert took < budget.SECONDS / 2


def test_a_tree_of_a_thousand_levels_is_judged(served: Served) -> None:
    """Refused for the owner of what lies at its end, and taken once they approved."""
    path = "auth/" + "d/" * 1_000 + "login.py"
    lines = ["commit refs/heads/deep", "committer Alice Doe <alice@example.com> 1700000000 +0000", "data 4", "Deep"]
    lines += [f"from {served.start}", f"M 100644 inline {path}", "data 6", "x = 1"]
    served.work.git("fast-import", "--quiet", stdin=("\n".join(lines) + "\n\n").encode())
    served.say("propose", "alice", "deep", "--tool", "none")
    served.say("approve", "bob", "deep")
    pushed = served.push("deep:main")
    assert not pushed.taken
    assert "owner.required" in pushed.words
    served.say("approve", "carol", "deep")
    assert served.push("deep:main").taken
