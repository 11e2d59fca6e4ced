"""Who owns a path: GitHub's CODEOWNERS, read as GitHub reads it (law 31).

Source: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
The file is that of the base, never of the change. The last line that matches wins; a line without owners clears
what earlier ones said, which is not the same as no line at all. A line that GitHub skips is skipped here too, and
reported. This module reads lines; what patterns mean stands in `owners_glob`, how paths are found in `owners_index`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rules.owners_glob import BadPattern, Shape, overruled, read_shape
from rules.owners_index import NONE, Index

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in its order; the first that exists is the only one that counts."""

LIMIT = 3_000_000
"""Bytes; GitHub loads nothing from a file of 3 MB. Of its two readings the smaller: too large fails closed."""

MOST_LINES = 50_000
"""Lines that are no comment; more of them are too large as well, whatever their bytes."""

_BLANKS = b" \t\r\v\f"
_SHOWN = 200  # characters of a line in a message


class Rule(NamedTuple):
    """One line that counts. Without owners it clears."""

    line: int
    pattern: str  # as written; bytes that are no printable text stand as escapes
    owners: tuple[str, ...]  # `@name`, `@organisation/team` or an e-mail address


class Problem(NamedTuple):
    """One line that does not do what its author may think. Line 0 speaks of the whole file."""

    line: int
    text: str
    why: str  # what is wrong and what to write instead
    skipped: bool = True  # False: the line counts, and may mean something else than it seems to


class Match(NamedTuple):
    """The line that decides a path; none means that nobody ever claimed it."""

    rule: Rule | None

    @property
    def owners(self) -> tuple[str, ...]:
        """Nobody, where no line matched and where one cleared."""
        return self.rule.owners if self.rule else ()


UNMATCHED = Match(None)


class Owners:
    """An owners file. With `too_large` it names nobody, and the caller has to fail closed."""

    __slots__ = ("_index", "_matches", "_shapes", "name", "problems", "rules", "too_large")

    def __init__(
        self,
        name: str,
        entries: tuple[tuple[Rule, Shape], ...],
        problems: tuple[Problem, ...],
        *,
        too_large: bool = False,
    ) -> None:
        self.name = name
        self.rules = tuple(rule for rule, _ in entries)
        self.problems = problems
        self.too_large = too_large
        self._shapes = tuple(shape for _, shape in entries)
        self._matches = tuple(Match(rule) for rule in self.rules)
        self._index = Index(self._shapes)

    def match(self, path: bytes) -> Match:
        """The line that decides the path (bytes from the root, as git stores them)."""
        number = self._index.find(path)
        return UNMATCHED if number == NONE else self._matches[number]

    def dead(self) -> tuple[Rule, ...]:
        """Lines that can never win, because a later one matches all that they match. Simple cases only."""
        hidden = overruled(self._shapes)
        return tuple(rule for rule, dead in zip(self.rules, hidden, strict=True) if dead)

    def messages(self) -> tuple[str, ...]:
        """The problems as `file:line: what and why: the line`."""
        return tuple(self._message(problem) for problem in self.problems)

    def _message(self, problem: Problem) -> str:
        if not problem.line:
            return f"{self.name}: {problem.why}"
        effect = "line skipped" if problem.skipped else "line counts"
        return f"{self.name}:{problem.line}: {problem.why} ({effect}): {problem.text}"


def parse(data: bytes, name: str) -> Owners:
    """Reads a CODEOWNERS file of any bytes; `name` is its path, for messages. Never raises."""
    if len(data) > LIMIT:
        return _too_large(name, f"{len(data)} bytes and is not loaded, allowed are {LIMIT}")
    lines = [(number, line) for number, line in enumerate(_lines(data), 1) if line and not line.startswith(b"#")]
    if len(lines) > MOST_LINES:
        return _too_large(name, f"{len(lines)} lines and is not loaded, allowed are {MOST_LINES}")
    entries: list[tuple[Rule, Shape]] = []
    problems: list[Problem] = []
    for number, line in lines:
        _read(number, line, entries, problems)
    return Owners(name, tuple(entries), tuple(problems))


