"""The range of a change: what it is compared with, and when it cannot be known (law 1, 4)."""

from pathlib import Path

import pytest

from streams.sources import errors
from streams.sources.change import Range, read_change, resolve_range
from streams.sources.git import Repository
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main: root; feature: root - work, checked out."""
    made = Repo(tmp_path / "repo")
    made.write("a", "1\n")
    made.commit("root")
    made.branch("feature")
    made.write("b", "1\n")
    made.commit("work")
    return made


def resolve(repo: Repo, base: str | None = None, head: str | None = None, target: str | None = None) -> Range:
    return resolve_range(Repository.open(repo.path), base=base, head=head, target=target)


def names(repo: Repo, found: Range) -> list[str]:
    return [file.path for file in read_change(Repository.open(repo.path), found).files]


def test_a_branch_is_compared_with_its_merge_base(repo: Repo) -> None:
    """What the target got meanwhile is no part of the change."""
    work = repo.id("HEAD")
    repo.checkout("main")
    repo.write("c", "1\n")
    tip = repo.commit("elsewhere")
    repo.checkout("feature")
    found = resolve(repo)
    assert found == Range("refs/heads/main", tip, repo.id("main^"), work, "refs/heads/feature")
    assert names(repo, found) == ["b"]


def test_a_given_base_counts_from_its_merge_base_with_the_head(repo: Repo) -> None:
    """--base names a revision; the change starts where the head left it."""
    middle = repo.id("HEAD")
    repo.write("c", "1\n")
    repo.commit()
    repo.branch("side", middle)
    repo.write("d", "1\n")
    repo.commit()
    found = resolve(repo, base="side", head="feature")
    assert (found.base, found.notes) == (middle, ())
    assert names(repo, found) == ["c"]


def test_a_head_given_as_an_id_has_no_branch(repo: Repo) -> None:
    """Only a branch names the source (law 6); a detached HEAD has none."""
    assert resolve(repo, head=repo.id("HEAD")).branch == ""
    assert resolve(repo, head="HEAD~0").branch == ""
    repo.git("checkout", "-q", "--detach")
    assert resolve(repo).branch == ""
    repo.git("tag", "v1")
    assert resolve(repo, head="v1").branch == ""


def test_symbolic_names_are_the_real_branches(repo: Repo) -> None:
    """An alias of source or target is the branch itself (law 4)."""
    repo.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/feature")
    found = resolve(repo, head="alias", target="trunk")
    assert (found.target, found.branch) == ("refs/heads/main", "refs/heads/feature")


@pytest.mark.parametrize("target", [None, "main", "refs/heads/main", "origin/main", "refs/remotes/origin/main"])
def test_a_remote_tracking_branch_stands_for_the_target(repo: Repo, tmp_path: Path, target: str | None) -> None:
    """Without a local branch the tip comes from the tracking ref, and the target keeps its own name."""
    repo.checkout("main")
    clone = Repo.clone(repo, tmp_path / "clone")
    clone.git("checkout", "-q", "feature")
    clone.git("branch", "-D", "main")
    found = resolve(clone, target=target)
    assert (found.target, found.target_tip) == ("refs/heads/main", repo.id("main"))
    clone.git("checkout", "-q", "--detach")
    assert resolve(clone, head="origin/feature", target=target).branch == "refs/heads/feature"


def test_a_tag_called_like_the_target_is_not_the_target(repo: Repo) -> None:
    """A pushed tag `main` cannot move what the change is compared with."""
    repo.git("tag", "main", "feature")
    found = resolve(repo, target="main")
    assert (found.target_tip, found.base) == (repo.id("refs/heads/main"), repo.id("refs/heads/main"))
    assert names(repo, found) == ["b"]


def test_a_head_that_the_target_holds_is_read_as_its_last_step(repo: Repo) -> None:
    """On the target itself the last first-parent step is read, with a note and all commits of that step."""
    repo.checkout("main")
    side = repo.id("feature")
    before = repo.id("HEAD")
    merge = repo.merge("feature")
    found = resolve(repo)
    assert (found.base, found.head, found.branch) == (before, merge, "refs/heads/main")
    assert found.incomplete == (f"main already holds {merge[:12]}, and only its last step was read",)
    assert len(found.notes) == 1
    read = read_change(Repository.open(repo.path), found)
    assert [commit for commit, _ in read.commits] == [merge, side]


@pytest.mark.parametrize("head", [None, "HEAD", "main", "main~1"])
def test_what_was_committed_on_the_target_itself_is_compared_with_the_remotes(repo: Repo, head: str | None) -> None:
    """Law 1: the branch that it will land on is the remote's, and that holds none of it yet."""
    repo.checkout("main")
    left = repo.id("HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", left)
    for name in "cd":
        repo.write(name, "1\n")
        repo.commit(name)
    found = resolve(repo, head=head)
    assert (found.target, found.target_tip, found.base) == ("refs/heads/main", left, left)
    assert (found.head, found.incomplete) == (repo.id(head or "HEAD"), ())
    assert "origin/main does not" in found.notes[0]
    assert names(repo, found) == (["c"] if head == "main~1" else ["c", "d"])


