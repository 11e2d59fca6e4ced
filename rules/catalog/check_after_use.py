"""What a guard refuses has already happened when it is asked."""

from collections.abc import Iterator
from typing import ClassVar

from rules import guards, vocabulary
from rules.findings import Finding, Tier
from rules.guards import Function
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_ACTS = (
    rb"(?i)^_*(?:save|delete|destroy|remove|update|insert|create|write|send|deliver|notify|mail|login|log_?in|sign_?in|authenticate|"
    rb"execute|exec|run|call|open|move|copy|rename|unlink|redirect\w*|grant|transfer|charge|pay|publish|commit|store|put|set_?cookie|"
    rb"set_?session|parse\w*|deserialize|unserialize|load\w*|read\w*|eval|extract\w*|unpack|fetch\w*|upload|process\w*|handle\w*|dispatch)"
)


class CheckAfterUse(Rule):
    """What a guard refuses has already happened when it is asked.

    ## What it does
    Compares the order of guards and acts in a function. An act that came behind a guard, and now comes before it, is reported.

    ## Why it matters
    Nothing is missing from the function. It refuses, after it has sent.

    ## Example
    `send(link)` moves above `if not user.verified: raise`.

    ## What to do instead
    Ask first.

    ## Why it is general
    It compares positions of what stands on both sides, by the code's own text.
    """

    id, slug, tier, since = "TH121", "check-after-use", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (
        (
            rb"(?i)\b\w*(?:save|delete|destroy|remove|update|insert|create|write|send|deliver|notify|login|sign_?in|execute|redirect|grant|transfer|pay|store|cookie|parse|load|read|process|handle)\w*\s*\(|"
            rb"\b(?:raise|throw|return|abort|verif\w*|check\w*|authori\w*)\b"
        ),
    )

    HOLDS: ClassVar = (
        Diff(
            "src/reset.py",
            "def reset(user):\n    if not user.verified:\n        raise Denied()\n    send(link(user))\n    return user\n",
            "def reset(user):\n    send(link(user))\n    if not user.verified:\n        raise Denied()\n    return user\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/reset.py",
            "def reset(user):\n    send(link(user))\n    if not user.verified:\n        raise Denied()\n    return user\n",
            "def reset(user):\n    if not user.verified:\n        raise Denied()\n    send(link(user))\n    return user\n",
        ),
        Diff(
            "src/reset.py",
            "def reset(user):\n    if not user.verified:\n        raise Denied()\n    send(user)\n    log(1)\n",
            "def reset(user):\n    if not user.verified:\n        raise Denied()\n    log(1)\n    send(user)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Every function that differs, once."""
        for old, new in guards.kept(edit):
            if old.name:
                yield from self._function(edit, old, new)

    def _function(self, edit: Edit, old: Function, new: Function) -> Iterator[Finding]:
        asked, now = _asked(old), _asked(new)
        acts, done = _acts(old), _acts(new)
        for text, line in asked.items():
            if text not in now:
                continue
            early = [act for act, at in done.items() if at < now[text] and acts.get(act, 0) > line]
            if early:
                where, act = visible(new.name.encode()), visible(early[0].encode())
                yield self.came(edit, done[early[0]], f"{where} does `{act}` before it asks `{visible(text.encode())}`")
                return


def _asked(side: Function) -> dict[str, int]:
    """What is asked once and refuses, with its line."""
    found: dict[str, list[int]] = {}
    for branch in side.facts.branches(side.name):
        if vocabulary.turns_away(branch.body) and vocabulary.is_checking(branch.condition.text):
            found.setdefault(branch.condition.text, []).append(branch.line)
    return {text: lines[0] for text, lines in found.items() if len(lines) == 1}


def _acts(side: Function) -> dict[str, int]:
    """What is done once, with its line."""
    found_calls: dict[str, list[int]] = {}
    for call in side.facts.calls(side.name):
        if found(_ACTS, call.name.encode("utf-8", "replace")):
            found_calls.setdefault(f"{call.target}({', '.join(call.arguments)})"[:200], []).append(call.line)
    return {text: lines[0] for text, lines in found_calls.items() if len(lines) == 1}
