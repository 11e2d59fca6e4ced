"""The commits of a change: which ones, their raw objects, what merges did themselves, and patch ids (law 5, 12, 33)."""

import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from streams.sources.catfile import CatFile
from streams.sources.git import Repository
from streams.sources.process import STALLED, finish

COMMIT_LIMIT = 1024 * 1024  # bytes of one commit object
MERGES_CHECKED = 200  # each costs git a merge; beyond that they count as edited
MERGING = 10.0  # seconds for all of them
PATCHES_READ = 200
PATCHING = 5.0  # seconds for all of them
PATCH_LIMIT = 64 * 1024 * 1024  # bytes of all patches together


class Walk(NamedTuple):
    """The commits of a change in topological order, children first, with their parents."""

    parents: dict[str, tuple[str, ...]]
    incomplete: tuple[str, ...] = ()


def walk(repo: Repository, *, base: str, head: str, without: Sequence[str]) -> Walk:
    """All commits of base..head over all parents, without those that the target (the first of `without`) or another holds.

    When the target holds the head as well, they are base..head alone.
    """
    if head == repo.empty_tree:
        return Walk({})
    start = [tip for tip in (base,) if tip != repo.empty_tree]
    others = [tip for tip in without if tip != repo.empty_tree]
    found = _rev_list(repo, head, [*others, *start])
    if not found.parents and base != head:
        found = _rev_list(repo, head, [*others[1:], *start])
    return found


def listing(head: str, without: Sequence[str]) -> tuple[str, ...]:
    """The command that lists commits with their parents, children first."""
    return ("rev-list", "--topo-order", "--parents", head, "--not", *without, "--")


def _rev_list(repo: Repository, head: str, without: Sequence[str]) -> Walk:
    done = repo.run(*listing(head, without), ok=(0, 128))
    rows = [line.split() for line in done.out.decode("ascii").splitlines()]
    failed = (f"the history of the change cannot be read: {done.err}",) if done.code else ()
    return Walk({row[0]: tuple(row[1:]) for row in rows}, failed)


def read_commits(objects: CatFile, ids: Iterable[str]) -> tuple[tuple[tuple[str, bytes], ...], tuple[str, ...]]:
    """The raw commits in order, and a sentence for each that is missing or too large."""
    read: list[tuple[str, bytes]] = []
    lost: list[str] = []
    for found in objects.read(ids, COMMIT_LIMIT):
        if found.data is not None:
            read.append((found.id, found.data))
        else:
            lost.append(f"commit {found.id} is {'over 1 MiB' if found.type else 'missing'}")
    return tuple(read), tuple(lost)


# -- merges -----------------------------------------------------------------------------------------------------------


