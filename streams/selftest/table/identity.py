"""Who approves: the author under another name, another model of the same make, nobody at all (law 8 to 28)."""

from streams.selftest import law
from streams.selftest.arena import CLAUDE, LETTERS, Arena, Pushed
from streams.selftest.case import Case
from streams.selftest.ground import CART

SELF = "self-review.identity"
UNSURE = "independence.unresolved"
NOBODY = "approval.missing"
ONTO_MAIN = ("HEAD:main", LETTERS)


def known_as(a: Arena, own: str, *, key: str) -> Arena:
    """A second enrolled name, zoe, whose table has something of alice's in it."""
    zoe = law.person("zoe", a.ground.public[key])
    return a.main_is(more=zoe.replace(own, own.replace("zoe", "alice")) if own else zoe)


def second_parent(a: Arena) -> Arena:
    """A commit of bob's comes in through the second parent of a merge."""
    a.branch("side").commit("side.py", by="bob").branch().commit("own.py")
    return a.merge("side").propose("alice").approve("bob")


def resolved(a: Arena) -> Arena:
    """Bob resolves a conflict of alice's change, and approves what came of it."""
    a.branch("theirs").commit(CART, data="a = 1\n", by="dave").branch().commit(CART, data="a = 2\n")
    a.tries("merge", "-q", "--no-ff", "theirs")
    return a.write(CART, "a = 3\n").record(by="bob", message="Merge").propose("alice").approve("bob")


def laundered(a: Arena, *, more: bool) -> Pushed:
    """The gate saw the marks once; a squash drops them; then a model of that make approves."""
    a.branch().commit("one.py", marks=CLAUDE).commit("two.py").propose("alice").refused()
    a.do("reset", "-q", "--soft", "origin/main")
    if more:
        a.write("two.py")
    a.record(message="Squashed")
    return a.propose("alice").approve("claude-two").push(*ONTO_MAIN)


def marked(a: Arena, line: str, *, by: str = "claude-two") -> Pushed:
    """A change with one line of provenance, approved by an agent."""
    return a.made(marks=line).approve(by).push(*ONTO_MAIN)


def in_one_session(a: Arena) -> Pushed:
    """Different tools and operators, one session."""
    line = "Agent-Session: codex:0b2f1c1e-1111\nAssisted-by: Amp"
    return a.made(marks=line).approve("gpt", session="codex:0b2f1c1e-1111").push(*ONTO_MAIN)


def renamed(a: Arena) -> Pushed:
    """The change brings a .mailmap in which its author is somebody else."""
    a.branch().commit(".mailmap", data="Zed <zed@nowhere.example> Bob <bob@example.com>\n").commit(by="bob")
    return a.propose("alice").approve("bob").push(*ONTO_MAIN)


def left(a: Arena) -> Pushed:
    """Bob has left; his key still works."""
    bob = law.person("bob", a.ground.public["bob"])
    a.main_is().write("twohand.toml", law.text(a.ground.public).replace(bob, bob + "active = false\n"))
    a.record(message="Bob left").by_hand("HEAD", "main")
    return a.made().approve("bob").push("HEAD:main", LETTERS)


def protected_later(a: Arena) -> Pushed:
    """A commit of bob's stood on a branch before it was protected; it comes to main behind a merge."""
    a.branch("early").commit(CART, by="bob").lands("HEAD:refs/heads/hotfix")
    text = law.text(a.ground.public).replace('"release/*"]', '"release/*", "hotfix"]')
    a.branch("law").commit("twohand.toml", data=text).propose("alice").approve("carol").sent().lands()
    a.branch().commit("docs/guide.md").merge("early")
    return a.propose("alice").approve("bob").push(*ONTO_MAIN)


def two_small_steps(a: Arena) -> Pushed:
    """First the mark goes, then a byte comes; the gate saw each."""
    a.made(marks=CLAUDE).sent().refused().amend(message="Total").refused()
    return a.amend(CART).propose("alice").approve("claude-two").push(*ONTO_MAIN)


