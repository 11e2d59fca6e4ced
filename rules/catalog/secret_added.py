"""The change brings a credential."""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found, pattern
from rules.rule import Change, Diff, Edit, Rule, remembered

_SURE = (
    rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b|\bgh[pousr]_[0-9A-Za-z]{36,}\b|\bgithub_pat_\w{60,}|\bgl(?:pat|rt|ptt|dt|cbt|soat|agent|imt|ft)-[\w-]{20,}|"
    rb"\bxox[abeoprs]-(?:\d+-)+[\w-]{20,}|\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{40,}|\b[sr]k_live_[0-9A-Za-z]{20,}|\bwhsec_[0-9A-Za-z+/]{32,}|\bsk-ant-[a-z]{3,6}\d\d-[\w-]{60,}|"
    rb"\bsk-(?:proj|svcacct|admin|or-v1)-[\w-]{40,}|\bsk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}\b|\bAIza[\w-]{35}\b|\bGOCSPX-[\w-]{28}\b|\bnpm_[0-9A-Za-z]{36}\b|\bpypi-AgE[\w-]{50,}|"
    rb"\bSG\.[\w-]{22}\.[\w-]{43}|\bhf_[0-9A-Za-z]{34}\b|\bdo[opr]_v1_[0-9a-f]{64}\b|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|\bsq0(?:atp|csp)-[\w-]{22,43}\b|"
    rb"\bdckr_pat_[\w-]{27,}|\bya29\.[\w-]{60,}|\bAGE-SECRET-KEY-1[0-9A-Z]{58}|\bhv[sb]\.[\w-]{24,}|\bpul-[0-9a-f]{40}\b|\bdapi[0-9a-f]{32}\b|\brubygems_[0-9a-f]{48}\b|"
    rb"\bATATT3[\w=-]{60,}|\bATBB[0-9A-Za-z]{32}\b|\blin_api_[0-9A-Za-z]{40}\b|\bntn_\d{11}[0-9A-Za-z]{35}\b|\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b|\bgsk_[0-9A-Za-z]{52}\b|\br8_[0-9A-Za-z]{37}\b|"
    rb"\bpplx-[0-9A-Za-z]{48}\b|\bxai-[0-9A-Za-z]{80}\b|\bsntry[su]_[\w=/+-]{40,}|\bglc_[0-9A-Za-z+/=]{40,}|\bglsa_[0-9A-Za-z]{32}_[0-9a-f]{8}\b|\bNRAK-[0-9A-Z]{27}\b|\bfigd_[\w-]{40}\b|"
    rb"\btskey-(?:auth|api|client)-\w+-\w{20,}|\bfo1_[\w-]{43}\b|\bFlyV1 fm\d[\w+/=,-]{60,}|\bcrates_io_token_\w{20,}|\bsbp_[0-9a-f]{40}\b|\bsb_secret_[\w-]{30,}|\bEAAA[\w-]{60}\b|"
    rb"\bhooks\.slack\.com/services/T[0-9A-Z]{8,}/B[0-9A-Z]{8,}/[0-9A-Za-z]{24}\b|\bdiscord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}|\bAccountKey=[0-9A-Za-z+/]{86}=="
)
_PAIR = rb"(?i)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|rediss|amqps?|ftp|https?)://[^\s:@/\"'<>{}$%]{1,60}:([^\s:@/\"'<>{}$%]{8,80})@[\w.-]{3,100}"
_KEY = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_LIKELY = (
    rb"(?i)(?:api_?key|secret|token|passw(?:or)?d|access_?key|private_?key|client_?secret)\w{0,20}[\"']?\s*(?:=>|:=|[=:])\s*"
    rb"[\"']([^\s\"'<>{}$()]{16,120})[\"']"
)
# the same and more, for the first look: many exact lengths in one pattern take 4 ms to compile
_PERHAPS = pattern(rb"\{(?:[7-9]|\d\d+)(?:,\d*)?\}").sub(rb"{6,}", _SURE)
_PLACEHOLDER = rb"(?i)example|sample|dummy|placeholder|changeme|change_me|your[_-]?|xxxx|test|fake|mock|redacted|0123456789|123456789|abcdefgh|insert|todo|\.\.\.|password|secret|default|localhost"
_PAIRS = 0.25  # of two neighbouring letters, the share that words have far more often than random text
_VARIETY = 10  # distinct bytes that a value has at least which nobody typed as a placeholder


