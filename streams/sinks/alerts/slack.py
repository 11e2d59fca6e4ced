"""Slack, incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/.

A hook cannot change what it said: an acknowledgement and an end are messages of their own. The address is the secret.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from streams.sinks.alerts import keys, wire
from streams.sinks.alerts.message import CLOSING, Message
from streams.sinks.alerts.route import Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import TITLES, fitted, link, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MOST_SECTION: Final = 2900  # characters, of Slack's 3,000
MOST_HEADER: Final = 150
MOST_BLOCKS: Final = 50
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Slack(Configured):
    """`kind = "slack"`: `url` or `url_env` hold the address of the hook."""

    def send(self, message: Message) -> Answer:
        url = keys.address(self.alert, self.environ)
        if isinstance(url, NotSent):
            return url
        reply = wire.call(wire.Request("POST", url, json.dumps(written(message)).encode()))
        if isinstance(reply, NotSent):
            return reply
        if reply.status == 200 and reply.body.strip() == b"ok":
            return Sent()
        return wire.refused(reply, keys.place(url))


def written(message: Message) -> dict[str, Any]:
    """The body: a text for notifications, and blocks within Slack's limits."""
    title = TITLES[message.kind]
    return {"text": escaped(f"{title}: {message.what}"), "blocks": list(_blocks(title, message))}


def escaped(text: str) -> str:
    """Text of others: nothing in it mentions anybody or links anywhere."""
    return text.translate(_ESCAPES)


def _blocks(title: str, message: Message) -> Iterator[dict[str, Any]]:
    yield {"type": "header", "text": {"type": "plain_text", "text": title[:MOST_HEADER]}}
    yield _section(escaped(message.what))
    if message.kind not in CLOSING:
        yield from _body(message)
    where = " in ".join(escaped(part) for part in (message.target, message.repository) if part)
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": f"twohand {where} {message.at}"[:MOST_SECTION]}]}


def _body(message: Message) -> Iterator[dict[str, Any]]:
    if message.asked:
        yield _section(f"*Asked:* {escaped(message.names())}"[:MOST_SECTION])
    if message.why:
        yield _section("*Why*\n" + _rows(f"• {escaped(row)}" for row in message.why))
    if message.paths:
        yield _section("*Paths*\n" + _rows(map(escaped, message.paths)))
    if message.gone:
        yield _section(_code("*What is gone (-) or came instead (+)*", map(quoted, message.gone)))
    if message.command:
        yield _section(_code("*What to do, after reading it*", [message.command]))
    if found := link(message):
        yield _section(f"<{escaped(found).replace('|', '%7C')}|See the change, and acknowledge>")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _rows(rows: Iterable[str]) -> str:
    return fitted(rows, MOST_SECTION - 100)


def _code(title: str, rows: Iterable[str]) -> str:
    """A block of code; what would end it early is written otherwise."""
    return f"{title}\n```\n{_rows(escaped(row.replace('```', chr(0x2CB) * 3)) for row in rows)}\n```"
