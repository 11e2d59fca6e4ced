"""Real git repositories for tests: isolated from the machine's configuration, with fixed and rising dates."""

import os
import subprocess
from pathlib import Path

EPOCH = 1_700_000_000
ALICE = "Alice Doe <alice@example.com>"


class Repo:
    """One real repository at `path`. Paths inside it are text or bytes; revisions and ids are text.

    Nothing of the caller's `GIT_*` variables, home or system configuration reaches these commands. The n-th commit
    is made at `EPOCH + 60 * n` UTC, so that equal steps give equal ids.
    """

    def __init__(self, path: Path, *, bare: bool = False, branch: str = "main", init: bool = True) -> None:
        self.path = path
        self.commits = 0
        path.mkdir(parents=True, exist_ok=True)
        if init:
            self.git("init", "-q", f"--initial-branch={branch}", *(["--bare"] if bare else []))

    @classmethod
    def clone(cls, source: "Repo | Path", path: Path, *options: str) -> "Repo":
        """A clone of `source` through its file:// address, so that `--depth` and `--filter` work."""
        origin = source.path if isinstance(source, Repo) else source
        repo = cls(path, init=False)
        repo.git("clone", "-q", *options, f"file://{origin.resolve()}", ".")
        return repo

    def raw(self, *args: str | bytes, stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """What git printed, byte for byte. `AssertionError` with what git said when it failed."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            env={**self.environment(), **(env or {})},
        )
        if done.returncode:
            message = f"git {args!r} in {self.path}: {done.stderr.decode(errors='replace')}"
            raise AssertionError(message)
        return done.stdout

    def git(self, *args: str | bytes, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        """What git printed, as text without the last newline."""
        return self.raw(*args, stdin=stdin, env=env).decode("utf-8", "surrogateescape").removesuffix("\n")

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return kept | {
            "HOME": str(self.path.parent),
            "XDG_CONFIG_HOME": str(self.path.parent / "no-config"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Alice Doe",
            "GIT_AUTHOR_EMAIL": "alice@example.com",
            "GIT_COMMITTER_NAME": "Alice Doe",
            "GIT_COMMITTER_EMAIL": "alice@example.com",
            "GIT_AUTHOR_DATE": self.date(),
            "GIT_COMMITTER_DATE": self.date(),
            "GIT_ALLOW_PROTOCOL": "file",
            "LC_ALL": "C",
        }

    def date(self) -> str:
        return f"@{EPOCH + 60 * self.commits} +0000"

    def write(self, path: str | bytes, data: str | bytes, *, executable: bool = False) -> None:
        """Writes a file into the working tree, with its directories."""
        full = self.file(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.unlink(missing_ok=True)
        full.write_bytes(data.encode() if isinstance(data, str) else data)
        full.chmod(0o755 if executable else 0o644)

    def link(self, path: str | bytes, target: str) -> None:
        """Writes a symbolic link into the working tree."""
        full = self.file(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.unlink(missing_ok=True)
        full.symlink_to(target)

    def remove(self, path: str | bytes) -> None:
        self.file(path).unlink()

    def file(self, path: str | bytes) -> Path:
        return self.path / os.fsdecode(path)

    def commit(
        self,
        message: str | bytes = "Change",
        *,
        author: str = ALICE,
        committer: str = ALICE,
        sign_key: Path | None = None,
        date: str = "",
    ) -> str:
        """Commits the whole working tree as it is, also when nothing changed; the new commit's id.

        `author` and `committer` are `Name <address>`; `sign_key` is an OpenSSH private key; `date` any date git reads.
        """
        self.commits += 1
        self.git("add", "-A")
        signing = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={sign_key}"] if sign_key else []
        arguments = ["commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-"]
        text = message.encode() if isinstance(message, str) else message
        self.git(
            *signing,
            *arguments,
            *(["-S"] if sign_key else ["--no-gpg-sign"]),
            stdin=text,
            env={**_person("AUTHOR", author), **_person("COMMITTER", committer), **self._dates(date)},
        )
        return self.id("HEAD")

    def commit_raw(self, data: bytes) -> str:
        """Stores `data` as a commit object as it is, malformed or not; its id. No branch moves."""
        return self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=data)

    def branch(self, name: str, start: str = "HEAD") -> None:
        """Makes the branch (or moves it) and checks it out."""
        self.git("checkout", "-q", "-B", name, start)

    def checkout(self, name: str) -> None:
        self.git("checkout", "-q", name)

    def merge(self, *revisions: str, message: str = "Merge", commit: bool = True, options: tuple[str, ...] = ()) -> str:
        """Merges into the current branch, always with a merge commit; HEAD's id. `commit=False` leaves it to be edited."""
        self.commits += 1
        ending = ["-m", message] if commit else ["--no-commit"]
        self.git("merge", "-q", "--no-ff", *ending, *options, *revisions)
        return self.id("HEAD")

    def id(self, revision: str) -> str:
        return self.git("rev-parse", "--verify", revision)

    def _dates(self, date: str) -> dict[str, str]:
        at = date or self.date()
        return {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}


def _person(role: str, text: str) -> dict[str, str]:
    name, _, address = text.partition(" <")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address.removesuffix(">")}
