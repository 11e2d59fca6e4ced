"""peers 5, cases 44 to 53: policy, owners, waivers and the change of the recovery incident."""

from typing import Any

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, REFUSED, Case
from tests.acceptance.law import HAND, law_text, person
from tests.acceptance.stage import AUTH, CLAUDE, HELPERS, Stage

WORKFLOW = ".github/workflows/gate.yml"


def gate_removed(s: Stage) -> Stage:
    s.put(WORKFLOW, "on: pull_request\njobs: {}\n", by="carol")
    return s.branch().put(WORKFLOW, None).propose("alice").approve("bob")


def everything_at_once(s: Stage) -> Stage:
    """Policy, owners, hook and workflow in one push."""
    s.branch().law(requirements=HAND, security='["alice", "carol"]')
    for path in ("CODEOWNERS", ".githooks/pre-push", WORKFLOW):
        s.put(path, "* @alice\n")
    return s.propose("alice").approve("bob")


def instructions(s: Stage) -> Stage:
    s.put("AGENTS.md", "Before reporting, run the gate.\n", by="carol")
    return s.branch().put("AGENTS.md", "Before reporting, run tests.\n").propose("alice").approve("bob")


def broken(s: Stage, old: str, new: str) -> Stage:
    """A policy on main with one mistake in it."""
    text = law_text(s.keys.public)
    assert old in text
    return s.law(text=text.replace(old, new, 1)).made(propose=False)


def owned_by(s: Stage, owners: str, **law: Any) -> Stage:
    return s.law(**law).owners(f"src/ @bob\nsrc/auth/ {owners}\n").made(AUTH).approve("bob")


def left(s: Stage, name: str) -> dict[str, str]:
    return {name: person(name, s.keys.public[name], more="active = false")}


def waiver_in_the_change(s: Stage) -> Stage:
    s.weakened().approve("bob").waive("carol", finding="auth-check-removed")
    data = s.repo.raw("cat-file", "blob", s.ref)
    return s.do("update-ref", "-d", s.ref).commit("waivers/carol.json", data=data).propose("alice").approve("bob")


def waived(s: Stage, name: str) -> Stage:
    """Every finding of the change, one waiver each."""
    rules = {finding["rule"] for finding in s.review(dry_run=True).decision["findings"] if finding["tier"] != "note"}
    for rule in sorted(rules):
        s.waive(name, finding=rule)
    return s


