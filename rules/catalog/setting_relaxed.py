"""A setting that protects is weaker than it was, or gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_KEEPS = (
    rb"(?i)^[\"'@$:]*(?:\w*_)?(?:secure|http_?only|same_?site|verif\w*|strict\w*|enforce\w*|protect\w*|csrf\w*|xsrf\w*|"
    rb"(?:auto_?)?escape\w*|sandbox\w*|safe\w*|signed|encrypt\w*|authenticat\w*|authori\w*|restrict\w*|confirm\w*|"
    rb"require\w*|validate\w*|check_?(?:cert|host|sign|permission|auth|owner|access|origin)\w*|hidden|masked?|no_?log|write_?only|"
    rb"login_required|mfa\w*|two_?factor\w*|rate_?limit\w*|lock_?out\w*|noopener|nosniff|hsts\w*)(?:_?(?:only|enabled?|required|ssl|mode))?$|"
    rb"(?:Secure|HttpOnly|SameSite|Verify|Strict|Required|Protected|Encrypted|Signed)$"
)
_OPENS = (
    rb"(?i)^[\"'@$:]*(?:\w*_)?(?:debug|allow\w*|insecure\w*|skip\w*|disable\w*|bypass\w*|trust\w*|permit\w*|exempt\w*|public|"
    rb"anonymous\w*|ignore_?(?:cert|ssl|tls|auth|sign|expir|error)\w*|unsafe\w*|no_?(?:auth|verify|check|ssl|tls)\w*|auto_?(?:login|confirm|verify|approve)\w*|"
    rb"show_?(?:content|secret|password)\w*|include_?auth\w*|expose\w*|admin\w*|is_?(?:admin|staff|superuser)|superuser|"
    rb"follow_?redirects?|follow_?symlinks?|email_?verified|verified)$"
)
_LONGER = (
    rb"(?i)(?:ttl|time_?out|expir\w*|life_?times?|max_?age|lives?|valid_?(?:for|until|within)|grace|leeway|skew|remember_?for|"
    rb"max_?(?:attempts|tries|retries|failed\w*|size|length|body\w*|depth|requests?)|attempts|(?:rate|size|depth|request)_?limit|limit_?bytes|umask|perm\w*|mode)$"
)
_SHORTER = rb"(?i)(?:min\w*|(?:password|token|key|code|secret|salt)_?(?:length|len|size|bytes|bits)|rounds|iterations|cost|key_?size|bits|strength|entropy|work_?factor|denied_?status|umask)$"
_TRUE = {"True", "true", "1", "yes", "on", "TRUE", "YES", "ON"}
_FALSE = {"False", "false", "0", "no", "off", "FALSE", "None", "null", "nil", "undefined"}
_SAME_SITE = {"strict": 2, "lax": 1, "none": 0, "false": 0, "off": 0}
_KEPT = (
    rb"^[\"']?([\w$@.-]{2,60})[\"']?\s*\]?\s*(?:=>|:=|=|:)\s*"
    rb"((?i:true|yes|on|strict|lax|required|always|none)|\d{1,9}|[\"'][^\"']{1,40}[\"'])\s*[,;)}\]]*$"
)
_CONFIG = (b".yml", b".yaml", b".ini", b".toml", b".json", b".properties", b".cfg")


class SettingRelaxed(Rule):
    """A setting that protects is weaker than it was, or gone.

    ## What it does
    Compares named values: keywords, keys, fields, constants. It reports a protection that was true or computed and is now false or gone, a
    danger that is now true, a token that lives longer, a limit that is higher, a key that is shorter, a file that more people may read.

    ## Why it matters
    One word of a configuration opens more than many lines of code, and nothing about the code looks different.

    ## Example
    `secure=True` becomes `secure=False`; `_MODE = 0o660` becomes `0o666`.

    ## What to do instead
    Keep the value, or set it for the one environment that needs it.

    ## Why it is general
    It knows the words in which libraries and people name protections, and which way of a number is the dangerous one.
    """

    id, slug, tier, since = "TH114", "setting-relaxed", Tier.HOLD, "0.1"
    triggers: ClassVar = (
        rb"(?i)\b(?:true|false|none|null|nil|lax|on|off|yes|no)\b",
        rb"\d",
        rb"[\w\"'\]]\s*(?:=>|:=|=|:)",
    )

    HOLDS: ClassVar = (
        Diff(
            "app/cookies.py",
            "def put(r, v):\n    r.set_cookie('s', v, secure=True)\n",
            "def put(r, v):\n    r.set_cookie('s', v, secure=False)\n",
        ),
        Diff("app/files.py", "DEFAULT_PERM = 0o0660\n", "DEFAULT_PERM = 0o0666\n"),
        Diff("app/keys.go", "const tokenTTL = 15\n", "const tokenTTL = 1500\n"),
        Diff(
            "web/session.js",
            "const options = {\n  httpOnly: true,\n  path: '/',\n}\n",
            "const options = {\n  path: '/',\n}\n",
        ),
        Diff(
            "app/register.py",
            "def render(form, done):\n    return answer(form, include_auth_token=done)\n",
            "def render(form, done):\n    return answer(form, include_auth_token=True)\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("app/files.py", "DEFAULT_PERM = 0o0666\n", "DEFAULT_PERM = 0o0660\n"),
        Diff("app/keys.go", "const tokenTTL = 1500\n", "const tokenTTL = 15\n"),
        Diff("app/draw.py", "line(width=1, dashed=True)\n", "line(width=2, dashed=False)\n"),
        Diff("app/cookies.py", "put(secure=False)\n", "put(secure=True)\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code or (edit.kind is Kind.DATA and edit.path.lower().endswith(_CONFIG))

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Values that gave way to weaker ones, and protections that nothing took the place of."""
        for swap in swaps.swaps(edit):
            how = _relaxed(swap)
            if how:
                at = places.where(edit, swap.new.number, old=False)
                message = f"{at}: `{visible(swap.name.encode())}` {how}: `{visible(swap.old.text)}` became `{visible(swap.new.text)}`"
                yield self.came(edit, swap.new.number, message, tier=_tier(edit))
        if edit.new.present:
            yield from self._gone(edit)

    def _gone(self, edit: Edit) -> Iterator[Finding]:
        for line in swaps.alone(edit):
            hit = pattern(_KEPT).search(line.text)
            if hit is None:
                continue
            name, value = (part.decode("utf-8", "replace") for part in hit.groups())
            name = name.rsplit(".", 1)[-1]
            again = (
                swaps.balance(edit.change, rb"(?i)\b" + name.replace("$", "").replace("@", "").encode() + rb"\b") >= 0
            )
            if found(_KEEPS, name.encode()) and value.strip("\"'") not in _FALSE and not again:
                at = places.where(edit, line.number)
                yield self.lost(edit, line.number, f"{at} no longer sets `{visible(line.text)}`", tier=_tier(edit))


