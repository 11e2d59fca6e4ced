"""Installing the project, or a package of it, runs a command."""

from collections.abc import Iterator
from typing import ClassVar

from rules import agent_settings, manifests, switches
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, Source, visible

_NPM = rb"^[\"'](preinstall|install|postinstall|prepare|preprepare|postprepare|prepublish|prepack|postpack|dependencies)[\"']\s*:\s*[\"']([^\"']{1,1000})"
_HOOK = rb"^(?:preinstall|install|postinstall|prepare|preprepare|postprepare|prepublish|prepack|postpack|dependencies)$"
_USUAL = rb"^(?:(?:npx )?husky(?: install)?(?: \|\| \w+)?|is-ci \|\| husky(?: install)?|(?:npm|yarn|pnpm|bun) (?:run )?[\w:-]+(?: && (?:npm|yarn|pnpm|bun) (?:run )?[\w:-]+)*|tsc\b[\w. -]*|patch-package|lerna bootstrap|ngcc|rollup -c|vite build|turbo \w+|(?:npx )?simple-git-hooks|lefthook install|svelte-kit sync|prisma generate|opencollective(?:-postinstall)?)$"
_PYTHON = rb"\bcmdclass\s*=|\bclass \w+\(\s*(?:install|develop|egg_info|build_py|sdist|build_ext)\s*\)"
_PTH = rb"^import\s"
_BUILD = rb"(?i)\b(?:Command::new|subprocess\.|os\.system|exec\(|curl|wget|TcpStream|reqwest|urllib)"
_OTHERS = rb"^[\"'](?:pre-|post-)(?:install|update|autoload-dump)-cmd[\"']|\.extensions\s*=|^s(?:pec)?\.extensions\b"


class InstallScriptAdded(Rule):
    """Installing the project, or a package of it, runs a command.

    ## What it does
    Finds commands that package managers run by themselves: `preinstall`, `install`, `postinstall`, `prepare` of package.json, `cmdclass` of
    setup.py, lines of `.pth` files that import, build scripts that start programs, and Composer's and RubyGems' hooks. The usual ones, such as
    the installation of git hooks by a known tool or the project's own build, are notes.

    ## Why it matters
    They run on every machine that installs the package, before anything of it was looked at.

    ## Example
    `package.json` gains `"postinstall": "node setup.js"` beside a change of the logger.

    ## What to do instead
    Let people start it by name.
    """

    id, slug, tier, since = "TH603", "install-script-added", Tier.HOLD, "0.1"
    triggers: ClassVar = (
        rb"(?:pre|post)?(?:install|prepare|publish|pack)\b|[\"']dependencies[\"']\s*:\s*[\"']",
        _PYTHON,
        _PTH,
        _BUILD,
        _OTHERS.replace(b"^", b""),
    )

    HOLDS: ClassVar = (
        Diff(
            "package.json",
            '{"scripts": {\n"test": "a"\n}}\n',
            '{"scripts": {\n"postinstall": "node setup.js",\n"test": "a"\n}}\n',
        ),
        Diff("package.json", '{"scripts": {"a": "b"}}', '{"scripts": {"a": "b", "install": "node a.js"}}'),
        Diff("package.json", '"postinstall": "node a.js"\n', '"postinstall": "node a.js && curl https://a.example"\n'),
        Diff("setup.py", "setup()\n", "setup(cmdclass={'install': Own})\n"),
        Diff("src/a.pth", None, "import os; os.system('a')\n"),
        Diff("build.rs", "fn main() {}\n", 'fn main() { Command::new("curl"); }\n'),
    )
    PASSES: ClassVar = (
        Diff("package.json", "", '"prepare": "husky install"\n'),
        Diff("package.json", "", '"test": "node install.js"\n'),
        Diff("tests/fixtures/package.json", "", '"postinstall": "node a.js"\n'),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """By the kind of file."""
        tier = switches.weight(edit, self.tier)
        name = manifests.base(edit.path)
        if tier is None:
            return
        if name == b"package.json":
            yield from self._scripts(edit, tier)
            return
        text, said = _hook(name)
        for line, what in switches.on(edit, text) if text else ():
            yield self.came(edit, line.number, f"{said}: `{visible(what)}`", tier=tier)

    def _scripts(self, edit: Edit, tier: Tier) -> Iterator[Finding]:
        before = _hooks(edit.old, edit.path)
        for hook, (command, line) in _hooks(edit.new, edit.path).items():
            if before.get(hook, (b"", 0))[0] == command:
                continue
            local = hook.startswith((b"prep", b"preprep", b"postp"))
            weight = Tier.NOTE if found(_USUAL, command) or (local and not found(_FETCHES, command)) else tier
            message = f"`{visible(hook)}` runs `{visible(command)[:80]}` on every machine that installs this"
            yield self.came(edit, line, message, tier=weight)


def _hooks(side: Source, path: bytes) -> dict[bytes, tuple[bytes, int]]:
    """What npm runs by itself, from hook to command and line: by value, else line by line where it is no JSON."""
    settings = agent_settings.read(side, path)
    if settings is None:
        matches = ((pattern(_NPM).search(text.strip()), number) for number, text in enumerate(side.lines, 1))
        return {match.group(1): (match.group(2).strip(), number) for match, number in matches if match is not None}
    scripts = (each for each in settings if each.keys[:1] == ("scripts",) and found(_HOOK, each.keys[-1].encode()))
    return {
        each.keys[-1].encode(): (each.value.strip().encode("utf-8", "replace"), agent_settings.line_of(side, each))
        for each in scripts
    }


_FETCHES = rb"(?i)\b(?:curl|wget|https?:|eval|base64|node -e|python -c|bash -c|sh -c)"


def _hook(name: bytes) -> tuple[bytes, str]:
    if name == b"setup.py":
        return _PYTHON, "installing this package runs code of its own"
    if name.endswith(b".pth"):
        return _PTH, "every start of Python runs this"
    if name in (b"build.rs", b"extconf.rb"):
        return _BUILD, "building this package starts another program or talks to the network"
    if name == b"composer.json" or name.endswith(b".gemspec"):
        return _OTHERS, "installing this package runs code of its own"
    return b"", ""
