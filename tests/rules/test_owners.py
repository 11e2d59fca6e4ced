"""Owners (law 31): the GitHub dialect, corner by corner. Row numbers are those of the corner table of the dialect."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rules.owners import LIMIT, LOCATIONS, MOST_LINES, Match, Owners, Problem, Rule, parse
from rules.owners_glob import LONGEST, MOST_WILDCARDS

TABLE = json.loads(Path(__file__).with_name("data").joinpath("codeowners_patterns.json").read_text(encoding="utf-8"))


def owners(*lines: str) -> Owners:
    return parse("\n".join(lines).encode() + b"\n", "CODEOWNERS")


def matches(pattern: str, path: str) -> bool:
    return owners(f"{pattern} @a").match(path.encode()).rule is not None


@pytest.mark.parametrize("row", TABLE, ids=[row["pattern"] for row in TABLE])
def test_a_pattern_matches_these_paths_and_not_those(row):
    """Each pattern of the table matches every path in `yes` and none in `no`."""
    wrong = [path for path in row["yes"] if not matches(row["pattern"], path)]
    wrong += [path for path in row["no"] if matches(row["pattern"], path)]
    assert wrong == [], row["why"]


def test_the_table_is_large():
    """Rows do not leave the table unnoticed."""
    assert sum(len(row["yes"]) + len(row["no"]) for row in TABLE) > 300


CORNERS = [
    (1, ["*"], {"a/b": True}),
    (4, ["docs/*"], {"docs/a.md": True, "docs/b/c.md": False}),
    (5, ["apps/"], {"x/apps/y": True, "apps": False}),
    (6, ["/docs/"], {"docs/a/b": True, "x/docs/a": False}),
    (7, ["**/logs"], {"out/logs/x": True, "very/far/down/logs/y": True}),
    (8, ["kit"], {"oak/kit/elm": True, "kit.txt": False}),
    (9, ["/kit"], {"kit/oak": True, "oak/kit": False, "kitt.txt": False}),
    (10, ["kit/oak"], {"kit/oak/elm": True, "elm/kit/oak": False, "kit/oaks": False}),
    (11, ["/*"], {"kit": True, "kit/oak": False}),
    (12, ["/*/"], {"kit": False, "kit/oak": True, "oak/kit/elm": True}),
    (13, ["k*/"], {"kit": False, "kit/oak": True, "oak/kit/elm": True, "oak/kit": False}),
    (14, ["/k*"], {"kit/oak/elm": True, "oak/kit": False, "xkit": False}),
    (15, ["kit/*/elm"], {"kit/oak/elm/fir": True, "kit/elm": False}),
    (16, ["kit/*.txt"], {"kit/oak/elm.txt": False, "fir/kit/oak.txt": False}),
    (17, ["k?t"], {"kit": True, "kt": False, "kiit": False}),
    (18, [r"k\*t"], {"k*t": True, "kit": False}),
    (18, [r"k\?t"], {"k?t": True}),
    (19, ["**/kit/oak"], {"kit/oak": True, "fir/kit/oak/elm": True, "kit/elm/oak": False}),
    (20, ["kit/oak/**"], {"kit/oak": False, "kit/oak/elm/fir": True}),
    (21, ["kit/**/oak"], {"kit/oak/elm": True, "kit/q/r/oak/x": True, "fir/kit/oak": False}),
    (22, ["kit/**/"], {"kit": False, "kit/oak": True}),
    (23, ["kit/**/oak/e*"], {"kit/fir/oak/elm": True, "kit/oak/fir": False}),
    (24, ["**/*oak*"], {"kit/oaken": True, "kit/fir/oak": True}),
    (25, ["/web/[slug]/page.ts"], {"web/[slug]/page.ts": True, "web/slug/page.ts": False}),
    (26, ["svc/kit:oak/**/*"], {"svc/kit:oak/elm.json": True, "svc/kit-oak/elm.json": False}),
    (27, ["jobs/^gpu"], {"jobs/^gpu": True, "jobs/gpu": False}),
    (28, ["/"], {"a": False, "a/b": False}),
    (30, ["/Src/"], {"src/x": False, "Src/x": True}),
]


@pytest.mark.parametrize(("row", "patterns", "answers"), CORNERS, ids=[f"row {row} {p[0]}" for row, p, _ in CORNERS])
def test_the_corner_rows_of_matching(row, patterns, answers):
    """Each corner row of the dialect gives its documented answer."""
    assert {path: matches(patterns[0], path) for path in answers} == answers, f"row {row}"


def test_the_last_line_that_matches_wins():
    """Row 2: earlier owners are dropped, not added."""
    file = owners("* @a", "*.js @b")
    assert file.match(b"x.js").owners == ("@b",)
    assert file.match(b"x.py").owners == ("@a",)


def test_cleared_is_not_unmatched():
    """Row 3, law 31: a line without owners decides the path; a path without any line is another state."""
    file = owners("/apps/ @a", "/apps/github")
    assert file.match(b"apps/github/x") == Match(Rule(2, "/apps/github", ()))
    assert file.match(b"README") == Match(None)
    assert file.match(b"apps/x").owners == ("@a",)


def test_a_later_line_takes_back_what_was_cleared():
    """Clearing is a line like any other: a later one wins over it."""
    file = owners("/apps/ @a", "/apps/github", "*.key @security")
    assert file.match(b"apps/github/x.key").owners == ("@security",)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("a***b @b", "asterisks"),
        ("***/*.rb @b", "asterisks"),
        ("!*.md @b", "negates"),
        (r"\#f @b", "starts no pattern"),
        ("*.py alice", "is no owner"),
        ("*.py @a bob", "is no owner"),
        ("*.txt docs@", "is no owner"),
        ("*.txt @", "is no owner"),
        ("*.txt @a/b/c", "is no owner"),
        ("*.txt @a/", "is no owner"),
        ("*.txt a@b", "is no owner"),
        ("*.txt @a@b", "is no owner"),
        ("*.txt @a,@b", "is no owner"),
        ("*.txt @a#c", "is no owner"),
        ("*.txt @\u0430lice", "is no owner"),
        ("/ @b", "lone slash"),
        ("// @b", "doubled slash"),
        ("a//b @b", "doubled slash"),
        ("./a @b", "occur in no path"),
        ("a/../b @b", "occur in no path"),
        ("a\\", "escapes nothing"),
        ("a\0b @b", "NUL"),
        ("a" * (LONGEST + 1) + " @b", str(LONGEST)),
        ("?" * (MOST_WILDCARDS + 1) + " @b", str(MOST_WILDCARDS)),
    ],
)
def test_a_bad_line_is_skipped_and_reported(line, hint):
    """Rows 28, 29 and 33: the line has no effect, its number is reported, and the others stand."""
    file = owners("* @a", line, "/z @z")
    assert [rule.line for rule in file.rules] == [1, 3]
    assert [(problem.line, problem.skipped) for problem in file.problems] == [(2, True)]
    assert hint in file.problems[0].why
    assert file.match(b"x.md").owners == ("@a",)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("[ab].txt @b", "range"),
        ("{a,b}.txt @b", "alternative"),
        (r"src\app @b", "backslash"),
        ("caf\u00e9/ @b", "spellings"),
    ],
)
def test_a_doubtful_line_counts_and_is_reported(line, hint):
    """Rows 25 and 40: what GitHub takes literally is taken literally, with a warning."""
    file = owners(line)
    assert len(file.rules) == 1
    assert [problem.skipped for problem in file.problems] == [False]
    assert hint in file.problems[0].why


def test_a_blank_after_a_backslash_belongs_to_the_pattern():
    """Unless the backslash is itself escaped: then the blank ends the pattern."""
    assert owners(r"my\ dir/ @a").match(b"my dir/x").owners == ("@a",)
    assert owners("a\\\\ @a").match(b"a\\").owners == ("@a",)


def test_escaped_brackets_raise_no_doubt():
    """Who escapes the brackets knows that they are literal."""
    assert owners(r"a\[b\] @a").problems == ()


def test_bytes_decide_about_accents():
    """Row 40: a composed rule does not match a decomposed path, and says so."""
    file = owners("caf\u00e9/ @a")
    assert file.match("caf\u00e9/x".encode()).rule
    assert file.match("cafe\u0301/x".encode()).rule is None
    assert file.problems


def test_a_pattern_that_is_no_utf8_matches_its_bytes():
    """Latin-1 files keep their effect; the pattern is shown with escapes."""
    file = parse(b"caf\xe9/ @a\n", "CODEOWNERS")
    assert file.match(b"caf\xe9/x").rule == Rule(1, "caf\\xe9/", ("@a",))
    assert file.match("caf\u00e9/x".encode()).rule is None
    assert "UTF-8" in file.problems[0].why


def test_an_inline_comment_names_no_owner():
    """Row 31: who stands behind `#` owns nothing."""
    assert owners("*.js @a #c @b").match(b"x.js").owners == ("@a",)
    assert owners("*.js # @b").match(b"x.js") == Match(Rule(1, "*.js", ()))


def test_the_same_pattern_twice_is_its_last_line():
    """Row 32: owners of repeated lines are not united."""
    file = owners("*.py @a", "*.py @b")
    assert file.match(b"x.py") == Match(Rule(2, "*.py", ("@b",)))


def test_an_unknown_owner_still_stands():
    """Row 34: who may be unknown is kept by name, so that nobody else's earlier line decides the path."""
    assert owners("* @a", "*.py @who.ever").match(b"x.py").owners == ("@who.ever",)


