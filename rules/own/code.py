"""Own rules that look at code: an ast-grep pattern that a function lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rules.findings import Finding, Tier
from rules.grammars import GRAMMARS
from rules.own.base import Own
from rules.rule import Change, Edit, Source, remembered
from rules.structure import Facts

MOST_MATCHES = 2_000  # of one pattern in one side of a file
UNREAD = "cannot be parsed on both sides, so that nobody can tell whether this holds: {}"


class Match(NamedTuple):
    """Where the pattern stands: in which function ("": in none), at which line, and its text without blanks."""

    function: str
    line: int
    text: str


class Side(NamedTuple):
    """What one side of a file has."""

    functions: frozenset[str]
    matches: tuple[Match, ...]


def checked(pattern: str, language: str) -> str:
    """The pattern itself; ValueError with a sentence where ast-grep does not take it."""
    if not any(len(word) >= 3 for word in _words(pattern)):
        raise ValueError("names nothing: it needs a word of at least three letters beside its $METAVARIABLES")
    _found("x", language, pattern)
    return pattern


def _words(pattern: str) -> list[str]:
    """The literal words of a pattern, longest first; metavariables begin with a dollar."""
    text = "".join(c if c.isalnum() or c in "_$" else " " for c in pattern)
    return sorted((word for word in text.split() if not word.startswith("$")), key=len, reverse=True)


def _found(text: str, language: str, pattern: str) -> list[Any] | None:
    """The nodes that match; None where the native parser gave up. ValueError where the pattern is none."""
    from ast_grep_py import SgRoot  # noqa: PLC0415 - 45 MB of grammars, only where a rule needs them

    try:
        nodes: list[Any] = SgRoot(text, language).root().find_all(pattern=pattern)
    except RuntimeError as error:
        said = str(error).partition("Stack backtrace")[0].strip().splitlines()[-1:]
        raise ValueError(f"is no ast-grep pattern for {language}: {' '.join(said).strip()}") from None
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":  # of the native parser
            return None
        raise  # pragma: no cover - an interrupt, which is not ours to swallow
    return nodes


class LostFromFunction(Own):
    """Code that a function had and has no longer, unless it went into a function that is new."""

    def check(self, edit: Edit) -> Iterator[Finding]:
        if not (self.is_about(edit) and edit.old.present and edit.new.present and self.is_named(edit.old)):
            return
        sides = _sides(edit, self)
        if sides is None:
            tier = self.tier if self.tier is not Tier.NOTE else Tier.HOLD
            yield Finding(self.slug, tier, edit.file.path, "old", 0, UNREAD.format(self.spec.message), "")
        else:
            yield from self._gone(edit, *sides)

    def is_named(self, source: Source) -> bool:
        """Whether the longest word of the pattern stands in it: without that, no tree is needed."""
        return _words(self.spec.pattern)[0].encode() in source.data

    def _gone(self, edit: Edit, old: Side, new: Side) -> Iterator[Finding]:
        """What each function lost. One that is deleted takes its checks along; one that has another name does not."""
        came = _in_new_functions(edit.change, self)
        before, after = _by_function(old), _by_function(new)
        for function, mine in before.items():
            if function and function not in new.functions:
                asked = {match.text for match in came}
                lost = [match for match in mine if match.text not in asked] if new.functions - old.functions else []
            else:
                lost = _lost(mine, after.get(function, []))
            if lost and not _called(edit.new, function).isdisjoint(_simple(each.function) for each in came):
                continue  # what it asked is now asked by a new function that it calls
            where = f"`{function}`" if function else "the top of the file"
            for match in lost:
                yield self.lost(edit, match.line, f"{self.spec.message} (gone from {where})")

    def side(self, source: Source) -> Side | None:
        """One side; None where it cannot be parsed."""
        if not source.data.strip():
            return Side(frozenset(), ())
        facts = source.facts if source.language in GRAMMARS else None
        if facts is None:
            return None
        nodes = _found(source.data.decode("utf-8", "replace"), source.language, self.spec.pattern)
        if nodes is None or len(nodes) > MOST_MATCHES:
            return None
        named = frozenset(span.name for span in facts.spans if span.is_function)
        around = _functions(facts)
        lines = ((node, node.range().start.line + 1) for node in nodes)
        return Side(named, tuple(Match(around.get(at, ""), at, "".join(node.text().split())) for node, at in lines))


def _functions(facts: Facts) -> dict[int, str]:
    """The innermost function of each line that lies in one; spans stand in the order of the text, outer ones first."""
    return {line: span.name for span in facts.spans if span.is_function for line in range(span.start, span.end + 1)}


def _by_function(side: Side) -> dict[str, list[Match]]:
    found: dict[str, list[Match]] = {}
    for match in side.matches:
        found.setdefault(match.function, []).append(match)
    return found


@remembered
def _sides(edit: Edit, rule: LostFromFunction) -> tuple[Side, Side] | None:
    """Both sides as the pattern sees them; None where one cannot be parsed."""
    old, new = rule.side(edit.old), rule.side(edit.new)
    return None if old is None or new is None else (old, new)


@remembered
def _in_new_functions(change: Change, rule: LostFromFunction) -> tuple[Match, ...]:
    """What stands in functions that the change brings: code that moved there is not gone."""
    found: list[Match] = []
    for edit in change.edits:
        if edit.new.present and rule.is_about(edit) and rule.is_named(edit.new):
            old, new = _sides(edit, rule) or (Side(frozenset(), ()), Side(frozenset(), ()))
            found += [each for each in new.matches if each.function and each.function not in old.functions]
    return tuple(found)


def _lost(before: Sequence[Match], after: Sequence[Match]) -> list[Match]:
    """As many as there are fewer, of several those whose text is gone."""
    spare = Counter(match.text for match in after)
    gone: list[Match] = []
    for match in before:
        if spare[match.text] > 0:
            spare[match.text] -= 1
        else:
            gone.append(match)
    return gone[: max(len(before) - len(after), 0)]


def _called(source: Source, function: str) -> frozenset[str]:
    """The names of what a function calls; a comment or a text calls nothing."""
    facts = source.facts
    return frozenset(call.name for call in facts.calls(function)) if facts else frozenset()


def _simple(function: str) -> str:
    return function.rpartition(".")[2]
