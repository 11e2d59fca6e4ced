"""The faults themselves: each breaks something under a flow of changes, and tells when it was over (docs/kafka.md, "Faults")."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

import psycopg

from streams.engines.kafka.records.wire import Record
from tests.kafka import fault_disk, fault_rights
from tests.kafka.fault_changes import Change, records
from tests.kafka.fault_court import Verdict
from tests.kafka.fault_scene import ALL, FULL, SMALL, Fault, Happened, Scene, Size

__all__ = ["ALL", "FAULTS", "FULL", "LONG", "SMALL", "Row", "Scene", "Size", "suffered"]
SEED = 20261121
YEAR = 365 * 86_400  # seconds
HUGE = 8_380_000  # bytes of contents, as many as a proposal carries
SESSION = 10  # seconds after which a silent worker has lost its partitions


def killed(name: str, **more: str) -> Fault:
    """kill -9 of a worker in the middle; it is started again at once."""

    def happens(scene: Scene) -> Happened:
        changes = scene.several(**more)
        with scene.flow(changes) as passed:
            for kill in range(scene.size.kills):
                passed((kill + 1) / (scene.size.kills + 1))
                scene.ground.kill(name)
                over = time.monotonic()
        return changes, over

    return happens


def asked(scene: Scene) -> Happened:
    """kill -9 of the escalator while deadlines pass: each passes once, and everything that nobody looked at is escalated."""
    return killed("escalate", deadline="0s")(scene)


def rolled(scene: Scene) -> Happened:
    """SIGTERM of one worker after the other; each has ended by itself before it is started again."""
    changes = scene.several()
    with scene.flow(changes) as passed:
        passed(0.2)
        for name in ALL:
            codes = scene.ground.end(name)
            assert codes == [0], (name, codes, scene.ground.log(name.partition("/")[0])[-2000:])
            scene.ground.begin(name)
        over = time.monotonic()
    return changes, over


def broker_away(scene: Scene) -> Happened:
    """kill -9 of the broker, and a while without it, in which nobody who needs it is ready."""
    changes, names = scene.several(), ("rules/one", "decide/one")
    with scene.flow(changes) as passed:
        passed(0.4)
        scene.ground.broker.kill()
        scene.ground.wait(lambda: not any(scene.ground.mark(name).exists() for name in names), 20)
        scene.ground.until(lambda: False, scene.size.away)
        scene.ground.broker.start()
        over = time.monotonic()
    return changes, over


def database_restarted(scene: Scene) -> Happened:
    """The database ends while the decider's transaction is open: it has written, and waits for a row that we hold."""
    changes = scene.several()
    with scene.flow(changes) as passed, psycopg.connect(scene.ground.store) as ours:
        ours.execute("insert into change (id) values (%s)", (changes[0].id,))
        scene.ground.wait(lambda: _waits(scene.ground.store), 20)
        passed(0.5)
        scene.ground.postgres.restart()
        over = time.monotonic()
        ours.close()
    return changes, over


def _waits(url: str) -> bool:
    asked = "select 1 from pg_stat_activity where application_name = 'twohand' and wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as database:
        return bool(database.execute(asked).fetchall())


def repeated(scene: Scene) -> Happened:
    """Everything twice and in any order, statements long after the changes that name them, and all of it again at the end."""
    changes, random = scene.several(), Random(SEED)
    late = [record for one in changes for record in one.spoken]
    early = [one.proposal for one in changes for _ in range(2)]
    with scene.ground.flow(random.sample(early, len(early)), scene.size.rate):
        pass
    scene.ground.wait(lambda: scene.court.decided([one for one in changes if not one.said]), scene.size.patience)
    assert not scene.court.made([one for one in changes if one.said])
    over, again = time.monotonic(), [*late, *records(changes)]
    with scene.ground.flow(late + random.sample(again, len(again)), 2 * scene.size.rate):
        pass
    return changes, over


def reassigned(scene: Scene) -> Happened:
    """Second workers join and leave: partitions move there and back while changes flow."""
    changes = scene.several(2)
    with scene.flow(changes) as passed:
        passed(0.2)
        scene.ground.start("rules", "decide")
        passed(0.7)
        codes = scene.ground.end("rules", "decide")
        over = time.monotonic()
    assert codes == [0, 0], codes
    return changes, over


