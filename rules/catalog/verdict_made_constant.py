"""A function that found out now always says yes."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.lines import Line
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_COMPUTED = rb"^(?:return\b\s*|yield\s+|resolve\(|[\w.$@]+\s*:?=\s*).*(?:[\w\])](?:\.|->|::|\()|[=!<>]=|&&|\|\||\band\b|\bor\b|\bnot\b|!)"
_YES = rb"^(?:return\s*\(?\s*(?:true|True|TRUE|nil|null|None|1|0|ok|Ok\(.{0,12}\)|undefined)?\s*\)?\s*[;}]*|(?:[\w.$@]+)\s*:?=\s*(?:true|True|1)\s*;?)$"
_JUDGES = rb"(?i)^_*(?:is|has|can|may|should|must)_|^(?:is|has|can|may|should|must)[A-Z]|\?$|allow|permit|valid|verif|check|auth|match|accept|test_func|grant|login|trust|safe|access"


class VerdictMadeConstant(Rule):
    """A function that found out now always says yes.

    ## What it does
    Looks at functions that judge, by their name. Where an answer was computed, and the line that replaced it is a bare `true`, `nil` or
    `return`, it is reported.

    ## Why it matters
    Callers, tests of callers and reviewers of callers see a check that runs.

    ## Example
    `return self.account_is_open(user)` becomes `return None`.

    ## What to do instead
    Keep the answer of what was asked. For a test, replace it in the test.

    ## Why it is general
    It needs a name that judges, and an answer that no longer depends on anything: both are the same in all languages.
    """

    id, slug, tier, since = "TH118", "verdict-made-constant", Tier.HOLD, "0.1"
    triggers: ClassVar = (rb"\b(?:return|true|True)\b",)

    HOLDS: ClassVar = (
        Diff(
            "auth/pam.go",
            "package auth\nfunc Authenticate(t *T) error {\n\treturn t.AccountStatus(0)\n}\n",
            "package auth\nfunc Authenticate(t *T) error {\n\treturn nil\n}\n",
        ),
        Diff(
            "src/may.py",
            "def can_open(user, doc):\n    return user.owns(doc)\n",
            "def can_open(user, doc):\n    return True\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("src/a.py", "def colour(x):\n    return x.colour()\n", "def colour(x):\n    return None\n"),
        Diff(
            "src/may.py",
            "def can_open(user, doc):\n    return user.owns(doc)\n",
            "def can_open(user, doc):\n    return False\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """At most one for each function."""
        yes = _by_function(edit, old=False)
        told = set()
        for line in swaps.lost_lines(edit):
            at = places.function_at(edit, line.number, old=True)
            name = at.rsplit(".", 1)[-1]
            if at in told or at not in yes or not found(_COMPUTED, line.text) or found(_YES, line.text):
                continue
            if found(_JUDGES, name.encode("utf-8", "replace")) and _is_answer(line, yes[at]):
                told.add(at)
                message = f"{visible(at.encode())} answered `{visible(line.text)}` and now says `{visible(yes[at].text)}` to everybody"
                yield self.lost(edit, line.number, message)


def _by_function(edit: Edit, *, old: bool) -> dict[str, Line]:
    lines = swaps.lost_lines(edit) if old else swaps.won_lines(edit)
    return {places.function_at(edit, line.number, old=old): line for line in lines if found(_YES, line.text)}


def _is_answer(old: Line, new: Line) -> bool:
    """Both return, or both set the same."""
    if old.text.startswith(b"return"):
        is_success = not found(rb"(?i)\bfalse\b", new.text)
        fails = vocabulary.is_strong(old.text.decode("latin1"))
        return new.text.startswith(b"return") and is_success and not fails
    return old.text.split(b"=", 1)[0].strip(b" :") == new.text.split(b"=", 1)[0].strip(b" :")
