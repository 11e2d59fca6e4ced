"""The parts of an SSH signature that the law reads: whose key, for what, and whether a person touched it.

Format: OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f. This module proves nothing: whether the signature is good is asked of
`ssh-keygen` (streams.sources.signatures); what is read here stands inside what that has verified.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

NAMESPACE = "twohand"
BEGIN = b"-----BEGIN SSH SIGNATURE-----"
END = b"-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_USER_PRESENT = 0x01


class Signature(NamedTuple):
    """`key` is an OpenSSH public key line without comment: `type base64`."""

    key: str
    namespace: str
    presence: bool  # a security key's user-presence flag (law 20)


class Signer(NamedTuple):
    """Whose key made a signature that was verified to be good over exactly these bytes."""

    key: str
    presence: bool = False


def parse(armor: bytes) -> Signature | None:
    """Read an armored signature; None where it is none."""
    try:
        blob = a2b_base64(armor.strip().removeprefix(BEGIN).removesuffix(END), strict_mode=False)
        if not blob.startswith(_MAGIC):
            return None
        key, rest = _string(blob[len(_MAGIC) + 4 :])
        namespace, rest = _string(rest)
        signature = _string(_string(_string(rest)[1])[1])[0]
        kind = _string(key)[0].decode("ascii")
        line = f"{kind} {b2a_base64(key, newline=False).decode()}"
        return Signature(line, namespace.decode("utf-8", "replace"), _presence(kind, signature))
    except (ValueError, Base64Error):
        return None


def _presence(kind: str, signature: bytes) -> bool:
    if not kind.startswith("sk-"):
        return False
    flags = _string(_string(signature)[1])[1]
    return len(flags) == 5 and bool(flags[0] & _USER_PRESENT)


def _string(data: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size or len(data) < 4:
        raise ValueError("truncated")
    return data[4 : 4 + size], data[4 + size :]
