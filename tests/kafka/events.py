"""Events of small changes, for tests of the Kafka engine: made, not read from git."""

from hashlib import sha1, sha256

from rules.change import ABSENT, FileChange, content_key
from rules.events import ChangeProposed, LawText, ReviewGiven
from streams.engines.kafka.records.contents import bounded
from streams.engines.kafka.records.dead_letters import Origin
from streams.engines.kafka.records.wire import Record, encode

NOON = "2026-11-21T12:00:00Z"
POLICY = """version = 1
repository = "example/shop"
[[requirement]]
name = "a hand"
approvals = 1
from = ["human"]
[owners]
fallback = ["bob"]
[escalation]
deadline = "2m"
[people.bob]
emails = ["bob@example.com"]
keys = ["{key}"]
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKOqb3oMCFdZuTULDwBKdbZk6tmuyyHZgZw3tYyLXB8"


def blob(data: bytes) -> str:
    """Git's id."""
    return sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()


def proposed(number: int, data: bytes = b"print(1)\n", key: str = KEY, **more: object) -> ChangeProposed:
    """A change that adds one file. Another `number` is another change."""
    name = sha256(b"change %d" % number).hexdigest()
    files = (FileChange(f"{number}/a.py", ABSENT, "0" * 40, "100644", blob(data), data.count(b"\n"), 0),)
    said = {
        "repository": "example/shop", "target": "refs/heads/main", "base": "b" * 40, "head": "c" * 40, "at": NOON,
        "laws": (LawText("default", "twohand.toml", POLICY.format(key=key)),), "read_from": ("refs (0)",), **more,
    }  # fmt: skip
    said = {"files": files, **said}
    key = content_key(str(said["repository"]), str(said["target"]), said["files"])
    return ChangeProposed(change=name, **{"content_key": key, **said})


def carried(event: ChangeProposed, data: bytes = b"print(1)\n") -> Record:
    """The record of a proposal with its content."""
    fitting, packed = bounded(event, {blob(data): data})
    return encode(fitting, "example/shop", packed=packed)


def rules(event: ChangeProposed, **more: object) -> ReviewGiven:
    """What the rules say of a harmless change."""
    return ReviewGiven(change=event.change, content_key=event.content_key, reviewer="rules", at=event.at, **more)


def origins(*records: Record, start: int = 0) -> list[Origin]:
    """As if read from one partition, one after the other."""
    return [Origin(record, 0, offset) for offset, record in enumerate(records, start)]
