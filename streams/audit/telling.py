"""An audit as somebody reads it: rows as they come, or one page about all of them."""

import json
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from streams import clock
from streams.audit import signatures
from streams.audit.asked import Asked
from streams.audit.engine import Audit
from streams.audit.interrupt import INTERRUPTED, Interrupt
from streams.audit.progress import Progress
from streams.audit.signatures import Named
from streams.audit.summary import Folding, Summary
from streams.sinks.render.write import wants_colour
from streams.sources.git import Repository

USAGE = 2
SCHEMA = "twohand.audit/v1"


class _Tally:
    """What the exit code is made of."""

    def __init__(self) -> None:
        self.rows = 0
        self.errors = 0

    def watched(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self.rows += 1
            self.errors += is_error(line)
            yield line


def is_error(line: str) -> bool:
    """Is the row one of an id that is no commit here?"""
    return line.startswith('","error":', line.index('"', 11)) if line.startswith('{"commit":"') else False


def tell(repo: Repository, asked: Asked, fmt: str, out: TextIO) -> int:
    """Write the audit; the exit code: 0, 2 where an id was no commit, 130 after Ctrl-C (what was read is written).

    `fmt` is text, json, jsonl or html.
    """
    with Interrupt() as interrupt:
        audit = Audit(repo, asked)
        for notice in audit.notices:
            print(f"note: {notice}", file=sys.stderr)
        progress = Progress(audit.total() if sys.stderr.isatty() else 0)
        tally = _Tally()
        lines = tally.watched(interrupt.until(audit.lines(progress.seen)))
        try:
            _write(fmt, lines, audit, interrupt, out)
            out.flush()
        finally:
            progress.done()
    if interrupt.pressed:
        print(f"note: interrupted after {tally.rows:,} commits; what was read is written", file=sys.stderr)
        return INTERRUPTED
    return USAGE if tally.errors else 0


def _write(fmt: str, lines: Iterator[str], audit: Audit, interrupt: Interrupt, out: TextIO) -> None:
    if fmt == "jsonl":
        out.writelines(f"{line}\n" for line in lines)
    elif fmt == "json":
        _write_json(lines, audit, interrupt, out)
    else:
        _write_page(fmt, _folded(lines, audit, interrupt), out)


def _write_json(lines: Iterator[str], audit: Audit, interrupt: Interrupt, out: TextIO) -> None:
    """One document; its rows are written as they come."""
    out.write(f'{{"schema":"{SCHEMA}","commits":[')
    out.writelines(f"{',' if number else ''}\n{line}" for number, line in enumerate(lines))
    rest: dict[str, Any] = {"partial": interrupt.pressed, "head": audit.head or None, "notices": audit.notices}
    out.write(f"\n],{json.dumps(rest)[1:]}\n")


def _folded(lines: Iterator[str], audit: Audit, interrupt: Interrupt) -> Summary:
    folding = Folding(today=clock.now())
    signed = Named()
    for line in lines:
        row = json.loads(line)
        folding.add(row)
        signed = signed.with_row(row)
    notices = (*audit.notices, *signatures.told(audit.repo, signed))
    return folding.summary(partial=interrupt.pressed, repository=_name(audit.repo), head=audit.head, notices=notices)


def _write_page(fmt: str, summary: Summary, out: TextIO) -> None:
    if fmt == "html":
        from streams.audit import page  # noqa: PLC0415 - only one of the two is needed

        out.write(page.render(summary))
        return
    from streams.audit import text  # noqa: PLC0415

    out.write(text.render(summary, colour=out is sys.stdout and wants_colour()))


def _name(repo: Repository) -> str:
    """What people call the repository: the directory that it stands in."""
    directory = repo.work_tree or repo.common_dir
    named = directory.parent if directory.name in (".git", "repo") else directory
    return named.name.removesuffix(".git")
