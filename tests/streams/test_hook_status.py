"""`twohand hook status` and `doctor`: every way in which a hook is not effective has its line, its remedy and its exit code."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.cli import VERSION
from streams.commands.app import run
from streams.doctor_clone import FAIL, OK, WARN
from streams.hooks import exposure, interpreter, receiving, script
from streams.hooks.place import CONFIGURED, git_version
from streams.hooks.script import BEFORE
from streams.hooks.status import examine
from streams.sources.git import Repository
from tests.streams.gate import clean_environment
from tests.streams.hooked import Pair, program

NOBODY = 65534


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Both sides have their hooks."""
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.delenv("TWOHAND_SETTINGS", raising=False)
    pair = Pair(tmp_path)
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert run(["hook", "install", "-q", "-C", str(pair.clone.path)]) == 0
    return pair


def _status(path: Path, capsys, *, code: int, command: tuple[str, ...] = ("hook", "status")) -> list[dict[str, str]]:
    capsys.readouterr()
    assert run([*command, "-C", str(path), "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)["checks"]


def _failing(path: Path, capsys, *, command: tuple[str, ...] = ("hook", "status")) -> dict[str, dict[str, str]]:
    found = {row["name"]: row for row in _status(path, capsys, code=2, command=command) if row["state"] == FAIL}
    assert all(row["remedy"] for row in found.values())
    return found


def test_hooks_that_work_fail_nothing(pair: Pair, capsys) -> None:
    """Installed and untouched: exit code 0 on both sides, for status and doctor."""
    for path, command in (
        (pair.server.path, ("hook", "status")),
        (pair.clone.path, ("hook", "status")),
        (pair.clone.path, ("doctor",)),
        (pair.server.path, ("doctor",)),
    ):
        rows = _status(path, capsys, code=0, command=command)
        assert all(row["said"] for row in rows)
        assert all(row["remedy"] for row in rows if row["state"] != OK)
    assert {"pre-receive", "post-receive", "files", "owner"} <= {row["name"] for row in rows}


def _remove(hook: Path) -> None:
    hook.unlink()


def _disable(hook: Path) -> None:
    hook.chmod(0o644)


def _empty(hook: Path) -> None:
    hook.write_text("#!/bin/sh\n# nothing\nexit 0\n")


def _edit(hook: Path) -> None:
    hook.write_bytes(hook.read_bytes().replace(b"IFS=", b"exit 0\nIFS="))


def _foreign(hook: Path) -> None:
    program(hook, "echo mine; make test")


def _dangle(hook: Path) -> None:
    hook.unlink()
    hook.symlink_to("nowhere")


def _rewrite(hook: Path, **values: str) -> None:
    read = script.read(hook.read_bytes())
    assert read is not None
    hook.write_bytes(script.text(hook.name, read.fixed._replace(**values)))


def _gone(hook: Path) -> None:
    _rewrite(hook, interpreter="/nowhere/python")


def _deaf(hook: Path) -> None:
    _rewrite(hook, interpreter=str(program(hook.parent.parent / "deaf", "echo 'No module named streams' >&2; exit 1")))


def _settingless(hook: Path) -> None:
    _rewrite(hook, settings="/nowhere/settings.toml")


WAYS: list[tuple[Callable[[Path], None], str]] = [
    (_remove, "missing: there is no"),
    (_disable, "not executable"),
    (_empty, "does nothing but end (`exit 0`)"),
    (_edit, "changed since it was installed"),
    (_foreign, "is not twohand's, and does not call twohand"),
    (_dangle, "a link that leads nowhere"),
    (_gone, "its interpreter is gone: /nowhere/python"),
    (_deaf, "cannot import twohand: No module named streams"),
    (_settingless, "its settings cannot be used"),
]


@pytest.mark.parametrize(("way", "said"), WAYS, ids=[way.__name__ for way, _ in WAYS])
def test_a_hook_that_takes_no_effect_is_named(pair: Pair, way: Callable[[Path], None], said: str, capsys) -> None:
    """On server and clone, by status and doctor: the hook, why, and what to do."""
    for path, hook in (
        (pair.server.path, pair.hooks / "pre-receive"),
        (pair.clone.path, pair.clone.path / ".git/hooks/pre-push"),
    ):
        way(hook)
        for command in (("hook", "status"), ("doctor",)):
            row = _failing(path, capsys, command=command)[hook.name]
            assert said in row["said"]


def test_an_older_version_is_stale(pair: Pair, capsys, monkeypatch) -> None:
    """A file of another twohand, and one that this one would write otherwise."""
    hook = pair.hooks / "pre-receive"
    monkeypatch.setattr(script, "VERSION", "0.0.1")
    _rewrite(hook)
    monkeypatch.undo()
    assert "stale" in _failing(pair.server.path, capsys)["pre-receive"]["said"]
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert _status(pair.server.path, capsys, code=0)


@pytest.mark.parametrize(
    ("body", "line"),
    [("make test\nexit 0\ntwohand hook pre-receive", 3), ("exec ./other\ntwohand hook pre-receive", 2)],
)
def test_a_script_that_ends_before_it_calls_us(pair: Pair, body: str, line: int, capsys) -> None:
    """An earlier `exit` or `exec` in somebody's own script: the line is named."""
    program(pair.hooks / "pre-receive", body)
    assert f"ends in line {line}, before it calls" in _failing(pair.server.path, capsys)["pre-receive"]["said"]
    program(pair.hooks / "pre-receive", "exec 3>&1\nmake test || exit\ntwohand hook pre-receive")
    rows = _status(pair.server.path, capsys, code=0)
    assert "cannot be seen from outside" in next(row["said"] for row in rows if row["name"] == "pre-receive")


@pytest.mark.parametrize("value", ["/nowhere", "empty", "", "/dev/null"])
def test_another_hooks_path_shadows(pair: Pair, value: str, capsys) -> None:
    """An empty directory, none, no value: what git reads is not where ours lies, and unsetting it mends it."""
    (pair.clone.path / "empty").mkdir()
    pair.clone.git("config", "core.hooksPath", value)
    for command in (("hook", "status"), ("doctor",)):
        row = _failing(pair.clone.path, capsys, command=command)["pre-push"]
        assert "shadowed: core.hooksPath is" in row["said"]
    subprocess.run(row["remedy"], shell=True, check=True)
    assert _status(pair.clone.path, capsys, code=0)


def test_a_server_whose_pin_was_taken_away(pair: Pair, capsys) -> None:
    """Without a core.hooksPath of the repository's own, whoever pushes may bring theirs."""
    pair.server.git("config", "--unset", "core.hooksPath")
    rows = _status(pair.server.path, capsys, code=0)
    assert next(row for row in rows if row["name"] == "core.hooksPath")["state"] == WARN


def test_a_linked_worktree_with_its_own_configuration(pair: Pair, capsys) -> None:
    """core.hooksPath in the configuration of one working tree is seen from the others, and in it."""
    pair.clone.git("worktree", "add", "-q", "-b", "side", "../side")
    pair.clone.git("config", "extensions.worktreeConfig", "true")
    assert _status(pair.root / "side", capsys, code=0)
    pair.clone.git("-C", "../side", "config", "--worktree", "core.hooksPath", "/nowhere")
    row = _failing(pair.clone.path, capsys)["hooks"]
    assert str(pair.root / "side") in row["said"]
    assert "hooks" in _failing(pair.clone.path, capsys, command=("doctor",))
    assert "shadowed" in _failing(pair.root / "side", capsys)["pre-push"]["said"]


def test_husky_is_told_what_to_call(pair: Pair, capsys) -> None:
    """.husky/pre-push has to call us; when it does, that is an answer."""
    (pair.clone.path / ".husky/_").mkdir(parents=True)
    shutil.rmtree(pair.clone.path / ".git/hooks")
    pair.clone.git("config", "core.hooksPath", ".husky/_")
    for name in ("pre-push", "prepare-commit-msg"):
        program(pair.clone.path / ".husky/_" / name, '. "$(dirname "$0")/h" # husky')
    row = _failing(pair.clone.path, capsys)["pre-push"]
    assert row["remedy"].startswith("echo 'twohand hook pre-push")
    for name in ("pre-push", "prepare-commit-msg"):
        subprocess.run(_failing(pair.clone.path, capsys)[name]["remedy"], shell=True, cwd=pair.clone.path, check=True)
        if name == "pre-push":
            assert "pre-push" not in _failing(pair.clone.path, capsys)
    assert _status(pair.clone.path, capsys, code=0)


def test_hooks_of_the_configuration_are_seen(pair: Pair, capsys) -> None:
    """git 2.54 and later: what else runs is named, and an event that is switched off fails."""
    pair.server.git("config", "hook.lint.event", "pre-receive")
    pair.server.git("config", "hook.lint.command", "lint")
    rows = _status(pair.server.path, capsys, code=0)
    assert any(row["said"] == "git's configuration runs before it: lint" for row in rows)
    pair.server.git("config", "hook.pre-receive.enabled", "false")
    row = _failing(pair.server.path, capsys)["pre-receive"]
    subprocess.run(row["remedy"], shell=True, check=True)
    assert _status(pair.server.path, capsys, code=0)


def test_a_configured_hook_that_this_git_does_not_run(pair: Pair, capsys) -> None:
    """Installed with a git of 2.54 or later, and read by an older one: that is said, or it runs."""
    pair.clone.git("config", "hook.twohand-pre-push.event", "pre-push")
    pair.clone.git("config", "hook.twohand-pre-push.command", "x")
    row = _failing(pair.clone.path, capsys)["pre-push"]
    old = git_version(pair.opened()) < CONFIGURED
    assert ("runs no hook out of its configuration" if old else "missing") in row["said"]


def test_a_directory_of_everybody_shadows(pair: Pair, tmp_path: Path, capsys) -> None:
    """A global core.hooksPath that came after: the remedy is the repository's own, and leaves the others alone."""
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/everybody\n")
    row = _failing(pair.clone.path, capsys)["pre-push"]
    assert "(global: " in row["said"]
    subprocess.run(row["remedy"], shell=True, check=True)
    assert _status(pair.clone.path, capsys, code=0)
    assert _status(pair.server.path, capsys, code=0)


def test_another_twohand_is_said(pair: Pair, capsys) -> None:
    """A hook that runs a copy elsewhere works, and may judge otherwise than the one that was asked."""
    other = program(pair.root / "other/python", f"echo {VERSION}; echo /elsewhere/streams")
    _rewrite(pair.hooks / "pre-receive", interpreter=str(other))
    rows = [row for row in _status(pair.server.path, capsys, code=0) if row["name"] == "pre-receive"]
    assert [row["state"] for row in rows] == [WARN]
    assert "of /elsewhere/streams" in rows[0]["said"]


def test_a_kept_hook_that_does_not_run_is_said(pair: Pair, capsys) -> None:
    """What was there before and is not executable: a warning."""
    program(pair.hooks / f"pre-receive{BEFORE}", "exit 0").chmod(0o644)
    rows = [row for row in _status(pair.server.path, capsys, code=0) if row["name"] == "pre-receive"]
    assert [row["state"] for row in rows] == [OK, WARN]


@pytest.mark.parametrize(
    "name", ["", "hooks", "hooks/pre-receive", "config", "twohand", "twohand/journal.db", "refs", "objects"]
)
@pytest.mark.parametrize("flag", ["o+w", "g+w"])
def test_files_that_pushers_can_write(pair: Pair, name: str, flag: str) -> None:
    """Law 7: whoever can write the repository's files passes the gate by; the file is named, and its remedy mends it."""
    path = pair.server.path / name
    group = NOBODY if os.geteuid() == 0 else -1
    os.chown(path, -1, group)
    subprocess.run(["chmod", flag, path], check=True)
    rows = [check for check in exposure.examine(pair.opened(), None) if check.state == FAIL]
    found = next(row for row in rows if f"can write {path}" in row.said)
    assert found.remedy == f"chmod {flag.replace('+', '-')} {path}"
    subprocess.run(found.remedy, shell=True, check=True)
    assert not [check for check in exposure.examine(pair.opened(), None) if check.state == FAIL]


def test_loose_files_fail_status_and_doctor(pair: Pair, capsys) -> None:
    """Both end with exit code 2."""
    pair.hooks.chmod(0o777)
    for command in (("hook", "status"), ("doctor",)):
        rows = [row for row in _status(pair.server.path, capsys, code=2, command=command) if row["state"] == FAIL]
        assert any(row["name"] == "files" and f"everybody can write {pair.hooks}" in row["said"] for row in rows)


def test_a_directory_above_that_everybody_can_write(pair: Pair, tmp_path: Path) -> None:
    """Whoever can rename a directory can replace it; a sticky one is safe."""
    above = tmp_path / "srv"
    above.mkdir()
    shutil.move(pair.server.path, above / "x.git")
    repo = Repository.open(above / "x.git")
    above.chmod(0o777)
    assert any(str(above) in check.said for check in exposure.examine(repo, None) if check.state == FAIL)
    above.chmod(0o1777)
    assert not any(check.state == FAIL for check in exposure.examine(repo, None))


def test_packages_and_interpreter_that_others_can_write(pair: Pair, tmp_path: Path) -> None:
    """What the hook runs is part of the gate."""
    loose = program(tmp_path / "loose/python", 'exec python3 "$@"')
    loose.parent.chmod(0o777)
    found = exposure.examine(pair.opened(), script.Fixed(str(loose)))
    assert any(str(loose.parent) in check.said for check in found if check.state == FAIL)


def test_a_shared_repository_fails(pair: Pair, capsys) -> None:
    """core.sharedRepository lets every pusher write the files: that is no gate."""
    pair.server.git("config", "core.sharedRepository", "group")
    assert "whoever pushes by path" in _failing(pair.server.path, capsys)["shared"]["said"]


def test_who_pushes_as_the_owner_cannot_be_known(pair: Pair, capsys) -> None:
    """It is said as it is: no file tells who works as the owner."""
    row = next(row for row in _status(pair.server.path, capsys, code=0) if row["name"] == "owner")
    assert "no file tells" in row["said"] or "has no shell" in row["said"]


@pytest.mark.parametrize("key", ["transfer.hideRefs", "receive.hideRefs", "uploadpack.hideRefs"])
@pytest.mark.parametrize("value", ["refs/twohand", "refs/twohand/reviews", "refs"])
def test_hidden_statements_fail(pair: Pair, key: str, value: str, capsys) -> None:
    """Law 40: statements that nobody can push or fetch; a `!` takes it back."""
    pair.server.git("config", "--add", key, value)
    row = _failing(pair.server.path, capsys)["hidden refs"]
    assert f"{key} = {value}" in row["said"]
    subprocess.run(row["remedy"], shell=True, cwd=pair.server.path, check=True)
    assert _status(pair.server.path, capsys, code=0)


def test_what_else_moves_refs_is_said(pair: Pair) -> None:
    """proc-receive, reference-transaction, alternates, malformed objects."""
    pair.server.git("config", "receive.procReceiveRefs", "refs/for")
    program(pair.hooks / "reference-transaction", "exit 0")
    (pair.server.path / "objects/info/alternates").write_text("/elsewhere/objects\n")
    found = {check.name: check for check in receiving.examine(pair.opened())}
    assert found["proc-receive"].state == found["alternates"].state == found["fsck"].state == WARN
    assert "reference-transaction" in found
    pair.server.git("config", "receive.fsckObjects", "true")
    assert "fsck" not in {check.name for check in receiving.examine(pair.opened())}


def test_a_default_branch_that_nobody_pushes_to_fails(pair: Pair, capsys) -> None:
    """HEAD names a branch without a commit while another is there: nothing is protected, and one command mends it."""
    pair.server.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    row = next(row for row in _status(pair.server.path, capsys, code=2) if "not protected" in row["said"])
    assert row["remedy"] == f"git -C {pair.server.path} symbolic-ref HEAD refs/heads/main"
    subprocess.run(row["remedy"].split(), check=True)
    assert _status(pair.server.path, capsys, code=0)


def test_a_server_with_a_working_tree_is_said(pair: Pair) -> None:
    """Commits made in it pass no hook."""
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.clone.path)]) == 0
    checks = {check.name: check for check in examine(Repository.open(pair.clone.path), server=True)}
    assert checks["working tree"].state == WARN
    assert checks["pre-receive"].state == OK
    assert Path(pair.clone.git("config", "core.hooksPath")).is_absolute()


