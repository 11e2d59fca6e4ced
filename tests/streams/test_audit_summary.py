"""A whole history in one value: every number is the count that it says it is."""

import random
import tracemalloc

import pytest

from streams.audit import areas
from streams.audit.spans import SHOWN, Hands
from streams.audit.summary import AREAS, OTHERS, WORST, Area, Counted, Folding, LetIn, Reviews
from streams.audit.tallies import Foremost, Rank, Tally
from tests.audits import agent, finding, folded, landed, made, reading, row


def test_kinds_are_counted_apart_and_a_strange_one_is_unknown() -> None:
    """Service and unknown are no people, and what the summary does not know it does not guess."""
    kinds = ("agent", "mixed", "mixed", "human", "service", "unknown", "martian")
    summary = folded(row(kind) for kind in kinds)
    assert summary.hands == Hands(agent=1, mixed=2, human=1, service=1, unknown=2)
    assert summary.hands.with_agents == 3
    assert summary.read.commits == summary.hands.total == 7


def test_a_commit_counts_once_for_each_of_its_tools_and_makers() -> None:
    """Two sessions of one tool are one commit of that tool; what nothing names is counted as that."""
    several = made(agent(), agent(session="claude-web:2"), agent("codex", "openai", "gpt"), agent(None, None, None))
    summary = folded([several, made(agent("codex", "openai", None)), row()])
    assert summary.agents.tools == (Counted("codex", 2), Counted("", 1), Counted("claude", 1))
    assert set(summary.agents.makers) == {
        Counted("anthropic / claude", 1), Counted("openai / gpt", 1), Counted("openai", 1), Counted("", 1),
    }  # fmt: skip
    assert summary.agents.sessions == 1


def test_missing_marks_are_counted_by_the_channel_that_shows_the_agent() -> None:
    """Only agents' evidence speaks of agents; the best grade of a commit is the one it is counted under (law 10)."""
    note = agent(evidence=[{"channel": "note", "grade": "C", "claim": "s_1"}])
    summary = folded([made(note, unmarked=True, number=1), made(agent(), number=2), made(note, agent(), number=3)])
    assert summary.agents.unmarked == 1
    assert summary.agents.shown_by == (Counted("note", 1),)
    assert summary.agents.grades == (Counted("C", 2), Counted("D", 1))
    assert [one.commit for one in summary.agents.examples] == [f"{1:040x}"]


def test_findings_of_weight_weaken_and_notes_do_not() -> None:
    """Law 32: hold and block are counted, a note is not; what could not be read is told apart."""
    rows = [
        row(findings=[finding(), finding("secret-added", "block")], number=1),
        made(findings=[finding(), finding()], review="independent", number=2),
        row(findings=[finding("security-path", "note")], number=3),
        row(findings=[finding("binary-or-too-large")], number=4),
        row(uncovered=[{"path": "a.bin", "why": "binary"}], number=5),
    ]
    summary = folded(rows)
    found = summary.weakened
    assert (found.commits, found.blocks, summary.read.unreadable) == (2, 1, 2)
    assert found.rules == (Counted("auth-check-removed", 2), Counted("secret-added", 1))
    assert found.reviews == Reviews(independent=1, none=1)
    assert found.hands == Hands(mixed=1, human=1)
    assert [place.tier for place in found.worst[0].places] == ["block", "hold"]


def test_who_landed_a_commit_let_it_in_else_its_committer() -> None:
    """Whoever pressed a forge's button is the author of the merge; the forge itself is not named for it."""
    held = {"findings": [finding()]}
    rows = [
        row(**held),
        row(**held, landed_by=landed("Bob")),
        row(**held, landed_by=landed("Ann")),
        row(landed_by=landed("Eve")),
    ]
    assert folded(rows).weakened.let_in == (LetIn("Ann", 1, 1), LetIn("Bob", 1, 0))


def test_the_heaviest_come_first() -> None:
    """Block before hold, checks before the gate, unread before read, sensitive before other paths, agents before others."""
    held, blocked = [finding()], [finding(tier="block")]
    safe = ["src/auth/reset.py"]
    rows = [
        row(findings=held, number=1),
        row(findings=held, review="independent", paths=safe, number=2),
        made(findings=held, number=3),
        row(findings=held, paths=safe, number=4),
        row(findings=blocked, review="independent", number=5),
        made(findings=[finding("gate-edited")] * 9, paths=safe, number=6),
    ]
    random.Random(7).shuffle(rows)
    assert [int(one.commit, 16) for one in folded(rows).weakened.worst] == [5, 4, 3, 1, 2, 6]
    assert folded(rows).weakened.gate_only == 1


