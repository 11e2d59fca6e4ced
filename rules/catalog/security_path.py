"""The change touches where people are let in."""

from collections.abc import Iterator
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.kinds import Kind, classify
from rules.patterns import found
from rules.rule import Diff, Edit, Rule

_AREAS = (
    rb"(?i)(?:^|[/_.-])(?:auth(?:n|z|entication|orization|enticator)?|oauth2?|oidc|saml|sso|jwt|log_?in|log_?out|sign_?(?:in|up)|"
    rb"sessions?|passwords?|passwd|credentials?|recover(?:y|able)?|reset|confirmations?|mfa|otp|totp|two_?factors?|2fa|webauthn|"
    rb"passkeys?|crypto|cipher|encrypt(?:ion)?|decrypt|signatures?|hmac|csrf|cors|permissions?|acl|rbac|access(?:_control)?|"
    rb"polic(?:y|ies)|payments?|billing|checkout|payouts?|refunds?|tokens?|secrets?|keystore|vault|accounts?|impersonat\w*|sudo)"
    rb"(?:[/_.-]|$)"
)
_CAMEL = rb"(?:Auth|Login|Session|Password|Credential|Recovery|Token|Permission|Crypto|Payment|Csrf|Mfa|Otp)[A-Z.]"


def is_security_path(path: bytes) -> bool:
    """Whether production code at this path decides who is let in, by its name alone."""
    return classify(path) is Kind.PRODUCTION and (found(_AREAS, path) or found(_CAMEL, path))


class SecurityPath(Rule):
    """The change touches where people are let in.

    ## What it does
    Names production files whose path speaks of login, sessions, account recovery, second factors, permissions, cryptography or payment,
    and files that came from such a path by a rename or copy in earlier changes. Where the policy asks something for the earlier path
    and not for the new one, it holds: moved code is still what it was.

    ## Why it matters
    More than half of the checks that were ever missing stood in other files; but a mistake in one of these is dear. So it informs.

    ## Example
    `accounts/recovery.py` changes.

    ## What to do instead
    Nothing. A policy may ask for an owner wherever this rule speaks.
    """

    id, slug, tier, since = "TH501", "security-path", Tier.NOTE, "0.1"

    HOLDS: ClassVar = (
        Diff("src/accounts/recovery.py", "x = 1\n", "x = 2\n"),
        Diff("src/LoginController.java", "class A {}\n", "class A { int x; }\n"),
    )
    PASSES: ClassVar = (
        Diff("src/authors/list.py", "x = 1\n", "x = 2\n"),
        Diff("tests/test_login.py", "x = 1\n", "x = 2\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """One note a file."""
        if is_security_path(edit.path):
            side = "new" if edit.file.exists_after else "old"
            yield Finding(self.slug, self.tier, edit.file.path, side, 0, "this file decides who is let in", "")
