"""`twohand demo`: the recovery incident through the real command line."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from streams import demo
from streams.demo_story import EXIT, STEPS

pytestmark = pytest.mark.xdist_group("demo")

ROOT = Path(__file__).parents[2]
OUTCOMES = ["", "blocked", "escalated", "admitted", "admitted", "escalated"]


def twohand(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The demo as an agent in a hostile environment runs it: (seconds, what it printed, its temporary directory)."""
    scratch = tmp_path_factory.mktemp("demo")
    (scratch / "gitconfig").write_text("[commit]\n\tgpgSign = true\n[core]\n\thooksPath = /nowhere\n")
    started = time.monotonic()
    done = twohand(
        "demo", cwd=scratch, TMPDIR=str(scratch), HOME="/nowhere", CLAUDECODE="1",
        GIT_CONFIG_GLOBAL=str(scratch / "gitconfig"), GIT_DIR="/nowhere", GIT_AUTHOR_NAME="Somebody",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started, done.stdout, scratch


def test_the_story_is_told_in_order(told):
    """Every step has its heading and the outcome that is told (law 24, 29, 31, 33)."""
    _, text, _ = told
    at = [text.index(f"\n{number}. {step.title}\n") for number, step in enumerate(STEPS, 1)]
    assert at == sorted(at)
    assert [step.outcome for step in STEPS] == OUTCOMES
    for start, end, outcome in zip(at, [*at[1:], len(text)], OUTCOMES, strict=True):
        assert not outcome or f"\n   {outcome}  simpler-helper (" in text[start:end]


def test_self_review_shows_all_five_axes(told):
    """The blocked step shows how the second account compares on each axis (law 23)."""
    text = told[1]
    block = text[text.index("\n2. ") : text.index("\n3. ")]
    assert "identity   operator   session    model      family" in block
    assert "second-claude  distinct   distinct   distinct   SAME       SAME" in block


def test_the_owner_is_named_and_the_stale_approval_shown(told):
    """Escalation says whom it waits for; a changed byte says whose approval it voids (law 33, 41)."""
    text = told[1]
    assert "--as alice" in text[text.index("\n3. ") : text.index("\n4. ")]
    assert "approval.stale" in text[text.index("\n6. ") :]


def test_it_ends_with_what_to_do_next(told):
    """The last lines are commands for an own repository."""
    assert [line.split()[:2] for line in told[1].splitlines()[-2:]] == [["twohand", "init"], ["twohand", "review"]]


def test_nothing_is_left_behind(told):
    """The temporary repository is gone, also with a hostile git configuration and an agent's environment."""
    assert not list(told[2].glob("twohand-demo-*"))


def test_it_takes_seconds(told):
    """Under ten seconds on an idle machine; the bound here leaves room for a busy one."""
    assert told[0] < 30


def test_quiet_says_the_steps_alone_and_keep_leaves_the_repository(tmp_path):
    """`-q` prints one line a step; `--keep` says where the repository is, and git can read it."""
    done = twohand("demo", "--quiet", "--keep", cwd=tmp_path, TMPDIR=str(tmp_path))
    assert done.stdout.splitlines()[: len(STEPS)] == [f"{n}. {step.title}" for n, step in enumerate(STEPS, 1)]
    kept = Path(done.stdout.split("The repository is ")[1].split(";")[0])
    refs = subprocess.run(
        ["git", "for-each-ref", "refs/twohand/"], cwd=kept, capture_output=True, text=True, check=True
    )
    assert len(refs.stdout.splitlines()) == 5  # two proposals and three approvals


def test_a_step_that_comes_out_otherwise_ends_the_story():
    """The demo cannot claim an outcome that twohand does not give."""
    wrong = STEPS[1]._replace(outcome="admitted")
    with tempfile.TemporaryDirectory() as root, pytest.raises(demo.StoryFailed, match="ended with 1, not with 0"):
        demo.tell(Path(root), lambda _: None, quiet=True, steps=(STEPS[0], wrong))


def test_a_step_has_to_say_what_is_told():
    """The right outcome for another reason is no success either."""
    wrong = STEPS[1]._replace(shows=("self-review.session",))
    with (
        tempfile.TemporaryDirectory() as root,
        pytest.raises(demo.StoryFailed, match=r"does not say 'self-review\.session'"),
    ):
        demo.tell(Path(root), lambda _: None, quiet=True, steps=(STEPS[0], wrong))


def test_exit_codes_are_those_of_review():
    """The story expects what `twohand review` documents."""
    assert EXIT == {"admitted": 0, "blocked": 1, "escalated": 4, "pending": 5}
