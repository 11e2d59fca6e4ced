"""gates 2.4, cases 1 to 23: approving what one has made oneself."""

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.law import A_PERSON, agent
from tests.acceptance.stage import SESSION, Stage, Verdict

WEB_FLOW = "GitHub <noreply@github.com>"


def by_four(s: Stage) -> Verdict:
    """Opener alice, a commit of bob's, a committer carol; dave had no part in it."""
    s.branch().commit(author="alice").commit(author="bob").commit(author="alice", committer="carol")
    return s.approve("alice", "bob", "carol", "dave").review(opened_by="alice")


def a_rebased_agent(s: Stage) -> Verdict:
    """Author line Claude, committer alice, who rebased it; the same session reviews under an enrolled name."""
    s.branch().commit(author="Claude <noreply@anthropic.com>", committer="alice", marks=SESSION)
    return s.approve("claude-two", tool="claude-code", session="claude-web:session_abc123").review(opened_by="alice")


def second_parent(s: Stage) -> Stage:
    """Bob's commit comes in through the second parent of a merge on alice's branch."""
    s.branch("side").commit("src/price.py", author="bob")
    return s.branch().commit(author="alice").merge("side", by="alice")


def surviving_lines(s: Stage) -> Stage:
    """Carol, the owner, made patch set 1; alice amends it to patch set 2 and takes the author line."""
    s.branch().commit("src/auth/login.py", author="carol").seen(opened_by="carol", change="7")
    return s.amend("alice", author="alice", paths=("src/auth/login.py",))


