"""Requests from other sites are no longer told apart."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule, visible

_OFF = (
    rb"(?i)@csrf_exempt\b|\bcsrf_exempt\(|\bcsrf\.exempt\(|@csrf\.exempt\b|\bcsrf\(?\)?\s*\.\s*disable\(|csrf\s*\(\s*(?:\w+\s*->\s*\w+\.disable|AbstractHttpConfigurer::disable|CsrfConfigurer::disable)|"
    rb"\bskip_(?:before_action|forgery_protection)\b[^\n]{0,20}(?::verify_authenticity_token|$)|\bprotect_from_forgery\b[^\n]{0,60}\bexcept\b|"
    rb"\bprotect_from_forgery\b[^\n]{0,30}null_session|\ballow_forgery_protection\s*=\s*false|WTF_CSRF_(?:ENABLED|CHECK_DEFAULT)[\"']?\s*[\]=:]+\s*false|"
    rb"\bcsrf_?(?:protection|enabled|token|check)?[\"']?\s*(?:=>|[=:])\s*(?:false|none|off)\b|\bcheck_csrf\s*=\s*false|\benableCsrfValidation\s*=\s*false|"
    rb"\[IgnoreAntiforgeryToken|\bIgnoreAntiforgeryTokenAttribute|require_csrf\s*=\s*false|csrf\.IgnoreMethods|\bcsrfProtection\s*:\s*false"
)
_ON = (
    rb"CsrfViewMiddleware|\bCSRFProtect\(|@csrf_protect\b|\bprotect_from_forgery\b(?:[^\n]{0,40}exception)?|:verify_authenticity_token|"
    rb"\[(?:Auto)?ValidateAntiForgeryToken|VerifyCsrfToken::class|ValidateCsrfToken::class|\bcsurf\(|\bcsrf\.Protect\(|\blusca\.csrf\("
)


class CsrfProtectionOff(Rule):
    """Requests from other sites are no longer told apart.

    ## What it does
    Finds protection against cross-site requests that is switched off, views that are exempt from it, and middleware that demanded a token and
    is gone from the change.

    ## Why it matters
    Any page that a logged-in person opens can then act as that person.

    ## Example
    A form fails with 403 in a test, and its view gets `@csrf_exempt`.

    ## What to do instead
    Send the token with the request. A view for machines needs a credential that no browser sends by itself.
    """

    id, slug, tier, since = "TH203", "csrf-protection-off", Tier.HOLD, "0.1"
    triggers: ClassVar = (_OFF, _ON)

    HOLDS: ClassVar = (
        Diff("app/views.py", "def pay(request):\n    go()\n", "@csrf_exempt\ndef pay(request):\n    go()\n"),
        Diff("app/settings.py", "M = [\n  'a.CsrfViewMiddleware',\n  'b',\n]\n", "M = [\n  'b',\n]\n"),
        Diff("app/a.rb", "class A\nend\n", "class A\n  skip_before_action :verify_authenticity_token\nend\n"),
        Diff("src/Web.java", "http.build();\n", "http.csrf(c -> c.disable()).build();\n"),
    )
    PASSES: ClassVar = (
        Diff("tests/settings.py", "A = 1\n", "WTF_CSRF_ENABLED = False\n"),
        Diff("app/views.py", "@csrf_exempt\ndef a():\n    go()\n", "@csrf_exempt\ndef b():\n    go()\n"),
        Diff("app/views.py", "x = 1\n", "@csrf_protect\ndef b():\n    go()\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """What switches off, then what demanded."""
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        for line, what in switches.on(edit, _OFF):
            message = f"`{visible(what)}`: requests that another site sends for a logged-in person are taken"
            yield self.came(edit, line.number, message, tier=tier)
        for line, what in switches.off(edit, _ON):
            if edit.new.present and not line.text.startswith((b"import ", b"from ", b"use ")):
                yield self.lost(
                    edit, line.number, f"`{visible(what)}`, which refused requests of other sites, is gone", tier=tier
                )
