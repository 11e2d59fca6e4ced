"""What the journal remembers about a change that is read now: its history, its makers, objections that vanished (law 12, 34, 40)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from rules import record
from rules.canonical import canonical
from rules.case import fold
from rules.claims import Claim
from rules.events import (
    ChangeProposed,
    DecisionMade,
    Event,
    LawText,
    Recorded,
    ReviewGiven,
    WaiverGranted,
    type_name,
)
from rules.judgement import Judgement, judge, read_laws
from rules.sshsig import Signer, parse
from rules.statement import Content, statement_id
from rules.votes import claims_of
from streams.engines.journal import Journal
from streams.sources import signatures, statements
from streams.sources.statements import Stored

Signed = tuple[str, str]  # the signed text and its armor
MAKERS = frozenset({"author", "committer", "co-author", "mark", "opened-by", "pushed-by"})


class Memory(NamedTuple):
    """The journal of a repository; without one, nothing is remembered."""

    journal: Journal | None

    def history(self, change: str, known: Mapping[Signed, Signer | None]) -> Iterator[Event]:
        """The recorded events of a change, statements verified again where this run has not done so (law 19)."""
        for event in self.journal.events(change) if self.journal else ():
            yield verified(event, known)

    def contents(self, content_key: str) -> frozenset[str]:
        """The content keys of every change that ever had this content."""
        if not self.journal:
            return frozenset({content_key})
        others = (self.contents_of(name) for name in self.journal.changes_with(content_key))
        return frozenset({content_key}).union(*others)

    def contents_of(self, change: str) -> frozenset[str]:
        """The content keys that a change ever had."""
        events = self.journal.events(change) if self.journal else ()
        return frozenset(event.content_key for event in events if isinstance(event, ChangeProposed))

    def vanished(self, rows: Iterable[Stored]) -> list[Stored]:
        """Objections and withdrawals of any change that were recorded and whose refs are gone (law 40)."""
        if not self.journal:
            return []
        here = {row.signed + row.armor for row in rows}
        given = (event for event in self.journal.voices() if isinstance(event, ReviewGiven))
        found = {blob: None for event in given if (blob := _blob(event)) not in here}
        return [statements.stored("", sha256(blob).hexdigest(), blob) for blob in found]

    def upheld(self, rows: Iterable[Stored]) -> tuple[str, ...]:
        """Which of these statements a recorded decision found in force as objections (law 18, 34)."""
        known = self.journal.upheld() if self.journal else frozenset()
        return tuple(sorted(known & {statement_id(row.signed) for row in rows}))

    def signers(self, rows: Sequence[Stored], enrolled: frozenset[str], *, keep: bool) -> dict[str, Signer]:
        """Whose good signature each statement carries; each blob is verified once, and only enrolled keys are asked about.

        What somebody took back while their key was enrolled stays taken back (law 34).
        """
        back = [row.blob for row in rows if row.statement and row.statement.verb in ("object", "withdraw")]
        rows = [row for row in rows if (signature := parse(row.armor)) and signature.key in enrolled]
        known = self.journal.known_signers([*(row.blob for row in rows), *back]) if self.journal else {}
        found = {name: known[name] for name in back if name in known} | statements.verified(rows, known)
        if keep and self.journal and found.keys() - known.keys():
            self.journal.remember_signers(found)
        return {name: signer for name, signer in found.items() if signer}

    def continued(self, proposed: ChangeProposed, principal: str) -> tuple[ChangeProposed, ...]:
        """Earlier pushes that this one takes up again: not landed, a path in common, and of the same hand.

        A push names no source branch. Without this, one more byte would make another change of it (law 12, 34).
        """
        if not self.journal:
            return ()
        here, hands = [file.path for file in proposed.files], _hands(proposed)
        found: dict[str, ChangeProposed] = {}
        for name in self._told(self.journal.open_changes(proposed.target, here)):
            events = list(self.journal.events(name)) if name != proposed.change else []
            others = _answering(events)
            pushes = [event for event in events if isinstance(event, ChangeProposed)]
            unanswered = not (others and principal) and any(hands & _hands(push) for push in pushes)
            if principal in others or unanswered:
                found |= {push.content_key: push for push in pushes if push.content_key != proposed.content_key}
        return tuple(push for _, push in sorted(found.items()))

    def _told(self, names: Sequence[str]) -> Iterator[str]:
        """Those that bring something: somebody spoke about them, or a door said whose they are. Anybody can push the rest."""
        assert self.journal
        asked = (
            "select exists (select 1 from voice join log using (offset) where key = ?1)"
            " or exists (select 1 from log where key = ?1 and type = ?2"
            " and (instr(body, '\"opened-by\"') or instr(body, '\"pushed-by\"')))"
        )
        kind = type_name(ChangeProposed)
        return (name for name in names if self.journal.ask(asked, (name, kind))[0][0])

    def recorded(self, proposed: ChangeProposed, continued: Iterable[ChangeProposed] = ()) -> tuple[Recorded, ...]:
        """Law 12, 13: claims of other recorded changes with this content, with one of its patches, or that it continues."""
        if not self.journal:
            return ()
        patches = {commit.patch_id for commit in proposed.commits if commit.patch_id}
        found = dict.fromkeys(Recorded(self._claims(push), shows=False) for push in continued)
        for name in self.journal.changes_with(proposed.content_key, patches):
            events = list(self.journal.events(name)) if name != proposed.change else []
            for event in events:
                if isinstance(event, ChangeProposed) and (claims := _shared(event, proposed, patches)):
                    found[
                        Recorded((*claims, *_proposals(events, event.content_key)), shows=_shows(event, proposed))
                    ] = None
        return tuple(sorted(found))

    def _claims(self, push: ChangeProposed) -> tuple[Claim, ...]:
        """All that was ever said of its content: a second push of it may have dropped a mark."""
        events = list(self.journal.events(push.change)) if self.journal else []
        pushes = [
            event for event in events if isinstance(event, ChangeProposed) and event.content_key == push.content_key
        ]
        claims = dict.fromkeys(claim for one in pushes for claim in one.claims)
        return (*claims, *_proposals(events, push.content_key))

    def open_glass(self, change: str, at: str, texts: tuple[LawText, ...]) -> str:
        """Since when a break-glass that let another change in waits for its review; empty: none does (law 35)."""
        allowed = any(law.policy.waivers.break_glass for law in read_laws(texts) if law.policy)
        if not self.journal or not allowed:
            return ""
        others = [name for name in self.journal.waived_changes() if name != change]
        return min(filter(None, (self._glass_since(name, at) for name in others)), default="")

    def _glass_since(self, change: str, at: str) -> str:
        events = [verified(event) for event in (self.journal.events(change) if self.journal else ())]
        broken = [event for event in events if isinstance(event, WaiverGranted) and _breaks(event)]
        if not broken or not any(isinstance(event, DecisionMade) and event.outcome == "admitted" for event in events):
            return ""
        without = fold(event for event in events if event not in broken)
        return "" if judge(without, at).outcome == "admitted" else min(event.at for event in broken)


def _answering(events: Iterable[Event]) -> set[str]:
    """Who ever answered for a recorded change, as its decisions tell."""
    decisions = (json.loads(event.decision) for event in events if isinstance(event, DecisionMade))
    return {row["principal"] for decision in decisions for row in decision["authors"] if row["accountable"]}


def _hands(push: ChangeProposed) -> frozenset[str]:
    """By what the makers of a push can be known again: addresses, accounts and names that are proven. Services are nobody's."""
    claims = [claim for claim in push.claims if claim.channel in MAKERS and claim.kind != "service"]
    return frozenset(
        mark for one in claims for mark in (one.email.casefold(), one.account, one.principal, one.operator) if mark
    )


