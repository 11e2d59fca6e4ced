"""Path and ref globs of the policy."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import globs
from rules.globs import Globs, checked, checked_ref, compiled, ref_match

HITS = [
    ("*.py", "a.py"),
    ("*.py", "deep/down/a.py"),
    ("Makefile", "Makefile"),
    ("Makefile", "x/Makefile"),
    ("/Makefile", "Makefile"),
    ("src/*.py", "src/a.py"),
    ("src/**", "src/a/b/c"),
    ("src/**/test.py", "src/test.py"),
    ("src/**/test.py", "src/a/b/test.py"),
    ("**/auth/**", "auth/x"),
    ("**/auth/**", "a/b/auth/c/d"),
    ("**/*recovery*", "recovery.rb"),
    ("**/*recovery*", "a/account_recovery.rb"),
    ("**", "anything/at all"),
    ("docs/", "docs/a/b"),
    ("docs/", "x/docs/a"),
    ("/docs/", "docs/a"),
    ("src/docs/", "src/docs/a"),
    ("*.{py,go}", "x/a.go"),
    ("{src,lib}/**", "lib/x"),
    ("{a,b{c,d}}.x", "bd.x"),
    ("{a,}b", "b"),
    ("src/{a/**,b}", "src/a/x/y"),
    ("a?c", "abc"),
    ("a?c", "aéc"),
    ("a?c", b"a\xffc"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
    ("a\\*b", "a*b"),
    ("a\\{b", "a{b"),
    ("a,b", "a,b"),
    ("ünal/*", "ünal/x"),
    ("*", b"\xff\xfe"),
    ("x*y", "x\ny"),
    (".github/", ".github/workflows/ci.yml"),
]
MISSES = [
    ("*.py", "a.pyc"),
    ("*.py", "A.PY"),
    ("/Makefile", "x/Makefile"),
    ("src/*.py", "src/a/b.py"),
    ("src/*.py", "x/src/a.py"),
    ("src/**", "src"),
    ("**/auth/**", "auth"),
    ("**/auth/**", "oauth/x"),
    ("**/*recovery*", "recovery/x"),
    ("/docs/", "x/docs/a"),
    ("src/docs/", "x/src/docs/a"),
    ("docs/", "docs"),
    ("a?c", "a/c"),
    ("a?c", "aéécc"),
    ("app/[id]/page.tsx", "app/i/page.tsx"),
    ("a\\*b", "axb"),
    ("src", "src/a"),
    ("a.b", "axb"),
    ("a|b", "a"),
    ("(a)", "a"),
]


def raw(path):
    return path if isinstance(path, bytes) else path.encode()


@pytest.mark.parametrize(("glob", "path"), HITS)
def test_it_matches(glob, path):
    """A glob finds what it describes."""
    assert Globs([glob]).match(raw(path))


@pytest.mark.parametrize(("glob", "path"), MISSES)
def test_it_does_not_match(glob, path):
    """A glob finds nothing else."""
    assert not Globs([glob]).match(raw(path))


def test_matching_gives_the_indexes():
    """Several globs, several paths, repeated ones too."""
    paths = (b"a.py", b"b.go", b"a.py", b"c.md", b"x/c.py")
    assert Globs(["*.py", "c.*"]).matching(paths) == {0, 2, 3, 4}
    assert Globs(["*.py"]).matching(()) == frozenset()
    assert Globs([]).matching(paths) == frozenset()
    assert Globs(["A.PY"], fold=True).matching(paths) == {0, 2}
    assert compiled(("*.py",)) is compiled(("*.py",))


@pytest.mark.parametrize(
    ("glob", "says"),
    [
        ("", "is empty"),
        ("/", "is empty"),
        ("a**", "stands alone"),
        ("**.py", "stands alone"),
        ("a/***", "stands alone"),
        ("{a", "without its }"),
        ("a}", "without its {"),
        ("!a", "not = "),
        ("a//b", "can match no path"),
        ("./a", "can match no path"),
        ("a/../b", "can match no path"),
        ("a\x00b", "control"),
        ("a\u202eb", "control or invisible"),
        ("a\\", "escapes nothing"),
        ("[0-9].txt", "sets of characters"),
        ("[!a]", "sets of characters"),
        ("{" * 9 + "}" * 9, "more than 8 deep"),
        ("a" * 1001, "longer than"),
    ],
)
def test_a_wrong_glob_says_what_is_wrong(glob, says):
    """ValueError with a sentence for the policy's report."""
    with pytest.raises(ValueError, match=r"^[a-z`]") as caught:
        checked(glob)
    assert says in str(caught.value)


