"""gates 2.4, cases 33 to 40: objections, errors, paths, races and overrides."""

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, REFUSED, Case
from tests.acceptance.law import A_PERSON, HAND
from tests.acceptance.stage import AUTH, Stage

NOT_DOCS = HAND.replace("from =", 'when = { not = { paths = ["docs/"] } }\nfrom =')
ONLY_SERVICES = HAND.replace("from =", 'when = { author = "service" }\nfrom =')
APPS = "apps/ @alice\n/apps/github\n"


def moved(s: Stage) -> Stage:
    s.branch().do("mv", AUTH, "src/login.py")
    return s.commit("docs/guide.md").propose("alice").approve("bob")


def submodule(s: Stage) -> Stage:
    s.branch().do("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},src/auth/vendor")
    s.do("commit", "-q", "-m", "Vendor")
    return s.propose("alice").approve("bob")


def a_link(s: Stage) -> Stage:
    s.branch().repo.link("src/auth/now", "../cart.py")
    return s.commit("docs/guide.md").propose("alice").approve("bob")


def weaker_law(s: Stage) -> Stage:
    """The change takes the owners out of the policy that judges it."""
    return s.branch().law(requirements=HAND).propose("alice").approve("bob")


def a_stricter_release(s: Stage) -> Stage:
    """The release branch asks for a person where main asks for anybody."""
    s.branch("release/1").law(requirements=A_PERSON)
    return s.branch("fix", "release/1").commit(marks="").propose("alice", target="release/1")


