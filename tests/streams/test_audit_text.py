"""The summary of an audit in a terminal: calm, narrow, harmless, and every number is one of the summary's."""

import pytest

from streams.audit import text, words
from streams.audit.spans import Hands, Month
from streams.sinks.render.safe import columns
from tests.audits import MARKUP, agent, finding, folded, hostile, made, reading, row


def told(rows: list, *, width: int = 100, colour: bool = False, **parts) -> str:
    return text.render(folded(rows, **parts), colour=colour, width=width)


def full() -> list:
    note = agent(evidence=[{"channel": "note", "grade": "C", "claim": "s_1"}])
    return [
        made(note, unmarked=True, paths=["src/login.py"], findings=[finding("secret-added", "block"), *[finding()] * 4]),
        made(agent("codex", "openai", "gpt"), review="independent", review_evidence=[reading()], number=2),
        *(row(number=at, findings=[finding()], subject="a long subject " * 20) for at in range(3, 20)),
        row("service", number=20, review="unknown"), row("unknown", number=21, paths=["src/auth/" + "deep/" * 40 + "x.py"]),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [100, 80, 60])
def test_no_line_is_wider_than_asked(width: int) -> None:
    """Long subjects are wrapped, long paths lose their beginning, remarks that have no room are left out."""
    lines = told(full(), width=width).splitlines()
    commands = [line for line in lines if line.startswith("  twohand ")]
    assert [line for line in lines if columns(line) > width and line not in commands] == []
    assert max(map(columns, commands)) <= 100


def test_what_matters_most_comes_first() -> None:
    """Four sentences: what was read, agents, checks, readers."""
    lines = told(full(), partial=True).splitlines()
    assert lines[0] == "what history says: example/shop"
    assert lines[1].startswith("  Interrupted: this is true of the 21 commits that were read")
    assert lines[2] == "  Read: 21 commits on 2026-03-01."
    assert lines[4] == "  Agents had a hand in at least 2 of 21 commits (9.5 %)."
    assert "18 of 21 commits (85.7 %)" in lines[5]


def test_grades_and_d_evidence_are_explained_once() -> None:
    """Law 10: what rests on text that anybody can write is said to."""
    page = " ".join(told(full()).split())
    assert page.count("D is text that anybody can write") == 1
    assert page.count("a forge's merge commit, a Reviewed-by line") == 1
    assert "1 of 1 independent reading (100.0 %) rest on C or D evidence alone." in page


def test_silence_is_told_once_and_only_where_there_are_agents() -> None:
    """Law 11: what it costs and what a word gains."""
    assert told(full()).count("what silence costs") == 1
    assert "silence costs" not in told([row()])


def test_unknown_things_are_shown_as_unknown() -> None:
    """A tool that nothing names has a row of its own, and a count at the end."""
    page = told([made(agent(None, None, None)), row("unknown")])
    assert page.count("  not named   ") == 2
    assert "commits with agents that name no tool: 1" in page
    assert "commits whose author nothing identifies: 1" in page


def test_it_ends_with_two_commands() -> None:
    """About the commit that weighs most, where there is one."""
    assert [line for line in told(full()).splitlines() if line.startswith("  twohand ")] == [
        "  twohand review --dry-run --base 000000000000^ --head 000000000000", "  twohand init",
    ]  # fmt: skip
    ends = [line for line in told([row()]).splitlines() if line.startswith("  twohand ")]
    assert ends == ["  twohand init", "  twohand review --dry-run"]


@pytest.mark.parametrize("colour", [False, True])
def test_nothing_of_a_repository_acts_on_the_terminal(colour: bool) -> None:
    """Cursor movements, titles, turned writing and line feeds are written out; our own colours are the only escapes."""
    page = told(hostile(), colour=colour, repository=MARKUP, head=MARKUP, notices=[MARKUP])
    plain = page
    for code in ("\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert ("\x1b[2m" in page) == colour
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\r"} & set(plain)
    assert "::error::" not in {line.strip() for line in plain.splitlines()}


def test_without_rules_nothing_is_claimed_about_checks() -> None:
    """Not looked at is not clean."""
    page = told([row(findings=None, paths=None, added=None, removed=None)])
    assert "No rule looked at these commits, so what they weakened is not known." in page
    assert "commits that no rule looked at: 1" in page
    assert "+0" not in page
    assert "The newest with agents that show no independent reader:" in page
    assert "The most sensitive and largest that show no independent reader:" in told([row()])


def test_an_empty_history_says_so() -> None:
    """And still says what to do."""
    page = told([])
    assert "No commit was read." in page
    assert "twohand init" in page


PERCENT = [
    (0, 5, "0.0 %"),
    (1, 3, "33.3 %"),
    (1, 10_000, "<0.1 %"),
    (9_999, 10_000, ">99.9 %"),
    (5, 5, "100.0 %"),
    (0, 0, ""),
]


@pytest.mark.parametrize(("part", "whole", "expected"), PERCENT)
def test_percentages_never_round_something_to_nothing_or_all(part: int, whole: int, expected: str) -> None:
    """Numbers are exact or absent."""
    assert words.percent(part, whole).replace("\u00a0", " ") == expected


def test_the_sparkline_tells_none_from_no_commits() -> None:
    """Blank where nobody committed, the lowest mark for none with agents, the highest for all."""
    hands = (Hands(human=9), Hands(), Hands(agent=1, human=99), Hands(agent=1, human=1), Hands(mixed=3))
    assert text.sparkline([Month("2026-01", one) for one in hands]) == "▁ ▂▅█"


def test_a_list_that_is_cut_says_so_and_where_the_rest_stands() -> None:
    """Nothing is left out without a word: neither commits nor rules."""
    page = told(full())
    assert "the first 3 of 18; 12 of them: --format html; all of them: --format jsonl" in page
    few = told([row(number=at, findings=[finding()]) for at in range(5)])
    assert "the first 3 of 5; all of them: --format html" in few
    assert "the first 1" not in told([row(findings=[finding()])])
    many = told([row(number=at, findings=[finding(f"rule-{at}")]) for at in range(10)])
    assert "and 2 more" in " ".join(many.split())


def test_a_whole_list_says_nothing_of_a_rest() -> None:
    """The page of 12 rows is whole where there are 12."""
    assert words.cut(3, 3) == words.cut(12, 12, 12) == ""
