"""The engine: order, limits, coverage, what is silent and what is never skipped."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.change import SUBMODULE, FileChange
from rules.findings import Tier
from rules.rule import Blobs, Diff
from rules.scan import MAX_BYTES, MAX_FINDINGS, scan

GUARDED = (
    "def change(user):\n    if not user.email_verified:\n        raise PermissionDenied('no')\n    return send(user)\n"
)
BARE = "def change(user):\n    return send(user)\n"


def _scan(*files):
    return scan([file.blobs() for file in files])


def _found(rule, *files):
    return [finding for finding in _scan(*files).findings if finding.rule == rule]


@pytest.mark.parametrize(
    "path", ["src/accounts/helpers.py", "x.py", "a/b/c/utils.py", "static/gen.py", "Weird Name/ü.py"]
)
def test_a_removed_guard_is_held_in_any_path(path):
    """The incident is found wherever the function stands, on the old side, with its line and its words."""
    (finding,) = _found("auth-check-removed", Diff(path, GUARDED, BARE))
    assert (finding.tier, finding.side, finding.line) == (Tier.HOLD, "old", 2)
    assert finding.quote == "if not user.email_verified:"
    assert "change" in finding.message
    assert "not user.email_verified" in finding.message
    assert "raise PermissionDenied" in finding.message


@pytest.mark.parametrize("path", ["tests/test_helpers.py", "docs/example.py"])
def test_a_removed_guard_of_a_test_or_example_is_no_finding(path):
    """Tests and documentation are scored apart."""
    assert not _found("auth-check-removed", Diff(path, GUARDED, BARE))


def test_vendored_code_informs():
    """A guard that is lost in what others wrote is a note, not silence."""
    (finding,) = _found("auth-check-removed", Diff("vendor/lib/a.py", GUARDED, BARE))
    assert finding.tier is Tier.NOTE


def test_a_copy_in_a_function_that_nobody_calls_is_no_move():
    """A guard that moved into dead code is gone."""
    dead = "def unused_helper(user):\n    if not user.email_verified:\n        raise PermissionDenied('no')\n"
    assert _found("auth-check-removed", Diff("a.py", GUARDED, BARE), Diff("b.py", None, dead))


def test_a_copy_in_a_test_is_no_move():
    """A guard that moved into a test is gone."""
    assert _found("auth-check-removed", Diff("a.py", GUARDED, BARE), Diff("tests/test_a.py", None, GUARDED))


def test_a_renamed_file_loses_nothing():
    """A rename is two paths; what moved with it is not gone (law 2)."""
    moved = [Diff("a.py", GUARDED, None), Diff("b.py", None, GUARDED)]
    assert {finding.tier for finding in _scan(*moved).findings} <= {Tier.NOTE}


def test_a_guard_that_a_renamed_file_lost_is_gone():
    """Who renames the file while taking the guard away is seen; the finding stands at the old path (law 2)."""
    (finding,) = _found("auth-check-removed", Diff("a/one.py", GUARDED, None), Diff("b/two.py", None, BARE))
    assert (finding.path, finding.line, finding.side) == ("a/one.py", 2, "old")


def test_a_guard_that_a_renamed_file_keeps_but_that_no_longer_refuses_is_gone():
    """Asking without refusing is no guard, wherever the file went."""
    toothless = GUARDED.replace("raise PermissionDenied('no')", "pass")
    assert _found("auth-check-removed", Diff("a/one.py", GUARDED, None), Diff("b/two.py", None, toothless))


def test_an_unrelated_new_file_is_no_rename():
    """A file that goes while another comes, with nothing of it, was deleted."""
    other = "def paint(x):\n    return x + 1\n"
    assert not _found("auth-check-removed", Diff("a/one.py", GUARDED, None), Diff("b/two.py", None, other))


def test_a_renamed_function_keeps_its_name_for_the_comparison():
    """Who renames a function while taking its guard away is seen."""
    assert _found(
        "auth-check-removed", Diff("a.py", GUARDED + "\n\nx = 1\n", BARE.replace("change", "alter") + "\n\nx = 1\n")
    )


@pytest.mark.parametrize(
    "after",
    [
        "def change(user):\n    if not (user.email_verified):\n        raise PermissionDenied('no')\n    return send(user)\n",
        "def change(user):\n    # a word\n    if not user.email_verified:\n\n        raise PermissionDenied('no')\n    return send(user)\n",
        "def change(person):\n    if not person.email_verified:\n        raise PermissionDenied('no')\n    return send(person)\n",
        "def change(user):\n    if user.email_verified:\n        return send(user)\n    raise PermissionDenied('no')\n",
        "def change(user):\n    if user.email_verified is False or not user.email_verified:\n        raise PermissionDenied('no')\n    return send(user)\n",
    ],
)
def test_what_asks_the_same_is_silent(after):
    """Comments, blanks, parentheses, names, order and stricter questions are no loss."""
    assert {finding.tier for finding in _scan(Diff("a.py", GUARDED, after)).findings} <= {Tier.NOTE}


@pytest.mark.parametrize(
    "after",
    [
        GUARDED.replace("if not user", "if user"),
        GUARDED.replace("if not", "if False and not"),
        GUARDED.replace("raise PermissionDenied('no')", "pass  # raise PermissionDenied('no') 403"),
        GUARDED.replace("raise PermissionDenied('no')", "log.warning('no')"),
        GUARDED.replace("user.email_verified", "getattr(user, 'email_verified', True)"),
        GUARDED.replace("    if", '    """\n    if').replace("    return", '    """\n    return'),
        GUARDED.replace("    if", "    # if").replace("        raise", "    #   raise"),
        BARE + "# " + "(" * 100 + "\n",
    ],
)
def test_a_guard_made_toothless_is_held(after):
    """Turned, disarmed, commented out, quoted, or hidden from the parser: none of it is silent."""
    assert Tier.HOLD in {finding.tier for finding in _scan(Diff("a.py", GUARDED, after)).findings}


def test_a_file_without_grammar_is_read_by_lines():
    """Where no grammar reads a file, a removed refusal is still seen."""
    assert _found("auth-check-removed", Diff("lib/Gate.pm", "die 'x' unless $user->is_admin;\n1;\n", "1;\n"))


def test_a_broken_file_is_read_by_lines():
    """What cannot be parsed safely is compared by lines, not skipped."""
    deep = "x = " + "(" * 400 + "\n"
    assert _found("auth-check-removed", Diff("a.py", deep + GUARDED, deep + BARE))


def test_too_large_a_file_is_held_and_uncovered():
    """Law 3: over the limits is a finding and a gap in coverage, never a skip."""
    result = _scan(Diff("big.py", b"", b"x" * (MAX_BYTES + 1)))
    assert [(gap.path, gap.why) for gap in result.uncovered] == [("big.py", "over 4 MiB")]
    assert ("binary-or-too-large", Tier.HOLD) in {(finding.rule, finding.tier) for finding in result.findings}


def test_a_submodule_is_held_and_uncovered():
    """Law 3: a submodule pointer is content that nobody here can read."""
    file = FileChange("lib/x", SUBMODULE, "1" * 40, SUBMODULE, "2" * 40, 1, 1)
    result = scan([Blobs(file, None, None)])
    assert [gap.why for gap in result.uncovered] == ["submodule pointer"]
    assert [finding.tier for finding in result.findings] == [Tier.HOLD]


def test_what_was_not_read_is_held_and_uncovered():
    """Whoever did not read a file says why; the reason is carried on."""
    file = FileChange("a.py", "100644", "1" * 40, "100644", "2" * 40, 1, 1)
    result = scan([Blobs(file, None, None, "over 8 MiB")])
    assert [gap.why for gap in result.uncovered] == ["over 8 MiB"]
    assert result.findings[0].tier is Tier.HOLD


def test_an_image_known_by_its_content_is_covered():
    """Common images are notes, whatever their name says; a program named like one is not (law 3)."""
    png = _scan(Diff("x.bin", None, b"\x89PNG\r\n\x1a\n" + bytes(64)))
    assert ({finding.tier for finding in png.findings}, png.uncovered) == ({Tier.NOTE}, ())
    program = _scan(Diff("logo.png", None, b"\x7fELF\x02\x01\x01" + bytes(64)))
    assert program.uncovered


def test_many_findings_end_with_one_that_says_so():
    """A rule that finds too much in one file says that there is more."""
    lines = "".join(f"x{n} = 1  # \u202e\n" for n in range(MAX_FINDINGS + 10))
    found = _found("hidden-text", Diff("a.py", "", lines))
    assert len(found) == MAX_FINDINGS + 1
    assert any("more than" in finding.message for finding in found)


def test_a_secret_is_never_quoted():
    """What a finding shows does not contain the credential."""
    value = "AKIA" + "QX4TZ7PLM2WKD5RV"
    (finding,) = _found("secret-added", Diff("a.py", "", f'k = "{value}"\n'))
    assert finding.tier is Tier.BLOCK
    assert value not in finding.message + finding.quote


def test_quotes_are_short_and_printable():
    """A finding never carries control characters of the change to a terminal."""
    for finding in _scan(Diff("a.py", "", "x = 1  # \x1b[2J\u202e" + "y" * 900 + "\n")).findings:
        assert finding.quote.isprintable()
        assert len(finding.quote) <= 200


def test_an_invalid_byte_hides_nothing():
    """Patterns read bytes, not characters."""
    assert _found("tls-verification-off", Diff("a.py", b"get(u)\n", b"get(u, verify=False) # \xff\xfe\n"))


EXTENSIONS = [
    "py",
    "js",
    "ts",
    "tsx",
    "go",
    "java",
    "rb",
    "php",
    "rs",
    "c",
    "cpp",
    "cs",
    "kt",
    "html",
    "yml",
    "pl",
    "bin",
    "",
]
TEXT = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [b"if", b"not", b"user", b"raise", b"(", b")", b"{", b"}", b"\n", b"  ", b"\t", b"return", b"&&", b"and", b"or", b"!",
             b"@auth", b"def f():", b"function", b"class A", b"=", b"==", b"<", b">", b'"', b"'", b"\0", b"\xff", b"\xe2\x80\xae",
             b"unless", b"end", b"verify=False", b"assert", b";", b":", b"->", b"#", b"/*", b"\\", b"\r", b"token", b"else"]
        ),
        max_size=60,
    ).map(b" ".join),
)  # fmt: skip
SIDE = st.one_of(st.none(), TEXT)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXTENSIONS), SIDE, SIDE)
def test_no_bytes_break_a_scan(extension, old, new):
    """Any two sides in any language end in findings, twice the same."""
    file = Diff(f"src/a.{extension}", old, new)
    assert _scan(file) == _scan(file)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EXTENSIONS), SIDE, SIDE), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_files_is_without_effect(sides, shuffler):
    """The same files in another order give the same findings."""
    files = [Diff(f"src/{number}.{extension}", old, new) for number, (extension, old, new) in enumerate(sides)]
    shuffled = files[:]
    shuffler.shuffle(shuffled)
    assert _scan(*files) == _scan(*shuffled)


@pytest.mark.parametrize("extension", ["py", "ts", "java", "cs", "go", "rb", "php", "kt", "rs", "c"])
@pytest.mark.parametrize(
    "unit", [b"a<", b"(", b"!", b"f(", b"a<b,", b"if(a){", b"if(x){}else ", b'"#{', b"[", b"x&&", b"a?b:"]
)
def test_no_chain_of_brackets_drives_the_parser_out_of_memory(extension, unit):
    """Nesting that no person writes is never handed to the parser, on one line or on many."""
    for data in (unit * 20_000, (unit + b"\n") * 5_000):
        assert _scan(Diff(f"src/a.{extension}", data, data + b"\nif not user: raise Denied\n")) is not None


def test_thousands_of_removed_guards_cost_no_more_than_their_number():
    """Ten times the guards of one function cost about ten times the work, not a hundred."""

    def cost(count):
        body = "".join(f"    if not user.ok{n}:\n        raise Denied({n})\n" for n in range(count))
        start = time.process_time()
        assert _scan(Diff("a.py", "def f(user):\n" + body, "def f(user):\n    pass\n")).findings
        return time.process_time() - start

    cost(10)
    assert cost(5000) < 40 * cost(500) + 0.5


def test_findings_are_sorted():
    """Findings come by path, line and rule."""
    files = [Diff(f"src/{name}.py", GUARDED, BARE) for name in random.Random(1).sample("abcdef", 6)]
    found = _scan(*files).findings
    assert [(finding.path, finding.line, finding.rule) for finding in found] == sorted(
        (finding.path, finding.line, finding.rule) for finding in found
    )
