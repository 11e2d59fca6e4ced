"""Alertmanager, API v2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.

Labels are the identity of an alert, so nothing that changes is in them but the severity; an alert lives as long as it is
sent again (`resend`), and ends by `endsAt`. There is no acknowledgement: a silence of exactly this alert is one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple
from urllib.parse import quote

from rules import instants
from streams.sinks.alerts import keys, wire
from streams.sinks.alerts.message import ACKNOWLEDGED, REMIND, RESOLVED, TEST, Message
from streams.sinks.alerts.route import Answer, Configured, NotSent, Sent
from streams.sinks.alerts.said import link, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from streams.settings import Alert

RESEND: Final = 60.0  # seconds, as Prometheus itself does; Alertmanager forgets after its `resolve_timeout`
LABEL: Final = "twohand"  # the label that holds the dedup key
BY: Final = "twohand"  # who made the silences that are ours
SILENT: Final = 86_400  # seconds of a silence whose acknowledgement has no end


class Alertmanager(Configured):
    """`kind = "alertmanager"`: `url` is the base address, a key is sent as bearer token."""

    resend: ClassVar[float] = RESEND

    def send(self, message: Message) -> Answer:
        api = Api.of(self.alert, self.environ)
        if isinstance(api, NotSent):
            return api
        if message.kind == ACKNOWLEDGED:
            return _silence(api, message)
        if message.kind == RESOLVED:
            return _resolve(api, message)
        answer = api.post("/alerts", [_alert(_labels(message), message)])
        return _unsilence(api, message.dedup) if message.kind == REMIND and isinstance(answer, Sent) else answer

    def again(self, messages: Sequence[Message]) -> Answer:
        """The alerts of problems that are open or acknowledged, in one call."""
        api = Api.of(self.alert, self.environ)
        if isinstance(api, NotSent):
            return api
        return api.post("/alerts", [_alert(_labels(one), one) for one in messages if one.kind != RESOLVED])


class Api(NamedTuple):
    """The address with its token."""

    base: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, alert: Alert, environ: Mapping[str, str]) -> Api | NotSent:
        base, key = keys.address(alert, environ), keys.key(alert, environ)
        if isinstance(base, NotSent):
            return base
        if isinstance(key, NotSent):
            return key
        headers = {**wire.JSON, "Authorization": f"Bearer {key}"} if key else wire.JSON
        return cls(base.rstrip("/") + "/api/v2", headers)

    def post(self, path: str, data: Any) -> Answer:
        reply = wire.call(wire.Request("POST", self.base + path, json.dumps(data).encode(), self.headers))
        if isinstance(reply, NotSent):
            return reply
        return Sent() if reply.status == 200 else wire.refused(reply, keys.place(self.base))

    def delete(self, path: str) -> Answer:
        reply = wire.call(wire.Request("DELETE", self.base + path, headers=self.headers))
        if isinstance(reply, NotSent):
            return reply
        return Sent() if reply.status in {200, 404} else wire.refused(reply, keys.place(self.base))

    def rows(self, path: str, **query: str) -> list[Any] | NotSent:
        """A list of objects; NotSent for anything else."""
        asked = "".join(f"?{name}={quote(value, safe='')}" for name, value in query.items())
        reply = wire.call(wire.Request("GET", f"{self.base}{path}{asked}", headers=self.headers))
        if isinstance(reply, NotSent):
            return reply
        found = reply.json()
        if reply.status == 200 and isinstance(found, list) and all(isinstance(row, dict) for row in found):
            return found
        return wire.refused(reply, keys.place(self.base))


def matching(dedup: str) -> str:
    """The filter that finds what bears this key."""
    escaped = dedup.replace("\\", "\\\\").replace('"', '\\"')
    return f'{LABEL}="{escaped}"'


def keys_of(silence: Mapping[str, Any]) -> set[str]:
    """The problems that a silence speaks of by name; none where it only covers them among others."""
    matchers = silence.get("matchers")
    return {
        str(row.get("value"))
        for row in (matchers if isinstance(matchers, list) else ())
        if isinstance(row, dict) and row.get("name") == LABEL and not row.get("isRegex") and row.get("isEqual", True)
    }


def _labels(message: Message) -> dict[str, str]:
    labels = {
        "alertname": "TwohandTest" if message.kind == TEST else "TwohandEscalation",
        LABEL: message.dedup,
        "repository": message.repository,
        "target": message.target,
        "severity": message.severity,
    }
    return {name: value for name, value in labels.items() if value}


def _alert(labels: Mapping[str, str], message: Message) -> dict[str, Any]:
    """An alert without `endsAt` ends when it is not sent again; `endsAt` in the past ends it now."""
    annotations = {
        "summary": message.what,
        "why": "\n".join(message.why),
        "paths": "\n".join(message.paths),
        "gone": "\n".join(map(quoted, message.gone)),
        "asked": message.names(),
        "command": message.command,
        "change": message.change,
    }
    row: dict[str, Any] = {"labels": dict(labels), "annotations": {k: v for k, v in annotations.items() if v}}
    if found := link(message):
        row["generatorURL"] = found
    return row | ({"endsAt": message.at} if message.kind == RESOLVED else {})


def _resolve(api: Api, message: Message) -> Answer:
    """End every alert with this key, whatever its other labels were, and lift our silences."""
    found = api.rows("/alerts", filter=matching(message.dedup))
    if isinstance(found, NotSent):
        return found
    labels = [row["labels"] for row in found if isinstance(row.get("labels"), dict)] or [_labels(message)]
    answer = api.post("/alerts", [_alert(one, message) for one in labels])
    return answer if isinstance(answer, NotSent) else _unsilence(api, message.dedup)


def _silence(api: Api, message: Message) -> Answer:
    """A silence until the acknowledgement lapses; one that is there already is changed."""
    found = _ours(api, message.dedup)
    if isinstance(found, NotSent):
        return found
    until = message.until or instants.later(message.at, SILENT)
    data = {
        "matchers": [{"name": LABEL, "value": message.dedup, "isRegex": False, "isEqual": True}],
        "startsAt": message.at,
        "endsAt": until,
        "createdBy": BY,
        "comment": message.what,
    }
    known = next((str(row["id"]) for row in found if "id" in row), "")
    return api.post("/silences", data | ({"id": known} if known else {}))


def _unsilence(api: Api, dedup: str) -> Answer:
    found = _ours(api, dedup)
    if isinstance(found, NotSent):
        return found
    for row in found:
        answer = api.delete(f"/silence/{quote(str(row.get('id', '')), safe='')}")
        if isinstance(answer, NotSent):
            return answer
    return Sent()


def _ours(api: Api, dedup: str) -> list[Any] | NotSent:
    """The silences that this program made for one problem and that have not ended."""
    found = api.rows("/silences", filter=matching(dedup))
    return found if isinstance(found, NotSent) else [row for row in found if _is_ours(row, dedup)]


def _is_ours(silence: Mapping[str, Any], dedup: str) -> bool:
    return silence.get("createdBy") == BY and active(silence) and dedup in keys_of(silence)


def active(silence: Mapping[str, Any]) -> bool:
    """Whether it has not ended."""
    status: Iterable[str] | Any = silence.get("status")
    return isinstance(status, dict) and status.get("state") in {"active", "pending"}
