"""Text of others for a terminal: one line, bounded, and nothing in it that a terminal would act on or hide.

Names, paths, messages and quotes come out of a repository. What moves the cursor, turns the writing direction, starts a
new line or shows nothing is written as an escape that everybody can see.
"""

from unicodedata import category, east_asian_width

from rules.visible import visible

LIMIT = 240  # characters of one value
MARKS = 2  # combining marks that one letter may carry
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PASTEABLE = frozenset(" -_./:=@%+,")


def shown(value: object, limit: int = LIMIT) -> str:
    """The value as harmless text of one line; what is cut off is counted."""
    text = value if isinstance(value, str) else str(value)
    if not (text.isascii() and text.isprintable()):
        text = _escaped(text[: 2 * limit]) + text[2 * limit :]
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()}... (+{len(text) - limit})"


def _escaped(text: str) -> str:
    out = []
    marks = 0
    for character in text:
        marks = marks + 1 if category(character) in {"Mn", "Me"} else 0
        plain = character.isascii() or (visible(character)[0] and marks <= MARKS)
        out.append(character if plain and character.isprintable() else escape(character))
    return "".join(out)


def escape(character: str) -> str:
    """How a character is written that must not be printed."""
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def pasteable(command: str) -> bool:
    """Whether a shell does nothing with this line but run the one command that it shows."""
    outside = command.split("'")[::2]  # what stands between single quotes is inert
    plain = all(character.isalnum() or character in _PASTEABLE for part in outside for character in part)
    return plain and command.isprintable() and command.count("'") % 2 == 0


def columns(text: str) -> int:
    """How many cells of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum((east_asian_width(c) in "WF") + (category(c) not in {"Mn", "Me"}) for c in text)
