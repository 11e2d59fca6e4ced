"""Key pairs of the people of these tests, made by OpenSSH."""

import subprocess
from pathlib import Path

NAMES = ("alice", "bob", "carol", "mallory", "bot")


def make_keys(root: Path, names: tuple[str, ...] = NAMES) -> Path:
    """A key pair for each name. It is slow: the fixture `keys` makes them once for all tests."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", root / name], check=True)
    return root
