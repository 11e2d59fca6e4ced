"""The engine at its edges: limits, half files, moved and retired code, links, routes, and what the parser gives up on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import conditions, kinds, lines, media, structure
from rules.catalogue import all_rules
from rules.fitness import is_fit
from rules.kinds import Kind
from rules.patterns import ENOUGH, PatternSet, Triggers
from rules.rule import Diff, Rule
from rules.scan import MAX_LINES, scan

GUARDED = "def change(user):\n    if not user.verified:\n        raise Denied('no')\n    return send(user)\n"
BARE = "def change(user):\n    return send(user)\n"


def _found(rule, *files, **options):
    return [each for each in scan([file.blobs() for file in files], **options).findings if each.rule == rule]


def test_too_many_lines_are_a_gap():
    """Law 3: a file of more lines than anybody reads is uncovered, and says so."""
    (gap,) = scan([Diff("a.py", b"", b"\n" * (MAX_LINES + 1)).blobs()]).uncovered
    assert gap.why == f"over {MAX_LINES} lines"


def test_without_rules_nothing_is_found():
    """An empty choice of rules is a choice; an empty set of patterns owns nothing."""
    assert not scan([Diff("a.py", GUARDED, BARE).blobs()], rules=()).findings
    assert not PatternSet([]).owners(b"if")


def _catalogue():
    return [(index, rule.triggers) for index, rule in enumerate(all_rules())]


SPOKEN = [Triggers(_catalogue()), Triggers(_catalogue()), PatternSet(_catalogue())]
SPOKEN[1].owners(GUARDED.encode() * (ENOUGH // len(GUARDED) + 1), ())
WORDS = [
    word
    for rule in all_rules()
    for diff in rule.HOLDS[:1]
    if isinstance(diff, Diff)
    for word in str(diff.old).split("\n")
]


@given(
    st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6), st.sets(st.integers(0, len(all_rules()) - 1))
)
def test_much_text_and_little_are_asked_the_same(parts, asked):
    """One by one or as a set, the same owners are found, of those that are asked."""
    text = "\n".join(parts).encode()
    little, much, whole = SPOKEN
    assert little.owners(text, asked) == much.owners(text, asked) == whole.owners(text) & asked


def test_a_rule_must_check():
    """Who writes a rule writes what it checks."""
    with pytest.raises(NotImplementedError):
        Rule().check(None)


def test_the_old_path_of_a_rename_needs_a_third_of_the_lines():
    """What shares a line or two with what came was not renamed."""
    shared = "import something_long\n"
    come = "".join(f"def paint_{n}(x):\n    return x + {n}\n" for n in range(9))
    assert not _found(
        "auth-check-removed", Diff("a/one.py", shared + GUARDED * 3, None), Diff("b/two.py", None, shared + come)
    )


def test_a_nested_guard_of_a_moved_function_is_compared():
    """A question that left its function for one that the change newly calls has moved, whatever file it stands in."""
    new = "def change(user):\n    ensure(user)\n    return send(user)\n\n\ndef ensure(user):\n    if not user.verified:\n        raise Denied('no')\n"
    assert not _found("auth-check-removed", Diff("a.py", GUARDED, new))
    uncalled = new.replace("    ensure(user)\n", "")
    assert _found("auth-check-removed", Diff("a.py", GUARDED, uncalled))


def test_a_retired_guard_function_is_held():
    """A function that refused is gone, with the decorator that used it: nothing of either stands in the new file."""
    old = (
        "def only_owner(view):\n    if not view.owner:\n        raise Denied()\n    return view\n\n\n"
        "def show(request):\n    only_owner(request)\n    return 1\n"
    )
    found = _found("verification-call-dropped", Diff("a.py", old, "def show(request):\n    return 1\n"))
    assert any("is gone and no longer called" in finding.message for finding in found)


def test_a_retired_function_that_asked_nothing_of_access_is_silent():
    """What is gone and was no check is no loss."""
    old = "def wide(box):\n    if box.w > 3:\n        paint(box)\n\n\ndef show(box):\n    wide(box)\n    return 1\n"
    assert not _found("verification-call-dropped", Diff("a.py", old, "def show(box):\n    return 1\n"))


@pytest.mark.parametrize(
    ("old", "new", "modes", "said"),
    [
        ("/a", None, ("120000", "000000"), "is gone"),
        ("/a", "x\n", ("120000", "100644"), "a file now"),
        (None, "/a", ("000000", "120000"), "this path is a link"),
    ],
)
def test_links_that_come_and_go_are_named(old, new, modes, said):
    """A link is judged by where it leads, whatever becomes of it."""
    (finding,) = _found("binary-or-too-large", Diff("lib", old, new, *modes))
    assert said in finding.message


def test_a_giant_line_of_code_is_held():
    """Nobody reads ten thousand characters of one line."""
    (finding, *_) = _found("binary-or-too-large", Diff("a.py", "x = 1\n", "x = '" + "a" * 20_000 + "'\n"))
    assert "too long" in finding.message + "".join(each.message for each in _)


def test_media_say_their_kind():
    """Law 3: a note about media names the kind, so that a policy can take it back; other findings have none."""
    for data, kind in (
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"wOF2\0\1\0\0", "font"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image"),
    ):
        (finding,) = _found("binary-or-too-large", Diff("x", None, data))
        assert media.kind_of(finding) == kind
    (finding,) = _found("binary-or-too-large", Diff("x", None, b"\x7fELF\2\1\1" + bytes(64)))
    assert media.kind_of(finding) == ""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"node_modules/a/index.js", Kind.VENDORED),
        (b"api/a_pb2.py", Kind.GENERATED),
        (b"src/UserTest.java", Kind.TEST),
        (b"src/test_a.py", Kind.TEST),
        (b"CHANGELOG", Kind.DOCS),
        (b"a.json", Kind.DATA),
    ],
)
def test_kinds_go_by_name(path, kind):
    """What a path is called decides how far a rule applies."""
    assert kinds.classify(path) is kind


def test_names_without_ending_have_a_language_too():
    """Ruby's build files end in nothing."""
    assert [kinds.language(name) for name in (b"Rakefile", b"x/Gemfile", b"Makefile")] == ["ruby", "ruby", ""]


