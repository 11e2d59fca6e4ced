"""A decision as GitHub workflow commands: annotations on the lines, and one line that sums up.

Escapes: docs.github.com, "Workflow commands for GitHub Actions"; actions/toolkit escapes `%`, CR and LF in the message, and
`:` and `,` as well in properties. GitHub shows ten annotations of each kind in a step, so the heaviest come first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.paths import unquote
from streams.sinks.render import words
from streams.sinks.render.safe import shown

Row = Mapping[str, Any]
COMMANDS = {"block": "error", "hold": "warning", "note": "notice"}
OUTCOMES = {"blocked": "error", "escalated": "warning", "pending": "notice", "admitted": "notice"}
LONGEST = 1000  # characters of a message
KINDS = ("error", "warning", "notice")


def render(decision: Row) -> str:
    """One command a line; the summary is the first, so that no limit hides it."""
    rows = sorted(_annotations(decision), key=lambda row: KINDS.index(row[0]))
    lines = [_summary(decision), *(_command(kind, properties, text) for kind, properties, text in rows)]
    return "\n".join(lines) + "\n"


def _summary(decision: Row) -> str:
    told = dict.fromkeys(f"{shown(reason['code'], 60)}: {words.line(reason)}" for reason in decision["reasons"])
    title = f"twohand: {decision['outcome']}" + (" (simulated)" if "simulated" in decision else "")
    text = "; ".join(told) or "every requirement that applies is met"
    return _command(OUTCOMES[decision["outcome"]], {"title": title}, f"{decision['outcome']}: {text}")


def _annotations(decision: Row) -> Iterator[tuple[str, dict[str, str], str]]:
    for finding in decision["findings"]:
        yield COMMANDS[finding["tier"]], _place(finding), _said(finding)
    for reason in decision["reasons"]:
        if reason["code"] == "veto":
            yield "error", {"title": "veto"}, words.line(reason)


def _place(finding: Row) -> dict[str, str]:
    """Only lines of the new side can be annotated; a finding about the old side stands at its file."""
    file = {"file": _file(finding["path"])} if finding["path"] else {}
    line = {"line": str(finding["line"])} if file and finding["line"] and finding["side"] == "new" else {}
    return {**file, **line, "title": f"{shown(finding['rule'])} ({finding['tier']})"}


def _file(path: str) -> str:
    """The name itself, where it can be printed; git's quoted form else."""
    name = unquote(path).decode("utf-8", "surrogateescape")
    return name if name.isprintable() else path


def _said(finding: Row) -> str:
    before = f" (line {finding['line']} before the change)" if finding["line"] and finding["side"] == "old" else ""
    return f"{finding['message']}{before}"


def _command(kind: str, properties: Mapping[str, str], text: str) -> str:
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {told}::{_data(shown(text, LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
