"""Asks one model about one change: every failure is a verdict with a status and a reason, and none approves (law 40)."""

from __future__ import annotations

import asyncio
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from reviewers import answer, combined
from reviewers.answer import Answer
from reviewers.combined import Reply
from reviewers.judging import Progress, RawAnswer, Status, Verdict, Word, silent
from reviewers.request import asked
from reviewers.sheets import sheets
from streams.judges import wire
from streams.judges.lines import Lines
from streams.judges.wire import Came, Failure

if TYPE_CHECKING:
    from reviewers.judging import Endpoint, Question, Tell
    from reviewers.request import Asked, Request
    from reviewers.sheets import Sheets
    from streams.judges.lines import Line

LARGE = 1 << 20  # bytes of a change, both sides together, of which reading takes long


async def judge(
    question: Question, endpoint: Endpoint, *, deadline_seconds: float, progress: Tell = silent, lines: Lines | None = None
) -> Verdict:  # fmt: skip
    """The model's verdict, within `deadline_seconds` in all. Never raises but for cancellation.

    `lines` keeps connections, circuit breakers and bulkheads of endpoints between calls: one for a whole process.
    """
    fresh = secrets.token_hex(32)
    if endpoint.fault:
        return Verdict(Status.UNREACHABLE, Word.ABSTAIN, endpoint.fault, session=_session(fresh))
    if lines is not None:
        return await _Sitting(question, endpoint, lines, progress).verdict(deadline_seconds, fresh)
    async with Lines() as own:
        return await _Sitting(question, endpoint, own, progress).verdict(deadline_seconds, fresh)


def _session(fresh: str) -> str:
    """Ours, and of this review alone (law 23); the other half of what is fresh makes the marks, and is told to nobody."""
    return f"twohand:{fresh[:32]}"


async def _shown(question: Question, size: int) -> Sheets:
    """A large change is read beside the loop, so that deadlines hold meanwhile."""
    if sum(len(each.old or b"") + len(each.new or b"") for each in question.blobs) < LARGE:
        return sheets(question.blobs, size)
    return await asyncio.to_thread(sheets, question.blobs, size)


