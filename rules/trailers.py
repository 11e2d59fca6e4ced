"""The lines of a message that may speak of who made it. Prose and subjects never do.

Git's own trailer parser is not used: it sees only the last paragraph, and tools write after it and before it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rules.visible import LETTERS, skeleton, visible

CO_AUTHOR = frozenset(("co-authored-by", "coauthored-by", "co-author", "co-authors", "co-developed-by"))
MADE = frozenset(
    (
        *("assisted-by", "ai-assisted-by", "generated-by", "generated-with", "ai-generated-by", "made-with", "made-by"),
        *(
            "built-with",
            "written-by",
            "authored-by",
            "created-with",
            "created-by",
            "entire-agent",
            "ai-agent",
            "ai-tool",
        ),
        *("ai-model", "claude-generated-by", "coding-agent", "ai-assistant", "llm-assisted-by", "tool-assisted-by"),
        *("ai-authored-by", "co-authored-with", "co-written-by", "co-written-with", "vibe-coded-by", "vibe-coded-with"),
        *("pair-programmed-with", "drafted-by", "drafted-with", "coded-by", "coded-with", "implemented-by"),
    )
)
SIGNED = frozenset(("signed-off-by",))
TOLD = frozenset(("ai-assisted", "ai-used-for", "ai-generated"))
SESSION = frozenset(
    (
        *("claude-session", "agent-logs-url", "amp-thread-id", "entire-session", "entire-checkpoint", "agent-session"),
        *("replit-commit-session-id", "codex-session", "cursor-session", "copilot-session", "devin-session"),
        *("crush-session", "opencode-session", "gemini-session"),
    )
)
REPLIT = "replit-commit-author"
OF_ONE_TOOL = {
    **dict.fromkeys(("claude-steers", "claude-escapes", "claude-permission-prompts"), "claude"),
    "x-lovable-edit-id": "lovable",
}
LABELS = frozenset((*CO_AUTHOR, *MADE, *SIGNED, *TOLD, *SESSION, *OF_ONE_TOOL, REPLIT))
_LONGEST_LABEL = max(map(len, LABELS)) + 4
_SHORT = 300  # characters of a line that is remembered

# Other ways in which tools and people write these labels, each seen in a public history.
_MEANT = {
    "assited-by": "assisted-by",
    "asisted-by": "assisted-by",
    "co-authored": "co-authored-by",
    "co-autored-by": "co-authored-by",
    "co-authered-by": "co-authored-by",
    "link-to-devin-run": "devin-session",
    "link-to-devin-session": "devin-session",
    "amp-thread": "amp-thread-id",
    "codex-task": "codex-session",
    "claude-code-session": "claude-session",
}
# An address that stands alone on its line is the session that the tool's own footer names.
_ADDRESSES = (
    ("https://claude.ai/code/session_", "claude-session"),
    ("https://ampcode.com/threads/T-", "amp-thread-id"),
    ("https://app.devin.ai/sessions/", "devin-session"),
    ("https://chatgpt.com/codex/tasks/task_", "codex-session"),
    ("https://chatgpt.com/codex/cloud/tasks/task_", "codex-session"),
    ("https://chatgpt.com/s/cd_", "codex-session"),
    ("https://cursor.com/background-agent?bcId=", "cursor-session"),
    ("https://cursor.com/agents?id=", "cursor-session"),
    ("https://cursor.com/agents/bc-", "cursor-session"),
)

FOOTER = "footer"
JULES = "jules"
_VERBS = tuple(
    f"{verb} {word} "
    for verb in (
        *("generated", "made", "created", "built", "written", "authored", "co-authored", "developed", "assisted"),
        *("implemented", "drafted", "coded", "vibe coded", "vibe-coded", "pair programmed", "pair-programmed"),
        *("co-written", "coauthored", "co authored", "co-developed", "ultraworked"),
    )
    for word in ("with help of", "with the help of", "with", "by", "using", "via")
)
_JULES = "pr created automatically by jules for task "
_HINTS = (
    *("-by", "by:", "ed with", "made with", "ten with", "built with", "-with", " by ", " using ", "ed via "),
    *("/threads/t-", "co-aut", "devin run", "amp-thread", "/tasks/task_", "/s/cd_", "cursor.com/", "lovable-edit"),
    *("coding-agent", "codex task"),
    *("session", "logs-url", "thread-id", "entire-", "replit-", "ai-", "claude-", "co-author"),
)
_OPENING = frozenset(verb.partition(" ")[0] for verb in (*_VERBS, _JULES))  # the words that such a line begins with
_FIRST = frozenset(word[0] for word in _OPENING)
_FENCES = ("```", "~~~")
_REVERTS = ("Revert ", "revert ", "Revert:", "revert:", "Revert(", "revert(")
_QUOTED = (">", "    ", "\t")
_QUOTING = (*_FENCES, *(f"\n{sign}" for sign in _QUOTED))
_SQUASHED = ("Squashed commit", "commit ", "Author: ")  # git indents the messages that follow
_LEAD = " \t>*-+#|"  # white space, quotes, lists, headings, tables


class Line(NamedTuple):
    """A line with a label. `label` is "footer" for `Generated with TOOL`, "jules" for the sentence Jules ends with."""

    label: str
    value: str
    text: str  # the line as it can be seen
    veiled: bool  # the label was hidden behind invisible or look-alike characters
    obscure: bool  # something in the line was; it matters where the line names an agent


@lru_cache(1)  # several readers ask about the same message in a row
def lines(message: str) -> tuple[Line, ...]:
    """Every line that may be evidence, in order. Linear in the message, which may be of any size."""
    clean = message.isascii() and message.replace("\n", "").isprintable()
    plain = message.lower() if clean else skeleton(message).lower()
    for hint in _HINTS:
        if hint in plain:
            return tuple(_lines(message, may_quote=not clean or _may_quote(message)))
    return ()


def _may_quote(message: str) -> bool:
    """Whether `_said` could leave anything out of a message whose lines end with line feeds alone."""
    return message.startswith((*_REVERTS, *_QUOTED)) or any(sign in message for sign in _QUOTING)


def _lines(message: str, *, may_quote: bool) -> Iterator[Line]:
    subject = True
    rows = message.replace("\0", "\n").splitlines()
    for raw in _said(rows) if may_quote else rows:
        if not raw or raw.isspace():
            continue
        found = _line(raw)
        if found and not (subject and _is_prose(found)):
            yield found
        subject = False


def _said(lines: list[str]) -> list[str]:
    """Without what the message only quotes: closed code fences, examples, and in a revert what it takes back."""
    fences = [at for at, line in enumerate(lines) if line[:6].lstrip(" ").startswith(_FENCES)]
    if len(fences) > 1 and any(line.strip() for line in lines[: fences[0]]):  # one around the whole message is no quote
        inside = {at for first, last in zip(fences[::2], fences[1::2], strict=False) for at in range(first, last + 1)}
        lines = [line for at, line in enumerate(lines) if at not in inside]
    if lines[0].startswith(_REVERTS):
        return [line for line in lines if not line.startswith(_QUOTED)]
    if any(line.startswith(_QUOTED) for line in lines) and not any(line.startswith(_SQUASHED) for line in lines):
        examples = set(_examples(lines))
        lines = [line for at, line in enumerate(lines) if at not in examples]
    return lines


def _examples(lines: list[str]) -> Iterator[int]:
    """Indented or quoted lines between a sentence that ends with a colon and one that goes on."""
    opened = False
    waiting: list[int] = []
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        if line.startswith(_QUOTED):
            waiting += [at] if opened else []
            continue
        if waiting and not _line(line):
            yield from waiting
        opened, waiting = line.rstrip().endswith(":"), []


def _is_prose(line: Line) -> bool:
    """A subject line counts only where it can be nothing but a trailer: a co-author's address, or a session."""
    return line.label not in SESSION and (line.label not in CO_AUTHOR or "@" not in line.value)


