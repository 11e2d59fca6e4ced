"""A limit, an expiry or a use-once is gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_LIMITS = (
    rb"(?i)rate_?limit\w*|throttl\w*|lock_?out\w*|lock_?account|failed_?(?:login|attempt)\w*|login_?attempts?|max_?(?:attempts|tries|retries|failures)|"
    rb"expire[sd]?(?:_?(?:at|in|on|after))?\b|expiration|expiry|\bttl\b|not_?after|valid_?until|max_?age|used_?at|single_?use|one_?time|"
    rb"consum(?:e|ed)\b|revok\w+|invalidat\w*|blacklist\w*|regenerate\w*|session_?(?:regenerate|destroy|clear)\w*|reset_?session|"
    rb"cycle_?key|rotate\w*|destroy_?session|log_?out\w*|sign_?out\w*|forget_?me|clear_?session\w*|content_?length|max_?(?:size|length|depth|body\w*|files|parts|params|keys|headers?|buffer\w*|bytes|redirects)|"
    rb"(?:size|depth|length|part|multipart|param|key|body|recursion|bytes)_?limit\w*|LimitReader|MaxBytesReader|captcha\w*|\bquota\w*"
)


class LimitDropped(Rule):
    """A limit, an expiry or a use-once is gone.

    ## What it does
    Looks for lost statements that count attempts, end sessions and tokens, make codes usable once, or bound sizes and depths. Where the
    change as a whole has fewer of them than before, each lost one is named.

    ## Why it matters
    Codes of six digits are safe only because nobody may try them all, and a link for a reset because it works once.

    ## Example
    `token.revoke()` disappears after a password was changed.

    ## What to do instead
    Keep the statement. If something else ends it now, show where.

    ## Why it is general
    It counts words that name limits in any code, and statements that only moved within the change are no loss.
    """

    id, slug, tier, since = "TH119", "limit-dropped", Tier.NOTE, "0.1"
    triggers: ClassVar = (_LIMITS,)

    HOLDS: ClassVar = (
        Diff(
            "src/change.py",
            "def change(user, word):\n    user.password = word\n    user.tokens.revoke()\n",
            "def change(user, word):\n    user.password = word\n",
        ),
        Diff(
            "src/read.go",
            "package a\nfunc Read(r *R) {\n\tb := http.MaxBytesReader(r, limit)\n\tuse(b)\n}\n",
            "package a\nfunc Read(r *R) {\n\tuse(r)\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/change.py",
            "def change(user, word):\n    user.tokens.revoke()\n    user.password = word\n",
            "def change(user, word):\n    user.password = word\n    user.tokens.revoke()\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Lost statements, where the change limits less than before."""
        for line in swaps.lost_lines(edit):
            hit = pattern(_LIMITS).search(line.text)
            if (
                hit is None
                or not found(rb"[(=.<>]|\breturn\b|\bif\b", line.text)
                or swaps.balance(edit.change, _LIMITS) >= 0
            ):
                continue
            at = places.where(edit, line.number)
            firm = vocabulary.is_guarding(at) or vocabulary.is_recovery(f"{at} {line.text.decode('latin1')}")
            message = f"{at} no longer says `{visible(line.text)}`: `{visible(hit.group(0))}` bounds what can be tried, used or kept"
            yield self.lost(edit, line.number, message, tier=Tier.HOLD if firm else Tier.NOTE)
