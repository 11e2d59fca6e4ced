"""The house stands as ARCHITECTURE.md says: direction of imports, sizes, empty package files."""

import ast
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("rules", "reviewers", "streams")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONG: set[str] = set()  # files that may be longer than 400 lines, each with a reason
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}
FUNCTIONS = {
    f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": node
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}
LENGTHS = {name: node.end_lineno - node.lineno + 1 for name, node in FUNCTIONS.items()}


def test_import_contracts_hold():
    """Nothing imports to the right of itself, and the law imports nothing that has effects (law 38)."""
    call = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_contracts_name_every_package_that_ships():
    """A package that the wheel carries is one that the contracts watch."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert tuple(project["tool"]["importlinter"]["root_packages"]) == PACKAGES
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_functions_are_read_in_one_breath():
    """Median at most 10 lines, nine of ten at most 30, none above 60."""
    over = {name: lines for name, lines in LENGTHS.items() if lines > 60}
    assert not over
    assert statistics.median(LENGTHS.values()) <= 10
    assert statistics.quantiles(LENGTHS.values(), n=10)[-1] <= 30


def test_files_are_short():
    """Median at most 120 lines; whoever passes 400 stands in the list above, and nobody else does."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert statistics.median(lengths.values()) <= 120
    assert {name for name, lines in lengths.items() if lines > 400} <= LONG


def test_functions_take_few_arguments():
    """At most two may be given by position where there are more than five; commands of the command line excepted."""
    over = [
        name
        for name, node in FUNCTIONS.items()
        if not name.startswith("streams/commands/") and len(node.args.posonlyargs + node.args.args) > 6
    ]
    assert not over


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=str)
def test_package_files_are_empty(path):
    """Importing a package runs nothing."""
    assert not path.read_text("utf-8")


def test_every_module_says_what_it_is():
    """The first line of a file is a sentence about it."""
    assert not [str(path) for path, tree in TREES.items() if path.name != "__init__.py" and not ast.get_docstring(tree)]


def test_untrusted_text_never_meets_a_backtracking_matcher():
    """`re` is imported in rules/ only where it reads our own names (DESIGN 6): one long line must not stall the gate."""
    users = {
        str(path.relative_to(ROOT))
        for path, tree in TREES.items()
        if path.is_relative_to(ROOT / "rules")
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
    }
    assert users <= {"rules/events.py"}
