"""A profile as a picture: a bar of processes, and under it what each worker does, callers above what they call."""

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple

WIDTH, ROW, PAD = 1200, 17, 8  # pixels
LEAST = 0.006  # share of a panel below which nothing is drawn
DEEP = 22  # rows
LETTER = 6.1  # pixels, about
COLOURS = (  # by what stands in the path of a function's file; the first that fits
    ("rules/catalog", "#e8a0a0", "the catalogue"),
    ("rules/canonical", "#f3e2a0", "records and their codec"),
    ("rules/revive", "#f3e2a0", "records and their codec"),
    ("rules/", "#f0c2a2", "the law"),
    ("reviewers/", "#f0c2a2", "the law"),
    ("streams/engines/kafka/records/wire", "#f3e2a0", "records and their codec"),
    ("streams/engines/codec", "#f3e2a0", "records and their codec"),
    ("json/", "#f3e2a0", "records and their codec"),
    ("streams/", "#c5e0a8", "workers and store"),
    ("psycopg", "#a6d8c8", "PostgreSQL's client"),
    ("faust", "#b9cdf0", "Faust and its event loop"),
    ("mode/", "#b9cdf0", "Faust and its event loop"),
    ("asyncio", "#b9cdf0", "Faust and its event loop"),
    ("kafka", "#d3c1ee", "aiokafka"),
)
OTHER = ("#dddddd", "everything else")
PROCESSES = ("#8fb3e0", "#9bcf9b", "#e3b77d", "#c9a5d6", "#cccccc")


class Panel(NamedTuple):
    """One worker: milliseconds of processor a change, and how often each stack was seen, outermost first."""

    name: str
    cost: float
    stacks: Counter[tuple[str, ...]]


class Box(NamedTuple):
    """A function at a depth, with its share of the panel and where it begins; both from 0 to 1."""

    frame: str
    depth: int
    start: float
    share: float


def boxes(stacks: Counter[tuple[str, ...]], depth: int = 0, start: float = 0.0, total: int = 0) -> Iterator[Box]:
    """From the left, the dearest first; too small ones are left out."""
    total = total or sum(stacks.values())
    heads: dict[str, Counter[tuple[str, ...]]] = {}
    for stack, count in stacks.items():
        if stack:
            heads.setdefault(stack[0], Counter())[stack[1:]] += count
    for frame, below in sorted(heads.items(), key=lambda one: -one[1].total()):
        share = below.total() / total
        if share >= LEAST and depth < DEEP:
            yield Box(frame, depth, start, share)
            yield from boxes(below, depth + 1, start, total)
        start += share


def colour(frame: str) -> tuple[str, str]:
    """The fill and what it stands for."""
    place = frame.partition(" (")[2]
    return next(((fill, says) for part, fill, says in COLOURS if part in place), OTHER)


def svg(panels: list[Panel], costs: Mapping[str, float], foot: str) -> str:
    """The whole picture."""
    parts, y = [*_bar(costs)], 64
    parts += _legend(y)
    y += 30
    for panel in panels:
        drawn = list(boxes(panel.stacks))
        parts.append(_text(PAD, y + 12, f"{panel.name}: {panel.cost:.2f} ms of processor a change", "bold"))
        parts += [_box(box, y + 18, panel.cost) for box in drawn]
        y += 18 + ROW * (1 + max((box.depth for box in drawn), default=0)) + 14
    parts.append(_text(PAD, y + 8, f"{foot}. Hover over a box for its name and share.", "normal"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 18}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def _bar(costs: Mapping[str, float]) -> Iterator[str]:
    """One bar of all processes."""
    total, x = sum(costs.values()), float(PAD)
    yield _text(PAD, 16, f"{total:.2f} ms of processor for one change of 2 KB, from its record to its decision", "bold")
    for fill, (name, cost) in zip(PROCESSES, sorted(costs.items(), key=lambda one: -one[1]), strict=False):
        width = cost / total * (WIDTH - 2 * PAD)
        yield f'<rect x="{x:.1f}" y="24" width="{width:.1f}" height="26" fill="{fill}"/>'
        yield _text(x + 4, 41, f"{name} {cost:.2f}", "normal")
        x += width


def _legend(y: int) -> Iterator[str]:
    x = PAD
    for fill, says in dict.fromkeys((fill, says) for _, fill, says in (*COLOURS, ("", *OTHER))):
        yield f'<rect x="{x}" y="{y}" width="11" height="11" fill="{fill}"/>{_text(x + 15, y + 10, says, "normal")}'
        x += 30 + int(len(says) * LETTER)


def _box(box: Box, top: int, cost: float) -> str:
    x, width = PAD + box.start * (WIDTH - 2 * PAD), box.share * (WIDTH - 2 * PAD)
    y, room = top + box.depth * ROW, int((width - 6) / LETTER)
    name = box.frame.partition(" (")[0]
    label = name if len(name) <= room else f"{name[: room - 1]}…" if room > 4 else ""
    said = f"{box.frame}: {box.share:.1%}, {box.share * cost:.3f} ms"
    rect = f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.7, 0.3):.1f}" height="{ROW - 1}" fill="{colour(box.frame)[0]}"/>'
    return f"<g><title>{escape(said)}</title>{rect}{_text(x + 3, y + 12, label, 'normal') if label else ''}</g>"


def _text(x: float, y: float, said: str, weight: str) -> str:
    bold = ' font-weight="bold"' if weight == "bold" else ""
    return f'<text x="{x:.1f}" y="{y}"{bold}>{escape(said)}</text>'
