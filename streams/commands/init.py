"""`twohand init`: a first policy out of what the repository shows, and what is left to do."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from rules import messages, policy
from streams import first_policy
from streams.commands import options
from streams.commands.options import HERE
from streams.contributors import Contributor
from streams.desk import Desk
from streams.first_policy import Profile, Shown
from streams.sources.errors import SourceError
from streams.sources.git import HEADS, ORIGIN, Repository
from streams.survey import MOST_COMMITS, Survey, survey

NAME = "twohand.toml"

Kind = Annotated[Profile | None, typer.Option("--profile", help="What kind of project; default: solo where one person is there, else team.", show_default=False)]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help="Overwrite a twohand.toml that is there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the policy and write nothing.")]


class NotWritten(SourceError):
    """The policy was not written."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="init")(init)


def init(
    *, where: options.Where = HERE, profile: Kind = None, force: Force = False, dry_run: DryRun = False,
    quiet: options.Quiet = False,
) -> int:  # fmt: skip
    """Write a first policy out of what the repository shows.

    People with their addresses and keys, agents seen in history, the owners file and security paths become a twohand.toml.
    """
    repo = Repository.open(where)
    path = None if dry_run else _free_place(repo, force=force)
    seen = survey(repo)
    chosen = profile or first_policy.suggested(seen.shown)
    text = first_policy.text_of(seen.shown, chosen)
    if path is None:
        print(text, end="")
    else:
        _write(path, text, force=force)
        _accept(repo, text, path)
    if not quiet:
        told = [*_found(seen), *_written(path, chosen), *_left(repo, seen.shown, chosen)]
        print("\n".join(told), file=sys.stderr if dry_run else sys.stdout)
    elif path:
        print(path)
    return 0


def _accept(repo: Repository, text: str, path: Path) -> None:
    """Law 37: the first policy is accepted once, by whoever installs the gate."""
    with Desk(repo) as desk:
        desk.journal.accept(policy.parse(text, path.name).digest, path.name, desk.now())


def _free_place(repo: Repository, *, force: bool) -> Path:
    """Where the policy goes. NotWritten where it cannot."""
    if repo.work_tree is None:
        raise NotWritten(
            "This repository has no working tree to write twohand.toml into.",
            remedy="Run `twohand init` in a clone, or `twohand init --dry-run` to see the policy.",
        )
    path = repo.work_tree / NAME
    if os.path.lexists(path) and not force:
        raise NotWritten(
            f"{path} is there already, and was not touched.",
            remedy="`twohand policy validate` checks it; `twohand init --dry-run` shows what init would write; --force overwrites.",
        )
    _no_table(repo.work_tree / "pyproject.toml")
    return path


def _no_table(path: Path) -> None:
    """Law 36: two policies in one tree are none."""
    try:
        text = path.read_bytes() if path.is_file() else b""
        there = b"twohand" in text and policy.parse_pyproject(text, str(path)) is not None
    except policy.PolicyInvalid:
        there = True
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be read: {error.strerror}.", remedy="Make it readable, then try again."
        ) from error
    if there:
        raise NotWritten(
            f"{path} already holds a policy under [tool.twohand], and a second one would make both invalid.",
            remedy="Keep that one (`twohand policy validate`), or move it to twohand.toml.",
        )


