"""Every case of the table, through the real command line, on real git, with real signatures."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.commands.app import COMMANDS
from tests import tables
from tests.acceptance.case import ADMITTED, EXIT, Case
from tests.acceptance.cases import CASES, ELSEWHERE
from tests.acceptance.page import page
from tests.acceptance.stage import ROOT, Keys, Said, Stage, Verdict
from tests.gitrepo import Repo

AS_A_PROCESS = ("gates-1", "gates-10", "gates-35", "gates-24")


@pytest.mark.parametrize("case", tables.share(CASES), ids=[case.id for case in tables.share(CASES)])
def test_the_law_answers_the_case(case: Case, tmp_path: Path, keys: Keys, template: Path) -> None:
    """Outcome, exit code and reasons are those of the table."""
    check(case, case.given(Stage.set_up(tmp_path, keys, template)))


def test_a_pushed_statement_arrives(tmp_path: Path, keys: Keys, template: Path) -> None:
    """`--push` carries a statement to the remote, where it is read (DESIGN 11)."""
    stage = Stage.set_up(tmp_path, keys, template).made()
    there = Repo(tmp_path / "there.git", bare=True)
    stage.do("remote", "add", "origin", str(there.path)).approve("bob", push="origin")
    assert there.id(stage.ref) == stage.repo.id(stage.ref)


def test_the_page_shows_the_table() -> None:
    """docs/cases.md is what the table says: `python -m tests.acceptance.page > docs/cases.md` writes it."""
    assert (ROOT / "docs" / "cases.md").read_text("utf-8") == page()


def test_every_case_has_a_name_of_its_own() -> None:
    """No case hides another."""
    names = [case.id for case in CASES] + [case.id for case in ELSEWHERE]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", AS_A_PROCESS)
def test_the_law_answers_the_same_to_processes_of_their_own(
    name: str, tmp_path: Path, keys: Keys, template: Path
) -> None:
    """What holds inside this process holds for the command that people type."""
    case = next(case for case in CASES if case.id == name)
    check(case, case.given(Stage.set_up(tmp_path, keys, template, real=True)))


def is_command(remedy: str) -> bool:
    """Whether it can be pasted, and names a command of ours or of git's."""
    program, command, *_ = [*shlex.split(remedy), "", ""]
    return program == "git" or (program == "twohand" and command in COMMANDS)


def check(case: Case, answer: Verdict | Said) -> None:
    if isinstance(answer, Said):
        assert answer.code == EXIT[case.outcome], answer
        assert [word for word in sorted(case.codes) if word not in answer.err + answer.out] == []
        return
    told = [(reason["code"], reason["subject"], reason["values"]) for reason in answer.decision["reasons"]]
    assert (answer.outcome, answer.code) == (case.outcome, EXIT[case.outcome]), told
    assert list(missing(case, answer)) == [], told


def missing(case: Case, verdict: Verdict) -> Iterator[str]:
    """What the table asks for and the verdict does not have."""
    yield from (f"no reason {code}" for code in sorted(case.codes - verdict.codes))
    yield from (f"reason {code}" for code in sorted((case.absent or set()) & verdict.codes))
    yield from (
        f"no command for {reason['code']}" for reason in verdict.decision["reasons"] if not is_command(reason["remedy"])
    )
    if case.outcome == ADMITTED and verdict.codes:
        yield f"admitted with reasons: {sorted(verdict.codes)}"
    if case.counts is not None and verdict.counts != case.counts:
        yield f"counted {sorted(verdict.counts)}, not {sorted(case.counts)}"
    states = {row["path"]: row["state"] for row in verdict.decision["owners"]}
    yield from (
        f"{path} is {states.get(path)}" for path, state in (case.owners or {}).items() if states.get(path) != state
    )
    yield from (f"no stamp {stamp}" for stamp in sorted((case.stamps or set()) - set(verdict.decision["stamps"])))
