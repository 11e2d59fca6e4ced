"""Where the processor goes while changes pass through the Kafka engine: by process, and by function within our workers.

`python -m bench.streams_profile` samples both workers with py-spy (`pip install py-spy`; it has to be allowed to read other
processes, as root is) while a backlog passes, prints the dearest functions, and writes docs/images/streams-cpu.svg.
"""

import argparse
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.streams_ground import Ground, ground
from bench.streams_picture import Panel, svg
from bench.streams_pipeline import BOTH, Run, run, running
from bench.streams_rows import Circumstances

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/images/streams-cpu.svg"
COUNT = 3000  # changes
RATE = 250  # samples a second
LONGEST = 120  # seconds
SHOWN = 14
ENTRIES = {
    "take": "streams/engines/kafka",
    "_run_once": "asyncio",
    "sent": "streams/engines/kafka",
}  # where a stack begins to tell
WAITS = ("EpollSelector.select", "Connection.wait")  # what a sampler takes for work although it waits
Stacks = Counter[tuple[str, ...]]


class Profile(NamedTuple):
    """One worker: how often each stack was seen, outermost first."""

    role: str
    stacks: Stacks


def sampled(place: Ground, count: int) -> tuple[Run, list[Profile]]:
    """A backlog with samplers beside it, and before that one without, for what it costs."""
    with running(place, *BOTH) as backlog:
        backlog.through(count // 3)
        bare = run(place, backlog, count)
        outs = [place.folder / f"{role}.stacks" for role in BOTH]
        samplers = [sampler(worker.pid, out) for worker, out in zip(place.workers, outs, strict=True)]
        backlog.through(count)
    for one in samplers:
        one.wait(30)
    return bare, [Profile(role, read(out.read_text())) for role, out in zip(BOTH, outs, strict=True)]


def sampler(pid: int, out: Path) -> subprocess.Popen[bytes]:
    """py-spy beside a process, until that ends. Threads that wait are not seen."""
    program = shutil.which("py-spy", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if program is None:
        sys.exit("py-spy is not installed: pip install py-spy")
    words = [
        program,
        "record",
        "--pid",
        str(pid),
        "--output",
        str(out),
        "--format",
        "raw",
        "--function",
        "--rate",
        str(RATE),
    ]
    return subprocess.Popen([*words, "--duration", str(LONGEST), "--nonblocking"], stderr=subprocess.DEVNULL)


def read(text: str) -> Stacks:
    """Stacks from where they begin to tell, as `function (file:line)`."""
    found: Stacks = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if frames[-1] and not frames[-1].startswith(WAITS):
            found[told(frames)] += int(count)
    return found


def told(frames: Sequence[str]) -> tuple[str, ...]:
    """Without the threads' and the event loop's own beginnings."""
    starts = [at for at, frame in enumerate(frames) if ENTRIES.get(name(frame), "\0") in frame]
    kept = frames[min(starts) :] if starts else frames
    return tuple(short(frame) for frame in kept if "<" not in name(frame)) or (short(kept[-1]),)


def name(frame: str) -> str:
    return frame.partition(" (")[0].rpartition(".")[2]


def short(frame: str) -> str:
    """Paths as one would look for them."""
    called, _, place = frame.partition(" (")
    place = place.removesuffix(")")
    for mark in ("site-packages/", "lib/python3.11/", f"{Path.cwd()}/"):
        place = place.rpartition(mark)[2]
    return f"{called.replace('<locals>.', '')} ({place})"


def dearest(stacks: Stacks) -> Iterable[tuple[str, float, float]]:
    """Functions by their share with all that they call; their own share beside it."""
    total, own = sum(stacks.values()), Counter[str]()
    whole = Counter[str]()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        for frame in {*stack}:
            whole[frame] += count
    return [(frame, count / total, own[frame] / total) for frame, count in whole.most_common(SHOWN * 3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT, help="changes, default %(default)s")
    parser.add_argument("--output", type=Path, default=PICTURE)
    given, when = parser.parse_args(), Circumstances.now()
    with ground() as place:
        bare, profiles = sampled(place, given.count)
    for role, stacks in profiles:
        print(f"\n{role}: {sum(stacks.values())} samples; share with what is called, own share")
        for frame, whole, own in dearest(stacks):
            print(f"{whole:6.1%} {own:6.1%}  {frame}")
    panels = [Panel(role, bare.costs[role], stacks) for role, stacks in profiles]
    given.output.write_text(svg(panels, bare.costs, f"{when.date}, {when.machine}, load {when.load:.1f}"))
    print(f"\n{given.output}: {given.output.stat().st_size / 1024:.0f} KB; {bare.rate:,.0f} changes/s without samplers")


if __name__ == "__main__":
    main()
