"""A guard is only asked where something else says so."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rules import guards, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible
from rules.structure import Branch, Facts

_MAX = 200  # conditions of a function that are compared


class GuardMadeOptional(Rule):
    """A guard is only asked where something else says so.

    ## What it does
    Compares what stands around the guards and verifying calls of a function. One that was reached by everybody, and now stands inside a
    condition that is new, is reported with that condition.

    ## Why it matters
    The guard is found by whoever looks for it. A flag, a header or an environment decides whether it speaks.

    ## Example
    `verify(token)` becomes `if settings.strict: verify(token)`.

    ## What to do instead
    Ask always. If somebody need not be asked, say who, and let an owner of the path agree.

    ## Why it is general
    It compares nesting, not names; only what refuses or verifies is looked at.
    """

    id, slug, tier, since = "TH120", "guard-made-optional", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (rb"\b(?:if|unless|elif|elsif|elseif|when|case|while)\b",)

    HOLDS: ClassVar = (
        Diff(
            "src/sso.py",
            "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n",
            "def read(doc):\n    if settings.strict:\n        verify_signature(doc)\n    return doc.profile\n",
        ),
        Diff(
            "src/gate.js",
            "function open(user, door) {\n  if (!user.owns(door)) {\n    throw new Denied();\n  }\n  door.open();\n}\n",
            "function open(user, door) {\n  if (!user.internal) {\n    if (!user.owns(door)) {\n      throw new Denied();\n    }\n  }\n  door.open();\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/sso.py",
            "def read(doc):\n    verify_signature(doc)\n    return doc.profile\n",
            "def read(doc):\n    if doc.is_open:\n        verify_signature(doc)\n        return doc.profile\n    verify_signature(doc)\n    return doc.profile\n",
        ),
        Diff(
            "src/paint.py",
            "def paint(x):\n    colour(x)\n",
            "def paint(x):\n    if x.visible:\n        colour(x)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Every function that differs."""
        for old, new in guards.kept(edit):
            if old.name:
                yield from self._function(edit, old.facts, new.facts, (old.name, new.name))

    def _function(self, edit: Edit, old: Facts, new: Facts, names: tuple[str, str]) -> Iterator[Finding]:
        asked = {question for branch in old.branches(names[0]) for question in branch.condition.questions}
        now = [branch for branch in new.branches(names[1]) if branch.body][:_MAX]
        fresh = [branch for branch in now if asked.isdisjoint(branch.condition.questions)]
        before, told = _guards(old, names[0]) if fresh else {}, set()
        for text, lines in _guards(new, names[1]).items() if before else ():
            around = next((branch for branch in fresh if _holds(branch, lines[0])), None)
            if text not in before or len(lines) > len(before[text]) or around is None or around.line in told:
                continue
            if _depth(now, lines[0]) > _depth(old.branches(names[0])[:_MAX], before[text][0]):
                told.add(around.line)
                asks = visible(around.condition.text.encode())
                message = f"{visible(names[1].encode())} asks `{visible(text.encode())}` only where `{asks}`"
                yield self.came(edit, around.line, message)


def _guards(facts: Facts, name: str) -> dict[str, list[int]]:
    """From what guards to the lines where it stands."""
    stands: dict[str, list[int]] = {}
    for branch in facts.branches(name):
        refusal = vocabulary.refusal(branch.body)
        if refusal and vocabulary.is_guarding(f"{branch.condition.text} {refusal}"):
            stands.setdefault(branch.condition.text, []).append(branch.line)
    for call in facts.calls(name):
        if _verifies(call.name, call.target) and vocabulary.is_guarding(f"{call.target} {name}"):
            stands.setdefault(f"{call.target}({', '.join(call.arguments)})", []).append(call.line)
    return stands


def _verifies(name: str, target: str) -> bool:
    """Whether a call guards; making the refusal is no guard."""
    is_refusal = found(rb"(?i)deni|forbid|error|exception|unauthori", name.encode("utf-8", "replace"))
    return vocabulary.is_verifying(name, target) and not is_refusal


def _holds(branch: Branch, line: int) -> bool:
    return branch.line < line <= branch.end


def _depth(branches: Sequence[Branch], line: int) -> int:
    """Under how many conditions a line stands."""
    return sum(_holds(branch, line) for branch in branches if branch.body)
