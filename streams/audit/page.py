"""The summary of an audit as one HTML page that needs nothing else: no script, no address, pictures inside.

Every text of the repository goes through `_t`: made harmless for the eye, then escaped. The page forbids itself
everything but its own style sheet, so that a mistake here could still run nothing.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

from streams.audit import pictures, words
from streams.audit.rows import Place, Told
from streams.audit.spans import Hands, Month, Timeline
from streams.audit.style import CSS
from streams.audit.summary import Area, Counted, Reviews, Summary
from streams.audit.words import counted, number, percent, share
from streams.sinks.render.safe import shown

MONTHS = 12  # seen without a click
MOST = 12  # rows of a table
COMMITS = 5  # seen without a click
WIDE = frozenset({"With agents", "Commits"})  # columns that hold bars


def render(summary: Summary) -> str:
    """The whole page."""
    parts = (
        (_months, _tools, _marks, _weakened, _looked, _areas, _gaps, _evidence, _truth) if summary.read.commits else ()
    )
    main = "\n".join(filter(None, (part(summary) for part in parts)))
    title = f"What history says: {_t(summary.repository)}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{_metas()}<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n'
        f"{_header(summary, title)}\n<main>\n{main}\n</main>\n{_footer(summary)}\n</body>\n</html>\n"
    )


def _t(value: object, limit: int = 240) -> str:
    """Text of others: one line, nothing hidden in it, nothing that HTML would act on."""
    return escape(shown(value, limit))


def _metas() -> str:
    """Nothing may be loaded, run, sent or framed; the one style sheet is named by its digest."""
    digest = b64encode(sha256(CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
    )


def _section(slug: str, title: str, *parts: str) -> str:
    inside = "\n".join(filter(None, parts))
    return f'<section aria-labelledby="{slug}">\n<h2 id="{slug}">{title}</h2>\n{inside}\n</section>'


def _p(text: str, style: str = "") -> str:
    """A paragraph of text that is already escaped."""
    return f'<p class="{style}">{text}</p>' if style else f"<p>{text}</p>"


# -- the top -----------------------------------------------------------------------------------------------------------


def _header(summary: Summary, title: str) -> str:
    partial = _p(escape(words.partial(summary)), "partial") if summary.partial else ""
    lead = _p(escape(words.headline(summary)), "lead")
    cards = _cards(summary) if summary.read.commits else ""
    read = _p(f"Read: {escape(words.span(summary))}.", "quiet")
    notices = "".join(_p(_t(notice), "quiet") for notice in summary.notices)
    return f"<header>\n<h1>{title}</h1>\n{read}{notices}{partial}{lead}\n{cards}</header>"


def _cards(summary: Summary) -> str:
    """Four numbers to begin with, each with what it is a part of."""
    made, all_of_them = summary.hands.with_agents, summary.read.commits
    reviews = summary.looked.reviews
    rows = (
        ("months", "with agents", made, all_of_them),
        ("marks", "with agents and no mark", summary.agents.unmarked, made),
        ("weakened", "weakened a check, or may have", summary.weakened.commits, all_of_them - summary.read.unscanned),
        ("looked", "no sign of an independent reader", reviews.unread, reviews.total),
    )
    return f'<ul class="cards">{"".join(_card(*row) for row in rows if row[3])}</ul>\n'


def _card(slug: str, label: str, part: int, whole: int) -> str:
    of = f"{percent(part, whole)} of {number(whole)}"
    return f'<li><strong>{number(part)}</strong><span>{of}</span><a href="#{slug}">{label}</a></li>'


def _footer(summary: Summary) -> str:
    rows = "".join(
        f"<pre><code>{_t(step.command)}</code></pre>\n{_p(_t(step.why), 'quiet')}\n" for step in words.steps(summary)
    )
    return (
        f'<footer>\n<section aria-labelledby="next">\n<h2 id="next">What to try next</h2>\n{rows}</section>\n</footer>'
    )


# -- who wrote it ------------------------------------------------------------------------------------------------------


def _months(summary: Summary) -> str:
    hands, timeline = summary.hands, summary.timeline
    whole = pictures.bar(hands._asdict(), hands.total, _kinds(hands), tall=True)
    return _section("months", "Who wrote it", whole, _key(hands), _by_month(timeline))


def _kinds(hands: Hands) -> str:
    return ", ".join(f"{words.KINDS[kind][0]} {number(value)}" for kind, value in hands._asdict().items())


def _key(hands: Hands) -> str:
    """The legend, which is also the exact table of the picture above it."""
    rows = (
        f"<li>{pictures.swatch(kind)}<span>{words.KINDS[kind][0]}: {number(value)} ({percent(value, hands.total)})"
        f'<br><span class="quiet">{escape(words.KINDS[kind][1])}</span></span></li>'
        for kind, value in hands._asdict().items()
    )
    return f'<ul class="key">{"".join(rows)}</ul>'


def _by_month(timeline: Timeline) -> str:
    months = timeline.months
    if not months:
        return ""
    late, early = months[-MONTHS:][::-1], months[:-MONTHS][::-1]
    before = (
        _p(f"Before {months[0].name}: {_agents_of(timeline.earlier)} with agents.", "quiet")
        if timeline.earlier.total
        else ""
    )
    more = (
        f"<details><summary>{counted(len(early), 'earlier month')}</summary>{_month_table(early)}</details>"
        if early
        else ""
    )
    drawn = _columns(months) if len(months) > 1 else ""
    return f"<h3>By month</h3>\n{drawn}{_month_table(late)}{more}{before}"


def _columns(months: Sequence[Month]) -> str:
    label = f"Commits by month from {months[0].name} to {months[-1].name}; the tables below have the numbers"
    ends = f'<p class="ends quiet"><span>{months[0].name}</span><span>{months[-1].name}</span></p>'
    return pictures.columns(months, label) + ends


def _column(title: str) -> str:
    """The head of a column; what stands above bars begins where they begin."""
    return f'<th scope="col" class="wide">{title}</th>' if title in WIDE else f'<th scope="col">{title}</th>'


def _agents_of(hands: Hands) -> str:
    return escape(share(hands.with_agents, hands.total))


def _month_table(months: Sequence[Month]) -> str:
    head = "<tr>" + "".join(map(_column, ("Month", "With agents", "Services", "Unknown"))) + "</tr>"
    rows = "".join(map(_month, months))
    return f"<table><caption>Commits with agents, of all of the month</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _month(month: Month) -> str:
    hands = month.hands
    told = f"{number(hands.with_agents)} of {number(hands.total)}"
    rate = f" ({percent(hands.with_agents, hands.total)})" if hands.total else ""
    drawn = pictures.bar(hands._asdict(), hands.total, f"{month.name}: {_kinds(hands)}")
    return (
        f'<tr><th scope="row" class="date">{month.name}</th><td class="wide">{told}{rate}{drawn}</td>'
        f"<td>{number(hands.service)}</td><td>{number(hands.unknown)}</td></tr>"
    )


def _tools(summary: Summary) -> str:
    made = summary.hands.with_agents
    if not made:
        return ""
    tools = _table("A commit counts once for each of its tools", "Tool", summary.agents.tools, whole=made)
    makers = _table(
        "A commit counts once for each maker and family of models", "Maker / family", summary.agents.makers, whole=made
    )
    return _section("tools", "With which tools, and whose models", tools, makers)


def _table(caption: str, title: str, rows: Sequence[Counted], *, whole: int, style: str = "agent") -> str:
    head = f"<tr>{_column(title)}{_column('Commits')}</tr>"
    inside = "".join(_counted(one, whole, style) for one in rows[:MOST])
    more = _p(f"and {number(len(rows) - MOST)} more", "quiet") if len(rows) > MOST else ""
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{inside}</tbody></table>{more}"


def _counted(one: Counted, whole: int, style: str) -> str:
    name = escape(words.name(one.name))
    drawn = pictures.bar({style: one.commits}, whole, f"{words.name(one.name)}: {share(one.commits, whole)}")
    told = f"{number(one.commits)} ({percent(one.commits, whole)})"
    return f'<tr><th scope="row">{name}</th><td class="wide">{told}{drawn}</td></tr>'


def _marks(summary: Summary) -> str:
    agents, made = summary.agents, summary.hands.with_agents
    if not made:
        return ""
    label = f"Without a mark: {share(agents.unmarked, made)}"
    drawn = pictures.bar({"unknown": agents.unmarked}, made, label, tall=True) if agents.unmarked else ""
    sessions = _p(f"{escape(share(agents.sessions, made))} with agents name a session.", "quiet")
    told = _p(escape(words.unmarked(summary)))
    return _section(
        "marks",
        "Agents that left no mark",
        told,
        drawn,
        sessions,
        _commits(agents.examples, words.made, agents.unmarked),
    )


# -- what was weakened, and what nobody read ---------------------------------------------------------------------------


def _weakened(summary: Summary) -> str:
    found = summary.weakened
    told = _p(escape(words.weakened(summary)))
    if not found.commits:
        return _section("weakened", "Changes that weakened checks", told)
    rules = _table("By rule, of these commits", "Rule", found.rules, whole=found.commits, style="held")
    blocks = _p(f"{number(found.blocks)} of tier block, {number(found.commits - found.blocks)} of tier hold.")
    return _section(
        "weakened", "Changes that weakened checks, or may have", told, blocks, rules, _let_in(summary),
        _reviews("Who read them", found.reviews), "<h3>The heaviest first</h3>", _commits(found.worst, words.told, found.commits),
    )  # fmt: skip


def _let_in(summary: Summary) -> str:
    rows = summary.weakened.let_in
    head = "<tr>" + "".join(map(_column, ("Who let them in", "Landed", "Committed"))) + "</tr>"
    inside = "".join(
        f'<tr><th scope="row">{escape(words.name(one.name))}</th><td>{number(one.landed)}</td>'
        f"<td>{number(one.committed)}</td></tr>"
        for one in rows[:MOST]
    )
    more = _p(f"and {number(len(rows) - MOST)} more", "quiet") if len(rows) > MOST else ""
    caption = "By who landed them, or, where no landing is on record, by who committed them"
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{inside}</tbody></table>{more}"


def _reviews(title: str, found: Reviews) -> str:
    label = f"{title}: {words.reviews(found)}"
    rows = (
        f"<li>{pictures.swatch(state)}<span>{words.READ[state]}: {number(value)} ({percent(value, found.total)})</span></li>"
        for state, value in found._asdict().items()
    )
    drawn = pictures.bar(found._asdict(), found.total, label, tall=True)
    return f'<h3>{title}</h3>\n{drawn}<ul class="key">{"".join(rows)}</ul>'


def _looked(summary: Summary) -> str:
    found = summary.looked
    agents = _reviews("Commits with agents", found.with_agents) if found.with_agents.total else ""
    declared = _p(escape(words.declared(summary))) if found.reviews.independent else ""
    title = f"<h3>{words.foremost(summary)}</h3>" if found.foremost else ""
    return _section(
        "looked", "Who else read it", _p(escape(words.looked(summary))), _reviews("All commits", found.reviews), agents,
        declared, _p(escape(words.READINGS), "quiet"), title,
        _commits(found.foremost, words.made, found.reviews.total - found.reviews.independent),
    )  # fmt: skip


def _commits(rows: Sequence[Told], remarks: words.Remarks, whole: int) -> str:
    """A list; what would make it long waits behind a click, and what is not on the page is told."""
    told = [_commit(one, "; ".join(remarks(one))) for one in rows]
    first, rest = (
        f'<ol class="commits">{"".join(part)}</ol>' if part else "" for part in (told[:COMMITS], told[COMMITS:])
    )
    more = f"<details><summary>{number(len(told) - COMMITS)} more</summary>{rest}</details>" if rest else ""
    cut = words.cut(len(told), whole)
    return f"{first}{more}{_p(cut[0].upper() + cut[1:], 'quiet') if cut else ''}"


def _commit(one: Told, remarks: str) -> str:
    more = f"<li>and {counted(one.more_places, 'finding')} more</li>" if one.more_places else ""
    places = f"<ul>{''.join(map(_place, one.places))}{more}</ul>" if one.places else ""
    subject = _t(one.subject) or "(no subject)"
    return (
        f'<li><span class="subject">{subject}</span><code>{_t(one.commit[:12])}</code> '
        f'<span class="quiet">{_t(one.date) or "no date"}; {escape(remarks)}</span>{places}</li>'
    )


def _place(place: Place) -> str:
    line = f":{place.line}" if place.line else ""
    return (
        f'<li><span class="tier">{_t(place.tier)}</span> {_t(place.rule)}, <code>{_t(place.path)}{line}</code><br>'
        f"{_t(place.message)}</li>"
    )


# -- where people know least, and what is not known --------------------------------------------------------------------


def _areas(summary: Summary) -> str:
    found = summary.areas
    if not found.total:
        return ""
    told = (
        f"{share(found.known, found.changes, 'change')} of {counted(found.total, 'sensitive path')} are {words.KNOWN}."
    )
    more = (
        _p(f"and {number(found.total - len(found.paths))} more paths", "quiet")
        if found.total > len(found.paths)
        else ""
    )
    rows = "".join(map(_area, found.paths))
    return _section(
        "areas", "Security paths that people know least", _p(escape(told)), f'<ol class="paths">{rows}</ol>', more
    )


def _area(one: Area) -> str:
    told = share(one.known, one.changes, "change")
    rest = f"by people alone {number(one.by_people)}, read independently {number(one.read)}, with agents {number(one.with_agents)}"
    drawn = pictures.bar({"independent": one.known}, one.changes, f"Known: {told}")
    return f'<li><code>{_t(one.path)}</code>{drawn}known: {escape(told)}<br><span class="quiet">{rest}</span></li>'


def _gaps(summary: Summary) -> str:
    rows = words.gaps(summary)
    if not rows:
        return ""
    inside = "".join(f"<li>{escape(row)}</li>" for row in rows)
    return _section("gaps", "Not read, or not known", f'<ul class="gaps">{inside}</ul>')


def _evidence(summary: Summary) -> str:
    if not summary.hands.with_agents:
        return ""
    best = _p(escape(words.grades(summary)))
    return _section("evidence", "What the evidence is worth", best, _p(escape(words.GRADES), "quiet"))


def _truth(summary: Summary) -> str:
    if not summary.hands.with_agents:
        return ""
    commands = f"<pre><code>{escape(words.PROPOSE)}\n{escape(words.NO_TOOL)}</code></pre>"
    return _section(
        "truth", "What silence costs, and what a word gains",
        _p(escape(words.SILENCE)), _p(escape(words.TRUTH)), commands,
    )  # fmt: skip
