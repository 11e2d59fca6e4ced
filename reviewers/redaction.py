"""Takes credentials out of what is shown to a model (rules.catalog.secret_added): what left the machine cannot be called back."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from rules.catalog.secret_added import SecretAdded, credentials
from rules.patterns import PatternSet, pattern

_HEADING = b"PRIVATE KEY"
_END = b"-----END"
_BODY = 200  # lines that a private key has at most
_LINE = 4096  # bytes of a heading's line that are looked through
_MANY = 200  # credentials in one line that are taken out one after the other
_BLANKS = bytes.maketrans(b"\t,;", b"   ")


@lru_cache(maxsize=1)
def _any() -> PatternSet:
    return PatternSet([(0, SecretAdded.triggers)])


class Redactor:
    """Counts what it withholds. One for one request's worth of text."""

    def __init__(self) -> None:
        """Nothing is withheld yet."""
        self.count = 0

    def lines(self, data: bytes) -> "Redacted":
        """Which lines of a file hold the body of a private key, and whether any line holds a credential at all."""
        suspicious = bool(_any().owners(data))
        return Redacted(
            self, _bodies(data.split(b"\n")) if suspicious and _HEADING in data else frozenset(), suspicious
        )

    def text(self, text: str) -> str:
        """A text without credentials."""
        data = text.encode("utf-8", "replace")
        shown = self.lines(data)
        rows = (shown.line(number, row) for number, row in enumerate(data.split(b"\n"), 1))
        return b"\n".join(rows).decode("utf-8", "replace") if shown.suspicious else text


class Redacted:
    """One side of a file."""

    def __init__(self, redactor: Redactor, bodies: frozenset[int], suspicious: bool) -> None:
        self._redactor = redactor
        self._bodies = bodies
        self.suspicious = suspicious

    def line(self, number: int, text: bytes) -> bytes:
        """The line as it may be shown; `number` counts from 1."""
        if not self.suspicious:
            return text
        if number in self._bodies and text.strip():
            return self._withheld(text, text.strip())
        text = self._without(text)
        head, heading, rest = text.partition(_HEADING)
        if heading and len(rest) > 40:
            value = pattern(rb"[0-9A-Za-z+/=\\]{40,}").search(rest[:_LINE])
            text = head + heading + (self._withheld(rest, bytes(value.group(0))) if value else rest)
        return text

    def _without(self, text: bytes) -> bytes:
        """The text without credentials; where they are many, piece by piece: a line made of them takes no longer than others."""
        values = [*dict.fromkeys(credentials(text))]
        if len(values) > _MANY:
            return b"".join(map(self._without, _pieces(text, len(text) * _MANY // (2 * len(values)))))
        for value in values:
            text = self._withheld(text, value)
        return text

    def _withheld(self, text: bytes, value: bytes) -> bytes:
        self._redactor.count += 1
        return text.replace(value, b"[withheld: %d characters that look like a credential]" % len(value))


def _pieces(text: bytes, size: int) -> Iterator[bytes]:
    """The text in pieces of about `size` bytes, cut where no credential is, if there is such a place near."""
    start = 0
    while start < len(text):
        end = start + size
        end += max(text[end : end + size // 2].translate(_BLANKS).find(b" "), 0)
        yield text[start:end]
        start = end


def _bodies(lines: Sequence[bytes]) -> frozenset[int]:
    """The lines between the heading of a private key and its end."""
    inside: set[int] = set()
    left = 0
    for number, line in enumerate(lines, 1):
        if _END in line:
            left = 0
        if left and line.strip():
            inside.add(number)
        left = _BODY if b"BEGIN" in line and _HEADING in line and _END not in line else max(left - 1, 0)
    return frozenset(inside)
