"""Statements by push: only new, well-formed, correctly named and signed ones come in, and none ever leaves (law 17-19, 40)."""

from pathlib import Path

import pytest

from streams.commands.app import run
from streams.engines.journal import Journal
from streams.sources.statements import PREFIX
from tests.gitrepo import Repo
from tests.streams.served import Served, push


def written(served: Served, verb: str = "approve", name: str = "bob", *options: str) -> str:
    """The ref of a statement that was signed and not pushed."""
    before = refs(served.work)
    command = [verb, "HEAD", "--as", name, "--key", str(served.keys / name), "-C", str(served.work.path)]
    assert run([*command, *options]) == 0
    return (refs(served.work) - before).pop()


def refs(repo: Repo) -> set[str]:
    return set(repo.git("for-each-ref", "--format=%(refname)", PREFIX).splitlines())


def blob(served: Served, data: bytes) -> str:
    return served.work.git("hash-object", "-w", "--stdin", stdin=data)


def test_a_good_statement_comes_in_and_is_recorded(served: Served) -> None:
    """Its ref is there, and the journal holds the event that it amounts to."""
    assert not served.push("feature:main").taken
    served.say("approve", "bob")
    assert len(refs(served.server)) == 1
    with Journal(served.server.path / "twohand" / "journal.db") as journal:
        assert "bob" in [getattr(event, "reviewer", "") for event in journal.events()]


def test_a_statement_about_what_nobody_pushed_yet_is_kept(served: Served) -> None:
    """An objection may come before the change does, and then it is in force (law 34)."""
    served.say("object", "bob", "HEAD", "--reason", "no")
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert "veto" in pushed.words


def test_none_is_deleted(served: Served) -> None:
    """Not even by its author: `withdraw` is a statement, too."""
    ref = written(served)
    assert served.push(ref).taken
    pushed = served.push(f":{ref}")
    assert not pushed.taken
    assert "never deleted" in pushed.words
    assert refs(served.server) == {ref}


def test_none_is_overwritten(served: Served) -> None:
    """What is there stays what it is."""
    ref = written(served)
    assert served.push(ref).taken
    other = blob(served, b"{}\n")
    assert not served.push(f"+{other}:{ref}").taken
    assert served.at(ref) == served.work.git("rev-parse", ref)


def test_its_name_is_its_content(served: Served) -> None:
    """Under another key or id it is not taken."""
    ref = written(served)
    for name in (f"{PREFIX}/{'a' * 64}/{ref[-64:]}", f"{ref[:-64]}{'b' * 64}", f"{PREFIX}/short", f"{ref}/deeper"):
        assert not served.push(f"{ref}:{name}").taken, name
    assert refs(served.server) == set()


@pytest.mark.parametrize("data", [b"", b"hello", b'{"schema":"twohand.statement/v1"}\n', b"\0" * 100])
def test_what_is_no_statement_is_not_taken(served: Served, data: bytes) -> None:
    """Bytes that are no canonical statement."""
    assert not served.push(f"{blob(served, data)}:{PREFIX}/{'a' * 64}/{'b' * 64}").taken


def test_a_commit_is_no_statement(served: Served) -> None:
    """Only blobs are."""
    pushed = served.push(f"{served.head}:{PREFIX}/{'a' * 64}/{'b' * 64}")
    assert not pushed.taken
    assert "it is no blob" in pushed.words


def test_without_its_signature_it_is_nothing(served: Served) -> None:
    """Law 17: edited bytes, no signature, or that of somebody whom nobody enrolled."""
    ref = written(served)
    data = served.work.raw("cat-file", "blob", ref)
    bare = data[: data.index(b"-----BEGIN")]
    pushed = served.push(f"{blob(served, bare)}:{ref}")
    assert not pushed.taken
    assert "no enrolled key signed it" in pushed.words


def test_a_key_speaks_for_its_own_name_only(served: Served) -> None:
    """A good signature of Carol's over other bytes is none over Bob's."""
    ref = written(served)
    theirs = served.work.raw("cat-file", "blob", ref)
    mine = served.work.raw("cat-file", "blob", written(served, "approve", "carol"))
    mixed = theirs[: theirs.index(b"-----BEGIN")] + mine[mine.index(b"-----BEGIN") :]
    assert not served.push(f"{blob(served, mixed)}:{ref}").taken


def test_another_repositorys_statement_is_not_taken(served: Served, tmp_path: Path) -> None:
    """Law 17: it is bound to the repository that it names."""
    other = Repo(tmp_path / "other")
    other.write("twohand.toml", served.policy.replace("example/shop", "example/other"))
    other.commit("start")
    other.branch("feature")
    other.write("shop/cart.py", "TOTAL = 1\n")
    other.commit("A total")
    assert run(["approve", "HEAD", "--as", "bob", "--key", str(served.keys / "bob"), "-C", str(other.path)]) == 0
    other.git("remote", "add", "origin", str(served.server.path))
    pushed = push(other, "origin", "refs/twohand/*:refs/twohand/*")
    assert not pushed.taken
    assert "'example/other'" in pushed.words


def test_one_bad_statement_keeps_the_push_out(served: Served) -> None:
    """All or none, as always with a push."""
    ref = written(served)
    assert not served.push(ref, f"{blob(served, b'x')}:{PREFIX}/{'a' * 64}/{'b' * 64}").taken
    assert refs(served.server) == set()


def test_nothing_else_lives_below_our_refs(served: Served) -> None:
    """refs/twohand/ holds statements."""
    assert not served.push("feature:refs/twohand/other").taken


def test_an_objection_that_an_administrator_removed_stays_in_force(served: Served) -> None:
    """Law 40: the journal remembers what vanished."""
    served.agree()
    served.say("object", "carol", "HEAD", "--reason", "wait")
    for ref in refs(served.server):
        served.server.git("update-ref", "-d", ref)
    served.agree()
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert "veto" in pushed.words


def test_one_more_byte_takes_nothing_back(served: Served) -> None:
    """Law 6, 12, 34: a push names no source branch, so what it takes up again is known by its paths and who answers."""
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("object", "bob", "HEAD", "--reason", "no")
    assert not served.push("feature:main").taken
    served.work.write("shop/cart.py", "TOTAL = 10\n")
    served.work.git("commit", "-q", "--amend", "-a", "--no-edit")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    pushed = served.push("feature:main")
    assert not pushed.taken
    assert "veto: bob objects" in pushed.words


def test_what_landed_is_over(served: Served) -> None:
    """A later change of the same file is another change: what was withdrawn and what landed do not concern it."""
    served.say("object", "bob", "HEAD", "--reason", "no")
    assert not served.push("feature:main").taken
    served.say("withdraw", "bob")
    served.agree()
    assert served.push("feature:main").taken
    served.work.write("shop/cart.py", "TOTAL = 3\n")
    served.work.commit("Again")
    served.work.git("fetch", "-q", "origin")
    served.work.git("branch", "-f", "main", "origin/main")
    served.agree()
    assert served.push("feature:main").taken
