"""`twohand hook install|uninstall|status`, and the hooks themselves for those who call them from their own scripts."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from rules.report import Invalid
from streams import settings as operator
from streams.commands import options
from streams.commands.options import HERE
from streams.desk import Desk
from streams.hooks import install as installing
from streams.hooks import interpreter, trust
from streams.hooks import uninstall as uninstalling
from streams.hooks.entry import HOOKS, Called
from streams.hooks.entry import run as run_hook
from streams.hooks.install import NotInstalled, Written
from streams.hooks.script import CLIENT
from streams.moved import baseline
from streams.sources.git import Repository

Server = Annotated[bool, typer.Option("--server", help="Where others push to: pre-receive and post-receive.")]
Given = Annotated[list[str] | None, typer.Argument(metavar="ARG...", help="What git gives to the hook.", show_default=False)]  # fmt: skip

DOES = {
    "pre-receive": "judges every push, and refuses what no independent hand has approved",
    "post-receive": "records what landed",
    "pre-push": "says before a push what the server will say (advice: it stops nothing unless twohand.prePush is block)",
    "prepare-commit-msg": "writes into the message which agent made the commit",
}
WORKED_IN = (
    "warning: this repository has a working tree: --server is for where others push to, and nothing asks what is committed"
    " here; in a clone leave it out"
)


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Git hooks: install them, take them away, see if they work.", no_args_is_help=True)
    for command in (install, uninstall, status):
        group.command(name=command.__name__)(command)
    for name in HOOKS:
        group.command(name=name, help=_help(name), context_settings=RAW)(_verb(name))
    app.add_typer(group, name="hook")


RAW = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def install(
    *, server: Server = False, where: options.Where = HERE, settings: options.Settings = None,
    quiet: options.Quiet = False,
) -> int:  # fmt: skip
    """Install the hooks of this repository.

    A hook that is there is kept byte for byte and runs first; installing again upgrades ours. In a clone: advice before a
    push, and provenance in messages. With --server, where others push to: enforcement, and the first policy is accepted.
    """
    repo = Repository.open(where)
    installing.check(repo, server=server)
    if server and not repo.bare:
        print(WORKED_IN, file=sys.stderr)
    chosen = _settings(settings, repo)
    fixed = interpreter.fix(Path(chosen.source) if chosen.source else None)
    root = trust.accept(repo, chosen) if server else None
    done = installing.install(repo, fixed, server=server)
    if root:
        _baseline(repo)
        trust.hand_over(repo.common_dir)
    compiled = interpreter.compiled()
    if not quiet:
        print(
            "\n".join([*_installed(done), *(trust.told(root) if root else ()), *_slow(compiled), *_next(where, root)])
        )
    return 0


def _baseline(repo: Repository) -> None:
    """Where protected refs stand when the gate comes; a later installation forgives nothing."""
    with Desk(repo) as desk:
        if not desk.journal.tips():
            baseline(desk)


def _settings(explicit: Path | None, repo: Repository) -> operator.Settings:
    try:
        return operator.load(explicit.absolute() if explicit else None, repo.common_dir, os.environ)
    except Invalid as error:
        raise NotInstalled(
            f"The settings cannot be used: {error}", remedy="Correct them, then install again."
        ) from None


def _installed(done: Sequence[Written]) -> Iterator[str]:
    words = {"new": "Installed", "same": "There already:", "upgraded": "Upgraded"}
    for one in done:
        yield f"{words[one.state]} {one.target.path}"
        yield f"  {DOES[one.target.name]}"
        if one.before:
            yield f"  what was there runs first: {one.before.name}"
        if one.target.by_config:
            yield f"  git runs it because of hook.twohand-{one.target.name} in its configuration"


def _slow(compiled: bool) -> Iterator[str]:
    if not compiled:
        yield f"note: {interpreter.ROOT} cannot be written, so Python may compile it anew at each push."


def _next(where: Path, root: trust.Root | None) -> Iterator[str]:
    here = "" if where == HERE else f" -C {where}"
    if root is None:
        yield f"Next: twohand hook status{here}"
        return
    yield f"Next: twohand hook status --server{here}   (names whatever would let a push pass it by)"
    if root.policy and not root.policy.people:
        yield "Nobody is enrolled yet, so nothing can be admitted: run `twohand init` in a clone, and see docs/hooks.md."


def uninstall(*, server: Server = False, where: options.Where = HERE, quiet: options.Quiet = False) -> int:
    """Take the hooks away again.

    What was there before is put back as it was. The journal and the settings stay.
    """
    repo = Repository.open(where)
    done = uninstalling.uninstall(repo, server=server or repo.bare)
    if not quiet:
        for one in done:
            print(f"Removed {one.path}" + (", and put back what was there before" if one.restored else ""))
        if not done:
            print("There was no hook of twohand's.")
    return 0


def status(
    *, server: Server = False, where: options.Where = HERE, fmt: options.AsPage = options.Paged.TEXT,
    quiet: options.Quiet = False,
) -> int:  # fmt: skip
    """Name every way in which a hook is not effective.

    Here, and each with its remedy. Exit code 0 where nothing fails, 2 where something does. In a bare repository, --server is understood.
    """
    from streams.commands.doctor import FAILED, SCHEMA, lines, verdict  # noqa: PLC0415
    from streams.doctor_clone import FAIL, OK  # noqa: PLC0415
    from streams.hooks.status import examine  # noqa: PLC0415

    repo = Repository.open(where)
    checks = examine(repo, server=server or repo.bare)
    failed = any(check.state == FAIL for check in checks)
    if fmt is options.Paged.JSON:
        print(json.dumps({"schema": SCHEMA, "ok": not failed, "checks": [one._asdict() for one in checks]}, indent=2))
    else:
        shown = [check for check in checks if not quiet or check.state != OK]
        text = "\n".join([*(line for check in shown for line in lines(check)), verdict(checks)])
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    return FAILED if failed else 0


# -- the hooks themselves ----------------------------------------------------------------------------------------------


def _help(name: str) -> str:
    return f"What an installed {name} runs. For scripts of your own: it {DOES[name]}."


def _verb(name: str) -> Callable[..., int]:
    def verb(args: Given = None, *, settings: options.Settings = None) -> int:
        from streams.hooks import precommit  # noqa: PLC0415

        given = tuple(args or ())
        if name in CLIENT:
            given = precommit.translated(name, given, os.environ)
        return run_hook(Called(name, given, settings.absolute() if settings else None))

    return verb
