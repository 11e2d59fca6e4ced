"""Acknowledgements come in: by a signed statement, by a link, from the page, or from where people were paged.

Each is recorded in one transaction that looks at what stands at that moment: a link is used once, an answer to an earlier
lapse silences nothing, and nothing here approves anything.
"""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from rules import ack_link, escalation, instants
from rules.ack_link import Grant, LinkRefused
from rules.canonical import canonical
from rules.events import (
    ChangeProposed,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    Event,
    type_name,
)
from rules.judgement import read_laws
from rules.principals import Registry
from streams import clock
from streams.engines.codec import TYPES, revive
from streams.engines.journal import Journal
from streams.sources import signatures
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from rules.escalation import Escalation
    from streams.engines.book import Book
    from streams.letters import Link
    from streams.sinks.alerts.answers import Heard

SCHEMA: Final = "twohand.acknowledgement/v1"
SHARED: Final = "TWOHAND_LINKS"
SECRET: Final = "links.key"  # noqa: S105 - the name of the file, not what is in it
NAME: Final = 64  # characters of an escalation's id
VALID_FOR: Final = 12 * 3600  # seconds that a link can be used
TOLD: Final = tuple(map(type_name, (EscalationOpened, EscalationAcknowledged, EscalationResolved)))


class AckRefused(SourceError):
    """This acknowledges nothing."""

    exit_code = 2


class Offer(NamedTuple):
    """What a link would acknowledge, for whom, and until when it can (an instant)."""

    escalation: str
    change: str
    by: str
    until: str = ""


class Word(NamedTuple):
    """Somebody says that they have heard it. `lapse` is the one they speak of; None: the one that stands."""

    escalation: str
    by: str
    through: str  # key, link, page, or the name of a route
    lapse: int | None = None
    signed: str = ""
    armor: str = ""


class Answers:
    """What the page and the sinks may pass on. Every call opens the journal anew: they come from several threads."""

    def __init__(self, path: Path, secret: bytes, *, now: Callable[[], str] = clock.now) -> None:
        self._path = path
        self._secret = secret
        self._now = now

    def acknowledge(self, escalation: str, by: str) -> None:
        """Stop paging for a while, in the name of an enrolled person who is signed in. Errors: AckRefused."""
        with Journal(self._path) as journal:
            hear(journal, Word(escalation, by, "page"), self._now())

    def offered(self, link: str) -> Offer:
        """What a link says, without using it: programs follow links, too. Errors: AckRefused."""
        grant = self._read(link)
        with Journal(self._path, writable=False) as journal:
            one = found(journal, grant.escalation)
            _check(one, grant.by, grant.lapse, journal)
        return Offer(one.name, one.change, grant.by, instants.text_of(grant.expires))

    def use(self, link: str) -> Offer:
        """Acknowledge by a link, once. Errors: AckRefused."""
        grant = self._read(link)
        with Journal(self._path) as journal:
            one = hear(journal, Word(grant.escalation, grant.by, "link", grant.lapse), self._now())
        return Offer(one.name, one.change, grant.by, instants.text_of(grant.expires))

    def _read(self, link: str) -> Grant:
        try:
            return ack_link.read(self._secret, link, instants.seconds_of(self._now()))
        except LinkRefused as refused:
            raise AckRefused(
                f"This link acknowledges nothing: {refused}.",
                remedy="The newest message has a link that works; `twohand escalation ack` needs none.",
            ) from None


def hear(journal: Book, word: Word, at: str, *, change: str = "") -> Escalation:
    """Record an acknowledgement; the escalation as it was before. `change`: whose it is, where that is known. Errors: AckRefused."""
    with journal.transaction() as db:
        one = escalation.fold(journal.events(change))[word.escalation] if change else found(journal, word.escalation)
        _check(one, word.by, word.lapse, journal)
        event = EscalationAcknowledged(
            change=one.change, escalation=one.name, by=word.by, lapse=one.lapse, through=word.through,
            signed=word.signed, armor=word.armor, at=at,
        )  # fmt: skip
        journal.append_in(db, [event])
    return one


def _check(one: Escalation, by: str, lapse: int | None, journal: Book) -> None:
    short = one.name[:12]
    if one.how:
        raise AckRefused(f"{short} is over: {one.how}.", remedy="Nobody is paged for it any more.")
    if lapse is not None and lapse != one.lapse:
        raise AckRefused(
            f"{short} was acknowledged before, and that has ended: this speaks of an earlier page.",
            remedy="Use the link of the newest message.",
        )
    before = next((event for event in _heard(journal, one) if event.by == by), None)
    if before:
        raise AckRefused(
            f"{by} acknowledged {short} already, at {before.at}.",
            remedy="One acknowledgement is enough until it lapses; then people are paged again.",
        )


def _heard(journal: Book, one: Escalation) -> Iterator[EscalationAcknowledged]:
    """The acknowledgements of the lapse that stands."""
    for event in journal.events(one.change):
        if isinstance(event, EscalationAcknowledged) and (event.escalation, event.lapse) == (one.name, one.lapse):
            yield event


def elsewhere(journal: Book, heard: Iterable[Heard], at: str) -> int:
    """Record what people answered where they were paged; how many escalations that acknowledged.

    One answer counts once: a silence that outlives its acknowledgement does not keep people from being paged again.
    """
    count = 0
    for one in heard:
        if not _first(journal, one):
            continue
        asked = "select distinct name, key from told join timer on name = escalation where dedup = ?"
        for name, change in journal.ask(asked, (one.key,)):
            try:
                hear(journal, Word(name, one.by, one.through), at, change=change)
                count += 1
            except AckRefused:
                continue  # it is over, or they said so before
    return count