def test_a_strange_history_that_was_merged_here_is_told(repo: Repo) -> None:
    """Law 1: the remote's branch shares no history with it, which is evidence that is missing and no crash."""
    repo.checkout("main")
    repo.git("update-ref", "refs/remotes/origin/main", repo.id("HEAD"))
    orphan = repo.git("commit-tree", "feature^{tree}", "-m", "orphan")
    repo.git("merge", "-q", "--allow-unrelated-histories", "-m", "both", orphan)
    assert "share no history" in resolve(repo, head=orphan).incomplete[0]


def test_a_remote_that_holds_the_head_or_went_elsewhere_is_no_base(repo: Repo) -> None:
    """Nothing is left to land where the remote has it; one that is not behind is not what the branch here grew from."""
    repo.checkout("main")
    for tip in (repo.id("HEAD"), repo.id("feature")):
        repo.git("update-ref", "refs/remotes/origin/main", tip)
        found = resolve(repo)
        assert found.incomplete == (f"main already holds {found.head[:12]}, and only its last step was read",)


def test_a_root_commit_is_read_from_the_empty_tree(repo: Repo) -> None:
    """The first commit of all adds its files."""
    repo.checkout("main")
    found = resolve(repo)
    assert found.base == Repository.open(repo.path).empty_tree
    read = read_change(Repository.open(repo.path), found)
    assert ([file.path for file in read.files], [commit for commit, _ in read.commits]) == (["a"], [found.head])


def test_an_empty_range_is_empty(repo: Repo) -> None:
    """An explicit range without commits has no files, and is no error."""
    found = resolve(repo, base="main", head="main")
    read = read_change(Repository.open(repo.path), found)
    assert (found.base, found.notes, read.files, read.commits, read.incomplete) == (found.head, (), (), (), ())


def test_base_that_is_not_on_the_target_leaves_something_out(repo: Repo) -> None:
    """Law 1: whoever begins in the middle of a branch does not judge its beginning, and the range says so."""
    found = resolve(repo, base="feature", head="feature")
    assert "what lies before it is not judged" in " ".join(found.incomplete)


# -- what makes it uncertain --------------------------------------------------------------------------------------------


def test_several_merge_bases_are_incomplete_evidence(repo: Repo) -> None:
    """A criss-cross has more than one base, and says so (law 1)."""
    one, two = repo.id("main"), repo.id("feature")
    repo.checkout("main")
    repo.write("c", "1\n")
    one = repo.commit()
    repo.merge(two)
    repo.checkout("feature")
    repo.merge(one)
    repo.write("d", "1\n")
    repo.commit()
    found = resolve(repo)
    assert found.base in (one, two)
    (sentence,) = found.incomplete
    assert sentence.startswith("there are 2 merge bases: ")
    assert one in sentence
    assert two in sentence
    assert read_change(Repository.open(repo.path), found).incomplete == found.incomplete


def test_unrelated_histories_are_incomplete_evidence(repo: Repo) -> None:
    """Without a common ancestor everything is new, and the range says why (law 1)."""
    orphan = repo.git("commit-tree", "HEAD^{tree}", "-m", "orphan")
    found = resolve(repo, head=orphan)
    assert found.base == Repository.open(repo.path).empty_tree
    assert found.incomplete == (f"the head and {repo.id('main')[:12]} share no history",)
    assert names(repo, found) == ["a", "b"]


