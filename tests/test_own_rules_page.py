"""docs/own-rules.md says what is so: its rules are tried, its keys are all keys, its settings are settings."""

import re
import textwrap
import tomllib
from pathlib import Path

from rules import policy
from rules.own.book import RuleFile, rules_of
from rules.own.keys import RULE
from rules.own.trial import failures, untested
from streams import settings

PAGE = (Path(__file__).parents[1] / "docs" / "own-rules.md").read_text("utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)]


def test_every_rule_of_the_page_does_what_it_says():
    """Its examples are tried as `twohand rules test` would."""
    files = tuple(RuleFile(f"{n}.toml", block.encode()) for n, block in enumerate(BLOCKS) if "[[rule]]" in block)
    rules = rules_of(files)
    assert [rule.slug for rule in rules] == ["tenant-filter-dropped", "owner-check-dropped"]
    assert [list(failures(rule)) for rule in rules] == [[], []]
    assert untested(rules) == []


def test_every_key_is_in_the_table():
    """A key that is added is written there too."""
    table = PAGE.split("## What a rule may say")[1].split("\n## ")[0]
    named = {
        key for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for key in re.findall(r"`([a-z]+)`", cell)
    }
    assert named == set(RULE.entries)


def test_the_other_blocks_are_policy_settings_and_project():
    """Each of them is read by what would read it."""
    others = [block for block in BLOCKS if "[[rule]]" not in block]
    first, project, last = others
    assert policy.parse(f"version = 1\n{first}", "page").rules.directory == ".twohand/rules"
    assert "twohand.rules" in tomllib.loads(project)["project"]["entry-points"]
    assert settings.parse(last, "page").packages == ("acme-rules",)
