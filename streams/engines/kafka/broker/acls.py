"""Which role may read and write which topic, as rules for a broker's authorizer (law 19, DESIGN 4)."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.engines.kafka.records.topics import ROLES, TOPICS, group
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kafka import KafkaAdminClient

PRINCIPALS: Final[Mapping[str, str]] = {role.name: f"User:twohand-{role.name}" for role in ROLES}


class Grant(NamedTuple):
    """One right. `resource` is topic or group; a group's `name` is the beginning of theirs."""

    principal: str
    operation: str  # Read or Write; both include Describe
    resource: str
    name: str


class NotGranted(SourceError):
    """The broker did not take an ACL."""


def grants(principals: Mapping[str, str] = PRINCIPALS) -> list[Grant]:
    """Every right of these roles (role -> principal), and no other, in the order of the tables."""
    found: list[Grant] = []
    for role in ROLES:
        if who := principals.get(role.name):
            found += [Grant(who, "Read", "topic", topic.name) for topic in TOPICS if role.name in topic.readers]
            found += [Grant(who, "Write", "topic", topic.name) for topic in TOPICS if role.name in topic.writers]
            found += [Grant(who, "Read", "group", group(role.name))] if role.joins else []
    return found


def command(grant: Grant, bootstrap: str) -> str:
    """The same as a call of Kafka's own tool."""
    kind = ["--resource-pattern-type", "prefixed"] if grant.resource == "group" else []
    words = ["--add", "--allow-principal", grant.principal, "--operation", grant.operation]
    return shlex.join(
        ["kafka-acls.sh", "--bootstrap-server", bootstrap, *words, f"--{grant.resource}", grant.name, *kind]
    )


def apply(admin: KafkaAdminClient, wanted: Iterable[Grant]) -> None:
    """Grant them; one that is there already stays. Nothing is taken away. NotGranted names the broker's reason."""
    from kafka.admin import (  # noqa: PLC0415 - only with the packages of the extra
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    def rule(grant: Grant) -> ACL:
        pattern = ACLResourcePatternType.PREFIXED if grant.resource == "group" else ACLResourcePatternType.LITERAL
        resource = ResourcePattern(ResourceType[grant.resource.upper()], grant.name, pattern)
        return ACL(grant.principal, "*", ACLOperation[grant.operation.upper()], ACLPermissionType.ALLOW, resource)

    failed = admin.create_acls([rule(grant) for grant in wanted])["failed"]
    if failed:
        raise NotGranted(
            f"The broker grants nothing: {failed[0].__name__}.",
            "It needs an authorizer (authorizer.class.name), and these credentials the right to alter the cluster.",
        )
