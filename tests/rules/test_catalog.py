"""Every rule is whole, finds its own examples, stays silent on the others, and its page is up to date."""

from pathlib import Path

import pytest

from rules.catalogue import all_rules
from rules.findings import Tier
from rules.rule import Diff
from rules.scan import scan
from streams.docs_rules import HEADINGS, page, pages

ROOT = Path(__file__).parents[2]
ISSUED = {
    "auth-check-removed",
    "binary-or-too-large",
    "constant-time-compare-dropped",
    "gate-edited",
    "guard-bypassed",
    "hidden-text",
    "predicate-weakened",
    "secret-added",
    "security-decorator-or-middleware-dropped",
    "security-path",
    "test-weakened",
    "tls-verification-off",
    "trusted-value-replaced",
    "verification-call-dropped",
}


def _cases(part):
    return [
        pytest.param(rule, example, id=f"{rule.slug}-{number}")
        for rule in all_rules()
        for number, example in enumerate(getattr(rule, part))
    ]


def _tiers(rule, example):
    files = [example] if isinstance(example, Diff) else example
    return {finding.tier for finding in scan([file.blobs() for file in files]).findings if finding.rule == rule.slug}


@pytest.mark.parametrize(("rule", "example"), _cases("HOLDS"))
def test_finds_what_it_must_find(rule, example):
    """A rule finds its examples with its own tier."""
    assert rule.tier in _tiers(rule, example)


@pytest.mark.parametrize(("rule", "example"), _cases("PASSES"))
def test_stays_silent_where_it_must(rule, example):
    """A rule neither holds nor blocks what it calls harmless; it may note it."""
    assert _tiers(rule, example) <= {Tier.NOTE}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.slug)
def test_is_whole(rule):
    """A rule has its headings, its examples, its id and its page's parts."""
    text = rule.__doc__ or ""
    positions = [text.find(f"## {heading}") for heading in HEADINGS]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert rule.HOLDS
    assert rule.PASSES
    assert rule.id.startswith("TH")
    assert rule.since
    assert type(rule).__module__ == f"rules.catalog.{rule.slug.replace('-', '_')}"


def test_the_table_is_alphabetical_and_complete():
    """The table lists every rule once, by slug; ids are unique."""
    slugs = [rule.slug for rule in all_rules()]
    assert slugs == sorted(set(slugs))
    assert set(slugs) >= ISSUED
    assert len({rule.id for rule in all_rules()}) == len(slugs)


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_pages_say_what_the_rules_say(name):
    """A page that was not written again after its rule changed is an error."""
    assert (ROOT / "docs" / "rules" / name).read_text(encoding="utf-8") == pages()[name], (
        "run: python -m streams.docs_rules docs/rules"
    )


def test_no_page_outlives_its_rule():
    """There is no page without a rule."""
    assert {path.name for path in (ROOT / "docs" / "rules").glob("*.md")} == set(pages())


def test_a_page_shows_both_sides():
    """A page shows an example that holds and one that passes."""
    for rule in all_rules():
        assert page(rule).count("```diff") >= 2


def test_the_pages_hold_no_credential():
    """What our own rule would block does not stand in our own documentation."""
    files = [Diff(f"docs/rules/{name}", None, text) for name, text in pages().items()]
    found = scan([file.blobs() for file in files]).findings
    assert not [finding for finding in found if finding.rule == "secret-added"]


AUDIENCE = """def check(payload, audience):
    if audience is None:
        if "aud" not in payload:
            return
        raise InvalidAudience("x")
    if "aud" not in payload:
        raise MissingClaim("aud")
    go(payload)
"""


def test_of_twin_guards_the_one_that_is_gone_is_named():
    """A guard that asks what another one asks is missed at its own line, and the untouched one is not blamed."""
    without = AUDIENCE.replace('    if "aud" not in payload:\n        raise MissingClaim("aud")\n', "")
    (found,) = scan([Diff("src/claims.py", AUDIENCE, without).blobs()]).findings
    assert (found.rule, found.line) == ("auth-check-removed", 6)
    assert "MissingClaim" in found.message
