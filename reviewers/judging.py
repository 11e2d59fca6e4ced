"""What a model reviewer is asked and what becomes of its answer: the values of the contract (law 22-26, 40).

Pure. Who may sit and whose vote counts is decided elsewhere. The network client is `streams.judges.client`:
`await judge(question, endpoint, deadline_seconds=120.0, progress=silent, lines=None) -> Verdict`. It never raises but for
cancellation; `lines` (`streams.judges.lines.Lines`) keeps connections, circuit breakers and bulkheads between calls.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from rules.findings import Finding, Uncovered
from rules.rule import Blobs

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SEEN = "model-finding"  # the rule of a finding that a model made


class Status(StrEnum):
    """How a review ended. Only `completed` can approve."""

    COMPLETED = "completed"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    OVER_BUDGET = "over-budget"


class Word(StrEnum):
    """What a reviewer says. `abstain` is what remains where nothing valid was said."""

    APPROVE = "approve"
    OBJECT = "object"
    ABSTAIN = "abstain"


class Mode(StrEnum):
    """How an endpoint is told the shape of the answer. What comes back is checked in the same way in all three."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    PROMPT = "prompt"


class Context(NamedTuple):
    """What people and tools say about the change: shown in the second pass alone, and never as instructions."""

    title: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()  # messages, newest first

    @property
    def is_empty(self) -> bool:
        return not any(self)


class Question(NamedTuple):
    """A change to be judged. `blobs` are all its files with both sides, as the rules get them; none may be left out."""

    content_key: str
    blobs: tuple[Blobs, ...]
    context: Context = Context()


class Limits(NamedTuple):
    """What one review may take at one endpoint. Tokens are estimated before, as bytes / 3."""

    tokens_in: int = 400_000  # in all requests of a review together; above it nothing is asked: over-budget
    tokens_out: int = 8_000  # in one answer
    part: int = 96_000  # bytes of diff in one request; a larger change is asked about in several
    parallel: int = 4  # requests under way at this endpoint at the same time
    attempts: int = 3  # of one request
    answer: int = 4 << 20  # bytes of one answer on the wire


class Endpoint(NamedTuple):
    """An OpenAI-compatible API and the model to ask for there. `key` is the secret itself, "" where none is needed.

    `declared` is the model that the operator says stands behind `model`, where that is only a name of a deployment.
    """

    url: str  # up to and with /v1
    model: str
    mode: Mode = Mode.SCHEMA
    key: str = ""
    declared: str = ""
    limits: Limits = Limits()

    def __repr__(self) -> str:
        """Without the key: a traceback or a log line tells no secret."""
        return f"Endpoint({self.url!r}, {self.model!r}, {self.mode.value!r})"

    @property
    def fault(self) -> str:
        """Why nothing is sent to this address; "" where it may be. Plain http is for this machine alone."""
        try:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
            parts.port  # noqa: B018 - raises where it is no number
        except ValueError:
            return "the address is no URL"
        if parts.scheme not in ("http", "https") or not host:
            return "the address must begin with https:// (or http:// on this machine)"
        if parts.username or parts.password:
            return "the address holds a user name or password: give the key by key_env or key_file instead"
        if parts.scheme == "http" and host not in LOOPBACK:
            return "plain http:// leaves this machine unprotected: use https://, or a tunnel to 127.0.0.1"
        return ""


class Coverage(NamedTuple):
    """What the model was shown and answered for, of what had to be shown. Counted, not claimed."""

    files: int = 0
    files_seen: int = 0
    lines: int = 0  # changed ones: added and removed
    lines_seen: int = 0
    removed: int = 0  # the removed ones among them
    removed_seen: int = 0

    @property
    def is_whole(self) -> bool:
        return (self.files, self.lines, self.removed) == (self.files_seen, self.lines_seen, self.removed_seen)


class RawAnswer(NamedTuple):
    """One answer as it came over the wire, for the record."""

    request_sha256: str
    sha256: str
    body: bytes
    http_status: int
    seconds: float


class Dropped(NamedTuple):
    """A finding of the model that is none, and why."""

    path: str
    why: str


class Verdict(NamedTuple):
    """One model's review of one content.

    `approve` comes with `completed` and whole coverage alone. An objection can come with any status: what was answered
    before the rest failed is not forgotten. `why` says in words how it came to `status` and `verdict`.
    """

    status: Status
    verdict: Word
    why: str
    findings: tuple[Finding, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    coverage: Coverage = Coverage()
    dropped: tuple[Dropped, ...] = ()
    reported_model: str = ""  # by the endpoint, in every answer the same; "" where it reported none
    mismatch: str = ""  # declared against reported model, where they differ: an incident, and no vote
    session: str = ""  # ours and fresh: `twohand:` and 32 hex digits
    prompts: str = ""  # sha256 over the prompts that were used, 64 hex digits
    redactions: int = 0  # secrets that were taken out of the diff before it left
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_exact: bool = False  # as the endpoint counted, in every answer; else estimated
    attempts: int = 0  # requests that were sent, retries included
    answers: tuple[RawAnswer, ...] = ()


class Progress(NamedTuple):
    """What is going on, for a live display. `stage` is waiting, asking, retrying, answered or done."""

    stage: str
    model: str
    blind: bool = True  # the pass without context
    part: int = 1
    parts: int = 1
    attempt: int = 1
    tokens_in: int = 0  # so far
    tokens_out: int = 0
    why: str = ""

    def counted(self, tokens_in: int, tokens_out: int) -> "Progress":
        """The same with what it has cost so far."""
        return self._replace(tokens_in=tokens_in, tokens_out=tokens_out)


Tell = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tells nobody."""
