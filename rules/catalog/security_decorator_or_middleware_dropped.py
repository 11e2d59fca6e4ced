"""What stood guard before a function is gone."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from rules import calls, guards, tables, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible
from rules.structure import Call, Facts

_GUARDS = (
    rb"(?i)(?:auth|permi|requir|login|secur|role|allow|csrf|protect|limit|throttl|restrict|verif|valid|access|admin|owner|staff|"
    rb"granted|sudo|guard|gate|policy|exempt|safe|only|denied|reauth|mfa|token|confirm|must_?sign|(?-i:\breq[A-Z]))"
)
_MIXINS = rb"(?i)(?:auth|permission|login|access|secur|requir|csrf|protect|superuser|owner)\w*"
_EXEMPTS = rb"(?i)(?:exempt|allow_?any|permit_?all|anonymous|public|skip_|no_?auth)"
_SKIPS = rb"^skip_(?:before|prepend_before)_(?:action|filter)\b|^skip_(?:authoriz|authentic|load_and_auth)\w*|\.permitAll\(\)|^(?:self\.)?permission_classes\s*=\s*[\[(]\s*(?:AllowAny|\]|\))"


class SecurityDecoratorOrMiddlewareDropped(Rule):
    """What stood guard before a function is gone.

    ## What it does
    Compares the decorators and annotations of every function and class, the base classes that guard, the handlers of every route, and the
    hooks of every controller. One that demanded something and is gone, or demands something else, is reported, and so is one that exempts.

    ## Why it matters
    The function itself did not change. Who only reads functions sees nothing.

    ## Example
    `@login_required` disappears, or `reqToken()` from a row of a table of routes.

    ## What to do instead
    Keep it, or move the demand into the function. If everybody may call it now, let an owner of the path say so.
    """

    id, slug, tier, since = "TH106", "security-decorator-or-middleware-dropped", Tier.HOLD, "0.1"
    languages = ("python", "javascript", "typescript", "go", "java", "ruby", "php", "c#", "kotlin")
    triggers: ClassVar = (_GUARDS, _EXEMPTS, _SKIPS)

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
        Diff("app/views.py", "def pay(request):\n    go()\n", "@csrf_exempt\ndef pay(request):\n    go()\n"),
        Diff("app.js", "app.use(requireAuth);\napp.use(log);\n", "app.use(log);\n"),
        Diff(
            "web/routes.go",
            'package web\nfunc Routes(m *M) {\n\tm.Group("", func() {\n\t\tm.Post("/a", show)\n\t}, open)\n\tm.Group("", func() {\n\t\tm.Post("/b", save)\n\t}, reqSignIn)\n}\n',
            'package web\nfunc Routes(m *M) {\n\tm.Group("", func() {\n\t\tm.Post("/a", show)\n\t\tm.Post("/b", save)\n\t}, open)\n}\n',
        ),
        Diff("app/v.py", "class Keys(LoginRequiredMixin, View):\n    x = 1\n", "class Keys(View):\n    x = 1\n"),
        Diff(
            "app/setup.js",
            "function setup(r) {\n  const auth = requireLogin();\n  r.use(auth);\n}\n",
            "function setup(r) {\n  const open = allowAll();\n  r.use(open);\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("app/views.py", "@cached\ndef export(request):\n    return 1\n", "def export(request):\n    return 1\n"),
        Diff("routes.js", "app.post('/keys', requireAuth, addKey)\n", "app.post('/keys', requireAuth, addKeys)\n"),
        Diff(
            "app/views.py",
            "@login_required\n@cached\ndef a(request):\n    return 1\n",
            "@cached\n@login_required\ndef a(request):\n    return 1\n",
        ),
        Diff(
            "app/send.go",
            "func step(user User) error {\n\ttoken := makeToken(user)\n\tuse(token)\n\treturn nil\n}\n",
            "func step(user User) error {\n\tfresh := makeToken(user)\n\tuse(fresh)\n\treturn nil\n}\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Marks, routes and hooks, and base classes."""
        if edit.both is None:
            return
        yield from self._marks(edit, *edit.both)
        yield from self._exempted(edit, *edit.both)
        told = list(self._routes(edit))
        yield from told or self._groups(edit)
        yield from self._bases(edit)

    def _marks(self, edit: Edit, old: Facts, new: Facts) -> Iterator[Finding]:
        for mark in calls.lost_marks(old, new):
            text = visible(mark.text.encode())
            if _demands(mark.text) and not found(_EXEMPTS, mark.name.encode()):
                yield self.lost(edit, mark.line, f"`{text}` no longer stands before {visible(mark.target.encode())}")

    def _exempted(self, edit: Edit, old: Facts, new: Facts) -> Iterator[Finding]:
        for mark in calls.lost_marks(new, old):
            if found(_EXEMPTS, mark.text.encode()):
                text, target = visible(mark.text.encode()), visible(mark.target.encode())
                yield self.came(edit, mark.line, f"`{text}` lets everybody call {target}")
        for line in edit.changed.added:
            if found(_SKIPS, line.text):
                yield self.came(edit, line.number, f"`{visible(line.text)}` takes a guard away")

    def _routes(self, edit: Edit) -> Iterator[Finding]:
        for row in tables.lost_rows(edit):
            kept = tables.now(edit, row)
            for word in tables.words(row) if kept is not None else ():
                if word not in (kept or ()) and _demands(word) and not _is_renamed(edit, row, word):
                    message = f"`{visible(word.encode())}` no longer stands in `{visible(_call(row).encode())}`"
                    yield self.lost(edit, _line_of(edit, row, word), message)

    def _groups(self, edit: Edit) -> Iterator[Finding]:
        if not tables.unsheltered(edit):
            return
        gone = Counter(word for row in tables.table(edit, old=True).rows for word in tables.words(row))
        gone.subtract(word for row in tables.table(edit, old=False).rows for word in tables.words(row))
        told = set()
        for word, row in tables.unsheltered(edit):
            if _demands(word) and gone[word] >= 0 and word not in told:
                told.add(word)
                route, text = visible(row.arguments[0].encode()), visible(word.encode())
                yield self.lost(edit, row.line, f"`{text}` no longer stands around the route {route}")

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


def _is_renamed(edit: Edit, row: Call, word: str) -> bool:
    """Whether the function differs in nothing but new names for what it assigned itself, this word among them."""
    now = guards.pairs(edit).get(row.function)
    if edit.both is None or not row.function or now is None:
        return False
    before, after = (vocabulary.tokens(text) for text in (edit.both[0].text(row.function), edit.both[1].text(now)))
    renamed = {(was, has) for was, has in zip(before, after, strict=False) if was != has}
    old, new = {was for was, _ in renamed}, {has for _, has in renamed}
    own = {name for name, *signs in zip(before, before[1:], before[2:], strict=False) if _assigns(*signs)}
    return (
        len(before) == len(after)
        and word in old
        and old <= own.difference(after)
        and len(new.difference(before)) == len(old) == len(renamed)
    )


def _assigns(sign: str, following: str) -> bool:
    return (sign == ":" and following == "=") or (sign == "=" and following not in ("=", ">", "~"))


def _line_of(edit: Edit, call: Call, word: str) -> int:
    lines = range(call.line, call.end + 1)
    return next((number for number in lines if word.encode()[:40] in edit.old.line(number)), call.line)


def _call(row: Call) -> str:
    """What is called, with the route that it names, if it names one."""
    route = row.arguments[0] if row.arguments and row.arguments[0][:1] in ("'", '"', "`") else ""
    return f"{row.target}({route})" if route else row.target
