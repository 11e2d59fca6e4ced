"""The files of a change: what nobody can hide, and whatever a path or a line may hold (law 1-3)."""

from pathlib import Path

import pytest

from rules import paths
from rules.change import FileChange
from streams.sources import change, commits
from streams.sources.change import check_totals, lines, read_blobs, read_change, resolve_range
from streams.sources.git import Repository
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def files(repo: Repo, base: str = "HEAD^") -> tuple[FileChange, ...]:
    """The files of base..HEAD, after the totals were checked against the blobs."""
    opened = Repository.open(repo.path)
    read = read_change(opened, resolve_range(opened, base=base, head="HEAD", target="main"))
    assert read.incomplete == ()
    assert check_totals(read.files, read_blobs(opened, read.files)) == ()
    return read.files


def one_file(repo: Repo, path: str | bytes, old: bytes | None, new: bytes | None) -> FileChange:
    """The only file of a change of `path` from `old` to `new`; None = it is not there."""
    repo.write("other", "stays\n")
    for data in (old, new):
        if data is not None:
            repo.write(path, data)
        elif repo.file(path).exists():
            repo.remove(path)
        repo.commit()
    (file,) = files(repo)
    assert paths.unquote(file.path) == (path.encode() if isinstance(path, str) else path)
    return file


LINES = [
    ("removed -- line", b"a\n-- x\nb\n", b"a\nb\n", 0, 1),
    ("added ++ line", b"a\n", b"a\n++ b/x\n", 1, 0),
    ("forged file header", b"-- a/evil\nx\n", b"++ b/evil\nx\n", 1, 1),
    ("forged diff header", b"a\n", b"a\ndiff --git a/x b/x\nindex 1..2 100644\n", 2, 0),
    ("forged hunk header", b"a\n", b"a\n@@ -1,9 +1,9 @@\n", 1, 0),
    ("form feed", b"a\n", b"a\x0cb\n", 1, 1),
    ("vertical tab", b"a\n", b"a\x0bb\n", 1, 1),
    ("U+2028", b"a\n", "a\u2028b\n".encode(), 1, 1),
    ("U+0085", b"a\n", "a\x85b\n".encode(), 1, 1),
    ("U+001E", b"a\n", b"a\x1eb\n", 1, 1),
    ("lone CR", b"a\n", b"a\nx\r-y = 2\nz\n", 2, 0),
    ("CRLF", b"a\r\n", b"b\r\n", 1, 1),
    ("CRLF to LF", b"a\r\nb\r\n", b"a\nb\n", 2, 2),
    ("newline at the end", b"a\nb", b"a\nb\n", 1, 1),
    ("invalid UTF-8", b"verify=true\n", b"verify\xff=false\n", 1, 1),
    ("NUL in source", b"a\nb\n", b"a\nc\0\nd\n", 2, 1),
    ("NUL on both sides", b"\0\na\n", b"\0\nb\nb\n", 2, 1),
    ("binary replaced", b"\x89PNG\0\0", b"\x89PNG\0\1", 1, 1),
    ("new and empty", None, b"", 0, 0),
    ("new", None, b"a\nb", 2, 0),
    ("new with NUL", None, b"a\0\nb", 2, 0),
    ("deleted", b"a\nb\n", None, 0, 2),
    ("deleted with NUL", b"a\0\nb\n", None, 0, 2),
    ("emptied", b"a\n", b"", 0, 1),
    ("lines swapped with NUL", b"a\nb\0\n", b"b\0\na\na\n", 1, 0),
]


@pytest.mark.parametrize(("old", "new", "added", "removed"), [case[1:] for case in LINES], ids=[c[0] for c in LINES])
def test_lines_are_counted_whatever_they_hold(
    repo: Repo, old: bytes | None, new: bytes | None, added: int, removed: int
) -> None:
    """Text that looks like a patch, odd line ends, NULs and broken text stay inside their file and are counted."""
    file = one_file(repo, "a.py", old, new)
    assert (file.added, file.removed) == (added, removed)
    assert (file.exists_before, file.exists_after) == (old is not None, new is not None)


PATHS = [b"x b/y", b"new\nline", b"t\tab", b'q"uote', b"back\\slash", b"\xff\xfe", "é.py".encode(), b" lead", b"trail "]
PATHS += [b":100644", b"-\t-\tfake", b"e\xcc\x81.py", b"'", b"\x1b[31m", b"a/" * 40 + b"deep"]


@pytest.mark.parametrize("path", PATHS)
def test_any_path_is_one_file(repo: Repo, path: bytes) -> None:
    """Blanks, newlines, quotes, tabs, escapes and bytes that are no UTF-8 are one path each, also deleted."""
    file = one_file(repo, path, b"a\n", b"b\n")
    assert (file.added, file.removed) == (1, 1)
    repo.remove(path)
    repo.commit()
    assert [(paths.unquote(file.path), file.removed) for file in files(repo)] == [(path, 1)]