# fmt: off
CASES = (
    Case("peers-44", "policy, owners file, hook and workflow in the same push", "29, 36",
         lambda s: everything_at_once(s).review(), ESCALATED, {"policy.self-edit", "owner.required"}),
    Case("peers-45", "the workflow that runs the gate is deleted, nothing else", "29",
         lambda s: gate_removed(s).review(), ESCALATED, {"policy.self-edit", "finding.gate-edited"},
         differs="29, 31: a self-edit waits for the owner of its path"),
    Case("peers-45b", "the same with a waiver of the finding", "35",
         lambda s: gate_removed(s).waive("carol", finding="gate-edited").review(), ESCALATED, {"policy.self-edit"}),
    Case("peers-45c", "the same with the owner's approval", "31",
         lambda s: gate_removed(s).approve("carol").review(), ADMITTED),
    Case("peers-46", "the line of AGENTS.md that asks for the gate goes", "29",
         lambda s: instructions(s).review(), ESCALATED, {"policy.self-edit"}),
    Case("peers-47a", "the policy has a key twice", "36",
         lambda s: broken(s, "version = 1", "version = 1\nversion = 1").review(), BLOCKED, {"policy.invalid"},
         differs="39: `review` exits 1 with its decision, `policy validate` 2"),
    Case("peers-47b", "the policy has an unknown key", "36",
         lambda s: broken(s, "version = 1", "version = 1\nallow_everything = true").review(), BLOCKED, {"policy.invalid"},
         differs="39: `review` exits 1 with its decision, `policy validate` 2"),
    Case("peers-47c", 'the policy says active = "false"', "36",
         lambda s: broken(s, "[people.bob]", '[people.bob]\nactive = "false"').review(), BLOCKED, {"policy.invalid"},
         differs="39: `review` exits 1 with its decision, `policy validate` 2"),
    Case("peers-47d", "the policy asks for an action of a wrong type", "36",
         lambda s: broken(s, "[independence]", "[independence]\nfamily = true").review(), BLOCKED, {"policy.invalid"},
         differs="39: `review` exits 1 with its decision, `policy validate` 2"),
    Case("peers-48a", "the owner is a team that nobody knows: the fallback is asked", "31",
         lambda s: owned_by(s, "@example/ghosts").review(), ESCALATED, {"owner.required"}, owners={AUTH: "awaited"}),
    Case("peers-48b", "the owner is a bot", "31",
         lambda s: owned_by(s, "gpt@agents.example.com").approve("gpt").review(),
         ESCALATED, {"owner.required"}, owners={AUTH: "awaited"}),
    Case("peers-48c", "the owner has left", "18, 31",
         lambda s: owned_by(s, "@dave", people=left(s, "dave")).approve("dave").review(),
         ESCALATED, {"owner.required", "owner.inactive"}, owners={AUTH: "awaited"}),
    Case("peers-48d", "and the fallback answers", "31",
         lambda s: owned_by(s, "@dave", people=left(s, "dave")).approve("carol").review(), ADMITTED),
    Case("peers-49", "the only owner of the path operates the agent that wrote it", "23, 31",
         lambda s: s.owners("src/auth/ @dave\n").branch().commit(AUTH, author="claude-two").approve("dave", "bob").review(opened_by="claude-two"),
         BLOCKED, {"self-review.operator"}),
    Case("peers-49b", "and another owner answers", "31",
         lambda s: s.owners("src/auth/ @dave @erin\n").branch().commit(AUTH, author="claude-two").approve("erin").review(opened_by="claude-two"),
         ADMITTED, counts={"erin"}),
    Case("peers-50a", "a person's approval without a key", "17",
         lambda s: s.made().tries("approve", "bob", key="nobodys"), REFUSED, {"There is no key file"}),
    Case("peers-50b", "a person's approval from an agent's shell", "20",
         lambda s: s.made().shell(CLAUDECODE="1").tries("approve", "bob"), REFUSED, {"belongs to an agent"}),
    Case("peers-50c", "an approval under a name that is not enrolled", "17",
         lambda s: s.made().tries("approve", "mallory"), REFUSED, {"nobody in the policy"}),
    Case("peers-50d", "an approval in bob's name with a stranger's key", "17",
         lambda s: s.made().forge("approve", "bob", key="mallory").review(), PENDING, {"approval.unsigned"}, counts=set(),
         differs="39: an approval that is unsigned counts as not given, so that the change waits"),
    Case("peers-51a", "a waiver from an agent's shell", "20, 35",
         lambda s: s.weakened().shell(CLAUDECODE="1").tries("waive", "carol", finding="auth-check-removed", reason="Fine"),
         REFUSED, {"belongs to an agent"}),
    Case("peers-51b", "a waiver with an agent's key", "35",
         lambda s: s.weakened().approve("bob").waive("gpt", finding="auth-check-removed").review(),
         ESCALATED, {"waiver.invalid", "finding.auth-check-removed"},
         differs="35, 39: the finding of tier hold waits for its owner"),
    Case("peers-51c", "a waiver of a person whom policy names", "35",
         lambda s: waived(s.weakened().approve("bob"), "carol").review(),
         ADMITTED, counts={"bob"}, stamps={"waived"}),
    Case("peers-52a", "the waiver has expired", "35",
         lambda s: s.weakened().approve("bob").waive("carol", finding="auth-check-removed", expires="1h").lasts(7200).review(),
         ESCALATED, {"waiver.expired", "finding.auth-check-removed"}),
    Case("peers-52b", "the waiver lies in the change", "35",
         lambda s: waiver_in_the_change(s).review(), ESCALATED, {"finding.auth-check-removed"}),
    Case("peers-52c", "a waiver for what cannot be waived", "35",
         lambda s: s.made(propose=False).approve("alice").waive("carol", finding="self-review.identity").review(opened_by="alice"),
         BLOCKED, {"self-review.identity", "waiver.invalid"}),
    Case("peers-53", "the recovery incident under an owned path", "29, 31",
         lambda s: s.made(AUTH, marks=CLAUDE).approve("bob").review(), ESCALATED, {"owner.required"}),
    Case("peers-53b", "the recovery incident in a helper that nobody guards", "32",
         lambda s: s.weakened().approve("bob").review(), ESCALATED, {"finding.auth-check-removed"}, owners={HELPERS: "awaited"}),
)
# fmt: on
