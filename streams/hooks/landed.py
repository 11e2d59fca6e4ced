"""post-receive: what landed is recorded, and what nobody admitted is said aloud. It can refuse nothing any more."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rules.events import ChangeMerged, DecisionMade
from streams.desk import Desk
from streams.hooks import pushed
from streams.hooks.entry import Called
from streams.hooks.refusal import Voice
from streams.moved import brought, guards, remember
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.landing import MOST_STEPS, Move


def run(called: Called) -> int:
    """Always 0: git takes no notice of it."""
    voice = Voice(gitlab=pushed.for_gitlab(os.environ))
    try:
        repo = Repository.open(Path(os.environ.get("GIT_DIR") or "."))
        with Desk(repo, explicit=called.settings, environ={}) as desk:
            record(desk, pushed.moves(sys.stdin.buffer), voice)
    except (SourceError, ValueError, OSError) as error:
        voice.say("warning", f"what landed is not recorded: {error}")
        voice.say("hint", "for who runs this server: `twohand doctor` compares refs and journal")
    return 0


def record(desk: Desk, moves: Iterable[Move], voice: Voice) -> None:
    """ChangeMerged for every admitted step, and where each protected ref stands now."""
    known, covered = desk.journal.tips(), guards(desk)
    moves = list(moves)
    real = desk.repo.symrefs([move.ref for move in moves])
    for move in moves:
        ref = real.get(move.ref, move.ref)
        if ref not in known and not covered.covers(ref):
            continue
        merged = list(_merged(desk, move._replace(ref=ref)))
        desk.journal.append(merged)
        if desk.settings.notes:
            _note(desk, merged)
        if merged or _first(desk, move):
            _remember(desk, move._replace(ref=ref), known)
        else:
            voice.say("warning", f"{ref} moved, and no admitted decision is recorded for it")


def _remember(desk: Desk, move: Move, known: Mapping[str, tuple[str, str]]) -> None:
    """Where the ref stands now; where it had moved before while nobody looked, that stays an incident."""
    left = known.get(move.ref, ("", ""))[0]
    if left in ("", move.old) or brought(desk, move.ref, left, move.old):
        remember(desk, move.ref, move.new)


def _note(desk: Desk, merged: Iterable[ChangeMerged]) -> None:
    """The decision beside the commit, for other tools, where the operator asked for it."""
    from rules import noted  # noqa: PLC0415 - most servers write none
    from streams.sinks import notes  # noqa: PLC0415

    made = {one.commit: decision for one in merged if (decision := _admitting(desk, one))}
    notes.write_all(desk.repo, {commit: noted.of_decision(json.loads(text)) for commit, text in made.items()})


def _admitting(desk: Desk, merged: ChangeMerged) -> str:
    """The newest admitted decision about what landed, "" where it deleted a ref: there is no commit to stand beside."""
    events = [event for event in desk.journal.events(merged.change) if isinstance(event, DecisionMade)]
    made = [
        event.decision for event in events if event.outcome == "admitted" and event.content_key == merged.content_key
    ]
    return made[-1] if made and merged.commit != desk.repo.empty_tree else ""


def _merged(desk: Desk, move: Move) -> Iterator[ChangeMerged]:
    """What was admitted for this ref, of its new tip and of the first-parent steps below (law 5)."""
    at = desk.now()
    for head in _heads(desk.repo, move):
        for change, key in desk.journal.admitted(move.ref, head):
            yield ChangeMerged(change=change, content_key=key, commit=head, at=at)


def _heads(repo: Repository, move: Move) -> list[str]:
    if move.new == repo.null_id:
        return [repo.empty_tree]
    without = [] if move.old == repo.null_id else ["--not", move.old]
    asked = ("rev-list", "--first-parent", f"--max-count={MOST_STEPS}", move.new, *without, "--")
    return list(dict.fromkeys([move.new, *repo.run(*asked).out.decode("ascii").split()]))


def _first(desk: Desk, move: Move) -> bool:
    """Whether this is the history that an empty repository began with (law 37)."""
    return move.old == desk.repo.null_id and not desk.journal.tips() and desk.journal.root() is not None
