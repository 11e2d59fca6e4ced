"""Text without what a reader cannot see or tell apart, so that a mark cannot hide (DESIGN 5.1)."""

# ruff: noqa: RUF001 - the look-alikes are the data here
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

_FORMAT: Final = ("Cf", "Cc", "Co", "Cs")  # zero-width, bidi, tags; control; private use; lone surrogates
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffd")
_SPACES: Final = frozenset("\t\n\r\x0b\x0c\x1c\x1d\x1e\x85")
_SCRIPT: Final = frozenset("\u200c\u200d\u200e\u200f\u061c\ufe0e\ufe0f")  # emoji, Persian and Indic words need these

_CYRILLIC: Final = dict(zip("асеорхуіјѕһԁԛԝАВЕКМНОРСТХІЈЅ", "aceopxyijshdqwABEKMHOPCTXIJS", strict=True))
_GREEK: Final = dict(zip("οαινρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oaivpABEZHIKMNOPTYX", strict=True))
_OTHER: Final = {
    "ı": "i",
    "ɡ": "g",
    "ɑ": "a",
    "ո": "n",
    "ս": "u",
    "օ": "o",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "−": "-",
}
_LOOKALIKES: Final = {**_CYRILLIC, **_GREEK, **_OTHER}
_FOLD: Final = str.maketrans(_LOOKALIKES)
_FOLDED: Final = frozenset(_LOOKALIKES)
LETTERS: Final = frozenset((*_CYRILLIC, *_GREEK))  # letters of other alphabets that look like ours


def visible(text: str) -> tuple[str, bool]:
    """The text without characters that show nothing, and whether there were any that no script needs."""
    if text.isascii() and text.isprintable():
        return text, False
    if "\x1b[" in text:
        return visible(_uncoloured(text).replace("\x1b", ""))[0], True
    dropped = {character for character in set(text) if _shows_nothing(character)}
    if not dropped:
        return text, False
    shown = text.translate(dict.fromkeys(map(ord, dropped)))
    return shown, bool(dropped - _SCRIPT) or _between_letters(text, dropped)


def _uncoloured(text: str) -> str:
    """Without terminal sequences: `ESC [`, parameters, one letter."""
    first, *rest = text.split("\x1b[")
    return first + "".join(part.lstrip("0123456789;:?<=> ")[1:] for part in rest)


@lru_cache(8192)
def _shows_nothing(character: str) -> bool:
    if character in _SPACES:
        return False
    return character in _BLANK or "\ufe00" <= character <= "\ufe0f" or category(character) in _FORMAT


def _between_letters(text: str, dropped: set[str]) -> bool:
    """A joiner after an ASCII character, or at the very start, belongs to no script and no emoji."""
    return any(character in dropped and before.isascii() for before, character in zip(" " + text, text, strict=False))


def skeleton(text: str) -> str:
    """Visible text with look-alikes folded to ASCII: for comparing with tables, never for showing."""
    if text.isascii() and text.isprintable():
        return text
    shown = normalize("NFKC", visible(text)[0])
    return shown if shown.isascii() or _FOLDED.isdisjoint(shown) else shown.translate(_FOLD)
