"""What was approved, and what is pushed: any difference is another change (law 2, 3, 29, 31 to 34)."""

import os

from streams.selftest.arena import LETTERS, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import AUTH, CART, CHECK, HELPERS, WEAKENED

STALE = "approval.stale"
NOBODY = "approval.missing"
OWNER = "owner.required"
PARTIAL = "coverage.partial"
ONTO_MAIN = ("HEAD:main", LETTERS)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n"


def approved(a: Arena) -> Arena:
    return a.made().approve("bob")


def mode(a: Arena) -> Arena:
    """The approved file becomes executable."""
    (a.clone / CART).chmod(0o755)
    return a.record(message="Mode")


def link(a: Arena, target: str) -> Arena:
    path = a.clone / "src/link"
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return a.record(message="Link", by="alice")


def moved_link(a: Arena) -> Pushed:
    """A symbolic link that was approved leads elsewhere."""
    link(a.branch(), "cart.py").propose("alice").approve("bob")
    return link(a, "../twohand.toml").propose("alice").push(*ONTO_MAIN)


def link_over_owned(a: Arena) -> Pushed:
    """An owned file becomes a link to one that nobody owns."""
    a.branch().write(AUTH, None)
    (a.clone / AUTH).symlink_to("../cart.py")
    return a.record(message="Link").propose("alice").approve("bob").push(*ONTO_MAIN)


