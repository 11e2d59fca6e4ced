"""Where in a file a line stands: the function around it, and how a finding names it."""

from bisect import bisect_right
from typing import NamedTuple

from rules.outline import Span
from rules.rule import Edit, remembered, visible


class _Index(NamedTuple):
    """From line to innermost span: where each stretch of lines begins, and the name that holds it."""

    starts: list[int]
    names: list[str]


@remembered
def _index(edit: Edit, *, old: bool) -> _Index:
    facts = edit.old.facts if old else edit.new.facts
    starts, names = [0], [""]
    open_spans: list[Span] = []
    for span in sorted(facts.spans, key=lambda span: (span.start, -span.end)) if facts is not None else ():
        _close(open_spans, span.start, starts, names)
        open_spans.append(span)
        starts.append(span.start)
        names.append(span.name)
    _close(open_spans, len((edit.old if old else edit.new).lines) + 2, starts, names)
    return _Index(starts, names)


def _close(open_spans: list[Span], before: int, starts: list[int], names: list[str]) -> None:
    while open_spans and open_spans[-1].end < before:
        ended = open_spans.pop()
        starts.append(ended.end + 1)
        names.append(open_spans[-1].name if open_spans else "")


def function_at(edit: Edit, line: int, *, old: bool) -> str:
    """The innermost function or class around a line; "" outside of all, and where no grammar reads the file."""
    index = _index(edit, old=old)
    return index.names[bisect_right(index.starts, line) - 1]


def where(edit: Edit, line: int, *, old: bool = True) -> str:
    """The same, as the beginning of a sentence."""
    return visible(function_at(edit, line, old=old).encode()) or "the module"
