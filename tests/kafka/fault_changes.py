"""Changes for the fault suite: with authors, signed statements and reviews, so that some of them may be admitted."""

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rules.claims import Claim
from rules.events import ChangeProposed, CommitFact, LawText, ReviewGiven
from rules.statement import Content, Statement, payload
from streams import clock
from streams.engines.kafka.cases.decider import beside
from streams.engines.kafka.records.wire import Record, encode
from streams.engines.kafka.workers.reviewing import review
from streams.sources import signatures
from tests.kafka.events import POLICY, blob, carried, proposed

SOURCE = "example/shop"
HEAD = "c" * 40
ALICE = '[people.alice]\nemails = ["alice@example.com"]\nkeys = ["{key}"]\n'
OUTCOMES = {"": "pending", "approve": "admitted", "object": "blocked"}  # by what bob says
TURNS = ("", "", "approve", "", "object")


class Change(NamedTuple):
    """One change as its source publishes it: statements that were made about it, then the proposal that names them."""

    proposed: ChangeProposed
    data: bytes
    said: tuple[ReviewGiven, ...]
    outcome: str  # what it has to become
    once: bool = True  # whether there is exactly one decision, whatever the order; else only the last one is known
    spoilt: bool = False  # whether a dead letter lies there instead of something that was said

    @property
    def id(self) -> str:
        return self.proposed.change

    @property
    def plain(self) -> ChangeProposed:
        """The proposal as a journal has it: its relay adds what it publishes beside it."""
        return replace(self.proposed, read_from=self.proposed.read_from[:-1])

    @property
    def spoken(self) -> list[Record]:
        return [encode(event, SOURCE) for event in self.said]

    @property
    def proposal(self) -> Record:
        return carried(self.proposed, self.data)

    @property
    def reviewed(self) -> ReviewGiven:
        """What the rules say of it, found here."""
        return replace(review(self.proposed, {blob(self.data): self.data}), at=self.proposed.at)


class Author:
    """Makes changes of alice's, about which bob speaks. Every change of one author is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        for name in ("alice", "bob"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)

    @cached_property
    def _lines(self) -> dict[str, str]:
        names = ("alice", "bob")
        return {name: " ".join((self._folder / f"{name}.pub").read_text().split()[:2]) for name in names}

    def several(self, count: int, **more: object) -> list[Change]:
        """So many: three of five wait for a hand, one is approved by bob, one he objects to."""
        return [self.one(TURNS[number % len(TURNS)], **more) for number in range(count)]

    def one(self, verb: str = "", data: bytes = b"", deadline: str = "9h", **more: object) -> Change:
        """A change about which bob says this, and nothing where `verb` is empty."""
        self._number += 1
        data = data or b"print(%d)\n" % self._number
        event = proposed(self._number, data, at=clock.now(), **self._made(deadline), **more)
        said = (self.says(event, verb),) if verb else ()
        passed = deadline == "0s" and not verb
        outcome = "escalated" if passed else OUTCOMES[verb]
        return Change(replace(event, read_from=("refs (0)", beside(said))), data, said, outcome, once=not passed)

    def _made(self, deadline: str) -> dict[str, object]:
        law = POLICY.format(key=self._lines["bob"]).replace('"2m"', f'"{deadline}"')
        text = law + ALICE.format(key=self._lines["alice"])
        lines = {"name": "alice", "email": "alice@example.com", "kind": "person", "commit": HEAD}
        return {
            "laws": (LawText("default", "twohand.toml", text),),
            "commits": (CommitFact(HEAD, signed_by=self._lines["alice"]),),
            "claims": tuple(Claim(channel, "D", **lines) for channel in ("author", "committer")),
        }

    def says(self, event: ChangeProposed, verb: str) -> ReviewGiven:
        """What bob says, signed."""
        statement = Statement(
            verb, "bob", event.repository, event.target, event.base, event.head, event.content_key,
            paths=tuple(map(Content.of, event.files)), time=event.at,
        )  # fmt: skip
        text = payload(statement)
        armor = signatures.sign(text, signatures.key_from_file(self._folder / "bob"))
        return ReviewGiven(
            change=event.change, content_key=event.content_key, reviewer="bob", statement=text.decode(),
            signature=armor.decode(), at=event.at,
        )  # fmt: skip


def records(changes: Iterable[Change]) -> list[Record]:
    """All of them, statements before their proposal."""
    return [record for one in changes for record in (*one.spoken, one.proposal)]
