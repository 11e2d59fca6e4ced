"""Own rules: TOML files of a repository that say what its people want to be told of."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.findings import Tier
from rules.own.book import RuleFile, RulesInvalid, digest, rules_of
from rules.own.trial import failures, untested
from rules.rule import Diff
from rules.scan import all_rules, scan

HEAD = '[[rule]]\nslug = "tenant-filter"\ntier = "hold"\nmessage = "a query no longer asks for the tenant"\n'
REMOVED = HEAD + "kind = \"removed\"\npattern = 'tenant_id\\s*='\n"
ADDED = HEAD + "kind = \"added\"\npattern = '(?i)eval\\('\n"
CODE = HEAD + 'kind = "removed-from-function"\nlanguages = ["python"]\npattern = "require_owner($$$A)"\n'


def rules(text, name="main:.twohand/rules/a.toml"):
    return rules_of((RuleFile(name, text.encode()),))


def found(text, *diffs, everything=False):
    chosen = (*all_rules(), *rules(text)) if everything else rules(text)
    seen = scan([diff.blobs() for diff in diffs], rules=chosen).findings
    return [(f.tier, f.path, f.side, f.line, f.message) for f in seen if f.rule == "tenant-filter"]


def problems(text):
    with pytest.raises(RulesInvalid) as caught:
        rules(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_line_that_lost_its_pattern_is_found_where_it_stood():
    """`removed` speaks of the old side, with the rule's tier and sentence."""
    diff = Diff("app/orders.py", "x = 1\nq.filter(tenant_id=t)\n", "x = 1\nq.all()\n")
    assert found(REMOVED, diff) == [(Tier.HOLD, "app/orders.py", "old", 2, "a query no longer asks for the tenant")]


def test_a_line_that_was_edited_beside_its_pattern_lost_nothing():
    """The pattern's own text has to be gone."""
    assert not found(REMOVED, Diff("a.py", "q.filter(tenant_id = t).all()\n", "q.filter(tenant_id=t).first()\n"))


@pytest.mark.parametrize(
    "comment", ["# tenant_id=t", "x = 1  # tenant_id=t", "// tenant_id=t", "* tenant_id=t", "/* tenant_id=t */"]
)
def test_a_comment_stands_for_no_line(comment):
    """A match that only a comment has is gone; one that comes out of a comment has come."""
    old, new = "q.filter(tenant_id=t)\n", f"{comment}\nq.all()\n"
    assert found(REMOVED, Diff("a.py", old, new))
    assert found(ADDED.replace("(?i)eval\\(", "tenant_id="), Diff("a.py", new, old))


def test_of_two_that_stood_there_the_lost_one_counts():
    """Matches are counted, so that one that stays does not stand for one that goes."""
    old = "a.filter(tenant_id=t)\nb.filter(tenant_id=t)\n"
    assert len(found(REMOVED, Diff("a.py", old, "a.filter(tenant_id=t, x=1)\nb.all()\n"))) == 1


def test_a_line_that_moved_to_another_file_is_not_lost():
    """Moved code is not removed code."""
    line = "q.filter(tenant_id=t)\n"
    assert not found(REMOVED, Diff("a.py", line + "x = 1\n", "x = 1\n"), Diff("b.py", "y = 1\n", "y = 1\n" + line))


def test_a_line_that_won_its_pattern_is_found_where_it_stands():
    """`added` speaks of the new side; what was there before is not new."""
    assert found(ADDED, Diff("a.js", "a\n", "a\nEVAL(x)\n"))[0][2:4] == ("new", 2)
    assert not found(ADDED, Diff("a.js", "eval(x) // old\n", "eval(x)\n"))


GUARDED = "def view(user, doc):\n    require_owner(user, doc)\n    return doc\n\n\ndef other(user):\n    return user\n"


NEW = "\n\ndef new(user, doc):\n    require_owner(user, doc)\n"


def test_code_that_a_function_lost_is_found_in_that_function():
    """`removed-from-function` names the function and the line."""
    (only,) = found(CODE, Diff("a.py", GUARDED, GUARDED.replace("    require_owner(user, doc)\n", "")))
    assert only[2:4] == ("old", 2)
    assert only[4].endswith("(gone from `view`)")


