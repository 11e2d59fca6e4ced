"""What every signed statement needs besides its content: an instant that orders it, and the authors as they were seen."""

from typing import TYPE_CHECKING

from rules import instants
from rules.judgement import Judgement
from rules.statement import Seen
from streams.sources import statements

if TYPE_CHECKING:
    from streams.desk import Desk


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
