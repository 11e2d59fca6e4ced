"""What every case begins with, made once: keys, a repository with our hooks installed, and a clone of it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from streams.selftest import law
from streams.sources.errors import SourceError

ROOT: Final = Path(__file__).resolve().parents[2]  # where our packages lie
START: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from streams.cli import main; main()"
CART: Final = "src/cart.py"
AUTH: Final = "src/auth/login.py"
HELPERS: Final = "src/accounts/helpers.py"
CHECK: Final = """    if not user.email_verified:
        raise PermissionDenied("unverified")
"""
HELPERS_TEXT: Final = f"""def reset(email, token):
    user = find(email)
    if email != user.email:
        raise PermissionDenied("not yours")
{CHECK}    send(user, token)
"""
WEAKENED: Final = HELPERS_TEXT.replace(CHECK, "")
FILES: Final = {
    CART: "def total(lines):\n    return sum(lines)\n\n\n\n\n\n\nname = 'cart'\n",
    AUTH: "def login(user):\n    check(user)\n    greet(user)\n",
    HELPERS: HELPERS_TEXT,
    "docs/guide.md": "# Guide\n",
    ".github/CODEOWNERS": "/src/auth/ @carol\n",
}
SERVER: Final = {
    "receive.advertisePushOptions": "true",
    "receive.denyDeleteCurrent": "ignore",  # git's own refusals must not hide ours
    "receive.denyCurrentBranch": "ignore",
    "receive.shallowUpdate": "true",
    "receive.certNonceSeed": "selftest",
    "receive.certNonceSlop": "300",
}
FOR_CERTIFICATES: Final = '[identity]\ntrust = ["certificate"]\n'


class Unstaged(SourceError):
    """A case could not be set up, so that nothing is known."""


class Answer(NamedTuple):
    """What a command said."""

    code: int
    out: bytes
    err: str


def start(command: list[str], *, at: Path, env: Mapping[str, str], stdin: bytes = b"") -> Answer:
    """Runs a command with exactly this environment. Errors: Unstaged where there is no such program."""
    try:
        done = subprocess.run(command, cwd=at, env=env, input=stdin, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Unstaged(f"{command[0]} cannot be started: {error}.", remedy=f"Install {command[0]}.") from error
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def ask(command: list[str], *, at: Path, env: Mapping[str, str], stdin: bytes = b"") -> bytes:
    """What a command prints. Errors: Unstaged with its own words where it fails."""
    done = start(command, at=at, env=env, stdin=stdin)
    if done.code:
        shown = " ".join(command)[:200]
        raise Unstaged(f"`{shown}` failed in {at}: {done.err.strip()[-1000:]}.", remedy="Report this as a defect.")
    return done.out


def environment(home: Path) -> dict[str, str]:
    """Nothing of this machine's configuration, and nobody's identity."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def command_line(*arguments: str) -> list[str]:
    """`twohand ARGUMENTS` of this very installation."""
    return [sys.executable, "-I", "-c", START, str(ROOT), *arguments]


class Ground(NamedTuple):
    """`server` has our hooks; `clone` stands on the branch `work` and has no local `main`."""

    home: Path
    server: Path
    clone: Path
    keys: Path
    public: dict[str, str]

    @classmethod
    def made(cls, home: Path, *, settings: str = "") -> Self:
        """Everything anew below `home`, which exists and is empty; `settings` are the operator's."""
        ground = cls(home, home / "server.git", home / "clone", home, _keys(home))
        (home / "settings.toml").write_text(settings)
        env = environment(home) | author("alice")
        ask(["git", "init", "-q", "--bare", "--initial-branch=main", "--template=", "server.git"], at=home, env=env)
        for name, value in _server(home, ground.public).items():
            ask(["git", "config", name, value], at=ground.server, env=env)
        ask(["git", "clone", "-q", "--template=", "server.git", "clone"], at=home, env=env)
        _furnish(ground, env)
        install = ("hook", "install", "--server", "-C", str(ground.server), "--settings", str(home / "settings.toml"))
        ask(command_line(*install), at=home, env=env)
        return ground


def _keys(home: Path) -> dict[str, str]:
    for name in law.NAMES:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / name)]
        ask(command, at=home, env=environment(home))
    return {name: " ".join((home / f"{name}.pub").read_text().split()[:2]) for name in law.NAMES}


def _server(home: Path, public: Mapping[str, str]) -> dict[str, str]:
    """Configuration as a forge would have it; signatures of pushes are known to git for everybody, mallory too."""
    signers = home / "signers"
    signers.write_text("".join(f"{name}@example.com {line}\n" for name, line in public.items()))
    return SERVER | {"gpg.format": "ssh", "gpg.ssh.allowedSignersFile": str(signers)}


def _furnish(ground: Ground, env: Mapping[str, str]) -> None:
    """The first history, which reaches the server before there is a gate."""
    files = {**FILES, "twohand.toml": law.text(ground.public)}
    for name, data in files.items():
        path = ground.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data)
    steps = (
        ("checkout", "-q", "-b", "work"),
        ("add", "-A"),
        ("commit", "-q", "-m", "Start"),
        ("push", "-q", "origin", "work:main"),
        ("remote", "set-head", "origin", "main"),
        ("config", "remote.origin.url", "../server.git"),
    )
    for step in steps:
        ask(["git", *step], at=ground.clone, env=env)


def author(name: str) -> dict[str, str]:
    """The variables by which git knows somebody as author and committer."""
    who, _, address = law.identity(name).partition(" <")
    found = {"NAME": who, "EMAIL": address.removesuffix(">")}
    return {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in found.items()}