class SecretAdded(Rule):
    """The change brings a credential.

    ## What it does
    Blocks added private keys and tokens that carry their maker's prefix; among tests, examples and documentation they are held. What only
    looks like a credential by the name that it is assigned to, or as a password in an address, is a note, and only where its letters are as
    rare beside each other as those of no word. The value itself is never shown: its first letters and its length are.

    ## Why it matters
    A credential in history is public for as long as history is kept; taking the line away does not take it back.

    ## Example
    A script needs the cloud, and the access key stands in its first line.

    ## What to do instead
    Revoke the credential first. Then read it at run time from where secrets are kept.
    """

    id, slug, tier, since = "TH301", "secret-added", Tier.BLOCK, "0.1"
    triggers: ClassVar = (_PERHAPS, _KEY, _LIKELY, _PAIR)

    HOLDS: ClassVar = (
        Diff("a.py", "", 'key = "' + "AKIA" + "QX4TZ7PLM2WKD5RV" + '"\n'),
        Diff("deploy/id", "", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"),
    )
    PASSES: ClassVar = (
        Diff("a.py", "", 'key = "' + "AKIA" + "IOSFODNN7EXAMPLE" + '"\n'),
        Diff("a.py", "", 'token = "' + "ghp_" + "x" * 36 + '"\n'),
        Diff("a.py", "", 'password = "correct-horse-battery-9"\n'),
        Diff("a.py", "", 'db = "postgres://shop:Zq81vXw0Lk@db.shop.internal/a"\n'),
        Diff("a.py", 'key = "' + "AKIA" + "QX4TZ7PLM2WKD5RV" + '"\n', 'k = "' + "AKIA" + "QX4TZ7PLM2WKD5RV" + '"\n'),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """One finding a line, the surest."""
        apart = edit.kind in {Kind.TEST, Kind.DOCS}
        for line in edit.changed.added:
            sure, key = _value(_SURE, line.text), pattern(_KEY).search(line.text) is not None
            if sure and sure in _had(edit.change):
                continue
            if sure or (key and _holds_key(edit, line.number)):
                tier = Tier.NOTE if apart and key else Tier.HOLD if apart else self.tier
                yield self._masked(edit, line.number, f"{'a private key' if key else _kind(sure)} is added", tier=tier)
            elif not apart and _looks_secret(line.text):
                yield self._masked(edit, line.number, "a value that looks like a credential is added", tier=Tier.NOTE)

    def _masked(self, edit: Edit, line: int, message: str, *, tier: Tier) -> Finding:
        return self.came(edit, line, message, tier=tier)._replace(quote="")


@remembered
def _had(change: Change) -> frozenset[bytes]:
    """The sure tokens that the files of the change held before: what moved is not added."""
    return frozenset(match.group(0) for edit in change.edits for match in pattern(_SURE).finditer(edit.old.data))


def credentials(line: bytes) -> Iterator[bytes]:
    """Every value in a line that this rule speaks of, the sure ones first; the body of a private key is none."""
    yield from _values(_SURE, line)
    likely = (*_values(_LIKELY, line), *_values(_PAIR, line))
    yield from (value for value in likely if not found(_PLACEHOLDER, value) and _is_rare(value))


def _value(text: bytes, line: bytes) -> bytes:
    return next(_values(text, line), b"")


def _values(text: bytes, line: bytes) -> Iterator[bytes]:
    for match in pattern(text).finditer(line):
        value = match.group(1) if match.groups() else match.group(0)
        digits = any(0x30 <= byte <= 0x39 for byte in value)
        if len(set(value)) >= _VARIETY and digits and b"EXAMPLE" not in value.upper() and not _is_counted(value):
            yield bytes(value)


def _looks_secret(line: bytes) -> bool:
    """A generic value: named like a credential, and no word, path or placeholder by its letters."""
    value = _value(_LIKELY, line) or _value(_PAIR, line)
    return bool(value) and not found(_PLACEHOLDER, value) and _is_rare(value)


def _is_counted(value: bytes) -> bool:
    """Typed by a hand along the keyboard: most neighbours follow each other or are equal."""
    steps = sum(1 for left, right in pairwise(value) if abs(left - right) <= 1)
    return steps * 2 > len(value)


def _is_rare(value: bytes) -> bool:
    """Whether few of the neighbouring letters are pairs that words are made of: rarity tells keys from names, entropy does not."""
    letters = value.lower()
    known = sum(1 for left, right in pairwise(letters) if bytes((left, right)) in _COMMON)
    return known < _PAIRS * (len(letters) - 1)


def _kind(value: bytes) -> str:
    return f"a credential of {len(value)} characters that begins with `{value[:4].decode('ascii', 'replace')}`"


def _holds_key(edit: Edit, number: int) -> bool:
    """A key follows the heading, on its line or on one of the next."""
    rest = b"".join(edit.new.lines[number - 1 : number + 6]).split(b"PRIVATE KEY", 1)[-1]
    return pattern(rb"[0-9A-Za-z+/=]{20}").search(rest) is not None


_COMMON = frozenset(
    b"th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur ro co me io ic ne "
    b"ce li ch ll be ma el ta la us ec ac om ct il ca tr di pe rs pr po sp ad ut un ss ge ee wo ow so am ke ap ex ck mo ol ul id vi im pa".split()
)
