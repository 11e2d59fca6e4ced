"""Repositories: what they are, what names mean in them, and what must not steer them."""

from pathlib import Path

import pytest

from streams.sources import errors
from streams.sources.git import Repository
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.write("a.py", "one\n")
    made.commit("Root")
    return made


def test_a_directory_of_a_working_tree_is_its_repository(repo: Repo) -> None:
    """Any directory inside a working tree finds the repository, with absolute places."""
    repo.write("deep/down/x", "x\n")
    found = Repository.open(repo.path / "deep" / "down")
    assert (found.git_dir, found.common_dir, found.work_tree) == (repo.path / ".git", repo.path / ".git", repo.path)
    assert (found.bare, found.object_format, found.is_shallow) == (False, "sha1", False)


def test_a_bare_repository_has_no_work_tree(tmp_path: Path) -> None:
    """A bare repository is its own git directory."""
    found = Repository.open(Repo(tmp_path / "bare.git", bare=True).path)
    assert (found.git_dir, found.bare, found.work_tree) == (tmp_path / "bare.git", True, None)


def test_a_linked_working_tree_shares_its_common_directory(repo: Repo, tmp_path: Path) -> None:
    """A linked working tree has its own git directory and the main one's common directory."""
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    found = Repository.open(tmp_path / "linked")
    assert found.common_dir == repo.path / ".git"
    assert found.git_dir == repo.path / ".git" / "worktrees" / "linked"


def test_a_sha256_repository_has_long_ids(tmp_path: Path) -> None:
    """The object format decides the empty tree and the null id."""
    repo = Repo(tmp_path / "r", init=False)
    repo.git("init", "-q", "--object-format=sha256", "--initial-branch=main")
    repo.write("a", "1\n")
    head = repo.commit()
    found = Repository.open(repo.path)
    assert (found.resolve("HEAD"), len(found.null_id)) == (head, 64)
    assert found.empty_tree == repo.git("hash-object", "-t", "tree", "/dev/null")


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_no_repository_is_an_error_with_a_remedy(tmp_path: Path, name: str) -> None:
    """A directory without a repository, or none at all, is refused with what to do next."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.NotARepository, match="-C") as caught:
        Repository.open(tmp_path / name)
    assert name in caught.value.message


def test_without_git_the_error_says_so(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """No git on the PATH is an error of its own."""
    monkeypatch.setenv("PATH", str(repo.path))
    with pytest.raises(errors.GitMissing, match="Install git"):
        Repository.open(repo.path)


# -- what must not steer us ---------------------------------------------------------------------------------------------


def test_spoofed_git_variables_steer_nothing(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR, index, objects, configuration and namespace of the environment are ignored."""
    other = Repo(tmp_path / "other")
    other.write("evil", "x\n")
    other.commit("Evil")
    spoofed = {
        "GIT_DIR": str(other.path / ".git"),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": str(other.path / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(other.path / ".git" / "objects"),
        "GIT_QUARANTINE_PATH": str(other.path / ".git" / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "init.defaultBranch",
        "GIT_CONFIG_VALUE_0": "evil",
        "GIT_CONFIG_PARAMETERS": "'init.defaultbranch=evil'",
        "GIT_NAMESPACE": "evil",
        "GIT_EXTERNAL_DIFF": "/bin/false",
        "GIT_CEILING_DIRECTORIES": str(repo.path),
    }
    head = repo.id("HEAD")
    for name, value in spoofed.items():
        monkeypatch.setenv(name, value)
    for quarantine in (False, True):
        found = Repository.open(repo.path, quarantine=quarantine)
        assert (found.git_dir, found.resolve("HEAD")) == (repo.path / ".git", head)
        assert found.config("init.defaultBranch") != "evil"
        assert found.refs("refs/") == [(b"refs/heads/main", head)]
        assert found.handle.head.commit.hexsha == head
        assert found.handle.git.rev_parse("--absolute-git-dir") == str(repo.path / ".git")


def test_quarantined_objects_are_read_only_when_asked_for(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """What receive-pack has not yet taken in is visible with `quarantine`, and not without."""
    objects = repo.path / ".git" / "objects"
    incoming = objects / "tmp_objdir-incoming-1"
    incoming.mkdir()
    env = {"GIT_OBJECT_DIRECTORY": str(incoming), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
    new = repo.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "new", env=env)
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(incoming))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    inside = Repository.open(repo.path, quarantine=True)
    assert inside.resolve(new) == new
    assert inside.is_ancestor(repo.id("HEAD"), new)
    with pytest.raises(errors.UnknownRevision):
        Repository.open(repo.path).resolve(new)


def test_replace_refs_and_grafts_are_not_followed(repo: Repo) -> None:
    """A replace ref or a graft does not change which history is read."""
    root = repo.id("HEAD")
    repo.write("a.py", "two\n")
    head = repo.commit("Second")
    orphan = repo.git("commit-tree", "HEAD^{tree}", "-m", "orphan")
    repo.git("replace", head, orphan)
    (repo.path / ".git" / "info" / "grafts").write_text(f"{head}\n")
    found = Repository.open(repo.path)
    assert found.root_commit("HEAD") == root
    assert found.is_ancestor(root, head)


def test_attributes_of_the_working_tree_and_index_are_not_read(repo: Repo) -> None:
    """What is checked out or staged does not change how git reads objects."""
    repo.write(".gitattributes", "* binary\n")
    repo.git("add", ".gitattributes")
    shown = Repository.open(repo.path).run("diff-tree", "--numstat", "-r", "--root", "--no-commit-id", "HEAD").out
    assert shown == b"1\t0\ta.py\n"


def test_objects_of_an_alternate_are_read(repo: Repo, tmp_path: Path) -> None:
    """A clone that borrows its objects reads like any other."""
    clone = Repo(tmp_path / "clone")
    (clone.path / ".git" / "objects" / "info" / "alternates").write_text(str(repo.path / ".git" / "objects") + "\n")
    found = Repository.open(clone.path)
    assert found.tree_blob(repo.id("HEAD"), b"a.py") == b"one\n"


# -- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nothing", "--all", "-x", "", "a\0b", "main..main", "HEAD^{tree}", "ä", "\udcff", "HEAD^2", "a\nb", "@{u}"]
)
def test_what_names_no_commit_is_an_unknown_revision(repo: Repo, name: str) -> None:
    """Options, ranges, trees, NULs and other noise name no commit and never crash."""
    found = Repository.open(repo.path)
    with pytest.raises(errors.UnknownRevision) as caught:
        found.resolve(name)
    assert repr(name) in caught.value.message


