"""The tests ask less than they did."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line, words
from rules.patterns import found, pattern
from rules.rule import Change, Diff, Edit, Rule, remembered

_ASSERTS = (
    rb"\bassert\w*\b|\bexpect(?:ed|Exception\w*)?\s*[({.]|\.should\b|\bshould\.|\bmust_\w+|\brefute\w*\b|\brequire\.[A-Z]\w+\(|"
    rb"\bt\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow|is|equal|deepEqual|ok|throws|strictEqual|same)\b|\bverify\(|\bCHECK\w*\(|"
    rb"\bassert_\w+!|\bXCTAssert\w*|\bpytest\.raises\b|\bexpect_\w+"
)
_SKIPS = (
    rb"@(?:pytest\.mark\.|unittest\.)?(?:skip\w*|xfail|expectedFailure|Ignore|Disabled)\b|\bpytest\.(?:skip|xfail)\(|\bself\.skipTest\(|"
    rb"\b(?:it|describe|test|context|suite|t)\.(?:skip|todo|failing|fixme)\b|\bx(?:it|describe|test|context|specify)\b\s*[( ]|"
    rb"\b(?:it|describe|test)\.only\b|\bt\.Skip(?:f|Now)?\(|\bmarkTest(?:Skipped|Incomplete)\(|^\s*(?:skip|pending)\b|#\[ignore|"
    rb"\bGTEST_SKIP\(|\[(?:Ignore|Skip)"
)
_LOOSE = (
    rb"\bassert(?:True|IsNotNone|_not_nil|NotNull)\b|\.to(?:BeTruthy|BeDefined|BeFalsy)\(|\bassert True\b|\bexpect\.any(?:thing)?\(|"
    rb"\.to be_(?:truthy|present)\b|\bassertIn\b|\bassert\.ok\("
)
_STRICT = (
    rb"\bassert(?:Equals?|Raises\w*|_equal|_raises?|Throws|Same|Is)\b|\.to(?:Be|Equal|StrictEqual|Throw\w*|HaveBeenCalledWith)\(|"
    rb"\bassert [^\n]*[!=]=|\.to (?:eq|raise_error)\b|\bassert\.(?:equal|strictEqual|deepEqual|deepStrictEqual|throws|rejects)\("
)

_CONDITION = rb"(?i)\bif\b[^\n]*(?:GOOS|windows|platform|darwin|linux|getenv|environ|\benv\b|version|short\(|available|installed|\bCI\b|not found|unsupported)|skip_?(?:if|unless)|Skip(?:If|Unless)|EnabledOn|DisabledOn|lookpath"
_TEST = rb"^\s*(?:async )?def \w|^func \w|\b(?:it|test|describe|context|specify)(?:\.\w+)?\s*\(|^\s*(?:it|describe|context|test|specify|scenario) [\"']|\bfunction \w|^\s*(?:public |private |protected |static |final )*(?:void|function|fun|async Task|Task) \w|^\s*fn \w"
_LOOKED_AT = 50  # skips of one file
_NAME = rb"\b(?:def|func|function|fn|fun|void|Task)\s+(\w+)|[\"'`]([^\"'`]+)"
_DEFINES = (
    rb"\b(?:def|func|class|function|interface|struct|enum|module|trait|fn|fun)\s+(?:\([^)\n]{0,80}\)\s*)?(\w{4,80})"
)
_IMPORTS = (
    b"import ",
    b"from ",
    b"use ",
    b"using ",
    b"#include",
    b"require ",
    b"require(",
    b"const {",
    b'"github.com/',
    b"//",
    b"#",
    b"*",
)
_VALUES = (b".json", b".jsonl", b".csv", b".tsv", b".lock", b".map", b".svg", b".po")


class TestWeakened(Rule):
    """The tests ask less than they did.

    ## What it does
    Counts what all tests of the change assert before and after, and looks for new skips and for exact expectations that became loose. Beside a
    change of production code it is a hold, alone a note.

    ## Why it matters
    The cheapest way to make a test pass is to stop asking.

    ## Example
    A test that expects a refusal is deleted in the change that takes the refusal away.

    ## What to do instead
    Keep the test and repair the code. If the expectation was wrong, let an owner of the path say so.
    """

    id, slug, tier, since = "TH401", "test-weakened", Tier.HOLD, "0.1"
    triggers: ClassVar = (_ASSERTS, _SKIPS, _LOOSE)
    __test__ = False  # no test class, whatever pytest makes of the name

    HOLDS: ClassVar = (
        (
            Diff("src/a.py", "def a():\n    return check(1)\n", "def a():\n    return 1\n"),
            Diff(
                "tests/test_a.py",
                "def test_a():\n    assert a() == 1\n    assert b()\n",
                "def test_a():\n    assert b()\n",
            ),
        ),
        (
            Diff("src/a.js", "f(1)\n", "f(2)\n"),
            Diff("test/a.test.js", "it('refuses', () => {\n  go()\n})\n", "it.skip('refuses', () => {\n  go()\n})\n"),
        ),
        (
            Diff("src/a.js", "f(1)\n", "f(2)\n"),
            Diff("test/a.test.js", "expect(f()).toBe(403)\n", "expect(f()).toBeDefined()\n"),
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "tests/test_a.py", "def test_a():\n    assert a() == 1\n    assert b()\n", "def test_a():\n    assert b()\n"
        ),
        (
            Diff("src/a.py", "x = 1\n", "x = 2\n"),
            Diff("tests/test_a.py", "def test_a():\n    assert a()\n", None),
            Diff("tests/test_b.py", None, "def test_b():\n    assert a()\n"),
        ),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Of one test file: what it lost where the whole change lost, and what it skips."""
        if not _asserts(edit):
            return
        tier = self.tier if edit.change.has_production and not _subject_is_gone(edit) else Tier.NOTE
        whole, mine = _balance(edit.change), _tally(edit)
        if whole.asserts < 0 and mine.asserts < 0:
            line = next((line.number for line in _told(edit.changed.removed) if found(_ASSERTS, line.text)), 0)
            noun = "assertion" if mine.asserts == -1 else "assertions"
            message = f"{-mine.asserts} {noun} fewer here, {-whole.asserts} in all tests of the change"
            yield self.lost(edit, line, message, tier=tier)
        elif whole.strict < 0 and mine.strict < 0 and mine.loose > 0:
            line = next(line.number for line in edit.changed.added if found(_LOOSE, line.text))
            yield self.came(edit, line, "an exact expectation became a loose one", tier=tier)
        if mine.skips > 0 and edit.old.present:
            line = _skipped(edit)
            light = Tier.NOTE if _is_new_test(edit, line) or _asks_first(edit, line) else tier
            yield self.came(
                edit, line, f"{mine.skips} tests are skipped or singled out that were not before", tier=light
            )


