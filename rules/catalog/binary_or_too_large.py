"""Content that no rule can read, and files that changed what they are."""

from collections.abc import Iterator
from typing import ClassVar

from rules import media
from rules.change import ABSENT, SYMLINK
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.rule import Diff, Edit, Rule, visible

GIANT = 10_000  # bytes in one line


class BinaryOrTooLarge(Rule):
    """Content that no rule can read, and files that changed what they are.

    ## What it does
    Reports binaries, submodule and large-file pointers, files over the limits, links and changed file types, files that became executable,
    and lines too long for anybody to read. Common images and fonts, known by their content, are notes.

    ## Why it matters
    What cannot be read cannot be judged, and nobody looks inside a test fixture.

    ## Example
    A compressed file arrives among the test data, and the build unpacks it.

    ## What to do instead
    Let the change build the file from text, or let an owner of the path say where it comes from.
    """

    id, slug, tier, since = "TH202", "binary-or-too-large", Tier.HOLD, "0.1"

    HOLDS: ClassVar = (
        Diff("tests/files/good.xz", None, b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00"),
        Diff("logo.png", None, b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"),
        Diff("lib", "../lib", "/etc", "120000", "120000"),
        Diff("run.py", "print(1)\n", "/bin/sh", "100644", "120000"),
        Diff("model.bin", None, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
    )
    PASSES: ClassVar = (
        Diff("logo.png", None, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"),
        Diff("tool.sh", "echo 1\n", "echo 1\n", "100644", "100755"),
        Diff("a.txt", "a\n", "b\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """At most one finding about what the file is, and one about how long its lines are."""
        why = media.unread(edit)
        if why:
            yield self._whole(edit, f"no rule could read this file: {why}")
        elif SYMLINK in (edit.file.old_mode, edit.file.new_mode):
            yield self._whole(edit, _link(edit))
        elif media.medium(edit.new.data):
            yield self._whole(edit, f"{media.SAID}{media.medium(edit.new.data)}", tier=Tier.NOTE)
        elif edit.file.new_mode == "100755" and edit.file.old_mode != "100755":
            yield self._whole(edit, "this file is executable now", tier=Tier.NOTE)
        if not why and not media.medium(edit.new.data):
            yield from self._giants(edit)
            yield from self._unfit(edit)

    def _whole(self, edit: Edit, message: str, *, tier: Tier | None = None) -> Finding:
        side = "new" if edit.file.exists_after else "old"
        return Finding(self.slug, tier or self.tier, edit.file.path, side, 0, message, "")

    def _unfit(self, edit: Edit) -> Iterator[Finding]:
        if not edit.is_code or not edit.new.language or edit.new.is_fit:
            return
        tier = self.tier if edit.old.present and edit.old.is_fit else Tier.NOTE
        message = "this file nests or runs on too far to be parsed: it is read line by line"
        yield self._whole(edit, message, tier=tier)

    def _giants(self, edit: Edit) -> Iterator[Finding]:
        if len(edit.new.data) < GIANT:
            return
        tier = Tier.HOLD if edit.kind is Kind.PRODUCTION and edit.new.language else Tier.NOTE
        for line in edit.changed.added:
            if len(line.text) > GIANT:
                yield self.came(edit, line.number, f"a line of {len(line.text)} bytes, too long to be read", tier=tier)


def _link(edit: Edit) -> str:
    old, new = visible(edit.old.data), visible(edit.new.data)
    if edit.file.old_mode == edit.file.new_mode:
        return f"the link to `{old}` leads to `{new}` now"
    if edit.file.new_mode == SYMLINK:
        return f"this {'path' if edit.file.old_mode == ABSENT else 'file'} is a link to `{new}` now"
    return f"the link to `{old}` is {'gone' if edit.file.new_mode == ABSENT else 'a file now'}"
