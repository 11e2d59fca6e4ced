"""Conditions are sets of files (law 29, 30, 39)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import policy
from rules.findings import Tier
from rules.when import AUTHORS, EVERYTHING, Facts, When, language_of, matched, plain

PATHS = (b"src/auth/login.py", b"src/app.py", b"web/app.ts", b"README")
FACTS = Facts(
    paths=PATHS,
    languages=tuple(map(language_of, PATHS)),
    findings=((0, "auth-check-removed", Tier.HOLD), (1, "test-skipped", Tier.NOTE), (2, "secret-added", Tier.BLOCK)),
    lines=120,
    target="refs/heads/main",
    authors=frozenset({"agent", "mixed"}),
)
ALL, NONE = {0, 1, 2, 3}, set()


def condition(text):
    source = f'version = 1\n[[requirement]]\nname = "x"\nfrom = ["human"]\nwhen = {text}\n'
    return policy.parse(source, "x").requirements[0].when


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ALL),
        ('{ author = "any" }', ALL),
        ('{ author = "agent" }', ALL),
        ('{ author = ["human", "mixed"] }', ALL),
        ('{ author = ["human", "service", "unknown"] }', NONE),
        ('{ paths = "**/auth/**" }', {0}),
        ('{ paths = ["*.py", "README"] }', {0, 1, 3}),
        ('{ languages = ["python", "go"] }', {0, 1}),
        ('{ rule = "secret-added" }', {2}),
        ('{ rule = ["secret-added", "test-skipped"] }', {1, 2}),
        ('{ tier = "note" }', {0, 1, 2}),
        ('{ tier = "hold" }', {0, 2}),
        ('{ tier = "block" }', {2}),
        ("{ lines = 120 }", ALL),
        ("{ lines = 121 }", NONE),
        ('{ target = "main" }', ALL),
        ('{ target = ["release/*"] }', NONE),
        ('{ paths = "*.py", tier = "hold" }', {0}),
        ('{ paths = "*.py", lines = 500 }', NONE),
        ('{ all = [{ paths = "*.py" }, { tier = "note" }, { author = "any" }] }', {0, 1}),
        ('{ any = [{ paths = "README" }, { tier = "block" }] }', {2, 3}),
        ('{ not = { paths = "*.py" } }', {2, 3}),
        ("{ not = { lines = 500 } }", ALL),
        ('{ not = { any = [{ tier = "hold" }, { paths = "README" }] }, languages = "python" }', {1}),
    ],
)
def test_a_condition_is_the_set_of_its_files(text, expected):
    """Conditions on files select files, those on the change all or none; tables intersect."""
    when = condition(text)
    assert matched(when, FACTS) == expected


def test_a_finding_on_the_whole_change_is_on_every_file():
    """It names no path, so it cannot fall between the paths."""
    facts = FACTS._replace(findings=((-1, "change-hidden", Tier.HOLD),))
    assert matched(condition('{ tier = "hold" }'), facts) == ALL
    assert matched(condition('{ rule = "change-hidden" }'), facts) == ALL
    assert matched(condition('{ tier = "block" }'), facts) == NONE


def test_a_change_without_files_meets_no_condition():
    """An empty match is empty whatever the condition."""
    nothing = FACTS._replace(paths=(), languages=(), findings=((-1, "x", Tier.HOLD),))
    assert matched(EVERYTHING, nothing) == NONE
    assert matched(condition('{ tier = "hold" }'), nothing) == NONE
    assert matched(condition('{ not = { paths = "x" } }'), nothing) == NONE


def test_spelling_has_one_canonical_form():
    """One value or a list of one, one key or `all` of one table: the same value, so the same digest."""
    assert condition('{ paths = "a" }') == condition('{ paths = ["a"] }') == When("paths", ("a",))
    assert condition('{ paths = "a", tier = "hold" }') == condition('{ all = [{ paths = "a" }, { tier = "hold" }] }')
    assert condition("{}") == EVERYTHING


@pytest.mark.parametrize(
    ("path", "language"),
    [
        (b"a/b.py", "python"),
        (b"A.PY", "python"),
        (b"x.tsx", "typescript"),
        (b"x.h", "c"),
        (b"Dockerfile", "docker"),
        (b"deploy/Dockerfile.prod", "docker"),
        (b"Gemfile", "ruby"),
        (b"GNUmakefile", "make"),
        (b".envrc", "shell"),
        (b"LICENSE", ""),
        (b".gitignore", ""),
        (b"dir.py/file", ""),
        (b"py", ""),
        (b"\xff.go", "go"),
        (b"", ""),
    ],
)
def test_languages_by_name(path, language):
    """The name decides, without case; the directory does not."""
    assert language_of(path) == language


leaves = st.one_of(
    st.sampled_from(AUTHORS).map(lambda kind: When("author", (kind,))),
    st.sampled_from(["*.py", "README", "**"]).map(lambda glob: When("paths", (glob,))),
    st.sampled_from(["note", "hold", "block"]).map(lambda tier: When("tier", (tier,))),
    st.integers(1, 300).map(lambda lines: When("lines", least=lines)),
    st.just(EVERYTHING),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            lambda key, parts: When(key, parts=tuple(parts)),
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        inner.map(lambda part: When("not", parts=(part,))),
    ),
    max_leaves=8,
)


@given(trees)
def test_conditions_obey_the_laws_of_sets(when):
    """`not not` is the same set, a condition and its complement are all files, and `plain` is read as the same."""
    files = matched(when, FACTS)
    complement = When("not", parts=(when,))
    assert matched(complement, FACTS) == ALL - files
    assert matched(When("not", parts=(complement,)), FACTS) == files
    assert matched(When("any", parts=(when, complement)), FACTS) == ALL
    assert matched(When("all", parts=(when, complement)), FACTS) == NONE
    assert condition(inline(plain(when))) == when


def inline(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