def test_a_rename_is_two_paths(repo: Repo) -> None:
    """The old path is deleted and the new one added, with the same blob (law 2)."""
    repo.write("auth/x.py", "check()\n")
    repo.commit()
    repo.write("lib/x.py", "check()\n")
    repo.remove("auth/x.py")
    repo.commit()
    old, new = files(repo)
    assert (old.path, old.new_mode, old.removed) == ("auth/x.py", "000000", 1)
    assert (new.path, new.old_mode, new.added) == ("lib/x.py", "000000", 1)
    assert old.old_blob == new.new_blob


def test_a_file_replaced_by_a_link_is_one_change_of_type(repo: Repo) -> None:
    """A type change is one file with both modes."""
    repo.write("x", "a\nb\n")
    repo.commit()
    repo.link("x", "/etc/passwd")
    repo.commit()
    (file,) = files(repo)
    assert (file.old_mode, file.new_mode, file.added, file.removed) == ("100644", "120000", 1, 2)


def test_a_link_to_another_target_is_a_change(repo: Repo) -> None:
    """The target of a symbolic link is its content."""
    repo.link("ok.md", "docs/x")
    repo.commit()
    repo.link("ok.md", "auth/x")
    repo.commit()
    (file,) = files(repo)
    (read,) = read_blobs(Repository.open(repo.path), [file])
    assert (file.old_mode, read.old, read.new) == ("120000", b"docs/x", b"auth/x")


def test_an_executable_bit_is_a_change(repo: Repo) -> None:
    """A mode alone is content (law 2)."""
    repo.write("run", "x\n")
    repo.commit()
    repo.write("run", "x\n", executable=True)
    repo.commit()
    (file,) = files(repo)
    assert (file.old_mode, file.new_mode, file.old_blob == file.new_blob) == ("100644", "100755", True)


def submodule(repo: Repo, commit: str) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    repo.commits += 1
    repo.git("commit", "-q", "--allow-empty", "-m", "Bump")


def test_a_submodule_pointer_cannot_be_ignored(repo: Repo) -> None:
    """`ignore = all` in .gitmodules or the configuration hides no bump, and the pointer has no blob (law 3)."""
    repo.write(".gitmodules", '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tignore = all\n')
    repo.commit()
    submodule(repo, "1" * 40)
    repo.git("config", "submodule.sub.ignore", "all")
    repo.git("config", "diff.ignoreSubmodules", "all")
    submodule(repo, "2" * 40)
    (file,) = files(repo)
    assert (file.path, file.old_mode, file.new_blob) == ("sub", "160000", "2" * 40)
    (read,) = read_blobs(Repository.open(repo.path), [file])
    assert (read.old, read.new, read.why) == (None, None, "submodule")


@pytest.mark.parametrize("place", ["the change itself", "the base", "the working tree", "info/attributes"])
@pytest.mark.parametrize(
    "attributes", ["*.py -diff\n", "*.py binary\n", "* diff=hidden\n", "*.py -text export-ignore\n"]
)
def test_attributes_hide_nothing(repo: Repo, place: str, attributes: str) -> None:
    """An edit under `-diff`, `binary` or an own driver has its lines, wherever the attributes stand."""
    repo.write("a.py", "one\ntwo\n")
    if place == "the base":
        repo.write(".gitattributes", attributes)
    repo.commit()
    repo.write("a.py", "one\n2\n3\n")
    if place == "the change itself":
        repo.write(".gitattributes", attributes)
    repo.commit()
    if place == "the working tree":
        repo.write(".gitattributes", attributes)
    if place == "info/attributes":
        repo.write(".git/info/attributes", attributes)
    repo.git("config", "diff.hidden.binary", "true")
    repo.git("config", "diff.hidden.textconv", "echo same")
    repo.git("config", "diff.hidden.command", "true")
    file = files(repo)[-1]
    assert (file.path, file.added, file.removed) == ("a.py", 2, 1)


