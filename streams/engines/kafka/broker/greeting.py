"""First contact with what answers where a broker should: by hand, so that each fault is one clear sentence.

Clients of Kafka take a web server, a wrong certificate and a wrong password alike for a broker that is away.
"""

from __future__ import annotations

import socket
import ssl
import struct
from typing import TYPE_CHECKING, Final

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.settings import Settings

PATIENCE: Final = 3.0  # seconds for one step
CLIENT: Final = "twohand"
MOST: Final = 64 << 10  # bytes of an answer that are read
API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36  # requests of Kafka's protocol
CORRELATION: Final = b"\0\0\0\7"
NO_TLS: Final = ("WRONG_VERSION", "RECORD_LAYER", "EOF")  # how OpenSSL names an answer that is none of TLS


class BrokerUnusable(SourceError):
    """No Kafka broker can be worked with as the settings say."""


def greet(address: str, settings: Settings) -> None:
    """Ask one address which requests and SASL mechanisms it knows, and whether it takes a plain password.

    BrokerUnusable says what is wrong.
    """
    with _connected(address, settings) as connection:
        _judge(_asked(connection, API_VERSIONS, 0), address, settings)
        mechanism = settings.kafka.get("sasl_mechanism", "")
        if mechanism and _protocol(settings).startswith("SASL"):
            _offered(_asked(connection, SASL_HANDSHAKE, 1, _text(str(mechanism))), address, settings)
            if mechanism == "PLAIN":
                _taken(_asked(connection, SASL_AUTHENTICATE, 0, _plain(settings)), address, settings)


def wrong(settings: Settings, message: str, remedy: str) -> BrokerUnusable:
    """The error, with the file whose lines are to be corrected."""
    return BrokerUnusable(f"{message}.", f"{remedy} ({settings.source or 'no settings file: these are the defaults'}).")


def _connected(address: str, settings: Settings) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        plain = socket.create_connection((host, int(port)), PATIENCE)
    except OSError as error:
        remedy = "Start it (`make broker` for a trial), or correct [kafka] bootstrap"
        raise wrong(settings, f"No broker answers at {address}: {_why(error)}", remedy) from None
    if not _secured(settings):
        return plain
    try:
        return tls_context(settings).wrap_socket(plain, server_hostname=host)
    except OSError as error:
        raise _no_tls(error, address, settings) from None
    finally:
        plain.close()  # a wrapped one has taken the descriptor over


def _text(said: str) -> bytes:
    """A text as Kafka's protocol carries it."""
    return struct.pack(">h", len(said.encode())) + said.encode()


def _plain(settings: Settings) -> bytes:
    """The credentials of SASL PLAIN (RFC 4616), with their length."""
    user, password = (str(settings.kafka.get(f"sasl_plain_{name}", "")) for name in ("username", "password"))
    told = f"\0{user}\0{password}".encode()
    return struct.pack(">i", len(told)) + told


def _asked(connection: socket.socket, request: int, version: int, fields: bytes = b"") -> bytes:
    """The answer to a request, without its length; what came where that is none."""
    whole = struct.pack(">hh", request, version) + CORRELATION + _text(CLIENT) + fields
    answer = b""
    try:
        connection.sendall(struct.pack(">i", len(whole)) + whole)
        while len(answer) < 4 or len(answer) < min(4 + int.from_bytes(answer[:4], "big"), MOST):
            more = connection.recv(MOST)
            if not more:
                break
            answer += more
    except OSError:
        pass
    return answer[4:] if answer[4:8] == CORRELATION else answer


def _judge(answer: bytes, address: str, settings: Settings) -> None:
    """Whether this is a broker's answer to what it knows."""
    if answer[:4] == CORRELATION and answer[4:6] in (b"\0\0", b"\0\x23"):
        return
    secured = _secured(settings)
    if not secured and (answer[:2] in (b"\x15\x03", b"\x16\x03") or (not answer and _speaks_tls(address))):
        remedy = f'Set security_protocol = "{"SASL_SSL" if _protocol(settings).startswith("SASL") else "SSL"}"'
        said = f"{address} speaks TLS, and [kafka] security_protocol is {_protocol(settings)}"
        raise wrong(settings, said, remedy)
    said = f"it says {answer[:40]!r}" if answer else "it closes the connection or says nothing"
    also = ", or name the client certificate that it may want in ssl_certfile" if secured and not answer else ""
    raise wrong(settings, f"What answers at {address} is no Kafka broker: {said}", f"Correct [kafka] bootstrap{also}")


def _offered(answer: bytes, address: str, settings: Settings) -> None:
    """Whether the broker takes the SASL mechanism; else it tells those that it takes."""
    if answer[4:6] == b"\0\0":
        return
    names, at = [], 10
    while at + 2 <= len(answer):
        end = at + 2 + int.from_bytes(answer[at : at + 2], "big")
        names.append(answer[at + 2 : end].decode("ascii", "replace"))
        at = end
    asked = settings.kafka["sasl_mechanism"]
    said = f"{address} does not offer SASL mechanism {asked}" if names else f"{address} takes no SASL here"
    raise wrong(settings, said, f"It offers {', '.join(names)}" if names else "Correct security_protocol")


def _taken(answer: bytes, address: str, settings: Settings) -> None:
    """Whether the broker takes name and password. Clients of Kafka often see no more than that it hangs up."""
    if answer[:6] == CORRELATION + b"\0\0":
        return
    user = settings.kafka.get("sasl_plain_username", "")
    said = f"{address} refuses {user or 'a client without a name'} with SASL PLAIN"
    raise wrong(settings, said, "Correct sasl_plain_username and sasl_plain_password")


def _speaks_tls(address: str) -> bool:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as plain, context.wrap_socket(plain):
            return True
    except OSError as error:
        return isinstance(error, ssl.SSLError) and "ALERT" in str(error).upper()


def _no_tls(error: OSError, address: str, settings: Settings) -> BrokerUnusable:
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "Name the authority that signed it in ssl_cafile, and the broker as its certificate does"
        return wrong(settings, f"The certificate of {address} is not accepted: {error.verify_message}", remedy)
    if isinstance(error, ssl.SSLError) and not any(sign in str(error) for sign in NO_TLS):
        remedy = "Compare ssl_certfile, ssl_keyfile and ssl_ciphers with what it asks for"
        return wrong(settings, f"{address} refuses our TLS: {_why(error)}", remedy)
    said = f"{address} does not speak TLS, and [kafka] security_protocol is {_protocol(settings)}"
    return wrong(settings, said, "Correct the port in bootstrap, or security_protocol")


def tls_context(settings: Settings) -> ssl.SSLContext:
    """What connections are secured with. BrokerUnusable names the files that cannot be used."""
    said = settings.kafka
    files = {name: str(said[name]) for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile") if name in said}
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_cafile"))
        context.check_hostname = bool(said.get("ssl_check_hostname", True))
        if "ssl_certfile" in files:
            password = str(said.get("ssl_password", ""))
            context.load_cert_chain(files["ssl_certfile"], files.get("ssl_keyfile"), password)
    except OSError as error:
        named = ", ".join(f"{name} {path}" for name, path in files.items())
        remedy = "Name PEM files that can be read"
        raise wrong(settings, f"The files of TLS cannot be used ({named}): {_why(error)}", remedy) from None
    return context


def _secured(settings: Settings) -> bool:
    return _protocol(settings).endswith("SSL")


def _protocol(settings: Settings) -> str:
    return str(settings.kafka.get("security_protocol", "PLAINTEXT"))


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing within {PATIENCE:.0f} s"
    return getattr(error, "reason", None) or error.strerror or str(error)
