"""Objects by id: many, large, missing and damaged ones."""

from pathlib import Path

import pytest

from streams.sources.catfile import Info, Object
from streams.sources.git import Repository
from tests.gitrepo import Repo

GONE = "1" * 40


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def blob(repo: Repo, data: bytes) -> str:
    return repo.git("hash-object", "-w", "--stdin", stdin=data)


def damage(repo: Repo, object_id: str, data: bytes) -> None:
    path = repo.path / ".git" / "objects" / object_id[:2] / object_id[2:]
    path.chmod(0o644)
    path.write_bytes(data)


def test_objects_come_in_the_order_they_were_asked_for(repo: Repo) -> None:
    """Repeats, empty blobs, trees and missing objects keep their places."""
    one, empty = blob(repo, b"one\n"), blob(repo, b"")
    with Repository.open(repo.path).cat_file() as objects:
        assert list(objects.read([one, GONE, empty, one])) == [
            Object(one, "blob", b"one\n"),
            Object(GONE, "", None),
            Object(empty, "blob", b""),
            Object(one, "blob", b"one\n"),
        ]
        assert objects.sizes([GONE, one]) == [Info(GONE, "", 0), Info(one, "blob", 4)]
        assert list(objects.read([])) == objects.sizes([]) == []


def test_large_objects_are_not_read(repo: Repo) -> None:
    """What is over the limit has its type and no data; what is exactly at it is read."""
    big, fits = blob(repo, b"x" * 101), blob(repo, b"x" * 100)
    with Repository.open(repo.path).cat_file() as objects:
        assert list(objects.read([big, fits], 100)) == [Object(big, "blob", None), Object(fits, "blob", b"x" * 100)]


def test_more_objects_than_pipes_hold(repo: Repo) -> None:
    """5,000 requests, and answers of many megabytes, neither block nor get lost."""
    small = [blob(repo, b"%d" % number) for number in range(3)]
    large = blob(repo, bytes(range(256)) * 20_000)
    with Repository.open(repo.path).cat_file() as objects:
        assert [found.data for found in objects.read(small * 1_667)] == [b"0", b"1", b"2"] * 1_667
        assert sum(len(found.data or b"") for found in objects.read([large] * 20)) == 20 * 256 * 20_000


def test_a_reader_that_stops_early_disturbs_no_other(repo: Repo) -> None:
    """Two readings at once, one of them abandoned, each get their own answers."""
    ids = [blob(repo, b"%d" % number) for number in range(10)]
    with Repository.open(repo.path).cat_file() as objects:
        first = objects.read(ids)
        assert next(first).data == b"0"
        assert [found.data for found in objects.read(ids[5:7])] == [b"5", b"6"]
        assert next(first).data == b"1"


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_damaged_object_is_missing_and_stops_nothing(repo: Repo, garbage: bytes) -> None:
    """git ends at some damaged objects; the others are read all the same."""
    good, bad, last = blob(repo, b"good"), blob(repo, b"bad" * 1000), blob(repo, b"last")
    damage(repo, bad, garbage)
    with Repository.open(repo.path).cat_file() as objects:
        assert [found.data for found in objects.read([good, bad, last])] == [b"good", None, b"last"]
        assert [info.type for info in objects.sizes([bad, good])] == ["", "blob"]


def test_an_object_cut_short_is_missing(repo: Repo) -> None:
    """An object whose header is whole and whose content is not has no data."""
    good = blob(repo, b"good")
    bad = blob(repo, bytes(range(256)) * 4_000)
    path = repo.path / ".git" / "objects" / bad[:2] / bad[2:]
    damage(repo, bad, path.read_bytes()[:-10])
    with Repository.open(repo.path).cat_file() as objects:
        assert list(objects.read([bad, good])) == [Object(bad, "", None), Object(good, "blob", b"good")]


def test_it_can_be_used_again_after_it_was_closed(repo: Repo) -> None:
    """Closing ends git; the next request starts another one."""
    one = blob(repo, b"one")
    objects = Repository.open(repo.path).cat_file()
    objects.close()
    for _ in range(2):
        assert [found.data for found in objects.read([one])] == [b"one"]
        objects.close()
