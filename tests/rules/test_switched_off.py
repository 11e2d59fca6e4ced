"""Protections that are switched off: what counts, what moved, what weighs little."""

import pytest

from rules.findings import Tier
from rules.rule import Diff
from rules.scan import scan

OFF = {
    "tls-verification-off": "x = get(u, verify=False)\n",
    "token-unverified": 'x = decode(t, options={"verify_signature": False})\n',
    "csrf-protection-off": "@csrf_exempt\n",
    "cookie-flag-off": "SESSION_COOKIE_SECURE = False\n",
    "cors-any-origin": 'x(allow_origins=["*"], allow_credentials=True)\n',
}


def _tiers(rule, *files):
    return {finding.tier for finding in scan([file.blobs() for file in files]).findings if finding.rule == rule}


@pytest.mark.parametrize("rule", OFF)
def test_new_in_production_is_held_in_tests_noted_in_documents_nothing(rule):
    """The same line weighs what the file is."""
    assert Tier.HOLD in _tiers(rule, Diff("app/a.py", "x = 1\n", "x = 1\n" + OFF[rule]))
    assert _tiers(rule, Diff("tests/test_a.py", "x = 1\n", "x = 1\n" + OFF[rule])) == {Tier.NOTE}
    assert not _tiers(rule, Diff("docs/a.md", "x = 1\n", "x = 1\n" + OFF[rule]))


@pytest.mark.parametrize("rule", OFF)
def test_what_moved_to_another_file_is_not_new(rule):
    """Counted over the whole change."""
    old, new = Diff("app/a.py", "x = 1\n" + OFF[rule], "x = 1\n"), Diff("app/b.py", None, OFF[rule])
    assert not _tiers(rule, old, new)


@pytest.mark.parametrize("rule", OFF)
def test_a_second_one_beside_the_first_is_new(rule):
    """The first does not excuse the second."""
    assert Tier.HOLD in _tiers(rule, Diff("app/a.py", OFF[rule], OFF[rule] + "y = 2\n" + OFF[rule]))


@pytest.mark.parametrize(
    ("old", "new", "tier"),
    [
        ("h = sha256(password)\n", "h = md5(password)\n", Tier.HOLD),
        ("h = 1\n", "h = md5(password)\n", Tier.NOTE),
        ("t = secrets.token_hex(8)\n", "t = secrets.token_hex(8)\ni = random.randint(1, 6)  # key\n", Tier.NOTE),
        ("rounds = 12  # bcrypt\n", "rounds = 4  # bcrypt\n", Tier.HOLD),
    ],
)
def test_cryptography_weighs_by_what_it_replaced(old, new, tier):
    """Weak for strong is a loss; weak alone may be a cache key."""
    assert _tiers("crypto-weakened", Diff("app/a.py", old, new)) == {tier}


@pytest.mark.parametrize("value", ["correcthorsebatterystaple1", "configuration-value-0001", "my_service_token_name_1"])
def test_words_are_no_credentials(value):
    """Rare neighbours tell keys from names."""
    assert not _tiers("secret-added", Diff("app/a.py", "", f'token = "{value}"\n'))


def test_a_random_value_under_a_telling_name_is_a_note_without_its_value():
    """Generic credentials never block."""
    value = "zQ7xK9vW2pJ4" + "rT8bN6mH3sD5"
    (found,) = scan([Diff("app/a.py", "", f'api_key = "{value}"\n').blobs()]).findings
    assert (found.rule, found.tier, found.quote) == ("secret-added", Tier.NOTE, "")
    assert value not in found.message
