"""What stood guard before a function is gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import calls, guards, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible
from rules.structure import Call

_GUARDS = (
    rb"(?i)(?:auth|permi|requir|login|secur|role|allow|csrf|protect|limit|throttl|restrict|verif|valid|access|admin|owner|staff|"
    rb"granted|sudo|guard|gate|policy|exempt|safe|only|denied|reauth|mfa|token|confirm)"
)
_ROUTES = (
    rb"(?i)^(?:get|post|put|patch|delete|del|options|all|any|use|group|route|handle|handlefunc|with|match|resource|resources|"
    rb"middleware|combo|path|re_path|url|mount|add_url_rule|add_route|router)$"
)
_HOOKS = rb"^(?:(?:prepend_)?before_(?:action|filter|request|handler)|before|prepend|with_options|middleware|pipe_through|plug|use|verify_authenticity|protect_from_forgery|validates?(?:_\w+)?|load_and_authorize_resource|authorize_resource)$"
_MIXINS = rb"(?i)(?:auth|permission|login|access|secur|requir|csrf|protect|superuser|owner)\w*"
_EXEMPTS = rb"(?i)(?:exempt|allow_?any|permit_?all|anonymous|public|skip_|no_?auth)"


class SecurityDecoratorOrMiddlewareDropped(Rule):
    """What stood guard before a function is gone.

    ## What it does
    Compares the decorators and annotations of every function and class, the base classes that guard, the handlers of every route, and the
    hooks of every controller. One that demanded something and is gone, or demands something else, is reported.

    ## Why it matters
    The function itself did not change. Who only reads functions sees nothing.

    ## Example
    `@login_required` disappears, or `reqToken()` from a row of a table of routes.

    ## What to do instead
    Keep it, or move the demand into the function. If everybody may call it now, let an owner of the path say so.
    """

    id, slug, tier, since = "TH106", "security-decorator-or-middleware-dropped", Tier.HOLD, "0.1"
    languages = ("python", "javascript", "typescript", "go", "java", "ruby", "php", "c#", "kotlin")
    triggers: ClassVar = (_GUARDS,)

    HOLDS: ClassVar = (
        Diff(
            "app/views.py",
            "@login_required\ndef export(request):\n    return rows()\n",
            "def export(request):\n    return rows()\n",
        ),
        Diff(
            "src/Admin.java",
            "class Admin {\n  @PreAuthorize(\"hasRole('ADMIN')\")\n  void drop() { go(); }\n}\n",
            "class Admin {\n  void drop() { go(); }\n}\n",
        ),
        Diff("routes.js", "app.post('/keys', requireAuth, addKey)\n", "app.post('/keys', addKey)\n"),
        Diff(
            "app/controllers/keys.rb",
            "class Keys\n  before_action :require_login\n  def index\n  end\nend\n",
            "class Keys\n  def index\n  end\nend\n",
        ),
        Diff("app/v.py", "class Keys(LoginRequiredMixin, View):\n    x = 1\n", "class Keys(View):\n    x = 1\n"),
    )
    PASSES: ClassVar = (
        Diff("app/views.py", "@cached\ndef export(request):\n    return 1\n", "def export(request):\n    return 1\n"),
        Diff("routes.js", "app.post('/keys', requireAuth, addKey)\n", "app.post('/keys', requireAuth, addKeys)\n"),
        Diff(
            "app/views.py",
            "@login_required\n@cached\ndef a(request):\n    return 1\n",
            "@cached\n@login_required\ndef a(request):\n    return 1\n",
        ),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Marks, routes and hooks, and base classes."""
        if not edit.is_code or edit.both is None:
            return
        yield from self._marks(edit)
        yield from self._routes(edit)
        yield from self._bases(edit)

    def _marks(self, edit: Edit) -> Iterator[Finding]:
        for mark, _ in calls.lost_marks(edit):
            text = visible(mark.text.encode())
            if _demands(mark.text) and not found(_EXEMPTS, mark.name.encode()):
                yield self.lost(edit, mark.line, f"`{text}` no longer stands before {visible(mark.target.encode())}")

    def _routes(self, edit: Edit) -> Iterator[Finding]:
        removed = {line.number for line in edit.removed}
        for call in _table(edit, old=True):
            if not removed.isdisjoint(range(call.line, call.end + 1)):
                yield from self._row(edit, call)

    def _row(self, edit: Edit, call: Call) -> Iterator[Finding]:
        row = _row_of(edit, call)
        for word in _words(call) if row is not None else ():
            if word not in _words(row or call) and _demands(word):
                line = _line_of(edit, call, word)
                yield self.lost(
                    edit, line, f"`{visible(word.encode())}` no longer stands in `{visible(call.target.encode())}`"
                )

    def _bases(self, edit: Edit) -> Iterator[Finding]:
        added = b"\n".join(line.text for line in edit.changed.added)
        for line in edit.removed:
            if not line.text.startswith((b"class ", b"public class ", b"export class ")) or not found(
                _MIXINS, line.text
            ):
                continue
            header = line.text.split(b"(", 1)
            same = header[0] + b"(" in added or header[0] + b":" in added
            lost = [base.strip(b" ):") for base in header[1].split(b",")] if len(header) == 2 and same else []
            for base in lost:
                if found(_MIXINS, base) and base not in added:
                    yield self.lost(edit, line.number, f"the class no longer has `{visible(base)}` among its bases")


