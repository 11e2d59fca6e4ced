"""How brokers are spoken to: the settings as kafka-python takes them, and one clear sentence where that does not work."""

from __future__ import annotations

import logging
import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from streams.engines.kafka.broker.greeting import CLIENT, BrokerUnusable, greet, wrong
from streams.extras import CLIENTS
from streams.settings import PLACES, load
from streams.settings_file import SYSTEM
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kafka import KafkaAdminClient

    from streams.settings import Settings

HURRIED: Final = {"bootstrap_timeout_ms": 3000, "request_timeout_ms": 10_000}
_LOGGER: Final = logging.getLogger("kafka")


class KafkaMissing(SourceError):
    """The Kafka clients are not installed."""


class NotKafka(SourceError):
    """The settings do not choose this engine, so no broker is asked."""


def settings_at(where: Path, explicit: Path | None) -> Settings:
    """The operator's settings of the repository at `where`, or of this machine where there is no repository.

    NotKafka where they name another engine.
    """
    from streams.sources.git import Repository  # noqa: PLC0415 - a worker in a container has no repository

    try:
        common_dir = Repository.open(where).common_dir
    except SourceError:
        common_dir = SYSTEM.parent.parent
    return chosen(load(explicit, common_dir, os.environ))


def chosen(settings: Settings) -> Settings:
    """These settings, where they choose Kafka; NotKafka else: nobody should try a broker that nobody named."""
    if settings.engine == "kafka":
        return settings
    where = settings.source or f"a settings file ({PLACES})"
    raise NotKafka(
        f'This works with engine = "kafka"; {settings.source or "without settings"} the engine is "{settings.engine}".',
        f'Set engine = "kafka" in {where}, see docs/kafka.md.',
    )


def options(settings: Settings) -> dict[str, Any]:
    """What every kafka-python client is given: brokers, security, name. Of `[kafka]`, only what is set.

    Consumers of this process then survive what they cannot read. KafkaMissing without the packages.
    """
    _kafka()
    return {"bootstrap_servers": settings.bootstrap.split(","), "client_id": CLIENT, **settings.kafka}


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An administrative client of brokers that answer and took our credentials.

    BrokerUnusable with the reason, also where something inside the block fails; KafkaMissing without the packages.
    """
    kafka, errors = _kafka()
    reach(settings)
    with _Heard() as heard:
        try:
            client = kafka.KafkaAdminClient(**HURRIED, **options(settings))
        except (errors.KafkaError, OSError, ValueError, RuntimeError) as error:
            raise _refused(settings, heard.last or error) from error
    try:
        with closing(client):
            yield client
    except errors.KafkaError as error:
        raise _refused(settings, error) from error


@contextmanager
def explained(settings: Settings, otherwise: Callable[[Exception], SourceError] | None = None) -> Iterator[None]:
    """BrokerUnusable with the reason where a client of ours fails inside the block; KafkaMissing without the packages.

    `otherwise` makes the error of what is neither a matter of credentials nor of rights.
    """
    _, errors = _kafka()
    with _Heard() as heard:
        try:
            yield
        except errors.KafkaError as error:
            why = heard.last or error
            refused = any(sign in type(why).__name__ for sign in ("Authorization", "Authentication", "Sasl"))
            raise (_refused(settings, why) if refused or not otherwise else otherwise(why)) from error


class _Heard(logging.Handler):
    """What kafka-python only logs: why a connection was refused, before it gives up with a timeout."""

    last: Exception | None = None

    def __enter__(self) -> Self:
        _LOGGER.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.args if isinstance(record.args, tuple) else ()
        refusals = [arg for arg in said if isinstance(arg, Exception) and "Sasl" in type(arg).__name__]
        self.last = refusals[0] if refusals else self.last


def reach(settings: Settings) -> str:
    """The first address of `[kafka] bootstrap` where a Kafka broker answers. BrokerUnusable says why none does."""
    problems: list[BrokerUnusable] = []
    for address in settings.bootstrap.split(","):
        try:
            greet(address, settings)
        except BrokerUnusable as error:
            problems.append(error)
        else:
            return address
    raise problems[0]


def _refused(settings: Settings, error: Exception) -> BrokerUnusable:
    """What a client's error means, once `reach` was content."""
    protocol = str(settings.kafka.get("security_protocol", "PLAINTEXT"))
    user, mechanism = settings.kafka.get("sasl_plain_username", ""), settings.kafka.get("sasl_mechanism", "none")
    name, text = type(error).__name__, str(error)
    if "Authorization" in name:
        return wrong(
            settings,
            f"{user or 'This client'} may not do that: {text}",
            "`twohand topics acls` prints what each role needs",
        )
    if "UnsupportedSaslMechanism" in name:
        return wrong(
            settings,
            f"{settings.bootstrap} does not offer SASL mechanism {mechanism}: {text}",
            "Correct sasl_mechanism",
        )
    if "Authentication" in name or "Sasl" in name:
        return wrong(settings, f"{settings.bootstrap} refuses {user or 'these credentials'} with SASL {mechanism}", "Correct sasl_plain_username and sasl_plain_password")  # fmt: skip
    if not protocol.startswith("SASL") and "Timeout" in name:
        return wrong(settings, f"{settings.bootstrap} ends connections without credentials, or what it tells us to connect to does not answer", "Set security_protocol and sasl_mechanism, or correct the broker's advertised.listeners")  # fmt: skip
    return wrong(
        settings, f"{settings.bootstrap} cannot be worked with: {text or name}", "`twohand doctor` looks again"
    )


def _kafka() -> tuple[Any, Any]:
    try:
        import kafka  # noqa: PLC0415 - 0.3 s, and an optional package
        from kafka import errors  # noqa: PLC0415
    except ImportError as error:
        raise KafkaMissing(f"Package {error.name} is not installed.", f"{CLIENTS}.") from None
    from streams.engines.kafka.broker import sturdy_sync  # noqa: PLC0415

    sturdy_sync.install()
    if not _LOGGER.handlers:  # its errors reach us as exceptions, or are heard
        _LOGGER.propagate = False
        _LOGGER.addHandler(logging.NullHandler())
    return kafka, errors
