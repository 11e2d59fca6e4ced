"""What every own rule shares: which files it is about, and its page."""

from typing import Any, ClassVar

from rules import globs, languages
from rules.own.keys import Spec
from rules.rule import Edit, Rule

ID = "OWN"


class Own(Rule):
    """A rule of a file that a policy's directory holds. Made by `rules.own.book`, one class for each."""

    spec: ClassVar[Spec]
    matcher: ClassVar[Any] = None  # a compiled RE2 pattern, for the kinds that look at lines

    def is_about(self, edit: Edit) -> bool:
        """Whether languages, paths and words of the rule let it look at this file."""
        spec = self.spec
        if spec.languages and languages.language_of(edit.path) not in spec.languages:
            return False
        if spec.paths and not globs.compiled(spec.paths).match(edit.path):
            return False
        return not spec.words or self._names_a_word(edit)

    def _names_a_word(self, edit: Edit) -> bool:
        both = (edit.old.data.lower(), edit.new.data.lower())
        return any(word.encode("utf-8", "surrogateescape") in side for word in self.spec.words for side in both)


def page_of(spec: Spec) -> str:
    """The documentation of an own rule, with the headings that every rule has."""
    what = {
        "removed": f"Finds lines that lost `{spec.pattern}`.",
        "added": f"Finds lines that won `{spec.pattern}`.",
        "removed-from-function": f"Finds functions that lost code of the form `{spec.pattern}`.",
    }[spec.kind]
    where = [f"in paths such as {', '.join(spec.paths)}"] if spec.paths else []
    where += [f"in files that hold {' or '.join(spec.words)}"] if spec.words else []
    told = f"{what} Only {' and '.join(where)}." if where else what
    example = f"See its examples in {spec.source}." if spec.holds else f"It has none: add one in {spec.source}."
    parts = {
        "What it does": told,
        "Why it matters": spec.why or "Its file does not say.",
        "Example": example,
        "What to do instead": spec.instead or "Keep what is there, or let an owner of the path answer for it.",
    }
    return f"{spec.message}\n\n" + "\n\n".join(f"## {title}\n{text}" for title, text in parts.items())
