"""Statements as git carries them: refs and blobs that anybody may write, and that are worth what their signature is worth."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rules.sshsig import BEGIN, END
from rules.statement import SCHEMA, Statement, parse, payload, split, statement_id
from streams.sources import signatures, statements
from streams.sources.git import Repository
from streams.sources.signatures import key_from_file
from streams.sources.statements import PREFIX, StatementExists
from tests.gitrepo import Repo
from tests.streams.gate import Gate, Said

KEY = "0" * 64


@pytest.fixture
def spoken(gate: Gate) -> Gate:
    """Alice answers for the change and carol, an owner, approves it."""
    gate.say("propose", "alice", "--tool", "none")
    gate.say("approve", "carol")
    return gate


def refs(repo: Repo) -> dict[str, str]:
    """The statement refs with their blobs."""
    rows = repo.git("for-each-ref", "--format=%(refname) %(objectname)", PREFIX).splitlines()
    return dict(row.split() for row in rows)


def of(repo: Repo, verb: str) -> tuple[str, bytes]:
    """Ref and blob of the one statement with this verb."""
    found = [(ref, repo.raw("cat-file", "blob", blob)) for ref, blob in refs(repo).items()]
    return next((ref, data) for ref, data in found if parse(split(data)[0]).verb == verb)


def put(repo: Repo, ref: str, data: bytes) -> None:
    repo.git("update-ref", ref, repo.git("hash-object", "-w", "--stdin", stdin=data))


def decided(said: Said) -> dict[str, object]:
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


def judged(gate: Gate) -> tuple[str, list[str]]:
    """The outcome, and the codes of its reasons."""
    decision = json.loads(gate.run("review", "--format", "json").out)
    return decision["outcome"], sorted({reason["code"] for reason in decision["reasons"]})


# -- how a statement is kept ------------------------------------------------------------------------------------------


def test_a_statement_is_one_blob_under_content_and_id(spoken: Gate) -> None:
    """Canonical JSON, a line feed, the armored signature over both; the ref names content key and sha256 (DESIGN 11)."""
    for ref, blob in refs(spoken.repo).items():
        data = spoken.repo.raw("cat-file", "blob", blob)
        signed, armor = split(data)
        said = parse(signed)
        assert ref == f"refs/twohand/reviews/{said.content_key}/{statement_id(signed)}"
        assert json.loads(signed)["schema"] == SCHEMA
        assert signed.count(b"\n") == 1
        assert signed + armor == data
        assert armor.startswith(BEGIN)
        assert armor.rstrip().endswith(END)


def test_a_statement_says_what_was_seen(spoken: Gate) -> None:
    """Law 17: repository, target, base, head, paths, authors and time are inside what is signed."""
    said = parse(split(of(spoken.repo, "approve")[1])[0])
    assert (said.by, said.repository, said.target) == ("carol", "example/shop", "refs/heads/main")
    assert (said.base, said.head) == (spoken.repo.id("main"), spoken.repo.id("feature"))
    assert [row.path for row in said.paths] == ["auth/login.py"]
    assert said.paths[0].new_blob == spoken.repo.id("feature:auth/login.py")
    assert [author.name for author in said.authors] == ["alice"]


def test_the_same_statement_is_kept_once(gate: Gate) -> None:
    """To write it again is an error that says so; the ref stays where it was."""
    repo = Repository.open(gate.repo.path)
    said = Statement("object", "bob", "r", "t", "b", "h", KEY, time="2026-11-21T14:00:00Z")
    key = key_from_file(gate.keys["bob"])
    ref = statements.write(repo, said, lambda data: signatures.sign(data, key))
    before = refs(gate.repo)
    with pytest.raises(StatementExists, match=ref) as caught:
        statements.write(repo, said, lambda data: signatures.sign(data, key))
    assert "Nothing is left to do" in caught.value.remedy
    assert refs(gate.repo) == before == {ref: gate.repo.id(ref)}


def test_what_cannot_be_signed_leaves_no_ref(gate: Gate) -> None:
    """An error of the signer comes before anything is kept."""
    said = Statement("object", "bob", "r", "t", "b", "h", KEY, time="2026-11-21T14:00:00Z")
    no_key = signatures.KeyChoice(gate.repo.path / "nothing", agent=False, line="", found="nothing")
    with pytest.raises(signatures.CannotSign):
        statements.write(Repository.open(gate.repo.path), said, lambda data: signatures.sign(data, no_key))
    assert refs(gate.repo) == {}


def test_a_listing_tells_what_it_could_not_read(gate: Gate) -> None:
    """Law 40: every ref is a row or is named as unread."""
    put(gate.repo, f"{PREFIX}/{KEY}/a", b"nonsense")
    lost = gate.repo.git("hash-object", "-w", "--stdin", stdin=b"lost")
    gate.repo.git("update-ref", f"{PREFIX}/{KEY}/b", lost)
    gate.repo.file(f".git/objects/{lost[:2]}/{lost[2:]}").unlink()
    found = statements.listing(Repository.open(gate.repo.path))
    assert found.unread == (f"{PREFIX}/{KEY}/b",)
    assert [(row.ref, row.statement) for row in found.rows] == [(f"{PREFIX}/{KEY}/a", None)]


# -- what others do to refs -------------------------------------------------------------------------------------------


def test_what_was_said_admits(spoken: Gate) -> None:
    """The case that all others here differ from in one thing."""
    assert judged(spoken) == ("admitted", [])


def test_a_deleted_approval_is_missing(spoken: Gate) -> None:
    """Where nobody recorded it, an approval whose ref is gone was never given."""
    spoken.repo.git("update-ref", "-d", of(spoken.repo, "approve")[0])
    outcome, codes = judged(spoken)
    assert outcome == "escalated"
    assert {"owner.required", "approval.missing"} <= set(codes)


def test_what_was_recorded_is_not_undone_by_deleting_refs(spoken: Gate) -> None:
    """The journal is the memory: a decision that was recorded with its statements stays (law 40)."""
    assert judged(spoken)[0] == "admitted"
    for ref in refs(spoken.repo):
        spoken.repo.git("update-ref", "-d", ref)
    assert judged(spoken)[0] == "admitted"


def edited(data: bytes) -> bytes:
    return data.replace(b'"by":"carol"', b'"by":"dave"')


def resigned(data: bytes) -> bytes:
    signed, _ = split(data)
    return signed + BEGIN + b"\nU1NIU0lH\n" + END + b"\n"


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "name": edited,
    "signature": resigned,
    "no signature": lambda data: split(data)[0],
    "a space": lambda data: data.replace(b'"by":"carol"', b'"by": "carol"'),
    "reason": lambda data: data.replace(b'"reason":""', b'"reason":"fine"'),
    "later": lambda data: data.replace(b'"time":"20', b'"time":"19'),
    "empty": lambda data: b"",
    "twice": lambda data: data + data,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_an_edited_statement_is_nothing(spoken: Gate, name: str) -> None:
    """Law 17: the blob under the ref was rewritten by hand; no approval is left, and that is told."""
    ref, data = of(spoken.repo, "approve")
    assert FORGERIES[name](data) != data
    put(spoken.repo, ref, FORGERIES[name](data))
    outcome, codes = judged(spoken)
    assert outcome == "escalated"
    assert "owner.required" in codes


def test_a_copied_statement_speaks_of_its_own_content_alone(spoken: Gate) -> None:
    """Law 17: under the ref of other content it is still about what it names."""
    _, data = of(spoken.repo, "approve")
    spoken.repo.write("auth/login.py", "def login(user):\n    pass\n")
    spoken.repo.commit("Another content")
    content = str(decided(spoken.run("review", "--format", "json"))["change"]["content_key"])  # type: ignore[index]
    put(spoken.repo, f"{PREFIX}/{content}/{statement_id(split(data)[0])}", data)
    outcome, codes = judged(spoken)
    assert outcome == "escalated"
    assert "owner.required" in codes


@pytest.mark.parametrize("revision", ["HEAD", "HEAD^{tree}", "a-tag"])
def test_a_ref_to_something_else_is_no_statement(spoken: Gate, revision: str) -> None:
    """A commit, a tree or a tag where a statement should be takes nothing from those that are good."""
    spoken.repo.git("tag", "-a", "-m", "x", "a-tag")
    content = of(spoken.repo, "approve")[0].split("/")[3]
    for ref in (f"{PREFIX}/{content}/odd", f"{PREFIX}/odd"):
        spoken.repo.git("update-ref", ref, spoken.repo.id(revision))
    assert judged(spoken) == ("admitted", [])


def test_a_huge_statement_is_not_read_and_not_skipped(spoken: Gate) -> None:
    """Law 40: 40 MB under a statement's ref hold the change, with the ref's name as the reason."""
    ref = f"{PREFIX}/{KEY}/huge"
    put(spoken.repo, ref, b"x" * (40 << 20))
    said = spoken.run("review", "--format", "json")
    assert judged(spoken) == ("escalated", ["evidence.incomplete"])
    assert ref in said.out


@pytest.mark.parametrize(
    "text", ["garbage\n", "0" * 40 + "\n", "1" * 40 + "\n", ""], ids=["text", "zeros", "no object", "empty"]
)
def test_a_broken_ref_is_no_missing_objection(spoken: Gate, text: str) -> None:
    """Law 40: git leaves a broken ref out of its lists; what it said was an objection, and nothing is admitted."""
    spoken.say("object", "bob")
    ref, _ = of(spoken.repo, "object")
    spoken.repo.file(f".git/{ref}").write_text(text)
    assert judged(spoken) == ("escalated", ["evidence.incomplete"])


def test_a_corrupt_object_is_no_missing_objection(spoken: Gate) -> None:
    """Law 40: the blob of an objection is damaged; the change waits until it can be read."""
    spoken.say("object", "bob")
    blob = spoken.repo.id(of(spoken.repo, "object")[0])
    file = spoken.repo.file(f".git/objects/{blob[:2]}/{blob[2:]}")
    file.chmod(0o644)
    file.write_bytes(b"corrupt")
    assert judged(spoken) == ("escalated", ["evidence.incomplete"])


def test_a_symbolic_ref_to_a_statement_is_that_statement(spoken: Gate) -> None:
    """Said once, however many names it has; a name that leads nowhere is told as unread."""
    spoken.repo.git("symbolic-ref", f"{PREFIX}/another/name", of(spoken.repo, "approve")[0])
    assert judged(spoken) == ("admitted", [])
    spoken.repo.git("symbolic-ref", f"{PREFIX}/another/name", "refs/heads/nowhere")
    assert judged(spoken) == ("escalated", ["evidence.incomplete"])


def test_packed_refs_and_objects_are_the_same_statements(spoken: Gate) -> None:
    """After git's own housekeeping nothing has moved."""
    spoken.repo.git("gc", "-q")
    assert not [path for path in spoken.repo.file(".git/refs/twohand").rglob("*") if path.is_file()]
    assert judged(spoken) == ("admitted", [])


