"""Topics on a broker: made, described, and compared with the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.engines.kafka.records.topics import BY_NAME, PARTITIONS, TOPICS, Topic, configs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kafka import KafkaAdminClient

CREATE: Final = "twohand topics create"
REPAIR: Final = "twohand topics create --repair"
AT_LEAST: Final = frozenset({"max.message.bytes", "min.insync.replicas", "retention.bytes", "retention.ms"})


class Found(NamedTuple):
    """A topic as the broker has it."""

    name: str
    partitions: int
    replicas: int
    configs: Mapping[str, str]


class Difference(NamedTuple):
    """What a topic lacks. `stops`: workers must not start so; else it is a danger that they can live with."""

    topic: str
    what: str
    remedy: str
    stops: bool = True


def found(
    admin: KafkaAdminClient, names: Iterable[str] = tuple(BY_NAME), *, configured: bool = True
) -> dict[str, Found]:
    """The topics of these names that the broker has and shows us. Their configs need the right DescribeConfigs; else leave them."""
    there = [row for row in admin.describe_topics(list(names)) if not row["error_code"]]
    said = _configs(admin, [row["name"] for row in there]) if configured and there else {}
    return {
        row["name"]: Found(
            row["name"],
            len(row["partitions"]),
            min((len(part["replica_nodes"]) for part in row["partitions"]), default=0),
            said.get(row["name"], {}),
        )
        for row in there
    }


def create(admin: KafkaAdminClient, *, partitions: int = 0, replicas: int = -1, repair: bool = False) -> list[str]:
    """Make the topics that are missing, with the partitions of those that are there; with `repair` also set what differs.

    What was done, a line each. 0 partitions: as the others have, else PARTITIONS. -1 replicas: the broker's default.
    """
    there = found(admin)
    count = partitions or max((topic.partitions for topic in there.values()), default=PARTITIONS)
    wanted = {
        topic.name: {"num_partitions": count, "replication_factor": replicas, "configs": configs(topic, replicas)}
        for topic in TOPICS
        if topic.name not in there
    }
    if wanted:
        admin.create_topics(wanted, wait_for_metadata=True)
    done = [f"{name}: made, {count} partitions" for name in wanted]
    return done + [line for topic in there.values() for line in _repaired(admin, topic)] if repair else done


def differences(there: Mapping[str, Found], names: Iterable[str] = tuple(BY_NAME)) -> list[Difference]:
    """What the topics of these names lack, in the order of the table."""
    wanted = [BY_NAME[name] for name in names]
    return [found for topic in wanted for found in _missing(topic, there)] + [
        *_uneven([there[topic.name] for topic in wanted if topic.name in there]),
        *(found for topic in wanted if topic.name in there for found in _unlike(topic, there[topic.name])),
    ]


def other_copies(there: Mapping[str, Found], replicas: int) -> list[Difference]:
    """The topics that have another number of copies than is asked for; -1 asks for none. We cannot repair that: brokers must move data."""
    remedy = "give its partitions other brokers with kafka-reassign-partitions.sh, or delete the topic while it is empty and create it"
    return [
        Difference(
            topic.name, f"each partition has {topic.replicas} of {replicas} copies asked for", remedy, stops=False
        )
        for topic in there.values()
        if replicas > 0 and topic.replicas != replicas
    ]


def _missing(topic: Topic, there: Mapping[str, Found]) -> Iterator[Difference]:
    if topic.name not in there:
        yield Difference(topic.name, "is not there, or these credentials may not see it", CREATE)


def _uneven(there: list[Found]) -> Iterator[Difference]:
    counts = [topic.partitions for topic in there]
    usual = max(sorted(set(counts)), key=counts.count, default=0)
    for topic in there:
        if topic.partitions != usual:
            what = f"has {topic.partitions} partitions, the others have {usual}: what belongs to one change would meet in no one worker"
            remedy = f"stop all workers, let them finish, delete {topic.name}, then {CREATE}"
            yield Difference(topic.name, what, remedy)


def _unlike(topic: Topic, there: Found) -> Iterator[Difference]:
    for name, value in configs(topic, there.replicas).items():
        have = there.configs.get(name)
        if have is not None and not _enough(name, have, value):
            more = "at least " if name in AT_LEAST else ""
            stops = name in ("max.message.bytes", "cleanup.policy")
            yield Difference(topic.name, f"{name} is {have}, needed is {more}{value}", REPAIR, stops=stops)


def _enough(name: str, have: str, value: str) -> bool:
    if name not in AT_LEAST:
        return have == value
    return have == "-1" or (value != "-1" and int(have) >= int(value))


def _repaired(admin: KafkaAdminClient, there: Found) -> Iterator[str]:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415 - only with the packages of the extra

    wanted = configs(BY_NAME[there.name], there.replicas)
    wrong = {name: value for name, value in wanted.items() if not _enough(name, there.configs.get(name, value), value)}
    if wrong:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, there.name, wrong)])
    yield from (f"{there.name}: {name} = {value}" for name, value in wrong.items())


def _configs(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(configs(BY_NAME[name], 1), "")) for name in names
    ]
    said: dict[str, dict[str, Any]] = admin.describe_configs(asked, config_filter="all").get("topic", {})
    return {topic: {name: row["value"] for name, row in rows.items()} for topic, rows in said.items()}
