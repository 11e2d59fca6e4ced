"""What an attacker would try near the cases of the research texts: statements, keys and names."""

from rules import instants
from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.law import A_PERSON, HAND, TWO_HANDS, person
from tests.acceptance.stage import AUTH, CART, CLAUDE, REVIEWS, Stage

BOBS_LAST_DAY = "2026-11-05"


def in_another_place(s: Stage, prefix: str) -> Stage:
    """Bob's good approval lies under other refs alone."""
    s.made().approve("bob")
    blob, name = s.git("rev-parse", s.ref), s.ref.removeprefix(REVIEWS)
    return s.do("update-ref", "-d", s.ref).do("update-ref", f"{prefix}{name}", blob)


def copied(s: Stage) -> Stage:
    """Bob's approval of another change, copied under this one's key."""
    s.made("docs/guide.md").approve("bob").branch("second").commit(CART).propose("alice")
    return s.copy_to(s.review(dry_run=True).decision["change"]["content_key"])


def expiring(s: Stage, day: str) -> Stage:
    return s.law(people={"bob": person("bob", f'valid-before="{day.replace("-", "")}" {s.keys.public["bob"]}')})


def gone(s: Stage, name: str) -> Stage:
    """Somebody leaves: main's policy says so now."""
    return s.on("main").law(people={name: person(name, s.keys.public[name], more="active = false")}).on("feature")


def sharing(s: Stage, shared: str) -> Stage:
    """A second name that shares a key, an account or an address with alice."""
    marks = {
        "key": person("zoe", s.keys.public["alice"]),
        "account": person("zoe", s.keys.public["mallory"]).replace("github:zoe", "github:alice"),
        "address": person("zoe", s.keys.public["mallory"]).replace("zoe@", "alice@"),
    }
    return s.law(people={"zoe": marks[shared]}).made()


def namespaced(s: Stage) -> Stage:
    """Bob's signature is good, but it was made for git."""
    data = s.made().approve("bob").repo.raw("cat-file", "blob", s.ref)
    signed = data.partition(b"-----BEGIN")[0]
    return s.store(s.ref, signed + s.signed(signed, "bob", namespace="git"))


def replaced(s: Stage) -> Stage:
    """`git replace` shows another head, in which bob wrote nothing."""
    s.made().commit(author="bob").approve("bob")
    own, shown = s.repo.id("HEAD"), s.git("commit-tree", "HEAD^{tree}", "-p", "main", "-m", "Innocent")
    return s.do("replace", own, shown)