# fmt: off
CASES = (
    Case("gates-1", "the opener approves their own change, nobody else", "23, 39",
         lambda s: s.made(propose=False).approve("alice").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-2", "alice opened it, one commit is bob's, bob approves", "8, 23",
         lambda s: s.made().commit(author="bob").approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-3", "author alice, committer bob, bob approves", "8, 13",
         lambda s: s.branch().commit(author="alice", committer="bob").approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-3b", "the same, after alice signed that she made it: bob only carried it", "13",
         lambda s: s.branch().commit(author="alice", committer="bob").propose("alice").approve("bob").review(opened_by="alice"),
         ADMITTED, counts={"bob"},
         differs="13: a committer of what somebody else is shown to have made is a carrier, no author"),
    Case("gates-4", "opener, author and committer approve, and somebody uninvolved", "8, 23, 24", by_four,
         ADMITTED, counts={"dave"}),
    Case("gates-5", "bob stands only in a Co-authored-by line and approves", "8, 10",
         lambda s: s.branch().commit(marks="Co-authored-by: Bob <bob@example.com>").approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-6", "an agent wrote it, alice rebased it, the agent's own session approves", "8, 23", a_rebased_agent,
         BLOCKED, {"self-review.session", "self-review.family"}),
    Case("gates-7", "a bot uploads alice's commit, alice approves", "8, 9, 16",
         lambda s: s.branch().commit(author="alice").approve("alice").review(opened_by="ci", pushed_by="ci"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-8", "the operator of the agent that wrote it is the only one to approve", "9, 23",
         lambda s: s.branch().commit(author="claude-two").approve("dave").review(opened_by="claude-two"),
         BLOCKED, {"self-review.operator"}),
    Case("gates-8b", "the same where policy only advises on operators", "24",
         lambda s: s.law(independence='operator = "advise"').branch().commit(author="claude-two").approve("dave")
         .review(opened_by="claude-two"),
         ADMITTED, counts={"dave"}, stamps={"not independent"}),
    Case("gates-9", "author and reviewer are agents of two names and one model", "23",
         lambda s: s.made(by="claude-one", marks="", propose=False).approve("claude-two").review(opened_by="claude-one"),
         BLOCKED, {"self-review.family", "self-review.model"}, absent={"self-review.identity"}),
    Case("gates-10", "as 9, and a reviewer of another family approves", "23, 24",
         lambda s: s.made(by="claude-one", marks="", propose=False).approve("claude-two", "gpt").review(opened_by="claude-one"),
         ADMITTED, counts={"gpt"}),
    Case("gates-11", "two sizes of one family: opus reviews sonnet", "23",
         lambda s: s.made(marks="Co-Authored-By: Claude Sonnet 5 <noreply@anthropic.com>").approve("claude-two").review(),
         BLOCKED, {"self-review.family"}, absent={"self-review.model"}),
    Case("gates-12", "nobody can tell the author's family", "23, 24, 39",
         lambda s: s.made(marks="Made-with: Cursor").approve("gpt").review(),
         ESCALATED, {"independence.unresolved"}, absent={"self-review.family", "self-review.model"}),
    Case("gates-13", "an agent registered as Claude signs its review as GPT", "14, 22",
         lambda s: s.made(marks="Co-Authored-By: GPT-5.2 <noreply@openai.com>").approve("claude-two", model="gpt-5.2").review(),
         ESCALATED, {"provenance.conflict"}, counts=set(),
         differs="14, 22: the two claims conflict, and what conflicts counts for nobody (the text takes the session's word)"),
    Case("gates-13b", "an agent registered as Claude wrote it and its commit says GPT", "14, 22",
         lambda s: s.branch().commit(author="GPT-5.2 <claude-one@agents.example.com>").approve("bob").review(opened_by="claude-one"),
         ESCALATED, {"provenance.conflict"},
         differs="14, 22: the two claims conflict, and what conflicts counts for nobody (the text takes the session's word)"),
    Case("gates-14", "the author's harness routes to any provider and recorded none", "23, 24",
         lambda s: s.made(marks="Assisted-by: opencode:openrouter/auto").approve("gpt").review(),
         ESCALATED, {"independence.unresolved"}, absent={"self-review.family"}),
    Case("gates-14b", "the reviewer is a router, so that its model is unknown", "23, 24",
         lambda s: s.law(agents={"gpt": agent("gpt", s.keys.public["gpt"], model="openrouter/auto", maker="", family="")})
         .made().approve("gpt").review(),
         ESCALATED, {"independence.unresolved"}),
    Case("gates-15", "the reviewer of another family objects", "34, 39",
         lambda s: s.made().object("gpt", reason="The total is wrong").review(),
         BLOCKED, {"veto"}, counts=set()),
    Case("gates-15b", "the reviewer of another family only comments", "17, 39",
         lambda s: s.made().forge("approve", "gpt", verb="comment").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("gates-16", "a panel approves, and behind the panel stands the author's own agent", "15, 23",
         lambda s: s.law(agents={"gpt": agent("gpt", s.keys.public["gpt"], operator="claude-one")})
         .made().approve("gpt").review(),
         BLOCKED, {"self-review.operator"}),
    Case("gates-16b", "the author's agent signs in the panel's name", "17, 39",
         lambda s: s.made(by="claude-one", marks="", propose=False).forge("approve", "gpt", key="claude-one").review(opened_by="claude-one"),
         PENDING, {"approval.unsigned", "approval.missing"}, counts=set(),
         differs="39: an approval that is unsigned counts as not given, so that the change waits"),
    Case("gates-17", "an app approves where a person is asked for", "30",
         lambda s: s.law(requirements=A_PERSON).made().approve("gpt").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("gates-18", "the forge committed for alice, alice approves", "8, 16",
         lambda s: s.branch().commit(author="alice", committer=WEB_FLOW).approve("alice").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-18b", "the forge committed for alice, bob approves: web-flow is nobody", "13, 16",
         lambda s: s.branch().commit(author="alice", committer=WEB_FLOW).approve("bob").review(opened_by="alice"),
         ADMITTED, counts={"bob"}),
    Case("gates-19", "nobody enrolled made it and nobody answers for it", "9, 24",
         lambda s: s.branch().commit(author="Zed <zed@nowhere.example>").approve("bob").review(),
         ESCALATED, {"independence.unresolved", "provenance.missing"}),
    Case("gates-19b", "the same with one more approval", "9, 24",
         lambda s: s.branch().commit(author="Zed <zed@nowhere.example>").approve("bob", "erin").review(),
         ADMITTED, counts={"bob", "erin"}),
    Case("gates-20", "bob's commit is reachable by a second parent alone, bob approves", "1, 8",
         lambda s: second_parent(s).approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-21", "the owner made patch set 1, alice amended it, the owner approves", "12, 31",
         lambda s: surviving_lines(s).approve("carol", "bob").review(opened_by="alice", change="7"),
         BLOCKED, {"self-review.identity"}),
    Case("gates-22", "the reviewer rebases it without touching its content; the earlier approval counts", "13, 33",
         lambda s: s.made().approve("bob").main_moves("docs/guide.md").rebase("bob").review(pushed_by="bob"),
         ADMITTED, counts={"bob"}),
    Case("gates-23", "a dependency bot's commit that bob committed anew still has bob in it", "8, 16",
         lambda s: s.branch().commit(author="dependabot[bot] <dependabot@services.example.com>", committer="bob")
         .approve("bob").review(opened_by="dependabot", pushed_by="bob"),
         BLOCKED, {"self-review.identity"}),
)
# fmt: on
