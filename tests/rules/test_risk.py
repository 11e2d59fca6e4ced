"""A risk that adds up, and what must never add to it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import risk
from rules.catalogue import all_rules
from rules.findings import Finding, Tier
from rules.rule import Diff
from rules.scan import scan

HELD = {Tier.HOLD, Tier.BLOCK}
LOST = {*risk.SEEN, risk.SLUG}
TWO = (
    "def accept(token, user):\n"
    "    if not user.is_active:\n"
    "        raise PermissionDenied('inactive')\n"
    "    data = read(token)\n"
    "    verify_signature(token, data)\n"
    "    return data\n"
)
NONE = "def accept(token, user):\n    data = read(token)\n    return data\n"

SOURCES = {
    "py": (
        "def reset(user, code):\n    if not user.verified:\n        raise Denied('no')\n    verify_code(user, code)\n"
        "    token = user.tokens.filter(owner=user, used=False).first()\n    session.clear(token)\n    return send(user.email, secure=True)\n"
    ),
    "js": (
        "function reset(user, code) {\n  if (!user.verified) {\n    throw new Denied('no');\n  }\n  verifyCode(user, code);\n"
        "  res.cookie('s', code, { httpOnly: true });\n  return send(user.email, escapeHtml(code));\n}\n"
    ),
    "go": (
        "package a\n\nfunc Reset(user *User, code string) error {\n\tif !user.Verified {\n\t\treturn errDenied\n\t}\n"
        "\tname := strings.ToLower(code)\n\tif err := verifyCode(user, name); err != nil {\n\t\treturn err\n\t}\n\treturn send(user.Email)\n}\n"
    ),
    "rb": (
        "class Resets\n  before_action :require_login\n  def reset(user, code)\n    raise Denied unless user.verified?\n"
        "    verify_code(user, code)\n    user.tokens.where(owner: user).first\n  end\nend\n"
    ),
    "php": (
        "<?php\nclass Reset {\n  function reset($user, $code) {\n    if (!$user->verified) {\n      throw new Denied('no');\n    }\n"
        "    $name = htmlspecialchars($code);\n    return $this->send($user->email, $name);\n  }\n}\n"
    ),
    "java": (
        "class Reset {\n  void reset(User user, String code) {\n    if (!user.isVerified()) {\n      throw new Denied();\n    }\n"
        "    verifyCode(user, code);\n    cookie.setSecure(true);\n    send(user.email(), code);\n  }\n}\n"
    ),
    "cs": (
        "class Reset {\n  void Do(User user, string code) {\n    if (!user.Verified) {\n      throw new Denied();\n    }\n"
        "    VerifyCode(user, code);\n    Send(user.Email, code);\n  }\n}\n"
    ),
}


def _held(*files: Diff) -> list[Finding]:
    return [f for f in scan([file.blobs() for file in files]).findings if f.tier in HELD and f.rule in LOST]


def test_two_lost_checks_of_a_function_block_and_say_why() -> None:
    """Several signs in one function are a block whose sentence names each of them (law 39)."""
    (blocked,) = (each for each in _held(Diff("src/tokens.py", TWO, NONE)) if each.tier is Tier.BLOCK)
    assert blocked.rule == risk.SLUG
    assert blocked.message.startswith("accept: ")
    assert risk.SEEN["auth-check-removed"] in blocked.message
    assert risk.SEEN["verification-call-dropped"] in blocked.message


def test_one_lost_check_holds() -> None:
    """One sign asks for a person, and does not block."""
    one = TWO.replace("    verify_signature(token, data)\n", "")
    assert {each.tier for each in _held(Diff("src/tokens.py", TWO, one))} == {Tier.HOLD}


def test_a_lost_check_and_its_lost_test_block() -> None:
    """A check that leaves together with the assertions that asked for it is a block."""
    tests = "def test_a():\n    with pytest.raises(PermissionDenied):\n        accept(old, user)\n    assert accept(new, user)\n"
    less = "def test_a():\n    assert accept(new, user)\n"
    one = TWO.replace("    verify_signature(token, data)\n", "")
    alone = _held(Diff("src/tokens.py", TWO, one))
    both = _held(Diff("src/tokens.py", TWO, one), Diff("tests/test_tokens.py", tests, less))
    assert Tier.BLOCK not in {each.tier for each in alone}
    assert Tier.BLOCK in {each.tier for each in both}


def test_vendored_code_is_never_blocked() -> None:
    """What others wrote is scored apart, however many signs there are."""
    assert not _held(Diff("vendor/lib/tokens.py", TWO, NONE))


def test_every_sign_has_words_and_every_rule_a_weight() -> None:
    """Each rule that adds up exists, and no weight speaks for a change because a rule found something."""
    slugs = {rule.slug for rule in all_rules()}
    assert set(risk.SEEN) <= slugs
    by = risk.weights()
    assert all(weight >= 0 for sign, weight in by.signs.items() if sign.removesuffix(":weak") in risk.SEEN)
    assert by.several >= by.hold
    assert by.tested >= by.hold


@pytest.mark.parametrize("ending", SOURCES)
def test_reformatting_holds_nothing(ending: str) -> None:
    """Other indentation, empty lines, comments and trailing blanks are no loss."""
    text = SOURCES[ending]
    mark = "#" if ending in ("py", "rb") else "//"
    loose = "\n".join(f"{line}  \n" if line.endswith((";", "{", "}", ")")) else line for line in text.split("\n"))
    commented = text.replace("\n  ", f"\n  {mark} a word about it\n  ", 1) if ending != "py" else text
    wide = text.replace("\n  ", "\n      ") if ending != "py" else text.replace("    ", "\t")
    for after in (loose, commented, wide):
        assert not _held(Diff(f"src/reset.{ending}", text, after))


@pytest.mark.parametrize("ending", SOURCES)
def test_a_renamed_variable_holds_nothing(ending: str) -> None:
    """Another name for a parameter, wherever it stands, is no loss."""
    text = SOURCES[ending]
    assert not _held(Diff(f"src/reset.{ending}", text, text.replace("code", "digits").replace("verifyDigits", "verifyCode")
                          .replace("verify_digits", "verify_code").replace("VerifyDigits", "VerifyCode")))  # fmt: skip


@pytest.mark.parametrize("ending", SOURCES)
def test_a_moved_function_holds_nothing(ending: str) -> None:
    """A file that moves, and a function that another file takes over, lose nothing."""
    text = SOURCES[ending]
    assert not _held(Diff(f"src/reset.{ending}", text, None), Diff(f"lib/again.{ending}", None, text))
    rest = "x = 1\n" if ending == "py" else ""
    assert not _held(Diff(f"src/reset.{ending}", rest + text, rest), Diff(f"lib/again.{ending}", None, text))


@pytest.mark.parametrize("ending", SOURCES)
def test_a_comment_takes_no_finding_away(ending: str) -> None:
    """Whoever removes lines and speaks of them in a comment is seen as well as one who does not."""
    text = SOURCES[ending]
    lines = text.split("\n")
    mark = "#" if ending in ("py", "rb") else "//"
    for number, line in enumerate(lines):
        without = "\n".join([*lines[:number], *lines[number + 1 :]])
        spoken = "\n".join([*lines[:number], f"{mark} {line.strip()}", *lines[number + 1 :]])
        before = {each.rule for each in _held(Diff(f"src/a.{ending}", text, without))}
        after = {each.rule for each in _held(Diff(f"src/a.{ending}", text, spoken))}
        assert before - {risk.SLUG} <= after


@pytest.mark.parametrize("ending", SOURCES)
def test_two_steps_hold_what_one_holds(ending: str) -> None:
    """A change in two commits is held in one of them, where it is held as one."""
    text = SOURCES[ending]
    lines = text.split("\n")
    for first in range(1, len(lines) - 3):
        middle = "\n".join([*lines[:first], *lines[first + 1 :]])
        after = "\n".join([*lines[:first], *lines[first + 2 :]])
        whole = _held(Diff(f"src/a.{ending}", text, after))
        steps = [*_held(Diff(f"src/a.{ending}", text, middle)), *_held(Diff(f"src/a.{ending}", middle, after))]
        assert bool(steps) >= bool(whole)


def test_a_call_without_a_name_is_read() -> None:
    """Ruby's `check.(x)` is a call of `check`; taking it away is seen."""
    old = "class Gate\n  def open(x)\n    verify_owner.(x)\n    go(x)\n  end\nend\n"
    assert _held(Diff("src/gate.rb", old, old.replace("    verify_owner.(x)\n", "")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SOURCES)), st.data())
def test_no_mutation_breaks_a_scan(ending: str, data: st.DataObject) -> None:
    """Lines dropped, doubled and swapped, and characters replaced, end in findings that are the same twice."""
    lines = SOURCES[ending].split("\n")
    picked = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=2 * len(lines)))
    noise = data.draw(st.text("(){}[]<>'\"`#/*\\\n =!&|", max_size=12))
    after = "\n".join(lines[index] for index in picked) + noise
    blobs = [Diff(f"src/a.{ending}", SOURCES[ending], after).blobs()]
    assert scan(blobs) == scan(blobs)
