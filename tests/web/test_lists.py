"""Thousands of changes at once: what is listed, in which order, and in pages."""

from dataclasses import replace
from pathlib import Path

import pytest

from rules.events import ChangeMerged, ChangeWithdrawn, EscalationAcknowledged, EscalationResolved, Event
from streams.engines.journal import Journal
from streams.web import lists
from streams.web.app import make_app
from streams.web.ledger import Ledger, Standing
from tests.decisions import admitted
from tests.gitrepo import Repo
from tests.web import world
from tests.web.reading import Page
from tests.web.site import served


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return world.empty(tmp_path)


def standing(repo: Repo, ledger: Ledger | None = None) -> Standing:
    with Journal(repo.path / ".git" / "twohand" / "journal.db", writable=False) as journal:
        return (ledger or Ledger()).standing(journal)


def at(minute: int) -> str:
    return f"2026-03-01T15:{minute:02d}:00Z"


def listed(found: Standing, **wanted: str) -> list[int]:
    return [int(entry.change, 16) for entry in lists.changes(found, lists.Wanted(**wanted))]


def test_the_longest_wait_comes_first_and_people_before_the_rest(repo: Repo) -> None:
    """Escalated, blocked, pending; in each the one that has waited longest."""
    for number, outcome in ((1, "pending"), (2, "blocked"), (3, "escalated"), (4, "escalated")):
        events = (
            world.proposed(number, text=f"b{number}", at=at(number)),
            world.decided(number, outcome=outcome, at=at(number)),
        )
        world.fill(repo, events)
    assert listed(standing(repo)) == [3, 4, 2, 1]
    assert lists.counts(standing(repo)) == {"escalated": 2, "blocked": 1, "pending": 1}


def test_waiting_began_with_the_first_decision_of_the_row(repo: Repo) -> None:
    """Another decision that still holds it does not start the clock again; an admitted one does."""
    first = admitted()
    waits = [world.decided(1, at=at(2)), world.decided(1, outcome="blocked", at=at(3))]
    world.fill(repo, [world.proposed(1), world.decided(1, outcome="pending", at=at(0)), *waits])
    assert standing(repo).entries[world.hexed(1)].since == at(0)
    parts = {"outcome": "admitted", "reasons": [], "requirements": first["requirements"]}
    world.fill(
        repo, [world.decided(1, at=at(4), **parts), world.decided(1, outcome="blocked", stamps=["waived"], at=at(5))]
    )
    assert standing(repo).entries[world.hexed(1)].since == at(5)


@pytest.mark.parametrize(
    ("event", "ended"),
    [
        (ChangeMerged(change=world.hexed(1), content_key=world.hexed(1), commit="c" * 40, at=at(9)), "landed"),
        (ChangeWithdrawn(change=world.hexed(1), by="alice", at=at(9)), "withdrawn"),
        (world.proposed(2, at=at(9)), "taken up"),
        (world.proposed(2, branch="", continues=(world.hexed(1),), at=at(9)), "taken up"),
    ],
    ids=["landed", "withdrawn", "same branch", "says so"],
)
def test_what_has_ended_waits_no_more(repo: Repo, event: Event, ended: str) -> None:
    """Landed, withdrawn, or taken up by a newer proposal: out of the queue, and told as such."""
    world.fill(repo, [world.proposed(1), world.decided(1), event])
    found = standing(repo)
    assert listed(found) == []
    assert listed(found, show="ended")[-1] == 1
    entry = found.entries[world.hexed(1)]
    assert (entry.ended, entry.ended_at) == (ended, at(9))


def test_what_is_proposed_again_waits_again(repo: Repo) -> None:
    """A change that was withdrawn comes back with its next proposal."""
    gone = ChangeWithdrawn(change=world.hexed(1), by="alice", at=at(1))
    world.fill(repo, [world.proposed(1), world.decided(1), gone, world.proposed(1, base="e" * 40, at=at(2))])
    assert listed(standing(repo)) == [1]


def test_only_what_is_new_is_read_again(repo: Repo) -> None:
    """A ledger that has read follows what is appended, and tells the same as one that reads all at once."""
    ledger = Ledger()
    for events in (
        [world.proposed(1), world.decided(1)],
        [world.opened(1)],
        [world.decided(1, outcome="blocked", at=at(3))],
    ):
        world.fill(repo, events)
        assert standing(repo, ledger) == standing(repo)


def test_another_file_in_its_place_is_read_from_the_start(repo: Repo) -> None:
    """A journal out of a backup has other rows at the same places."""
    ledger = Ledger()
    world.fill(repo, [world.proposed(1), world.decided(1)])
    assert listed(standing(repo, ledger)) == [1]
    (repo.path / ".git" / "twohand" / "journal.db").unlink()
    world.fill(repo, [world.proposed(2), world.decided(2), world.opened(2)])
    assert listed(standing(repo, ledger)) == [2]


def test_an_acknowledgement_holds_until_people_are_asked_anew(repo: Repo) -> None:
    """A later step of the same lapse leaves it; the next lapse opens the question again; an end closes it."""
    name = world.hexed(1)
    heard = EscalationAcknowledged(change=name, escalation=name, by="alice", at=at(2))
    world.fill(repo, [world.proposed(1), world.decided(1), world.opened(1), heard])
    assert standing(repo).escalations[name].state == "acknowledged"
    world.fill(repo, [world.opened(1, level=1, asked=("bob",), at=at(3))])
    assert standing(repo).escalations[name].state == "acknowledged"
    world.fill(repo, [world.opened(1, lapse=1, at=at(4))])
    one = standing(repo).escalations[name]
    assert (one.state, one.asked) == ("open", ("alice", "bob"))
    world.fill(repo, [EscalationResolved(change=name, escalation=name, how="approved", at=at(5))])
    assert standing(repo).escalations[name].state == "resolved"


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"schema":"twohand.decision/v1"}', "[" * 100_000, "broken"])
def test_a_decision_that_cannot_be_read_hides_no_other(repo: Repo, text: str) -> None:
    """Its row says so; the other rows and its own page are there (law 40)."""
    broken = world.decided(1, outcome="blocked")
    damaged = broken.decision.replace('"reasons":[', '"reasons":[7,') if text == "broken" else text
    world.fill(
        repo, [world.proposed(1), replace(broken, decision=damaged), world.proposed(2, text="other"), world.decided(2)]
    )
    with served(make_app(world.place_of(repo))) as site:
        text = Page(site.get("/").text).text
        assert "its recorded decision cannot be read" in text
        assert "work-2" in text
        assert "a decision that cannot be read" in Page(site.get(f"/changes/{world.hexed(1)}").text).text


def test_thousands_fit_into_pages(repo: Repo) -> None:
    """5,000 changes that wait, each escalated: every list answers, none is left out (law 40)."""
    world.fill(repo, world.many(5_000))
    with served(make_app(world.place_of(repo))) as site:
        site.get("/")
        for path in (
            "/",
            "/?page=200",
            "/?who=alice",
            "/?text=work-4999",
            "/escalations",
            "/escalations?page=200",
            "/health",
        ):
            assert site.get(path).status == 200, path
        told = {
            link
            for page in range(1, 201)
            for link in Page(site.get(f"/?page={page}").text).links
            if link.startswith("/changes/")
        }
        assert len(told) == 5_000
        assert "Page 200 of 200" in Page(site.get("/?page=9999").text).text
        world.fill(repo, [world.decided(7, outcome="blocked", at="2026-03-02T00:00:00Z")])
        assert site.get("/").status == 200
