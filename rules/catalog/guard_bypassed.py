"""A guard still stands, but is no longer reached or no longer heeded."""

import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules import guards, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible
from rules.structure import Branch, Exit, Facts

_HEAD = rb"^(?:except\b[^:]*:?|catch\b[^{]*|rescue\b(?:\s+[A-Z][\w:]*(?:\s*,\s*[A-Z][\w:]*)*)?(?:\s*=>\s*\w+)?)"
_WIDE = (
    rb"^(?:except|catch|rescue)\s*(?::?$|=>|\(\s*(?:\.\.\.|[a-z_$][\w$]*(?:\s*:\s*(?:any|unknown))?)\s*\)\s*$)|"
    rb"\b(?:Base)?Exception\b|\b(?:Throwable|StandardError|RuntimeException|exception)\b"
)
_OURS = rb"(?i)deni|permi|auth|forbid|forbad|invalid|valid|verif|signature|http|access|csrf|token|secur|expired|unsafe|suspicious|limit"
_GRANTS = rb"(?i)^(?:return\b\s*\(?\s*(?:true|ok\b|1\b|next|allow|grant|success)|next\()"

_BREAKS = str.maketrans(";{}", "\n\n\n")
_NEAR = 64  # handlers around a line that are looked at


class GuardBypassed(Rule):
    """A guard still stands, but is no longer reached or no longer heeded.

    ## What it does
    Looks at guards and verifying calls that stand on both sides of a change. It reports a return that now comes before one, a new way round
    it that grants what it would have refused, and a handler around it that swallows its refusal.

    ## Why it matters
    Whoever searches for the check finds it, and the diff takes nothing away. It just never speaks again.

    ## Example
    `try:` and `except Exception: pass` are put around `verify_signature(document)`.

    ## What to do instead
    Let the guard come first and its refusal pass. If somebody may go round it, let an owner of the path say so.
    """

    id, slug, tier, since = "TH108", "guard-bypassed", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (rb"\b(?:return|except|catch|rescue)\b",)

    HOLDS: ClassVar = (
        Diff(
            "src/share.py",
            "def may_open(user, doc):\n    if not user.owner_of(doc):\n        return False\n    return True\n",
            "def may_open(user, doc):\n    return True\n    if not user.owner_of(doc):\n        return False\n    return True\n",
        ),
        Diff(
            "src/share.js",
            "function open(user, doc) {\n  if (!user.owns(doc)) {\n    throw new Denied();\n  }\n  return doc.read();\n}\n",
            "function open(user, doc) {\n  if (user.debug) {\n    return doc.read();\n  }\n  if (!user.owns(doc)) {\n    throw new Denied();\n  }\n  return doc.read();\n}\n",
        ),
        Diff(
            "src/sso.py",
            "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n",
            "def read(doc):\n    try:\n        verify_signature(doc)\n    except Exception:\n        pass\n    return doc.profile\n",
        ),
        Diff(
            "app/sso.rb",
            "class Sso\n  def read(doc)\n    verify!(doc)\n    doc.profile\n  end\nend\n",
            "class Sso\n  def read(doc)\n    verify!(doc) rescue nil\n    doc.profile\n  end\nend\n",
        ),
        Diff(
            "src/Gate.java",
            "class Gate {\n  void open(User u) {\n    if (!u.isAdmin()) {\n      throw new Denied();\n    }\n    go();\n  }\n}\n",
            "class Gate {\n  void open(User u) {\n    try {\n      if (!u.isAdmin()) {\n        throw new Denied();\n      }\n    } catch (Denied e) {\n      log(e);\n    }\n    go();\n  }\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/share.py",
            "def may_open(user, doc):\n    if not user.owner_of(doc):\n        return False\n    return True\n",
            "def may_open(user, doc):\n    if not user.active:\n        return False\n    if not user.owner_of(doc):\n        return False\n    return True\n",
        ),
        Diff(
            "src/sso.py",
            "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n",
            "def read(doc):\n    try:\n        verify_signature(doc)\n    except Exception as error:\n        raise Denied(doc) from error\n    return doc.profile\n",
        ),
        Diff(
            "src/sso.py",
            "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n",
            "def read(doc):\n    verify_signature(doc)\n    try:\n        return doc.profile\n    except KeyError:\n        return None\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Every function that differs and has a guard on both sides."""
        for old, new in guards.kept(edit):
            if old.name:
                yield from self._function(edit, _Side(*old), _Side(*new))

    def _function(self, edit: Edit, old: "_Side", new: "_Side") -> Iterator[Finding]:
        before = old.guards()
        known = {guard.asks for guard in before}
        kept = [guard for guard in new.guards() if guard.asks in known]
        if not kept:
            return
        where = visible(new.name.encode())
        for line, guard, how in (*_detours(old, new, kept), *_swallowed(old, new, kept)):
            yield self.came(edit, line, f"{where}: {how} `{visible(guard.asks.encode())}`")


class _Guard(NamedTuple):
    """A question that refuses, or a call that verifies."""

    line: int
    asks: str
    firm: bool  # what it says speaks of who may do what, and its refusal raises or answers with an error


class _Side(NamedTuple):
    """One side of a function."""

    facts: Facts
    name: str

    def guards(self) -> list[_Guard]:
        """The guards in the order of the text."""
        asked = [_guard(branch) for branch in self.facts.branches(self.name)]
        calls = self.facts.calls(self.name)
        called = [_Guard(call.line, call.target, False) for call in calls if _verifies(call.name, call.target)]
        return sorted([*(guard for guard in asked if guard is not None), *called])

    def returns(self) -> list[Exit]:
        """The returns that nothing asks about."""
        return [each for each in self.facts.exits(self.name) if not each.handles]

    def handlers(self) -> list[Exit]:
        """The handlers that swallow whatever comes, or what a guard raises."""
        return [each for each in self.facts.exits(self.name) if each.handles and _swallows(each.text)]


def _verifies(name: str, target: str) -> bool:
    """Whether a call guards by itself; making the refusal is no guard."""
    is_refusal = found(rb"(?i)deni|forbid|error|exception|unauthori", name.encode("utf-8", "replace"))
    return vocabulary.is_verifying(name, target) and vocabulary.is_guarding(target) and not is_refusal


def _guard(branch: Branch) -> _Guard | None:
    refusal = vocabulary.refusal(branch.body)
    text = branch.condition.text
    if not refusal or not vocabulary.is_guarding(f"{text} {branch.function} {refusal}"):
        return None
    return _Guard(branch.line, text, vocabulary.is_strong(refusal) or vocabulary.is_guarding(text))


def _detours(old: _Side, new: _Side, kept: list[_Guard]) -> Iterator[tuple[int, _Guard, str]]:
    """At most one: a return before a guard that had none, or a new condition that grants before one that refuses."""
    returns = new.returns()
    if returns:
        first, was = returns[0], min((each.end for each in old.returns()), default=sys.maxsize)
        stood = {guard.asks: guard.line for guard in reversed(old.guards())}
        for guard in kept:
            if first.end < guard.line and was >= stood[guard.asks]:
                yield first.line, guard, "returns here, before it asks"
                return
    firm = [guard for guard in kept if guard.firm]
    said = _statements(new)
    for branch in _fresh(old, new):
        if firm and branch.end < firm[-1].line and _grants(branch, said):
            guard = next(guard for guard in firm if branch.end < guard.line)
            yield branch.line, guard, f"where `{visible(branch.condition.text.encode())}`, nobody asks"
            return


def _fresh(old: _Side, new: _Side) -> list[Branch]:
    """The conditions that only the new side asks."""
    known = {question for branch in old.facts.branches(old.name) for question in branch.condition.questions}
    return [branch for branch in new.facts.branches(new.name) if known.isdisjoint(branch.condition.questions)]


def _statements(side: _Side) -> Counter[str]:
    """How often a function says something."""
    return Counter(_pieces(side.facts.text(side.name)))


def _pieces(text: str) -> list[str]:
    return [" ".join(piece.split()) for piece in text.translate(_BREAKS).split("\n")]


def _grants(branch: Branch, said: Counter[str]) -> bool:
    """Whether what is done says yes, or is what the rest of the function does as well."""
    done = [piece for piece in _pieces(branch.body) if piece][-1:]
    if not done or not vocabulary.leaves(branch.body) or vocabulary.turns_away(branch.body):
        return False
    return found(_GRANTS, done[0].encode()) or said[done[0]] > 1


def _swallowed(old: _Side, new: _Side, kept: list[_Guard]) -> Iterator[tuple[int, _Guard, str]]:
    """Guards that stand under more swallowing handlers than before; one for each handler."""
    after = _Cover(new.handlers())
    if not after.handlers:
        return
    before = _Cover(old.handlers())
    depth = Counter({guard.asks: before.depth(guard.line) for guard in reversed(old.guards())})
    told = set()
    for guard in kept:
        if after.depth(guard.line) > depth[guard.asks]:
            around = after.innermost(guard.line)
            if around.end not in told:
                told.add(around.end)
                yield around.end, guard, f"`{visible(around.text.encode())}` swallows what refuses in"


class _Cover:
    """The lines under handlers."""

    def __init__(self, handlers: list[Exit]) -> None:
        self.handlers = sorted(handlers)
        self._starts = [each.line for each in self.handlers]
        self._ends = sorted(each.end for each in self.handlers)

    def depth(self, line: int) -> int:
        """How many handlers a line is under."""
        return bisect_right(self._starts, line) - bisect_left(self._ends, line)

    def innermost(self, line: int) -> Exit:
        """The last handler that begins before a line which is under one, of those that end behind it where one of the nearest does."""
        last = bisect_right(self._starts, line)
        near = self.handlers[max(last - _NEAR, 0) : last]
        return next((each for each in reversed(near) if each.end >= line), near[-1])


def _swallows(text: str) -> bool:
    """Whether a handler takes all, or what guards raise, and goes on."""
    data = text.encode("utf-8", "replace")
    hit = pattern(_HEAD).search(data)
    head = data[: hit.end()] if hit is not None else data
    if not found(_WIDE, head.strip()) and not found(_OURS, head):
        return False
    done = data[len(head) :].decode("utf-8", "replace").strip(" {}")
    return not vocabulary.turns_away(done) and (not vocabulary.leaves(done) or found(_GRANTS, done.encode()))
