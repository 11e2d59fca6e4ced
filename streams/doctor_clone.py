"""What `twohand doctor` finds of a clone itself: its history, its default branch, and whether statements reach it."""

from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from streams.engines.journal import FULL, Journal
from streams.sources.git import HEADS, ORIGIN, Repository

OK, WARN, FAIL = "ok", "warn", "fail"
PREFIX = "refs/twohand/"
EMPTY = "delete from blob; vacuum"  # makes room in a journal


class Check(NamedTuple):
    """One answer. `remedy` is "" where nothing needs to be done."""

    name: str
    state: str
    said: str
    remedy: str = ""


def history(repo: Repository) -> Iterator[Check]:
    if repo.is_shallow:
        yield Check("history", WARN, "this clone is shallow: what is cut off cannot be judged", "git fetch --unshallow")
    else:
        yield Check("history", OK, "complete")
    if repo.config("remote.origin.promisor") == "true":
        yield Check(
            "objects",
            WARN,
            "this clone is partial: twohand fetches nothing on its own",
            "git fetch --refetch --no-filter",
        )


def worktrees(repo: Repository) -> Iterator[Check]:
    rows = repo.run("worktree", "list", "--porcelain").out.split(b"\n")
    count = sum(row.startswith(b"worktree ") for row in rows)
    if count > 1:
        yield Check("worktrees", OK, f"{count}, which share one journal in {repo.common_dir}")


def room(repo: Repository) -> Iterator[Check]:
    """A journal that has grown so large that it keeps no contents of refused changes any more."""
    path = repo.common_dir / "twohand" / "journal.db"
    if not path.exists():
        return
    with Journal(path, writable=False) as journal:
        full = journal.full()
    if full:
        said = f"{path} is larger than {FULL >> 20} MiB: contents of refused changes are kept no longer"
        remedy = f"while nobody pushes: sqlite3 {quote(str(path))} '{EMPTY}' (no decision needs them)"
        yield Check("journal room", WARN, said, remedy)


def default_branch(repo: Repository) -> Iterator[Check]:
    branch = repo.default_branch()
    if not branch and not repo.refs(HEADS):
        yield Check("default branch", WARN, "there is no commit yet", "Commit something.")
    elif not branch:
        remedy = "git remote set-head origin --auto, or git config init.defaultBranch NAME"
        yield Check("default branch", FAIL, "not found: nothing says where changes land", remedy)
    elif not repo.exists(branch):
        yield Check("default branch", WARN, f"{branch.removeprefix(HEADS)} has no commit yet", "Commit something.")
    elif repo.guesses(branch):
        said = f"{branch.removeprefix(ORIGIN)} is a guess: the remote never said which is its default, and anybody may push one of this name"
        yield Check("default branch", WARN, said, "git remote set-head origin -a")
    else:
        yield Check("default branch", OK, branch.removeprefix(HEADS).removeprefix(ORIGIN))


def statements(repo: Repository) -> Iterator[Check]:
    """git fetches what a refspec names, and no clone names the statements of others by itself."""
    remotes = _remotes(repo)
    if not remotes:
        return
    count = len(repo.refs(PREFIX))
    if any(map(_brings, (spec for specs in remotes.values() for spec in specs))):
        yield Check("statements", OK, f"{count} here; `git fetch` brings those of others")
        return
    remote = quote("origin" if "origin" in remotes else min(remotes))
    said = f"{count} here, and `git fetch` brings none that others signed: no fetch refspec names {PREFIX}*"
    always = f"git config --add remote.{remote}.fetch '{PREFIX}*:{PREFIX}*'"
    yield Check("statements", WARN, said, f"git fetch {remote} '{PREFIX}*:{PREFIX}*'   (with every fetch: {always})")


def _remotes(repo: Repository) -> dict[str, list[str]]:
    """The fetch refspecs of each remote that has an address."""
    rows = repo.run("config", "-z", "--get-regexp", r"^remote\..*\.(url|fetch)$", ok=(0, 1)).out
    found: dict[str, list[str]] = {}
    for row in rows.decode("utf-8", "replace").split("\0")[:-1]:
        key, _, value = row.partition("\n")
        name, _, what = key.removeprefix("remote.").rpartition(".")
        specs = found.setdefault(name, [])
        if what == "fetch":
            specs.append(value)
    return found


def _brings(refspec: str) -> bool:
    """Whether a fetch refspec takes all statements."""
    source, _, target = refspec.removeprefix("+").partition(":")
    return target.startswith("refs/") and source.endswith("*") and PREFIX.startswith(source.removesuffix("*"))