def test_lists_have_a_size():
    """A list of globs that would make a huge pattern is refused."""
    with pytest.raises(ValueError, match="too long together"):
        Globs(["é" * 500] * 100)


def test_patterns_have_a_memory_limit(monkeypatch):
    """What re2 will not compile within its memory is a mistake in the policy, not a crash."""
    monkeypatch.setattr(globs, "MOST_MEMORY", 1000)
    with pytest.raises(ValueError, match="too complex"):
        Globs(["{a,b}" * 100])


REFS = [
    ("main", "refs/heads/main", True),
    ("main", "main", True),
    ("/main", "main", True),
    ("main", "refs/heads/x/main", False),
    ("main", "refs/tags/main", False),
    ("main", "Main", False),
    ("release/*", "release/1.0", True),
    ("release/*", "refs/heads/release/1.0/fix", False),
    ("release/**", "refs/heads/release/1.0/fix", True),
    ("release/", "refs/heads/release/1.0/fix", True),
    ("refs/tags/v*", "refs/tags/v1", True),
    ("refs/heads/main", "main", True),
    ("{main,master}", "master", True),
    ("*", "refs/heads/x", True),
    ("*", "refs/heads/x/y", False),
]


@pytest.mark.parametrize(("glob", "ref", "expected"), REFS)
def test_refs_by_short_and_full_name(glob, ref, expected):
    """Short names are branches; full names are any ref."""
    assert ref_match([glob], ref) is expected
    assert checked_ref(glob) == glob


def test_refs_where_the_server_folds_case():
    """Law 4: `Main` is the protected branch on such a server."""
    assert ref_match(["main"], "refs/heads/Main", fold=True)


@pytest.mark.parametrize("glob", ["", "a b", "a:b", "!x", "a/../b", "a~1", "{a"])
def test_wrong_ref_globs(glob):
    """What no ref can be called is a mistake."""
    with pytest.raises(ValueError, match=r"^[a-z]"):
        checked_ref(glob)


def reference(glob, path):
    """The same meaning for globs of letters, slash, `*` and `**`, by recursion."""
    if not glob:
        return not path
    if glob.startswith("**/"):
        return any(reference(glob[3:], path[at:]) for at in (0, *(i + 1 for i, c in enumerate(path) if c == "/")))
    if glob == "**":
        return bool(path)
    if glob[0] == "*":
        return reference(glob[1:], path) or (bool(path) and path[0] != "/" and reference(glob, path[1:]))
    return bool(path) and path[0] == glob[0] and reference(glob[1:], path[1:])


segments = st.lists(st.one_of(st.just("**"), st.text("ab*", min_size=1, max_size=3)), min_size=2, max_size=4)
trees = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


@given(segments, trees)
def test_it_agrees_with_a_plain_definition(parts, path):
    """The compiled pattern and a naive matcher answer alike."""
    if any("**" in part and part != "**" for part in parts):
        return
    glob = "/".join(parts)
    assert Globs([glob]).match(path.encode()) is reference(glob, path)


@given(st.text(max_size=30), st.binary(min_size=1, max_size=30).filter(lambda path: b"\0" not in path))
def test_no_glob_and_no_path_crashes_it(glob, path):
    """Any text is a glob or a ValueError; any path is matched or not."""
    try:
        one = Globs([glob])
    except ValueError:
        return
    assert one.match(path) is bool(one.matching([b"//", path]) & {1})


def test_a_hostile_path_costs_linear_time():
    """A megabyte of one letter against many stars takes no longer than the bytes need."""
    several = Globs(["*a*a*a*a*a*b", "**/a/**/a/**/b"])
    started = time.perf_counter()
    assert not several.match(b"a" * 1_000_000)
    assert not several.match(b"a/" * 500_000 + b"c")
    assert time.perf_counter() - started < 30
