"""The change as a real pre-receive hook sees it: pushed, and not yet taken in."""

import json
import os
import sys
from pathlib import Path

import pytest

from streams.sources import errors
from streams.sources.git import Repository
from tests.gitrepo import Repo

ROOT = Path(__file__).parents[2]
HOOK = """#!{python}
import json, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from streams.sources.change import Range, read_blobs, read_change
from streams.sources.git import Repository

old, new, ref = sys.stdin.read().split()
repo = Repository.open(Path("."), quarantine=True)
change = read_change(repo, Range(ref, old, old, new, ""))
blobs = [(each.file.path, (each.new or b"").decode()) for each in read_blobs(repo, change.files)]
seen = dict(blobs=blobs, commits=[commit for commit, _ in change.commits], own=list(change.own_edits),
            patches=len(change.patch_ids), incomplete=change.incomplete, default=repo.default_branch())
Path({result!r}).write_text(json.dumps(seen))
sys.exit(1)
"""


def test_a_push_is_read_from_its_quarantine(tmp_path: Path) -> None:
    """Files, commits, merges and patches of a push are read before any of its objects is taken in (law 7)."""
    bare = Repo(tmp_path / "bare.git", bare=True)
    work = Repo.clone(bare, tmp_path / "work")
    work.git("checkout", "-q", "-B", "main")
    work.write("a", "1\n")
    work.commit()
    work.git("push", "-q", "origin", "main")
    work.branch("side", "main")
    work.write("b", "2\n")
    side = work.commit()
    work.checkout("main")
    clean = work.merge("side")
    work.branch("more", side)
    work.write("c", "3\n")
    more = work.commit()
    work.checkout("main")
    work.merge("more", commit=False)
    work.write("evil", "4\n")
    evil = work.commit()
    hook = bare.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, root=str(ROOT), result=str(tmp_path / "seen.json")))
    hook.chmod(0o755)
    with pytest.raises(AssertionError, match="pre-receive hook declined"):
        work.git("push", "-q", "origin", "main")
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["blobs"] == [["b", "2\n"], ["c", "3\n"], ["evil", "4\n"]]
    assert set(seen["commits"]) == {side, clean, more, evil}
    assert (seen["own"], seen["patches"], seen["incomplete"]) == ([evil], 2, [])
    assert seen["default"] == "refs/heads/main"
    with pytest.raises(errors.UnknownRevision):
        Repository.open(bare.path).resolve(evil)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_repository_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git refuses for the owner's sake, the error says how to trust it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    repo = Repo(tmp_path / "r")
    os.chown(repo.path, 65534, 65534)
    os.chown(repo.path / ".git", 65534, 65534)
    with pytest.raises(errors.NotARepository, match=r"safe\.directory"):
        Repository.open(repo.path)
