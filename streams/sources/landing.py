"""The step that a protected ref takes, from its old tip's tree to its new one's (law 1, 4, 5)."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.sources.change import Range, head_ref, local_name, meets_edge, naming, target_ref
from streams.sources.commits import listing
from streams.sources.git import HEADS, ORIGIN, Repository, ancestry
from streams.sources.refs import MOST_STEPS, Move

__all__ = ["MOST_STEPS", "Ground", "Move"]

MOST_DROPPED = 1_000  # commits of a rewind that are listed


class Ground(NamedTuple):
    """What a move is seen against: the default branch's tip ("" in an empty repository), other protected tips,
    and where a ref that is made again stood before it was deleted."""

    default_tip: str = ""
    admitted: tuple[str, ...] = ()
    stood: str = ""


def step(repo: Repository, move: Move, ground: Ground) -> Range:
    """What has to be judged before this move; ids are full, and a deletion leads to the empty tree."""
    if move.old == repo.null_id:
        return _created(repo, move, ground)
    head = repo.empty_tree if move.new == repo.null_id else move.new
    admitted = tuple(tip for tip in ground.admitted if tip != move.old)
    found = Range(move.ref, move.old, move.old, head, "", admitted=admitted)
    if head != repo.empty_tree and repo.is_ancestor(move.old, head):
        return _whole(repo, found)
    return _whole(repo, found._replace(rewritten=True, dropped=_dropped(repo, move.old, head)))


def begin(repo: Repository, move: Move) -> None:
    """Let git begin with what `step` and the reading of an ordinary update will ask; other moves are read without."""
    if repo.null_id not in (move.old, move.new) and move.old != move.new:
        for command in (
            naming(move.old, move.new),
            ancestry(move.old, move.new),
            listing(move.new, (move.old, move.old)),
        ):
            repo.begin(*command)


def rewrite_range(repo: Repository, *, head: str | None, target: str | None) -> Range:
    """What moving the target to the head would do, whatever it drops; the empty tree as head deletes it.

    Where a remote has the target, it is the remote's that would move. Errors: UnknownRevision, NoTarget.
    """
    onto = target_ref(repo, target)
    onto = repo.first_ref(ORIGIN + local_name(onto.name).removeprefix(HEADS)) or onto
    gone = head is not None and len(head) > 6 and repo.empty_tree.startswith(head.lower())
    new = repo.null_id if gone else head_ref(repo, "HEAD" if head is None else head).id
    return step(repo, Move(local_name(onto.name), onto.id, new), Ground())


def _created(repo: Repository, move: Move, ground: Ground) -> Range:
    """A new ref is judged from where it leaves the default branch; one that stood before was rewritten (law 4)."""
    onto = ground.default_tip or repo.empty_tree
    bases = repo.merge_bases(onto, move.new) if ground.default_tip else ()
    base = bases[0] if bases else repo.empty_tree
    doubts = (f"there are {len(bases)} merge bases: {', '.join(bases)}",) if len(bases) > 1 else ()
    found = Range(move.ref, onto, base, move.new, "", admitted=ground.admitted, incomplete=doubts)
    if not ground.stood:
        return _whole(repo, found)
    return _whole(repo, found._replace(rewritten=True, dropped=_dropped(repo, ground.stood, move.new)))


def _whole(repo: Repository, found: Range) -> Range:
    """The range with what a shallow clone hides of it."""
    if found.head == repo.empty_tree or not meets_edge(repo, found):
        return found
    cut = "the history between base and head is cut off by a shallow clone"
    return found._replace(incomplete=(*found.incomplete, cut))


def _dropped(repo: Repository, old: str, head: str) -> tuple[str, ...]:
    """The commits that the ref loses, newest first; none where they are gone already."""
    without = [] if head == repo.empty_tree else ["--not", head]
    done = repo.run("rev-list", f"--max-count={MOST_DROPPED}", old, *without, "--", ok=(0, 128))
    return tuple(done.out.decode("ascii").split())


def steps(repo: Repository, found: Range) -> Sequence[Range]:
    """The first-parent steps of a fast-forward, oldest first, each as it would be judged alone (law 5); none where there
    is only one, or more than MOST_STEPS."""
    if found.rewritten or found.base == repo.empty_tree:
        return ()
    asked = (
        "--first-parent",
        "--reverse",
        "--parents",
        f"--max-count={MOST_STEPS + 1}",
        found.head,
        "--not",
        found.base,
    )
    rows = [line.split() for line in repo.run("rev-list", *asked, "--").out.decode("ascii").splitlines()]
    if not 1 < len(rows) <= MOST_STEPS or rows[0][1:2] != [found.base]:
        return ()
    return [found._replace(base=row[1], target_tip=row[1], head=row[0]) for row in rows]
