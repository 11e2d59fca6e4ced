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
        *("ai-model", "claude-generated-by"),
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
BY_CLAUDE = frozenset(("claude-steers", "claude-escapes", "claude-permission-prompts"))
LABELS = frozenset((*CO_AUTHOR, *MADE, *SIGNED, *TOLD, *SESSION, *BY_CLAUDE, REPLIT))
_LONGEST_LABEL = max(map(len, LABELS)) + 4

# Other ways in which tools and people write these labels, each seen in a public history.
_MEANT = {
    "assited-by": "assisted-by",
    "asisted-by": "assisted-by",
    "co-authored": "co-authored-by",
    "co-autored-by": "co-authored-by",
    "co-authered-by": "co-authored-by",
    "link-to-devin-run": "devin-session",
    "link-to-devin-session": "devin-session",
}
# An address that stands alone on its line is the session that the tool's own footer names.
_ADDRESSES = (
    ("https://claude.ai/code/session_", "claude-session"),
    ("https://ampcode.com/threads/T-", "amp-thread-id"),
    ("https://app.devin.ai/sessions/", "devin-session"),
)

FOOTER = "footer"
JULES = "jules"
_VERBS = tuple(
    f"{verb} {word} "
    for verb in ("generated", "made", "created", "built", "written", "authored", "co-authored", "developed", "assisted")
    for word in ("with", "by", "using")
)
_JULES = "pr created automatically by jules for task "
_HINTS = (
    *("-by", "by:", "ted with", "made with", "ten with", "built with", "-with", "loped with", " by ", " using "),
    *("/threads/t-", "co-aut", "devin run"),
    *("session", "logs-url", "thread-id", "entire-", "replit-", "ai-", "claude-", "co-author"),
)
_FIRST = frozenset((*(verb[0] for verb in _VERBS), _JULES[0]))
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
    clean = message.isascii() and message.replace("\n", " ").isprintable()
    plain = message.lower() if clean else skeleton(message).lower()
    if not any(hint in plain for hint in _HINTS):
        return ()
    return tuple(_lines(message))


def _lines(message: str) -> Iterator[Line]:
    subject = True
    for raw in message.replace("\0", "\n").splitlines():
        if not raw or raw.isspace():
            continue
        found = _line(raw)
        if found and not (subject and _is_prose(found)):
            yield found
        subject = False


def _is_prose(line: Line) -> bool:
    """A subject line counts only where it can be nothing but a trailer: a co-author's address, or a session."""
    return line.label not in SESSION and (line.label not in CO_AUTHOR or "@" not in line.value)


def _line(raw: str) -> Line | None:
    plain = raw.isascii() and raw.isprintable()
    shown, odd = (raw, False) if plain else visible(raw)
    text = _unled(shown)
    if text.startswith("https://"):
        return _address(text, shown, odd=odd)
    folded = text if plain else skeleton(text[:_LONGEST_LABEL])
    colon = folded.find(":", 0, _LONGEST_LABEL)
    if colon > 0:
        label = _label(folded[:colon])
        if label in LABELS:
            value = text[min(at for at in (text.find(":"), text.find("\uff1a")) if at >= 0) + 1 :]
            veiled = (odd and not _plainly(raw, label)) or folded[:colon] != text[:colon]
            return Line(label, value.strip(" \t*"), shown.strip(), veiled, odd or _folds(value))
    return _footer(text, folded.lower(), shown, odd=odd) if folded[:1].lower() in _FIRST else None


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
    if low.startswith(_JULES):
        return Line(JULES, text[len(_JULES) :], shown.strip(), odd, odd)
    if not low.startswith(_VERBS):
        return None
    if text[:1].islower() and shown.lstrip(_LEAD) == text:
        return None  # a sentence that was wrapped
    verb = next(verb for verb in _VERBS if low.startswith(verb))
    veiled = odd and text[: len(verb)].lower() != verb
    return Line(FOOTER, text[len(verb) :].strip(), shown.strip(), veiled, odd or _folds(text))
