"""Whether the hooks of a repository take effect: every way in which one does not is a line, with what to do."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from rules.report import Invalid
from streams import settings
from streams.cli import VERSION
from streams.doctor_clone import FAIL, OK, WARN, Check
from streams.doctor_refs import protected_refs
from streams.hooks import engine, exposure, interpreter, receiving, script
from streams.hooks.install import Target, target
from streams.hooks.place import CONFIGURED, Place, content, git_version, husky, manager, of_config, place, switched_off
from streams.hooks.script import CLIENT, SERVER, Fixed
from streams.hooks.worktrees import astray
from streams.sources.git import Repository

CONFIGS = (".pre-commit-config.yaml", "lefthook.yml", ".lefthook.yml", "lefthook.yaml")


def examine(repo: Repository, *, server: bool) -> list[Check]:
    """The hooks of a server or of a clone, and what lies around them."""
    names = SERVER if server else CLIENT
    found = [check for name in names for check in effective(repo, name)]
    found += astray(repo, names)
    if server:
        found += [*receiving.examine(repo), *exposure.examine(repo, fixed(repo)), *protected_refs(repo)]
        found += engine.examine(repo, fixed(repo))
    return found


def fixed(repo: Repository) -> Fixed | None:
    """What the installed pre-receive says of itself."""
    read = script.read(content(target(place(repo).directory, "pre-receive").path))
    return read.fixed if read else None


def effective(repo: Repository, name: str) -> list[Check]:
    """Everything about one hook; where nothing is wrong, that it works."""
    found, server = place(repo), name in SERVER
    here = quote(str(repo.work_tree or repo.git_dir))
    again = f"twohand hook install{' --server' if server else ''} -C {here}"
    if switched_off(repo, name):
        key = f"hook.{name}.enabled"
        return [
            Check(
                name, FAIL, f"git's configuration switches it off: {key} is false", f"git -C {here} config {key} true"
            )
        ]
    if configured := _by_config(repo, name):
        return list(_configured(repo, configured, again))
    one = target(found.directory, name)
    if shadow := _shadowed(repo, found, one):
        return [shadow]
    checks = list(_file(repo, one, again))
    others = ", ".join(other for other, _ in of_config(repo, name))
    if others and all(check.state == OK for check in checks):
        checks.append(Check(name, OK, f"git's configuration runs before it: {others}"))
    return checks


def _by_config(repo: Repository, name: str) -> Target | None:
    mine = any(other == f"twohand-{name}" for other, _ in of_config(repo, name))
    return Target(name, repo.common_dir / "twohand" / "hooks" / name, by_config=True) if mine else None


def _shadowed(repo: Repository, found: Place, one: Target) -> Check | None:
    """git reads another directory than the one where ours lies."""
    usual = target(found.usual, one.name)
    if found.setting is None or not found.elsewhere or script.read(content(one.path)) or _calls(repo, one):
        return None
    where = f"core.hooksPath is {found.setting.value or '(empty)'} ({found.setting.scope}: {found.setting.origin})"
    if script.read(content(usual.path)):
        remedy = _unshadowed(repo, found.setting.scope, found.usual)
        return Check(one.name, FAIL, f"shadowed: {where}, so git never reads {usual.path}", remedy)
    if husky(found):
        remedy = f"echo 'twohand hook {one.name} \"$@\"' >> .husky/{one.name}"
        return Check(one.name, FAIL, f"missing: {where}, and .husky/{one.name} does not call twohand", remedy)
    return Check(one.name, FAIL, f"missing: {where}, and no {one.name} of twohand's is there", "twohand hook install")


def _unshadowed(repo: Repository, scope: str, usual: Path) -> str:
    """What makes git read the repository's own directory again; what others share is not touched."""
    here = quote(str(repo.work_tree or repo.git_dir))
    if scope in {"local", "worktree"}:
        return f"git -C {here} config --{scope} --unset core.hooksPath"
    return f"git -C {here} config core.hooksPath {quote(str(usual))}"


def _configured(repo: Repository, one: Target, again: str) -> Iterator[Check]:
    """A hook that git's configuration names, which takes a git that reads it there."""
    version = git_version(repo)
    if version < CONFIGURED:
        said = f"git {version[0]}.{version[1]} runs no hook out of its configuration, and hook.twohand-{one.name} stands there"
        yield Check(one.name, FAIL, said, "Install git 2.54 or later, or: " + again)
        return
    yield from _ours(one, again)


# -- one file ----------------------------------------------------------------------------------------------------------


def _file(repo: Repository, one: Target, again: str) -> Iterator[Check]:
    path = one.path
    if not os.path.lexists(path):
        yield Check(one.name, FAIL, f"missing: there is no {path}", again)
    elif not path.exists():
        yield Check(one.name, FAIL, f"missing: {path} is a link that leads nowhere", again)
    elif script.read(content(path)):
        yield from _ours(one, again)
    else:
        yield _foreign(repo, one, again)


def _ours(one: Target, again: str) -> Iterator[Check]:
    data = content(one.path)
    read = script.read(data)
    if read is None:
        yield Check(one.name, FAIL, f"missing: there is no {one.path} of twohand's", again)
        return
    wrong = list(_wrong(one, data, read, again))
    yield from wrong
    if not wrong:
        before = f"; {one.before.name} runs first" if one.before.exists() else ""
        yield Check(one.name, OK, f"{one.path} runs {read.fixed.interpreter}{before}")
    if one.before.exists() and not os.access(one.before, os.X_OK):
        remedy = f"chmod +x {quote(str(one.before))}, or remove it"
        yield Check(one.name, WARN, f"{one.before} was kept, is not executable, and does not run", remedy)


