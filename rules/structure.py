"""Reads a source file into facts: its functions, conditions, calls and marks. Trees by ast-grep, in process.

The parser is native code that an author could drive out of memory (a chain of `a<a<a<`), so what nests or runs on
beyond any written code is not parsed; the rules then read the lines alone.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rules.conditions import Condition, condition_of
from rules.grammars import GRAMMARS, Grammar
from rules.vocabulary import leaves, turns_away

MAX_PARSED = 512 << 10  # bytes
MAX_LINE = 5_000  # bytes
MAX_DEPTH = 64  # brackets open at once
MAX_NODES = 20_000  # of the kinds that we ask for


Flat = Callable[[Any], str]


class Span(NamedTuple):
    """Lines of a named function or class, from 1, both ends included."""

    name: str  # qualified by its classes: `Account.reset`
    start: int
    end: int
    is_function: bool


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


class Mark(NamedTuple):
    """A decorator or annotation; `target` is the function or class that it stands on."""

    target: str
    line: int
    name: str
    text: str


class Facts:
    """What the rules ask of one file. The outline is read at once, a function's inside only when somebody asks."""

    def __init__(self, outline: "_Outline") -> None:
        """Take a finished outline."""
        self.spans = tuple(outline.spans)
        self.by_name: dict[str, list[Span]] = {}
        for span in self.spans:
            self.by_name.setdefault(span.name, []).append(span)
        self.marks = tuple(outline.marks)
        self.broken = tuple(outline.broken)  # lines that the grammar could not make out
        self._inside = outline.inside
        self._reader = outline.reader
        self._known: dict[str, _Inside] = {}

    def branches(self, function: str) -> tuple[Branch, ...]:
        """Conditions with their outcomes; then those that are returned, assigned or passed on, without."""
        return self._of(function).branches

    def calls(self, function: str) -> tuple[Call, ...]:
        """The calls of a function in the order of the text; of "" those outside of all."""
        return self._of(function).calls

    def _of(self, function: str) -> "_Inside":
        if function not in self._known:
            self._known[function] = self._reader.inside(function, self._inside.get(function, ()))
        return self._known[function]


class _Inside(NamedTuple):
    branches: tuple[Branch, ...]
    calls: tuple[Call, ...]


def read(data: bytes, language: str) -> Facts | None:
    """The facts of a file that is fit to be parsed; None where it has no grammar, or too much of everything."""
    grammar = GRAMMARS.get(language)
    if grammar is None or not data:
        return None
    text = data.decode("utf-8", "replace")
    root = _root(text, language)
    nodes = [] if root is None else root.find_all(_query(language))
    if root is None or len(nodes) > MAX_NODES:
        return None
    outline = _Outline(_Reader(grammar, text))
    for node in nodes:
        outline.take(node, node.kind())
    return Facts(outline)


def is_fit(data: bytes) -> bool:
    """Whether a file nests and runs on no further than written code does."""
    if len(data) > MAX_PARSED or max(map(len, data.split(b"\n"))) > MAX_LINE:
        return False
    return _depth(data) <= MAX_DEPTH


_BRACKETS = bytes(byte for byte in range(256) if byte not in b"<>;{}()[]")


def _depth(data: bytes) -> int:
    """The deepest nesting, strings and comments counted as code. `<` counts until a statement or block ends it."""
    depth = angles = deepest = 0
    for byte in data.translate(None, _BRACKETS):
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth = max(depth - 1, 0)
        angles = angles + 1 if byte == 0x3C else max(angles - 1, 0) if byte == 0x3E else 0 if byte in b";{}" else angles
        deepest = max(deepest, depth, angles)
    return deepest


def _root(text: str, language: str) -> Any | None:
    from ast_grep_py import SgRoot  # noqa: PLC0415 - 45 MB of grammars, only where a change needs them

    try:
        return SgRoot(text, language).root()
    except Exception:  # noqa: BLE001 - whatever the parser cannot read is read by lines
        return None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of the native parser; derives from BaseException
            return None
        raise


@lru_cache(maxsize=32)
def _query(language: str) -> dict[str, Any]:
    kinds = dict.fromkeys((*GRAMMARS[language].all, "ERROR"))
    return {"rule": {"any": [{"kind": kind} for kind in kinds]}}


class _Reader:
    """Reads single nodes of one file."""

    def __init__(self, grammar: Grammar, text: str) -> None:
        self.grammar = grammar
        self._text = text

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

    def inside(self, function: str, nodes: Sequence[Any]) -> _Inside:
        """Everything that is read of one function."""
        grammar = self.grammar
        calls = [self._call(function, node) for node in nodes if node.kind() in grammar.calls]
        asked = [node for node in nodes if node.kind() in grammar.conditionals]
        branches = [branch for branch in (self._branch(function, node) for node in asked) if branch is not None]
        loose = self._loose(function, [node for node in nodes if node.kind() not in grammar.calls])
        return _Inside((*branches, *loose), tuple(calls))

    def _branch(self, function: str, node: Any) -> Branch | None:
        parts = _parts(node)
        if parts is None:
            return None
        condition, body, otherwise = parts
        formula = condition_of(condition, self.cut, negated=node.kind().startswith("unless"))
        done = self._done(body)
        other = self._done(otherwise)
        if otherwise is None and leaves(done):
            following = self._done(_following(node))
            other = following if turns_away(following) else ""
        return Branch(function, *_lines(node), formula, done, other)

    def _loose(self, function: str, nodes: Sequence[Any]) -> Iterator[Branch]:
        """Conditions that no conditional asks; none is read twice."""
        read_to = 0
        for node in nodes:
            value = self._value(node)
            if value is None or value.range().start.index < read_to:
                continue
            formula = condition_of(value, self.cut)
            if node.kind() in self.grammar.conditionals:
                read_to = value.range().end.index
            elif formula.is_logical:
                read_to = value.range().end.index
                yield Branch(function, *_lines(node), formula, "", "")

    def _value(self, node: Any) -> Any | None:
        kind = node.kind()
        if kind in self.grammar.conditionals:
            parts = _parts(node)
            return None if parts is None else parts[0]
        return _returned(node) if kind in self.grammar.returns else node

    def _call(self, function: str, node: Any) -> Call:
        target, arguments = _callee(node, self.flat)
        name = target.replace("->", ".").replace("::", ".").rsplit(".", 1)[-1]
        return Call(function, *_lines(node), name, target, arguments)

    def mark(self, node: Any) -> Mark:
        """A decorator or annotation."""
        text = self.flat(node).lstrip("@#[ ").rstrip("] ")
        name = text.split("(", 1)[0].rsplit(".", 1)[-1]
        return Mark(_target(node, self.flat), _lines(node)[0], name, text)


