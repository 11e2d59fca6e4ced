"""Paths in a commit, found in its tree objects: for a few known paths cheaper than a process of `git ls-tree`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from streams.sources.catfile import CatFile

LARGEST = 64 << 20  # bytes of one tree object that is taken apart
FOLDER, SUBMODULE = b"40000", b"160000"


class Damaged(ValueError):
    """A tree that is missing, too large or none at all; the text says which."""


class Entry(NamedTuple):
    """One row of a tree object."""

    mode: bytes
    name: bytes
    id: str


def blobs_at(objects: CatFile, commit: str, paths: Iterable[bytes], *, width: int) -> dict[bytes, str]:
    """The blobs' ids at these paths, "" where there is none; `width`: bytes of an id. Errors: Damaged.

    Not by `COMMIT:path`: that form cannot hold every path, and does not tell an absent path from a missing object.
    """
    asked = list(paths)
    found = dict.fromkeys(asked, "")
    left = {path: path for path in asked if path}  # what is left of each path below the trees that are passed
    ahead = [(f"{commit}^{{tree}}", left)]
    while ahead:
        tree, below = ahead.pop()
        here = _wanted(objects, tree, below, width) if below else {}
        for path, rest in below.items():
            entry = here.get(rest)
            if entry and entry.mode not in (FOLDER, SUBMODULE):
                found[path] = entry.id
        ahead += [(entry.id, _inside(below, entry.name)) for entry in here.values() if entry.mode == FOLDER]
    return found


def _wanted(objects: CatFile, tree: str, below: Mapping[bytes, bytes], width: int) -> dict[bytes, Entry]:
    names = {rest.partition(b"/")[0] for rest in below.values()}
    return {entry.name: entry for entry in entries(_tree(objects, tree), width) if entry.name in names}


def _inside(below: Mapping[bytes, bytes], folder: bytes) -> dict[bytes, bytes]:
    start = folder + b"/"
    return {path: rest[len(start) :] for path, rest in below.items() if rest.startswith(start) and rest != start}


def _tree(objects: CatFile, name: str) -> bytes:
    (read,) = objects.read([name], LARGEST)
    if read.data is None or read.type != "tree":
        raise Damaged(f"{name} is over {LARGEST >> 20} MiB" if read.type == "tree" else f"{name} is missing")
    return read.data


def entries(tree: bytes, width: int) -> Iterator[Entry]:
    """The rows of a tree object: mode, a space, name, NUL, `width` bytes of id. Errors: Damaged."""
    at = 0
    while at < len(tree):
        end = tree.find(b"\0", at)
        mode, space, name = tree[at:end].partition(b" ")
        at = end + 1 + width
        if end < 0 or not space or at > len(tree):
            raise Damaged("a tree object is damaged")
        yield Entry(mode, name, tree[end + 1 : at].hex())
