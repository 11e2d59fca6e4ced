"""Compares what the functions of a file refused before and after. The rules about weakened checks share this reading."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from rules import vocabulary
from rules.conditions import Atom
from rules.lines import Line, squeeze, words
from rules.outline import Span
from rules.rule import Change, Edit, Source, remembered
from rules.structure import Branch, Call, Facts

MAX_COMPARED = 200  # conditions of one function that are searched for a successor; the others count as gone

_Sense = frozenset[Atom]  # a condition, without regard to order


class Lost(NamedTuple):
    """A condition of the old file that its function no longer asks as it did; `now` is what stands in its place."""

    branch: Branch
    refusal: str  # the statement that refused; "" where the condition admitted
    strong: bool  # the refusal raises, throws or answers with an error
    now: Branch | None


def unread(edit: Edit) -> tuple[Line, ...]:
    """Removed lines that the grammar could not make out in the old file."""
    broken = edit.old.facts.broken if edit.old.facts is not None else ()
    return tuple(line for line in edit.removed if any(line.number in lines for lines in broken)) if broken else ()


@remembered
def touched(edit: Edit) -> tuple[str, ...]:
    """The functions of the old file that lost a line or, under the same name, won one; "" for the code outside of all."""
    sides = ((edit.old.facts, edit.changed.removed), (edit.new.facts, edit.changed.added))
    return tuple(sorted({name for facts, part in sides if facts is not None for name in _around(facts, part)}))


@remembered
def differing(edit: Edit) -> tuple[str, ...]:
    """The touched functions, and those that lines only moved into or out of, without those that read the same on both sides."""
    if edit.both is None:
        return touched(edit)
    old, new = edit.both
    both = old.by_name.keys() & new.by_name.keys() if edit.changed.moved else ()
    return tuple(sorted(name for name in {*touched(edit), *both} if not old.is_same(name, new, name)))


def _around(facts: Facts, part: tuple[Line, ...]) -> Iterator[str]:
    numbers = [line.number for line in part]
    yield ""
    for span in facts.spans:
        first = bisect_left(numbers, span.start)
        if first < len(numbers) and numbers[first] <= span.end:
            yield span.name


class Function(NamedTuple):
    """One function on one side of a file; "" is what stands outside of all functions."""

    facts: Facts
    name: str


def kept(edit: Edit) -> Iterator[tuple[Function, Function]]:
    """The functions that stand on both sides and do not read the same, old and new."""
    if edit.both is None:
        return
    old, new = edit.both
    known = pairs(edit)
    for name in differing(edit):
        if name in known:
            yield Function(old, name), Function(new, known[name])


@remembered
def pairs(edit: Edit) -> dict[str, str]:
    """From each function of the old file to the same one in the new: by name, else by most lines in common."""
    assert edit.both is not None
    old, new = edit.both
    names = {span.name for span in new.spans}
    known = {span.name: span.name for span in old.spans if span.name in names} | {"": ""}
    holders = _holders(edit, [span for span in new.spans if span.name not in known])
    for span in old.spans:
        if span.name not in known and span.is_function:
            best = _likeliest(_body(edit.old, span), holders)
            if best:
                known[span.name] = best
    return known


def _holders(edit: Edit, spans: list[Span]) -> dict[bytes, list[str]]:
    """From a line without blanks to the functions that hold it; lines that many hold tell nothing."""
    found: dict[bytes, list[str]] = {}
    for span in spans:
        for line in _body(edit.new, span):
            found.setdefault(line, []).append(span.name)
    return {line: names for line, names in found.items() if len(names) <= 8}


def _likeliest(body: frozenset[bytes], holders: dict[bytes, list[str]]) -> str:
    votes = Counter(name for line in sorted(body) for name in holders.get(line, ()))
    (name, count), *_ = votes.most_common(1) or [("", 0)]
    return name if count * 3 >= len(body) else ""


def _body(side: Source, span: Span) -> frozenset[bytes]:
    """The lines of a function but its first, without blanks."""
    return frozenset(squeeze(line) for line in side.lines[span.start : span.end]) - _ENDS


_ENDS = frozenset({b"", b"}", b"end", b"});", b"};"})


@remembered
def words_of(edit: Edit, name: str, *, old: bool) -> frozenset[str]:
    """All words of a function, or of the whole file for ""."""
    side = edit.old if old else edit.new
    spans = side.facts.by_name.get(name, []) if side.facts is not None else []
    parts = [line for span in spans for line in side.lines[span.start - 1 : span.end]] if spans else side.lines
    return frozenset(words(b" ".join(parts)))


@remembered
def lost(edit: Edit) -> tuple[Lost, ...]:
    """Conditions of surviving functions that are no longer asked there, nor anywhere the change moved them to."""
    if edit.both is None:
        return ()
    known = pairs(edit)
    names = [name for name in differing(edit) if name in known]
    return tuple(found for name in names for found in _lost_of(edit, name, known[name]))


def _lost_of(edit: Edit, name: str, now: str) -> Iterator[Lost]:
    assert edit.both is not None
    old, new = edit.both
    before, after = old.branches(name), new.branches(now)
    kept: dict[frozenset[_Sense], list[dict[_Sense, int]]] = {}
    for levels in map(_levels, after):
        kept.setdefault(frozenset(levels), []).append(levels)
    gained = Counter(map(_key, after)) - Counter(map(_key, before))
    fresh = [branch for branch in after if _key(branch) in gained]
    removed = frozenset(line.number for line in edit.changed.removed)
    for count, branch in enumerate(sorted(before, key=lambda branch: branch.line in removed)):
        if _is_kept(branch, kept):  # of twins the one that still stands is met first
            continue
        found = _judge(edit, branch, fresh[:MAX_COMPARED] if count < MAX_COMPARED else [], (name, now))
        if found is not None:
            yield found


def gone(edit: Edit) -> Iterator[Lost]:
    """Refusals that are gone: the condition is, or it no longer refuses."""
    for each in lost(edit):
        if each.refusal and (each.now is None or _is_disarmed(each, each.now)) and _weighs(edit, each):
            yield each


def _is_disarmed(each: Lost, now: Branch) -> bool:
    """Whether the same is asked, and what refused beyond doubt no longer does."""
    refused = vocabulary.turns_away(each.branch.body) or vocabulary.turns_away(each.branch.otherwise)
    return refused and now.condition.polarity == each.branch.condition.polarity


_ELSEWHERE = frozenset({"err", "error", "errors", "nil", "null", "None", "undefined", "ok", "Is", "As"})


def _weighs(edit: Edit, each: Lost) -> bool:
    """Leaving is a check where the question speaks of one, answering where it speaks of access; an error only where what failed verifies."""
    asked = each.branch.condition.text
    if _is_failure(asked):
        return _verified(edit, each.branch)
    said = f"{asked} {each.branch.function}"
    if each.strong or vocabulary.is_guarding(said):
        return True
    return vocabulary.is_empty(each.refusal) and vocabulary.is_checking(said)


def _is_failure(asked: str) -> bool:
    """Whether a condition only asks if something failed, as `err != nil` does."""
    return all(name in _ELSEWHERE or name.endswith("Err") for name in vocabulary.names(asked))


def _verified(edit: Edit, branch: Branch) -> bool:
    """Whether the error that is no longer asked for is that of a call which verifies and is still made."""
    if edit.both is None:
        return False
    old, new = edit.both
    name = pairs(edit).get(branch.function)
    kept = {call.name for call in new.calls(name)} if name is not None else set()
    near = (call for call in old.calls(branch.function) if branch.line - 1 <= call.line <= branch.line)
    return any(call.name in kept and vocabulary.is_verifying(call.name, call.target) for call in near)


def retired(edit: Edit) -> Iterator[tuple[int, Branch]]:
    """Functions that asked something, are gone with their questions, and were used by code that stays: line of use, question."""
    if edit.both is None:
        return
    old, _ = edit.both
    known = pairs(edit)
    for span in old.spans:
        if not span.is_function or span.name in known:
            continue
        name = span.name.rsplit(".", 1)[-1].rstrip("!?")
        if name not in words_of(edit, "", old=False):
            lines = [number for number in _uses(edit).get(name, ()) if not span.start <= number <= span.end]
            asked = [branch for branch in old.branches(span.name) if not _moved(edit.change, branch)]
            if lines and asked:
                yield lines[0], max(asked, key=lambda branch: vocabulary.refusal(branch.body) != "")


@remembered
def _uses(edit: Edit) -> dict[str, list[int]]:
    """From each word to the removed lines that hold it."""
    found: dict[str, list[int]] = {}
    for line in edit.removed:
        for word in words(line.text):
            found.setdefault(word, []).append(line.number)
    return found


def _key(branch: Branch) -> tuple[_Sense, str]:
    return branch.condition.polarity, branch.body


def _levels(branch: Branch) -> dict[_Sense, int]:
    """From the condition, and from its opposite, to how firmly each refuses: 2 beyond doubt, 1 perhaps, 0 not."""
    held = frozenset(branch.condition.atoms)
    turned = frozenset(Atom(atom.text, not atom.positive, _TURNED[atom.joined]) for atom in held)
    return {held: _firmness(branch.body), turned: _firmness(branch.otherwise)}


def _firmness(done: str) -> int:
    return 2 if vocabulary.turns_away(done) else int(vocabulary.refusal(done) != "")


def _is_kept(branch: Branch, kept: dict[frozenset[_Sense], list[dict[_Sense, int]]]) -> bool:
    """Whether a new condition asks the same and refuses as firmly, perhaps turned round. Each counts once."""
    levels = _levels(branch)
    candidates = kept.get(frozenset(levels), [])
    for index, other in enumerate(candidates[:MAX_COMPARED]):
        if all(other[sense] >= firmness for sense, firmness in levels.items()):
            del candidates[index]
            return True
    return False


_TURNED = {"and": "or", "or": "and", "": ""}


def _judge(edit: Edit, branch: Branch, fresh: list[Branch], names: tuple[str, str]) -> Lost | None:
    refusal = vocabulary.refusal(branch.body) or vocabulary.refusal(branch.otherwise)
    result = Lost(branch, refusal, vocabulary.is_strong(refusal), _successor(branch, fresh))
    if _moved(edit.change, branch) or (result.now is not None and _renamed(edit, branch, result.now, names)):
        return None
    return result


def _successor(branch: Branch, fresh: list[Branch]) -> Branch | None:
    """The new condition most like the lost one: shared questions, then the same outcome, then shared names."""
    scored = [(_likeness(branch, other), -abs(other.line - branch.line), index) for index, other in enumerate(fresh)]
    best = max(scored, default=(0, 0, 0))
    return fresh[best[2]] if best[0] > 0 else None


def _likeness(branch: Branch, other: Branch) -> int:
    shared = len(branch.condition.questions & other.condition.questions)
    names = vocabulary.names(branch.condition.text) & vocabulary.names(other.condition.text)
    same_end = branch.body != "" and branch.body == other.body
    return (
        10 * shared
        + (5 if same_end and names else 0)
        + (1 if len(names) * 2 >= len(vocabulary.names(branch.condition.text)) and names else 0)
    )


def _moved(change: Change, branch: Branch) -> bool:
    """A function of this change newly asks the same, refuses as this one did, and something calls it."""
    refuses = {_refuses(branch), True}
    moved = (function for each in refuses for function in _gained(change).get((branch.condition.questions, each), ()))
    return any(_is_called(change, function) for function in moved)


def _refuses(branch: Branch) -> bool:
    return vocabulary.refusal(branch.body) != "" or vocabulary.refusal(branch.otherwise) != ""


@remembered
def _gained(change: Change) -> dict[tuple[frozenset[str], bool], tuple[str, ...]]:
    """From what is newly asked anywhere in the change, and whether it refuses, to the functions that ask it."""
    found: dict[tuple[frozenset[str], bool], list[str]] = {}
    for edit in change.edits:
        if edit.is_code and edit.new.facts is not None and edit.changed.added:
            before = Counter(_asked(edit, edit.old.facts))
            for function, questions, refuses in Counter(_asked(edit, edit.new.facts)) - before:
                found.setdefault((questions, refuses), []).append(function)
    return {key: tuple(functions) for key, functions in found.items()}


def _asked(edit: Edit, facts: Facts | None) -> Iterator[tuple[str, frozenset[str], bool]]:
    for function in differing(edit) if facts is not None else ():
        for branch in facts.branches(function) if facts is not None else ():
            if branch.body:
                yield function, branch.condition.questions, _refuses(branch)


def _is_called(change: Change, function: str) -> bool:
    """Whether code that the change touched calls it, or it was there before."""
    name = function.rsplit(".", 1)[-1]
    return (name != "" and name in _old_names(change)) or name in _called(change)


@remembered
def _called(change: Change) -> frozenset[str]:
    edits = [edit for edit in change.edits if edit.is_code and edit.new.facts is not None]
    return frozenset(call.name for edit in edits for call in calls_of(edit.new.facts, touched(edit)))


@remembered
def _old_names(change: Change) -> frozenset[str]:
    facts = [edit.old.facts for edit in change.edits if edit.is_code]
    return frozenset(span.name.rsplit(".", 1)[-1] for each in facts if each is not None for span in each.spans)


@remembered
def texts(change: Change) -> frozenset[bytes]:
    """The lines that production files of this change won, without the signs around them."""
    edits = (edit for edit in change.edits if edit.is_code)
    return frozenset(line.text.strip(b"();{}, ") for edit in edits for line in edit.changed.added)


@remembered
def called_more(change: Change) -> frozenset[str]:
    """The arguments of calls that the change's code has more often than before."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for edit in change.edits:
        if edit.is_code:
            before.update(word for call in calls_of(edit.old.facts, differing(edit)) for word in call.arguments)
            after.update(word for call in calls_of(edit.new.facts, differing(edit)) for word in call.arguments)
    return frozenset(word for word, count in after.items() if count > before[word])


