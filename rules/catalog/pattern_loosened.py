"""A pattern that decides what is acceptable is another one."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_PATTERN = (
    rb"(?i)regexp?\b|\bre\.(?:compile|match|fullmatch|search)|MustCompile|Pattern\.compile|preg_match|=~|!~|RegExp\(|\.test\(|\.match\w*\(|"
    rb"Regex(?:p|\(|\.)|\b\w*_(?:re|regex|regexp|pattern)\b|(?-i:[a-z](?:Regex|Regexp|Pattern|RE)\b)|%r[{!/]|=\s*/[^/*].*/[a-z]*[;,]?$"
)
_SPEAKS = rb"(?i)valid|allow|deny|block|safe|host|origin|redirect|url|uri|path|name|mail|domain|scheme|traversal|invalid|illegal|forbid|bad|token|header|key|slug|local|private|internal|trust|media|mime|charset"
_LOOSER = (rb"\\A|\\z|\\Z|\^|\$", rb"\\b", rb"fullmatch", rb"\{\d*,\d+\}")


class PatternLoosened(Rule):
    """A pattern that decides what is acceptable is another one.

    ## What it does
    Compares the regular expressions of the lines that changed. It reports one that belongs to a check by its name or its function; that it
    lost an anchor, a limit or a full match is said.

    ## Why it matters
    A pattern is a check in one word. Without its `$` it accepts everything that only begins well.

    ## Example
    `fullmatch(r'[a-z.]+', host)` becomes `match(r'[a-z.]+', host)`.

    ## What to do instead
    Keep the old pattern beside the new one in a test, with what it refused.

    ## Why it is general
    It knows how languages write patterns, and the words of what patterns check: hosts, paths, addresses, names.
    """

    id, slug, tier, since = "TH115", "pattern-loosened", Tier.HOLD, "0.1"
    triggers: ClassVar = (_PATTERN,)

    HOLDS: ClassVar = (
        Diff(
            "src/hosts.py",
            "def allowed(host):\n    return re.fullmatch(r'[a-z.]+', host)\n",
            "def allowed(host):\n    return re.match(r'[a-z.]+', host)\n",
        ),
        Diff(
            "web/hosts.go",
            "package web\n\nvar validHost = regexp.MustCompile(`^[a-z0-9.]{1,253}$`)\n",
            "package web\n\nvar validHost = regexp.MustCompile(`^[a-z0-9.]+`)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("src/a.py", "SPLIT = re.compile(r',')\n", "SPLIT = re.compile(r'[,;]')\n"),
        Diff(
            "src/hosts.py",
            "def allowed(host):\n    return re.match(r'[a-z.]+', host)\n",
            "def allowed(name):\n    return re.match(r'[a-z.]+', name)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Changed patterns of checks."""
        for swap in swaps.swaps(edit):
            if not (found(_PATTERN, swap.old.text) and found(_PATTERN, swap.new.text)) or not _differs(swap):
                continue
            at = places.where(edit, swap.old.number)
            said = f"{swap.name} {at}".encode("utf-8", "replace") + b" " + swap.old.text[:60]
            if found(_SPEAKS, said) or vocabulary.is_guarding(at):
                yield self.lost(
                    edit,
                    swap.old.number,
                    f"{at}: the pattern `{visible(swap.old.text)}` {_how(swap)}: `{visible(swap.new.text)}`",
                )


def _differs(swap: swaps.Swap) -> bool:
    """Whether more than names changed."""
    before, after = (
        tuple(t for t in vocabulary.tokens(part) if not vocabulary.is_name(t)) for part in (swap.before, swap.after)
    )
    renamed = vocabulary.is_name(swap.before) and vocabulary.is_name(swap.after) and "match" not in swap.before
    return not renamed and (before != after or "match" in swap.before)


def _how(swap: swaps.Swap) -> str:
    for sign in _LOOSER:
        if found(sign, swap.old.text) and not found(sign, swap.new.text):
            return "lost an anchor or a limit"
    return "became another one"
