"""What each address shows: handlers that only read. The work is done in a thread, the answer is one text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from rules.events import ChangeProposed
from streams.sources.errors import SourceError
from streams.web import diffs, health, letters, lists, rulepages, view
from streams.web.dossier import dossier
from streams.web.sessions import COOKIE, Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rules.change import FileChange
    from streams.engines.journal import Journal
    from streams.web.ledger import Entry, Standing
    from streams.web.place import Place

    Values = dict[str, Any]
    Work = Callable[["Asked"], tuple[str, Values]]

OPENED: Final = 5  # files whose diff stands in the page of a change; the others come when they are opened
MOST_FILES: Final = 200
SHORTEST: Final = 8  # characters of the beginning of a change's id


class Asked(NamedTuple):
    """One request, as the work in a thread sees it."""

    place: Place
    sessions: Sessions
    session: Session | None
    parts: Mapping[str, str]
    query: Mapping[str, str]

    def number(self, name: str) -> int:
        text = self.query.get(name, "")[:9]
        return int(text) if text.isascii() and text.isdigit() else 1


class NotThere(Exception):
    """There is no such page; the text says what there is not."""


def handler(place: Place, sessions: Sessions, work: Work) -> Callable[[web.Request], Any]:
    """A handler that does the work in a thread and answers with its page."""

    async def answer(request: web.Request) -> web.Response:
        asked = of_request(place, sessions, request)
        return await asyncio.to_thread(page, asked, work)

    return answer


def of_request(place: Place, sessions: Sessions, request: web.Request) -> Asked:
    session = sessions.find(request.cookies.get(COOKIE, ""))
    return Asked(place, sessions, session, dict(request.match_info), dict(request.query))


def page(asked: Asked, work: Work) -> web.Response:
    """The page of a work, or one that says what is wrong and what to do."""
    try:
        name, values = work(asked)
    except NotThere as error:
        return problem(asked, 404, str(error), "The list of changes has what there is.")
    except SourceError as error:
        return problem(asked, 503, error.message, error.remedy)
    return html(asked, name, values)


def html(asked: Asked, name: str, values: Values, status: int = 200) -> web.Response:
    base = {"session": asked.session, "can_sign_in": asked.sessions.possible}
    text = view.render(name, asked.place.now(), base | values)
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)


def problem(asked: Asked, status: int, message: str, remedy: str) -> web.Response:
    return html(asked, "problem.html", {"tab": "", "status": status, "message": message, "remedy": remedy}, status)


# -- changes ---------------------------------------------------------------------------------------------------------


def queue(asked: Asked) -> tuple[str, Values]:
    """What waits for whom, and since when."""
    wanted = lists.Wanted(
        asked.query.get("show", "") if asked.query.get("show", "") in lists.SHOWN else "waiting",
        asked.query.get("who", "")[: lists.LONGEST],
        asked.query.get("text", "")[: lists.LONGEST].strip(),
    )
    with asked.place.journal() as journal:
        standing = asked.place.standing(journal)
    found = lists.page(lists.changes(standing, wanted), asked.number("page"))
    return "queue.html", {
        "tab": "queue", "wanted": wanted, "found": found, "counts": lists.counts(standing), "modes": lists.SHOWN,
        "people": lists.waited_for(standing), "offset": standing.offset, "address": _address(wanted),
    }  # fmt: skip


def _address(wanted: lists.Wanted) -> Callable[..., str]:
    """The address of the same list with something else in it."""

    def made(**changed: object) -> str:
        parts = wanted._asdict() | changed
        kept = {
            name: str(value)
            for name, value in parts.items()
            if value and (name, value) not in (("show", "waiting"), ("page", 1))
        }
        return f"/?{urlencode(kept, errors='replace')}" if kept else "/"

    return made


def change(asked: Asked) -> tuple[str, Values]:
    """One change, whole."""
    with asked.place.journal() as journal:
        standing = asked.place.standing(journal)
        entry = _entry(asked, standing)
        found = dossier(asked.place, journal, entry, standing.escalations.values()) if journal else None
        if journal is None or found is None:
            raise NotThere("This change was never proposed here; only something about it is recorded.")
        listed = found.files[:MOST_FILES]
        opened = [one.at for one in listed[:OPENED] if one.findings or len(listed) == 1]
        files = {at: _diff(asked, journal, found.proposed.files[at], found.findings) for at in opened}
    told = {diff.path for diff in files.values()}
    return "change.html", {
        "tab": "queue", "it": found, "diffs": files, "listed": listed, "left_out": len(found.files) - len(listed),
        "elsewhere": [row for row in found.findings if row["path"] not in told],
        "successor": standing.entries.get(entry.successor), "due": found.due, "can_answer": asked.place.answers is not None,
    }  # fmt: skip


def file(asked: Asked) -> tuple[str, Values]:
    """The diff of one file of the newest proposal, as a page; the page of the change takes the part that it needs."""
    with asked.place.journal() as journal:
        entry = _entry(asked, asked.place.standing(journal))
        events = list(journal.events(entry.change)) if journal else []
        proposed = next((event for event in reversed(events) if isinstance(event, ChangeProposed)), None)
        at = int(asked.parts["at"])
        if journal is None or proposed is None or at >= len(proposed.files):
            raise NotThere("This change has no such file.")
        if not proposed.content_key.startswith(asked.query.get("content", "")):
            found = diffs.FileDiff("", why="the change has moved on since; open its page again")
        else:
            found = _diff(asked, journal, proposed.files[at], diffs.findings_of(events, proposed.content_key))
    return "file.html", {"tab": "queue", "entry": entry, "diff": found}


def _diff(asked: Asked, journal: Journal, one: FileChange, findings: Iterable[diffs.Row]) -> diffs.FileDiff:
    return diffs.of_file(asked.place.repo, journal, one, [row for row in findings if row["path"] == one.path])


def _entry(asked: Asked, standing: Standing) -> Entry:
    name = asked.parts["change"]
    if entry := standing.entries.get(name):
        return entry
    near = [key for key in standing.entries if key.startswith(name)] if len(name) >= SHORTEST else []
    if len(near) == 1:
        return standing.entries[near[0]]
    raise NotThere("No recorded change has this id.")


# -- people, rules, health -------------------------------------------------------------------------------------------


def escalations(asked: Asked) -> tuple[str, Values]:
    """Whom we asked, who answered."""
    with asked.place.journal() as journal:
        standing = asked.place.standing(journal)
        rows = lists.escalations(standing)
        found = lists.page(rows, asked.number("page"))
        due = letters.due(journal, [one.name for one in found.rows]) if journal else {}
    open_ones = sum(one.state == "open" for one in rows)
    return "escalations.html", {
        "tab": "escalations", "found": found, "open": open_ones, "entries": standing.entries, "offset": standing.offset,
        "due": due, "can_answer": asked.place.answers is not None,
    }  # fmt: skip


def rules(asked: Asked) -> tuple[str, Values]:
    """Every rule that looks at changes."""
    return "rules.html", {"tab": "rules", **rulepages.table(asked.place)}


def rule(asked: Asked) -> tuple[str, Values]:
    """What a rule, a reason code or a stamp means."""
    found = rulepages.meaning(asked.place, asked.parts["name"])
    if found is None:
        raise NotThere("No rule, reason or stamp is called so.")
    return "rule.html", {"tab": "rules", "it": found}


def state(asked: Asked) -> tuple[str, Values]:
    """Whether the service can do its work."""
    return "health.html", {"tab": "health", "checks": health.checks(asked.place)}


def sign_in(asked: Asked) -> tuple[str, Values]:
    """The form to sign in."""
    return "sign_in.html", {
        "tab": "",
        "people": asked.place.people(),
        "wrong": "",
        "next": safe_next(asked.query.get("next", "")),
    }


def safe_next(address: str) -> str:
    """Where to go afterwards: only to a page of ours."""
    plain = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address[:300] if plain else "/"
