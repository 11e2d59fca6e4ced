"""A commit message before it is committed: what git will keep, what it will cut off, and where trailers belong."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_SCISSORS: Final = b"------------------------ >8 ------------------------"
_CANDIDATES: Final = (b"#", b";", b"@", b"!", b"$", b"%", b"^", b"&", b"|", b":")  # of core.commentChar = auto
_TOKEN: Final = frozenset(b"-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SIGNED: Final = b"signed-off-by:"
_PICKED: Final = b"(cherry picked from commit"
AUTO: Final = b"auto"


class Draft(NamedTuple):
    """A message file. `body` and `tail` together are the file, byte for byte."""

    body: bytes  # to the end of its last line that is neither blank nor git's own comment
    tail: bytes  # blank lines, git's comments, the scissors and the diff below them
    comment: bytes  # what a comment begins with; empty where lines that begin so stay in the message

    def text(self) -> bytes:
        """What will be committed, without comments."""
        return b"".join(line for line in self.body.splitlines(keepends=True) if not _comments(line, self.comment))

    def is_empty(self) -> bool:
        """Whether git would refuse it: a signature alone is no message."""
        lines = (line.strip().lower() for line in self.text().splitlines())
        return all(not line or line.startswith(_SIGNED) for line in lines)

    def with_trailers(self, trailers: Iterable[bytes]) -> bytes:
        """The file with these lines after its body, in the block of trailers that is there or else in a new one."""
        end = b"\r\n" if self.body.endswith(b"\r\n") else b"\n"
        body = self.body if self.body.endswith(b"\n") else self.body + end
        block = b"" if _ends_in_trailers(self.text()) else end
        return body + block + b"".join(line + end for line in trailers) + self.tail


def read(data: bytes, *, comment: bytes, strips: bool) -> Draft:
    """The parts of a message file. `strips`: git will take comments away, and may have added its own.

    `comment` is what git's configuration says, `auto` included.
    """
    lines = data.splitlines(keepends=True)
    mark = _guessed(lines) if comment == AUTO else comment
    end = next((at for at, line in enumerate(lines) if _is_scissors(line, mark)), len(lines))
    while end and (not lines[end - 1].strip() or (strips and _comments(lines[end - 1], mark))):
        end -= 1
    return Draft(b"".join(lines[:end]), b"".join(lines[end:]), mark if strips else b"")


def _guessed(lines: list[bytes]) -> bytes:
    """The character that git chose: one that no line of the message itself begins with, so that of the last line."""
    cut = next((line[:1] for line in lines if line[1:].strip() == _SCISSORS), b"")
    last = next((line[:1] for line in reversed(lines) if line.strip()), b"")
    return next((mark for mark in (cut, last) if mark in _CANDIDATES), b"#")


def _is_scissors(line: bytes, mark: bytes) -> bool:
    return line.startswith(mark) and line[len(mark) :].strip() == _SCISSORS


def _comments(line: bytes, mark: bytes) -> bool:
    return bool(mark) and line.startswith(mark)


def _ends_in_trailers(text: bytes) -> bool:
    """Whether the last paragraph, unless it is the first, is one of trailers as git sees them."""
    paragraphs = list(_paragraphs(text))
    if len(paragraphs) < 2:
        return False
    last = paragraphs[-1]
    if any(line.lower().startswith((_SIGNED, _PICKED)) for line in last):
        return True
    return _is_trailer(last[0]) and all(_is_trailer(line) or line[:1] in b" \t" for line in last)


def _paragraphs(text: bytes) -> Iterator[list[bytes]]:
    paragraph: list[bytes] = []
    for line in (*text.splitlines(), b""):
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []


def _is_trailer(line: bytes) -> bool:
    token, colon, value = line.partition(b":")
    token = token.rstrip()
    return bool(colon and token) and _TOKEN.issuperset(token) and not value.startswith(b"//")