# fmt: off
CASES = (
    Case("identity-own", "The author approves.", "twohand approve", "8, 24", lambda a: a.made().approve("alice").push(*ONTO_MAIN), SELF),
    Case("identity-nobody", "Nobody answers for the change, though somebody approves it.", "git commit; twohand approve", "9",
         lambda a: a.made(propose=False).approve("bob").push(*ONTO_MAIN), "provenance.missing"),
    Case("identity-second-name", "The author has a second enrolled name with the same address.", "twohand approve --as zoe", "15",
         lambda a: known_as(a, "zoe@example.com", key="mallory").made().approve("zoe", key="mallory").push(*ONTO_MAIN), SELF),
    Case("identity-second-account", "The author has a second enrolled name with the same account.", "twohand approve --as zoe", "15",
         lambda a: known_as(a, "github:zoe", key="mallory").made().approve("zoe", key="mallory").push(*ONTO_MAIN), SELF),
    Case("identity-shared-key", "Two enrolled names share a key.", "twohand approve --as zoe", "15",
         lambda a: known_as(a, "", key="alice").made().approve("zoe", key="alice").push(*ONTO_MAIN), SELF),
    Case("identity-one-of-two", "Who wrote one of the commits approves all.", "twohand approve", "8",
         lambda a: a.branch().commit("own.py").commit("his.py", by="bob").propose("alice").approve("bob").push(*ONTO_MAIN), SELF),
    Case("identity-second-parent", "Who wrote a commit behind a merge's second parent approves.", "git merge; twohand approve", "1, 8",
         lambda a: second_parent(a).push(*ONTO_MAIN), SELF),
    Case("identity-protected-later", "Who wrote what stood on a branch before it was protected approves it.", "git push HEAD:hotfix; edit twohand.toml; git merge",
         "5, 8", protected_later, SELF),
    Case("identity-resolution", "Who resolved a conflict approves the result.", "git merge; edit; twohand approve", "5, 8",
         lambda a: resolved(a).push(*ONTO_MAIN), SELF),
    Case("identity-co-author", "A co-author approves.", "Co-authored-by: Bob", "8",
         lambda a: a.made(marks="Co-authored-by: Bob <bob@example.com>").approve("bob").push(*ONTO_MAIN), SELF),
    Case("identity-proposer", "Who proposed somebody's commits approves them.", "twohand propose, approve", "8, 9",
         lambda a: a.made(propose=False).propose("erin").approve("erin").push(*ONTO_MAIN), SELF),
    Case("identity-mailmap", "The change brings a .mailmap that renames its author.", ".mailmap", "8", renamed, SELF),
    Case("identity-capitals", "The author's address in capital letters.", "git commit --author", "8, 15",
         lambda a: a.made(by="B <BOB@EXAMPLE.COM>", propose=False).propose("alice").approve("bob").push(*ONTO_MAIN), SELF),
    Case("identity-forge-address", "The forge's own address of the approver.", "git commit --author", "8, 15",
         lambda a: a.made(by="B <1234567+bob@users.noreply.github.com>", propose=False).propose("alice").approve("bob").push(*ONTO_MAIN), SELF),
    Case("identity-signer", "Who signed the commit approves it.", "git commit -S; twohand approve", "8, 14",
         lambda a: a.made(sign="bob").approve("bob").push(*ONTO_MAIN), "provenance.conflict"),
    Case("identity-strange-key", "A commit signed with a key that nobody enrolled makes nobody accountable.", "git commit -S", "9",
         lambda a: a.made(sign="mallory", propose=False).approve("bob").push(*ONTO_MAIN), "provenance.missing"),
    Case("identity-not-author", "The author signs that they are none.", "twohand approve --not-author", "27",
         lambda a: a.made(by="bob", propose=False).propose("bob").approve("bob", not_author=True).push(*ONTO_MAIN), SELF),
    Case("identity-left", "Who has left approves with a key that still works.", "twohand approve", "18", left, NOBODY),
    Case("operator-own-agent", "The author's own agent approves.", "twohand approve --as claude-one", "23",
         lambda a: a.made().approve("claude-one").push(*ONTO_MAIN), "self-review.operator"),
    Case("operator-of-the-agent", "The agent made it, and its operator approves.", "twohand propose --as claude-one", "23",
         lambda a: a.made(by="claude-one").approve("alice").push(*ONTO_MAIN), "self-review.operator"),
    Case("session-shared", "Other tools and other operators, in one session.", "Agent-Session: codex:...", "23", in_one_session, "self-review.session"),
    Case("model-same", "The same model approves for another operator.", "Co-Authored-By: Claude Opus 5", "23",
         lambda a: marked(a, CLAUDE), "self-review.model"),
    Case("model-spelled", "The same model under the name of a cloud.", "Assisted-by: bedrock/anthropic.claude-opus-5-v1:0", "23",
         lambda a: marked(a, "Assisted-by: Crush:bedrock/anthropic.claude-opus-5-v1:0"), "self-review.model"),
    Case("family-same", "Another model of the same make approves.", "Co-Authored-By: Claude Sonnet 4", "23",
         lambda a: marked(a, "Co-Authored-By: Claude Sonnet 4 <noreply@anthropic.com>"), "self-review.family"),
    Case("family-footer", "The mark is a footer, not a trailer.", "Generated with [Claude Code]", "8, 23",
         lambda a: marked(a, "Generated with [Claude Code](https://claude.com/claude-code)"), "self-review.family"),
    Case("family-session-only", "The mark is a session's address alone.", "Claude-Session: https://...", "8, 23",
         lambda a: marked(a, "Claude-Session: https://claude.ai/code/session_01abcdef"), "self-review.family"),
    Case("family-invisible", "Invisible characters stand in the mark.", "Co-Autho\\u200bred-By: Claude", "8",
         lambda a: marked(a, "Co-Autho\u200bred-By: Cl\u00adaude Opus 5 <noreply@anthropic.com>"), "self-review.model"),
    Case("family-look-alike", "Letters of another alphabet stand in the mark.", "Co-Authored-By: \\u0421laude", "8",
         lambda a: marked(a, "Co-Authored-By: \u0421laude Opus 5 <noreply@anthropic.com>"), "self-review.model"),
    Case("family-quoted", "The mark is quoted and in a list.", "> - Co-Authored-By: Claude", "8",
         lambda a: marked(a, "> - Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>"), "self-review.model"),
    Case("family-early", "The mark stands before other text, where git sees no trailer.", "Co-Authored-By: ...; more text", "8",
         lambda a: marked(a, f"{CLAUDE}\n\nAnd then some more words."), "self-review.model"),
    Case("family-carriage-return", "The message has other line ends.", "Co-Authored-By: ...\\r\\n", "8",
         lambda a: marked(a, f"{CLAUDE}\r\n\r\nMore.\r"), "self-review.model"),
    Case("family-router", "The author's model is whatever a router chose.", "Assisted-by: Crush:openrouter/auto", "10, 23",
         lambda a: marked(a, "Assisted-by: Crush:openrouter/auto", by="gpt"), UNSURE),
    Case("family-unknown", "The author's model is one that nobody has heard of.", "Assisted-by: Crush:zebra-9", "10, 23",
         lambda a: marked(a, "Assisted-by: Crush:zebra-9", by="gpt"), UNSURE),
    Case("family-twice", "Two reviewers of one make stand for two hands.", "twohand approve (twice)", "25",
         lambda a: a.main_is(requirements=law.TWO_HANDS).made().approve("claude-two").approve("claude-two", model="claude-opus-5")
         .push(*ONTO_MAIN), NOBODY),
    Case("family-other-model", "An agent says that it is another model than the one that is enrolled.", "twohand approve --model gpt-5.2", "14, 22",
         lambda a: a.made(marks=CLAUDE).approve("claude-two", model="gpt-5.2").push(*ONTO_MAIN), "self-review"),
    Case("laundered-squash", "A squash drops the marks that the gate has seen.", "git push; git reset --soft; git push", "12",
         lambda a: laundered(a, more=False), "self-review"),
    Case("laundered-byte", "So does a squash with one byte more.", "git push; git reset --soft; edit; git push", "12",
         lambda a: laundered(a, more=True), "self-review"),
    Case("laundered-two-small-steps", "An amend drops the mark, and another one adds a byte.", "git push; git commit --amend; git push (twice)", "12",
         two_small_steps, "self-review.model"),
    Case("agent-for-a-person", "A person has to approve, and an agent does.", "twohand approve --as gpt", "20, 30",
         lambda a: a.main_is(requirements=law.A_PERSON).made().approve("gpt").push(*ONTO_MAIN), NOBODY),
    Case("presence-unproven", "A touch is required, and the key has none.", "twohand approve", "20",
         lambda a: a.main_is(requirements=law.A_PERSON + 'presence = "required"\n').made().approve("bob").push(*ONTO_MAIN), NOBODY),
    Case("silence-unresolved", "Silence about tools is not enough, and the change is silent.", "git commit", "11",
         lambda a: a.main_is(independence='undeclared = "unresolved"').made().approve("gpt").push(*ONTO_MAIN), UNSURE),
    Case("grade-too-weak", "Policy asks for evidence that only the author's word gives.", "git commit", "10",
         lambda a: a.main_is(independence='grade = "A"').made(propose=False, sign="alice").commit("more.py", by="Nested <n@nowhere.example>")
         .propose("alice").approve("gpt").push(*ONTO_MAIN), UNSURE),
)
# fmt: on
