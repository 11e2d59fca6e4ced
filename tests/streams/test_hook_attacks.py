"""Attacks on an enforcing server, and carelessness of those who run it: nothing gets in, and honest pushes are not shut out."""

import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from rules.statement import Statement
from streams.commands.app import run
from streams.desk import Desk
from streams.engines.journal import Journal
from streams.hooks import letterbox
from streams.sources import signatures, statements
from streams.sources.git import Repository
from streams.sources.landing import Move
from tests.gitrepo import Repo
from tests.streams.served import Served, enforce, push

CART = "shop/cart.py"
LONG = Statement(
    "object", "", "example/shop", "refs/heads/main", "", "", "", time="2026-01-01T00:00:00Z", reason="x" * 4_000
)
MALLORY = {"GIT_AUTHOR_NAME": "Mallory", "GIT_AUTHOR_EMAIL": "m@example.org"}


def begun(served: Served, branch: str, path: str, text: str | None, message: str = "Change") -> None:
    """A branch from where main stands now, with one commit, checked out."""
    served.work.git("fetch", "-q", "origin")
    served.work.git("switch", "-q", "--no-track", "-C", branch, "origin/main")
    served.work.git("branch", "-f", "main", "origin/main")
    if text is None:
        served.work.git("rm", "-q", path)
    else:
        served.work.write(path, text)
    served.work.commit(message)


def test_a_first_push_that_fails_founds_nothing(served: Served, tmp_path: Path) -> None:
    """Law 37: what git did not take is no root of trust, and the honest first push is taken afterwards."""
    server = Repo(tmp_path / "empty.git", bare=True)
    enforce(server)
    served.work.git("tag", "-f", "odd", "main")
    blocked = push(served.work, str(server.path), "feature:main", "main:refs/twohand/junk")
    failed = push(
        served.work, str(server.path), "feature:main", "main:refs/tags/a", "main:refs/tags/a/b", options=("--atomic",)
    )
    with Journal(server.path / "twohand/journal.db") as journal:
        assert not blocked.taken
        assert not failed.taken
        assert journal.root() is None
        taken = push(served.work, str(server.path), "main:main")
        assert taken.taken, taken.err
        root = journal.root()
    assert root is not None
    assert root[1] == "main:twohand.toml"
    assert push(served.work, str(server.path), "feature:main").code, "what comes next is judged"


@pytest.mark.parametrize("what", ["deleted", "keys", "owners", "default"])
def test_nobody_is_locked_out_by_their_own_law(served: Served, what: str) -> None:
    """A law that nobody could answer or read any more is not taken, not even with every approval."""
    paths = {"deleted": "twohand.toml", "keys": "twohand.toml", "owners": ".github/CODEOWNERS", "default": CART}
    without = "\n".join(line for line in served.policy.splitlines() if not line.startswith("keys"))
    texts = {"deleted": None, "keys": without, "owners": "* @carol\n" + "# more\n" * 700_000, "default": "x = 1\n"}
    begun(served, "law", paths[what], texts[what])
    spec, words = "law:main", "nobody could answer for anything again"
    if what == "default":
        served.server.git("config", "receive.denyDeleteCurrent", "ignore")
        served.agree(served.server.git("mktree"), "--rewrite")
        spec = ":main"
    else:
        served.agree()
    pushed = served.push(spec)
    assert not pushed.taken
    assert ("would have a policy that cannot be used" if what == "owners" else words) in pushed.words
    begun(served, "next", CART, "TOTAL = 7\n")
    served.agree()
    assert served.push("next:main").taken


def test_what_landed_in_another_shape_is_over(served: Served) -> None:
    """Law 12, 34: a refused push that landed after rework is open no longer, and speaks about no later change."""
    begun(served, "first", CART, "TOTAL = 4\n", "Try")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    assert not served.push("first:main").taken
    served.say("object", "carol", "HEAD", "--reason", "not so")
    served.say("withdraw", "carol")
    begun(served, "second", CART, "TOTAL = 5\n")
    served.agree()
    assert served.push("second:main").taken
    begun(served, "third", CART, "TOTAL = 6\n")
    served.agree()
    assert served.push("third:main").taken
    with Journal(served.server.path / "twohand/journal.db") as journal:
        assert journal.open_changes("refs/heads/main", [CART]) == []


def test_a_whole_whose_steps_landed_is_over(served: Served) -> None:
    """Law 5: refused as a whole, admitted step by step; nothing of it stays open."""
    begun(served, "steps", CART, "TOTAL = 4\n")
    served.agree()
    served.work.write("docs/guide.md", "# Guide\n")
    served.work.commit("Guide")
    served.agree("HEAD", "--base", "HEAD~1")
    assert served.push("steps:main").taken
    with Journal(served.server.path / "twohand/journal.db") as journal:
        assert journal.open_changes("refs/heads/main", [CART, "docs/guide.md"]) == []


