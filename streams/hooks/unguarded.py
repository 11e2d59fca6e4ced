"""Pushes that touch nothing the gate guards: known from what the gate wrote down when it last read the policies.

Reading policies takes the law's modules; most pushes go to other branches and should cost nothing. So the gate notes which
refs it guards, beside everything that this follows from: HEAD, the tip of the default branch, the settings and the floor.
Where one of these is no longer the same, or anything is odd, nobody answers here, and the policies are read again.
"""

from __future__ import annotations

from rules.refnames import covered

TYPE_CHECKING = False  # not from typing, which takes as long as the interpreter
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import Final

FORMAT: Final = "twohand guards 1"  # another number, where policies come to mean another protection
NOTE: Final = "twohand/guarded"  # in the git directory
PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_+=.@#,")
OURS: Final = (b"refs/twohand/", b"refs/replace/")
LARGEST: Final = 1 << 20  # bytes of a note, or of a file that it follows from


def unguarded(git_dir: str, settings: Path | None, lines: Iterable[bytes]) -> bool:
    """Whether every ref of this push is one that the gate does not look at; False wherever that is not certain."""
    try:
        found = read(f"{git_dir}/{NOTE}").decode().split("\n")
        names = [_name(git_dir, line) for line in lines]
        return _fresh(git_dir, found, settings) and not any(map(_guards(found), names))
    except (OSError, ValueError, IndexError):
        return False


def _name(git_dir: str, line: bytes) -> str:
    """The ref of a line. ValueError where it is not a plain name, is ours, or is symbolic."""
    name = line.rstrip(b"\n").split(b" ", 2)[2]
    if not name.startswith(b"refs/") or name.lower().startswith(OURS) or b".." in name or not PLAIN.issuperset(name):
        raise ValueError(name)
    try:
        symbolic = read(f"{git_dir}/{name.decode()}").startswith(b"ref:")
    except FileNotFoundError:
        symbolic = False  # new, or packed: git packs no symbolic ref
    if symbolic:
        raise ValueError(name)
    return name.decode()


def _guards(found: Sequence[str]) -> Callable[[str], bool]:
    rows = [row.partition(" ")[::2] for row in found[1:]]
    known = {value for key, value in rows if key == "known"}
    default, globs = rows[0][1], [value for key, value in rows if key == "glob"]
    return lambda name: name in known or covered(name, default, globs)


def _fresh(git_dir: str, found: Sequence[str], settings: Path | None) -> bool:
    """Whether everything that the note follows from is still the same."""
    head = found[1].removeprefix("head ")
    files = (row.split(" ", 2)[1:] for row in found if row.startswith("file "))
    return (
        found[0] == FORMAT
        and read(f"{git_dir}/HEAD") == f"ref: {head}\n".encode()
        and found[2:4] == [f"tip {_tip(git_dir, head)}", f"settings {settings or ''}"]
        and all(digest(path) == known for known, path in files)
    )


def _tip(git_dir: str, ref: str) -> str:
    """Where a branch stands, loose or packed; "" where neither says so, and where another format holds the refs."""
    try:
        return read(f"{git_dir}/{ref}").decode().strip()
    except FileNotFoundError:
        packed = b"\n" + read(f"{git_dir}/packed-refs", most=1 << 26)
        before, found, _ = packed.partition(f" {ref}\n".encode())
        return before.rpartition(b"\n")[2].decode() if found else ""


def digest(path: str) -> str:
    """The sha256 of a file; `-` where there is none."""
    try:
        data = read(path)
    except FileNotFoundError:
        return "-"
    from hashlib import sha256  # noqa: PLC0415 - loads OpenSSL, only where there are settings

    return sha256(data).hexdigest()


def read(path: str, most: int = LARGEST) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs half as much as the interpreter
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(path)
    return data
