"""Changing the law by which one is judged, and overriding it (law 29, 35, 36)."""

from typing import Any

from streams.selftest import law
from streams.selftest.arena import LETTERS, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import HELPERS, WEAKENED, Unstaged

SELF_EDIT = "policy.self-edit"
INVALID = "cannot be used"
NO_WAIVER = "waiver.invalid"
FINDING = "auth-check-removed"
WEEK = 6 * 86_400  # seconds; within what the policy allows
ONTO_MAIN = ("HEAD:main", LETTERS)
WEAK = """version = 1
repository = "example/shop"
[[requirement]]
name = "anything goes"
from = ["model", "human"]
approvals = 1
[people.alice]
keys = ["{key}"]
"""


def edits(a: Arena, path: str, data: str) -> Pushed:
    """A change of one file, approved by an independent hand that owns nothing."""
    return a.made(path, data=data).approve("bob", "erin").push(*ONTO_MAIN)


def text(a: Arena, **sections: str) -> str:
    return law.text(a.ground.public, **sections)


def broken(a: Arena, path: str, data: str) -> Pushed:
    """A policy that cannot be read, approved by everybody: nobody could land anything after it."""
    return a.made(path, data=data).approve("carol", "bob", "erin", "dave").push(*ONTO_MAIN)


def own_release(a: Arena) -> Pushed:
    """A new release brings its own law."""
    a.branch().commit("twohand.toml", data=WEAK.format(key=a.ground.public["alice"])).propose("alice", onto="release/1")
    return a.approve("bob", onto="release/1").push("HEAD:refs/heads/release/1", LETTERS)


def weak_release(a: Arena) -> Pushed:
    """A release whose law is weaker does not outvote the default branch's."""
    a.branch("release/1").commit("twohand.toml", data=text(a, requirements=law.HAND)).by_hand("release/1", "release/1")
    a.branch("fix", "origin/release/1").commit("src/auth/login.py").propose("alice", onto="release/1")
    return a.approve("bob", onto="release/1").push("HEAD:refs/heads/release/1", LETTERS)


def enrols_itself(a: Arena) -> Pushed:
    """The change enrols a second name of its author, which approves it."""
    data = text(a, more=law.person("zoe", a.ground.public["mallory"]))
    return a.made("twohand.toml", data=data).approve("zoe", key="mallory").push(*ONTO_MAIN)


def first_lands(a: Arena) -> Pushed:
    """An unprotected branch has a weaker law; what lands there is then pushed on to main."""
    a.branch("weak").commit("twohand.toml", data=WEAK.format(key=a.ground.public["alice"])).lands(
        "HEAD:refs/heads/weak"
    )
    return a.commit().propose("alice").approve("bob").push(*ONTO_MAIN)


def waived(a: Arena, by: str = "carol", **more: Any) -> Pushed:
    """A check goes, somebody independent approves, and the finding is waived."""
    fields: dict[str, Any] = {"reason": "We looked", "finding": FINDING, "expires": "2999-01-01T00:00:00Z"} | more
    return a.made(HELPERS, data=WEAKENED).approve("bob").say("waive", by, **fields).push(*ONTO_MAIN)


def linked(a: Arena) -> Pushed:
    """The policy's file is a link, and what it leads to is the author's."""
    a.branch().write("weak.toml", WEAK.format(key=a.ground.public["alice"])).write("twohand.toml", None)
    (a.clone / "twohand.toml").symlink_to("weak.toml")
    return a.record(message="Link").propose("alice").approve("bob").push(*ONTO_MAIN)


def glass(a: Arena, by: str, names: str = "") -> Pushed:
    """Break-glass in place of approvals."""
    if names:
        a.main_is(waivers=f"{law.WAIVERS}break_glass = {names}\n")
    return a.made().say("waive", by, break_glass=True, reason="It burns", expires="").push(*ONTO_MAIN)


def first_push(a: Arena) -> Pushed:
    """An empty repository. The first push is not taken by git; what comes next is the honest one."""
    a.server = a.root / "empty.git"
    a.do("init", "-q", "--bare", "--initial-branch=main", "--template=", str(a.server))
    installed = a.twohand("hook", "install", "--server", "-C", str(a.server))
    if installed.code:
        raise Unstaged(f"the hooks cannot be installed: {installed.err.strip()}", remedy="Report this as a defect.")
    a.branch().commit("twohand.toml", data=WEAK.format(key=a.ground.public["alice"]))
    a.do("config", "remote.origin.url", str(a.server))
    failed = a.push("HEAD:main", "HEAD:refs/tags/a", "HEAD:refs/tags/a/b", options=("--atomic",))
    if failed.moved or "cannot lock ref" not in failed.told:
        raise Unstaged(f"the first push should fail in git: {failed.told}", remedy="Report this as a defect.")
    return a.push("work:main")


def nobody_enrolled(a: Arena) -> str:
    """The policy without any key."""
    return "\n".join(line for line in text(a).splitlines() if not line.startswith("keys")) + "\n"


