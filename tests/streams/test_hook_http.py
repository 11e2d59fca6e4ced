"""pre-receive behind smart HTTP: what nobody approved stays outside, what was approved lands, also when many push at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streams.engines.journal import Journal
from tests import smarthttp
from tests.gitrepo import Repo
from tests.smarthttp import CLIENT, Server
from tests.streams.gate import clean_environment
from tests.streams.served import Pushed, Served, push

USERS = {"alice": "a-word", "bob": "b-word", "carol": "c-word"}


@pytest.fixture
def served(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    clean_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Served(tmp_path, keys)


@pytest.fixture
def http(served: Served) -> Iterator[Server]:
    """The server of `served`, whose clone pushes to it as alice."""
    with smarthttp.serving(served.root, USERS) as server:
        served.work.git("remote", "set-url", "origin", server.url("server.git", "alice"))
        yield server


def over_http(repo: Repo, *refspecs: str, options: tuple[str, ...] = ()) -> Pushed:
    return push(repo, "origin", *refspecs, options=options, env=CLIENT)


def cloned(served: Served, http: Server, user: str) -> Repo:
    """Another clone, over HTTP."""
    repo = Repo(served.root / user, init=False)
    repo.git("clone", "-q", http.url("server.git", user), ".", env=CLIENT)
    return repo


def changes(served: Served, http: Server, count: int) -> list[Repo]:
    """Clones that each have one commit of their own to land on main."""
    made = []
    for number in range(count):
        repo = Repo(served.root / f"clone-{number}", init=False)
        repo.git("clone", "-q", http.url("server.git", "alice"), ".", env=CLIENT)
        repo.branch(f"topic-{number}")
        repo.write(f"shop/part{number}.py", f"PART = {number}\n")
        repo.commit(f"Part {number}")
        made.append(repo)
    return made


def at_once(repos: list[Repo]) -> list[Pushed]:
    with ThreadPoolExecutor(len(repos)) as pool:
        return list(pool.map(lambda repo: over_http(repo, "HEAD:main"), repos))


def test_a_push_over_http_is_refused_and_says_what_to_do(served: Served, http: Server) -> None:
    """Law 41: the words of the hook reach the pusher as `remote:` lines."""
    pushed = over_http(served.work, "feature:main")
    assert not pushed.taken
    assert served.at("main") == served.start
    assert f"error: main stays where it is: {served.head[:12]} is pending" in "\n".join(pushed.said)
    assert all(line.startswith(("error: ", "hint: ")) and len(line) < 72 for line in pushed.said)
    assert "POST /server.git/git-receive-pack" in http.requests


def test_the_same_push_lands_after_an_approval_from_another_clone(served: Served, http: Server) -> None:
    """Law 17: statements travel as refs, over the same door; nobody touches the server."""
    assert not over_http(served.work, "feature:main").taken
    assert over_http(served.work, "feature").taken
    served.say("propose", "alice", "HEAD", "--tool", "none")
    for name in ("bob", "carol"):
        served.say("approve", name, "origin/feature", repo=cloned(served, http, name))
    pushed = over_http(served.work, "feature:main")
    assert pushed.taken, pushed.err
    assert served.at("main") == served.head


def test_who_is_not_logged_in_reaches_no_hook(served: Served, http: Server) -> None:
    """Without a login the server takes nothing, approved or not."""
    served.agree()
    served.work.git("remote", "set-url", "origin", http.url("server.git"))
    pushed = over_http(served.work, "feature:main")
    assert not pushed.taken
    assert pushed.said == []
    assert served.at("main") == served.start


def test_a_forged_statement_is_refused_over_http(served: Served, http: Server) -> None:
    """Law 17, 19: a right to push is no right to speak."""
    blob = served.work.git("hash-object", "-w", "--stdin", stdin=b'{"verb":"approve","by":"carol"}\n')
    served.work.git("update-ref", f"refs/twohand/reviews/{'a' * 64}/{'b' * 64}", blob)
    pushed = over_http(served.work, "refs/twohand/*:refs/twohand/*")
    assert not pushed.taken
    assert pushed.said
    assert served.at(f"refs/twohand/reviews/{'a' * 64}/{'b' * 64}") == ""


def test_a_large_push_arrives_in_chunks(served: Served, http: Server) -> None:
    """What is over git's post buffer is sent without a length; the hook sees all of it."""
    served.work.git("config", "http.postBuffer", "65536")
    served.work.write("shop/data.txt", "".join(f"{number * 7919 % 1000003}\n" for number in range(60_000)))
    head = served.work.commit("Data")
    assert not over_http(served.work, "feature:main").taken
    served.agree()
    pushed = over_http(served.work, "feature:main")
    assert pushed.taken, pushed.err
    assert served.at("main") == head


def test_many_who_push_at_once_are_all_refused(served: Served, http: Server) -> None:
    """Law 7: each is judged on its own objects; every one of them is recorded as proposed."""
    results = at_once(changes(served, http, 4))
    assert not any(pushed.taken for pushed in results)
    assert all("main stays where it is" in "\n".join(pushed.said) for pushed in results)
    assert served.at("main") == served.start
    with Journal(served.server.path / "twohand" / "journal.db") as journal:
        heads = {getattr(event, "head", "") for event in journal.events()}
        assert journal.broken_row() is None
    assert {served.root / f"clone-{number}" for number in range(4)} == {
        repo for repo in served.root.glob("clone-*") if Repo(repo, init=False).id("HEAD") in heads
    }


def test_of_many_at_once_only_the_approved_one_lands(served: Served, http: Server) -> None:
    """Law 7: nobody slips in beside it."""
    repos = changes(served, http, 3)
    approve(served, repos[1])
    results = at_once(repos)
    assert [pushed.taken for pushed in results] == [False, True, False]
    assert served.at("main") == repos[1].id("HEAD")


def test_of_two_approved_at_once_one_lands_and_the_other_is_told(served: Served, http: Server) -> None:
    """Law 5, 7: both are judged on the main that they saw; git moves it once, and what it held is not dropped."""
    repos = changes(served, http, 2)
    for repo in repos:
        approve(served, repo)
    results = at_once(repos)
    winners = [repo for repo, pushed in zip(repos, results, strict=True) if pushed.taken]
    assert len(winners) == 1
    assert "rejected]" in next(pushed.err for pushed in results if not pushed.taken)
    assert served.at("main") == winners[0].id("HEAD")


def approve(served: Served, repo: Repo) -> None:
    """Everything that the change in this clone needs, pushed."""
    for verb, name, more in (
        ("propose", "alice", ("--tool", "none")),
        ("approve", "bob", ()),
        ("approve", "carol", ()),
    ):
        served.say(verb, name, "HEAD", *more, repo=repo)
