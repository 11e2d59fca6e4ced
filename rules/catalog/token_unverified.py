"""A signed token is read without asking who signed it."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule, visible

_OFF = (
    rb"(?i)[\"']?verify_(?:signature|exp|aud|iss|nbf|iat|at_hash)[\"']?\s*(?:=>|[=:])\s*(?:false|0)\b|\balg(?:orithms?)?[\"']?\s*(?:=>|[=:])\s*[\[(]?\s*[\"']none[\"']|\bSigningMethodNone\b|"
    rb"\bUnsafeAllowNoneSignatureType\b|\bParseUnverified\(|\bunsecuredJwt|\bparse(?:Unsecured|Plaintext|Unverified)\w*\(|jws?\.insecure_decode|insecure_without_signature_validation|insecure_disable_signature_validation|"
    rb"\bignore(?:Expiration|NotBefore)\s*:\s*true|\bvalidate(?:Issuer|Audience|Lifetime|IssuerSigningKey)\s*=\s*false|\bRequireSignedTokens\s*=\s*false|\bRequireExpirationTime\s*=\s*false|"
    rb"\bjwt\.decode\([^\n)]{0,120}(?:verify\s*=\s*false|,\s*(?:nil|null|None)\s*,\s*false)|\bJWT\.decode\([^\n)]{0,120},\s*nil,\s*false|\bjwt_decode\(|"
    rb"\bwantAssertionsSigned[\"']?\s*(?:=>|[=:])\s*false|\bwantMessagesSigned[\"']?\s*(?:=>|[=:])\s*false|\bvalidate_?signature[\"']?\s*(?:=>|[=:])\s*false|\bskip_?(?:signature|nonce|issuer|audience|expiry|client_id)_?(?:check|validation|verification)?[\"']?\s*(?:=>|[=:])\s*true|"
    rb"\bSkip(?:ClientID|Expiry|Issuer|Nonce)Check\s*:\s*true|\bInsecureSkipSignatureCheck\s*:\s*true|\ballow_?unsigned\w*[\"']?\s*(?:=>|[=:])\s*true|\bvalidateInResponseTo\w*\s*:\s*(?:false|ValidateInResponseTo\.never)"
)
_ON = rb"(?i)[\"']?verify_(?:signature|exp|aud|iss)[\"']?\s*(?:=>|[=:])\s*true\b|\bRequireSignedTokens\s*=\s*true|\bwant(?:Assertions|Messages|AuthnResponse)Signed[\"']?\s*(?:=>|[=:])\s*true"


class TokenUnverified(Rule):
    """A signed token is read without asking who signed it.

    ## What it does
    Finds signatures, expiry, issuer or audience of tokens that are no longer checked: `verify_signature: False`, algorithm `none`,
    `ParseUnverified`, `ignoreExpiration`, unsigned SAML assertions and their like, and demands for such checks that are gone.

    ## Why it matters
    A token without its signature is a text that anybody can write.

    ## Example
    `jwt.decode(token, options={"verify_signature": False})`, because the key was not at hand in a test environment.

    ## What to do instead
    Give the code the key, and name the one algorithm that you sign with.
    """

    id, slug, tier, since = "TH205", "token-unverified", Tier.HOLD, "0.1"
    triggers: ClassVar = (_OFF, _ON)

    HOLDS: ClassVar = (
        Diff("a.py", "jwt.decode(t, k)\n", 'jwt.decode(t, options={"verify_signature": False})\n'),
        Diff("a.go", "p.Parse(t, f)\n", "p.ParseUnverified(t, c)\n"),
        Diff("a.js", "verify(t, k)\n", "verify(t, k, { algorithms: ['none'] })\n"),
        Diff("a.py", 'decode(t, k, {"verify_aud": True})\n', "decode(t, k, {})\n"),
        Diff("a.cs", "var p = new P();\n", "var p = new P { ValidateIssuer = false };\n"),
    )
    PASSES: ClassVar = (
        Diff("a.py", 'jwt.decode(t, options={"verify_signature": False})\n', "jwt.decode(t, k)\n"),
        Diff("tests/test_a.py", "", 'jwt.decode(t, options={"verify_signature": False})\n'),
        Diff("a.py", "", "# verify_signature: False is wrong\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """What switches off, then what demanded."""
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        for line, what in switches.on(edit, _OFF):
            yield self.came(edit, line.number, f"`{visible(what)}`: a token is believed without this check", tier=tier)
        for line, what in switches.off(edit, _ON):
            if edit.new.present:
                yield self.lost(
                    edit, line.number, f"`{visible(what)}`, which demanded a check of the token, is gone", tier=tier
                )
