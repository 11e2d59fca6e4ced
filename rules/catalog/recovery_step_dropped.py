"""A step on the way into an account is gone or is another one."""

from collections.abc import Iterator
from typing import ClassVar

from rules import guards, places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_STEP = rb"[(=]|\b(?:if|unless|return|raise|throw|require|before_action|assert)\b|^@"
_TALK = rb"(?i)^(?:log|logger|logging|print|console|flash|messages?|puts|fmt\.Print\w*|self\.log\w*|_?\(|t\(|gettext|translate|title|label|help_text|description|verbose_name|placeholder|class|css|style|template\w*)\b|^(?:\"|'|<)"


class RecoveryStepDropped(Rule):
    """A step on the way into an account is gone or is another one.

    ## What it does
    In code that resets passwords, confirms addresses, or asks for a second factor, by the words of function, path or line, every lost
    condition, call and assignment that nothing equal replaces is reported, once for each function, unless it is reported as a lost guard.

    ## Why it matters
    Whoever gets through here is the user. The steps are few, each carries all the weight, and attackers look here first.

    ## Example
    A code for a reset is made by what makes codes for an activation, which live longer.

    ## What to do instead
    Let an owner of account recovery read the change, with the question: what does an attacker type here?

    ## Why it is general
    It knows the words of recovery, confirmation and second factors; ordinary changes speak of them about once in three hundred.
    """

    id, slug, tier, since = "TH122", "recovery-step-dropped", Tier.HOLD, "0.1"
    triggers: ClassVar = (vocabulary.RECOVERY, rb"\b(?:if|return|raise|throw|unless)\b|\(")

    HOLDS: ClassVar = (
        Diff(
            "mail/reset.go",
            "package mail\nfunc SendResetPasswordMail(u User) error {\n\treturn send(u, u.ResetPasswordCode(u.Email()))\n}\n",
            "package mail\nfunc SendResetPasswordMail(u User) error {\n\treturn send(u, u.ActivateCode(u.Email()))\n}\n",
        ),
        Diff(
            "src/login.py",
            "def enter(user, code):\n    session.start(user)\n    session.mfa_pending = True\n    return page()\n",
            "def enter(user, code):\n    session.start(user)\n    return page()\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/reset_password.py",
            "def reset_password(user):\n    # sends the link\n    send(user)\n",
            "def reset_password(user):\n    # sends it\n    send(user)\n",
        ),
        Diff("src/paint.py", "def paint(x):\n    colour(x)\n", "def paint(x):\n    pass\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """One for each function."""
        if edit.kind is not Kind.PRODUCTION or not edit.new.present or not edit.old.present:
            return
        told = set()
        guarded = {line for lost in guards.gone(edit) for line in range(lost.branch.line, lost.branch.end + 1)}
        for line in (*_steps(edit, swaps.alone(edit)), *_steps(edit, _swapped(edit))):
            at = places.function_at(edit, line.number, old=True)
            if at not in told and line.number not in guarded and _is_recovery(edit, at, line):
                told.add(at)
                where = places.where(edit, line.number)
                message = f"{where} lets people into accounts, and its step `{visible(line.text)}` is gone"
                yield self.lost(edit, line.number, message)


def _steps(edit: Edit, lines: tuple[Line, ...]) -> Iterator[Line]:
    kept = guards.texts(edit.change)
    for line in lines:
        if found(_STEP, line.text) and not found(_TALK, line.text) and line.text.strip(b"();{}, ") not in kept:
            yield line


def _swapped(edit: Edit) -> tuple[Line, ...]:
    """Lines that another took the place of, where the words of recovery are not the same as before."""
    changed = (swap for swap in swaps.swaps(edit) if vocabulary.is_recovery(swap.before))
    return tuple(swap.old for swap in changed if _squeezed(swap.before) != _squeezed(swap.after))


def _squeezed(text: str) -> str:
    return text.replace("_", "").replace(" ", "").lower()


def _is_recovery(edit: Edit, function: str, line: Line) -> bool:
    name = function.rsplit(".", 1)[-1]
    return vocabulary.is_recovery(f"{name} {line.text.decode('latin1')}") or _on_path(edit)


def _on_path(edit: Edit) -> bool:
    return found(vocabulary.RECOVERY, edit.path.rsplit(b"/", 1)[-1])
