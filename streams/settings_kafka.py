"""What `[kafka]` and `[store]` of the operator's settings need together, said before any client is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.settings_reviewers import Wrong

PASSWORDS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
MECHANISMS: Final = (*PASSWORDS, "GSSAPI")
STORES: Final = ("postgresql://", "postgres://")


def wrong(kafka: Mapping[str, str | bool], store: str) -> Iterator[Wrong]:
    """Each mistake with its place, its value, what is allowed, and why."""
    protocol = str(kafka.get("security_protocol", "PLAINTEXT"))
    yield from _credentials(kafka, sasl=protocol.startswith("SASL"))
    if protocol.startswith("SASL"):
        yield from _mechanism(kafka)
    named = [name for name in kafka if name.startswith("ssl_") and name != "ssl_check_hostname"]
    if named and not protocol.endswith("SSL"):
        yield ("kafka", named[0]), str(kafka[named[0]]), (), "has no effect: security_protocol uses no TLS"
    if store and not store.startswith(STORES):
        yield ("store", "url"), None, (), "must begin with postgresql://"


def _credentials(kafka: Mapping[str, str | bool], *, sasl: bool) -> Iterator[Wrong]:
    named = [name for name in kafka if name.startswith("sasl_")]
    if named and not sasl:
        text = "has no effect: security_protocol uses no SASL"
        yield ("kafka", named[0]), None, ("SASL_SSL", "SASL_PLAINTEXT"), text


def _mechanism(kafka: Mapping[str, str | bool]) -> Iterator[Wrong]:
    mechanism = str(kafka.get("sasl_mechanism", ""))
    if mechanism not in MECHANISMS:
        text = "is none that is known" if mechanism else "is missing: security_protocol uses SASL"
        yield ("kafka", "sasl_mechanism"), mechanism or None, MECHANISMS, text
    if mechanism in PASSWORDS:
        for name in ("sasl_plain_username", "sasl_plain_password"):
            if not kafka.get(name):
                yield ("kafka", name), None, (), f"is missing: {mechanism} needs it"
