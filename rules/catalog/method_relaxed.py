"""More ways of asking are answered than before."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_VERBS = rb"(?i)\b(?:POST|PUT|PATCH|DELETE)\b"
_ASKS = (
    rb"(?i)method\w*(?:\(\))?[\"']?\s*(?:\)|\])?\s*(?:[!=]==?|\.(?:equals|eq)\w*\(|\bin\b|\bis\b|not in)\s*[\[({]?\s*[\"'\w.]*(?:POST|PUT|PATCH|DELETE|Method\w+)|"
    rb"\b(?:is_?post|isMethod|request\.(?:post|put|patch|delete)\?|is_method_safe)\b"
)
_LISTS = rb"(?i)(?:methods?|via|allowed_methods|http_method_names)[\"']?\s*(?:=>|=|:|\()"
_ROUTE = rb"(?i)[.\s>](post|put|patch|delete)\s*\(?\s*[\"'/:]|@(Post|Put|Patch|Delete)(?:Mapping)?\("
_OPEN = rb"(?i)[.\s>](get|any|all|match|route|handle)\s*\(?\s*[\"'/:]|@(Get|Request|All)(?:Mapping)?\("


class MethodRelaxed(Rule):
    """More ways of asking are answered than before.

    ## What it does
    Looks at which HTTP methods a handler answers: questions about the method, lists of methods, and the verbs of routes. It reports a
    question that is gone, a list that now includes `GET`, and a route that was `POST` and answers everything.

    ## Why it matters
    What changes something by `GET` is changed by a link in a mail; protections against forged requests do not look at it.

    ## Example
    `if request.method == 'POST':` around a deletion is gone.

    ## What to do instead
    Keep the method that the protection knows.

    ## Why it is general
    Methods are named by the protocol; frameworks differ only in the words around them.
    """

    id, slug, tier, since = "TH117", "method-relaxed", Tier.HOLD, "0.1"
    triggers: ClassVar = (_VERBS, _ASKS)

    HOLDS: ClassVar = (
        Diff(
            "app/views.py",
            "def drop(request, id):\n    if request.method == 'POST':\n        remove(id)\n    return page()\n",
            "def drop(request, id):\n    remove(id)\n    return page()\n",
        ),
        Diff("routes.js", "app.post('/keys/drop', drop)\n", "app.all('/keys/drop', drop)\n"),
        Diff(
            "app/api.py",
            "@app.route('/x', methods=['POST'])\ndef x():\n    go()\n",
            "@app.route('/x', methods=['GET', 'POST'])\ndef x():\n    go()\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("routes.js", "app.post('/keys', add)\n", "app.post('/key', add)\n"),
        Diff(
            "app/views.py",
            "def drop(request, id):\n    if request.method == 'POST':\n        remove(id)\n",
            "def drop(request, id):\n    if request.method != 'POST':\n        return no()\n    remove(id)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Questions, lists and routes."""
        for swap in swaps.swaps(edit):
            if found(_LISTS, swap.old.text) and _methods(swap.new.text) > _methods(swap.old.text):
                yield self._named(edit, swap)
        for line in swaps.lost_lines(edit):
            if found(_ASKS, line.text) and swaps.balance(edit.change, _ASKS) < 0:
                at = places.where(edit, line.number)
                yield self.lost(edit, line.number, f"{at} no longer asks for the method: `{visible(line.text)}`")
        yield from self._routes(edit)

    def _routes(self, edit: Edit) -> Iterator[Finding]:
        opened = {_address(line.text): line for line in swaps.won_lines(edit) if found(_OPEN, line.text)}
        for line in swaps.lost_lines(edit) if opened else ():
            now = opened.get(_address(line.text))
            if found(_ROUTE, line.text) and now is not None and not found(_ROUTE, now.text) and _address(line.text):
                message = (
                    f"the route `{visible(line.text)}` became `{visible(now.text)}`, which answers by a link as well"
                )
                yield self.lost(edit, line.number, message)

    def _named(self, edit: Edit, swap: swaps.Swap) -> Finding:
        at = places.where(edit, swap.new.number, old=False)
        return self.came(edit, swap.new.number, f"{at} answers more methods than before: `{visible(swap.new.text)}`")


def _methods(text: bytes) -> frozenset[bytes]:
    hits = pattern(rb"(?i)\b(GET|POST|PUT|PATCH|DELETE|ANY|ALL)\b").finditer(text)
    return frozenset(hit.group(1).upper() for hit in hits)


def _address(text: bytes) -> bytes:
    hit = pattern(rb"[\"'`](/?[\w/:{}<>.*-]*)[\"'`]").search(text)
    return hit.group(1) if hit else b""
