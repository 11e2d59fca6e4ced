"""Statements that are forged, misnamed, overwritten, deleted or hidden (law 17 to 19, 34, 40)."""

from streams.selftest import law
from streams.selftest.arena import LETTERS, Arena, Pushed, place
from streams.selftest.case import Case

UNSIGNED = "no enrolled key signed it"
ONTO_MAIN = ("HEAD:main", LETTERS)
ZEROS = "0" * 64


def copied(a: Arena, content_key: str = "", name: str = "") -> Pushed:
    """A good statement under another name."""
    a.made().approve("bob")
    key, own = a.letters[-1].split("/")[-2:]
    ref = place(content_key or key, name or own)
    return a.push(f"{a.letters[-1]}:{ref}")


def edited(a: Arena, old: bytes, new: bytes) -> Pushed:
    """A good statement with other bytes under its signature, under the name that these have."""
    from rules.statement import split, statement_id  # noqa: PLC0415

    data = a.made().approve("bob").letter().replace(old, new)
    key = a.letters[-1].split("/")[-2]
    return a.post(place(key, statement_id(split(data)[0])), data).push(f"{a.letters[-1]}:{a.letters[-1]}")


def for_git(a: Arena) -> Pushed:
    """Bob's signature is good, but it was made for something else."""
    signed = a.made().approve("bob").letter().partition(b"-----BEGIN")[0]
    a.post(a.letters[-1], signed + a.signed(signed, "bob", namespace="git"))
    return a.push(f"{a.letters[-1]}:{a.letters[-1]}")


def last(a: Arena, *options: str) -> Pushed:
    """The last statement alone is pushed."""
    return a.push(f"{a.letters[-1]}:{a.letters[-1]}", options=options)


def no_blob(a: Arena) -> Pushed:
    """A commit in the place of a statement."""
    return a.made().approve("bob").push(f"HEAD:{place(ZEROS, ZEROS)}")


def overwritten(a: Arena) -> Pushed:
    """Another good statement in the place of an objection."""
    a.made().say("object", "bob").sent()
    objection = a.letters[-1]
    return a.approve("bob").push(f"+{a.letters[-1]}:{objection}")


def deleted(a: Arena) -> Pushed:
    a.made().say("object", "bob").sent()
    return a.push(f":{a.letters[-1]}")


def deleted_with_change(a: Arena) -> Pushed:
    """The objection goes in the push that brings the change."""
    a.made().approve("erin").say("object", "bob").sent()
    return a.push(f":{a.letters[-1]}", "HEAD:main")


def vanished(a: Arena) -> Pushed:
    """Who runs the server deletes the ref of an objection that the gate has recorded (law 40)."""
    a.made().approve("erin").say("object", "bob").sent()
    return a.do("update-ref", "-d", a.letters[-1], at=a.server).push("HEAD:main")


def objected(a: Arena) -> Arena:
    return a.made().approve("erin").say("object", "bob").sent()


def new_law(a: Arena, old: str, new: str) -> Arena:
    """The policy with other words in it, landed through the gate."""
    data = law.text(a.ground.public).replace(old, new)
    a.branch("law").commit("twohand.toml", data=data).propose("alice").approve("carol").sent()
    return a.lands().do("checkout", "-q", "feature").do("rebase", "-q", "origin/main")


def without_bob(a: Arena, *, left: bool) -> Arena:
    """Bob has left, or was taken out of the policy."""
    bob = law.person("bob", a.ground.public["bob"])
    return new_law(a, bob, bob + "active = false\n" if left else "")


def objector_removed(a: Arena) -> Pushed:
    """Bob objected, and is enrolled no longer."""
    a.made().say("object", "bob").sent()
    return without_bob(a, left=False).propose("alice").approve("erin").push(*ONTO_MAIN)


def withdrawn_then_left(a: Arena) -> Pushed:
    """Bob objected, took it back, and left."""
    a.made().say("object", "bob").sent().refused().say("withdraw", "bob").sent()
    return without_bob(a, left=True).propose("alice").approve("erin").push(*ONTO_MAIN)


