"""The report for the people in charge: it tells the week as it was (DESIGN 9)."""

import json
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from rules import instants
from streams.commands.app import run
from streams.engines.journal import Journal
from streams.metrics import Meter
from streams.report import report
from streams.sinks.render import report as render
from tests.decisions import HOSTILE
from tests.gitrepo import Repo
from tests.streams import story
from tests.streams.story import at, week

pytestmark = pytest.mark.xdist_group("report")

END = at(7 * 1440)


def told(events, since=story.START, until=END):
    meter = Meter()
    for event in events:
        meter.take(event)
    return report(meter, since, until)


def section(found, title):
    [one] = [one for one in found.sections if one.title == title]
    return one


@pytest.fixture(scope="module")
def found():
    return told(week())


def test_it_begins_with_what_matters(found):
    """One sentence: decided, let in, unread, waived, open."""
    assert found.title == "Reviews from 2026-11-16 to 2026-11-23"
    assert (
        found.lead
        == "5 changes decided, 3 let in; 2 of these nobody independent read. 2 waivers in force, 2 questions open."
    )


def test_what_nobody_independent_read_is_named_with_the_reason(found):
    """A waiver and a break-glass let them in; who gave them and why stands there."""
    one = section(found, "What nobody independent read")
    assert [(row[0], row[-1]) for row in one.rows] == [
        ("waived -> main", "auth-check-removed waived by dora: the check moved to the proxy"),
        ("glass -> main", "break-glass by dora: the shop is down"),
    ]
    assert "Somebody should look at them now" in one.lead


def test_other_ways_in_are_told_too():
    """Past the gate, by an approver who is not independent, and where the policy asks for nobody."""
    events = [
        story.proposed("forced", 0), story.decided("forced", "blocked", 1),
        story.ChangeMerged(change="forced", content_key="forced", commit="c", at=at(2)),
        story.decided("solo", "admitted", 3, reviews=[story.review("bob")], stamps=["not independent"]),
        story.decided("open", "admitted", 4),
        story.ChangeMerged(change="unseen", content_key="u", commit="c", at=at(5)),
    ]  # fmt: skip
    why = [
        row[-1] for row in section(told([*events, story.proposed("unseen", 5)]), "What nobody independent read").rows
    ]
    assert why == [
        "landed although it was blocked",
        "approved by bob, who is not independent; the policy allows it",
        "the policy asked for nobody",
        "landed although it was never decided",
    ]


def test_waivers_are_debt_until_they_end(found):
    """Those in force, and those of the week that are over or never counted."""
    rows = section(found, "What was waived").rows
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("auth-check-removed waived by dora", "the check moved to the proxy", "in force until 2026-11-23"),
        ("break-glass by dora", "the shop is down", "until somebody reviews it"),
    ]
    later = section(told(week(), until=at(9 * 1440)), "What was waived")
    assert [row[-1] for row in later.rows] == ["expired", "until somebody reviews it"]
    alone, _ = story.waived("x", 0, objection_of="bob", by="mallory", days=14)
    [row] = section(told([alone]), "What was waived").rows
    assert (row[0], row[-1]) == ("the objection of bob waived by mallory", "does not count")


def test_who_gave_more_than_half_of_the_approvals_carries_too_much():
    """With names, lines read, questions put to them, hasty ones; a handful says nothing about anybody."""
    events = [
        event
        for number in range(4)
        for event in (
            story.proposed(f"c{number}", number),
            story.decided(f"c{number}", "admitted", number, reviews=[story.review("bob" if number else "carol")]),
        )
    ]
    one = section(told([*events, story.asked("c1", 10, "alice", "bob")]), "Who carries too much")
    assert one.lead == "bob gave more than half of all approvals. Share it: enrol or name others."
    assert one.rows == (
        ("bob", "3 of 4", "6", "1", "0", "more than half"),
        ("carol", "1 of 4", "2", "0", "0", ""),
        ("alice", "0 of 4", "0", "1", "0", ""),
    )
    assert "Nobody gave more than half" in section(told(events[:4]), "Who carries too much").lead


def test_what_waits_names_whom_it_waits_for_and_since_when(found):
    """And whether somebody heard it."""
    row, unheard = section(found, "What waits for people").rows
    assert unheard == ("glass -> main", "6 d 20 h", "alice, bob", "1", "nobody heard it yet")
    assert row == ("waits -> main", "6 d 22 h", "alice, oncall", "2", "heard by alice")
    [row] = section(
        told([story.proposed("x", 0), story.asked("x", 1, "bob")], until=at(3)), "What waits for people"
    ).rows
    assert row[-1] == "nobody heard it yet"


def test_reviews_that_did_not_count_are_named(found):
    """Who tried, and what is the same."""
    assert section(found, "Reviews that did not count").rows == (("waits -> main", "claude-two", "family, model"),)


