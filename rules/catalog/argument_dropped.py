"""A call that decides is told less than before."""

from collections.abc import Iterator
from typing import ClassVar

from rules import calls, places, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_NARROWS = (
    rb"(?i)\b(?:for_?user|user|request\.user|current_?user|owner\w*|tenant\w*|audience|aud|issuer|iss|algorithms?|algs?|leeway|nonce|state|"
    rb"csrf\w*|origin\w*|scopes?|permission\w*|perms?|roles?|verify\w*|validat\w*|secure|http_?only|same_?site|expir\w*|ttl|max_?age|"
    rb"timeout|limit\w*|disable_\w+|restrict\w*|safe\w*|strict\w*|escape\w*|sandbox\w*|allow_?list|allowed\w*|required?|check\w*|"
    rb"only|except|signature|secret|key|password|token|domain|host|path|mode|token_type_hint|code_verifier|session)\b"
)
_NOTHING = {
    "None",
    "null",
    "nil",
    "false",
    "False",
    "undefined",
    "0",
    "''",
    '""',
    "[]",
    "{}",
    "true",
    "True",
    "'*'",
    '"*"',
    "NULL",
}
_TALKS = rb"(?i)(?:log\w*|debug|info|warn\w*|error\w*|print\w*|format|sprintf|render\w*|_|t|trans\w*|assert\w*|append|join|push|super|extend|dict|list|len|isinstance|getattr|hasattr|use(?:State|Effect|Memo|Callback|Ref)|describe|it|concat|sprintf|fmt\.\w+)$"


class ArgumentDropped(Rule):
    """A call that decides is told less than before.

    ## What it does
    Compares the arguments of calls that stand on both sides. It reports one that spoke of a user, a permission, an audience, a limit or a
    verification and is gone, or gave way to a bare `None`, `true` or the like.

    ## Why it matters
    `decode(token, key, audience=mine)` without its audience accepts tokens that were made for others.

    ## Example
    `jwt.decode(token, key, audience=AUDIENCE)` becomes `jwt.decode(token, key)`.

    ## What to do instead
    Pass it on. If the callee knows it by itself now, show where.

    ## Why it is general
    Calls are compared by their own target; the words are those of what an argument can narrow.
    """

    id, slug, tier, since = "TH116", "argument-dropped", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (_NARROWS,)

    HOLDS: ClassVar = (
        Diff(
            "src/token.py",
            "def read(token):\n    return jwt.decode(token, KEY, audience=ME)\n",
            "def read(token):\n    return jwt.decode(token, KEY)\n",
        ),
        Diff(
            "src/check.go",
            "package a\nfunc Ok(u *User) bool {\n\treturn verify(u, u.Password)\n}\n",
            "package a\nfunc Ok(u *User) bool {\n\treturn verify(u, nil)\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("src/a.py", "def f(x):\n    draw(x, width=1)\n", "def f(x):\n    draw(x)\n"),
        Diff(
            "src/token.py",
            "def read(token):\n    return jwt.decode(token, KEY, audience=ME)\n",
            "def read(token):\n    return jwt.decode(token, KEY, audience=MINE)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Each changed call once."""
        for pair in calls.changed(edit):
            if found(_TALKS, pair.before.name.encode("utf-8", "replace")) or len(pair.lost) > 3:
                continue
            lost = next((argument for argument in pair.lost if _narrows(argument)), "")
            if lost and (not pair.won or all(argument in _NOTHING for argument in pair.won)):
                at, target = places.where(edit, pair.before.line), visible(pair.before.target.encode())
                firm = _is_firm(pair, lost)
                yield self.lost(
                    edit,
                    pair.before.line,
                    f"{at} no longer tells `{target}` of `{visible(lost.encode())}`",
                    tier=Tier.HOLD if firm else Tier.NOTE,
                )


def _narrows(argument: str) -> bool:
    spoken = argument.encode("utf-8", "replace")
    return (
        len(argument) <= 120
        and argument not in _NOTHING
        and (found(_NARROWS, spoken) or vocabulary.is_guarding(argument))
    )


def _is_firm(pair: calls.Changed, lost: str) -> bool:
    return vocabulary.is_verifying(pair.before.name, pair.before.target) or vocabulary.is_guarding(
        f"{pair.before.target} {lost}"
    )
