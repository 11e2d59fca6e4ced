"""The rule-based reviewer: runs the catalogue over a change. Rules have no lineage and never approve (law 26)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from rules import addressed, messages, workflows
from rules.commits import Commit
from rules.decision import RULES
from rules.events import ReviewGiven
from rules.findings import Finding, Tier
from rules.paths import unquote
from rules.policy import PolicyInvalid, parse, parse_pyproject
from rules.rule import QUOTE, Blobs, Rule, visible
from rules.scan import all_rules, scan

HIDDEN = "hidden-text"
ADDRESSED = "text-addressed-to-reviewers"
POLICIES: dict[str, Callable[[bytes, str], object]] = {"twohand.toml": parse, "pyproject.toml": parse_pyproject}


def review(
    change: str, content_key: str, blobs: Sequence[Blobs], commits: Iterable[Commit], *, beside: Sequence[Rule] = ()
) -> ReviewGiven:
    """What the rules see in these blobs and in the messages of these commits, as a review of exactly this content.

    `beside` are rules that look beside the catalogue: a repository's own, and those of installed packages.
    """
    seen = scan(blobs, rules=(*all_rules(), *beside)) if beside else scan(blobs)
    findings = (
        *seen.findings,
        *_broken_policies(blobs),
        *_by_zizmor(blobs),
        *(found for commit in commits for found in _in_commit(commit)),
    )
    return ReviewGiven(
        change=change, content_key=content_key, reviewer=RULES, findings=findings, uncovered=seen.uncovered
    )


def _broken_policies(blobs: Iterable[Blobs]) -> Iterator[Finding]:
    """A policy that the change brings and that nobody could be admitted by: once landed, it would block everything."""
    for row in blobs:
        parse = POLICIES.get(row.file.path)
        if parse is None or row.new is None or row.new == row.old:
            continue
        try:
            parse(row.new, row.file.path)
        except PolicyInvalid as invalid:
            first = invalid.problems[0]
            said = f"this policy is broken: line {first.line}: {first.message}"
            yield Finding("gate-edited", Tier.BLOCK, row.file.path, "new", first.line, said, first.key)


def _by_zizmor(blobs: Sequence[Blobs]) -> Iterator[Finding]:
    """What another auditor sees in workflow files, where it is installed."""
    if any(workflows.is_workflow(unquote(row.file.path)) for row in blobs):
        from reviewers import zizmor  # noqa: PLC0415 - starts a process: loaded only when a workflow changed

        yield from zizmor.findings(blobs)


def _in_commit(commit: Commit) -> Iterator[Finding]:
    """What a commit hides from `git log`, a mark behind invisible characters or text behind a NUL; and what it tells reviewers."""
    subject = commit.message.partition("\n")[0][:QUOTE]
    if messages.hidden(commit):
        said = f"commit {commit.id[:12]} hides a mark of its tool behind invisible characters"
        yield Finding(HIDDEN, Tier.HOLD, "", "new", 0, said, subject)
    for odd in commit.odd:
        yield Finding(HIDDEN, Tier.HOLD, "", "new", 0, f"commit {commit.id[:12]} is malformed: {odd}", subject)
    for told in addressed.spoken(commit.message.encode("utf-8", "replace")):
        said = f"the message of commit {commit.id[:12]} speaks to the reviewer: `{visible(told.words)}`"
        yield Finding(ADDRESSED, Tier.NOTE if told.plain else Tier.HOLD, "", "new", 0, said, subject)