HOSTILE = {
    "diff.external": "/bin/true",
    "diff.renames": "copies",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.algorithm": "patience",
    "diff.orderFile": "/nonexistent/order",
    "diff.default.binary": "true",
    "diff.ignoreSubmodules": "all",
    "diff.suppressBlankEmpty": "true",
    "diff.relative": "true",
    "diff.context": "0",
    "diff.interHunkContext": "9",
    "diff.submodule": "log",
    "diff.wsErrorHighlight": "all",
    "diff.colorMoved": "zebra",
    "core.quotePath": "true",
    "core.whitespace": "cr-at-eol,tabwidth=2",
    "core.autocrlf": "true",
    "core.bigFileThreshold": "1",
    "core.attributesFile": "/nonexistent",
    "core.fsmonitor": "/bin/false",
    "core.pager": "/bin/false",
    "core.abbrev": "4",
    "core.bare": "true",
    "color.ui": "always",
    "color.diff": "always",
    "format.pretty": "oneline",
    "log.showSignature": "true",
    "log.showRoot": "false",
    "log.diffMerges": "off",
    "log.decorate": "full",
    "log.follow": "true",
    "notes.displayRef": "refs/notes/*",
    "i18n.logOutputEncoding": "UTF-16",
    "patchid.stable": "false",
}


def test_no_configuration_changes_what_is_read(repo: Repo) -> None:
    """Hostile values of diff, core, color and log settings give the same change to the byte."""
    repo.write("auth/x.py", "check()\n" * 9)
    repo.write("é.py", "a\r\n\n")
    repo.commit()
    repo.branch("work")
    repo.write("lib/x.py", "check()\n" * 9)
    repo.remove("auth/x.py")
    repo.write("é.py", "b\n\n")
    repo.commit()
    repo.checkout("main")
    repo.write("more", "x\n")
    side = repo.commit()
    repo.checkout("work")
    repo.merge(side)
    plain = Repository.open(repo.path)
    found = resolve_range(plain, base=None, head=None, target="main")
    before = read_change(plain, found)
    for key, value in HOSTILE.items():
        repo.git("config", key, value)
    hostile = Repository.open(repo.path)
    assert resolve_range(hostile, base=None, head="work", target="main") == found
    assert read_change(hostile, found) == before
    assert [file.path for file in before.files] == ["auth/x.py", "lib/x.py", "é.py"]


