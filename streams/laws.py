"""Which policies speak about a change, as texts read from branches, never from the change itself (law 36)."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from rules import policy
from rules.events import LawText
from rules.judgement import GUESSED
from rules.owners import LOCATIONS
from rules.rule import Rule
from streams.own_rules import own_rules
from streams.settings import Settings
from streams.sources.errors import SourceError
from streams.sources.git import Repository

FILE = b"twohand.toml"
PYPROJECT = b"pyproject.toml"
LIMIT = 4 << 20  # bytes of one of these files


class Governing(NamedTuple):
    """What the branches say about a change: policies, highest first, and the owners file of the target."""

    texts: tuple[LawText, ...]
    owners_file: str = ""
    owners_text: str = ""
    problems: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()  # those of the directories that the policies name
    rules_from: tuple[str, ...] = ()  # branch, directory and digest of each

    @property
    def repository(self) -> str:
        """The `repository` that a policy names, also one that cannot be used: a mistake does not rename a repository."""
        return next((name for text in reversed(self.texts) if (name := _stated(text))), "")


def governing(repo: Repository, settings: Settings, *, default: str | None, target: str, target_tip: str) -> Governing:
    """Floor, default branch, target branch (where its text differs); the built-in default where no branch has one."""
    tip = repo.first_ref(default) if default and default != target else None
    role = "target" if tip and tip.id != target_tip else "default"
    of_target = _branch(repo, target_tip, (role, target))
    higher_role = GUESSED if repo.guesses(default or "") else "default"
    of_default = _branch(repo, tip.id, (higher_role, default or "")) if tip and role == "target" else None
    higher = of_default.texts if of_default else ()
    known = {text.text for text in higher}
    texts = (*higher, *(text for text in of_target.texts if text.text not in known))
    everything = (*_floor(settings), *(texts or (built_in(),)))
    trees = {higher_role: (_short(default or ""), tip.id)} if tip else {}
    here = (_short(target), target_tip)
    own = own_rules(repo, everything, {**trees, role: here}, here)
    return of_target._replace(texts=own.texts, rules=own.rules, rules_from=own.read_from)


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


def _branch(repo: Repository, commit: str, named: tuple[str, str]) -> Governing:
    """Policy and owners file of one branch; a policy that cannot be read is none that can be used."""
    role, where = named
    owners = [location.encode() for location in LOCATIONS]
    try:
        found = repo.tree_blobs(commit, [FILE, PYPROJECT, *owners], limit=LIMIT)
    except SourceError as error:
        return Governing((LawText(role, where, "", problem=error.message),), problems=(error.message,))
    texts = {name: data.decode("utf-8", "surrogateescape") for name, data in found.items() if data is not None}
    owners_file = next((name for name in owners if name in texts), b"")
    law = _law(role, f"{_short(where)}:", texts.get(FILE), texts.get(PYPROJECT))
    return Governing((law,) if law else (), owners_file.decode(), texts.get(owners_file, ""))


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def _law(role: str, name: str, own: str | None, project: str | None) -> LawText | None:
    in_project = project is not None and _mentions(project, name)
    if own is not None and in_project:
        problem = "both twohand.toml and [tool.twohand] in pyproject.toml are there: keep one"
        return LawText(role, name + "twohand.toml", own, problem=problem)
    if own is not None:
        return LawText(role, name + "twohand.toml", own)
    return LawText(role, name + "pyproject.toml", project or "", "pyproject.toml") if in_project else None


def _mentions(text: str, name: str) -> bool:
    """Whether a pyproject.toml has the table; a broken one that names it does."""
    try:
        return policy.parse_pyproject(text, name) is not None
    except policy.PolicyInvalid:
        return "twohand" in text


def _stated(text: LawText) -> str:
    try:
        data = tomllib.loads(text.text)
        data = data["tool"]["twohand"] if text.form == "pyproject.toml" else data
        name = data.get("repository", "")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    return name if isinstance(name, str) else ""


def laws(repo: Repository, settings: Settings, target: str, target_tip: str) -> tuple[LawText, ...]:
    """The policies alone, highest first."""
    return governing(repo, settings, default=repo.default_branch(), target=target, target_tip=target_tip).texts
