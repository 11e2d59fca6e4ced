"""A value on file gave way to one that the caller typed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from rules import guards, vocabulary
from rules.findings import Finding, Tier
from rules.guards import Function
from rules.lines import Line
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, remembered, visible

if TYPE_CHECKING:
    from rules.structure import Call

_PATH = rb"[A-Za-z_$@]\w*(?:(?:\.|->|::|\?\.|!\.)[\w$]+[!?]?|\(\s*(?:[\"'][^\"'()]{0,60}[\"'])?\s*\)|\[\s*[\"':]?[\w.-]{1,60}[\"']?\s*\])*"
_WORDS = (
    rb"(?:e?mail|phone|mobile|msisdn|address|recipient|user_?name|login|owner|tenant|account|uid|user_?id|id|role|secret|"
    rb"password|digest|hash|token|otp|issuer|audience|redirect_uri|host|domain)"
)
_CAMEL = rb"[a-z](?:E?[Mm]ail|Phone|Mobile|Address|Recipient|User_?[Nn]ame|Login|Owner|Tenant|Account|I[Dd]|Role|Secret|Token|Hash)"
_KEPT = (
    rb"(?i:(?:\b|_)(?:get_?)?"
    + _WORDS
    + rb"(?:_?(?:address|id|name|number|hash|value))?s?)[\"']?(?:\(\)|\])?$|"
    + _CAMEL
    + rb"s?(?:\(\))?$"
)
_TYPED = (
    rb"(?i)^(?:[\w$@]+(?:\.|->|::))?[$@]?_?(?:requests?|req|params?|query|form|body|inputs?|payload|posted|get|post|args|argv|cookies?|"
    rb"headers?|submitted|typed|user_?input)(?:_\w+)?\b|cleaned_data|\.(?:body|query|params|form|payload|cookies|headers|input|"
    rb"FormValue|PostForm|Query|Param|getParameter|getHeader)\b"
)
_KNOWN = (
    rb"(?i)^(?:[\w$@]+(?:\.|->|::))?[$@]?(?:request|req)(?:\.|->)(?:user|account|session|auth|identity|principal)\b"
)
_ACTS = (
    rb"(?i)send|mail|deliver|notif|dispatch|reset|recover|forgot|verif|confirm|authen|authori|login|sign_?in|token|\botp|sms|invite|"
    rb"check|compare|match|grant|permit|allow|transfer|link|secret|password|owner"
)
_SETS = rb"^(?:(?:let|const|var|final|auto|val|my)\s+)?[$@]?\w+\s*(?::\s*\w+\s*)?:?=[^=]"

_SET = rb"([$\w]+)\s*(?::\s*\w+\s*)?:?=[^=]"
_HEAD = 2000  # characters that hold the parameters of a function


class TrustedValueReplaced(Rule):
    """A value on file gave way to one that the caller typed.

    ## What it does
    Compares the calls and lines of every function before and after. Where they differ in one value alone, and a stored one
    (`account.email`) became a parameter or a part of the request, and the function sends, resets, verifies or compares, it is reported.

    ## Why it matters
    No check is gone, and the call is still made. It only asks the attacker where to send the link.

    ## Example
    `send_reset(account.email)` becomes `send_reset(email)`.

    ## What to do instead
    Use what is on file; compare what was typed with it, and go on with the former.
    """

    id, slug, tier, since = "TH107", "trusted-value-replaced", Tier.HOLD, "0.1"
    languages = ("python", "go", "javascript", "typescript", "java", "ruby", "php", "rust", "c", "c++", "c#", "kotlin")
    triggers: ClassVar = (rb"(?i)(?:\.|->|::|\[[\"':])\w*" + _WORDS,)

    HOLDS: ClassVar = (
        Diff(
            "src/accounts/recovery.py",
            "def recover(account, email):\n    link = make(account)\n    send_reset(account.email, link)\n",
            "def recover(account, email):\n    link = make(account)\n    send_reset(email, link)\n",
        ),
        Diff(
            "src/recovery.js",
            "function recover(req, res, user) {\n  mailer.send({ to: user.email, text: link(user) });\n}\n",
            "function recover(req, res, user) {\n  mailer.send({ to: req.body.email, text: link(user) });\n}\n",
        ),
        Diff(
            "src/recovery.go",
            "package a\n\nfunc Recover(w W, r *Req, u *User) {\n\tmail.SendReset(u.Email)\n}\n",
            'package a\n\nfunc Recover(w W, r *Req, u *User) {\n\tmail.SendReset(r.FormValue("email"))\n}\n',
        ),
        Diff(
            "app/recovery.rb",
            "class Recovery\n  def create\n    Mailer.reset(user.email, user).deliver\n  end\nend\n",
            "class Recovery\n  def create\n    Mailer.reset(params[:email], user).deliver\n  end\nend\n",
        ),
        Diff(
            "src/accounts/recovery.py",
            "def recover(request, account):\n    recipient = account.email\n    send_reset(recipient)\n",
            "def recover(request, account):\n    recipient = request.POST['email']\n    send_reset(recipient)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff(
            "src/accounts/recovery.py",
            "def recover(account):\n    send_reset(account.email)\n",
            "def recover(account):\n    email = account.email\n    send_reset(email)\n",
        ),
        Diff(
            "src/accounts/recovery.py",
            "def recover(account, email):\n    send_reset(email)\n",
            "def recover(account, email):\n    send_reset(account.email)\n",
        ),
        Diff(
            "src/accounts/recovery.py",
            "def recover(account):\n    send_reset(account.email)\n",
            "def recover(member):\n    send_reset(member.email)\n",
        ),
        Diff(
            "src/paint.py",
            "def paint(shape, width):\n    line(shape.width)\n",
            "def paint(shape, width):\n    line(width)\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present and edit.new.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Every function that differs, once for each value."""
        for old, new in guards.kept(edit):
            yield from self._function(edit, old, new)

    def _function(self, edit: Edit, old: Function, new: Function) -> Iterator[Finding]:
        told = set()
        changes = (*_arguments(old, new), *_lines(edit, old, new))
        chosen = _parameters(new) if changes else frozenset()
        for line, kept, typed in changes:
            if (kept, typed) not in told and _is_typed(typed, kept, chosen):
                told.add((kept, typed))
                where = visible(new.name.encode()) or "the module"
                message = f"{where} takes `{visible(typed.encode())}`, which the caller chose, where it took `{visible(kept.encode())}`"
                yield self.came(edit, line, message)


