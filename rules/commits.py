"""A commit as git stores it. `git log` stops at a NUL and re-encodes, so the raw object is what is read."""

from functools import lru_cache
from typing import NamedTuple

_PLAIN = ("utf-8", "utf8", "us-ascii", "ascii", "latin-1", "latin1")
_SUPERSETS = (
    "koi8-r",
    "koi8-u",
    "euc-jp",
    "euc-kr",
    "shift_jis",
    "shift-jis",
    "sjis",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
)
_PARTS = tuple(f"iso{dash}8859-{part}" for dash in ("-", "") for part in (*range(1, 12), 13, 14, 15, 16))
_PAGES = tuple(f"{prefix}{page}" for prefix in ("cp", "windows-") for page in range(1250, 1259))
# Each of these reads ASCII bytes as ASCII: an encoding that does not (UTF-7, UTF-16, EBCDIC) would hide a mark.
ENCODINGS = frozenset((*_PLAIN, *_SUPERSETS, *_PARTS, *_PAGES, "cp437", "cp850", "cp866", "cp932", "cp949"))


class Ident(NamedTuple):
    """An author or committer line. `when` is in seconds since 1970, 0 where the line has no readable time."""

    name: str
    email: str
    when: int
    zone: str  # "+0100"; "" where the line has none


NOBODY = Ident("", "", 0, "")


class Commit(NamedTuple):
    """One commit object. `payload` are the bytes that `signature` signs; `odd` names what is malformed."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Ident
    committer: Ident
    signature: str  # armored SSH, PGP or X.509 text, else ""
    payload: bytes
    message: str
    odd: tuple[str, ...]


def parse(id: str, data: bytes) -> Commit:  # noqa: A002 - the field's own name
    """The commit of a raw object as `git cat-file --batch` gives it. Takes any bytes and never raises."""
    odd: list[str] = []
    head, blank, body = data.partition(b"\n\n")
    if not blank and not head.endswith(b"\n"):
        odd.append("the header does not end")
    fields = _fields(head, odd)
    encoding = _encoding(fields, odd)
    message = body.decode(encoding, "replace")
    if "\0" in message:
        odd.append("the message holds a NUL: git log shows only what stands before it")
    return Commit(
        id,
        _only(fields, b"tree", odd),
        tuple(_ascii(parent) for parent in fields.get(b"parent", ())),
        _ident(fields, b"author", encoding, odd),
        _ident(fields, b"committer", encoding, odd),
        *_signed(id, data, fields, odd),
        message,
        tuple(odd),
    )


def _fields(head: bytes, odd: list[str]) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[list[bytes]]] = {}
    last: list[bytes] | None = None
    for line in head.split(b"\n"):
        if line[:1] == b" " and last is not None:
            last.append(line[1:])
            continue
        key, space, value = line.partition(b" ")
        if not space or not key:
            if line:
                odd.append(f"a malformed header line: {_ascii(line[:60])}")
            continue
        last = [value]
        fields.setdefault(key, []).append(last)
    return {key: [b"\n".join(lines) for lines in values] for key, values in fields.items()}


def _only(fields: dict[bytes, list[bytes]], key: bytes, odd: list[str]) -> str:
    values = fields.get(key, [])
    if len(values) != 1:
        odd.append(f"{'no' if not values else 'more than one'} {_ascii(key)} line")
    return _ascii(values[0]) if values else ""


def _ascii(data: bytes) -> str:
    return data.decode("ascii", "replace")


def _encoding(fields: dict[bytes, list[bytes]], odd: list[str]) -> str:
    values = fields.get(b"encoding")
    if not values:
        return "utf-8"
    name = _ascii(values[0]).strip().lower()
    if name in ENCODINGS:
        return name
    odd.append(f"the message was read as UTF-8, its header says {name[:40]!r}")
    return "utf-8"


def _ident(fields: dict[bytes, list[bytes]], key: bytes, encoding: str, odd: list[str]) -> Ident:
    values = fields.get(key, [])
    if len(values) != 1:
        odd.append(f"{'no' if not values else 'more than one'} {_ascii(key)} line")
    if not values:
        return NOBODY
    who, closed, rest = values[0].rpartition(b">")
    name, email = _who(who if closed else values[0], encoding)
    stamp, _, zone = rest.strip().partition(b" ")
    if not closed or not stamp.isdigit() or len(stamp) > 18:
        odd.append(f"a malformed {_ascii(key)} line")
        return Ident(name, email, 0, "")
    return Ident(name, email, int(stamp), _ascii(zone))


@lru_cache(8192)
def _who(who: bytes, encoding: str) -> tuple[str, str]:
    name, _, email = who.decode(encoding, "replace").partition("<")
    return name.strip(), email.strip()


def _signed(id: str, data: bytes, fields: dict[bytes, list[bytes]], odd: list[str]) -> tuple[str, bytes]:  # noqa: A002
    """The signature and what it signs: the object without any `gpgsig` header, as git's own check has it."""
    if not any(key.startswith(b"gpgsig") for key in fields):
        return "", data
    signatures = fields.get(b"gpgsig-sha256" if len(id) == 64 else b"gpgsig", [])
    if len(signatures) > 1:
        odd.append("more than one signature")
    text = "\n".join(_ascii(signature) for signature in signatures)
    return text, _without_signatures(data)


def _without_signatures(data: bytes) -> bytes:
    head, blank, body = data.partition(b"\n\n")
    kept = []
    skipping = False
    for line in head.split(b"\n"):
        skipping = line.startswith(b"gpgsig") or (skipping and line[:1] == b" ")
        if not skipping:
            kept.append(line)
    return b"\n".join(kept) + blank + body
