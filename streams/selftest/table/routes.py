"""Every way into a protected branch, with content that nobody else has approved (law 4, 5)."""

from streams.selftest.arena import CLAUDE, LETTERS, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import AUTH, CART

NOBODY = "approval.missing"
REWRITTEN = "ref.rewritten"


def octopus(a: Arena) -> Arena:
    a.branch("one").commit("one.py", by="alice").branch("two").commit("two.py", by="alice")
    return a.branch().merge("one", "two")


def patched(a: Arena) -> Arena:
    """The change as it comes out of the mail."""
    patch = a.made(propose=False).raw("format-patch", "-1", "--stdout")
    a.branch("mail").git("am", "-q", stdin=patch)
    return a.propose("alice")


def plumbed(a: Arena) -> Arena:
    """A commit that no porcelain made, and a ref that none moved."""
    a.made(propose=False)
    commit = a.git("commit-tree", "HEAD^{tree}", "-p", "origin/main", "-m", "Plumbing")
    return a.do("update-ref", "refs/heads/quiet", commit).do("checkout", "-q", "quiet").propose("alice")


def reverted(a: Arena) -> Arena:
    """What was approved and landed is taken back."""
    a.made().approve("bob").sent().lands()
    return a.branch("back").do("revert", "--no-edit", "HEAD").propose("alice")


def other_half(a: Arena) -> Pushed:
    """An approved branch and one that is not, in one push."""
    a.made().approve("bob").sent().branch("second").commit("docs/guide.md", by="alice").propose("alice")
    return a.push("feature:main", "second:refs/heads/release/1")


def evil(a: Arena, *how: str) -> Arena:
    """A merge of an approved branch that does something of its own."""
    a.made().approve("bob").branch("landing").do("merge", "-q", *how, "feature")
    return a.write("src/extra.py", "import os\n").record(message="Merge").propose("alice")


def dropping_merge(a: Arena) -> Arena:
    """`-s ours` keeps the history of main and drops what is in it."""
    a.branch("old").commit("docs/guide.md", by="alice").propose("alice")
    a.branch("landed").commit(by="alice").propose("alice").approve("bob").sent().lands()
    return a.do("checkout", "-q", "old").merge("origin/main", options=("-s", "ours")).propose("alice", head="HEAD")


def one_bad_step(a: Arena) -> Arena:
    """Of three steps the middle one has no approval."""
    a.branch().commit("one.py", by="alice").propose("alice").approve("bob")
    first = a.id()
    a.commit("two.py", by="alice").propose("alice", base=first)
    second = a.id()
    return a.commit("three.py", by="alice").propose("alice", base=second).approve("bob", base=second)


def many(a: Arena, count: int) -> Arena:
    """Commits by the thousand, made by fast-import."""
    who = "Alice <alice@example.com>"
    rows = [f"reset refs/heads/many\nfrom {a.id('origin/main')}\n\n"]
    for number in range(count):
        rows.append(f"commit refs/heads/many\ncommitter {who} {1_700_000_000 + number} +0000\ndata 1\nx\n")
        rows.append(f"M 644 inline src/many.py\ndata <<END\nvalue = {number}\nEND\n\n")
    a.git("fast-import", "--quiet", stdin="".join(rows).encode())
    return a.do("checkout", "-q", "many")


def remade(a: Arena) -> Pushed:
    """A release is deleted past the gate, and made again with something else in it."""
    a.branch("release/1").lands("HEAD:refs/heads/release/1")
    a.do("update-ref", "-d", "refs/heads/release/1", at=a.server)
    return a.made().push("HEAD:refs/heads/release/1")


def shallow(a: Arena) -> Pushed:
    """A clone that holds one commit."""
    a.do("clone", "-q", "--depth=1", f"file://{a.server}", "shallow", at=a.root)
    there = a.root / "shallow"
    (there / CART).write_text("name = 'shallow'\n")
    a.do("commit", "-q", "-a", "-m", "Shallow", at=there)
    return a.push("HEAD:main", at=there)


def borrowed(a: Arena) -> Pushed:
    """Objects that lie in another repository, named by the pusher's environment."""
    a.made()
    objects = str(a.clone / ".git" / "objects")
    return a.push("HEAD:main", env={"GIT_ALTERNATE_OBJECT_DIRECTORIES": objects})


