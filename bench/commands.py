"""Whole processes: `twohand --version` and `twohand review` of a small change, beside the interpreter and git alone.

`python -m bench.commands` prints milliseconds, medians of 11, all in one run.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.gitrepo import Repo

REPEATS = 11
TWOHAND = "from streams.cli import main; main()"


def timed(command: list[str], cwd: Path, *, ok: tuple[int, ...] = (0,)) -> float:
    """Milliseconds of one process, the median."""
    rows = []
    for _ in range(REPEATS):
        begun = perf_counter()
        done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        rows.append((perf_counter() - begun) * 1e3)
        if done.returncode not in ok:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.decode()}")
    return median(rows)


def change(path: Path) -> Repo:
    """A repository with a branch that changes one of three files."""
    repo = Repo(path)
    for name in ("a", "b", "c"):
        repo.write(
            f"src/{name}.py", f"def {name}(user):\n    if not user.ok:\n        raise ValueError\n    return 1\n"
        )
    repo.commit("three files")
    repo.branch("feature", "main")
    repo.checkout("feature")
    repo.write("src/a.py", "def a(user):\n    if not user.ok:\n        raise ValueError\n    return 2\n")
    repo.commit("one change")
    return repo


def main() -> list[tuple[str, float, str]]:
    root = Path(__file__).resolve().parent.parent
    python = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {TWOHAND}"]
    with TemporaryDirectory() as scratch:
        place = Path(scratch) / "repo"
        change(place)
        bare = timed([sys.executable, "-c", "pass"], place)
        rows = [
            ("python -c pass (anchor)", bare, "ms"),
            ("git diff-tree (anchor)", timed(["git", "diff-tree", "-r", "main", "feature"], place), "ms"),
            ("twohand --version", timed([*python, "--version"], place), "ms"),
            ("twohand review -q", timed([*python, "review", "-q"], place, ok=(5,)), "ms"),
            ("twohand review -q --dry-run", timed([*python, "review", "-q", "--dry-run"], place, ok=(5,)), "ms"),
        ]
    return [*rows, *((f"{name} over python", value / bare, "x") for name, value, _ in rows[2:])]


if __name__ == "__main__":
    for name, value, unit in main():
        print(f"{name:48} {value:8.1f} {unit}")
