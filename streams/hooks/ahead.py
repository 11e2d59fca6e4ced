"""What pre-receive lets others do while it imports the law: git reads what an ordinary update will need."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from streams.hooks import pushed
from streams.sources import landing, refs
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.refs import Move

MOST_MOVES = 4  # of one push that are begun early; more are read one after the other
MOST_NAMED = 200  # refs that are asked for by name; where more are pushed, all of them
BESIDE = ("refs/twohand/reviews", "refs/notes/ai")  # what every judgement asks for


class Arrived(NamedTuple):
    """What was pushed, and where; `problem` is why it cannot even be begun with."""

    repo: Repository | None
    moves: tuple[Move, ...]
    names: tuple[str, ...] = ()  # refs that will be asked for
    problem: Exception | None = None

    def opened(self) -> tuple[Repository, Sequence[Move]]:
        """Errors: what happened on the way here."""
        if self.repo is None:
            raise self.problem or ValueError("there is no repository")
        return self.repo, self.moves


def arrived(lines: Sequence[bytes]) -> Arrived:
    """Read the lines of receive-pack, open the repository of the hook, and let git begin. Never raises."""
    try:
        moves = tuple(pushed.moves(lines))
        repo = Repository.open(Path(os.environ.get("GIT_DIR") or "."), quarantine=True)
        names = _names(repo, moves)
        repo.begin(*refs.command(names))
        for move in moves if len(moves) <= MOST_MOVES else ():
            landing.begin(repo, move)
    except (SourceError, ValueError, OSError) as error:
        return Arrived(None, (), problem=error)
    return Arrived(repo, moves, names)


def _names(repo: Repository, moves: Sequence[Move]) -> tuple[str, ...]:
    if len(moves) > MOST_NAMED:
        return ("refs",)
    default = repo.symref("HEAD") if repo.bare else ""
    named = [default, *(move.ref for move in moves)]
    return refs.plain(dict.fromkeys((*BESIDE, *(name for name in named if not name.startswith(BESIDE)))))
