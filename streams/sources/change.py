"""The change, read from git's objects: its range, its files, its commits and its blobs (law 1-7, 33)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from rules import paths
from rules.change import ABSENT, SUBMODULE, FileChange
from rules.rule import Blobs
from streams.sources import commits as history
from streams.sources import errors
from streams.sources.catfile import CatFile, Info
from streams.sources.git import FILE_LIMIT, HEADS, ORIGIN, REMOTES, Ref, Repository
from streams.sources.process import STALLED, Done, finish, within

TOTAL_LIMIT = 256 * 1024 * 1024  # bytes of all blobs of a change together
FILES_AT_ONCE = 500
MOST_NAMES = 16 << 20  # bytes of all changed paths together
COUNTING = 5.0  # seconds for git to count lines; somebody can write files for which it takes minutes
DIFF = (
    "diff-tree",
    "-r",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--text",
    "--ignore-submodules=none",
    "--raw",
)


class Range(NamedTuple):
    """What is judged (law 1): from `base` to `head`, to land on `target`. All ids are full."""

    target: str  # the branch's full name, refs/heads/... also where only its remote-tracking ref is here
    target_tip: str
    base: str  # a commit, or the empty tree
    head: str
    branch: str  # the full name of the source branch, "" when head was given as an id
    rewritten: bool = False  # it does not contain what the target holds (law 4)
    dropped: tuple[str, ...] = ()  # the commits that the target would lose, at most MOST_DROPPED
    admitted: tuple[str, ...] = ()  # tips of protected refs: their commits add no authors (law 5)
    incomplete: tuple[str, ...] = ()  # why the range may not be the whole change
    notes: tuple[str, ...] = ()  # what a user should know about how it was chosen


class ReadChange(NamedTuple):
    """A change as the objects have it."""

    files: tuple[FileChange, ...]
    commits: tuple[tuple[str, bytes], ...]  # (id, raw object), children before their parents
    own_edits: frozenset[str]  # merges whose result is not git's own
    patch_ids: dict[str, str]  # commit -> verbatim patch id
    incomplete: tuple[str, ...]  # what could not be read: `evidence.incomplete`


# -- which commits ----------------------------------------------------------------------------------------------------


def resolve_range(repo: Repository, *, base: str | None, head: str | None, target: str | None) -> Range:
    """The range of a change before it lands (law 1). `head` is HEAD and `target` the default branch unless given.

    Errors: UnbornBranch, UnknownRevision, NoTarget.
    """
    branch, head_id = head_ref(repo, "HEAD" if head is None else head)
    onto = target_ref(repo, target)
    start = onto.id if base is None else repo.resolve(base)
    bases = repo.merge_bases(start, head_id)
    if base is None and head_id in bases and (there := _unpushed(repo, onto, head_id)):
        return _since(repo, there, Ref(branch, head_id))
    found = Range(local_name(onto.name), onto.id, bases[0] if bases else repo.empty_tree, head_id, branch)
    if head in (None, "HEAD") and base is None and found.base == head_id:
        return _last_step(repo, found)
    return found._replace(incomplete=_doubts(repo, found, start, bases))


def _unpushed(repo: Repository, onto: Ref, head: str) -> Ref | None:
    """The target as the remote has it, where it lies behind the target here and does not hold the head yet."""
    there = repo.first_ref(ORIGIN + onto.name.removeprefix(HEADS)) if onto.name.startswith(HEADS) else None
    if there is None or not repo.is_ancestor(there.id, onto.id) or repo.is_ancestor(head, there.id):
        return None
    return there


def _since(repo: Repository, there: Ref, head: Ref) -> Range:
    """What was committed on the target itself and was not pushed yet: the remote's branch is what it would land on."""
    bases = repo.merge_bases(there.id, head.id)
    short = local_name(there.name).removeprefix(HEADS)
    note = f"{short} here holds {head.id[:12]} already, origin/{short} does not: this is what a push of it would bring."
    base = bases[0] if bases else repo.empty_tree
    found = Range(local_name(there.name), there.id, base, head.id, head.name, notes=(note,))
    return found._replace(incomplete=_doubts(repo, found, there.id, bases))


