"""A decision in words: calm, complete, harmless."""

import string

import pytest

from rules.reasons import CODES
from streams.sinks.render import text, words
from tests.decisions import HEAD, admitted, author, decision, finding, hostile, reason, requirement, review


def told(value: dict, *, width: int = 80, verbose: bool = False, colour: bool = False) -> str:
    return text.render(value, quiet=False, verbose=verbose, colour=colour, width=width)


def test_every_reason_code_has_words() -> None:
    """Law 41: no refusal without what it means and what to do."""
    assert set(words.WORDS) == {*CODES, words.ANY_FINDING}
    assert all(one.line and one.means and one.do and one.who for one in words.WORDS.values())


KNOWN = {
    "subject", "with", "evidence", "axis", "counted", "needed", "who", "why", "paths", "owners", "place", "weight",
    "reason", "commits", "claims", "at", "problem", "dropped", "by", "may",
}  # fmt: skip


@pytest.mark.parametrize("code", [*CODES, "finding.auth-check-removed"])
def test_every_sentence_stands_without_values(code: str) -> None:
    """A reason that tells less than its words ask for still gives a sentence."""
    found = words.words_of(code)
    assert found
    assert {name for _, name, _, _ in string.Formatter().parse(found.line) if name} <= KNOWN
    assert words.line(reason(code, "src/a.py")).strip()
    assert words.who(reason(code, "src/a.py"))


def test_the_outcome_comes_first_and_what_was_judged_beside_it() -> None:
    """One word, then one line."""
    first = told(decision()).splitlines()[0]
    assert first == f"escalated  feature ({HEAD[:12]}) -> main, 1 commit, 1 file, +0 -2"


def test_every_refusal_names_code_subject_who_and_command() -> None:
    """Law 41: what is missing, who can supply it, and the command that does."""
    page = told(decision())
    assert "owner.required  an owner must answer for src/a.py: alice" in page
    assert f"\n  twohand approve {HEAD[:12]} --target main --as alice\n      alice, for owners\n" in page


def test_reasons_of_one_requirement_stand_together() -> None:
    """The requirement is named once, and a code once for all it says."""
    rows = [
        reason("self-review.model", "one", "a hand", evidence="m"), reason("veto", "eve", reason="no"),
        reason("self-review.model", "two", "a hand", evidence="m"),
    ]  # fmt: skip
    page = told(decision(reasons=rows, requirements=[requirement("a hand")]))
    assert page.count("a hand (0 of 1)") == 1
    assert page.count("self-review.model") == 1
    assert page.index("one is the model") < page.index("two is the model") < page.index("eve objects")


def test_axes_of_a_recused_review_stand_in_a_table() -> None:
    """Law 23: each axis has its answer, and SAME says with whom."""
    page = told(decision())
    assert "              identity   operator   session    model      family\n" in page
    assert "  claude-two  distinct   distinct   distinct   SAME       SAME\n              SAME as claude\n" in page


def test_a_command_for_several_reasons_is_shown_once() -> None:
    """Nobody pastes the same line twice."""
    rows = [
        reason("owner.required", "a", "one", owners=["alice"]),
        reason("owner.required", "b", "two", owners=["alice"]),
    ]
    page = told(decision(reasons=rows))
    assert page.count("--as alice") == 1
    assert "      alice, for one; two\n" in page


def test_who_answers_for_the_change_comes_before_who_approves_it() -> None:
    """An approval counts only once somebody answers for the change; repairs come next, waivers last."""
    rows = [
        reason("approval.missing", "a", "one", "twohand approve x --as bob", who=["bob"]),
        reason("finding.secret-added", "a", "", "twohand waive x --finding f", tier="block"),
        reason("owner.unresolved", "a", "two", "twohand owners"),
        reason("owner.required", "a", "two", "twohand approve x --as alice", owners=["alice"]),
        reason("provenance.missing", "a", "", "twohand propose x --as NAME"),
    ]
    lines = told(decision(reasons=rows)).split("\nnext\n")[1].splitlines()
    shown = [line.split()[1] for line in lines if line.startswith("  twohand ")]
    assert shown == ["propose", "owners", "approve", "approve", "waive"]


