"""pre-push: what the gate will say is said before the push, and the push goes out unless its user wants otherwise."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from rules.policy import parse
from streams.hooks import push
from tests.gitrepo import Repo
from tests.streams.client_hook import install
from tests.streams.gate import NAMES, POLICY, clean_environment

PROTECT = '\nprotect = ["release/*"]\n'
LINE = re.compile(r"^(error|warning|hint|success): ")


class Said(NamedTuple):
    code: int
    err: str


class World(NamedTuple):
    """A bare repository without a gate, a clone of it with the hook, and everybody's keys."""

    server: Repo
    repo: Repo
    keys: Path

    def push(self, *arguments: str, **variables: str) -> Said:
        env = {**self.repo.environment(), **variables}
        command = ["git", "push", "-q", *arguments]
        done = subprocess.run(command, cwd=self.repo.path, env=env, capture_output=True, text=True, check=False)
        return Said(done.returncode, done.stderr)

    def change(self, path: str = "auth/login.py") -> str:
        self.repo.write(path, f"{self.repo.date()}\n")
        return self.repo.commit("Change")


@pytest.fixture
def world(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    clean_environment(monkeypatch, tmp_path)
    text = POLICY.format(**{name: (keys / f"{name}.pub").read_text().strip() for name in NAMES})
    first = Repo(tmp_path / "first")
    first.write("twohand.toml", text.replace("\n", PROTECT, 1))
    first.write("auth/login.py", "def login(user):\n    check(user)\n")
    first.commit("Start")
    server = Repo.clone(first, tmp_path / "server.git", "--bare")
    repo = Repo.clone(server, tmp_path / "clone")
    repo.commits = 10
    install(repo, "pre-push")
    return World(server, repo, keys)


def shape(said: Said) -> list[str]:
    """Every line of ours; AssertionError where one is too wide or has an escape in it."""
    lines = [line for line in said.err.splitlines() if LINE.match(line) and "failed to push" not in line]
    long = [line for line in lines if len(line) > 71 and not line.startswith("hint:   ")]
    assert long == []
    assert "\x1b" not in said.err
    return lines


def test_what_the_gate_will_say(world: World) -> None:
    """A push to a protected branch is told what is missing and what to do, and goes out (law 41)."""
    head = world.change()
    said = world.push("origin", "HEAD:main")
    text = "\n".join(shape(said))
    assert (said.code, world.server.id("main")) == (0, head)
    assert text.startswith("hint: what the gate will say")
    assert "approval.missing" in text
    assert "owner.required" in text
    assert "twohand propose" in text


def test_what_others_said_and_nobody_fetched_is_asked_for(world: World, tmp_path: Path) -> None:
    """Approvals that only the server has are not known here: the advice says how to get them, and nothing of a push that is over."""
    from streams.commands.app import run

    head = world.change()
    other = Repo.clone(world.repo, tmp_path / "other")
    other.git("update-ref", "refs/heads/main", "HEAD~1")
    for verb, name in (("propose", "alice"), ("approve", "bob"), ("approve", "carol")):
        more = ["--tool", "none"] if verb == "propose" else []
        place = ["-C", str(other.path), "--push", str(world.server.path), "--base", "main"]
        assert run([verb, head, "--as", name, "--key", str(world.keys / name), *more, *place]) == 0
    text = world.push("--dry-run", "origin", "HEAD:main").err
    fetch = "git fetch origin 'refs/twohand/*:refs/twohand/*'"
    assert (f"hint:   {fetch}" in text, "not kept" in text) == (True, False)
    world.repo.git("fetch", "-q", "origin", "refs/twohand/*:refs/twohand/*")
    (line,) = shape(world.push("origin", "HEAD:main"))
    assert line.startswith("success: main:")


def test_the_remote_has_its_own_name(world: World) -> None:
    """Commands that push name the remote as its user does."""
    world.repo.git("remote", "rename", "origin", "upstream")
    world.change()
    text = "\n".join(shape(world.push("upstream", "HEAD:main")))
    assert ("--push upstream" in text, "origin" in text) == (True, False)


def test_an_approved_change_is_told_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What everybody needed has approved is told in one line."""
    from streams.commands.app import run

    world.change()
    for verb, name in (("propose", "alice"), ("approve", "bob"), ("approve", "carol")):
        more = ["--tool", "none"] if verb == "propose" else []
        key = str(world.keys / name)
        assert (
            run(
                [verb, "HEAD", "--as", name, "--key", key, *more, "--target", "origin/main", "-C", str(world.repo.path)]
            )
            == 0
        )
    capsys.readouterr()
    said = world.push("origin", "HEAD:main")
    (line,) = shape(said)
    assert line.startswith("success: main:")


def test_the_printed_command_works_after_a_commit_on_main_itself(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever commits on the protected branch answers for what the remote's lacks, as the advice says; then it passes."""
    from streams.commands.app import run

    head = world.change()
    told = world.push("--dry-run", "origin", "HEAD:main").err
    assert f"twohand propose {head[:12]} --as alice" in told
    for verb, name in (("propose", "alice"), ("approve", "bob"), ("approve", "carol")):
        more = ["--tool", "none"] if verb == "propose" else []
        code = run([verb, head[:12], "--as", name, "--key", str(world.keys / name), *more, "-C", str(world.repo.path)])
        assert code == 0, capsys.readouterr().err
    (line,) = shape(world.push("origin", "HEAD:main"))
    assert line.startswith("success: main:")


@pytest.mark.parametrize(
    "refs", [("HEAD:refs/heads/topic",), ("HEAD:refs/tags/v1",), ("HEAD:refs/heads/a", "HEAD:refs/heads/b")]
)
def test_what_nobody_protects_is_not_spoken_of(world: World, refs: tuple[str, ...]) -> None:
    """Branches and tags that no policy protects: not a word."""
    world.change()
    assert world.push("origin", *refs) == Said(0, "")


def test_statements_pass_in_silence(world: World) -> None:
    """A push of statements needs no advice."""
    blob = world.repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    world.repo.git("update-ref", "refs/twohand/reviews/a/b", blob)
    assert world.push("origin", "refs/twohand/*") == Said(0, "")


def test_who_wants_to_be_stopped_is_stopped(world: World) -> None:
    """twohand.prePush = block: the push ends here; --no-verify asks the gate all the same."""
    world.repo.git("config", "twohand.prePush", "block")
    before = world.server.id("main")
    head = world.change()
    said = world.push("origin", "HEAD:main")
    assert (said.code, world.server.id("main")) == (1, before)
    assert "--no-verify" in "\n".join(shape(said))
    assert world.push("--no-verify", "origin", "HEAD:main").code == 0
    assert world.server.id("main") == head


def test_several_refs_are_each_told(world: World) -> None:
    """Each protected ref of a push is judged; a branch that is not protected beside them is not."""
    world.change()
    said = world.push("origin", "HEAD:main", "HEAD:refs/heads/release/1", "HEAD:refs/heads/topic")
    told = [line for line in shape(said) if "stays where it is" in line]
    assert ["main" in told[0], "release/1" in told[1], len(told)] == [True, True, 2]


def test_a_new_protected_branch(world: World) -> None:
    """It is judged from where it leaves the default branch (law 4)."""
    said = world.push("origin", "HEAD:refs/heads/release/1")
    assert said.code == 0
    world.change()
    assert "owner.required" in world.push("origin", "HEAD:refs/heads/release/2").err


def test_a_deletion_is_told(world: World) -> None:
    """Deleting a protected branch is ref.rewritten (law 4)."""
    world.push("--no-verify", "origin", "HEAD:refs/heads/release/1")
    said = world.push("origin", ":refs/heads/release/1")
    assert "ref.rewritten" in "\n".join(shape(said))


def test_a_rewind_is_told(world: World) -> None:
    """So is a forced push that drops commits."""
    world.change()
    world.push("--no-verify", "origin", "HEAD:main")
    world.repo.git("reset", "-q", "--hard", "HEAD~1")
    world.change("other")
    assert "ref.rewritten" in world.push("-f", "origin", "HEAD:main").err


def test_what_was_not_fetched_is_said(world: World, tmp_path: Path) -> None:
    """Where the remote has moved on, nothing is foretold; what helps is fetching."""
    other = Repo.clone(world.server, tmp_path / "other")
    other.commits = 50
    other.write("b", "b\n")
    other.commit("Meanwhile")
    other.git("push", "-q", "origin", "HEAD:main")
    world.change()
    said = world.push("-f", "origin", "HEAD:main")
    text = " ".join(shape(said))
    assert ("was not fetched" in text, "git fetch origin" in text) == (True, True)


def test_an_unknown_remote_is_said(world: World, tmp_path: Path) -> None:
    """A first push to an empty place: nothing is known of it."""
    empty = Repo(tmp_path / "empty.git", bare=True)
    said = world.push(str(empty.path), "HEAD:main")
    assert (said.code, "nothing of" in " ".join(shape(said))) == (0, True)


def test_a_push_by_address(world: World) -> None:
    """The remote's address does as well as its name, where what it holds is here."""
    world.change()
    assert "owner.required" in world.push(str(world.server.path), "HEAD:main").err


def test_a_detached_head(world: World) -> None:
    """Where no branch is checked out, the commit is what counts."""
    world.change()
    world.repo.git("checkout", "-q", "--detach")
    assert "owner.required" in world.push("origin", "HEAD:main").err


def test_a_shallow_clone(world: World, tmp_path: Path) -> None:
    """What the edge of a shallow clone hides is not told as if it were known (law 1)."""
    world.change()
    world.push("--no-verify", "origin", "HEAD:main")
    repo = Repo.clone(world.server, tmp_path / "shallow", "--depth=1")
    repo.commits = 60
    install(repo, "pre-push")
    shallow = World(world.server, repo, world.keys)
    shallow.change()
    said = shallow.push("origin", "HEAD:main")
    assert (said.code, "owner.required" in said.err) == (0, True)


def test_the_policy_of_the_change_itself_is_not_asked(world: World) -> None:
    """A push that rewrites the policy is judged by the one that is there (law 36)."""
    world.repo.write("twohand.toml", "version = 1\n")
    world.repo.commit("No law")
    said = world.push("origin", "HEAD:main")
    assert "policy.self-edit" in said.err


def test_a_linked_worktree(world: World, tmp_path: Path) -> None:
    """A push out of a linked worktree is judged as any other."""
    there = tmp_path / "there"
    world.repo.git("worktree", "add", "-q", str(there), "-b", "side")
    side = World(world.server, Repo(there, init=False), world.keys)
    side.repo.commits = 70
    side.change()
    assert "owner.required" in side.push("origin", "HEAD:main").err


def test_nothing_is_recorded(world: World) -> None:
    """Advice leaves no trace in the journal."""
    world.change()
    world.push("origin", "HEAD:main")
    assert not (world.repo.path / ".git" / "twohand").exists()


def test_settings_that_are_broken_are_told(world: World) -> None:
    """What keeps it from judging is a warning; the push goes out."""
    place = world.repo.path / ".git" / "twohand"
    place.mkdir()
    (place / "settings.toml").write_text("engine = 7\n")
    world.change()
    said = world.push("origin", "HEAD:main")
    assert (said.code, "cannot tell" in " ".join(shape(said))) == (0, True)


def test_it_never_hangs(world: World, tmp_path: Path) -> None:
    """After its budget it says that it could not finish, and the push goes on."""
    hook = world.repo.path / ".git" / "hooks" / "pre-push"
    short = "from streams.hooks import push; push.BUDGET = 0.001; "
    hook.write_text(hook.read_text().replace("from streams.hooks.entry", f"{short}from streams.hooks.entry"))
    head = world.change()
    said = world.push("origin", "HEAD:main")
    assert (said.code, "could not judge" in " ".join(shape(said))) == (0, True)
    assert world.server.id("main") == head


def test_the_policy_of_these_tests_is_one(world: World) -> None:
    """The branches that the tests push to are protected by name."""
    text = (world.repo.path / "twohand.toml").read_text()
    assert (parse(text, "twohand.toml").protect, push.BUDGET) == (("release/*",), 10.0)
