"""A list of what is allowed grew, or a list of what is refused shrank."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps
from rules.findings import Finding, Tier
from rules.lines import Line
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_ALLOWS = (
    rb"(?i)allow|safe|permit|white_?list|trusted|mime|extension|scopes?\b|roles?\b|granted?|public|exempt|anonymous|accept|"
    rb"valid|schemes?\b|protocols?\b|hosts?\b|origins?\b|algorithms?\b|algs?\b|ciphers?\b|methods?\b|skip|ignore|bypass|fillable"
)
_DENIES = (
    rb"(?i)deny|denied|denies|block|black_?list|forbid|forbidden|restrict|reserved|dangerous|sensitive|secret|hidden|unsafe|disallow|"
    rb"exclude|redact|protect|guarded|require|mandatory|filter|private|banned|illegal|invalid|credential|critical|mask"
)
_TEXT = rb"\"((?:[^\"\\]|\\.){1,80})\"|'((?:[^'\\]|\\.){1,80})'|(?:^|[\s,\[({])(:\w{1,40})\b"
_ENTRY = rb"^[\[({]?\s*(?:[\"'][^\"']{1,80}[\"']|[A-Z][\w.]{2,60}|:\w{2,40})\s*(?:=>?\s*(?:\{\}|true|True|1)|:\s*(?:\{\}|true|True|1))?\s*[\])}]?,?$"
_UP = 40  # lines above an entry in which its list is looked for


class ListChanged(Rule):
    """A list of what is allowed grew, or a list of what is refused shrank.

    ## What it does
    Compares the members of constant lists whose name, or whose function's name, says what they are for. It reports members that joined an
    allowing list, and members that left a refusing one.

    ## Why it matters
    The check stands and runs. One more extension, scope or role in its list, and it lets in what it was written to refuse.

    ## Example
    `svg` joins the image types that may be uploaded.

    ## What to do instead
    Leave the list and add the exception where it is needed. If everybody shall have it, let an owner say so.

    ## Why it is general
    It reads the words of the list's own name. Members that only moved within the file count as kept.
    """

    id, slug, tier, since = "TH113", "list-changed", Tier.NOTE, "0.1"
    triggers: ClassVar = (_ALLOWS, _DENIES, rb"(?m)^\s*[\"':][\w./ *+-]{1,80}[\"']?\s*,?\s*$")

    HOLDS: ClassVar = (
        Diff("src/up.py", "ALLOWED_TYPES = ['png', 'jpg']\n", "ALLOWED_TYPES = ['png', 'jpg', 'svg']\n"),
        Diff(
            "src/keys.rb",
            "FILTERED = [\n  'password',\n  'token',\n]\n",
            "FILTERED = [\n  'token',\n]\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("src/up.py", "ALLOWED_TYPES = ['png', 'jpg']\n", "ALLOWED_TYPES = ['jpg', 'png']\n"),
        Diff("src/up.py", "COLOURS = ['red']\n", "COLOURS = ['red', 'blue']\n"),
        Diff("src/up.py", "ALLOWED_TYPES = ['png', 'svg']\n", "ALLOWED_TYPES = ['png']\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present and edit.old.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Members on the line of the list, and members on lines of their own."""
        yield from self._inline(edit)
        for old, lines in ((True, swaps.lost_lines(edit)), (False, swaps.won_lines(edit))):
            mine, other = _members(edit, old=old), _members(edit, old=not old)
            for line in lines:
                if found(_ENTRY, line.text) and mine[line.text] > other[line.text]:
                    yield from self._entry(edit, line, old=old)

    def _inline(self, edit: Edit) -> Iterator[Finding]:
        for swap in swaps.swaps(edit):
            before, after = _texts(swap.old.text), _texts(swap.new.text)
            if not before or len(before) + len(after) < 3:
                continue
            name = f"{swap.old.text[:80].decode('latin1')} {places.function_at(edit, swap.old.number, old=True)}"
            lost, won = before - after, after - before
            if won and not lost and _says(_ALLOWS, name) and not _says(_DENIES, name):
                text = visible(", ".join(sorted(won)).encode())
                yield self.came(edit, swap.new.number, f"what this list allows now includes `{text}`")
            elif lost and not won and _says(_DENIES, name):
                text = visible(", ".join(sorted(lost)).encode())
                yield self.lost(edit, swap.old.number, f"what this list refuses no longer includes `{text}`")

    def _entry(self, edit: Edit, line: Line, *, old: bool) -> Iterator[Finding]:
        name = _list_name(edit, line.number, old=old)
        denies, allows = _says(_DENIES, name), _says(_ALLOWS, name)
        if old and denies:
            yield self.lost(edit, line.number, f"`{visible(line.text)}` left the list `{visible(name.encode())}`")
        elif not old and allows and not denies:
            yield self.came(edit, line.number, f"`{visible(line.text)}` joined the list `{visible(name.encode())}`")


def _says(words: bytes, text: str) -> bool:
    return found(words, text.encode("utf-8", "replace"))


def _texts(text: bytes) -> frozenset[str]:
    hits = pattern(_TEXT).finditer(text)
    return frozenset(next(part for part in hit.groups() if part).decode("utf-8", "replace") for hit in hits)


def _members(edit: Edit, *, old: bool) -> Counter[bytes]:
    return Counter(line.text for line in (edit.changed.removed if old else edit.changed.added))


def _list_name(edit: Edit, number: int, *, old: bool) -> str:
    """The line that opens the list around a line: the first above with less indentation, if it ends with a bracket."""
    side = edit.old if old else edit.new
    indent = _indent(side.line(number))
    for above in range(number - 1, max(number - _UP, 0), -1):
        text = side.line(above)
        if text.strip() and _indent(text) < indent:
            return text.strip()[:120].decode("utf-8", "replace") if text.rstrip()[-1:] in b"[({" else ""
    return ""


def _indent(text: bytes) -> int:
    return len(text) - len(text.lstrip())
