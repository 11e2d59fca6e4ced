"""pre-receive: what is pushed lands only when it is admitted; else it is recorded as proposed, and the pusher reads why.

Works inside git's quarantine. Whatever fails, the push is refused.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rules.change import FileChange
from rules.claims import Claim
from rules.decision import ADMITTED
from rules.gate_paths import is_gate_path, is_own_rule, is_pyproject
from rules.judgement import Judgement, Law, read_laws
from rules.paths import unquote
from rules.protection import Protection, protection
from rules.record import record
from rules.report import Invalid
from streams.desk import Asked, Desk, Reading, Second, Standing
from streams.hearing import enrolled
from streams.hooks import budget, certificate, guarding, letterbox, pushed, refusal
from streams.hooks.ahead import Arrived
from streams.hooks.entry import Called
from streams.hooks.refusal import Voice
from streams.laws import governing
from streams.settings_file import places
from streams.sources import landing
from streams.sources.change import Range, read_blobs
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.landing import Ground, Move

REFUSED = 1
MOST_KEPT = 32 << 20  # bytes of contents of one refused change that are kept
REPLACE = "refs/replace/"
KAFKA = "kafka"  # the engine whose decider has to agree
VALIDATE = "`twohand policy validate` names line, key and what is allowed"
ENROL = "`twohand init` writes one from what the repository shows"


def run(called: Called, arrived: Arrived) -> int:
    """0: git may move the refs. Anything else, and a process that dies, refuses the whole push."""
    voice = Voice(gitlab=pushed.for_gitlab(os.environ))
    try:
        with budget.within(budget.SECONDS, lambda: _too_slow(voice)):
            repo, moves = arrived.opened()
            with repo.one_reader(), Desk(repo, explicit=called.settings, environ={}) as desk:
                repo.see(arrived.names)
                return _received(desk, moves, voice)
    except Exception as error:  # noqa: BLE001 - the gate stays closed, whatever happened
        return _failed(error, voice)


def _received(desk: Desk, asked: Sequence[Move], voice: Voice) -> int:
    floor = _Floor(desk)
    moves = floor.resolved(asked)
    misplaced = [(move, why) for move in moves if (why := floor.misplaced(move))]
    for move, why in misplaced:
        voice.say("error", f"{move.ref} is not taken: {why}")
    letters = [move for move in moves if move.ref.casefold().startswith(letterbox.OURS)]
    taken = not misplaced and _letters(desk, letters, floor, voice)
    held = [move for move in moves if floor.guards.covers(move.ref)]
    if not held:
        floor.note()
    said = tuple(_pusher(desk, asked, floor.standing)) if held else ()
    verdicts = [_verdict(desk, move, floor, said) for move in held]
    for verdict in verdicts:
        verdict.tell(voice, default=floor.default, reachable=verdict.admitted or _reachable(desk.repo, verdict.move))
    passes = taken and all(verdict.admitted for verdict in verdicts)
    if not passes and any(verdict.admitted for verdict in verdicts):
        voice.say("error", "nothing of this push was taken, because not all of it may be")
    return 0 if passes else REFUSED


class _Floor:
    """What stands before the push: policies, the refs that they protect, and where those are."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.default = desk.default_branch or ""
        tip = desk.repo.first_ref(self.default) if self.default else None
        self.default_tip = tip.id if tip else ""
        self.standing: Standing = desk.standing(self.default or "HEAD", self.default_tip or desk.repo.empty_tree)
        self.guards = self._guards()

    def _guards(self) -> Protection:
        return protection(self.default, [law.policy for law in read_laws(self.standing.branches.texts)])

    def resolved(self, moves: Sequence[Move]) -> list[Move]:
        """Law 4: the branch that a symbolic ref names is the one that moves."""
        real = self.desk.repo.symrefs([move.ref for move in moves])
        return [move._replace(ref=real.get(move.ref, move.ref)) for move in moves]

    def ground(self, move: Move) -> Ground:
        heads = self.desk.repo.refs("refs/heads") if self.guards.globs else []
        named = ((os.fsdecode(name), tip) for name, tip in heads)
        left = self.desk.journal.tips()  # what stood on a branch before it was protected was admitted by nobody (law 5)
        others = tuple(tip for name, tip in named if name != move.ref and name in left and self.guards.covers(name))
        stood = left.get(move.ref, ("", ""))[0] if move.old == self.desk.repo.null_id else ""
        return Ground(self.default_tip, (*others, *filter(None, [self.default_tip])), stood)

    def note(self) -> None:
        """For the next push that touches nothing guarded: it need not read the policies again."""
        desk = self.desk
        files = [
            *places(desk.explicit, desk.repo.common_dir),
            *([Path(desk.settings.floor)] if desk.settings.floor else []),
        ]
        with suppress(SourceError):
            grounds = guarding.Grounds(self.default_tip, desk.explicit, files)
            guarding.note(desk.repo.common_dir, self.guards, desk.journal.tips(), grounds)

    @cached_property
    def second(self) -> Second | None:
        """With the Kafka engine, what the decider says of it, as the relay brought it back."""
        if self.desk.settings.engine != KAFKA:
            return None
        from streams.hooks import second  # noqa: PLC0415 - most servers have no decider

        return second.Second(self.desk.journal_path.parent, self.desk.repo.git_dir).joined

    @cached_property
    def unborn(self) -> bool:
        """Whether the repository had no history when its gate was installed, and none has landed yet (law 37)."""
        return not self.default_tip and self.desk.journal.root() is None and not self.desk.journal.tips()

    def misplaced(self, move: Move) -> str:
        """Why this ref may not even be asked about, "" where it may."""
        if move.ref.casefold().startswith(REPLACE):
            return "it would show other content than what was judged"
        if self.unborn and move.ref.startswith("refs/heads/") and move.ref != self.default:
            default = self.default.removeprefix("refs/heads/")
            return f"the default branch here is {default}, and its first history has to come first"
        return ""


