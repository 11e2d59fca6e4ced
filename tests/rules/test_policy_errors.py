"""Every mistake in a policy names file, line, wrong value and what is allowed (law 36; DESIGN 5.2)."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules import policy
from rules.policy import PolicyInvalid
from rules.shape import duration_text, seconds_of

V = "version = 1\n"
R = V + '[[requirement]]\nname = "a"\nfrom = ["human"]\n'


def problems(text):
    with pytest.raises(PolicyInvalid) as caught:
        policy.parse(text, "twohand.toml")
    return caught.value.problems


MISTAKES = [  # text, line, key, value, a part of allowed or message
    ("", 0, "version", "", "is missing"),
    ("protect = []\n", 0, "version", "", "is missing"),
    ("version = 2\n", 1, "version", "2", "allowed: 1"),
    ("version = true\n", 1, "version", "true", "allowed: 1"),
    ('version = "1"\n', 1, "version", '"1"', "allowed: 1"),
    (V + "protct = []\n", 2, "protct", "", 'did you mean "protect"?'),
    (V + "qqqqq = []\n", 2, "qqqqq", "", "allowed: version, repository, protect"),
    (V + '"wéird key" = 1\n', 2, '"wéird key"', "", "is no known key"),
    (V + "protect = 'main'\n", 2, "protect", '"main"', "must be a list"),
    (V + f"protect = {['a'] * 1001}\n", 2, "protect", "a list of 1001", "at most 1000 items"),
    (V + "protect = ['a',\n 'x y']\n", 3, "protect[1]", '"x y"', "no ref can have"),
    (V + "protect = ['a', 'a']\n", 2, "protect[1]", '"a"', "is there twice"),
    (V + "repository = ' x'\n", 2, "repository", '" x"', "without spaces"),
    (V + "independence = 3\n", 2, "independence", "3", "must be a table"),
    (V + "[independence]\n\nfamily = 'blok'\n", 4, "independence.family", '"blok"', "allowed: block, extra, advise"),
    (V + "[independence]\nfamily = 'blok'\n", 3, "independence.family", '"blok"', 'did you mean "block"?'),
    (V + "independence.undeclared = 'agent'\n", 2, "independence.undeclared", '"agent"', "human, unresolved"),
    (V + "independence.grade = 'E'\n", 2, "independence.grade", '"E"', "A, B, C, D"),
    (V + "independence.max_age = 30\n", 2, "independence.max_age", "30", "15m, 1h or 7d"),
    (V + "independence.max_age = '30 days'\n", 2, "independence.max_age", '"30 days"', "15m, 1h or 7d"),
    (V + "independence.max_age = '0s'\n", 2, "independence.max_age", '"0s"', "from 1s to 366d"),
    (V + "independence.max_age = '٣d'\n", 2, "independence.max_age", '"٣d"', "must be a duration"),
    (V + "independence.hasty = -1\n", 2, "independence.hasty", "-1", "whole number from 0"),
    (V + "independence.hasty = 1.5\n", 2, "independence.hasty", "1.5", "whole number"),
    (V + "requirement = { name = 'a' }\n", 2, "requirement", "a table of 1", "must be a list"),
    (V + "requirement = [3]\n", 2, "requirement[0]", "3", "must be a table"),
    (V + '[[requirement]]\nfrom = ["human"]\n', 2, "requirement[0].name", "", "is missing"),
    (V + '[[requirement]]\nname = "a"\n', 2, "requirement[0].from", "", "is missing"),
    (V + '[[requirement]]\nname = ""\nfrom = ["human"]\n', 3, "requirement[0].name", '""', "1 to 200"),
    (V + '[[requirement]]\nname = "a"\nfrom = []\n', 4, "requirement[0].from", "a list of 0", "at least one"),
    (V + '[[requirement]]\nname = "a"\nfrom = ["humans"]\n', 4, "requirement[0].from[0]", '"humans"', "team:NAME"),
    (V + '[[requirement]]\nname = "a"\nfrom = ["human:x"]\n', 4, "requirement[0].from[0]", '"human:x"', "owner"),
    (V + '[[requirement]]\nname = "a"\nfrom = ["team:x"]\n', 4, "requirement[0].from[0]", '"team:x"', "no team"),
    (R + R[len(V) :], 6, "requirement[1].name", '"a"', "earlier requirement"),
    (R + "approvals = 0\n", 5, "requirement[0].approvals", "0", "from 1 to 100"),
    (R + "presence = true\n", 5, "requirement[0].presence", "true", "required, preferred"),
    (R.replace("human", "model:x") + "presence = 'required'\n", 5, "requirement[0].presence", '"required"', "never"),
    (R + "when = 'x'\n", 5, "requirement[0].when", '"x"', "table of conditions"),
    (R + "when = { path = 'x' }\n", 5, "requirement[0].when.path", "", 'did you mean "paths"?'),
    (R + "when = { author = 'robot' }\n", 5, "requirement[0].when.author", '"robot"', "agent, mixed, human"),
    (R + "when = { tier = ['hold'] }\n", 5, "requirement[0].when.tier", "a list of 1", "note, hold, block"),
    (R + "when = { tier = 'high' }\n", 5, "requirement[0].when.tier", '"high"', "note, hold, block"),
    (R + "when = { lines = '9' }\n", 5, "requirement[0].when.lines", '"9"', "whole number"),
    (R + "when = { paths = [] }\n", 5, "requirement[0].when.paths", "a list of 0", "at least one"),
    (R + "when = { paths = [\n'ok',\n'a**b'] }\n", 7, "requirement[0].when.paths[1]", '"a**b"', "stands alone"),
    (
        R + f"when = {{ paths = {['é' * 900 + str(n) for n in range(99)]} }}\n",
        5,
        "requirement[0].when.paths",
        "a list of 99",
        "together",
    ),
    (V + f"protect = {['é' * 900 + str(n) for n in range(99)]}\n", 2, "protect", "a list of 99", "together"),
    (R + "when = { rule = 'TH 1' }\n", 5, "requirement[0].when.rule", '"TH 1"', "auth-check-removed"),
    (R + "when = { languages = 'pyton' }\n", 5, "requirement[0].when.languages", '"pyton"', 'mean "python"?'),
    (R + "when = { target = 'a b' }\n", 5, "requirement[0].when.target", '"a b"', "no ref can have"),
    (R + "when = { any = [{ not = 1 }] }\n", 5, "requirement[0].when.any[0].not", "1", "table of conditions"),
    (R + "when = { all = { } }\n", 5, "requirement[0].when.all", "a table of 0", "must be a list"),
    (V + "owners.forge = 'false'\n", 2, "owners.forge", '"false"', "true or false, without quotes"),
    (V + "owners.forge = 0\n", 2, "owners.forge", "0", "allowed: true, false"),
    (V + "owners.fallback = ['x']\n", 2, "owners.fallback[0]", '"x"', "nobody is enrolled yet"),
    (V + "waivers.by = ['alic']\n[people.alice]\n", 2, "waivers.by[0]", '"alic"', 'did you mean "alice"?'),
    (V + "waivers.by = ['x']\n[agents.x]\n", 2, "waivers.by[0]", '"x"', "is an agent"),
    (V + "waivers.break_glass = [\n\n'x']\n[services.x]\n", 4, "waivers.break_glass[0]", '"x"', "is a service"),
    (V + "waivers.max = '2y'\n", 2, "waivers.max", '"2y"', "must be a duration"),
    (V + "escalation.steps = 3\n", 2, "escalation.steps", "3", "must be a list"),
    (V + "escalation.steps = [{ notify = ['a'] }]\n", 2, "escalation.steps[0].after", "", "is missing"),
    (
        V + "[escalation]\nsteps = [\n { after = '0m', notify = [] },\n]\n",
        4,
        "escalation.steps[0].notify",
        "a list of 0",
        "names nobody",
    ),
    (
        V + "[escalation]\nsteps = [\n{ after = '5m', notify = ['a'] },\n{ after = '5m', notify = ['b'] } ]\n",
        5,
        "escalation.steps[1].after",
        "",
        "not later",
    ),
    (V + "escalation.repeat = 1000\n", 2, "escalation.repeat", "1000", "from 0 to 100"),
    (V + "[people]\nalice = 3\n", 3, "people.alice", "3", "must be a table"),
    (V + "people = 3\n", 2, "people", "3", "table of names"),
    (V + '[people."a b"]\n', 2, 'people."a b"', '"a b"', "ASCII letters"),
    (V + "[people.alice]\nactive = 'no'\n", 3, "people.alice.active", '"no"', "allowed: true, false"),
    (V + "[people.alice]\nemails = ['<a@b>']\n", 3, "people.alice.emails[0]", '"<a@b>"', "without < and >"),
    (V + "[people.alice]\naccounts = ['alice']\n", 3, "people.alice.accounts[0]", '"alice"', "host:login"),
    (V + "[people.alice]\nkeys = [1]\n", 3, "people.alice.keys[0]", "1", "OpenSSH public key"),
    (V + "[people.alice]\n[people.alice]\n", 3, "", "", "is no TOML"),
    (V + "[agents.a]\noperator = 'x'\n", 3, "agents.a.operator", '"x"', "nobody"),
    (V + "[agents.a]\noperator = 'a'\n", 3, "agents.a.operator", '"a"', "circle"),
    (V + "[services.s]\n[agents.a]\noperator = 's'\n", 4, "agents.a.operator", '"s"', "operates nobody"),
    (V + "[services.s]\noperator = 'x'\n", 3, "services.s.operator", "", "is no known key"),
    (V + "[people.a]\n[agents.a]\n", 3, "agents.a", "", "already among the people"),
    (V + "[teams]\nx = []\n", 3, "teams.x", "a list of 0", "names nobody"),
    (V + "[people.a]\n[teams]\nx = ['a', 'b']\n", 4, "teams.x[1]", '"b"', "nobody"),
    (V + "[people.a]\n[teams]\ny = ['a']\nx = ['y']\n", 5, "teams.x[0]", '"y"', "is a team"),
    (V + "[agents.a]\n[teams]\nx = ['a']\n", 4, "teams.x[0]", '"a"', "is an agent"),
    ("version = \n", 1, "", "", "is no TOML: Invalid value"),
    (V + "x = {", 2, "", "", "is no TOML"),
    (V + "version = 1\n", 2, "", "", "Cannot overwrite"),
    (V + "x = " + "[" * 20_000, 0, "", "", "nested too deeply"),
    (V + "x." * 100_000 + "x = 1\n", 2, "", "", "too many parts"),
    (R + "when." + "not." * 60 + "tier = 'hold'\n", 5, "requirement[0].when" + ".not" * 38, "a table of 1", "deeply"),
    (V + "a = '\udcff'\n", 2, "", "", "UTF-8"),
    (V.encode() + b"a = '\xff'\n", 2, "", "", "UTF-8"),
    (V + "#" * (1 << 20), 0, "", "", "too large"),
    (V + f"people.a.active = 0x{'f' * 5000}\n", 2, "people.a.active", "a number of 20000 bits", "true or false"),
    (V + f"repository = 1{'0' * 5000}\n", 0, "", "", "too long"),
    (V + f"repository = '{'x' * 300}'\n", 2, "repository", '"' + "x" * 77 + '..."', "1 to 200"),
    (V + 'repository = "a\\u202e\\"\\\\"\n', 2, "repository", '"a\\u202e\\"\\\\"', "printable"),
]


@pytest.mark.parametrize(("text", "line", "key", "value", "says"), MISTAKES)
def test_a_mistake_names_its_place_and_the_remedy(text, line, key, value, says):
    """One wrong thing gives one problem: file, line, key, value, and what would be right."""
    found = problems(text)
    assert [(p.file, p.line, p.key, p.value) for p in found] == [("twohand.toml", line, key, value)]
    assert says in str(found[0])


def test_all_mistakes_are_found_in_one_run_and_sorted_by_line():
    """Nobody has to run `policy validate` once per mistake."""
    text = V + "a = 1\n[owners]\nforge = 1\n[teams]\nx = ['n']\n[waivers]\nmax = 1\n"
    found = problems(text)
    assert [p.line for p in found] == [2, 4, 6, 8]
    assert str(found[1]) == "twohand.toml:4: owners.forge = 1: must be true or false (allowed: true, false)"


def test_operators_in_a_circle_are_each_named():
    """Law 15: operators are transitive, so that a circle would have nobody at its end."""
    text = V + "".join(f"[agents.{a}]\noperator = '{b}'\n" for a, b in ("ab", "bc", "ca", "da"))
    assert [p.key for p in problems(text)] == ["agents.a.operator", "agents.b.operator", "agents.c.operator"]


def test_a_wrong_person_is_still_a_name():
    """A mistake in a person is one mistake, not one more for every team they are in."""
    text = V + "[people.alice]\nkeys = ['x']\n[teams]\nsec = ['alice']\n[owners]\nfallback = ['sec']\n"
    assert [p.line for p in problems(text)] == [3]


def test_a_private_key_is_never_printed():
    """Whoever pastes the wrong half must not find it in a log."""
    text = V + '[people.a]\nkeys = ["-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNz"]\n'
    (problem,) = problems(text)
    assert "is a private key" in str(problem)
    assert "b3BlbnNz" not in str(problem)


def test_a_thousand_mistakes_are_a_hundred_and_a_number():
    """A hostile file cannot make an endless report."""
    found = problems(V + "".join(f"k{n} = 1\n" for n in range(1000)))
    assert len(found) == 101
    assert "900 more" in found[-1].message


def test_a_byte_order_mark_is_no_mistake():
    """Some editors write one."""
    assert policy.parse("\ufeff" + V, "x").version == 1


words = st.sampled_from(
    [
        "version = 1\n",
        "[[requirement]]\n",
        "name = 'a'\n",
        "from = ['human']\n",
        "when = { any = [{ ",
        "paths = ",
        "['**/x']",
        "}",
        "]",
        "[people.a]\n",
        "[teams]\n",
        "x = ['a']\n",
        "keys = ",
        "'ssh-ed25519 AAAA'",
        "[agents.b]\n",
        "operator = 'b'\n",
        "=",
        ".",
        '"',
        "'",
        "\\",
        "\n",
        ",",
        "{",
        "[",
        "1",
        "true",
        "#",
        "'''",
        "escalation.steps = ",
        "{ after = '1m', notify = ['x'] }",
        "\u2028",
        "\r",
        "-",
        "2026-01-01",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(words, max_size=30).map("".join), st.binary(max_size=100)))
@example("version = 1\nx = '\\\n")
@example('version = 1\n"\\q" = 1')
@example('version = 1\n"\\u0041" = 1')
@example("a = [1 }")
@example("a = {b}")
@example("a." * 70)
def test_no_text_does_anything_but_parse_or_say_why(text):
    """Any text is a policy or PolicyInvalid with at least one problem on a line that exists."""
    newline = b"\n" if isinstance(text, bytes) else "\n"
    try:
        lines = [policy.parse(text, "f").version]
    except PolicyInvalid as invalid:
        lines = [problem.line for problem in invalid.problems]
    assert lines
    assert all(0 <= line <= text.count(newline) + 1 for line in lines)


@given(st.integers(0, 10**8))
def test_durations_have_one_shortest_text(seconds):
    """What is written as a duration is read as the same seconds."""
    assert seconds_of(duration_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "m", "1", "1.5h", "-1m", "1w", "1h30m", " 1m", "²s", "1" * 10 + "s"])
def test_other_durations_are_refused(text):
    """Only whole numbers with s, m, h or d."""
    with pytest.raises(ValueError, match="a duration such as 2s, 15m, 1h or 7d"):
        seconds_of(text)


HOSTILE = {
    "dots": V + "[x" + ".a" * 400_000 + "]",
    "operators": V + "".join(f"[agents.a{i}]\noperator = 'a{i + 1}'\n" for i in range(18_000)),
    "strangers": V
    + "".join(f"[people.a{i}]\n" for i in range(15_000))
    + "[teams]\n"
    + "".join(f"t{i} = ['zz']\n" for i in range(15_000)),
    "globs": R + "when.paths = [" + ",".join(f"'{i}{'{a,b}' * 100}'" for i in range(1000)) + "]",
    "brackets": V + "x = [" + "[]," * 300_000 + "]",
    "names": V + "".join(f"a{i} = 1\n" for i in range(80_000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_file_of_the_largest_size_cannot_stall_it(text):
    """Whatever a megabyte says, it is answered."""
    started = time.perf_counter()
    assert problems(text)
    assert time.perf_counter() - started < 60