def test_the_first_location_counts():
    """Row 35: GitHub's order of places."""
    assert LOCATIONS == (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def test_a_file_over_the_limit_names_nobody():
    """Row 37: nothing is owned, and the caller is told so that it can fail closed."""
    line = b"* @a\n"
    largest = parse(line + b"#" * (LIMIT - len(line)), "CODEOWNERS")
    assert not largest.too_large
    assert largest.match(b"x").owners == ("@a",)
    file = parse(line + b"#" * (LIMIT - len(line) + 1), "CODEOWNERS")
    assert file.too_large
    assert file.rules == ()
    assert file.match(b"x") == Match(None)
    assert str(LIMIT) in file.problems[0].why
    assert file.messages()[0].startswith("CODEOWNERS: the file has")


def test_too_many_lines_are_too_large():
    """A file of a million short lines is refused as a whole, comments are not counted."""
    assert parse(b"a\n" * (MOST_LINES + 1), "CODEOWNERS").too_large
    assert not parse(b"#\n" * (MOST_LINES + 1), "CODEOWNERS").too_large


def test_a_path_that_git_would_quote_is_matched_by_its_bytes():
    """Row 39: rules see decoded bytes, newlines and all."""
    assert owners("/auth/*.py @a").match("auth/\u00e9.py".encode()).owners == ("@a",)
    assert owners("/auth/*.py @a").match(b"auth/\xff\n.py").owners == ("@a",)
    assert owners("/auth/ @a").match(b"auth/a\nb").owners == ("@a",)
    assert owners("/auth/**/x*y @a").match(b"auth/a\nb/xy/\n").owners == ("@a",)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf/a/ @a\n",
        b"/a/ @a\r\n",
        b"  \t /a/ @a\n",
        b"/a/\t\t@a \t\n",
        b"\n\n# c\n/a/ @a",
        b"\x0b\x0c/a/ @a",
    ],
    ids=["bom", "crlf", "leading blanks", "tabs", "no newline at the end", "old blanks"],
)
def test_the_spelling_of_blanks_does_not_hide_a_line(data):
    """Row 41: a byte order mark, carriage returns, blanks and tabs leave the rule active."""
    file = parse(data, "CODEOWNERS")
    assert file.match(b"a/x").owners == ("@a",)
    assert file.problems == ()


