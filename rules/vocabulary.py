"""The words of checks and refusals, in any language that people write code in."""

from functools import lru_cache

from rules.patterns import found, pattern

STRONG = (
    rb"(?i:\bauth\b|auth_|_auth\b|oauth|authn|authz|authori[sz]|authentic|unauth|permi(?:ssion|t)|privileg|forbid|deny|denied|"
    rb"disallow|access|credential|passw|passphrase|secret|token|\bjwt|session|csrf|xsrf|nonce|captcha|\botp|totp|mfa\b|"
    rb"two_?factor|webauthn|verif|signature|signed|hmac|digest|crypt|cipher|issuer|audience|revok|expire|login|"
    rb"superuser|is_?staff|admin|owner|\bacls?\b|\brole|trust|\bsecur|insecure|saniti|whitelist|blacklist|allow_?list|"
    rb"deny_?list|allowed|traversal|symlink|redirect_?ur[il]|rate_?limit|throttl|lock_?out|email|account|origin\b|referer|"
    rb"tampered|forg(?:ed|ery)|suspicious|impersonat|\bsudo|collaborator|is_?active|is_?private|visib|certificate|\btls|\bssl)|"
    rb"Auth[A-Z]|\bcan[A-Z_]\w+|\.can\?"
)
WEAK = (
    rb"(?i:valid|check|allow|limit|max_?|length|size|safe|escape|host|scope|user|\bkey\b|\balg|grant|state|hash|path|url|uri|"
    rb"header|proto|domain|scheme|public|confirm|enabled|disabled|locked|banned|block|cookie|exists|missing|null|nil\b)"
)
_REFUSAL = (
    rb"(?i:\b(?:raise|throw|panic!?|abort!?|die|halt|reject|deny|forbid|refuse)\b|\babort_if\b|permission_?denied|unauthori[sz]ed|"
    rb"\bforbidden\b|access_?denied|\b(?:400|401|403|404|409|413|422|429)\b|not_?found\(|bad_?request|"
    rb"redirect_to|redirect\(|errors?\.(?:new|add|errorf|wrap)|fmt\.errorf|add_error|\berr\(|\bthrow_|"
    rb"\bfail(?:_json|_with|_auth)?\w*!?\(|\bsend_?error\(|\bhttp_?(?:error|exception|40[0-9])\b)"
)
_EMPTY = rb"\breturn(?:\s*;|\s*\}|\s*$|\s+(?:None|nil|null|false|False|undefined|\(?-1|0\b|\[\]|\{\}|\"\"|''|err\b|nil, |\w*[eE]rr))"
_SOFT = _EMPTY + rb"|^\{?\s*(?:return|continue|break|next|exit)\b"
_LEAVES = rb"\b(?:return|raise|throw|continue|break|next|exit|abort|panic|die|halt|redirect_to|fail)\b"
_CURRENT = (
    rb"(?i)\b(?:current_?(?:user|account|tenant|organi[sz]ation|team)|(?:request|req|self\.request|ctx|c)\s*(?:\.|->)\s*user|signed_?(?:in_?)?user|"
    rb"auth(?:\(\))?\s*(?:\.|->|::)\s*user|principal|tenant|owner)\b"
)
_VERBS = (
    rb"(?i)^_*(?:re|pre|post|do|is|has|can|must|should|before|assert|skip)?_?(?:verif|valid|check|ensure|require|req[A-Z_]|assert|authori|authenti|"
    rb"permi|escape|html_?escape|saniti|clean|strip|normali|quote|encode_|csrf|protect|guard|forbid|prevent|disallow|deny|confirm|limit|"
    rb"throttl|allow|trust|safe|secur|constant_?time|compare_?digest|timing|regenerate|rotate|revoke|invalidate|expire|"
    rb"abort_?if|abort_?unless|enforce|restrict|reject|refuse|filter|redact|mask)"
)
ANYWHERE = (
    rb"(?i)(?:verif|validat|authori[sz]|authentic|permission|saniti|escape|csrf|_?required|forbid|is_?allowed|secure)"
)
ENCLOSES = rb"\"\"\"|'''|/\*|\*/|^=(?:begin|end)|^#(?:if|ifdef|else|endif)\b|`"  # may turn code into text, line by line unchanged


