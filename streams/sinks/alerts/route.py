"""One way to reach people: what every route answers, and how routes are made of the operator's settings (DESIGN 5.2, 9).

A route tells what happened and never raises for what stands at the other end: unreachable, slow, wrong or refused is
`NotSent` with a reason. Keys are read when they are used, from the environment or a file, and are in no text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.settings import Alert
    from streams.sinks.alerts.message import Message

DEADLINE: Final = 10.0  # seconds that one delivery may take, from the name's resolution to the last byte
LATER: Final = 30.0  # seconds after which a failure that may pass is tried again


class Sent(NamedTuple):
    """The other end took it; `note` is what it called it."""

    note: str = ""


class NotSent(NamedTuple):
    """`retry_after` is seconds; None: the same message will never be taken (a wrong key, an address that is none)."""

    reason: str
    retry_after: float | None = LATER


Answer = Sent | NotSent


class Route(Protocol):
    """A route of the settings. `resend` is the seconds after which an open problem has to be told again, or 0."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def resend(self) -> float: ...

    def send(self, message: Message) -> Answer:
        """Deliver one message within DEADLINE seconds; never raises."""
        ...


@dataclass(frozen=True)
class Configured:
    """What every route is made of: its `[alerts.NAME]`, and the environment that holds its keys."""

    alert: Alert
    environ: Mapping[str, str]
    resend: ClassVar[float] = 0.0

    @property
    def name(self) -> str:
        return self.alert.name

    @property
    def kind(self) -> str:
        return self.alert.kind


@runtime_checkable
class Forgetful(Protocol):
    """A route whose other end ends what it is not told again: `Route.resend` is not 0."""

    def again(self, messages: Sequence[Message]) -> Answer:
        """Keep problems open that are open; nobody is told anew. Never raises."""
        ...


def routes(alerts: Mapping[str, Alert], environ: Mapping[str, str]) -> dict[str, Route]:
    """The routes by name, as the settings name them. Nothing is called and no key is read yet."""
    return {name: made(alert, environ) for name, alert in alerts.items()}


def made(alert: Alert, environ: Mapping[str, str]) -> Route:
    """The route of one `[alerts.NAME]`."""
    from streams.sinks.alerts import alertmanager, log, mail, pagerduty, slack, webhook  # noqa: PLC0415

    kinds: dict[str, Callable[[Alert, Mapping[str, str]], Route]] = {
        "pagerduty": pagerduty.PagerDuty,
        "alertmanager": alertmanager.Alertmanager,
        "slack": slack.Slack,
        "webhook": webhook.Webhook,
        "email": mail.Mail,
        "log": log.Log,
    }
    return kinds[alert.kind](alert, environ)