def _breaks(event: WaiverGranted) -> bool:
    statement = statements.read(event.statement)
    return statement is not None and statement.break_glass


def signed(event: ReviewGiven | WaiverGranted) -> Signed:
    return event.statement, event.signature


def verified(event: Event, known: Mapping[Signed, Signer | None] | None = None) -> Event:
    """The event with the signer that our own verification finds; never the one that somebody wrote into it.

    `known` holds what this very run has verified already.
    """
    if not isinstance(event, ReviewGiven | WaiverGranted) or not event.statement:
        return event
    if known and signed(event) in known:
        return replace(event, signer=known[signed(event)])
    return replace(event, signer=verified_signer(event))


def verified_signer(event: ReviewGiven | WaiverGranted) -> Signer | None:
    """Whose good signature an event carries, as ssh-keygen finds now."""
    text = event.statement.encode("utf-8", "surrogatepass")
    return signatures.verify(text, event.signature.encode("utf-8", "replace"))


def decided(judgement: Judgement) -> DecisionMade:
    """The record of a decision."""
    proposed, leading = judgement.case.proposed, judgement.leading
    assert proposed is not None
    return DecisionMade(
        change=proposed.change,
        content_key=proposed.content_key,
        outcome=judgement.outcome,
        decision=canonical(record.record(judgement)).decode(),
        objections=leading.objections if leading else (),
        at=judgement.at,
    )


def _blob(event: ReviewGiven) -> bytes:
    return event.statement.encode("utf-8", "surrogatepass") + event.signature.encode("ascii", "replace")


def _proposals(events: Iterable[Event], content_key: str) -> Iterator[Claim]:
    """What verified proposals of an earlier recorded content say, by the key that signed them."""
    for event in events:
        if isinstance(event, ReviewGiven) and event.statement and event.content_key == content_key:
            statement = statements.read(event.statement)
            signer = verified_signer(event) if statement and statement.verb == "propose" else None
            if statement and signer and statement.content_key == content_key and statement.time <= event.at:
                yield from claims_of(statement, "", signer.key)


def _shared(event: ChangeProposed, proposed: ChangeProposed, patches: set[str]) -> tuple[Claim, ...]:
    """An earlier change's claims, as far as they speak of what is here again."""
    if event.content_key == proposed.content_key:
        return event.claims
    again = {commit.id for commit in event.commits if commit.patch_id in patches}
    return tuple(claim for claim in event.claims if not claim.commit or claim.commit in again) if again else ()


def _shows(event: ChangeProposed, proposed: ChangeProposed) -> bool:
    """Law 13: the whole content, or the one commit that both are, shows who made it.

    A patch id knows no positions: the same hunk may stand elsewhere. So the blobs have to be the same, too.
    """
    if event.content_key == proposed.content_key:
        return True
    mine, theirs = ([commit.patch_id for commit in change.commits] for change in (proposed, event))
    blobs, others = ({Content.of(file) for file in change.files} for change in (proposed, event))
    return len(mine) == len(theirs) == 1 and bool(mine[0]) and mine == theirs and blobs == others
