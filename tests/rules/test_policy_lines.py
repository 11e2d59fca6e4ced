"""Where keys of a TOML text stand."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from rules.toml_lines import line_of, lines_of, too_deep

TEXT = """\
# a comment with [brackets] and = signs
version = 1
"quoted.key" = 'a' # after
'lit\\eral' = 1
a.b.c = [ # list
  1,
  # between
  [2, { x = 3, y.z = 4 }],
  '''
long ] string''',
  \"""two quotes at the end:\"""\"",
]
"\\u0061b" = 1979-05-27 07:32:00

[[requirement]]
name = "first"
[requirement.when]
paths = ["#", "]"]

[[requirement]]
  [[requirement.inner]]
  x = 1
  [[requirement.inner]]
  x = {
} \r
[ tool . "two hand" ]
k=1"""


def test_every_kind_of_key_has_its_line():
    """Headers, dotted and quoted keys, arrays of tables, inline tables, lists and long strings."""
    lines = lines_of(TEXT)
    expected = {
        ("version",): 2,
        ("quoted.key",): 3,
        ("lit\\eral",): 4,
        ("a", "b", "c"): 5,
        ("a", "b", "c", 0): 6,
        ("a", "b", "c", 1, 1, "y", "z"): 8,
        ("a", "b", "c", 2): 9,
        ("a", "b", "c", 3): 11,
        ("ab",): 13,
        ("requirement", 0): 15,
        ("requirement", 0, "name"): 16,
        ("requirement", 0, "when"): 17,
        ("requirement", 0, "when", "paths", 1): 18,
        ("requirement", 1): 20,
        ("requirement", 1, "inner", 0, "x"): 22,
        ("requirement", 1, "inner", 1): 23,
        ("tool",): 26,
        ("tool", "two hand"): 26,
        ("tool", "two hand", "k"): 27,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_what_is_missing_is_where_its_table_is():
    """A key that does not stand anywhere has the line of the nearest thing around it, or none."""
    lines = lines_of(TEXT)
    assert line_of(lines, ("requirement", 1, "name")) == 20
    assert line_of(lines, ("a", "b", "c", 0, "no", 7)) == 6
    assert line_of(lines, ("nowhere",)) == 0


def test_a_broken_text_gives_the_lines_before_the_break():
    """The scanner stops without an error."""
    for broken in (
        "x = ['a' 'b']",
        "x = {a='1' b=2}",
        "x y = 1",
        "x = 'a\n'",
        "x",
        "x =",
        "[x",
        "= 1",
        '"\\q" = 1',
        "x = " + "[" * 99,
    ):
        assert lines_of("a = 1\n" + broken)[("a",)] == 1


def test_only_very_long_keys_are_too_deep():
    """Dots in strings, comments and lists of addresses are no key parts."""
    assert too_deep("a = 1\n" + ".".join("b" * 66) + " = 1") == 2
    assert too_deep("[" + ".".join("b" * 66) + "]") == 1
    assert too_deep("emails = [" + "'a.b.c@d.e'," * 100 + "]") == 0
    assert too_deep("x " + "." * 100) == 0
    assert too_deep("x" + ".y" * 60 + " = '....................") == 0
    assert too_deep("x" + ".y" * 64 + " = 1") == 1
    assert too_deep("a = 1") == 0


keys = st.text("ab", min_size=1, max_size=2)
values = st.recursive(
    st.sampled_from(["1", "'x'", '"#"', "true", "'''a\nb'''"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "]"),
        st.dictionaries(keys, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=5), st.lists(st.dictionaries(keys, values, max_size=3), max_size=3))
def test_all_paths_of_what_tomllib_reads_have_lines(table, tables):
    """Where tomllib sees a value, the scanner has a line, and the key stands on it."""
    text = "".join(f"{key} = {value}\n" for key, value in table.items())
    for item in tables:
        text += "[[zz]]\n" + "".join(f"{key} = {value}\n" for key, value in item.items())
    lines = lines_of(text)
    written = text.split("\n")
    for path in paths_of(tomllib.loads(text)):
        if isinstance(path[-1], str):
            assert path[-1] in written[lines[path] - 1]
        else:
            assert path in lines


def paths_of(value, path=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield (*path, key)
        yield from paths_of(item, (*path, key))
