"""`twohand escalation list|show|ack`: what people are asked, who has heard it, and how it ended."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from rules import escalation as law
from rules import instants, messages
from rules.questions import BREAK_GLASS
from streams.commands import options
from streams.commands.options import HERE, Listed, Paged
from streams.sinks.render.safe import shown
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from rules.escalation import Escalation
    from streams.engines.journal import Journal
    from streams.letters import Row

Id = Annotated[str, typer.Argument(metavar="ID", help="The escalation, or how its id begins.", show_default=False)]
OptionalId = Annotated[
    str, typer.Argument(metavar="[ID]", help="The escalation, or how its id begins.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Also what is over.")]
As = Annotated[str, typer.Option("--as", metavar="NAME", help="Your enrolled name.", show_default=False)]
KeyFile = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Your SSH key.", show_default=False)]
LinkText = Annotated[
    str,
    typer.Option("--link", metavar="LINK", help="The link of a message, instead of name and key.", show_default=False),
]


class NothingAsked(SourceError):
    """Nobody was ever asked here, or what was given says too little."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What people are asked, and who has heard it.", no_args_is_help=True)
    group.command(name="list")(list_)
    group.command(name="show")(show)
    group.command(name="ack")(ack)
    app.add_typer(group, name="escalation")


def list_(
    *, everything: All = False, where: options.Where = HERE, fmt: options.AsList = Listed.TEXT,
) -> int:  # fmt: skip
    """List what waits for people, the longest first."""
    with _journal(where) as journal:
        pending = _pending(journal)
        rows = [_row(one, pending) for one in _known(journal, pending) if everything or not one.how]
    if fmt is Listed.JSON:
        print(json.dumps({"schema": "twohand.escalations/v1", "escalations": rows}, indent=2))
    elif fmt is Listed.JSONL:
        print("".join(f"{json.dumps(row)}\n" for row in rows), end="")
    else:
        print("\n".join(line for row in rows for line in _lines(row)) or "Nobody is asked anything.")
    return 0


def show(name: Id, *, where: options.Where = HERE, fmt: options.AsPage = Paged.TEXT) -> int:
    """Show one escalation: who was asked, when, and who is next."""
    from streams import answers  # noqa: PLC0415

    with _journal(where) as journal:
        one = answers.found(journal, name)
        row = _row(one, _pending(journal)) | {
            "steps": list(_steps(journal, one)),
            "letters": list(_letters(journal, one)),
        }
    print(json.dumps(row, indent=2) if fmt is Paged.JSON else "\n".join(_page(row)))
    return 0


def ack(
    name: OptionalId = "", *, who: As = "", key: KeyFile = None, link: LinkText = "", where: options.Where = HERE
) -> int:
    """Say that you have heard it: paging stops for a while. It approves nothing.

    By a statement signed with your enrolled key, or by the link of a message, which works once.
    """
    from streams import answers, clock  # noqa: PLC0415
    from streams.sources import signatures  # noqa: PLC0415

    path = _path(where)
    if marks := messages.environment_claims(os.environ):
        raise NothingAsked(
            f"Only people acknowledge, and this shell belongs to an agent ({marks[0].tool}).",
            remedy="Do it in a terminal of your own, or with the link of the message.",
        )
    if link:
        secret = answers.secret_at(path.parent)
        offer = answers.Answers(path, secret).use(link.rstrip("/").rpartition("/")[2])
        print(f"{offer.by} acknowledged {offer.escalation[:12]}; it approves nothing")
        return 0
    if not (name and who and key):
        raise NothingAsked(
            "An acknowledgement needs to say of what, by whom, and with which key.",
            remedy="twohand escalation ack ID --as NAME --key FILE, or --link LINK.",
        )
    from streams.engines.journal import Journal  # noqa: PLC0415

    with Journal(path) as journal:
        one = answers.found(journal, name)
        answers.signed(journal, one, who, signatures.key_from_file(key), clock.now())
    print(f"{who} acknowledged {one.name[:12]}; it approves nothing")
    return 0


def _path(where: Path) -> Path:
    from streams.sources.git import Repository  # noqa: PLC0415

    path = Repository.open(where).common_dir / "twohand" / "journal.db"
    if not path.is_file():
        raise NothingAsked(f"There is no journal at {path}.", remedy="`twohand review` records the first decision.")
    return path


def _journal(where: Path) -> "Journal":
    from streams.engines.journal import Journal  # noqa: PLC0415

    return Journal(_path(where), writable=False)


