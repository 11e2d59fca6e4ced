"""post-receive: what landed is recorded, and what nobody admitted is said aloud. It can refuse nothing any more.

What an ordinary landing does not need is imported where it is used: the policies, the settings, the voice.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rules.events import ChangeMerged, ChangeProposed, DecisionMade, type_name
from streams import clock
from streams.engines.journal import Journal
from streams.hooks import pushed
from streams.hooks.entry import Called
from streams.settings_file import places
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.refs import MOST_STEPS, Move

if TYPE_CHECKING:
    from rules.protection import Protection
    from streams.desk import Desk


def run(called: Called, lines: Sequence[bytes]) -> int:
    """Always 0: git takes no notice of it."""
    try:
        repo = Repository.open(Path(os.environ.get("GIT_DIR") or "."))
        with Journal(repo.common_dir / "twohand" / "journal.db") as journal:
            moved = list(_record(_Landing(repo, journal, called.settings), pushed.moves(lines)))
    except (SourceError, ValueError, OSError) as error:
        _say([f"what landed is not recorded: {error}"], "`twohand doctor` compares refs and journal")
    else:
        _say([f"{ref} moved, and no admitted decision is recorded for it" for ref in moved])
    return 0


def _say(warnings: Sequence[str], remedy: str = "") -> None:
    if not warnings:
        return
    from streams.hooks.refusal import Voice  # noqa: PLC0415

    voice = Voice(gitlab=pushed.for_gitlab(os.environ))
    for warning in warnings:
        voice.say("warning", warning)
    if remedy:
        voice.say("hint", f"for who runs this server: {remedy}")


class _Landing:
    """Where it landed. `settings`: the file that was fixed at installation."""

    def __init__(self, repo: Repository, journal: Journal, settings: Path | None) -> None:
        self.repo = repo
        self.journal = journal
        self._settings = settings

    @cached_property
    def desk(self) -> "Desk":
        """The policies and everything else that the journal alone does not tell."""
        from streams.desk import Desk  # noqa: PLC0415

        return Desk(self.repo, explicit=self._settings, environ={})

    @cached_property
    def guards(self) -> "Protection":
        """What the policies protect beside the refs that the journal knows; read once, however many refs have moved."""
        from streams.moved import guards  # noqa: PLC0415

        return guards(self.desk)

    def brought(self, ref: str, old: str, new: str) -> bool:
        """Whether admitted decisions lead from where the gate left a ref to where this push found it."""
        from streams.moved import brought  # noqa: PLC0415

        return brought(self.desk, ref, old, new)

    @property
    def notes(self) -> bool:
        """Whether the operator wants decisions as git notes; without settings nobody does."""
        found = places(self._settings, self.repo.common_dir)
        return any(map(os.path.lexists, found)) and self.desk.settings.notes


def _record(here: _Landing, moves: Sequence[Move]) -> Iterator[str]:
    """ChangeMerged for every admitted step, and where each protected ref stands now; the refs that nobody admitted."""
    known = here.journal.tips()
    real = here.repo.symrefs([move.ref for move in moves])
    for move in moves:
        ref = real.get(move.ref, move.ref)
        if ref not in known and not here.guards.covers(ref):
            continue
        move = move._replace(ref=ref)  # noqa: PLW2901 - the branch that it really moves
        merged = list(_merged(here, move))
        here.journal.append([*merged, *_over(here, move, merged)])
        if here.notes:
            _note(here, merged)
        if (not known and _first(here, move)) or merged:
            _remember(here, move, known)
        else:
            yield ref


def _remember(here: _Landing, move: Move, known: Mapping[str, tuple[str, str]]) -> None:
    """Where the ref stands now; where it had moved before while nobody looked, that stays an incident."""
    left = known.get(move.ref, ("", ""))[0]
    if left in ("", move.old) or here.brought(move.ref, left, move.old):
        here.journal.remember_tip(move.ref, move.new, clock.now())


def _note(here: _Landing, merged: Iterable[ChangeMerged]) -> None:
    """The decision beside the commit, for other tools, where the operator asked for it."""
    from rules import noted  # noqa: PLC0415 - most servers write none
    from streams.sinks import notes  # noqa: PLC0415

    made = {one.commit: decision for one in merged if (decision := _admitting(here, one))}
    notes.write_all(here.repo, {commit: noted.of_decision(json.loads(text)) for commit, text in made.items()})


def _admitting(here: _Landing, merged: ChangeMerged) -> str:
    """The newest admitted decision about what landed, "" where it deleted a ref: there is no commit to stand beside."""
    events = [event for event in here.journal.events(merged.change) if isinstance(event, DecisionMade)]
    made = [
        event.decision for event in events if event.outcome == "admitted" and event.content_key == merged.content_key
    ]
    return made[-1] if made and merged.commit != here.repo.empty_tree else ""


def _merged(here: _Landing, move: Move) -> Iterator[ChangeMerged]:
    """What was admitted for this ref, of its new tip and of the first-parent steps below (law 5)."""
    at = clock.now()
    for head in _heads(here.repo, move):
        for change, key in here.journal.admitted(move.ref, head):
            yield ChangeMerged(change=change, content_key=key, commit=head, at=at)


def _heads(repo: Repository, move: Move) -> list[str]:
    if move.new == repo.null_id:
        return [repo.empty_tree]
    without = [] if move.old == repo.null_id else ["--not", move.old]
    asked = ("rev-list", "--first-parent", f"--max-count={MOST_STEPS}", move.new, *without, "--")
    return list(dict.fromkeys([move.new, *repo.run(*asked).out.decode("ascii").split()]))


def _over(here: _Landing, move: Move, merged: Sequence[ChangeMerged]) -> Iterator[ChangeMerged]:
    """Earlier pushes that what landed took up again, and the whole that was refused while its steps were not: all landed."""
    for one in merged:
        keys = {*_continued(here.journal, one), *([_whole(here, move)] if one.commit != merged[0].commit else [])}
        for name in sorted({name for key in keys for name in here.journal.changes_with(key)} - {one.change}):
            yield replace(one, change=name)


def _continued(journal: Journal, one: ChangeMerged) -> Iterator[str]:
    """The contents that a change took up again, as it was proposed with what landed (law 12, 34)."""
    asked = "select body ->> '$.continues' from log where key = ? and type = ? and body ->> '$.content_key' = ?"
    rows = journal.ask(asked, (one.change, type_name(ChangeProposed), one.content_key))
    return (key for (text,) in rows if text for key in json.loads(text))


def _whole(here: _Landing, move: Move) -> str:
    """The content key of all steps together (law 5)."""
    from streams.sources.landing import Ground, step  # noqa: PLC0415 - most pushes are one step

    return here.desk.reading(step(here.repo, move, Ground())).key


def _first(here: _Landing, move: Move) -> bool:
    """Whether this is the history that an empty repository began with: its policy is the root of trust (law 37)."""
    from streams.hooks.trust import accept  # noqa: PLC0415 - once in the life of a repository

    accept(here.repo, here.desk.settings)
    return move.old == here.repo.null_id and here.journal.root() is not None
