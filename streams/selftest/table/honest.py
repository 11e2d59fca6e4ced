"""Honest work, which has to land: a gate that refuses everything is safe and useless."""

import json

from streams.selftest.arena import CLAUDE, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import AUTH, CART, HELPERS, WEAKENED, Unstaged


def by_command(a: Arena) -> Pushed:
    """The whole conversation, typed: refused, proposed, approved from another clone, pushed again."""
    a.made(propose=False).refused()
    a.do("push", "-q", "origin", "HEAD:refs/heads/change")
    for verb, name, more in (("propose", "alice", ("--tool", "none")), ("approve", "bob", ())):
        key = str(a.ground.keys / name)
        said = a.twohand(verb, "HEAD", "--as", name, "--key", key, "--target", "main", "--push", "origin", *more)
        if said.code:
            raise Unstaged(f"twohand {verb} exits {said.code}: {said.err.strip()}", remedy="Report this as a defect.")
    return a.push("HEAD:main")


def in_steps(a: Arena) -> Arena:
    """Two steps, each with an approval of its own."""
    a.branch().commit("one.py").propose("alice").approve("bob")
    first = a.id()
    return a.commit("two.py").propose("alice", base=first).approve("erin", base=first)


def meanwhile(a: Arena) -> Arena:
    """An approved change, and somebody else's that lands before it."""
    a.made().approve("bob").branch("other").commit("docs/guide.md", by="dave").propose("dave").approve("bob").sent()
    return a.lands().do("checkout", "-q", "feature")


def shallow(a: Arena) -> Pushed:
    """The pusher's clone holds two commits; the approvals are on the server."""
    a.made().approve("bob").sent().do("push", "-q", "origin", "HEAD:refs/heads/change")
    a.do("clone", "-q", "--depth=2", "--no-single-branch", f"file://{a.server}", "shallow", at=a.root)
    return a.push("origin/change:refs/heads/main", at=a.root / "shallow")


def deleted(a: Arena) -> Pushed:
    """An old release goes, with everybody's consent."""
    a.branch().lands("HEAD:refs/heads/release/1").do("fetch", "-q", "origin")
    for verb, name in (("propose", "alice"), ("approve", "carol"), ("approve", "bob")):
        a.say(verb, name, head="", onto="release/1", rewrite=True)
    return a.sent().push(":refs/heads/release/1")


def after_rework(a: Arena) -> Pushed:
    """It was refused and objected to; the rework landed, and the next change of that file is another one."""
    a.made().refused().say("object", "bob").sent().say("withdraw", "bob").sent()
    a.branch("second").commit(CART).propose("alice").approve("bob").sent().lands()
    return a.branch("third").commit(CART).propose("alice").approve("bob").sent().push("HEAD:main")


def beside_junk(a: Arena) -> Pushed:
    """What a stranger pushed of that file was refused and objected to."""
    stranger = "Mallory <m@nowhere.example>"
    a.branch("junk").commit(CART, by=stranger).refused().say("object", "carol").sent().refused()
    return a.branch().commit(CART).propose("alice").approve("bob").sent().push("HEAD:main")


def named_by_a_note(a: Arena) -> Pushed:
    """A stranger's note calls the approver the operator of an agent; they sign that they are no author."""
    told = {"agent_id": {"tool": "codex", "model": "gpt-5.2", "id": "x"}, "human_author": "bob"}
    sessions = {"schema_version": "authorship/3.0.0", "sessions": {"s_01": told}}
    a.made().do("notes", "--ref", "ai", "add", "-m", f"{CART}\n  s_01 1-1\n---\n{json.dumps(sessions)}")
    a.lands("refs/notes/ai:refs/notes/ai").approve("bob").sent().refused()
    return a.approve("bob", not_author=True).sent().push("HEAD:main")


