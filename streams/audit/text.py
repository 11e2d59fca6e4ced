"""The summary of an audit for a terminal: calm, at most 100 columns, every number with what it is a part of."""

from collections.abc import Sequence

from streams.audit import words
from streams.audit.rows import Told
from streams.audit.spans import Hands, Month, Timeline
from streams.audit.summary import Areas, Counted, Summary
from streams.audit.words import counted, name, number, percent, share, tail
from streams.sinks.render.safe import columns, shown
from streams.sinks.render.sheet import GLUE, Sheet, width_of_terminal

MOST = 8  # rows of a table
COMMITS = 3  # of a list
MONTHS = 6  # told with their counts
BAR = 20  # cells of a whole
WIDE = 80  # columns that a table with every number needs
LEVELS = "▁▂▃▄▅▆▇█"
NAME = 28  # cells of a name in a table


def render(summary: Summary, *, colour: bool, width: int | None = None) -> str:
    """The summary as text that ends with a line feed."""
    sheet = Sheet(width or width_of_terminal(), colour=colour)
    _head(summary, sheet)
    if summary.read.commits:
        _hands(summary.hands, sheet)
        _months(summary.timeline, sheet)
        _agents(summary, sheet)
        _weakened(summary, sheet)
        _looked(summary, sheet)
        _areas(summary.areas, sheet)
        _gaps(summary, sheet)
        _truth(summary, sheet)
    _next(summary, sheet)
    return sheet.text()


def _head(summary: Summary, sheet: Sheet) -> None:
    sheet.put(f"what history says: {shown(summary.repository, 70)}")
    if summary.partial:
        sheet.wrapped(words.partial(summary), as_="hold")
    sheet.wrapped(f"Read: {words.span(summary)}.")
    for notice in summary.notices:
        sheet.wrapped(shown(notice))
    sheet.gap()
    sheet.wrapped(words.headline(summary))
    if summary.read.commits:
        sheet.wrapped(words.weakened(summary))
        sheet.wrapped(words.looked(summary))


def _hands(hands: Hands, sheet: Sheet) -> None:
    sheet.heading("who wrote them")
    for kind, commits in hands._asdict().items():
        label, why = words.KINDS[kind]
        sheet.put(f"  {label:<18}  {number(commits):>9}  {_rate(commits, hands.total)}  {_dim(why, sheet, 42)}")


def _rate(part: int, whole: int) -> str:
    """A percentage in a column."""
    return f"{percent(part, whole).replace(GLUE, ' '):>7}"


def _dim(text: str, sheet: Sheet, taken: int) -> str:
    """A remark beside a row, where there is room for it."""
    return sheet.paint(text, "dim") if taken + columns(text) <= sheet.width else ""


# -- by month ----------------------------------------------------------------------------------------------------------


def _months(timeline: Timeline, sheet: Sheet) -> None:
    months = timeline.months
    if not months:
        return
    sheet.heading("share with agents by month")
    sheet.put(f"  {months[0].name}  {sparkline(months)}  {months[-1].name}")
    highest = max(months, key=lambda month: (_height(month), month.hands.with_agents))
    if highest.hands.with_agents:
        sheet.wrapped(f"highest in {highest.name}: {share(highest.hands.with_agents, highest.hands.total)}")
    if timeline.earlier.total:
        earlier = share(timeline.earlier.with_agents, timeline.earlier.total)
        sheet.wrapped(f"before {months[0].name}: {earlier}")
    sheet.put(sheet.paint("  month      commits   with agents        services  unknown", "dim"))
    for month in reversed(months[-MONTHS:]):
        _month(month, sheet)


def _month(month: Month, sheet: Sheet) -> None:
    hands = month.hands
    agents = f"{number(hands.with_agents):>9}  {percent(hands.with_agents, hands.total):>7}"
    row = f"  {month.name}  {number(hands.total):>9}  {agents}  {number(hands.service):>9}  {number(hands.unknown):>7}"
    sheet.put(row + _bar(hands.with_agents, hands.total, sheet, columns(row)))


def _height(month: Month) -> float:
    return month.hands.with_agents / month.hands.total if month.hands.total else 0.0


def sparkline(months: Sequence[Month]) -> str:
    """One cell a month: blank without commits, the lowest for none with agents, the highest for all."""
    return "".join(_level(month) if month.hands.total else " " for month in months)


def _level(month: Month) -> str:
    rate = _height(month)
    return LEVELS[min(len(LEVELS) - 1, 1 + int(rate * (len(LEVELS) - 1)))] if rate else LEVELS[0]


def _bar(part: int, whole: int, sheet: Sheet, taken: int) -> str:
    """A bar behind a row, where there is room for it; something is never nothing."""
    if not part or taken + 2 + BAR > sheet.width:
        return ""
    return "  " + "█" * max(1, round(BAR * part / whole))


# -- agents ------------------------------------------------------------------------------------------------------------


def _agents(summary: Summary, sheet: Sheet) -> None:
    agents, made = summary.agents, summary.hands.with_agents
    if not made:
        return
    _table("by tool (a commit counts once for each)", agents.tools, made, sheet)
    _table("by maker and family of the model (once for each)", agents.makers, made, sheet)
    sheet.heading("marks")
    sheet.wrapped(words.unmarked(summary))
    _commits(agents.examples, sheet, words.made)
    _cut(agents.examples, agents.unmarked, sheet)
    sheet.wrapped(f"{share(agents.sessions, made)} with agents name a session.")
    sheet.wrapped(f"{words.grades(summary)} {words.GRADES}")


