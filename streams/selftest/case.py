"""One case: a sentence, the way that it takes, and what the gate has to answer."""

from collections.abc import Callable
from typing import Final, NamedTuple

from streams.selftest.arena import Arena, Pushed

ADMITTED: Final = "admitted"
REFUSED: Final = "refused"


class Case(NamedTuple):
    """`given` ends in the push that is judged.

    name: of the case, `group-what`
    title: what is tried, in a sentence
    route: the commands that carry it
    article: of the law
    given: does it; its last push is what counts
    reason: words that the refusal has to hold, so that nothing is refused by accident; "" expects it to be admitted
    settings: what the operator's settings say
    """

    name: str
    title: str
    route: str
    article: str
    given: Callable[[Arena], Pushed]
    reason: str = ""
    settings: str = ""

    @property
    def expected(self) -> str:
        return REFUSED if self.reason else ADMITTED


def problem(case: Case, pushed: Pushed) -> str:
    """Why the answer is another than expected, "" where it is not."""
    if not case.reason:
        if pushed.code:
            return f"an honest push was refused: {pushed.told}"
        return "" if pushed.moved else "nothing moved, though the push was taken"
    if pushed.moved:
        return f"it got through: {', '.join(pushed.moved)} moved"
    if not pushed.code:
        return "git says that it was taken, though nothing moved"
    return "" if case.reason in pushed.told else f"refused, but not because of {case.reason!r}: {pushed.told}"