class _Verdict(NamedTuple):
    """What becomes of one protected ref."""

    move: Move
    admitted: bool
    judgement: Judgement | None = None
    why: str = ""
    remedy: str = ""

    def tell(self, voice: Voice, *, default: str, reachable: bool) -> None:
        if self.why:
            voice.say("success" if self.admitted else "error", self.why)
            if self.remedy:
                voice.say("hint", self.remedy)
        elif self.judgement and self.admitted:
            refusal.admitted(record(self.judgement), voice)
        elif self.judgement:
            refusal.refused(record(self.judgement), voice, default=default, reachable=reachable)


def _verdict(desk: Desk, move: Move, floor: _Floor, said: tuple[Claim, ...]) -> _Verdict:
    if floor.unborn and move.ref == floor.default:
        return _first(desk, move)
    found = landing.step(desk.repo, move, floor.ground(move))
    reading, asked = desk.reading(found), Asked(claims=said, unnamed=True)
    judgement = desk.judge(reading, asked, second=floor.second)
    if judgement.outcome == ADMITTED or _stepwise(desk, found, asked, floor.second):
        return _broken(desk, move, reading) or _Verdict(move, admitted=True, judgement=judgement)
    _keep(desk, reading.read.files)
    return _Verdict(move, admitted=False, judgement=judgement)


def _stepwise(desk: Desk, found: Range, asked: Asked, second: Second | None) -> bool:
    """Law 5: several first-parent steps may land together when each of them is admitted alone.

    Steps that only the decider does not admit yet are recorded as proposed, with their contents, so that it can.
    """
    steps = [desk.reading(step) for step in landing.steps(desk.repo, found)]
    if not steps or any(desk.judge(step, asked, dry_run=True).outcome != ADMITTED for step in steps):
        return False
    held = [step for step in steps if desk.judge(step, asked, second=second).outcome != ADMITTED]
    for step in held:
        _keep(desk, step.read.files)
    return not held


def _broken(desk: Desk, move: Move, reading: Reading) -> _Verdict | None:
    """A law that nobody can read or answer admits nothing any more, not even its repair: such a push is not taken."""
    own = [policy.rules.directory for policy in reading.policies]
    if not any(_makes_law(unquote(file.path), own) for file in reading.read.files):
        return None
    laws = _laws(desk, desk.repo.empty_tree if move.new == desk.repo.null_id else move.new, move)
    if problem := next(_problems(laws), ""):
        why = f"{move.ref} would have a policy that cannot be used: {problem}"
        return _Verdict(move, admitted=False, why=why, remedy=VALIDATE)
    if not enrolled(law.policy for law in laws if law.policy):
        why = (
            f"{move.ref} would have a policy that enrols nobody with a key, and nobody could answer for anything again"
        )
        return _Verdict(move, admitted=False, why=why, remedy=ENROL)
    return None