def test_the_environment_changes_nothing(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_EXTERNAL_DIFF, GIT_DIFF_OPTS and configuration by environment run and hide nothing."""
    repo.write("a", "a\n")
    repo.commit()
    repo.write("a", "b\n")
    repo.commit()
    marker = repo.path.parent / "ran"
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {marker}")
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=0")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.external")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {marker}")
    monkeypatch.setenv("GIT_ATTR_SOURCE", "HEAD")
    assert [(file.path, file.added, file.removed) for file in files(repo)] == [("a", 1, 1)]
    assert not marker.exists()


# -- contents -----------------------------------------------------------------------------------------------------------


def test_blobs_over_a_limit_are_not_read(repo: Repo) -> None:
    """One too large, and all beyond the total, say so; the order of the files is kept (law 3)."""
    for name, size in (("a", 50), ("b", 101), ("c", 60), ("d", 1)):
        repo.write(name, b"x" * size)
    repo.commit()
    read = list(read_blobs(Repository.open(repo.path), _all(repo), limit=100, total=100))
    assert [(each.file.path, each.new, each.why) for each in read] == [
        ("a", b"x" * 50, ""),
        ("b", None, "over 9.537e-05 MiB"),
        ("c", None, "over 9.537e-05 MiB in all"),
        ("d", None, "over 9.537e-05 MiB in all"),
    ]


def _all(repo: Repo) -> tuple[FileChange, ...]:
    opened = Repository.open(repo.path)
    return read_change(opened, resolve_range(opened, base=None, head="HEAD", target="main")).files


def test_a_blob_of_200_mb_is_held_by_nobody(repo: Repo) -> None:
    """A huge blob is neither read nor counted, and a 5 MB line is read whole."""
    with (repo.path / "huge").open("wb") as file:
        file.truncate(200_000_000)
    repo.write("line", b"a" * 5_000_000)
    repo.git("-c", "core.compression=1", "add", "huge")
    repo.commit()
    opened = Repository.open(repo.path)
    found = _all(repo)
    read = {each.file.path: each for each in read_blobs(opened, found)}
    assert (read["huge"].new, read["huge"].why, read["huge"].file.added) == (None, "over 8 MiB", 0)
    assert (len(read["line"].new or b""), read["line"].file.added) == (5_000_000, 1)
    assert check_totals(found, read.values()) == ()


def test_totals_that_differ_are_named(repo: Repo) -> None:
    """Lines that git counts and we do not read, or the other way round, make the evidence incomplete."""
    repo.write("a", "1\n2\n3\n")
    repo.write("b", "1\n")
    repo.commit()
    found = _all(repo)
    read = list(read_blobs(Repository.open(repo.path), found))
    assert check_totals(found, read) == ()
    short = [read[0]._replace(new=b"1\n2\n"), read[1]._replace(new=b"1\n\n")]
    assert check_totals(found, short) == ("a", "b")
    assert check_totals(found, [read[0]._replace(new=None, why="over 8 MiB")]) == ()


@pytest.mark.parametrize(
    ("data", "count"), [(None, 0), (b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\r\x0c\x0b", 1)]
)
def test_a_line_ends_at_a_newline_only(data: bytes | None, count: int) -> None:
    """What follows the last newline is a line; no other character ends one."""
    assert lines(data) == count


def loose(repo: Repo, object_id: str) -> Path:
    return repo.path / ".git" / "objects" / object_id[:2] / object_id[2:]


def test_a_missing_blob_makes_the_evidence_incomplete(repo: Repo) -> None:
    """Files are still named, lines are not counted, and the path is told (law 1)."""
    repo.write("a", "1\n")
    repo.write("b", "2\n")
    repo.commit()
    loose(repo, repo.id("HEAD:a")).unlink()
    opened = Repository.open(repo.path)
    found = read_change(opened, resolve_range(opened, base=None, head=None, target="main"))
    assert [file.path for file in found.files] == ["a", "b"]
    assert found.incomplete[1:] == (
        "objects of the change are missing or damaged, so that not all of its lines could be counted",
    )
    assert "a" in check_totals(found.files, read_blobs(opened, found.files))


@pytest.mark.parametrize("lost", ["HEAD^{tree}", "HEAD:d"])
def test_a_missing_tree_makes_the_evidence_incomplete(repo: Repo, lost: str) -> None:
    """Without its trees a change has no files, and says so (law 1, 40)."""
    repo.write("d/a", "1\n")
    repo.commit()
    repo.write("d/a", "2\n")
    repo.commit()
    loose(repo, repo.id(lost)).unlink()
    opened = Repository.open(repo.path)
    found = read_change(opened, resolve_range(opened, base="HEAD^", head=None, target="main"))
    assert found.files == ()
    assert any("cannot be read" in sentence for sentence in found.incomplete)


def test_a_partial_clone_fetches_nothing(repo: Repo, tmp_path: Path) -> None:
    """Blobs that a partial clone left behind are missing evidence, and no network is used for them (law 1)."""
    repo.write("a", "1\n")
    repo.commit()
    repo.write("a", "2\n")
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = Repo.clone(repo, tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    opened = Repository.open(clone.path)
    found = read_change(opened, resolve_range(opened, base="HEAD^", head=None, target="main"))
    assert [file.path for file in found.files] == ["a"]
    assert found.incomplete
    assert [read.why for read in read_blobs(opened, found.files)] == ["missing object"]


def test_lines_that_stall_git_are_counted_by_us(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files made to keep git's diff busy are read all the same, with balanced counts and without patch ids."""
    monkeypatch.setattr(change, "COUNTING", 0.2)
    monkeypatch.setattr(commits, "PATCHING", 0.2)
    for factor, modulus in ((7_919, 40_009), (104_729, 50_021)):
        text = "".join(f"{n * n * factor % modulus % 997}\n" for n in range(200_000))
        for number in range(8):
            repo.write(f"f{number}", text)
        repo.commit()
    opened = Repository.open(repo.path)
    found = read_change(opened, resolve_range(opened, base=None, head=None, target="main"))
    assert (len(found.files), found.patch_ids, found.incomplete[1:]) == (8, {}, ())
    assert all(file.added == file.removed > 0 for file in found.files)
    assert check_totals(found.files, read_blobs(opened, found.files)) == ()


def test_thousands_of_files(repo: Repo) -> None:
    """5,000 files are read with all their contents."""
    blobs = [f"blob\nmark :{n}\ndata <<E\nx{n}\nE\n" for n in range(1, 5_001)]
    entries = [f"M 100644 :{n} d{n % 70}/f{n}.py\n" for n in range(1, 5_001)]
    commit = "commit refs/heads/main\ncommitter A <a@x> 1700000000 +0000\ndata 0\n"
    repo.git("fast-import", "--quiet", stdin="".join([*blobs, commit, *entries]).encode())
    found = _all(repo)
    assert len(found) == 5_000
    read = list(read_blobs(Repository.open(repo.path), found))
    assert sum(len(each.new or b"") for each in read) == sum(len(f"x{n}\n") for n in range(1, 5_001))
    assert check_totals(found, read) == ()


def test_no_process_and_no_file_stays_open(repo: Repo) -> None:
    """Readings that are abandoned leave no pipe behind."""
    repo.write("a", "1\n")
    repo.commit()
    found = _all(repo)
    before = len(list(Path("/proc/self/fd").iterdir()))
    reading = read_blobs(Repository.open(repo.path), found)
    next(reading)
    reading.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
