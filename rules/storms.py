"""Storm control: one page for each person and session of authors, and what follows soon after it in one digest.

Nothing is lost: what is held is told when the quiet is over, unless its question has ended or been heard by then.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from rules.canonical import digest

QUIET: Final = 600  # seconds after a page in which further ones of the same storm are held


class Page(NamedTuple):
    """One step of one escalation to the people behind one word of it; `session` is whose work it is about."""

    name: str  # escalation.page_of
    escalation: str
    target: str
    people: tuple[str, ...]
    session: str


class Quiet(NamedTuple):
    """Until when a storm is quiet, and which escalation began it: its own next page is no storm."""

    until: int
    by: str


class Part(NamedTuple):
    """A page, or the part of it that goes to some of its people. `storm` is what it is held with; empty: it goes at once."""

    page: Page
    people: tuple[str, ...]
    storm: str = ""

    @property
    def name(self) -> str:
        return digest([self.page.name, list(self.people)])


def storm_of(page: Page, person: str) -> str:
    """The id of what one person hears about one session through one target. Without a session, each change is its own."""
    return digest(["storm", page.target, person, page.session or page.escalation])


def parted(page: Page, quiet: Mapping[str, Quiet], now: int) -> tuple[Part, ...]:
    """Who is told at once, and for whom it is held: those who were paged about the same session a moment ago."""
    held = {
        person: storm for person in page.people or ("",) if _is_quiet(storm := storm_of(page, person), page, quiet, now)
    }
    told = tuple(person for person in page.people or ("",) if person not in held)
    first = (Part(page, tuple(filter(None, told))),) if told else ()
    return (*first, *(Part(page, tuple(filter(None, (person,))), storm) for person, storm in held.items()))


def _is_quiet(storm: str, page: Page, quiet: Mapping[str, Quiet], now: int) -> bool:
    """A quiet that lies further ahead than any lasts was written by a clock that went back since, and holds nothing."""
    found = quiet.get(storm)
    return found is not None and found.by != page.escalation and now < found.until <= now + QUIET


def silenced(part: Part, now: int) -> dict[str, Quiet]:
    """The storms that a page which goes out now begins."""
    begun = Quiet(now + QUIET, part.page.escalation)
    return {storm_of(part.page, person): begun for person in part.people or ("",)}


_Held = TypeVar("_Held")


def gathered(held: Iterable[_Held], problem: Callable[[_Held], str]) -> Iterator[tuple[str, Sequence[_Held]]]:
    """What is held of one storm as what is told: the newest page of each problem, in the order of their coming."""
    newest: dict[str, _Held] = {}
    for one in held:
        newest[problem(one)] = one
    if newest:
        yield digest(["digest", sorted(newest)]), list(newest.values())
