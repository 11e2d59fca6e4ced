"""Every key of a file of own rules, once: what it may hold, what it is by default, what it means."""

from typing import Any, Final, NamedTuple

from rules import globs
from rules.findings import Tier
from rules.grammars import GRAMMARS
from rules.languages import LANGUAGES
from rules.policy_shape import GLOB
from rules.shape import Entry, ListOf, OneOf, Table, Text

REMOVED, ADDED, FROM_FUNCTION = "removed", "added", "removed-from-function"
KINDS: Final = (REMOVED, ADDED, FROM_FUNCTION)
PARSED: Final = tuple(name for name in GRAMMARS if name != "tsx")  # languages whose functions can be told apart
MOST_RULES: Final = 500  # in one file
LONGEST: Final = 4_000  # characters of a pattern


class Sample(NamedTuple):
    """One file before and after; an empty side is a file that is not there."""

    path: str
    old: str
    new: str


class Spec(NamedTuple):
    """An own rule as its file has it. `source` says where that file is."""

    slug: str
    kind: str
    tier: Tier
    message: str
    pattern: str
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    why: str = ""
    instead: str = ""
    holds: tuple[Sample, ...] = ()
    passes: tuple[Sample, ...] = ()
    source: str = ""


def _slug(text: str) -> str:
    if 0 < len(text) <= 64 and text.isascii() and text == text.lower() and text.replace("-", "").isalnum():
        return text
    raise ValueError("must be 1 to 64 lower-case letters, digits and hyphens")


def _sentence(text: str) -> str:
    if 0 < len(text) <= 200 and text.isprintable() and text == text.strip():
        return text
    raise ValueError("must be one sentence of at most 200 printable characters")


def _prose(text: str) -> str:
    if len(text) <= 4000 and all(c.isprintable() or c in "\n\t" for c in text) and "\n#" not in f"\n{text}":
        return text.strip()
    raise ValueError("must be at most 4,000 printable characters without headings")


def _pattern(text: str) -> str:
    if 0 < len(text) <= LONGEST and "\0" not in text:
        return text
    raise ValueError(f"must have 1 to {LONGEST:,} characters")


def _path(text: str) -> str:
    if 0 < len(text) <= 1000 and text.isprintable() and not text.startswith("/") and ".." not in text.split("/"):
        return text
    raise ValueError("must be a path inside the repository, such as src/login.py")


def _word(text: str) -> str:
    if 0 < len(text) <= 200 and text.isprintable():
        return text.lower()
    raise ValueError("must be 1 to 200 printable characters")


_NONE: Final[list[str]] = []
SAMPLE: Final = Table(
    {
        "path": Entry(Text("a path", _path), "The path of the file: it decides language and paths."),
        "old": Entry(Text(), "The file before the change; without it, the file is new.", ""),
        "new": Entry(Text(), "The file after the change; without it, the file is deleted.", ""),
    }
)
_SAMPLES: Final = ListOf(SAMPLE, most=100, unique=False)
RULE: Final = Table(
    {
        "slug": Entry(Text("a name", _slug), "What the rule is called; no rule of the catalogue may be called so."),
        "kind": Entry(OneOf(KINDS), "What is looked for: a pattern that lines lost, that lines won, or code that a function lost."),
        "tier": Entry(OneOf(tuple(tier.value for tier in Tier)), "How much a finding weighs (law 32)."),
        "message": Entry(Text("one sentence", _sentence), "What a finding says."),
        "pattern": Entry(
            Text("a pattern", _pattern),
            "An RE2 pattern for one line, without the blanks around it; an ast-grep pattern for `removed-from-function`.",
        ),
        "languages": Entry(ListOf(OneOf(LANGUAGES)), "Only files of these languages; empty: of any.", _NONE),
        "paths": Entry(ListOf(GLOB, whole=globs.compiled), "Only paths that one of these globs matches; empty: any.", _NONE),
        "words": Entry(ListOf(Text("a word", _word)), "Only files that hold one of these words, in any case; empty: any.", _NONE),
        "why": Entry(Text("text", _prose), "Why it matters, for `twohand explain`.", ""),
        "instead": Entry(Text("text", _prose), "What to do instead, for `twohand explain`.", ""),
        "holds": Entry(_SAMPLES, "Examples in which the rule must find something.", _NONE),
        "passes": Entry(_SAMPLES, "Examples in which it must find nothing.", _NONE),
    }
)  # fmt: skip
FILE: Final = Table({"rule": Entry(ListOf(RULE, least=1, most=MOST_RULES, unique=False), "The rules of this file.")})


def spec_of(read: dict[str, Any], source: str) -> Spec:
    """What the table read, as a value."""
    samples = {name: tuple(Sample(**one) for one in read[name]) for name in ("holds", "passes")}
    return Spec(**{**read, **samples, "tier": Tier(read["tier"] or Tier.NOTE), "source": source})