def with_alternates(a: Arena) -> Arena:
    """A clone that borrows all of its objects."""
    a.made(propose=False).do("clone", "-q", "--bare", str(a.clone), "lender.git", at=a.root)
    lender = a.root / "lender.git" / "objects"
    (a.clone / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (a.clone / ".git" / "objects" / "info" / "alternates").write_text(f"{lender}\n")
    return a.do("repack", "-a", "-d", "-l", "-q").propose("alice")


def grafted(a: Arena) -> Arena:
    """The pusher's git shows another parent than the commit has."""
    a.made().commit("more.py", by="bob").approve("bob")
    grafts = a.clone / ".git" / "info" / "grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{a.id()} {a.id('origin/main')}\n")
    return a


def aliased(a: Arena) -> Arena:
    """A symbolic ref of the server leads to main."""
    return a.do("symbolic-ref", "refs/heads/alias", "refs/heads/main", at=a.server).made()


def amended_after_landing(a: Arena) -> Arena:
    """A landed commit gets other words, and main is forced to it."""
    return a.made().approve("bob").sent().lands().amend(message="Other words")


# fmt: off
CASES = (
    Case("route-fast-forward", "A fast-forward brings what nobody approved.", "git push origin HEAD:main", "4",
         lambda a: a.made(marks=CLAUDE).push("HEAD:main"), NOBODY),
    Case("route-merge", "A merge commit hides it in its second parent.", "git merge --no-ff, push", "4, 5",
         lambda a: a.made("other.py").branch("landing").merge("feature").propose("alice").push("HEAD:main"), NOBODY),
    Case("route-octopus", "A merge of three brings two branches at once.", "git merge ONE TWO, push", "4, 5",
         lambda a: octopus(a).propose("alice").push("HEAD:main"), NOBODY),
    Case("route-cherry-pick", "A commit is picked from elsewhere.", "git cherry-pick, push", "4",
         lambda a: a.made(propose=False).branch("picked").do("cherry-pick", "feature").propose("alice").push("HEAD:main"), NOBODY),
    Case("route-revert", "What was approved is taken back by a revert.", "git revert, push", "4",
         lambda a: reverted(a).push("HEAD:main"), NOBODY),
    Case("route-rebase", "A branch is rebased before it goes.", "git rebase, push", "4",
         lambda a: a.made(propose=False).do("rebase", "-q", "--force-rebase", "origin/main").propose("alice").push("HEAD:main"), NOBODY),
    Case("route-am", "A patch is applied from the mail.", "git am, push", "4", lambda a: patched(a).push("HEAD:main"), NOBODY),
    Case("route-plumbing", "The commit is made by plumbing.", "git commit-tree, git update-ref, push", "4",
         lambda a: plumbed(a).push("HEAD:main"), NOBODY),
    Case("route-tag-first", "The objects arrive under a tag, then main moves to them.", "git push HEAD:refs/tags/v1; git push HEAD:main", "4",
         lambda a: a.made().lands("HEAD:refs/tags/v1").push("HEAD:main"), NOBODY),
    Case("route-side-branch-first", "The objects arrive on a side branch, then main moves to them.", "git push HEAD:topic; git push HEAD:main", "4",
         lambda a: a.made().lands("HEAD:refs/heads/topic").push("HEAD:main"), NOBODY),
    Case("route-other-namespace-first", "The objects arrive under a ref that is neither branch nor tag.", "git push HEAD:refs/wip/x; git push HEAD:main", "4",
         lambda a: a.made().lands("HEAD:refs/wip/x").push("HEAD:main"), NOBODY),
    Case("route-new-branch", "A new protected branch is made with it.", "git push HEAD:refs/heads/release/1", "4",
         lambda a: a.made().push("HEAD:refs/heads/release/1"), NOBODY),
    Case("route-deletion", "The protected branch is deleted.", "git push origin :main", "4", lambda a: a.push(":main"), REWRITTEN),
    Case("route-recreation", "A protected branch is deleted and made again with something else.", "git push :release/1; git push HEAD:release/1", "4",
         remade, REWRITTEN),
    Case("route-force", "The branch is forced to something that does not contain it.", "git push --force", "4",
         lambda a: a.branch("fresh", "origin/main").do("checkout", "-q", "--orphan", "root").record(message="Root").push("+HEAD:main"), REWRITTEN),
    Case("route-rewind", "The branch is set back to its parent.", "git push --force HEAD~1:main", "4",
         lambda a: a.made().approve("bob").sent().lands().push("+HEAD~1:main"), REWRITTEN),
    Case("route-reworded", "A landed commit gets another message, by force.", "git commit --amend; git push --force", "4",
         lambda a: amended_after_landing(a).push("+HEAD:main"), REWRITTEN),
    Case("route-several-refs", "One ref of the push is approved, the other is not.", "git push A:main B:release/1", "4", other_half, NOBODY),
    Case("route-atomic", "The same, atomically.", "git push --atomic", "4",
         lambda a: a.made().push("HEAD:main", "HEAD:refs/heads/topic", options=("--atomic",)), NOBODY),
    Case("route-push-options", "Push options ask for a bypass.", "git push -o skip -o twohand.skip=true", "4",
         lambda a: a.made().push("HEAD:main", options=("-o", "skip", "-o", "twohand.skip=true", "-o", "ci.skip")), NOBODY),
    Case("route-many-push-options", "So many push options that reading them might fail.", "git push -o x (150 times)", "4, 40",
         lambda a: a.made().push("HEAD:main", options=("-o", "x") * 150), "too many options"),
    Case("route-shallow", "The pusher's clone is shallow.", "git clone --depth=1; git push", "1, 4", shallow, "provenance.missing"),
    Case("route-replace", "A replacement ref shows another commit in place of the pushed one.", "git push refs/replace/* HEAD:main", "1, 4",
         lambda a: a.made().do("replace", a.id(), a.id("origin/main")).push("refs/replace/*:refs/replace/*", "HEAD:main"), "refs/replace/"),
    Case("route-replace-alone", "A replacement ref is prepared for a later push.", "git push refs/replace/*", "1, 4",
         lambda a: a.made().do("replace", a.id(), a.id("origin/main")).push("refs/replace/*:refs/replace/*"), "refs/replace/"),
    Case("route-grafts", "A graft hides the approver's own commit.", ".git/info/grafts; git push", "1, 8",
         lambda a: grafted(a).push("HEAD:main", LETTERS), "evidence.incomplete"),
    Case("route-alternates", "The pusher borrows all objects from elsewhere.", "objects/info/alternates; git push", "1, 4",
         lambda a: with_alternates(a).push("HEAD:main"), NOBODY),
    Case("route-alternates-variable", "The pusher's environment names another store of objects.", "GIT_ALTERNATE_OBJECT_DIRECTORIES=... git push", "1, 4",
         borrowed, NOBODY),
    Case("route-symref", "A symbolic ref on the server leads to the protected branch.", "git push HEAD:alias", "4",
         lambda a: aliased(a).push("HEAD:refs/heads/alias"), NOBODY),
    Case("route-case-twin", "A branch whose name differs from the protected one by case.", "git push HEAD:refs/heads/Main", "4",
         lambda a: a.made().push("HEAD:refs/heads/Main"), NOBODY),
    Case("route-case-twin-release", "The same below a protected directory of refs.", "git push HEAD:refs/heads/RELEASE/1", "4",
         lambda a: a.made().push("HEAD:refs/heads/RELEASE/1"), NOBODY),
    Case("route-mirror", "Everything is mirrored from a clone that has no main.", "git push --mirror", "4",
         lambda a: a.branch("only").push(options=("--mirror",)), REWRITTEN),
    Case("route-merge-of-its-own", "A merge of an approved branch adds a file of its own.", "git merge --no-commit; edit; commit; push", "5",
         lambda a: evil(a, "--no-ff", "--no-commit").push("HEAD:main", LETTERS), NOBODY),
    Case("route-squash-of-its-own", "A squash of an approved branch adds a file of its own.", "git merge --squash; edit; commit; push", "5",
         lambda a: evil(a, "--squash").push("HEAD:main", LETTERS), NOBODY),
    Case("route-merge-ours", "A merge keeps main's history and drops its content.", "git merge -s ours, push", "4, 5",
         lambda a: dropping_merge(a).push("HEAD:main"), NOBODY),
    Case("route-bad-step", "Of three steps the middle one was approved by nobody.", "git push HEAD:main", "5",
         lambda a: one_bad_step(a).push("HEAD:main", LETTERS), NOBODY),
    Case("route-many-commits", "Ten thousand commits at once.", "git fast-import; git push", "1, 40",
         lambda a: many(a, 10_000).push("HEAD:main"), NOBODY),
    Case("route-no-verify", "The pusher's own hooks are switched off.", "git push --no-verify", "4",
         lambda a: a.made(AUTH).push("HEAD:main", options=("--no-verify",)), "owner.required"),
    Case("route-empty-new-branch", "A new protected branch without a change is taken.", "git push origin/main:refs/heads/release/1", "4",
         lambda a: a.push("origin/main:refs/heads/release/1")),
    Case("route-unprotected", "What nobody protects is nobody's business.", "git push HEAD:topic HEAD:refs/tags/v1", "4",
         lambda a: a.made().push("HEAD:refs/heads/topic", "HEAD:refs/tags/v1")),
)
# fmt: on
