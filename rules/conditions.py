"""A condition as the atoms that it asks, so that a renamed operator or a turned-round test compares equal."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Cut = Callable[[Any, int], str]  # a node's text, at most so many characters of it
_AND = {"and", "&&"}
_OR = {"or", "||"}
_DUAL = {"and": "or", "or": "and", "": ""}
_WRAPPERS = {
    "parenthesized_expression",
    "condition_clause",
    "parenthesized_statements",
    "parenthesized",
    "expression_list",
}
_NEGATIONS = {
    "not_operator",
    "unary_expression",
    "unary",
    "unary_op_expression",
    "prefix_unary_expression",
    "prefix_expression",
}
_COMPARISONS = {"!=": "==", "!==": "===", "is not": "is", "not in": "in", ">=": "<", "<=": ">", "!~": "=~", "<>": "=="}
_BINARY = {
    "boolean_operator", "binary_expression", "binary", "comparison_operator", "conjunction_expression",
    "disjunction_expression", "equality_expression", "comparison_expression",
}  # fmt: skip
_KOTLIN = {"conjunction_expression": "and", "disjunction_expression": "or"}
_ASIDE = {"line_continuation", "comment", "line_comment", "block_comment", "multiline_comment"}
_SUMS = frozenset({"+", "-", "*", "/", "%", "**", "//", "<<", ">>", "."})
MAX_ATOMS = 200


class Atom(NamedTuple):
    """One question: its text without blanks, whether it must be true, and by what it is joined to the others."""

    text: str
    positive: bool
    joined: str  # "and", "or", or "" alone; as seen from the whole condition being true


class Condition(NamedTuple):
    """The atoms in the order of the text, and the text itself with blanks collapsed."""

    atoms: tuple[Atom, ...]
    text: str
    is_logical: bool  # it compares, negates or joins; not a bare value

    @property
    def questions(self) -> frozenset[str]:
        """What is asked, without regard to polarity and order."""
        return frozenset(atom.text for atom in self.atoms)

    @property
    def polarity(self) -> frozenset[Atom]:
        """What is asked, how it must be answered and how it is joined."""
        return frozenset(self.atoms)


def condition_of(node: Any, cut: Cut, *, negated: bool = False) -> Condition:
    """Read a condition; `negated` for `unless`. Never recurses: the depth is the author's."""
    atoms = tuple(_atoms(node, cut, positive=not negated))
    text = " ".join(_joined(cut(node, 2000)).split())[:400]
    inner = _unwrapped(node)
    asks = inner.kind() in _BINARY and _binary(inner)[0] not in _SUMS
    return Condition(atoms, text, len(atoms) > 1 or asks or _negation(inner) is not None)


def _atoms(node: Any, cut: Cut, *, positive: bool) -> Iterator[Atom]:
    stack = [(node, positive, "")]
    count = 0
    while stack and count < MAX_ATOMS:
        current, truth, joined = stack.pop()
        current = _unwrapped(current)
        operand = _negation(current)
        if operand is not None:
            stack.append((operand, not truth, joined))
            continue
        operator, left, right = _binary(current)
        if operator in {"and", "or"}:
            effective = operator if truth else _DUAL[operator]
            stack += [(right, truth, effective), (left, truth, effective)]
            continue
        count += 1
        texts = (_tight(current, cut), _tight(left, cut), _tight(right, cut))
        yield _atom(operator, texts, truth=truth, joined=joined)


def _unwrapped(node: Any) -> Any:
    for _ in range(64):
        if node.kind() not in _WRAPPERS:
            return node
        named = [child for child in node.children() if child.is_named() and child.kind() not in _ASIDE]
        if len(named) != 1:
            return named[-1] if named else node
        node = named[0]
    return node


def _negation(node: Any) -> Any | None:
    if node.kind() not in _NEGATIONS:
        return None
    children = [child for child in node.children() if child.kind() not in _ASIDE]
    return children[-1] if len(children) == 2 and children[0].text() in {"!", "not"} else None


def _binary(node: Any) -> tuple[str, Any, Any]:
    kind = node.kind()
    if kind not in _BINARY:
        return "", None, None
    children = [child for child in node.children() if child.kind() not in _ASIDE]
    if len(children) != 3:
        return "", None, None
    text = " ".join(children[1].text().split())
    operator = _KOTLIN.get(kind) or ("and" if text in _AND else "or" if text in _OR else text)
    return operator, children[0], children[2]


def _atom(operator: str, texts: tuple[str, str, str], *, truth: bool, joined: str) -> Atom:
    whole, left, right = texts
    if not operator:
        return Atom(whole, truth, joined)
    base = _COMPARISONS.get(operator, operator)
    glue = f" {base} " if base.isalpha() else base
    return Atom(f"{left}{glue}{right}", truth if base == operator else not truth, joined)


def _tight(node: Any | None, cut: Cut) -> str:
    return "" if node is None else "".join(_joined(cut(node, 1000)).split())[:200].replace("'", '"')


def _joined(text: str) -> str:
    """The text without the backslashes that only continue a line."""
    return text.replace("\\\r\n", " ").replace("\\\n", " ")


def parts(node: Any) -> tuple[Any, Any, Any] | None:
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
