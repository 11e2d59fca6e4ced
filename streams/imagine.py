"""What would be decided if somebody said something more or less, or the policy were another. Pure but for one file's text.

A supposed statement is folded through the same law as a signed one. Its signature names the speaker's key and proves
nothing; nothing of it is ever recorded, and every decision that rests on it says `simulated`.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from rules import sshsig, statement
from rules.case import Case, fold
from rules.events import ChangeProposed, Event, LawText, ReviewGiven, WaiverGranted
from rules.judgement import judge, read_laws
from rules.policy import Key, Policy
from rules.record import record
from rules.statement import Content, Statement
from streams.sources.errors import SourceError

VERBS = ("approve", "object", "withdraw", "propose")


class CannotImagine(SourceError):
    """What was supposed cannot be."""

    exit_code = 2


class Supposed(NamedTuple):
    """What differs from what is."""

    said: tuple[tuple[str, str], ...]  # verb, name
    silent: tuple[str, ...]
    policy: Path | None

    def words(self) -> list[str]:
        laws = [f"policy {self.policy}"] if self.policy else []
        return [*(f"{verb}:{name}" for verb, name in self.said), *(f"without {name}" for name in self.silent), *laws]


def spoken(text: str) -> tuple[str, str]:
    """Verb and name of `approve:alice`. Errors: CannotImagine."""
    verb, _, name = text.partition(":")
    if verb not in VERBS or not name:
        raise CannotImagine(
            f"--with {text!r} is no statement.", remedy=f"Write VERB:NAME with a verb of {', '.join(VERBS)}."
        )
    return verb, name


def imagine(events: Sequence[Event], supposed: Supposed, at: str) -> tuple[dict[str, Any], str]:
    """The decision, marked as simulated, and its outcome. Errors: CannotImagine."""
    case = fold(_without(events, supposed.silent))
    texts = _texts(case, supposed.policy)
    policies = [law.policy for law in read_laws(texts) if law.policy]
    said = [_statement((verb, name), case, policies, at) for verb, name in supposed.said]
    result = judge(fold([*said], case), at, texts)
    ids = {statement.statement_id(event.statement.encode()) for event in said}
    return _marked(record(result), supposed, ids), result.outcome


def _marked(decision: dict[str, Any], supposed: Supposed, ids: set[str]) -> dict[str, Any]:
    """Nobody may take it for a decision that was made."""
    reviews = [{**row, "simulated": True} if row.get("statement") in ids else row for row in decision["reviews"]]
    stamps = ["simulated", *decision["stamps"]]
    return {**decision, "reviews": reviews, "stamps": stamps, "simulated": supposed.words()}


def _without(events: Sequence[Event], names: Sequence[str]) -> list[Event]:
    kept = [event for event in events if _speaker(event) not in names]
    heard = {_speaker(event) for event in events}
    for name in names:
        if name not in heard:
            spoke = ", ".join(sorted(heard - {""})) or "nobody"
            raise CannotImagine(
                f"{name!r} said nothing about this change ({spoke} did).", remedy="Leave --without out."
            )
    return kept


def _speaker(event: Event) -> str:
    if isinstance(event, ReviewGiven):
        return event.reviewer
    if isinstance(event, WaiverGranted):
        try:
            return statement.parse(event.statement.encode("utf-8", "surrogatepass")).by
        except statement.StatementInvalid:
            return ""
    return ""


def _texts(case: Case, file: Path | None) -> tuple[LawText, ...]:
    """The policies that the proposal carries; another file stands for those of the branches, never for the floor."""
    laws = _proposed(case).laws
    if file is None:
        return laws
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotImagine(f"{file} cannot be read: {error}.", remedy="Name a policy file, as twohand.toml.") from None
    form = "pyproject.toml" if file.name == "pyproject.toml" else "twohand.toml"
    return (*(law for law in laws if law.role == "floor"), LawText("target", str(file), text, form))


def _proposed(case: Case) -> ChangeProposed:
    if case.proposed is None:
        raise CannotImagine("This change has no recorded proposal.", remedy="Record it with `twohand review`.")
    return case.proposed


def _statement(said: tuple[str, str], case: Case, policies: Sequence[Policy], at: str) -> ReviewGiven:
    proposed = _proposed(case)
    verb, name = said
    key = _key(name, policies)
    supposed = Statement(
        verb, name, proposed.repository, proposed.target, proposed.base, proposed.head, proposed.content_key,
        change=proposed.number, paths=tuple(map(Content.of, proposed.files)), time=at,
        reason="simulated" if verb == "object" else "",
    )  # fmt: skip
    return ReviewGiven(
        change=proposed.change, content_key=proposed.content_key, reviewer=name,
        statement=statement.payload(supposed).decode(), signature=unsigned(key),
        signer=sshsig.Signer(key, presence=key.startswith("sk-")), at=at,
    )  # fmt: skip


def _key(name: str, policies: Sequence[Policy]) -> str:
    """The first key with which the law would hear that name."""
    enrolled: dict[str, list[Key]] = {}
    for policy in policies:
        for group in (policy.people, policy.agents):
            for one in group.values():
                enrolled.setdefault(one.name, []).extend(one.keys)
    if name not in enrolled:
        near = get_close_matches(name, enrolled, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise CannotImagine(
            f"{name!r} is nobody in the policy.",
            remedy=f"{meant}Enrolled are {', '.join(sorted(enrolled)) or 'nobody'}.",
        )
    if not enrolled[name]:
        raise CannotImagine(
            f"{name} has no key in the policy, and so can sign nothing.", remedy=f"Add `keys` of {name} to the policy."
        )
    return enrolled[name][0].line


def unsigned(key: str) -> str:
    """An armored signature that names the key and holds no signature: it proves nothing, and `ssh-keygen` refuses it."""
    kind, data = key.split()[:2]
    empty = _string(_string(kind.encode()) + _string(b""))
    if kind.startswith("sk-"):
        empty = _string(_string(kind.encode()) + _string(b"") + b"\x01" + bytes(4))
    parts = (_string(a2b_base64(data)), _string(sshsig.NAMESPACE.encode()), _string(b""), _string(b"sha512"), empty)
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(parts)
    return "\n".join([sshsig.BEGIN.decode(), b2a_base64(blob, newline=False).decode(), sshsig.END.decode(), ""])


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
