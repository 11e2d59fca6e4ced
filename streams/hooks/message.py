"""prepare-commit-msg: the agent of this environment is written into the message, so that honesty costs nothing (law 8).

It is a record and no gate: what it writes is text that anybody can remove, so it may add suspicion and can prove
nothing (law 10). A commit is therefore never stopped by it: whatever goes wrong is one line of warning and exit code 0.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rules import messages
from rules.claims import Claim
from rules.commits import NOBODY, Commit, Ident
from streams.hooks import draft, marks
from streams.hooks.entry import Called

LONGEST: Final = 1 << 20  # bytes of a message
_OTHERS: Final = ("CHERRY_PICK_HEAD", "rebase-merge", "rebase-apply")  # git repeats commits that somebody made before
_KEYS: Final = r"^(core\.comment(char|string)|commit\.cleanup|twohand\.operator)$"


def run(called: Called) -> int:
    """Always 0. `called.args` is what git says: the file, and where its message comes from."""
    agents = messages.environment_claims(os.environ)
    if not agents or not called.args or called.args[1:2] == ("template",):
        return 0
    try:
        _record(Path(called.args[0]), agents)
    except Exception as error:  # noqa: BLE001 - a record that cannot be made stops nobody's work
        print(f"warning: twohand did not record the agent in this message: {error}", file=sys.stderr)
    return 0


def _record(path: Path, agents: tuple[Claim, ...]) -> None:
    if _repeats(path):
        return
    data = path.read_bytes()
    if len(data) > LONGEST:
        raise ValueError("it is over 1 MiB")
    config = _config()
    message = _draft(data, config)
    if message.is_empty():
        return
    told = marks.missing(agents, messages.claims(_commit(message)), _operator(config))
    if told:
        _write(path, message.with_trailers(line.encode() for line in told))


def _repeats(path: Path) -> bool:
    """Whether this commit is another's, picked or rebased: who carries it does not make it. The file lies in the git directory."""
    places = {path.parent, Path(os.environ.get("GIT_DIR") or path.parent)}
    return any((place / name).exists() for place in places for name in _OTHERS)


def _draft(data: bytes, config: dict[str, bytes]) -> draft.Draft:
    """git sets GIT_EDITOR to `:` where no editor follows; comments are then part of the message, unless it strips them.

    With `commit.cleanup = scissors` they are part of it as well: git writes its own below the line.
    """
    cleanup = config.get("commit.cleanup")
    strips = cleanup == b"strip" or (os.environ.get("GIT_EDITOR") != ":" and cleanup != b"scissors")
    comment = config.get("core.commentstring") or config.get("core.commentchar") or b"#"
    return draft.read(data, comment=comment, strips=strips)


def _commit(message: draft.Draft) -> Commit:
    """The message as our readers take it: a commit that is not made yet."""
    text = message.text().decode("utf-8", "surrogateescape")
    return Commit("", "", (), _author(), NOBODY, "", b"", text, ())


def _author() -> Ident:
    """Who git will write as the author: told by `git commit`, asked for a merge."""
    name, email = os.environ.get("GIT_AUTHOR_NAME", ""), os.environ.get("GIT_AUTHOR_EMAIL", "")
    if not name and not email:
        line = _git("var", "GIT_AUTHOR_IDENT").decode("utf-8", "surrogateescape")
        name, _, rest = line.partition(" <")
        email = rest.partition(">")[0]
    return Ident(name, email, 0, "")


def _config() -> dict[str, bytes]:
    """git's own view, `git -c` included: this is the caller's machine, and it is the caller's message."""
    rows = (row.partition(b"\n") for row in _git("config", "-z", "--get-regexp", _KEYS).split(b"\0") if row)
    return {key.decode("ascii", "replace"): value for key, _, value in rows}


def _operator(config: dict[str, bytes]) -> str:
    value = config.get("twohand.operator", b"").decode("utf-8", "replace").strip()
    if value and not (value.isprintable() and value.endswith(">") and "<" in value and "@" in value):
        print("warning: twohand.operator is not used: write it as `Name <address>`", file=sys.stderr)
        return ""
    return value


def _git(*args: str) -> bytes:
    return subprocess.run(["git", *args], capture_output=True, check=False, timeout=5).stdout


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a full disk must not cost anybody their message."""
    beside = path.with_name(f"{path.name}.twohand")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