_Change = tuple[int, str, str]  # line in the new file, value before, value after


def _arguments(old: Function, new: Function) -> Iterator[_Change]:
    """Values that differ between calls of one name that are otherwise equal."""
    before, after = old.facts.calls(old.name), new.facts.calls(new.name)
    same = {(call.target, call.arguments) for call in before} & {(call.target, call.arguments) for call in after}
    fresh: dict[str, list[Call]] = {}
    for call in reversed(after):
        if (call.target, call.arguments) not in same:
            fresh.setdefault(call.target, []).append(call)
    for call in before:
        if fresh.get(call.target) and (call.target, call.arguments) not in same:
            other = fresh[call.target].pop()
            values = _replaced(", ".join(call.arguments), ", ".join(other.arguments))
            if values and _acts(f"{new.name} {call.target}"):
                yield other.line, *values


def _lines(edit: Edit, old: Function, new: Function) -> Iterator[_Change]:
    """Values that differ between assignments that are otherwise equal, one line each."""
    before = _assigned(old, _assignments(edit, new=False))
    after = _assigned(new, _assignments(edit, new=True))
    fresh: dict[bytes, list[tuple[int, str]]] = {}
    for line in reversed(after):
        fresh.setdefault(_left(line.text), []).append((line.number, line.text.decode("utf-8", "replace")))
    for line in before:
        if fresh.get(_left(line.text)):
            number, text = fresh[_left(line.text)].pop()
            values = _replaced(line.text.decode("utf-8", "replace"), text)
            if values and _acts(f"{new.name} {text.split('=', 1)[0]}"):
                yield number, *values


def _left(text: bytes) -> bytes:
    return text.split(b"=", 1)[0].strip()


@remembered
def _assignments(edit: Edit, *, new: bool) -> tuple[Line, ...]:
    """The changed lines that set something."""
    return tuple(line for line in (edit.changed.added if new else edit.changed.removed) if found(_SETS, line.text))


def _assigned(side: Function, lines: tuple[Line, ...]) -> list[Line]:
    """The lines that lie in a function."""
    numbers = [line.number for line in lines]
    spans = side.facts.by_name.get(side.name, ()) if lines else ()
    return [
        line for span in spans for line in lines[bisect_left(numbers, span.start) : bisect_right(numbers, span.end)]
    ]


def _acts(text: str) -> bool:
    return found(_ACTS, text.encode("utf-8", "replace"))


def _replaced(old: str, new: str) -> tuple[str, str] | None:
    """The one value in which two texts differ, where the old one is a stored one."""
    before, after = _values(old), _values(new)
    if len(before[0]) != len(after[0]) or before[1] != after[1]:
        return None
    differ = [(one, other) for one, other in zip(before[0], after[0], strict=True) if one != other]
    if len(set(differ)) != 1:
        return None
    kept, typed = differ[0]
    return (kept, typed) if _is_stored(kept) else None


def _values(text: str) -> tuple[list[str], str]:
    """The values in a text, and the text without them and without blanks."""
    data = text.encode("utf-8", "replace")
    values = [match.group(0).decode("utf-8", "replace") for match in pattern(_PATH).finditer(data)]
    rest = pattern(_PATH).sub(b"\0", data)
    return values, "".join(rest.decode("utf-8", "replace").split())


def _is_stored(value: str) -> bool:
    """Whether a value is a part of something that is on file: an address, a name, a secret of it."""
    data = value.encode()
    has_holder = any(sign in value for sign in (".", "->", "::", "["))
    return has_holder and found(_KEPT, data) and (found(_KNOWN, data) or not found(_TYPED, data))


def _is_typed(value: str, kept: str, chosen: frozenset[str]) -> bool:
    """Whether a value is a part of the request, or one of the names that the caller chose."""
    if found(_TYPED, value.encode()):
        return value != kept and not found(_KNOWN, value.encode())
    return value.lstrip("$@") in chosen


def _parameters(side: Function) -> frozenset[str]:
    """The parameters of a function that it does not set itself."""
    text = side.facts.text(side.name)
    head, _, rest = text[:_HEAD].partition("(")
    given, _, _ = rest.partition(")") if rest and "\n" not in head.strip() else (head.split("\n", 1)[0], "", "")
    behind = text[len(head) + len(given) :].encode("utf-8", "replace")
    own = {match.group(1).decode("utf-8", "replace") for match in pattern(_SET).finditer(behind)}
    return vocabulary.names(given) - own