def _write(path: Path, text: str, *, force: bool) -> None:
    """The whole file or nothing; without `force` one that appeared meanwhile is not overwritten."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".twohand-", suffix=".toml", delete=False) as file:
            scratch = Path(file.name)
            file.write(text.encode("utf-8"))
        try:
            scratch.chmod(0o644)
            if force:
                scratch.replace(path)
            else:
                os.link(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritten(f"{path} could not be written: {error.strerror}.", remedy="Nothing was changed.") from error


def _found(seen: Survey) -> Iterator[str]:
    shown, history = seen.shown, seen.shown.history
    read = (
        f"the newest {MOST_COMMITS:,} commits (there are more)" if seen.truncated else _many(history.commits, "commit")
    )
    yield f"Found in {read}:" if history.commits else "Found (no commit yet):"
    people = first_policy.enrolled(shown)
    keyed = [one.slug for one in people if one.slug in shown.keys]
    keyless = [one.slug for one in people if one.slug not in shown.keys]
    yield f"  people      {_many(len(people), 'person', 'people')} enrolled"
    yield f"              with a key: {_listed(keyed)}"
    yield from [f"              without a key, and so unable to approve: {_listed(keyless)}"] * bool(keyless)
    others = len(history.people) - len(people)
    if others:
        yield f"              {others} more with few commits in the latest year, or none: in comments"
    yield from (f"              perhaps one person: {_listed(twins)}" for twins in _twins(people))
    yield from _owned(shown)
    agents = [tool.name for tool in history.tools if tool.kind == "agent"]
    services = [tool.name for tool in history.tools if tool.kind == "service"]
    yield f"  agents      {_printable(_listed(agents))}"
    yield f"  services    {_printable(_listed(services))}"
    yield f"  owners file {shown.owners_file or 'none: the fallback answers for every path'}"
    areas = [area for area in seen.areas if area.glob not in first_policy.ALWAYS]
    seen_here = f", and {_many(len(areas), 'more kind')} of path here:" if areas else ""
    yield f"  security    {', '.join(first_policy.ALWAYS)}{seen_here}"
    yield from (f"              {area.glob}  ({area.files}, as {area.example})" for area in areas[:6])
    yield f"  repository  {shown.repository or 'no remote names it: its first commit does'}"
    yield from (f"  note        {_printable(note)}" for note in seen.notes)


def _twins(people: Iterable[Contributor]) -> list[tuple[str, ...]]:
    """Enrolled names that may be one person, each group once."""
    there = {one.slug for one in people}
    groups = (sorted({one.slug, *one.perhaps} & there) for one in people)
    return list(dict.fromkeys(tuple(group) for group in groups if len(group) > 1))


def _owned(shown: Shown) -> Iterator[str]:
    names = first_policy.fallback(shown)
    label = "  owners      "
    for one in first_policy.answering(shown)[: len(names)]:
        yield f"{label}{one.slug}: {first_policy.why(one, shown)}"
        label = " " * len(label)


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _listed(names: "tuple[str, ...] | list[str]", most: int = 6) -> str:
    shown = ", ".join(names[:most]) or "none"
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _written(path: Path | None, profile: Profile) -> Iterator[str]:
    yield ""
    yield f"Wrote {path} (profile {profile})." if path else f"Nothing was written (profile {profile})."
    if profile is Profile.SOLO:
        yield "It is for one person, where nobody else can look: your own signed approval counts, as one of an agent of another"
        yield 'model family does, and every decision that rests on it is stamped "not independent".'
        yield "With a second person: enrol them with a key, and take [independence] out: from then on nobody approves their own change."


def _left(repo: Repository, shown: Shown, profile: Profile) -> Iterator[str]:
    yield ""
    yield "Left to do, in this order:"
    steps = [*_key_steps(shown, profile), *_owner_steps(shown), *_commit_steps(repo, profile)]
    for number, step in enumerate(steps, 1):
        first, *more = step.said
        yield f"  {number}. {first}"
        yield from (f"     {line}" for line in more)
        yield from (f"       {line}" for line in step.commands)
    yield ""
    yield "Law 37: the first policy is accepted once, by whoever commits it to the default branch. It counts from then on,"
    yield "and a change of it is judged by the policy that stood before."
    if marks := messages.environment_claims(os.environ):
        yield f"This shell belongs to an agent ({marks[0].tool}): let a person read the file before it is committed."


class Step(NamedTuple):
    """What is left to do, and the commands that do it."""

    said: tuple[str, ...]
    commands: tuple[str, ...] = ()


def _key_steps(shown: Shown, profile: Profile) -> Iterator[Step]:
    people = [one.slug for one in first_policy.enrolled(shown)]
    keyless = [slug for slug in people if slug not in shown.keys]
    if shown.me in keyless:
        yield Step(
            ("You have no SSH key, and without one nothing that you sign counts. Make one, and have it written in:",),
            ("ssh-keygen -t ed25519", f"twohand init --profile {profile} --force"),
        )
    others = [slug for slug in keyless if slug != shown.me]
    if others:
        yield _collect(others)
    if len(people) - len(keyless) < 2 and profile is not Profile.SOLO:
        yield _too_few([slug for slug in people if slug in shown.keys])


def _collect(others: list[str]) -> Step:
    said = (
        f"BEFORE you commit, ask {_listed(others)} for a .pub line, and put it into `keys` under the name;",
        "who shall answer for others' work goes into [owners] fallback too.",
        "Once this file is committed, a new key is a change of it, which somebody else with a key must approve.",
        "Each of them sends you one line, which is public (where there is none: ssh-keygen -t ed25519):",
    )
    return Step(said, ("cat ~/.ssh/id_ed25519.pub", f"grep -n 'keys = \\[\\]' {NAME}   # where the lines belong"))


def _too_few(keyed: list[str]) -> Step:
    who = f"only {keyed[0]} has a key" if keyed else "nobody has a key"
    own = f"what {keyed[0]} changes" if keyed else "any change"
    said = (
        f"Do not commit it yet: {who}, so nobody could approve {own}, not even the next key.",
        "Wait until two people have keys in it, or begin with the policy for one person and tighten it later:",
    )
    return Step(said, ("twohand init --profile solo --force",))


def _owner_steps(shown: Shown) -> Iterator[Step]:
    if shown.owners_named:
        said = f"See whom {shown.owners_file} reaches, once it is committed; `accounts` and [teams] tie its names to people."
        yield Step((said,), ("twohand owners",))
    elif not first_policy.fallback(shown):
        yield Step(("Enrol the people who answer for it: nobody was found.",), (f"$EDITOR {NAME}",))


def _commit_steps(repo: Repository, profile: Profile) -> Iterator[Step]:
    default = repo.default_branch() or repo.symref("HEAD")
    branch = default.removeprefix(HEADS).removeprefix(ORIGIN)
    here = repo.symref("HEAD").removeprefix(HEADS)
    switch = () if here == branch or not branch else (f"git switch {branch}",)
    yield Step(
        ("Read it; validate also says who could approve nothing.",),
        (f"twohand policy validate && ${{PAGER:-less}} {NAME}",),
    )
    yield Step(
        (f"Commit it on {branch or 'the default branch'}.",),
        (*switch, f'git add {NAME} && git commit -m "Ask for a second hand" -- {NAME}'),
    )
    look: tuple[str, ...] = ("twohand review",)
    if profile is Profile.SOLO:
        look = ("twohand propose BRANCH --tool none   # or the tool that wrote it", "twohand approve BRANCH", *look)
    yield Step(("See what comes of a change, from its branch.",), look)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
