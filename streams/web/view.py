"""Templates to HTML: every value is made harmless for the eye, then escaped."""

from __future__ import annotations

from functools import lru_cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from rules.reasons import CODES, FINDING
from streams.sinks.render.safe import shown
from streams.sinks.render.text import count, short
from streams.web import diffs, times

if TYPE_CHECKING:
    from jinja2 import Environment

WIDEST: Final = 2_000  # characters of one value; what is to be shorter is cut where it is made
TONES: Final = {
    "admitted": "good", "met": "good", "approved": "good", "resolved": "good", "ok": "good", "landed": "good",
    "blocked": "bad", "block": "bad", "same": "bad", "fail": "bad", "open": "bad",
    "escalated": "warn", "hold": "warn", "awaited": "warn", "unresolved": "warn", "unmet": "warn", "held": "warn",
    "warn": "warn", "acknowledged": "calm", "pending": "calm",
}  # fmt: skip


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of this package; Jinja2 is imported by the first page, not by the command line."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, finalize=harmless,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "path": diffs.path_for_people,
        "short": short,
        "brief": _brief,
        "in_address": partial(quote, safe="", errors="surrogateescape"),
        "tone": lambda word: TONES.get(word, "dull"),
        "when": times.when,
    }
    made.globals |= {"count": count, "has_page": _has_page}
    return made


def harmless(value: Any) -> Any:
    """What an expression of a template prints: text of others with nothing hidden in it. Markup is ours."""
    if value is None or isinstance(value, int | float) or hasattr(value, "__html__"):
        return value
    return shown(value, WIDEST)


def render(name: str, now: str, values: dict[str, Any]) -> str:
    """A page. `ago` and `lasting` in it tell instants as seen from `now`."""
    return (
        environment()
        .get_template(name)
        .render(**values, now=now, ago=lambda at: times.ago(at, now), lasting=lambda at: times.lasting(at, now))
    )


def _source(name: str) -> str:
    return (files("streams.web") / "templates" / name).read_text("utf-8")


def _has_page(code: str) -> bool:
    """Whether a reason has a page of its own."""
    return code in CODES or code.startswith(FINDING)


def _brief(name: object) -> str:
    """The beginning of an id."""
    return str(name)[:12]
