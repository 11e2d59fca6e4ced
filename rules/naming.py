"""Shapes of names and addresses that tell machines from people, whatever the tables say."""

HIGHEST = 20  # no model has come to a higher version; people put their year of birth behind their names


def is_machine_address(email: str) -> bool:
    """Is it nobody's mailbox: none at all, a reserved domain, a `noreply`?"""
    local, at, domain = email.lower().partition("@")
    if not at or not domain:
        return not local
    reserved = domain == "localhost" or domain.endswith((".local", ".invalid", ".example", ".test", "example.com"))
    return reserved or local in ("noreply", "no-reply", "bot", "agent")


def is_version(token: str) -> bool:
    """Is a word of a name a version: `4`, `4.5`, `4o`, `v3`? Years and the numbers of logins are none."""
    digits = token.removeprefix("v")
    whole = digits[: next((at for at, character in enumerate(digits) if not character.isdigit()), len(digits))]
    return whole.isascii() and 0 < len(whole) < 3 and int(whole) <= HIGHEST
