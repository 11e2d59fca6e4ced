"""`twohand worker`: which roles there are, what stops one before it starts, and several of them under one process."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
import yaml

from streams import settings
from streams.commands import worker
from streams.commands.app import build
from streams.engines.kafka.broker.acls import grants
from streams.engines.kafka.workers import supervising
from streams.judges import identity
from streams.sources.errors import SourceError
from tests.gitrepo import Repo
from tests.kafka.processes import ROOT
from tests.streams.receivers import eventually

TABLE = '[reviewers.{}]\nendpoint = "http://127.0.0.1:9/v1"\nmodel = "m{}"\n{}\n'
NOBODY = "127.0.0.1:9"  # nothing listens there


@pytest.fixture
def place(tmp_path):
    """Settings with a line of two, and a reviewer whose endpoint needs a key."""
    (tmp_path / "settings.toml").write_text(
        f'engine = "kafka"\n[kafka]\nbootstrap = "{NOBODY}"\n'
        + TABLE.format("first", 1, 'fallback = ["spare"]')
        + TABLE.format("spare", 2, "")
        + TABLE.format("keyed", 3, 'key_env = "TWOHAND_TEST_KEY"')
    )
    return tmp_path


def refused(place: Path, only: str, known: settings.Settings | None = None, state: Path | None = None) -> str:
    """Why a worker does not start; all of it is found before a broker is looked for."""
    known = known or settings.parse((place / "settings.toml").read_text(), "settings.toml")
    with pytest.raises(SourceError) as error:
        worker._work(only, known, worker.Place(place, state))
    assert error.value.exit_code == 2
    return f"{error.value.message} {error.value.remedy}"


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ("model:nobody", "Allowed: rules, decide, escalate, model:first, model:keyed."),
        ("model", "Allowed: rules, decide, escalate, model:first, model:keyed."),
        ("model:spare", "spare stands in for first, whose worker asks it when its turn comes."),
        ("model:first", "Name a directory that stays: --state DIR."),
    ],
)
def test_what_is_no_role_is_told_with_what_is(place, only, said):
    """Exit code 2 with what is allowed."""
    assert said in refused(place, only)


def test_a_reviewer_without_keys_does_not_start(place, monkeypatch):
    """First the endpoint's key, then its own: each is named with where it belongs."""
    monkeypatch.delenv("TWOHAND_TEST_KEY", raising=False)
    assert "keyed cannot be asked: $TWOHAND_TEST_KEY is not set." in refused(place, "model:keyed", state=place)
    monkeypatch.setenv("TWOHAND_TEST_KEY", "secret")
    unsigned = refused(place, "model:keyed", state=place)
    assert "keyed has no key to sign with" in unsigned
    assert "twohand reviewers enrol keyed" in unsigned


def test_a_key_that_no_policy_has_does_not_start(place):
    """In a repository its policy has to know the reviewer; once it does, the worker is made."""
    repo = Repo(place / "shop")
    known = settings.load(place / "settings.toml", place, {})
    made = identity.enrol(known.reviewers["first"], repo.path / ".git")
    repo.write("twohand.toml", "version = 1\n")
    repo.commit("The shop")
    assert "No policy of the default branch has [agents.first] with its key." in refused(
        repo.path, "model:first", known
    )
    repo.write("twohand.toml", "version = 1\n" + identity.block(known.reviewers["first"], made.line))
    repo.commit("Enrol it")
    assert worker._work("model:first", known, worker.Place(repo.path, None)).group == "twohand-reviewer-first"


def test_without_reviewers_it_says_that_there_are_none(place):
    """On the command line: the file that has none is named, and nothing is waited for."""
    (place / "settings.toml").write_text('engine = "kafka"\n')
    command = [sys.executable, "-m", "streams.cli", "worker", "--only", "model:first"]
    done = subprocess.run(
        [*command, "--settings", place / "settings.toml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"{place / 'settings.toml'} has no [reviewers.NAME]." in done.stderr


def test_a_reviewer_may_write_reviews_and_dead_letters_alone():
    """Law 19: no decision, no proposal, no escalation, no trust."""
    rights = [right for right in grants() if right.principal.endswith("reviewer")]
    assert {right.name for right in rights if right.operation == "Write"} == {"twohand.reviews", "twohand.dead-letters"}
    assert {right.name for right in rights if (right.operation, right.resource) == ("Read", "topic")} == {
        "twohand.changes",
        "twohand.trust",
    }


def test_the_service_of_the_documentation_is_one():
    """Among the services of docker-compose.yml it is YAML, and its command is one that twohand takes."""
    page = (ROOT / "docs" / "kafka.md").read_text("utf-8")
    stanza = page.split("```yaml\n")[1].split("```")[0]
    compose = (ROOT / "docker-compose.yml").read_text("utf-8").replace("\nservices:\n", f"\nservices:\n{stanza}\n")
    service = yaml.safe_load(compose)["services"]["third"]
    assert service["read_only"] is True
    words = [str(word) for word in service["command"]]
    command = typer.main.get_command(build()).commands[words.pop(0)]
    taken, *_ = command.make_parser(command.make_context("worker", [], resilient_parsing=True)).parse_args(words)
    assert taken["only"] == "model:third"


# -- several under one process ---------------------------------------------------------------------------------------

STEADY = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); open({!r}, 'a').write('x'); time.sleep(60)"
)
FAILING = "open({!r}, 'a').write('x'); exit({})"


