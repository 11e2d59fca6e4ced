"""Tables of routes and lists of hooks: rows that say who stands guard before a handler."""

from collections import Counter, defaultdict
from functools import lru_cache
from typing import NamedTuple

from rules import guards
from rules.patterns import found
from rules.rule import Edit, remembered
from rules.structure import Call

_ROUTES = (
    rb"(?i)^(?:get|post|put|patch|delete|del|options|all|any|use|group|route|handle|handlefunc|with|match|resource|resources|"
    rb"middleware|combo|path|re_path|url|mount|add_url_rule|add_route|router)$"
)
_HOOKS = (
    rb"^(?:(?:prepend_)?before_(?:action|filter|request|handler)|before|prepend|with_options|middleware|pipe_through|plug|use|"
    rb"verify_authenticity|protect_from_forgery|validates?(?:_\w+)?|load_and_authorize_resource|authorize_resource)$"
)
_BODIES = ("'", '"', "`", "func", "function", "(", "async", "{", "->", "lambda")
_Key = tuple[str, str, tuple[str, ...]]


class Table(NamedTuple):
    """The rows of one side, of the code that the change touched."""

    rows: tuple[Call, ...]
    by_key: dict[_Key, list[Call]]
    words: Counter[str]
    hooks: dict[str, set[str]]  # from a function or class to all that its rows name
    first: Counter[str]  # first arguments: a route's path


def lost_rows(edit: Edit) -> tuple[Call, ...]:
    """The rows of the old side that lost a line."""
    removed = {line.number for line in edit.removed}
    calls = guards.calls_of(edit.old.facts, guards.differing(edit))
    return tuple(row for row in calls if not removed.isdisjoint(range(row.line, row.end + 1)) and _is_row(row.name))


@remembered
def table(edit: Edit, *, old: bool) -> Table:
    """Every row of one side, indexed."""
    facts = edit.old.facts if old else edit.new.facts
    rows = tuple(call for call in guards.calls_of(facts, guards.touched(edit)) if _is_row(call.name))
    by_key: dict[_Key, list[Call]] = defaultdict(list)
    hooks: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_key[_key(row)].append(row)
        hooks[row.function].update(row.arguments)
    named = Counter(word for row in rows for word in words(row))
    return Table(rows, by_key, named, hooks, Counter(row.arguments[0] for row in rows if row.arguments))


def words(row: Call) -> tuple[str, ...]:
    """The handlers of a route, the names of a hook: arguments without bodies, paths and texts."""
    return tuple(word for word in row.arguments if len(word) <= 120 and not word.startswith(_BODIES))


def now(edit: Edit, row: Call) -> frozenset[str] | None:
    """What stands in the same row of the new side; None where the row itself is gone."""
    old, new = table(edit, old=True), table(edit, old=False)
    same = new.by_key.get(_key(row), [])
    if same and len(same) >= len(old.by_key.get(_key(row), [])):
        mine = frozenset(words(row))
        best = max(same[:100], key=lambda other: (len(mine & set(words(other))), -abs(other.line - row.line)))
        return frozenset(words(best))
    if same and _keeps_routes(row, old, new):
        return frozenset()
    spans = edit.new.facts.spans if edit.new.facts is not None else ()
    stays = row.function == "" or any(span.name == row.function for span in spans)
    return frozenset(new.hooks.get(row.function, ())) if stays and found(_HOOKS, row.name.encode()) else None


@remembered
def shelters(edit: Edit, *, old: bool) -> dict[_Key, list[frozenset[str]]]:
    """From each route to what the groups around it name, in the order of the text."""
    found_rows: dict[_Key, list[frozenset[str]]] = defaultdict(list)
    around: list[Call] = []
    for row in sorted(table(edit, old=old).rows, key=lambda row: (row.line, -row.end)):
        while around and around[-1].end < row.line:
            around.pop()
        if row.arguments and row.arguments[0].startswith(("'", '"', "`")):
            named = (word for group in (*around, row) for word in words(group))
            found_rows[row.name, "", row.arguments[:1]].append(frozenset(named))
        if row.end > row.line:
            around.append(row)
    return found_rows


@remembered
def unsheltered(edit: Edit) -> list[tuple[str, Call]]:
    """Words of groups that no longer stand around a route which does, with the route's row in the old file."""
    old, new = shelters(edit, old=True), shelters(edit, old=False)
    rows = {(row.name, "", row.arguments[:1]): row for row in table(edit, old=True).rows if row.arguments}
    lost = []
    for key, sets in old.items():
        now = new.get(key, [])
        if key in rows and len(now) == len(sets):
            lost += [(word, rows[key]) for was, will in zip(sets, now, strict=True) for word in sorted(was - will)]
    return lost


@lru_cache(maxsize=4096)
def _is_row(called: str) -> bool:
    return found(_ROUTES, called.encode()) or found(_HOOKS, called.encode())


def _key(row: Call) -> _Key:
    return row.name, row.function, row.arguments[:1]


def _keeps_routes(group: Call, old: Table, new: Table) -> bool:
    """Whether a route that stood inside this group still stands somewhere, and the group's words no longer do as often."""
    fewer = any(new.words[word] < old.words[word] for word in words(group))
    inside = (row.arguments[0] for row in old.rows if group.line < row.line <= group.end and row.arguments)
    return fewer and any(new.first[first] for first in inside)