def calls_of(facts: Facts | None, functions: tuple[str, ...]) -> Iterator[Call]:
    """The calls of some functions of one side."""
    for function in functions if facts is not None else ():
        yield from facts.calls(function) if facts is not None else ()


def _renamed(edit: Edit, branch: Branch, now: Branch, names: tuple[str, str]) -> bool:
    """Only names differ, and each old one is gone from the function while each new one was unknown to it."""
    before, after = vocabulary.tokens(branch.condition.text), vocabulary.tokens(now.condition.text)
    if len(before) != len(after) or branch.condition.atoms == now.condition.atoms:
        return False
    mapping = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    old_text, new_text = words_of(edit, names[0], old=True), words_of(edit, names[1], old=False)
    return bool(mapping) and all(
        old not in new_text
        and new not in old_text
        and vocabulary.is_name(old)
        and vocabulary.is_name(new)
        and (f"{old}(" not in "".join(before) or new in _new_names(edit.change))
        for old, new in mapping
    )


@remembered
def _new_names(change: Change) -> frozenset[str]:
    """The functions that the change's code has now and had not: what is called by another name may be one of them."""
    facts = [edit.new.facts for edit in change.edits if edit.is_code]
    now = {span.name.rsplit(".", 1)[-1] for each in facts if each is not None for span in each.spans}
    return frozenset(now) - _old_names(change)
