"""A git repository as we read it: through plumbing, bytes first, deaf to the caller's environment."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from streams.sources import errors, process, refs, trees
from streams.sources.catfile import CatFile
from streams.sources.discovery import Places, discover
from streams.sources.refs import Seen

if TYPE_CHECKING:
    import git

HEADS = "refs/heads/"
REMOTES = "refs/remotes/"
ORIGIN = REMOTES + "origin/"
EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
NOTHING = frozenset(EMPTY_TREES.values())  # the head of a change that deletes its branch
NAMES_AT_ONCE = 500  # refs that one command is asked about
FILE_LIMIT = 8 * 1024 * 1024  # bytes of one file that we read into memory
NO_INDEX = "twohand/no-index"  # a file that never exists: attributes of an index must not steer us


class Ref(NamedTuple):
    """A ref by its real name, symbolic ones resolved, and what it points to."""

    name: str
    id: str


class Repository:
    """One repository. Every git that it starts has a scrubbed environment, an absolute git directory and our options.

    Neither the working tree, the index nor any `.gitattributes` is read by these commands. Revisions are text as users
    type them, ids are full hex ids, ref names are full; names and paths that come out of git are bytes.
    """

    def __init__(self, places: Places, *, quarantine: bool = False) -> None:
        self.git_dir, self.common_dir, self.work_tree, self.bare, self.object_format, self.is_shallow = places
        self.empty_tree = EMPTY_TREES[self.object_format]
        self.null_id = "0" * len(self.empty_tree)
        self._environment = process.environment(os.environ, self.common_dir / "objects" if quarantine else None)
        self._environment["GIT_INDEX_FILE"] = str(self.git_dir / NO_INDEX)
        self._ahead: dict[tuple[str | bytes, ...], subprocess.Popen[bytes]] = {}
        self._reader: CatFile | None = None
        self._seen: Seen | None = None

    @classmethod
    def open(cls, path: Path, *, quarantine: bool = False) -> "Repository":
        """The repository that holds `path`; `quarantine` also reads what receive-pack has not yet taken in.

        Errors: NotARepository, GitMissing.
        """
        return cls(discover(path), quarantine=quarantine)

    @cached_property
    def handle(self) -> "git.Repo":
        """The repository as GitPython has it, for notes, configuration and history; slow to import, never for hooks."""
        from streams.sources.handle import open_handle  # noqa: PLC0415

        return open_handle(self.work_tree or self.git_dir, self.git_dir, self._environment)

    def start(self, *args: str | bytes, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """A running git command. Its working tree is the git directory: none of the checked out files is seen."""
        if running := self._ahead.pop(args, None):
            return running
        places = (f"--git-dir={self.git_dir}", f"--work-tree={self.git_dir}")
        return process.start([*places, *args], env=self._environment, cwd=self.git_dir, stderr=stderr)

    def run(
        self, *args: str | bytes, stdin: bytes = b"", ok: Iterable[int] = (0,), seconds: float | None = None
    ) -> process.Done:
        """A finished git command. GitFailed when its exit code is not among `ok`; after `seconds` it is STALLED."""
        done = process.finish(self.start(*args), stdin, seconds=seconds)
        if done.code not in ok:
            raise failure(args, done)
        return done

    def push(self, remote: str, refspecs: Iterable[str]) -> None:
        """Carries refs to a remote, the one thing for which we talk to another machine. NotPushed with git's own words."""
        environment = self._environment | {name: value for name, value in os.environ.items() if name in process.TALKING}
        del environment["GIT_ALLOW_PROTOCOL"]
        command = [f"--git-dir={self.git_dir}", "push", "--quiet", "--no-verify", "--end-of-options", remote, *refspecs]
        done = process.finish(process.start(command, env=environment, cwd=self.work_tree or self.git_dir))
        if done.code:
            raise errors.NotPushed(
                f"{remote} did not take it: {(done.err or 'it said nothing').rstrip('.')}.",
                remedy=f"It is kept here. Push it when it can be reached: `git push {quote(remote)} 'refs/twohand/*'`.",
            )

    def begin(self, *args: str | bytes) -> None:
        """Starts a command whose answer will be asked for with exactly these arguments, so that git works meanwhile.

        Only for what does not change until then: objects, and refs as they stand now.
        """
        self._ahead[args] = self.start(*args)

    def see(self, names: Iterable[str]) -> None:
        """Inside `one_reader`: list the refs at or below these names now, and let later questions be answered from it."""
        asked = refs.plain(names)
        done = self.run(*refs.command(asked))
        self._seen = refs.seen(asked, done.out, done.err)

    def cat_file(self) -> CatFile:
        """A reader of objects, to be used in `with`; inside `one_reader` it is the same one for all."""
        return self._reader or CatFile(self._cat_file)

    def _cat_file(self) -> subprocess.Popen[bytes]:
        return self.start("cat-file", "--batch-command", "--buffer", stderr=subprocess.DEVNULL)

    @contextmanager
    def one_reader(self) -> Iterator[None]:
        """Inside, everybody who reads objects shares one git. Not for several threads, nor where processes fork."""
        self._reader = CatFile(self._cat_file, lasting=True)
        try:
            yield
        finally:
            self._reader.close()
            self._reader = None
            for running in self._ahead.values():
                running.kill()
                running.communicate()
            self._ahead.clear()
            self._seen = None

    # -- revisions ------------------------------------------------------------------------------------------------

    def resolve(self, revision: str) -> str:
        """The id of the commit that a revision names; a branch goes before a tag of its name.

        Errors: UnbornBranch, UnknownRevision.
        """
        for candidate in (revision,) if self.is_id(revision) else _candidates(revision):
            if found := self._commit(candidate):
                return found
        raise self._unknown(revision)

    def is_id(self, revision: str) -> bool:
        return len(revision) == len(self.null_id) and not set(revision.lower()) - set("0123456789abcdef")

    def _commit(self, revision: str) -> str:
        if "\0" in revision:
            return ""
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        return _line(self.run(*arguments, ok=(0, 1, 128)))

    def _unknown(self, revision: str) -> errors.SourceError:
        head = self.symref("HEAD")
        if revision == "HEAD" and head:
            return errors.UnbornBranch(
                f"The branch {head.removeprefix(HEADS)} has no commit yet.",
                remedy="Commit something first, or name a revision with --head.",
            )
        remedy = "Look for it with `git log --all`; a branch of a remote has to be fetched first."
        if self.is_shallow:
            remedy = "This clone is shallow: run `git fetch --unshallow` (in CI: full depth), then try again."
        return errors.UnknownRevision(f"No commit here is called {revision!r}.", remedy=remedy)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return self.run(*ancestry(ancestor, descendant), ok=(0, 1)).code == 0

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        """All best common ancestors, by id; none for unrelated histories."""
        return tuple(_lines(self.run("merge-base", "--all", one, other, ok=(0, 1))))

    def shallow_edge(self) -> frozenset[str]:
        """The commits whose parents a shallow clone has cut off."""
        if not self.is_shallow:
            return frozenset()
        return frozenset((self.common_dir / "shallow").read_text("ascii").split())

    def root_commit(self, revision: str) -> str:
        """The root of the first-parent chain, which names a repository (law 2). Errors: ShallowEdge, as `resolve`."""
        start = self.resolve(revision)
        root = _lines(self.run("rev-list", "--first-parent", "--max-parents=0", start, "--"))[-1]
        if root in self.shallow_edge():
            raise errors.ShallowEdge(
                "The first commit of this repository is not in this shallow clone.",
                remedy="Run `git fetch --unshallow`, or set `repository` in the policy.",
            )
        return root

    # -- refs -----------------------------------------------------------------------------------------------------

    def refs(self, prefix: str) -> list[tuple[bytes, str]]:
        """Every ref at or below `prefix` (whole path components), sorted by name: (name, id)."""
        return self.refs_and_doubts(prefix)[0]

    def refs_and_doubts(self, prefix: str) -> tuple[list[tuple[bytes, str]], str]:
        """`refs`, and what git says of those that it leaves out because they are broken."""
        if not prefix.startswith("refs/") or refs.PATTERN & set(prefix):
            return [], ""
        if self._seen and self._seen.knows(prefix):
            return self._seen.below(prefix)
        done = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix)
        pairs = (line.split(b" ", 1) for line in done.out.splitlines())
        return [(name, object_id.decode("ascii")) for object_id, name in pairs], done.err

    def first_ref(self, *names: str) -> Ref | None:
        """The first of these full names that exists, symbolic refs resolved (law 4)."""
        asked = [name for name in refs.plain(names) if name != "refs"]
        if not asked:
            return None
        seen = self._listed(tuple(asked))
        name = next((name for name in asked if name in seen.rows), "")
        real, object_id = seen.rows.get(name, ("", ""))
        return Ref(real or name, object_id) if name else None

    def symrefs(self, names: Iterable[str]) -> dict[str, str]:
        """Those of these full names that are symbolic refs, and what each points to, also where that is not there."""
        asked = refs.plain(names)
        rows: dict[str, tuple[str, str]] = {}
        for first in range(0, len(asked), NAMES_AT_ONCE):
            rows |= self._listed(asked[first : first + NAMES_AT_ONCE]).rows
        hidden = {name: self.symref(name) for name in asked if name not in rows and refs.hidden(self.common_dir, name)}
        return {name: real for name in asked if (real := rows.get(name, ("",))[0] or hidden.get(name, ""))}

    def _listed(self, asked: tuple[str, ...]) -> Seen:
        if self._seen and all(map(self._seen.knows, asked)):
            return self._seen
        return refs.seen(asked, self.run(*refs.command(asked)).out, "")

    def symref(self, name: str) -> str:
        """What a symbolic ref points to, in full; "" when it is none."""
        if name == "HEAD" and (found := refs.head(self.git_dir)):
            return found
        if self._seen and name in self._seen.rows:
            return self._seen.rows[name][0]
        return _line(self.run("symbolic-ref", "--quiet", name, ok=(0, 1, 128)))

    def exists(self, ref: str) -> bool:
        """Whether a full ref name is one of ours."""
        if self._seen and self._seen.knows(ref):
            return ref in self._seen.rows
        return "\0" not in ref and self.run("show-ref", "--verify", "--quiet", "--", ref, ok=(0, 1, 128)).code == 0

    def update_ref(self, name: str, new: str, old: str | None = None) -> None:
        """Moves a ref from `old` (all zeros: it must not exist; None: whatever it is). Errors: RefMoved."""
        if not name.startswith("refs/"):
            raise ValueError(f"{name!r} is no full ref name")
        expected = [] if old is None else [old]
        done = self.run("update-ref", "--no-deref", "--end-of-options", name, new, *expected, ok=(0, 1, 128))
        if done.code:
            raise errors.RefMoved(f"{name} was not written: {done.err}.", remedy="Fetch and try again.")

    def default_branch(self) -> str | None:
        """The full name of the branch that changes land on; a remote-tracking ref when no local branch has its name."""
        if self.bare:
            return self.symref("HEAD") or None
        origin = self.symref(ORIGIN + "HEAD")
        names = [origin.removeprefix(ORIGIN)] if origin else []
        names += [self.config("init.defaultBranch"), "main", "master"]
        found = self.first_ref(*(ref + name for name in filter(None, names) for ref in (HEADS, ORIGIN)))
        if found:
            return found.name
        only = self.refs(HEADS)
        return os.fsdecode(only[0][0]) if len(only) == 1 else None

    def config(self, key: str) -> str:
        """One value of git's configuration, "" when it is not set."""
        return _line(self.run("config", "--get", key, ok=(0, 1)))

    def guesses(self, branch: str) -> bool:
        """Whether `default_branch` took a branch of a remote that never said which its default is: anybody may push a `main`."""
        return branch.startswith("refs/remotes/") and not self.symref(ORIGIN + "HEAD")

    # -- objects --------------------------------------------------------------------------------------------------

    def write_blob(self, data: bytes) -> str:
        """Stores a blob as it is; its id."""
        return _line(self.run("hash-object", "-t", "blob", "-w", "--stdin", stdin=data))

    def tree_blob(self, commit: str, path: bytes, *, limit: int = FILE_LIMIT) -> bytes | None:
        """The file (or symbolic link) at `path` in a commit, None when there is none.

        Errors: TooLarge over `limit` bytes, MissingObject when the tree has it and the repository has not.
        """
        return self.tree_blobs(commit, [path], limit=limit)[path]

    def tree_blobs(self, commit: str, paths: Iterable[bytes], *, limit: int = FILE_LIMIT) -> dict[bytes, bytes | None]:
        """`tree_blob` of several paths at the price of one."""
        with self.cat_file() as objects:
            entries = self._entries(objects, commit, paths)
            data = {found.id: found for found in objects.read((blob for blob in entries.values() if blob), limit)}
        for path, blob in entries.items():
            if blob and data[blob].data is None:
                raise _unreadable(path, commit, missing=not data[blob].type)
        return {path: data[blob].data if blob else None for path, blob in entries.items()}

    def _entries(self, objects: CatFile, commit: str, paths: Iterable[bytes]) -> dict[bytes, str]:
        try:
            return trees.blobs_at(objects, commit, paths, width=len(self.null_id) // 2)
        except trees.Damaged as error:
            raise errors.MissingObject(
                f"The tree of {commit} cannot be read: {error}.",
                remedy="Fetch it (a partial clone lacks objects), or repair the repository; see `git fsck`.",
            ) from None


def ancestry(ancestor: str, descendant: str) -> tuple[str, ...]:
    """The command that asks whether one commit is an ancestor of the other."""
    return ("merge-base", "--is-ancestor", ancestor, descendant)


def failure(args: Iterable[str | bytes], done: process.Done) -> errors.GitFailed:
    """The error for a git command that should not have failed."""
    command = " ".join(os.fsdecode(arg) for arg in args)
    return errors.GitFailed(
        f"`git {command}` failed with exit code {done.code}: {done.err or 'it said nothing'}.",
        remedy="Check the repository with `git fsck`; git 2.39 or later is needed.",
    )


def _candidates(revision: str) -> tuple[str, ...]:
    """What a revision may mean, branches first: a tag called `main` must not stand for the branch `main`."""
    if not revision or revision == "HEAD" or revision.startswith(("refs/", "-")) or set("^~:@{ ") & set(revision):
        return (revision,)
    return (HEADS + revision, revision)


def _unreadable(path: bytes, commit: str, *, missing: bool) -> errors.SourceError:
    name = os.fsdecode(path)
    if missing:
        return errors.MissingObject(
            f"{name!r} of commit {commit} is not in this repository's objects.",
            remedy="Fetch it (a partial clone lacks objects), or repair the repository; see `git fsck`.",
        )
    return errors.TooLarge(f"{name!r} of commit {commit} is too large to be read.", remedy="Make the file smaller.")


def _lines(done: process.Done) -> list[str]:
    return os.fsdecode(done.out).splitlines() if done.code == 0 else []


def _line(done: process.Done) -> str:
    return os.fsdecode(done.out).removesuffix("\n") if done.code == 0 else ""
