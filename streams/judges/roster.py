"""The reviewers of the settings as the panel and the client need them: who they are, where they are asked, what they cost."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reviewers import panel, prompt
from reviewers.judging import Context, Endpoint, Limits, Mode, Question
from reviewers.panel import Candidate
from rules.canonical import canonical
from streams import evidence
from streams.judges import identity
from streams.sources.change import read_blobs
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rules.judgement import Judgement
    from streams.desk import Desk, Reading
    from streams.settings_reviewers import Reviewer


class NoKey(SourceError):
    """The endpoint's key is not where the settings say."""


class Called(NamedTuple):
    """A reviewer, ready to be asked. `fault` says why it is not, "" where it is."""

    reviewer: Reviewer
    endpoint: Endpoint
    version: str
    fault: str = ""


def candidates(reviewers: Iterable[Reviewer], folder: Path) -> tuple[Candidate, ...]:
    """In the order of the settings. `folder` is where `identity` finds the keys."""
    return tuple(candidate(one, folder) for one in reviewers)


def leaders(reviewers: Mapping[str, Reviewer]) -> tuple[str, ...]:
    """Who is asked first, in the order of the settings; the others stand in for one of them."""
    return panel.leaders({name: one.fallback for name, one in reviewers.items()})


def candidate(reviewer: Reviewer, git_dir: Path) -> Candidate:
    """A reviewer as the panel compares it; a key that cannot be read is none."""
    try:
        line = identity.public_line(reviewer, git_dir)
    except SourceError:
        line = ""
    return Candidate(reviewer.name, reviewer.lineage, reviewer.maker, reviewer.family, reviewer.fallback, line)


def called(reviewer: Reviewer, environ: Mapping[str, str] = os.environ) -> Called:
    """Endpoint and version of a reviewer."""
    limits = Limits(
        tokens_in=reviewer.tokens,
        tokens_out=reviewer.answer_tokens,
        part=reviewer.part,
        parallel=reviewer.parallel,
        attempts=reviewer.attempts,
    )
    bare = Endpoint(reviewer.endpoint, reviewer.model, Mode(reviewer.mode), "", reviewer.declared, limits)
    try:
        return Called(reviewer, bare._replace(key=secret(reviewer, environ)), version(bare))
    except NoKey as error:
        return Called(reviewer, bare, version(bare), fault=error.message)


def version(endpoint: Endpoint) -> str:
    """With another model, prompt, mode or limit it is another reviewer; the key is no part of it."""
    same = (
        endpoint.url,
        endpoint.model,
        endpoint.declared,
        endpoint.mode.value,
        tuple(endpoint.limits),
        prompt.digest(),
    )
    return sha256(canonical(same)).hexdigest()


def secret(reviewer: Reviewer, environ: Mapping[str, str]) -> str:
    """The endpoint's key, "" where none is configured. NoKey where it is not there."""
    if reviewer.key_env:
        if found := environ.get(reviewer.key_env, "").strip():
            return found
        raise NoKey(f"${reviewer.key_env} is not set", remedy=f"Set it to the key of {reviewer.name}.")
    if not reviewer.key_file:
        return ""
    try:
        found = Path(reviewer.key_file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise NoKey(
            f"{reviewer.key_file} cannot be read: {why}", remedy=f"Put the key of {reviewer.name} there."
        ) from None
    if not found or not found.isprintable():
        raise NoKey(f"{reviewer.key_file} holds no key", remedy=f"Put the key of {reviewer.name} there, on one line.")
    return found


def question(desk: Desk, reading: Reading, judgement: Judgement) -> Question:
    """What is asked: the change itself, and what is said about it for the second pass."""
    context = context_of(judgement, tuple(commit.message for commit in evidence.parsed(reading.read)))
    return Question(reading.key, tuple(read_blobs(desk.repo, reading.read.files)), context)


def context_of(judgement: Judgement, messages: Sequence[str]) -> Context:
    """What is said about a change, for the second pass; messages are those of its commits, newest first."""
    authors = judgement.leading.made.authors if judgement.leading else ()
    title = messages[0].partition("\n")[0] if messages else ""
    return Context(title, "", tuple(author.name for author in authors), tuple(messages))


def needed(asked: Question, endpoint: Endpoint) -> int:
    """About how many tokens both passes send."""
    from reviewers.request import asked as requests  # noqa: PLC0415 - only where a budget is set
    from reviewers.sheets import sheets  # noqa: PLC0415

    parts = sheets(asked.blobs, endpoint.limits.part).parts
    passes = (None, asked.context) if not asked.context.is_empty else (None,)
    return sum(requests(parts, endpoint, "estimate", context).tokens for context in passes)
