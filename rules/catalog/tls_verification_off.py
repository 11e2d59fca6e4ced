"""A certificate or a signature is no longer verified."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import pattern
from rules.rule import Diff, Edit, Rule, visible

_OFF = (
    rb"(?i)\bverify(?:_ssl|_peer|_certs?|_tls|_hostname)?[\"']?\s*(?:=>|[=:])\s*(?:false\b|0\b|none\b)|"
    rb"(?:reject_?unauthorized|strict_?ssl|ssl_?verify|sslVerify|check_?hostname|validate_?certs?|ssl_?check|verify_?signature|"
    rb"verify_?peer(?:_name)?|tls_?verify|verify_?(?:aud|exp|iss))[\"']?\s*(?:=>|[=:,\s])\s*[\"']?(?:false|0|no|off)\b|"
    rb"(?:insecure_?skip_?verify|tls_?insecure|allow_?self_?signed|insecure_?skip_?tls_?verify|accept_?invalid_?certs|"
    rb"danger_accept_invalid_(?:certs|hostnames)|allow_?unsafe_?certificates?)[\"']?\s*(?:=>|[=:(])\s*[\"']?(?:true|1|yes)\b|"
    rb"\bCERT_NONE\b|_create_unverified_context|SSL_VERIFY_NONE|\bVERIFY_NONE\b|NODE_TLS_REJECT_UNAUTHORIZED\W{1,6}0|"
    rb"CURLOPT_SSL_VERIFY(?:PEER|HOST)\W{1,4}(?:0|false)\b|NoopHostnameVerifier|ALLOW_ALL_HOSTNAME_VERIFIER|"
    rb"TrustAllCerts|TrustAllStrategy|DangerousAcceptAnyServerCertificateValidator|\bcurl(?:\s[^\n|;]{0,80})?\s(?:-[a-jl-z]{0,6}k|--insecure)\b|"
    rb"--no-check-certificate|algorithms?[\"']?\s*(?:=>|[=:])\s*\[?\s*[\"']none[\"']"
)
_ON = (
    rb"(?i)\bverify(?:_ssl|_peer|_certs?)?[\"']?\s*(?:=>|[=:])\s*true\b|\bCERT_REQUIRED\b|\bVERIFY_PEER\b|"
    rb"(?:reject_?unauthorized|check_?hostname|verify_?signature)[\"']?\s*(?:=>|[=:])\s*true\b"
)


class TlsVerificationOff(Rule):
    """A certificate or a signature is no longer verified.

    ## What it does
    Reports new settings that turn verification off (`verify=False`, `rejectUnauthorized: false`, `InsecureSkipVerify: true`,
    `CERT_NONE`, `curl -k`, algorithm `none` and their like) and settings that demanded it and are gone.

    ## Why it matters
    An encrypted connection to nobody in particular protects nothing.

    ## Example
    A request fails in one environment, and `verify=False` makes it pass in all of them.

    ## What to do instead
    Give the client the authority that signed the certificate.
    """

    id, slug, tier, since = "TH105", "tls-verification-off", Tier.HOLD, "0.1"
    triggers: ClassVar = (_OFF, _ON)

    HOLDS: ClassVar = (
        Diff("a.py", "get(url)\n", "get(url, verify=False)\n"),
        Diff("a.js", "agent({})\n", "agent({ rejectUnauthorized: false })\n"),
        Diff("a.go", "tls.Config{}\n", "tls.Config{InsecureSkipVerify: true}\n"),
        Diff("a.py", "get(url, verify=True)\n", "get(url)\n"),
        Diff("a.sh", "curl https://a\n", "curl -k https://a\n"),
        Diff("a.py", "get(url)\n", b"get(url, verify = \tFalse) # \xff\n"),
    )
    PASSES: ClassVar = (
        Diff("a.py", "get(url, verify=False)\n", "get(url, verify=False, timeout=3)\n"),
        Diff("a.py", "x = 1\n", "# never write verify=False\nx = 1\n"),
        Diff("docs/a.md", "", "Use verify=False.\n"),
        Diff("tests/test_a.py", "get(url)\n", "get(url, verify=False)\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """More of what turns off, or less of what demands, than before."""
        if edit.kind is Kind.DOCS:
            return
        tier = Tier.NOTE if edit.kind is Kind.TEST else self.tier
        for line, what in _surplus(_OFF, edit.changed.added, edit.changed.removed):
            yield self.came(edit, line.number, f"`{visible(what)}` turns verification off", tier=tier)
        for line, what in _surplus(_ON, edit.removed, edit.changed.added):
            yield self.lost(edit, line.number, f"`{visible(what)}`, which demanded verification, is gone", tier=tier)


def _surplus(text: bytes, lines: tuple[Line, ...], others: tuple[Line, ...]) -> Iterator[tuple[Line, bytes]]:
    """Matches of some lines that the others do not have as often."""
    spare = Counter(what for line in others for what in _matches(text, line))
    for line in lines:
        for what in _matches(text, line):
            if spare[what] > 0:
                spare[what] -= 1
            else:
                yield line, what


def _matches(text: bytes, line: Line) -> list[bytes]:
    if line.text.startswith((b"#", b"//", b"*", b"/*", b"--", b"<!--")):
        return []
    return [b" ".join(match.group(0).split()) for match in pattern(text).finditer(line.text)]
