"""What is read of source files, in every language, and how two conditions compare."""

import pytest

from rules import structure
from rules.fitness import is_fit
from rules.grammars import GRAMMARS

SAMPLES = {
    "python": "class A:\n    @guarded\n    def f(self, u):\n        if not u.ok and u.b != 1:\n            raise X\n        return go(u)\n",
    "javascript": "class A { f(u) { if (!u.ok && u.b !== 1) { throw new X(); } return go(u); } }",
    "typescript": "class A { @guarded() f(u: U): void { if (!u.ok && u.b !== 1) { throw new X(); } go(u); } }",
    "tsx": "const f = (u: U) => { if (!u.ok && u.b !== 1) { throw new X(); } go(u); return <b/>; };",
    "go": "package a\nfunc (a *A) f(u U) error {\n\tif !u.ok && u.b != 1 {\n\t\treturn X\n\t}\n\treturn go(u)\n}\n".replace(
        "go(", "run("
    ),
    "java": "class A { @Guarded void f(U u) { if (!u.ok && u.b != 1) { throw new X(); } go(u); } }",
    "ruby": "class A\n  def f(u)\n    raise X if !u.ok && u.b != 1\n    go(u)\n  end\nend\n",
    "php": "<?php class A { #[Guarded] function f($u) { if (!$u->ok && $u->b != 1) { throw new X(); } go($u); } }",
    "rust": "impl A { fn f(&self, u: U) -> R { if !u.ok && u.b != 1 { return Err(X); } go(u) } }",
    "c": "int f(struct u *u) { if (!u->ok && u->b != 1) { return -1; } return go(u); }",
    "cpp": "class A { int f(U u) { if (!u.ok && u.b != 1) { throw X(); } return go(u); } };",
    "csharp": "class A { [Guarded] void f(U u) { if (!u.ok && u.b != 1) { throw new X(); } go(u); } }",
    "kotlin": "class A { fun f(u: U) { if (!u.ok && u.b != 1) { throw X() } ; go(u) } }",
}


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_reads_functions_conditions_and_calls(language):
    """Every grammar of the table gives the function, its question with two parts, and its calls."""
    facts = structure.read(SAMPLES[language].encode(), language, {})
    (function,) = [span.name for span in facts.spans if span.is_function]
    assert function.split(".")[-1] == "f"
    (branch,) = facts.branches(function)
    assert [(atom.positive, atom.joined) for atom in branch.condition.atoms] == [(False, "and"), (False, "and")]
    assert {"go", "run"} & {call.name for call in facts.calls(function)}


@pytest.mark.parametrize("language", ["python", "typescript", "java", "php", "csharp"])
def test_reads_marks(language):
    """Decorators, annotations and attributes know what they stand on."""
    facts = structure.read(SAMPLES[language].encode(), language, {})
    assert [(mark.name.lower(), mark.target) for mark in facts.marks] == [("guarded", "f")]


def test_what_has_no_grammar_has_no_facts():
    """Unknown languages and empty files give nothing, and nothing breaks."""
    assert structure.read(b"x", "klingon", {}) is None
    assert structure.read(b"", "python", {}) is None


def _condition(text):
    facts = structure.read(f"def f():\n    if {text}:\n        return None\n".encode(), "python", {})
    return frozenset((atom.text, atom.positive, atom.joined) for atom in facts.branches("f")[0].condition.atoms)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a and b", "b and a"),
        ("not (a or b)", "not a and not b"),
        ("not (a and not b)", "b or not a"),
        ("a != b", "not a == b"),
        ("x not in y", "not (x in y)"),
        ("a  .  b", "a.b"),
        ("((a))", "a"),
        ("a is not None", "not (a is None)"),
        ("a >= b", "not a < b"),
        ("a and \\\n b", "a and b"),
        ("(a and  # why\n            b)", "a and b"),
    ],
)
def test_equal_questions_compare_equal(one, other):
    """Order, parentheses, negation and turned comparisons are without effect."""
    assert _condition(one) == _condition(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a and b", "a or b"), ("a", "not a"), ("a == b", "a != b"), ("a and b", "a"), ("a < b", "a <= b")],
)
def test_different_questions_compare_different(one, other):
    """What admits somebody else is another question."""
    assert _condition(one) != _condition(other)