def test_who_can_be_an_owner():
    """People, teams and addresses, each once, in the order of the line."""
    line = "* @a @a @org/team-1 @a_b-c x.y+z@example.co.uk"
    assert owners(line).match(b"x").owners == ("@a", "@org/team-1", "@a_b-c", "x.y+z@example.co.uk")


def test_dead_lines_are_those_that_can_never_win():
    """A later equal line, a later `*`, and a later directory around them leave earlier lines dead."""
    file = owners("/a/b @x", "*.js @x", "/a/*.md @x", "docs/* @x", "/a/ @y", "**/*.js @z", "/docs/** @z", "/z @z")
    assert [rule.pattern for rule in file.dead()] == ["/a/b", "*.js", "/a/*.md", "docs/*"]
    assert [rule.line for rule in owners("*.js @a", "/x/ @a", "* @b", "/y @c").dead()] == [1, 2]
    assert [rule.line for rule in owners("*.js @a", "** ").dead()] == [1]
    assert [rule.line for rule in owners("/f*/* @a", "/f*/ @b").dead()] == [1]


def test_a_line_that_still_wins_somewhere_is_not_dead():
    """Narrower later lines, and directories that do not hold the name itself, kill nothing."""
    assert owners("/a @x", "/a/ @y").dead() == ()
    assert owners("* @x", "*.js @y", "/a/b/ @z").dead() == ()
    assert owners("foo @x", "/foo @y").dead() == ()


def test_messages_name_file_and_line():
    """What a person reads: file, line, why, the effect and the line itself, with nothing that moves a terminal."""
    message = owners("* @a", "*.py \x1b[31mbob\u202e").messages()[0]
    assert message.startswith("CODEOWNERS:2: ")
    assert "(line skipped)" in message
    assert "@organisation/team" in message
    assert message.isprintable()


def test_a_problem_is_plain_data():
    """Problems compare by value: line, text, reason."""
    assert owners("[a] @b").problems == (Problem(1, "[a] @b", owners("[a] @c").problems[0].why, skipped=False),)


def test_patterns_that_are_looked_up_need_no_expression():
    """A file of directories, names and extensions answers without loading the matcher of the others."""
    code = (
        "import sys; from rules.owners import parse;"
        "o = parse(b'* @a\\n/a/ @b\\n*.js @c\\nMakefile @d\\n/x/* @e\\n', 'CODEOWNERS');"
        "assert o.match(b'x/y').owners == ('@e',); assert 're2' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
