"""What many commits changed, in one `diff-tree`: each against its first parent, a root against nothing."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rules import lines, paths
from rules.change import ABSENT, SUBMODULE, FileChange
from rules.rule import Blobs
from streams.sources.catfile import CatFile, Object
from streams.sources.change import DIFF, parse_diff
from streams.sources.git import Repository
from streams.sources.process import STALLED, finish

FILE_LIMIT = 4 << 20  # bytes of one side; rules read no more (rules/scan.py)
COMMIT_BYTES = 64 << 20  # of all blobs of one commit
COMMIT_FILES = 5_000
MERGING = 120.0  # seconds for git to repeat the merges of one batch


class Edge(NamedTuple):
    """A commit and what to compare it with: its first parent, or "" for nothing."""

    commit: str
    parent: str


class Changed(NamedTuple):
    """The files of one commit, lines not counted. `why` says why they are not known."""

    files: tuple[FileChange, ...]
    why: str = ""


NOTHING = Changed(())


def changed(repo: Repository, edges: Sequence[Edge]) -> list[Changed]:
    """The files of each, in order. What git cannot read is said for that commit alone."""
    found = _together(repo, edges)
    if found is not None:
        return found
    return [_alone(repo, edge) for edge in edges]


def _together(repo: Repository, edges: Sequence[Edge]) -> list[Changed] | None:
    asked = "".join(f"{edge.commit} {edge.parent}".rstrip() + "\n" for edge in edges).encode()
    done = finish(repo.start(*DIFF, "--root", "--always", "--stdin", stderr=subprocess.PIPE), asked)
    if done.code:
        return None
    parts = list(_parts(done.out, edges))
    return parts if len(parts) == len(edges) else None


def _parts(output: bytes, edges: Sequence[Edge]) -> Iterator[Changed]:
    """Each commit's part starts with its id as a record of its own."""
    position = 0
    for at, edge in enumerate(edges):
        header = edge.commit.encode() + b"\0"
        if not output.startswith(header, position):
            return
        start = position + len(header)
        following = edges[at + 1].commit.encode() + b"\0" if at + 1 < len(edges) else None
        position = _end(output, start, following)
        yield Changed(tuple(parse_diff(output[start:position])))


def _end(output: bytes, start: int, header: bytes | None) -> int:
    """Where this part ends: records go in pairs `:modes ids status`, path, until one is the next header."""
    if header is None:
        return len(output)
    position = start
    while output.startswith(b":", position):
        position = output.index(b"\0", output.index(b"\0", position) + 1) + 1
    return position


def _alone(repo: Repository, edge: Edge) -> Changed:
    done = finish(repo.start(*DIFF, "--root", "--always", "--stdin"), f"{edge.commit} {edge.parent}".rstrip().encode())
    header = edge.commit.encode() + b"\0"
    if done.code or not done.out.startswith(header):
        said = done.err.splitlines()[-1] if done.err else "git says nothing"
        return Changed((), f"the diff cannot be read: {said}"[:200])
    return Changed(tuple(parse_diff(done.out[len(header) :])))


def own_edits(repo: Repository, merges: Mapping[str, Sequence[str]]) -> dict[str, Changed]:
    """What each merge of two did beyond git's own merge of its parents, compared with the first parent that differs."""
    simple = [commit for commit, above in merges.items() if len(above) == 2]
    edited = _remerged(repo, simple)
    found = {commit: Changed((), "it cannot be told what this merge changed itself") for commit in merges}
    found |= {commit: NOTHING for commit in simple if edited and not edited.get(commit)}
    wanted = [commit for commit in simple if edited and edited.get(commit)]
    for side in (0, 1):
        seen = changed(repo, [Edge(commit, merges[commit][side]) for commit in wanted]) if wanted else []
        for commit, change in zip(wanted, seen, strict=True):
            found[commit] = _joined(found[commit] if side else NOTHING, change, edited[commit])
    return found


def _joined(first: Changed, second: Changed, edited: frozenset[bytes]) -> Changed:
    """The edited files, of the first comparison in which they differ."""
    known = {file.path for file in first.files}
    more = (file for file in second.files if file.path not in known and paths.unquote(file.path) in edited)
    return Changed((*first.files, *more), first.why or second.why)


def _remerged(repo: Repository, merges: Sequence[str]) -> dict[str, frozenset[bytes]]:
    """Merge -> the paths that are not as git would have merged them; empty where git cannot tell."""
    if not merges:
        return {}
    options = ("--no-walk=unsorted", "--remerge-diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=%H")
    done = repo.run(
        "log", *options, "--no-notes", "--no-show-signature", "--no-mailmap", "--ignore-submodules=none", "--stdin",
        stdin="\n".join([*merges, ""]).encode(), ok=range(STALLED, 256), seconds=MERGING,
    )  # fmt: skip
    if done.code:
        return {}
    found: dict[str, set[bytes]] = {}
    commit = ""
    tokens = iter(done.out.split(b"\0"))
    for token in tokens:
        text = token.strip(b"\n")
        if text.startswith(b":"):
            found[commit].add(next(tokens, b""))
        elif text:
            commit = text.decode("ascii", "replace")
            found.setdefault(commit, set())
    return {name: frozenset(seen) for name, seen in found.items()}


def contents(objects: CatFile, change: Changed) -> tuple[Blobs, ...]:
    """Both sides of every file. What is too large, too much or missing is left out and says so."""
    files = change.files[:COMMIT_FILES]
    ids = sorted({blob for file in files for blob in _ids(file)})
    found = {item.id: item for item in objects.read(_affordable(objects, ids), FILE_LIMIT)}
    rest = (Blobs(file, None, None, f"over {COMMIT_FILES} files") for file in change.files[COMMIT_FILES:])
    return (*(_sides(file, found) for file in files), *rest)


def _affordable(objects: CatFile, ids: Sequence[str]) -> Iterator[str]:
    """As many of the blobs as fit into `COMMIT_BYTES` together."""
    if len(ids) < COMMIT_BYTES // FILE_LIMIT:
        yield from ids
        return
    spent = 0
    for info in objects.sizes(ids):
        spent += info.size if info.size <= FILE_LIMIT else 0
        if spent <= COMMIT_BYTES:
            yield info.id


def _ids(file: FileChange) -> Iterator[str]:
    for mode, blob in ((file.old_mode, file.old_blob), (file.new_mode, file.new_blob)):
        if mode not in (ABSENT, SUBMODULE):
            yield blob


def _sides(file: FileChange, found: dict[str, Object]) -> Blobs:
    if SUBMODULE in (file.old_mode, file.new_mode):
        return Blobs(file._replace(added=0), None, None, "submodule")
    whys = [_why(found.get(blob)) for blob in _ids(file)]
    if any(whys):
        return Blobs(file._replace(added=0), None, None, max(whys))
    old = found[file.old_blob].data if file.exists_before else None
    new = found[file.new_blob].data if file.exists_after else None
    return Blobs(_counted(file, old or b"", new or b""), old, new)


def _why(item: Object | None) -> str:
    if item is None:
        return f"over {COMMIT_BYTES >> 20} MiB in all"
    if item.data is None:
        return f"over {FILE_LIMIT >> 20} MiB" if item.type else "missing object"
    return ""


def _counted(file: FileChange, old: bytes, new: bytes) -> FileChange:
    """Lines won and lost, moves inside a file not counted; blank lines neither."""
    difference = lines.compare(old, new)
    return file._replace(added=len(difference.added), removed=len(difference.removed))


def where(files: Sequence[FileChange]) -> list[bytes]:
    return [paths.unquote(file.path) for file in files]