def _asserts(edit: Edit) -> bool:
    """Whether a file may assert something: a test that is no list of values."""
    return edit.kind is Kind.TEST and not edit.path.lower().endswith(_VALUES)


def _skipped(edit: Edit) -> int:
    """The line of the first new skip, of one without a condition if there is one."""
    lines = [line.number for line in edit.changed.added if found(_SKIPS, line.text)][:_LOOKED_AT]
    return next((number for number in lines if not (_asks_first(edit, number) or _is_new_test(edit, number))), lines[0])


def _asks_first(edit: Edit, number: int) -> bool:
    """Whether a skip depends on the machine: its line or the one before asks for a platform, a version or a variable."""
    return found(_CONDITION, b"\n".join(edit.new.lines[max(number - 3, 0) : number]))


def _is_new_test(edit: Edit, number: int) -> bool:
    """Whether the test that is skipped came with the change: the old file does not know its name."""
    below = range(number, min(number + 4, len(edit.new.lines) + 1))
    heads = (at for at in (*below, *range(number - 1, max(number - 40, 0), -1)) if found(_TEST, edit.new.line(at)))
    name = pattern(_NAME).search(edit.new.line(next(heads, 0)))
    return name is not None and (name.group(1) or name.group(2)) not in edit.old.data


@remembered
def _subject_is_gone(edit: Edit) -> bool:
    """Whether every assertion that this file lost stood in a test of something that the change took out of production."""
    gone = _gone(edit.change)
    if not gone:
        return False
    numbers = [line.number for line in _told(edit.changed.removed) if found(_ASSERTS, line.text)]
    return bool(numbers) and all(not gone.isdisjoint(_test_around(edit, number)) for number in numbers[:200])


def _test_around(edit: Edit, number: int) -> frozenset[str]:
    """The words of the old test that a line stood in, from its heading on."""
    lines = edit.old.lines
    start = next((at for at in range(number - 1, max(number - 80, -1), -1) if found(_TEST, lines[at])), number - 1)
    return frozenset(words(b"\n".join(lines[start:number])))


@remembered
def _gone(change: Change) -> frozenset[str]:
    """Names that production code of this change defined and nowhere has any more."""
    removed = [line.text for edit in change.edits if edit.kind is Kind.PRODUCTION for line in edit.changed.removed]
    names = {match.group(1).decode("latin1") for match in pattern(_DEFINES).finditer(b"\n".join(removed))}
    left = (frozenset(words(edit.new.data)) for edit in change.edits if edit.kind is Kind.PRODUCTION) if names else ()
    return frozenset(names.difference(*left))


class _Tally(NamedTuple):
    """Occurrences won less occurrences lost."""

    asserts: int
    skips: int
    strict: int
    loose: int


@remembered
def _tally(edit: Edit) -> _Tally:
    def won(text: bytes) -> int:
        return _count(text, edit.changed.added) - _count(text, edit.changed.removed)

    return _Tally(won(_ASSERTS), won(_SKIPS), won(_STRICT), won(_LOOSE))


def _count(text: bytes, lines: tuple[Line, ...]) -> int:
    return sum(1 for _ in pattern(text).finditer(b"\n".join(line.text for line in _told(lines))))


def _told(lines: tuple[Line, ...]) -> list[Line]:
    """The lines that are no imports and no comments."""
    return [line for line in lines if not line.text.startswith(_IMPORTS)]


@remembered
def _balance(change: Change) -> _Tally:
    tallies = [_tally(edit) for edit in change.edits if _asserts(edit)]
    return _Tally(*(sum(column) for column in zip(*tallies, strict=True)))