def _wrong(one: Target, data: bytes, read: script.Read, again: str) -> Iterator[Check]:
    path = one.path
    if not _executable(path):
        yield Check(one.name, FAIL, f"not executable, so git ignores it: {path}", f"chmod 755 {quote(str(path))}")
    if not read.whole:
        remedy = f"Look at it, then `mv {quote(str(path))} {quote(str(path))}.changed` and: {again}"
        yield Check(one.name, FAIL, f"changed since it was installed (its digest differs): {path}", remedy)
    elif read.version != VERSION:
        yield Check(one.name, FAIL, f"stale: {path} is of twohand {read.version}, this is {VERSION}", again)
    elif data != script.text(one.name, read.fixed):
        yield Check(one.name, FAIL, f"stale: {path} is not what this twohand writes", again)
    yield from _interpreter(one, read.fixed, again)
    yield from _settings(one, read.fixed, again)


def _executable(path: Path) -> bool:
    """By its mode: root may run what nobody else may."""
    return bool(path.stat().st_mode & 0o111) and os.access(path, os.X_OK)


def _interpreter(one: Target, fixed: Fixed, again: str) -> Iterator[Check]:
    program = Path(fixed.interpreter)
    if not program.exists():
        yield Check(one.name, FAIL, f"its interpreter is gone: {program}", again)
        return
    answer = interpreter.ask(fixed.interpreter, fixed.packages, [one.name], uid=interpreter.owner(one.path.parent))
    if answer.problem:
        said = f"its interpreter {program} cannot import twohand: {answer.problem}"
        yield Check(
            one.name, FAIL, said, f"Install twohand again, where everybody who pushes may read it, then: {again}"
        )
    elif answer.version != VERSION or answer.found != interpreter.ROOT / "streams":
        said = f"it runs twohand {answer.version} of {answer.found}; this is {VERSION} of {interpreter.ROOT}"
        yield Check(one.name, WARN, said, f"Use that one, or: {again}")


def _settings(one: Target, fixed: Fixed, again: str) -> Iterator[Check]:
    if not fixed.settings:
        return
    path = Path(fixed.settings)
    try:
        settings.load(path, path.parent, {})
    except Invalid as error:
        yield Check(one.name, FAIL, f"its settings cannot be used: {error}", f"Correct {path}, or: {again}")
        return
    for loose in exposure.writable_by_others([path]):
        yield Check(one.name, FAIL, f"its settings can be written by {loose.who}: {loose.path}", loose.remedy)


# -- somebody else's file ----------------------------------------------------------------------------------------------


def _foreign(repo: Repository, one: Target, again: str) -> Check:
    """A hook that is not ours: it may call us, and may end before it does."""
    data, path = content(one.path), one.path
    owner = f"{manager(path)}'s" if manager(path) else "not twohand's"
    if _calls(repo, one):
        if not _executable(path):
            return Check(one.name, FAIL, f"not executable, so git ignores it: {path}", f"chmod 755 {quote(str(path))}")
        if line := _ends_before(data, one.name):
            said = f"{path} ends in line {line}, before it calls twohand"
            return Check(one.name, FAIL, said, f"Move the call of twohand above line {line}, or: {again}")
        return Check(
            one.name, OK, f"{path} ({owner}) calls twohand; whether it always does cannot be seen from outside"
        )
    if _only_exits(data):
        return Check(one.name, FAIL, f"{path} does nothing but end (`exit 0`), and is not twohand's", again)
    return Check(one.name, FAIL, f"missing: {path} is {owner}, and does not call twohand", again)


def _calls(repo: Repository, one: Target) -> bool:
    """Whether a hook, or the configuration of the manager that wrote it, names ours."""
    call = b"hook " + one.name.encode()
    found = place(repo)
    texts = [content(one.path)]
    if husky(found):
        texts = [content(found.directory.parent / one.name)]
    elif manager(one.path) in {"pre-commit", "lefthook"} and repo.work_tree:
        texts += [content(repo.work_tree / name) for name in CONFIGS]
    if manager(one.path) == "pre-commit" and any(b"id: twohand" in text for text in texts):
        return True
    return any(b"twohand" in line and call in line for text in texts for line in _code(text))


def _code(data: bytes) -> Iterable[bytes]:
    return (line for line in data.splitlines() if not line.lstrip().startswith(b"#"))


def _ends_before(data: bytes, name: str) -> int:
    """The number of the line at which a script ends for everybody before it reaches our call; 0 for none."""
    for number, line in enumerate(data.splitlines(), 1):
        if b"hook " + name.encode() in line and b"twohand" in line:
            return 0
        if line.startswith((b"exit", b"exec ")) and line.split()[0] in {b"exit", b"exec", b"exit;"}:
            return 0 if line.startswith(b"exec ") and line.split()[1][:1].isdigit() else number
    return 0


def _only_exits(data: bytes) -> bool:
    lines = [line.strip() for line in _code(data) if line.strip()]
    return not lines or all(line in {b"exit", b"exit 0", b"true", b":"} for line in lines)