def test_junk_of_a_stranger_blocks_nobody(served: Served) -> None:
    """Law 6, 34: an objection to what somebody without a key pushed is no objection to other people's work on the file."""
    begun(served, "junk", CART, "TOTAL = 666\n")
    junk = {**MALLORY, "GIT_COMMITTER_NAME": "M", "GIT_COMMITTER_EMAIL": "m@example.org"}
    tree = served.work.git("rev-parse", "HEAD^{tree}")
    commit = subprocess.run(
        ["git", "commit-tree", tree, "-p", "origin/main", "-m", "Junk"], cwd=served.work.path, check=True,
        env={**served.work.environment(), **junk}, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    assert not served.push(f"{commit}:main").taken
    served.say("object", "carol", commit, "--reason", "vandalism")
    assert "veto" in served.push(f"{commit}:main").words
    begun(served, "honest", CART, "TOTAL = 7\n")
    served.agree()
    pushed = served.push("honest:main")
    assert pushed.taken, pushed.err


def test_statements_have_no_twins_in_other_letters(served: Served) -> None:
    """Law 40: where a disk folds case, refs/Twohand/ is refs/twohand/; nothing is taken there, nor replaced."""
    for name, words in (("refs/Twohand/reviews/x", "nothing but statements"), ("refs/Replace/x", "other content")):
        pushed = served.push(f"feature:{name}")
        assert not pushed.taken
        assert words in pushed.words


def test_what_is_not_taken_is_not_called_a_success(served: Served) -> None:
    """Law 41: an admitted branch that waits for another one in the same push is told so."""
    served.agree()
    pushed = served.push("feature:main", "feature:refs/heads/release/1")
    assert not pushed.taken
    assert "nothing of this push was taken" in pushed.words


def without(served: Served, name: str, *, left: bool) -> str:
    """The policy after somebody left, or was taken out of it."""
    head, _, rest = served.policy.partition(f"[people.{name}]\n")
    return (
        f"{head}[people.{name}]\nactive = false\n{rest}" if left else head + "[people." + rest.partition("[people.")[2]
    )


def rebased(served: Served, branch: str) -> None:
    """The branch on top of main as it is now, checked out."""
    served.work.git("fetch", "-q", "origin")
    served.work.git("switch", "-q", branch)
    served.work.git("rebase", "-q", "origin/main")
    served.work.git("branch", "-f", "main", "origin/main")


@pytest.mark.parametrize("left", [True, False])
def test_an_objection_outlives_its_author(served: Served, *, left: bool) -> None:
    """Law 18: valid when it was received, before anybody pushed what it speaks of."""
    begun(served, "work", CART, "TOTAL = 4\n")
    served.say("object", "bob", "HEAD", "--reason", "no")
    begun(served, "law", "twohand.toml", without(served, "bob", left=left))
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    assert served.push("law:main").taken
    rebased(served, "work")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    pushed = served.push("work:main")
    assert not pushed.taken
    assert "veto: bob objects: no" in pushed.words


@pytest.mark.parametrize("left", [True, False])
def test_a_withdrawal_outlives_its_author(served: Served, *, left: bool) -> None:
    """Law 34: what was taken back does not come back when who said it goes."""
    begun(served, "work", CART, "TOTAL = 4\n")
    served.say("object", "bob", "HEAD", "--reason", "no")
    assert "veto" in served.push("work:main").words
    served.say("withdraw", "bob")
    begun(served, "law", "twohand.toml", without(served, "bob", left=left))
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    assert served.push("law:main").taken
    rebased(served, "work")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    pushed = served.push("work:main")
    assert pushed.taken, pushed.err


def test_an_expired_key_says_nothing_new(served: Served) -> None:
    """Law 18: a key that somebody shut off neither objects nor takes back."""
    begun(served, "work", CART, "TOTAL = 4\n")
    served.work.git("remote", "set-url", "origin", str(served.root / "nowhere"))
    command = ["object", "HEAD", "--as", "bob", "--key", str(served.keys / "bob"), "--reason", "no"]
    assert run([*command, "-C", str(served.work.path)]) == 0
    served.work.git("remote", "set-url", "origin", str(served.server.path))
    key = (served.keys / "bob.pub").read_text().strip()
    begun(served, "law", "twohand.toml", served.policy.replace(f'"{key}"', f"'valid-before=\"20250101\" {key}'"))
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "carol")
    assert served.push("law:main").taken
    pushed = served.push("refs/twohand/*:refs/twohand/*")
    assert not pushed.taken
    assert "the key of 'bob' that signed it is not valid now" in pushed.words