def own_edits(repo: Repository, parents: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The merges that hold more or less than git's own merge of their parents (law 5).

    A merge that cannot be repeated counts as edited: an octopus, missing parents, those beyond `MERGES_CHECKED`,
    all when they take longer than `MERGING`, and all where the repository has merge drivers or attributes of its own.
    """
    merges = [commit for commit, above in parents.items() if len(above) > 1]
    simple = [commit for commit in merges if len(parents[commit]) == 2][:MERGES_CHECKED]
    if merges and _has_own_merging(repo):
        return frozenset(merges)
    return frozenset(merges) - _clean(repo, simple)


def _has_own_merging(repo: Repository) -> bool:
    """Whether drivers or attributes of this repository could merge otherwise than git does, or run a command of theirs."""
    drivers = repo.run("config", "--name-only", "--get-regexp", r"^merge\..*\.driver$", ok=(0, 1))
    return bool(drivers.out) or (repo.common_dir / "info" / "attributes").exists()


def _clean(repo: Repository, merges: Sequence[str]) -> frozenset[str]:
    if not merges:
        return frozenset()
    options = ("--no-walk=unsorted", "--remerge-diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=%H")
    done = repo.run(
        "log", *options, "--no-notes", "--no-show-signature", "--no-mailmap", "--ignore-submodules=none", "--stdin",
        stdin="\n".join([*merges, ""]).encode(), ok=range(STALLED, 256), seconds=MERGING,
    )  # fmt: skip
    if done.code:
        return frozenset()
    shown = _remerged(done.out)
    return frozenset(commit for commit in merges if shown.get(commit) is False)


def _remerged(output: bytes) -> dict[str, bool]:
    """Commit -> whether its remerge differs. A record of `--raw -z` is `:modes ids status`, then the path."""
    differs: dict[str, bool] = {}
    commit = ""
    tokens = iter(output.split(b"\0"))
    for token in tokens:
        text = token.strip(b"\n")
        if text.startswith(b":"):
            next(tokens, b"")
            differs[commit] = True
        elif text:
            commit = text.decode("ascii", "replace")
            differs[commit] = False
    return differs


# -- patch ids --------------------------------------------------------------------------------------------------------


def patch_ids(repo: Repository, parents: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Commit -> verbatim patch id, of up to `PATCHES_READ` commits; of more, none.

    No id have merges, empty patches, and those with a NUL byte (git's id does not see what follows it in a line).
    None at all has a change whose patches are over `PATCH_LIMIT` together, take git longer than `PATCHING`, or cannot be read.
    """
    single = [commit for commit, above in parents.items() if len(above) < 2]
    if not single or len(single) > PATCHES_READ:
        return {}
    visible = b"".join(patch for patch in _split(_patches(repo, single), single) if b"\0" not in patch)
    rows = repo.run("patch-id", "--verbatim", stdin=visible).out.decode("ascii").split()
    return dict(zip(rows[1::2], rows[::2], strict=True))


def _patches(repo: Repository, commits: Sequence[str]) -> bytes:
    """The patch of each commit under its id; nothing when they are too large or unreadable."""
    options = ("-p", "-r", "--root", "--always", "--full-index", "--no-renames", "--text", "--no-color")
    hermetic = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--unified=3")
    with repo.start("diff-tree", *options, *hermetic, "--stdin", stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        alarm = threading.Timer(PATCHING, running.kill)
        alarm.start()
        try:
            running.stdin.write("\n".join([*commits, ""]).encode())
            running.stdin.close()
            data = running.stdout.read(PATCH_LIMIT + 1)
        except BrokenPipeError:  # git is gone already; its exit code tells
            data = b""
        finally:
            alarm.cancel()
    return data if len(data) <= PATCH_LIMIT and not running.returncode else b""


def _split(data: bytes, commits: Sequence[str]) -> Iterator[bytes]:
    """Each commit's patch, headed by its id. No line of content starts without a sign, so that none looks like an id."""
    if not data:
        return iter(())
    starts: list[int] = []
    for commit in commits:
        header = commit.encode() + b"\n"
        starts.append(data.index(b"\n" + header, starts[-1]) + 1 if starts else data.index(header))
    return (data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True))


# -- what happened on the target meanwhile ----------------------------------------------------------------------------


def touched_since(repo: Repository, old_base: str, new_base: str) -> frozenset[bytes] | None:
    """The paths that any commit of old_base..new_base touched, there-and-back included (law 33).

    Of a merge, what it changed for the line that comes from `old_base`. None when `old_base` is no ancestor of
    `new_base`, or objects are missing: nothing is known then.
    """
    if old_base == new_base:
        return frozenset()
    if repo.run("merge-base", "--is-ancestor", old_base, new_base, ok=(0, 1, 128)).code:
        return None
    between = _rev_list(repo, new_base, [old_base])
    line = repo.run("rev-list", "--ancestry-path", new_base, "--not", old_base, "--", ok=(0, 128))
    if between.incomplete or line.code or not repo.shallow_edge().isdisjoint(between.parents):
        return None
    on_line = {old_base, *line.out.decode("ascii").split()}
    asked = "".join(_comparisons(between.parents, on_line)).encode()
    options = ("-r", "-c", "--root", "--name-only", "-z", "--no-commit-id", "--no-renames", "--ignore-submodules=none")
    done = finish(repo.start("diff-tree", *options, "--stdin"), asked)
    return frozenset(done.out.split(b"\0")) - {b""} if done.code == 0 else None


def _comparisons(parents: Mapping[str, Sequence[str]], on_line: set[str]) -> Iterator[str]:
    """What diff-tree shall compare: a merge with each parent on the line; others with all their parents."""
    for commit, above in parents.items():
        followed = [parent for parent in above if parent in on_line] if commit in on_line else []
        if len(above) > 1 and followed:
            yield from (f"{commit} {parent}\n" for parent in followed)
        else:
            yield f"{commit}\n"
