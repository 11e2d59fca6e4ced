"""New files that stand in the place of others on a disk that ignores case: `src/AUTH/x` beside `src/auth/`."""

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from rules.ancestors import Origin
from streams.sources.git import Repository

AT_ONCE = 500  # directories of one command
MOST = 5_000  # new files that are looked at


def twins(repo: Repository, base: str, added: Sequence[bytes]) -> dict[bytes, tuple[Origin, ...]]:
    """For each new path that differs from what the base has only in case or composition: where it would stand."""
    if base == repo.empty_tree or not added:
        return {}
    looked = added[:MOST]
    listed = _Listed(repo, base)
    listed.read({parent for path in looked for parent in _parents(path)})
    there = {path: listed.resolved(path) for path in looked}
    return {path: (Origin(other, ""),) for path, other in there.items() if other != path}


def _parents(path: bytes) -> Iterable[bytes]:
    parts = path.split(b"/")
    return (b"/".join(parts[:count]) for count in range(len(parts)))


class _Listed:
    """The names in directories of one commit, read as they are needed."""

    def __init__(self, repo: Repository, base: str) -> None:
        self._repo, self._base = repo, base
        self._names: dict[bytes, dict[str, bytes]] = {}

    def read(self, directories: Iterable[bytes]) -> None:
        wanted = sorted(set(directories) - self._names.keys())
        self._names |= {directory: {} for directory in wanted}
        for first in range(0, len(wanted), AT_ONCE):
            asked = [directory + b"/" for directory in wanted[first : first + AT_ONCE] if directory]
            root = [self._list([])] if b"" in wanted[first : first + AT_ONCE] else []
            for path in (path for listing in (*root, *([self._list(asked)] if asked else [])) for path in listing):
                directory, _, name = path.rpartition(b"/")
                self._names.setdefault(directory, {})[_folded(name)] = name

    def _list(self, directories: list[bytes]) -> list[bytes]:
        done = self._repo.run(
            "ls-tree", "-z", "--full-tree", "--name-only", self._base, "--", *directories, ok=(0, 128)
        )
        return done.out.split(b"\0")[:-1]

    def resolved(self, path: bytes) -> bytes:
        """The path with each part as the base writes it."""
        found: list[bytes] = []
        for part in path.split(b"/"):
            directory = b"/".join(found)
            self.read([directory])
            names = self._names[directory]
            found.append(part if part in names.values() else names.get(_folded(part), part))
        return b"/".join(found)


def _folded(name: bytes) -> str:
    return normalize("NFC", name.decode("utf-8", "surrogateescape")).casefold()