def test_a_branch_goes_before_a_tag_of_its_name(repo: Repo) -> None:
    """A tag called `main` does not stand for the branch `main`."""
    old = repo.id("HEAD")
    repo.git("tag", "main", old)
    repo.write("a.py", "two\n")
    new = repo.commit()
    found = Repository.open(repo.path)
    assert (found.resolve("main"), found.resolve("refs/tags/main")) == (new, old)


def test_a_branch_that_looks_like_an_option_resolves(repo: Repo) -> None:
    """A ref whose name starts with a dash is a revision like any other."""
    head = repo.id("HEAD")
    repo.git("update-ref", "refs/heads/-rf", head)
    assert Repository.open(repo.path).resolve("refs/heads/-rf") == head


def test_a_branch_called_like_an_id_does_not_shadow_the_id(repo: Repo) -> None:
    """A full id is that object, whatever a branch is called."""
    old = repo.id("HEAD")
    repo.write("a.py", "two\n")
    new = repo.commit()
    repo.git("update-ref", f"refs/heads/{old}", new)
    found = Repository.open(repo.path)
    assert found.resolve(old) == old


def test_symbolic_refs_are_resolved_to_the_real_branch(repo: Repo) -> None:
    """An alias of a branch is that branch (law 4)."""
    repo.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    found = Repository.open(repo.path)
    assert found.symref("refs/heads/trunk") == "refs/heads/main"
    assert found.symref("refs/heads/main") == ""


def test_annotated_tags_resolve_to_their_commit(repo: Repo) -> None:
    """A tag object is peeled."""
    repo.git("tag", "-a", "-m", "v1", "v1")
    assert Repository.open(repo.path).resolve("v1") == repo.id("HEAD")


def test_an_unborn_branch_is_an_error_of_its_own(tmp_path: Path) -> None:
    """HEAD of a repository without commits says which branch has none yet."""
    found = Repository.open(Repo(tmp_path / "r").path)
    with pytest.raises(errors.UnbornBranch, match="main has no commit yet"):
        found.resolve("HEAD")


# -- the default branch -------------------------------------------------------------------------------------------------


