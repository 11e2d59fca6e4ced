"""The page of an audit: it says what the summary says, needs nothing else, and runs nothing of a repository's."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from streams.audit import page
from streams.audit.style import CSS
from tests.audits import MARKUP, agent, finding, folded, hostile, landed, made, reading, row

TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "section",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "a",
        "span",
        "strong",
        "code",
        "pre",
        "br",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "svg",
        "rect",
    ]
)
VOID = frozenset({"meta", "br"})
ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "href",
        "scope",
        "aria-labelledby",
        "aria-label",
        "aria-hidden",
        "role",
        "viewbox",
        "preserveaspectratio",
        "x",
        "y",
        "width",
        "height",
    ]
)


class Page(HTMLParser):
    """Tags, attributes and text of a page, and which tags were left open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def full() -> str:
    note = agent(evidence=[{"channel": "note", "grade": "C", "claim": "s_1"}])
    held = [finding("secret-added", "block"), *[finding()] * 4]
    rows = [
        made(note, unmarked=True, paths=["src/login.py"], findings=held, landed_by=landed("Bob"), number=1),
        made(agent("codex", "openai", "gpt"), kind="agent", review="independent", review_evidence=[reading()], number=2),
        *(row(number=at, time="2024-01-01T00:00:00Z", findings=[finding()]) for at in range(3, 20)),
        row("service", number=20, review="unknown"), row("unknown", number=21, paths_more=8),
        {"commit": "f" * 40, "error": "no such object here"},
    ]  # fmt: skip
    return page.render(folded(rows, head="a" * 40, notices=["This clone is shallow."]))


PAGES = {
    "full": full,
    "empty": lambda: page.render(folded([])),
    "interrupted": lambda: page.render(folded([made()], partial=True)),
    "people": lambda: page.render(folded([row(review="independent", review_evidence=[reading()])])),
    "without rules": lambda: page.render(folded([row(findings=None, paths=None, added=None, removed=None, time=None)])),
    "hostile": lambda: page.render(folded(hostile(), repository=MARKUP, head=MARKUP, notices=[MARKUP])),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_well_formed_of_known_tags_and_attributes(name: str) -> None:
    """Whatever a repository calls its people and paths, no tag and no attribute comes of it."""
    found = Page(PAGES[name]())
    assert not found.open
    assert not found.misnested
    assert {tag for tag, _ in found.tags} <= TAGS
    assert {attribute for _, attrs in found.tags for attribute in attrs} <= ATTRIBUTES


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_anywhere(name: str) -> None:
    """Links lead to parts of the page that exist; ids are given once."""
    found = Page(PAGES[name]())
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"] for attrs in found.all("a")} <= {f"#{one}" for one in ids}
    assert {attrs["aria-labelledby"] for attrs in found.all("section")} <= set(ids)
    assert "http" not in PAGES[name]().replace("http-equiv", "")
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_hostile_text_is_shown_and_does_nothing() -> None:
    """What moves a cursor, turns the writing or hides is written out; markup is text."""
    text = PAGES["hostile"]()
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("</style>") == text.count("</title>") == 1
    assert not {"\x1b", "\u202e", "\u200b", "\x07"} & set(text)
    assert "<script>alert(1)</script>" in " ".join(Page(text).said)


def test_the_page_forbids_itself_everything_but_its_own_style() -> None:
    """A policy without `unsafe-inline`: the style sheet is named by its digest, and no element has a style of its own."""
    text = full()
    found = Page(text)
    policy = next(
        attrs["content"] for attrs in found.all("meta") if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not [attrs for _, attrs in found.tags if "style" in attrs]


def test_pictures_have_words_and_tables_have_heads() -> None:
    """Who sees no picture hears the numbers; every table says what its columns and rows are."""
    found = Page(full())
    pictures = found.all("svg")
    assert pictures
    assert all(one.get("aria-label") or one.get("aria-hidden") == "true" for one in pictures)
    assert len(found.all("table")) == len(found.all("caption")) >= 5
    assert all(attrs["scope"] in ("col", "row") for attrs in found.all("th"))
    assert [attrs["lang"] for attrs in found.all("html")] == ["en"]


def test_numbers_stand_with_what_they_are_a_part_of() -> None:
    """Exact counts in text, not only in pictures."""
    said = " ".join(" ".join(Page(full()).said).replace("\u00a0", " ").split())
    assert "Agents had a hand in at least 2 of 21 commits (9.5 %)." in said
    assert "1 of 2 commits (50.0 %) with agents carry no mark" in said
    assert "18 of 21 commits (85.7 %)" in said
    assert "1 of 1 independent reading (100.0 %) rest on C or D evidence alone." in said
    assert "ids that are no commit here, or could not be read, and are counted nowhere else: 1" in said
    assert "This clone is shallow." in said
    assert "back from aaaaaaaaaaaa" in said


def test_bars_fit_their_frame() -> None:
    """Parts of a bar lie beside each other inside of it, and something is never nothing."""
    for attrs in Page(full()).all("rect"):
        assert int(attrs["width"] or 0) > 0
        assert int(attrs["height"] or 0) > 0
        assert int(attrs["x"] or 0) + int(attrs["width"] or 0) <= 1004


def test_an_interrupted_reading_says_so_on_top() -> None:
    """Before any number."""
    said = " ".join(Page(PAGES["interrupted"]()).said)
    assert said.index("Interrupted: this is true of the 1 commit") < said.index("Agents had a hand")
    assert "Interrupted" not in PAGES["people"]()


def test_what_silence_costs_is_told_once_and_only_where_there_are_agents() -> None:
    """Law 10, 11: kindly, and not to those who have nothing to say."""
    assert full().count("What silence costs") == 1
    assert "What silence costs" not in PAGES["people"]()


def test_the_page_ends_with_two_commands() -> None:
    """The first one is about the commit that weighs most."""
    said = Page(full()).said
    assert "twohand review --dry-run --base 000000000000^ --head 000000000000" in said
    assert "twohand init" in said
    assert len([text for text in said if text.startswith("twohand ")]) == 3  # the third is the one about proposing


def test_the_same_history_gives_the_same_page() -> None:
    """No time and no chance in it."""
    assert full() == full()
