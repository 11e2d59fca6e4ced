"""What an endpoint can do, found by asking it about a change of ours: how it takes the shape of an answer, and as which model."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from reviewers.judging import Mode, Question, Status
from rules.change import ABSENT, FileChange
from rules.lineage import declared
from rules.rule import Blobs

if TYPE_CHECKING:
    from reviewers.judging import Endpoint, Verdict
    from streams.judges.roster import Called

OLD = b"def discount(price, percent):\n    if percent > 100:\n        raise ValueError(percent)\n    return price\n"
NEW = b"def discount(price, percent):\n    return price - price * percent / 100\n"
SKEW = 60  # seconds between two clocks that are worth a word
DEADLINE = 60.0  # seconds for one mode, at most


class Tried(NamedTuple):
    """One mode of structured output. `works`: the answer was one of ours, byte for byte checked."""

    mode: str
    works: bool
    status: str
    why: str
    seconds: float
    tokens: int


class Found(NamedTuple):
    """What a probe found. `skew`: seconds that the endpoint's clock is ahead, None where it tells no time."""

    name: str
    host: str
    asked: str
    reported: str
    mismatch: str
    maker: str
    family: str
    modes: tuple[Tried, ...]
    configured: str
    counts_tokens: bool
    skew: int | None

    @property
    def usable(self) -> bool:
        """Whether the mode of the settings works, with a model that is known to be the declared one."""
        works = any(one.works for one in self.modes if one.mode == self.configured)
        return works and not self.mismatch and bool(self.reported and self.maker)


def probe(called: Called) -> Found:
    """Ask once in each mode. Never raises but for interruption: what fails is told."""
    return asyncio.run(_probed(called))


async def _probed(called: Called) -> Found:
    from streams.judges.client import judge  # noqa: PLC0415 - a third of a second
    from streams.judges.lines import Lines  # noqa: PLC0415

    reviewer, endpoint = called.reviewer, called.endpoint
    tried: list[Tried] = []
    verdicts: list[Verdict] = []
    deadline = min(float(reviewer.timeout), DEADLINE)
    async with Lines() as lines:
        skew = await _skew(endpoint)
        for mode in Mode:
            started = time.monotonic()
            verdict = await judge(question(), endpoint._replace(mode=mode), deadline_seconds=deadline, lines=lines)
            verdicts.append(verdict)
            tried.append(_tried(mode, verdict, time.monotonic() - started))
    reported = next((verdict.reported_model for verdict in verdicts if verdict.reported_model), "")
    lineage = declared(reviewer.lineage, reviewer.maker, reviewer.family)
    return Found(
        reviewer.name, urlsplit(endpoint.url).netloc, endpoint.model, reported,
        next((verdict.mismatch for verdict in verdicts if verdict.mismatch), ""), lineage.maker, lineage.family,
        tuple(tried), reviewer.mode, any(verdict.tokens_exact for verdict in verdicts), skew,
    )  # fmt: skip


def question() -> Question:
    """A change of ours that loses a check."""
    file = FileChange("shop/discount.py", "100644", "1" * 40, "100644", "2" * 40, 1, 3)
    assert ABSENT not in (file.old_mode, file.new_mode)
    return Question("0" * 64, (Blobs(file, OLD, NEW),))


def _tried(mode: Mode, verdict: Verdict, seconds: float) -> Tried:
    works = verdict.status is Status.COMPLETED
    return Tried(
        mode.value, works, verdict.status.value, verdict.why, round(seconds, 2), verdict.tokens_in + verdict.tokens_out
    )


async def _skew(endpoint: Endpoint) -> int | None:
    """How far the endpoint's clock is ahead of ours, by the Date of its answer to anything."""
    from streams.judges.wire import open_client  # noqa: PLC0415

    client = open_client(endpoint)
    try:
        async with asyncio.timeout(10), client:
            response: Any = await client.models.with_raw_response.list()
            return round(parsedate_to_datetime(response.headers["date"]).timestamp() - time.time())
    except Exception:  # noqa: BLE001 - without a Date there is nothing to compare
        return None
