"""What a pipeline runs is no longer fixed, or is another thing than its name says."""

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules import gate_paths
from rules.findings import Finding, Tier
from rules.lines import Line
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_USES = (
    rb"(?m)^\s*(?:-\s*)?[\"']?uses[\"']?\s*:\s*[\"']?([\w.-]+/[\w./-]+)@([\w./-]+)[\"']?\s*(?:#\s*(?:tag=|pin@)?(\S+))?"
)
_IMAGE = rb"(?im)^\s*(?:-\s*)?(?:image|container)\s*:\s*[\"']?([\w./:-]+?)(?:@(sha256:[0-9a-f]{64}))?[\"']?\s*$|^\s*FROM\s+(?:--\S+\s+)?([\w./:-]+?)(?:@(sha256:[0-9a-f]{64}))?(?:\s+AS\b.*)?$"
_COMMIT = rb"^[0-9a-f]{40}$"
_BRANCH = rb"(?i)^(?:main|master|head|develop|dev|trunk|latest|nightly)$"
_SAME = 100  # uses of one action in one file
_OLD = "      - uses: org/act@" + "1" * 40
_NEW = "      - uses: org/act@" + "2" * 40


class _Use(NamedTuple):
    name: bytes
    ref: bytes
    label: bytes
    line: Line


class ActionUnpinned(Rule):
    """What a pipeline runs is no longer fixed, or is another thing than its label says.

    ## What it does
    Compares the actions, reusable workflows and container images of a pipeline before and after. A pin on a commit or a digest that becomes
    a name is a hold. Another commit under the same version label, which bots leave behind too, and a new one that follows a branch or
    `latest` are notes.

    ## Why it matters
    A tag or a branch is moved by whoever owns it, and what it runs then has your secrets.

    ## Example
    `uses: org/act@<commit> # v2.1.0` becomes `uses: org/act@v2`.

    ## What to do instead
    Pin the commit and write the version beside it; let a bot raise both together.
    """

    id, slug, tier, since = "TH606", "action-unpinned", Tier.HOLD, "0.1"
    triggers: ClassVar = (_USES, _IMAGE)

    HOLDS: ClassVar = (
        Diff(".github/workflows/a.yml", _OLD + " # v2\n", "      - uses: org/act@v2\n"),
        Diff("Dockerfile", "FROM a/b:1@sha256:" + "a" * 64 + "\n", "FROM a/b:1\n"),
    )
    PASSES: ClassVar = (
        Diff(".github/workflows/a.yml", _OLD + " # v2.1.0\n", _NEW + " # v2.1.0\n"),
        Diff(".github/workflows/a.yml", _OLD + " # v2.1.0\n", _NEW + " # v2.1.1\n"),
        Diff(".github/workflows/a.yml", "      - uses: org/act@v2\n", "      - uses: org/act@v3\n"),
        Diff(".github/workflows/a.yml", "", "      - uses: org/act@main\n"),
        Diff("Dockerfile", "FROM a/b:1\n", "FROM a/b:2\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return gate_paths.is_pipeline(edit.path) or _builds(edit.path)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Of every name, the weakest new reference against those that it had."""
        before: dict[bytes, list[_Use]] = defaultdict(list)
        for old in _references(edit.changed.removed):
            before[old.name].append(old)
        for use in _references(edit.changed.added):
            yield from self._moved(edit, use, before.get(use.name, [])[:_SAME])

    def _moved(self, edit: Edit, use: _Use, had: list[_Use]) -> Iterator[Finding]:
        name, fixed = visible(use.name), _is_fixed(use.ref)
        if not fixed and had and all(_is_fixed(old.ref) for old in had):
            message = f"`{name}` was pinned to one content and follows `{visible(use.ref) or 'its name'}` now: its owner can change what runs"
            yield self.came(edit, use.line.number, message)
        elif fixed and _is_relabelled(use, had):
            message = f"`{name}` is another commit now under the same label `{visible(use.label)}`"
            yield self.came(edit, use.line.number, message, tier=Tier.NOTE)
        elif not had and found(_BRANCH, use.ref):
            yield self.came(
                edit,
                use.line.number,
                f"`{name}` follows `{visible(use.ref)}`: its owner can change what runs",
                tier=Tier.NOTE,
            )


def _is_relabelled(use: _Use, had: list[_Use]) -> bool:
    """A full version never moves; a short one such as v4 does so by design."""
    exact = found(rb"\d+\.\d+\.\d+", use.label)
    return (
        exact and bool(had) and all(_is_fixed(old.ref) and old.label == use.label and old.ref != use.ref for old in had)
    )


def _builds(path: bytes) -> bool:
    name = path.lower().rsplit(b"/", 1)[-1]
    return (
        b"dockerfile" in name or name == b"containerfile" or (b"compose" in name and name.endswith((b".yml", b".yaml")))
    )


def _is_fixed(ref: bytes) -> bool:
    return found(_COMMIT, ref) or ref.startswith(b"sha256:")


def _references(lines: tuple[Line, ...]) -> list[_Use]:
    return [use for line in lines for use in (_action(line) or _image(line),) if use is not None]


def _action(line: Line) -> _Use | None:
    match = pattern(_USES).search(line.text)
    return None if match is None else _Use(match.group(1).lower(), match.group(2), match.group(3) or b"", line)


def _image(line: Line) -> _Use | None:
    match = pattern(_IMAGE).search(line.text)
    if match is None:
        return None
    whole, digest = match.group(1) or match.group(3), match.group(2) or match.group(4) or b""
    name, colon, tag = whole.rpartition(b":")
    named = name if colon and b"/" not in tag else whole
    return _Use(named, digest or (tag if named == name else b""), b"", line)