def _tier(edit: Edit) -> Tier:
    """Files of configuration are signs among others."""
    return Tier.NOTE if edit.kind is Kind.DATA else Tier.HOLD


def _relaxed(swap: swaps.Swap) -> str:
    """What became of a protection; "" where it is as strong as before."""
    name = swap.name.encode("utf-8", "replace")
    before, after = _bare(swap.before), _bare(swap.after)
    if before == after or not after:
        return ""
    if before.lower() in _SAME_SITE and after.lower() in _SAME_SITE and "same" in swap.name.lower():
        return "protects less" if _SAME_SITE[after.lower()] < _SAME_SITE[before.lower()] else ""
    if after in _FALSE and before not in _FALSE and found(_KEEPS, name):
        return "no longer protects"
    if after in _TRUE and before not in _TRUE and found(_OPENS, name):
        return "stands open"
    return _number(name, before, after)


def _bare(part: str) -> str:
    return part.strip("\"' ,;)(")


def _number(name: bytes, before: str, after: str) -> str:
    old, new = _value(before), _value(after)
    if old is None or new is None or old == new:
        return ""
    if found(_LONGER, name) and new > old:
        return f"is now {after} and was {before}"
    return f"is now {after} and was {before}" if found(_SHORTER, name) and new < old else ""


def _value(text: str) -> int | None:
    digits = text.replace("_", "").lower()
    if not digits.removeprefix("0o").isdigit() or len(digits) > 15:
        return None
    return int(digits.removeprefix("0o"))
