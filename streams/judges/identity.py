"""The key with which a reviewer signs: made once, enrolled in the policy, kept where only the operator reads (law 19)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from streams.settings_reviewers import Reviewer
from streams.sources import signatures
from streams.sources.errors import SourceError

FOLDER: Final = "reviewers"  # in the git directory's twohand/
TIMEOUT: Final = 20.0  # seconds of one ssh-keygen


class NoIdentity(SourceError):
    """A reviewer without a key that could sign; the text says what to do."""


class Made(NamedTuple):
    """A reviewer's key; `fresh` where it was made just now."""

    file: Path
    line: str  # `type base64`
    fresh: bool


def key_file(reviewer: Reviewer, git_dir: Path) -> Path:
    """Where the private key is, or would be."""
    named = reviewer.signing_key
    return Path(named) if named else git_dir / "twohand" / FOLDER / f"{reviewer.name}.key"


def public_line(reviewer: Reviewer, git_dir: Path) -> str:
    """The public key line, "" where there is no key yet. CannotSign where the file is none."""
    file = key_file(reviewer, git_dir)
    return signatures.key_from_file(file).line if file.is_file() else ""


def choice(reviewer: Reviewer, git_dir: Path) -> signatures.KeyChoice:
    """The key to sign with. CannotSign where there is none."""
    return signatures.key_from_file(key_file(reviewer, git_dir))


def seal(reviewer: Reviewer, git_dir: Path, data: bytes) -> bytes:
    """A signature of the reviewer's. CannotSign where it has no key."""
    return signatures.sign(data, choice(reviewer, git_dir))


def is_sealed(reviewer: Reviewer, git_dir: Path, data: bytes, seal: bytes) -> bool:
    """Whether the reviewer's key made this signature. NoVerifier where nobody can tell, CannotSign where it has no key."""
    signer = signatures.verify(data, seal)
    return signer is not None and signer.key == choice(reviewer, git_dir).line


def enrol(reviewer: Reviewer, git_dir: Path) -> Made:
    """The reviewer's key, made where there was none: ed25519, readable by its owner alone."""
    file = key_file(reviewer, git_dir)
    if file.exists():
        return Made(file, signatures.key_from_file(file).line, fresh=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"twohand {reviewer.name}", "-f", str(file)]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoIdentity(f"No key could be made at {file}: {error}.", remedy=signatures.INSTALL) from error
    if done.returncode or not file.is_file():
        why = done.stderr.decode("utf-8", "replace").strip() or done.stdout.decode("utf-8", "replace").strip()
        raise NoIdentity(f"ssh-keygen made no key at {file}: {why}.", remedy="Name another place by signing_key.")
    return Made(file, signatures.key_from_file(file).line, fresh=True)


def others_may_read(file: Path) -> bool:
    """Whether somebody beside its owner may read the key."""
    return bool(file.stat().st_mode & 0o077) if os.name == "posix" and file.is_file() else False


def block(reviewer: Reviewer, line: str) -> str:
    """The policy's table for this reviewer. It has no operator: the gate runs it itself (DESIGN 5.2)."""
    said = {"model": reviewer.lineage, "maker": reviewer.maker, "family": reviewer.family}
    rows = [f"[agents.{_bare(reviewer.name)}]", f"keys = [{_text(f'{line} {reviewer.name}')}]"]
    rows += [f"{name} = {_text(value)}" for name, value in said.items() if value]
    return "\n".join(rows) + "\n"


def _text(value: str) -> str:
    """A TOML string: JSON's are."""
    return json.dumps(value, ensure_ascii=False)


def _bare(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else _text(name)
