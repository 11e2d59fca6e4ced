"""OpenSSH public keys as policy writes them: a public key line, in front of it options as in allowed_signers (law 18).

`valid-after="20260101",valid-before="202701011200Z",namespaces="twohand" ssh-ed25519 AAAA... comment`
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import NamedTuple

NAMESPACE = "twohand"
SECURITY_KEYS = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")
TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    *SECURITY_KEYS,
)
OPTIONS = ("valid-after", "valid-before", "namespaces")
LONGEST_BLOB = 4096  # bytes; an RSA key of 16,384 bits has 2,071
LEAST_RSA_BITS = 2048
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Key(NamedTuple):
    """Times are `YYYY-MM-DDTHH:MM:SSZ` (UTC) or "" for no limit; both ends are inside."""

    type: str
    blob: str  # base64, as written
    comment: str = ""
    valid_after: str = ""
    valid_before: str = ""
    namespaces: tuple[str, ...] = ()  # as written; empty means any

    @property
    def line(self) -> str:
        """What identifies the key: `ssh-ed25519 AAAA...`."""
        return f"{self.type} {self.blob}"

    @property
    def touched(self) -> bool:
        """Whether it is a security key, whose signatures carry the user-presence flag (law 20)."""
        return self.type in SECURITY_KEYS

    def valid_at(self, at: str) -> bool:
        """Whether the key is valid at `YYYY-MM-DDTHH:MM:SSZ` (law 18)."""
        return self.valid_after <= at and (not self.valid_before or at <= self.valid_before)


def key_of(text: str) -> Key:
    """The key of one line; ValueError with a sentence that says what is wrong with it."""
    if "PRIVATE KEY" in text:
        raise ValueError("is a private key: take it out of the file, replace it, and put the .pub line here")
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    options, rest = _options(text.strip())
    words = rest.split(maxsplit=2)
    if len(words) < 2:
        raise ValueError("has no base64 part: expected the .pub line, `ssh-ed25519 AAAA... comment`")
    _check_blob(words[0], words[1])
    key = Key(words[0], words[1], words[2] if len(words) == 3 else "", *_limits(options))
    if key.valid_before and key.valid_after >= key.valid_before:
        raise ValueError("is never valid: valid-before is not later than valid-after")
    return key


def key_text(key: Key) -> str:
    """The line that `key_of` reads as this key."""
    times = (("valid-after", key.valid_after), ("valid-before", key.valid_before))
    options = [f'{name}="{_compact(time)}"' for name, time in times if time]
    if key.namespaces:
        options.append(f'namespaces="{",".join(key.namespaces)}"')
    return " ".join(part for part in (",".join(options), key.line, key.comment) if part)


def _compact(time: str) -> str:
    return "".join(filter(str.isdigit, time)) + "Z"


def _options(text: str) -> tuple[dict[str, str], str]:
    """The options in front and the rest of the line."""
    options: dict[str, str] = {}
    while text and text.split(maxsplit=1)[0] not in TYPES:
        name, text = _option_name(text)
        value, quote, text = text.partition('"')
        if not quote:
            raise ValueError(f"the value of {name} has no closing quote")
        if name in options:
            raise ValueError(f"has {name} twice")
        options[name] = value
        text = text.removeprefix(",").lstrip()
    return options, text


def _option_name(text: str) -> tuple[str, str]:
    word = text.split(maxsplit=1)[0]
    name, equals, rest = text.partition('="')
    if equals and name.lower() in OPTIONS:
        return name.lower(), rest
    if word.lower().startswith("cert-authority"):
        raise ValueError("certificates are not supported: list each key")
    if word.startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError(f"{word[:60]} keys are not supported; allowed types: {', '.join(TYPES)}")
    raise ValueError(
        f"begins with neither a key type nor an option; types: {', '.join(TYPES)}; options: {', '.join(OPTIONS)}"
    )


def _limits(options: dict[str, str]) -> tuple[str, str, tuple[str, ...]]:
    names = tuple(name.strip() for name in options.get("namespaces", "").split(",") if name.strip())
    if "namespaces" in options and NAMESPACE not in names and "*" not in names:
        raise ValueError(f'cannot sign statements: its namespaces must contain "{NAMESPACE}"')
    return _time(options, "valid-after"), _time(options, "valid-before"), names


def _time(options: dict[str, str], name: str) -> str:
    """YYYYMMDD[HHMM[SS]][Z] as `YYYY-MM-DDTHH:MM:SSZ`. Without Z ssh-keygen would take local time; here it is UTC."""
    if name not in options:
        return ""
    digits = options[name].upper().removesuffix("Z")
    if not (digits.isascii() and digits.isdigit() and len(digits) in {8, 12, 14} and _in_calendar(digits)):
        raise ValueError(f"{name} must be a UTC time as YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with or without Z")
    full = digits.ljust(14, "0")
    return f"{full[:4]}-{full[4:6]}-{full[6:8]}T{full[8:10]}:{full[10:12]}:{full[12:]}Z"


def _in_calendar(digits: str) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    clock = digits[8:].ljust(6, "0")
    in_month = 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and (leap or (month, day) != (2, 29))
    return year > 0 and in_month and clock[:2] < "24" and clock[2:4] < "60" and clock[4:] < "60"


def _check_blob(type_: str, text: str) -> None:
    """ValueError unless the base64 holds a key of exactly this type (RFC 4253, RFC 8709, OpenSSH PROTOCOL.u2f)."""
    try:
        blob = a2b_base64(text, strict_mode=True)
    except ValueError:
        raise ValueError("its base64 part is damaged: copy the whole .pub line") from None
    parts = _strings(blob) if len(blob) <= LONGEST_BLOB else []
    if not parts or len(parts) != _PARTS.get(type_, 3):
        raise ValueError("its base64 part is cut off or no key: copy the whole .pub line")
    inside = parts[0].decode("latin-1")
    if inside != type_:
        raise ValueError(f"says {type_} but holds a key of type {inside[:60]!r}")
    if "ed25519" in type_ and len(parts[1]) != 32:
        raise ValueError("its base64 part is cut off or no key: copy the whole .pub line")
    if type_ == "ssh-rsa" and int.from_bytes(parts[2], "big").bit_length() < LEAST_RSA_BITS:
        raise ValueError(f"is an RSA key of fewer than {LEAST_RSA_BITS} bits")


_PARTS = {"ssh-ed25519": 2, "sk-ecdsa-sha2-nistp256@openssh.com": 4}


def _strings(blob: bytes) -> list[bytes]:
    """The length-prefixed strings of an SSH blob; [] where they do not fill it exactly."""
    parts, at = [], 0
    while at + 4 <= len(blob):
        size = int.from_bytes(blob[at : at + 4], "big")
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    return parts if at == len(blob) else []
