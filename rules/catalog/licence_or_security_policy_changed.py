"""The licence, or how to report a weakness, is another or gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import manifests
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found
from rules.rule import Change, Diff, Edit, Rule, remembered

_LICENCE = rb"^(?:un)?licen[cs]e(?:[-_.][\w.-]*)?$|^copying(?:\.\w+)*$|^notice(?:\.(?:md|txt))?$"
_SECURITY = rb"^security(?:\.(?:md|rst|txt|adoc))?$|^security\.txt$|^\.well-known/security\.txt$"
_YEAR = rb"(?i)copyright|\(c\)|\xc2\xa9|^\d{4}|https?://"
_SENTENCE = 3  # blanks; shorter lines are headings
_CODE = (
    b".py",
    b".js",
    b".ts",
    b".go",
    b".rb",
    b".java",
    b".rs",
    b".c",
    b".h",
    b".php",
    b".cs",
    b".kt",
    b".json",
    b".yml",
    b".yaml",
    b".sh",
    b".tsx",
    b".jsx",
)


class LicenceOrSecurityPolicyChanged(Rule):
    """The licence, or how to report a weakness, is another or gone.

    ## What it does
    Holds a licence at the root that is deleted or whose terms change, and a security policy that is deleted. Other years and names in a
    copyright line, new files and edits of a security policy are notes or nothing.

    ## Why it matters
    Whoever uses the project relies on the one, and whoever finds a weakness on the other.

    ## Example
    A change that moves documentation about loses SECURITY.md on the way.

    ## What to do instead
    Change either in a change of its own, with the people who may decide it.
    """

    id, slug, tier, since = "TH525", "licence-or-security-policy-changed", Tier.HOLD, "0.1"

    HOLDS: ClassVar = (
        Diff(
            "LICENSE",
            "MIT License\nPermission is hereby granted to all\n",
            "Permission is hereby granted to some of us\n",
        ),
        Diff("LICENSE.md", "MIT License\n", None),
        Diff(".github/SECURITY.md", "Write to us.\n", None),
    )
    PASSES: ClassVar = (
        Diff("LICENSE", "MIT License\nCopyright (c) 2025 Ann\n", "MIT License\nCopyright (c) 2026 Ann\n"),
        Diff("vendor/a/LICENSE", "MIT License\n", None),
        Diff("SECURITY.md", "Write to us.\n", "Write to them.\n"),
        (Diff("LICENSE.txt", "MIT License\n", None), Diff("LICENSE", None, "MIT License\n")),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """By name, at the root or in the forge's folder."""
        name, depth = manifests.base(edit.path), edit.path.count(b"/")
        if edit.kind is Kind.VENDORED or depth > 1 or name.endswith(_CODE) or not edit.old.present:
            return
        if depth == 0 and found(_LICENCE, name):
            yield from self._licence(edit)
        elif found(_SECURITY, name) and (
            depth == 0 or edit.path.lower().startswith((b".github/", b"docs/", b".well-known/"))
        ):
            if not edit.new.present and not _moved(edit.change, edit.old.data):
                yield self.lost(edit, 0, "the security policy is gone: nobody is told where to report a weakness")
            elif edit.new.present:
                yield self.came(edit, 0, "how to report a weakness is described in other words", tier=Tier.NOTE)

    def _licence(self, edit: Edit) -> Iterator[Finding]:
        if not edit.new.present:
            if not _moved(edit.change, edit.old.data):
                yield self.lost(edit, 0, "the licence is gone")
            return
        lines = (*edit.changed.removed, *edit.changed.added)
        changed = [line for line in lines if not found(_YEAR, line.text) and line.text.count(b" ") >= _SENTENCE]
        words_before, words_after = (b" ".join(side.data.split()) for side in (edit.old, edit.new))
        if changed and words_before != words_after:
            number = next((line.number for line in edit.changed.added if line in changed), 0)
            yield self.came(edit, number, "the terms of the licence are other ones")


@remembered
def _moved(change: Change, data: bytes) -> bool:
    """Whether the same words came to another path."""
    words = b" ".join(data.split())
    return any(
        b" ".join(edit.new.data.split()) == words for edit in change.edits if edit.new.present and not edit.old.present
    )
