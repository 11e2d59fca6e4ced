"""Reads a source file into facts: its functions, conditions, calls and marks. Trees by ast-grep, in process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

from rules import outline
from rules.conditions import Condition, condition_of, parts
from rules.grammars import GRAMMARS, Grammar
from rules.outline import Flat, Outline, Span
from rules.vocabulary import leaves, turns_away

MAX_NODES = 20_000  # of the kinds that we ask for
SHORT = 400  # characters of a node that is remembered by its text
Memory = dict[tuple[str, str, str], Any]
T = TypeVar("T")


class Branch(NamedTuple):
    """A condition and what it leads to."""

    function: str
    line: int
    end: int
    condition: Condition
    body: str  # what happens where the condition holds, blanks collapsed
    otherwise: str  # what happens where not; where the body leaves, the next statement if it refuses


class Call(NamedTuple):
    """A call; `name` is the last part of what is called, `text` the whole call with blanks collapsed."""

    function: str
    line: int
    end: int
    name: str
    target: str
    arguments: tuple[str, ...]


class Exit(NamedTuple):
    """A return that every way through its function passes, or the handler of what fails between `line` and `end`."""

    line: int
    end: int
    handles: bool
    text: str  # the return, or the handler, without comments and with blanks collapsed


class Mark(NamedTuple):
    """A decorator or annotation; `target` is the function or class that it stands on."""

    target: str
    line: int
    name: str
    text: str


class Facts:
    """What the rules ask of one file. The outline is read at once, a function's inside only when somebody asks."""

    def __init__(self, outline: Outline, reader: "_Reader") -> None:
        """Take a finished outline."""
        self.spans = tuple(outline.spans)
        self.broken = tuple(outline.broken)  # lines that the grammar could not make out
        self.by_name: dict[str, list[Span]] = {}
        for span in self.spans:
            self.by_name.setdefault(span.name, []).append(span)
        self.outline = outline
        self._reader = reader
        self._known: dict[str, _Inside] = {}

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Decorators and annotations in the order of the text."""
        return tuple(self._reader.mark(node) for node in self.outline.marks)

    def branches(self, function: str) -> tuple[Branch, ...]:
        """Conditions with their outcomes; then those that are returned, assigned or passed on, without."""
        return self._of(function).branches

    def calls(self, function: str) -> tuple[Call, ...]:
        """The calls of a function in the order of the text; of "" those outside of all."""
        return self._of(function).calls

    def text(self, function: str) -> str:
        """All text of a function."""
        return "\n".join(self.outline.text(area) for area in self.outline.areas.get(function, ()))

    def exits(self, function: str) -> tuple[Exit, ...]:
        """Returns that nothing asks about, and handlers of what fails, in the order of the text."""
        grammar = self._reader.grammar
        kinds = frozenset((*grammar.returns, *grammar.handlers))
        areas = self.outline.areas.get(function, ())
        nodes = ((area.node, node) for area in areas for node in self.outline.nodes(area) if node.kind() in kinds)
        found = (self._reader.exit(function, node) for function, node in nodes)
        return tuple(each for each in found if each is not None)

    def is_same(self, function: str, other: "Facts", name: str) -> bool:
        """Whether a function reads as another one of another side: nothing that is asked here can differ."""
        return outline.is_same(self.outline, other.outline, (function, name), _read_kinds(self._reader.grammar))

    def _of(self, function: str) -> "_Inside":
        if function not in self._known:
            areas = self.outline.areas.get(function, ())
            nodes = (node for area in areas for node in self.outline.nodes(area))
            self._known[function] = self._reader.inside(function, nodes)
        return self._known[function]


class _Inside(NamedTuple):
    branches: tuple[Branch, ...]
    calls: tuple[Call, ...]


def read(data: bytes, language: str, memory: Memory) -> Facts | None:
    """The facts of a file that is fit to be parsed; None where it has no grammar, or too much of everything.

    The sides of a file share a memory, so that what stands in both is read once.
    """
    grammar = GRAMMARS.get(language)
    if grammar is None or not data:
        return None
    text = data.decode("utf-8", "replace")
    root = _root(text, language)
    nodes = [] if root is None else root.find_all(outline.query(frozenset((*grammar.all, "ERROR"))))
    if root is None or len(nodes) > MAX_NODES:
        return None
    reader = _Reader(grammar, text, memory)
    found = Outline(root, grammar, text)
    found.take(nodes, reader.flat)
    return Facts(found, reader)


@lru_cache(maxsize=32)
def _read_kinds(grammar: Grammar) -> frozenset[str]:
    return frozenset(grammar.all) - frozenset(grammar.outlined)


def _root(text: str, language: str) -> Any | None:
    from ast_grep_py import SgRoot  # noqa: PLC0415 - 45 MB of grammars, only where a change needs them

    try:
        return SgRoot(text, language).root()
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":  # of the native parser
            return None  # what it cannot read is read by lines
        raise  # pragma: no cover - an interrupt, which is not ours to swallow


class _Seen(NamedTuple):
    """A node with what is asked of it most: kind, place in characters, and lines from 1."""

    node: Any
    kind: str
    start: int
    end: int
    lines: tuple[int, int]


def _seen(node: Any) -> _Seen:
    span = node.range()
    start, end = span.start, span.end
    return _Seen(node, node.kind(), start.index, end.index, (start.line + 1, end.line + 1))


class _Reader:
    """Reads single nodes of one file."""

    def __init__(self, grammar: Grammar, text: str, memory: Memory) -> None:
        self.grammar = grammar
        self._text = text
        self._memory = memory

    def cut(self, node: Any, limit: int) -> str:
        """The text of a node, without copying all that lies in it."""
        span = node.range()
        return self._text[span.start.index : min(span.end.index, span.start.index + limit)]

    def flat(self, node: Any | None) -> str:
        """The text of a node in one line, blanks collapsed, cut at 400 characters."""
        return "" if node is None else " ".join(self.cut(node, 2000).split())[:400]

    def _done(self, node: Any | None) -> str:
        """What a branch does, in one line, without its comments: a word in a comment refuses nobody."""
        return "" if node is None else " ".join(uncommented(self.cut(node, 2000)).split())[:400]

    def _once(self, work: Callable[[Any], T], seen: _Seen) -> T:
        """Read a short node; the same text of the same kind is read once for all that share the memory."""
        if seen.end - seen.start > SHORT:
            return work(seen.node)
        key = (work.__name__, seen.kind, self._text[seen.start : seen.end])
        if key not in self._memory:
            self._memory[key] = work(seen.node)
        known: T = self._memory[key]
        return known

    def inside(self, function: str, nodes: Iterable[Any]) -> _Inside:
        """Everything that is read of one function."""
        found = [_seen(node) for node in nodes]
        grammar = self.grammar
        calls = [self._call(function, seen) for seen in found if seen.kind in grammar.calls]
        asked = [self._branch(function, seen) for seen in found if seen.kind in grammar.conditionals]
        loose = self._loose(function, [seen for seen in found if seen.kind not in (*grammar.calls, *grammar.handlers)])
        return _Inside((*(branch for branch in asked if branch is not None), *loose), tuple(calls))

    def _branch(self, function: str, seen: _Seen) -> Branch | None:
        asked = self._once(self._asked, seen)
        if asked is None:
            return None
        formula, done, other = asked
        if other is None:
            following = self._done(_following(seen.node, self.grammar.conditionals)) if leaves(done) else ""
            other = following if turns_away(following) else ""
        return Branch(function, *seen.lines, formula, done, other)

    def _asked(self, node: Any) -> tuple[Condition, str, str | None] | None:
        """Condition, what is done, and what is done else; None where there is no else."""
        found = parts(node)
        if found is None:
            return None
        condition, body, otherwise = found
        formula = condition_of(condition, self.cut, negated=node.kind().startswith("unless"))
        return formula, self._done(body), None if otherwise is None else self._done(otherwise)

    def _loose(self, function: str, found: Sequence[_Seen]) -> Iterator[Branch]:
        """Conditions that no conditional asks; none is read twice."""
        read_to = 0
        for seen in found:
            value = self._value(seen)
            if value is None or value.start < read_to:
                continue
            if seen.kind in self.grammar.conditionals:
                read_to = value.end
                continue
            formula = self._once(self._condition, value)
            if formula.is_logical:
                read_to = value.end
                yield Branch(function, *seen.lines, formula, "", "")

    def _condition(self, node: Any) -> Condition:
        return condition_of(node, self.cut)

    def _value(self, seen: _Seen) -> _Seen | None:
        if seen.kind in self.grammar.joins:
            return seen
        if seen.kind in self.grammar.conditionals:
            asked = parts(seen.node)
            value = None if asked is None else asked[0]
        else:
            value = _returned(seen.node)
        return None if value is None else _seen(value)

    def _call(self, function: str, seen: _Seen) -> Call:
        name, target, arguments = self._once(self._called, seen)
        return Call(function, *seen.lines, name, target, arguments)

    def _called(self, node: Any) -> tuple[str, str, tuple[str, ...]]:
        """Name, target and arguments."""
        target, arguments = _callee(node, self.flat)
        target = target.rstrip(".")  # Ruby calls `check.(x)`, which has no name of its own
        return target.replace("->", ".").replace("::", ".").rsplit(".", 1)[-1], target, arguments

    def exit(self, function: Any, node: Any) -> Exit | None:
        """A handler, or a return of the function's own block; None for a return that a condition may skip."""
        seen = _seen(node)
        if seen.kind not in self.grammar.handlers:
            return Exit(*seen.lines, False, self._done(node)) if _stands_alone(node, function) else None
        around = node if seen.kind == "rescue_modifier" else node.parent()
        text = self._done(node)
        if seen.kind == "rescue_modifier":
            text = f"rescue {text.rsplit(' rescue ', 1)[-1]}"
        return Exit(_seen(around).lines[0], seen.lines[0], True, text)

    def mark(self, node: Any) -> Mark:
        """A decorator or annotation."""
        text = self.flat(node).lstrip("@#[ ").rstrip("] ")
        name = text.split("(", 1)[0].rsplit(".", 1)[-1]
        return Mark(_target(node, self.flat), node.range().start.line + 1, name, text)


