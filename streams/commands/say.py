"""`twohand propose|approve|object|withdraw|waive REV`: signed statements of people and registered agents (law 17)."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from rules import instants, messages
from rules.claims import NO_TOOL
from rules.judgement import Judgement, read_laws
from rules.policy import Key, Policy
from rules.principals import Principal, Registry
from rules.shape import seconds_of
from rules.statement import Content, Statement, payload, statement_id
from streams.commands import options
from streams.commands.options import HERE
from streams.desk import Asked, Desk, Reading
from streams.sinks.render import write
from streams.sources import signatures, statements
from streams.sources.errors import SourceError
from streams.speaking import after, seen_authors

Revision = Annotated[str, typer.Argument(metavar="REV", help="The commit or branch that is spoken of.")]
As = Annotated[
    str,
    typer.Option(
        "--as", metavar="NAME", help="Your enrolled name; default: the one whose key is found.", show_default=False
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="Your SSH key; default: git's user.signingKey, ssh-agent, ~/.ssh.",
        show_default=False,
    ),
]
Push = Annotated[str, typer.Option("--push", metavar="REMOTE", help="Push the statement there.", show_default=False)]
Tool = Annotated[
    str, typer.Option("--tool", help="The tool that was used; a proposer says `none` for no tool.", show_default=False)
]
ModelName = Annotated[str, typer.Option("--model", help="The model that was used.", show_default=False)]
Session = Annotated[
    str, typer.Option("--session", metavar="NAMESPACE:ID", help="The session that it was used in.", show_default=False)
]
Why = Annotated[str, typer.Option("--reason", "-m", help="Why, in a sentence.", show_default=False)]
Finding = Annotated[str, typer.Option("--finding", metavar="SLUG", help="The finding to waive.", show_default=False)]
ObjectionOf = Annotated[
    str, typer.Option("--objection-of", metavar="NAME", help="Whose objection to waive.", show_default=False)
]
BreakGlass = Annotated[bool, typer.Option("--break-glass", help="Stand in for missing approvals.")]
NotAuthor = Annotated[bool, typer.Option("--not-author", help="I am named as an author, and am none.")]
Expires = Annotated[str, typer.Option("--expires", metavar="7d", help="When the waiver ends.")]


class CannotSay(SourceError):
    """The statement would be nothing; the text says why and what to do."""


class Speech(NamedTuple):
    """What one statement says, before it is bound to content."""

    verb: str
    name: str
    key: Path | None
    tool: str = ""
    model: str = ""
    session: str = ""
    reason: str = ""
    finding: str = ""
    objection_of: str = ""
    break_glass: bool = False
    expires: str = ""
    not_author: bool = False


WHO = {"name": (As, ""), "key": (KeyFile, None)}
WHAT = {
    "base": (options.Base, None), "target": (options.Target, None), "number": (options.Number, ""),
    "rewrite": (options.Rewrite, False),
}  # fmt: skip
WITH = {"tool": (Tool, ""), "model": (ModelName, ""), "session": (Session, "")}
WHERE = {"push": (Push, ""), "where": (options.Where, HERE), "settings": (options.Settings, None)}
REASON: dict[str, tuple[Any, Any]] = {"reason": (Why, "")}
OVERRIDES = {
    "finding": (Finding, ""),
    "objection_of": (ObjectionOf, ""),
    "break_glass": (BreakGlass, False),
    "expires": (Expires, "7d"),
}
COMMON = WHO | WHAT | WHERE
VERBS: dict[str, tuple[str, dict[str, tuple[Any, Any]]]] = {
    "propose": (
        "Answer for a change: who made it, with which tool. And with which model and session.",
        COMMON | WITH | REASON,
    ),
    "approve": ("Approve exactly this content.", COMMON | WITH | REASON | {"not_author": (NotAuthor, False)}),
    "object": ("Object: nothing of it lands until you withdraw. Or until a waiver covers it.", COMMON | WITH | REASON),
    "withdraw": ("Take back what you approved or objected to.", COMMON | REASON),
    "waive": (
        "Override one finding or one objection for a while. On exactly this content.",
        COMMON | REASON | OVERRIDES,
    ),
}


def register(app: typer.Typer) -> None:
    for verb, (summary, accepted) in VERBS.items():
        app.command(name=verb, help=summary)(_command(verb, accepted))


def _command(verb: str, accepted: Mapping[str, tuple[Any, Any]]) -> Callable[..., int]:
    """A command function with the options of this verb; all verbs are one function."""

    def command(rev: str, **given: Any) -> int:
        asked = Asked(given.pop("base"), rev, given.pop("target"), given.pop("number"), rewrite=given.pop("rewrite"))
        where, settings, push = given.pop("where"), given.pop("settings"), given.pop("push")
        with Desk.at(where, explicit=settings) as desk:
            return _say(Speech(verb, **given), asked, desk, push=push)

    kinds = {"rev": Revision, **{name: kind for name, (kind, _) in accepted.items()}}
    parameters = [Parameter("rev", Parameter.POSITIONAL_OR_KEYWORD, annotation=Revision)]
    parameters += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in accepted.items()
    ]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = kinds
    return command


def _say(speech: Speech, asked: Asked, desk: Desk, *, push: str) -> int:
    _check_waiver(speech)
    reading = desk.read(asked)
    if not reading.read.files and not reading.read.commits:
        raise CannotSay(
            f"There is nothing between {reading.found.base[:12]} and {reading.found.head[:12]} to speak of.",
            remedy="Name another revision, or --base and --target.",
        )
    with tempfile.TemporaryDirectory(prefix="twohand-") as scratch:
        speaker, key = _speaker(speech, reading, desk, Path(scratch))
        _check(speech, speaker, reading)
        statement = _statement(speech, speaker, asked, reading, desk)
        ref = statements.write(desk.repo, statement, lambda data: signatures.sign(data, key))
    if push:
        desk.repo.push(push, [f"{ref}:{ref}"])
    write.data(_told(statement, key, ref, push) + "\n", None)
    _warn(statement, reading, desk)
    if statement.verb in ("approve", "waive"):
        _tell_worth(statement, desk.review(asked, dry_run=True))
    return 0


def _check_waiver(speech: Speech) -> None:
    if speech.verb != "waive":
        return
    if sum(map(bool, (speech.finding, speech.objection_of, speech.break_glass))) != 1:
        raise CannotSay(
            "A waiver covers exactly one thing.",
            remedy="Give one of --finding SLUG, --objection-of NAME, --break-glass.",
        )
    if not speech.reason.strip():
        raise CannotSay("A waiver needs a reason.", remedy="Say why with --reason 'WHY'.")


def _speaker(speech: Speech, reading: Reading, desk: Desk, scratch: Path) -> tuple[str, signatures.KeyChoice]:
    """The enrolled name that speaks and its key; found by each other where one of them was not given."""
    enrolled = _enrolled(reading.policies)
    broken = [str(problem) for law in read_laws(reading.branches.texts) for problem in law.problems]
    if broken and not reading.policies:
        raise CannotSay(
            f"No policy says who is who: {broken[0]}.", remedy="Mend it: `twohand policy validate` names every mistake."
        )
    if speech.name and enrolled and speech.name not in enrolled:
        raise CannotSay(
            f"{speech.name!r} is nobody in the policy ({', '.join(sorted(enrolled))} are).",
            remedy="Enrol the name under [people.NAME] or [agents.NAME] in twohand.toml of the target branch.",
        )
    wanted = [key.line for key in enrolled.get(speech.name, ())] if speech.name else []
    config = {"user.signingkey": desk.repo.config("user.signingkey")}
    if speech.key:
        choice = signatures.key_from_file(speech.key)
    else:
        everybody = [key.line for keys in enrolled.values() for key in keys]
        choice = signatures.find_key(wanted or everybody, config, scratch)
    owner = next((name for name, keys in enrolled.items() if choice.line in {key.line for key in keys}), "")
    name = speech.name or owner
    if not name:
        raise CannotSay(
            f"No enrolled name has the key {choice.found}.",
            remedy="Say who you are with --as NAME; the policy's `keys` of that name must hold this key.",
        )
    if choice.line not in {key.line for key in enrolled.get(name, ())}:
        raise CannotSay(
            f"{choice.found} is {f'the key of {owner}' if owner else 'not enrolled'}, not a key of {name}.",
            remedy=f'Sign with a key of {name}, or add this one to its `keys` in the target branch\'s policy: "{choice.line}".',
        )
    return name, choice


def _enrolled(policies: tuple[Policy, ...]) -> dict[str, tuple[Key, ...]]:
    found: dict[str, tuple[Key, ...]] = {}
    for policy in policies:
        for group in (policy.people, policy.agents):
            for one in group.values():
                found[one.name] = found.get(one.name, ()) + one.keys
    return found


def _check(speech: Speech, name: str, reading: Reading) -> None:
    """Law 20: an agent's environment and a person's approval do not go together."""
    principals = [p for policy in reading.policies if (p := Registry(policy).named(name))]
    person = any(principal.kind == "person" for principal in principals)
    if (
        speech.verb in ("approve", "waive", "withdraw")
        and person
        and (marks := messages.environment_claims(os.environ))
    ):
        raise CannotSay(
            f"{name} is a person, and this shell belongs to an agent ({marks[0].tool}).",
            remedy=f"{name} signs in a terminal of their own; an agent signs with its own enrolled key.",
        )
    if (speech.tool or speech.model or speech.session) and person and speech.verb != "propose":
        raise CannotSay(
            f"--tool, --model and --session are an agent's to say, and {name} is a person.",
            remedy="Leave them out; a person's proposal may name the tools that made the change.",
        )
    _check_agent(speech, principals)


def _check_agent(speech: Speech, principals: list[Principal]) -> None:
    if speech.session and not all(speech.session.partition(":")):
        raise CannotSay(
            f"--session {speech.session!r} has no namespace.", remedy="Write it as NAMESPACE:ID, as in claude-web:abc."
        )
    if speech.verb == "propose" and speech.tool == NO_TOOL and (speech.model or speech.session):
        raise CannotSay(
            "--tool none and a model or a session contradict each other.", remedy="Name the tool, or leave them out."
        )
    if any(principal.kind == "service" for principal in principals):
        raise CannotSay("A service approves nothing (law 16).", remedy="Sign as a person or as an enrolled agent.")


def _statement(speech: Speech, name: str, asked: Asked, reading: Reading, desk: Desk) -> Statement:
    now = after(name, desk)
    seen = seen_authors(desk.review(asked, dry_run=True)) if speech.verb == "approve" else ()
    expires = instants.later(now, _lifetime(speech.expires)) if speech.expires else ""
    return Statement(
        speech.verb, name, reading.repository, reading.found.target, reading.found.base, reading.found.head, reading.key,
        change=asked.number, paths=tuple(map(Content.of, reading.read.files)), authors=seen, tool=speech.tool,
        model=speech.model, session=speech.session, time=now, reason=speech.reason, finding=speech.finding,
        objection_of=speech.objection_of, break_glass=speech.break_glass, expires=expires, not_author=speech.not_author,
    )  # fmt: skip


def _lifetime(text: str) -> int:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise CannotSay(f"--expires {text!r} {error}.", remedy="Write it as 30m, 12h or 7d.") from None


def _told(statement: Statement, key: signatures.KeyChoice, ref: str, push: str) -> str:
    done = {
        "propose": "proposed",
        "approve": "approved",
        "object": "objected to",
        "withdraw": "withdrew",
        "waive": "waived",
    }
    where = f"{statement.head[:12]} for {statement.target.removeprefix('refs/heads/')}"
    lines = [
        f"{statement.by} {done[statement.verb]} {where} ({_count(len(statement.paths))}, signed with {key.found})",
        f"  {ref}",
    ]
    if statement.verb == "waive":
        what = statement.finding or (
            f"the objection of {statement.objection_of}" if statement.objection_of else "missing approvals"
        )
        lines.append(f"  {what}, until {statement.expires}")
    lines.append(f"  pushed to {push}" if push else "  kept in this repository; --push REMOTE shares it")
    return "\n".join(lines)


def _tell_worth(statement: Statement, judgement: Judgement) -> None:
    """Whether an approval or a waiver counts is told at once, with the first reason where it does not."""
    leading = judgement.leading
    void = leading.void.get(statement_id(payload(statement))) if leading else None
    if void:
        print(f"note: this waiver is nothing: {void}", file=sys.stderr)
    for ballot in leading.ballots if leading and statement.verb == "approve" else ():
        recusing = [answer for answer in ballot.answers if answer.axis in (*ballot.same, *ballot.unresolved)]
        if recusing and statement.by == ballot.vote.voice.heard.by:
            why = recusing[0]
            word = "does not count" if ballot.same else "may not count"
            print(f"note: this approval {word}: {why.axis} is {why.result} ({why.evidence})", file=sys.stderr)


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"


def _warn(statement: Statement, reading: Reading, desk: Desk) -> None:
    for note in desk.notes:
        print(f"note: {note}", file=sys.stderr)
    for problem in reading.incomplete:
        print(f"warning: {problem}", file=sys.stderr)
    if not reading.policies:
        print(
            "warning: no policy of the target branch can be used; `twohand policy validate` says why", file=sys.stderr
        )
    if statement.verb == "approve" and statement.not_author:
        print("note: your claim not to be an author is shown beside the evidence that names you", file=sys.stderr)