def _line(raw: str) -> Line | None:
    """A short line is read once: people and tools repeat theirs."""
    return _known(raw) if len(raw) < _SHORT else _read(raw)


@lru_cache(8192)
def _known(raw: str) -> Line | None:
    return _read(raw)


def _read(raw: str) -> Line | None:
    plain = raw.isascii() and raw.isprintable()
    shown, odd = (raw, False) if plain else visible(raw)
    text = shown.lstrip(_LEAD) if plain else _unled(shown)
    text = text.removeprefix("<sub>").removesuffix("</sub>")
    if text.startswith(("https://", "[", "<a href=")):
        return _address(_linked(text), shown, odd=odd)
    folded = text if plain else skeleton(text[:_LONGEST_LABEL])
    colon = folded.find(":", 0, _LONGEST_LABEL)
    if colon > 0:
        label = _label(folded[:colon])
        if label in LABELS:
            value = text[min(at for at in (text.find(":"), text.find("\uff1a")) if at >= 0) + 1 :]
            veiled = (odd and not _plainly(raw, label)) or folded[:colon] != text[:colon]
            return Line(label, value.strip(" \t*"), shown.strip(), veiled, odd or _folds(value))
    return _footer(text, folded.lower(), shown, odd=odd) if folded[:1].lower() in _FIRST else None


def _linked(text: str) -> str:
    """The address that a line is, or that its only content links to: `[Codex Task](https://...)`, `<a href="https://...">`."""
    if text.startswith("<"):
        return text.partition('"')[2].partition('"')[0]
    if text.startswith("["):
        link = text.rstrip(" \t*_").partition("](")[2]
        return link.removesuffix(")") if link.endswith(")") else ""
    return text


def _address(text: str, shown: str, *, odd: bool) -> Line | None:
    if any(character.isspace() for character in text.rstrip()):
        return None
    label = next((label for start, label in _ADDRESSES if text.startswith(start)), None)
    return Line(label, text.rstrip(), shown.strip(), odd, odd) if label else None


def _unled(line: str) -> str:
    """Without list markers, quotes and the pictures that tools put before their footers."""
    at = 0
    while at < len(line) and (line[at] in _LEAD or not (line[at].isascii() or line[at].isalnum())):
        at += 1
    return line[at:]


def _label(text: str) -> str:
    label = text.strip().lower().replace("_", "-").replace(" ", "-")
    return _MEANT.get(label, label)


def _plainly(raw: str, label: str) -> bool:
    return _unled(raw).lower().startswith(label)


def _folds(value: str) -> bool:
    return not value.isascii() and not LETTERS.isdisjoint(value)


def _footer(text: str, low: str, shown: str, *, odd: bool) -> Line | None:
    if low.partition(" ")[0] not in _OPENING:
        return None
    if low.startswith(_JULES):
        return Line(JULES, text[len(_JULES) :], shown.strip(), odd, odd)
    if not low.startswith(_VERBS):
        return None
    if text[:1].islower() and shown.lstrip(_LEAD) == text:
        return None  # a sentence that was wrapped
    verb = next(verb for verb in _VERBS if low.startswith(verb))
    veiled = odd and text[: len(verb)].lower() != verb
    return Line(FOOTER, text[len(verb) :].strip(), shown.strip(), veiled, odd or _folds(text))