def test_a_model_is_asked_again_and_nobody_signs_for_it() -> None:
    """Beside a person who can sign, and alone."""
    values = {"who": ["first", "third"], "models": ["third"]}
    page = told(decision(reasons=[reason("approval.missing", "a", "one", "twohand approve x --as first", **values)]))
    following = " ".join(page.split("\nnext\n")[1].split())
    assert "third is asked again by `twohand review` (or its worker)" in following
    assert "twohand approve x --as first first, for one" in following
    alone = reason("approval.missing", "a", "one", "twohand review", who=["third"], models=["third"])
    assert "approve" not in told(decision(reasons=[alone])).split("\nnext\n")[1]


def test_what_no_worker_could_handle_is_retried_or_dropped() -> None:
    """A waiver would not tell what it said: the letter is named with the commands that end it."""
    name = "twohand.changes:3:17:twohand-decider"
    letter = {**finding(), "rule": "dead-letter", "path": "", "quote": name}
    row = reason("finding.dead-letter", "", remedy="twohand waive x --finding dead-letter", tier="block")
    page = told(decision(reasons=[row], findings=[letter]))
    assert f"\n  twohand dead-letters retry {name}\n" in page
    assert "twohand dead-letters drop" in page
    assert "waive" not in page.split("\nnext\n")[1]


def test_machine_names_are_told_in_words() -> None:
    """Ids are cut to what people compare; all of it stands in the long form."""
    names = f"published beside it: {'a' * 64}, source, rules"
    page = told(decision(read_from=["refs (2)", "/home/ci/shop/.git/twohand/journal.db", names]), width=200)
    assert "read from: refs (2), the journal, published beside it: aaaaaaaaaaaa, the source's own look, rules\n" in page
    assert names in told(decision(read_from=["refs (2)", names]), width=200, verbose=True)


def test_only_owners_who_approved_are_named_as_such() -> None:
    """Of several owners the one whose approval counts; nobody where none is known."""
    row = {"path": "src/a.py", "owners": ["kurt", "tamir"], "state": "approved"}
    page = told(decision(owners=[row], reviews=[review("kurt"), review("tamir", same=("identity",))]))
    assert "  approved  by kurt: src/a.py\n" in page
    assert "  approved  src/a.py\n" in told(decision(owners=[row], reviews=[]))


def test_who_spoke_first_stands_first() -> None:
    """In the order of time, then of names."""
    rows = [
        review("zoe") | {"time": "2026-03-01T10:00:00Z"},
        review("bob") | {"time": "2026-03-01T11:00:00Z"},
        review("ann") | {"time": "2026-03-01T11:00:00Z"},
    ]
    page = told(decision(reviews=rows))
    assert page.index("zoe  person") < page.index("ann  person") < page.index("bob  person")


def test_a_name_is_cut_only_where_the_line_ends() -> None:
    """An address fits; what does not fit says how much is missing."""
    whole = "pre-commit-ci[bot] <66853113+pre-commit-ci[bot]@users.noreply.github.com>"
    page = told(decision(authors=[author(whole), author("x" * 300)]), width=100)
    assert f"  {whole}\n" in page
    assert f"  {'x' * 86}... (+214)\n" in page


def test_stamps_say_what_they_mean() -> None:
    """A few words beside each, also beside one of a later version."""
    page = told(decision(stamps=["waived", "new"]))
    assert "stamps: waived (a finding or objection was overridden by name), new\n" in page


def test_a_command_that_a_shell_would_split_is_no_bait() -> None:
    """A branch is called what its author likes."""
    rows = [reason("owner.required", "a", remedy="twohand approve x --target a;reboot --as b")]
    assert "  not to be pasted as it is: twohand approve x --target a;reboot --as b\n" in told(decision(reasons=rows))


