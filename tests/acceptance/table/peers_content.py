"""peers 5, cases 22 to 35: exact content."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from rules.statement import split
from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.stage import CART, CHECK, HELPERS, HELPERS_TEXT, Stage, Verdict


def hand_written(s: Stage) -> Stage:
    """A statement with every hash right and no signature."""
    s.made().approve("bob")
    return s.store(s.ref, split(s.repo.raw("cat-file", "blob", s.ref))[0])


def replayed(s: Stage) -> Stage:
    """The same bytes once more: equal paths and blobs, but main touched the path in between."""
    s.made().approve("bob").on("main").do("merge", "-q", "--no-ff", "feature", "-m", "Land").do(
        "revert", "--no-edit", "-m1", "HEAD"
    )
    text = s.git("show", f"feature:{CART}")
    return s.branch("again").commit(CART, data=f"{text}\n").propose("alice")


def artefact(s: Stage) -> Stage:
    """The signed approval lies as a file in the very commit that it approves of."""
    s.made().approve("bob")
    signed = s.repo.raw("cat-file", "blob", s.ref)
    return s.do("update-ref", "-d", s.ref).commit("approvals/bob.json", data=signed).propose("alice")


def unseen_edits(s: Stage) -> Stage:
    """Files that git was told not to look at differ in the working tree; no commit has them."""
    s.made().approve("bob").do("update-index", "--skip-worktree", CART).do(
        "update-index", "--assume-unchanged", "docs/guide.md"
    )
    s.repo.write(CART, "import os\n")
    s.repo.write("docs/guide.md", "evil\n")
    return s


def then(change: Callable[[Stage], object], *, extra: str = "") -> Callable[[Stage], Verdict]:
    """Approved; then `change` is made, and the author answers for it again."""

    def given(s: Stage) -> Verdict:
        s.made("docs/guide.md", CART).approve("bob")
        change(s)
        return s.propose("alice").review()

    return given


def staged(*command: str) -> Callable[[Stage], object]:
    return lambda s: s.do(*command).do("commit", "-q", "-m", "One more thing")


def link(s: Stage) -> object:
    s.repo.link("docs/link", "guide.md")
    return s.commit(CART)


def ledger(s: Stage, *statements: str) -> Stage:
    """A journal of a few decisions; then somebody edits the file itself."""
    s.made().seen().approve("bob").seen()
    with closing(sqlite3.connect(s.repo.path / ".git" / "twohand" / "journal.db")) as journal, journal:
        for statement in statements:
            journal.execute(statement)
    return s


SPOOFED = {
    "GIT_DIR": "/nonexistent", "GIT_INDEX_FILE": "/nonexistent", "GIT_WORK_TREE": "/", "GIT_OBJECT_DIRECTORY": "/nonexistent",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "log.showSignature", "GIT_CONFIG_VALUE_0": "true",
    "GIT_CONFIG_PARAMETERS": "'core.quotePath=true'", "GIT_NAMESPACE": "other", "GIT_REPLACE_REF_BASE": "refs/heads/",
}  # fmt: skip

# fmt: off
CASES = (
    Case("peers-22", "another blob is staged after the approval and committed", "17, 33",
         then(lambda s: s.commit("docs/guide.md", data="swapped\n")), PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits"),
    Case("peers-23", "a file is smuggled into the commit after the check", "17, 33",
         then(lambda s: s.amend(paths=("src/extra.py",))), PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits"),
    Case("peers-24", "a hand-written approval with the right hashes and no signature", "17",
         lambda s: hand_written(s).review(), PENDING, {"approval.unsigned"}, counts=set(),
         differs="39: an approval that is unsigned counts as not given, so that the change waits"),
    Case("peers-25", "the approval of what landed and was reverted, for the same bytes again", "33",
         lambda s: replayed(s).review(), PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits"),
    Case("peers-26", "a waiver, then other bytes", "35",
         lambda s: s.weakened().approve("bob").waive("carol", finding="auth-check-removed")
         .commit(HELPERS, data=HELPERS_TEXT.replace(CHECK, "") + "# more\n").propose("alice").approve("bob").review(),
         ESCALATED, {"finding.auth-check-removed", "waiver.invalid"},
         differs="32, 39: a finding of tier hold waits for its owner"),
    Case("peers-27", "the approval is a file in the commit itself", "17",
         lambda s: artefact(s).review(), PENDING, {"approval.missing"}, counts=set(),
         differs="39: no approval was given, so that the change waits"),
    Case("peers-28a", "a row of the journal is edited", "38, 40",
         lambda s: ledger(s, "update log set body = replace(body, 'completed', 'Completed') where offset = 2").run("journal", "verify"),
         BLOCKED, {"row 2 is broken"}),
    Case("peers-28b", "the last rows of the journal are cut off in the middle", "38, 40",
         lambda s: ledger(s, "delete from log where offset = 2").run("journal", "verify"), BLOCKED, {"row 3 is broken"}),
    Case("peers-28c", "two rows of the journal change places", "38, 40",
         lambda s: ledger(s, "update log set offset = -1 where offset = 1", "update log set offset = 1 where offset = 2",
                          "update log set offset = 2 where offset = -1").run("journal", "verify"), BLOCKED, {"row 1 is broken"}),
    Case("peers-28d", "an untouched journal is whole", "38", lambda s: ledger(s).run("journal", "verify"), ADMITTED, {"whole"}),
    Case("peers-29", "a rename with the same bytes", "2, 33",
         then(lambda s: s.do("mv", CART, "src/basket.py").commit("docs/guide.md")), PENDING, {"approval.stale"}, counts=set()),
    Case("peers-30", "git's variables in the environment point elsewhere: a self-review stays one", "40",
         lambda s: s.made(propose=False).approve("alice").shell(**SPOOFED).review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("peers-30b", "the same and an honest approval stays one", "40",
         lambda s: s.made().shell(**SPOOFED).approve("bob").review(), ADMITTED, counts={"bob"}),
    Case("peers-31", "a new message alone", "33",
         lambda s: s.made().approve("bob").amend(message="Tidy the cart, better said").review(), ADMITTED, counts={"bob"}),
    Case("peers-31b", "a rebase onto what touches other paths", "33",
         lambda s: s.made().approve("bob").main_moves("src/other.py").rebase().review(), ADMITTED, counts={"bob"}),
    Case("peers-32", "a rebase onto what touches the same file elsewhere", "33",
         lambda s: s.made().approve("bob").main_moves(CART, data="above = 0\n" + s.git("show", f"main:{CART}") + "\n").rebase()
         .propose("alice").review(),
         PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits for another"),
    Case("peers-33", "a squash with the tree that was approved", "12, 33",
         lambda s: s.made().commit("docs/guide.md").propose("alice").approve("bob").squash().review(), ADMITTED, counts={"bob"}),
    Case("peers-33b", "a squash with another tree", "33",
         lambda s: s.made().commit("docs/guide.md").propose("alice").approve("bob").squash().amend(paths=(CART,)).propose("alice").review(),
         PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits"),
    Case("peers-34", "files that git was told not to look at, and a working tree that differs", "1, 2",
         lambda s: unseen_edits(s).review(), ADMITTED, counts={"bob"},
         differs="1: what is judged are commits; bytes that are in none cannot land"),
    Case("peers-35a", "then the executable bit", "2", then(staged("update-index", "--chmod=+x", CART)),
         PENDING, {"approval.stale"}, counts=set(),
         differs="39: a stale approval counts as not given, so that the change waits"),
    Case("peers-35b", "then a symbolic link", "2, 3", then(link), ESCALATED, {"approval.stale"}, counts=set(),
         differs="3, 39: what has to be held waits for its owner"),
    Case("peers-35c", "then a submodule pointer", "2, 3",
         then(staged("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")),
         ESCALATED, {"coverage.partial", "approval.stale"},
         differs="3, 39: what has to be held waits for its owner"),
    Case("peers-35d", "then a filter in .gitattributes", "2, 29",
         then(lambda s: s.put(".gitattributes", "*.py filter=evil -diff\n")),
         ESCALATED, {"finding.gate-edited", "approval.stale"},
         differs="3, 39: what has to be held waits for its owner"),
)
# fmt: on