def children(folder: Path, code: int) -> dict[str, list[str]]:
    """One that goes on, and one that ends at once with this code."""
    steady, failing = STEADY.format(str(folder / "steady")), FAILING.format(str(folder / "failing"), code)
    return {"steady": [sys.executable, "-c", steady], "failing": [sys.executable, "-c", failing]}


READY = (
    "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: exit(0));"
    "pathlib.Path(sys.argv[sys.argv.index('--ready') + 1]).touch(); time.sleep(60)"
)
SUPERVISOR = (
    "import sys, logging; logging.basicConfig(); from streams.engines.kafka.workers import supervising as s;"
    "import pathlib; s.AGAIN = 0.05; sys.exit(s.supervise({}, pathlib.Path({!r})))"
)


def supervisor(folder: Path, commands: dict[str, list[str]]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        words = SUPERVISOR.format(commands, str(folder / "ready"))
        return subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, stderr=log)


def starts(folder: Path, name: str) -> int:
    return (folder / name).stat().st_size if (folder / name).exists() else 0


def test_one_that_keeps_failing_is_told_and_the_others_go_on(tmp_path):
    """Three ends in a minute, and it rests; SIGTERM then ends all, with exit code 0."""
    process = supervisor(tmp_path, children(tmp_path, 1))
    eventually(lambda: b"failing keeps failing (exit code 1)" in (tmp_path / "log").read_bytes())
    assert b"failing ended (exit code 1); it is started again" in (tmp_path / "log").read_bytes()
    assert (starts(tmp_path, "steady"), starts(tmp_path, "failing")) == (1, supervising.OFTEN)
    assert process.poll() is None
    process.terminate()
    assert process.wait(supervising.ENDING) == 0


def test_what_cannot_start_ends_all(tmp_path):
    """A configuration error at start is everybody's: exit code 2."""
    process = supervisor(tmp_path, children(tmp_path, 2))
    assert process.wait(supervising.ENDING) == 2
    assert b"failing cannot start" in (tmp_path / "log").read_bytes()


def test_all_are_ready_or_none_is(tmp_path):
    """One file while every worker has its own, beside it; it is gone when one is killed and when all end."""
    words = [sys.executable, "-c", READY]
    process = supervisor(tmp_path, {"rules": words, "decide": words})
    ready, own = tmp_path / "ready", tmp_path / "ready.decide"
    eventually(ready.exists)
    own.unlink()
    eventually(lambda: not ready.exists())
    own.touch()
    eventually(ready.exists)
    process.terminate()
    assert process.wait(supervising.ENDING) == 0
    assert not ready.exists()


@pytest.mark.parametrize(("only", "name"), [("", "decide: "), ("decider", ""), ("escalate", "")])
def test_without_a_store_nothing_starts(place, only, name):
    """Exit code 2 at once, before a broker is looked for, and one sentence; a role of topics stands for its worker."""
    command = [sys.executable, "-m", "streams.cli", "worker", "--only", only, "--settings", place / "settings.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"error: {name}[store] url is not set in the settings."


def test_a_child_ends_with_its_parent(tmp_path):
    """kill -9 of the supervisor: nobody holds the leash any more, and a worker that waits for its broker ends."""
    (tmp_path / "settings.toml").write_text(f'engine = "kafka"\n[kafka]\nbootstrap = "{NOBODY}"\n')
    command = [
        sys.executable,
        "-m",
        "streams.cli",
        "worker",
        "--only",
        "rules",
        "--settings",
        str(tmp_path / "settings.toml"),
    ]
    process = supervisor(tmp_path, {"rules": command})
    eventually(lambda: b"waits" in (tmp_path / "log").read_bytes(), 30)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    eventually(lambda: not Path(f"/proc/{child}").exists() or "State:\tZ" in Path(f"/proc/{child}/status").read_text())
