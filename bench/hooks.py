"""Pushes into an enforcing repository, beside the same push into one without hooks: what the gate costs a pusher.

`python -m bench.hooks` prints milliseconds, medians unless a row says otherwise; `--large` adds 10,000 commits and 50,000
files. Every push goes into a fresh copy of a prepared bare repository, with and without hooks in turn.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from shutil import copytree, rmtree
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from tests.gitrepo import Repo
from tests.streams.served import Served, make_keys

REPEATS = 15
Row = tuple[str, float, str]


class Case(NamedTuple):
    """A push that is repeated: where from, what, and whether it shall land."""

    name: str
    served: Served
    refspec: str
    lands: bool


def times(case: Case, scratch: Path, repeats: int = REPEATS) -> tuple[list[float], list[float]]:
    """Milliseconds of each push with the hooks, and of each without."""
    gated, bare = [], []
    for _ in range(repeats):
        gated.append(_push(case, scratch, hooks=True))
        bare.append(_push(case, scratch, hooks=False))
    return gated, bare


def _push(case: Case, scratch: Path, *, hooks: bool) -> float:
    server = scratch / "server.git"
    copytree(case.served.server.path, server)
    if not hooks:
        rmtree(server / "hooks")
    begun = perf_counter()
    done = subprocess.run(
        ["git", "push", "-q", str(server), case.refspec], cwd=case.served.work.path, capture_output=True, check=False,
        env=case.served.work.environment(),
    )  # fmt: skip
    spent = (perf_counter() - begun) * 1e3
    rmtree(server)
    if (done.returncode == 0) is not (case.lands or not hooks):
        raise RuntimeError(f"{case.name}: the push ended with {done.returncode}: {done.stderr.decode()}")
    return spent


def rows(case: Case, scratch: Path, repeats: int = REPEATS) -> Iterator[Row]:
    gated, bare = times(case, scratch, repeats)
    yield f"{case.name}, bare push", median(bare), "ms"
    yield f"{case.name}, what the hooks add", median(gated) - median(bare), "ms"
    p95 = quantiles(gated, n=20, method="inclusive")[-1] - median(bare)
    yield f"{case.name}, what the hooks add, p95", p95, "ms"


def small(root: Path, keys: Path) -> Served:
    """One commit, three files, proposed by Alice and approved by Bob and Carol."""
    served = Served(root, keys, files={f"shop/{name}.py": _module(name, 1) for name in "abc"})
    for name in "abc":
        served.work.write(f"shop/{name}.py", _module(name, 2))
    served.head = served.work.commit("Two instead of one")
    served.push(
        "main:refs/heads/earlier"
    )  # the first push to an unprotected branch makes the gate write down what it guards
    return served


def _module(name: str, value: int) -> str:
    return f"def {name}(user):\n    if not user.ok:\n        raise ValueError\n    return {value}\n"


def wide(root: Path, keys: Path, *, commits: int = 20, files: int = 100) -> Served:
    """Commits that each change every one of the files."""
    served = Served(root, keys, files={f"shop/{number}.py": _long(number, 0) for number in range(files)})
    for commit in range(1, commits + 1):
        for number in range(files):
            served.work.write(f"shop/{number}.py", _long(number, commit))
        served.work.commit(f"Values of {commit}")
    return served


def _long(number: int, value: int) -> str:
    functions = (f"def value_{row}(cart):\n    total = cart.sum({row})\n    return total\n" for row in range(20))
    return "\n\n".join([f"SIZE_{number} = {value}\n", *functions])


def cases(root: Path, keys: Path) -> Iterator[Case]:
    refused = small(root / "refused", keys)
    agreed = small(root / "agreed", keys)
    agreed.agree()
    yield Case("an unprotected branch", agreed, "feature:refs/heads/feature", lands=True)
    yield Case("a small push, admitted", agreed, "feature:main", lands=True)
    yield Case("a small push, refused", refused, "feature:main", lands=False)
    large = wide(root / "wide", keys)
    large.agree()
    yield Case("20 commits x 100 files, admitted", large, "feature:main", lands=True)


def main() -> list[Row]:
    found: list[Row] = []
    with TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "keys").mkdir()
        keys = make_keys(root / "keys")
        with redirect_stdout(sys.stderr):  # what people's commands say
            made = list(cases(root, keys))
        for case in made:
            found += rows(case, root)
        if "--large" in sys.argv:
            found += [*long(root, keys), *broad(root, keys)]
    return found


def long(root: Path, keys: Path) -> Iterator[Row]:
    """10,000 commits, refused within the time budget."""
    served = Served(root / "long", keys)
    _fast_import(served.work, _commits(served.head, 10_000))
    case = Case("10,000 commits, refused", served, "many:main", lands=False)
    yield case.name, _push(case, root, hooks=True), "ms"


def _commits(parent: str, count: int) -> Iterator[bytes]:
    yield b"reset refs/heads/many\nfrom %s\n\n" % parent.encode()
    who = b"Alice Doe <alice@example.com> 1700000000 +0000"
    for number in range(count):
        text, said = b"%d\n" % number, b"Count to %d" % number
        yield b"commit refs/heads/many\nauthor %s\ncommitter %s\ndata %d\n%s\n" % (who, who, len(said), said)
        yield b"M 100644 inline count.txt\ndata %d\n%s\n" % (len(text), text)


def broad(root: Path, keys: Path) -> Iterator[Row]:
    """50,000 files in one commit: time, and the most memory that any process of the push has taken."""
    served = Served(root / "broad", keys)
    _fast_import(served.work, _files(served.head, 50_000))
    case = Case("50,000 files, refused", served, "many:main", lands=False)
    yield case.name, _push(case, root, hooks=True), "ms"
    yield f"{case.name}, peak memory", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, "MB"


def _files(parent: str, count: int) -> Iterator[bytes]:
    yield from _commits(parent, 1)
    for number in range(count):
        text = _module(f"f{number}", 1).encode()
        yield b"M 100644 inline many/%d/%d.py\ndata %d\n%s\n" % (number % 100, number, len(text), text)


def _fast_import(repo: Repo, lines: Iterator[bytes]) -> None:
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repo.path, input=b"".join(lines), check=True, env=repo.environment()
    )


if __name__ == "__main__":
    for name, value, unit in main():
        print(f"{name:56} {value:8.1f} {unit}")
