"""The recipes for hosted forges: the steps of examples/github and examples/gitlab, run as a runner runs them.

A real clone, a real git, and a forge on loopback that answers as the public API documentation says.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import instants
from streams import clock
from tests.gitrepo import Repo
from tests.streams import forge
from tests.streams.forge import Forge
from tests.streams.gate import Gate, clean_environment

ROOT = Path(__file__).parents[2]


def recipe(path: str) -> dict[str, Any]:
    """A file of examples/."""
    found: dict[str, Any] = yaml.load((ROOT / "examples" / path).read_text("utf-8"), yaml.BaseLoader)
    return found


GITHUB, GITHUB_KAFKA = recipe("github/twohand.yml"), recipe("github/twohand-kafka.yml")
GITLAB, GITLAB_KAFKA = recipe("gitlab/twohand.gitlab-ci.yml"), recipe("gitlab/twohand-kafka.gitlab-ci.yml")
SHELL = ROOT / "examples/shell/gate.sh"
TWOHAND = f"https://git.example.com/twohand@{'a' * 40}"
PULL = "/repos/example/shop/pulls/7"
BRANCH = "topic/$(touch${IFS}pwned)"  # git takes it, and so must every step


class Place:
    """An origin with `main`, a change on BRANCH, a runner's workspace, and the forge that knows of them."""

    def __init__(self, gate: Gate, forge: Forge) -> None:
        self.root, self.forge, self.gate = gate.repo.path.parent, forge, gate
        self.origin = Repo(self.root / "origin.git", bare=True)
        self.origin.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as both forges allow
        policy = gate.policy.replace('fallback = ["carol"]', 'fallback = ["carol"]\nforge = true')
        for name in ("alice", "bob", "carol"):
            accounts = f'[people.{name}]\naccounts = ["github:{name}", "gitlab:{name}"]\n'
            policy = policy.replace(f"[people.{name}]\n", accounts)
        self.repo = gate.repo
        self.repo.git("remote", "add", "origin", f"file://{self.origin.path}")
        self.repo.checkout("main")
        self.repo.write("twohand.toml", policy)
        self.base = self.repo.commit("Accounts")
        self.repo.branch(BRANCH)
        self.repo.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n")
        self.now = instants.later(clock.now(), -30)
        self.push(self.repo.commit("Greet"))
        self.commands = forge_commands(self.root)

    def push(self, head: str) -> None:
        """Main, the change at `head`, and every statement, as the developers push them."""
        self.head = self.queued = head
        refs = [f"{head}:refs/heads/{BRANCH}", f"{head}:refs/merge-requests/7/head", "refs/twohand/*:refs/twohand/*"]
        self.repo.git("push", "-q", "--force", "origin", "main", *refs)
        self.github()
        self.gitlab()

    def known(self, name: str) -> Any:
        """A recorded payload about this change."""
        values = {
            "@head": self.head, "@base": self.base, "@queued": self.queued, "@branch": BRANCH, "@now": self.now,
            "@pushed": instants.later(self.now, -10),
        }  # fmt: skip
        return json.loads(
            re.sub("@[a-z]+", lambda found: values.get(found[0], found[0]), json.dumps(forge.payload(name)))
        )

    def github(self, *reviews: dict[str, Any], pusher: str = "alice", earlier: tuple[str, str] = ("", "")) -> None:
        activity = self.known("github-activity")
        activity[0]["actor"]["login"] = pusher
        if earlier[0]:
            activity[1]["after"], activity[1]["actor"]["login"] = earlier
        self.forge.answers |= {
            PULL: self.known("github-pull"), f"{PULL}/reviews": list(reviews), "/repos/example/shop/activity": activity,
        }  # fmt: skip

    def review(self, login: str = "carol", state: str = "APPROVED", head: str = "") -> dict[str, Any]:
        row = self.known("github-review")
        return {**row, "user": {**row["user"], "login": login}, "state": state, "commit_id": head or self.head}

    def gitlab(self, *approved: str, pusher: str = "alice", at: str = "") -> None:
        pushes, approvals = self.known("gitlab-pushes"), self.known("gitlab-approvals")
        pushes[1]["author_username"] = pusher
        row = approvals["approved_by"].pop()
        for name in approved:
            approvals["approved_by"].append({"user": {**row["user"], "username": name}, "approved_at": at or self.now})
        request = "/api/v4/projects/15/merge_requests/7"
        self.forge.answers |= {
            request: self.known("gitlab-merge-request"), f"{request}/approvals": approvals,
            f"{request}/versions": self.known("gitlab-versions"), "/api/v4/projects/15/events": pushes,
        }  # fmt: skip

    def sign(self, *verbs: tuple[str, str]) -> None:
        """Signed statements about the change, with its number, pushed as refs."""
        for verb, name in verbs or (("approve", "carol"),):
            self.gate.say(verb, name, "--change", "7")
        self.repo.git("push", "-q", "origin", "refs/twohand/*:refs/twohand/*")

    def workspace(self) -> Repo:
        """What the checkout action or the runner leaves: the target's commit, and no branch of the change checked out."""
        space = Repo.clone(self.origin, self.root / f"space-{len(list(self.root.glob('space-*')))}")
        space.git("checkout", "-q", "--detach", self.base)
        space.git("remote", "set-head", "origin", "--delete")
        return space

    def environment(self, space: Repo, more: dict[str, str]) -> dict[str, str]:
        (self.root / "home").mkdir(exist_ok=True)
        known = {
            "HOME": str(self.root / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            "FORGE": self.forge.url,
        }
        return known | {"PATH": f"{self.commands}:{os.environ['PATH']}"} | more


def forge_commands(root: Path) -> Path:
    return forge.commands(root / "bin", ROOT)


@pytest.fixture
def place(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    clean_environment(monkeypatch, tmp_path)
    with forge.serving() as known:
        yield Place(Gate(tmp_path, keys, capsys), known)
    assert not list(tmp_path.rglob("pwned"))


def github(
    place: Place, event: str = "github-pull-request", *, workflow: dict[str, Any] = GITHUB, secret: str = ""
) -> tuple[int, str]:
    """Run the steps of a workflow on an event; the exit code of the first that fails, and all they printed."""
    space = place.workspace()
    temp = space.path.parent / f"{space.path.name}-temp"
    temp.mkdir()
    context = {
        "github": {"event": place.known(event), "token": forge.TOKEN},
        "vars": {"TWOHAND": TWOHAND},
        "runner": {"temp": str(temp)},
        "secrets": {"TWOHAND_SETTINGS": secret},
    }
    job = workflow["jobs"]["twohand"]
    known = {"GITHUB_REPOSITORY": "example/shop", "RUNNER_TEMP": str(temp), "GITHUB_ACTIONS": "true"}
    code, told = 0, ""
    for step in job["steps"]:
        if "run" not in step or (code and step.get("if") != "always()"):
            continue
        given = {name: forge.expressions(text, context) for name, text in (job["env"] | step.get("env", {})).items()}
        done = bash(step["run"], space, place.environment(space, known | given))
        told += done.stdout
        code = code or done.returncode
    return code, told


def gitlab(place: Place, *, pipeline: dict[str, Any] = GITLAB, **more: str) -> tuple[int, str, Repo]:
    """Run the job's script in one shell, as GitLab's runner does; exit code, output, and where it ran."""
    space, job = place.workspace(), pipeline["twohand"]
    known = {
        "CI_API_V4_URL": f"{place.forge.url}/api/v4", "CI_MERGE_REQUEST_PROJECT_ID": "15", "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "15", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "GITLAB_CI": "true",
        "CI_COMMIT_SHA": place.head, "CI_DEFAULT_BRANCH": "main", "TWOHAND": TWOHAND, "TWOHAND_TOKEN": forge.TOKEN,
    }  # fmt: skip
    lines = [*job["before_script"], *job["script"]]
    done = bash("\n".join(lines), space, place.environment(space, known | job["variables"] | more))
    return done.returncode, done.stdout, space


def shell(place: Place, **more: str) -> tuple[int, str]:
    """Run the script that any runner can run; exit code and output."""
    space = place.workspace()
    known = {
        "HEAD_SHA": place.head, "TARGET": "main", "NUMBER": "7", "OPENER": "github:alice", "PUSHERS": "github:alice",
    }  # fmt: skip
    done = bash(f'exec "{SHELL}"', space, place.environment(space, known | more))
    return done.returncode, done.stdout


def bash(script: str, space: Repo, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command,
        cwd=space.path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


# -- what the files say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", [GITHUB, GITHUB_KAFKA])
def test_the_workflow_asks_for_little_and_takes_nothing_from_the_change(workflow: dict[str, Any]) -> None:
    """Read-only permissions, pinned actions, the target's checkout, whole history, no credentials left behind."""
    job = workflow["jobs"]["twohand"]
    assert workflow["permissions"] == {}
    assert set(job["permissions"].values()) == {"read"}
    assert set(workflow["on"]) >= {"pull_request", "merge_group"}
    used = [step for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in used)
    (checkout,) = (step["with"] for step in used)
    assert "head" not in checkout["ref"]
    assert (checkout["fetch-depth"], checkout["persist-credentials"]) == ("0", "false")


@pytest.mark.parametrize("workflow", [GITHUB, GITHUB_KAFKA])
def test_no_step_writes_an_expression_into_a_shell(workflow: dict[str, Any]) -> None:
    """What others choose reaches a shell as a variable only."""
    assert not [step["run"] for step in workflow["jobs"]["twohand"]["steps"] if "${{" in step.get("run", "")]


@pytest.mark.parametrize("pipeline", [GITLAB, GITLAB_KAFKA])
def test_the_gitlab_job_reads_the_whole_history_of_merge_requests(pipeline: dict[str, Any]) -> None:
    """A shallow clone is incomplete evidence; another pipeline has no merge request."""
    job = pipeline["twohand"]
    assert job["variables"]["GIT_DEPTH"] == "0"
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert "allow_failure" not in job


# -- GitHub -------------------------------------------------------------------------------------------------------


def test_github_without_review_says_what_is_missing(place: Place) -> None:
    """Law 41: the check fails, annotates, and tells the command that would help."""
    code, told = github(place)
    assert code == 4
    assert "::warning title=twohand%3A escalated::" in told
    assert "twohand approve" in told


def test_github_review_of_an_owner_passes_the_check(place: Place) -> None:
    """Law 21: the run that a review starts reads it, for the head of the event."""
    place.github(place.review())
    code, told = github(place, "github-pull-request-review")
    assert code == 0, told
    assert "::notice title=twohand%3A admitted::" in told


@pytest.mark.parametrize(
    ("login", "state", "of"),
    [
        ("carol", "APPROVED", "base"),
        ("carol", "DISMISSED", "head"),
        ("bob", "APPROVED", "head"),
        ("eve", "APPROVED", "head"),
    ],
)
def test_github_reviews_that_do_not_count(place: Place, login: str, state: str, of: str) -> None:
    """Law 21, 31: another head, a dismissed review, no owner, a stranger."""
    place.github(place.review(login, state, getattr(place, of)))
    assert github(place, "github-pull-request-review")[0] == 4


def test_github_objection_on_the_second_page_blocks(place: Place) -> None:
    """Law 34: every page is read."""
    comments = [place.review("eve", "COMMENTED") for _ in range(100)]
    place.github(place.review(), *comments, place.review("bob", "CHANGES_REQUESTED"))
    code, told = github(place, "github-pull-request-review")
    assert code == 1
    assert "::error title=veto::" in told


def test_github_who_pushed_the_head_does_not_approve_it(place: Place) -> None:
    """Law 8, 23: on a run that the reviewer started, the pusher is still who pushed."""
    place.github(place.review(), pusher="carol")
    code, told = github(place, "github-pull-request-review")
    assert code == 1
    assert "self-review.identity" in told


def test_github_who_pushed_an_earlier_part_does_not_approve_it(place: Place) -> None:
    """Law 8, 23: everybody who pushed a commit of the change is a pusher of it, whoever pushed last."""
    first = place.head
    place.repo.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n    log(user)\n")
    place.push(place.repo.commit("Log"))
    place.github(place.review(), earlier=(first, "carol"))
    code, told = github(place, "github-pull-request-review")
    assert code == 1
    assert "self-review.identity" in told


def test_github_bots_are_pushers_like_others(place: Place) -> None:
    """A login with brackets is no pattern of a shell."""
    place.github(place.review(), pusher="dependabot[bot]")
    code, told = github(place, "github-pull-request-review")
    assert code == 0, told


def test_github_unknown_pusher_fails_with_what_to_do(place: Place) -> None:
    """Law 40: a head that nobody is known to have pushed is not taken as pushed by nobody."""
    place.github(place.review())
    place.forge.answers["/repos/example/shop/activity"] = []
    code, told = github(place)
    assert code == 2
    assert "push the branch again" in told


@pytest.mark.parametrize("silent", [PULL, f"{PULL}/reviews", "/repos/example/shop/activity"])
def test_github_that_does_not_answer_passes_nothing(place: Place, silent: str) -> None:
    """Law 40: an error is no empty answer."""
    place.sign()
    del place.forge.answers[silent]
    assert github(place)[0] != 0


def test_github_signed_approval_needs_no_review_there(place: Place) -> None:
    """Law 17: the statement refs are fetched and heard."""
    place.sign()
    code, told = github(place)
    assert code == 0, told


def test_github_change_of_the_policy_is_judged_by_the_policy_before_it(place: Place) -> None:
    """Law 36: never the change's own."""
    place.repo.write("twohand.toml", 'version = 1\n[[requirement]]\nname = "none"\napprovals = 0\nfrom = ["human"]\n')
    place.push(place.repo.commit("Ask for nothing"))
    code, told = github(place)
    assert code == 1, told
    assert "policy.self-edit" in told


def test_github_merge_queue_takes_what_was_signed(place: Place) -> None:
    """Law 21, 33: a signed approval carries over to the queue's merge commit, a forge's holds for its own head only."""
    place.repo.checkout("main")
    place.repo.write("other.txt", "other\n")
    place.base = place.repo.commit("Other")
    merged = place.repo.merge(BRANCH)
    place.repo.git("update-ref", "refs/heads/main", place.base)
    place.repo.git("checkout", "-q", "--force", BRANCH)
    place.push(place.head)
    place.queued = merged
    place.repo.git("push", "-q", "origin", f"{merged}:refs/heads/gh-readonly-queue/main/pr-7-{place.base}")
    place.github(place.review())
    assert github(place, "github-merge-group")[0] == 4
    place.sign()
    code, told = github(place, "github-merge-group")
    assert code == 0, told


# -- GitLab -------------------------------------------------------------------------------------------------------


def test_gitlab_without_approval_reports_and_says_what_is_missing(place: Place) -> None:
    """Law 41: the job fails, its report has the findings, its log the command that would help."""
    code, told, space = gitlab(place)
    assert code == 4
    assert "twohand approve" in told
    report = json.loads((space.path / "gl-code-quality-report.json").read_text("utf-8"))
    assert "owner.required" in {issue["check_name"] for issue in report}


def test_gitlab_approval_of_an_owner_passes_the_job(place: Place) -> None:
    """Law 21: given to the newest version that was there."""
    place.gitlab("carol")
    code, told, _ = gitlab(place)
    assert code == 0, told


def test_gitlab_approval_from_before_the_push_does_not_count(place: Place) -> None:
    """Law 21: it was given to another head."""
    place.gitlab("carol", at=instants.later(place.now, -60))
    assert gitlab(place)[0] == 4


def test_gitlab_who_pushed_the_head_does_not_approve_it(place: Place) -> None:
    """Law 8, 23: whoever started the pipeline, the pusher is who pushed."""
    place.gitlab("carol", pusher="carol")
    code, told, _ = gitlab(place)
    assert code == 1
    assert "self-review.identity" in told


def test_gitlab_unknown_pusher_or_token_passes_nothing(place: Place) -> None:
    """Law 40: nothing is taken as empty that was not answered."""
    place.gitlab("carol")
    assert gitlab(place, TWOHAND_TOKEN="of a stranger")[0] not in (0, 4)
    place.forge.answers["/api/v4/projects/15/events"] = []
    code, told, _ = gitlab(place)
    assert code not in (0, 4)
    assert "push the branch again" in told


def test_gitlab_signed_objection_blocks(place: Place) -> None:
    """Law 34: the statement refs are fetched and heard."""
    place.gitlab("carol")
    place.sign(("object", "bob"))
    assert gitlab(place)[0] == 1


# -- anywhere -----------------------------------------------------------------------------------------------------


def test_a_runner_without_a_broker_decides_by_itself(place: Place) -> None:
    """The script asks the journal where no settings name another engine; who is missing stands in its output."""
    code, told = shell(place, TIMEOUT="1s")
    assert code == 4, told
    assert "twohand approve" in told
    place.sign()
    code, told = shell(place, TIMEOUT="1s")
    assert code == 0, told


@pytest.mark.parametrize("absent", ["HEAD_SHA", "OPENER", "PUSHERS"])
def test_a_script_that_is_told_too_little_passes_nothing(place: Place, absent: str) -> None:
    """Law 9: nobody is guessed."""
    code, told = shell(place, **{absent: ""})
    assert code not in (0, 4, 5)
    assert absent in told
