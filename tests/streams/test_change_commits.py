"""The commits of a change, merges' own edits, patch ids, and what the target got meanwhile (law 5, 8, 12, 33)."""

from pathlib import Path

import pytest

from streams.sources.change import ReadChange, read_change, resolve_range
from streams.sources.commits import touched_since
from streams.sources.git import Repository
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main with one file of ten lines; feature checked out on top of it."""
    made = Repo(tmp_path / "repo")
    made.write("a.py", "".join(f"line {n}\n" for n in range(10)))
    made.commit("root")
    made.branch("feature")
    return made


def read(repo: Repo, base: str | None = None, head: str = "HEAD") -> ReadChange:
    opened = Repository.open(repo.path)
    return read_change(opened, resolve_range(opened, base=base, head=head, target="main"))


def edit(repo: Repo, line: int, text: str) -> str:
    """Replaces one line of a.py and commits."""
    content = repo.file("a.py").read_text().splitlines(keepends=True)
    content[line] = text + "\n"
    repo.write("a.py", "".join(content))
    return repo.commit(f"line {line}")


def touched(repo: Repo, old: str, new: str) -> frozenset[bytes] | None:
    opened = Repository.open(repo.path)
    return touched_since(opened, repo.id(old), repo.id(new))


def test_commits_of_all_parents_are_read_without_the_targets(repo: Repo) -> None:
    """A side branch's commits belong to the change; what came from the target by a merge does not (law 1, 5)."""
    one = edit(repo, 0, "mine")
    repo.checkout("main")
    edit(repo, 9, "theirs")
    repo.branch("side", "feature")
    repo.write("s", "1\n")
    side = repo.commit("from the second parent", author="Bob <bob@example.com>")
    repo.checkout("feature")
    update, merge = repo.merge("main"), repo.merge("side")
    found = read(repo)
    assert found.commits[0][0] == merge
    assert {commit for commit, _ in found.commits} == {one, side, update, merge}
    assert any(b"author Bob <bob@example.com>" in raw for _, raw in found.commits)


def test_commits_come_raw(repo: Repo) -> None:
    """A NUL in a message, which `git log` stops at, and odd headers are there byte for byte."""
    head = (
        f"tree {repo.id('HEAD^{tree}')}\nparent {repo.id('HEAD')}\n"
        "author A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\nencoding latin-1\n\n"
    ).encode()
    raw = head + b"Subject \xe4\n\0Co-Authored-By: Claude <noreply@anthropic.com>\n"
    commit = repo.commit_raw(raw)
    assert read(repo, head=commit).commits == ((commit, raw),)


