"""What a rule is, and what it is shown: one file of a change on both sides, and the change around it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import ref

from rules import fitness, kinds, lines, paths
from rules.change import ABSENT, FileChange
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.shelf import shelf

if TYPE_CHECKING:
    from rules.structure import Facts, Memory

QUOTE = 200  # characters
COMMON = 8  # files that a line may stand in and still tell them apart
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", "Edit", "Change")


class Blobs(NamedTuple):
    """One file of a change with its content. A side is None where it is absent or was not read; then `why` says why."""

    file: FileChange
    old: bytes | None
    new: bytes | None
    why: str = ""


class Diff(NamedTuple):
    """An example: one file before and after. None = the file is not there. Text stands for its UTF-8 bytes."""

    path: str
    old: str | bytes | None
    new: str | bytes | None
    old_mode: str = "100644"
    new_mode: str = "100644"

    def blobs(self) -> Blobs:
        """The example as a change of one file."""
        old, new = _as_bytes(self.old), _as_bytes(self.new)
        modes = (ABSENT if old is None else self.old_mode, ABSENT if new is None else self.new_mode)
        file = FileChange(self.path, modes[0], _blob_id(old), modes[1], _blob_id(new), _count(new), _count(old))
        return Blobs(file, old, new)


Example = Diff | tuple[Diff, ...]


def _as_bytes(side: str | bytes | None) -> bytes | None:
    return side.encode() if isinstance(side, str) else side


def _blob_id(data: bytes | None) -> str:
    return "0" * 40 if data is None else f"{len(data):040x}"


def _count(data: bytes | None) -> int:
    return len(data.splitlines()) if data else 0


def visible(data: bytes, most: int = QUOTE) -> str:
    """Untrusted bytes as printable text: what a terminal or a page would act on is written as an escape; what is cut says so."""
    text = data.strip()[: 4 * QUOTE].decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"


class Source:
    """One side of a file."""

    def __init__(self, data: bytes | None, language: str, memory: "Memory") -> None:
        """`data` None: the file is not there, or was not read. The other side has the same memory."""
        self.present = data is not None
        self.data = data or b""
        self.language = language
        self._memory = memory
        self._known: ref[Facts] | None = None  # the shelf decides how long it stays

    @cached_property
    def lines(self) -> list[bytes]:
        """All lines as they stand."""
        return lines.split(self.data)

    def line(self, number: int) -> bytes:
        """One line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else b""

    @property
    def facts(self) -> "Facts | None":
        """Functions, conditions, calls and marks; None where no grammar reads this file."""
        known = self._known() if self._known else None
        if known is None and self.language and self.is_fit:
            known = shelf.facts(self.data, self.language, self._memory)
            self._known = ref(known) if known else None
        return known

    @cached_property
    def is_fit(self) -> bool:
        """Whether a grammar may read this side, if there is one."""
        return fitness.is_fit(self.data)


def remembered(work: "Callable[Concatenate[S, P], R]") -> "Callable[Concatenate[S, P], R]":
    """Do the work once for an edit or a change, and keep the answer as long as that lives."""

    @wraps(work)
    def once(subject: S, /, *args: P.args, **keywords: P.kwargs) -> R:
        key = (work, *args, *keywords.values())
        if key not in subject.memory:
            subject.memory[key] = work(subject, *args, **keywords)
        answer: R = subject.memory[key]
        return answer

    return once


class Edit:
    """One file of a change: both sides, what differs, and the change around it."""

    def __init__(self, blobs: Blobs, change: "Change") -> None:
        """Keep both sides; nothing is computed before a rule asks."""
        self.file = blobs.file
        self.why = blobs.why
        self.path = paths.unquote(blobs.file.path)
        self.kind = kinds.classify(self.path)
        language = kinds.language(self.path)
        memory: Memory = {}
        self.old = Source(blobs.old, language, memory)
        self.new = Source(blobs.new, language, memory)
        self.change = change
        self.memory: dict[object, Any] = {}

    @cached_property
    def changed(self) -> lines.Changed:
        """The lines that this file lost and won."""
        return lines.compare(self.old.data, self.new.data)

    @cached_property
    def removed(self) -> tuple[lines.Line, ...]:
        """The lines that this file lost and that no other production file of the change won."""
        elsewhere = self.change.won
        return tuple(line for line in self.changed.removed if lines.squeeze(line.text) not in elsewhere)

    @property
    def both(self) -> "tuple[Facts, Facts] | None":
        """The facts of both sides, where both can be read."""
        if not (self.old.present and self.new.present and self.old.facts is not None and self.new.facts is not None):
            return None
        return self.old.facts, self.new.facts

    @property
    def is_code(self) -> bool:
        """Whether rules about weakened checks speak of this file."""
        return self.kind in {Kind.PRODUCTION, Kind.VENDORED, Kind.GENERATED}