# fmt: off
CASES = (
    Case("near-1", "an approval in another place of the ref namespace", "17, 40",
         lambda s: in_another_place(s, "refs/tags/twohand/reviews").review(), PENDING, {"approval.missing"}),
    Case("near-1b", "an approval under refs/twohand/reviews-old", "17, 40",
         lambda s: in_another_place(s, "refs/twohand/reviews-old").review(), PENDING, {"approval.missing"}),
    Case("near-2", "an approval of another change, copied under this one's content key", "17",
         lambda s: copied(s).review(), PENDING, {"approval.missing"}, counts=set()),
    Case("near-3", "a statement made for another repository", "17",
         lambda s: s.made().forge("approve", "bob", repository="example/other").review(), PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-3b", "a statement made for another target", "17",
         lambda s: s.made().forge("approve", "bob", target="refs/heads/release/1").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-4", "a statement from the future", "18",
         lambda s: s.made().forge("approve", "bob", time=instants.later(s.now(), 86_400)).review(),
         PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-5", "a statement in bob's name with erin's key", "17",
         lambda s: s.made().forge("approve", "bob", key="erin").review(), PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-6", "a statement in bob's name with an agent's key", "17, 20",
         lambda s: s.law(requirements=A_PERSON).made().forge("approve", "bob", key="gpt").review(),
         PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-7", "bob's key has expired since he approved", "18",
         lambda s: expiring(s, BOBS_LAST_DAY).made().approve("bob").lasts(5 * 86_400).review(),
         PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-7b", "bob's key has expired, his statement is dated before", "18",
         lambda s: expiring(s, "2026-11-01").made().forge("approve", "bob", time="2026-10-30T09:00:00Z").review(),
         PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-8a", "two enrolled names share a key: they are one hand", "15",
         lambda s: sharing(s, "key").forge("approve", "alice", by="zoe").review(), BLOCKED, {"self-review.identity"}),
    Case("near-8b", "two enrolled names share an account", "15",
         lambda s: sharing(s, "account").approve("zoe", key="mallory").review(), BLOCKED, {"self-review.identity"}),
    Case("near-8c", "two enrolled names share an address", "15",
         lambda s: sharing(s, "address").approve("zoe", key="mallory").review(), BLOCKED, {"self-review.identity"}),
    Case("near-9", "a signature that was made for git", "17", lambda s: namespaced(s).review(), PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-10", "the recorded objection's ref is deleted", "40",
         lambda s: s.made().approve("erin").object("bob").seen().do("update-ref", "-d", s.ref).review(), BLOCKED, {"veto"}),
    Case("near-11", "an objection, then a new message", "34",
         lambda s: s.made().approve("erin").object("bob").amend(message="Other words").review(), BLOCKED, {"veto"}),
    Case("near-11b", "an objection, then a rebase", "34",
         lambda s: s.made().approve("erin").object("bob").main_moves("docs/guide.md").rebase().review(), BLOCKED, {"veto"}),
    Case("near-11c", "an objection, seen, then every file gets one more byte", "6, 34",
         lambda s: s.made().object("bob").seen().amend(paths=(CART,)).propose("alice").approve("erin").review(), BLOCKED, {"veto"}),
    Case("near-11d", "an objection, then one commit more", "34",
         lambda s: s.made().object("bob").commit().propose("alice").approve("erin").review(), BLOCKED, {"veto"}),
    Case("near-11e", "an objection on a numbered change, then other bytes on another branch", "6, 34",
         lambda s: s.made().object("bob", change="7").amend(paths=(CART,)).do("branch", "-m", "other").propose("alice").approve("erin")
         .review(change="7"), BLOCKED, {"veto"}),
    Case("near-11f", "an objection, then the same file on a new branch beside others", "34",
         lambda s: s.made().object("bob").branch("fresh").do("checkout", "-q", "feature", "--", CART).commit("docs/guide.md")
         .propose("alice").approve("erin").review(), BLOCKED, {"veto"}),
    Case("near-11g", "an objection on the way to main, then the same bytes for a release", "34",
         lambda s: s.do("branch", "release/1").made().object("bob").approve("erin", target="release/1")
         .review(target="release/1", opened_by="alice"), BLOCKED, {"veto"}),
    Case("near-12", "the author objects to their own change", "26",
         lambda s: s.made().approve("bob").object("alice").review(), BLOCKED, {"veto"}),
    Case("near-12b", "an author who is recused by family objects", "26",
         lambda s: s.made().approve("bob").object("claude-two").review(), BLOCKED, {"veto"}),
    Case("near-13", "who objected has left since", "18, 34",
         lambda s: gone(s.made().approve("erin").object("bob").seen(), "bob").review(), BLOCKED, {"veto"}),
    Case("near-13b", "who approved has left since", "18",
         lambda s: gone(s.made().approve("bob").seen(), "bob").review(), PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-14", "an objection whose words hold the mark of a signature", "17, 34",
         lambda s: s.made().approve("erin").object("bob", reason="-----BEGIN SSH SIGNATURE----- is in the log").review(),
         BLOCKED, {"veto"}),
    Case("near-15", "a stranger objects", "17, 19",
         lambda s: s.made().approve("bob").forge("object", "erin", key="mallory").review(), ADMITTED, counts={"bob"}),
    Case("near-16", "an approval of half of the change", "17, 33",
         lambda s: s.made().commit("docs/guide.md").propose("alice").approve("bob", base="HEAD~1").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-17", "git shows a replaced head", "1, 8", lambda s: replaced(s).review(), BLOCKED, {"self-review.identity"}),
    Case("near-18", "a .mailmap in the change renames its author", "8",
         lambda s: s.branch().put(".mailmap", "Zed <zed@nowhere.example> Bob <bob@example.com>\n").commit(author="bob").propose("alice")
         .approve("bob").review(), BLOCKED, {"self-review.identity"}),
    Case("near-19", "the author's address in capital letters, and the forge's own form of it", "8, 15",
         lambda s: s.branch().commit(author="B <BOB@EXAMPLE.COM>").propose("alice").approve("bob").review(),
         BLOCKED, {"self-review.identity"}),
    Case("near-19b", "the forge's noreply address of bob", "8, 15",
         lambda s: s.branch().commit(author="B <1234567+bob@users.noreply.github.com>").propose("alice").approve("bob").review(),
         BLOCKED, {"self-review.identity"}),
    Case("near-20", "the pusher says that he is not the author", "27",
         lambda s: s.branch().commit(author="bob").approve("bob", not_author=True).review(opened_by="bob"),
         BLOCKED, {"self-review.identity"}),
    Case("near-20b", "somebody named by an author line alone says so, while another answers", "27",
         lambda s: s.branch().commit(author="bob").propose("alice").approve("bob", not_author=True).review(),
         ADMITTED, counts={"bob"}),
    Case("near-21", "an approval that saw the mark; a squash drops it; an agent of that family approves too", "12",
         lambda s: s.law(requirements=TWO_HANDS).made(propose=False).approve("bob").squash().propose("alice").approve("claude-two").review(),
         BLOCKED, {"self-review.family"}),
    Case("near-22", "somebody else signs that they made alice's change", "8, 13",
         lambda s: s.branch().commit(author="alice").propose("erin").approve("alice").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("near-23", "a change that takes itself back: nothing in it, nothing approved", "4, 30",
         lambda s: s.branch().commit(author="alice").do("revert", "--no-edit", "HEAD").review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("near-24", "an approval of the last month but one", "33",
         lambda s: s.made().approve("bob").lasts(31 * 86_400).review(), PENDING, {"approval.stale"}, counts=set()),
    Case("near-25", "the waiver runs longer than policy allows", "35",
         lambda s: s.weakened().approve("bob").waive("carol", finding="auth-check-removed", expires="30d").review(),
         ESCALATED, {"waiver.invalid"}),
    Case("near-26", "break-glass where policy names nobody", "35",
         lambda s: s.made().waive("carol", break_glass=True).review(), PENDING, {"waiver.invalid", "approval.missing"}),
    Case("near-26b", "break-glass by who may", "35",
         lambda s: s.law(waivers='break_glass = ["erin"]').made(AUTH).waive("erin", break_glass=True).review(),
         ADMITTED, stamps={"waived"}),
    Case("near-26c", "break-glass by the author", "35",
         lambda s: s.law(waivers='break_glass = ["alice"]').made().waive("alice", break_glass=True).review(),
         PENDING, {"waiver.invalid"}),
    Case("near-26d", "break-glass against an objection", "35",
         lambda s: s.law(waivers='break_glass = ["erin"]').made().object("bob").waive("erin", break_glass=True).review(),
         BLOCKED, {"veto"}),
    Case("near-27", "a touch is asked for, and the key has none", "20",
         lambda s: s.law(requirements=A_PERSON + 'presence = "required"\n').made().approve("bob").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-28", "policy lets no silence pass, and the change says nothing about tools", "11",
         lambda s: s.law(independence='undeclared = "unresolved"').made(marks="").approve("gpt").review(),
         ESCALATED, {"independence.unresolved"}),
    Case("near-28b", "the author says that no tool was used", "11",
         lambda s: s.law(independence='undeclared = "unresolved"').branch().commit().propose("alice", tool="none").approve("gpt").review(),
         ADMITTED, counts={"gpt"}),
    Case("near-29", "alice answers for it; a weaker policy on the target branch does not outvote the default branch", "36",
         lambda s: s.branch("release/1").law(requirements=HAND).branch("fix", "release/1").commit(AUTH).propose("alice", target="release/1")
         .approve("bob", target="release/1").review(target="release/1"),
         ESCALATED, {"owner.required"}),
    Case("near-30", "the change enrols its author's second name, which approves", "36",
         lambda s: s.made().law(people={"zoe": person("zoe", s.keys.public["mallory"])}).propose("alice").forge("approve", "bob", by="zoe", key="mallory")
         .review(), ESCALATED, {"approval.unsigned", "policy.self-edit"}, counts=set()),
    Case("near-31", "approvals too fast for the eyes", "28",
         lambda s: s.law(independence="hasty = 50").made(data="value = 1\n" * 2000).seen().approve("bob").review(),
         PENDING, {"approval.hasty"}, counts=set()),
    Case("near-33", "one approval meets two requirements", "30",
         lambda s: s.made(AUTH).approve("carol").review(), ADMITTED, counts={"carol"}),
    Case("near-34", "a nested agent wrote it for alice's agent, which opened it; alice approves", "9, 15, 23",
         lambda s: s.branch().commit(author="Nested <nested@agents.example.com>", marks=CLAUDE).approve("alice").review(opened_by="claude-one"),
         BLOCKED, {"self-review.operator"}),
)
# fmt: on
