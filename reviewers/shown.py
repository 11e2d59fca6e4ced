"""Untrusted text as a model is shown it: one printable line, with everything invisible written out."""

from functools import lru_cache

from rules.visible import visible

PIECE = 4000  # characters of a line in one row; a longer line goes on in the next
_PLAIN = bytes(range(0x20, 0x7F)) + b"\t"


def line(text: bytes) -> str:
    """The line: what a reader cannot see, and what is no UTF-8, is an escape."""
    if not text.translate(None, _PLAIN):
        return text.decode("ascii")
    return written(text.decode("utf-8", "backslashreplace"))


def written(text: str) -> str:
    """The same for text that was read already."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


@lru_cache(1 << 16)
def _shown(character: str) -> str:
    if character == "\t" or (character.isprintable() and visible(character)[0]):
        return character
    return f"\\u{{{ord(character):x}}}"


def pieces(text: str) -> list[str]:
    """The line in rows of at most `PIECE` characters; never none."""
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)] or [""]


def said(text: str, limit: int) -> str:
    """A model's own words: one line that no page or terminal makes a link, a picture or a mention of."""
    flat = written(" ".join(text[: 4 * limit].split()))
    for mark, tame in (("://", ": //"), ("](", "] ("), ("@", "@ "), ("<", "< ")):
        flat = flat.replace(mark, tame)
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."
