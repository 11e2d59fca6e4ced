"""The interpreter that an installed hook runs: which one, what it needs to find us, and whether it works."""

import compileall
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from streams.hooks.install import NotInstalled
from streams.hooks.script import Fixed

ROOT = Path(__file__).resolve().parents[2]  # where our packages lie
PACKAGES = ("rules", "reviewers", "streams")
PLACES = ("/usr/local/bin", "/usr/bin", "/bin")
TIMEOUT = 30  # seconds
PROBE = """
import sys
from importlib import import_module
if root := sys.argv[1]:
    sys.path.insert(0, root)

from streams.cli import VERSION
from streams.hooks.entry import HOOKS
for name in sys.argv[2:]:
    import_module(HOOKS[name])
import streams
print(VERSION, *streams.__path__, sep="\\n")
"""


class Answer(NamedTuple):
    """What an interpreter says of our packages: `problem` is "" where it works."""

    version: str = ""
    found: Path | None = None
    problem: str = ""


def fix(settings: Path | None) -> Fixed:
    """What is fixed for hooks that this very interpreter will run. NotInstalled where it could not."""
    interpreter = os.path.abspath(sys.executable)  # noqa: PTH100 - a virtual environment is known by the link's own name
    if set("=\n") & set(interpreter + str(settings or "") + str(ROOT)):
        raise NotInstalled(
            f"The path of the interpreter or of the settings holds `=` or a line break: {interpreter!r}, {settings}.",
            remedy="Install twohand under another path.",
        )
    alone = ask(interpreter, "", ())
    packages = "" if alone.found == ROOT / "streams" else str(ROOT)
    if problem := ask(interpreter, packages, ()).problem:
        raise NotInstalled(f"{interpreter} cannot run twohand by itself: {problem}.", remedy="Install twohand again.")
    return Fixed(interpreter, str(settings.absolute()) if settings else "", packages, search_path(), shell())


def ask(interpreter: str, packages: str, names: Sequence[str], *, uid: int | None = None) -> Answer:
    """Start it as a hook would, and import what these hooks run; as another user where `uid` says so and we may."""
    user, group = _as(uid)
    try:
        done = subprocess.run(
            [interpreter, "-I", "-c", PROBE, packages, *names],
            env={"PATH": search_path()}, cwd="/", capture_output=True, text=True, timeout=TIMEOUT, check=False,
            user=user, group=group, extra_groups=None if user is None else [],
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return Answer(problem=str(getattr(error, "strerror", "") or error))
    if done.returncode:
        return Answer(problem=(done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1])
    version, found, *_ = done.stdout.splitlines()
    return Answer(version, Path(found))


def _as(uid: int | None) -> tuple[int | None, int | None]:
    """User and group to start a process as, where it is somebody else and we are root."""
    if uid is None or os.geteuid() != 0 or uid == 0:
        return None, None
    try:
        return uid, pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid, uid


def search_path() -> str:
    """The PATH of a hook: where git and ssh-keygen are now, then the usual places."""
    tools = (shutil.which(tool) for tool in ("git", "ssh-keygen"))
    found = (str(Path(tool).parent) for tool in tools if tool and tool.startswith("/"))
    return ":".join(dict.fromkeys(part for part in (*found, *PLACES) if ":" not in part))


def shell() -> str:
    """/bin/sh, with -p where it knows it: bash then takes no functions and no options out of the environment."""
    done = subprocess.run(["/bin/sh", "-p", "-c", "exit 7"], capture_output=True, check=False, env={})
    return "/bin/sh -p" if done.returncode == 7 else "/bin/sh"


def compiled() -> bool:
    """Compile our packages now, so that the first push does not; whether it could be done."""
    packages = [ROOT / name for name in PACKAGES]
    if not all(os.access(package, os.W_OK) for package in packages):
        return False
    done = [compileall.compile_dir(package, quiet=2, workers=1) for package in packages]
    return all(done)


def owner(directory: Path) -> int | None:
    """As whom the hooks of this directory run where nobody else is known."""
    try:
        return directory.stat().st_uid
    except OSError:
        return None
