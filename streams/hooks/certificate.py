"""Signed pushes: who pushed, proven by the push certificate itself (git push --signed).

Git's own word is not enough: it says `G` for SSH keys that nobody enrolled, and on a local push the variables of the
caller may stand where git sets none. So the certificate's bytes are verified here, and have to name these very moves.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from rules.claims import Claim
from rules.policy import Policy
from rules.principals import Registry
from rules.sshsig import BEGIN, parse
from streams.sources import signatures
from streams.sources.git import Repository
from streams.sources.landing import Move

LIMIT = 4 << 20  # bytes of a certificate
FRESH = frozenset({"OK", "SLOP"})
HEADER = b"certificate version 0.1\n"


def claims(
    repo: Repository, environ: Mapping[str, str], moves: Sequence[Move], policies: Iterable[Policy]
) -> Iterator[Claim]:
    """The enrolled pusher, grade A; nothing where any of the conditions fails (status, signer, key, nonce, moves)."""
    if environ.get("GIT_PUSH_CERT_STATUS") != "G" or not environ.get("GIT_PUSH_CERT_SIGNER"):
        return
    if environ.get("GIT_PUSH_CERT_NONCE_STATUS") not in FRESH:
        return
    text = _certificate(repo, environ.get("GIT_PUSH_CERT", ""))
    key = _signer(text, environ.get("GIT_PUSH_CERT_KEY", "")) if _speaks_of(text, moves) else ""
    names = {found[0].name for policy in policies if key and (found := Registry(policy).by_key(key))}
    if len(names) == 1:
        name = names.pop()
        yield Claim("pushed-by", "A", principal=name, name=name, text=f"{name} signed this push")


def _certificate(repo: Repository, blob: str) -> bytes:
    if not repo.is_id(blob):
        return b""
    with repo.cat_file() as objects:
        return next((item.data or b"" for item in objects.read([blob], LIMIT)), b"")


def _speaks_of(text: bytes, moves: Sequence[Move]) -> bool:
    """Whether the certificate names exactly these moves."""
    payload, _, _ = text.partition(BEGIN)
    head, _, rows = payload.partition(b"\n\n")
    named = sorted(row for row in rows.split(b"\n") if row)
    here = sorted(f"{move.old} {move.new} {move.ref}".encode("utf-8", "surrogateescape") for move in moves)
    return head.startswith(HEADER) and named == here


def _signer(text: bytes, fingerprint: str) -> str:
    """The key line whose good signature stands under the certificate, "" where none does or git saw another key."""
    at = text.find(BEGIN)
    signature = parse(text[at:]) if at > 0 else None
    if signature is None or _fingerprint(signature.key) != fingerprint:
        return ""
    signer = signatures.verify(text[:at], text[at:], namespace="git")
    return signer.key if signer else ""


def _fingerprint(line: str) -> str:
    digest = sha256(b64decode(line.split()[1])).digest()
    return "SHA256:" + b64encode(digest).decode().rstrip("=")
