"""What a project installs, and from where."""

import pytest

from rules.findings import Tier
from rules.rule import Diff
from rules.scan import scan

MANIFEST = '{\n  "dependencies": {\n    "a-known": "^1.0.0"\n  }\n}\n'


def _findings(rule, *files):
    return [finding for finding in scan([file.blobs() for file in files]).findings if finding.rule == rule]


def _with(name, version):
    return MANIFEST.replace('"a-known"', f'"{name}": "{version}",\n    "a-known"')


def test_a_young_package_in_a_small_change_is_held_in_a_large_one_noted():
    """A helper's package at 0.1.0 is what an attack looked like; a new subsystem brings its packages openly."""
    manifest = Diff("package.json", MANIFEST, _with("left-map", "^0.1.0"))
    small = Diff("index.js", "a()\n", "a()\nconst m = require('left-map')\n")
    large = Diff("index.js", "a()\n", "const m = require('left-map')\n" + "".join(f"f({n})\n" for n in range(200)))
    assert [finding.tier for finding in _findings("dependency-added", manifest, small)] == [Tier.HOLD]
    assert [finding.tier for finding in _findings("dependency-added", manifest, large)] == [Tier.NOTE]
    assert [finding.tier for finding in _findings("dependency-added", manifest)] == [Tier.NOTE]


@pytest.mark.parametrize(
    ("path", "line", "near"),
    [
        ("requirements.txt", "reqeusts==2.0\n", "requests"),
        ("requirements.txt", "djang==2.0\n", "django"),
        ("Cargo.toml", 'serdee = "1.0"\n', "serde"),
        ("Gemfile", "gem 'nokogirri'\n", "nokogiri"),
    ],
)
def test_a_name_one_letter_away_is_pointed_out(path, line, near):
    """More, less, other or exchanged letters."""
    (found,) = _findings("dependency-added", Diff(path, "x==1\n", "x==1\n" + line))
    assert f"`{near}`" in found.message


def test_a_known_name_is_not_near_itself():
    """And a raised version is no new dependency."""
    (found,) = _findings("dependency-added", Diff("requirements.txt", "flask==3\n", "flask==3\nrequests==2.1\n"))
    assert "letter" not in found.message
    assert not _findings("dependency-added", Diff("requirements.txt", "flask==3\n", "flask==4\n"))


def test_a_stronger_hash_of_the_same_package_is_no_other_content():
    """Package managers moved from SHA-1 to SHA-512."""
    old = '{\n  "a": {\n    "version": "1.0.0",\n    "integrity": "sha1-AAAA"\n  }\n}\n'
    changed = _findings("lockfile-changed", Diff("package-lock.json", old, old.replace("sha1-AAAA", "sha512-BBBB")))
    assert {finding.tier for finding in changed} == {Tier.NOTE}


def test_the_password_of_an_index_is_not_shown():
    """The host says enough."""
    old = '  resolved "https://packages.example/a.tgz"\n'
    new = old.replace("packages.example", "ann:hunter2hunter2@b.example")
    (found,) = [each for each in _findings("lockfile-changed", Diff("yarn.lock", old, new)) if each.tier is Tier.HOLD]
    assert "hunter2" not in found.message
    assert "b.example" in found.message