def test_unread_commits_are_ranked_by_what_they_touch_and_how_much() -> None:
    """Sensitive first, then the larger; what somebody independent read is not listed, and not known is no reader missed."""
    rows = [
        row(added=900, number=1), row(added=1, paths=["lib/login.rb"], number=2), row(added=950, review="self", number=3),
        row(added=9_000, review="independent", number=4), row(added=8_000, review="unknown", number=5),
    ]  # fmt: skip
    looked = folded(rows).looked
    assert [int(one.commit, 16) for one in looked.foremost] == [2, 3, 1, 5]
    assert looked.reviews == Reviews(independent=1, self=1, none=2, unknown=1)
    assert looked.reviews.unread == 3


def test_readings_that_rest_on_text_alone_are_said_to() -> None:
    """Law 10: a Reviewed-by line and a forge's merge are D; a signed statement beside them is more."""
    rows = [
        row(review="independent", review_evidence=[reading(grade="D"), reading("self", "A")]),
        row(review="independent", review_evidence=[reading(grade="D"), reading(grade="A")]),
        row(review="independent", review_evidence=[]),
    ]
    looked = folded(rows).looked
    assert (looked.declared, looked.reviews.independent) == (1, 3)


def test_a_path_is_known_where_people_wrote_alone_or_somebody_read() -> None:
    """The least known comes first; of equal ones the more often changed; either sort of knowledge counts once."""
    rows = [
        row(paths=["src/login.py", "src/app.py"]), row(paths=["src/login.py"], review="independent"),
        made(paths=["src/login.py", "src/mfa.py"]), made(paths=["src/mfa.py"], review="self"),
        made(paths=["src/payments/pay.go"]), made(paths=["src/payments/pay.go"], review="independent"),
        made(paths=["src/oauth.py"]), row(paths=["tests/test_login.py", "docs/login.md"]),
    ]  # fmt: skip
    found = folded(rows).areas
    assert found.paths == (
        Area("src/mfa.py", 2, 0, 0, 0, 2), Area("src/oauth.py", 1, 0, 0, 0, 1),
        Area("src/payments/pay.go", 2, 0, 1, 1, 2), Area("src/login.py", 3, 2, 1, 2, 1),
    )  # fmt: skip
    assert (found.total, found.changes, found.known, found.missed) == (4, 8, 3, 0)


SENSITIVE = (
    "src/LoginForm.tsx",
    "a/JWTToken.java",
    "lib/OAuthClient.rb",
    "app/account-recovery.py",
    "x/mfa/y.go",
    '"src/auth/\\303.py"',
)
ORDINARY = (
    "src/authors.py",
    "src/app.py",
    "tests/auth/test_x.py",
    "docs/auth.md",
    "vendor/auth/x.go",
    "",
    "/",
    "src/blogin.py",
)


@pytest.mark.parametrize("path", SENSITIVE)
def test_paths_that_let_people_in_are_found_by_their_words(path: str) -> None:
    """Camel case, snake case, kebab case, directories and quoted paths."""
    assert areas.sensitive(path)


@pytest.mark.parametrize("path", ORDINARY)
def test_other_paths_are_not(path: str) -> None:
    """Words that only begin alike, tests, documentation and what others wrote."""
    assert not areas.sensitive(path)


def test_a_path_of_a_megabyte_costs_no_more_than_a_long_one() -> None:
    """Only the beginning of a path is looked at."""
    assert areas.sensitive("src/auth/" + "A" * 1_000_000)
    assert folded([row(paths=["src/auth/" + "x/" * 500_000])]).areas.total <= 1


def test_months_without_commits_are_there_and_old_ones_are_told_together() -> None:
    """The last two years one by one; nothing falls out of the sum."""
    times = ["2019-01-01T00:00:00Z"] * 3 + ["2026-01-31T23:59:59Z", "2026-03-01T00:00:00Z"]
    timeline = folded(made(time=time) for time in times).timeline
    assert [month.name for month in timeline.months[-3:]] == ["2026-01", "2026-02", "2026-03"]
    assert [month.hands.mixed for month in timeline.months[-3:]] == [1, 0, 1]
    assert len(timeline.months) == SHOWN
    assert timeline.earlier == Hands(mixed=3)


