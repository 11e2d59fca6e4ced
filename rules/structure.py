"""Reads a source file into facts: its functions, conditions, calls and marks. Trees by ast-grep, in process.

The parser is native code that an author could drive out of memory (a chain of `a<a<a<`), so what nests or runs on
beyond any written code is not parsed; the rules then read the lines alone.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from rules.conditions import Condition, condition_of
from rules.grammars import GRAMMARS, Grammar

MAX_PARSED = 1 << 20  # bytes
MAX_LINE = 5_000  # bytes
MAX_DEPTH = 64  # brackets open at once


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
    otherwise: str


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


class Facts(NamedTuple):
    """All that the rules ask of one file."""

    spans: tuple[Span, ...]
    branches: tuple[Branch, ...]
    calls: tuple[Call, ...]
    marks: tuple[Mark, ...]
    loose: tuple[Branch, ...]  # conditions that are returned, assigned or passed on; no body


def read(data: bytes, language: str) -> Facts | None:
    """The facts of a file; None where it has no grammar or is not fit to be parsed."""
    grammar = GRAMMARS.get(language)
    if grammar is None or not data or not _parseable(data):
        return None
    root = _root(data.decode("utf-8", "replace"), language)
    return None if root is None else _Reader(grammar).facts(root, language)


def _parseable(data: bytes) -> bool:
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
    kinds = dict.fromkeys(GRAMMARS[language].all)
    return {"rule": {"any": [{"kind": kind} for kind in kinds]}}


class _Reader:
    """Walks the nodes of one file in the order of the text."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._spans: list[Span] = []
        self._branches: list[Branch] = []
        self._calls: list[Call] = []
        self._marks: list[Mark] = []
        self._loose: list[Branch] = []
        self._read_to = 0  # offset up to which the text lies in a condition already read
        self._open: list[Span] = []

    def facts(self, root: Any, language: str) -> Facts:
        for node in root.find_all(_query(language)):
            self._take(node, node.kind())
        return Facts(
            tuple(self._spans), tuple(self._branches), tuple(self._calls), tuple(self._marks), tuple(self._loose)
        )

    def _take(self, node: Any, kind: str) -> None:
        grammar = self._grammar
        start, end = _lines(node)
        while self._open and self._open[-1].end < start:
            self._open.pop()
        if kind in grammar.functions or kind in grammar.containers:
            self._enter(node, kind in grammar.functions, (start, end))
        elif kind in grammar.conditionals:
            self._branch(node, (start, end))
        elif kind in grammar.calls:
            self._call(node, (start, end))
        elif kind in grammar.marks:
            self._mark(node, start)
        elif kind in grammar.returns:
            self._return(node, (start, end))
        else:
            self._join(node, (start, end))

    @property
    def _here(self) -> str:
        return self._open[-1].name if self._open else ""

    def _enter(self, node: Any, is_function: bool, lines: tuple[int, int]) -> None:
        name = name_of(node)
        if name:
            outer = [span.name for span in self._open[-1:]]
            span = Span(".".join([*outer, name]), *lines, is_function=is_function)
            self._spans.append(span)
            self._open.append(span)

    def _branch(self, node: Any, lines: tuple[int, int]) -> None:
        parts = _parts(node)
        if parts is not None:
            condition, body, otherwise = parts
            self._read(condition)
            formula = condition_of(condition, negated=node.kind().startswith("unless"))
            self._branches.append(Branch(self._here, *lines, formula, flat(body), flat(otherwise)))

    def _call(self, node: Any, lines: tuple[int, int]) -> None:
        target, arguments = _callee(node)
        name = target.replace("->", ".").replace("::", ".").rsplit(".", 1)[-1]
        self._calls.append(Call(self._here, *lines, name, target, arguments))

    def _mark(self, node: Any, line: int) -> None:
        text = flat(node).lstrip("@#[ ").rstrip("] ")
        name = text.split("(", 1)[0].rsplit(".", 1)[-1]
        self._marks.append(Mark(_target(node), line, name, text))

    def _return(self, node: Any, lines: tuple[int, int]) -> None:
        value = next((child for child in node.children() if child.is_named()), None)
        while value is not None and value.kind() in {"expression_list", "argument_list"}:
            value = next((child for child in value.children() if child.is_named()), None)
        if value is not None:
            self._keep_loose(value, lines)

    def _join(self, node: Any, lines: tuple[int, int]) -> None:
        if node.range().start.index >= self._read_to:
            self._keep_loose(node, lines)

    def _keep_loose(self, node: Any, lines: tuple[int, int]) -> None:
        formula = condition_of(node)
        if formula.is_logical:
            self._read(node)
            self._loose.append(Branch(self._here, *lines, formula, "", ""))

    def _read(self, condition: Any) -> None:
        self._read_to = max(self._read_to, condition.range().end.index)


def _lines(node: Any) -> tuple[int, int]:
    span = node.range()
    return span.start.line + 1, span.end.line + 1


def flat(node: Any | None) -> str:
    """The text of a node in one line, blanks collapsed, cut at 400 characters."""
    return "" if node is None else " ".join(node.text()[:2000].split())[:400]


def name_of(node: Any) -> str:
    """The name of a function or class; of an anonymous one, the name that it is bound to."""
    name = node.field("name")
    if name is not None:
        receiver = node.field("receiver")
        return f"{_receiver(receiver)}.{name.text()}" if receiver is not None else str(name.text())
    if node.kind() == "impl_item":
        return flat(node.field("type"))
    declarator = node.field("declarator")
    if declarator is not None:
        return flat(declarator).split("(", 1)[0].rsplit(" ", 1)[-1].lstrip("*&")
    if node.kind() in {"function_declaration", "class_declaration", "object_declaration"}:
        return next(
            (str(c.text()) for c in node.children() if c.kind() in {"simple_identifier", "type_identifier"}), ""
        )
    return _bound(node.parent())


def _receiver(node: Any) -> str:
    words = flat(node).strip("()").replace("*", " ").split("[", 1)[0].split()
    return words[-1] if words else ""


_BINDERS = {
    "variable_declarator": "name",
    "pair": "key",
    "assignment_expression": "left",
    "public_field_definition": "name",
    "field_definition": "property",
}


def _bound(parent: Any | None) -> str:
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


def _callee(node: Any) -> tuple[str, tuple[str, ...]]:
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


def _target(mark: Any) -> str:
    """The function or class that a mark stands on."""
    node = mark.parent()
    for _ in range(4):
        if node is None:
            return ""
        name = node.field("name") or _defined(node)
        if name is not None and node.kind() not in {"marker_annotation", "annotation", "attribute"}:
            return str(name.text())
        node = node.parent()
    return ""


def _defined(node: Any) -> Any | None:
    definition = node.field("definition")
    return definition.field("name") if definition is not None else None