def head_ref(repo: Repository, revision: str) -> Ref:
    """The head, with the full name of the branch that it was named by, "" for any other revision."""
    name = repo.symref("HEAD") if revision == "HEAD" else revision
    found = None if repo.is_id(revision) else repo.first_ref(*_head_refs(name))
    return Ref(local_name(found.name), found.id) if found else Ref("", repo.resolve(revision))


def _head_refs(name: str) -> tuple[str, ...]:
    if name.startswith("refs/"):
        return (name,) if name.startswith((HEADS, REMOTES)) else ()
    return (HEADS + name, REMOTES + name)


def target_ref(repo: Repository, target: str | None) -> Ref:
    wanted = repo.default_branch() if target is None else target
    if wanted is None:
        raise errors.NoTarget(
            "This repository shows no default branch, so there is nothing to compare with.",
            remedy="Name the branch that the change shall land on with --target.",
        )
    if found := repo.first_ref(*_target_refs(wanted)):
        return found if found.name.startswith((HEADS, REMOTES)) else Ref(found.name, repo.resolve(found.name))
    remedy = f"Fetch it (`git fetch origin {wanted.removeprefix(HEADS)}`), or name another one with --target."
    if wanted == repo.symref("HEAD"):
        raise errors.UnbornBranch(f"The target branch {wanted} has no commit yet.", remedy=remedy)
    raise errors.NoTarget(f"There is no branch {wanted!r} here to land on.", remedy=remedy)


def _target_refs(name: str) -> tuple[str, ...]:
    if name.startswith(HEADS):
        return (name, ORIGIN + name.removeprefix(HEADS))
    return (name,) if name.startswith("refs/") else (HEADS + name, ORIGIN + name, REMOTES + name)


def local_name(ref: str) -> str:
    """The branch that a remote-tracking ref follows; any other ref is itself."""
    parts = ref.split("/", 3)
    return HEADS + parts[3] if ref.startswith(REMOTES) and len(parts) == 4 else ref


def _last_step(repo: Repository, found: Range) -> Range:
    """The target holds the head already, and nobody named a range: its last first-parent step, which is not all of it."""
    parents = repo.run("rev-list", "--parents", "--max-count=1", found.head, "--").out.decode("ascii").split()[1:]
    cut = found.head in repo.shallow_edge()
    return found._replace(
        base=parents[0] if parents else repo.empty_tree,
        incomplete=(_already(found), *(["the parents of the head are cut off by a shallow clone"] if cut else [])),
        notes=("Nothing is left to land: this is what the last step did. Go to the branch of a change, or name one.",),
    )


def _already(found: Range) -> str:
    return f"{found.target.removeprefix(HEADS)} already holds {found.head[:12]}, and only its last step was read"


def _doubts(repo: Repository, found: Range, start: str, bases: Sequence[str]) -> tuple[str, ...]:
    """Why the range may be another one than the change (law 1)."""
    doubts = []
    if not bases:
        doubts.append(f"the head and {start[:12]} share no history")
    if start != found.target_tip and found.base == found.head != start:
        doubts.append(f"the head lies behind the base {start[:12]}: nothing was read")
    if len(bases) > 1:
        doubts.append(f"there are {len(bases)} merge bases: {', '.join(bases)}")
    if start != found.target_tip and bases and not repo.is_ancestor(found.base, found.target_tip):
        short = found.target.removeprefix(HEADS)
        doubts.append(f"the base {found.base[:12]} is not on {short}: what lies before it is not judged")
    if meets_edge(repo, found, start, bases):
        doubts.append("the history between base and head is cut off by a shallow clone")
    return tuple(doubts)


