"""Every key of `twohand.toml`, once: what it may hold, what it is by default, what it means (DESIGN 5.2).

`rules.policy` reads with this table, and the JSON Schema is written from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import globs, sshkeys
from rules.rota_shape import HOURS, rotation_table
from rules.shape import BAD, Duration, Entry, Flag, ListOf, Named, OneOf, Table, Text, Whole
from rules.when import AUTHORS, EVERYTHING, LANGUAGES, When

if TYPE_CHECKING:
    from rules.report import Path, Report

VERSION: Final = 1
DEEPEST_PATH: Final = 40
_AXIS: Final = OneOf(("block", "extra", "advise"))


def _name(text: str) -> str:
    if 0 < len(text) <= 64 and text.isascii() and all(c.isalnum() or c in "._+@[]-" for c in text):
        return text
    raise ValueError("must be 1 to 64 ASCII letters, digits or any of . _ - + @ [ ]")


def _slug(text: str) -> str:
    plain = text.replace("-", "").replace(".", "")
    if 0 < len(text) <= 128 and text.isascii() and text.lower() == text and plain.isalnum():
        return text
    raise ValueError("must be the name of a rule, such as auth-check-removed, or sarif.TOOL.RULE of a scanner")


def _directory(text: str) -> str:
    inside = text.removesuffix("/")
    if not inside:
        return inside
    parts = inside.split("/")
    if len(text) <= 1000 and text.isprintable() and not {"", ".", "..", ".git"} & set(parts):
        return inside
    raise ValueError("must be a directory inside the repository, such as .twohand/rules")


def _line(text: str) -> str:
    if 0 < len(text) <= 200 and text.isprintable() and text == text.strip():
        return text
    raise ValueError("must be 1 to 200 printable characters on one line, without spaces at its ends")


def _optional_line(text: str) -> str:
    return _line(text) if text else ""


def _email(text: str) -> str:
    local, at, host = text.rpartition("@")
    if local and at and host and len(text) <= 320 and text.isprintable() and not set(text) & set(" <>,;"):
        return text
    raise ValueError("must be an e-mail address as it stands in commits, without < and >")


def _account(text: str) -> str:
    host, colon, login = text.partition(":")
    if host and colon and login and len(text) <= 320 and text.isprintable() and " " not in text:
        return text
    raise ValueError('must be host:login, such as "github:alice"')


def _source(text: str) -> str:
    kind, colon, name = text.partition(":")
    if text in {"model", "human", "owner"} or (colon and kind in {"model", "team"} and _name(name)):
        return text
    raise ValueError("must be model, model:NAME, human, team:NAME or owner")


def _target(text: str) -> str:
    _name(text.removeprefix("team:"))
    return text


NAME: Final = Text("a name", _name, r"^[A-Za-z0-9._+@\[\]-]{1,64}$")
LINE: Final = Text("one line of text", _line, r"^\S(.{0,198}\S)?$")
OPTIONAL_LINE: Final = Text("one line of text", _optional_line)
SLUG: Final = Text("the name of a rule", _slug, r"^[a-z0-9.-]{1,128}$")
GLOB: Final = Text('a path glob such as "**/auth/**"', globs.checked, "^[^!]")
REF: Final = Text('a branch or ref glob such as "main" or "release/*"', globs.checked_ref, "^[^! ]+$")
EMAIL: Final = Text("an e-mail address", _email, "^[^ <>,;]+@[^ <>,;@]+$")
ACCOUNT: Final = Text("host:login", _account, "^[^: ]+:[^ ]+$")
KEY: Final = Text("an OpenSSH public key line", sshkeys.key_of, r"(ssh-|ecdsa-|sk-).* AAAA")
SOURCE: Final = Text("model, model:NAME, human, team:NAME, owner", _source, r"^(model(:.+)?|human|owner|team:.+)$")
TARGET: Final = Text(
    "owners, team:NAME, a person, a rotation, or an alert route", _target, r"^(team:)?[A-Za-z0-9._+@\[\]-]{1,64}$"
)
NAMES: Final = ListOf(NAME)
GLOBS: Final = ListOf(GLOB, least=1, single=True, whole=globs.compiled)
REFS: Final = ListOf(REF, least=1, single=True, whole=globs.compiled_refs)
_NOBODY: Final[list[str]] = []


class WhenShape(NamedTuple):
    """A condition; the value is a `When` in canonical form."""

    empty: When = EVERYTHING

    def read(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, dict):
            report.add(path, value, ('a table such as { paths = ["src/**"] }',), "must be a table of conditions")
            return BAD
        if len(path) > DEEPEST_PATH:
            report.add(path, value, (), "is nested too deeply")
            return BAD
        for name in value:
            if name not in CONDITIONS:
                report.unknown((*path, name), tuple(CONDITIONS))
        parts = tuple(_condition(name, value[name], path, report) for name in CONDITIONS if name in value)
        return parts[0] if len(parts) == 1 else When("all", parts=parts)

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/when"}


def _condition(name: str, value: Any, path: Path, report: Report) -> When:
    shape = CONDITIONS[name].shape
    read = shape.read(value, (*path, name), report)
    if read is BAD:
        return EVERYTHING
    if name == "lines":
        return When(name, least=read)
    if name == "not":
        return When(name, parts=(read,))
    if name in {"all", "any"}:
        return When(name, parts=read)
    return When(name, values=(read,) if isinstance(read, str) else read)


WHEN: Final = WhenShape()
CONDITIONS: Final = {
    "author": Entry(
        ListOf(OneOf(AUTHORS), least=1, single=True),
        "Who made the change: agent when any author is one, human when all are people, mixed when both occur, "
        "service when all are services, unknown when nobody is known, any always (law 39).",
    ),
    "paths": Entry(GLOBS, "Globs of changed paths."),
    "languages": Entry(ListOf(OneOf(LANGUAGES), least=1, single=True), "Languages of changed files, by their names."),
    "rule": Entry(ListOf(SLUG, least=1, single=True), "Files with a finding of one of these rules."),
    "tier": Entry(OneOf(("note", "hold", "block")), "Files with a finding of at least this tier."),
    "lines": Entry(Whole(1, 10**9), "Changes of at least this many added and removed lines together."),
    "target": Entry(REFS, "Globs of the branch or ref that the change is for."),
    "all": Entry(ListOf(WHEN, least=1, unique=False), "Files for which every one of these conditions holds."),
    "any": Entry(ListOf(WHEN, least=1, unique=False), "Files for which at least one of these conditions holds."),
    "not": Entry(WHEN, "Files for which this condition does not hold."),
}

INDEPENDENCE: Final = Table(
    {
        "identity": Entry(_AXIS, "What it means that reviewer and author are one principal.", "block"),
        "operator": Entry(_AXIS, "What it means that one human stands behind both.", "block"),
        "session": Entry(_AXIS, "What it means that both worked in one agent session.", "block"),
        "model": Entry(_AXIS, "What it means that both are the same model.", "block"),
        "family": Entry(_AXIS, "What it means that both models come from one maker or lineage.", "block"),
        "undeclared": Entry(
            OneOf(("human", "unresolved")), "How a change that says nothing about tools is read (law 11).", "human"
        ),
        "grade": Entry(
            OneOf(("A", "B", "C", "D")), "The weakest evidence that a `distinct` may rest on (law 10).", "D"
        ),
        "max_age": Entry(Duration(1), "How long an approval holds (law 33).", "30d"),
        "hasty": Entry(
            Whole(0, 10**6), "Changed lines a minute above which an approval is hasty; 0 is off (law 28).", 0
        ),
    }
)
REQUIREMENT: Final = Table(
    {
        "name": Entry(LINE, "What the requirement is called in every decision."),
        "when": Entry(WHEN, "Which files it is about; without it, every file.", {}),
        "approvals": Entry(Whole(1, 100), "How many independent approvals it needs.", 1),
        "from": Entry(ListOf(SOURCE, least=1), "Whose approvals count; any of them (law 30)."),
        "presence": Entry(
            OneOf(("required", "preferred")),
            "Whether people must touch a security key to approve (law 20).",
            "preferred",
        ),
    }
)
OWNERS: Final = Table(
    {
        "fallback": Entry(NAMES, "People and teams who answer where nobody owns or can be reached (law 31).", _NOBODY),
        "forge": Entry(Flag(), "Whether a forge's approval counts as the owner's (law 21).", default=False),
    }
)
WAIVERS: Final = Table(
    {
        "by": Entry(NAMES, "People and teams who may waive; empty: the owners of the paths (law 35).", _NOBODY),
        "max": Entry(Duration(1), "The longest that a waiver may last.", "14d"),
        "break_glass": Entry(NAMES, "People and teams who may break the glass; empty: nobody.", _NOBODY),
    }
)
STEP: Final = Table(
    {
        "after": Entry(Duration(), "Counted from the opening of the escalation."),
        "notify": Entry(
            ListOf(TARGET, least=1),
            "`owners` (those concerned), `team:NAME`, a person, a rotation; any other name is an alert route of the settings.",
        ),
    }
)
ESCALATION: Final = Table(
    {
        "deadline": Entry(Duration(), "How long to wait for reviewers before people are asked.", "2m"),
        "steps": Entry(
            ListOf(STEP, least=1, most=50, unique=False),
            "Who is told, and when.",
            [{"after": "0m", "notify": ["owners"]}],
        ),
        "repeat": Entry(Whole(0, 100), "Rounds after the first.", 3),
        "acknowledged_for": Entry(Duration(1), "How long an acknowledgement silences.", "30m"),
        "hours": Entry(HOURS, "Working hours: pages of low severity wait for them, others never.", {}),
    }
)
ROTATION: Final = rotation_table(NAME)
_EMAILS: Final = Entry(ListOf(EMAIL), "Addresses as they appear in commits.", _NOBODY)
_ACCOUNTS: Final = Entry(ListOf(ACCOUNT), "Forge accounts, host:login.", _NOBODY)
_KEYS: Final = Entry(ListOf(KEY), "OpenSSH public keys that sign statements and commits.", _NOBODY)
RULES: Final = Table(
    {
        "directory": Entry(
            Text("a directory", _directory, r"^([^/].*)?$"),
            "Where own rules stand as TOML files, read from the branch and never from the change; empty: nowhere.",
            "",
        ),
        "sarif": Entry(
            OneOf(("note", "hold", "block")),
            "What an `error` of another scanner weighs (`review --sarif`); its warnings and notes are notes.",
            "hold",
        ),
    }
)
PERSON: Final = Table(
    {
        "emails": _EMAILS,
        "accounts": _ACCOUNTS,
        "keys": _KEYS,
        "active": Entry(Flag(), "false: has left, approves nothing and owns nothing.", default=True),
    }
)
AGENT: Final = Table(
    {
        "keys": _KEYS,
        "accounts": _ACCOUNTS,
        "emails": _EMAILS,
        "operator": Entry(OPTIONAL_LINE, "The person or agent on whose behalf it acts.", ""),
        "tool": Entry(OPTIONAL_LINE, "The tool, such as codex.", ""),
        "model": Entry(OPTIONAL_LINE, "The model as its maker names it.", ""),
        "maker": Entry(OPTIONAL_LINE, "Who made the weights.", ""),
        "family": Entry(OPTIONAL_LINE, "The lineage of the weights.", ""),
    }
)
SERVICE: Final = Table({"accounts": _ACCOUNTS, "emails": _EMAILS, "keys": _KEYS})

POLICY: Final = Table(
    {
        "version": Entry(Whole(VERSION, VERSION), f"The version of this format: {VERSION}."),
        "repository": Entry(OPTIONAL_LINE, "What statements are bound to; without it, the root commit.", ""),
        "protect": Entry(
            ListOf(REF, whole=globs.compiled_refs), "Protected branches and refs beside the default branch.", _NOBODY
        ),
        "media": Entry(
            ListOf(OneOf(("image", "font"))),
            "Binary files that are notes and no gap in coverage (law 3).",
            ["image", "font"],
        ),
        "independence": Entry(INDEPENDENCE, "How independence is judged, axis by axis (law 23, 24).", {}),
        "requirement": Entry(
            ListOf(REQUIREMENT, unique=False), "What a change must meet; all that apply (law 30).", _NOBODY
        ),
        "owners": Entry(OWNERS, "Who answers where owners files do not say.", {}),
        "waivers": Entry(WAIVERS, "Who may override, and for how long.", {}),
        "rules": Entry(RULES, "What looks at changes beside the catalogue of rules.", {}),
        "escalation": Entry(ESCALATION, "When people are asked, and whom.", {}),
        "rotations": Entry(Named(ROTATION, NAME, 1000), "Who is on call, by the rotation's name.", {}),
        "people": Entry(Named(PERSON, NAME), "Who is who, by name.", {}),
        "agents": Entry(Named(AGENT, NAME), "Agents with identities of their own.", {}),
        "services": Entry(Named(SERVICE, NAME), "Dependency bots, CI, merge machines: they approve nothing.", {}),
        "teams": Entry(Named(ListOf(NAME, least=1), NAME), "Teams of people.", {}),
    }
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `twohand.toml`, written from the table above."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "twohand.toml",
        "description": "The policy of a repository that twohand guards; the same keys stand under [tool.twohand].",
        **POLICY.schema(),
        "$defs": {
            "when": {
                "description": "A condition; several keys in one table must all hold.",
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {"description": entry.doc, **entry.shape.schema()} for name, entry in CONDITIONS.items()
                },
            }
        },
    }