def test_functions_on_one_line_are_told_apart():
    """Code without line breaks is read like any other."""
    facts = structure.read(b"function a(){ if (x) { throw y } } function b(){ if (z) { throw y } }", "javascript", {})
    assert [branch.condition.text for branch in facts.branches("b")] == ["(z)"]


def test_what_the_grammar_cannot_make_out_is_known():
    """Broken lines are listed, so that they can be read as lines."""
    facts = structure.read(b"def f():\n    if not x:\n        raise Y\n    print 'a' ) (\n", "python", {})
    assert any(4 in lines for lines in facts.broken)


@pytest.mark.parametrize("data", [b"(" * 65, b"a<" * 65, b"x" * 5001, b"x\n" * 300_000])
def test_what_nobody_wrote_is_not_fit(data):
    """Depth, length of a line and size have limits; they are about memory, not about style."""
    assert not is_fit(data)


@pytest.mark.parametrize(
    "data", [b"for (i = 0; i < n; i++) {}\n" * 500, b"Map<K, List<V>> m;\n" * 500, b"f(g(h(1)))\n" * 500]
)
def test_ordinary_code_is_fit(data):
    """Comparisons and generics do not add up to depth."""
    assert is_fit(data)


@pytest.mark.parametrize(
    ("language", "text", "asked"),
    [
        ("python", "def f(u):\n    assert u.owner\n", "u.owner"),
        ("python", "def f(u):\n    return a if u.owner else b\n", "u.owner"),
        ("go", "package a\nfunc f(u U) {\n\tswitch {\n\tcase !u.Owner:\n\t\treturn\n\t}\n}\n", "!u.Owner"),
        ("kotlin", "fun f(u: U) { while (u.owner) { go() } }", "u.owner"),
        ("ruby", "def f(u)\n  deny unless u.owner\nend\n", "u.owner"),
        ("cpp", "int f(U u) { if (int n = g(); u.owner) { return 1; } return 0; }", "u.owner"),
        ("javascript", "x.f = function () { if (u.owner) { throw y } }", "u.owner"),
    ],
)
def test_every_way_to_ask_is_read(language, text, asked):
    """Asserts, ternaries, cases, loops, modifiers, and conditions with a declaration before them."""
    facts = structure.read(text.encode(), language, {})
    branches = facts.branches("f")
    assert asked in " ".join(branch.condition.text for branch in branches)


def test_what_follows_a_guard_is_found_behind_comments():
    """A few comments hide no statement; many are the end of the search."""
    for count, found in ((3, "raise X"), (9, "")):
        comments = "    # why\n" * count
        text = f"def f(u):\n    if u.ok:\n        return go(u)\n{comments}    raise X\n"
        assert structure.read(text.encode(), "python", {}).branches("f")[0].otherwise == found


def test_a_refusal_in_a_block_comment_is_no_refusal():
    """Comments of every kind are taken off what is done, closed or not."""
    assert structure.uncommented("a /* throw x */ b").split() == ["a", "b"]
    assert structure.uncommented("a /* throw x").split() == ["a"]


def test_marks_in_a_row_stand_on_one_method():
    """Several decorators of a method stand on it alike; one of the whole file stands on nothing."""
    facts = structure.read(b"class A { @guarded() @logged() f(u: U): void { go(u); } }", "typescript", {})
    assert {mark.target for mark in facts.marks} == {"f"}
    facts = structure.read(b"[assembly: Guarded]\nclass A { }\n", "csharp", {})
    assert [mark.target for mark in facts.marks] == [""]
    facts = structure.read(b"fn f() { { { { { #[guarded] let x = 1; } } } } }", "rust", {})
    assert [mark.target for mark in facts.marks] == [""]