def meets_edge(repo: Repository, found: Range, start: str = "", bases: Sequence[str] = ()) -> bool:
    """Whether a shallow clone has cut the history between base and head, or between `start` and these bases."""
    edge = repo.shallow_edge()
    if not edge:
        return False
    below = bases or [tip for tip in (found.base,) if tip != repo.empty_tree]
    walked = repo.run("rev-list", found.head, *filter(None, [start]), "--not", *below, "--").out.decode("ascii").split()
    return not edge.isdisjoint(walked)


# -- what they changed ------------------------------------------------------------------------------------------------


def read_change(repo: Repository, found: Range) -> ReadChange:
    """The files, commits, merges' own edits and patch ids of a range. What is missing is said, never raised."""
    _refuse_bombs(repo, found)
    with repo.start(*DIFF, "--numstat", found.base, found.head, "--") as counting, repo.cat_file() as objects:
        walk = history.walk(repo, base=found.base, head=found.head, without=(found.target_tip, *found.admitted))
        patch_ids = history.patch_ids(repo, walk.parents)
        own_edits = history.own_edits(repo, walk.parents)
        read, unread = history.read_commits(objects, walk.parents)
        files, lost = _files(repo, found, finish(counting, seconds=COUNTING), objects)
    return ReadChange(files, read, own_edits, patch_ids, (*found.incomplete, *lost, *walk.incomplete, *unread))


def naming(base: str, head: str) -> tuple[str, ...]:
    """The command that lists the changed paths."""
    return ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head, "--")


def _refuse_bombs(repo: Repository, found: Range) -> None:
    """A few kilobytes of trees can name more paths than any machine can hold. Errors: TooLarge."""
    with repo.start(*naming(found.base, found.head)) as running:
        names = within(running, MOST_NAMES)
    if names is None:
        raise errors.TooLarge(
            f"The change names more than {MOST_NAMES >> 20} MiB of paths.",
            remedy="Split it: nobody can judge so much at once.",
        )


def _files(
    repo: Repository, found: Range, counted: Done, objects: CatFile
) -> tuple[tuple[FileChange, ...], tuple[str, ...]]:
    """The files and what is lost of them. Lines that git counts too slowly, or not at all, are counted by us."""
    if counted.code == 0:
        return tuple(_count_rest(objects, parse_diff(counted.out))), ()
    raw = repo.run(*DIFF, found.base, found.head, "--", ok=(0, 128))
    if raw.code:
        return (), (f"the trees of the change cannot be read: {raw.err}",)
    missing = "objects of the change are missing or damaged, so that not all of its lines could be counted"
    return tuple(_count_rest(objects, parse_diff(raw.out))), () if counted.code == STALLED else (missing,)


def parse_diff(output: bytes) -> list[FileChange]:
    """The files in `diff-tree -z --raw [--numstat]`. Where git counted no lines, added is -1.

    MissingObject where a tree names one path twice: it is damaged, and what it holds depends on who reads it.
    """
    tokens = iter(output.split(b"\0")[:-1])
    entries: dict[bytes, tuple[str, str, str, str]] = {}
    counts: dict[bytes, tuple[int, int]] = {}
    for token in tokens:
        if token.startswith(b":"):
            old_mode, new_mode, old_blob, new_blob, _ = token[1:].decode("ascii").split(" ")
            path = next(tokens)
            if path in entries:
                raise errors.MissingObject(
                    f"A tree names {paths.quote(path)} twice.", remedy="The commit is damaged; see `git fsck`."
                )
            entries[path] = (old_mode, old_blob, new_mode, new_blob)
        else:
            added, removed, path = token.split(b"\t", 2)
            counts[path] = (-1, 0) if added == b"-" else (int(added), int(removed))
    return [FileChange(paths.quote(path), *entry, *counts.get(path, (-1, 0))) for path, entry in entries.items()]


def _count_rest(objects: CatFile, files: Sequence[FileChange]) -> Iterator[FileChange]:
    """numstat gives no lines for content with a NUL or over 1 MiB, whatever it is told; we count these ourselves."""
    uncounted = [file for file in files if file.added < 0]
    counted = {blobs.file.path: _counted(blobs) for blobs in _read_blobs(objects, uncounted, FILE_LIMIT, TOTAL_LIMIT)}
    return (counted.get(file.path, file) for file in files)


