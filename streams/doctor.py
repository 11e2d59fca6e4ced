"""Whether twohand can do its work here: each check really does what the work needs, and says what to do where it fails."""

import importlib.metadata
import locale
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rules.events import LawText
from rules.judgement import read_laws
from rules.policy import Policy, parse, parse_pyproject
from rules.principals import Principal, Registry
from rules.report import Invalid
from streams import settings
from streams.doctor_alerts import alerts
from streams.doctor_clone import FAIL, OK, WARN, Check, default_branch, history, room, statements, worktrees
from streams.doctor_hooks import hooks
from streams.doctor_kafka import kafka
from streams.doctor_reviewers import reviewers
from streams.engines.journal import Journal
from streams.laws import FILE, PYPROJECT, built_in, laws
from streams.ownership import Ownership, read_file, tree
from streams.reach import doubts, named
from streams.settings import Settings
from streams.sources import process, signatures
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, ORIGIN, Repository

OLDEST_GIT = (2, 39)  # `patch-id --verbatim`; `cat-file --batch-command` is of 2.36
OLDEST_PYTHON = (3, 11)
PACKAGES = ("rules", "reviewers", "streams")
MOST_FILES = 200_000
TIMEOUT = 20  # seconds of one process


class Scene(NamedTuple):
    """The repository that is looked at, with what was found in it so far."""

    repo: Repository
    settings: Settings
    policies: tuple[Policy, ...]
    draft: Path | None = None  # a policy in the working tree that no branch has yet; then `policies` are what it says


def examine(where: Path, explicit: Path | None = None) -> list[Check]:
    """Every check. Never raises: one that breaks down is one that fails."""
    found = [
        check
        for work in (_python, _packages, _own_rules, _git, _signing, _patterns, _structure, _terminal)
        for check in _safe(work)
    ]
    repo = _opened(where, found)
    if repo is None:
        return found
    for look in (history, worktrees, default_branch, statements, hooks, room):
        found += _safe(look, repo)
    scene = _scene(repo, explicit, found)
    for inspect in (_policies, _hands, reviewers, alerts, kafka, _owners, _you, _journal, _writable):
        found += _safe(inspect, scene)
    return found


def _safe(work: Callable[..., Iterable[Check]], *looked_at: Repository | Scene) -> list[Check]:
    name = work.__name__.strip("_").replace("_", " ")
    try:
        return list(work(*looked_at))
    except SourceError as error:
        return [Check(name, FAIL, error.message, error.remedy)]
    except Invalid as error:
        return [Check(name, FAIL, str(error), "twohand policy validate")]
    except BaseException as error:  # ast-grep's PanicException is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return [Check(name, FAIL, f"{type(error).__name__}: {error}", "Please report this.")]


# -- the machine -------------------------------------------------------------------------------------------------------


def _python() -> Iterator[Check]:
    state = OK if sys.version_info[:2] >= OLDEST_PYTHON else FAIL
    remedy = "" if state == OK else "Install Python 3.11 or later."
    yield Check("python", state, f"{platform.python_version()} ({sys.executable})", remedy)


def _packages() -> Iterator[Check]:
    """PyPI's django-rules owns a top-level `rules` too, and pip overwrites silently."""
    owners = importlib.metadata.packages_distributions()
    for name in PACKAGES:
        others = sorted({dist for dist in owners.get(name, []) if dist.lower() != "twohand"})
        if others:
            remedy = "Install twohand alone: `uv tool install twohand` or `pipx install twohand`."
            yield Check("packages", FAIL, f"{', '.join(others)} also installs a package `{name}`", remedy)
            return
    yield Check("packages", OK, "rules, reviewers and streams are twohand's alone")


def _own_rules() -> Iterator[Check]:
    import rules  # noqa: PLC0415

    ours = Path(__file__).resolve().parent.parent / "rules"
    there = [Path(path).resolve() for path in rules.__path__]
    if there == [ours]:
        yield Check("law", OK, str(ours))
    else:
        said = f"`rules` is imported from {there}, not from {ours}"
        yield Check("law", FAIL, said, "Install twohand in an environment of its own.")


