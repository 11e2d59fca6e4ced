"""A security key in software: signatures of the form that FIDO devices make, touched or not (OpenSSH PROTOCOL.u2f).

Ed25519 as RFC 8032, section 5.1, writes it; slow, and only for keys that are thrown away.
"""

from base64 import b64encode
from hashlib import sha256, sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Y = 4 * pow(5, -1, P) % P
X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE = (X, Y, 1, X * Y % P)
KIND = b"sk-ssh-ed25519@openssh.com"
PRESENT = b"\1"


def _add(a, b):
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    found = (0, 1, 1, 0)
    while number:
        found = _add(found, point) if number & 1 else found
        point, number = _add(point, point), number >> 1
    return found


def _packed(point):
    inverse = pow(point[2], -1, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


def _number(*parts):
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little")


def _scalar(seed):
    return int.from_bytes(sha512(seed).digest()[:32], "little") & (1 << 254) - 8 | 1 << 254


def _raw(seed, data):
    public = _packed(_times(_scalar(seed), BASE))
    nonce = _number(sha512(seed).digest()[32:], data) % ORDER
    start = _packed(_times(nonce, BASE))
    rest = (nonce + _number(start, public, data) * _scalar(seed)) % ORDER
    return start + rest.to_bytes(32, "little")


def _string(data):
    return len(data).to_bytes(4, "big") + data


def _key(seed):
    return _string(KIND) + _string(_packed(_times(_scalar(seed), BASE))) + _string(b"ssh:")


def line(seed):
    """The public key line of a device with this secret of 32 bytes."""
    return f"{KIND.decode()} {b64encode(_key(seed)).decode()}"


def armor(seed, data, *, flags=PRESENT, claimed=None):
    """Its signature over the data; `flags` are what the device signed, `claimed` what stands in the armor instead."""
    body = b"".join(map(_string, (b"twohand", b"", b"sha512", sha512(data).digest())))
    counter = (7).to_bytes(4, "big")
    signed = _raw(seed, sha256(b"ssh:").digest() + flags + counter + sha256(b"SSHSIG" + body).digest())
    signature = _string(KIND) + _string(signed) + (claimed or flags) + counter
    parts = (_key(seed), b"twohand", b"", b"sha512", signature)
    blob = b64encode(b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(map(_string, parts))).decode()
    rows = [blob[at : at + 70] for at in range(0, len(blob), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *rows, "-----END SSH SIGNATURE-----", ""]).encode()
