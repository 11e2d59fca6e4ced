"""One verdict from all answers of a review: blind first, context second, and the softer never wins."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reviewers.answer import Answer
from reviewers.judging import Coverage, Endpoint, Status, Verdict, Word
from reviewers.prompt import digest
from reviewers.request import Request
from reviewers.sheets import Sheets, seen
from rules.findings import Finding
from rules.lineage import same_model

_HARDER = {Word.APPROVE: 0, Word.ABSTAIN: 1, Word.OBJECT: 2}
_WORSE = (
    Status.COMPLETED, Status.REFUSED, Status.TRUNCATED, Status.INVALID, Status.OVER_BUDGET, Status.UNREACHABLE,
    Status.TIMEOUT,
)  # fmt: skip


class Reply(NamedTuple):
    """What came of one request."""

    request: Request
    answer: Answer


def passed(replies: Sequence[Reply]) -> Word:
    """What a whole pass says: the hardest of its answers; one that did not complete says abstain."""
    return max((reply.answer.verdict for reply in replies), key=_HARDER.__getitem__, default=Word.ABSTAIN)


def combined(shown: Sheets, replies: Sequence[Reply], endpoint: Endpoint, *, due: int) -> Verdict:
    """The verdict over every answer. `due`: how many answers an approval needs, of both passes together."""
    if not replies:
        return _nothing(shown)
    worst = max((reply.answer for reply in replies), key=lambda answer: _WORSE.index(answer.status))
    reported = tuple(dict.fromkeys(reply.answer.model for reply in replies if reply.answer.model or _done(reply)))
    word = passed(replies) if len(replies) >= due else max(passed(replies), Word.ABSTAIN, key=_HARDER.__getitem__)
    verdict = Verdict(
        worst.status, word, _why(replies), _findings(replies), shown.uncovered, _coverage(shown, replies),
        tuple(row for reply in replies for row in reply.answer.dropped), reported[0] if len(reported) == 1 else "",
        _mismatch(endpoint, reported), prompts=digest(), redactions=shown.redactions,
    )  # fmt: skip
    return sealed(_counted(verdict, replies))


def sealed(verdict: Verdict) -> Verdict:
    """An approval stands only where nothing at all is wrong; else the verdict says why there is none."""
    if verdict.verdict is not Word.APPROVE:
        return verdict
    whole = verdict.coverage
    faults = (
        (verdict.status is not Status.COMPLETED, f"no approval, the review is {verdict.status.value}"),
        (verdict.uncovered, f"no approval, {len(verdict.uncovered)} files could not be shown"),
        (not whole.is_whole or not whole.files, f"no approval, {whole.lines_seen} of {whole.lines} changed lines seen"),
        (verdict.mismatch, f"no approval, {verdict.mismatch}"),
        (verdict.dropped, "no approval, findings were dropped"),
    )
    fault = next((text for wrong, text in faults if wrong), "")
    return verdict._replace(verdict=Word.ABSTAIN, why=f"{fault}: {verdict.why}") if fault else verdict


def _done(reply: Reply) -> bool:
    return reply.answer.status is Status.COMPLETED


def _nothing(shown: Sheets) -> Verdict:
    why = "the change holds no text that a model could judge"
    return Verdict(Status.COMPLETED, Word.ABSTAIN, why, uncovered=shown.uncovered, coverage=shown.total)


def _why(replies: Sequence[Reply]) -> str:
    """The reasons that decided, without repeats: of what failed, else of the hardest verdict."""
    failed = [reply for reply in replies if not _done(reply)]
    word = passed(replies)
    told = failed or [reply for reply in replies if reply.answer.verdict is word]
    return "; ".join(dict.fromkeys(_placed(reply) for reply in told))


def _placed(reply: Reply) -> str:
    request = reply.request
    return f"part {request.part} of {request.parts}: {reply.answer.why}" if request.parts > 1 else reply.answer.why


def _findings(replies: Iterable[Reply]) -> tuple[Finding, ...]:
    """The union, one of each place and tier: what both passes found is told once."""
    found: dict[tuple[str, str, int, str], Finding] = {}
    for reply in replies:
        for finding in reply.answer.findings:
            found.setdefault((finding.path, finding.side, finding.line, finding.tier.value), finding)
    return tuple(found[key] for key in sorted(found))


def _coverage(shown: Sheets, replies: Iterable[Reply]) -> Coverage:
    """What the blind pass saw and answered for."""
    done = [reply.request.sheet for reply in replies if reply.request.blind and _done(reply)]
    return seen(shown.total, done)


def _mismatch(endpoint: Endpoint, reported: Sequence[str]) -> str:
    """Declared against reported: an endpoint that reports nothing, or the very name of its deployment, says nothing else."""
    if len(reported) > 1:
        return f"answers came from several models: {', '.join(name or 'one without a name' for name in reported)}"
    expected, name = endpoint.declared or endpoint.model, "".join(reported)
    if not name or same_model(expected, name) or (endpoint.declared and name == endpoint.model):
        return ""
    if expected == name:
        return f"{name} is no one model"
    return f"{expected} was declared, {name} answered"


def _counted(verdict: Verdict, replies: Sequence[Reply]) -> Verdict:
    """With the tokens as the endpoint counted them; where it did not, estimated."""
    exact = all(reply.answer.tokens_in and reply.answer.tokens_out for reply in replies)
    came = sum(reply.answer.tokens_in or reply.request.tokens for reply in replies)
    went = sum(reply.answer.tokens_out for reply in replies)
    return verdict._replace(tokens_in=came, tokens_out=went, tokens_exact=exact)
