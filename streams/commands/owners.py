"""`twohand owners [PATH...]`: who answers for what, which lines are dead, and what a departure would change."""

import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from rules import paths as path_text
from rules.judgement import read_laws
from rules.report import Invalid
from streams.commands import options
from streams.commands.options import HERE
from streams.desk import Desk
from streams.laws import laws
from streams.ownership import FALLBACK, NOBODY, OWNED, Answer, Ownership, read_file, tree
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, Repository

MOST_FILES = 200_000
MOST_SHOWN = 12


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


Paths = Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files or directories; default: a summary of all.", show_default=False)]  # fmt: skip
At = Annotated[str | None, typer.Option("--base", metavar="REV", help="The commit whose owners file and files count; default: the default branch.", show_default=False)]  # fmt: skip
Without = Annotated[list[str] | None, typer.Option("--without", metavar="NAME", help="What if this person left? May be repeated.", show_default=False)]  # fmt: skip
Formatted = Annotated[Form, typer.Option("--format", "-f", help="How to write the result.")]


class CannotTell(SourceError):
    """Nothing can be said about owners here."""

    exit_code = 2


class Scene(NamedTuple):
    """What is looked at: the ownership before, and after the departures that were asked for."""

    now: Ownership
    then: Ownership | None
    left: tuple[str, ...]
    files: dict[bytes, None]  # in git's order
    commit: str
    branch: str
    complete: bool


def register(app: typer.Typer) -> None:
    app.command(name="owners")(owners)


def owners(
    paths: Paths = None, *, base: At = None, without: Without = None, where: options.Where = HERE,
    fmt: Formatted = Form.TEXT, explicit: options.Settings = None,
) -> int:  # fmt: skip
    """Show who answers for which path, and why.

    Without paths: what is wrong with the owners of this repository.
    """
    with Desk.at(where, explicit=explicit) as desk:
        scene = _scene(desk, base, tuple(without or ()))
        wanted = list(_wanted(desk.repo, where, paths or (), scene.files)) if paths else None
    if fmt is Form.JSON:
        print(json.dumps(_data(scene, wanted), indent=2, ensure_ascii=False))
        return 0
    lines = _summary(scene) if wanted is None else (line for path in wanted for line in _path(scene, path))
    sys.stdout.write("\n".join(lines).encode("utf-8", "replace").decode() + "\n")
    return 0


def _scene(desk: Desk, base: str | None, left: tuple[str, ...]) -> Scene:
    branch = desk.repo.default_branch() or ""
    commit = desk.repo.resolve(base or branch or "HEAD")
    found = read_laws(laws(desk.repo, desk.settings, base or branch, commit))
    policy = next((law.policy for law in reversed(found) if law.policy), None)
    if policy is None:
        raise Invalid(found[-1].problems)
    now = Ownership(policy, read_file(desk.repo, commit), branch or "refs/heads/main")
    for name in left:
        if name not in policy.people:
            known = ", ".join(sorted(policy.people)) or "nobody is enrolled"
            raise CannotTell(
                f"{name!r} is no person of the policy ({known}).", remedy="Name an enrolled person with --without."
            )
    files = tree(desk.repo, commit, most=MOST_FILES)
    then = now.without(left) if left else None
    return Scene(now, then, left, dict.fromkeys(files), commit, branch, len(files) < MOST_FILES)


def _wanted(repo: Repository, where: Path, paths: Iterable[str], files: Collection[bytes]) -> Iterator[bytes]:
    """The paths that were asked for; of a directory its files. One that does not exist is answered as if it did, and is told so."""
    for text in paths:
        path = _in_repository(repo, where, text)
        below = path + b"/" if path else b""
        inside = [file for file in files if file.startswith(below)] if path not in files else []
        yield from inside or [path]


