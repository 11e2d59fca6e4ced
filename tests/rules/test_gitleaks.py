"""gitleaks' rules become own rules, and what they asked besides is told one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.own.book import RuleFile, RulesInvalid, rules_of
from rules.own.gitleaks import convert
from rules.rule import Diff
from rules.scan import scan

CONFIG = r'''
title = "ours"
[extend]
useDefault = true
[allowlist]
paths = ["go.sum"]
[[rules]]
id = "Acme_Token"
description = """A token
of "Acme" \u0007"""
regex = """(?i)\\b(acme_[a-z0-9]{8})(?:['|\\"|\\s]|$)"""
keywords = ["ACME_", "acme_"]
secretGroup = 1
tags = ["key"]
[[rules]]
id = "generic"
regex = 'key = "[a-z]+"'
entropy = 3.5
path = '\.env$'
[[rules.allowlists]]
regexes = ["example"]
[[rules]]
id = "lookahead"
regex = 'a(?=b)'
[[rules]]
id = "file"
path = '\.p12$'
[[rules]]
id = "acme token"
regex = 'other'
novel = true
'''  # fmt: skip


def test_what_re2_takes_is_taken_and_finds():
    """Pattern, description and keywords arrive; the same file reads as own rules."""
    made = convert(CONFIG.encode(), "gitleaks.toml")
    rules = {rule.slug: rule for rule in rules_of((RuleFile("a.toml", made.toml.encode()),))}
    assert list(rules) == ["gitleaks-acme-token", "gitleaks-generic", "gitleaks-acme-token-2"]
    assert len(made.slugs) == 3
    first = rules["gitleaks-acme-token"]
    assert first.spec.message == 'A token of "Acme"'
    assert first.spec.words == ("acme_",)
    diff = Diff("a.env", None, "t = 'ACME_a1b2c3d4'\n")
    (found,) = scan([diff.blobs()], rules=(first,)).findings
    assert (found.rule, found.tier.value, found.line) == ("gitleaks-acme-token", "hold", 1)


def test_what_is_not_taken_is_told_one_by_one():
    """Each construct with the rule it stands in; a rule that finds more than gitleaks would is a note."""
    made = convert(CONFIG.encode(), "gitleaks.toml")
    assert made.told == (
        "extend: is not taken over",
        "allowlist: is not taken over",
        "generic: a note, for entropy is not measured",
        "generic: a note, for the pattern for paths is not asked",
        "generic: a note, for what the allowlists let through is found",
        "lookahead: left out, its regex is no RE2 pattern: invalid perl operator: (?=",
        "file: left out, it has no regex",
        "acme token: novel is not taken over",
    )
    tiers = {rule.slug: rule.tier.value for rule in rules_of((RuleFile("a", made.toml.encode()),))}
    assert tiers == {"gitleaks-acme-token": "hold", "gitleaks-generic": "note", "gitleaks-acme-token-2": "hold"}


@pytest.mark.parametrize("text", ["", "rules = 1", "rules = [1]", "[[rules]\n", "\xff"])
def test_another_file_is_an_error(text):
    """With its name."""
    with pytest.raises(RulesInvalid, match=r"x\.toml"):
        convert(text.encode("latin1"), "x.toml")


VALUES = st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=5), max_size=2)


@given(st.dictionaries(st.sampled_from(["id", "regex", "keywords", "description", "entropy", "path"]), VALUES))
def test_whatever_a_rule_holds_its_import_can_be_read(row):
    """What the importer writes is a file of own rules, or nothing."""
    import json

    text = "[[rules]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items())
    try:
        made = convert(text.replace("\x7f", "").encode("utf-8", "replace"), "x")
    except RulesInvalid as invalid:
        assert "is no TOML" in str(invalid)  # noqa: PT017 - surrogates are no TOML
        return
    if made.slugs:
        assert len(rules_of((RuleFile("a", made.toml.encode("utf-8", "surrogatepass")),))) == len(made.slugs)
