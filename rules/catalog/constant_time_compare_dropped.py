"""A comparison in constant time became an ordinary one."""

from collections.abc import Iterator
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.places import where
from rules.rule import Change, Diff, Edit, Rule, remembered, visible

_COMPARES = (
    rb"(?i)compare_digest|timing_?safe_?equal|constant_?time_?(?:eq|compare|equal)|secure_?compare|hash_equals|"
    rb"MessageDigest\.isEqual|fixed_?time_?equals|CRYPTO_memcmp|sodium_memcmp|sodium_compare|ct_eq\b|tsscmp|safe_str_cmp|"
    rb"\bbcrypt(?:js)?\.(?:compare(?:_?sync)?|checkpw|check_password_hash|verify)\b|\bargon2(?:id|i|d)?\.verify\b|"
    rb"CompareHashAndPassword|\bcheck_password(?:_hash)?\b|\bpassword_verify\b|crypto_pwhash_str_verify|"
    rb"\bpassword_?encoder\.matches\b|\bpwd_context\.verify\b|\bpassword_?hasher\.verify\w*"
)


class ConstantTimeCompareDropped(Rule):
    """A comparison in constant time, or with a password's hash, is gone.

    ## What it does
    Counts comparisons in constant time, and those of a password with its hash, over the whole change. Where there are fewer than before, each lost one is reported.

    ## Why it matters
    `==` stops at the first byte that differs; how long it takes tells an attacker how much of a token is right.
    A password that is compared with `==` is either kept in plain text or never right.

    ## Example
    `hmac.compare_digest(sent, expected)` becomes `sent == expected`; `bcrypt.compare(password, hash)` becomes `password === hash`.

    ## What to do instead
    Keep the library's comparison for everything secret.
    """

    id, slug, tier, since = "TH104", "constant-time-compare-dropped", Tier.HOLD, "0.1"
    triggers: ClassVar = (_COMPARES,)

    HOLDS: ClassVar = (
        Diff(
            "app/hooks.py",
            "def check(sent, mine):\n    return hmac.compare_digest(sent, mine)\n",
            "def check(sent, mine):\n    return sent == mine\n",
        ),
        Diff("a.js", "ok = crypto.timingSafeEqual(a, b)\n", "ok = a.equals(b)\n"),
        Diff("login.js", "ok = await bcrypt.compare(given, user.hash)\n", "ok = given === user.hash\n"),
        Diff("login.php", "<?php\nreturn password_verify($given, $hash);\n", "<?php\nreturn $given == $hash;\n"),
    )
    PASSES: ClassVar = (
        (
            Diff("a.js", "ok = crypto.timingSafeEqual(a, b)\n", "ok = same(a, b)\n"),
            Diff("b.js", None, "const same = (a, b) => crypto.timingSafeEqual(a, b)\n"),
        ),
        Diff("a.py", "# compare_digest is slow\nx = 1\n", "x = 1\n"),
        Diff("a.js", "ok = await bcrypt.compare(given, hash)\n", "ok = await argon2.verify(hash, given)\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """The removed lines that compared, where the change as a whole compares less often."""
        if _balance(edit.change) >= 0:
            return
        for line in edit.changed.removed:
            if found(_COMPARES, line.text) and not line.text.startswith(
                (b"#", b"//", b"*", b"import ", b"from ", b"use ")
            ):
                message = f"{where(edit, line.number)} no longer compares in constant time or with a hash: `{visible(line.text)}` is gone"
                yield self.lost(edit, line.number, message)


@remembered
def _balance(change: Change) -> int:
    return sum(_count(edit.new.data) - _count(edit.old.data) for edit in change.edits if edit.is_code)


def _count(data: bytes) -> int:
    return sum(1 for _ in pattern(_COMPARES).finditer(data))
