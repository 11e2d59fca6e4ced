"""A change, and what a scripted model makes of it through the real client."""

import asyncio
from collections.abc import Sequence

from reviewers.judging import Context, Endpoint, Limits, Mode, Question, Verdict
from rules.rule import Diff
from streams.judges.client import judge
from streams.judges.lines import Lines
from streams.judges.script import Rule
from streams.judges.server import ScriptedServer

KEY = "key-that-nobody-may-read-0"
BEFORE = "def pay(user, sum):\n    check(user)\n    send(sum)\n"
AFTER = "def pay(user, sum):\n    send(sum, user)\n"
CHANGE = (Diff("pay.py", BEFORE, AFTER).blobs(), Diff("gone.py", "a = 1\n", None).blobs())
QUESTION = Question("k" * 64, CHANGE)
TOLD = QUESTION._replace(context=Context("Tidy up", "No change of behaviour.", ("mallory",), ("tidy",)))
QUICK = Limits(attempts=2)


def endpoint(url: str, *, limits: Limits = QUICK, mode: Mode = Mode.SCHEMA) -> Endpoint:
    """The scripted model, under a name that the tables know."""
    return Endpoint(url, "qwen3-coder", mode, KEY, limits=limits)


def ask(
    where: Endpoint, question: Question = QUESTION, *, deadline: float = 20.0, lines: Lines | None = None
) -> Verdict:
    """One review, from outside of any loop."""
    kept = lines or Lines(jitter=lambda: 0.0)

    async def once() -> Verdict:
        async with kept:
            return await judge(question, where, deadline_seconds=deadline, lines=kept)

    return asyncio.run(once())


def answered(*rules: Rule, question: Question = QUESTION, deadline: float = 20.0) -> Verdict:
    """What comes of these scripted answers."""
    with ScriptedServer(rules) as server:
        return ask(endpoint(server.url), question, deadline=deadline)


def served(rules: Sequence[Rule], question: Question, *, limits: Limits = QUICK) -> tuple[Verdict, list[str]]:
    """The verdict, and the user's message of every request."""
    with ScriptedServer(rules) as server:
        verdict = ask(endpoint(server.url, limits=limits), question)
        return verdict, [request.body["messages"][1]["content"] for request in server.requests]
