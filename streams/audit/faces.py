"""From the rows of an audit to what people see: the terminal's summary and the page. The rows are read once and forgotten."""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.audit import page
from streams.audit import text as terminal
from streams.audit.summary import Folding, Summary
from streams.clock import now


def text(rows: Iterable[Mapping[str, Any]], *, colour: bool, about: Mapping[str, Any]) -> str:
    """The summary for a terminal."""
    return terminal.render(folded(rows, about), colour=colour)


def html(rows: Iterable[Mapping[str, Any]], *, about: Mapping[str, Any]) -> str:
    """The page."""
    return page.render(folded(rows, about))


def folded(rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> Summary:
    """All rows in one value. `about` is asked when the rows have ended: only then it is known whether they are all."""
    folding = Folding(today=now())
    for row in rows:
        folding.add(row)
    return folding.summary(
        partial=bool(about["partial"]), repository=about["repository"], head=about.get("head") or "",
        notices=about.get("notices") or (),
    )  # fmt: skip
