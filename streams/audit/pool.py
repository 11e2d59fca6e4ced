"""Workers for the audit: processes that read batches of commits; their answers come back in the order of the batches."""

import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from streams.audit.asked import Answer, Plan, Task
from streams.audit.reading import Reader
from streams.sources.errors import SourceError
from streams.sources.git import Repository

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

AHEAD = 2  # batches that a worker has before it answers the first
MOST = 8  # workers


class WorkerDied(SourceError):
    """A worker ended without its answer."""

    exit_code = 3


class _Worker(NamedTuple):
    process: BaseProcess
    link: "Connection[Sequence[Task] | None, Answer]"


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
        worker.link.send(batch)
    return len(batch), worker


def _answer(worker: _Worker) -> Answer:
    try:
        return worker.link.recv()
    except (EOFError, ConnectionResetError) as error:
        raise WorkerDied(
            f"A worker of the audit ended (exit code {worker.process.exitcode}).",
            remedy="If the machine ran out of memory, ask for a smaller range; else please report this.",
        ) from error


def _hired(stack: ExitStack, git_dir: Path, plan: Plan) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, git_dir, plan), daemon=True)
    with _uninterrupted():
        process.start()
    theirs.close()
    stack.callback(_dismissed, process, ours)
    return _Worker(process, ours)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A child that starts here never sees Ctrl-C: the parent tells it when to end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _dismissed(process: BaseProcess, link: "Connection[Sequence[Task] | None, Answer]") -> None:
    link.close()
    process.terminate()
    process.join()


def work(link: "Connection[Answer, Sequence[Task] | None]", git_dir: Path, plan: Plan) -> None:
    """A worker: reads batches until the link closes. A thread takes them in, so that neither side ever waits for the other."""
    inbox: queue.SimpleQueue[Sequence[Task] | None] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(link, inbox), daemon=True).start()
    with Reader(Repository.open(git_dir), plan) as reader:
        while (batch := inbox.get()) is not None:
            try:
                link.send(reader.answer(batch))
            except (BrokenPipeError, ConnectionResetError):
                break
    sys.stderr.flush()


def _take_in(
    link: "Connection[Answer, Sequence[Task] | None]", inbox: "queue.SimpleQueue[Sequence[Task] | None]"
) -> None:
    try:
        while True:
            inbox.put(link.recv())
    except (EOFError, OSError):
        inbox.put(None)
