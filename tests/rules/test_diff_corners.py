"""What hides a change from readers of patch text, laid over the examples of every rule: each is found all the same."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from rules.catalogue import all_rules
from rules.findings import Tier
from rules.languages import language_of
from rules.rule import Diff, Rule
from rules.scan import scan

HASH = ("python", "ruby", "yaml", "toml", "shell", "docker")
SLASHES = ("go", "javascript", "typescript", "java", "php", "rust", "c", "cpp", "csharp", "kotlin")
UNREAD = {
    ("binary-or-too-large", ""),
    ("agent-permissions-widened", "could not be read"),
}  # rule, part of its message: what cannot be read is held for that


def _bytes(side: str | bytes | None) -> bytes | None:
    return side.encode() if isinstance(side, str) else side


def _each(diff: Diff, old: Callable[[bytes], bytes], new: Callable[[bytes], bytes]) -> Diff:
    before, after = _bytes(diff.old), _bytes(diff.new)
    return diff._replace(old=None if before is None else old(before), new=None if after is None else new(after))


def _same(data: bytes) -> bytes:
    return data


def _mark(diff: Diff) -> bytes:
    """How a comment begins there; empty where we know none."""
    name = language_of(_path(diff))
    return b"# " if name in HASH else b"// " if name in SLASHES else b""


def _path(diff: Diff) -> bytes:
    return diff.path.encode()


def _tailed(*lines: bytes, old: bool = False, new: bool = False) -> Callable[[Diff], Diff]:
    """Comments behind the sides named, where the file is not empty and its language has comments that we know."""

    def corner(diff: Diff) -> Diff:
        mark = _mark(diff)
        tail = b"".join(mark + line + b"\n" for line in lines)

        def longer(data: bytes) -> bytes:
            return data + (b"" if data.endswith(b"\n") else b"\n") + tail if data and mark else data

        return _each(diff, longer if old else _same, longer if new else _same)

    return corner


def _both(change: Callable[[bytes], bytes]) -> Callable[[Diff], Diff]:
    return lambda diff: _each(diff, change, change)


def _named(change: Callable[[str], str]) -> Callable[[Diff], Diff]:
    """Another name for a file that no rule knows by its whole path."""
    return lambda diff: (
        diff._replace(path=change(diff.path)) if diff.path.startswith(("src/", "app/", "lib/", "web/")) else diff
    )


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


CORNERS: dict[str, Callable[[Diff], Diff]] = {
    "a removed line that begins with --": _tailed(b"x", b"-- x", old=True),
    "an added line that begins with ++": _tailed(b"x", b"++ b/x", new=True),
    "forged file headers": _tailed(b"--- a/other.py", b"+++ b/other.py", b"@@ -1 +1 @@", new=True),
    "a forged diff": _tailed(b"diff --git a/x b/x", b"deleted file mode 100644", new=True),
    "a form feed": _tailed(b"a \x0c b", old=True, new=True),
    "line separators of Unicode": _tailed("a \u2028 b \u0085 c".encode(), old=True, new=True),
    "other separators": _tailed(b"a \x1e b \x0b c", old=True, new=True),
    "a lone carriage return": _tailed(b"x\r-y = 2", new=True),
    "CRLF": _both(_crlf),
    "CRLF on the new side": lambda diff: _each(diff, _same, _crlf),
    "no newline at the end": _both(lambda data: data.rstrip(b"\n")),
    "no newline at the end of the new side": lambda diff: _each(diff, _same, lambda data: data.rstrip(b"\n")),
    "invalid UTF-8": _tailed(b"\xff\xfe\x80", old=True, new=True),
    "a path that looks like two": _named(lambda path: f"x b/{path}"),
    "a path beyond ASCII": _named(lambda path: f"größe/{path}"),
    "a tab in the path": _named(lambda path: f"a\tb/{path}"),
    "a newline in the path": _named(lambda path: f"a\nb/{path}"),
    "an executable bit": lambda diff: diff._replace(new_mode="100755") if diff.new_mode == diff.old_mode else diff,
    "a comment more": _tailed(b"a word about it", new=True),
    "a NUL": _tailed(b"a \x00 b", new=True),
}


def _cases() -> list[object]:
    return list(_each_case())


def _each_case() -> Iterator[object]:
    for rule in all_rules():
        for number, example in enumerate(rule.HOLDS):
            files = (example,) if isinstance(example, Diff) else example
            yield pytest.param(rule, files, id=f"{rule.slug}-{number}")


def _seen(rule: Rule, files: Sequence[Diff]) -> bool:
    """Whether the rule speaks with its tier, or the file is held as one that cannot be read."""
    for found in scan([file.blobs() for file in files]).findings:
        unread = any(found.rule == slug and said in found.message for slug, said in UNREAD)
        if (found.rule == rule.slug and found.tier is rule.tier) or (unread and found.tier is Tier.HOLD):
            return True
    return False


@pytest.mark.parametrize(("rule", "files"), _cases())
def test_every_rule_sees_through_every_corner(rule: Rule, files: Sequence[Diff]) -> None:
    """Patch syntax in content, odd separators, bytes, paths, modes and comments take no finding away; hidden by attributes, too."""
    hidden = Diff(".gitattributes", None, "* -diff binary linguist-generated\n")
    assert _seen(rule, [*files, hidden])
    assert [name for name, corner in CORNERS.items() if not _seen(rule, [corner(file) for file in files])] == []
