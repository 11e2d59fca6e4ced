"""How brokers are spoken to: the settings as kafka-python takes them, and one clear sentence where that does not work."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import struct
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from streams.settings import load
from streams.settings_file import SYSTEM
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kafka import KafkaAdminClient

    from streams.settings import Settings

PATIENCE: Final = 3.0  # seconds for one step of a first contact
CLIENT: Final = "twohand"
HURRIED: Final = {"bootstrap_timeout_ms": 3000, "request_timeout_ms": 10_000}
MOST: Final = 64 << 10  # bytes of a first answer that are read
_NAME: Final = CLIENT.encode()
_HELLO: Final = struct.pack(f">hhih{len(_NAME)}s", 18, 0, 7, len(_NAME), _NAME)  # ApiVersions v0, correlation id 7


class BrokerUnusable(SourceError):
    """No Kafka broker can be worked with as the settings say."""


class KafkaMissing(SourceError):
    """The Kafka clients are not installed."""


def settings_at(where: Path, explicit: Path | None) -> Settings:
    """The operator's settings of the repository at `where`, or of this machine where there is no repository."""
    from streams.sources.git import Repository  # noqa: PLC0415 - a worker in a container has no repository

    try:
        common_dir = Repository.open(where).common_dir
    except SourceError:
        common_dir = SYSTEM.parent.parent
    return load(explicit, common_dir, os.environ)


