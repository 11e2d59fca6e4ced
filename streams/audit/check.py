"""For CI: did anything land since the last admitted decision that no admitted decision covers? (law 5, 7, 40)"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from rules import instants
from rules.change import content_key
from rules.commits import parse
from streams.audit.decided import Decided, decided
from streams.audit.diffs import Edge, changed
from streams.audit.reading import COMMIT_LIMIT
from streams.desk import Desk
from streams.doctor_refs import told
from streams.moved import Incident, incidents
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
    read_from: str  # the journal that was asked; notes and statements are no decisions
    anchor: str
    decisions: int  # admitted ones that are recorded for this branch
    uncovered: tuple[Landed, ...]
    cut: bool  # only the first `MOST` steps were looked at
    incidents: tuple[Incident, ...] = ()  # protected refs that are not where the gate left them, where one is installed


def check(repo: Repository, revisions: str | None = None) -> Checked:
    """The steps of the default branch since the newest one that an admitted decision covers; of a range `A..B`, all.

    Errors: NoTarget, UnknownRevision, JournalUnusable.
    """
    target, without, tip = _range(repo, revisions)
    known = [one for one in decided(repo) if one.target == target]
    chain = _chain(repo, tip, without)
    journal = str(repo.common_dir / "twohand" / "journal.db")
    left, moved = _gate(repo, target)
    uncovered: list[str] = []
    for step, by in _looked_at(repo, target, chain, known, {without or repo.empty_tree, repo.empty_tree}):
        if (by or step == left) and not without:
            return Checked(target, tip, journal, step, len(known), _told(repo, uncovered), cut=False, incidents=moved)
        if not by:
            uncovered.append(step)
    landed = _told(repo, uncovered)
    return Checked(target, tip, journal, "", len(known), landed, cut=len(chain) > MOST, incidents=moved)


def _gate(repo: Repository, target: str) -> tuple[str, tuple[Incident, ...]]:
    """Where an installed gate left the branch, and which protected refs are elsewhere; nothing where none is installed."""
    if not (repo.common_dir / "twohand" / "journal.db").exists():
        return "", ()
    with Desk(repo) as desk:
        return desk.journal.tips().get(target, ("", ""))[0], tuple(incidents(desk))


def covered(repo: Repository, revisions: str | None = None) -> dict[str, Decided]:
    """First-parent step -> the admitted decision that covers it; of the default branch, or of a range `A..B`.

    Errors: NoTarget, UnknownRevision, JournalUnusable.
    """
    target, without, tip = _range(repo, revisions)
    known = [one for one in decided(repo) if one.target == target]
    chain = _chain(repo, tip, without) if known else []
    steps = _looked_at(repo, target, chain, known, {without or repo.empty_tree, repo.empty_tree})
    return {step: by for step, by in steps if by}


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


def _chain(repo: Repository, tip: str, without: str) -> list[tuple[str, str]]:
    """(step, its first parent or "") from the tip back."""
    excluded = ["--not", without] if without else []
    out = repo.run("rev-list", "--first-parent", "--parents", f"--max-count={MOST + 1}", tip, *excluded, "--").out
    rows = (line.split() for line in out.decode("ascii").splitlines())
    return [(row[0], row[1] if len(row) > 1 else "") for row in rows]


def _spans(known: Sequence[Decided], chain: Sequence[tuple[str, str]], below: set[str]) -> dict[str, Decided]:
    """The steps inside a decided range whose both ends are on the branch, as after a fast-forward of several commits.

    `below` are what stands below the last step."""
    place = dict.fromkeys(below, len(chain)) | {step: number for number, (step, _) in enumerate(chain)}
    found: dict[str, Decided] = {}
    for one in known:
        first, last = place.get(one.head), place.get(one.base)
        if first is not None and last is not None and first < last:
            found.update((step, one) for step, _ in chain[first:last])
    return found


def _looked_at(
    repo: Repository, target: str, chain: Sequence[tuple[str, str]], known: Sequence[Decided], below: set[str]
) -> Iterator[tuple[str, Decided | None]]:
    """Each step, and the decision that covers it: of its own content, recomputed here, or of a range that holds it."""
    spans = _spans(known, chain, below)
    keys: dict[str, dict[str, Decided]] = {}
    for one in known:
        keys.setdefault(one.repository, {})[one.key] = one
    edge = repo.shallow_edge()
    remaining = iter(chain[:MOST])
    while part := list(islice(remaining, AT_ONCE)):
        changes = changed(repo, [Edge(step, parent) for step, parent in part])
        for (step, _), change in zip(part, changes, strict=True):
            readable = not change.why and step not in edge
            named = keys.items() if readable else ()
            same = (found.get(content_key(name, target, change.files)) for name, found in named)
            yield step, next(filter(None, same), spans.get(step))


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
        "incidents": [incident._asdict() for incident in found.incidents],
    }
    return json.dumps(row) + "\n"


def as_text(found: Checked) -> str:
    branch = found.target.removeprefix("refs/heads/")
    several_known = "decision" if found.decisions == 1 else "decisions"
    asked = f"{found.decisions} admitted {several_known} for {branch} in {found.read_from}"
    read = f"Read: {asked}. Notes and statements are no decisions.\n"
    read = "".join(f"incident: {told(incident)}\n" for incident in found.incidents) + read
    if not found.uncovered:
        since = f" up to {found.anchor[:12]}" if found.anchor else ""
        return f"covered: an admitted decision covers all that landed on {branch}{since}\n{read}"
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
    return "\n".join(lines) + f"\n{read}"


def _shown(step: Landed) -> str:
    text = f"{step.subject} ({step.author})"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
