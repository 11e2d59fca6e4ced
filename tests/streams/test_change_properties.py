"""The content key over changes that nobody chose (law 2)."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import paths
from rules.change import FileChange, content_key
from streams.sources.change import check_totals, read_blobs, read_change, resolve_range
from streams.sources.git import Repository
from tests.gitrepo import Repo

COMPONENT = st.binary(min_size=1, max_size=6).filter(
    lambda name: not {0, 0x2F} & set(name) and name not in (b".", b"..") and b"git" not in name.lower()
)
ENTRY = st.tuples(st.sampled_from(["100644", "100755", "120000"]), st.binary(max_size=40))
TREE = st.dictionaries(COMPONENT, ENTRY, max_size=5)
SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def store(repo: Repo, tree: dict[bytes, tuple[str, bytes]]) -> str:
    """A commit whose tree holds just these entries, whatever a file system would say to their names."""
    blobs = {path: repo.git("hash-object", "-w", "--stdin", stdin=data) for path, (_, data) in tree.items()}
    rows = [b"%s blob %s\t%s\0" % (tree[path][0].encode(), blob.encode(), path) for path, blob in blobs.items()]
    return repo.git("commit-tree", repo.git("mktree", "-z", stdin=b"".join(rows)), "-m", "x")


def read(old: dict[bytes, tuple[str, bytes]], new: dict[bytes, tuple[str, bytes]]) -> tuple[FileChange, ...]:
    with tempfile.TemporaryDirectory() as directory:
        repo = Repo(Path(directory) / "r")
        before, after = store(repo, old), store(repo, new)
        repo.git("update-ref", "refs/heads/main", before)
        opened = Repository.open(repo.path)
        found = resolve_range(opened, base=before, head=before, target="main")._replace(head=after)
        change = read_change(opened, found)
        assert change.incomplete == ()
        contents = list(read_blobs(opened, change.files))
        assert check_totals(change.files, contents) == ()
        for each in contents:
            path = paths.unquote(each.file.path)
            assert (each.old, each.new) == (old.get(path, ("", None))[1], new.get(path, ("", None))[1])
        return change.files


@SETTINGS
@given(TREE, TREE)
def test_every_difference_of_two_trees_is_read(
    old: dict[bytes, tuple[str, bytes]], new: dict[bytes, tuple[str, bytes]]
) -> None:
    """Exactly the paths that differ are files of the change, with their modes, contents and balanced line counts."""
    files = read(old, new)
    differing = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    assert {paths.unquote(file.path) for file in files} == differing
    for file in files:
        path = paths.unquote(file.path)
        assert (file.old_mode, file.new_mode) == (old.get(path, ("000000",))[0], new.get(path, ("000000",))[0])


@SETTINGS
@given(TREE, st.data())
def test_the_key_depends_on_all_content_and_on_no_order(
    new: dict[bytes, tuple[str, bytes]], data: st.DataObject
) -> None:
    """Shuffling changes nothing; any other path, mode, blob, repository or target is another key (law 2)."""
    files = list(read({}, new))
    key = content_key("r", "refs/heads/main", files)
    assert content_key("r", "refs/heads/main", data.draw(st.permutations(files))) == key
    others = {content_key("s", "refs/heads/main", files), content_key("r", "refs/heads/other", files)}
    for index, file in enumerate(files):
        for changed in (
            file._replace(new_mode="100755" if file.new_mode == "100644" else "100644"),
            file._replace(new_blob=file.new_blob[::-1] + "0"),
            file._replace(old_mode="160000"),
            file._replace(old_blob="1" * 40),
            file._replace(path=paths.quote(paths.unquote(file.path) + b"+")),
        ):
            others.add(content_key("r", "refs/heads/main", [*files[:index], changed, *files[index + 1 :]]))
        others.add(content_key("r", "refs/heads/main", files[:index] + files[index + 1 :]))
    assert key not in others
    assert len(others) == 2 + 6 * len(files)
