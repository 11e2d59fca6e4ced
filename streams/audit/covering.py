"""Whose approvals cover which commits, and the laws under which people are known by name.

Three places say it: signed statements (verified here), admitted decisions of the journal, and notes of `refs/notes/twohand`.
"""

import os
from collections.abc import Iterator

from rules import noted
from rules.events import LawText
from rules.judgement import read_laws
from rules.principals import Registry
from rules.sshsig import Signer
from streams import settings
from streams.audit.asked import Voucher
from streams.audit.decided import decided
from streams.laws import governing
from streams.sinks import notes
from streams.sources import statements
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.statements import Stored

NOTE_LIMIT = 1 << 20  # bytes


def laws(repo: Repository) -> tuple[LawText, ...]:
    """The laws of the default branch that somebody wrote; the built-in one enrols nobody."""
    default = repo.default_branch()
    if not default or not repo.exists(default):
        return ()
    found = governing(
        repo, settings.load(None, repo.common_dir, os.environ), default=default, target=default, target_tip=default
    )
    return tuple(text for text in found.texts if text.role != "built-in")


def vouchers(repo: Repository) -> dict[str, tuple[Voucher, ...]]:
    """Commit -> the approvals that cover it. Errors: JournalUnusable."""
    found: dict[str, dict[Voucher, None]] = {}
    for commit, voucher in (*_stated(repo), *_recorded(repo), *_noted(repo)):
        found.setdefault(commit, {})[voucher] = None
    return {commit: tuple(given) for commit, given in found.items()}


def _stated(repo: Repository) -> Iterator[tuple[str, Voucher]]:
    """The approvals of enrolled names whose range holds a commit."""
    rows = [row for row in statements.listing(repo).rows if row.statement and row.statement.verb == "approve"]
    known = [law.policy for law in read_laws(laws(repo)) if law.policy] if rows else []
    if not known:
        return
    signers = statements.verified(rows, {})
    registry = Registry(known[-1])
    for row in rows:
        if voucher := _voucher(row, signers.get(row.blob), registry):
            yield from ((commit, voucher) for commit in _range(repo, row))


def _recorded(repo: Repository) -> Iterator[tuple[str, Voucher]]:
    """Who counted in the admitted decisions of the journal."""
    for one in decided(repo):
        text = f"counted in the decision of {one.decision['decided_at'][:10]} that admitted {one.head[:12]}"
        alone = noted.is_dependent(one.decision["stamps"])
        names = [review["reviewer"] for review in noted.counting(one.decision)] or [""]
        for name in names:
            yield from ((commit, Voucher(name, text, "decision", alone)) for commit in one.commits)


def _noted(repo: Repository) -> Iterator[tuple[str, Voucher]]:
    """Who counted as notes have it. Anybody who may push the ref can write one."""
    blobs = notes.blobs(repo)
    with repo.cat_file() as objects:
        items = objects.read(sorted(set(blobs.values())), NOTE_LIMIT) if blobs else ()
        known = {item.id: noted.parse(item.data) for item in items if item.data is not None}
    for commit, blob in blobs.items():
        note = known.get(blob)
        if note and note.outcome == "admitted":
            text = f"{noted.REF} says that it counted on {note.decided_at[:10]}; who may push can write that"
            for name in note.reviewers or ("",):
                yield commit, Voucher(name, text, "decision-note", noted.is_dependent(note.stamps))


def _voucher(row: Stored, signer: Signer | None, registry: Registry) -> Voucher | None:
    enrolled = registry.by_key(signer.key) if signer else None
    if not enrolled or not row.statement or row.statement.by not in enrolled[0].names:
        return None
    return Voucher(enrolled[0].name, f"{enrolled[0].name} approved {row.statement.head[:12]}: {row.ref}")


def _range(repo: Repository, row: Stored) -> Iterator[str]:
    """The commits that a statement speaks of: those of its range, as they were when it was signed."""
    assert row.statement is not None
    base, head = row.statement.base, row.statement.head
    if not repo.is_id(base) or not repo.is_id(head):
        return
    without = [] if base == repo.empty_tree else ["--not", base]
    try:
        done = repo.run("rev-list", head, *without, "--", ok=(0, 128))
    except SourceError:
        return
    yield from done.out.decode("ascii").split()
