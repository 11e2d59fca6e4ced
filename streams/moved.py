"""Protected refs that moved without an admitted decision: with the hook off, by an administrator, out of a backup."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from rules.events import ChangeProposed
from rules.judgement import read_laws
from rules.protection import Protection, protection
from streams.desk import Desk
from streams.sources.git import HEADS

MOST_COMMITS = 1_000
MOST_DECISIONS = 10_000  # that are followed backwards


class Incident(NamedTuple):
    """A ref that is not where the gate left it. Ids are full; all zeros: not there. `commits` came in, `lost` went, newest first."""

    ref: str
    left: str
    found: str
    commits: tuple[str, ...]
    lost: tuple[str, ...]


def guards(desk: Desk) -> Protection:
    """What the default branch's policy and the floor protect now."""
    default = desk.default_branch or ""
    tip = desk.repo.first_ref(default) if default else None
    standing = desk.standing(default or "HEAD", tip.id if tip else desk.repo.empty_tree)
    return protection(default, [law.policy for law in read_laws(standing.branches.texts)])


def remember(desk: Desk, ref: str, name: str) -> None:
    """Where the gate leaves a protected ref."""
    desk.journal.remember_tip(ref, name, desk.now())


def baseline(desk: Desk) -> list[str]:
    """The protected refs as the gate finds them when it is installed; what came before is nobody's incident."""
    covered = guards(desk)
    refs = [(os.fsdecode(name), tip) for name, tip in desk.repo.refs(HEADS.rstrip("/"))]
    found = [(name, tip) for name, tip in refs if covered.covers(name)]
    for name, tip in found:
        remember(desk, name, tip)
    return [name for name, _ in found]


def incidents(desk: Desk) -> list[Incident]:
    """Every protected ref that stands where no admitted decision brought it; nothing where no gate was installed."""
    left = desk.journal.tips()
    if not left:
        return []
    here = {os.fsdecode(name): tip for name, tip in desk.repo.refs(HEADS.rstrip("/"))}
    covered = guards(desk)
    names = sorted({*left, *filter(covered.covers, here)})
    return list(_moved(desk, names, here, {ref: name for ref, (name, _) in left.items()}))


def _moved(desk: Desk, names: list[str], here: dict[str, str], left: dict[str, str]) -> Iterator[Incident]:
    null = desk.repo.null_id
    for ref in names:
        old, new = left.get(ref, null), here.get(ref, null)
        made = ref not in left and bool(desk.journal.admitted(ref, new))
        if old != new and not made and not brought(desk, ref, old, new):
            yield Incident(ref, old, new, _between(desk, new, old), _between(desk, old, new))


def brought(desk: Desk, ref: str, old: str, new: str) -> bool:
    """Whether admitted decisions lead, one after the other, from where the gate left it to where it is."""
    seen: set[str] = set()
    ends = [_tree_of(desk, new)]
    while ends and len(seen) < MOST_DECISIONS:
        head = ends.pop()
        seen.add(head)
        bases = set(_bases(desk, ref, head))
        if _tree_of(desk, old) in bases:
            return True
        ends += sorted(bases - seen)
    return False


def _tree_of(desk: Desk, name: str) -> str:
    """A deleted ref leads to the empty tree."""
    return desk.repo.empty_tree if name == desk.repo.null_id else name


def _bases(desk: Desk, ref: str, head: str) -> Iterator[str]:
    """From where admitted decisions brought this ref to this head."""
    for change, key in desk.journal.admitted(ref, head):
        for event in desk.journal.events(change):
            if isinstance(event, ChangeProposed) and (event.content_key, event.head) == (key, head):
                yield event.base


def _between(desk: Desk, tip: str, without: str) -> tuple[str, ...]:
    null = desk.repo.null_id
    if tip == null:
        return ()
    excluded = [] if without == null else ["--not", without]
    done = desk.repo.run("rev-list", f"--max-count={MOST_COMMITS}", tip, *excluded, "--", ok=(0, 128))
    return tuple(done.out.decode("ascii").split())