class _Pending(NamedTuple):
    """What the timers keep of an open escalation: when the next page is due, and what it says."""

    one: "Escalation"
    due: int
    what: str
    pause: int  # seconds of quiet after an acknowledgement

    def next(self, one: "Escalation") -> int:
        """When `one` is told again, also where the service did not see yet that it was acknowledged."""
        if one.acknowledged is None or self.one.acknowledged == one.acknowledged:
            return self.due
        return one.acknowledged + self.pause


def _pending(journal: "Journal") -> dict[str, _Pending]:
    from streams import letters  # noqa: PLC0415
    from streams.sinks.alerts.message import from_text  # noqa: PLC0415

    rows = journal.ask("select due, body from timer where name < '~'")
    read = ((due, letters.row_of(body)) for due, body in rows)
    return {row.one.name: _Pending(row.one, due, from_text(row.first).what, _pause(row, journal)) for due, row in read}


def _pause(row: "Row", journal: "Journal") -> int:
    from streams import letters  # noqa: PLC0415

    laws = journal.ask("select body from law where digest = ?", (row.law,))[0][0]
    return letters.policy_in(laws, row.place).escalation.acknowledged_for


def _known(journal: "Journal", pending: dict[str, _Pending]) -> list["Escalation"]:
    """Those that were opened, and those that are about to be."""
    from streams import answers  # noqa: PLC0415

    known = answers.escalations(journal)
    later = [found.one for name, found in pending.items() if name not in known]
    return sorted([*known.values(), *later], key=lambda one: one.opened)


def _row(one: "Escalation", pending: dict[str, _Pending]) -> dict[str, Any]:
    found = pending.get(one.name)
    return {
        "escalation": one.name, "change": one.change, "what": found.what if found else None,
        "state": one.state if one.told or one.how else "waiting", "since": instants.text_of(one.opened),
        "asked": sorted(one.asked), "reasons": list(one.reasons), "acknowledged_by": one.by or None,
        "how": one.how or None, "lapses": one.lapse, "debt": one.reasons[:1] == (BREAK_GLASS,) and not one.how,
        "next": instants.text_of(found.next(one)) if found else None,
    }  # fmt: skip


def _steps(journal: "Journal", one: "Escalation") -> Iterator[dict[str, Any]]:
    from rules.events import EscalationAcknowledged, EscalationOpened, EscalationResolved  # noqa: PLC0415

    for event in journal.events(one.change):
        if getattr(event, "escalation", "") != one.name:
            continue
        if isinstance(event, EscalationOpened):
            told = f"step {event.level + 1}, round {event.round + 1}"
            yield {"at": event.at, "what": "asked", "who": list(event.asked), "detail": told}
        elif isinstance(event, EscalationAcknowledged):
            yield {"at": event.at, "what": "acknowledged", "who": [event.by], "detail": event.through}
        elif isinstance(event, EscalationResolved):
            yield {"at": event.at, "what": "resolved", "who": [], "detail": event.how}


def _letters(journal: "Journal", one: "Escalation") -> Iterator[dict[str, Any]]:
    asked = (
        "select route, state, attempts, reason, message ->> '$.kind', message ->> '$.at' from outbox"
        " where dedup = ? or dedup in (select dedup from told where escalation = ?) order by number"
    )
    rows = journal.ask(asked, (one.name, one.name))
    for route, state, attempts, reason, kind, at in rows:
        yield {
            "at": at, "kind": kind, "route": route, "state": state, "attempts": attempts, "reason": reason or None
        }  # fmt: skip


def _lines(row: dict[str, Any]) -> Iterator[str]:
    state = {law.ACKNOWLEDGED: f"acknowledged by {shown(row['acknowledged_by'])}", law.RESOLVED: row["how"]}
    then = f", next page {row['next']}" if row["next"] else ""
    yield f"{row['escalation'][:12]}  {state.get(row['state'], row['state'])}, since {row['since']}{then}"
    if row["what"]:
        yield f"  {shown(row['what'])}"
    why = ", ".join(map(shown, row["reasons"][:3]))
    yield f"  asks {', '.join(map(shown, row['asked'])) or 'nobody yet'} ({why})"
    if row["debt"]:
        yield "  debt: let in by break-glass, and nobody has reviewed it"


def _page(row: dict[str, Any]) -> Iterator[str]:
    yield from _lines(row)
    yield f"change {row['change']}"
    for step in row["steps"]:
        who = ", ".join(map(shown, step["who"]))
        yield f"  {step['at']}  {step['what']}{f' {who}' if who else ''} ({shown(step['detail'])})"
    for letter in row["letters"]:
        why = f": {shown(letter['reason'])}" if letter["reason"] else ""
        tries = "1 try" if letter["attempts"] == 1 else f"{letter['attempts']} tries"
        yield f"  {letter['at']}  message ({letter['kind']}) through {shown(letter['route'])}: {letter['state']}, {tries}{why}"