def test_quiet_is_one_line() -> None:
    """Outcome and codes, for scripts and prompts."""
    rows = [reason("veto", f"n{at}") for at in range(5)]
    line = text.render(decision(reasons=rows), quiet=True, verbose=False, colour=True)
    assert line == "escalated veto n0; veto n1; veto n2; and 2 more\n"
    assert text.render(admitted(), quiet=True, verbose=False, colour=False) == "admitted\n"


def test_long_lists_are_cut_with_a_count_and_whole_when_asked() -> None:
    """Many of one sort hide no other sort; -v shows all."""
    many = [finding(path=f"src/{at}.py") for at in range(50)]
    rows = [reason("finding.auth-check-removed", one["path"], tier="hold") for one in many]
    value = decision(findings=[*many, finding("secret-added", "block", path="k")], reasons=rows)
    page, whole = told(value), told(value, verbose=True)
    assert "and 47 more; -v shows all" in page
    assert "and 48 more; -v shows all" in page
    assert page.index("k:5") < page.index("src/0.py:5 (before)")
    assert "more; -v" not in whole
    assert "src/49.py:5 (before)" in whole


def test_verbose_shows_evidence_axes_and_policies() -> None:
    """Everything that the decision holds can be read."""
    whole = told(decision(), verbose=True)
    for part in ("C mark: Claude-Session", "model same: with claude", "c" * 64, "identity distinct (A)", "a" * 64):
        assert part in whole


def test_ordinary_lines_fit_the_terminal() -> None:
    """80 columns are enough, and 100 are never exceeded."""
    for width in (80, 100):
        lines = told(
            decision(authors=[author("claude"), author("a-name-as-long-as-they-come")]), width=width
        ).splitlines()
        assert max(map(len, lines)) <= width


def test_a_hostile_change_cannot_reach_the_terminal() -> None:
    """Names, paths, messages and quotes are printable text of one line, whatever they hold."""
    for verbose in (False, True):
        page = told(hostile(), verbose=verbose)
        assert all(line.isprintable() for line in page.splitlines())
        assert "\\x1b[2J" in page
    assert text.render(hostile(), quiet=True, verbose=False, colour=False).count("\n") == 1


def test_colour_adds_nothing_but_colour() -> None:
    """Without its escapes, the coloured page is the plain one."""
    plain, painted = told(decision()), told(decision(), colour=True)
    assert painted != plain
    for code in ("1;33", "33", "31", "2", "0"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == plain


def test_an_admitted_change_names_what_is_met_and_how_it_goes_on() -> None:
    """No reasons; push or merge, and share the statements."""
    page = told(admitted())
    assert page.startswith("admitted  ")
    assert "met  a hand (1 of 1)" in page
    assert "\nwhy" not in page
    assert "\nnext\n  Push or merge as usual.\n  git push origin 'refs/twohand/*'\n" in page


def test_a_broken_policy_is_told_with_its_place_and_what_is_allowed() -> None:
    """File, line, key, value, and what may stand there."""
    broken = reason(
        "policy.invalid",
        "main:twohand.toml",
        line=3,
        key="protect",
        value="5",
        allowed=["a list"],
        message="must be a list",
    )
    page = told(
        decision(outcome="blocked", reasons=[broken], requirements=[], authors=[], reviews=[], findings=[], owners=[]),
        width=100,
    )
    assert "policy.invalid  main:twohand.toml:3: protect = 5: must be a list (allowed: a list)" in page
    assert "made by" not in page


def test_who_spoke_says_what_each_counts() -> None:
    """Presence, recusal, objection and nothing at all are told apart."""
    spoken = [
        review("bob"),
        review("eve") | {"verdict": "object", "reason": "no tests"},
        review("old") | {"counts": False, "why": "stale"},
        review("ann") | {"verdict": "propose"},
    ]
    page = told(decision(reviews=spoken))
    assert "bob  person, approves: counts (presence unproven)" in page
    assert 'eve  person, objects "no tests": counts' in page
    assert "old  person, approves: does not count, stale" in page
    assert "ann  person, proposes\n" in page
