"""The command `twohand` as people and scripts meet it: exit codes, formats, completion, and whose rules it judges by."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.cli import INTERNAL, VERSION
from streams.commands.app import COMMANDS, run
from tests.gitrepo import Repo
from tests.streams.gate import Gate

ROOT = Path(__file__).resolve().parents[2]
START = "from streams.cli import main; main()"


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def twohand(*arguments: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> Ended:
    """`twohand` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", START, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def review(gate: Gate, *arguments: str, env: dict[str, str] | None = None) -> Ended:
    return twohand("review", "-C", str(gate.repo.path), *arguments, env=env)


def admit(gate: Gate) -> None:
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")


# -- exit codes -------------------------------------------------------------------------------------------------------


def prepare_admitted(gate: Gate) -> None:
    admit(gate)


def prepare_blocked(gate: Gate) -> None:
    admit(gate)
    gate.say("object", "bob")


def prepare_usage(gate: Gate) -> None:
    gate.repo.git("checkout", "-q", "--orphan", "unborn")


def prepare_internal(gate: Gate) -> None:
    admit(gate)
    journal = gate.repo.path / ".git" / "twohand" / "journal.db"
    journal.parent.mkdir()
    journal.write_text("this is no database " * 99)


def prepare_escalated(gate: Gate) -> None:
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "bob")


def prepare_pending(gate: Gate) -> None:
    gate.repo.branch("other", "main")
    gate.repo.write("readme", "x\n")
    gate.repo.commit("Say more")
    gate.say("propose", "alice", "--tool", "none")


CODES = {
    0: (prepare_admitted, "admitted"),
    1: (prepare_blocked, "blocked"),
    2: (prepare_usage, "error: "),
    3: (prepare_internal, "error: "),
    4: (prepare_escalated, "escalated"),
    5: (prepare_pending, "pending"),
}


@pytest.mark.parametrize("code", CODES)
def test_the_exit_code_is_the_outcome(gate: Gate, code: int) -> None:
    """DESIGN 11: 0 admitted, 1 blocked, 2 usage or configuration, 3 internal error, 4 escalated, 5 no decision yet."""
    prepare, word = CODES[code]
    prepare(gate)
    answer = review(gate)
    assert answer.code == code, answer
    decided = code in (0, 1, 4, 5)
    assert (answer.out if decided else answer.err).startswith(word)
    assert bool(answer.out) == decided
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("review", "--nonsense"),
        ("review", "--format", "nonsense"),
        ("review", "surplus"),
        ("approve",),
        ("waive", "HEAD", "--expires"),
        ("review", "-C", "/nowhere"),
        ("review", "-C", "/"),
        ("review", "--settings", "/nowhere/settings.toml"),
        ("explain",),
        ("replay", "/nowhere/file.jsonl"),
        ("journal", "verify", "-C", "/"),
        (),
    ],
)
def test_what_cannot_be_meant_is_usage(arguments: tuple[str, ...]) -> None:
    """Exit 2, the reason on standard error, nothing that a script could take for a result on standard output."""
    answer = twohand(*arguments)
    assert answer.code == 2, answer
    assert "Traceback" not in answer.err
    if arguments:
        assert answer.out == ""
        assert answer.err


def test_sarif_is_a_report_and_exits_0(gate: Gate) -> None:
    """Uploads must not fail for what they tell; the outcome is inside."""
    prepare_blocked(gate)
    answer = review(gate, "--format", "sarif")
    assert answer.code == 0
    assert json.loads(answer.out)["version"] == "2.1.0"


# -- forms of a result ------------------------------------------------------------------------------------------------


def test_a_result_goes_to_a_file_when_asked(gate: Gate, tmp_path: Path) -> None:
    """`--output`: the file holds what would have been printed, and the exit code stays."""
    admit(gate)
    file = tmp_path / "decision.json"
    answer = review(gate, "--format", "json", "--output", str(file))
    assert (answer.code, answer.out) == (0, "")
    assert json.loads(file.read_text())["outcome"] == "admitted"


def test_an_output_that_cannot_be_written_never_admits(gate: Gate, tmp_path: Path) -> None:
    """The file is named; no traceback."""
    admit(gate)
    answer = review(gate, "--format", "json", "--output", str(tmp_path / "no" / "where.json"))
    assert answer.code in (2, 3)
    assert "where.json" in answer.err
    assert "Traceback" not in answer.err


def test_quiet_says_the_outcome_alone(gate: Gate) -> None:
    """`-q`: one line."""
    prepare_blocked(gate)
    answer = review(gate, "-q")
    assert (answer.code, answer.err) == (1, "")
    assert len(answer.out.splitlines()) == 1
    assert answer.out.startswith("blocked")


def test_verbose_says_more(gate: Gate) -> None:
    """`-v`: everything that plain text says, and more."""
    prepare_escalated(gate)
    plain, verbose = review(gate).out, review(gate, "-v").out
    assert len(verbose.splitlines()) > len(plain.splitlines())


