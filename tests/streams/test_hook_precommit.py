"""twohand as a hook of pre-commit's: the manifest is what pre-commit reads, and a commit and a push run through it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.commands.app import run
from streams.hooks import install, precommit
from streams.sources.git import Repository
from tests.gitrepo import Repo
from tests.streams.gate import clean_environment
from tests.streams.hooked import Pair, program, recorder

pre_commit = pytest.importorskip("pre_commit.clientlib")

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
CONFIG = """repos:
  - repo: {path}
    rev: {rev}
    hooks: [{{id: twohand}}, {{id: twohand-provenance}}]
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    clean_environment(monkeypatch, tmp_path)
    pair = Pair(tmp_path)
    pair.clone.git("fetch", "-q", "origin")
    for name, value in _environment(pair).items():
        monkeypatch.setenv(name, value)
    return pair


def _environment(pair: Pair) -> dict[str, str]:
    """A machine on which `twohand` is installed; pre-commit's own cache is this test's."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    program(pair.root / "bin/twohand", f'PYTHONPATH={path} exec {sys.executable} -m streams.cli "$@"')
    return {
        "PATH": f"{pair.root}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(pair.root / "cache"),
    }


def _through_precommit(pair: Pair) -> dict[str, str]:
    """pre-commit set up in the clone with our manifest; nothing is downloaded, because the command is there already."""
    source = Repo(pair.root / "source")
    source.write(".pre-commit-hooks.yaml", MANIFEST.read_text().replace("language: python", "language: unsupported"))
    rev = source.commit("Hooks")
    pair.clone.write(".pre-commit-config.yaml", CONFIG.format(path=source.path, rev=rev))
    pair.clone.commit("Use it")
    environment = pair.clone.environment()
    kinds = ("-t", "pre-push", "-t", "prepare-commit-msg")
    _done([sys.executable, "-m", "pre_commit", "install", *kinds], pair, environment)
    return environment


def _done(command: list[str], pair: Pair, env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=pair.clone.path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_manifest_is_one_that_precommit_takes() -> None:
    """Two hooks, each for its stage, validated by pre-commit itself."""
    hooks = {hook["id"]: hook for hook in pre_commit.load_manifest(MANIFEST)}
    assert {name: hook["stages"] for name, hook in hooks.items()} == {
        "twohand": ["pre-push"],
        "twohand-provenance": ["prepare-commit-msg"],
    }
    assert all(hook["language"] == "python" and hook["always_run"] for hook in hooks.values())


def test_a_push_and_a_commit_through_precommit(pair: Pair) -> None:
    """The push to a protected branch is foretold, and an agent's commit carries its mark."""
    environment = _through_precommit(pair)
    pair.clone.write("a.txt", "two\n")
    pair.clone.git("add", "-A")
    _done(["git", "commit", "-q", "-m", "Two"], pair, {**environment, "CLAUDECODE": "1"})
    assert "Claude" in pair.clone.git("log", "-1", "--format=%B")
    said = _done(["git", "push", "origin", "main"], pair, environment)
    assert "twohand" in said
    assert "approval" in said or "hint:" in said
    assert run(["hook", "status", "-C", str(pair.clone.path)]) == 0


def test_installing_precommit_later_keeps_ours_running_once(pair: Pair, monkeypatch) -> None:
    """pre-commit moves our hook to pre-push.legacy and runs it; installing again upgrades it there, and nothing loops."""
    repo = Repository.open(pair.clone.path)
    fixed = recorder(pair.root)
    fixed = fixed._replace(interpreter=str(program(pair.root / "counter", f"cat; echo ran >>{pair.root}/runs")))
    install.install(repo, fixed, server=False)
    environment = _through_precommit(pair)
    assert (pair.clone.path / ".git/hooks/pre-push.legacy").exists()
    done = install.install(repo, fixed._replace(settings="/etc/other.toml"), server=False)
    assert [one.target.path.name for one in done] == ["pre-push.legacy", "prepare-commit-msg.legacy"]
    assert [one.state for one in done] == ["upgraded", "upgraded"]
    pair.clone.commit("Two")
    (pair.root / "runs").unlink()
    _done(["git", "push", "origin", "HEAD:refs/heads/topic"], pair, environment)
    assert (pair.root / "runs").read_text() == "ran\n"


def test_installing_over_precommit_keeps_it(pair: Pair) -> None:
    """pre-commit's generated hook runs first, as it did, and ours after it."""
    environment = _through_precommit(pair)
    hook = pair.clone.path / ".git/hooks/pre-push"
    generated = hook.read_bytes()
    install.install(Repository.open(pair.clone.path), recorder(pair.root), server=False)
    assert (hook.parent / "pre-push.before-twohand").read_bytes() == generated
    pair.clone.commit("Two")
    said = _done(["git", "push", "origin", "HEAD:refs/heads/topic"], pair, environment)
    assert "Passed" in said
    assert (pair.root / "told/args").exists()


def test_a_whole_history_is_named_by_its_branch(pair: Pair, monkeypatch) -> None:
    """pre-commit names no commits for the first push of everything: the branch says which."""
    monkeypatch.chdir(pair.clone.path)
    environ = {
        "PRE_COMMIT": "1",
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
        "PRE_COMMIT_REMOTE_NAME": "origin",
        "PRE_COMMIT_REMOTE_URL": "url",
    }
    kept = os.dup(0)
    try:
        assert precommit.translated("pre-push", (), environ) == ("origin", "url")
        line = os.read(0, 1000).decode()
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert line == f"refs/heads/main {pair.clone.id('main')} refs/heads/main {'0' * 40}\n"


def test_without_precommit_nothing_is_translated() -> None:
    """git's own arguments stay what they are."""
    assert precommit.translated("pre-push", ("origin", "url"), {"PRE_COMMIT_REMOTE_NAME": "x"}) == ("origin", "url")
    environ = {"PRE_COMMIT": "1", "PRE_COMMIT_COMMIT_MSG_SOURCE": "message"}
    assert precommit.translated("prepare-commit-msg", ("FILE",), environ) == ("FILE", "message")