def _in_repository(repo: Repository, where: Path, text: str) -> bytes:
    """A path as a user types it, from the root of the repository."""
    raw = os.fsencode(text)
    if repo.work_tree is None:
        return raw.strip(b"/")
    full = os.path.normpath(os.path.join(os.path.realpath(where), text))  # noqa: PTH118 - a link at its end stays one
    root = os.path.realpath(repo.work_tree)
    if full != root and not full.startswith(root + os.sep):
        if text.startswith("/"):
            return raw.strip(b"/")
        raise CannotTell(f"{text} lies outside of {root}.", remedy="Name a path inside of the repository.")
    return os.fsencode(full[len(root) :].strip(os.sep))


# -- one path ----------------------------------------------------------------------------------------------------------


def _path(scene: Scene, path: bytes) -> Iterator[str]:
    [answer] = scene.now.answers([path])
    yield f"{path_text.quote(path)}{'  (guarded)' if answer.guarded else ''}"
    if scene.complete and path not in scene.files:
        yield f"  there is no such path in {scene.commit[:12]}; if there were:"
    yield f"  {_rule(scene.now, answer)}"
    yield f"  {_who(answer, scene.now)}"
    if scene.then:
        [after] = scene.then.answers([path])
        yield f"  without {', '.join(scene.left)}: {_who(after, scene.then)}"


def _rule(ownership: Ownership, answer: Answer) -> str:
    if not ownership.file:
        return "no owners file"
    if not answer.line:
        return f"no line of {ownership.file.name} matches"
    named = " ".join(answer.named) or "(nobody: the line clears what stood before)"
    return f"{ownership.file.name}:{answer.line}: {answer.pattern} {named}"


def _who(answer: Answer, ownership: Ownership) -> str:
    people = _people(answer.people, ownership)
    if answer.state == OWNED:
        return f"answered for by {people}"
    if answer.state == FALLBACK:
        return f"answered for by the fallback, {people}: {answer.why}"
    return f"answered for by NOBODY: {answer.why}"


def _people(names: Iterable[str], ownership: Ownership) -> str:
    """Names, and beside each who has no key that they cannot answer."""
    mute = set(ownership.keyless())
    return ", ".join(f"{name} (no key: unreachable)" if name in mute else name for name in names)


# -- all of them -------------------------------------------------------------------------------------------------------


def _summary(scene: Scene) -> Iterator[str]:
    file, now = scene.now.file, scene.now
    answers = now.answers(list(scene.files))
    yield f"{scene.commit[:12]}{f' ({scene.branch.removeprefix(HEADS)})' if scene.branch else ''}, policy {now.policy.source}"
    yield _file_line(now)
    count = Counter(answer.state for answer in answers)
    unowned = f", {count[NOBODY]} that nobody answers for" if count[NOBODY] else ""
    yield f"files: {count[OWNED]} owned, {count[FALLBACK]} left to the fallback{unowned}"
    if not scene.complete:
        yield f"only the first {MOST_FILES} files were looked at"
    yield f"fallback: {_people(sorted(now.registry.people(now.policy.owners.fallback)), now) or 'nobody'}"
    yield from _section("lines that need a look", list(file.messages()) if file else [])
    yield from _section("dead lines (a later one matches all of theirs)", _dead(now))
    yield from _section("owners who reach nobody enrolled and active", _unreachable(now))
    yield from _section("active people without a key: unreachable, whatever they are named for", now.keyless())
    yield from _section("guarded paths that nobody answers for", _guarded(answers, NOBODY))
    yield from _section("guarded paths left to the fallback", _guarded(answers, FALLBACK))
    if scene.then:
        yield from _departure(scene, answers)


def _file_line(ownership: Ownership) -> str:
    file = ownership.file
    if file is None:
        return "owners file: none; the fallback answers for every path"
    owners = {owner for rule in file.rules for owner in rule.owners}
    return f"owners file: {file.name}, {len(file.rules)} lines, {len(owners)} owners"