ODD = (
    "",
    None,
    "yesterday",
    "2026-13-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2101-01-01T00:00:00Z",
    "-0042-01-01",
    "\uff11\uff19\uff19\uff19-01-01",
)


@pytest.mark.parametrize("time", ODD)
def test_dates_that_nobody_can_mean_are_counted_as_none(time: str | None) -> None:
    """Before 1970, after 2100, and what is no date: the commit still counts."""
    summary = folded([row(time=time)])
    assert summary.timeline.undated == summary.read.commits == 1
    assert (summary.read.first, summary.read.last) == ("", "")


def test_a_clock_that_runs_ahead_moves_nothing() -> None:
    """A commit dated in the future is counted, and the months end today."""
    summary = folded([row(), row(time="2099-01-01T00:00:00Z")])
    assert summary.timeline.months[-1].name == "2026-03"
    assert summary.timeline.later.total == 1
    assert summary.read.last == "2026-03-01"


def test_what_was_not_looked_at_is_counted() -> None:
    """Without rules nothing is known of diffs: null is not the same as nothing found."""
    bare = {"findings": None, "paths": None, "added": None, "removed": None, "uncovered": None}
    rows = [
        row(**bare),
        row(paths_more=70),
        row(incomplete=["a blob is missing"]),
        row(suspected=[agent()]),
        made(suspected=[agent()]),
    ]
    read = folded([*rows, {"commit": "zzz", "error": "no such object here"}]).read
    assert (read.commits, read.unscanned, read.pathless, read.unreadable) == (5, 1, 1, 1)
    assert (read.cut, read.cut_paths, read.suspected, read.errors) == (1, 70, 1, 1)


def test_an_empty_history_has_a_summary() -> None:
    """Nothing read is nothing counted, and no error."""
    summary = folded([], partial=True)
    assert summary.partial
    assert summary.read.commits == summary.looked.reviews.total == len(summary.timeline.months) == 0


def test_order_does_not_matter() -> None:
    """The same commits in another order give the same summary."""
    rows = [
        made(number=at, added=at % 7, findings=[finding()] * (at % 3), paths=[f"auth/{at % 5}.py"]) for at in range(80)
    ]
    turned = rows[:]
    random.Random(3).shuffle(turned)
    assert folded(rows) == folded(turned)


def test_what_a_tally_leaves_out_it_counts() -> None:
    """Keys beyond the limit are counted together; those told apart stay exact."""
    tally: Tally[str] = Tally(most=2)
    for key in "abacab":
        tally.add(key)
    assert tally.rows() == [("a", 3), ("b", 2)]
    assert tally.others == 1
    names = [made(agent(f"tool-{at}")) for at in range(2_005)]
    assert folded(names).agents.tools[-1] == Counted(OTHERS, 5)


def test_the_foremost_are_those_of_the_highest_rank() -> None:
    """Of equal ranks those that came first stay."""
    best: Foremost[int] = Foremost(3)
    for value in (5, 1, 9, 7, 9, 2):
        rank = Rank((value,), "", "")
        assert best.wants(rank) or value < 5
        best.add(rank, value)
    assert best.rows() == (9, 9, 7)


def test_memory_does_not_grow_with_the_history() -> None:
    """Lists, paths, names and months are bounded, however large each commit is."""
    folding = Folding()
    big = {"subject": "x" * 5_000, "author": "y" * 5_000, "findings": [finding(message="m" * 5_000)] * 20}

    def add(start: int) -> int:
        for at in range(start, start + 1_500):
            folding.add(made(number=at, **big, added=at, paths=["auth.py"]))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first, second = add(0), add(1_500)
    finally:
        tracemalloc.stop()
    assert second - first < 200_000
    assert len(folding.summary(partial=False, repository="x").weakened.worst) == WORST


def test_paths_beyond_the_limit_are_counted_as_missed() -> None:
    """So many sensitive paths are followed; changes of further ones are said."""
    rows = (row(paths=[f"auth/{at}/{more}.py" for more in range(50)]) for at in range(AREAS // 50 + 1))
    found = folded(rows).areas
    assert (found.total, found.missed) == (AREAS, 50)
