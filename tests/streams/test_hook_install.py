"""`twohand hook install|uninstall`: one command makes a repository enforce, and what was there is kept and put back."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from streams.commands.app import run
from streams.engines.journal import Journal
from streams.hooks import install, interpreter, script, uninstall
from streams.hooks.install import NotInstalled
from streams.hooks.script import BEFORE, CLIENT, SERVER, Fixed
from streams.sources.git import Repository
from tests.gitrepo import Repo
from tests.streams.gate import clean_environment
from tests.streams.hooked import Pair, Pushed, program, push, recorder, told

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.delenv("TWOHAND_SETTINGS", raising=False)
    return Pair(tmp_path)


def _installed(pair: Pair, fixed: Fixed | None = None) -> tuple[install.Written, ...]:
    return install.install(pair.opened(), fixed or recorder(pair.root), server=True)


def _second(pair: Pair, **options) -> Pushed:
    pair.clone.commit("Two")
    return pair.push("HEAD:refs/heads/topic", **options)


# -- the way of a user -------------------------------------------------------------------------------------------------


def test_one_command_makes_a_bare_repository_enforce(pair: Pair, capsys) -> None:
    """A push to the default branch that nobody approved is refused, with what to do; another branch is nobody's business."""
    assert run(["hook", "install", "--server", "-C", str(pair.server.path)]) == 0
    out = capsys.readouterr().out
    assert str(pair.hooks / "pre-receive") in out
    assert "Root of trust: " in out
    assert "protects     main" in out
    before = pair.tip("refs/heads/main")
    pair.clone.write("a.txt", "two\n")
    pair.clone.commit("Two")
    refused = pair.push("main")
    assert refused.code != 0
    assert any(line.startswith("error:") for line in refused.lines)
    assert any(line.startswith("hint:") for line in refused.lines)
    assert all(len(line) < 72 for line in refused.lines)
    assert pair.tip("refs/heads/main") == before
    assert pair.push("main:topic").code == 0


def test_the_first_policy_is_accepted_once_and_recorded(pair: Pair, capsys) -> None:
    """Law 37: what the default branch says at installation is the root of trust; installing again changes nothing."""
    pair.clone.write("twohand.toml", 'version = 1\nprotect = ["release/*"]\n')
    pair.clone.commit("Policy")
    pair.clone.git("push", "-q", "origin", "main")
    assert run(["hook", "install", "--server", "-C", str(pair.server.path)]) == 0
    assert "protects     main, release/*" in capsys.readouterr().out
    with Journal(pair.server.path / "twohand/journal.db") as journal:
        root = journal.root()
    assert root is not None
    assert root[1] == "main:twohand.toml"
    assert run(["hook", "install", "--server", "-C", str(pair.server.path)]) == 0
    assert f"accepted {root[2]}, and kept" in capsys.readouterr().out
    with Journal(pair.server.path / "twohand/journal.db") as journal:
        assert journal.root() == root


def test_a_repository_without_a_policy_records_the_built_in_one(pair: Pair, capsys) -> None:
    """Law 37: no policy yet is the built-in default, recorded and said."""
    assert run(["hook", "install", "--server", "-C", str(pair.server.path)]) == 0
    assert "Root of trust: built-in" in capsys.readouterr().out.replace("the built-in", "built-in")


def test_an_empty_repository_waits_for_its_first_push(tmp_path: Path, monkeypatch, capsys) -> None:
    """Law 37: before the first commit there is nothing to accept, and that is said with the branch that counts."""
    clean_environment(monkeypatch, tmp_path)
    server = Repo(tmp_path / "server.git", bare=True)
    assert run(["hook", "install", "--server", "-C", str(server.path)]) == 0
    assert "Root of trust: none yet: main, which HEAD names, has no commit" in capsys.readouterr().out


def test_enforcement_where_somebody_works_is_warned_of(pair: Pair, capsys) -> None:
    """A clone is most likely not what others push to; a bare repository is, and nothing is said."""
    for repo, warned in ((pair.clone, True), (pair.server, False)):
        assert run(["hook", "install", "-q", "--server", "-C", str(repo.path)]) == 0
        assert capsys.readouterr().err.startswith("warning: this repository has a working tree") is warned


