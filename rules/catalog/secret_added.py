"""The change brings a credential."""

from collections.abc import Iterator
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import pattern
from rules.rule import Diff, Edit, Rule

_SURE = (
    rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b|\bgh[pousr]_[0-9A-Za-z]{36,}\b|\bgithub_pat_\w{60,}|\bglpat-[\w-]{20,}|"
    rb"\bxox[abeoprs]-(?:\d+-)+[\w-]{20,}|\b[sr]k_live_[0-9A-Za-z]{20,}|\bsk-ant-[a-z]{3,6}\d\d-[\w-]{60,}|"
    rb"\bsk-(?:proj|svcacct)-[\w-]{40,}|\bAIza[\w-]{35}\b|\bnpm_[0-9A-Za-z]{36}\b|\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}|"
    rb"\bSG\.[\w-]{22}\.[\w-]{43}|\bhf_[0-9A-Za-z]{34}\b|\bdop_v1_[0-9a-f]{64}\b|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|"
    rb"\bdckr_pat_[\w-]{27,}|\bglrt-[\w-]{20,}|\bya29\.[\w-]{60,}|\bAGE-SECRET-KEY-1[0-9A-Z]{58}"
)
_KEY = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_LIKELY = (
    rb"(?i)(?:api_?key|secret|token|passw(?:or)?d|access_?key|private_?key|client_?secret)\w{0,20}[\"']?\s*(?:=>|:=|[=:])\s*"
    rb"[\"']([^\s\"'<>{}$()]{16,120})[\"']"
)
_VARIETY = 10  # distinct bytes that a value has at least which nobody typed as a placeholder


class SecretAdded(Rule):
    """The change brings a credential.

    ## What it does
    Reports added private keys and tokens that carry their maker's prefix. What only looks like a credential by the name that it is
    assigned to is a note. The value itself is never shown.

    ## Why it matters
    A credential in history is public for as long as history is kept; taking the line away does not take it back.

    ## Example
    A script needs the cloud, and the access key stands in its first line.

    ## What to do instead
    Revoke the credential first. Then read it at run time from where secrets are kept.
    """

    id, slug, tier, since = "TH301", "secret-added", Tier.BLOCK, "0.1"
    triggers: ClassVar = (_SURE, _KEY, _LIKELY)

    HOLDS: ClassVar = (
        Diff("a.py", "", 'key = "' + "AKIA" + "QX4TZ7PLM2WKD5RV" + '"\n'),
        Diff("deploy/id", "", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"),
    )
    PASSES: ClassVar = (
        Diff("a.py", "", 'key = "' + "AKIA" + "IOSFODNN7EXAMPLE" + '"\n'),
        Diff("a.py", "", 'token = "' + "ghp_" + "x" * 36 + '"\n'),
        Diff("a.py", "", 'password = "correct-horse-battery-9"\n'),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """One finding a line, the surest."""
        apart = edit.kind in {Kind.TEST, Kind.DOCS}
        for line in edit.changed.added:
            sure, key = _value(_SURE, line.text), pattern(_KEY).search(line.text) is not None
            if sure or (key and _holds_key(edit, line.number)):
                tier = Tier.NOTE if apart and key else Tier.HOLD if apart else self.tier
                yield self._masked(edit, line.number, f"{'a private key' if key else _kind(sure)} is added", tier=tier)
            elif not apart and _value(_LIKELY, line.text):
                yield self._masked(edit, line.number, "a value that looks like a credential is added", tier=Tier.NOTE)

    def _masked(self, edit: Edit, line: int, message: str, *, tier: Tier) -> Finding:
        return self.came(edit, line, message, tier=tier)._replace(quote="")


def _value(text: bytes, line: bytes) -> bytes:
    for match in pattern(text).finditer(line[:20_000]):
        value = match.group(1) if match.groups() else match.group(0)
        digits = any(0x30 <= byte <= 0x39 for byte in value)
        if len(set(value)) >= _VARIETY and digits and b"EXAMPLE" not in value.upper():
            return bytes(value)
    return b""


def _kind(value: bytes) -> str:
    return f"a credential that begins with `{value[:4].decode('ascii', 'replace')}`"


def _holds_key(edit: Edit, number: int) -> bool:
    """A key follows the heading, on its line or on one of the next."""
    rest = b"".join(edit.new.lines[number - 1 : number + 6]).split(b"PRIVATE KEY", 1)[-1]
    return pattern(rb"[0-9A-Za-z+/=]{20}").search(rest) is not None
