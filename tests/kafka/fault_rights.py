"""What a worker may not do, or cannot: topics that are not as they should be, rights and credentials that are taken away, a second decider."""

import time
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from tests.kafka.fault_ground import Ground
from tests.kafka.fault_scene import Happened, Scene

SECOND = """
import sys
from pathlib import Path
from rules import instants
from streams import clock, logs
from streams.engines.kafka.workers.deciding import Deciding
from streams.engines.kafka.workers.worker import run
from streams.settings import parse

settings, ready, skew = map(Path, sys.argv[1:])
known = parse(settings.read_text(), "settings.toml")
work = Deciding(known.store, lambda: instants.later(clock.now(), int(skew.read_text())))
work.group += "-second"
work.open()
run(work, known, ready=ready)
"""
RIGHTS = {
    "decide/one": ("decider", "WRITE", "twohand.decisions"),
    "rules/one": ("reviewer", "READ", "twohand.changes"),
}
DENIED = {
    "decide/one": "TopicAuthorizationFailedError: twohand.decisions",
    "rules/one": "The worker cannot go on: TopicAuthorizationFailedError",
}


def second_decider(scene: Scene, skew: Path) -> None:
    """One in a consumer group of its own, over the same store; `skew` is a file with the seconds by which its clock is wrong."""
    skew.write_text("0")
    ground = scene.ground
    ready = ground.mark("decide/second")
    ground.begin("decide/second", ("-c", SECOND, str(ground.settings("decider")), str(ready), str(skew)))
    ground.ready("decide/second")


def misconfigured(scene: Scene) -> Happened:
    """A topic is not there, then has another number of partitions: the decider refuses to start, says why, and nothing is lost."""
    ground, changes = scene.ground, scene.several()
    assert ground.end("decide/one") == [0]
    with scene.flow(changes):
        ground.broker.delete("twohand.trust")
        starts_not(ground, "twohand.trust is not there")
        admin = ground.broker.admin()
        admin.create_topics({"twohand.trust": {"num_partitions": 5, "replication_factor": 1}}, wait_for_metadata=True)
        admin.close()
        starts_not(ground, "twohand.trust has 5 partitions")
        ground.broker.delete("twohand.trust")
        ground.make_topics()
        ground.begin("decide/one")
        over = time.monotonic()
    return changes, over


def starts_not(ground: Ground, why: str) -> None:
    """The decider ends with exit code 2 and this sentence."""
    worker = ground.begin("decide/one")
    del ground.workers["decide/one"]
    ground.wait(lambda: not worker.alive, 60)
    assert (worker.code, why in ground.log("decide")) == (2, True), ground.log("decide")[-2000:]


def revoked(scene: Scene) -> Happened:
    """Rights to write decisions and to read changes are taken away from workers that run, and given back.

    A worker ends with exit code 1 and a sentence, or with 2 where it is started again and may not see its topic.
    """
    ground, changes = scene.ground, scene.several()
    ground.ended.clear()
    with scene.flow(changes) as passed:
        passed(0.3)
        try:
            for name, right in RIGHTS.items():
                deny(ground, right)
                ground.wait(lambda name=name: name in ground.ended, 60)
        finally:
            deny(ground, *RIGHTS.values(), no_more=True)
        over = time.monotonic()
    for name, why in DENIED.items():
        assert why in ground.log(name.partition("/")[0]), ground.log(name.partition("/")[0])[-3000:]
    assert {code for codes in ground.ended.values() for code in codes} <= {1, 2}, ground.ended
    return changes, over


def deny(ground: Ground, *rights: tuple[str, str, str], no_more: bool = False) -> None:
    """Refuse a role an operation on a topic, or no more."""
    admin = ground.broker.admin()
    for role, operation, topic in rights:
        rule = (f"User:twohand-{role}", "*", ACLOperation[operation], ACLPermissionType.DENY)
        pattern = ResourcePattern(ResourceType.TOPIC, topic)
        if no_more:
            admin.delete_acls([ACLFilter(*rule, pattern)])
        else:
            admin.create_acls([ACL(*rule, pattern)])
    admin.close()


def refused(scene: Scene) -> Happened:
    """The broker comes back with other passwords for workers that run, and later with those that they have.

    Meanwhile they are not ready, and say why.
    """
    ground, changes, names = scene.ground, scene.several(), ("rules/one", "decide/one")
    for name in names:
        ground.ready(name)
    with scene.flow(changes) as passed:
        passed(0.3)
        before = {name: said(ground, name) for name in names}
        ground.passwords("twohand-decider", "twohand-reviewer")
        try:
            ground.wait(lambda: all(said(ground, name) > before[name] for name in names), 60)
            ground.wait(lambda: not any(ground.mark(name).exists() for name in names), 60)
            ground.until(lambda: False, scene.size.away)
        finally:
            ground.passwords()
        over = time.monotonic()
    return changes, over


def said(ground: Ground, name: str) -> int:
    """How often a worker said that it was refused, while it runs or before it begins."""
    log = ground.log(name.partition("/")[0])
    return log.count("Authentication failed") + log.count("with SASL PLAIN")
