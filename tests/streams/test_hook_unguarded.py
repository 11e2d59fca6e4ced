"""Pushes that touch nothing guarded pass without the law; whatever changes what is guarded brings it back."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.engines.journal import Journal
from streams.hooks.unguarded import NOTE, unguarded
from tests.gitrepo import Repo
from tests.streams.gate import clean_environment
from tests.streams.served import Served

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("pydantic", "typer", "rich", "git", "kafka", "click", "inspect", "sqlite3", "subprocess", "pathlib", "typing")


@pytest.fixture
def served(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    clean_environment(monkeypatch, tmp_path)
    found = Served(tmp_path, keys)
    assert found.push("feature:refs/heads/side").taken
    return found


def passes(served: Served, *names: str) -> bool:
    """Whether updates of these refs would pass without the law."""
    lines = [f"{served.start} {served.head} {name}\n".encode() for name in names]
    return unguarded(str(served.server.path), None, lines)


def test_other_branches_and_tags_pass(served: Served) -> None:
    """After one push that read the policies, the next ones need not."""
    assert passes(served, "refs/heads/side", "refs/heads/new", "refs/tags/v1")
    assert passes(served, "refs/heads/a", "refs/heads/b")


@pytest.mark.parametrize(
    "name",
    [
        "refs/heads/main", "refs/heads/MAIN", "refs/heads/release/1", "refs/heads/Release/2", "refs/twohand/reviews/a/b",
        "refs/replace/0123", "HEAD", "refs/heads/x/../main", "refs/heads/main\x00", "refs/heads/caf\u00e9", "main",
    ],
)  # fmt: skip
def test_what_is_guarded_or_odd_does_not(served: Served, name: str) -> None:
    """The default branch in any case, what policy protects, our own refs, and every name that is not plain."""
    assert not passes(served, name)
    assert not passes(served, "refs/heads/side", name)


def _move_head(served: Served) -> None:
    served.server.git("symbolic-ref", "HEAD", "refs/heads/side")


def _move_tip(served: Served) -> None:
    served.server.git("update-ref", "refs/heads/main", served.head)


def _add_settings(served: Served) -> None:
    (served.server.path / "twohand" / "settings.toml").write_text('[identity]\ntrust = ["gitlab"]\n')


def _twin(served: Served) -> None:
    served.server.git("symbolic-ref", "refs/heads/next", "refs/heads/main")


def _dangling(served: Served) -> None:
    served.server.git("symbolic-ref", "refs/heads/next", "refs/heads/release/9")


def _damage(served: Served) -> None:
    (served.server.path / NOTE).write_bytes(b"twohand guards 1\nhead")


@pytest.mark.parametrize("change", [_move_head, _move_tip, _add_settings, _twin, _dangling, _damage])
def test_what_it_follows_from_may_not_have_changed(served: Served, change: Callable[[Served], None]) -> None:
    """HEAD, the default branch's tip, settings; a branch that is only another name; a note that is no note."""
    assert passes(served, "refs/heads/next")
    change(served)
    assert not passes(served, "refs/heads/next")


def test_packed_refs_are_read(served: Served) -> None:
    """`git gc` on the server changes nothing, and a later move of the tip is seen."""
    served.server.git("pack-refs", "--all")
    assert passes(served, "refs/heads/side")
    _move_tip(served)
    assert not passes(served, "refs/heads/side")


def test_a_ref_that_was_guarded_once_is_still_looked_at(served: Served) -> None:
    """Its place is in the journal, so that what moves it is recorded or said aloud."""
    with Journal(served.server.path / "twohand" / "journal.db") as journal:
        journal.remember_tip("refs/heads/side", served.head, "2026-11-21T14:00:00Z")
    (served.server.path / NOTE).unlink()
    assert served.push("feature:refs/heads/other").taken
    assert passes(served, "refs/heads/other")
    assert not passes(served, "refs/heads/side")


def test_a_push_past_the_gate_imports_next_to_nothing(served: Served) -> None:
    """Both hooks answer for an unguarded branch without git, law, journal or any of the command line's libraries."""
    told = _modules(served, "pre-receive", "refs/heads/side") | _modules(served, "post-receive", "refs/heads/side")
    assert not told & set(HEAVY)
    assert not {name for name in told if name.startswith(("rules.catalog", "streams.sources", "streams.desk"))}


def test_the_gate_imports_none_of_the_heavy_libraries(served: Served) -> None:
    """A judged push needs the law and git; not what the command line, the service and the forges need."""
    told = _modules(served, "pre-receive", "refs/heads/main")
    assert "rules.decision" in told
    heavy = {
        "pydantic",
        "typer",
        "rich",
        "git",
        "kafka",
        "click",
        "tempfile",
        "traceback",
        "importlib.metadata",
        "asyncio",
    }
    assert not told & heavy
    landed = _modules(served, "post-receive", "refs/heads/main")
    assert not landed & {*heavy, "re2", "rules.decision", "rules.policy", "streams.desk", "streams.settings"}


def _modules(served: Served, name: str, ref: str) -> set[str]:
    """What a process that runs this hook has imported at its end."""
    served.push("feature:refs/heads/there")
    code = (
        f"import atexit, sys; sys.path.insert(0, {str(ROOT)!r}); "
        "atexit.register(lambda: print(*sys.modules)); from streams.hooks.entry import main; main()"
    )
    line = f"{served.start} {served.head} {ref}\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, name, ""], cwd=served.server.path, input=line, text=True, check=False,
        capture_output=True, env={"PATH": os.environ["PATH"], "GIT_DIR": "."},
    )  # fmt: skip
    return set(done.stdout.split())


def test_a_repository_without_a_note_reads_its_policies(tmp_path: Path) -> None:
    """Nothing written down is nothing known."""
    repo = Repo(tmp_path / "bare.git", bare=True)
    assert not unguarded(str(repo.path), None, [b"0 1 refs/heads/x\n"])
