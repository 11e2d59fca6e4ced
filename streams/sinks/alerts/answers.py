"""What people answered elsewhere: who acknowledges in PagerDuty or silences in Alertmanager has acknowledged here.

An acknowledgement stops paging for a while and approves nothing, so a name that another system vouches for is enough.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import instants
from streams.sinks.alerts import alertmanager
from streams.sinks.alerts.route import NotSent
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from streams.settings import Alert

MOST: Final = 1 << 20  # bytes of a webhook's body
HEARD: Final = frozenset({"incident.acknowledged", "incident.resolved"})  # ended there is heard here, and no approval


class Heard(NamedTuple):
    """Somebody has heard it. `key` is the dedup key as that system holds it (`pagerduty.key_of`), `id` names the answer there."""

    key: str
    by: str
    at: str
    through: str  # the name of the route
    id: str


class Refused(NamedTuple):
    """A webhook that is not from where it says, or that nobody understands."""

    reason: str


def pagerduty(body: bytes, signature: str, *, secret: str, route: str) -> tuple[Heard, ...] | Refused:
    """A webhook of version 3 (https://developer.pagerduty.com/docs/webhooks-overview); empty where it tells nothing of use.

    `signature` is the header `X-PagerDuty-Signature`: `v1=<hex>`, several with commas while a secret is changed.
    """
    if len(body) > MOST:
        return Refused(f"the body is over {MOST:,} bytes")
    wanted = "v1=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    given = [part.strip() for part in signature[:4096].split(",")]
    if not secret or not any(hmac.compare_digest(wanted.encode(), part.encode("utf-8", "replace")) for part in given):
        return Refused("the signature is not that of the secret in answers_env")
    try:
        event = json.loads(body)["event"]
        return tuple(_acknowledged(event, route)) if event["event_type"] in HEARD else ()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Refused("the body is no event of PagerDuty's webhooks, version 3")


def _acknowledged(event: Mapping[str, Any], route: str) -> Iterator[Heard]:
    """Only what a person did: our own acknowledgements come back as those of a service."""
    agent = event.get("agent") or {}
    if agent.get("type") == "user_reference":
        name = shown(str(agent.get("summary") or agent.get("id") or "somebody"), 80)
        yield Heard(str(event["data"]["incident_key"]), name, _instant(event["occurred_at"]), route, str(event["id"]))


def silences(alert: Alert, environ: Mapping[str, str], open_keys: Collection[str]) -> tuple[Heard, ...] | NotSent:
    """The silences that people made of exactly one open problem; one that covers many at once answers none of them."""
    api = alertmanager.Api.of(alert, environ)
    if isinstance(api, NotSent):
        return api
    found = api.rows("/silences")
    return found if isinstance(found, NotSent) else tuple(_silenced(found, open_keys, alert.name))


def _silenced(rows: Collection[Mapping[str, Any]], open_keys: Collection[str], route: str) -> Iterator[Heard]:
    for row in rows:
        if not alertmanager.active(row) or row.get("createdBy") == alertmanager.BY:
            continue
        for key in alertmanager.keys_of(row) & set(open_keys):
            by = shown(str(row.get("createdBy") or "somebody"), 80)
            yield Heard(key, by, _instant(row.get("startsAt")), route, str(row.get("id", "")))


def _instant(text: object) -> str:
    """Another system's instant, to the second; empty where it is none."""
    found = f"{str(text)[:19]}Z"
    return found if instants.is_instant(found) else ""
