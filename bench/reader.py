"""Reading a change, beside bare `git diff-tree` over the same two trees. Run: python -m bench.reader [FILES]"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streams.sources.change import check_totals, read_blobs, read_change, resolve_range
from streams.sources.git import Repository
from tests.gitrepo import Repo

REPEATS = 11
LINES = 60


def main(count: int = 1_000) -> None:
    with tempfile.TemporaryDirectory() as directory:
        repo = history(Path(directory) / "repo", count)
        opened = Repository.open(repo.path)
        found = resolve_range(opened, base=None, head="work", target="main")
        files = read_change(opened, found).files
        anchor = measure(lambda: bare(repo, "diff-tree", "-r", "--raw", found.base, found.head))
        print(f"{count} files changed, {len(read_change(opened, found).commits)} commits; medians of {REPEATS}, in ms")
        show("git diff-tree -r --raw", anchor, anchor)
        show("git diff-tree -r --raw --numstat", measure(lambda: bare(repo, *counted(found.base, found.head))), anchor)
        show("Repository.open", measure(lambda: Repository.open(repo.path)), anchor)
        show("resolve_range", measure(lambda: resolve_range(opened, base=None, head="work", target="main")), anchor)
        show("read_change", measure(lambda: read_change(opened, found)), anchor)
        show("read_blobs and check_totals", measure(lambda: check_totals(files, read_blobs(opened, files))), anchor)


def counted(base: str, head: str) -> tuple[str, ...]:
    return ("diff-tree", "-r", "-z", "--raw", "--numstat", "--no-renames", base, head)


def history(path: Path, count: int) -> Repo:
    """main with `count` files of `LINES` lines; work changes one line of each, in ten commits."""
    repo = Repo(path)
    rows = []
    for branch, start, word in (("main", 0, "old"), *(("work", step, "new") for step in range(10))):
        rows.append(f"commit refs/heads/{branch}\ncommitter A <a@x> {1_700_000_000 + start} +0000\ndata 0\n")
        if branch == "work" and not start:
            rows.append("from refs/heads/main\n")
        for number in range(count):
            if branch == "main" or number % 10 == start:
                text = "".join(f"{number} {line} {word if line == 30 else 'same'}\n" for line in range(LINES))
                rows.append(f"M 644 inline d{number % 50}/f{number}.py\ndata {len(text)}\n{text}\n")
    repo.git("fast-import", "--quiet", stdin="".join(rows).encode())
    return repo


def bare(repo: Repo, *args: str) -> bytes:
    return subprocess.run(["git", *args], cwd=repo.path, env=repo.environment(), capture_output=True, check=True).stdout


def measure(work: Callable[[], object]) -> float:
    """Median milliseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1_000)
    return statistics.median(times)


def show(name: str, took: float, anchor: float) -> None:
    print(f"{name:34} {took:9.1f}   x{took / anchor:.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
