"""What was escaped, quoted or parsed safely is now taken at its word."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps
from rules.findings import Finding, Tier
from rules.patterns import pattern
from rules.rule import Diff, Edit, Rule, visible

_RAW = (
    rb"\bmark_safe\(|\.html_safe\b|\b(?:inner|outer)HTML\s*\+?=[^=]|dangerouslySetInnerHTML|\bv-html\b|insertAdjacentHTML|"
    rb"document\.write\(|bypassSecurityTrust\w+|\|\s*(?:safe|raw|noescape)\b|\{!!|<%==|\{\{\{|Html\.Raw\(|\braw\(|template\.(?:HTML|JS|URL)\(|"
    rb"\bMarkup\(|autoescape(?:\s+off|\s*=\s*[Ff]alse)|shell\s*=\s*True|use_unsafe_shell\s*=\s*True|\bos\.system\(|shell_exec\(|"
    rb"\byaml\.(?:load|unsafe_load)\(|\bpickle\.loads?\(|\bMarshal\.load\(|\bunserialize\(|\beval\(|\bnew Function\("
)


class RawOutputAdded(Rule):
    """What was escaped, quoted or parsed safely is now taken at its word.

    ## What it does
    Counts the ways of libraries to switch their protection off: marked as safe, set as HTML, handed to a shell, read by a parser that runs
    what it reads. Where a change that also takes lines away has more of them than before, each new one is named.

    ## Why it matters
    The escape is not called by name, so none is missing: the value only takes the door that is marked as safe.

    ## Example
    `document.createTextNode(name)` becomes `box.innerHTML = name`.

    ## What to do instead
    Use the form that escapes. If the value cannot come from outside, let an owner say so.

    ## Why it is general
    The names are those of the libraries, not of a project.
    """

    id, slug, tier, since = "TH111", "raw-output-added", Tier.HOLD, "0.1"
    triggers: ClassVar = (_RAW,)

    HOLDS: ClassVar = (
        Diff(
            "web/forms.py",
            "def crumbs(bits):\n    return ' | '.join(bits)\n",
            "def crumbs(bits):\n    return mark_safe(' | '.join(bits))\n",
        ),
        Diff(
            "src/run.py",
            "def run(name):\n    return call(['ls', name])\n",
            "def run(name):\n    return call('ls ' + name, shell=True)\n",
        ),
        Diff("web/show.js", "box.textContent = file.name;\n", "box.innerHTML = file.name;\n"),
    )
    PASSES: ClassVar = (
        Diff("web/show.js", "box.innerHTML = file.name;\n", "pane.innerHTML = file.name;\n"),
        Diff(
            "web/new.py",
            "def a():\n    return 1\n",
            "def a():\n    return 1\n\n\ndef b():\n    return mark_safe('<br>')\n",
        ),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code and edit.old.present

    def check(self, edit: Edit) -> Iterator[Finding]:
        """New uses on lines that took the place of others."""
        if swaps.balance(edit.change, _RAW) <= 0:
            return
        lost = _functions(edit)
        for line in swaps.won_lines(edit):
            hit = pattern(_RAW).search(line.text)
            at = places.function_at(edit, line.number, old=False)
            if hit is not None and at in lost:
                name = visible(hit.group(0).strip(b"( ="))
                yield self.came(
                    edit, line.number, f"{visible(at.encode()) or 'the module'} now takes a value at its word: `{name}`"
                )


def _functions(edit: Edit) -> frozenset[str]:
    """The functions that lost a line."""
    return frozenset(places.function_at(edit, line.number, old=True) for line in swaps.lost_lines(edit))