_BLOCKS = {
    "block", "statement_block", "statement_list", "compound_statement", "body_statement", "statements", "function_body",
    "expression_statement",
}  # fmt: skip


def _stands_alone(node: Any, function: Any) -> bool:
    """Whether nothing but blocks stands between a statement and its function."""
    around = next(each for each in (*node.ancestors(), function) if each.kind() not in _BLOCKS)
    place, within = around.range(), function.range()
    return (place.start.index, place.end.index) == (within.start.index, within.end.index)


def _following(node: Any, asking: tuple[str, ...]) -> Any | None:
    """The next statement, unless it asks for itself; one by one, for all siblings at once would be quadratic."""
    for _ in range(8):
        node = node.next()
        if node is None or (node.is_named() and "comment" not in node.kind()):
            return None if node is None or node.kind() in asking else node
    return None


def uncommented(text: str) -> str:
    """Code without what looks like a comment. Texts that hold such signs are cut as well."""
    while (start := text.find("/*")) >= 0:
        end = text.find("*/", start + 2)
        text = f"{text[:start]} {text[end + 2 :] if end >= 0 else ''}"
    return "\n".join(_before_comment(line) for line in text.split("\n"))


def _before_comment(line: str) -> str:
    line = line.split("//", 1)[0]
    start = line.find("#")
    return (
        line
        if start < 0 or line[start + 1 : start + 2] in {"{", "["} or (start and line[start - 1] in ".?")
        else line[:start]
    )


