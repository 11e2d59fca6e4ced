"""A value is used as it came, where it was escaped or brought to one form before."""

from collections.abc import Iterator
from typing import ClassVar

from rules import places, swaps, vocabulary
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_FORMS = (
    rb"\b((?:mb_)?(?:str)?to_?lower(?:case)?|(?:mb_)?strtoupper|casefold|downcase|realpath|basename|normpath|abspath|"
    rb"\w*[cC]anonical\w*|\w*[nN]ormali[sz]e\w*|toRealPath|filepath\.(?:Clean|Base|Rel)|path\.(?:Clean|normalize|basename|resolve)|"
    rb"secure_filename|get_valid_filename|urlencode|encodeURI(?:Component)?|rawurlencode|QueryEscape|PathEscape|"
    rb"html_?special_?chars|htmlentities|shellescape|escapeshell\w+|shlex\.quote|pipes\.quote|quote_plus|"
    rb"(?:[hH]tml_?|[jJ]s_?|[xX]ml_?|[uU]rl_?|[sS]hell_?|[rR]egex?p?_?)?[eE]scape\w*|saniti[sz]e\w*|Saniti[sz]e\w*|bleach\.\w+|addslashes|strip_tags|"
    rb"conditional_escape|format_html|createTextNode|textContent|innerText|intval|parseInt|unicodedata\.\w+|dump|"
    rb"ToLower|ToValidUTF8|toLowerCase|to_s|to_str|strval|ToUnicode|idna\w*|punycode\w*)\b\s*[(!=.)\]]?"
)
_CLEANS = rb"(?:g?sub!?|preg_replace|replace(?:All)?|ReplaceAll\w*|translate|re\.sub)\s*\(\s*[rb]?[/\"'].{0,12}(?:\[\^|\\[rnx0]|%0|\.\.|<|&|\\\\|[\"']/)"
_FIRM = rb"(?i)escape|saniti|special_?chars|entities|quote|realpath|canonical|secure_filename|textnode|textcontent|bleach|format_html|clean\b|normpath|strip_tags"


class EscapeOrNormalisationDropped(Rule):
    """A value is used as it came, where it was escaped or brought to one form before.

    ## What it does
    Counts what escapes a value or brings it to one form: lower case, a resolved path, a text node, quoting for a shell or a page, the
    removal of control characters. Where a change has less of it than before, each lost one is named.

    ## Why it matters
    A check that compares with `.php` is passed by `.PHP`, and one for a directory by `../`. Without the escape, a name is a script.

    ## Example
    `path = strings.ToLower(path)` is gone in front of a comparison with `.git`.

    ## What to do instead
    Keep the value in the one form that the check knows. If something else does it now, show where.

    ## Why it is general
    The names are those of standard libraries and common frameworks, in many languages. A use that moved to other code of the change counts
    as kept.
    """

    id, slug, tier, since = "TH110", "escape-or-normalisation-dropped", Tier.HOLD, "0.1"
    triggers: ClassVar = (_FORMS, _CLEANS)

    HOLDS: ClassVar = (
        Diff(
            "repo/paths.go",
            'package repo\nfunc isGitPath(path string) bool {\n\tpath = strings.ToLower(path)\n\treturn strings.HasSuffix(path, ".git")\n}\n',
            'package repo\nfunc isGitPath(path string) bool {\n\treturn strings.HasSuffix(path, ".git")\n}\n',
        ),
        Diff(
            "web/name.js",
            "function show(file) {\n  box.append(document.createTextNode(file.name));\n}\n",
            "function show(file) {\n  box.append(file.name);\n}\n",
        ),
    )
    PASSES: ClassVar = (
        Diff("web/a.py", "def f(x):\n    return escape(x)\n", "def f(x):\n    return html.escape(x)\n"),
        Diff("web/a.py", "def f(x):\n    y = 1\n    return x.lower()\n", "def f(x):\n    return x.lower()\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Lost lines with such a call, where the change as a whole has less of it."""
        for line in swaps.lost_lines(edit):
            hit = pattern(_FORMS).search(line.text) or pattern(_CLEANS).search(line.text)
            if hit is None or not _is_used(line.text, hit.start(), hit.end()):
                continue
            name = hit.group(0).strip(b"(!=.)] \t")
            what = rb"(?i)\b" + name + rb"\b" if name.replace(b"_", b"").isalnum() else _CLEANS
            if swaps.balance(edit.change, what) >= 0 or swaps.balance(edit.change, _FORMS + rb"|" + _CLEANS) >= 0:
                continue
            at = places.where(edit, line.number)
            firm = found(_FIRM, name) or vocabulary.is_checking(f"{at} {line.text.decode('latin1')}")
            yield self.lost(
                edit,
                line.number,
                f"{at} no longer brings a value into a safe form, as `{visible(name)}` did: `{visible(line.text)}` is gone",
                tier=Tier.HOLD if firm else Tier.NOTE,
            )


def _is_used(text: bytes, start: int, end: int) -> bool:
    """Whether a name is called or read as an attribute, and is not only a variable's own."""
    return (
        text[end - 1 : end] in b"(!"
        or text[end : end + 1] == b"("
        or text[max(start - 1, 0) : start] in (b".", b">", b":")
    )
