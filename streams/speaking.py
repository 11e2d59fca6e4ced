"""What every signed statement needs besides its content: an instant that orders it, the authors as they were seen, a target that is up to date."""

from typing import TYPE_CHECKING

from rules import instants
from rules.judgement import Judgement
from rules.statement import Seen
from streams.sources import statements
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, ORIGIN, REMOTES

if TYPE_CHECKING:
    from streams.desk import Desk
    from streams.sources.change import Range
    from streams.sources.git import Repository


class Outdated(SourceError):
    """The target here was not pulled for long: what landed since would be a part of the content, which no gate would find."""

    def __init__(self, target: str, newer: str) -> None:
        short = target.removeprefix(HEADS)
        super().__init__(
            f"{short} here is behind {newer}, which holds some of these commits already: this would be about more than lands.",
            remedy=f"Pull {short} first, or add --target {newer}.",
        )


def after(name: str, desk: "Desk") -> str:
    """Now, or a second after this signer's last statement: a signer's time orders what they say (law 18).

    Only what lies within a minute counts: a forged date moves nobody's clock.
    """
    now = desk.now()
    soon = instants.later(now, 60)
    stored = statements.listing(desk.repo).rows
    rows = (*stored, *desk.memory(write=False).vanished(stored))
    own = [row.statement.time for row in rows if row.statement and row.statement.by == name]
    return max([now, *(instants.later(time, 1) for time in own if now <= time <= soon)])


def seen_authors(judgement: Judgement) -> tuple[Seen, ...]:
    """The authors as a review shows them to the approver (law 12)."""
    leading = judgement.leading
    authors = leading.made.authors if leading else ()
    return tuple(
        Seen(author.kind, author.principal or author.name, author.tool, author.model, author.session, author.operator)
        for author in authors
    )


def behind(repo: "Repository", found: "Range") -> str:
    """The branch of `origin` that is ahead of the target here and holds a part of the range already; "" where none does."""
    name = ORIGIN + found.target.removeprefix(HEADS)
    newer = repo.first_ref(name)
    if newer is None or newer.id == found.target_tip or not repo.is_ancestor(found.target_tip, newer.id):
        return ""
    bases = repo.merge_bases(newer.id, found.head)
    return name.removeprefix(REMOTES) if bases and not {found.base, found.head} & {*bases} else ""
