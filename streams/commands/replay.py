"""`twohand replay FILE.jsonl`: decide again from a file of events, and compare with what was recorded."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from rules.events import LawText
from rules.record import record
from streams.commands import options
from streams.replay import Course, Replay, final
from streams.replay import replay as fold_file
from streams.sources.errors import SourceError

SCHEMA = "twohand.replay/v1"
SAME, DIFFERS, BAD = 0, 1, 2
MOST_BAD = 5  # lines that are no events, each told on its own; the others are counted


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


File = Annotated[str, typer.Argument(metavar="FILE.jsonl", help="CloudEvents, one a line; `-` reads standard input.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="What if this policy had ruled?", show_default=False)
]
Formatted = Annotated[Form, typer.Option("--format", "-f", help="How to write the result.")]


class Unreadable(SourceError):
    """A file cannot be opened."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    app.command(name="replay")(replay)


def replay(
    file: File, *, policy: PolicyFile = None, fmt: Formatted = Form.TEXT, output: options.Output = None,
    quiet: options.Quiet = False, verbose: options.Verbose = False,
) -> int:  # fmt: skip
    """Decide again from a file of events, and compare.

    Exit codes: 0 every recorded decision follows from the events, 1 one differs, 2 a line is no event.
    """
    texts = _what_if(policy) if policy else None
    with _opened(file) as stream:
        told = fold_file(stream)
    text = _rendered(told, file, texts, fmt, quiet=quiet, verbose=verbose)
    if output:
        output.write_text(text, "utf-8", "backslashreplace")
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    return BAD if told.bad else DIFFERS if told.differing else SAME


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening it may fail so
    except OSError as error:
        raise Unreadable(
            f"{file} cannot be read: {error.strerror}.", remedy="`twohand journal export -o FILE.jsonl` writes one."
        ) from error
    with stream:
        yield stream


def _what_if(path: Path) -> tuple[LawText, ...]:
    """Another policy to decide under; one with mistakes is refused before anything is folded."""
    from rules import policy  # noqa: PLC0415

    try:
        text = path.read_bytes()
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read: {error.strerror}.", remedy="Name a twohand.toml with --policy."
        ) from error
    policy.parse(text, str(path))
    return (LawText("what-if", str(path), text.decode("utf-8")),)


def _rendered(
    told: Replay, file: str, texts: tuple[LawText, ...] | None, fmt: Form, *, quiet: bool, verbose: bool
) -> str:  # fmt: skip
    if fmt is Form.TEXT:
        return _text(told, file, texts, quiet=quiet, verbose=verbose)
    rows = [_row(course, texts) for course in told.courses.values()]
    bad = [{"line": row.line, "reason": row.reason} for row in told.bad]
    if fmt is Form.JSONL:
        lines = [*rows, *({"bad_line": row} for row in bad)]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines)
    whole = {"schema": SCHEMA, **_counts(told), "bad_lines": bad, "changes": rows}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _counts(told: Replay) -> dict[str, Any]:
    return {
        "events": told.events,
        "repeats": told.repeats,
        "statements": {"verified": told.verified, "not_verified": told.unverified},
        "decisions": sum(len(course.recorded) for course in told.courses.values()),
        "differing": told.differing,
    }


def _row(course: Course, texts: tuple[LawText, ...] | None) -> dict[str, Any]:
    judgement = final(course, texts)
    return {
        "change": course.change,
        "outcome": judgement.outcome if judgement else None,
        "trouble": course.trouble or None,
        "recorded": [row._asdict() | {"difference": row.difference or None} for row in course.recorded],
        "decision": record(judgement) if judgement else None,
    }


def _text(told: Replay, file: str, texts: tuple[LawText, ...] | None, *, quiet: bool, verbose: bool) -> str:
    lines = (
        [] if quiet else [line for course in told.courses.values() for line in _course(course, texts, verbose=verbose)]
    )
    lines += [f"{file}:{row.line}: no event: {_printable(row.reason)}" for row in told.bad[:MOST_BAD]]
    if len(told.bad) > MOST_BAD:
        lines.append(
            f"{file}: {_many(len(told.bad) - MOST_BAD, 'more line')} that are no events (--format json lists all)"
        )
    return "\n".join([*lines, *_summary(told, file)]) + "\n"


def _course(course: Course, texts: tuple[LawText, ...] | None, *, verbose: bool) -> Iterator[str]:
    judgement = final(course, texts)
    proposed = course.case.proposed
    where = f" {proposed.head[:12]} -> {proposed.target.removeprefix('refs/heads/')}" if proposed else ""
    yield _printable(f"change {course.change[:12]}{where}")
    for row in course.recorded:
        difference = f": {row.difference}" if row.difference else ""
        yield _printable(
            f"  line {row.line}: {row.outcome} at {row.decided_at or 'an unknown time'}: {row.result}{difference}"
        )
    if judgement is None:
        yield _printable(f"  no decision: {course.trouble}")
        return
    under = f" under {texts[0].source}" if texts else ""
    yield _printable(f"  now: {judgement.outcome} at {judgement.at}{under}")
    for reason in judgement.reasons if verbose or texts else ():
        yield _printable(f"    {reason.code}: {reason.subject}")
    yield ""


def _summary(told: Replay, file: str) -> Iterator[str]:
    made = sum(len(course.recorded) for course in told.courses.values())
    signed = f"{told.verified} of {told.verified + told.unverified} statements verified"
    yield f"{file}: {_many(told.events, 'event')} of {_many(len(told.courses), 'change')}, {_many(told.repeats, 'repeat')}, {signed}"
    differs = "differs" if told.differing == 1 else "differ"
    verdict = (
        f"{told.differing} {differs}" if told.differing else "what the law makes of the events is the same each time"
    )
    yield f"{_many(made, 'recorded decision')}: {verdict if made else 'nothing to compare'}"
    if told.bad:
        yield f"{_many(len(told.bad), 'line')} could not be read: what they told is missing here"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _printable(text: str) -> str:
    """One line that moves no cursor, whatever the file says."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
