"""Raw commit objects become values, whatever bytes they hold."""

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rules.commits import NOBODY, Ident, parse

ID = "a" * 40
HEAD = b"tree %s\nparent %s\nparent %s\nauthor Ann Example <ann@example.org> 1700000000 +0100\n" % (
    b"1" * 40,
    b"2" * 40,
    b"3" * 40,
)
COMMITTER = b"committer Ben Example <ben@example.org> 1700000001 -0230\n"
ARMOR = "-----BEGIN SSH SIGNATURE-----\nU1NI\nAAAA\n-----END SSH SIGNATURE-----"
SIGNED = HEAD + COMMITTER + b"gpgsig " + ARMOR.replace("\n", "\n ").encode() + b"\n\nsubject\n\nbody\n"


def test_fields() -> None:
    """Tree, parents, both identities and the message are read as they stand."""
    commit = parse(ID, HEAD + COMMITTER + b"\nsubject\n\nbody\n")
    assert commit.tree == "1" * 40
    assert commit.parents == ("2" * 40, "3" * 40)
    assert commit.author == Ident("Ann Example", "ann@example.org", 1700000000, "+0100")
    assert commit.committer == Ident("Ben Example", "ben@example.org", 1700000001, "-0230")
    assert commit.message == "subject\n\nbody\n"
    assert commit.odd == ()


def test_signature_and_payload() -> None:
    """The payload is the object without its signature header; the armor loses git's indentation."""
    commit = parse(ID, SIGNED)
    assert commit.signature == ARMOR
    assert commit.payload == HEAD + COMMITTER + b"\nsubject\n\nbody\n"


def test_unsigned_payload_is_the_object() -> None:
    """Without a signature the payload is every byte."""
    data = HEAD + COMMITTER + b"\nx\n"
    assert parse(ID, data).payload == data


def test_signature_of_the_other_hash_is_left_out() -> None:
    """`gpgsig-sha256` is no signature of a SHA-1 object, and is not signed by one either."""
    data = HEAD + COMMITTER + b"gpgsig-sha256 other\n armor\n\nx\n"
    assert parse(ID, data).signature == ""
    assert parse(ID, data).payload == HEAD + COMMITTER + b"\nx\n"
    assert parse("a" * 64, data).signature == "other\narmor"


def test_nul_hides_nothing() -> None:
    """What stands after a NUL is part of the message, and the NUL is called odd."""
    commit = parse(ID, HEAD + COMMITTER + b"\nsubject\0\nCo-Authored-By: Claude <noreply@anthropic.com>\n")
    assert "Co-Authored-By" in commit.message
    assert "NUL" in commit.odd[0]


def test_encoding_header_is_honoured() -> None:
    """A message in ISO-8859-1 is read as such, names too."""
    data = HEAD.replace(b"Ann", b"Ren\xe9") + COMMITTER + b"encoding ISO-8859-1\n\ncaf\xe9\n"
    commit = parse(ID, data)
    assert commit.message == "café\n"
    assert commit.author.name == "René Example"


def test_encoding_that_would_hide_ascii_is_refused() -> None:
    """UTF-16, UTF-7 and codecs that are no text are not honoured, and that is said."""
    for name in (b"UTF-16", b"utf-7", b"cp037", b"zlib", b"nonsense", b""):
        commit = parse(ID, HEAD + COMMITTER + b"encoding " + name + b"\n\nplain\n")
        assert commit.message == "plain\n"
        assert "UTF-8" in commit.odd[0]


def test_missing_lines_are_odd() -> None:
    """An object without tree, author and committer gives empty values and says what is missing."""
    commit = parse(ID, b"\n\nmessage")
    assert commit.author == NOBODY
    assert {"no tree line", "no author line", "no committer line"} <= set(commit.odd)


def test_malformed_identity_keeps_what_can_be_read() -> None:
    """A line without time keeps its name and address."""
    commit = parse(ID, b"tree 1\nauthor Ann <ann@example.org>\ncommitter Ann <a@b> 99999999999999999999 +0000\n\nx")
    assert commit.author == Ident("Ann", "ann@example.org", 0, "")
    assert commit.committer.when == 0
    assert {"a malformed author line", "a malformed committer line"} <= set(commit.odd)


def test_large_message() -> None:
    """A message of a megabyte is read whole."""
    assert len(parse(ID, HEAD + COMMITTER + b"\n" + b"x" * (1 << 20)).message) == 1 << 20


def test_real_git(tmp_path: Path) -> None:
    """What git itself writes is read without anything odd."""

    def git(*arguments: str, stdin: bytes = b"") -> bytes:
        fixed = ["-c", "user.name=Ann Example", "-c", "user.email=ann@example.org", "-C", str(tmp_path)]
        return subprocess.run(["git", *fixed, *arguments], input=stdin, stdout=subprocess.PIPE, check=True).stdout

    git("init", "-q")
    tree = git("hash-object", "-w", "-t", "tree", "--stdin").decode().strip()
    name = git("commit-tree", tree, stdin=b"subject\n\nbody\n").decode().strip()
    commit = parse(name, git("cat-file", "commit", name))
    assert (commit.tree, commit.parents, commit.odd) == (tree, (), ())
    assert (commit.author.name, commit.author.email) == ("Ann Example", "ann@example.org")
    assert commit.message == "subject\n\nbody\n"


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    """No object, however broken, raises."""
    assert parse(ID, data).id == ID


@given(st.binary(max_size=200))
def test_no_tail_raises(data: bytes) -> None:
    """Nor does a broken one behind a good beginning."""
    assert parse(ID, HEAD + data).tree == "1" * 40
