"""Whether a grammar may read a file. The parser is native code that an author could drive out of memory (a chain of
`a<a<a<`), so what nests or runs on beyond any written code is not parsed; the rules then read the lines alone.
"""

MAX_PARSED = 512 << 10  # bytes
MAX_LINE = 5_000  # bytes
MAX_DEPTH = 64  # brackets open at once


def is_fit(data: bytes) -> bool:
    """Whether a file nests and runs on no further than written code does."""
    if len(data) > MAX_PARSED or max(map(len, data.split(b"\n"))) > MAX_LINE:
        return False
    brackets = data.translate(None, _OTHERS)
    return _is_shallow(brackets) or _depth(brackets) <= MAX_DEPTH


_OTHERS = bytes(byte for byte in range(256) if byte not in b"<>;{}()[]")
_PAIRED = bytes.maketrans(b"[]{}", b"()()")
_ENDED = bytes.maketrans(b"{}", b";;")


def _is_shallow(brackets: bytes) -> bool:
    """A quick yes for ordinary files: pairs vanish from the inside in few rounds, and no statement holds many `<`."""
    chains = brackets.translate(_ENDED, b"()[]>").split(b";")
    if max(map(len, chains)) > MAX_DEPTH:
        return False
    left = brackets.translate(_PAIRED, b"<>;")
    rounds = 0
    while b"()" in left and rounds < MAX_DEPTH // 2:
        left = left.replace(b"()", b"")
        rounds += 1
    return rounds + left.count(b"(") <= MAX_DEPTH


def _depth(brackets: bytes) -> int:
    """The deepest nesting, strings and comments counted as code. `<` counts until a statement or block ends it."""
    depth = angles = deepest = 0
    for byte in brackets:
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth = max(depth - 1, 0)
        angles = angles + 1 if byte == 0x3C else max(angles - 1, 0) if byte == 0x3E else 0 if byte in b";{}" else angles
        deepest = max(deepest, depth, angles)
    return deepest
