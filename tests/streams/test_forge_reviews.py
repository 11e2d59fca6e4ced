"""`review --forge-reviews FILE`: what a forge says of its reviews counts for what the law lets it (law 10, 21)."""

import json
from pathlib import Path
from typing import Any

import pytest

from rules import instants
from rules.events import ChangeProposed, ReviewGiven, event_id
from streams import clock
from streams.sources import forge_reviews
from streams.sources.forge_reviews import ReviewsInvalid, Told, Word
from tests.streams.gate import Gate, clean_environment

NOW = "2026-03-01T12:00:00Z"
H1, H2 = "1" * 40, "2" * 40
TRUSTED = ("github", "gitlab")


# -- what a file says ---------------------------------------------------------------------------------------------


def own(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "twohand.forge-reviews/v1", "reviews": list(rows)}


def row(account: str = "github:alice", state: str = "approve", head: str = H1, at: str = NOW) -> dict[str, Any]:
    return {"account": account, "state": state, "head": head, "time": at}


def github(login: str | None, state: str, at: str = NOW, head: str | None = H1) -> dict[str, Any]:
    user = {"login": login, "id": 1, "type": "User"} if login else None
    return {
        "id": 80,
        "node_id": "MDE3",
        "user": user,
        "body": "",
        "state": state,
        "commit_id": head,
        "submitted_at": at,
    }


def gitlab(*approved: tuple[str, str], versions: tuple[tuple[str, str], ...] = ((H1, NOW),)) -> dict[str, Any]:
    rows = [{"user": {"id": 1, "username": name}, "approved_at": at} for name, at in approved]
    known = [{"id": 110, "head_commit_sha": head, "created_at": at, "state": "collected"} for head, at in versions]
    return {"approvals": {"id": 5, "iid": 5, "approved_by": rows}, "versions": known}


def parsed(data: Any, trusted: tuple[str, ...] = TRUSTED) -> tuple[Word, ...]:
    return forge_reviews.parse(json.dumps(data).encode(), "r.json", trusted, NOW).words


def test_own_shape() -> None:
    """Account, state, head and time, as they stand there."""
    assert parsed(own(row(), row("gitlab:bob", "object"))) == (
        Word("github:alice", "approve", H1, NOW),
        Word("gitlab:bob", "object", H1, NOW),
    )


def test_github_list_of_reviews_whole_or_in_pages() -> None:
    """What `gh api` prints is taken as it is."""
    reviews = [github("alice", "APPROVED"), github("bob", "CHANGES_REQUESTED"), github("carol", "COMMENTED")]
    expected = (Word("github:alice", "approve", H1, NOW), Word("github:bob", "object", H1, NOW))
    assert parsed(reviews) == parsed([reviews[:1], reviews[1:]]) == expected
    assert parsed([]) == parsed([[]]) == ()


def test_last_review_of_an_account_stands() -> None:
    """A comment takes nothing back; a later objection does, whatever the order and the case of the login."""
    story = [
        github("alice", "APPROVED", "2026-02-01T10:00:00Z"),
        github("Alice", "CHANGES_REQUESTED", "2026-02-01T11:00:00Z", H2),
        github("alice", "COMMENTED", "2026-02-01T12:00:00Z"),
        {**github("alice", "PENDING", H2), "submitted_at": None},
    ]
    assert parsed(story) == parsed(story[::-1]) == (Word("github:Alice", "object", H2, "2026-02-01T11:00:00Z"),)


def test_a_dismissed_review_is_none_and_no_older_one_stands_for_it() -> None:
    """Who approved, objected and was dismissed says nothing."""
    assert (
        parsed([github("a", "APPROVED", "2026-02-01T10:00:00Z"), github("a", "DISMISSED", "2026-02-02T10:00:00Z")])
        == ()
    )
    assert parsed(own(row(), row(state="withdraw"))) == ()


def test_deleted_account_and_vanished_commit() -> None:
    """GitHub says null for both: neither names anybody or any head."""
    assert parsed([github(None, "APPROVED"), github("bob", "APPROVED", head=None)]) == (
        Word("github:bob", "approve", "", NOW),
        Word("github:ghost", "approve", H1, NOW),
    )


def test_gitlab_approval_belongs_to_the_newest_version_of_its_time() -> None:
    """GitLab names no head with an approval; before every version there is none."""
    versions = ((H2, "2026-02-02T10:00:00.500Z"), (H1, "2026-02-01T10:00:00.000Z"))
    told = gitlab(
        ("root", "2026-02-02T12:00:00.500+01:00"), ("bob", "2026-02-02T10:00:00.499Z"), ("eve", "2026-01-01T00:00:00Z"),
        versions=versions,
    )  # fmt: skip
    assert {word.account: (word.head, word.time) for word in parsed(told)} == {
        "gitlab:root": (H2, "2026-02-02T11:00:00Z"),
        "gitlab:bob": (H1, "2026-02-02T10:00:00Z"),
        "gitlab:eve": ("", "2026-01-01T00:00:00Z"),
    }


