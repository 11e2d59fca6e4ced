"""Text that a reader does not see."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules import media
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

GIANT = 10_000  # bytes: a line that nobody reads is held for its length, by another rule


class _Trace(NamedTuple):
    """Byte patterns of UTF-8; `prose` = in prose and data the characters have honest uses."""

    what: str
    text: bytes
    prose: bool


_TRACES = (
    _Trace("characters that turn the direction of the text", rb"\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c", prose=False),
    _Trace("tag characters, which no reader sees", rb"\xf3\xa0[\x80\x81][\x80-\xbf]", prose=False),
    _Trace("variation selectors that select nothing", rb"\xf3\xa0[\x84-\x87][\x80-\xbf]|\xef\xb8[\x80-\x8d]|(?:\xef\xb8[\x8e\x8f]){2}", prose=False),
    _Trace("a variation selector behind plain text", rb"[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f]\xef\xb8[\x8e\x8f]", prose=False),
    _Trace("Hangul fillers, which look like nothing", rb"\xe1\x85[\x9f\xa0]|\xe3\x85\xa4|\xef\xbe\xa0", prose=False),
    _Trace("control characters", rb"[\x00-\x08\x0e-\x1f\x7f]|\xc2[\x80-\x84\x86-\x9f]", prose=False),
    _Trace("a carriage return that hides what stands before it", rb"\r+[^\r\n]", prose=True),
    _Trace("characters without width", rb"\xe2\x80[\x8b\x8c]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xe1\xa0\x8e|\xc2\xad|[\x21-\x7e]\xe2\x80\x8d", prose=True),
    _Trace("a name that mixes look-alike letters of two scripts", rb"(?:^|[^\\%%])[A-Za-z_](?:%(alike)s)|(?:%(alike)s)[A-Za-z_]" % {
        b"alike": rb"\xd0[\x80-\xbf]|\xd1[\x80-\xbf]|\xce[\x91\x92\x95-\x97\x99\x9a\x9c\x9d\x9f\xa1\xa4\xa5\xa7\xbd\xbf]|"
        rb"\xef\xbc[\xa1-\xba]|\xef\xbd[\x81-\x9a]|\xd4[\x80-\xbf]|\xd5[\xa1-\xbf]"
    }, prose=True),
)  # fmt: skip
_ANY = rb"[\x00-\x08\x0e-\x1f\x7f]|[\xc2\xcd-\xcf\xd0\xd1\xd4\xd5\xd8\xe1-\xe3\xef\xf3][\x80-\xbf]|\r"


class HiddenText(Rule):
    """Text that a reader does not see.

    ## What it does
    Looks in added lines, and in paths, for characters that hide or turn text: direction marks, characters without width, tags, variation
    selectors, fillers, control characters, names that mix look-alike letters.

    ## Why it matters
    What is judged must be what is run.

    ## Example
    A comment ends with a mark that turns the direction of the line, and a condition only looks as if it stood there.

    ## What to do instead
    Write such characters as escapes.
    """

    id, slug, tier, since = "TH302", "hidden-text", Tier.HOLD, "0.1"
    triggers: ClassVar = ()  # paths are read as well

    HOLDS: ClassVar = (
        Diff("a.py", "x = 1\n", "x = 1  # \u202e check \u2066\n"),
        Diff("a.py", "x = 1\n", "x = 1  # a\U000e0041\U000e0042\n"),
        Diff("a.js", "let a\n", "let a, \u3164\n"),
        Diff("a.py", "x = 1\n", "x = 1\0\n"),
        Diff("a.py", "admin = 1\n", "\u0430dmin = 1\n"),
        Diff('"a\\342\\200\\256.py"', None, "x = 1\n"),
    )
    PASSES: ClassVar = (
        Diff("a.py", "", "name = '\u0416\u0434\u0438' + '\u03a3'  # \N{SPARKLES}\ufe0f done\n"),
        Diff("po/fa.po", "", 'msgstr "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"\n'),
        Diff("a.py", "", "print('\\n\u0416\u0434\u0438 %s\u0416')\n"),
        Diff("a.txt", "a\r\n", "a\r\nb\r\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Paths first, then the added lines one by one."""
        yield from self._path(edit)
        if media.unread(edit) or media.medium(edit.new.data):
            return
        yield from self._characters(edit)

    def _path(self, edit: Edit) -> Iterator[Finding]:
        for trace in _TRACES:
            if found(trace.text, edit.path):
                yield self._of_path(edit, f"the path holds {trace.what}")

    def _of_path(self, edit: Edit, message: str) -> Finding:
        side = "new" if edit.file.exists_after else "old"
        return Finding(self.slug, self.tier, edit.file.path, side, 0, message, visible(edit.path))

    def _characters(self, edit: Edit) -> Iterator[Finding]:
        if not found(_ANY, edit.new.data):
            return
        honest = edit.kind in {Kind.DOCS, Kind.DATA, Kind.GENERATED, Kind.VENDORED}
        known = [trace for trace in _TRACES if found(trace.text, edit.new.data)]
        for line in edit.changed.added:
            text = line.text.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.text
            for trace in known:
                if found(trace.text, text):
                    tier = Tier.NOTE if (trace.prose and honest) or len(text) > GIANT else self.tier
                    yield self.came(edit, line.number, f"the line holds {trace.what}", tier=tier)