def test_the_default_branch_of_a_bare_repository_is_its_head(tmp_path: Path) -> None:
    """A bare repository's HEAD names the branch, also before its first push."""
    assert Repository.open(Repo(tmp_path / "r", bare=True, branch="trunk").path).default_branch() == "refs/heads/trunk"


def test_the_default_branch_of_a_clone_is_its_origins(repo: Repo, tmp_path: Path) -> None:
    """origin/HEAD decides: by the local branch of that name, else by the remote-tracking one."""
    repo.git("branch", "-m", "main", "develop")
    clone = Repo.clone(repo, tmp_path / "clone")
    clone.git("branch", "main")
    assert Repository.open(clone.path).default_branch() == "refs/heads/develop"
    clone.checkout("main")
    clone.git("branch", "-D", "develop")
    assert Repository.open(clone.path).default_branch() == "refs/remotes/origin/develop"


@pytest.mark.parametrize(
    ("branches", "configured", "expected"),
    [
        (["work", "main", "master"], "", "refs/heads/main"),
        (["work", "master"], "", "refs/heads/master"),
        (["work", "trunk", "main"], "trunk", "refs/heads/trunk"),
        (["work", "main"], "gone", "refs/heads/main"),
        (["work"], "", "refs/heads/work"),
        (["work", "other"], "", None),
    ],
)
def test_without_an_origin_names_decide(
    tmp_path: Path, branches: list[str], configured: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configured name, main, master, then the only branch; of several others none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    repo = Repo(tmp_path / "r", branch=branches[0])
    repo.commit()
    for name in branches[1:]:
        repo.git("branch", name)
    if configured:
        repo.git("config", "init.defaultBranch", configured)
    assert Repository.open(repo.path).default_branch() == expected


# -- refs and objects ---------------------------------------------------------------------------------------------------


def test_refs_are_listed_by_whole_components_as_bytes(repo: Repo) -> None:
    """A prefix matches whole path components, names need not be UTF-8, and patterns mean nothing."""
    head = repo.id("HEAD")
    for name in (b"refs/twohand/reviews/ab/1", b"refs/twohand/reviews/abc/2", b"refs/twohand/reviews/ab/\xff\"'"):
        repo.git("update-ref", name, head)
    found = Repository.open(repo.path)
    assert found.refs("refs/twohand/reviews/ab") == [
        (b"refs/twohand/reviews/ab/1", head),
        (b"refs/twohand/reviews/ab/\xff\"'", head),
    ]
    assert found.refs("refs/twohand/reviews/*") == found.refs("refs/none") == found.refs("--all") == []


def test_a_ref_moves_only_from_where_it_was(repo: Repo) -> None:
    """A new ref must not exist, an old one must be as expected; a blob can hold a statement."""
    found = Repository.open(repo.path)
    one, two = found.write_blob(b"one\r\n"), found.write_blob(b"two")
    name = "refs/twohand/reviews/k/s"
    found.update_ref(name, one, found.null_id)
    for old in (found.null_id, two):
        with pytest.raises(errors.RefMoved, match="was not written"):
            found.update_ref(name, two, old)
    found.update_ref(name, two, one)
    assert found.refs(name) == [(name.encode(), two)]
    assert repo.raw("cat-file", "blob", one) == b"one\r\n"
    with pytest.raises(ValueError, match="no full ref name"):
        found.update_ref("HEAD", two)


@pytest.mark.parametrize(
    "path", [b"a\nb", b'q"uote', b"t\tab", b"\xff\xfe", b"sp ace", b":(glob)*", b"*", b"-x", b"a:b"]
)
def test_files_of_a_commit_are_found_by_any_path(repo: Repo, path: bytes) -> None:
    """Newlines, quotes, bytes that are no UTF-8, magic and wildcards are names like others."""
    repo.write(path, b"data\0\n")
    commit = repo.commit()
    assert Repository.open(repo.path).tree_blob(commit, path) == b"data\0\n"


def test_what_is_no_file_of_a_commit_is_none(repo: Repo) -> None:
    """Directories, absent paths and paths that no tree can hold are None."""
    repo.write("d/x", "x\n")
    commit = repo.commit()
    asked = [b"d", b"none", b"../a.py", b"/etc/passwd", b"", b"d//x", b"./a.py", b"d/x"]
    found = Repository.open(repo.path).tree_blobs(commit, asked)
    assert found == {**dict.fromkeys(asked), b"d/x": b"x\n"}


def test_a_file_that_cannot_be_read_is_never_taken_for_absent(repo: Repo) -> None:
    """A file over the limit, or one whose object is gone, is an error and not None (law 40)."""
    found = Repository.open(repo.path)
    with pytest.raises(errors.TooLarge):
        found.tree_blob("HEAD", b"a.py", limit=3)
    blob = repo.id("HEAD:a.py")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(errors.MissingObject):
        found.tree_blob("HEAD", b"a.py")


def test_merge_bases_are_all_of_them(repo: Repo) -> None:
    """Unrelated histories have none; a criss-cross has two."""
    repo.branch("one")
    repo.write("1", "1\n")
    one = repo.commit()
    repo.branch("two", "main")
    repo.write("2", "2\n")
    two = repo.commit()
    repo.merge(one)
    repo.checkout("one")
    repo.merge(two)
    found = Repository.open(repo.path)
    assert set(found.merge_bases(repo.id("one"), repo.id("two"))) == {one, two}
    orphan = repo.git("commit-tree", "HEAD^{tree}", "-m", "orphan")
    assert found.merge_bases(orphan, one) == ()
    assert not found.is_ancestor(orphan, one)


def test_a_shallow_clone_does_not_know_its_root(repo: Repo, tmp_path: Path) -> None:
    """The edge of a shallow clone is not taken for the first commit (law 2)."""
    root = repo.id("HEAD")
    for text in ("two\n", "three\n"):
        repo.write("a.py", text)
        repo.commit()
    assert Repository.open(repo.path).root_commit("HEAD") == root
    shallow = Repository.open(Repo.clone(repo, tmp_path / "s", "--depth=2").path)
    assert shallow.is_shallow
    assert shallow.shallow_edge() == {repo.id("HEAD^")}
    with pytest.raises(errors.ShallowEdge, match="--unshallow"):
        shallow.root_commit("HEAD")
    with pytest.raises(errors.UnknownRevision, match="--unshallow"):
        shallow.resolve(root)


def test_a_git_that_fails_says_what_it_said(repo: Repo) -> None:
    """An unexpected failure names the command, its exit code and git's words."""
    with pytest.raises(
        errors.GitFailed, match=r"`git cat-file blob HEAD` failed with exit code 128.*bad file"
    ) as caught:
        Repository.open(repo.path).run("cat-file", "blob", "HEAD")
    assert "git fsck" in caught.value.remedy


def test_the_handle_sees_the_same_repository(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitPython reads the same commits, and its commands run without the caller's variables."""
    repo.git("config", "user.name", "Local")
    repo.git("config", "user.email", "local@example.com")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    handle = Repository.open(repo.path).handle
    assert handle.git.var("GIT_AUTHOR_IDENT").startswith("Local <local@example.com>")
    assert [commit.hexsha for commit in handle.iter_commits("main")] == [repo.id("HEAD")]


def test_a_symbolic_ref_that_points_nowhere_is_still_one(repo: Repo) -> None:
    """A push to it would make the branch that it names (law 4)."""
    repo.git("symbolic-ref", "refs/heads/twin", "refs/heads/release/1")
    found = Repository.open(repo.path)
    assert found.symrefs(["refs/heads/twin", "refs/heads/main", "refs/heads/new"]) == {
        "refs/heads/twin": "refs/heads/release/1"
    }


def test_one_reader_answers_as_many_do(repo: Repo) -> None:
    """Refs that were listed once, commands that were begun early and a shared reader change no answer."""
    repo.branch("other")
    alone, shared = Repository.open(repo.path), Repository.open(repo.path)
    names = ["refs/heads", "refs/twohand/reviews"]
    with shared.one_reader():
        shared.begin("rev-parse", "main")
        shared.see(names)
        for found in (alone, shared):
            assert found.first_ref("refs/heads/none", "refs/heads/main") == alone.first_ref("refs/heads/main")
            assert found.exists("refs/heads/other")
            assert not found.exists("refs/heads/none")
        assert shared.refs("refs/heads") == alone.refs("refs/heads")
        assert shared.run("rev-parse", "main").out == alone.run("rev-parse", "main").out
        assert (
            shared.tree_blob("HEAD", b"a.py") == shared.tree_blob("HEAD", b"a.py") == alone.tree_blob("HEAD", b"a.py")
        )
