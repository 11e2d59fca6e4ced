"""Which policies speak about a change, as texts read from branches, never from the change itself (law 36)."""

import os
from pathlib import Path

from rules import policy
from rules.events import LawText
from streams.settings import Settings
from streams.sources.errors import SourceError
from streams.sources.git import Repository

FILE = b"twohand.toml"
PYPROJECT = b"pyproject.toml"


def laws(repo: Repository, settings: Settings, target_tip: str) -> tuple[LawText, ...]:
    """Floor, default branch, target branch (where its text differs); the built-in default where no branch has one."""
    default = repo.default_branch()
    of_default = _at(repo, "default", repo.resolve(default), default) if default and repo.exists(default) else ()
    of_target = _at(repo, "target", target_tip, "target branch") if target_tip else ()
    texts = {text.text for text in of_default}
    branches = (*of_default, *(text for text in of_target if text.text not in texts))
    return (*_floor(settings), *(branches or (built_in(),)))


def built_in() -> LawText:
    return LawText("built-in", policy.default().source, policy.default_text())


def _floor(settings: Settings) -> tuple[LawText, ...]:
    if not settings.floor:
        return ()
    path = Path(settings.floor)
    try:
        return (LawText("floor", str(path), path.read_text("utf-8")),)
    except (OSError, UnicodeDecodeError) as error:
        return (LawText("floor", str(path), "", problem=f"the floor policy cannot be read: {error}"),)


def _at(repo: Repository, role: str, commit: str, where: str) -> tuple[LawText, ...]:
    """The policy of one branch; two of them in one tree, or one that cannot be read, is none that can be used."""
    try:
        found = repo.tree_blobs(commit, [FILE, PYPROJECT], limit=policy.LARGEST)
    except SourceError as error:
        return (LawText(role, where, "", problem=error.message),)
    texts = {name: _text(data) for name, data in found.items() if data is not None}
    own, project = texts.get(FILE), texts.get(PYPROJECT)
    name = f"{where.removeprefix('refs/heads/').removeprefix('refs/remotes/')}:"
    in_project = project is not None and _mentions(project, name)
    if own is not None and in_project:
        problem = "both twohand.toml and [tool.twohand] in pyproject.toml are there: keep one"
        return (LawText(role, name + "twohand.toml", own, problem=problem),)
    if own is not None:
        return (LawText(role, name + "twohand.toml", own),)
    return (LawText(role, name + "pyproject.toml", project or "", "pyproject.toml"),) if in_project else ()


def _mentions(text: str, name: str) -> bool:
    """Whether a pyproject.toml has the table; a broken one that names it does."""
    try:
        return policy.parse_pyproject(text, name) is not None
    except policy.PolicyInvalid:
        return "twohand" in text


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def working_policy(root: Path) -> LawText | None:
    """The policy of a directory as it lies there, for `policy validate`."""
    for name, form in ((FILE, "twohand.toml"), (PYPROJECT, "pyproject.toml")):
        path = root / os.fsdecode(name)
        if path.is_file():
            return LawText("target", str(path), path.read_text("utf-8", "surrogateescape"), form)
    return None
