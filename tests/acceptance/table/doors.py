"""What an attacker would try near the cases of the research texts: policies, the record, and git itself."""

from pathlib import Path

from tests.acceptance.case import ADMITTED, BLOCKED, ESCALATED, PENDING, Case
from tests.acceptance.law import A_PERSON, HAND, agent, law_text, person
from tests.acceptance.names import committing, identity
from tests.acceptance.stage import AUTH, CART, REVIEWS, Stage, Verdict

ANYBODY_BREAKS = 'break_glass = ["erin"]'
DEPENDABOT = "dependabot[bot] <dependabot@services.example.com>"
A_TEAM = HAND.replace('"model", "human"', '"team:security"')


def removed(s: Stage, name: str) -> Stage:
    """Main's policy forgets somebody."""
    return s.on("main").law(people={name: ""}).on("feature")


def elsewhere_without_its_ref(s: Stage) -> Stage:
    """Bob's objection was recorded; its ref goes, and the same bytes come on another branch."""
    s.made().object("bob").seen().do("update-ref", "-d", s.ref).do("branch", "-m", "other")
    return s.amend(message="Other words").propose("alice").approve("erin")


def under_a_floor(s: Stage) -> Verdict:
    """The organisation's policy asks for a person, the repository's for anybody."""
    directory = s.repo.path.parent
    (directory / "floor.toml").write_text(law_text(s.keys.public, requirements=A_PERSON))
    (directory / "settings.toml").write_text(f'[floor]\npolicy = "{directory / "floor.toml"}"\n')
    return s.made().approve("gpt").review(settings=str(directory / "settings.toml"))


def two_policies(s: Stage) -> Stage:
    return s.law(path="pyproject.toml", text="[tool.twohand]\nversion = 1\n").made(propose=False)


def grafted(s: Stage) -> Stage:
    """A graft hides that bob's commit stands between main and the head."""
    s.made().commit(author="bob").commit(author="alice").approve("bob")
    Path(s.repo.path, ".git", "info", "grafts").write_text(f"{s.repo.id('HEAD')} {s.repo.id('main')}\n")
    return s


def odd_names(s: Stage) -> Stage:
    """Paths that are no text, and that look like more than one."""
    s.branch()
    for path in (b"src/\xff.py", b'src/"quoted".py', b"src/two\nlines.py", b"src/tab\there.py", b"-rf"):
        s.repo.write(path, "value = 1\n")
    return s.commit().propose("alice")


def a_bad_author_line(s: Stage) -> Stage:
    """A commit object with a second author line, and one that git would never write."""
    s.branch().commit(author="alice")
    tree, parent = s.git("rev-parse", "HEAD^{tree}", "HEAD").split()
    head = f"tree {tree}\nparent {parent}\nauthor Bob <bob@example.com> 1700000000 +0000\n"
    more = "author Alice <alice@example.com> 1700000000 +0000\ncommitter Alice <alice@example.com> 1700000000 +0000\n\nOdd\n"
    return s.do("reset", "-q", "--hard", s.repo.commit_raw((head + more).encode()))


def beside_a_recorded_commit(s: Stage) -> Stage:
    """Bob takes over a commit that alice is shown to have made, and adds one of his own under her name."""
    s.made(marks="").seen()
    s.branch("bobs", "main").git("cherry-pick", "feature", env=committing("bob"))
    return s.commit("src/evil.py", author="alice").approve("bob")


def taken_over(s: Stage) -> Stage:
    """Alice is shown to have made one commit; bob picks it onto a branch of his."""
    s.made(marks="").seen().main_moves("docs/guide.md").branch("bobs", "main~1").git(
        "cherry-pick", "feature", env=committing("bob")
    )
    return s


def evil_merge(s: Stage) -> Stage:
    return taken_over(s).merge("main", by="alice", also="src/evil.py")


def riding(s: Stage) -> Stage:
    taken_over(s).repo.file(CART).chmod(0o755)
    return s.amend("bob")


def a_second_time(s: Stage) -> Stage:
    """Glass was broken for a change that landed; two days later nobody has looked at it."""
    s.law(waivers=ANYBODY_BREAKS).made().waive("erin", break_glass=True).seen()
    s.on("main").do("merge", "-q", "--no-ff", "-m", "Land", "feature")
    return s.lasts(2 * 86_400).branch("next").commit("docs/guide.md").propose("alice").waive("erin", break_glass=True)