@pytest.mark.parametrize("language", ["klingon", 1])
def test_what_the_parser_gives_up_on_is_no_tree(language):
    """An error or a panic of the native parser is a file that is read by lines."""
    assert structure._root("x", language) is None


def test_more_nodes_than_anybody_wrote_are_read_by_lines():
    """Beyond the limit there are no facts."""
    assert structure.read(b"f()\n" * 30_000, "python", {}) is None


def test_closed_brackets_count_as_closed():
    """Deep nesting is found behind thousands of closed brackets, and in a mix of all kinds."""
    assert is_fit(b"()[]{}\n" * 900 + b"(" * 60)
    assert not is_fit(b"()[]{}\n" * 900 + b"([{" * 30)
    assert not is_fit(b"(" * 40 + b")" * 40 + b"\n" + b"(" * 65)
    assert is_fit(b")(" * 900)


def test_equal_lines_far_apart_are_set_aside():
    """Blocks of equal lines at both ends are no difference, nor is indentation; the right one of equals is named."""
    old = b"\n".join(b"line %d" % n for n in range(300))
    new = old.replace(b"line 150\n", b"").replace(b"line 7\n", b"  line 7\n")
    changed = lines.compare(old, new)
    assert [line.number for line in changed.removed] == [151]
    assert not changed.added


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("python", "    @a\n    def f(self, u):\n        def g():\n            return 1\n        return go(u)\n", None),
        (
            "python",
            "    if self:\n        def f(self, u):\n            if not u.owner: raise X\n            return 1\n",
            None,
        ),
    ],
)
def test_a_function_inside_is_apart(function, old, new):
    """Functions inside of others are read by themselves."""
    facts = structure.read(("class A:\n" + old).encode(), function, {})
    assert {span.name for span in facts.spans} >= {"A", "A.f"}


def test_a_guard_in_a_function_that_a_condition_defines_is_seen():
    """What stands in a function that is defined inside of a condition counts for that function."""
    old = "if DEBUG:\n    def show(user):\n        if not user.owner:\n            raise Denied()\n        return 1\n"
    assert _found(
        "auth-check-removed", Diff("a.py", old, old.replace("            raise Denied()\n", "            pass\n"))
    )


def test_functions_of_one_name_are_read_together():
    """A second function of the same name does not hide what the first lost."""
    two = GUARDED + "\n\n" + BARE
    assert _found("auth-check-removed", Diff("a.py", GUARDED, BARE + "\n\n" + BARE))
    assert not _found("auth-check-removed", Diff("a.py", GUARDED, two))


