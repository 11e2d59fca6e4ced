"""Who signed a commit, as the signature itself says. Nothing is verified here, so that this is a claim of grade D (law 10)."""

from base64 import b64encode
from binascii import a2b_base64
from functools import cache, lru_cache
from hashlib import sha256

from rules import hands, lineage, packaged, sshsig
from rules.claims import Claim
from rules.principals import Principal, Registry

CHANNEL = "signature"
UNVERIFIED = "; read, not verified"
_KEPT = 1024


@cache
def known() -> dict[str, str]:
    """Fingerprint of a key that a vendor is seen to sign with -> tool; the table is rules/data/signers.toml."""
    rows = packaged.table("signers.toml")["signer"]
    return {fingerprint(row["key"]): row["tool"] for row in rows}


def claims(armor: str, registry: Registry) -> tuple[Claim, ...]:
    """The enrolled name, or the vendor's platform, whose key an armored SSH signature names."""
    signature = sshsig.parse(armor.encode("ascii", "replace")) if "SSH" in armor[:40] else None
    if not signature:
        return ()
    enrolled = registry.by_key(signature.key)
    return (_named(enrolled[0]),) if enrolled else _platform(signature.key)


def _named(principal: Principal) -> Claim:
    kind = {"human": "person"}.get(principal.kind, principal.kind)
    text = f"signed with a key of {principal.name}{UNVERIFIED}"
    return Claim(CHANNEL, "D", kind=kind, name=principal.name, principal=principal.name, text=text)


@lru_cache(_KEPT)
def _platform(key: str) -> tuple[Claim, ...]:
    """One key serves all customers of a vendor: it tells neither session nor operator, and its owner is inferred."""
    tool = known().get(fingerprint(key))
    if not tool:
        return ()
    text = f"signed with {fingerprint(key)}, by its use the platform of {tool}{UNVERIFIED}"
    return (hands.found(hands.agent(lineage.named(tool), text=text), CHANNEL, ""),)


@lru_cache(_KEPT)
def fingerprint(key: str) -> str:
    """`SHA256:...` of an OpenSSH public key line, as ssh-keygen prints it; "" where it is none."""
    try:
        blob = a2b_base64(key.split()[1], strict_mode=True)
    except (ValueError, IndexError):
        return ""
    return "SHA256:" + b64encode(sha256(blob).digest()).decode().rstrip("=")