@lru_cache(maxsize=4096)
def refusal(body: str) -> str:
    """The part of a short body that refuses, cut at 80 characters; "" where it goes on with the work."""
    if not body or len(body) >= 300:
        return ""
    data = body.encode("utf-8", "replace")
    hit = pattern(_REFUSAL).search(data) or pattern(_SOFT).search(data)
    return body.strip("{} ;")[:80] if hit else ""


@lru_cache(maxsize=4096)
def is_strong(text: str) -> bool:
    """Whether a refusal raises, throws or answers with an error."""
    return bool(text) and found(_REFUSAL, text.encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def turns_away(statement: str) -> bool:
    """Whether a single statement refuses beyond doubt: it raises, or answers with an error or with nothing."""
    data = statement.encode("utf-8", "replace")
    return len(data) < 300 and (found(_REFUSAL, data) or found(_EMPTY, data))


@lru_cache(maxsize=4096)
def is_empty(refusal: str) -> bool:
    """Whether a refusal leaves with nothing, or speaks of failure."""
    data = refusal.encode("utf-8", "replace")
    return found(_EMPTY, data) or not found(rb"\breturn\b", data) or found(rb"(?i)err|exception|invalid|fail", data)


@lru_cache(maxsize=4096)
def leaves(body: str) -> bool:
    """Whether what follows a body is only reached where its condition does not hold."""
    return found(_LEAVES, body.encode("utf-8", "replace"))


@lru_cache(maxsize=8192)
def is_guarding(text: str) -> bool:
    """Whether the text speaks of who may do what."""
    return found(STRONG, text.encode("utf-8", "replace"))


@lru_cache(maxsize=8192)
def is_checking(text: str) -> bool:
    """Whether the text speaks of what is acceptable, or of who may do what."""
    return is_guarding(text) or found(WEAK, text.encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def is_verifying(name: str, target: str) -> bool:
    """Whether what is called by this name verifies, authorises, cleans, limits or revokes."""
    last = ".".join(target[-80:].split(".")[-2:])
    return found(_VERBS, name.encode("utf-8", "replace")) or found(ANYWHERE, last.encode("utf-8", "replace"))


RECOVERY = (
    rb"(?i)(?:password|passwd|pwd|credential)_?s?(?:_?re)(?:set|cover)|re(?:set|cover)\w*_?(?:password|passwd|pwd|account|token|code|key|link|e?mail)|"
    rb"forg[oe]t\w*_?pass|account_?recover|recovery_?(?:code|key|e?mail|phone|token|flow)|recoverable|lost_?password|"
    rb"\bmfa\b|mfa_|_mfa|two_?factor|2fa|\b[th]?otp\b|[th]?otp_|_[th]?otp\b|second_?factor|backup_?codes?|webauthn|passkey|authenticator|"
    rb"(?:e?mail|phone|account)_?(?:address_?)?(?:verif|confirm|activat)|(?:verif|confirm|activat)\w*_?(?:e?mail|phone|account|user)|"
    rb"confirmable|confirmation_?(?:token|link|instructions|sent)|unconfirmed|activat\w*_?(?:code|link|token|key)|"
    rb"re_?authenticat|recent_?login|sudo_?mode|magic_?link|one_?time_?(?:code|password|token)|password_?confirm|current_?password|old_?password"
)


@lru_cache(maxsize=8192)
def is_recovery(text: str) -> bool:
    """Whether the text speaks of how somebody gets into an account without, or with more than, a password."""
    return found(RECOVERY, text.encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def is_current_user(text: str) -> bool:
    """Whether the text names whoever asks."""
    return found(_CURRENT, text.encode("utf-8", "replace"))


def opens_block(line: bytes) -> bool:
    """Whether a line only opens what follows, as the head of a condition or a function does."""
    return line.rstrip().endswith((b"{", b":", b" then", b" do", b"("))


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Names, numbers and every other character but blanks."""
    return tuple(
        match.group(0).decode("latin1") for match in pattern(rb"\w+|[^\w\s]").finditer(text.encode("utf-8", "replace"))
    )


def names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(token for token in tokens(text) if is_name(token))


def is_name(token: str) -> bool:
    """A word of a language or a program, no number and no sign."""
    return token[:1].isalpha() or token[:1] in "_$"
