"""A condition asks less than it did."""

from collections.abc import Iterator
from typing import ClassVar

from rules import guards, vocabulary
from rules.conditions import Condition
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

OUTCOME = 79  # characters; a refusal is kept to 80
_QUALIFIES = frozenset(".:->$")
_EXISTS = frozenset(
    {"null", "nil", "None", "undefined", "empty", "isset", "len", "length", "size", "is", "not", "defined"}
)
_PRESENT = rb"^(?:[\w$.>-]+|(?:empty|isset|len)\([^()]*\)(?:[<>=]+0)?|[\w$.>()-]+(?:={2,3}| is )(?:null|nil|None|undefined|\"\"))$"
_JOINS = rb"&&|\|\||\?\?|\b(?:and|or|not)\b|!"


class PredicateWeakened(Rule):
    """A condition that guards something asks less than it did.

    ## What it does
    Compares each condition before and after as the questions that it asks. It reports a question that left a guard, one that joined it so
    that fewer are refused, a turned answer, and a comparison that became another.

    ## Why it matters
    `a and b` that becomes `a` reads like a simplification. It admits everybody whom only `b` refused.

    ## Example
    A redirect target was checked for its host and its scheme; after the change only for its host.

    ## What to do instead
    Keep every question. If one is answered elsewhere, show where; if it is no longer needed, let an owner of the path say so.
    """

    id, slug, tier, since = "TH102", "predicate-weakened", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (
        vocabulary.ENCLOSES,
        rb"(?:&&|\|\||[=!<>]=|[<>])",
        rb"\b(?:if|unless|elif|elsif|elseif|and|or|not|in|is|return|when|case|while|assert)\b",
    )

    HOLDS: ClassVar = (
        Diff(
            "src/share.py",
            "def may_open(user, doc):\n    return doc.public or (user.active and user.owner_of(doc))\n",
            "def may_open(user, doc):\n    return doc.public or user.active\n",
        ),
        Diff(
            "src/login.js",
            "function enter(req, res) {\n  if (!req.user || !req.user.verified) {\n    return res.status(403).end();\n  }\n  next();\n}\n",
            "function enter(req, res) {\n  if (!req.user) {\n    return res.status(403).end();\n  }\n  next();\n}\n",
        ),
        Diff(
            "src/Gate.java",
            "class Gate { void open(User u) { if (!u.isAdmin()) { throw new Denied(); } go(); } }\n",
            "class Gate { void open(User u) { if (!u.isAdmin() && !u.isInternal()) { throw new Denied(); } go(); } }\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/share.py",
            "def may_open(user, doc):\n    return user.active and user.owner_of(doc)\n",
            "def may_open(person, doc):\n    return person.active and person.owner_of(doc)\n",
        ),
        Diff(
            "src/keys.py",
            "def key_of(user, key):\n    if not user.admin and \\\n            not isinstance(key,str):\n        raise Denied()\n    return key\n",
            "def key_of(user, key):\n    if not user.admin and not isinstance(key, str):\n        raise Denied()\n    return key\n",
        ),
        Diff(
            "src/share.py",
            "def may_open(user, doc):\n    return user.active and not user.banned\n",
            "def may_open(user, doc):\n    return not (user.banned or not user.active)\n",
        ),
        Diff(
            "src/login.js",
            "function enter(req, res) {\n  if (!req.user) {\n    return res.status(403).end();\n  }\n  next();\n}\n",
            "function enter(req, res) {\n  if (!req.user || req.user.banned) {\n    return res.status(403).end();\n  }\n  next();\n}\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Changed conditions of guards, and conditions without outcome that speak of access."""
        for lost in guards.lost(edit):
            message = _weakened(lost)
            if message:
                where = visible(lost.branch.function.encode()) or "the module"
                yield self.lost(edit, lost.branch.line, f"{where}: {message}{_outcome(lost)}")


def _weakened(lost: guards.Lost) -> str:
    asked = lost.branch.condition
    if lost.now is None:
        said = f"{asked.text} {lost.branch.function} {lost.branch.body}"
        gone = not lost.refusal and vocabulary.is_guarding(said)
        return f"nothing asks `{_shown(asked.text)}` any more" if gone else ""
    refuses = vocabulary.refusal(lost.branch.body) != ""
    return _less(lost, lost.now.condition, refuses=refuses)


def _outcome(lost: guards.Lost) -> str:
    """What the condition was asked for: the refusal that it answered, or what it stood before."""
    if lost.refusal:
        return f"; it answered `{visible(lost.refusal.encode(), OUTCOME)}`"
    body = lost.branch.body.strip("{} ;")
    return f"; it stood before `{visible(body.encode(), OUTCOME)}`" if body else ""


def _speaks(lost: guards.Lost) -> bool:
    said = f"{lost.branch.condition.text} {lost.branch.function} {lost.refusal}"
    return vocabulary.is_guarding(said) or (lost.refusal != "" and vocabulary.is_checking(said))


def _less(lost: guards.Lost, after: Condition, *, refuses: bool) -> str:
    before = lost.branch.condition
    gone = [atom for atom in before.atoms if atom.text not in after.questions and not _only_exists(atom.text, after)]
    come = [atom for atom in after.atoms if atom.text not in before.questions]
    harmless = "and" if refuses else "or"
    sharper = "or" if refuses else "and"
    if gone and not come and all(atom.joined == sharper for atom in gone) and lost.branch.body:
        return f"the condition `{_shown(before.text)}` no longer asks `{_shown(gone[0].text)}`"
    if not _speaks(lost) and not lost.strong:
        return ""
    if gone and len(before.atoms) == 1:
        return _swapped(before, after)
    if [atom for atom in gone if atom.joined != harmless or come or vocabulary.is_guarding(atom.text)]:
        return f"the condition `{_shown(before.text)}` no longer asks `{_shown(gone[0].text)}`"
    if vocabulary.is_guarding(before.text) and [atom for atom in come if atom.joined == harmless]:
        return f"the condition `{_shown(before.text)}` yields where `{_shown(come[0].text)}`"
    turned = not gone and not come and before.polarity != after.polarity
    return _swapped(before, after) if turned else ""


def _swapped(before: Condition, after: Condition) -> str:
    """The one question of a condition gave way to others, or is answered the other way."""
    turned = before.polarity == after.polarity or before.questions != after.questions
    if before.text == after.text or (turned and _asks_as_much(before.text, after.text)):
        return ""
    return f"the condition `{_shown(before.text)}` became `{_shown(after.text)}`"


def _asks_as_much(before: str, after: str) -> bool:
    """The same words in another spelling, as `len(x) == 0` and `x.Len() == 0`; or the same question, told more."""
    if _words(before) == _words(after):
        return True
    extra = _extra(vocabulary.tokens(before), vocabulary.tokens(after))
    if extra is not None and after.count("(") and not found(_JOINS, " ".join(extra).encode("utf-8", "replace")):
        return True
    less = _extra(vocabulary.tokens(after), vocabulary.tokens(before))
    return any(part and all(vocabulary.is_name(t) or t in _QUALIFIES for t in part) for part in (extra, less))


def _extra(short: tuple[str, ...], long: tuple[str, ...]) -> tuple[str, ...] | None:
    """What the longer one says besides all of the shorter one, in its order; None where it does not say all of it."""
    rest = list(short)
    extra = []
    for token in long:
        if rest and token == rest[0]:
            rest.pop(0)
        else:
            extra.append(token)
    return None if rest else tuple(extra)


def _only_exists(atom: str, after: Condition) -> bool:
    """Whether a question that is gone only asked if there is something, of which the others still ask more."""
    named = vocabulary.names(atom) - _EXISTS
    return found(_PRESENT, atom.encode("utf-8", "replace")) and bool(named) and named <= vocabulary.names(after.text)


def _words(text: str) -> frozenset[str]:
    return frozenset(token.lower() for token in vocabulary.tokens(text) if token.isalnum()) | frozenset(
        sign for sign in ("!", "<", ">", "not ") if sign in text
    )


def _shown(text: str) -> str:
    return visible(text.encode())
