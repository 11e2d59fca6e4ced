"""What a pusher reads on the terminal: lines of under 72 columns without escapes, each with a word that git colours."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from textwrap import wrap
from typing import Any, Final, TextIO

from streams.sinks.render import words
from streams.sinks.render.safe import pasteable, shown
from streams.sinks.render.steps import Step, shared, steps
from streams.sources.git import NOTHING

WIDTH: Final = 71
MOST_REASONS: Final = 6
MOST_STEPS: Final = 4
FOLDED: Final = WIDTH - len("hint:   " + " \\")
FOR_GITLAB: Final = "GL-HOOK-ERR: "
Row = Mapping[str, Any]


class Voice:
    """Where a hook speaks. GitLab shows people only what bears its prefix."""

    def __init__(self, *, gitlab: bool = False, out: TextIO = sys.stderr, remote: str = "origin") -> None:
        self.remote = quote(remote)  # what the pusher calls the other side, where that is known
        self._prefix = FOR_GITLAB if gitlab else ""
        self._out = out

    def say(self, word: str, text: str, *, indent: int = 0) -> None:
        """A sentence behind `error`, `warning`, `hint` or `success`, wrapped."""
        first = f"{word}: " + " " * indent
        for line in wrap(shown(text, 1000), WIDTH - len(first), break_on_hyphens=False) or [""]:
            self._put(first + line)

    def command(self, text: str) -> None:
        """A command on a line of its own, to be copied; one that is too long goes on behind a backslash."""
        if not pasteable(text):
            self.say("hint", "not to be pasted as it is:", indent=2)
        *lines, last = _folded(shown(text, 1000))
        for line in lines:
            self._put(f"hint:   {line} \\")
        self._put(f"hint:   {last}")

    def _put(self, line: str) -> None:
        print(f"{self._prefix}{line}".rstrip(), file=self._out, flush=True)


def _folded(command: str) -> list[str]:
    """The command in lines that begin with an option, or with a word where one option's do not fit; no word is broken."""
    lines: list[str] = []
    for part in _parts(command):
        if lines and len(lines[-1]) + len(part) < FOLDED:
            lines[-1] += f" {part}"
        else:
            lines.append(f"  {part}" if lines else part)
    return lines


def _parts(command: str) -> Iterator[str]:
    """The command and each of its options, or their words; what stands in single quotes is one word."""
    found: list[str] = []
    for word in command.split(" "):
        if found and found[-1].count("'") % 2:
            found[-1] += f" {word}"
        else:
            found.append(word)
    options: list[list[str]] = []
    for word in found:
        if not options or word.startswith("--"):
            options.append([])
        options[-1].append(word)
    for option in options:
        text = " ".join(option)
        yield from [text] if len(text) < FOLDED else option


def refused(decision: Row, voice: Voice, *, default: str = "", reachable: bool) -> None:
    """Why a protected ref stays where it is, and what to do.

    `default`: the default branch, which commands need not name. `reachable`: reviewers can fetch the commits from here.
    """
    change = decision["change"]
    voice.say("error", f"{_short(change['target'])} stays where it is: {_what(change)} is {decision['outcome']}")
    told = list(_reasons(row for row in decision["reasons"] if "waiting" not in row["values"]))
    for line in told[:MOST_REASONS]:
        voice.say("error", line, indent=2)
    if len(told) > MOST_REASONS:
        voice.say("error", f"and {len(told) - MOST_REASONS} more; `twohand review` tells all", indent=2)
    waits = [row["values"] for row in decision["reasons"] if "waiting" in row["values"]]
    for row in waits:
        _waits(row, voice)
    if not reachable:
        voice.say("hint", "this push was not kept; let the others fetch the commits first:")
        voice.command(f"git push {voice.remote} HEAD:refs/heads/CHANGE")
    _next(decision, voice, f" --target {_short(default)}" if default == change["target"] else "")
    if waits and not steps(decision["reasons"]):
        voice.say("hint", "push again, exactly this, once it has decided")


def _waits(row: Row, voice: Voice) -> None:
    """Whose word is missing, and what keeps it away."""
    voice.say("error", row["waiting"], indent=2)
    for why in filter(None, (row.get("left"), row.get("relay"))):
        voice.say("hint", why)
    if server := row.get("server"):
        voice.say("hint", "who runs this server can:")
        voice.command(server)


def _reasons(reasons: Iterable[Row]) -> Iterator[str]:
    """Each reason in a line; findings of one rule and holds of one kind together."""
    groups: dict[str, list[Row]] = {}
    for reason in reasons:
        groups.setdefault(reason["code"], []).append(reason)
    for code, rows in groups.items():
        more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
        yield f"{code}: {_said(rows[0])}{more}"


def _said(reason: Row) -> str:
    message = str(reason["values"].get("message", "")) if reason["code"].startswith("finding.") else ""
    line = words.line(reason)
    return f"{line}: {shown(message)}" if message else line


def _next(decision: Row, voice: Voice, needless: str) -> None:
    found = steps(decision["reasons"])
    for step in found[:MOST_STEPS]:
        voice.say("hint", f"{'; '.join(step.again)}:" if step.again else _whom(step))
        voice.command(shared(step.command.replace(needless, "", 1), voice.remote))
    if found:
        voice.say("hint", "then push again, exactly this")


def _whom(step: Step) -> str:
    people = list(dict.fromkeys(filter(None, step.whom.values())))
    return f"{' or '.join(people)} can:" if people else "what helps:"


def _what(change: Row) -> str:
    return "deleting it" if change["head"] in NOTHING else str(change["head"][:12])


def _short(ref: str) -> str:
    return shown(ref.removeprefix("refs/heads/"))


def admitted(decision: Row, voice: Voice) -> None:
    """One line that says on whose word it lands."""
    change = decision["change"]
    by = [row["reviewer"] for row in decision["reviews"] if row["counts"] and row["verdict"] == "approve"]
    word = f", approved by {', '.join(map(shown, dict.fromkeys(by)))}" if by else ""
    voice.say("success", f"{_short(change['target'])}: {_what(change)} is admitted{word}")
    if "waived" in decision["stamps"]:
        waived = [row["reviewer"] for row in decision["reviews"] if row["verdict"] == "waive"]
        voice.say(
            "warning",
            f"not everything that policy asks was met: waived by {', '.join(map(shown, dict.fromkeys(waived)))}",
        )
