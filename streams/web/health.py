"""Whether the service can do its work: each check says what to do where it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rules.report import Invalid
from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.sinks.alerts.dispatch import OVERTAKEN
from streams.sources.errors import SourceError
from streams.web.times import ago

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.engines.journal import Journal
    from streams.web.place import Place

FEW_PEOPLE: Final = 2


def checks(place: Place) -> list[Check]:
    """Every check. Never raises."""
    return [check for work in (_repository, _policy, _journal, _people_asked) for check in _safe(work, place)]


def _safe(work: Callable[[Place], Iterator[Check]], place: Place) -> list[Check]:
    name = work.__name__.strip("_").replace("_", " ")
    try:
        return list(work(place))
    except SourceError as error:
        return [Check(name, FAIL, error.message, error.remedy)]
    except Invalid as error:
        return [Check(name, FAIL, str(error), "twohand policy validate")]


def _repository(place: Place) -> Iterator[Check]:
    branch = place.repo.default_branch()
    if branch and place.repo.exists(branch):
        yield Check(
            "repository", OK, f"{place.repo.git_dir}, default branch {branch} at {place.repo.resolve(branch)[:12]}"
        )
    else:
        yield Check("repository", WARN, f"{place.repo.git_dir} has no default branch yet", "Push a first branch.")


def _policy(place: Place) -> Iterator[Check]:
    found = place.policies()
    people = place.people()
    if not found:
        yield Check("policy", FAIL, "no policy of the default branch can be read", "twohand policy validate")
    elif len(people) < FEW_PEOPLE:
        said = f"{people[0]} is the only person" if people else "nobody"
        yield Check("policy", WARN, f"{said} who is enrolled: nobody else could answer", "twohand init")
    else:
        yield Check("policy", OK, f"{len(found)} read, {len(people)} people enrolled")


def _journal(place: Place) -> Iterator[Check]:
    with place.journal() as journal:
        if journal is None:
            yield Check("journal", WARN, "nothing is recorded yet", "twohand review")
            return
        newest = journal.ask("select at from log order by offset desc limit 1")
        when = f", the newest {ago(newest[0][0], place.now())}" if newest else ""
        yield Check("journal", OK, f"{journal.size()} events{when}; `twohand journal verify` checks every row")
        yield from _letters(journal)


def _letters(journal: Journal) -> Iterator[Check]:
    """What could not be told to anybody."""
    if not journal.ask("select 1 from sqlite_master where name = 'outbox'"):
        return
    rows = dict(journal.ask("select state, count(*) from outbox where reason <> ? group by state", (OVERTAKEN,)))
    lost = rows.get("failed", 0)
    waiting = rows.get("waiting", 0)
    if lost:
        yield Check("messages", FAIL, f"{lost} could not be delivered, {waiting} wait", "twohand alerts test")
    else:
        yield Check("messages", OK, f"{rows.get('sent', 0)} delivered, {waiting} wait")


def _people_asked(place: Place) -> Iterator[Check]:
    routes = sorted(place.settings.alerts)
    if routes:
        yield Check("alert routes", OK, ", ".join(routes))
    else:
        yield Check(
            "alert routes",
            WARN,
            "none: messages only go to the log of the service",
            "Add [alerts.NAME] to the settings; docs/settings.md",
        )