def test_a_hundred_strange_statements_change_nothing(spoken: Gate) -> None:
    """Noise under the content's own refs is told and does not count."""
    content = of(spoken.repo, "approve")[0].split("/")[3]
    blobs = [spoken.repo.git("hash-object", "-w", "--stdin", stdin=f"noise {n}".encode()) for n in range(5)]
    lines = "".join(f"create {PREFIX}/{content}/{n} {blobs[n % 5]}\n" for n in range(100))
    spoken.repo.git("update-ref", "--stdin", stdin=lines.encode())
    assert judged(spoken) == ("admitted", [])


# -- statements that travel -------------------------------------------------------------------------------------------


def test_an_approval_counts_where_it_was_fetched(spoken: Gate, tmp_path: Path) -> None:
    """Law 19: pushed to a bare repository with git alone, and fetched elsewhere, it is as good as at home."""
    there = Repo(tmp_path / "there.git", bare=True)
    spoken.repo.git("push", "-q", str(there.path), "main", "feature", "refs/twohand/*:refs/twohand/*")
    clone = Repo.clone(there, tmp_path / "clone")
    clone.git("checkout", "-q", "feature")
    spoken.repo = clone
    assert judged(spoken)[0] == "escalated"
    clone.git("fetch", "-q", "origin", "refs/twohand/*:refs/twohand/*")
    assert judged(spoken) == ("admitted", [])