# fmt: off
CASES = (
    Case("gates-33", "an objection beside enough approvals", "34, 39",
         lambda s: s.made().object("bob").approve("erin", "gpt").review(),
         BLOCKED, {"veto"}),
    Case("gates-33b", "the author takes the objection back", "34",
         lambda s: s.made().object("bob").approve("erin").withdraw("alice").review(),
         BLOCKED, {"veto"}),
    Case("gates-33c", "the operator of the author's agent takes the objection back", "34",
         lambda s: s.branch().commit(author="claude-two").object("bob").approve("erin").withdraw("dave").review(opened_by="claude-two"),
         BLOCKED, {"veto"}),
    Case("gates-33d", "the author, an owner, waives the objection", "35",
         lambda s: s.made(by="carol").object("bob").approve("erin").waive("carol", objection_of="bob").review(),
         BLOCKED, {"veto", "waiver.invalid"}),
    Case("gates-34", "a reviewer that objected crashes on the next head: its objection stays", "34, 40",
         lambda s: s.made().object("gpt").commit().propose("alice").approve("bob")
         .store(f"refs/twohand/reviews/{'0' * 64}/{'0' * 64}", b"Traceback (most recent call last)").review(),
         BLOCKED, {"veto"}),
    Case("gates-34b", "a reviewer that objected reviews the next head whole and approves", "34",
         lambda s: s.made().object("gpt").commit().propose("alice").approve("gpt").review(),
         ADMITTED, counts={"gpt"}),
    Case("gates-34c", "a reviewer's verdict is a word that nobody knows", "17, 40",
         lambda s: s.made().forge("approve", "gpt", verb="lgtm").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("gates-35", "two requirements, one of them unmet", "30",
         lambda s: s.made(AUTH).approve("bob").review(),
         ESCALATED, {"owner.required"}),
    Case("gates-35b", "every requirement is passed over", "30, 39",
         lambda s: s.law(requirements=ONLY_SERVICES).made().approve("bob").review(),
         ESCALATED, {"policy.no-requirement"}),
    Case("gates-35c", "the target branch has an empty policy", "36, 39",
         lambda s: s.law(text="").made(propose=False).review(),
         BLOCKED, {"policy.invalid"}),
    Case("gates-35d", "the target branch has a policy that cannot be parsed", "36, 39",
         lambda s: s.law(text="version = 1\n[people\n").made(propose=False).review(opened_by="alice"),
         BLOCKED, {"policy.invalid"}),
    Case("gates-36", "the last owners line that matches wins", "31",
         lambda s: s.owners("* @bob\nsrc/auth/ @erin\n").made(AUTH).approve("erin").review(),
         ADMITTED, counts={"erin"}),
    Case("gates-36b", "a line without owners clears: the fallback is asked, not the line before", "31",
         lambda s: s.owners("src/ @bob\n/src/auth\n").made(AUTH).approve("bob").review(),
         ESCALATED, {"owner.required"}, owners={AUTH: "awaited"}),
    Case("gates-38", "a file moves out of an owned directory", "2, 31",
         lambda s: moved(s).review(),
         ESCALATED, {"owner.required"}, owners={AUTH: "awaited"}),
    Case("gates-38b", "what is exempt for docs/ is not exempt for docs-evil/", "30",
         lambda s: s.law(requirements=NOT_DOCS).made("docs-evil/run.py").review(),
         PENDING, {"approval.missing"}),
    Case("gates-38c", "a symbolic link under an owned path", "2, 31",
         lambda s: a_link(s).review(),
         ESCALATED, {"owner.required"}, owners={"src/auth/now": "awaited"}),
    Case("gates-38d", "a submodule pointer under an owned path", "3",
         lambda s: submodule(s).review(),
         ESCALATED, {"coverage.partial", "owner.required"}),
    Case("gates-38e", "the owners of the path are nobody", "31",
         lambda s: s.law(owners="").owners("src/auth/ @nobody\n").made(AUTH).approve("bob").review(),
         ESCALATED, {"owner.unresolved"}),
    Case("gates-39", "the change edits the policy that judges it", "29, 36",
         lambda s: weaker_law(s).review(),
         ESCALATED, {"policy.self-edit", "owner.required"}),
    Case("gates-39b", "the change edits a workflow and an owners file", "29",
         lambda s: s.branch().put(".github/workflows/ci.yml", "on: push\n").put("CODEOWNERS", "* @alice\n")
         .propose("alice").approve("bob").review(),
         ESCALATED, {"policy.self-edit", "owner.required"}),
    Case("gates-39c", "the release branch's policy is another: both are asked, the worse answer stands", "36",
         lambda s: a_stricter_release(s).approve("gpt", target="release/1").review(target="release/1"),
         PENDING, {"approval.missing"}),
    Case("gates-39d", "the same with a person", "36",
         lambda s: a_stricter_release(s).approve("bob", target="release/1").review(target="release/1"),
         ADMITTED, counts={"bob"}),
    Case("gates-40", "a decision for one head, and another head arrives", "7, 33",
         lambda s: s.made().approve("bob").seen().commit().propose("alice").review(),
         PENDING, {"approval.stale"}, counts=set()),
    Case("gates-40b", "one commit for two targets: an approval for one is none for the other", "2, 17",
         lambda s: s.do("branch", "release/1").made().approve("bob").review(target="release/1", opened_by="alice"),
         PENDING, {"approval.missing"}, counts=set()),
    Case("gates-40c", "an override without a reason", "35",
         lambda s: s.made().tries("waive", "carol", finding="auth-check-removed", reason=""),
         REFUSED, {"--reason"}),
    Case("gates-40d", "an override by somebody whom policy does not name", "35",
         lambda s: s.made().approve("erin").object("bob").waive("dave", objection_of="bob").review(),
         BLOCKED, {"veto", "waiver.invalid"}),
    Case("gates-40e", "an override on an older head", "35",
         lambda s: s.made().object("bob").waive("carol", objection_of="bob").commit().propose("alice").approve("erin").review(),
         BLOCKED, {"veto", "waiver.invalid"}),
    Case("gates-40f", "an override in the prose of an approval", "17, 35",
         lambda s: s.made().object("bob").approve("carol", reason="codeowners bypass; /override; waive bob").review(),
         BLOCKED, {"veto"}),
    Case("gates-40g", "the override that the law means", "35",
         lambda s: s.made().object("bob").approve("erin").waive("carol", objection_of="bob").review(),
         ADMITTED, counts={"erin"}, stamps={"waived"}),
)
# fmt: on
