"""What a rule or a reason code means: its documentation as data, and as a page for a terminal."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from rules.catalogue import all_rules
from rules.figures import measured
from rules.reasons import CODES, FINDING
from rules.rule import Rule
from streams.sinks.render import stamps
from streams.sinks.render.sheet import Sheet, width_of_terminal
from streams.sinks.render.words import ANY_FINDING, LETTER, LETTERS, WORDS


def names() -> list[str]:
    """Every name that `meaning` knows."""
    return [
        *CODES,
        *stamps.STAMPS,
        *stamps.ALIASES,
        *(name for rule in all_rules() for name in (rule.slug, rule.id, FINDING + rule.slug)),
    ]


def meaning(name: str) -> dict[str, Any] | None:
    """The documentation of a rule (by slug, id or finding.<slug>), a reason code or a stamp; None where it is none."""
    slug = name.removeprefix(FINDING)
    for rule in all_rules():
        if slug == rule.slug or slug.upper() == rule.id:
            return of_rule(rule)
    if found := _beside(slug):
        return found
    if stamp := stamps.stamp_called(name):
        known_stamp = stamps.STAMPS[stamp]
        return {"stamp": stamp, "title": known_stamp.means, "sections": {"What to do": known_stamp.do}}
    known = WORDS.get(name)
    if known is None or name == ANY_FINDING:
        return None
    return {"code": name, "title": known.means, "sections": {"What to do": known.do}}


def _beside(slug: str) -> dict[str, Any] | None:
    """What findings mean that no rule of ours makes: those of other scanners, and of what was not read."""
    if FINDING + slug == LETTER:
        return {"code": slug, "title": LETTERS.means, "sections": {"What to do": LETTERS.do}}
    if slug == "coverage":
        title = "Something that would tell more about the change was not read to its end."
        todo = "Nothing, where the message says that each review reads on. Else make a full clone, and review again."
        return {"code": slug, "title": title, "sections": {"What to do": todo}}
    if slug == "model-finding":
        title = "A model reviewer says that this line is wrong, and quotes it."
        todo = (
            "Read the line: models err both ways. An owner who approves releases it, a rework answers it, and a person who "
            "is entitled to may waive it. It never blocks; a model blocks by its signed objection."
        )
        return {"code": slug, "title": title, "sections": {"What to do": todo}}
    if slug.startswith("sarif.") and slug.count(".") <= 2:
        title = "Another scanner found it: its SARIF file was given to `twohand review --sarif`."
        todo = (
            "What the scanner's own documentation of the rule says. A person who is entitled to may waive the finding."
        )
        return {"code": slug, "title": title, "sections": {"What to do": todo}}
    return None


def of_rule(rule: Rule) -> dict[str, Any]:
    """The documentation of a rule, with what was measured of it."""
    title, _, body = cleandoc(rule.__doc__ or "").partition("\n")
    facts = {"rule": rule.slug, "id": rule.id, "tier": rule.tier.value, "since": rule.since}
    figures = measured(rule.slug)
    sections = _sections(body) | ({"Measured": figures} if figures else {})
    return {**facts, "languages": list(rule.languages), "title": title, "sections": sections}


def _sections(body: str) -> dict[str, str]:
    """The parts of a docstring by their headings."""
    parts = [part.partition("\n") for part in f"\n{body}".split("\n## ")[1:]]
    return {title.strip(): rest.strip() for title, _, rest in parts}


def page(found: Mapping[str, Any], *, colour: bool, width: int | None = None) -> str:
    sheet = Sheet(width or width_of_terminal(), colour=colour)
    _title(found, sheet)
    sheet.gap()
    sheet.wrapped(found["title"])
    for title, body in found["sections"].items():
        sheet.heading(title)
        for paragraph in body.split("\n\n"):
            sheet.wrapped(paragraph)
    return sheet.text()


def _title(found: Mapping[str, Any], sheet: Sheet) -> None:
    if "rule" not in found:
        sheet.put(found["code"] if "code" in found else f"stamp: {found['stamp']}")
        return
    sheet.put(
        f"{found['rule']}  {found['id']}, tier {sheet.paint(found['tier'], found['tier'])}, since {found['since']}"
    )
    sheet.wrapped(", ".join(found["languages"]) or "any text", indent=0, as_="dim")
