"""A report as text, Markdown or one HTML page that needs nothing else. Names and reasons of others are made harmless."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from streams.audit.style import CSS
from streams.sinks.render.safe import columns, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.report import Report, Section

MOST: Final = 40  # rows of a section
WIDE: Final = 44  # columns of a cell that is not the last
STYLE: Final = (
    CSS
    + """
main th, main td { text-align: start; overflow-wrap: normal; vertical-align: top }
@media (max-width: 44em) {
  main thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  main tr { display: block; padding: .5em 0 }
  main td { display: block; border: 0; padding: .1em 0; overflow-wrap: anywhere }
  main td:empty { display: none }
  main td:first-child { font-weight: 600 }
  main td + td::before { content: attr(data-name) " "; opacity: .7 }
}
"""
)
_MARKDOWN: Final = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>()#+!|~"})


def text(report: Report) -> str:
    """For a terminal."""
    return "\n".join(_text(report)) + "\n"


def _text(report: Report) -> Iterator[str]:
    yield from (shown(report.title), "", shown(report.lead, 1000))
    for section in report.sections:
        yield from ("", section.title, f"  {shown(section.lead, 1000)}")
        rows = [section.columns, *map(_cells, section.rows[:MOST])]
        widths = [max(columns(row[at]) for row in rows) for at in range(len(section.columns))]
        for row in rows if section.rows else ():
            cells = (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))
            yield f"    {'  '.join(cells)}".rstrip()
        yield from (f"    {line}" for line in _rest(section))


def _cells(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*(shown(cell, WIDE) for cell in row[:-1]), *(shown(cell) for cell in row[-1:]))


def markdown(report: Report) -> str:
    """For an issue, a chat or a wiki."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    yield from (f"# {_marked(report.title)}", "", _marked(report.lead))
    for section in report.sections:
        yield from ("", f"## {_marked(section.title)}", "", _marked(section.lead))
        if section.rows:
            yield from ("", _row(section.columns), _row(("---",) * len(section.columns)))
            yield from (_row(tuple(_marked(cell) for cell in row)) for row in section.rows[:MOST])
        yield from (line for rest in _rest(section) for line in ("", rest))


def _marked(value: str) -> str:
    return shown(value, 1000).translate(_MARKDOWN)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def html(report: Report) -> str:
    """One page: no script, no address, nothing is loaded, and the one style sheet is named by its digest."""
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    sections = "\n".join(map(_section, report.sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_t(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{_t(report.title)}</h1>\n<p class="lead">{_t(report.lead)}</p>\n</header>\n'
        f"<main>\n{sections}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    slug = section.title.lower().replace(" ", "-")
    parts = [f'<h2 id="{slug}">{_t(section.title)}</h2>', f"<p>{_t(section.lead)}</p>"]
    if section.rows:
        head = "".join(f'<th scope="col">{_t(name)}</th>' for name in section.columns)
        rows = "\n".join(_html_row(section.columns, row) for row in section.rows[:MOST])
        parts.append(f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>")
    parts += [f'<p class="quiet">{line}</p>' for line in _rest(section)]
    inside = "\n".join(parts)
    return f'<section aria-labelledby="{slug}">\n{inside}\n</section>'


def _html_row(names: tuple[str, ...], row: tuple[str, ...]) -> str:
    """On a phone each cell is a line of its own, with the name of its column."""
    cells = zip(names, row, strict=True)
    return "<tr>" + "".join(f'<td data-name="{_t(name)}">{_t(cell)}</td>' for name, cell in cells) + "</tr>"


def _t(value: str) -> str:
    return escape(shown(value, 1000))


def _rest(section: Section) -> Iterator[str]:
    more = len(section.rows) - MOST
    if more > 0:
        yield f"... and {more} more (--format json has all)"