def _makes_law(path: bytes, directories: Iterable[str]) -> bool:
    """Whether policies, owners or own rules are read from this path."""
    return is_gate_path(path) or is_pyproject(path) or any(is_own_rule(path, name) for name in directories)


def _laws(desk: Desk, tip: str, move: Move) -> tuple[Law, ...]:
    """The policies that speak about a branch where it stands there."""
    found = governing(desk.repo, desk.settings, default=desk.default_branch, target=move.ref, target_tip=tip)
    return read_laws(found.texts)


def _problems(laws: Iterable[Law]) -> Iterator[str]:
    return (str(problem) for law in laws for problem in law.problems)


def _first(desk: Desk, move: Move) -> _Verdict:
    """The first history of an empty repository is taken as it is, and its policy is the root of trust (law 37)."""
    laws = _laws(desk, move.new, move)
    policies = [law.policy for law in laws if law.policy]
    if problem := next(_problems(laws), ""):
        return _Verdict(move, admitted=False, why=f"the first policy cannot be used: {problem}", remedy=VALIDATE)
    if not enrolled(policies):
        why = "the first history has to bring a policy that enrols somebody with a key, else nobody could ever answer"
        return _Verdict(move, admitted=False, why=why, remedy=ENROL)
    short = move.ref.removeprefix("refs/heads/")
    return _Verdict(
        move, admitted=True, why=f"{short}: the first history is taken as it is; its policy is the root of trust"
    )


def _keep(desk: Desk, files: Iterable[FileChange]) -> None:
    """The contents of a refused change, as far as they have room: its objects vanish with the quarantine."""
    kept: dict[str, bytes] = {}
    for blobs in read_blobs(desk.repo, files, total=MOST_KEPT):
        sides = ((blobs.file.old_blob, blobs.old), (blobs.file.new_blob, blobs.new))
        kept |= {name: data for name, data in sides if data is not None}
    desk.journal.keep_blobs(kept)


def _reachable(repo: Repository, move: Move) -> bool:
    """Whether others can fetch the commits, because some ref of ours holds them already."""
    if move.new == repo.null_id:
        return True
    done = repo.run("rev-list", "--max-count=1", move.new, "--not", "--all", "--", ok=(0, 128))
    return done.code == 0 and not done.out


def _pusher(desk: Desk, moves: Sequence[Move], standing: Standing) -> Iterator[Claim]:
    trusted = desk.settings.trust
    yield from pushed.claims(os.environ, trusted)
    if "certificate" in trusted:
        yield from certificate.claims(desk.repo, os.environ, moves, standing.policies)


def _letters(desk: Desk, moves: Sequence[Move], floor: _Floor, voice: Voice) -> bool:
    """Statements that are pushed: taken all or none; those that come along with a change count for it."""
    if not moves:
        return True
    at = desk.now()
    arrived = letterbox.opened(desk.repo, moves, floor.standing, desk.journal, at)
    for refused in arrived.refused:
        voice.say("error", f"{refused.name} is not taken: {refused.why}")
        voice.say("hint", refused.remedy)
    if not arrived.refused:
        letterbox.recorded(arrived.rows, arrived.signers, desk.journal, at)
        desk.arriving = arrived.rows
    return not arrived.refused


def _too_slow(voice: Voice) -> None:
    voice.say("error", f"nothing was taken: this push was not judged within {budget.SECONDS:.0f} seconds")
    voice.say("hint", "push less at once; or ask who runs this server what keeps it busy")


def _failed(error: Exception, voice: Voice) -> int:
    if isinstance(error, SourceError):
        voice.say("error", f"nothing was taken: {error.message}")
        voice.say("hint", f"for who runs this server: {error.remedy}")
    elif isinstance(error, Invalid):
        for line in str(error).splitlines():
            voice.say("error", f"nothing was taken: {line}")
        voice.say("hint", "for who runs this server: mend these settings")
    else:
        import traceback  # noqa: PLC0415 - only for what went wrong

        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        voice.say("error", f"nothing was taken: internal error: {type(error).__name__} at {where}: {error}")
        voice.say("hint", "for who runs this server: `twohand hook status`, then `twohand doctor`")
    return REFUSED
