"""What git's own configuration of a server means for the gate: refs that are hidden, handed elsewhere or taken unchecked."""

from collections.abc import Iterator
from shlex import quote

from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.hooks.place import KEY, configured, content, place
from streams.sources.git import HEADS, Repository

HIDING = ("transfer.hideRefs", "receive.hideRefs", "uploadpack.hideRefs")
STATEMENTS = "refs/twohand/reviews/"


def examine(repo: Repository) -> Iterator[Check]:
    yield from _pinned(repo)
    yield from _default(repo)
    yield from _hidden(repo)
    yield from _handed_on(repo)
    yield from _work_tree(repo)
    yield from _alternates(repo)
    yield from _told(repo)


def _pinned(repo: Repository) -> Iterator[Check]:
    """On local and ssh pushes git reads the configuration of whoever pushes: only the repository's own goes before it."""
    setting = configured(repo, KEY)
    if setting is None or setting.scope not in {"local", "worktree"}:
        said = (
            "core.hooksPath is not set in this repository: a pusher's own git configuration may name another directory"
        )
        yield Check("core.hooksPath", WARN, said, f"twohand hook install --server -C {quote(str(repo.git_dir))}")


def _default(repo: Repository) -> Iterator[Check]:
    """The default branch is what is protected: a HEAD that names no branch protects nothing."""
    head = repo.symref("HEAD")
    if not head or repo.exists(head):
        return
    others = [name.decode("utf-8", "replace") for name, _ in repo.refs(HEADS)]
    if others:
        likely = next((name for name in others if name in (HEADS + "main", HEADS + "master")), others[0])
        said = f"HEAD names {head}, which has no commit: {likely} is there and is not the default branch, so it is not protected"
        yield Check(
            "default branch", FAIL, said, f"git -C {quote(str(repo.git_dir))} symbolic-ref HEAD {quote(likely)}"
        )
    else:
        said = f"HEAD names {head}: the first push of that branch is the one that counts, and another branch is not protected"
        yield Check(
            "default branch", WARN, said, f"git -C {quote(str(repo.git_dir))} symbolic-ref HEAD refs/heads/NAME"
        )


def _hidden(repo: Repository) -> Iterator[Check]:
    for key in HIDING:
        for value in _hiding(repo, key):
            prefix = value.lstrip("^").rstrip("/") + "/"
            if not value.startswith("!") and STATEMENTS.startswith(prefix):
                said = f"{key} = {value} hides signed statements: nobody can push or fetch them"
                yield Check(
                    "hidden refs", FAIL, said, f"git -C {quote(str(repo.git_dir))} config --add {key} '!refs/twohand'"
                )


def _hiding(repo: Repository, key: str) -> list[str]:
    """All values, those that a later `!` takes back left out."""
    rows = repo.run("config", "--get-all", key, ok=(0, 1)).out.decode("utf-8", "replace").splitlines()
    taken_back = any(row.startswith("!") and STATEMENTS.startswith(row[1:].rstrip("/") + "/") for row in rows)
    return [] if taken_back else rows


def _handed_on(repo: Repository) -> Iterator[Check]:
    handed = _values(repo, "receive.procReceiveRefs")
    if handed:
        said = f"receive.procReceiveRefs = {', '.join(handed)}: after judgement, a proc-receive hook moves those refs, and may move others"
        yield Check("proc-receive", WARN, said, "git config --unset-all receive.procReceiveRefs, or read that hook")
    hook = place(repo).directory / "reference-transaction"
    if content(hook):
        said = f"{hook} is another's: it sees each update after the judgement, and can stop it"
        yield Check("reference-transaction", OK, said)


def _values(repo: Repository, key: str) -> list[str]:
    return repo.run("config", "--get-all", key, ok=(0, 1)).out.decode("utf-8", "replace").splitlines()


def _work_tree(repo: Repository) -> Iterator[Check]:
    if repo.bare:
        return
    rule = repo.config("receive.denyCurrentBranch") or "refuse"
    said = f"this repository has a working tree: commits that are made in it pass no hook (receive.denyCurrentBranch = {rule})"
    yield Check("working tree", WARN, said, "Serve a bare repository: git clone --bare")


def _alternates(repo: Repository) -> Iterator[Check]:
    for line in content(repo.common_dir / "objects/info/alternates").decode("utf-8", "replace").splitlines():
        if line.strip() and not line.startswith("#"):
            said = f"objects are borrowed from {line}: who can take them away there makes this history unreadable"
            yield Check(
                "alternates",
                WARN,
                said,
                f"git -C {quote(str(repo.git_dir))} repack -a -d && rm objects/info/alternates",
            )


def _told(repo: Repository) -> Iterator[Check]:
    if (repo.config("receive.fsckObjects") or repo.config("transfer.fsckObjects")) != "true":
        said = "receive.fsckObjects is not set: git takes malformed objects"
        yield Check("fsck", WARN, said, f"git -C {quote(str(repo.git_dir))} config receive.fsckObjects true")
    nonce = "signed pushes are asked for" if repo.config("receive.certNonceSeed") else "no receive.certNonceSeed"
    options = "are taken" if repo.config("receive.advertisePushOptions") == "true" else "are not taken"
    yield Check("receiving", OK, f"{nonce}; push options {options}")
