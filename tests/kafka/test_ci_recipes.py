"""The recipes for a runner that hands a change in and waits: their steps, run, with a real broker and real workers.

All of them are about one and the same change, which the decider remembers: who signed it in one test has signed it in the next.
"""

import json

import pytest

from tests.kafka.engine import Engine
from tests.streams.conftest import keys  # noqa: F401 - a fixture
from tests.streams.test_ci_recipes import GITHUB_KAFKA, GITLAB_KAFKA, github, gitlab, place, shell  # noqa: F401

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def settings(broker, postgres, tmp_path_factory):
    """What a runner is given: it knows the broker, and nothing of the case store."""
    engine = Engine(broker, postgres, tmp_path_factory.mktemp("recipes"))
    engine.start("rules")
    engine.start("decide")
    path = engine.folder / "runner.toml"
    path.write_text(f'engine = "kafka"\n[kafka]\nbootstrap = "{broker.bootstrap}"\n')
    yield path
    engine.close()


def test_gitlab_hands_in_and_waits(settings, place):  # noqa: F811
    """The report has the findings, the log what would help."""
    place.gitlab("carol")
    code, told, space = gitlab(place, pipeline=GITLAB_KAFKA, TWOHAND_SETTINGS=str(settings))
    assert code == 4, told
    assert "twohand approve" in told
    report = json.loads((space.path / "gl-code-quality-report.json").read_text("utf-8"))
    assert "owner.required" in {issue["check_name"] for issue in report}


def test_github_hands_in_and_waits(settings, place):  # noqa: F811
    """Law 41: the check fails with what is missing, and passes once an owner signed."""
    code, told = github(place, workflow=GITHUB_KAFKA, secret=settings.read_text())
    assert code == 4, told
    assert "::warning title=twohand%3A escalated::" in told
    assert "twohand approve" in told
    place.sign()
    code, told = github(place, workflow=GITHUB_KAFKA, secret=settings.read_text())
    assert code == 0, told
    assert "::notice title=twohand%3A admitted::" in told
    assert not list(place.root.rglob("settings.toml"))


def test_any_runner_hands_in_and_waits(settings, place):  # noqa: F811
    """An owner's own signature does not pass what the owner pushed (law 8, 23)."""
    place.sign()
    code, told = shell(place, TWOHAND_SETTINGS=str(settings), PUSHERS="github:alice github:carol")
    assert code == 1, told
    assert "self-review.identity" in told
