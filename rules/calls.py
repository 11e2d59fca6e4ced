"""Compares what the functions of a file call before and after."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from rules import guards
from rules.rule import Change, Edit, remembered
from rules.structure import Call, Facts, Mark


class Changed(NamedTuple):
    """A call of one target with other arguments than before; equal ones are set aside."""

    before: Call
    after: Call

    @property
    def lost(self) -> tuple[str, ...]:
        """The arguments that only the old call has."""
        return tuple((Counter(self.before.arguments) - Counter(self.after.arguments)).elements())

    @property
    def won(self) -> tuple[str, ...]:
        """The arguments that only the new call has."""
        return tuple((Counter(self.after.arguments) - Counter(self.before.arguments)).elements())


@remembered
def changed(edit: Edit) -> tuple[Changed, ...]:
    """Calls of surviving functions whose arguments differ, in the order of the text; a target's first loss meets its first gain."""
    if edit.both is None:
        return ()
    old, new = edit.both
    known = guards.pairs(edit)
    names = [name for name in guards.differing(edit) if name in known]
    return tuple(pair for name in names for pair in _changed_of(old.calls(name), new.calls(known[name])))


def _changed_of(before: tuple[Call, ...], after: tuple[Call, ...]) -> Iterator[Changed]:
    spare = Counter((call.target, call.arguments) for call in before)
    fresh: dict[str, deque[Call]] = {}
    for call in after:
        if spare[(call.target, call.arguments)] > 0:
            spare[(call.target, call.arguments)] -= 1
        else:
            fresh.setdefault(call.target, deque()).append(call)
    for call in before:
        if spare[(call.target, call.arguments)] > 0:
            spare[(call.target, call.arguments)] -= 1
            if fresh.get(call.target):
                yield Changed(call, fresh[call.target].popleft())


def lost(edit: Edit) -> Iterator[Call]:
    """Calls that surviving functions lost and that no other function of the change gained."""
    if edit.both is None:
        return
    old, new = edit.both
    known = guards.pairs(edit)
    for name in guards.differing(edit):
        if name in known:
            yield from _lost_of(edit, old.calls(name), new.calls(known[name]))


def _lost_of(edit: Edit, before: tuple[Call, ...], after: tuple[Call, ...]) -> Iterator[Call]:
    missing = Counter(call.name for call in before) - Counter(call.name for call in after)
    removed = _numbers(edit)
    for call in sorted(before, key=lambda call: call.line not in removed):
        if missing[call.name] > 0:
            missing[call.name] -= 1
            if call.line in removed and call.name not in _gained(edit.change):
                yield call


@remembered
def _numbers(edit: Edit) -> frozenset[int]:
    return frozenset(line.number for line in edit.changed.removed)


@remembered
def _gained(change: Change) -> frozenset[str]:
    """Names that production files of this change call more often than before, or as often in another place."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for edit in change.edits:
        if edit.is_code:
            before.update(call.name for call in guards.calls_of(edit.old.facts, guards.differing(edit)))
            after.update(call.name for call in guards.calls_of(edit.new.facts, guards.differing(edit)))
    return frozenset(name for name in after if after[name] >= before[name])


def lost_marks(old: Facts, new: Facts) -> Iterator[Mark]:
    """Decorators and annotations that a surviving function or class lost."""
    targets = {span.name.rsplit(".", 1)[-1] for span in new.spans}
    present = Counter((mark.target, mark.text) for mark in new.marks)
    for mark in old.marks:
        present[(mark.target, mark.text)] -= 1
        if present[(mark.target, mark.text)] < 0 and mark.target in targets:
            yield mark
