"""Rules, reason codes and stamps as values for their pages."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

from rules.reasons import CODES, FINDING
from rules.report import Invalid
from streams.rulebook import CATALOGUE, Entry, rulebook
from streams.sinks.render import meanings
from streams.sources.errors import SourceError
from streams.web.diffs import TIERS

if TYPE_CHECKING:
    from pathlib import Path

    from streams.web.place import Place

FENCE: Final = "```"


def table(place: Place) -> dict[str, Any]:
    """The rules by tier, where they come from, and the codes beside them."""
    entries, problems = _entries(place)
    rows = sorted(entries, key=lambda one: (TIERS.index(one.rule.tier), one.rule.slug))
    told = [
        {"slug": one.rule.slug, "tier": one.rule.tier.value, "title": _title(one), "source": one.source} for one in rows
    ]
    return {"rules": told, "problems": problems, "codes": CODES, "catalogue": CATALOGUE}


def _entries(place: Place) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Own rules that cannot be read are a problem to show; the catalogue is there in any case."""
    source = place.settings.source
    try:
        found = rulebook(place.repo.git_dir, _path(source))
    except (SourceError, Invalid) as error:
        from rules.catalogue import all_rules  # noqa: PLC0415

        return tuple(Entry(rule, CATALOGUE) for rule in all_rules()), (str(error),)
    return found.entries, found.problems


def _path(source: str) -> Path | None:
    from pathlib import Path  # noqa: PLC0415

    return Path(source) if source else None


def _title(entry: Entry) -> str:
    return cleandoc(entry.rule.__doc__ or "").split("\n", 1)[0]


def meaning(place: Place, name: str) -> dict[str, Any] | None:
    """The documentation of a rule, a code or a stamp, its sections as paragraphs; None where it is none."""
    found = meanings.meaning(name)
    if found is None:
        slug = name.removeprefix(FINDING)
        own = next((entry for entry in _entries(place)[0] if entry.rule.slug == slug), None)
        found = {**meanings.of_rule(own.rule), "source": own.source} if own else None
    if found is None:
        return None
    called = found.get("rule") or found.get("code") or found.get("stamp")
    sections = {title: list(_blocks(body)) for title, body in found["sections"].items()}
    return {"source": "", "tier": "", "languages": [], **found, "called": called, "sections": sections}


def _blocks(body: str) -> list[tuple[str, list[str]]]:
    """Paragraphs and blocks of code: sort and lines."""
    found: list[tuple[str, list[str]]] = []
    for index, part in enumerate(body.split(FENCE)):
        if index % 2:
            found.append(("code", part.split("\n")[1:]))
        else:
            found += [("text", [paragraph]) for paragraph in part.strip().split("\n\n") if paragraph.strip()]
    return found