def _returned(node: Any) -> Any | None:
    value = next((child for child in node.children() if child.is_named()), None)
    while value is not None and value.kind() in {"expression_list", "argument_list"}:
        value = next((child for child in value.children() if child.is_named()), None)
    return value


def _callee(node: Any, flat: Flat) -> tuple[str, tuple[str, ...]]:
    called = node.field("function") or node.field("constructor") or node.field("type") or node.field("macro")
    name = node.field("method") or node.field("name")
    receiver = node.field("receiver") or node.field("object") or node.field("scope")
    given = node.field("arguments")
    if called is None and name is None:
        named = [child for child in node.children() if child.is_named()]
        called = named[0] if named else None
        given = given or _suffix(named)
    owner = f"{flat(receiver)}." if receiver is not None else ""
    target = flat(called) if called is not None else owner + flat(name)
    if given is None:
        return target, ()
    return target, tuple(
        flat(child) for child in given.children() if child.is_named() and "comment" not in child.kind()
    )


def _suffix(named: Sequence[Any]) -> Any | None:
    """The arguments of a call in Kotlin's grammar."""
    inner = named[-1].children() if named and named[-1].kind() == "call_suffix" else ()
    return next((child for child in inner if child.kind() == "value_arguments"), None)


def _target(mark: Any, flat: Flat) -> str:
    """The function or class that a mark stands on: around it, or next to it in the body of a class."""
    node = mark.parent()
    if node is not None and node.kind() == "class_body":
        node = mark.next()
        while node is not None and node.kind() == "decorator":
            node = node.next()
    for _ in range(4):
        if node is None:
            return ""
        name = node.field("name") or _defined(node)
        if name is not None and node.kind() not in {"marker_annotation", "annotation", "attribute"}:
            return flat(name)
        node = node.parent()
    return ""


def _defined(node: Any) -> Any | None:
    definition = node.field("definition")
    return definition.field("name") if definition is not None else None
