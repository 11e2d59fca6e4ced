"""What the gate writes down of the refs that it guards, so that `unguarded` can let others pass."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rules.protection import Protection
from streams.hooks.unguarded import FORMAT, NOTE, digest, read


class Grounds(NamedTuple):
    """What a note follows from, besides HEAD."""

    tip: str  # of the default branch
    settings: Path | None  # the file that was fixed at installation
    files: Sequence[Path]  # settings and floor, there or not


def note(git_dir: Path, guards: Protection, known: Iterable[str], grounds: Grounds) -> None:
    """Write down what is guarded; `known` are refs that the gate once saw. Where it cannot be written, nothing is lost."""
    if guards.everything or not grounds.tip:
        return
    rows = [FORMAT, f"head {guards.default}", f"tip {grounds.tip}", f"settings {grounds.settings or ''}"]
    rows += [f"glob {glob}" for glob in guards.globs] + [f"known {name}" for name in sorted(known)]
    try:
        rows += [f"file {digest(str(path))} {path}" for path in grounds.files]
        text = "\n".join(rows).encode()
        if text.count(b"\n") == len(rows) - 1 and _current(git_dir) != text:
            _write(git_dir / NOTE, text)
    except (OSError, ValueError):
        return


def _current(git_dir: Path) -> bytes:
    try:
        return read(str(git_dir / NOTE))
    except FileNotFoundError:
        return b""


def _write(path: Path, text: bytes) -> None:
    """Whole or not at all, also when two pushes write at once."""
    passing = path.with_name(f"{path.name}.{os.getpid()}")
    passing.write_bytes(text)
    passing.replace(path)