class Change:
    """All files of a change, and what can only be known of them together."""

    def __init__(self, blobs: Iterable[Blobs]) -> None:
        """Take the files in the order of their paths, so that the caller's order is without effect."""
        self.edits: tuple[Edit, ...] = tuple(sorted((Edit(each, self) for each in blobs), key=lambda edit: edit.path))
        self.memory: dict[object, Any] = {}

    def forget(self) -> None:
        """Let go of the files: they hold the change, and a ring keeps native trees until the collector comes."""
        self.edits = ()
        self.memory.clear()
        lines.compare.cache_clear()
        self.__dict__.pop("renames", None)

    @cached_property
    def won(self) -> frozenset[bytes]:
        """Lines without blanks that production files of this change won: what is among them has moved, not gone."""
        production = (edit for edit in self.edits if edit.is_code)
        return frozenset(lines.squeeze(line.text) for edit in production for line in edit.changed.added)

    @cached_property
    def has_production(self) -> bool:
        """Whether any production file changed."""
        return any(edit.kind is Kind.PRODUCTION for edit in self.edits)

    @cached_property
    def renames(self) -> "tuple[Edit, ...]":
        """Code that left one path and came to another with a third of its lines or more, as one edit of the old path."""
        gone = [edit for edit in self.edits if edit.is_code and edit.old.present and not edit.file.exists_after]
        come = [edit for edit in self.edits if edit.is_code and edit.new.present and not edit.file.exists_before]
        return tuple(_renames(gone, come, self)) if gone and come else ()


def _renames(gone: "list[Edit]", come: "list[Edit]", change: Change) -> "Iterator[Edit]":
    holders: dict[bytes, list[int]] = {}
    for index, edit in enumerate(come):
        for line in _told(edit.new):
            holders.setdefault(line, []).append(index)
    for edit in gone:
        told = _told(edit.old)
        votes = Counter(index for line in told for index in holders.get(line, ())[:COMMON])
        for index, count in sorted(votes.most_common(1)):
            if count * 3 >= min(len(told), len(_told(come[index].new))):
                yield Edit(Blobs(edit.file, edit.old.data, come[index].new.data), change)


def _told(side: Source) -> frozenset[bytes]:
    """The lines of a file that tell it from others, without blanks."""
    return frozenset(line for line in map(lines.squeeze, side.lines) if len(line) > 3)


class Rule:
    """A pattern of change, in a file of its own: documentation, examples, triggers and one check.

    `triggers` are re2 patterns over bytes; the check runs only where one occurs in the changed lines. A rule without
    triggers sees every file.
    """

    id: ClassVar[str]
    slug: ClassVar[str]
    tier: ClassVar[Tier]
    since: ClassVar[str]
    languages: ClassVar[tuple[str, ...]] = ()  # documentation only; empty = any text
    triggers: ClassVar[tuple[bytes, ...]] = ()
    HOLDS: ClassVar[Sequence[Example]]
    PASSES: ClassVar[Sequence[Example]]

    def reads(self, _edit: Edit) -> bool:
        """Whether this rule speaks of such a file at all. Asked before the triggers, of rules that have some."""
        return True

    def check(self, edit: Edit) -> Iterator[Finding]:
        """What this rule has to say of one file."""
        raise NotImplementedError

    def lost(self, edit: Edit, line: int, message: str, *, tier: Tier | None = None) -> Finding:
        """A finding about something that stood in the old file."""
        quote = visible(edit.old.line(line))
        return Finding(self.slug, tier or self.tier, edit.file.path, "old", line, message, quote)

    def came(self, edit: Edit, line: int, message: str, *, tier: Tier | None = None) -> Finding:
        """A finding about something that stands in the new file."""
        quote = visible(edit.new.line(line))
        return Finding(self.slug, tier or self.tier, edit.file.path, "new", line, message, quote)