class _Sitting:
    """One review under way: what was asked, and what came of it so far."""

    def __init__(self, question: Question, endpoint: Endpoint, lines: Lines, progress: Tell) -> None:
        self._question = question
        self._endpoint = endpoint
        self._lines = lines
        self._tell = progress
        self._shown: Sheets | None = None
        self._passes: list[Asked] = []
        self._replies: dict[tuple[bool, int], Reply] = {}
        self._raw: list[RawAnswer] = []
        self._attempts = 0
        self._end = 0.0

    async def verdict(self, deadline: float, fresh: str) -> Verdict:
        """Ask, and make one verdict of what came before the deadline. `fresh`: 64 hex digits that nobody knows."""
        self._end = asyncio.get_running_loop().time() + deadline
        over = ""
        try:
            async with asyncio.timeout(deadline):
                over = await self._asked(fresh[32:])
        except TimeoutError:
            self._give_up(f"no answer within {deadline:g} seconds")
        made = self._made(over) if self._shown else Verdict(Status.TIMEOUT, Word.ABSTAIN, "no time to read the change")
        made = made._replace(session=_session(fresh), answers=tuple(self._raw), attempts=self._attempts)
        self._tell(
            Progress("done", self._endpoint.model, attempt=self._attempts, why=made.why).counted(*self._tokens())
        )
        return made

    async def _asked(self, seed: str) -> str:
        """Both passes, the second only where the first approves; why nothing was asked, where nothing was."""
        limits, context = self._endpoint.limits, self._question.context
        self._shown = await _shown(self._question, limits.part)
        passes = [asked(self._shown.parts, self._endpoint, seed)]
        if not context.is_empty:
            passes.append(asked(self._shown.parts, self._endpoint, seed, context))
        needed = sum(each.tokens for each in passes)
        if needed > limits.tokens_in:
            return f"the change needs about {needed:,} tokens, and {limits.tokens_in:,} are allowed"
        self._passes = passes
        for each in passes:
            await asyncio.gather(*map(self._ask, each.requests))
            if combined.passed([*self._replies.values()]) is not Word.APPROVE:
                break
        return ""

    def _give_up(self, why: str) -> None:
        """What was not answered in time."""
        for request in (request for each in self._passes for request in each.requests):
            self._replies.setdefault((request.blind, request.part), Reply(request, Answer(Status.TIMEOUT, why=why)))

    def _made(self, over: str) -> Verdict:
        assert self._shown
        if over:
            return Verdict(
                Status.OVER_BUDGET, Word.ABSTAIN, over, uncovered=self._shown.uncovered, coverage=self._shown.total,
                redactions=self._shown.redactions,
            )  # fmt: skip
        due = sum(len(each.requests) for each in self._passes)
        replies = [self._replies[key] for key in sorted(self._replies, key=lambda key: (not key[0], key[1]))]
        made = combined.combined(self._shown, replies, self._endpoint, due=due)
        withheld = sum(each.redactions for each in self._passes)
        return made._replace(redactions=self._shown.redactions + withheld)

    async def _ask(self, request: Request) -> None:
        """Until an answer comes, no attempt is left, or waiting would outlast the deadline."""
        try:
            line = self._lines.line(self._endpoint)
        except Exception as error:  # noqa: BLE001 - an address that the library does not take: its text may hold the key
            why = f"no connection can be prepared to this address ({type(error).__name__})"
            return self._answered(request, Answer(Status.UNREACHABLE, why=why))
        for attempt in range(1, self._endpoint.limits.attempts + 1):
            came = await self._sent(line, request, attempt)
            if isinstance(came, Came):
                return self._answered(request, answer.read(wire.keyless(came.body, self._endpoint), request))
            pause = self._lines.pause(attempt, came.after)
            hopeless = self._hopeless(came, attempt, pause)
            if hopeless is not None:
                why = came.why + hopeless
                return self._answered(request, Answer(came.status, why=why))
            self._progress("retrying", request, attempt, why=f"{came.why}; again in {pause:.1f} s")
            await asyncio.sleep(pause)
        return None

    def _hopeless(self, came: Failure, attempt: int, pause: float) -> str | None:
        """Why there is no other attempt, as the end of a sentence; None where there is."""
        if not came.again:
            return ""
        if attempt >= self._endpoint.limits.attempts:
            return f" ({attempt} attempts)" if attempt > 1 else ""
        if asyncio.get_running_loop().time() + pause >= self._end:
            return f" (it asks to wait {pause:.0f} s, longer than the deadline)" if came.after >= pause else ""
        return None

    async def _sent(self, line: Line, request: Request, attempt: int) -> Came | Failure:
        """One attempt, when the bulkhead has a place and the breaker is closed."""
        self._progress("waiting", request, attempt)
        async with line.places:
            rest = line.circuit.wait()
            if rest:
                why = f"not asked: {line.circuit.failures} requests in a row failed there; tried again in {rest:.0f} s"
                return Failure(Status.UNREACHABLE, why)
            self._attempts += 1
            self._progress("asking", request, attempt)
            started = asyncio.get_running_loop().time()
            came = await line.send(request.payload)
        if isinstance(came, Came):
            seconds = asyncio.get_running_loop().time() - started
            self._raw.append(RawAnswer(request.sha256, sha256(came.body).hexdigest(), came.body, 200, seconds))
        return came

    def _answered(self, request: Request, said: Answer) -> None:
        self._replies[request.blind, request.part] = Reply(request, said)
        self._progress("answered", request, why=said.why)

    def _progress(self, stage: str, request: Request, attempt: int = 1, *, why: str = "") -> None:
        told = Progress(stage, self._endpoint.model, request.blind, request.part, request.parts, attempt, why=why)
        self._tell(told.counted(*self._tokens()))

    def _tokens(self) -> tuple[int, int]:
        """What the answers so far have cost, as the endpoint counted."""
        answers = [reply.answer for reply in self._replies.values()]
        return sum(each.tokens_in for each in answers), sum(each.tokens_out for each in answers)
