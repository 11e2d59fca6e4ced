"""The outline of a source file: its named functions and classes as areas of the text, its marks, and what is broken."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rules.grammars import Grammar

Flat = Callable[[Any], str]


class Span(NamedTuple):
    """Lines of a named function or class, from 1, both ends included."""

    name: str  # qualified by its classes: `Account.reset`
    start: int
    end: int
    is_function: bool


class Area(NamedTuple):
    """The text of a named function or class, in characters, with its node; the first area is the file, called ""."""

    name: str
    node: Any
    start: int
    end: int
    inner: "list[Area]"  # named functions and classes directly inside


class Outline:
    """Walks the functions, classes, marks and errors of one file in the order of the text."""

    def __init__(self, root: Any, grammar: Grammar, text: str) -> None:
        """Begin with the file as the area around all."""
        self.spans: list[Span] = []
        self.marks: list[Any] = []
        self.broken: list[range] = []
        self.areas: dict[str, list[Area]] = {}
        self._others: list[Any] = []
        self._grammar = grammar
        self._text = text
        self._open = [Area("", root, 0, len(text) + 1, [])]
        self.areas[""] = [self._open[0]]

    def take(self, nodes: Sequence[Any], flat: Flat) -> None:
        """Sort the nodes, which stand in the order of the text, into what they mean; the others are kept for `nodes`."""
        grammar = self._grammar
        for node in nodes:
            kind = node.kind()
            if kind in grammar.functions or kind in grammar.containers:
                self._enter(node, _name_of(node, kind, flat), is_function=kind in grammar.functions)
            elif kind in grammar.marks:
                self.marks.append(node)
            elif kind == "ERROR":
                lies = node.range()
                self.broken.append(range(lies.start.line + 1, lies.end.line + 2))
            else:
                self._others.append(node)

    def _enter(self, node: Any, name: str, *, is_function: bool) -> None:
        if not name:
            return
        lies = node.range()
        start, end = lies.start, lies.end
        while self._open[-1].end <= start.index:
            self._open.pop()
        around = self._open[-1]
        qualified = f"{around.name}.{name}" if around.name else name
        self.spans.append(Span(qualified, start.line + 1, end.line + 1, is_function=is_function))
        area = Area(qualified, node, start.index, end.index, [])
        around.inner.append(area)
        self._open.append(area)
        self.areas.setdefault(qualified, []).append(area)

    def own(self, area: Area) -> list[str]:
        """The text of an area in pieces, without the areas inside."""
        ends = [area.start, *(inner.end for inner in area.inner)]
        starts = [*(inner.start for inner in area.inner), area.end]
        return [self._text[start:end] for start, end in zip(ends, starts, strict=True)]

    def text(self, area: Area) -> str:
        """All text of an area."""
        return self._text[area.start : area.end]

    def nodes(self, area: Area) -> Iterator[Any]:
        """What else was found in an area, in the order of the text, without what begins in the areas inside."""
        inner = iter(area.inner)
        ahead = next(inner, None)
        at = bisect_left(self._others, area.start, key=_start)
        while at < len(self._others):
            node = self._others[at]
            lies = node.range()
            start = lies.start.index
            if start >= area.end:
                return
            if ahead is not None and start >= ahead.start:
                at = bisect_left(self._others, ahead.end, at, key=_start)
                ahead = next(inner, None)
                continue
            if lies.end.index <= area.end:  # not what only begins where the area does
                yield node
            at += 1


def _start(node: Any) -> int:
    return int(node.range().start.index)


@lru_cache(maxsize=64)
def query(kinds: frozenset[str]) -> dict[str, Any]:
    """What ast-grep takes to find all nodes of these kinds."""
    return {"rule": {"any": [{"kind": kind} for kind in sorted(kinds)]}}


def is_same(one: Outline, other: Outline, names: tuple[str, str], inside: frozenset[str]) -> bool:
    """Whether two functions differ in nothing that is read of them; an area inside that differs may stand in no node of the kinds `inside`."""
    before, after = one.areas.get(names[0], []), other.areas.get(names[1], [])
    if len(before) != len(after):
        return False
    return all(
        one.own(left) == other.own(right)
        and all(
            one.text(a) == other.text(b) or not (_is_within(a, left, inside) or _is_within(b, right, inside))
            for a, b in zip(left.inner, right.inner, strict=True)
        )
        for left, right in zip(before, after, strict=True)
    )


def _is_within(area: Area, around: Area, kinds: frozenset[str]) -> bool:
    """Whether a node of these kinds stands between an area and the one around it."""
    for node in area.node.ancestors():
        lies = node.range()
        if (lies.start.index, lies.end.index) == (around.start, around.end) and around.name:
            return False
        if node.kind() in kinds:
            return True
    return False


def _name_of(node: Any, kind: str, flat: Flat) -> str:
    """The name of a function or class; of an anonymous one, the name that it is bound to."""
    if kind == "arrow_function":
        return _bound(node.parent(), flat)
    name = node.field("name")
    if name is not None:
        receiver = node.field("receiver") if kind == "method_declaration" else None
        return name.text() if receiver is None else f"{_receiver(flat(receiver))}.{name.text()}"
    if kind == "impl_item":
        return flat(node.field("type"))
    declarator = node.field("declarator")
    if declarator is not None:
        return flat(declarator).split("(", 1)[0].rsplit(" ", 1)[-1].lstrip("*&")
    if kind in {"function_declaration", "class_declaration", "object_declaration"}:
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
