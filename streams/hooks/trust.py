"""The first policy, accepted once by whoever installs the gate, and recorded as the root of trust (law 37)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rules.judgement import Law, read_laws
from rules.policy import Policy, Requirement
from streams import clock
from streams.engines.journal import Journal
from streams.hooks.install import NotInstalled
from streams.laws import governing
from streams.reach import doubts, named
from streams.settings import Settings
from streams.sources.git import HEADS, Repository


class Root(NamedTuple):
    """What is recorded. `digest` is "" where the first push will bring the first policy; `new`: recorded just now."""

    digest: str
    source: str
    at: str
    new: bool
    branch: str
    policy: Policy | None = None  # what holds now


def accept(repo: Repository, settings: Settings) -> Root:
    """Record the default branch's policy, the built-in one where it has none; what is recorded already stays.

    NotInstalled where that policy is not valid: nothing could land under it, not even its repair.
    """
    branch = repo.default_branch() or ""
    tip = repo.first_ref(branch) if branch else None
    with Journal(repo.common_dir / "twohand" / "journal.db") as journal:
        known = journal.root()
        if tip is None and known is None:
            return Root("", "", "", new=False, branch=branch)
        holds = _holding(repo, settings, branch, tip.id if tip else "")
        if known is None:
            journal.accept(holds.digest, holds.source, clock.now())
        digest, source, at = journal.root() or ("", "", "")
    return Root(digest, source, at, new=known is None, branch=branch, policy=holds)


def _holding(repo: Repository, settings: Settings, branch: str, tip: str) -> Policy:
    texts = governing(repo, settings, default=branch, target=branch, target_tip=tip or repo.empty_tree).texts
    laws = read_laws(texts)
    broken = next((law for law in laws if law.policy is None), None)
    if broken:
        raise _broken(broken)
    return next(law.policy for law in reversed(laws) if law.policy)


def _broken(law: Law) -> NotInstalled:
    mistakes = "; ".join(map(str, law.problems[:3]))
    return NotInstalled(
        f"{law.text.source} is not valid, and a gate would refuse every push, its repair too: {mistakes}.",
        remedy="Repair it, `twohand policy validate` names line, key and what is allowed; push it, then install.",
    )


def told(root: Root) -> Iterator[str]:
    """A few lines about what was accepted, and what it protects."""
    branch = root.branch.removeprefix(HEADS) or "the default branch"
    if not root.digest:
        yield f"Root of trust: none yet: {branch}, which HEAD names, has no commit. Its first push brings the first policy."
        yield "  Another branch is not protected. Where yours has another name: git symbolic-ref HEAD refs/heads/NAME, here."
        return
    when = "accepted now" if root.new else f"accepted {root.at}, and kept"
    yield f"Root of trust: {root.source}, digest {root.digest[:12]}, {when} (law 37)."
    if root.policy is None:
        return
    if root.policy.digest != root.digest:
        yield f"  holds now    {root.policy.source}, digest {root.policy.digest[:12]}"
    yield f"  protects     {', '.join(dict.fromkeys((branch, *root.policy.protect)))}"
    yield from (f"  requires     {_required(one)}" for one in root.policy.requirements)
    keyed = [name for name, one in root.policy.people.items() if one.active and one.keys]
    yield f"  can answer   {named(keyed) or 'nobody: no enrolled person has a key'}"
    yield from (f"  look at      {doubt}" for doubt in doubts(root.policy))


def _required(one: Requirement) -> str:
    return f"{one.name}: {one.approvals} of {', '.join(one.from_)}"


def hand_over(repository: Path) -> None:
    """Where root installs for a repository that belongs to somebody else, the journal belongs to them too."""
    there = repository.stat()
    if os.geteuid() != 0 or there.st_uid == 0:
        return
    for path in (repository / "twohand", *(repository / "twohand").glob("journal.db*")):
        os.chown(path, there.st_uid, there.st_gid)