def _git() -> Iterator[Check]:
    done = process.finish(process.start(["version"], env=process.environment(os.environ), cwd=Path.cwd()))
    text = done.out.decode("utf-8", "replace").strip()
    state = OK if version_of(text) >= OLDEST_GIT else FAIL
    yield Check("git", state, text, "" if state == OK else "Install git 2.39 or later.")


def version_of(text: str) -> tuple[int, int]:
    """(2, 39) of `git version 2.39.5 (Apple Git-154)`; (0, 0) where there is none."""
    for word in text.split():
        major, _, rest = word.partition(".")
        minor = rest.partition(".")[0]
        if major.isdigit() and minor.isdigit():
            return int(major), int(minor)
    return 0, 0


def _signing() -> Iterator[Check]:
    """Signs with a key that is thrown away, verifies it, and sees that a changed text is refused."""
    with tempfile.TemporaryDirectory(prefix="twohand-") as scratch:
        key = Path(scratch) / "key"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "doctor", "-f", str(key)]
        try:
            subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            yield Check("ssh-keygen", FAIL, f"makes no key: {error}", "Install OpenSSH 8.2 or later.")
            return
        armor = signatures.sign(b"twohand doctor\n", signatures.key_from_file(key))
        good, bad = signatures.verify(b"twohand doctor\n", armor), signatures.verify(b"twohand d0ctor\n", armor)
    if good and not bad:
        yield Check("ssh-keygen", OK, "signs, verifies, and refuses a changed text")
    else:
        yield Check(
            "ssh-keygen",
            FAIL,
            "does not verify what it signed" if not good else "verifies a changed text",
            "Install OpenSSH 8.2 or later.",
        )


def _patterns() -> Iterator[Check]:
    import re2  # noqa: PLC0415

    from rules.patterns import found  # noqa: PLC0415

    works = found(rb"(?i)pass\w+", b"a PASSWORD \xff") and not found(rb"^token$", b"tokens")
    version = importlib.metadata.version("google-re2")
    remedy = "" if works else "Reinstall google-re2."
    yield Check(
        "google-re2",
        OK if works else FAIL,
        f"{version} {'finds' if works else 'does not find'} ({re2.__name__})",
        remedy,
    )


def _structure() -> Iterator[Check]:
    from ast_grep_py import SgRoot  # noqa: PLC0415

    node = SgRoot("def f():\n    if not ok:\n        raise Denied\n", "python").root().find(kind="if_statement")
    version = importlib.metadata.version("ast-grep-py")
    if node is None:
        yield Check("ast-grep", FAIL, f"{version} reads no Python", "Reinstall ast-grep-py.")
    else:
        yield Check("ast-grep", OK, f"{version} reads the structure of code")


def _terminal() -> Iterator[Check]:
    encoding = (sys.stdout.encoding or "none").lower()
    said = f"output is {encoding}, file names are {sys.getfilesystemencoding()}, locale {locale.setlocale(locale.LC_CTYPE)}"
    wide = encoding.replace("-", "") == "utf8"
    remedy = "" if wide else "Set LANG=C.UTF-8 or PYTHONUTF8=1: names and paths are shown with escapes otherwise."
    yield Check("terminal", OK if wide else WARN, said, remedy)


# -- the repository ----------------------------------------------------------------------------------------------------


def _opened(where: Path, found: list[Check]) -> Repository | None:
    try:
        repo = Repository.open(where)
    except SourceError as error:
        found.append(Check("repository", FAIL, error.message, error.remedy))
        return None
    kind = "bare" if repo.bare else f"working tree {repo.work_tree}"
    found.append(Check("repository", OK, f"{repo.common_dir} ({kind}, {repo.object_format})"))
    return repo


