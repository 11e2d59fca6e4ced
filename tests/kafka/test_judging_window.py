"""Records that take minutes: several at once, acknowledged in order, never twice, and no standstill while one is waited for."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from streams.engines.kafka.workers import window as windows
from streams.engines.kafka.workers.watchdog import Pulse
from streams.engines.kafka.workers.window import Slow, Window
from streams.settings import Settings


class Work:
    """Each record is done when the test says so."""

    role, group, topics, seconds = "reviewer", "twohand-reviewer-third", ("twohand.changes",), 5.0

    def __init__(self, at_once: int = 3) -> None:
        self.at_once = at_once
        self.begun: dict[int, asyncio.Event] = {}

    def open(self) -> None:
        """Nothing."""

    async def handle(self, origin):
        self.begun[origin.offset] = asyncio.Event()
        await self.begun[origin.offset].wait()
        return []

    def close(self) -> None:
        """Nothing."""


class Stage:
    """A window, and records of partition 0 unless told otherwise; `acknowledged` are their offsets."""

    def __init__(self, at_once: int = 3) -> None:
        self.work, self.pulse = Work(at_once), Pulse()
        assert isinstance(self.work, Slow)
        self.window = Window(self.work, Settings(), self.pulse)
        self.acknowledged: list[int] = []

    def record(self, offset: int, key: bytes = b"", partition: int = 0) -> Any:
        message = SimpleNamespace(
            topic="twohand.changes", partition=partition, offset=offset, key=key or b"%d" % offset, value=b"", headers=[],
            tp=partition, timestamp=0.0,
        )  # fmt: skip
        return SimpleNamespace(message=message, ack=lambda: self.acknowledged.append(offset))

    async def admit(self, *offsets: int) -> None:
        for offset in offsets:
            await self.window.admit(self.record(offset))
        await settled()

    async def finish(self, *offsets: int) -> None:
        for offset in offsets:
            self.work.begun[offset].set()
        await settled()


async def settled() -> None:
    """Until nobody has anything to do but to wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def played(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_what_is_done_is_acknowledged_in_order():
    """The second and third are done before the first: nothing is committed past it."""

    async def story() -> None:
        stage = Stage()
        await stage.admit(0, 1, 2)
        await stage.finish(2, 1)
        assert stage.acknowledged == []
        await stage.finish(0)
        assert stage.acknowledged == [0, 1, 2]
        await stage.window.close()

    played(story())


def test_one_change_waits_for_itself():
    """Its second record begins when the first is done; that of another change does not wait."""

    async def story() -> None:
        stage = Stage()
        for offset, key in enumerate((b"same", b"same", b"other")):
            await stage.window.admit(stage.record(offset, key))
        await settled()
        assert set(stage.work.begun) == {0, 2}
        await stage.finish(0)
        assert set(stage.work.begun) == {0, 1, 2}
        await stage.window.close()

    played(story())


def test_no_more_than_there_is_room_for():
    """The next one begins when one is done, whichever."""

    async def story() -> None:
        stage = Stage(at_once=2)
        await stage.admit(0, 1)
        third = asyncio.create_task(stage.admit(2))
        await settled()
        assert set(stage.work.begun) == {0, 1}
        await stage.finish(1)
        await third
        assert set(stage.work.begun) == {0, 1, 2}
        await stage.window.close()

    played(story())


def test_what_was_taken_away_is_not_acknowledged():
    """After a rebalance what was under way, or waited for a place, comes again: only that is acknowledged."""

    async def story() -> None:
        stage = Stage(at_once=1)
        await stage.admit(4)
        waiting = asyncio.create_task(stage.admit(5))
        await settled()
        await stage.window.revoked("app", {0})
        await stage.finish(4)
        await waiting
        assert (stage.acknowledged, set(stage.work.begun)) == ([], {4})
        await stage.admit(4)
        await stage.finish(4)
        assert stage.acknowledged == [4]
        await stage.window.close()

    played(story())


@pytest.mark.parametrize(("seconds", "beats"), [(5.0, True), (-1.0, False)])
def test_a_worker_that_waits_for_a_model_lives(monkeypatch, seconds, beats):
    """Within its time a call counts as something done; behind it the watchdog may end the worker."""
    monkeypatch.setattr(windows, "BEAT", 0.001)

    async def story() -> None:
        stage = Stage()
        stage.work.seconds = seconds
        await stage.admit(0)
        stage.pulse.last = 0.0
        await asyncio.sleep(0.05)
        assert (stage.pulse.last > 0) is beats
        await stage.window.close()

    played(story())
