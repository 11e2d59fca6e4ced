"""A guard that refused somebody is gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import guards, vocabulary
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

OUTCOME = 79  # characters; a refusal is kept to 80


class AuthCheckRemoved(Rule):
    """A guard that refused somebody is gone.

    ## What it does
    Compares every function before and after. A condition whose answer was to raise, throw, return an error or leave, and that neither
    the function nor any function of this change that is called asks any more, is reported with the line where it stood.

    ## Why it matters
    A removed check leaves no line to look at: the new code reads well, its tests pass, and everybody is let in.

    ## Example
    The address check is dropped from a reset function, and the link goes to whoever asks.

    ## What to do instead
    Keep the check, or move it to a function that is called from here. If nobody must be refused any more, let an owner of the path say so.
    """

    id, slug, tier, since = "TH101", "auth-check-removed", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (
        rb"(?i)\b(?:if|unless|elif|elsif|elseif|raise|throw|throws|return|abort|assert|panic|guard|require|when|die|halt)\b",
        vocabulary.ENCLOSES,
        rb"(?i)forbid|unauthori|denied|40[13]|errors?\b|permission",
    )

    HOLDS: ClassVar = (
        Diff(
            "src/accounts/helpers.py",
            "def change(user):\n    if not user.email_verified:\n        raise PermissionDenied('not verified')\n    return send(user)\n",
            "def change(user):\n    return send(user)\n",
        ),
        Diff(
            "app/recovery.py",
            "def reset(email, account):\n    if email != account.email:\n        return None\n    return link(account)\n",
            "def reset(email, account):\n    return link(account)\n",
        ),
        Diff(
            "web/handler.go",
            "package web\nfunc Show(c *Ctx) error {\n\tif !c.User.IsAdmin {\n\t\treturn errForbidden\n\t}\n\treturn c.Render()\n}\n",
            "package web\nfunc Show(c *Ctx) error {\n\treturn c.Render()\n}\n",
        ),
        Diff(
            "web/session.go",
            "package web\nfunc Open(t string) error {\n\terr := verifyToken(t)\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn run(t)\n}\n",
            "package web\nfunc Open(t string) error {\n\terr := verifyToken(t)\n\treturn run(t, err)\n}\n",
        ),
        Diff(
            "lib/gate.rb",
            "def show\n  raise Denied unless owner?(current_user)\n  render\nend\n",
            "def show\n  render\nend\n",
        ),
        Diff(
            "app/change.py",
            "def change(user):\n    if not user.verified:\n        raise Denied()\n    return send(user)\n",
            "def change(user):\n    if not user.verified:\n        log(user)\n    return send(user)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/accounts/helpers.py",
            "def change(user):\n    if not user.email_verified:\n        raise PermissionDenied('no')\n    return send(user)\n",
            "def change(user):\n    if user.email_verified:\n        return send(user)\n    raise PermissionDenied('no')\n",
        ),
        (
            Diff(
                "app/a.py",
                "def change(user):\n    if not user.verified:\n        raise Denied('no')\n    return send(user)\n",
                "def change(user):\n    ensure(user)\n    return send(user)\n",
            ),
            Diff("app/b.py", None, "def ensure(user):\n    if not user.verified:\n        raise Denied('no')\n"),
        ),
        Diff(
            "store/account.go",
            "package store\nfunc Account(id string) (*U, error) {\n\tu, err := load(id)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn u, nil\n}\n",
            "package store\nfunc Account(id string) (*U, error) {\n\treturn load(id)\n}\n",
        ),
        Diff(
            "tests/test_a.py",
            "def test_a(user):\n    if not user.verified:\n        raise Denied\n",
            "def test_a(user):\n    pass\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Lost refusals, by structure where a grammar reads both sides, else by lines."""
        if edit.both is not None:
            yield from self._by_structure(edit)
            yield from self._by_lines(edit, guards.unread(edit))
        elif edit.old.present:
            yield from self._by_lines(edit, edit.removed)

    def _by_structure(self, edit: Edit) -> Iterator[Finding]:
        for lost in guards.gone(edit):
            where = visible(lost.branch.function.encode()) or "the module"
            asked, refused = visible(lost.branch.condition.text.encode()), visible(lost.refusal.encode(), OUTCOME)
            if lost.now is None:
                yield self.lost(edit, lost.branch.line, f"{where} no longer asks `{asked}`, which answered `{refused}`")
            else:
                yield self.lost(
                    edit, lost.branch.line, f"{where} still asks `{asked}`, but no longer answers `{refused}`"
                )

    def _by_lines(self, edit: Edit, lines: tuple[Line, ...]) -> Iterator[Finding]:
        for line in lines if edit.kind is Kind.PRODUCTION else ():
            if _refuses(line):
                yield self.lost(edit, line.number, f"the refusal `{visible(line.text)}` is gone")


def _refuses(line: Line) -> bool:
    return found(rb"(?i)\b(?:if|unless|elif|elsif|raise|throw|abort|return|assert|die|require)\b", line.text) and found(
        vocabulary.STRONG, line.text
    )