# fmt: off
CASES = (
    Case("honest-approved", "Somebody else approved it.", "twohand propose, approve; git push", "30",
         lambda a: a.made().approve("bob").sent().push("HEAD:main")),
    Case("honest-agent", "An agent wrote it, and an agent of another make and operator approved it.", "twohand approve; git push", "23",
         lambda a: a.made(marks=CLAUDE).approve("gpt").sent().push("HEAD:main")),
    Case("honest-owner", "The owner approved what is guarded.", "twohand approve; git push", "31",
         lambda a: a.made(AUTH).approve("carol").sent().push("HEAD:main")),
    Case("honest-weakening", "The owner and somebody else approved a check that goes.", "twohand approve; git push", "31, 32",
         lambda a: a.made(HELPERS, data=WEAKENED).approve("carol", "bob").sent().push("HEAD:main")),
    Case("honest-together", "The statements come along with the change.", "git push HEAD:main refs/twohand/*", "17, 40",
         lambda a: a.made().approve("bob").push("HEAD:main", "refs/twohand/*:refs/twohand/*")),
    Case("honest-atomic", "The same, atomically.", "git push --atomic", "17, 40",
         lambda a: a.made().approve("bob").push("HEAD:main", "refs/twohand/*:refs/twohand/*", options=("--atomic",))),
    Case("honest-again", "It was refused, then approved, and the same push lands.", "git push (twice)", "33",
         lambda a: a.made().refused().approve("bob").sent().push("HEAD:main")),
    Case("honest-by-command", "All of it, typed.", "twohand propose --push, approve --push; git push", "30", by_command),
    Case("honest-merge", "It lands as a merge commit.", "git merge --no-ff; git push", "5, 7",
         lambda a: a.made().approve("bob").sent().branch("landing").merge("feature", by="carol").push("HEAD:main")),
    Case("honest-squash", "It lands squashed: the same content.", "git merge --squash; git push", "7, 33",
         lambda a: a.made("one.py", marks=CLAUDE).commit("two.py").propose("alice").approve("bob").sent().branch("landing")
         .do("merge", "-q", "--squash", "feature").record(message="Squashed", by="alice").push("HEAD:main")),
    Case("honest-reworded", "It lands with another message.", "git commit --amend; git push", "33",
         lambda a: a.made().approve("bob").sent().amend(message="Better words").push("HEAD:main")),
    Case("honest-rebased", "It lands rebased onto what landed meanwhile elsewhere.", "git rebase; git push", "33",
         lambda a: meanwhile(a).do("rebase", "-q", "origin/main").push("HEAD:main")),
    Case("honest-merged-up", "It lands with main merged into it.", "git merge origin/main; git push", "33",
         lambda a: meanwhile(a).merge("origin/main").push("HEAD:main")),
    Case("honest-steps", "Two changes land in one push, each approved by itself.", "git push", "5",
         lambda a: in_steps(a).sent().push("HEAD:main")),
    Case("honest-withdrawn", "An objection was taken back.", "twohand object, withdraw; git push", "34",
         lambda a: a.made().approve("erin").say("object", "bob").sent().refused().say("withdraw", "bob").sent().push("HEAD:main")),
    Case("honest-release", "An approved fix for a release.", "git push HEAD:refs/heads/release/1", "4",
         lambda a: a.branch().commit().propose("alice", onto="release/1").approve("bob", onto="release/1").sent().push("HEAD:refs/heads/release/1")),
    Case("honest-shallow", "The pusher's clone is shallow, and the server is not.", "git clone --depth=2; git push", "1", shallow),
    Case("honest-odd-names", "Names with spaces, quotes, line breaks and other alphabets.", "git push", "2",
         lambda a: a.made("src/Größe 'x' \"y\"\n.py", "src/каталог.py", "src/-rf").approve("bob").sent().push("HEAD:main")),
    Case("honest-signed", "The author signed the commit and proposed nothing.", "git commit -S; git push", "9",
         lambda a: a.branch().commit(sign="alice").approve("bob").sent().push("HEAD:main")),
    Case("honest-carried", "Somebody else picked the author's proposed commit, and approves it.", "git cherry-pick; twohand approve", "13",
         lambda a: a.made(committer="bob").approve("bob").sent().push("HEAD:main")),
    Case("honest-deletion", "The owner agrees that a release is deleted.", "twohand approve; git push :release/1", "4",
         deleted),
    Case("honest-after-rework", "An earlier try was refused and objected to; its rework has landed.", "git push; twohand object, withdraw; git push (twice)", "12, 34",
         after_rework),
    Case("honest-beside-objected-junk", "Somebody objected to what a stranger pushed of the same file.", "twohand object; git push", "6, 34", beside_junk),
    Case("honest-named-by-a-note", "A stranger's note names the approver as an agent's operator.", "git notes; twohand approve --not-author", "27", named_by_a_note),
    Case("honest-two-files", "Several files, one of them gone.", "git push", "2",
         lambda a: a.branch().write("docs/guide.md", None).commit(CART, "src/new.py").propose("alice").approve("bob").sent().push("HEAD:main")),
)
# fmt: on