def expired_key(a: Arena) -> Pushed:
    """Bob's objection arrives after his key has ended."""
    a.made().say("object", "bob")
    late = a.letters.pop()
    key = a.ground.public["bob"]
    new_law(a, f"'{key}'", f"'valid-before=\"20250101\" {key}'")
    return a.push(f"{late}:{late}")


def hidden(a: Arena) -> Pushed:
    """A ref where the directory of a change's statements would have to be."""
    key = a.made().letters[-1].split("/")[-2]
    return a.push(f"{a.letters[-1]}:refs/twohand/reviews/{key}")


def one_bad(a: Arena) -> Pushed:
    """A forged statement among good ones, with the change that they approve."""
    return a.made().approve("bob").approve("carol", key="mallory").push(*ONTO_MAIN)


# fmt: off
CASES = (
    Case("letter-unsigned", "A statement without a signature.", "git push refs/twohand/*", "17",
         lambda a: last(a.made().approve("bob").post(a.letters[-1], a.letter().partition(b"-----BEGIN")[0])), "signed"),
    Case("letter-strange-key", "A statement in bob's name, signed with a key that nobody enrolled.", "git push refs/twohand/*", "17, 19",
         lambda a: last(a.made().approve("bob", key="mallory")), UNSIGNED),
    Case("letter-other-key", "A statement in bob's name, signed with erin's key.", "git push refs/twohand/*", "17",
         lambda a: last(a.made().approve("bob", key="erin")), "is not that of 'bob'"),
    Case("letter-agents-key", "A statement in a person's name, signed with an agent's key.", "git push refs/twohand/*", "20",
         lambda a: last(a.made().approve("bob", key="gpt")), "is not that of 'bob'"),
    Case("letter-stranger", "A statement by somebody whom nobody enrolled.", "git push refs/twohand/*", "17, 18",
         lambda a: last(a.made().say("object", "mallory")), UNSIGNED),
    Case("letter-for-git", "A good signature that was made for a commit.", "git push refs/twohand/*", "17", for_git, UNSIGNED),
    Case("letter-edited", "A statement whose reason was edited under its signature.", "git push refs/twohand/*", "17",
         lambda a: edited(a, b'"reason":""', b'"reason":"x"'), UNSIGNED),
    Case("letter-verb-edited", "An objection that was edited into an approval.", "git push refs/twohand/*", "17",
         lambda a: edited(a, b'"verb":"approve"', b'"verb":"propose"'), UNSIGNED),
    Case("letter-not-canonical", "A statement with one blank more.", "git push refs/twohand/*", "17",
         lambda a: edited(a, b'"reason":""', b'"reason": ""'), "canonical"),
    Case("letter-no-json", "Bytes that are no statement.", "git push refs/twohand/*", "17",
         lambda a: last(a.made().post(place(ZEROS, ZEROS), b"approved by bob\n")), "no statement"),
    Case("letter-no-blob", "A commit where a statement would be.", "git push HEAD:refs/twohand/reviews/...", "17", no_blob, "no blob"),
    Case("letter-other-repository", "A statement about another repository.", "git push refs/twohand/*", "17",
         lambda a: last(a.made().approve("bob", repository="example/other")), "speaks of the repository"),
    Case("letter-future", "A statement from next year.", "git push refs/twohand/*", "18",
         lambda a: last(a.made().approve("bob", time="2999-01-01T00:00:00Z")), "in the future"),
    Case("letter-expired-key", "A statement whose key has ended by the policy.", "git push refs/twohand/*", "18", expired_key, "is not valid now"),
    Case("letter-misnamed", "A good statement under another name.", "git push X:refs/twohand/reviews/KEY/OTHER", "17",
         lambda a: copied(a, name=ZEROS), "not that of its content"),
    Case("letter-other-content", "A good statement under another change's content key.", "git push X:refs/twohand/reviews/OTHER/ID", "17",
         lambda a: copied(a, content_key=ZEROS), "not that of its content"),
    Case("letter-odd-name", "A good statement under a name of another form.", "git push X:refs/twohand/reviews/a/b", "17",
         lambda a: a.made().approve("bob").push(f"{a.letters[-1]}:refs/twohand/reviews/a/b"), "its name is not"),
    Case("letter-capitals", "A good statement under its name in capital letters.", "git push X:refs/twohand/reviews/KEY/ID", "17",
         lambda a: a.made().approve("bob").push(f"{a.letters[-1]}:{place(*(part.upper() for part in a.letters[-1].split('/')[-2:]))}"),
         "its name is not"),
    Case("letter-elsewhere", "A good statement beside the place for statements.", "git push X:refs/twohand/reviews-old/...", "40",
         lambda a: a.made().approve("bob").push(f"{a.letters[-1]}:refs/twohand/reviews-old/x"), "nothing but statements"),
    Case("letter-in-the-way", "A ref in the place of a directory, so that no statement can arrive.", "git push X:refs/twohand/reviews/KEY", "40", hidden, "its name is not"),
    Case("letter-deleted", "An objection is deleted.", "git push :refs/twohand/reviews/...", "40", deleted, "never deleted"),
    Case("letter-deleted-with-change", "An objection is deleted in the push that brings the change.", "git push :refs/twohand/... HEAD:main", "34, 40",
         deleted_with_change, "never deleted"),
    Case("letter-overwritten", "An objection is overwritten with an approval.", "git push +X:refs/twohand/reviews/...", "40", overwritten, "never overwritten"),
    Case("letter-mirror", "A mirror push prunes the statements.", "git push --mirror", "40",
         lambda a: a.made().say("object", "bob").sent().do("update-ref", "-d", a.letters[-1]).do("update-ref", "refs/heads/main", "origin/main")
         .push(options=("--mirror",)), "never deleted"),
    Case("letter-one-bad", "A forged statement among good ones, with the change.", "git push HEAD:main refs/twohand/*", "17, 40", one_bad, UNSIGNED),
    Case("letter-as-tag", "The approvals lie under tags.", "git push X:refs/tags/twohand/reviews/...", "40",
         lambda a: a.made().approve("bob").push("HEAD:main", f"{a.letters[0]}:{a.letters[0]}", f"{a.letters[1]}:refs/tags/{a.letters[1]}"),
         "approval.missing"),
    Case("veto-objection", "Somebody objects, somebody else approves.", "twohand object, approve", "34",
         lambda a: objected(a).push("HEAD:main"), "veto"),
    Case("veto-author", "The author objects to their own change.", "twohand object", "26",
         lambda a: a.made().approve("bob").say("object", "alice").push(*ONTO_MAIN), "veto"),
    Case("veto-reworded", "An objection, then another message.", "git commit --amend", "34",
         lambda a: objected(a).amend(message="Other words").push(*ONTO_MAIN), "veto"),
    Case("veto-one-commit", "An objection, then one commit more, approved.", "git commit", "34",
         lambda a: objected(a).commit("more.py").propose("alice").approve("erin").push(*ONTO_MAIN), "veto"),
    Case("veto-one-byte", "An objection that the gate saw, then one byte more, approved.", "git commit --amend", "6, 34",
         lambda a: objected(a).refused().amend("src/cart.py").propose("alice").approve("erin").push(*ONTO_MAIN), "veto"),
    Case("veto-fresh-branch", "The same file on a fresh branch beside another.", "git checkout feature -- FILE", "34",
         lambda a: objected(a).branch("fresh").do("checkout", "-q", "feature", "--", "src/cart.py").commit("more.py").propose("alice")
         .approve("erin").push(*ONTO_MAIN), "veto"),
    Case("veto-other-target", "The same bytes for a release.", "git push HEAD:refs/heads/release/1", "34",
         lambda a: objected(a).propose("alice", onto="release/1").approve("erin", onto="release/1").push("HEAD:refs/heads/release/1", LETTERS), "veto"),
    Case("veto-withdrawn-by-another", "Somebody else takes the objection back.", "twohand withdraw --as erin", "34",
         lambda a: objected(a).say("withdraw", "erin").push(*ONTO_MAIN), "veto"),
    Case("veto-objector-removed", "Who objected is taken out of the policy.", "edit twohand.toml; git rebase", "18, 34", objector_removed, "veto"),
    Case("veto-withdrawn-then-left", "Who objected took it back and left: the objection does not come back.", "twohand withdraw; edit twohand.toml", "34",
         withdrawn_then_left),
    Case("veto-vanished", "Its ref was deleted on the server, past the gate.", "git update-ref -d", "40", vanished, "veto"),
)
# fmt: on
