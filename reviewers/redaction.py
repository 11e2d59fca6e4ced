"""Takes credentials out of what is shown to a model (rules.catalog.secret_added): what left the machine cannot be called back."""

from collections.abc import Sequence
from functools import lru_cache

from rules.catalog.secret_added import SecretAdded, credentials
from rules.patterns import PatternSet, pattern

_HEADING = b"PRIVATE KEY"
_END = b"-----END"
_BODY = 200  # lines that a private key has at most
_LINE = 4096  # bytes of a heading's line that are looked through


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
        for value in dict.fromkeys(credentials(text)):
            text = self._withheld(text, value)
        head, heading, rest = text.partition(_HEADING)
        if heading and len(rest) > 40:
            value = pattern(rb"[0-9A-Za-z+/=\\]{40,}").search(rest[:_LINE])
            text = head + heading + (self._withheld(rest, bytes(value.group(0))) if value else rest)
        return text

    def _withheld(self, text: bytes, value: bytes) -> bytes:
        self._redactor.count += 1
        return text.replace(value, b"[withheld: %d characters that look like a credential]" % len(value))


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