def test_what_stood_before_protection_was_admitted_by_nobody(served: Served) -> None:
    """Law 5, 8: commits of a branch that became protected later still have their authors, who cannot approve them."""
    begun(served, "early", CART, "TOTAL = 4\n")
    served.work.git("commit", "-q", "--amend", "--no-edit", "--author", "Bob <bob@example.com>")
    assert served.push("early:refs/heads/hotfix").taken
    known = served.policy.replace("[people.bob]", '[people.bob]\nemails = ["bob@example.com"]')
    begun(served, "law", "twohand.toml", known.replace('"release/*"', '"release/*", "hotfix"'))
    served.agree()
    assert served.push("law:main").taken
    begun(served, "merged", "docs/guide.md", "# Guide\n")
    served.work.git("merge", "-q", "--no-edit", "early")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "bob")
    pushed = served.push("merged:main")
    assert not pushed.taken
    assert "bob is an author of this change" in pushed.words


def test_two_small_steps_launder_nobody(served: Served) -> None:
    """Law 12: a mark that is dropped first, and a byte that is added then, are no other change either."""
    agent = served.policy.replace(
        "[people.bob]", '[agents.two]\noperator = "bob"\nmodel = "claude-opus-5"\n[people.bob]'
    )
    begun(
        served,
        "law",
        "twohand.toml",
        agent.replace('operator = "bob"', f'operator = "bob"\nkeys = ["{spare(served)}"]'),
    )
    served.agree()
    assert served.push("law:main").taken
    begun(served, "work", CART, "TOTAL = 4\n", "Total\n\nCo-Authored-By: Claude Opus 5 <noreply@anthropic.com>")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    assert not served.push("work:main").taken
    served.work.git("commit", "-q", "--amend", "-m", "Total")
    assert not served.push("work:main").taken
    begun(served, "work", CART, "TOTAL = 44\n", "Total")
    served.say("propose", "alice", "HEAD", "--tool", "none")
    command = ["approve", "HEAD", "--as", "two", "--key", str(served.root / "spare"), "--push", "origin"]
    assert run([*command, "-C", str(served.work.path)]) == 0
    pushed = served.push("work:main")
    assert not pushed.taken
    assert "self-review.model" in pushed.words


def spare(served: Served) -> str:
    """One more key, as the policy names it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", served.root / "spare"], check=True)
    return (served.root / "spare.pub").read_text().strip()


def test_notes_of_a_stranger_shut_nobody_out(served: Served) -> None:
    """Law 27: whoever may push notes may name everybody as operator; they sign that they are none, and it lands."""
    begun(served, "work", CART, "TOTAL = 4\n")
    told = {"agent_id": {"tool": "codex", "model": "gpt-5.2", "id": "x"}, "human_author": "bob"}
    note = f"{CART}\n  s_01 1-1\n---\n" + json.dumps({"schema_version": "authorship/3.0.0", "sessions": {"s_01": told}})
    served.work.git("notes", "--ref", "ai", "add", "-m", note)
    assert served.push("refs/notes/ai:refs/notes/ai").taken
    served.say("propose", "alice", "HEAD", "--tool", "none")
    served.say("approve", "bob")
    refused = served.push("work:main")
    assert not refused.taken
    assert "self-review.operator: bob" in refused.words
    served.say("approve", "bob", "HEAD", "--not-author")
    pushed = served.push("work:main")
    assert pushed.taken, pushed.err


def test_one_key_cannot_fill_the_letterbox(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 40: every push reads all statements, so what one key may hold is bounded; the others' are taken all the same."""
    monkeypatch.setattr(letterbox, "ROOM", 10_000)
    work = Repository.open(served.work.path)
    with Desk(Repository.open(served.server.path), environ={}) as desk:
        standing = desk.standing("refs/heads/main", served.start)
        taken = []
        for name, number in (("bob", 1), ("bob", 2), ("bob", 3), ("carol", 4)):
            said = LONG._replace(by=name, content_key=f"{number:064}")
            key = signatures.key_from_file(served.keys / name)
            ref = statements.write(work, said, partial(signatures.sign, key=key))
            move = Move(ref, work.null_id, served.work.git("rev-parse", ref))
            found = letterbox.opened(work, [move], standing, desk.journal, desk.now())
            taken.append([one.why for one in found.refused])
    assert taken == [[], [], [letterbox.CROWDED], []]
