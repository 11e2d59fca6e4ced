"""Every case of `twohand selftest`: attacks that a gate has to refuse for their own reason, and honest work that has to land."""

import json
from pathlib import Path

import pytest

from streams.commands.app import run
from streams.selftest.arena import Arena, Pushed
from streams.selftest.case import ADMITTED, REFUSED, Case, problem
from streams.selftest.cases import CASES
from streams.selftest.ground import Ground
from streams.selftest.runner import tried
from tests import tables
from tests.attacks.page import TITLES, page

NAMES = [case.name for case in CASES]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ground]:
    settings = dict.fromkeys(case.settings for case in CASES)
    return {text: Ground.made(tmp_path_factory.mktemp("ground"), settings=text) for text in settings}


@pytest.mark.parametrize("case", tables.share(CASES), ids=tables.share(NAMES))
def test_the_gate_answers(case: Case, grounds: dict[str, Ground], tmp_path: Path) -> None:
    """Refused with the reason that the case names, or admitted."""
    assert tried(case, grounds[case.settings], tmp_path).problem == ""


def test_every_case_has_a_name_and_a_sentence() -> None:
    """A user can pick one by its name, and reads what it tries."""
    assert len(NAMES) == len(set(NAMES))
    assert [case.name for case in CASES if not case.title.endswith(".") or not case.route or not case.article] == []


def test_the_page_shows_the_table() -> None:
    """docs/attacks.md is what the table says: `python -m tests.attacks.page > docs/attacks.md` writes it."""
    assert PAGE.read_text("utf-8") == page()
    assert {name.partition("-")[0] for name in NAMES} == set(TITLES)


def test_there_are_attacks_of_every_kind() -> None:
    """At least eighty, and honest work beside them."""
    kinds = [case.expected for case in CASES]
    assert (kinds.count(REFUSED) >= 80, kinds.count(ADMITTED) >= 20) == (True, True)


@pytest.fixture
def ungated(grounds: dict[str, Ground], tmp_path: Path) -> Arena:
    """The same repository with its hooks taken away."""
    arena = Arena(tmp_path, grounds[""])
    for name in ("pre-receive", "post-receive"):
        (arena.server / "hooks" / name).unlink()
    return arena


def test_without_a_gate_an_attack_gets_through(ungated: Arena) -> None:
    """The suite would notice: what moved is told, and where."""
    case = next(case for case in CASES if case.name == "route-fast-forward")
    assert problem(case, case.given(ungated)).startswith("it got through: refs/heads/main moved")


def test_a_refusal_for_another_reason_is_none() -> None:
    """git's own refusal of a push does not pass for ours."""
    case = next(case for case in CASES if case.name == "route-fast-forward")
    assert "not because of" in problem(case, Pushed(1, "! [rejected] HEAD -> main (non-fast-forward)", ()))


def test_honest_work_that_is_refused_is_a_problem() -> None:
    """So is honest work that goes nowhere."""
    case = next(case for case in CASES if case.name == "honest-approved")
    assert "honest push was refused" in problem(case, Pushed(1, "remote: error: no", ()))
    assert "nothing moved" in problem(case, Pushed(0, "", ()))


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Text says how many; JSON names each case and what was said."""
    assert run(["selftest", "--only", "route-fast"]) == 0
    assert "Attacks refused: 1. Honest pushes admitted: 0." in capsys.readouterr().out
    assert run(["selftest", "--only", "honest-approved", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["ok"], told["cases"][0]["expected"]) == ("twohand.selftest/v1", True, "admitted")


def test_a_name_that_no_case_has(capsys: pytest.CaptureFixture[str]) -> None:
    """The kinds of names there are."""
    assert run(["selftest", "--only", "nonsense"]) == 2
    assert "route, " in capsys.readouterr().err


def test_what_is_wrong_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that goes wrong is named with its route and how to run it again; exit code 1."""
    case = next(case for case in CASES if case.name == "honest-approved")
    monkeypatch.setattr(
        "streams.selftest.cases.CASES", (case._replace(name="wrong-one", reason="nothing of the kind"),)
    )
    assert run(["selftest"]) == 1
    out = capsys.readouterr().out
    assert ("it got through" in out, "twohand selftest --only wrong-one" in out) == (True, True)


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The temporary directory is removed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert run(["selftest", "-q", "--only", "route-fast"]) == 0
    assert list(tmp_path.iterdir()) == []