GITEA = {
    "id": 4,
    "user": {"login": "alice"},
    "state": "APPROVED",
    "commit_id": H1,
    "official": True,
    "submitted_at": NOW,
}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (own(row("gitea:alice")), 'r.json: reviews[0] = "gitea:alice": is no account of a forge that [identity] trust'),
        (own(row("alice")), 'reviews[0].account = "alice": names no known forge (allowed: gitea:LOGIN'),
        (own(row("github:a b")), 'reviews[0].account = "a b": must be a login'),
        (own(row(state="LGTM")), 'reviews[0].state = "LGTM": is none of the known values (allowed: approve, object'),
        (own(row(head="abc")), 'reviews[0].head = "abc": must be a full commit id'),
        (own(row(), row(at="yesterday")), 'reviews[1].time = "yesterday": must be an instant'),
        (own(row(at="2026-03-01T12:00:00")), "reviews[0].time"),
        (own(row(at="0001-01-01T00:00:00+12:00")), "reviews[0].time"),
        (own(row(at="2026-03-01T13:00:00Z")), 'reviews[0] = "2026-03-01T13:00:00Z": is in the future'),
        (own({**row(), "sha": H1}), "reviews[0].sha: is no known key (allowed: account, state, head, time)"),
        (own({"account": "github:alice"}), "reviews[0].state: is missing"),
        (own(row(), "x"), 'reviews[1] = "x": must be an object'),
        ({"schema": "twohand.forge-reviews/v1"}, "reviews: is missing"),
        ({"schema": "twohand.forge-reviews/v1", "reviews": {}}, "reviews = a table of 0: must be a list"),
        ({"schema": "v9", "reviews": []}, 'schema = "v9": is no known schema (allowed: twohand.forge-reviews/v1)'),
        ([github("alice", "approved")], '[0].state = "approved": is none of the known values (allowed: APPROVED'),
        ([[github("alice", "APPROVED")], [github("bob", "APPROVED", head="main")]], "[1][0].commit_id"),
        ([GITEA], "[0]: is no review as GitHub lists them"),
        ([{**github("a", "APPROVED"), "user": "a"}], '[0].user = "a": must be an object'),
        ({"approved_by": []}, 'approved_by: names no head: put it as "approvals"'),
        ({"approvals": {}, "versions": []}, "approvals.approved_by: is missing"),
        ({"approvals": {"approved_by": [{"user": {"username": "a"}}]}, "versions": []}, "approved_by[0].approved_at"),
        ({"message": "Not Found", "status": "404"}, "is no list of reviews that is known"),
        ("x", "is no list of reviews that is known"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_says_where(data: Any, told: str) -> None:
    """File, key, value and what is allowed; a forge that nobody trusts is an error, no silence."""
    with pytest.raises(ReviewsInvalid) as caught:
        parsed(data)
    assert told in str(caught.value)
    assert str(caught.value).startswith("r.json: ")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe[", b"[" * 100_000, b" " * (forge_reviews.LARGEST + 1)], ids=lambda data: data[:3]
)
def test_a_file_that_is_no_json(data: bytes) -> None:
    """Broken, too deep, too large: an error each."""
    with pytest.raises(ReviewsInvalid):
        forge_reviews.parse(data, "r.json", TRUSTED, NOW)


def test_too_many_reviews_are_refused() -> None:
    """Nothing is cut off in silence."""
    with pytest.raises(ReviewsInvalid, match="more than 10000"):
        parsed([github(f"u{n}", "APPROVED") for n in range(10_001)])


# -- what it amounts to -------------------------------------------------------------------------------------------

CHANGE = ChangeProposed(
    change="c1", repository="r", target="refs/heads/main", base="0" * 40, head=H1, content_key="k1", at=NOW
)


def said(
    recorded: list[ReviewGiven], *words: tuple[str, str, str], change: ChangeProposed = CHANGE
) -> list[ReviewGiven]:
    """What a run makes of alice's words, added to the record as a journal does it."""
    told = Told("r.json", tuple(Word("github:alice", *word) for word in words))
    known = {event_id(event) for event in recorded}
    fresh = [event for event in forge_reviews.events(told, change, recorded) if event_id(event) not in known]
    recorded.extend(fresh)
    return fresh


def test_repeats_change_nothing() -> None:
    """Law 38: the same answer gives the same events."""
    record: list[ReviewGiven] = []
    assert [(e.verdict, e.time) for e in said(record, ("approve", H1, NOW))] == [("approve", NOW)]
    assert said(record, ("approve", H1, NOW)) == []


def test_what_the_forge_no_longer_says_is_taken_back_and_may_come_again() -> None:
    """An answer that was cut short once does not lift an objection for good."""
    record: list[ReviewGiven] = []
    for words, new in [
        ([("object", H1, NOW)], ["object"]),
        ([], ["withdraw"]),
        ([], []),
        ([("object", H1, NOW)], ["object"]),
        ([("object", H1, NOW)], []),
        ([("approve", H1, "2026-03-01T13:00:00Z")], ["withdraw", "approve"]),
        ([("approve", H1, "2026-03-01T13:00:00Z")], []),
    ]:
        assert [event.verdict for event in said(record, *words)] == new
    times = [event.time for event in record]
    assert times == sorted(set(times))


def test_an_approval_of_another_head_is_not_taken_back() -> None:
    """It counts for nothing there, and a withdrawal would reach what the same person signed."""
    record: list[ReviewGiven] = []
    said(record, ("approve", H2, NOW))
    assert said(record) == []


# -- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def gate(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Alice opened it; carol, who owns it, and bob have accounts on GitHub."""
    clean_environment(monkeypatch, tmp_path)
    gate = Gate(tmp_path, keys, capsys)
    gate.repo.checkout("main")
    policy = gate.policy.replace('fallback = ["carol"]', 'fallback = ["carol"]\nforge = true')
    for name in ("alice", "bob", "carol"):
        policy = policy.replace(f"[people.{name}]\n", f'[people.{name}]\naccounts = ["github:{name}"]\n')
    gate.repo.write("twohand.toml", policy)
    gate.repo.commit("Accounts")
    gate.repo.branch("work")
    gate.repo.write("auth/login.py", "def login(user):\n    check(user)\n    greet(user)\n")
    gate.repo.commit("Greet")
    (gate.repo.path.parent / "settings.toml").write_text('[identity]\ntrust = ["github"]\n')
    return gate


def review(
    gate: Gate, *reviews: dict[str, Any], settings: bool = True, more: tuple[str, ...] = ()
) -> tuple[int, str, str]:
    file = gate.repo.path.parent / "reviews.json"
    file.write_text(json.dumps(list(reviews)))
    trusting = ("--settings", str(gate.repo.path.parent / "settings.toml")) if settings else ()
    known = ("--opened-by", "github:alice", "--change", "7", "--format", "json")
    return tuple(gate.run("review", "--forge-reviews", str(file), *known, *trusting, *more))  # type: ignore[return-value]


def by(gate: Gate, login: str, state: str, ago: int = 60, head: str = "HEAD") -> dict[str, Any]:
    return github(login, state, instants.later(clock.now(), -ago), gate.repo.id(head))


def test_an_owners_approval_on_the_forge_admits(gate: Gate) -> None:
    """Law 10, 21: grade B, for this head, where policy takes the forge's word for an owner's; the decision names the file."""
    assert review(gate)[0] == 4
    code, out, _ = review(gate, by(gate, "Carol", "APPROVED"))
    decision = json.loads(out)
    assert (code, decision["outcome"]) == (0, "admitted")
    assert any("reviews.json (1)" in source for source in decision["read_from"])


def test_a_forge_that_the_settings_do_not_name_is_an_error(gate: Gate) -> None:
    """Law 21: without trust nothing is counted, and nothing is passed over in silence."""
    code, out, err = review(gate, by(gate, "carol", "APPROVED"), settings=False)
    assert (code, out) == (2, "")
    assert '"github:carol": is no account of a forge that [identity] trust in the settings names' in err


@pytest.mark.parametrize(
    ("login", "state", "outcome"),
    [("alice", "APPROVED", 1), ("mallory", "APPROVED", 4), ("carol", "COMMENTED", 4), ("bob", "CHANGES_REQUESTED", 1)],
)
def test_who_is_no_second_hand(gate: Gate, login: str, state: str, outcome: int) -> None:
    """Law 21, 23, 34: authors, strangers and comments approve nothing; an objection blocks."""
    assert review(gate, by(gate, login, state))[0] == outcome


def test_another_head_is_another_change(gate: Gate) -> None:
    """Law 21: exactly the head that was approved."""
    approved = by(gate, "carol", "APPROVED")
    gate.repo.write("auth/login.py", "def login(user):\n    pass\n")
    gate.repo.commit("Drop the check")
    assert review(gate, approved)[0] != 0
    assert review(gate, by(gate, "carol", "APPROVED", head="HEAD~1"))[0] != 0


def test_approvals_and_objections_end_with_the_forges_word(gate: Gate) -> None:
    """A dismissed review is none, in a repository that remembers it too; a record of it replays."""
    carol = by(gate, "carol", "APPROVED", ago=100)
    story = [
        ([carol], 0), ([], 4), ([carol], 0), ([{**carol, "state": "DISMISSED"}], 4),
        ([by(gate, "carol", "CHANGES_REQUESTED", ago=90)], 1), ([by(gate, "carol", "APPROVED", ago=80)], 0),
    ]  # fmt: skip
    for reviews, outcome in story:
        assert review(gate, *reviews)[0] == outcome
    log = gate.repo.path.parent / "log.jsonl"
    assert gate.run("journal", "export", "--output", str(log)).code == 0
    assert "differs" not in gate.run("replay", str(log)).out


def test_a_file_that_is_not_there(gate: Gate) -> None:
    """No reviews read is not no reviews."""
    said = gate.run("review", "--forge-reviews", str(gate.repo.path.parent / "none.json"))
    assert said.code == 2
    assert "none.json cannot be read: No such file" in said.err
