"""A generic webhook: one JSON body, signed, that names its event so that a repeat can be dropped.

`X-Twohand-Signature: sha256=<hex of HMAC-SHA256 over the body>` where the route has a key; `X-Twohand-Id` is the event.
`summary`, `details`, `dedup`, `action` and `meta` are what GoAlert's generic API reads.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, Final

from rules.canonical import plain
from streams.sinks.alerts import keys, wire
from streams.sinks.alerts.message import RESOLVED, Message
from streams.sinks.alerts.route import Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import lines

SCHEMA: Final = "twohand.alert/v1"


class Webhook(Configured):
    """`kind = "webhook"`: `key_env` or `key_file` hold the key that signs."""

    def send(self, message: Message) -> Answer:
        url = keys.address(self.alert, self.environ)
        key = keys.key(self.alert, self.environ)
        if isinstance(url, NotSent):
            return url
        if isinstance(key, NotSent):
            return key
        body = json.dumps(written(message), sort_keys=True).encode()
        signed = {"X-Twohand-Signature": signature(key, body)} if key else {}
        headers = {**wire.JSON, "X-Twohand-Id": message.event, **signed}
        reply = wire.call(wire.Request("POST", url, body, headers))
        if isinstance(reply, NotSent):
            return reply
        return Sent() if 200 <= reply.status < 300 else wire.refused(reply, keys.place(url))


def signature(key: str, body: bytes) -> str:
    """`sha256=...` over exactly these bytes."""
    return "sha256=" + hmac.new(key.encode(), body, "sha256").hexdigest()


def written(message: Message) -> dict[str, Any]:
    """The body: the message as it is, without e-mail addresses, beside what GoAlert reads."""
    data = plain(message) | {"asked": [person.name for person in message.asked]}
    closing = {"action": "close"} if message.kind == RESOLVED else {}
    return {
        **data,
        **closing,
        "schema": SCHEMA,
        "summary": message.what,
        "details": "\n".join(lines(message)),
        "meta": {"change": message.change, "kind": message.kind, "severity": message.severity},
    }
