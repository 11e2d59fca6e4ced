"""A query answers with more than what belongs to who asks."""

from collections.abc import Iterator
from typing import ClassVar

from rules import calls, guards, places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_FILTERS = (
    rb"(?i)^(?:filter\w*|exclude|where\w*|and_?where|or_?where|having|scope[ds]?|policy_scope|accessible_by|visible_\w+|visibleTo|"
    rb"for_user|owned_by|belonging_to|permitted\w*|restrict\w*|limit_to|public|live|published|only|active|not|find_by|get_object_or_404|"
    rb"without_\w+|by_\w+|eq|merge)$"
)
_WHO = (
    rb"(?i)\b(?:current_?user|request\.user|req\.user|self\.user|ctx\.user|c\.user|signed_?user|principal|owner\w*|tenant\w*|organi[sz]ation\w*|"
    rb"account\w*|user_?id\w*|uid\b|repo_?id|project_?id|team_?id|member\w*|permission\w*|visib\w*|is_?public|public|private|published|"
    rb"active|deleted\w*|revoked\w*|expire\w*|access\w*|role\w*|namespace\w*|creator\w*|author\w*|user)\b"
)
_SQL = rb"(?i)\b(?:AND|WHERE)\s+\(?[\w.`\"]+\s*(?:=|!=|<>|IS\b|IN\b|<|>)"
_BY_ID = rb"(?i)\b(?:find\w*|get\w*|where|query|filter|first|objects|load\w*|fetch\w*|select\w*)\b"


class ScopeFilterDropped(Rule):
    """A query answers with more than what belongs to who asks.

    ## What it does
    Compares the filters of queries: calls in a chain, their conditions, parts of a `WHERE`, and whose collection is asked. One that spoke of
    a user, an owner, a state or a permission and is gone is reported.

    ## Why it matters
    A query without `owner=user` still answers for every test, which only ever knows one user.

    ## Example
    `Key.objects.filter(owner=user, id=id)` becomes `Key.objects.filter(id=id)`.

    ## What to do instead
    Keep the filter, or check the owner of what was found before it is used.

    ## Why it is general
    The names of filters are those of query builders; what they speak of, users and owners, are the same in every schema.
    """

    id, slug, tier, since = "TH109", "scope-filter-dropped", Tier.HOLD, "0.1"
    triggers: ClassVar = (_WHO, _SQL)

    HOLDS: ClassVar = (
        Diff(
            "src/keys.py",
            "def key(user, id):\n    return Key.objects.filter(owner=user, id=id).first()\n",
            "def key(user, id):\n    return Key.objects.filter(id=id).first()\n",
        ),
        Diff(
            "app/notes.rb",
            "def show\n  current_user.notes.find(id)\nend\n",
            "def show\n  Note.find(id)\nend\n",
        ),
        Diff(
            "store/notes.go",
            'package store\nfunc Note(id, owner int) {\n\tdb.Query("SELECT * FROM note WHERE id = ? AND owner_id = ?", id, owner)\n}\n',
            'package store\nfunc Note(id, owner int) {\n\tdb.Query("SELECT * FROM note WHERE id = ?", id)\n}\n',
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/keys.py",
            "def key(user, id):\n    return Key.objects.filter(owner=user, id=id).first()\n",
            "def key(user, id):\n    return Key.objects.filter(id=id, owner=user).first()\n",
        ),
        Diff(
            "src/keys.py",
            "def rows(q):\n    return q.filter(size=1).all()\n",
            "def rows(q):\n    return q.all()\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Lost filters, lost conditions of kept ones, and collections of somebody that became those of all."""
        reported = _reported(edit)
        told = {line for line, _ in reported}
        for line, what in reported:
            yield self.lost(
                edit, line, f"{places.where(edit, line)} no longer narrows its query by `{visible(what.encode())}`"
            )
        for swap in swaps.swaps(edit):
            if swap.old.number not in told and _widened(swap):
                at = places.where(edit, swap.old.number)
                message = f"{at}: `{visible(swap.old.text)}` asked for less than `{visible(swap.new.text)}`"
                yield self.lost(edit, swap.old.number, message)


def _reported(edit: Edit) -> list[tuple[int, str]]:
    found_lines: dict[int, str] = {}
    for call in calls.lost(edit):
        said = ", ".join(call.arguments)
        if (
            found(_FILTERS, call.name.encode())
            and len(said) <= 300
            and _speaks(f"{call.name} {said} {edit.old.line(call.line)[:300].decode('latin1')}")
        ):
            found_lines.setdefault(call.line, f"{call.name}({said})")
    for pair in calls.changed(edit):
        for argument in pair.lost if found(_FILTERS, pair.before.name.encode()) else ():
            if not pair.won and _speaks(argument) and argument not in guards.called_more(edit.change):
                found_lines.setdefault(pair.before.line, argument)
    return sorted(found_lines.items())


def _speaks(text: str) -> bool:
    return found(_WHO, text.encode("utf-8", "replace").replace(b"_", b" ")) or found(
        _WHO, text.encode("utf-8", "replace")
    )


def _widened(swap: swaps.Swap) -> bool:
    """A condition of a WHERE is gone, or the collection is no longer that of whoever asks."""
    if _conjuncts(swap.old.text) > _conjuncts(swap.new.text) and _speaks(swap.before):
        return True
    asks = found(_BY_ID, swap.old.text) and found(_BY_ID, swap.new.text)
    return (
        asks
        and vocabulary.is_current_user(swap.before)
        and not vocabulary.is_current_user(swap.new.text.decode("latin1"))
    )


def _conjuncts(text: bytes) -> int:
    return sum(1 for _ in pattern(_SQL).finditer(text))
