"""gates 2.4, cases 24 to 32: approvals belong to exact content."""

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.stage import AUTH, CART, Stage

KEYS_FILE = "src/auth/keys.py"


def conflicting(s: Stage) -> Stage:
    """Main and the branch edit different ends of one owned file; carol and bob approved before."""
    return s.made(AUTH).approve("carol", "bob").main_moves("docs/guide.md", by="dave").merge("main", also=AUTH)


def two_then_one_more(s: Stage) -> Stage:
    """Patch set 1 touches two owned files and is approved; 2 changes one of them; 3 adds a third."""
    s.made(AUTH, KEYS_FILE).approve("carol", "bob").commit(AUTH).propose("alice")
    return s.commit("src/auth/new.py").propose("alice").approve("bob")


def same_bytes_elsewhere(s: Stage) -> Stage:
    """Main changes the top of the file whose end the branch changed: the patch is equal, the blobs are not."""
    s.made().approve("bob")
    top = s.repo.file(CART).read_text()
    s.main_moves(CART, data="first = 0\n" + top.rpartition("value_")[0])
    return s.rebase()


def by_other_spellings(s: Stage) -> Stage:
    key = s.made().review(dry_run=True).decision["change"]["content_key"]
    return s.forge("approve", "bob", content_key=key.upper()).forge("approve", "erin", content_key=key[:12])


def edited_beside_the_original(s: Stage) -> Stage:
    return s.made().approve("bob", reason="Read it").tamper(b"Read it", b"Ship it", keep=True)


# fmt: off
CASES = (
    Case("gates-24", "approved, then pushed to", "17, 33, 39",
         lambda s: s.made().approve("bob").commit().propose("alice").review(),
         PENDING, {"approval.stale", "approval.missing"}, counts=set()),
    Case("gates-25", "approved, then only a bot of ours pushed to it", "33",
         lambda s: s.made().approve("bob").commit(author="ci <ci@services.example.com>").review(),
         PENDING, {"approval.stale"}, counts=set(),
         differs="33: there is no ignore list, other content is other content"),
    Case("gates-26", "a clean update merge after the approval", "5, 33",
         lambda s: s.made().approve("bob").main_moves("docs/guide.md").merge("main").review(),
         ADMITTED, counts={"bob"}),
    Case("gates-26b", "the update merge edits an owned file: its owner's approval drops", "5, 33",
         lambda s: conflicting(s).propose("alice").approve("bob").review(),
         ESCALATED, {"owner.required"}, owners={AUTH: "awaited"}),
    Case("gates-27", "a squash with the same tree", "12, 33",
         lambda s: s.made().commit("docs/guide.md").propose("alice").approve("bob").squash().review(),
         ADMITTED, counts={"bob"}),
    Case("gates-27b", "what carried the approval is edited", "17",
         lambda s: s.made().approve("bob", reason="Read it").tamper(b"Read it", b"Ship it").review(),
         PENDING, {"approval.unsigned"}, counts=set()),
    Case("gates-28", "a force push with the same patch onto a base that touched nothing of it", "33",
         lambda s: s.made().approve("bob").main_moves("docs/guide.md").rebase().review(),
         ADMITTED, counts={"bob"}),
    Case("gates-28b", "the same patch, but the file became executable", "2, 33",
         lambda s: s.made().approve("bob").commit(data="name = 1\n").amend().propose("alice").approve("bob")
         .do("update-index", "--chmod=+x", CART).do("commit", "-q", "--amend", "--no-edit").review(opened_by="alice"),
         PENDING, {"approval.stale"}, counts=set()),
    Case("gates-28c", "the same patch, but main changed the other end of the file", "33",
         lambda s: same_bytes_elsewhere(s).propose("alice").review(),
         PENDING, {"approval.stale"}, counts=set(),
         differs="33: somebody touched the path below the approval, an equal patch is not enough"),
    Case("gates-29", "owned files approved in patch set 1, one changed in 2, one added in 3", "31, 33",
         lambda s: two_then_one_more(s).review(),
         ESCALATED, {"owner.required"}, owners={KEYS_FILE: "approved", AUTH: "awaited", "src/auth/new.py": "awaited"}),
    Case("gates-30", "somebody edits an approval; the untouched one beside it still counts", "17",
         lambda s: edited_beside_the_original(s).review(),
         ADMITTED, counts={"bob"}),
    Case("gates-31", "an approval of a head's first seven digits", "17",
         lambda s: s.made().approve("bob", rev=s.git("rev-parse", "--short=7", "HEAD")).review(),
         ADMITTED, counts={"bob"},
         differs="17: the command resolves what is typed, the signed bytes hold the whole ids"),
    Case("gates-31b", "signed bytes that name the content in upper case, or by a prefix", "17, 33",
         lambda s: by_other_spellings(s).review(),
         PENDING, {"approval.missing"}, counts=set(),
         differs="17: only the whole key in its one form is the content"),
    Case("gates-32", "bob approves, then objects", "34",
         lambda s: s.made().approve("bob").object("bob").review(),
         BLOCKED, {"veto"}, counts=set()),
    Case("gates-32b", "bob objects; others approve, and a comment of bob's changes nothing", "17, 34",
         lambda s: s.made().object("bob").approve("erin", "gpt").forge("approve", "bob", verb="comment").review(),
         BLOCKED, {"veto"}),
    Case("gates-32c", "bob objects, carol withdraws it for him", "34",
         lambda s: s.made().approve("erin").object("bob").withdraw("carol").review(),
         BLOCKED, {"veto"}),
    Case("gates-32d", "bob approves, objects and withdraws: nothing of his is left", "34, 39",
         lambda s: s.made().approve("bob").object("bob").withdraw("bob").review(),
         PENDING, {"approval.missing"}, counts=set(),
         differs="34: a withdrawal takes back the objection; the approval before it does not return"),
)
# fmt: on
