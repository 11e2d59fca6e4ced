"""The topics, as one table: which events, who writes, who reads, how long, how large (DESIGN 4).

Powers are separated by topic, so that a broker's ACLs can enforce it. The key is the change id everywhere and partition counts
are equal, so all that is said about one change meets in one worker, in order. Nothing is compacted: each record is a fact of
its own, and a later one with the same key replaces none. The long record is the case store; topics carry.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from rules.events import (
    CanaryPlanted,
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DeadlinePassed,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    Event,
    ReviewerRestored,
    ReviewerSuspended,
    ReviewGiven,
    WaiverGranted,
)
from streams.engines.kafka.records.wire import MAX_RECORD

PARTITIONS: Final = 8  # of every topic, unless `topics create` is told otherwise; never raised in place
SPARE: Final = 64 << 10  # bytes that Kafka adds to a record, amply
MAX_REQUEST: Final = 14 << 20  # `max_request_size` of every producer of ours, kafka-python's and aiokafka's
DAY: Final = 86_400_000  # milliseconds
FOR_EVER: Final = 0
DEAD_LETTERS: Final = "twohand.dead-letters"


class Topic(NamedTuple):
    """`writers` and `readers` are roles; `days` is how long records are kept, FOR_EVER or a number; `bytes` bounds a record."""

    name: str
    kinds: tuple[type[Event], ...]
    says: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    days: int
    bytes: int = MAX_RECORD + SPARE


class Role(NamedTuple):
    """Who speaks with the broker, with credentials of its own. `joins`: as a member of consumer groups that begin with its name."""

    name: str
    says: str
    joins: bool = False


CONSUMERS: Final = ("reviewer", "decider", "keeper")
ROLES: Final = (
    Role("source", "hooks, forges and CI: `submit`, `gate`, and who plants canaries"),
    Role("gateway", "what receives signed statements of people"),
    Role("relay", "the carrier between a local journal and the topics"),
    Role("reviewer", "a worker that reviews: rules, or one model", joins=True),
    Role("decider", "the worker that decides", joins=True),
    Role("escalator", "the worker that asks people and watches deadlines: it reads the case store and no topic"),
    Role("keeper", "planned, nobody runs as it yet: the worker that suspends and restores reviewers", joins=True),
    Role("viewer", "pages, metrics and people who look; writes nothing"),
)
TOPICS: Final = (
    Topic(
        "twohand.changes",
        (ChangeProposed, ChangeMerged, ChangeWithdrawn, CanaryPlanted),
        "What was proposed, what became of it. A proposal may carry its contents, so these records are the large ones.",
        writers=("source", "relay"),
        readers=("relay", "reviewer", "decider", "keeper", "viewer"),
        days=90,
    ),
    Topic(
        "twohand.reviews",
        (ReviewGiven, WaiverGranted),
        "What each reviewer saw, and signed statements. A right to write here is not an identity: the decider verifies.",
        writers=("reviewer", "gateway", "relay"),
        readers=("source", "relay", "decider", "keeper", "viewer"),
        days=400,
    ),
    Topic(
        "twohand.decisions",
        (DecisionMade,),
        "Decisions, whole, with their reasons.",
        writers=("decider",),
        readers=("source", "gateway", "relay", "keeper", "viewer"),
        days=400,
    ),
    Topic(
        "twohand.escalations",
        (EscalationOpened, EscalationAcknowledged, EscalationResolved, DeadlinePassed),
        "Questions to people, their answers, and deadlines that passed. Answers come from where people give them: a relay's.",
        writers=("escalator", "relay"),
        readers=("source", "gateway", "relay", "decider", "viewer"),
        days=400,
    ),
    Topic(
        "twohand.trust",
        (ReviewerSuspended, ReviewerRestored),
        "Which reviewers lost or regained their vote. Kept for ever: a suspension must not lapse by retention.",
        writers=("keeper",),
        readers=("relay", "reviewer", "decider", "viewer"),
        days=FOR_EVER,
    ),
    Topic(
        DEAD_LETTERS,
        (),
        "What could not be handled, as it came, with where it came from and why. Its change is blocked.",
        writers=CONSUMERS,
        readers=("source", "decider", "viewer"),
        days=90,
        bytes=MAX_RECORD + (1 << 20),
    ),
)
BY_NAME: Final[Mapping[str, Topic]] = {topic.name: topic for topic in TOPICS}


def group(role: str, name: str = "") -> str:
    """The consumer group, and Faust app id, of a worker: `twohand-reviewer-rules`, `twohand-decider`."""
    return f"twohand-{role}-{name}" if name else f"twohand-{role}"


def of_role(role: str) -> tuple[str, ...]:
    """The topics that a role reads or writes: those that it has to find before it starts."""
    return tuple(topic.name for topic in TOPICS if role in (*topic.writers, *topic.readers))


def configs(topic: Topic, replicas: int) -> dict[str, str]:
    """The topic's settings on the broker. Retention counts from the broker's clock, whatever time a client claims."""
    return {
        "cleanup.policy": "delete",
        "compression.type": "producer",
        "max.message.bytes": str(topic.bytes),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2" if replicas > 2 else "1",
        "retention.bytes": "-1",
        "retention.ms": str(topic.days * DAY or -1),
        "unclean.leader.election.enable": "false",
    }