def _lines(data: bytes) -> Iterator[bytes]:
    return (line.strip(_BLANKS) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"))


def _too_large(name: str, what: str) -> Owners:
    return Owners(name, (), (Problem(0, "", f"the file has {what}; shorten it with wildcards"),), too_large=True)


def _read(number: int, line: bytes, entries: list[tuple[Rule, Shape]], problems: list[Problem]) -> None:
    pattern, rest = _split(line)
    try:
        shape = _shape(pattern)
        owners = _owners(rest)
    except BadPattern as bad:
        problems.append(Problem(number, _shown(line[:_SHOWN]), str(bad)))
        return
    entries.append((Rule(number, _shown(pattern), owners), shape))
    problems.extend(Problem(number, _shown(line[:_SHOWN]), why, skipped=False) for why in _doubts(pattern))


def _split(line: bytes) -> tuple[bytes, bytes]:
    """The pattern and the rest; a blank after a backslash belongs to the pattern."""
    if b"\\" not in line:
        pattern, *rest = line.split(None, 1)
        return pattern, rest[0] if rest else b""
    escaped = False
    for at, byte in enumerate(line):
        if byte in _BLANKS and not escaped:
            return line[:at], line[at:]
        escaped = byte == 0x5C and not escaped
    return line, b""


def _shape(pattern: bytes) -> Shape:
    if pattern.startswith(b"!"):
        raise BadPattern("`!` negates nothing here; give the path a later line without owners")
    if pattern.startswith(b"\\#"):
        raise BadPattern("`\\#` starts no pattern; write `?` for the first character")
    return read_shape(pattern)


def _owners(text: bytes) -> tuple[str, ...]:
    owners: dict[str, None] = {}
    for word in text.split():
        if word.startswith(b"#"):
            break
        if not _is_owner(word):
            raise BadPattern(
                f"`{_shown(word[:_SHOWN])}` is no owner; allowed are @name, @organisation/team and an e-mail address"
            )
        owners[word.decode("ascii")] = None
    return tuple(owners)


_OF_A_NAME = bytes(byte for byte in range(0x80) if chr(byte).isalnum()) + b"-_."
_WITHOUT_DOUBT = _OF_A_NAME + b"/*?"
_OF_AN_ADDRESS = _OF_A_NAME + b"+%'&=~"


def _is_owner(word: bytes) -> bool:
    """Whether it is spelled like one. Dots are kept in names: who is unknown must not fall to an earlier line."""
    before, _, after = word.partition(b"@")
    if before:
        return _of(before, _OF_AN_ADDRESS) and b"." in after.strip(b".") and _of(after, _OF_A_NAME)
    parts = after.split(b"/")
    return len(parts) <= 2 and all(_of(part, _OF_A_NAME) for part in parts)


def _of(text: bytes, allowed: bytes) -> bool:
    return bool(text) and not text.translate(None, allowed)


def _doubts(pattern: bytes) -> Iterator[str]:
    """Why a pattern that counts may not mean what its author thinks."""
    if _of(pattern, _WITHOUT_DOUBT):
        return
    bare, escaped = _unescaped(pattern)
    if b"[" in bare or b"]" in bare:
        yield "`[` and `]` stand for themselves, they define no range; use `?` or one line for each name"
    if b"{" in bare and b"}" in bare:
        yield "`{` and `}` stand for themselves; write one line for each alternative"
    if escaped.translate(None, b"\\*?[]{}#!/ \t"):
        yield "a backslash only escapes the next character; directories are separated by `/`"
    if not pattern.isascii():
        yield from _unicode_doubts(pattern)


def _unescaped(pattern: bytes) -> tuple[bytes, bytes]:
    """The bytes that stand alone, and those that stand behind a backslash."""
    pieces = pattern.replace(b"\\\\", b"").split(b"\\")
    return pieces[0] + b"".join(piece[1:] for piece in pieces[1:]), b"".join(piece[:1] for piece in pieces[1:])


def _unicode_doubts(pattern: bytes) -> Iterator[str]:
    from unicodedata import normalize  # noqa: PLC0415 - few files need it

    try:
        text = pattern.decode("utf-8")
    except UnicodeDecodeError:
        yield "the pattern is no UTF-8 and matches its very bytes; save the file as UTF-8"
        return
    if normalize("NFC", text) != normalize("NFD", text):
        yield "an accented letter has two spellings in Unicode and only the written one matches; `*` matches both"


def _shown(text: bytes) -> str:
    characters = text.decode("utf-8", "backslashreplace")
    if characters.isprintable():
        return characters
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in characters)
