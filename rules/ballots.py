"""Approvals with their independence worked out: what each is worth, and how many hands they are (law 23-27)."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from rules.independence import DISTINCT, SAME, UNRESOLVED, Answer, Ground, Hand, author_hand, compare, hands_meet
from rules.policy import Independence
from rules.provenance import Author, Authorship
from rules.votes import Vote, model_conflict

EXACT_UP_TO = 12  # approvals among which the largest independent group is searched exactly


class Ballot(NamedTuple):
    """One approval. The three lists name axes; an axis that policy only advises on is in none of them."""

    vote: Vote
    answers: tuple[Answer, ...]
    same: tuple[str, ...]  # recuses
    extra: tuple[str, ...]  # asks for one more
    unresolved: tuple[str, ...]  # recuses on guarded paths, asks for one more elsewhere
    advised: tuple[str, ...]
    conflict: str

    @property
    def name(self) -> str:
        return self.vote.name

    @property
    def human(self) -> bool:
        return self.vote.hand.kind == "human"

    @property
    def reported(self) -> bool:
        """By a forge, unsigned: an owner's answer only where `[owners] forge` says so (law 21)."""
        return bool(self.vote.voice.heard.account)

    @property
    def spoiled(self) -> bool:
        """Recused whatever it approves."""
        return bool(self.same or self.conflict)


class Court(NamedTuple):
    """Against whom reviewers are compared."""

    pairs: tuple[tuple[Author, Hand], ...]
    on: Ground
    modes: Independence

    def answers(self, hand: Hand, pairs: Sequence[tuple[Author, Hand]] | None = None) -> tuple[Answer, ...]:
        return compare(hand, self.pairs if pairs is None else pairs, self.on)

    def recused(self, hand: Hand) -> bool:
        """Whether an approval by this hand would be recused as self-review."""
        return any(a.result == SAME and getattr(self.modes, a.axis) == "block" for a in self.answers(hand))

    def ballot(self, vote: Vote) -> Ballot:
        pairs = self.pairs
        if vote.voice.statement and vote.voice.statement.not_author and self.on.shown:
            pairs = tuple(pair for pair in pairs if not _only_named(pair[0], vote.name))
        answers = self.answers(vote.hand, pairs)
        modes = {answer.axis: getattr(self.modes, answer.axis) for answer in answers}
        return Ballot(
            vote,
            answers,
            tuple(a.axis for a in answers if a.result == SAME and modes[a.axis] == "block"),
            tuple(a.axis for a in answers if a.result == SAME and modes[a.axis] == "extra"),
            tuple(a.axis for a in answers if a.result == UNRESOLVED and modes[a.axis] != "advise"),
            tuple(a.axis for a in answers if a.result != DISTINCT and modes[a.axis] == "advise"),
            model_conflict(vote.voice),
        )


def court(made: Authorship, on: Ground, modes: Independence) -> Court:
    return Court(tuple((author, author_hand(author, made.accountable)) for author in made.authors), on, modes)


def _only_named(author: Author, name: str) -> bool:
    """Law 27: an author by C or D evidence alone, or the human whom it puts behind a tool, who says that it was not them."""
    named = author.principal == name or (not author.principal and author.operator == name)
    return named and not author.accountable and author.strongest in ("C", "D")


def hands(ballots: Iterable[Ballot], modes: Independence) -> int:
    """Law 25: the size of the largest group of approvals that are independent of each other."""
    rows = sorted(ballots, key=lambda ballot: ballot.name)
    meeting = {
        frozenset((one.name, other.name))
        for one, other in combinations(rows, 2)
        if hands_meet(one.vote.hand, other.vote.hand, modes)
    }
    if not meeting:
        return len(rows)
    names = [ballot.name for ballot in rows]
    return _largest(names, meeting) if len(names) <= EXACT_UP_TO else _greedy(names, meeting)


def _largest(names: Sequence[str], meeting: set[frozenset[str]]) -> int:
    for size in range(len(names), 1, -1):
        for group in combinations(names, size):
            if not any(frozenset(pair) in meeting for pair in combinations(group, 2)):
                return size
    return min(len(names), 1)


def _greedy(names: Sequence[str], meeting: set[frozenset[str]]) -> int:
    chosen: list[str] = []
    for name in names:
        if not any(frozenset((name, other)) in meeting for other in chosen):
            chosen.append(name)
    return len(chosen)