def test_times_are_medians(found):
    """Until a decision, an admission, and until somebody heard."""
    rows = {row[0]: row[1:] for row in section(found, "How long it took").rows}
    assert rows["until somebody heard a page"] == ("18 min", "18 min", "1")
    assert rows["until it was admitted"][1] == "30 min"


def test_a_week_holds_only_its_own():
    """What was before or after is another report's; waivers in force and open questions stay."""
    before = told(week(), since=at(1440), until=END)
    assert before.lead.startswith("0 changes decided, 0 let in")
    assert "2 waivers in force, 2 questions open" in before.lead


def test_an_empty_record_is_told_as_such():
    """No table, no crash, a sentence for each question."""
    found = told([])
    assert all(not one.rows or one.title == "How long it took" for one in found.sections)
    for write in (render.text, render.markdown, render.html):
        assert "Nothing was waived, and no waiver is in force" in write(found).replace("\\", "")


@pytest.fixture(scope="module")
def hostile():
    waiver, row = story.waived("x", 1, by=HOSTILE, finding=HOSTILE, why=HOSTILE + "<script>alert(1)</script>|`*_[a](b)")
    events = [
        story.proposed("x", 0, branch=f"refs/heads/<img src=x onerror=alert(1)>{HOSTILE}", target=HOSTILE),
        waiver,
        story.decided("x", "admitted", 2, reviews=[row], authors=[story.author(HOSTILE)]),
        story.asked("x", 3, HOSTILE, "<b>&amp;"),
    ]
    return told(events)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))


def test_the_page_runs_and_loads_nothing(hostile):
    """Whatever names and reasons hold: they are text, and the page forbids everything else."""
    page = render.html(hostile)
    tags = Tags()
    tags.feed(page)
    known = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "p",
        "main",
        "section",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert {tag for tag, _ in tags.seen} <= known
    assert not [
        name for _, attributes in tags.seen for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    assert "default-src 'none'" in page
    assert "\x1b" not in page


def test_markdown_shows_what_was_written_and_nothing_else(hostile):
    """A renderer finds tables and text in it; no link, no picture, no tag, no further column."""
    source = render.markdown(hostile)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(source)
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "code_inline",
        "em_open",
        "strong_open",
        "fence",
    }
    for table in re.findall(r"(?:^\|.*\n)+", source, re.MULTILINE):
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(bars) == 1


def test_the_text_is_safe_for_a_terminal(hostile):
    """Nothing in it moves a cursor."""
    assert all(line.isprintable() for line in render.text(hostile).splitlines())


def test_many_rows_are_cut_and_counted():
    """A page that can be read; the data has all."""
    events = [event for n in range(50) for event in (story.proposed(f"c{n}", n), story.decided(f"c{n}", "admitted", n))]
    for write in (render.text, render.markdown, render.html):
        assert "... and 10 more (--format json has all)" in write(told(events))


@pytest.fixture
def repo(tmp_path):
    made = Repo(tmp_path / "repo")
    with Journal(made.path / ".git" / "twohand" / "journal.db") as journal:
        journal.append(week())
    return made


def test_the_command_reads_the_journal(repo, capfd, tmp_path):
    """Text by default; every form; a file where one is named; the end can be chosen."""
    arguments = ["report", "--week", "-C", str(repo.path), "--until", "2026-11-23"]
    assert run(arguments) == 0
    assert "2 of these nobody independent read" in capfd.readouterr().out
    for form, begins in (("markdown", "# Reviews"), ("html", "<!doctype html>"), ("json", "{")):
        path = tmp_path / form
        assert run([*arguments, "--format", form, "--output", str(path)]) == 0
        assert path.read_text().startswith(begins)
    assert json.loads((tmp_path / "json").read_text())["schema"] == "twohand.report/v1"
    assert run(["report", "-C", str(repo.path), "--until", "2026-11-17T00:00:00Z", "--days", "1"]) == 0
    assert "from 2026-11-16 to 2026-11-17" in capfd.readouterr().out


def test_mistakes_are_explained(repo, capfd, tmp_path):
    """No journal, no instant, no place to write to."""
    assert run(["report", "-C", str(Repo(tmp_path / "empty").path)]) == 2
    assert "There is no journal" in capfd.readouterr().err
    assert run(["report", "-C", str(repo.path), "--until", "yesterday"]) == 2
    assert "is no instant" in capfd.readouterr().err
    assert run(["report", "-C", str(repo.path), "--output", str(tmp_path / "no" / "file")]) == 2
    assert "cannot be written" in capfd.readouterr().err


def test_the_default_is_the_week_until_now(repo, capfd):
    """Nobody has to know today's date."""
    assert run(["report", "-C", str(repo.path)]) == 0
    first = capfd.readouterr().out.splitlines()[0]
    days = re.findall(r"\d{4}-\d\d-\d\d", first)
    assert instants.between(f"{days[0]}T00:00:00Z", f"{days[1]}T00:00:00Z") == 7 * instants.DAY
