"""`twohand init`: a first policy out of what the repository shows, and what is left to do."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from rules import messages, policy
from streams import first_policy
from streams.commands import options
from streams.commands.options import HERE
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
        told = [*_found(seen), *_written(path, chosen, asked=profile is not None), *_left(repo, seen.shown)]
        print("\n".join(told), file=sys.stderr if dry_run else sys.stdout)
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
    read = f"the newest {MOST_COMMITS:,} commits (there are more)" if seen.truncated else f"{history.commits:,} commits"
    yield f"Found in {read}:" if history.commits else "Found (no commit yet):"
    people = first_policy.enrolled(shown)
    keyed = sum(one.slug in shown.keys for one in people)
    yield f"  people      {len(people)} enrolled, {keyed} with a key{_names(tuple(one.slug for one in people))}"
    others = len(history.people) - len(people)
    if others:
        yield f"              {others} more without a commit in the latest year: in comments"
    agents = [tool.name for tool in history.tools if tool.kind == "agent"]
    services = [tool.name for tool in history.tools if tool.kind == "service"]
    yield f"  agents      {_printable(_listed(agents))}"
    yield f"  services    {_printable(_listed(services))}"
    yield f"  owners file {shown.owners_file or 'none: the fallback answers for every path'}"
    yield f"  security    {len(seen.areas)} kinds of paths that decide who is let in, beside {' and '.join(first_policy.ALWAYS)}"
    yield from (f"              {area.glob}  ({area.files}, as {area.example})" for area in seen.areas[:6])
    yield f"  repository  {shown.repository or 'no remote names it: its first commit does'}"
    yield from (f"  note        {_printable(note)}" for note in seen.notes)


def _names(slugs: tuple[str, ...]) -> str:
    return f": {_listed(slugs)}" if slugs else ""


def _listed(names: "tuple[str, ...] | list[str]", most: int = 6) -> str:
    shown = ", ".join(names[:most]) or "none"
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _written(path: Path | None, profile: Profile, *, asked: bool) -> Iterator[str]:
    yield ""
    yield f"Wrote {path} (profile {profile})." if path else f"Nothing was written (profile {profile})."
    if profile is Profile.SOLO and not asked:
        yield "One person is here, so nobody else can look: an agent of another model family may, and every decision that"
        yield 'rests on it is stamped "not independent". With a second person: twohand init --profile team --force'


def _left(repo: Repository, shown: Shown) -> Iterator[str]:
    yield ""
    yield "Left to do:"
    steps = [*_key_steps(shown), *_owner_steps(shown), *_commit_steps(repo)]
    for number, step in enumerate(steps, 1):
        first, *more = step
        yield f"  {number}. {first}"
        yield from (f"       {line}" for line in more)
    yield ""
    yield "Law 37: the first policy is accepted once, by whoever commits it to the default branch. It counts from then on,"
    yield "and a change of it is judged by the policy that stood before."
    if marks := messages.environment_claims(os.environ):
        yield f"This shell belongs to an agent ({marks[0].tool}): let a person read the file before it is committed."


def _key_steps(shown: Shown) -> Iterator[list[str]]:
    keyless = [one.slug for one in first_policy.enrolled(shown) if one.slug not in shown.keys]
    if shown.me in keyless:
        yield [
            "You have no SSH key: make one, and put its .pub line under your name in twohand.toml.",
            "ssh-keygen -t ed25519 && cat ~/.ssh/id_ed25519.pub",
        ]
    others = tuple(slug for slug in keyless if slug != shown.me)
    if others:
        yield [
            f"Ask {_listed(others)} for a .pub line: without a key in `keys` nothing that they sign counts.",
            f"grep -n 'keys = \\[\\]' {NAME}" if len(others) > 1 else f"grep -n -A3 'people.{others[0]}' {NAME}",
        ]


def _owner_steps(shown: Shown) -> Iterator[list[str]]:
    if shown.owners_named:
        yield [
            f"See whom {shown.owners_file} reaches; `accounts` and [teams] tie its names to people.",
            "twohand owners",
        ]
    elif not first_policy.fallback(shown):
        yield ["Enrol the people who answer for it: nobody was found.", f"$EDITOR {NAME}"]


def _commit_steps(repo: Repository) -> Iterator[list[str]]:
    default = repo.default_branch() or repo.symref("HEAD")
    branch = default.removeprefix(HEADS).removeprefix(ORIGIN)
    here = repo.symref("HEAD").removeprefix(HEADS)
    switch = [] if here == branch or not branch else [f"git switch {branch}"]
    yield ["Read it.", "twohand policy validate && ${PAGER:-less} " + NAME]
    yield [
        f"Commit it on {branch or 'the default branch'}.",
        *switch,
        f'git add {NAME} && git commit -m "Ask for a second hand" -- {NAME}',
    ]
    yield ["See what comes of a change, from its branch.", "twohand review"]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