def _counted(blobs: Blobs) -> FileChange:
    old = _line_counts(blobs.old)
    new = _line_counts(blobs.new)
    added = sum(max(0, count - old.get(line, 0)) for line, count in new.items())
    removed = sum(max(0, count - new.get(line, 0)) for line, count in old.items())
    return blobs.file._replace(added=added, removed=removed)


def _line_counts(data: bytes | None) -> dict[bytes, int]:
    counts: dict[bytes, int] = {}
    for line in (data or b"").split(b"\n"):
        counts[line] = counts.get(line, 0) + 1
    if not data or data.endswith(b"\n"):
        counts[b""] -= 1
    return counts


# -- their contents ---------------------------------------------------------------------------------------------------


def read_blobs(
    repo: Repository, files: Iterable[FileChange], *, limit: int = FILE_LIMIT, total: int = TOTAL_LIMIT
) -> Iterator[Blobs]:
    """Both sides of each file, in order. Larger ones than `limit`, and all once `total` is spent, are not read (law 3)."""
    with repo.cat_file() as objects:
        yield from _read_blobs(objects, files, limit, total)


def _read_blobs(objects: CatFile, files: Iterable[FileChange], limit: int, total: int) -> Iterator[Blobs]:
    remaining = iter(files)
    spent = 0
    while window := list(islice(remaining, FILES_AT_ONCE)):
        sizes = {info.id: info for info in objects.sizes(blob for file in window for blob in _blob_ids(file))}
        reasons = []
        for file in window:
            why, size = _reason(file, sizes, limit)
            spent += size
            reasons.append(why or (f"over {_mebibytes(total)} in all" if spent > total else ""))
        yield from _window(objects, window, reasons)


def _reason(file: FileChange, sizes: dict[str, Info], limit: int) -> tuple[str, int]:
    """Why a file is not read, and how many bytes it takes."""
    if SUBMODULE in (file.old_mode, file.new_mode):
        return "submodule", 0
    infos = [sizes[blob] for blob in _blob_ids(file)]
    if any(not info.type for info in infos):
        return "missing object", 0
    if any(info.size > limit for info in infos):
        return f"over {_mebibytes(limit)}", 0
    return "", sum(info.size for info in infos)


def _window(objects: CatFile, files: Sequence[FileChange], reasons: Sequence[str]) -> Iterator[Blobs]:
    wanted = (blob for file, why in zip(files, reasons, strict=True) if not why for blob in _blob_ids(file))
    contents = objects.read(wanted)
    for file, why in zip(files, reasons, strict=True):
        if why:
            yield Blobs(file, None, None, why)
            continue
        old = next(contents).data if file.exists_before else None
        new = next(contents).data if file.exists_after else None
        damaged = (old is None and file.exists_before) or (new is None and file.exists_after)
        yield Blobs(file, None, None, "missing object") if damaged else Blobs(file, old, new)


def _blob_ids(file: FileChange) -> Iterator[str]:
    for mode, blob in ((file.old_mode, file.old_blob), (file.new_mode, file.new_blob)):
        if mode not in (ABSENT, SUBMODULE):
            yield blob


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.4g} MiB"


def check_totals(files: Iterable[FileChange], blobs: Iterable[Blobs]) -> tuple[str, ...]:
    """The paths whose counted lines are not what their blobs hold, or whose objects are missing: `evidence.incomplete`.

    A file without blobs, or with blobs that were left out for their size, cannot be checked and is not named.
    """
    expected = {file.path: file for file in files}
    return tuple(read.file.path for read in blobs if read.file.path in expected and _differs(read))


def _differs(read: Blobs) -> bool:
    if read.why:
        return read.why == "missing object"
    return read.file.added - read.file.removed != lines(read.new) - lines(read.old)


def lines(data: bytes | None) -> int:
    """Lines as git counts them: up to each newline, and what follows the last one."""
    if not data:
        return 0
    return data.count(b"\n") + (not data.endswith(b"\n"))
