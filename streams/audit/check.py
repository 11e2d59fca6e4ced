"""For CI: did anything land since the last admitted decision that no admitted decision covers? (law 5, 7, 40)"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import NamedTuple

from rules import instants
from rules.change import content_key
from rules.commits import parse
from rules.events import ChangeProposed, DecisionMade
from streams.audit.diffs import Edge, changed
from streams.audit.reading import COMMIT_LIMIT
from streams.engines.journal import Journal
from streams.sources.errors import NoTarget
from streams.sources.git import HEADS, ORIGIN, Repository

AT_ONCE = 50  # steps whose content is computed together
MOST = 10_000  # steps that are looked through for a decision
SHOWN = 20
SCHEMA = "twohand.audit-check/v1"


class Landed(NamedTuple):
    """A first-parent step of the branch."""

    commit: str
    time: str | None
    author: str
    subject: str


class Checked(NamedTuple):
    """`anchor` is the newest step that a decision covers, "" where there is none; `uncovered` are newer, newest first."""

    target: str
    tip: str
    anchor: str
    decisions: int  # admitted ones that are recorded for this branch
    uncovered: tuple[Landed, ...]
    cut: bool  # only the first `MOST` steps were looked at


class _Decided(NamedTuple):
    repository: str
    base: str
    head: str
    key: str


def check(repo: Repository, revisions: str | None = None) -> Checked:
    """The steps of the default branch since the newest one that an admitted decision covers; of a range `A..B`, all.

    Errors: NoTarget, UnknownRevision, JournalUnusable.
    """
    target, without, tip = _range(repo, revisions)
    decided = _decided(repo, target)
    chain = _chain(repo, tip, without)
    spans = _spans(decided, chain, {without or repo.empty_tree, repo.empty_tree})
    uncovered: list[str] = []
    for step, covered in _looked_at(repo, target, chain, decided, spans):
        if covered and not without:
            return Checked(target, tip, step, len(decided), _told(repo, uncovered), cut=False)
        if not covered:
            uncovered.append(step)
    return Checked(target, tip, "", len(decided), _told(repo, uncovered), cut=len(chain) > MOST)


def _range(repo: Repository, revisions: str | None) -> tuple[str, str, str]:
    """The branch, what is left out, and the tip."""
    default = repo.default_branch()
    if default is None:
        raise NoTarget(
            "This repository shows no default branch, so nothing is known of what landed.",
            remedy="Name a range of its first-parent steps: `twohand audit --check A..B`.",
        )
    base, dots, head = (revisions or "").partition("..")
    tip = repo.resolve((head if dots else base) or default)
    return _branch(default), repo.resolve(base) if dots and base else "", tip


def _branch(ref: str) -> str:
    """The branch that a remote-tracking ref of origin follows; decisions name it."""
    return HEADS + ref.removeprefix(ORIGIN) if ref.startswith(ORIGIN) else ref


def _decided(repo: Repository, target: str) -> list[_Decided]:
    """What the journal admits for this branch; the last decision about a content is the one that counts."""
    path = repo.common_dir / "twohand" / "journal.db"
    if not path.exists():
        return []
    proposed: dict[tuple[str, str], ChangeProposed] = {}
    outcome: dict[tuple[str, str], str] = {}
    with ExitStack() as stack:
        for event in stack.enter_context(Journal(path)).events():
            if isinstance(event, ChangeProposed):
                proposed[event.change, event.content_key] = event
            elif isinstance(event, DecisionMade):
                outcome[event.change, event.content_key] = event.outcome
    admitted = (proposed[at] for at, said in outcome.items() if said == "admitted" and at in proposed)
    return [_Decided(p.repository, p.base, p.head, p.content_key) for p in admitted if p.target == target]


def _chain(repo: Repository, tip: str, without: str) -> list[tuple[str, str]]:
    """(step, its first parent or "") from the tip back."""
    excluded = ["--not", without] if without else []
    out = repo.run("rev-list", "--first-parent", "--parents", f"--max-count={MOST + 1}", tip, *excluded, "--").out
    rows = (line.split() for line in out.decode("ascii").splitlines())
    return [(row[0], row[1] if len(row) > 1 else "") for row in rows]


def _spans(decided: Sequence[_Decided], chain: Sequence[tuple[str, str]], below: set[str]) -> set[str]:
    """Steps inside a decided range whose both ends are on the branch, as after a fast-forward of several commits.

    `below` are what stands below the last step."""
    place = dict.fromkeys(below, len(chain)) | {step: number for number, (step, _) in enumerate(chain)}
    found: set[str] = set()
    for one in decided:
        first, last = place.get(one.head), place.get(one.base)
        if first is not None and last is not None and first < last:
            found.update(step for step, _ in chain[first:last])
    return found


def _looked_at(
    repo: Repository, target: str, chain: Sequence[tuple[str, str]], decided: Sequence[_Decided], spans: set[str]
) -> Iterator[tuple[str, bool]]:
    """Each step, and whether a decision covers it: its own content, recomputed here, or a range that holds it."""
    keys: dict[str, set[str]] = {}
    for one in decided:
        keys.setdefault(one.repository, set()).add(one.key)
    edge = repo.shallow_edge()
    remaining = iter(chain[:MOST])
    while part := list(islice(remaining, AT_ONCE)):
        changes = changed(repo, [Edge(step, parent) for step, parent in part])
        for (step, _), change in zip(part, changes, strict=True):
            readable = not change.why and step not in edge
            same = (content_key(name, target, change.files) in found for name, found in keys.items())
            yield step, step in spans or (readable and any(same))


def _told(repo: Repository, steps: Sequence[str]) -> tuple[Landed, ...]:
    with repo.cat_file() as objects:
        return tuple(_landed(item.id, item.data or b"\n\n") for item in objects.read(steps, COMMIT_LIMIT))


def _landed(name: str, data: bytes) -> Landed:
    commit = parse(name, data)
    who = commit.author
    time = instants.text_of(commit.committer.when) if commit.committer.zone else None
    return Landed(name, time, f"{who.name} <{who.email}>", commit.message.lstrip("\n").partition("\n")[0][:200])


def as_json(found: Checked) -> str:
    row = {
        "schema": SCHEMA,
        **found._asdict(),
        "anchor": found.anchor or None,
        "uncovered": [step._asdict() for step in found.uncovered],
    }
    return json.dumps(row) + "\n"


def as_text(found: Checked) -> str:
    branch = found.target.removeprefix("refs/heads/")
    if not found.uncovered:
        since = f" up to {found.anchor[:12]}" if found.anchor else ""
        return f"covered: an admitted decision covers all that landed on {branch}{since}\n"
    several = "step has" if len(found.uncovered) == 1 else "steps have"
    since = f" since {found.anchor[:12]}, the last that one covers" if found.anchor else ""
    lines = [f"uncovered: {len(found.uncovered)} {several} landed on {branch} that no admitted decision covers{since}"]
    lines += [f"  {step.commit[:12]}  {(step.time or '')[:10]}  {_shown(step)}" for step in found.uncovered[:SHOWN]]
    if len(found.uncovered) > SHOWN:
        lines.append(f"  and {len(found.uncovered) - SHOWN} more")
    step = found.uncovered[-1].commit[:12]
    lines.append(f"Decide on the oldest: twohand review --base {step}^ --head {step} --target {branch}")
    if not found.decisions:
        lines.append("No admitted decision is recorded here at all: the journal stays where it was written.")
    return "\n".join(lines) + "\n"


def _shown(step: Landed) -> str:
    text = f"{step.subject} ({step.author})"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
