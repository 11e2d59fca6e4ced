"""What a model's review costs besides the model: beside the bare client's call, many at once, and until Ctrl-C is obeyed.

`python -m bench.judges` asks a scripted server on loopback. Budgets: 10 ms a review of a 100 KB diff over the bare call;
200 at once against 2 s of latency within 1.3 x 2 s and 300 MB.
"""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Awaitable, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

from reviewers.judging import Endpoint, Limits, Question
from reviewers.request import asked
from reviewers.sheets import sheets
from rules.rule import Diff
from streams.judges.client import judge
from streams.judges.lines import Lines
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer

LIMITS = Limits(part=1 << 20, parallel=1000, tokens_in=10_000_000)
MANY, LATENCY = 200, 2.0


def question(size: int) -> Question:
    """A change whose diff has about `size` bytes: ten files, every fourth line of them edited."""
    files = []
    for number in range(10):
        before = [f"    value_{at} = compute(first, second, {at})" for at in range(size // 750)]
        after = [line.replace("compute", "reckon") if at % 4 == 0 else line for at, line in enumerate(before)]
        files.append(Diff(f"src/part{number}.py", "\n".join(before), "\n".join(after)).blobs())
    return Question("k" * 64, tuple(files))


class Call(NamedTuple):
    """Milliseconds of one call: on the clock, and of our processor."""

    wall: float
    busy: float


async def once(endpoint: Endpoint) -> tuple[Call, Call, int]:
    """A bare call and a review with the same request, medians; bytes of the diff."""
    change = question(100_000)
    request = asked(sheets(change.blobs, LIMITS.part).parts, endpoint, "seed").requests[0]
    async with Lines() as lines:
        client = lines.line(endpoint).client
        bare, ours = [], []
        for _ in range(41):
            bare.append(await timed(client.chat.completions.with_raw_response.create(**request.payload)))
            ours.append(await timed(judge(change, endpoint, deadline_seconds=60, lines=lines)))
    return middle(bare), middle(ours), len(request.payload["messages"][1]["content"])


async def timed(call: Awaitable[object]) -> Call:
    """How long it takes."""
    begun, busy = perf_counter(), process_time()
    await call
    return Call((perf_counter() - begun) * 1e3, (process_time() - busy) * 1e3)


def middle(calls: Sequence[Call]) -> Call:
    """The medians."""
    return Call(median(call.wall for call in calls), median(call.busy for call in calls))


async def many(endpoint: Endpoint) -> tuple[float, float, float, int]:
    """For 200 at once: seconds of bare calls, seconds of reviews and their processor time, and how many approved."""
    change = question(20_000)
    request = asked(sheets(change.blobs, LIMITS.part).parts, endpoint, "seed").requests[0]
    async with Lines() as lines:
        client = lines.line(endpoint).client
        begun = perf_counter()
        calls = (client.chat.completions.with_raw_response.create(**request.payload) for _ in range(MANY))
        await asyncio.gather(*calls)
        bare = perf_counter() - begun
        begun, busy = perf_counter(), process_time()
        reviews = (judge(change, endpoint, deadline_seconds=60, lines=lines) for _ in range(MANY))
        verdicts = await asyncio.gather(*reviews)
        approved = sum(verdict.verdict == "approve" for verdict in verdicts)
        return bare, perf_counter() - begun, process_time() - busy, approved


async def cancelled(endpoint: Endpoint) -> float:
    """Milliseconds from the cancellation of 200 reviews that wait to the end of the last."""
    change = question(20_000)
    async with Lines() as lines:
        tasks = [asyncio.create_task(judge(change, endpoint, deadline_seconds=60, lines=lines)) for _ in range(MANY)]
        await asyncio.sleep(1.5)
        begun = perf_counter()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return (perf_counter() - begun) * 1e3


def measured(work: str, url: str) -> None:
    """In a process of its own, so that the server's memory is not counted."""
    endpoint = Endpoint(url, "qwen3-coder", limits=LIMITS)
    if work == "once":
        bare, ours, size = asyncio.run(once(endpoint))
        head = f"a review, diff of {size // 1000} KB, over a bare call"
        print(f"{head:46}{ours.wall - bare.wall:8.1f} ms, processor {ours.busy - bare.busy:.1f} ms")
        print(f"{'  the review, the bare call':46}{ours.wall:8.1f} ms, {bare.wall:.1f} ms")
    elif work == "many":
        bare, seconds, busy, approved = asyncio.run(many(endpoint))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        head = f"{MANY} at once, latency {LATENCY:g} s"
        print(f"{head:46}{seconds:8.2f} s, {seconds / LATENCY:.2f} x ideal, {approved} approved, {peak} MB")
        print(f"{'  of it busy; the same in bare calls':46}{busy:8.2f} s, bare {bare:.2f} s")
    else:
        print(f"{f'until {MANY} waiting reviews are cancelled':46}{asyncio.run(cancelled(endpoint)):8.1f} ms")


def main() -> None:
    for work, delay in (("once", 0), ("many", LATENCY), ("cancelled", 60.0)):
        with ScriptedServer([Rule(delay_ms=int(delay * 1000))]) as server:
            subprocess.run([sys.executable, "-m", "bench.judges", work, server.url], check=True)


if __name__ == "__main__":
    measured(*sys.argv[1:]) if len(sys.argv) > 1 else main()
