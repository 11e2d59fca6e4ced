"""PagerDuty, Events API v2: https://developer.pagerduty.com/docs/events-api-v2/overview/.

The dedup key is the problem: a trigger for an open one is a line in its log, acknowledge and resolve need nothing else.
An acknowledged incident is not paged again by another trigger; so a reminder after an acknowledgement that lapsed (its
`until` is set) ends the incident and opens a new one.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from streams.sinks.alerts import keys, wire
from streams.sinks.alerts.message import ACKNOWLEDGED, REMIND, RESOLVED, TEST, Message
from streams.sinks.alerts.route import Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import link, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


URL: Final = "https://events.pagerduty.com/v2/enqueue"
MOST_KEY: Final = 255  # characters of a dedup key
MOST_SUMMARY: Final = 1024


class PagerDuty(Configured):
    """`kind = "pagerduty"`: `key_env` or `key_file` hold the routing key."""

    def send(self, message: Message) -> Answer:
        url = keys.address(self.alert, self.environ, URL)
        key = keys.key(self.alert, self.environ)
        if isinstance(url, NotSent):
            return url
        if isinstance(key, NotSent):
            return key
        answer: Answer = Sent()
        for action in _actions(message):
            answer = _enqueue(url, _event(action, message) | {"routing_key": key})
            if isinstance(answer, NotSent):
                return answer
        return answer


def key_of(dedup: str) -> str:
    """The dedup key as PagerDuty takes it."""
    return dedup if 0 < len(dedup) <= MOST_KEY else sha256(dedup.encode("utf-8", "backslashreplace")).hexdigest()


def _actions(message: Message) -> Sequence[str]:
    if message.kind == REMIND and message.until:
        return ("resolve", "trigger")
    return {ACKNOWLEDGED: ("acknowledge",), RESOLVED: ("resolve",), TEST: ("trigger", "resolve")}.get(
        message.kind, ("trigger",)
    )


def _event(action: str, message: Message) -> dict[str, Any]:
    event: dict[str, Any] = {"event_action": action, "dedup_key": key_of(message.dedup)}
    if action != "trigger":
        return event
    event |= {"client": "twohand", "payload": _payload(message)}
    if found := link(message):
        event |= {"client_url": found, "links": [{"href": found, "text": "See the change, and acknowledge"}]}
    return event


def _payload(message: Message) -> dict[str, Any]:
    return {
        "summary": message.what[:MOST_SUMMARY],
        "source": message.repository or "twohand",
        "severity": message.severity,
        "timestamp": message.at,
        "component": message.target,
        "group": message.repository,
        "class": message.kind,
        "custom_details": {
            "asked": message.names(),
            "why": list(message.why),
            "paths": list(message.paths),
            "gone": [quoted(gone) for gone in message.gone],
            "what to do": message.command,
            "change": message.change,
            "event": message.event,
        },
    }


def _enqueue(url: str, event: Mapping[str, Any]) -> Answer:
    body = json.dumps(event).encode()
    reply = wire.call(wire.Request("POST", url, body))
    if isinstance(reply, NotSent):
        return reply
    said = reply.json()
    if reply.status // 100 == 2 and isinstance(said, dict) and said.get("status") == "success":
        return Sent(str(said.get("dedup_key", ""))[:MOST_KEY])
    return wire.refused(reply, keys.place(url))
