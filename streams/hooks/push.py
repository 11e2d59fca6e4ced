"""pre-push: what the gate will say of this push, told before it goes out; the same law, as advice.

Advice does not stop the push: a gate that refuses records the change and so begins its review, which a push that never
left cannot. Who wants to be stopped says `git config twohand.prePush block`; what cannot be judged then stops it too.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.hooks.entry import Called
from streams.sources.change import local_name
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, REMOTES, Repository
from streams.sources.landing import Ground, Move, step

if TYPE_CHECKING:
    from streams.desk import Desk
    from streams.hooks.refusal import Voice

BUDGET: Final = 10.0  # seconds for everything
STATEMENTS: Final = "refs/twohand/"
BLOCK: Final = "twohand.prePush"


class Unknown(SourceError):
    """What the other side holds is not known here, so that nothing can be said."""


class Place(NamedTuple):
    """The remote's default branch as it was last fetched; no `ref` where it never was."""

    name: str = ""
    ref: str = ""
    tip: str = ""


def run(called: Called) -> int:
    """0, or 1 where the gate will refuse and the user asked to be stopped. `called.args` is the remote and its address."""
    moves = list(_moves(sys.stdin.buffer.read()))
    if not moves:
        return 0
    try:
        repo = Repository.open(Path(os.environ.get("GIT_DIR") or "."))
        stops = repo.config(BLOCK) == "block"
    except SourceError as error:
        _cannot(error.message, error.remedy)
        return 0
    alarm = Timer(BUDGET, partial(_give_up, stops=stops))
    alarm.daemon = True
    alarm.start()
    passes = _advise(repo, called, moves)
    alarm.cancel()
    if stops and not passes:
        print("hint: stopped here, because twohand.prePush is block;", file=sys.stderr)
        print("hint:   git push --no-verify asks the gate all the same", file=sys.stderr)
    return int(stops and not passes)


def _moves(data: bytes) -> Iterator[Move]:
    """`LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` a line; statements need no advice."""
    for line in os.fsdecode(data).splitlines():
        _, new, ref, old = line.split(" ")
        if not ref.startswith(STATEMENTS):
            yield Move(ref, old, new)


def _advise(repo: Repository, called: Called, moves: Iterable[Move]) -> bool:
    """Whether the gate will take all of it, as far as can be seen from here."""
    from streams.desk import Desk  # noqa: PLC0415 - reads the law and the rules; a push of statements needs neither

    remote = called.args[0] if called.args else "origin"
    try:
        with Desk(repo, explicit=called.settings) as desk:
            place = _place(repo, remote)
            desk.default_branch = place.ref or desk.default_branch
            told = [_foretold(desk, move, place, remote) for move in moves]
            return all(told)
    except SourceError as error:
        _cannot(error.message, error.remedy)
    except Exception as error:  # noqa: BLE001 - advice that fails is none, and says so
        _cannot(f"{type(error).__name__}: {error}", "")
    return False


def _place(repo: Repository, remote: str) -> Place:
    """The branch that the remote called its default, else the one of our default's name there."""
    tracking = f"{REMOTES}{remote}/"
    ref = repo.symref(f"{tracking}HEAD")
    if not ref:
        own = repo.default_branch() or ""
        ref = tracking + own.removeprefix(HEADS).removeprefix(f"{REMOTES}origin/")
    found = repo.first_ref(ref)
    return Place(HEADS + ref.removeprefix(tracking), ref, found.id) if found else Place()


def _foretold(desk: "Desk", move: Move, place: Place, remote: str) -> bool:
    """Say what the gate will say of one ref; True where it will take it, or does not care."""
    from streams.hooks.refusal import Voice  # noqa: PLC0415

    if not _protected(desk, move, place):
        return True
    try:
        return _judged(desk, _known(desk.repo, move, place, remote), place, Voice(remote=remote))
    except Unknown as unknown:
        _cannot(unknown.message, unknown.remedy)
        return False


def _protected(desk: "Desk", move: Move, place: Place) -> bool:
    """Law 4, by the policies that speak: the branch's own as it is there, and the default branch's."""
    from rules.judgement import read_laws  # noqa: PLC0415
    from rules.protection import protection  # noqa: PLC0415

    tip = next((tip for tip in (move.old, place.tip, move.new) if _is_here(desk.repo, tip)), "")
    if not tip:
        return False
    laws = read_laws(desk.standing(move.ref, tip).branches.texts)
    default = place.name or local_name(desk.default_branch or "")
    return protection(default, [law.policy for law in laws]).covers(move.ref)


def _is_here(repo: Repository, commit: str) -> bool:
    return bool(commit) and repo.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128)).code == 0


def _known(repo: Repository, move: Move, place: Place, remote: str) -> Move:
    """The move, where both of its sides can be read here. Errors: Unknown."""
    name = move.ref.removeprefix(HEADS)
    if move.old != repo.null_id and not _is_here(repo, move.old):
        remedy = f"Run `git fetch {remote}`, then push again."
        raise Unknown(f"{remote} holds a {name} that was not fetched ({move.old[:12]}).", remedy=remedy)
    if move.old == repo.null_id and not place.tip:
        remedy = f"After the first `git fetch {remote}` it can be told."
        raise Unknown(f"nothing of {remote} is known here, so what its gate will say of {name} is not.", remedy=remedy)
    return move


def _judged(desk: "Desk", move: Move, place: Place, voice: "Voice") -> bool:
    """Law 4: the step from what is there to what is pushed, judged as the gate will, and recorded nowhere."""
    from rules.record import record  # noqa: PLC0415
    from streams.desk import Asked  # noqa: PLC0415
    from streams.hooks import refusal  # noqa: PLC0415

    found = step(desk.repo, move, Ground(place.tip))
    decision = record(desk.judge(desk.reading(found), Asked(), dry_run=True))
    if decision["outcome"] == "admitted":
        refusal.admitted(decision, voice)
        return True
    voice.say("hint", "what the gate will say, as far as this clone knows:")
    refusal.refused(decision, voice, default=place.name, reachable=True)
    voice.say("hint", "the gate may know of words that were not fetched; this brings them:")
    voice.command(f"git fetch {voice.remote} '{STATEMENTS}*:{STATEMENTS}*'")
    return False


def _cannot(why: str, remedy: str) -> None:
    from streams.hooks.refusal import Voice  # noqa: PLC0415

    Voice().say("warning", f"twohand cannot tell what the gate will say: {why}")
    if remedy:
        Voice().say("hint", remedy)


def _give_up(*, stops: bool) -> None:
    print(f"warning: twohand could not judge this push in {BUDGET:g} seconds;", file=sys.stderr)
    print("hint: the gate will; `twohand review` takes the time it needs", file=sys.stderr, flush=True)
    os._exit(int(stops))