def _scene(repo: Repository, explicit: Path | None, found: list[Check]) -> Scene:
    try:
        chosen = settings.load(explicit, repo.common_dir, os.environ)
        found.append(Check("settings", OK, chosen.source or f"none found, defaults hold (engine {chosen.engine})"))
    except Invalid as error:
        found.append(Check("settings", FAIL, str(error), "Correct the file that is named, or take it away."))
        chosen = Settings()
    policies = tuple(_usable(repo, chosen))
    draft = _draft(repo) if policies and policies[-1].source == built_in().source else None
    return Scene(repo, chosen, tuple(_drafted(draft)) if draft else policies, draft)


def _draft(repo: Repository) -> Path | None:
    """The file of the working tree that holds a policy."""
    root = repo.work_tree
    for path in (root / FILE.decode(), root / PYPROJECT.decode()) if root else ():
        if path.is_file() and (path.name == FILE.decode() or b"[tool.twohand" in path.read_bytes()):
            return path
    return None


def _drafted(path: Path) -> Iterator[Policy]:
    read = parse if path.name == FILE.decode() else parse_pyproject
    try:
        if found := read(path.read_bytes(), str(path)):
            yield found
    except (Invalid, OSError):
        return


def _tip(repo: Repository) -> str:
    branch = repo.default_branch()
    return repo.resolve(branch) if branch and repo.exists(branch) else ""


def _texts(repo: Repository, chosen: Settings) -> tuple[LawText, ...]:
    tip = _tip(repo)
    return laws(repo, chosen, repo.default_branch() or "", tip) if tip else (built_in(),)


def _usable(repo: Repository, chosen: Settings) -> Iterator[Policy]:
    try:
        yield from (law.policy for law in read_laws(_texts(repo, chosen)) if law.policy)
    except SourceError:
        return


def _policies(scene: Scene) -> Iterator[Check]:
    if scene.draft:
        yield _written(scene, scene.draft)
        return
    for law in read_laws(_texts(scene.repo, scene.settings)):
        if law.policy is None:
            mistakes = "; ".join(map(str, law.problems[:3]))
            yield Check(
                "policy",
                FAIL,
                f"{law.text.source} is not valid, so every change is blocked: {mistakes}",
                "twohand policy validate",
            )
        elif law.text.role == "built-in":
            yield Check(
                "policy", WARN, "no branch has one: the built-in policy holds, and it enrols nobody", "twohand init"
            )
        else:
            yield Check("policy", OK, f"{law.text.source} ({law.text.role}), digest {law.policy.digest[:12]}")


def _written(scene: Scene, path: Path) -> Check:
    """A policy that lies in the working tree counts for nothing yet."""
    branch = (scene.repo.default_branch() or "").removeprefix(HEADS).removeprefix(ORIGIN) or "the default branch"
    if not scene.policies:
        return Check("policy", FAIL, f"{path} is not valid, and not committed on {branch}", "twohand policy validate")
    said = (
        f"{path} is written, and not committed on {branch}: until then the built-in policy holds, and it enrols nobody"
    )
    remedy = f"git switch {branch} && git add {path.name} && git commit -m 'Ask for a second hand' -- {path.name}"
    return Check("policy", WARN, said, remedy if " " not in branch else f"Commit it on {branch}.")


def _hands(scene: Scene) -> Iterator[Check]:
    """Whether those whom the policy asks for have keys to answer with."""
    enrolling = [policy for policy in scene.policies if policy.source != built_in().source]
    tip = _tip(scene.repo)
    file = read_file(scene.repo, tip) if tip else None
    found = list(dict.fromkeys(doubt for policy in enrolling for doubt in doubts(policy, file)))
    remedy = (
        "Collect the .pub lines before it is committed."
        if scene.draft
        else "Add .pub lines to `keys` in twohand.toml, and who has one to [owners] fallback."
    )
    yield from (Check("hands", WARN, doubt, remedy) for doubt in found)
    if enrolling and not found:
        keyed = [name for name, one in enrolling[-1].people.items() if one.active and one.keys]
        alone = '; alone, so that decisions are stamped "not independent"' if len(keyed) == 1 else ""
        yield Check("hands", OK, f"every requirement has somebody with a key to meet it: {named(keyed)}{alone}")


