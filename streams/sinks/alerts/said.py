"""The parts of a message in plain lines: every route that shows text shows these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.sinks.alerts.message import ACKNOWLEDGED, CLOSING, DIGEST, OPEN, REMIND, RESOLVED, TEST, Gone, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TITLES: Final = {
    OPEN: "Your answer is needed",
    REMIND: "Still waiting for an answer",
    ACKNOWLEDGED: "Acknowledged",
    RESOLVED: "Resolved",
    DIGEST: "More is waiting",
    TEST: "Test",
}


def lines(message: Message) -> Iterator[str]:
    """The whole message as text, most important first; one sort of thing under each heading."""
    yield f"{TITLES[message.kind]}: {message.what}"
    if message.kind in CLOSING:
        yield from _link(message)
        return
    if message.asked:
        yield f"asked: {message.names()}"
    yield from _listed("why", message.why)
    yield from _listed("paths", message.paths)
    yield from _listed("what is gone or came instead", map(quoted, message.gone))
    if message.command:
        yield from ("", "what to do (after reading it)", f"  {message.command}")
    yield from _link(message)


def quoted(gone: Gone) -> str:
    """`- path:3  the line` for what was removed."""
    return f"{'-' if gone.side == 'old' else '+'} {gone.path}{f':{gone.line}' if gone.line else ''}  {gone.quote}"


def link(message: Message) -> str:
    """The link, where a browser may follow it."""
    return message.link if message.link.startswith(("https://", "http://")) and message.link.isprintable() else ""


def fitted(rows: Iterable[str], most: int) -> str:
    """As many rows as fit into so many characters; the others are counted."""
    kept: list[str] = []
    left = most - 24  # for the count
    for number, row in enumerate(listed := list(rows)):
        left -= len(row) + 1
        if left < 0:
            kept.append(f"... and {len(listed) - number} more")
            break
        kept.append(row)
    return "\n".join(kept)


def _listed(title: str, rows: Iterable[str]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield from ("", title, *(f"  {row}" for row in found))


def _link(message: Message) -> Iterator[str]:
    if found := link(message):
        yield from ("", found)
