"""Bars and columns as inline SVG. They carry no text: what they show stands beside them, and in their label."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from streams.audit.spans import Month


def bar(parts: Mapping[str, int], whole: int, label: str, *, tall: bool = False) -> str:
    """Parts of a whole from left to right; the class of each names its colour. A part that is something is seen."""
    style = "bar tall" if tall else "bar"
    drawn = "".join(_across(parts, max(whole, 1)))
    return f'<svg class="{style}" viewBox="0 0 1000 10" preserveAspectRatio="none" {_named(label)}>{drawn}</svg>'


def _across(parts: Mapping[str, int], whole: int) -> Iterable[str]:
    left = 0
    for name, value in parts.items():
        start, end = 1000 * left // whole, 1000 * (left + value) // whole
        left += value
        if value:
            yield f'<rect class="{name}" x="{start}" y="0" width="{max(end - start, 4)}" height="10"/>'


def columns(months: Sequence[Month], label: str) -> str:
    """A column a month: its height is the number of commits, its colours are the kinds, agents at the foot."""
    highest = max((month.hands.total for month in months), default=0) or 1
    drawn = "".join(part for at, month in enumerate(months) for part in _upwards(month, at, highest))
    box = f"0 0 {10 * len(months)} 1000"
    return f'<svg class="columns" viewBox="{box}" preserveAspectRatio="none" {_named(label)}>{drawn}</svg>'


def _upwards(month: Month, at: int, highest: int) -> Iterable[str]:
    below = 0
    for name, value in month.hands._asdict().items():
        foot, top = 1000 * below // highest, 1000 * (below + value) // highest
        below += value
        if value:
            height = max(top - foot, 4)
            yield f'<rect class="{name}" x="{10 * at + 1}" y="{1000 - foot - height}" width="8" height="{height}"/>'


def swatch(name: str) -> str:
    """The colour of a legend's line."""
    return (
        f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{name}" x="0" y="0" width="10" height="10"/></svg>'
    )


def _named(label: str) -> str:
    return f'role="img" aria-label="{escape(label)}"'