def _owners(scene: Scene) -> Iterator[Check]:
    tip = _tip(scene.repo)
    if not tip or not scene.policies:
        return
    file = read_file(scene.repo, tip)
    owned = Ownership(scene.policies[-1], file, scene.repo.default_branch() or "")
    guarded = [row for row in owned.answers(tree(scene.repo, tip, most=MOST_FILES)) if row.guarded]
    nobody = [row for row in guarded if not row.people]
    name = file.name if file else "no owners file"
    if nobody:
        yield Check(
            "owners",
            WARN,
            f"{name}: {_many(len(nobody), 'guarded file')} without anybody to answer for it",
            "twohand owners",
        )
    elif unreachable := owned.unreachable():
        yield Check(
            "owners",
            WARN,
            f"{name}: {_many(len(unreachable), 'owner')} named there who cannot be reached",
            "twohand owners",
        )
    elif file and file.problems:
        yield Check("owners", WARN, f"{name}: {_many(len(file.problems), 'line')} to look at", "twohand owners")
    else:
        yield Check("owners", OK, f"{name}; {_many(len(guarded), 'guarded file')}, each with somebody to answer for it")


def _you(scene: Scene) -> Iterator[Check]:
    """Who git says is here, whether policy knows them, and whether one of their keys lies ready."""
    email = scene.repo.config("user.email")
    if not email:
        yield Check("you", WARN, "git does not know who you are", "git config --global user.email YOU@EXAMPLE.COM")
        return
    if not scene.policies:
        return
    known = [found for policy in scene.policies if (found := Registry(policy).by_email(email))]
    if not known:
        yield Check(
            "you", WARN, f"{email} is nobody in the policy", "Enrol yourself under [people.NAME] in twohand.toml."
        )
        return
    yield from _your_key(scene, known[0], email)


def _your_key(scene: Scene, principal: Principal, email: str) -> Iterator[Check]:
    policy = next(policy for policy in scene.policies if Registry(policy).by_email(email))
    groups = (policy.people, policy.agents, policy.services)
    keys = [key.line for group in groups for name in principal.names if name in group for key in group[name].keys]
    who = f"{principal.name} ({email})"
    if not keys:
        yield Check(
            "you",
            WARN,
            f"{who} has no key in the policy, so nothing that you sign counts",
            "Put your .pub line under your name in twohand.toml.",
        )
        return
    with tempfile.TemporaryDirectory(prefix="twohand-") as scratch:
        try:
            key = signatures.find_key(keys, {"user.signingkey": scene.repo.config("user.signingkey")}, Path(scratch))
        except SourceError as error:
            yield Check("you", WARN, f"{who}: {error.message}", error.remedy)
        else:
            yield Check("you", OK, f"{who}, key {key.found}")


def _journal(scene: Scene) -> Iterator[Check]:
    path = scene.repo.common_dir / "twohand" / "journal.db"
    if not path.exists():
        yield Check("journal", OK, f"none yet; `twohand review` makes {path}")
        return
    with Journal(path) as journal:
        size, broken, root = journal.size(), journal.broken_row(), journal.root()
    if broken:
        remedy = "Restore it from a backup, or move it away: a new one starts without its history."
        yield Check("journal", FAIL, f"{path}: row {broken[0]} is broken: {broken[1]}", remedy)
    else:
        yield Check("journal", OK, f"{path}: whole, {_many(size, 'event')}")
    if root:
        until = ", and it counts once it is committed" if scene.draft else ""
        yield Check("root of trust", OK, f"{root[1]}, digest {root[0][:12]}, accepted {root[2]}{until}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _writable(scene: Scene) -> Iterator[Check]:
    """Whoever can write the repository's files can replace its hooks and its journal."""
    for path in (scene.repo.common_dir, scene.repo.common_dir / "hooks", scene.repo.common_dir / "twohand"):
        if path.is_dir() and path.stat().st_mode & 0o002:
            yield Check("files", FAIL, f"{path} can be written by everybody on this machine", f"chmod o-w {path}")
            return
    yield Check("files", OK, "not writable by everybody")