def _first(journal: Book, one: Heard) -> bool:
    name = f"heard:{one.through}:{one.id}:{one.key}"
    with journal.transaction() as db:
        return db.execute("insert into mark values (?, 1) on conflict do nothing", (name,)).rowcount > 0


def escalations(journal: Book) -> dict[str, Escalation]:
    """Every escalation that was ever opened here, by its id, in the order of opening."""
    return dict(escalation.fold(_told(journal)))


def _told(journal: Book) -> Iterator[Event]:
    asked = 'select type, at, body from log where type in (?, ?, ?) order by "offset"'
    return _revived(journal.ask(asked, TOLD))


def _revived(rows: Iterable[tuple[str, str, str]]) -> Iterator[Event]:
    return (revive(TYPES[kind], json.loads(text), at) for kind, at, text in rows)


def found(journal: Book, name: str) -> Escalation:
    """The escalation whose id begins so. Errors: AckRefused where none or several do."""
    asked = "select distinct key, body from log where type = ? and body like ?"
    bodies = journal.ask(asked, (TOLD[0], f'%"escalation":"{name}%')) if name.isalnum() and len(name) <= NAME else []
    named = {(json.loads(text)["escalation"], key) for key, text in bodies}
    rows = [row for row in named if row[0].startswith(name)]
    if len(rows) == 1:
        return escalation.fold(journal.events(rows[0][1]))[rows[0][0]]
    if not rows:
        raise AckRefused(f"No escalation here begins with {name!r}.", remedy="`twohand escalation list` shows them.")
    shown = ", ".join(sorted(row[0][:16] for row in rows)[:5])
    raise AckRefused(f"{len(rows)} escalations begin with {name!r} ({shown}).", remedy="Write more of the id.")


def statement(one: Escalation, by: str, at: str) -> bytes:
    """The bytes that a person signs to acknowledge: they name the escalation and the lapse, and approve nothing."""
    said = {"schema": SCHEMA, "escalation": one.name, "change": one.change, "by": by, "lapse": one.lapse, "time": at}
    return canonical(said) + b"\n"


def signed(journal: Book, one: Escalation, by: str, key: signatures.KeyChoice, at: str) -> Escalation:
    """Sign and record an acknowledgement with an enrolled person's key. Errors: AckRefused, CannotSign."""
    text = statement(one, by, at)
    armor = signatures.sign(text, key)
    signer = signatures.verify(text, armor)
    if signer is None or not _is_key_of(journal, one, by, signer.key, at):
        raise AckRefused(
            f"{key.found} is no key of {by}, or {by} is no active person in the policy that asks.",
            remedy="Give your enrolled name and key: --as NAME --key FILE.",
        )
    word = Word(one.name, by, "key", one.lapse, text.decode(), armor.decode("ascii", "replace"))
    return hear(journal, word, at)


def _is_key_of(journal: Book, one: Escalation, by: str, line: str, at: str) -> bool:
    proposals = [event for event in journal.events(one.change) if isinstance(event, ChangeProposed)]
    policies = [law.policy for law in read_laws(proposals[-1].laws) if law.policy] if proposals else []
    for policy in policies:
        owner = Registry(policy).by_key(line)
        if owner and by in owner[0].names and owner[0].kind == "person" and owner[0].active and owner[1].valid_at(at):
            return True
    return False


def shared_secret(environ: Mapping[str, str]) -> bytes:
    """The secret of links that several programs share, from $TWOHAND_LINKS; empty where it is not set. Errors: AckRefused."""
    secret = environ.get(SHARED, "").strip().encode()
    if secret and len(secret) < ack_link.LEAST_SECRET:
        raise AckRefused(
            f"${SHARED} has {len(secret)} bytes; a secret needs {ack_link.LEAST_SECRET}.",
            remedy="Make one: openssl rand -hex 32",
        )
    return secret


def secret_at(directory: Path) -> bytes:
    """The secret of links: the shared one, else that in the operator's directory, made where there is none.

    Errors: AckRefused where others may read it.
    """
    if shared := shared_secret(os.environ):
        return shared
    path = directory / SECRET
    try:
        directory.mkdir(parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _secret_of(path)
    except OSError as error:
        raise AckRefused(f"{path} cannot be written: {error.strerror}.", remedy="Get the right to write it.") from None
    with os.fdopen(made, "wb") as file:
        file.write(secrets.token_hex(ack_link.LEAST_SECRET).encode())
    return path.read_bytes()


def _secret_of(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise AckRefused(
            f"{path} can be read by others, who could then acknowledge in anybody's name.",
            remedy=f"Run: rm {path} - a new one is made, and links in older messages stop working.",
        )
    secret = path.read_bytes()
    if len(secret) < ack_link.LEAST_SECRET:
        raise AckRefused(f"{path} holds no secret.", remedy=f"Run: rm {path} - a new one is made.")
    return secret


def linker(secret: bytes, address: str, now: Callable[[], str] = clock.now) -> Link:
    """How the address is made at which somebody may acknowledge; `address` is that of the page."""

    def link(one: Escalation, by: str) -> str:
        expires = instants.seconds_of(now()) + VALID_FOR
        return f"{address}/ack/{ack_link.written(secret, Grant(one.name, by, one.lapse, expires))}"

    return link