def test_a_missing_commit_is_incomplete_evidence(repo: Repo) -> None:
    """History with a hole is told, not skipped (law 1, 40)."""
    lost = edit(repo, 0, "one")
    edit(repo, 1, "two")
    opened = Repository.open(repo.path)
    found = resolve_range(opened, base=None, head=None, target="main")
    (repo.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    assert any("history of the change cannot be read" in text for text in read_change(opened, found).incomplete)


def test_a_huge_commit_is_incomplete_evidence(repo: Repo) -> None:
    """A message of megabytes is not read, and that is said."""
    repo.write("b", "1\n")
    huge = repo.commit("x" * 1_100_000)
    found = read(repo)
    assert (found.commits, found.incomplete) == ((), (f"commit {huge} is over 1 MiB",))


def test_ten_thousand_commits(repo: Repo) -> None:
    """10,000 commits are read, each of them."""
    lines = ["reset refs/heads/many\nfrom refs/heads/main\n"]
    for n in range(10_000):
        message = f"n{n}"
        lines.append(
            f"commit refs/heads/many\ncommitter A <a@x> {1_700_001_000 + n} +0000\ndata {len(message)}\n{message}\n"
        )
        lines.append(f"M 644 inline f\ndata {len(message)}\n{message}\n")
    repo.git("fast-import", "--quiet", stdin="".join(lines).encode())
    found = read(repo, head="many")
    assert len(found.commits) == 10_000
    assert found.commits[0][1].endswith(b"\n\nn9999")
    assert (found.patch_ids, found.incomplete) == ({}, ())


# -- merges -------------------------------------------------------------------------------------------------------------


def test_a_clean_merge_has_no_edits_of_its_own(repo: Repo) -> None:
    """A merge that git makes alike adds nothing, also where both sides changed one file."""
    edit(repo, 0, "mine")
    repo.checkout("main")
    edit(repo, 9, "theirs")
    repo.checkout("feature")
    repo.merge("main")
    assert read(repo).own_edits == frozenset()


@pytest.mark.parametrize("how", ["one more file", "one more line", "a dropped side", "a mode"])
def test_an_evil_merge_has_edits_of_its_own(repo: Repo, how: str) -> None:
    """Whatever a merge holds beyond or short of git's own result is the merger's (law 5)."""
    edit(repo, 0, "mine")
    repo.checkout("main")
    edit(repo, 9, "theirs")
    repo.checkout("feature")
    before = repo.file("a.py").read_bytes()
    repo.merge("main", commit=False)
    if how == "one more file":
        repo.write("b", "evil\n")
    if how == "one more line":
        repo.write("a.py", repo.file("a.py").read_bytes() + b"evil\n")
    if how == "a dropped side":
        repo.write("a.py", before)
    if how == "a mode":
        repo.file("a.py").chmod(0o755)
    merge = repo.commit("evil")
    assert read(repo).own_edits == {merge}


def test_a_conflict_that_somebody_resolved_is_an_edit(repo: Repo) -> None:
    """The resolution is written by the merger."""
    edit(repo, 0, "mine")
    repo.checkout("main")
    theirs = edit(repo, 0, "theirs")
    repo.checkout("feature")
    repo.write("a.py", "both\n")
    repo.git("add", "-A")
    tree = repo.git("write-tree")
    merge = repo.git("commit-tree", tree, "-p", "HEAD", "-p", theirs, "-m", "resolved")
    assert read(repo, head=merge).own_edits == {merge}


def test_merges_are_told_apart(repo: Repo) -> None:
    """One evil merge among clean ones is found, also with paths that look like records."""
    clean = []
    for number in range(3):
        repo.branch(f"side{number}", "main")
        repo.write(f"s{number}", "1\n")
        repo.commit()
        repo.checkout("feature")
        clean.append(repo.merge(f"side{number}"))
    repo.branch("last", "main")
    repo.write("z", "1\n")
    repo.commit()
    repo.checkout("feature")
    repo.merge("last", commit=False)
    repo.write(clean[0], "x\n")
    repo.write(":100644 100644", "x\n")
    evil = repo.commit()
    assert read(repo).own_edits == {evil}


def test_an_octopus_counts_as_edited(repo: Repo) -> None:
    """A merge of three cannot be repeated, so that it hides nothing."""
    for name in ("one", "two"):
        repo.branch(name, "main")
        repo.write(name, "1\n")
        repo.commit()
    repo.checkout("feature")
    repo.write("f", "1\n")
    repo.commit()
    octopus = repo.merge("one", "two")
    found = read(repo)
    assert found.own_edits == {octopus}
    assert {file.path for file in found.files} == {"f", "one", "two"}


def test_an_own_merge_driver_does_not_launder_a_merge(repo: Repo) -> None:
    """Attributes of the change or the working tree do not decide what a clean merge is."""
    repo.write(".gitattributes", "*.py merge=ours\n")
    edit(repo, 0, "mine")
    repo.checkout("main")
    theirs = edit(repo, 9, "theirs")
    repo.checkout("feature")
    repo.git("config", "merge.ours.driver", "true")
    merge = repo.merge(theirs)
    assert "theirs" not in repo.file("a.py").read_text()
    assert read(repo).own_edits == {merge}


# -- patch ids ----------------------------------------------------------------------------------------------------------


def test_a_patch_id_survives_a_rebase_and_a_reworded_message(repo: Repo) -> None:
    """The same change elsewhere has git's own verbatim patch id (law 12)."""
    first = edit(repo, 5, "new")
    found = read(repo).patch_ids[first]
    repo.checkout("main")
    repo.write("b", "1\n")
    repo.commit()
    repo.git("cherry-pick", first, env={"GIT_COMMITTER_NAME": "Carrier"})
    repo.git("commit", "-q", "--amend", "-m", "Other words")
    assert list(read(repo).patch_ids.values()) == [found]
    assert repo.git("patch-id", "--verbatim", stdin=repo.raw("diff-tree", "-p", first)).split()[0] == found


def test_white_space_and_modes_are_part_of_a_patch(repo: Repo) -> None:
    """Verbatim ids tell indentation, the executable bit and the path apart."""
    start = repo.id("HEAD")
    ids = set()
    for path, data, executable in (("x", "a\n", False), ("x", " a\n", False), ("x", "a\n", True), ("y", "a\n", False)):
        repo.branch("try", start)
        repo.write(path, data, executable=executable)
        commit = repo.commit()
        ids.add(read(repo).patch_ids[commit])
    assert len(ids) == 4


def test_a_patch_with_a_nul_has_no_id(repo: Repo) -> None:
    """git's id does not see what follows a NUL in a line, so that such a patch is never taken for another one."""
    ids = []
    for data in (b"a\0safe\n", b"a\0evil\n"):
        repo.branch("try", "main")
        repo.write("b", data)
        ids.append(repo.commit())
    assert (
        repo.git("patch-id", "--verbatim", stdin=repo.raw("diff-tree", "-p", "--text", ids[0])).split()[0]
        == (repo.git("patch-id", "--verbatim", stdin=repo.raw("diff-tree", "-p", "--text", ids[1])).split()[0])
    )
    edit(repo, 3, "next")
    assert set(read(repo).patch_ids) == {repo.id("HEAD")}


def test_every_commit_has_the_id_of_its_own_patch(repo: Repo) -> None:
    """Content that looks like commits and patches moves no id to another commit; empty commits have none."""
    first = edit(repo, 1, "one")
    repo.write("fake", f"{first}\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\ncommit {first}\n")
    second = repo.commit()
    repo.commit("empty")
    third = edit(repo, 2, "three")
    found = read(repo).patch_ids
    expected = {}
    for commit in (first, second, third):
        expected[commit] = repo.git("patch-id", "--verbatim", stdin=repo.raw("diff-tree", "-p", commit)).split()[0]
    assert found == expected


def test_patches_that_are_too_large_have_no_ids(repo: Repo) -> None:
    """More than 64 MiB of patches are not held in memory; the change is read without their ids."""
    repo.write("big", b"0123456789abcde\n" * 4_300_000)
    big = repo.commit()
    found = read(repo)
    assert (found.patch_ids, found.incomplete) == ({}, ())
    assert [commit for commit, _ in found.commits] == [big]
    assert found.files[0].added == 0  # over the limit: not covered, and not counted either


# -- what the target got meanwhile --------------------------------------------------------------------------------------


def test_touched_counts_there_and_back(repo: Repo) -> None:
    """A path that was changed and changed back was touched (law 33)."""
    repo.checkout("main")
    repo.write("b", "1\n")
    repo.commit()
    old = repo.id("HEAD")
    edit(repo, 0, "there")
    edit(repo, 0, "line 0")
    repo.write(b"odd\n\xff", "1\n")
    repo.commit()
    assert repo.git("diff", "--name-only", old, "HEAD", "--", "a.py") == ""
    assert touched(repo, old, "HEAD") == {b"a.py", b"odd\n\xff"}
    assert touched(repo, "HEAD", "HEAD") == frozenset()


def test_touched_names_both_paths_of_a_rename_and_modes(repo: Repo) -> None:
    """A rename touches two paths, a mode its file."""
    repo.write("b", "1\n")
    repo.commit()
    old = repo.id("HEAD")
    repo.git("mv", "a.py", "c.py")
    repo.file("b").chmod(0o755)
    repo.commit()
    assert touched(repo, old, "HEAD") == {b"a.py", b"b", b"c.py"}


def test_touched_by_a_merged_branch_is_what_it_brought(repo: Repo) -> None:
    """A branch that left before the base brings its own paths, not the target's earlier ones."""
    repo.write("side", "1\n")
    repo.commit()
    repo.checkout("main")
    edit(repo, 0, "before")
    old = repo.id("HEAD")
    repo.write("c", "1\n")
    repo.commit()
    repo.merge("feature")
    assert touched(repo, old, "HEAD") == {b"side", b"c"}


def test_touched_by_a_merge_that_takes_the_other_side(repo: Repo) -> None:
    """A merge with the target as second parent that drops the target's lines touches them (law 33)."""
    repo.write("side", "1\n")
    repo.commit()
    repo.checkout("main")
    old = edit(repo, 0, "approved")
    repo.checkout("feature")
    repo.merge("main", options=("-s", "ours"))
    assert touched(repo, old, "feature") == {b"a.py", b"side"}


def test_touched_by_an_evil_merge(repo: Repo) -> None:
    """What only the merge itself changed was touched."""
    repo.write("side", "1\n")
    repo.commit()
    repo.checkout("main")
    old = repo.id("HEAD")
    repo.merge("feature", commit=False)
    repo.write("evil", "1\n")
    repo.commit()
    assert touched(repo, old, "HEAD") == {b"side", b"evil"}


def test_touched_is_unknown_for_another_history(repo: Repo) -> None:
    """Where the old base is no ancestor of the new one, or an object is gone, nothing is known (law 33)."""
    old = repo.id("HEAD")
    one = edit(repo, 0, "one")
    two = edit(repo, 1, "two")
    assert touched(repo, two, one) is None
    tree = repo.id(f"{one}^{{tree}}")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert touched(repo, old, two) is None
    assert touched_since(Repository.open(repo.path), "1" * 40, two) is None


def test_touched_is_unknown_beyond_a_shallow_edge(repo: Repo, tmp_path: Path) -> None:
    """A history that was cut off shows not every commit (law 1, 33)."""
    repo.checkout("main")
    repo.branch("side", "main")
    for text in ("s1", "s2", "s3"):
        repo.write("s", text)
        repo.commit()
    repo.checkout("main")
    repo.write("m", "1\n")
    old = repo.commit()
    repo.merge("side")
    clone = Repo.clone(repo, tmp_path / "clone", "--depth=2")
    assert touched(repo, old, "HEAD") == {b"s"}
    assert touched(clone, old, "HEAD") is None
