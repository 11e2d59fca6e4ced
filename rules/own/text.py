"""Own rules that look at lines: a pattern that lines lost, or that they won."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import re2

from rules import lines
from rules.findings import Finding
from rules.lines import Line
from rules.own.base import Own
from rules.rule import Edit
from rules.structure import uncommented

MOST_MEMORY = 8 << 20  # bytes that one pattern may take
ENDS = ("\\A", "\\z", "\\Z", "\\C")


def compiled(pattern: str) -> Any:
    """An RE2 pattern over bytes, where `^` and `$` are the ends of a line. ValueError with a sentence."""
    if any(end in pattern for end in ENDS):
        raise ValueError("has \\A, \\z, \\Z or \\C: a line begins with ^ and ends with $")
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = MOST_MEMORY
    try:
        made = re2.compile(b"(?m)" + pattern.encode("utf-8", "surrogateescape"), options)
    except re2.error as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"is no RE2 pattern: {said}") from None
    if made.search(b"") is not None:
        raise ValueError("matches a line that holds nothing")
    return made


def _code(text: bytes) -> bytes:
    """A line without what looks like a comment."""
    if text.startswith((b"*", b"--", b";", b"%", b"<!--", b'"""', b"'''")):
        return b""
    return uncommented(text.decode("latin1")).encode("latin1")


class Lost(Own):
    """A pattern that stood on a line which the change takes away, and on none that it brings."""

    def check(self, edit: Edit) -> Iterator[Finding]:
        if self.is_about(edit):
            for line in self._surplus(edit.removed, edit.changed.added):
                yield self.lost(edit, line.number, self.spec.message)

    def _surplus(self, ours: Iterable[Line], theirs: Iterable[Line]) -> Iterator[Line]:
        """Lines with a match that the other side does not have as often: an edit beside the match is no removal.

        What stands in a comment of the other side stands for nothing.
        """
        spare = Counter(match for line in self._near(theirs) for match in self._matches(_code(line.text)))
        for line in self._near(ours):
            found = Counter(self._matches(line.text))
            if found - spare:
                yield line
            spare -= found

    def _near(self, rows: Iterable[Line]) -> tuple[Line, ...]:
        """All of them, or none where one pass finds the pattern nowhere."""
        kept = tuple(rows)
        joined = b"\n".join(line.text for line in kept)
        return kept if kept and self.matcher.search(joined) is not None else ()

    def _matches(self, text: bytes) -> Iterator[bytes]:
        return (lines.squeeze(match.group(0)) for match in self.matcher.finditer(text))


class Won(Lost):
    """A pattern that stands on a line which the change brings, and on none that it takes away."""

    def check(self, edit: Edit) -> Iterator[Finding]:
        if self.is_about(edit):
            for line in self._surplus(edit.changed.added, edit.changed.removed):
                yield self.came(edit, line.number, self.spec.message)