ROUTES = "app.group('/keys', requireAuth, () => {\n  app.get('/one', one)\n})\n"


def test_a_route_that_left_its_guarded_group_is_held():
    """The group is gone, its route still stands: so nobody asks any more."""
    other = "app.group('/keys', () => {\n  app.get('/one', one)\n})\n"
    assert _found("security-decorator-or-middleware-dropped", Diff("a.js", ROUTES, other))
    more = ROUTES + "app.group('/keys', requireAuth, () => {\n  app.get('/two', two)\n})\n"
    loose = ROUTES + "app.get('/two', two)\n"
    assert _found("security-decorator-or-middleware-dropped", Diff("a.js", more, loose))


def test_marks_that_guard_are_compared():
    """A permission class that admits everybody, and a decorator that skips, are seen; a moved one is not lost."""
    old = "class Keys(View):\n    permission_classes = [IsAdmin]\n"
    rule = "security-decorator-or-middleware-dropped"
    assert _found(rule, Diff("a.py", old, old.replace("IsAdmin", "AllowAny")))
    assert _found(rule, Diff("a.rb", "class A\nend\n", "class A\n  skip_before_action :require_login\nend\n"))
    assert not _found(rule, Diff("a.py", "@csrf_exempt\ndef a():\n    go()\n", "@cached\ndef a():\n    go()\n"))


def test_a_turned_condition_is_named():
    """The same questions with another answer are another condition."""
    old = "def open(user):\n    return user.is_active and not user.revoked\n"
    (finding,) = _found("predicate-weakened", Diff("a.py", old, old.replace("not user", "user")))
    assert "became" in finding.message


@pytest.mark.parametrize("text", ["((a, b))", "(\n# a\na)", "()"])
def test_wrappers_around_anything_are_taken_off(text):
    """Parentheses around several things, around comments or around nothing do not hide what is asked."""
    facts = structure.read(f"def f():\n    if {text}:\n        return None\n".encode(), "python", {})
    assert len(facts.branches("f")[0].condition.atoms) == 1


def test_a_condition_of_many_questions_is_cut():
    """A chain longer than anybody reads ends at the limit, without recursion."""
    text = " and ".join(f"a{n}" for n in range(conditions.MAX_ATOMS + 50))
    facts = structure.read(f"def f():\n    if {text}:\n        return None\n".encode(), "python", {})
    assert len(facts.branches("f")[0].condition.atoms) == conditions.MAX_ATOMS


def test_an_error_passed_on_is_no_check():
    """Who no longer passes an error on has taken no check of ours away; leaving with nothing where nothing is valid is one."""
    old = "package a\n\nfunc F() error {\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn nil\n}\n"
    assert not _found(
        "auth-check-removed", Diff("a.go", old, old.replace("\tif err != nil {\n\t\treturn err\n\t}\n", ""))
    )
    old = "def paint(box):\n    if not box.valid:\n        return None\n    return go(box)\n"
    assert _found("auth-check-removed", Diff("a.py", old, "def paint(box):\n    return go(box)\n"))
    old = old.replace("None", "go(1)").replace("valid", "null")
    assert not _found("auth-check-removed", Diff("a.py", old, "def paint(box):\n    return go(box)\n"))


def test_a_function_that_is_gone_but_still_named_or_never_used_is_silent():
    """Only what was used by code that stays, and is used no more, was retired."""
    helper = "def only_owner(view):\n    if not view.owner:\n        raise Denied()\n    return view\n\n\n"
    stays = "def show(request):\n    return 1\n"
    rule = "verification-call-dropped"
    assert not _found(rule, Diff("a.py", helper + stays, stays))
    assert not _found(rule, Diff("a.py", helper + stays, "from b import only_owner\n" + stays))


def test_a_guard_that_moved_into_dead_code_of_its_own_file_is_held():
    """Every line of the guard still stands, in the same file; nobody calls it there."""
    dead = BARE + "\n\ndef ensure(user):\n    if not user.verified:\n        raise Denied('no')\n"
    assert _found("auth-check-removed", Diff("a.py", GUARDED, dead))


def test_parentheses_without_end_are_not_followed():
    """Unwrapping stops where no person would have gone on."""
    text = "(" * 70 + "a" + ")" * 70
    facts = structure.read(f"def f():\n    if {text}:\n        return None\n".encode(), "python", {})
    (atom,) = facts.branches("f")[0].condition.atoms
    assert atom.text.startswith("(")
