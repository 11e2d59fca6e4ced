"""What a user wants to know about a history, and the pieces of work that it falls into."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.claims import Claim
from rules.events import LawText


class Asked(NamedTuple):
    """One question. `ids` are commit ids as they come (`--stdin`); else the history of `revisions` is read.

    since    seconds since 1970; only commits committed later are listed
    paths    globs; only commits that change one of these are listed
    landed   the first-parent steps of the branch, each with all the commits that it brought in
    cache    remember what the rules saw, and use what they saw before
    rules    run the rules over each diff; without, no diff is read unless `paths` asks for it
    """

    revisions: tuple[str, ...] = ("HEAD",)
    ids: Iterable[str] | None = None
    merges: bool = False
    since: int | None = None
    paths: tuple[str, ...] = ()
    landed: bool = False
    rules: bool = True
    limit: int | None = None
    cache: bool = True


class Voucher(NamedTuple):
    """An approval that covers a commit: by whom ("" where nobody is named), and what says so.

    channel    statement: its signature was verified here; decision: the journal records that it counted; decision-note:
               a note of `refs/notes/twohand` says that
    dependent  the decision is stamped to rest on a hand of its own
    """

    by: str
    claim: str
    channel: str = "statement"
    dependent: bool = False


class Task(NamedTuple):
    """One commit to be read. `members` are the commits that a landed step brought in, itself not among them."""

    id: str
    lander: str = ""
    note: str = ""  # blob of its git-ai note
    traced: tuple[Claim, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    members: tuple["Task", ...] = ()
    seen: str = ""  # JSON fields of its diff, where they are known already


class Answer(NamedTuple):
    """What became of a batch: a JSON line for each row, and what is worth being remembered as (commit, JSON fields)."""

    lines: list[str]
    fresh: list[tuple[str, str]]


class Plan(NamedTuple):
    """What a worker does with each task."""

    rules: bool
    diffs: bool
    landed: bool
    paths: tuple[str, ...]
    edge: frozenset[str]  # commits whose parents a shallow clone cut off
    laws: tuple[LawText, ...]  # whose people and agents are known by name
