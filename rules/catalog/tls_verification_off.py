"""A certificate or a host is no longer verified."""

from collections.abc import Iterator
from typing import ClassVar

from rules import switches
from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule, visible

_OFF = (
    rb"(?i)\bverify(?:_ssl|_peer|_certs?|_tls|_hostname)?[\"']?\s*(?:=>|[=:])\s*(?:false\b|0\b|none\b)|"
    rb"(?:reject_?unauthorized|strict_?ssl|ssl_?verify|sslVerify|check_?hostname|validate_?certs?|ssl_?check|"
    rb"verify_?peer(?:_name)?|tls_?verify|ssl_?verification)[\"']?\s*(?:=>|[=:,\s])\s*[\"']?(?:false|0|no|off)\b|"
    rb"(?:insecure_?skip_?verify|tls_?insecure|allow_?self_?signed|insecure_?skip_?tls_?verify|accept_?invalid_?certs|"
    rb"danger_accept_invalid_(?:certs|hostnames)|allow_?unsafe_?certificates?)[\"']?\s*(?:=>|[=:(])\s*[\"']?(?:true|1|yes)\b|"
    rb"\bCERT_NONE\b|_create_unverified_context|SSL_VERIFY_NONE|\bVERIFY_NONE\b|NODE_TLS_REJECT_UNAUTHORIZED\W{1,6}0|"
    rb"CURLOPT_SSL_VERIFY(?:PEER|HOST)\W{1,4}(?:0|false)\b|NoopHostnameVerifier|ALLOW_ALL_HOSTNAME_VERIFIER|"
    rb"TrustAllCerts|TrustAllStrategy|DangerousAcceptAnyServerCertificateValidator|\bcurl(?:\s[^\n|;]{0,80})?\s(?:-[a-jl-z]{0,6}k|--insecure)\b|"
    rb"--no-check-certificate|--insecure-skip-tls-verify\b|\bGIT_SSL_NO_VERIFY\W{1,4}(?:1|true)|\bPYTHONHTTPSVERIFY\W{1,4}0|\bdisable_?(?:ssl|tls|cert(?:ificate)?)_?(?:verification|validation|check)\w*[\"']?\s*(?:=>|[=:(])\s*[\"']?true|"
    rb"\b(?:ServerCertificate(?:Custom)?ValidationCallback|RemoteCertificateValidationCallback)\b[^\n]{0,80}(?:=>\s*true|return true|delegate)|\bhostnameVerifier\b[^\n]{0,60}->\s*true|"
    rb"\bcheck(?:Server|Client)Trusted\([^\n{]{0,160}\{\s*\}|\bcheckServerIdentity\s*:\s*\([^)\n]{0,40}\)\s*=>\s*(?:undefined|null|\{\s*\}|true)|\bset_certificate_verifier\(|\bInsecureTrustManagerFactory\b|"
    rb"\bInsecureIgnoreHostKey\(|\bAutoAddPolicy\b|\bStrictHostKeyChecking[=\s]+(?:no|off|accept-new)\b|\bUserKnownHostsFile[=\s]+/dev/null|\bhost_?key_?checking[\"']?\s*[=:]\s*(?:false|no)\b|"
    rb"\bNSAllowsArbitraryLoads\b|\busesCleartextTraffic=[\"']true|\bverify_host\s*[=:]\s*(?:false|0)\b"
)
_ON = (
    rb"(?i)\bverify(?:_ssl|_peer|_certs?)?[\"']?\s*(?:=>|[=:])\s*true\b|\bCERT_REQUIRED\b|\bVERIFY_PEER\b|"
    rb"\bStrictHostKeyChecking[=\s]+yes\b|\bRejectPolicy\b|(?:reject_?unauthorized|check_?hostname)[\"']?\s*(?:=>|[=:])\s*true\b"
)


class TlsVerificationOff(Rule):
    """A certificate or a host is no longer verified.

    ## What it does
    Reports new settings that turn verification off (`verify=False`, `rejectUnauthorized: false`, `InsecureSkipVerify: true`,
    `CERT_NONE`, `curl -k`, empty trust managers, unknown host keys that are taken and their like) and settings that demanded it and are gone.

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
        Diff("a.java", "", "public void checkServerTrusted(X509Certificate[] c, String a) {}\n"),
        Diff("a.go", "f()\n", "c.HostKeyCallback = ssh.InsecureIgnoreHostKey()\n"),
        Diff("a.cs", "f();\n", "h.ServerCertificateCustomValidationCallback = (a, b, c, d) => true;\n"),
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
        tier = switches.weight(edit, self.tier)
        if tier is None:
            return
        for line, what in switches.on(edit, _OFF):
            yield self.came(edit, line.number, f"`{visible(what)}` turns verification off", tier=tier)
        for line, what in switches.off(edit, _ON):
            yield self.lost(edit, line.number, f"`{visible(what)}`, which demanded verification, is gone", tier=tier)