def test_an_approval_counts_in_a_bare_repository(spoken: Gate, tmp_path: Path) -> None:
    """Where the server decides, without a working tree; its journal lies inside."""
    there = Repo(tmp_path / "there.git", bare=True)
    spoken.repo.git("push", "-q", str(there.path), "main", "feature", "refs/twohand/*:refs/twohand/*")
    spoken.repo = there
    decision = decided(spoken.run("review", "--head", "feature", "--target", "main", "--format", "json"))
    assert decision["outcome"] == "admitted"
    assert (there.path / "twohand" / "journal.db").is_file()


def test_push_carries_the_statement(gate: Gate, tmp_path: Path) -> None:
    """`--push REMOTE` is that one ref, and says so."""
    there = Repo(tmp_path / "there.git", bare=True)
    gate.repo.git("remote", "add", "origin", str(there.path))
    said = gate.run("object", "HEAD", "--as", "bob", "--key", str(gate.keys["bob"]), "--push", "origin")
    assert said.code == 0
    assert "pushed to origin" in said.out
    assert refs(there) == refs(gate.repo) != {}


def test_a_remote_that_refuses_leaves_the_statement_here(gate: Gate, tmp_path: Path) -> None:
    """The error carries git's words and the command that pushes it later."""
    key = str(gate.keys["bob"])
    said = gate.run("object", "HEAD", "--as", "bob", "--key", key, "--push", str(tmp_path / "nowhere.git"))
    assert said.code == 2
    assert "did not take it" in said.err
    assert "git push" in said.err
    assert len(refs(gate.repo)) == 1


def test_a_signature_of_the_wrong_kind_is_told(spoken: Gate) -> None:
    """Signed with the right key for another purpose: nothing (namespace)."""
    ref, data = of(spoken.repo, "approve")
    signed, _ = split(data)
    key = spoken.keys["carol"]
    file = spoken.repo.path.parent / "signed"
    file.write_bytes(signed)
    spoken.repo.path.parent.joinpath("signed.sig").unlink(missing_ok=True)
    _sign_as_git(key, file)
    put(spoken.repo, ref, signed + file.with_name("signed.sig").read_bytes())
    assert judged(spoken)[0] == "escalated"


def _sign_as_git(key: Path, file: Path) -> None:
    subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", key, file], check=True)


def test_a_repository_of_another_name_hears_nothing(spoken: Gate) -> None:
    """Law 17: statements are bound to the repository that the policy names."""
    said = parse(split(of(spoken.repo, "approve")[1])[0])
    assert payload(said) == split(of(spoken.repo, "approve")[1])[0]
    spoken.repo.checkout("main")
    spoken.repo.write("twohand.toml", spoken.policy.replace("example/shop", "example/fork"))
    spoken.repo.commit("Fork")
    spoken.repo.checkout("feature")
    outcome, codes = judged(spoken)
    assert outcome == "escalated"
    assert "owner.required" in codes
