"""Workers for the audit: processes that read batches of commits; their answers come back in the order of the batches."""

import gc
import os
import queue
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import cycle, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from streams.audit.asked import Answer, Plan, Task
from streams.audit.reading import Reader
from streams.sources.errors import SourceError
from streams.sources.git import Repository

AHEAD = 2  # batches that a worker has before it answers the first
MOST = 8  # workers


class WorkerDied(SourceError):
    """A worker ended without its answer."""

    exit_code = 3


class _Worker(NamedTuple):
    process: subprocess.Popen[bytes]
    link: Connection


def count() -> int:
    """How many processors this process may use."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST)


def read(
    repo: Repository, plan: Plan, batches: Iterable[Sequence[Task]], *, workers: int
) -> Iterator[tuple[int, Answer]]:
    """How large each batch was and the answer to it, in order. With one worker or less everything happens here. Errors: WorkerDied."""
    if workers < 2:
        with Reader(repo, plan) as reader:
            yield from ((len(batch), reader.answer(batch)) for batch in batches)
        return
    with ExitStack() as stack:
        crew = [_hired(stack, repo.git_dir, plan) for _ in range(workers)]
        yield from _in_turn(crew, iter(batches))


def _in_turn(crew: Sequence[_Worker], batches: Iterator[Sequence[Task]]) -> Iterator[tuple[int, Answer]]:
    waiting: deque[tuple[int, _Worker]] = deque()
    turns = cycle(crew)
    for batch in islice(batches, len(crew) * AHEAD):
        waiting.append(_given(next(turns), batch))
    while waiting:
        size, worker = waiting.popleft()
        answer = _answer(worker)
        for batch in islice(batches, 1):
            waiting.append(_given(worker, batch))
        yield size, answer


def _given(worker: _Worker, batch: Sequence[Task]) -> tuple[int, _Worker]:
    with suppress(BrokenPipeError):  # what is missing then is its answer
        worker.link.send([tuple(task) for task in batch])
    return len(batch), worker


def _answer(worker: _Worker) -> Answer:
    try:
        text, fresh = worker.link.recv()
    except (EOFError, ConnectionResetError) as error:
        raise WorkerDied(
            f"A worker of the audit ended (exit code {worker.process.wait()}).",
            remedy="If the machine ran out of memory, ask for a smaller range; else please report this.",
        ) from error
    return Answer(text.split("\n") if text else [], fresh)


def _hired(stack: ExitStack, git_dir: Path, plan: Plan) -> _Worker:
    """Another Python with our modules. It never sees Ctrl-C: it ends when its link does."""
    ours, theirs = socket.socketpair()
    boot = f"import sys; sys.path[:] = {sys.path!r}; from streams.audit.pool import work; work({theirs.fileno()})"
    command = [sys.executable, "-X", "utf8", "-c", boot]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True)
    theirs.close()
    worker = _Worker(process, Connection(ours.detach()))
    stack.callback(_dismissed, worker)
    worker.link.send((git_dir, plan))
    return worker


def _dismissed(worker: _Worker) -> None:
    worker.link.close()
    worker.process.terminate()
    worker.process.wait()


def work(descriptor: int) -> None:
    """A worker: reads batches until the link closes. A thread takes them in, so that neither side ever waits for the other."""
    link = Connection(descriptor)
    git_dir, plan = link.recv()
    gc.freeze()
    gc.set_threshold(50_000)
    inbox: queue.SimpleQueue[Sequence[Task] | None] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(link, inbox), daemon=True).start()
    with Reader(Repository.open(git_dir), plan) as reader, suppress(BrokenPipeError, ConnectionResetError):
        while (batch := inbox.get()) is not None:
            lines, fresh = reader.answer([Task(*row) for row in batch])
            link.send(("\n".join(lines), fresh))


def _take_in(link: Connection, inbox: "queue.SimpleQueue[Sequence[Task] | None]") -> None:
    try:
        while True:
            inbox.put(link.recv())
    except (EOFError, OSError):
        inbox.put(None)