def unmarked(s: Stage) -> Stage:
    """The same patch on a newer main, committed anew by bob without Claude's mark."""
    s.made().seen(opened_by="alice").main_moves("docs/guide.md").branch("fresh").do("cherry-pick", "-n", "feature")
    s.repo.commit("Clean", author=identity("bob"), committer=identity("bob"))
    return s.propose("bob", tool="none")


def keyed(s: Stage, option: str) -> Stage:
    """Alice's key in the policy has an option, as in allowed_signers."""
    return s.law(people={"alice": person("alice", f"{option} {s.keys.public['alice']}")})


def without_its_bytes(s: Stage) -> Stage:
    blob = s.repo.id(s.ref)
    Path(s.repo.path, ".git", "objects", blob[:2], blob[2:]).unlink()
    return s


def damaged(s: Stage, text: str) -> Stage:
    Path(s.repo.path, ".git", s.ref).write_text(text)
    return s


# fmt: off
CASES = (
    Case("near-35", "who objected is removed from the policy", "18, 34",
         lambda s: removed(s.made().approve("erin").object("bob").seen(), "bob").review(), BLOCKED, {"veto"}),
    Case("near-36", "who approved is removed from the policy", "18",
         lambda s: removed(s.made().approve("bob").seen(), "bob").review(), PENDING, {"approval.unsigned"}, counts=set()),
    Case("near-37", "the recorded objection's ref is deleted, and the same bytes come on another branch", "34, 40",
         lambda s: elsewhere_without_its_ref(s).review(), BLOCKED, {"veto"}),
    Case("near-38", "a person and an agent are enrolled with one key: no person's approval", "15, 20",
         lambda s: s.law(requirements=A_PERSON, agents={"gpt": agent("gpt", s.keys.public["bob"])}).made().approve("bob").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-39", "a commit signed by bob and committed as alice", "14",
         lambda s: s.branch().commit(author="alice", sign="bob").propose("alice").approve("erin").review(),
         ESCALATED, {"provenance.conflict"}),
    Case("near-40", "bob commits and signs what is alice's by its author line, and approves it", "13",
         lambda s: s.branch().commit(author="alice", committer="bob", sign="bob").approve("bob").review(opened_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("near-41", "the organisation's floor asks for more than the repository", "36", under_a_floor, PENDING, {"approval.missing"}),
    Case("near-42", "two policies on one branch", "36", lambda s: two_policies(s).review(), BLOCKED, {"policy.invalid"}),
    Case("near-43", "the change brings a policy of its own in pyproject.toml", "29, 36",
         lambda s: s.branch().put("pyproject.toml", "[tool.twohand]\nversion = 1\n").propose("alice").approve("bob").review(),
         ESCALATED, {"policy.self-edit"}),
    Case("near-43b", "the change edits pyproject.toml elsewhere", "36",
         lambda s: s.branch().put("pyproject.toml", "[project]\nname = 'shop'\n").propose("alice").approve("bob").review(),
         ADMITTED, counts={"bob"}),
    Case("near-44", "the branch has no policy: the built-in default, under which nobody is enrolled", "36",
         lambda s: s.do("rm", "-q", "twohand.toml").commit().made(propose=False).review(opened_by="alice"),
         PENDING, {"approval.missing"}),
    Case("near-45", "a graft hides bob's commit", "1, 8", lambda s: grafted(s).review(), BLOCKED, {"self-review.identity"}),
    Case("near-46", "paths that are no text", "2", lambda s: odd_names(s).approve("bob").review(), ADMITTED, counts={"bob"}),
    Case("near-47", "a commit with two author lines: both are authors", "8",
         lambda s: a_bad_author_line(s).approve("bob", "alice").review(opened_by="erin"), BLOCKED, {"self-review.identity"}, counts=set()),
    Case("near-48", "a team is asked for, somebody else approves", "30",
         lambda s: s.law(requirements=A_TEAM).made().approve("bob").review(), PENDING, {"approval.missing"}, counts=set()),
    Case("near-48b", "a team is asked for, and answers", "30",
         lambda s: s.law(requirements=A_TEAM).made().approve("carol").review(), ADMITTED, counts={"carol"}),
    Case("near-49", "an approval below one path that main changed and changed back", "33",
         lambda s: s.made().approve("bob").main_moves(CART).on("main").do("revert", "--no-edit", "HEAD").on("feature").rebase().review(),
         PENDING, {"approval.stale"}, counts=set()),
    Case("near-50", "the owner's approval holds for the path below which nobody moved", "33",
         lambda s: s.made(AUTH, CART).approve("carol").commit(CART).propose("alice").approve("bob").review(),
         ADMITTED, counts={"bob", "carol"}),
    Case("near-51", "a service's key approves", "16, 20",
         lambda s: s.law(more=f"[services.merger]\nkeys = ['{s.keys.public['mallory']}']\n").made().forge("approve", "bob", by="merger", key="mallory").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-52", "two names for one branch of events: an objection on one, the numbered change on the other", "6, 34",
         lambda s: s.made().object("bob").seen(change="7").amend(paths=(CART,)).propose("alice").approve("erin").review(change="7"),
         BLOCKED, {"veto"}),
    Case("near-53", "bob objects, withdraws and objects again within one second", "18, 34",
         lambda s: s.made().approve("erin").object("bob").withdraw("bob").at_once().object("bob", reason="No, I meant it").review(),
         BLOCKED, {"veto"}),
    Case("near-54", "bob puts a commit of his, under alice's name, beside one that alice is shown to have made", "8, 13",
         lambda s: beside_a_recorded_commit(s).review(opened_by="bob", pushed_by="bob"), BLOCKED, {"self-review.identity"}),
    Case("near-55", "glass is broken again while nobody has looked at the first time", "35",
         lambda s: a_second_time(s).review(), PENDING, {"waiver.invalid", "approval.missing"}),
    Case("near-56", "policy asks one more of an approval of the author's family: one is not enough", "24",
         lambda s: s.law(independence='family = "extra"\nmodel = "extra"').made().approve("claude-two").review(), PENDING, {"approval.missing"}),
    Case("near-56b", "and with a second, independent one", "24",
         lambda s: s.law(independence='family = "extra"\nmodel = "extra"').made().approve("claude-two", "gpt").review(), ADMITTED),
    Case("near-57", "a dependency bot's own change, which nobody touched", "9",
         lambda s: s.branch().commit(author=DEPENDABOT).approve("bob").review(opened_by="dependabot", pushed_by="dependabot"),
         ADMITTED, counts={"bob"}),
    Case("near-57b", "alice writes under the bot's name and lets the bot's door open it", "8, 9",
         lambda s: s.branch().commit(author=DEPENDABOT).approve("alice").review(opened_by="dependabot", pushed_by="alice"),
         BLOCKED, {"self-review.identity"}),
    Case("near-58", "alice's agent proposes what an unlinked author line has, alice approves", "9, 23",
         lambda s: s.branch().commit(author="Zed <zed@nowhere.example>").propose("claude-one").approve("alice").review(),
         BLOCKED, {"self-review.operator"}),
    Case("near-59", "a patch comes back on another branch under another name, without its mark", "12",
         lambda s: unmarked(s).approve("claude-two").review(opened_by="bob"), BLOCKED, {"self-review.family"}),
    Case("near-60", "who merges what alice signed for may approve it", "13",
         lambda s: s.made().approve("carol").review(pushed_by="carol"), ADMITTED, counts={"carol"}),
    Case("near-61", "erin opens what has alice's author line alone, and approves", "8, 13",
         lambda s: s.branch().commit(author="alice").approve("erin").review(opened_by="erin"), BLOCKED, {"self-review.identity"}),
    Case("near-61b", "erin opens what alice signed as its author, and approves", "13",
         lambda s: s.branch().commit(sign="alice").approve("erin").review(opened_by="erin"), ADMITTED, counts={"erin"}),
    Case("near-62", "the reviewer made an update merge that git would have made", "5",
         lambda s: s.made().main_moves("docs/guide.md").merge("main", by="erin").propose("alice").approve("erin").review(),
         ADMITTED, counts={"erin"}),
    Case("near-63", "the only owner made what an owner has to answer for", "31",
         lambda s: s.weakened(by="carol").approve("bob", "erin").review(), ESCALATED, {"owner.unresolved"}),
    Case("near-64", "the bytes of an objection are gone", "40",
         lambda s: without_its_bytes(s.made().approve("erin").object("bob")).review(), ESCALATED, {"evidence.incomplete"}),
    Case("near-65", "the ref of an objection is damaged", "40",
         lambda s: damaged(s.made().approve("erin").object("bob"), f"{'0' * 40}\n").review(), ESCALATED, {"evidence.incomplete"}),
    Case("near-65b", "the ref of an objection points nowhere", "40",
         lambda s: damaged(s.made().approve("erin").object("bob"), "ref: refs/heads/nowhere\n").review(), ESCALATED, {"evidence.incomplete"}),
    Case("near-66", "a reviewing agent that nobody operates", "23",
         lambda s: s.law(agents={"gpt": agent("gpt", s.keys.public["gpt"], operator="")}).made().approve("gpt").review(),
         ESCALATED, {"independence.unresolved"}),
    Case("near-67", "a stranger opened it: nobody enrolled answers for it", "9",
         lambda s: s.branch().commit().approve("bob").review(opened_by="github:stranger"),
         ESCALATED, {"provenance.missing", "independence.unresolved"}),
    Case("near-68", "a commit lies where statements lie", "17",
         lambda s: s.made().do("update-ref", f"{REVIEWS}/{'0' * 64}/{'1' * 64}", "HEAD").approve("bob").review(), ADMITTED, counts={"bob"}),
    Case("near-69", "the owner waives an objection that nobody has made yet", "35",
         lambda s: s.made().approve("erin").waive("carol", objection_of="bob").object("bob").review(), BLOCKED, {"veto"}),
    Case("near-69b", "bob objects once more, after the owner waived his first objection", "34, 35",
         lambda s: s.made().approve("erin").object("bob").waive("carol", objection_of="bob").object("bob", reason="And the tax").review(),
         BLOCKED, {"veto"}),
    Case("near-70", "alice's key has expired; a commit signed with it makes nobody answer for it", "9, 18",
         lambda s: keyed(s, 'valid-before="20261001"').branch().commit(sign="alice").approve("bob").review(),
         ESCALATED, {"provenance.missing", "independence.unresolved"}),
    Case("near-70b", "alice's key is for statements alone, and signs a commit", "9, 18",
         lambda s: keyed(s, 'namespaces="twohand"').branch().commit(sign="alice").approve("bob").review(),
         ESCALATED, {"provenance.missing", "independence.unresolved"}),
    Case("near-71", "the author's operator waives the objection", "35",
         lambda s: s.law(waivers='by = ["dave"]').branch().commit(author="claude-two").approve("erin").object("bob")
         .waive("dave", objection_of="bob").review(opened_by="claude-two"), BLOCKED, {"veto", "waiver.invalid"}),
    Case("near-72", "bob objects to one change and withdraws from another", "17, 34",
         lambda s: s.made().approve("erin").object("bob").branch("two").commit("docs/guide.md").propose("alice").withdraw("bob").on("feature")
         .review(), BLOCKED, {"veto"}),
    Case("near-72b", "bob objects to one head and withdraws on the next", "34",
         lambda s: s.made().object("bob").commit().propose("alice").approve("erin").withdraw("bob").review(), ADMITTED, counts={"erin"}),
    Case("near-73", "policy asks for one model by name, another approves", "30",
         lambda s: s.law(requirements=HAND.replace('"model", "human"', '"model:gpt"')).made().approve("qwen").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-74", "main asks for more since the approval", "36",
         lambda s: s.made().approve("gpt").seen().on("main").law(requirements=A_PERSON).on("feature").review(),
         PENDING, {"approval.missing"}, counts=set()),
    Case("near-75", "bob takes over alice's commit, and an edit of his own rides in a merge under her name", "5, 13",
         lambda s: evil_merge(s).approve("bob").review(opened_by="bob", pushed_by="bob"), BLOCKED, {"self-review.identity"}),
    Case("near-76", "bob takes over alice's patch, and an executable bit rides along", "2, 13",
         lambda s: riding(s).approve("bob").review(opened_by="bob", pushed_by="bob"), BLOCKED, {"self-review.identity"}),
    Case("near-77", "bob takes over alice's very content with a commit that says nothing more", "13",
         lambda s: taken_over(s).commit(data=s.repo.file(CART).read_text(), author="alice").approve("bob").review(opened_by="bob", pushed_by="bob"),
         ADMITTED, counts={"bob"}),
)
# fmt: on
