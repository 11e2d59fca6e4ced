"""Which paths decide who is let in or where money goes: the words that `twohand init` looks for."""

from functools import lru_cache

from rules import paths
from rules.kinds import Kind, classify
from streams.survey import WORDS

LONGEST = 1_000  # characters of a path that are looked at


def sensitive(path: str) -> bool:
    """Whether a path, in git's quoted form, is production code that speaks of login, recovery, second factors or money."""
    return _sensitive(path[:LONGEST])


@lru_cache(maxsize=16_384)
def _sensitive(path: str) -> bool:
    return not WORDS.isdisjoint(words(path)) and classify(paths.unquote(path)) is Kind.PRODUCTION


def words(path: str) -> set[str]:
    """The ASCII words of a path in lower case: `src/LoginController.java` -> src, login, controller, java."""
    found: list[str] = []
    start, end = 0, len(path)
    for at, character in enumerate(path):
        if not (character.isascii() and character.isalnum()):
            found.append(path[start:at])
            start = at + 1
        elif character.isupper() and at > start and _turns(path, at, end):
            found.append(path[start:at])
            start = at
    found.append(path[start:])
    return {word.lower() for word in found if word}


def _turns(path: str, at: int, end: int) -> bool:
    """A capital begins a word after a small letter, and before one: loginForm, JWTToken."""
    return path[at - 1].islower() or (path[at - 1].isupper() and at + 1 < end and path[at + 1].islower())