def gitlink(a: Arena) -> Arena:
    """A submodule's pointer: its content is nowhere here."""
    a.branch().do("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    return a.do("commit", "-q", "-m", "Vendor").propose("alice").approve("bob")


def submodule_url(a: Arena) -> Arena:
    text = '[submodule "x"]\n\tpath = vendored\n\turl = ext::sh -c touch% /tmp/owned\n'
    a.branch().write(".gitmodules", text).do("add", "-A")
    return gitlink_kept(a)


def gitlink_kept(a: Arena) -> Arena:
    a.do("update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},vendored")
    return a.do("commit", "-q", "-m", "Vendor").propose("alice").approve("bob")


def back_and_forth(a: Arena) -> Pushed:
    """The approved path was touched on main meanwhile, and set back: its bytes are those that were approved."""
    a.made(CART).approve("bob").branch("away").commit(CART, by="dave").propose("dave").approve("bob").push(*ONTO_MAIN)
    a.branch("back").do("revert", "--no-edit", "HEAD").propose("alice").approve("erin").push(*ONTO_MAIN)
    return a.do("checkout", "-q", "feature").do("rebase", "-q", "origin/main").propose("alice").push(*ONTO_MAIN)


def hidden(a: Arena) -> Pushed:
    """Attributes make git show a weakened file as binary."""
    a.branch().write("src/accounts/.gitattributes", "*.py binary -diff\n")
    return a.commit(HELPERS, data=WEAKENED).propose("alice").approve("bob").push(*ONTO_MAIN)


def in_two_parts(a: Arena) -> Pushed:
    """The check moves to a neutral place first, and goes from there."""
    a.branch().write(HELPERS, None).commit("src/misc.py", data=(a.clone / "src/cart.py").read_text() + _text(a))
    a.propose("alice").approve("carol", "bob").push(*ONTO_MAIN)
    weak = (a.clone / "src/misc.py").read_text().replace(CHECK, "")
    return a.branch("second").commit("src/misc.py", data=weak).propose("alice").approve("bob").push(*ONTO_MAIN)


def _text(a: Arena) -> str:
    return a.git("show", f"origin/main:{HELPERS}") + "\n"


# fmt: off
CASES = (
    Case("content-one-byte", "One more byte after the approval.", "twohand approve; edit; git commit --amend", "33",
         lambda a: approved(a).amend(CART).propose("alice").push(*ONTO_MAIN), NOBODY),
    Case("content-one-commit", "One more commit after the approval.", "twohand approve; git commit", "33",
         lambda a: approved(a).commit("more.py").propose("alice").push(*ONTO_MAIN), STALE),
    Case("content-less", "One file less than was approved.", "twohand approve; git rm", "2, 33",
         lambda a: a.made(CART, "docs/guide.md").approve("bob").do("checkout", "-q", "origin/main", "--", "docs/guide.md").record().propose("alice")
         .push(*ONTO_MAIN), STALE),
    Case("content-renamed", "The same bytes under another name.", "twohand approve; git mv", "2",
         lambda a: approved(a).do("mv", CART, "src/kart.py").record(message="Move").propose("alice").push(*ONTO_MAIN), NOBODY),
    Case("content-mode", "The approved file becomes executable.", "twohand approve; chmod +x", "2",
         lambda a: mode(approved(a)).propose("alice").push(*ONTO_MAIN), NOBODY),
    Case("content-link-target", "A symbolic link leads elsewhere than it did.", "twohand approve; ln -sf", "2", moved_link, NOBODY),
    Case("content-other-target", "Approved for main, pushed to a release.", "twohand approve; git push HEAD:refs/heads/release/1", "2, 17",
         lambda a: approved(a).push("HEAD:refs/heads/release/1", LETTERS), NOBODY),
    Case("content-of-another", "An approval of another change, whose bytes are others.", "twohand approve FIRST; git push SECOND", "17",
         lambda a: a.made("first.py").approve("bob").branch("second").commit("second.py").propose("alice").push(*ONTO_MAIN), NOBODY),
    Case("content-replayed", "The approval of what has landed, for what comes next.", "git push; edit; git push", "17",
         lambda a: approved(a).sent().lands().branch("next").commit(CART).propose("alice").push("HEAD:main", LETTERS), NOBODY),
    Case("content-back-and-forth", "Meanwhile the path was changed on main and set back.", "git rebase", "33", back_and_forth, STALE),
    Case("content-approval-inside", "The change brings its approval in a file.", "reviews/approval.json", "17",
         lambda a: a.made("reviews/approval.json", data='{"verb":"approve","by":"bob"}\n').push(*ONTO_MAIN), NOBODY),
    Case("content-expired", "An approval of two months ago.", "twohand approve", "33",
         lambda a: a.made().approve("bob", time="2020-01-01T00:00:00Z").push(*ONTO_MAIN), STALE),
    Case("owned-by-another", "An owned file, approved by somebody who does not own it.", "twohand approve --as bob", "31",
         lambda a: a.made(AUTH).approve("bob").push(*ONTO_MAIN), OWNER),
    Case("owned-by-the-author", "The owner made the change, and nobody else owns the path.", "twohand approve --as bob", "31",
         lambda a: a.made(AUTH, by="carol").approve("bob").push(*ONTO_MAIN), "owner."),
    Case("owned-by-a-model", "A model approves an owned file.", "twohand approve --as gpt", "31",
         lambda a: a.made(AUTH).approve("gpt", "bob").push(*ONTO_MAIN), OWNER),
    Case("owned-moved-away", "An owned file moves to where nobody owns it.", "git mv src/auth/login.py src/misc.py", "2, 31",
         lambda a: a.branch().do("mv", AUTH, "src/misc.py").record(message="Move").propose("alice").approve("bob").push(*ONTO_MAIN), OWNER),
    Case("owned-deleted", "An owned file is deleted.", "git rm", "31",
         lambda a: a.made(AUTH, data=None).approve("bob").push(*ONTO_MAIN), OWNER),
    Case("owned-link", "An owned file becomes a link to one that nobody owns.", "ln -sf", "2, 31", link_over_owned, OWNER),
    Case("owned-among-many", "One owned file among a thousand.", "git push", "31",
         lambda a: a.made(AUTH, *(f"src/gen/file_{n}.py" for n in range(1000)), data="x = 1\n").approve("bob").push(*ONTO_MAIN), OWNER),
    Case("weakened-check", "A check goes from a file that nobody owns.", "edit; git push", "32",
         lambda a: a.made(HELPERS, data=WEAKENED).approve("bob").push(*ONTO_MAIN), "finding.auth-check-removed"),
    Case("weakened-hidden", "The same, with attributes that make git call the file binary.", ".gitattributes", "2, 32", hidden, "finding.auth-check-removed"),
    Case("weakened-in-two-parts", "The check moves first and goes then.", "git push (twice)", "32", in_two_parts, "finding."),
    Case("unread-submodule", "A submodule's pointer changes.", "git update-index --cacheinfo 160000", "3",
         lambda a: gitlink(a).push(*ONTO_MAIN), PARTIAL),
    Case("unread-submodule-url", "A submodule whose address is a command.", ".gitmodules", "3",
         lambda a: submodule_url(a).push(*ONTO_MAIN), PARTIAL),
    Case("unread-binary", "A binary file.", "git push", "3",
         lambda a: a.made("tool.bin", data=b"\x7fELF\0\1\2" + os.urandom(256)).approve("bob").push(*ONTO_MAIN), PARTIAL),
    Case("unread-pointer", "A pointer to a large file.", "git lfs", "3",
         lambda a: a.made("data.csv", data=POINTER.format("0" * 64)).approve("bob").push(*ONTO_MAIN), PARTIAL),
    Case("unread-large", "A text of ten megabytes.", "git push", "3",
         lambda a: a.made("big.py", data="x = 1\n" * 1_700_000).approve("bob").push(*ONTO_MAIN), PARTIAL),
    Case("unread-image", "A program that calls itself an image.", "logo.png", "3",
         lambda a: a.made("logo.png", data=b"\x7fELF\0\1\2" + os.urandom(256)).approve("bob").push(*ONTO_MAIN), PARTIAL),
)
# fmt: on
