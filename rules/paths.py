"""Paths are bytes first: git's own quoting carries every one of them through text without loss.

A path that is plain UTF-8 stands for itself. One with a control character, a double quote, a backslash or a
byte that is no UTF-8 is written as git writes it with `core.quotePath=false`: in double quotes, with C escapes.
"""

_ESCAPES = {0x07: "a", 0x08: "b", 0x09: "t", 0x0A: "n", 0x0B: "v", 0x0C: "f", 0x0D: "r", 0x22: '"', 0x5C: "\\"}
_UNESCAPES = {ord(letter): byte for byte, letter in _ESCAPES.items()}


def quote(path: bytes) -> str:
    """The text form of a path; `unquote` gives the same bytes back."""
    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _ESCAPES:
        return "\\" + _ESCAPES[code]
    if code >= 0x80 and character.isprintable():
        return character
    if 0x20 <= code < 0x7F:
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def unquote(text: str) -> bytes:
    """The bytes of a path from its text form. Text that no `quote` wrote stands for itself."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text.encode("utf-8", "surrogateescape")
    return _unescaped(text[1:-1].encode("utf-8", "surrogateescape"))


def _unescaped(data: bytes) -> bytes:
    out = bytearray()
    position = 0
    while position < len(data):
        byte, taken = _next(data, position)
        out.append(byte)
        position += taken
    return bytes(out)


def _next(data: bytes, position: int) -> tuple[int, int]:
    if data[position] != 0x5C or position + 1 == len(data):
        return data[position], 1
    digits = data[position + 1 : position + 4]
    if len(digits) == 3 and digits.isdigit() and max(digits) <= 0x37 and digits[0] <= 0x33:
        return int(digits, 8), 4
    return _UNESCAPES.get(data[position + 1], data[position + 1]), 2