# fmt: off
CASES = (
    Case("policy-weakened", "The change asks for less from now on.", "edit twohand.toml", "29, 36",
         lambda a: edits(a, "twohand.toml", text(a, requirements=law.HAND)), SELF_EDIT),
    Case("policy-emptied", "The policy is emptied.", "edit twohand.toml", "29, 36", lambda a: edits(a, "twohand.toml", "version = 1\n"), SELF_EDIT),
    Case("policy-deleted", "The policy is deleted.", "git rm twohand.toml", "29, 36",
         lambda a: a.made("twohand.toml", data=None).approve("bob").push(*ONTO_MAIN), SELF_EDIT),
    Case("policy-renamed", "The policy is moved away.", "git mv twohand.toml old.toml", "29, 36",
         lambda a: a.branch().do("mv", "twohand.toml", "old.toml").record(message="Move").propose("alice").approve("bob").push(*ONTO_MAIN), SELF_EDIT),
    Case("policy-second", "A second policy appears in pyproject.toml.", "[tool.twohand]", "36",
         lambda a: edits(a, "pyproject.toml", "[tool.twohand]\nversion = 1\n"), SELF_EDIT),
    Case("policy-owners", "The owners file gives a guarded path to the author.", "edit .github/CODEOWNERS", "29",
         lambda a: edits(a, ".github/CODEOWNERS", "/src/auth/ @alice\n"), SELF_EDIT),
    Case("policy-owners-elsewhere", "A second owners file, which is read first, appears.", "CODEOWNERS", "29",
         lambda a: edits(a, "CODEOWNERS", "* @alice\n"), SELF_EDIT),
    Case("policy-links", "The policy becomes a link to a file that the change brings.", "ln -s weak.toml twohand.toml", "2, 29",
         linked, SELF_EDIT),
    Case("policy-enrols-itself", "The change enrols its author's second name, which approves.", "[people.zoe]", "17, 36", enrols_itself, "no enrolled key signed it"),
    Case("policy-own-release", "A new release brings its own law.", "git push HEAD:refs/heads/release/1", "4, 36", own_release, SELF_EDIT),
    Case("policy-weak-release", "The release's own weaker law does not outvote the default branch's.", "git push HEAD:refs/heads/release/1", "36",
         weak_release, "owner.required"),
    Case("policy-first-elsewhere", "A weaker law lands on a branch that nobody protects, then on main.", "git push HEAD:weak; git push HEAD:main", "36",
         first_lands, SELF_EDIT),
    Case("policy-broken", "A policy that cannot be read, approved by everybody.", "edit twohand.toml", "36, 40",
         lambda a: broken(a, "twohand.toml", "version = [\n"), "policy is broken"),
    Case("policy-unknown-key", "A policy with a key that means nothing.", "edit twohand.toml", "36",
         lambda a: broken(a, "twohand.toml", text(a) + "\n[requirements]\nnone = true\n"), "policy is broken"),
    Case("policy-broken-waived", "The same, with a waiver of what the rules say about it.", "twohand waive --finding gate-edited", "35, 36",
         lambda a: a.made("twohand.toml", data="version = [\n").approve("carol", "bob").say("waive", "carol", finding="gate-edited", reason="Ok", expires=a.later(WEEK))
         .push(*ONTO_MAIN), INVALID),
    Case("policy-nobody-enrolled", "A policy that enrols nobody, approved by everybody.", "edit twohand.toml", "4, 36",
         lambda a: broken(a, "twohand.toml", nobody_enrolled(a)), "nobody could answer for anything again"),
    Case("policy-owners-too-large", "An owners file that is too large to be read, approved by everybody.", "edit .github/CODEOWNERS", "36, 40",
         lambda a: broken(a, ".github/CODEOWNERS", "* @carol\n" + "# more\n" * 700_000), "would have a policy that cannot be used"),
    Case("policy-first-push-fails", "A first push that git does not take founds nothing, and the honest one after it lands.", "git push --atomic; git push", "37",
         first_push),
    Case("policy-two-forms", "A policy in both of its places.", "[tool.twohand]", "36",
         lambda a: broken(a, "pyproject.toml", "[tool.twohand]\nversion = 1\n"), INVALID),
    Case("policy-no-requirement", "A law of which nothing applies to the change.", "git push", "30",
         lambda a: a.main_is(requirements=law.HAND.replace("from", 'when = { paths = ["nothing/**"] }\nfrom')).made().approve("bob").push(*ONTO_MAIN),
         "policy.no-requirement"),
    Case("waiver-author", "The author waives the finding.", "twohand waive --as alice", "35", lambda a: waived(a, by="alice"), NO_WAIVER),
    Case("waiver-operator", "The author's agent waives the finding.", "twohand waive --as claude-one", "35", lambda a: waived(a, by="claude-one"), NO_WAIVER),
    Case("waiver-anybody", "Somebody waives who may not.", "twohand waive --as bob", "35", lambda a: waived(a, by="bob"), NO_WAIVER),
    Case("waiver-too-long", "A waiver for ever.", "twohand waive --expires 1000y", "35", waived, NO_WAIVER),
    Case("waiver-expired", "A waiver that has ended.", "twohand waive", "35",
         lambda a: waived(a, time="2020-01-01T00:00:00Z", expires="2020-01-02T00:00:00Z"), "waiver.expired"),
    Case("waiver-no-reason", "A waiver without a reason.", "twohand waive", "35", lambda a: waived(a, reason="", expires=a.later(WEEK)), NO_WAIVER),
    Case("waiver-self-review", "A waiver of what nobody may waive.", "twohand waive --finding self-review.identity", "35",
         lambda a: a.made().approve("alice").say("waive", "carol", finding="self-review.identity", reason="Trust me", expires=a.later(WEEK)).push(*ONTO_MAIN),
         "self-review.identity"),
    Case("glass-unnamed", "Break-glass where the policy names nobody.", "twohand waive --break-glass", "35", lambda a: glass(a, "carol"), NO_WAIVER),
    Case("glass-author", "Break-glass by the author.", "twohand waive --break-glass", "35", lambda a: glass(a, "alice", '["alice"]'), NO_WAIVER),
)
# fmt: on
