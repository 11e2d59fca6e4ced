"""docs/asyncapi.json: the topics, their records and who sends and receives them, as AsyncAPI 3.0 (DESIGN 4)."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from rules.events import EVENTS, Event, type_name
from streams.cli import VERSION
from streams.engines.kafka.records.topics import DEAD_LETTERS, PARTITIONS, ROLES, TOPICS, Topic, configs
from streams.engines.kafka.records.wire import CONTENTS, JSON, TRACE

HEX: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
BINDING: Final = "0.5.0"
_SHOWN: Final[Mapping[str, Callable[[str], Any]]] = {
    "cleanup.policy": lambda text: [text],
    "retention.ms": int,
    "max.message.bytes": int,
}


def pages() -> dict[str, str]:
    return {"asyncapi.json": json.dumps(document(), indent=2) + "\n"}


def document() -> dict[str, Any]:
    """The whole document. Payloads are the JSON Schemas under docs/schema/."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "twohand",
            "version": VERSION,
            "description": "What twohand's hooks, workers and people tell each other on Kafka: CloudEvents 1.0 in binary mode.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {"trial": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "As `make broker` starts it."}},
        "channels": {_short(topic): _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in EVENTS} | {"DeadLetter": _dead_letter()},
            "schemas": {"Change": {**HEX, "description": "The change: key, subject and partition key of its records."}},
        },
    }  # fmt: skip


def _short(topic: Topic) -> str:
    return topic.name.removeprefix("twohand.")


def _names(topic: Topic) -> list[str]:
    return [kind.__name__ for kind in topic.kinds] or ["DeadLetter"]


def _channel(topic: Topic) -> dict[str, Any]:
    shown = {name: as_shown(configs(topic, 1)[name]) for name, as_shown in _SHOWN.items()}
    kafka = {"topic": topic.name, "partitions": PARTITIONS, "topicConfiguration": shown, "bindingVersion": BINDING}
    return {
        "address": topic.name,
        "description": topic.says,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {"kafka": kafka},
    }


def _operations(topic: Topic) -> dict[str, dict[str, Any]]:
    says = {role.name: role.says for role in ROLES}
    both = [("send", role) for role in topic.writers] + [("receive", role) for role in topic.readers]
    return {
        f"{role}-{action}s-{_short(topic)}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{_short(topic)}"},
            "summary": says[role],
            "messages": [{"$ref": f"#/channels/{_short(topic)}/messages/{name}"} for name in _names(topic)],
        }
        for action, role in both
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    name = type_name(kind)
    doc = (kind.__doc__ or "").partition("\n")[0]
    return {
        "name": name,
        "title": kind.__name__,
        "summary": "" if doc.startswith(f"{kind.__name__}(") else doc,
        "contentType": JSON,
        "headers": _headers(name, carries=kind.__name__ == "ChangeProposed"),
        "payload": {"$ref": f"schema/{name.removeprefix('dev.twohand.')}.json"},
        "bindings": {"kafka": {"key": dict(HEX), "bindingVersion": BINDING}},
    }


def _headers(name: str, *, carries: bool) -> dict[str, Any]:
    change = {"$ref": "#/components/schemas/Change"}
    needed: dict[str, Any] = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "const": name},
        "ce_id": {**HEX, "description": "sha256 of type and canonical body: the same fact has the same id."},
        "ce_source": {"type": "string", "description": "The repository."},
        "ce_subject": change,
        "ce_partitionkey": change,
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": JSON},
    }
    packed = {"type": "string", "contentEncoding": "binary", "description": "Contents by object id, one zstd frame."}
    free = {header: {"type": "string"} for header in TRACE} | ({CONTENTS: packed} if carries else {})
    return {"type": "object", "required": list(needed), "properties": needed | free}


def _dead_letter() -> dict[str, Any]:
    return {
        "name": DEAD_LETTERS,
        "title": "DeadLetter",
        "summary": "A record as it came, with headers that say where it lay and why it could not be handled.",
        "headers": {"type": "object"},
        "payload": {"description": "Any bytes, or none."},
    }
