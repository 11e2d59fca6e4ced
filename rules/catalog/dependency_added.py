"""The project depends on something new."""

from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from rules import manifests, packaged
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.manifests import Dependency
from rules.patterns import found, pattern
from rules.rule import Change, Diff, Edit, Rule, remembered, visible

_YOUNG = rb"^0\.[01](?:\.\d+)?(?:[^\d.]|$)|^0\.0\."
_IMPORTS = rb"(?:require\s*\(\s*|from\s+|import\s+|use\s+|import\s*\(\s*)[\"']?([@\w./-]{2,100})"
_ELSEWHERE = rb"(?i)^(?:git\+|git:|git@|https?:|github:|file:|link:)|\bgit\s*=|\burl\s*=|@\s*(?:git\+)?https?:"
_MANY = 4  # new names in one change: a project that is set up, or upgraded
_SMALL = 60  # changed lines of code
_REGISTRIES = {
    b"package.json": "npm",
    b"gemfile": "rubygems",
    b"go.mod": "go",
    b"cargo.toml": "crates",
    b"composer.json": "packagist",
}
_OLD = '{\n  "dependencies": {\n    "from": "^1.1.7"\n  }\n}\n'


class DependencyAdded(Rule):
    """The project depends on something new.

    ## What it does
    Names every dependency that a manifest gains. It is a hold where the new one comes from an address instead of the registry, and where a
    small change that is about something else brings a package at its first versions (0.0 or 0.1) and runs it at once. A name one letter
    away from a well-known one is pointed out.

    ## Why it matters
    What is installed runs with everything that the project may do. A young package was read by nobody yet.

    ## Example
    A maintainer adds `flatmap-stream` 0.1.0 for one helper. Three days later its next version steals keys.

    ## What to do instead
    Read the package, its owner and its age before it is added, and write the few lines yourself if that is all it does.
    """

    id, slug, tier, since = "TH604", "dependency-added", Tier.HOLD, "0.1"
    triggers: ClassVar = (rb"\w",)

    HOLDS: ClassVar = (
        (
            Diff("package.json", _OLD, _OLD.replace('"from"', '"tiny-map": "^0.1.0",\n    "from"')),
            Diff("index.js", "a()\n", "a()\nconst m = require('tiny-map')\n"),
        ),
        Diff("package.json", _OLD, _OLD.replace('"from"', '"tool": "git+https://a.example/t.git",\n    "from"')),
        Diff("requirements.txt", "flask==3.0\n", "flask==3.0\ntool @ git+https://a.example/t.git\n"),
    )
    PASSES: ClassVar = (
        Diff("package.json", _OLD, _OLD.replace('"from"', '"express": "^4.1.0",\n    "from"')),
        Diff("package.json", _OLD, _OLD.replace("^1.1.7", "^0.1.0")),
        Diff("requirements.txt", "flask==3.0\n", "flask==3.0\nrequestss==0.1.0\n"),
        Diff("package.json", None, _OLD.replace("^1.1.7", "^0.1.0")),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New names of a manifest that was there before."""
        if (
            not manifests.is_manifest(edit.path)
            or not edit.old.present
            or edit.kind not in {Kind.DATA, Kind.PRODUCTION}
        ):
            return
        new = _new(edit)
        for dependency in new:
            name, version = visible(dependency.name), visible(dependency.version)
            if found(_ELSEWHERE, dependency.version) and not _is_link(edit.path, dependency):
                yield self.came(
                    edit, dependency.line.number, f"`{name}` is taken from an address, not from the registry"
                )
            elif _is_sudden(edit, dependency, len(new)):
                message = f"a small change brings `{name}` at its first versions (`{version}`) and runs it at once"
                yield self.came(edit, dependency.line.number, message)
            elif near := _near(edit.path, dependency.name):
                message = f"`{name}` is new, and one letter away from the well-known `{near}`"
                yield self.came(edit, dependency.line.number, message, tier=Tier.NOTE)
            else:
                yield self.came(edit, dependency.line.number, f"`{name}` is a new dependency", tier=Tier.NOTE)


@remembered
def _new(edit: Edit) -> tuple[Dependency, ...]:
    """Names that no manifest of the change had before."""
    added = manifests.dependencies(edit.path, edit.changed.added)
    return tuple(each for each in added if each.name not in _had(edit.change))


@remembered
def _had(change: Change) -> frozenset[bytes]:
    """Every name in the old manifests of the change."""
    return frozenset(
        dependency.name
        for edit in change.edits
        if manifests.is_manifest(edit.path) and edit.old.present
        for dependency in manifests.dependencies(
            edit.path, tuple(Line(number, text.strip()) for number, text in enumerate(edit.old.lines, 1))
        )
    )


def _is_link(path: bytes, dependency: Dependency) -> bool:
    """Addresses of a project's pages stand as `name = "https://..."` in Python's manifests; no package does."""
    return path.lower().endswith((b".toml", b".cfg")) and dependency.version.startswith(b"http")


def _is_sudden(edit: Edit, dependency: Dependency, count: int) -> bool:
    young = found(_YOUNG, dependency.version) and b"/" not in dependency.name.removeprefix(b"@")
    return young and count < _MANY and _lines(edit.change) <= _SMALL and dependency.name in _imported(edit.change)


@remembered
def _lines(change: Change) -> int:
    return sum(
        len(edit.changed.added) + len(edit.changed.removed) for edit in change.edits if edit.kind is Kind.PRODUCTION
    )


@remembered
def _imported(change: Change) -> frozenset[bytes]:
    """What production code newly imports, as the registry would name it."""
    return frozenset(
        match.group(1).lower().replace(b"_", b"-").split(b".")[0]
        for edit in change.edits
        if edit.kind is Kind.PRODUCTION
        for line in edit.changed.added
        for match in pattern(_IMPORTS).finditer(line.text[:1000])
    )


@lru_cache(maxsize=4096)
def _near(path: bytes, name: bytes) -> str:
    registry = _REGISTRIES.get(manifests.base(path), "pypi" if manifests.base(path) not in _REGISTRIES else "")
    known = _known(registry)
    text = name.decode("utf-8", "replace")
    if text in known or len(text) < 5:
        return ""
    return next((other for other in sorted(known) if len(other) >= 5 and _is_one_edit(text, other)), "")


@lru_cache(maxsize=8)
def _known(registry: str) -> frozenset[str]:
    table = packaged.table("packages.toml")
    return frozenset(name.replace("_", "-") for name in table.get(registry, "").split())


def _is_one_edit(left: str, right: str) -> bool:
    """One letter more, less or other, or two neighbours exchanged."""
    if abs(len(left) - len(right)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    one, other = left[start:], right[start:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:] and len(one) > 1
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or swapped