def _demands(text: str) -> bool:
    return found(_GUARDS, text.encode()) or vocabulary.is_guarding(text)


def _words(call: Call) -> tuple[str, ...]:
    """The handlers of a route, the names of a hook: arguments without bodies, paths and texts."""
    return tuple(
        word for word in call.arguments
        if len(word) <= 120 and not word.startswith(("'", '"', "`", "func", "function", "(", "async", "{", "->", "lambda"))
    )  # fmt: skip


def _row_of(edit: Edit, call: Call) -> Call | None:
    """The same row of the new table: its first argument is the same text, or a hook's class is still there."""
    rows, first = _table(edit, old=False), call.arguments[:1]
    same = [row for row in rows if _key(row) == _key(call)]
    if same and len(same) >= sum(_key(row) == _key(call) for row in _table(edit, old=True)):
        return max(same, key=lambda row: (len(set(_words(row)) & set(_words(call))), -abs(row.line - call.line)))
    if same and first and _keeps_routes(edit, call):
        return call._replace(arguments=())
    spans = edit.new.facts.spans if edit.new.facts is not None else ()
    is_hook = _is_hook(call) and any(span.name == call.function for span in spans)
    hooks = tuple(word for row in rows if row.function == call.function for word in row.arguments)
    return call._replace(arguments=hooks) if is_hook else None


def _table(edit: Edit, *, old: bool) -> list[Call]:
    """The rows of route tables and the hooks, of the code that the change touched."""
    facts = edit.old.facts if old else edit.new.facts
    return [call for call in guards.calls_of(edit, facts) if found(_ROUTES, call.name.encode()) or _is_hook(call)]


def _is_hook(call: Call) -> bool:
    return found(_HOOKS, call.name.encode())


def _key(call: Call) -> tuple[str, str, tuple[str, ...]]:
    return call.name, call.function, call.arguments[:1]


def _keeps_routes(edit: Edit, call: Call) -> bool:
    """Whether a route that stood inside this row still stands somewhere, and the row's words no longer do as often."""
    old, new = _table(edit, old=True), _table(edit, old=False)
    inside = {row.arguments[0] for row in old if call.line < row.line <= call.end and row.arguments}
    before, after = ([word for row in rows for word in _words(row)] for rows in (old, new))
    fewer = any(_demands(word) and after.count(word) < before.count(word) for word in _words(call))
    return fewer and any(row.arguments[:1] and row.arguments[0] in inside for row in new)


def _line_of(edit: Edit, call: Call, word: str) -> int:
    lines = range(call.line, call.end + 1)
    return next((number for number in lines if word.encode()[:40] in edit.old.line(number)), call.line)
