"""Owners (law 31): the index gives the answer of a plain scan, for any file and any path, in linear time."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.owners import NONE, parse
from rules.owners_glob import MOST_WILDCARDS, read_shape
from rules.owners_index import Index


def naive(pattern: str, path: str) -> bool:
    """An oracle that shares nothing with the product: gitignore's words, spelled as a recursion over names."""
    anchored, directory = pattern.startswith("/"), pattern.endswith("/")
    names = pattern.strip("/").split("/")
    if len(names) == 1 and not anchored:
        if names == ["*"] and not directory:
            return True
        names = ["**", *names]
    return follows(names, path.split("/"), directory=directory)


def follows(names: list[str], path: list[str], *, directory: bool) -> bool:
    if names == ["**"]:
        return path != []
    if names[:1] == ["**"]:
        return any(follows(names[1:], path[skip:], directory=directory) for skip in range(len(path)))
    if not path or not fits(names[0], path[0]):
        return False
    if len(names) > 1:
        return follows(names[1:], path[1:], directory=directory)
    return len(path) > 1 if directory else len(path) == 1 or names[0] != "*"


def fits(glob: str, name: str) -> bool:
    if not glob:
        return not name
    if glob[0] == "*":
        return any(fits(glob[1:], name[skip:]) for skip in range(len(name) + 1))
    if glob[0] == "\\":
        return name[:1] == glob[1] and fits(glob[2:], name[1:])
    return name != "" and glob[0] in ("?", name[0]) and fits(glob[1:], name[1:])


NAMES = ["a", "b", "ab", "a.b", "b.a", "a.a.b", "c.b", "*", "\u00e9", ".b", "b."]
GLOBS = [*NAMES[:7], "*", "**", "*.b", "*.a.b", "a*", "*b", "?", "a?b", "\\*", "*a*", "?.b", "*.", ".b"]

paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map("/".join)
patterns = st.builds(
    lambda front, names, back: front + "/".join(names) + back,
    st.sampled_from(["", "/"]),
    st.lists(st.sampled_from(GLOBS), min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)


def last(lines: list[str], path: str) -> int:
    return max((number for number, line in enumerate(lines) if naive(line, path)), default=NONE)


@settings(max_examples=400, deadline=None)
@given(st.lists(patterns, min_size=1, max_size=12), st.lists(paths, min_size=1, max_size=8))
@example(["/*/", "**/", "a/**/"], ["a", "a/b", "b/a/b"])
@example(["*.b", "a/**/*.b", "/a/*"], ["a/c.b", "c.b/a", "a/b/c.b"])
def test_the_index_answers_like_a_scan(lines, asked):
    """Property: for any lines and paths, the index, its own scan and an independent oracle name the same line."""
    file = parse("\n".join(f"{line} @o" for line in lines).encode(), "CODEOWNERS")
    index = Index([read_shape(line.encode()) for line in lines])
    for path in asked:
        expected = last(lines, path)
        rule = file.match(path.encode()).rule
        assert (rule.line - 1 if rule else NONE) == expected, path
        assert index.find(path.encode()) == index.scan(path.encode()) == expected, path


def test_a_large_file_answers_like_a_scan():
    """300 random lines, 1,000 random paths: the same answers as the oracle."""
    rng = random.Random(31)
    words = [f"w{number}" for number in range(12)]
    tails = ["", "/", "/*", "/**", "/*.py", "/**/*.go", "/*/x", "/w?"]
    lines = [
        f"{rng.choice(['', '/', '**/'])}{rng.choice(words)}/{rng.choice(words)}{rng.choice(tails)}" for _ in range(300)
    ]
    index = Index([read_shape(line.encode()) for line in lines])
    for number in range(1_000):
        parents = [rng.choice(words) for _ in range(rng.randint(0, 4))]
        path = "/".join([*parents, rng.choice([f"d{number}/x", "x", "a.py", "b.go", "w3"])])
        assert index.find(path.encode()) == last(lines, path), path


def test_the_memory_of_directories_is_bounded():
    """Any number of directories is answered alike, and only so many are remembered."""
    index = Index([read_shape(b"/a/"), read_shape(b"**/b/**/*.py")])
    for number in range(10_000):
        assert index.find(b"a/%d/x" % number) == 0
    assert len(index._directories) <= 4_097
    assert index.find(b"a/b/x.py") == 1


def test_paths_beyond_every_limit_are_answered():
    """A path of a megabyte, deep or wide, is answered by every kind of line."""
    file = parse(b"* @all\n/a/ @a\n**/z @z\n*.py @py\n/b/**/x*y @xy\n", "CODEOWNERS")
    deep, wide = b"/".join([b"a"] * 300_000), b"w" * 1_000_000
    assert file.match(deep).owners == ("@a",)
    assert file.match(deep + b"/z").owners == ("@z",)
    assert file.match(wide).owners == ("@all",)
    assert file.match(wide + b".py").owners == ("@py",)
    assert file.match(b"b/" + deep + b"/x" + wide + b"y").owners == ("@xy",)
    assert set(file._index._directories) == {b""}


def test_a_pattern_made_to_backtrack_does_not_stall():
    """As many wildcards as are allowed, against a name that nearly matches, take linear time."""
    stars = b"a*" * (MOST_WILDCARDS - 1) + b"b"
    file = parse(stars + b" @a\n" + b"?" * MOST_WILDCARDS + b" @q\n" + b"**/a/" * 32 + b"b @g\n", "CODEOWNERS")
    assert len(file.rules) == 3
    assert file.match(b"a" * 100_000).rule is None
    assert file.match(b"a" * 100_000 + b"b").owners == ("@a",)
    assert file.match("\u8349".encode() * MOST_WILDCARDS).owners == ("@q",)
    assert file.match(b"a/" * 2_000 + b"b").owners == ("@g",)


def test_many_lines_under_one_literal_are_filed_in_linear_time():
    """Twenty thousand globs that share their only literal are read, and the last one wins."""
    file = parse(b"".join(b"/a/*%d* @o%d\n" % (number, number) for number in range(20_000)), "CODEOWNERS")
    assert file.match(b"a/x19999y").owners == ("@o19999",)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=40))
@example(b"\\", b"")
@example(b"\\\\ \\\n[\\", b"/")
@example("* @a\n".encode("utf-16"), b"\xff")
def test_no_bytes_are_too_strange(data, path):
    """Property: any bytes parse, any path is answered, and every message can be printed and sent as text."""
    file = parse(data, "CODEOWNERS")
    assert file.match(path).rule in (None, *file.rules)
    assert set(file.dead()) <= set(file.rules)
    assert all(message.isprintable() and message.encode() for message in file.messages())
    assert all(rule.pattern.isprintable() for rule in file.rules)


lines_of_bytes = st.lists(st.text(alphabet="ab*?/\\[]!#@ .\t\r\u00e9", max_size=12), max_size=8).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(lines_of_bytes, paths)
def test_every_line_is_a_rule_a_problem_or_a_comment(text, path):
    """Property: no line vanishes silently."""
    file = parse(text.encode(), "CODEOWNERS")
    spoken = {rule.line for rule in file.rules} | {problem.line for problem in file.problems if problem.skipped}
    lines = enumerate(text.split("\n"), 1)
    assert spoken == {number for number, line in lines if line.strip(" \t\r") and line.strip(" \t\r")[0] != "#"}
    assert file.match(path.encode()).rule in (None, *file.rules)


@settings(max_examples=300, deadline=None)
@given(st.lists(patterns, min_size=2, max_size=8), st.lists(paths, min_size=1, max_size=12))
def test_a_dead_line_never_wins(lines, asked):
    """Property: what `dead` names decides no path."""
    file = parse("\n".join(f"{line} @o" for line in lines).encode(), "CODEOWNERS")
    winners = {rule for path in asked if (rule := file.match(path.encode()).rule)}
    assert winners.isdisjoint(file.dead())
