"""The change: what is judged, and the keys it is known by (law 1-6)."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from rules import paths

ABSENT = "000000"
SYMLINK = "120000"
SUBMODULE = "160000"


class FileChange(NamedTuple):
    """One path of the change, as `git diff-tree --raw --no-renames` has it; a rename is two of these (law 2).

    Modes are git's octal text, `ABSENT` where the side does not exist; blobs are full object ids, all zeros where absent.
    Lines are numstat's with `--text`, so that binaries and `-diff` attributes hide none.
    """

    path: str  # git's quoted form, see rules.paths
    old_mode: str
    old_blob: str
    new_mode: str
    new_blob: str
    added: int
    removed: int

    @property
    def exists_before(self) -> bool:
        return self.old_mode != ABSENT

    @property
    def exists_after(self) -> bool:
        return self.new_mode != ABSENT


def content_key(repository: str, target: str, files: Iterable[FileChange]) -> str:
    """Law 2: sha256 over the sorted paths with modes and blobs, the repository and the target ref. 64 hex digits."""
    digest = sha256(f"twohand content v1\0{repository}\0{target}\0".encode("utf-8", "surrogateescape"))
    for raw, file in sorted((paths.unquote(file.path), file) for file in files):
        digest.update(raw + b"\0")
        digest.update(f"{file.old_mode} {file.old_blob} {file.new_mode} {file.new_blob}\0".encode())
    return digest.hexdigest()


def change_id(
    repository: str, target: str, *, number: str = "", branch: str = "", principal: str = "", key: str
) -> str:
    """Law 6: of the forge's number, else of source branch and accountable principal, else the content key. 64 hex digits."""
    if number:
        return _hash("number", repository, target, number)
    if branch and principal:
        return _hash("branch", repository, target, branch, principal)
    return key


def _hash(*parts: str) -> str:
    return sha256("\0".join(("twohand change v1", *parts)).encode("utf-8", "surrogateescape")).hexdigest()