class _Outline:
    """Walks the nodes of one file in the order of the text, and sorts them under the function that they lie in."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.spans: list[Span] = []
        self.marks: list[Mark] = []
        self.broken: list[range] = []
        self.inside: dict[str, list[Any]] = {}
        self._open: list[tuple[int, str]] = []  # offset of the end, qualified name

    def take(self, node: Any, kind: str) -> None:
        grammar = self.reader.grammar
        lies = node.range()
        while self._open and self._open[-1][0] <= lies.start.index:
            self._open.pop()
        if kind in grammar.functions or kind in grammar.containers:
            self._enter(node, lies, is_function=kind in grammar.functions)
        elif kind in grammar.marks:
            self.marks.append(self.reader.mark(node))
        elif kind == "ERROR":
            self.broken.append(range(lies.start.line + 1, lies.end.line + 2))
        else:
            self.inside.setdefault(self._open[-1][1] if self._open else "", []).append(node)

    def _enter(self, node: Any, lies: Any, *, is_function: bool) -> None:
        name = _name_of(node, self.reader.flat)
        if name:
            qualified = f"{self._open[-1][1]}.{name}" if self._open else name
            self.spans.append(Span(qualified, lies.start.line + 1, lies.end.line + 1, is_function=is_function))
            self._open.append((lies.end.index, qualified))


def _following(node: Any) -> Any | None:
    """The next statement; one by one, for all siblings at once would be quadratic."""
    for _ in range(8):
        node = node.next()
        if node is None or (node.is_named() and "comment" not in node.kind()):
            return node
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


def _lines(node: Any) -> tuple[int, int]:
    span = node.range()
    return span.start.line + 1, span.end.line + 1


def _name_of(node: Any, flat: Flat) -> str:
    """The name of a function or class; of an anonymous one, the name that it is bound to."""
    name = node.field("name")
    if name is not None:
        receiver = node.field("receiver")
        return f"{_receiver(flat(receiver))}.{name.text()}" if receiver is not None else flat(name)
    if node.kind() == "impl_item":
        return flat(node.field("type"))
    declarator = node.field("declarator")
    if declarator is not None:
        return flat(declarator).split("(", 1)[0].rsplit(" ", 1)[-1].lstrip("*&")
    if node.kind() in {"function_declaration", "class_declaration", "object_declaration"}:
        return next((flat(c) for c in node.children() if c.kind() in {"simple_identifier", "type_identifier"}), "")
    return _bound(node.parent(), flat)


def _receiver(text: str) -> str:
    words = text.strip("()").replace("*", " ").split("[", 1)[0].split()
    return words[-1] if words else ""


_BINDERS = {
    "variable_declarator": "name",
    "pair": "key",
    "assignment_expression": "left",
    "public_field_definition": "name",
    "field_definition": "property",
}


def _bound(parent: Any | None, flat: Flat) -> str:
    field = _BINDERS.get(parent.kind()) if parent is not None else None
    name = parent.field(field) if parent is not None and field is not None else None
    return flat(name).rsplit(".", 1)[-1] if name is not None else ""


def _parts(node: Any) -> tuple[Any, Any, Any] | None:
    """Condition, body and alternative of a conditional node."""
    kind = node.kind()
    named = [child for child in node.children() if child.is_named()]
    if kind == "assert_statement":
        return (named[0], None, None) if named else None
    if kind == "conditional_expression" and node.field("condition") is None:  # python: body if condition else other
        return (named[1], named[0], named[2]) if len(named) == 3 else None
    if kind == "expression_case":
        return (named[0], named[-1], None) if named else None
    condition = node.field("condition")
    body = node.field("consequence") or node.field("body")
    otherwise = node.field("alternative")
    if condition is None and named:
        condition, body = named[0], body or (named[1] if len(named) > 1 else None)
    return None if condition is None else (condition, body, otherwise)


def _callee(node: Any, flat: Flat) -> tuple[str, tuple[str, ...]]:
    called = node.field("function") or node.field("constructor") or node.field("type") or node.field("macro")
    name = node.field("method") or node.field("name")
    receiver = node.field("receiver") or node.field("object") or node.field("scope")
    if called is None and name is None:
        called = next((child for child in node.children() if child.is_named()), None)
    owner = f"{flat(receiver)}." if receiver is not None else ""
    target = flat(called) if called is not None else owner + flat(name)
    given = node.field("arguments")
    if given is None:
        return target, ()
    return target, tuple(
        flat(child) for child in given.children() if child.is_named() and "comment" not in child.kind()
    )


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