def _section(title: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        yield f"\n{title}: {len(rows)}"
        yield from (f"  {row}" for row in rows[:MOST_SHOWN])
        if len(rows) > MOST_SHOWN:
            yield f"  ... and {len(rows) - MOST_SHOWN} more (--format json lists all)"


def _dead(ownership: Ownership) -> list[str]:
    file = ownership.file
    return [f"{file.name}:{rule.line}: {rule.pattern}" for rule in file.dead()] if file else []


def _unreachable(ownership: Ownership) -> list[str]:
    rows = []
    for owner, rules in ownership.unreachable():
        lines = ", ".join(str(rule.line) for rule in rules[:5]) + (", ..." if len(rules) > 5 else "")
        rows.append(f"{owner} (line{'' if len(rules) == 1 else 's'} {lines}){_remedy(owner)}")
    return rows


def _remedy(owner: str) -> str:
    if "/" in owner:
        return f": [teams] {owner.rpartition('/')[2]} = [...]"
    if owner.startswith("@"):
        return f': accounts = ["github:{owner[1:]}"] of a person'
    return f': emails = ["{owner}"] of a person'


def _guarded(answers: Iterable[Answer], state: str) -> list[str]:
    rows = [answer for answer in answers if answer.guarded and answer.state == state]
    return [f"{path_text.quote(answer.path)}: {answer.why}" for answer in rows]


def _departure(scene: Scene, before: Sequence[Answer]) -> Iterator[str]:
    assert scene.then is not None
    after = scene.then.answers(list(scene.files))
    moved = [(one, other) for one, other in zip(before, after, strict=True) if one.state != other.state]
    fewer = sum(one.people != other.people for one, other in zip(before, after, strict=True))
    yield f"\nwithout {', '.join(scene.left)}: {fewer} of {len(before)} files have fewer people who can answer"
    for state, what in ((NOBODY, "left to nobody"), (FALLBACK, "falling to the fallback")):
        rows = [
            f"{path_text.quote(o.path)}{'  (guarded)' if o.guarded else ''}: {o.why}"
            for _, o in moved
            if o.state == state
        ]
        yield from _section(f"files {what}", rows)
    yield from _section("requirements that nobody could meet", list(_unmeetable(scene.then)))


def _unmeetable(ownership: Ownership) -> Iterator[str]:
    """Requirements that take only people, of whom too few are left."""
    for one in ownership.policy.requirements:
        if any(source.partition(":")[0] in ("model", "owner") for source in one.from_):
            continue
        names = [name for source in one.from_ for name in _sources(source, ownership)]
        able = [name for name in ownership.registry.people(names) if ownership.policy.people[name].keys]
        if len(able) < one.approvals:
            yield f"{one.name}: needs {one.approvals} of {', '.join(one.from_)}, {len(able)} left with a key"


def _sources(source: str, ownership: Ownership) -> Iterable[str]:
    return ownership.policy.people if source == "human" else (source.removeprefix("team:"),)


# -- data --------------------------------------------------------------------------------------------------------------


def _data(scene: Scene, wanted: Sequence[bytes] | None) -> dict[str, Any]:
    now, file = scene.now, scene.now.file
    asked = list(wanted) if wanted is not None else list(scene.files)
    after = scene.then.answers(asked) if scene.then else [None] * len(asked)
    return {
        "schema": "twohand.owners/v1",
        "commit": scene.commit,
        "policy": {"source": now.policy.source, "digest": now.policy.digest},
        "file": file.name if file else None,
        "complete": scene.complete,
        "problems": [row._asdict() for row in file.problems] if file else [],
        "dead": [{"line": rule.line, "pattern": rule.pattern} for rule in file.dead()] if file else [],
        "unreachable": [{"owner": owner, "lines": [rule.line for rule in rules]} for owner, rules in now.unreachable()],
        "without_key": list(now.keyless()),
        "without": list(scene.left),
        "unmeetable": list(_unmeetable(scene.then)) if scene.then else [],
        "paths": [
            _row(one, other) | {"exists": one.path in scene.files or not scene.complete}
            for one, other in zip(now.answers(asked), after, strict=True)
        ],
    }


def _row(now: Answer, then: Answer | None) -> dict[str, Any]:
    row = now._asdict() | {"path": path_text.quote(now.path), "line": now.line or None, "why": now.why or None}
    row["named"], row["people"] = list(now.named), list(now.people)
    after = {"people": list(then.people), "state": then.state, "why": then.why or None} if then else None
    return row | ({"without": after} if after else {})