def test_a_bare_repository_without_hooks_fails_in_doctor(tmp_path: Path, monkeypatch, capsys) -> None:
    """A fresh server judges nothing; a fresh clone only hears of the hooks."""
    clean_environment(monkeypatch, tmp_path)
    pair = Pair(tmp_path)
    row = _failing(pair.server.path, capsys, command=("doctor",))["pre-receive"]
    assert row["remedy"] == f"twohand hook install --server -C {pair.server.path}"
    assert _status(pair.clone.path, capsys, code=0, command=("doctor",))


def test_after_uninstalling_doctor_misses_nothing_in_a_clone(pair: Pair, capsys) -> None:
    """What was taken away by us is not expected any more; status still says that it is not there."""
    assert run(["hook", "uninstall", "-C", str(pair.clone.path)]) == 0
    assert "Removed" in capsys.readouterr().out
    assert _status(pair.clone.path, capsys, code=0, command=("doctor",))
    assert "missing" in _failing(pair.clone.path, capsys)["pre-push"]["said"]


def test_text_is_a_line_and_a_remedy(pair: Pair, capsys) -> None:
    """As doctor writes; -q leaves out what is right."""
    (pair.hooks / "pre-receive").unlink()
    capsys.readouterr()
    assert run(["hook", "status", "-q", "-C", str(pair.server.path)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fail  pre-receive: missing")
    assert lines[1].startswith("      -> twohand hook install --server -C ")
    assert lines[-1].endswith("failing")
    assert not any(line.startswith("ok ") for line in lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs for somebody else")
def test_root_installs_for_the_owner_of_the_repository(pair: Pair, tmp_path: Path, capsys) -> None:
    """The journal goes to the owner of the repository; hooks stay root's; one that the owner cannot use is named."""
    (tmp_path / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    assert not any("belongs to" in row["said"] for row in exposure_of(pair))
    os.chown(pair.hooks / "pre-receive", NOBODY, NOBODY)
    assert any("can change what judges here" in row["said"] for row in exposure_of(pair))
    shutil.rmtree(pair.server.path / "twohand")
    for path in (pair.server.path, *pair.server.path.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.server.path)]) == 0
    journal = pair.server.path / "twohand/journal.db"
    assert (journal.stat().st_uid, journal.parent.stat().st_uid) == (NOBODY, NOBODY)
    os.chown(journal, 0, 0)
    rows = _status(pair.server.path, capsys, code=2)
    found = next(row for row in rows if row["name"] == "journal" and row["state"] == FAIL)
    assert "no push can be recorded" in found["said"]
    subprocess.run(found["remedy"], shell=True, check=True)
    assert not any(row["name"] == "journal" for row in exposure_of(pair))


def exposure_of(pair: Pair) -> list[dict[str, str]]:
    return [check._asdict() for check in exposure.examine(pair.opened(), None)]


def test_an_interpreter_that_the_owner_may_not_run(tmp_path: Path) -> None:
    """Under a directory of root's alone: tried as the owner, and said."""
    closed = program(tmp_path / "closed/python", "exit 0")
    closed.chmod(0o644)
    assert interpreter.ask(str(closed), "", ()).problem == "Permission denied"
