"""One commit of an audit, from the dict that the engine yields to what the summary asks of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.audit.areas import sensitive
from streams.audit.spans import month_of

LONGEST = 300  # characters of any text that is kept
PLACES = 3  # findings of one commit that are kept
AGENT = "agent"
UNREADABLE = "binary-or-too-large"  # says that no rule could look inside, and no more
GATE = "gate-edited"  # says that workflows, hooks or instructions changed, not how
WEAKENING = frozenset({"hold", "block"})


class Place(NamedTuple):
    """A finding: the path in git's quoted form; `line` counts from 1, 0 speaks of the whole file."""

    rule: str
    tier: str
    path: str
    line: int
    message: str


class Told(NamedTuple):
    """A commit as the summary shows it. `let_in_by` is who landed it where that is known (`landed`), else its committer."""

    commit: str
    date: str  # 2026-03-01, "" where there is none
    subject: str
    author: str
    kind: str
    review: str
    let_in_by: str
    landed: bool
    added: int | None  # None: its diff was not read
    removed: int | None
    tools: tuple[str, ...]
    places: tuple[Place, ...]
    more_places: int
    areas: tuple[str, ...]  # sensitive paths


class Machines(NamedTuple):
    """The agents of one commit; "" stands for one that nothing names. `grade` is that of the best evidence for any."""

    tools: frozenset[str]
    makers: frozenset[str]
    grade: str
    channels: frozenset[str]
    session: bool


NOBODY = Machines(frozenset(), frozenset(), "", frozenset(), False)


def machines(row: Mapping[str, Any]) -> Machines:
    """What the commit says about agents, all of them together."""
    agents = [author for author in row["authors"] if author["kind"] == AGENT]
    if not agents:
        return NOBODY
    evidence = [item for author in agents for item in author["evidence"]]
    return Machines(
        frozenset(clipped(author["tool"]) for author in agents),
        frozenset(_maker(author) for author in agents),
        min((item["grade"] for item in evidence), default=""),
        frozenset(clipped(item["channel"]) for item in evidence),
        any(author["session"] for author in agents),
    )


def _maker(author: Mapping[str, Any]) -> str:
    maker, family = clipped(author["maker"]), clipped(author["family"])
    return f"{maker} / {family}" if maker and family else maker or family


def clipped(text: object) -> str:
    """Text that may be kept; "" for nothing."""
    return str(text)[:LONGEST] if text else ""


def day(time: object) -> str:
    """The date of an ISO instant; "" where it is none that anybody can mean."""
    text = clipped(time)[:10]
    return text if month_of(text) is not None and text[5:].replace("-", "").isdigit() else ""


def person(value: object) -> str:
    """The name in `Name <address>`: an address is nobody's business on a page."""
    text = clipped(value)
    return text.partition("<")[0].strip() or text.strip("<> ")


def let_in_by(row: Mapping[str, Any]) -> tuple[str, bool]:
    """Who let the commit in, and whether that is known rather than taken from its committer.

    Whoever pressed a forge's merge button is the author of the merge; its committer is the forge.
    """
    landing = row.get("landed_by") or {}
    if landed := person(landing.get("author")) or person(landing.get("committer")):
        return landed, True
    return person(row.get("committer")), False


def weakening(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Findings of weight about what the change does, as opposed to what could not be read."""
    return [one for one in row["findings"] or () if one["tier"] in WEAKENING and one["rule"] != UNREADABLE]


def unreadable(row: Mapping[str, Any]) -> bool:
    """Whether a part of the change is closed to the rules, or was not there to be read."""
    held = any(one["rule"] == UNREADABLE and one["tier"] in WEAKENING for one in row["findings"] or ())
    return held or bool(row.get("uncovered")) or bool(row.get("incomplete"))


def areas(row: Mapping[str, Any]) -> list[str]:
    """The paths of the commit that decide who is let in or where money goes."""
    return [path for path in row.get("paths") or () if sensitive(path)]


def told(row: Mapping[str, Any], found: list[Mapping[str, Any]], *, tools: Iterable[str], touched: list[str]) -> Told:
    """What is kept of a commit: bounded, whatever it holds."""
    who, landed = let_in_by(row)
    found = sorted(found, key=lambda one: str(one["tier"]))  # block before hold
    return Told(
        str(row["commit"])[:64], day(row.get("time")), clipped(row.get("subject")), person(row.get("author")),
        str(row["kind"]), str(row["review"]), who, landed, row.get("added"), row.get("removed"),
        tuple(sorted(tool for tool in tools if tool)), tuple(map(_place, found[:PLACES])), max(0, len(found) - PLACES),
        tuple(path[:LONGEST] for path in touched[:PLACES]),
    )  # fmt: skip


def _place(one: Mapping[str, Any]) -> Place:
    rule, tier, path, message = (clipped(one[name]) for name in ("rule", "tier", "path", "message"))
    return Place(rule, tier, path, one["line"], message)