def _table(title: str, found: Sequence[Counted], whole: int, sheet: Sheet) -> None:
    sheet.heading(title)
    for one in found[:MOST]:
        row = f"  {_cell(one.name)}  {number(one.commits):>9}  {_rate(one.commits, whole)}"
        sheet.put(row + _bar(one.commits, whole, sheet, columns(row)))
    _more(len(found) - MOST, sheet)


def _cell(value: str) -> str:
    text = name(value)
    while columns(text) > NAME:
        text = text[:-2].rstrip() + "…"
    return text + " " * (NAME - columns(text))


def _more(left: int, sheet: Sheet) -> None:
    if left > 0:
        sheet.put(sheet.paint(f"  and {number(left)} more", "dim"))


# -- what was weakened, and what nobody read ---------------------------------------------------------------------------


def _weakened(summary: Summary, sheet: Sheet) -> None:
    found = summary.weakened
    sheet.heading("changes that weakened checks, or may have")
    if not found.commits:
        sheet.wrapped(words.weakened(summary))
        return
    sheet.row(
        "found",
        f"{counted(found.commits)}: {number(found.blocks)} of tier block, {number(found.commits - found.blocks)} of tier hold",
        column=8,
        as_="dim",
    )
    rules = [f"{name(one.name)} {number(one.commits)}" for one in found.rules]
    sheet.row("rules", _listed(rules), column=8, as_="dim")
    sheet.row("written", _written(found.hands), column=8, as_="dim")
    if found.let_in:
        sheet.row("let in", _listed([*map(words.let_in, found.let_in)]), column=8, as_="dim")
    sheet.row("read", words.reviews(found.reviews), column=8, as_="dim")
    _commits(found.worst, sheet, words.told)
    _cut(found.worst, found.commits, sheet)


def _listed(found: Sequence[str]) -> str:
    more = [f"and {number(len(found) - MOST)} more"] if len(found) > MOST else []
    return ", ".join([*found[:MOST], *more])


def _written(hands: Hands) -> str:
    """By whom, without those of whom there is nothing to say."""
    return ", ".join(
        f"{words.KINDS[kind][0]} {number(commits)}" for kind, commits in hands._asdict().items() if commits
    )


def _looked(summary: Summary, sheet: Sheet) -> None:
    found = summary.looked
    sheet.heading("who else read them")
    sheet.row("all", words.reviews(found.reviews), column=11, as_="dim")
    if found.with_agents.total:
        sheet.row("with agents", words.reviews(found.with_agents), column=11, as_="dim")
    if told := words.declared(summary):
        sheet.wrapped(told)
    sheet.wrapped(words.READINGS, as_="dim")
    if found.foremost:
        sheet.wrapped(f"{words.foremost(summary)}:")
    _commits(found.foremost, sheet, words.made)
    _cut(found.foremost, found.reviews.total - found.reviews.independent, sheet)


def _commits(found: Sequence[Told], sheet: Sheet, remarks: words.Remarks) -> None:
    for one in found[:COMMITS]:
        head = f"{shown(one.commit[:12])}  {one.date or 'no date'}"
        sheet.row(head, shown(one.subject, 120) or "(no subject)", column=columns(head), as_="plain")
        for place in one.places:
            line = f":{place.line}" if place.line else ""
            sheet.row(
                place.tier,
                f"{shown(place.rule)}  {tail(place.path)}{line}  {shown(place.message, 200)}",
                indent=6,
                column=5,
            )
        if one.more_places:
            sheet.wrapped(f"and {counted(one.more_places, 'finding')} more", indent=6)
        sheet.wrapped("; ".join(remarks(one)), indent=6, as_="dim")


def _cut(found: Sequence[Told], whole: int, sheet: Sheet) -> None:
    """Says what the list above leaves out."""
    if told := words.cut(min(len(found), COMMITS), whole, len(found)):
        sheet.wrapped(told, as_="dim")


def _areas(found: Areas, sheet: Sheet) -> None:
    if not found.total:
        return
    sheet.heading("security paths that people know least")
    sheet.wrapped(f"{share(found.known, found.changes, 'change')} of {counted(found.total, 'path')} are {words.KNOWN}.")
    wide = sheet.width >= WIDE
    rest = "  people    read  agents" if wide else ""
    sheet.put(sheet.paint(f"    known        of changes{rest}  path", "dim"))
    for one in found.paths[:MOST]:
        counts = f"{number(one.known):>9}  {_rate(one.known, one.changes)}  {number(one.changes):>7}"
        if wide:
            counts += f"  {number(one.by_people):>6}  {number(one.read):>6}  {number(one.with_agents):>6}"
        sheet.put(f"{counts}  {tail(one.path, sheet.width - columns(counts) - 2)}")
    _more(found.total - MOST, sheet)


# -- what is not known, and what to do ---------------------------------------------------------------------------------


def _gaps(summary: Summary, sheet: Sheet) -> None:
    found = words.gaps(summary)
    if found:
        sheet.heading("not read, or not known")
    for row in found:
        sheet.wrapped(row)


def _truth(summary: Summary, sheet: Sheet) -> None:
    if summary.hands.with_agents:
        sheet.heading("what silence costs, and what a word gains")
        sheet.wrapped(words.SILENCE)
        sheet.wrapped(words.TRUTH)


def _next(summary: Summary, sheet: Sheet) -> None:
    sheet.heading("next")
    for step in words.steps(summary):
        sheet.put(f"  {step.command}")
        sheet.wrapped(step.why, indent=6, as_="dim")