def options(settings: Settings) -> dict[str, Any]:
    """What every kafka-python client is given: brokers, security, name. Of `[kafka]`, only what is set."""
    return {"bootstrap_servers": settings.bootstrap.split(","), "client_id": CLIENT, **settings.kafka}


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An administrative client of brokers that answer. BrokerUnusable with the reason, KafkaMissing without the packages."""
    kafka, errors = _kafka()
    reach(settings)
    try:
        client = kafka.KafkaAdminClient(**HURRIED, **options(settings))
    except (errors.KafkaError, OSError, ValueError, RuntimeError) as error:
        raise _refused(settings, error) from error
    try:
        with closing(client):
            yield client
    except errors.KafkaError as error:
        raise _refused(settings, error) from error


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


def greet(address: str, settings: Settings) -> None:
    """Ask one address which requests it knows, without credentials. BrokerUnusable says what is wrong with it."""
    host, _, port = address.rpartition(":")
    try:
        plain = socket.create_connection((host.strip("[]"), int(port)), PATIENCE)
    except OSError as error:
        raise _wrong(settings, f"No broker answers at {address}: {_why(error)}", "Start it (`make broker` for a trial), or correct [kafka] bootstrap") from None  # fmt: skip
    with plain:
        if not _secured(settings):
            _judge(_asked(plain), address, settings)
            return
        with _wrapped(plain, host, address, settings) as secret:
            _judge(_asked(secret), address, settings)


def _judge(answer: bytes, address: str, settings: Settings) -> None:
    """Whether these bytes begin a Kafka answer to our question."""
    if len(answer) >= 10 and answer[4:8] == _HELLO[4:8] and answer[8:10] in (b"\0\0", b"\0\x23"):
        return
    protocol = settings.kafka.get("security_protocol", "PLAINTEXT")
    if answer[:2] in (b"\x15\x03", b"\x16\x03") or (not answer and _speaks_tls(address)):
        secure = "SASL_SSL" if str(protocol).startswith("SASL") else "SSL"
        raise _wrong(settings, f"{address} speaks TLS, and [kafka] security_protocol is {protocol}", f'Set security_protocol = "{secure}"')  # fmt: skip
    said = f"it says {answer[:40]!r}" if answer else "it closes the connection or says nothing"
    raise _wrong(settings, f"What answers at {address} is no Kafka broker: {said}", "Correct [kafka] bootstrap")


def _speaks_tls(address: str) -> bool:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as plain, context.wrap_socket(plain):
            return True
    except OSError as error:
        return isinstance(error, ssl.SSLError) and "ALERT" in str(error).upper()


def _asked(connection: socket.socket) -> bytes:
    """The first bytes of the answer to ApiVersions; none where there is none."""
    answer = b""
    try:
        connection.sendall(struct.pack(">i", len(_HELLO)) + _HELLO)
        while len(answer) < 10 and (more := connection.recv(MOST)):
            answer += more
    except OSError:
        pass
    return answer


def _wrapped(plain: socket.socket, host: str, address: str, settings: Settings) -> ssl.SSLSocket:
    try:
        return _context(settings).wrap_socket(plain, server_hostname=host.strip("[]"))
    except ssl.SSLCertVerificationError as error:
        raise _wrong(settings, f"The certificate of {address} is not accepted: {error.verify_message}", "Name the authority that signed it in ssl_cafile, and the broker as its certificate does") from None  # fmt: skip
    except OSError as error:
        protocol = settings.kafka["security_protocol"]
        if isinstance(error, ssl.SSLError) and "WRONG_VERSION" not in str(error):
            raise _wrong(settings, f"{address} refuses our TLS: {_why(error)}", "Compare ssl_certfile, ssl_keyfile and ssl_ciphers with what it asks for") from None  # fmt: skip
        raise _wrong(settings, f"{address} does not speak TLS, and [kafka] security_protocol is {protocol}", "Correct the port in bootstrap, or security_protocol") from None  # fmt: skip


def _context(settings: Settings) -> ssl.SSLContext:
    said = settings.kafka
    try:
        context = ssl.create_default_context(cafile=said.get("ssl_cafile") or None)  # type: ignore[arg-type]
        context.check_hostname = bool(said.get("ssl_check_hostname", True))
        if said.get("ssl_certfile"):
            certificate, key = str(said["ssl_certfile"]), said.get("ssl_keyfile")
            context.load_cert_chain(certificate, str(key) if key else None, str(said.get("ssl_password", "")))
    except OSError as error:
        files = ", ".join(
            f"{name} {said[name]}" for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile") if name in said
        )
        raise _wrong(settings, f"The files of TLS cannot be used ({files}): {_why(error)}", "Name PEM files that can be read") from None  # fmt: skip
    return context


def _secured(settings: Settings) -> bool:
    return str(settings.kafka.get("security_protocol", "")).endswith("SSL")


def _refused(settings: Settings, error: Exception) -> BrokerUnusable:
    """What a client's error means, once `reach` was content."""
    protocol = str(settings.kafka.get("security_protocol", "PLAINTEXT"))
    user, mechanism = settings.kafka.get("sasl_plain_username", ""), settings.kafka.get("sasl_mechanism", "none")
    name, text = type(error).__name__, str(error)
    if "Authorization" in name:
        return _wrong(
            settings,
            f"{user or 'This client'} may not do that: {text}",
            "`twohand topics acls` prints what each role needs",
        )
    if "UnsupportedSaslMechanism" in name:
        return _wrong(
            settings,
            f"{settings.bootstrap} does not offer SASL mechanism {mechanism}: {text}",
            "Correct sasl_mechanism",
        )
    if "Authentication" in name or "Sasl" in name:
        return _wrong(settings, f"{settings.bootstrap} refuses {user or 'these credentials'} with SASL {mechanism}", "Correct sasl_plain_username and sasl_plain_password")  # fmt: skip
    if not protocol.startswith("SASL") and "Timeout" in name:
        return _wrong(settings, f"{settings.bootstrap} ends connections without credentials, or what it tells us to connect to does not answer", "Set security_protocol and sasl_mechanism, or correct the broker's advertised.listeners")  # fmt: skip
    return _wrong(
        settings, f"{settings.bootstrap} cannot be worked with: {text or name}", "`twohand doctor` looks again"
    )


def _wrong(settings: Settings, message: str, remedy: str) -> BrokerUnusable:
    return BrokerUnusable(f"{message}.", f"{remedy} ({settings.source or 'no settings file: these are the defaults'}).")


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing within {PATIENCE:.0f} s"
    return getattr(error, "reason", None) or error.strerror or str(error)


def _kafka() -> tuple[Any, Any]:
    try:
        import kafka  # noqa: PLC0415 - 0.3 s, and an optional package
        from kafka import errors  # noqa: PLC0415
    except ImportError as error:
        raise KafkaMissing(
            f"Package {error.name} is not installed.", "Install the clients: `uv tool install 'twohand[kafka]'`."
        ) from None
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its errors reach us as exceptions
    return kafka, errors