def two_clocks(scene: Scene) -> Happened:
    """A second decider hears everything, too, from the first day on, and its clock is a year behind, then a year ahead.

    To a clock that is behind an approval lies in the future and does not count; handed in again, the change is decided anew.
    """
    changes = [one._replace(once=one.outcome != "admitted") for one in scene.several()]
    fault_rights.second_decider(scene, skew := scene.ground.folder / "skew")
    with scene.flow(changes) as passed:
        for share, seconds in ((0.1, -YEAR), (0.4, YEAR)):
            passed(share)
            skew.write_text(str(seconds))
        os.kill(scene.ground.workers["decide/one"].pid, signal.SIGSTOP)  # from here on the other one decides
        passed(0.8)
        os.kill(scene.ground.workers["decide/one"].pid, signal.SIGCONT)
    scene.ground.wait(lambda: not scene.court.unheard(), scene.size.patience)
    scene.ground.wait(lambda: len({one.at[:4] for one in scene.court.made(changes)}) > 1, 20)  # both have decided
    skew.write_text("0")
    over = time.monotonic()
    scene.ground.send(*(one.proposal for one in changes))
    return changes, over


def stood_still(scene: Scene) -> Happened:
    """A worker that is stopped for longer than its session loses its partitions to another, and wakes up in the middle."""
    changes = scene.several(2)
    scene.ground.start("decide/two")
    with scene.flow(changes) as passed:
        passed(0.1)
        pid = scene.ground.workers["decide/one"].pid
        os.kill(pid, signal.SIGSTOP)
        scene.ground.until(lambda: False, SESSION + 3)
        os.kill(pid, signal.SIGCONT)
        over = time.monotonic()
    return changes, over


def poisoned(scene: Scene) -> Happened:
    """What nobody can read, 12 MiB of it among it, and the largest change that is carried: approved or not, what is spoilt is blocked."""
    changes = scene.several()
    spoilt = [one._replace(outcome="blocked", once=False, spoilt=True) for one in changes[:5]]
    torn = spoilt[0].proposal
    rubbish = [Record("twohand.changes", b"x", b"{", ()), Record("twohand.trust", b"", None, ())]
    for number, one in enumerate(spoilt[1:]):
        key, headers = one.id.encode(), torn.headers if number % 2 else ()
        rubbish.append(
            Record("twohand.changes", key, Random(number).randbytes(12 << 20) if number == 3 else b"{", headers)
        )
    torn = torn._replace(
        headers=tuple((name, b"no frame" if name == "twohand_contents" else value) for name, value in torn.headers)
    )
    huge = scene.author.one("approve", Random(SEED).randbytes(HUGE))
    with scene.ground.flow([*rubbish, torn, *records([*spoilt[1:], huge, *changes[5:]])], scene.size.rate):
        over = time.monotonic()
    return [*spoilt, huge, *changes[5:]], over


FAULTS: Mapping[str, Fault] = {
    "kill -9 of rules": killed("rules/one"),
    "kill -9 of decide": killed("decide/one"),
    "kill -9 of escalate": asked,
    "SIGTERM, one worker after the other": rolled,
    "kill -9 of the broker": broker_away,
    "database restarted in a transaction": database_restarted,
    "repeated, reordered, late": repeated,
    "partitions reassigned": reassigned,
    "two deciders, a clock that jumps": two_clocks,
    "no room under the journal": fault_disk.full,
    "poison and 12 MiB": poisoned,
    "a topic missing, then cut otherwise": fault_rights.misconfigured,
    "rights revoked": fault_rights.revoked,
    "credentials refused": fault_rights.refused,
}
LONG: Mapping[str, Fault] = {"a decider that stood still": stood_still}  # a session has to end: only at full size


class Row(NamedTuple):
    """What came of a fault. `seconds`: from when it was over until everything was decided."""

    fault: str
    verdict: Verdict
    seconds: float


def suffered(scene: Scene, name: str) -> tuple[Row, Sequence[Change]]:
    """Let a fault happen, wait until all is whole again, and judge. Workers that only it needed are ended."""
    changes, over = {**FAULTS, **LONG}[name](scene)
    scene.ground.until(lambda: scene.court.settled(changes), scene.size.patience)
    seconds = time.monotonic() - over
    scene.ground.end(*(scene.ground.workers.keys() - set(ALL)))
    return Row(name, scene.court.verdict(changes), seconds), changes
