"""What was taken out of a request, a log or an answer stays in it."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.lines import Line
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_TAKES = (
    rb"(?i)(?:^|[\s(.>:;!])(?:del|delete|unset|remove\w*|pop|except|without|omit|clear\w*|wipe|erase|zero\w*|"
    rb"mask\w*|redact\w*|scrub\w*|censor\w*|strip\w*|hide\w*|reset\w*|filter\w*|forget|exclude\w*)[\s(!\[]"
)
_SECRET = (
    rb"(?i)authori[sz]ation|cookie|passw|passphrase|secret|token|credential|api_?key|private_?key|session|userpwd|httpauth|"
    rb"no_?log|sensitive|\bauth|x-\w+-\w+|\bargs\b|hash|\bemail|\bip\b|headers?\b"
)


class SensitiveValueKept(Rule):
    """What was taken out of a request, a log or an answer stays in it.

    ## What it does
    Looks at statements that took something secret away: deleted headers, unset options, masked fields, cleared sessions. One that is gone,
    and whose work nothing else in the change does, is reported.

    ## Why it matters
    Nothing breaks when a password stays in a log, or a cookie in a request that follows a redirect to a stranger.

    ## Example
    `headers.delete('cookie')` disappears from what follows redirects.

    ## What to do instead
    Keep the statement, or show what takes the value out now.

    ## Why it is general
    Verbs that take away and nouns of what must not leave are the same in all projects; each statement needs one of both.
    """

    id, slug, tier, since = "TH112", "sensitive-value-kept", Tier.HOLD, "0.1"
    triggers: ClassVar = (_SECRET,)

    HOLDS: ClassVar = (
        Diff(
            "lib/follow.js",
            "function follow(request) {\n  request.headers.delete('cookie')\n  return go(request)\n}\n",
            "function follow(request) {\n  return go(request)\n}\n",
        ),
        Diff(
            "src/log.py",
            "def report(task):\n    if 'password' in task:\n        del task['password']\n    send(task)\n",
            "def report(task):\n    send(task)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "lib/follow.js",
            "function follow(request) {\n  request.headers.delete('cookie')\n  return go(request)\n}\n",
            "function follow(request) {\n  request.headers.remove('cookie')\n  return go(request)\n}\n",
        ),
        Diff(
            "src/a.py",
            "def f(rows):\n    rows.pop()\n    return rows\n",
            "def f(rows):\n    return rows\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Statements without successor, where the change takes less away than before."""
        for line in swaps.alone(edit):
            said = _whole(edit, line)
            takes = found(_TAKES, said) and found(_SECRET, said) and not vocabulary.opens_block(said)
            if takes and swaps.balance(edit.change, _TAKES) < 0:
                at = places.where(edit, line.number)
                yield self.lost(edit, line.number, f"{at} no longer takes a secret out: `{visible(line.text)}`")


def _whole(edit: Edit, line: Line) -> bytes:
    """A statement that goes on in the next lines, with the first of them."""
    if not line.text.endswith(b"("):
        return line.text
    return b" ".join(text.strip() for text in edit.old.lines[line.number - 1 : line.number + 3])