@pytest.mark.parametrize(
    "new",
    [
        GUARDED.replace("require_owner(user, doc)", "require_owner(\n        user,  doc\n    )"),
        GUARDED.replace("require_owner(user, doc)", "require_owner(user, doc.parent)"),
        GUARDED.replace("def view", "def show"),
        GUARDED.replace("    require_owner(user, doc)\n", "    _guard(user, doc)\n")
        + "\n\ndef _guard(user, doc):\n    require_owner(user, doc)\n",
        "def other(user):\n    return user\n",
        "# twohand: ignore\n" + GUARDED,
    ],
    ids=["reformatted", "asked of another", "renamed", "extracted", "deleted", "commented"],
)
def test_code_that_is_still_there_is_not_lost(new):
    """Formatting, a new name, a helper that is new, and the end of the whole function are no removals."""
    assert not found(CODE, Diff("a.py", GUARDED, new))


@pytest.mark.parametrize(
    "new",
    [
        GUARDED.replace("    require_owner(user, doc)\n", "").replace("def view", "def show"),
        GUARDED.replace("    require_owner(user, doc)\n", "").replace(
            "    return user", "    require_owner(user, doc)\n    return user"
        ),
        GUARDED.replace("    require_owner(user, doc)\n", "    # require_owner(user, doc)\n"),
        GUARDED.replace("    require_owner(user, doc)\n", "") + NEW,
        GUARDED.replace("    require_owner(user, doc)\n", '    # new(user, doc)\n    "new(user, doc)"\n') + NEW,
    ],
    ids=["renamed", "other function", "commented out", "a new function of its own", "a new function in words"],
)
def test_code_that_only_seems_to_be_there_is_lost(new):
    """A new name, another function that was there before, or a comment does not stand for the check."""
    assert len(found(CODE, Diff("a.py", GUARDED, new))) == 1


def test_a_file_that_cannot_be_parsed_is_held():
    """What the grammar cannot read is said, never passed over; a note becomes a hold."""
    deep = "x = " + "(" * 90 + ")" * 90 + "\n"
    note = CODE.replace('"hold"', '"note"')
    (only,) = found(note, Diff("a.py", GUARDED, GUARDED.replace("require_owner(user, doc)", "pass") + deep))
    assert only[0] is Tier.HOLD
    assert "cannot be parsed" in only[4]


def test_languages_paths_and_words_narrow_a_rule():
    """All three must let it look; empty ones do."""
    text = REMOVED + 'languages = ["python"]\npaths = ["app/**"]\nwords = ["Tenant"]\n'
    old, new = "q.filter(tenant_id=t)\n", "q.all()\n"
    assert found(text, Diff("app/a.py", old, new))
    assert not found(text, Diff("app/a.rb", old, new))
    assert not found(text, Diff("lib/a.py", old, new))
    assert not found(text.replace('"Tenant"', '"landlord"'), Diff("app/a.py", old, new))


def test_own_rules_run_beside_the_catalogue():
    """The same scan finds what both find."""
    diff = Diff("app/a.py", "if user.is_admin:\n    q.filter(tenant_id=t)\n", "q.all()\n")
    assert found(REMOVED, diff, everything=True)


@pytest.mark.parametrize("comment", ["twohand: ignore", "twohand:ignore tenant-filter", "nosec", "noqa", "nosemgrep"])
def test_no_comment_waives_a_finding(comment):
    """A waiver belongs to people, who sign it (law 35): what stands in the change silences no rule."""
    old = "import hashlib\nq.filter(tenant_id=t)\nrequests.get(u)\n"
    new = f"# {comment}\nimport hashlib\nq.all()  # {comment}\nrequests.get(u, verify=False)  # {comment}\n"
    seen = scan([Diff("app/a.py", old, new).blobs()], rules=(*all_rules(), *rules(REMOVED))).findings
    assert {"tenant-filter", "tls-verification-off"} <= {finding.rule for finding in seen}


# -- mistakes ---------------------------------------------------------------------------------------------------------

