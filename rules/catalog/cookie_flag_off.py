"""A cookie that says who somebody is can be read or sent where it should not."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_OFF = (
    rb"(?i)\b(?:SESSION|CSRF|REMEMBER|LANGUAGE|JWT)?_?COOKIE_(?:SECURE|HTTPONLY|HTTP_ONLY)[\"']?\]?\s*(?:=>|[=:])\s*[\"']?(?:false|0|no|off)\b|\b(?:SESSION|CSRF)_COOKIE_SAMESITE[\"']?\]?\s*[=:]\s*[\"']?none|"
    rb"\b(?:http_?only|httpOnly)[\"']?\s*(?:=>|[=:(])\s*[\"']?(?:false|0)\b|\bset(?:Secure|HttpOnly)\(\s*false|\bsession\.cookie_(?:secure|httponly)[\"']?\s*[=,]\s*[\"']?(?:0|false|off)|"
    rb"\bsecure[\"']?\s*(?:=>|[=:])\s*(?:false|0)\b|\bsame_?site[\"']?\s*(?:=>|[=:(])\s*[\"':]?none\b|\bSameSiteNoneMode\b|\bSameSiteMode\.None\b|\bCookieSecurePolicy\.None\b|\bHttpOnly\s*:\s*false|\bSecure\s*:\s*false"
)
_ON = (
    rb"(?i)\b(?:SESSION|CSRF)_COOKIE_(?:SECURE|HTTPONLY)\s*=\s*true|\bhttp_?only[\"']?\s*(?:=>|[=:(])\s*true\b|\bset(?:Secure|HttpOnly)\(\s*true|"
    rb"\bsession\.cookie_(?:secure|httponly)[\"']?\s*[=,]\s*[\"']?(?:1|true|on)|\bSECURE_(?:SSL_REDIRECT|HSTS_SECONDS)\s*=\s*(?:true|[1-9])"
)
_COOKIE = rb"(?i)cookie|session|samesite|httponly|set_?secure"


class CookieFlagOff(Rule):
    """A cookie that says who somebody is can be read or sent where it should not.

    ## What it does
    Finds cookies that lose `Secure` or `HttpOnly`, or get `SameSite=None`: flags that are switched off, and flags that were set and are gone.

    ## Why it matters
    Without them a script, or a listener on the way, takes the session and is that person.

    ## Example
    `SESSION_COOKIE_SECURE = False`, because the login did not work without TLS on one machine.

    ## What to do instead
    Keep the flags, and switch them off in the settings of that one machine.
    """

    id, slug, tier, since = "TH206", "cookie-flag-off", Tier.HOLD, "0.1"
    triggers: ClassVar = (_OFF, _ON)

    HOLDS: ClassVar = (
        Diff("app/settings.py", "SESSION_COOKIE_SECURE = True\n", "SESSION_COOKIE_SECURE = False\n"),
        Diff("a.js", "res.cookie('s', v, { httpOnly: true })\n", "res.cookie('s', v, {})\n"),
        Diff("a.go", "c := http.Cookie{}\n", "c := http.Cookie{HttpOnly: false}\n"),
    )
    PASSES: ClassVar = (
        Diff("a.js", "f()\n", "f({ secure: false })\n"),
        Diff("app/settings.py", "SESSION_COOKIE_SECURE = False\n", "SESSION_COOKIE_SECURE = True\n"),
        Diff("tests/a.js", "", "res.cookie('s', v, { httpOnly: false })\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """A flag without a cookie in sight says nothing."""
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        for line, what in switches.on(edit, _OFF):
            if found(_COOKIE, b"\n".join(edit.new.lines[max(line.number - 6, 0) : line.number + 4])):
                yield self.came(
                    edit,
                    line.number,
                    f"`{visible(what)}`: this cookie can be read or sent where it should not",
                    tier=tier,
                )
        for line, what in switches.off(edit, _ON):
            if edit.new.present and found(
                _COOKIE, b"\n".join(edit.old.lines[max(line.number - 6, 0) : line.number + 4])
            ):
                yield self.lost(
                    edit, line.number, f"`{visible(what)}`, which kept this cookie from others, is gone", tier=tier
                )