@pytest.mark.parametrize("colour", ["", "1"])
def test_colour_is_for_terminals_that_want_it(gate: Gate, colour: str) -> None:
    """NO_COLOR, and any output that is no terminal, get none; a terminal does."""
    admit(gate)
    assert "\x1b" not in review(gate, env={"NO_COLOR": colour}).out
    on_terminal = _on_a_terminal(gate, {"NO_COLOR": colour, "TERM": "xterm"})
    assert ("\x1b" in on_terminal) == (colour == "")


def _on_a_terminal(gate: Gate, env: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", START, "review", "-C", str(gate.repo.path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    ):
        os.close(theirs)
        parts = []
        while part := _read(ours):
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_results_and_diagnostics_do_not_mix(gate: Gate) -> None:
    """Standard output is the JSON alone, also where there is something to note."""
    gate.repo.checkout("main")
    answer = review(gate, "--format", "json")
    assert json.loads(answer.out)["schema"] == "twohand.decision/v1"
    assert "last step" in answer.err


# -- the program itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--version",), ("--version", "review")])
def test_the_version_is_told(arguments: tuple[str, ...]) -> None:
    """Alone it is told before anything else is imported."""
    assert twohand(*arguments) == (0, f"twohand {VERSION}\n", "")


def test_the_version_needs_nothing_but_itself() -> None:
    """No heavy module for the shortest answer."""
    script = "import sys; sys.argv[1:] = ['--version']; from streams.cli import main; main(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"typer", "click", "pydantic", "git", "rich", "sqlite3", "rules"} & set(loaded)


def test_help_names_every_command_and_the_exit_codes() -> None:
    """`-h` and `--help` alike."""
    for option in ("-h", "--help"):
        answer = twohand(option)
        assert answer.code == 0
        for command in COMMANDS:
            assert command in answer.out
        assert "4 escalated" in answer.out


@pytest.mark.parametrize("command", ["", "audit", "policy", "rules", "hook", "topics", "reviewers"])
def test_help_is_whole_and_plain_on_80_columns(command: str) -> None:
    """No description is cut off, and nothing is escaped for a renderer that is not there."""
    answer = twohand(*filter(None, [command]), "--help", env={"COLUMNS": "80"})
    assert "\\[" not in answer.out
    assert not [line for line in answer.out.splitlines()[1:] if line.endswith("...")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Each says what it does."""
    answer = twohand(command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"twohand {command}" in answer.out


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_shown_for_a_shell(shell: str) -> None:
    """What the shell evaluates to complete `twohand`."""
    answer = twohand("--show-completion", shell)
    if answer.code:
        answer = twohand(
            "--show-completion", env={"SHELL": f"/bin/{shell}", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        )
    assert answer.code == 0, answer
    assert "twohand" in answer.out
    assert "_TWOHAND_COMPLETE" in answer.out


def test_completion_knows_the_commands() -> None:
    """What bash is told after `twohand re`."""
    asked = {"_TWOHAND_COMPLETE": "complete_bash", "COMP_WORDS": "twohand re", "COMP_CWORD": "1"}
    answer = twohand(env=asked)
    assert answer.code == 0, answer
    assert set(answer.out.split()) == {name for name in COMMANDS if name.startswith("re")}


def test_it_judges_by_its_own_rules_alone(tmp_path: Path) -> None:
    """A package `rules` that Python finds first, as django-rules would be, is refused with the way out."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("")
    answer = twohand("review", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, cwd=tmp_path)
    assert answer.code not in (0, 5)
    assert answer.out == ""
    assert str(tmp_path / "rules") in answer.err
    assert "pipx install twohand" in answer.err


def test_a_wrong_rules_package_is_a_configuration_error(tmp_path: Path) -> None:
    """Exit 2, and never the 1 of a blocked change."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("")
    answer = twohand("review", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, cwd=tmp_path)
    assert answer.code == 2


def test_a_module_of_rules_is_refused_too(tmp_path: Path) -> None:
    """A file rules.py is no package of ours either, and no traceback."""
    (tmp_path / "rules.py").write_text("")
    answer = twohand("review", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, cwd=tmp_path)
    assert answer.code not in (0, 5)
    assert "Traceback" not in answer.err
    assert "pipx install twohand" in answer.err


def test_a_repository_cannot_bring_its_own_rules(tmp_path: Path) -> None:
    """The directory that is judged is not where Python looks for modules."""
    repo = Repo(tmp_path / "repo")
    for name in ("rules/__init__.py", "reviewers/__init__.py", "typer.py", "tomllib.py"):
        repo.write(name, "raise SystemExit(0)\n")
    repo.commit()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "streams.cli", "review", "-C", "."],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (4, 5), done.stderr


@pytest.mark.parametrize("door", ["review", "gate"])
def test_what_ends_a_door_before_it_decides_admits_nothing(door, monkeypatch, capsys):
    """Law 40: exit code 0 without a decision is a defect, also where some library asks for it."""
    monkeypatch.setattr(f"streams.commands.{COMMANDS[door]}.{door}", ending)
    assert run([door]) == INTERNAL
    assert "before it decided" in capsys.readouterr().err


def ending() -> int:
    raise SystemExit(0)