def test_the_edge_of_a_shallow_clone_is_incomplete_evidence(repo: Repo, tmp_path: Path) -> None:
    """History that is cut off between base and head is told, and only there (law 1)."""
    for number in range(3):
        repo.write("b", f"{number}\n")
        repo.commit()
    clone = Repo.clone(repo, tmp_path / "clone", "--depth=2", "--no-single-branch", "--branch=feature")
    cut = resolve(clone, target="main")
    assert "cut off by a shallow clone" in " ".join(cut.incomplete)
    assert "shallow" not in " ".join(resolve(clone, base="HEAD^", target="main").incomplete)
    edge = resolve(clone, head="HEAD^", base="HEAD^", target="main")
    assert edge.base == edge.head
    assert "shallow" not in " ".join(edge.incomplete)


def test_the_last_step_of_a_shallow_edge_is_incomplete_evidence(repo: Repo, tmp_path: Path) -> None:
    """A depth of one shows no parents: the whole tree looks new, and the range says why (law 1)."""
    repo.checkout("main")
    repo.write("a", "2\n")
    repo.commit()
    found = resolve(Repo.clone(repo, tmp_path / "clone", "--depth=1"))
    assert found.incomplete[1:] == ("the parents of the head are cut off by a shallow clone",)


def test_a_named_head_that_the_target_holds_is_an_empty_change(repo: Repo) -> None:
    """Law 1, 4: between the merge base and it lies nothing."""
    found = resolve(repo, head="main")
    assert (found.base, found.incomplete) == (found.head, ())


# -- what is refused ----------------------------------------------------------------------------------------------------


def test_a_repository_without_commits_is_refused(tmp_path: Path) -> None:
    """An unborn branch is an error with a remedy."""
    with pytest.raises(errors.UnbornBranch, match="Commit something first"):
        resolve(Repo(tmp_path / "r"))


def test_an_unborn_head_is_not_its_remote_branch(repo: Repo, tmp_path: Path) -> None:
    """A fetched branch does not stand for a branch of that name without commits."""
    fresh = Repo(tmp_path / "fresh")
    fresh.git("fetch", "-q", f"file://{repo.path}", "main:refs/remotes/origin/main")
    with pytest.raises(errors.UnbornBranch):
        resolve(fresh)


def test_a_tag_is_a_head_and_a_target_by_its_commit(repo: Repo) -> None:
    """Annotated tags are peeled; a full ref outside the branches may be a target."""
    repo.git("tag", "-a", "-m", "v1", "v1", "feature")
    repo.git("tag", "-a", "-m", "v0", "v0", "main")
    found = resolve(repo, head="refs/tags/v1", target="refs/tags/v0")
    assert (found.head, found.branch) == (repo.id("feature"), "")
    assert (found.target, found.target_tip) == ("refs/tags/v0", repo.id("main"))


def test_an_unborn_target_is_refused(repo: Repo) -> None:
    """HEAD's own branch without commits cannot be landed on."""
    repo.git("symbolic-ref", "HEAD", "refs/heads/new")
    with pytest.raises(errors.UnbornBranch, match="refs/heads/new"):
        resolve(repo, head="feature", target="refs/heads/new")


@pytest.mark.parametrize("target", ["nowhere", "refs/heads/nowhere", "--all", "HEAD~1", "a\0b", "ä\n"])
def test_an_unknown_target_is_refused(repo: Repo, target: str) -> None:
    """What names no branch is no target."""
    with pytest.raises(errors.NoTarget, match="--target"):
        resolve(repo, target=target)


def test_a_target_given_as_an_id_is_refused(repo: Repo) -> None:
    """A target is a branch, since keys are bound to its name (law 2)."""
    with pytest.raises(errors.NoTarget):
        resolve(repo, target=repo.id("main"))


def test_without_a_default_branch_a_target_is_asked_for(repo: Repo) -> None:
    """Two branches of arbitrary names show no default."""
    repo.git("branch", "-m", "main", "one")
    with pytest.raises(errors.NoTarget, match="Name the branch"):
        resolve(repo)
    assert resolve(repo, target="one").target == "refs/heads/one"


@pytest.mark.parametrize("which", ["base", "head"])
def test_an_unknown_revision_is_refused(repo: Repo, which: str) -> None:
    """A base or head that names nothing is an error that names it."""
    with pytest.raises(errors.UnknownRevision, match="'typo'"):
        resolve(repo, **{which: "typo"})
