"""gates 2.2: ways around two open gates that our study reproduced."""

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.law import A_PERSON
from tests.acceptance.stage import CLAUDE, Stage
from tests.acceptance.table.content import edited_beside_the_original
from tests.acceptance.table.hands import WEB_FLOW

TWO_PEOPLE = A_PERSON.replace("from", 'when = { author = ["agent", "mixed"] }\napprovals = 2\nfrom')
ONE_PERSON = A_PERSON.replace("from", 'when = { author = "human" }\nfrom').replace("independent", "other")
CURSOR = "Cursor Agent <cursoragent@cursor.com>"
UNLINKED = "Robert <rob@home.example>"


def own_merge(s: Stage) -> Stage:
    """Bob merges a branch with a commit of his into alice's branch; his commit is on the second parent."""
    s.branch("bobs").commit("src/price.py", author="bob")
    return s.branch().commit(author="alice").merge("bobs", by="bob")


def strict(s: Stage) -> Stage:
    """Two people for what agents made, one for what people made."""
    return s.law(requirements=TWO_PEOPLE + ONE_PERSON)


# fmt: off
CASES = (
    Case("bypass-1", "bob's commit enters through the second parent of a local merge, bob approves", "1, 8",
         lambda s: own_merge(s).approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("bypass-2", "part of the history is missing, where bob's commit may be", "1, 40",
         lambda s: s.made().commit(author="bob").commit(author="alice").approve("bob", "erin").shallow().review(),
         ESCALATED, {"evidence.incomplete"},
         differs="39: incomplete evidence is escalated"),
    Case("bypass-3", "words of approval in a statement that is none", "17",
         lambda s: s.made().withdraw("bob", reason="> :+1: please do not :+1: this yet").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("bypass-4", "a clean approval, then a second one that somebody edits", "17",
         lambda s: s.made().approve("bob").approve("bob", reason="Again").tamper(b"Again", b"Twice").review(),
         ADMITTED, counts={"bob"}),
    Case("bypass-5", "bob's commits under an address nobody knows, bob approves, nobody answers for them", "9",
         lambda s: s.branch().commit(author=UNLINKED).approve("bob").review(),
         ESCALATED, {"provenance.missing", "independence.unresolved"}),
    Case("bypass-5b", "the same, and alice answers for them", "10",
         lambda s: s.branch().commit(author=UNLINKED).approve("bob").review(opened_by="alice"),
         ADMITTED, counts={"bob"},
         differs="10: behind an accountable principal an author nobody enrolled is a distinct, named stranger"),
    Case("bypass-6", "bob vetoes, the author answers with approval", "26, 34",
         lambda s: s.made().object("bob").approve("alice", "erin").review(),
         BLOCKED, {"veto"}),
    Case("bypass-7", "bob approves, later he objects", "34",
         lambda s: s.made().approve("bob", "erin").object("bob").review(),
         BLOCKED, {"veto"}),
    Case("bypass-8", "an agent's commit, rebased by a person: two people are asked for", "8, 39",
         lambda s: strict(s).branch().commit(author="Claude <noreply@anthropic.com>", committer="alice").approve("bob")
         .review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("bypass-9", "a person's commit with an agent as co-author", "8, 39",
         lambda s: strict(s).branch().commit(marks=CLAUDE).approve("bob").review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("bypass-10", "the forge committed what an agent wrote", "8, 16",
         lambda s: strict(s).branch().commit(author="Claude <noreply@anthropic.com>", committer=WEB_FLOW).approve("bob")
         .review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("bypass-11", "an agent that is on nobody's list", "8, 39",
         lambda s: strict(s).branch().commit(author=CURSOR, committer="alice").approve("bob").review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("bypass-11b", "an agent that nobody has ever heard of", "8, 39",
         lambda s: strict(s).branch().commit(marks="Assisted-by: Zorblax-Agent:zorblax-9").approve("bob").review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("bypass-12", "the approval was of an old head", "33",
         lambda s: s.made().approve("bob").amend(paths=("src/cart.py",)).propose("alice").review(),
         PENDING, {"approval.stale"}, counts=set()),
    Case("bypass-13", "two approvals of bob's, the newer is withdrawn: the older does not count again", "34",
         lambda s: s.made().approve("bob").approve("bob", reason="Again").withdraw("bob").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("bypass-14", "somebody edits an approval; the untouched one beside it still counts", "17",
         lambda s: edited_beside_the_original(s).review(),
         ADMITTED, counts={"bob"}),
)
# fmt: on
