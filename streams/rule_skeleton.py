"""The first words of a new rule: a file that can be tried at once, with everything that a rule must have."""

from pathlib import Path

from rules.catalogue import all_rules
from streams.sources.errors import SourceError

OWN = '''\
# An own rule of this repository. `twohand rules test` tries its examples; docs/own-rules.md tells what can stand here.

[[rule]]
slug = "{slug}"
kind = "removed-from-function"  # or "removed", "added": lines that lost or won an RE2 pattern
tier = "hold"  # note, hold (a human owner must answer) or block
message = "a function no longer asks require_owner"
pattern = "require_owner($$$ANY)"
languages = ["python"]
# paths = ["services/**"]
why = "Say what happens to whom when this is gone."
instead = "Say what to do instead."

[[rule.holds]]
path = "services/documents.py"
old = """
def show(user, document):
    require_owner(user, document)
    return document.text
"""
new = """
def show(user, document):
    return document.text
"""

[[rule.passes]]
path = "services/documents.py"
old = """
def show(user, document):
    require_owner(user, document)
    return document.text
"""
new = """
def show(user, document):
    require_owner(user, document)
    return document.html
"""
'''

CATALOGUED = '''\
"""A line that said require_owner is gone."""

from collections.abc import Iterator
from typing import ClassVar

from rules.findings import Finding, Tier
from rules.rule import Diff, Edit, Rule


class {name}(Rule):
    """A line that said require_owner is gone.

    ## What it does
    Says in a sentence or two what is found, and what is not.

    ## Why it matters
    Says what happens to whom.

    ## Example
    Shows a change in words.

    ## What to do instead
    Says what its author can do.
    """

    id, slug, tier, since = "{id}", "{slug}", Tier.NOTE, "{since}"
    languages = ("python",)
    triggers: ClassVar = (rb"require_owner",)

    HOLDS: ClassVar = (Diff("src/documents.py", "require_owner(user)\\nshow()\\n", "show()\\n"),)
    PASSES: ClassVar = (Diff("src/documents.py", "require_owner(user)\\n", "require_owner(user)\\nshow()\\n"),)

    def check(self, edit: Edit) -> Iterator[Finding]:
        """One finding a line."""
        if edit.is_code:
            for line in edit.removed:
                if b"require_owner" in line.text:
                    yield self.lost(edit, line.number, "this line no longer asks require_owner")
'''


class NotWritten(SourceError):
    """The file of a new rule cannot be written."""


def write_own(directory: Path, slug: str) -> Path:
    """A file with one own rule, where none of its name was. Errors: NotWritten."""
    return _written(directory / f"{_named(slug)}.toml", OWN.format(slug=slug))


def write_catalogued(root: Path, slug: str, since: str) -> Path:
    """A rule of the catalogue, in twohand's own source. Errors: NotWritten."""
    catalog = root / "rules" / "catalog"
    if not (root / "rules" / "rule.py").is_file() or not catalog.is_dir():
        raise NotWritten(
            f"{root} is not twohand's own source.",
            remedy="Rules in Python of your own belong into an installed package with the entry point group twohand.rules.",
        )
    name = "".join(part.capitalize() for part in _named(slug).split("-"))
    text = CATALOGUED.format(name=name, id=_next_id(), slug=slug, since=since)
    return _written(catalog / f"{slug.replace('-', '_')}.py", text)


def _named(slug: str) -> str:
    plain = slug.replace("-", "")
    if not (0 < len(slug) <= 64 and plain.isascii() and plain.isalnum() and slug == slug.lower() and slug[0].isalpha()):
        raise NotWritten(f"{slug!r} is no name of a rule.", remedy="Use lower-case letters, digits and hyphens.")
    if slug in {rule.slug for rule in all_rules()}:
        raise NotWritten(f"{slug} is a rule of the catalogue already.", remedy=f"`twohand explain {slug}` tells of it.")
    return slug


def _next_id() -> str:
    return f"TH{max(int(rule.id.removeprefix('TH')) for rule in all_rules()) + 1}"


def _written(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise NotWritten(f"{path} is there already.", remedy="Edit it, or choose another name.") from None
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written: {error.strerror}.", remedy="Choose another place with -C."
        ) from None
    return path