def test_a_broken_policy_stops_the_installation(pair: Pair, capsys) -> None:
    """A gate under a policy that cannot be used would refuse its repair: nothing is installed, and the line is named."""
    pair.clone.write("twohand.toml", "version = 1\nnonsense = 1\n")
    pair.clone.commit("Policy")
    pair.clone.git("push", "-q", "origin", "main")
    assert run(["hook", "install", "--server", "-C", str(pair.server.path)]) == 2
    assert "twohand.toml:2" in capsys.readouterr().err
    assert not (pair.hooks / "pre-receive").exists()


def test_quiet_prints_nothing(pair: Pair, capsys) -> None:
    """-q says only what went wrong."""
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert run(["hook", "uninstall", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_clone_gets_advice_and_marks(pair: Pair) -> None:
    """Without --server: pre-push and prepare-commit-msg; a push with them arrives."""
    assert run(["hook", "install", "-q", "-C", str(pair.clone.path)]) == 0
    assert {path.name for path in (pair.clone.path / ".git/hooks").iterdir() if path.suffix != ".sample"} == set(CLIENT)
    pair.clone.commit("Two")
    assert pair.push("HEAD:refs/heads/topic").code == 0


def test_the_verbs_run_what_an_installed_hook_runs(pair: Pair) -> None:
    """`twohand hook pre-push REMOTE URL` reads git's lines from its input."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "hook", "pre-push", "origin", str(pair.server.path)],
        cwd=pair.clone.path, input="", env={**os.environ, "PYTHONPATH": _path()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    refused = subprocess.run(
        [sys.executable, "-m", "streams.cli", "hook", "pre-receive"],
        cwd=pair.server.path, input="nonsense\n", env={**os.environ, "PYTHONPATH": _path(), "GIT_DIR": "."},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "error:" in refused.stderr


def _path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


# -- what was there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700])
def test_an_existing_hook_is_kept_byte_for_byte_and_put_back(pair: Pair, mode: int) -> None:
    """Bytes, mode and time are those of before, also for bytes that are no text."""
    old = pair.hooks / "pre-receive"
    old.write_bytes(b"#!/bin/sh\n# \xff\xfe\r\nexit 0")
    old.chmod(mode)
    was, config = old.stat(), (pair.server.path / "config").read_bytes()
    done = _installed(pair)
    kept = pair.hooks / f"pre-receive{BEFORE}"
    assert done[0].before == kept
    assert kept.read_bytes() == b"#!/bin/sh\n# \xff\xfe\r\nexit 0"
    assert _second(pair).code == 0
    removed = uninstall.uninstall(pair.opened(), server=True)
    now = old.stat()
    assert [one.restored for one in removed] == [True, False]
    assert (now.st_mode, now.st_mtime_ns, now.st_ino) == (was.st_mode, was.st_mtime_ns, was.st_ino)
    assert old.read_bytes() == b"#!/bin/sh\n# \xff\xfe\r\nexit 0"
    assert (pair.server.path / "config").read_bytes() == config
    assert not kept.exists()
    assert not (pair.hooks / "post-receive").exists()


def test_an_existing_link_is_kept_as_a_link(pair: Pair) -> None:
    """A hook that is a symbolic link stays one, runs, and comes back."""
    program(pair.root / "shared-hook", f"echo ran >{pair.root}/ran")
    (pair.hooks / "pre-receive").symlink_to("../../shared-hook")
    _installed(pair)
    assert _second(pair).code == 0
    assert (pair.root / "ran").exists()
    uninstall.uninstall(pair.opened(), server=True)
    assert (pair.hooks / "pre-receive").readlink() == Path("../../shared-hook")


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash -p"])
def test_the_earlier_hook_and_ours_read_the_same(pair: Pair, shell: str) -> None:
    """Standard input goes to both, whole, though the first one reads only a line of it."""
    program(pair.hooks / "pre-receive", f'read line; echo "$line" >{pair.root}/first; pwd >>{pair.root}/first')
    _installed(pair, recorder(pair.root)._replace(shell=shell))
    pair.clone.commit("Two")
    head = pair.clone.id("HEAD")
    assert pair.push("HEAD:refs/heads/a", "HEAD:refs/heads/b").code == 0
    lines = [f"{'0' * 40} {head} refs/heads/{name}" for name in "ab"]
    assert (pair.root / "first").read_text().splitlines() == [lines[0], str(pair.server.path)]
    assert told(pair.root, "stdin") == lines
    assert not list(pair.server.path.glob("twohand-input*"))


def test_an_earlier_hook_that_fails_refuses(pair: Pair) -> None:
    """What was enforced before still is: its words are read, and ours is not asked."""
    program(pair.hooks / "pre-receive", "echo 'error: not on a Friday'; exit 3")
    _installed(pair)
    refused = _second(pair)
    assert refused.code != 0
    assert refused.lines == ["error: not on a Friday"]
    assert not (pair.root / "told/args").exists()


@pytest.mark.parametrize(
    "body", ["exit 0", "exec true", "exec 0<&-; exit 0", "kill -9 $PPID; exit 0", "cat >/dev/null"]
)
def test_no_earlier_hook_ends_ours(pair: Pair, body: str) -> None:
    """Law 7: an `exit 0`, an `exec` or a closed input before ours skips nothing; who kills the shell refuses."""
    program(pair.hooks / "pre-receive", body)
    _installed(pair, recorder(pair.root, code=1))
    assert _second(pair).code != 0
    assert pair.tip("refs/heads/topic") == ""


def test_post_receive_runs_ours_whatever_the_earlier_one_says(pair: Pair) -> None:
    """What landed is recorded, though the hook before fails."""
    program(pair.hooks / "post-receive", "exit 9")
    _installed(pair)
    assert _second(pair).code == 0
    assert "post-receive" in told(pair.root, "args")


def test_a_hook_that_was_not_executable_stays_silent(pair: Pair) -> None:
    """git ignored it before, and so do we."""
    program(pair.hooks / "pre-receive", "exit 1").chmod(0o644)
    _installed(pair)
    assert _second(pair).code == 0


def test_installing_again_changes_nothing(pair: Pair) -> None:
    """Idempotent: the same files, the same kept hook, the same configuration."""
    program(pair.hooks / "pre-receive", "exit 0")
    _installed(pair)
    before = {path.name: path.read_bytes() for path in (*pair.hooks.iterdir(), pair.server.path / "config")}
    assert [one.state for one in _installed(pair)] == ["same", "same"]
    assert {path.name: path.read_bytes() for path in (*pair.hooks.iterdir(), pair.server.path / "config")} == before


def test_installing_again_upgrades(pair: Pair) -> None:
    """Another interpreter, another version: ours is written anew, the kept one stays."""
    program(pair.hooks / "pre-receive", "exit 0")
    _installed(pair, Fixed("/usr/bin/false"))
    assert [one.state for one in _installed(pair)] == ["upgraded", "upgraded"]
    assert (pair.hooks / f"pre-receive{BEFORE}").read_text() == "#!/bin/sh\nexit 0\n"
    assert _second(pair).code == 0


def test_what_somebody_changed_is_never_overwritten(pair: Pair) -> None:
    """The digest in the file tells; install and uninstall leave it alone and say what to do, and mending works."""
    _installed(pair)
    ours = pair.hooks / "pre-receive"
    ours.write_bytes(ours.read_bytes().replace(b"IFS=", b"exit 0\nIFS="))
    changed = ours.read_bytes()
    for work in (lambda: _installed(pair), lambda: uninstall.uninstall(pair.opened(), server=True)):
        with pytest.raises(NotInstalled, match="somebody changed it") as caught:
            work()
        assert f"mv {ours}" in caught.value.remedy
        assert ours.read_bytes() == changed
    ours.rename(pair.hooks / "pre-receive.changed")
    assert [one.state for one in _installed(pair)] == ["new", "same"]


def test_two_hooks_for_one_place_are_not_guessed_at(pair: Pair) -> None:
    """A foreign hook beside an earlier kept one: nothing is written, and both stay."""
    program(pair.hooks / "pre-receive", "echo one")
    program(pair.hooks / f"pre-receive{BEFORE}", "echo two")
    with pytest.raises(NotInstalled, match="one of them would be lost"):
        _installed(pair)
    assert not (pair.hooks / "post-receive").exists()


def test_a_manager_that_wrote_its_hook_anew(pair: Pair) -> None:
    """lefthook and others overwrite ours with what is kept already: installing again puts ours back, and keeps it once."""
    hook = program(pair.hooks / "pre-receive", "# LEFTHOOK\nexit 0")
    generated = hook.read_bytes()
    _installed(pair)
    hook.unlink()
    program(hook, "# LEFTHOOK\nexit 0")
    assert [one.state for one in _installed(pair)] == ["new", "same"]
    uninstall.uninstall(pair.opened(), server=True)
    assert hook.read_bytes() == generated
    assert not (pair.hooks / f"pre-receive{BEFORE}").exists()


def test_a_git_directory_that_lies_elsewhere(pair: Pair) -> None:
    """`git init --separate-git-dir`, and a submodule's: hooks go where git looks, and run."""
    clone = Repo(pair.root / "apart", init=False)
    clone.git("clone", "-q", "--separate-git-dir", str(pair.root / "apart.git"), str(pair.server.path), ".")
    install.install(Repository.open(clone.path), recorder(pair.root), server=False)
    assert (pair.root / "apart.git/hooks/pre-push").exists()
    clone.commit("Apart")
    assert push(clone, "HEAD:refs/heads/apart").code == 0
    assert "pre-push" in told(pair.root, "args")


# -- whose environment -------------------------------------------------------------------------------------------------

HOSTILE = {
    "PYTHONPATH": "/tmp/hostile",
    "PYTHONSTARTUP": "/tmp/hostile.py",
    "PYTHONHOME": "/tmp/hostile",
    "TWOHAND_SETTINGS": "/tmp/hostile.toml",
    "TWOHAND_CHAINED": "1",
    "BASH_ENV": "/tmp/hostile.sh",
    "ENV": "/tmp/hostile.sh",
    "SHELLOPTS": "noexec",
    "IFS": "/",
    "BASH_FUNC_say%%": "() { exit 0; }",
    "LD_LIBRARY_PATH": "/tmp/hostile",
    "GIT_SSH_COMMAND": "false",
    "GIT_TRACE_SETUP": "0",
    "XDG_CONFIG_HOME": "/tmp/hostile",
    "OPENAI_API_KEY": "secret",
    "LC_ALL": "xx",
}


def test_the_pushers_variables_steer_nothing(pair: Pair, tmp_path: Path) -> None:
    """The interpreter gets a fixed PATH, HOME, what git itself sets, and nothing of the pusher's."""
    program(tmp_path / "bin/env", f"touch {tmp_path}/taken; exit 0")
    program(tmp_path / "bin/mktemp", f"touch {tmp_path}/taken; exit 0")
    program(pair.hooks / "pre-receive", f'printf "%s\n" "$TWOHAND_SETTINGS" >{tmp_path}/before')
    _installed(pair)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    assert _second(pair, env={**HOSTILE, "PATH": path}).code == 0
    seen = dict(line.partition("=")[::2] for line in told(pair.root, "env"))
    allowed = {"PATH", "HOME", "PWD", "SHLVL", "_", "OLDPWD", "GIT_DIR", "GIT_PUSH_OPTION_COUNT"}
    quarantine = {"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
    assert seen.keys() - allowed <= quarantine
    assert seen["PATH"] == os.defpath.strip(":")
    assert not (tmp_path / "taken").exists()
    assert (tmp_path / "before").read_text() == "/tmp/hostile.toml\n"


def test_quarantine_and_forges_variables_arrive(pair: Pair) -> None:
    """What git and forges say of a push is handed on as it is, also with spaces and line breaks in it."""
    _installed(pair)
    (pair.hooks / "post-receive").unlink()
    assert _second(pair, env={"GL_USERNAME": "a b\n$(touch x) *", "GITHUB_VIA": ""}).code == 0
    text = "\n".join(told(pair.root, "env"))
    assert "GL_USERNAME=a b\n$(touch x) *" in text
    assert "GITHUB_VIA=\n" in text + "\n"
    assert "GIT_QUARANTINE_PATH=" in text
    assert told(pair.root, "args")[:2] == ["-I", "-c"]


def test_push_options_arrive_and_have_an_end(pair: Pair) -> None:
    """Each option is handed on; over a hundred, or a count that is none, refuses."""
    pair.server.git("config", "receive.advertisePushOptions", "true")
    _installed(pair)
    (pair.hooks / "post-receive").unlink()
    pair.clone.commit("Two")
    assert pair.push("HEAD:refs/heads/topic", "-o", "a=b c", "-o", "$(touch x)").code == 0
    seen = told(pair.root, "env")
    assert {"GIT_PUSH_OPTION_COUNT=2", "GIT_PUSH_OPTION_0=a=b c", "GIT_PUSH_OPTION_1=$(touch x)"} <= set(seen)
    many = [part for number in range(101) for part in ("-o", str(number))]
    refused = pair.push("HEAD:refs/heads/more", *many)
    assert refused.code != 0
    assert "too many options" in refused.lines[0]


@pytest.mark.parametrize("count", ["x", "1;touch x", "99999999999999999999", "-1", "101"])
def test_a_count_of_options_that_is_none_refuses(pair: Pair, count: str) -> None:
    """A number is a number before the shell works with it."""
    _installed(pair)
    done = _called(pair, env={"GIT_PUSH_OPTION_COUNT": count})
    assert done.returncode == 1
    assert "too many options" in done.stderr


def _called(pair: Pair, *, env: dict[str, str], shell: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The pre-receive hook as receive-pack starts it."""
    return subprocess.run(
        [*shell, "hooks/pre-receive"], cwd=pair.server.path, env={"GIT_DIR": ".", "PATH": os.environ["PATH"], **env},
        input="", capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_bash_as_the_shell_takes_no_functions_of_the_pusher(pair: Pair) -> None:
    """Where /bin/sh is bash, -p keeps exported functions and options of the environment out."""
    _installed(pair, recorder(pair.root, code=1))
    functions = {f"BASH_FUNC_{name}%%": "() { exit 0; }" for name in ("say", "printf", "test", "[", "refuse")}
    options = {"SHELLOPTS": "xtrace", "PS4": f"$(touch {pair.root}/taken)"}
    assert _called(pair, env={**functions, **options}, shell=("/bin/bash", "--posix", "-p")).returncode == 1
    assert not (pair.root / "taken").exists()


def test_a_pushers_own_git_configuration_does_not_move_the_hooks(pair: Pair, tmp_path: Path) -> None:
    """core.hooksPath of whoever pushes shadows nothing: installation sets the repository's own (law 7)."""
    evil = tmp_path / "evil"
    evil.write_text("[core]\n\thooksPath = /nowhere\n")
    shadowed = {"GIT_CONFIG_GLOBAL": str(evil)}
    program(pair.hooks / "pre-receive", "exit 1")
    assert _second(pair, env=shadowed).code == 0, "git itself takes the pusher's word"
    _installed(pair)
    pair.clone.commit("Three")
    assert pair.push("HEAD:refs/heads/other", env=shadowed).code != 0


def test_a_newer_git_is_told_not_to_switch_the_hooks_off(pair: Pair, monkeypatch) -> None:
    """From git 2.55 on, configuration may switch an event off: the repository's own says that it is on."""
    was = (pair.server.path / "config").read_bytes()
    monkeypatch.setattr(install, "git_version", lambda _: (2, 55))
    monkeypatch.setattr(uninstall, "git_version", lambda _: (2, 55))
    _installed(pair)
    assert pair.server.git("config", "hook.pre-receive.enabled") == "true"
    uninstall.uninstall(pair.opened(), server=True)
    assert (pair.server.path / "config").read_bytes() == was


def test_settings_are_fixed_at_installation(pair: Pair, tmp_path: Path, capsys) -> None:
    """The absolute path of --settings, or of the git directory's file, is what the hook is given."""
    (tmp_path / "mine.toml").write_text('engine = "journal"\n')
    where = ["-q", "--server", "-C", str(pair.server.path)]
    assert run(["hook", "install", *where, "--settings", str(tmp_path / "mine.toml")]) == 0
    read = script.read((pair.hooks / "pre-receive").read_bytes())
    assert read is not None
    assert read.fixed.settings == str(tmp_path / "mine.toml")
    assert run(["hook", "install", *where, "--settings", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (pair.server.path / "twohand/settings.toml").write_text('engine = "journal"\n')
    assert run(["hook", "install", *where]) == 0
    read = script.read((pair.hooks / "pre-receive").read_bytes())
    assert read is not None
    assert read.fixed.settings == str(pair.server.path / "twohand/settings.toml")


# -- when it cannot run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packages", ["", "/nowhere"])
def test_without_its_interpreter_a_push_is_refused(pair: Pair, packages: str) -> None:
    """An interpreter that is gone, or without our packages: refused, with how to recover, under 72 columns."""
    bare = Fixed("/nowhere/python" if not packages else _without_packages(pair), packages=packages)
    _installed(pair, bare)
    refused = _second(pair)
    assert refused.code != 0
    assert refused.lines[0].startswith("error: twohand cannot ")
    assert refused.lines[-1] == "hint: on the server, run: twohand hook install --server -C REPO"
    assert all(len(line) < 72 for line in refused.lines)
    gitlab = _second(pair, env={"GL_ID": "key-1"})
    assert gitlab.code != 0
    assert packages or gitlab.lines[0].startswith("GL-HOOK-ERR: error: ")


def _without_packages(pair: Pair) -> str:
    """A Python that finds no package but the standard library."""
    return str(program(pair.root / "bare-python", f'exec {sys.executable} -S "$@"'))


def test_without_its_interpreter_advice_stops_nobody(pair: Pair) -> None:
    """pre-push says that it cannot judge; it stops the push only where the user asked to be stopped."""
    install.install(Repository.open(pair.clone.path), Fixed("/nowhere/python"), server=False)
    assert _second(pair).code == 0
    pair.clone.git("config", "twohand.prePush", "block")
    pair.clone.commit("Three")
    assert pair.push("HEAD:refs/heads/other").code != 0


def test_input_that_cannot_be_kept_refuses(pair: Pair) -> None:
    """Law 40: where the earlier hook could not be given git's lines, nothing passes."""
    program(pair.hooks / "pre-receive", "exit 0")
    _installed(pair, recorder(pair.root)._replace(path="/nowhere"))
    refused = _second(pair)
    assert refused.code != 0
    assert any("cannot be kept" in line for line in refused.lines)


# -- where git looks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["{root}/mine", "../mine", "~/mine"])
def test_hooks_go_where_the_repository_looks_for_them(pair: Pair, value: str) -> None:
    """core.hooksPath of the repository, absolute, relative or from the home directory."""
    (pair.root / "mine").mkdir()
    pair.clone.git("config", "core.hooksPath", value.format(root=pair.root))
    install.install(Repository.open(pair.clone.path), recorder(pair.root), server=False)
    assert {path.name for path in (pair.root / "mine").iterdir()} == set(CLIENT)
    assert _second(pair).code == 0
    assert "pre-push" in told(pair.root, "args")
    uninstall.uninstall(Repository.open(pair.clone.path), server=False)
    assert not list((pair.root / "mine").iterdir())
    assert pair.clone.git("config", "core.hooksPath") == value.format(root=pair.root)


def test_a_linked_worktree_shares_the_hooks(pair: Pair) -> None:
    """Installed from a linked working tree, they lie in the common directory and run for both."""
    pair.clone.git("worktree", "add", "-q", "-b", "side", "../side")
    install.install(Repository.open(pair.root / "side"), recorder(pair.root), server=False)
    assert (pair.clone.path / ".git/hooks/pre-push").exists()
    side = Repo(pair.root / "side", init=False)
    side.commit("Side")
    assert push(side, "side").code == 0
    assert "pre-push" in told(pair.root, "args")


def test_a_directory_that_all_repositories_share_is_left_alone(pair: Pair, tmp_path: Path, monkeypatch) -> None:
    """A global core.hooksPath: nothing is written there, and the way to hooks of one's own is a command."""
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/everybody\n")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    (tmp_path / "gitconfig").rename(tmp_path / ".gitconfig")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NotInstalled, match="all repositories of this machine share") as caught:
        _installed(pair)
    assert f"git -C {pair.server.path} config core.hooksPath hooks" in caught.value.remedy
    pair.server.git("config", "core.hooksPath", "hooks")
    assert len(_installed(pair)) == 2


@pytest.mark.parametrize(("directory", "told_"), [(".husky/_", "husky"), (".githooks", "shared with everybody")])
def test_hooks_in_the_working_tree_are_not_ours_to_write(pair: Pair, directory: str, told_: str) -> None:
    """husky's directory and a committed one: the line to add is said, nothing is written."""
    (pair.clone.path / directory).mkdir(parents=True)
    pair.clone.git("config", "core.hooksPath", directory)
    with pytest.raises(NotInstalled, match=told_) as caught:
        install.install(Repository.open(pair.clone.path), recorder(pair.root), server=False)
    assert 'twohand hook pre-push "$@"' in caught.value.remedy
    assert not list((pair.clone.path / directory).iterdir())


def test_newer_git_runs_hooks_out_of_its_configuration(pair: Pair, monkeypatch) -> None:
    """From git 2.54 on, hooks that lie in the working tree stay as they are, and ours stand in the configuration."""
    (pair.clone.path / ".githooks").mkdir()
    pair.clone.git("config", "core.hooksPath", ".githooks")
    was = (pair.clone.path / ".git/config").read_bytes()
    monkeypatch.setattr(install, "git_version", lambda _: (2, 54))
    repo = Repository.open(pair.clone.path)
    done = install.install(repo, recorder(pair.root), server=False)
    assert all(one.target.by_config for one in done)
    command = pair.clone.git("config", "hook.twohand-pre-push.command")
    assert pair.clone.git("config", "hook.twohand-pre-push.event") == "pre-push"
    subprocess.run([*command.split(), "origin", "url"], input="", text=True, check=True)
    assert told(pair.root, "args")[-2:] == ["origin", "url"]
    uninstall.uninstall(repo, server=False)
    assert (pair.clone.path / ".git/config").read_bytes() == was


def test_a_forge_that_delegates_gets_a_file_beside_its_own(pair: Pair) -> None:
    """Gitea writes its hooks anew; what lies in pre-receive.d runs with them and stays."""
    program(
        pair.hooks / "pre-receive", "# AUTO GENERATED BY GITEA, DO NOT MODIFY\nfor h in $0.d/*; do $h || exit; done"
    )
    (pair.hooks / "pre-receive.d").mkdir()
    _installed(pair, recorder(pair.root, code=1))
    assert (pair.hooks / "pre-receive.d/twohand").exists()
    assert _second(pair).code != 0
    uninstall.uninstall(pair.opened(), server=True)
    assert not (pair.hooks / "pre-receive.d/twohand").exists()


def test_gitlab_looks_into_custom_hooks(pair: Pair, capsys) -> None:
    """Where a bare repository has that directory, ours go there, and what they say has GitLab's prefix."""
    (pair.server.path / "custom_hooks").mkdir()
    assert run(["hook", "install", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert {path.name for path in (pair.server.path / "custom_hooks").iterdir()} == set(SERVER)
    done = subprocess.run(
        ["custom_hooks/pre-receive"], cwd=pair.server.path, input=f"{'0' * 40} {'1' * 40} refs/heads/main\n",
        env={"GIT_DIR": ".", "GL_ID": "user-1", "PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "GL-HOOK-ERR: " in done.stdout + done.stderr
    assert run(["hook", "status", "-q", "-C", str(pair.server.path)]) == 0
    assert run(["hook", "uninstall", "-q", "--server", "-C", str(pair.server.path)]) == 0
    assert not list((pair.server.path / "custom_hooks").iterdir())


def test_a_directory_of_hooks_that_is_none(pair: Pair) -> None:
    """A link, which other repositories share, and a file: refused, with what to do."""
    pair.hooks.rename(pair.root / "shared-hooks")
    pair.hooks.symlink_to(pair.root / "shared-hooks")
    with pytest.raises(NotInstalled, match="is a link to"):
        _installed(pair)
    pair.hooks.unlink()
    pair.hooks.write_text("")
    with pytest.raises(NotInstalled, match="is a file"):
        _installed(pair)
    pair.hooks.unlink()
    _installed(pair)
    assert stat.S_IMODE((pair.hooks / "pre-receive").stat().st_mode) == 0o755


def test_a_bare_repository_wants_server(pair: Pair, capsys) -> None:
    """Hooks of a clone make no sense where others push to: the command that does is said."""
    assert run(["hook", "install", "-C", str(pair.server.path)]) == 2
    assert f"hint: twohand hook install --server -C {pair.server.path}" in capsys.readouterr().err
    assert not (pair.hooks / "pre-push").exists()


def test_packages_outside_of_the_interpreter(pair: Pair) -> None:
    """A checkout that is not installed: the hook says where the packages lie, and judges."""
    fixed = interpreter.fix(None)._replace(packages=str(ROOT))
    _installed(pair, fixed)
    pair.clone.write("a.txt", "two\n")
    assert _second(pair).code == 0
    assert pair.push("HEAD:main").code != 0


def test_no_repository_is_said(tmp_path: Path, capsys) -> None:
    """Exit code 2, with what to do."""
    assert run(["hook", "install", "-C", str(tmp_path)]) == 2
    assert "no git repository" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/sys").exists(), reason="needs a directory in which nobody can write")
def test_a_place_that_cannot_be_written_is_said(pair: Pair) -> None:
    """No right to write, and a file system that takes nothing: the path and the reason."""
    pair.clone.git("config", "core.hooksPath", "/proc/sys")
    with pytest.raises(NotInstalled, match="/proc/sys/pre-push could not be written"):
        install.install(Repository.open(pair.clone.path), recorder(pair.root), server=False)


def test_what_is_fixed_can_be_read_back() -> None:
    """Paths with spaces, quotes and letters of any kind come out as they went in."""
    fixed = Fixed("/opt/it's here/py thön", '/etc/a"b.toml', "/srv/$(x)", "/a:/b", "/bin/sh")
    for name in (*SERVER, *CLIENT):
        read = script.read(script.text(name, fixed))
        assert read is not None
        assert (read.fixed, read.whole) == (fixed, True)
    assert script.read(b"#!/bin/sh\nexit 0\n") is None


def test_hooks_are_right_for_every_shell(tmp_path: Path) -> None:
    """dash and bash both read every hook without a complaint."""
    for name in (*SERVER, *CLIENT):
        file = tmp_path / name
        file.write_bytes(script.text(name, Fixed("/usr/bin/python3")))
        for shell in (["/bin/sh", "-n"], ["/bin/bash", "--posix", "-n"]):
            assert subprocess.run([*shell, file], capture_output=True, check=False).stderr == b""


def test_this_interpreter_finds_our_packages() -> None:
    """What is written into a hook was tried: with -I, from another directory, without the caller's environment."""
    fixed = interpreter.fix(None)
    answer = interpreter.ask(fixed.interpreter, fixed.packages, list(SERVER))
    assert answer.problem == ""
    assert answer.found == ROOT / "streams"
    assert interpreter.ask("/nowhere/python", "", ()).problem == "No such file or directory"