WRONG = {
    "unknown key": (REMOVED + "patern = 'x'\n", 'a.toml:7: rule[0].patern: is no known key; did you mean "pattern"?'),
    "missing": (HEAD, "a.toml:1: rule[0].kind: is missing"),
    "kind": (REMOVED.replace('"removed"', '"gone"'), 'a.toml:5: rule[0].kind = "gone": is not one of'),
    "tier": (REMOVED.replace('"hold"', '"panic"'), 'a.toml:3: rule[0].tier = "panic"'),
    "language": (REMOVED + 'languages = ["pyhton"]\n', 'rule[0].languages[0] = "pyhton"'),
    "glob": (REMOVED + 'paths = ["!src"]\n', "negation is written"),
    "re2": (REMOVED.replace("'tenant_id\\s*='", "'(?=x)'"), 'a.toml:6: rule[0].pattern = "(?=x)": is no RE2 pattern'),
    "empty match": (REMOVED.replace("'tenant_id\\s*='", "'x*'"), "matches a line that holds nothing"),
    "ends": (REMOVED.replace("'tenant_id\\s*='", "'\\Ax'"), "a line begins with ^"),
    "huge": (REMOVED.replace("'tenant_id\\s*='", "'((a{1,100}){1,100}){1,100}'"), "is no RE2 pattern"),
    "catalogue": (REMOVED.replace("tenant-filter", "auth-check-removed"), "is the name of a rule of the catalogue"),
    "no language": (CODE.replace('languages = ["python"]\n', ""), "must name languages"),
    "no grammar": (CODE.replace('"python"', '"sql"'), "rule[0].languages = a list of 1: must name languages"),
    "ast-grep": (CODE.replace("require_owner($$$A)", "one two three; four\\nfive"), "is no ast-grep pattern"),
    "all meta": (CODE.replace("require_owner($$$A)", "$A($B)"), "names nothing"),
    "empty example": (REMOVED + '[[rule.holds]]\npath = "a.py"\n', "a.toml:7: rule[0].holds[0]: shows no file"),
    "bad path": (REMOVED + '[[rule.holds]]\npath = "../a.py"\nold = "x"\n', "a path inside the repository"),
    "no rule": ("", "rule: is missing"),
    "no TOML": ("[[rule]\n", "a.toml:1: is no TOML"),
    "twice": (REMOVED + REMOVED, "is already the name of a rule in main:.twohand/rules/a.toml"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_place(name):
    """File, line, key, value and what is allowed."""
    text, said = WRONG[name]
    assert any(said in problem for problem in problems(text)), problems(text)
    assert all("a.toml" in problem for problem in problems(text))


def test_all_mistakes_of_all_files_are_told_at_once():
    """One run finds them all."""
    files = tuple(RuleFile(name, (HEAD + 'kind = "x"\n').encode()) for name in ("a.toml", "b.toml"))
    with pytest.raises(RulesInvalid) as caught:
        rules_of(files)
    assert {problem.file for problem in caught.value.problems} == {"a.toml", "b.toml"}


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_break_the_reader(data):
    """Any file is rules or mistakes."""
    with suppress(RulesInvalid):
        assert rules_of((RuleFile("a.toml", data),))


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_change_breaks_an_own_rule(old, new):
    """Whatever a file holds, own rules of every kind answer."""
    for text in (REMOVED, ADDED, CODE):
        found(text, Diff("a.py", old + b"\nrequire_owner(x)\n", new))


# -- examples ---------------------------------------------------------------------------------------------------------

TRIED = (
    REMOVED
    + '[[rule.holds]]\npath = "a.py"\nold = "tenant_id = 1"\nnew = "x"\n[[rule.passes]]\npath = "a.py"\nnew = "y"\n'
)


def test_examples_that_do_what_they_say_fail_nowhere():
    """A rule with right examples is tested."""
    (rule,) = rules(TRIED)
    assert list(failures(rule)) == []
    assert untested([rule]) == []


def test_examples_that_do_not_are_failures():
    """Both parts are tried, and a rule without `holds` is untested."""
    (rule,) = rules(TRIED.replace("tenant_id = 1", "landlord").replace('new = "y"', 'old = "tenant_id = 2"'))
    assert [(failure.part, failure.number) for failure in failures(rule)] == [("holds", 1), ("passes", 1)]
    assert untested(rules(REMOVED)) == ["tenant-filter"]


def test_the_digest_moves_with_every_byte():
    """What judged can be told from what judges now."""
    one, two = RuleFile("a", b"x"), RuleFile("a", b"y")
    assert digest([one]) != digest([two])
    assert digest([one, two]) != digest([two, one])
    assert len(digest([])) == 12
