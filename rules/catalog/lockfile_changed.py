"""What exactly is installed changed, and nobody asked for it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar

from rules import manifests
from rules.findings import Finding, Tier
from rules.lines import Line
from rules.patterns import pattern
from rules.rule import Diff, Edit, Rule, visible

_PLACE = rb"(?:registry\+|sparse\+|git\+)?((?:https?|git|ssh)://(?:[^/@\s\"']{1,100}@)?[\w.-]+)"
_HOST = (
    rb"(?i)(?:\b(?:resolved|tarball|registry|remote|source)[\"']?\s*[:=]?\s*[\"']?\s*"
    + _PLACE
    + rb")|(?:\burl[\"']?\s*[:=]\s*[\"']?"
    + _PLACE
    + rb"[^\s\"']{0,300}(?:\.(?:tgz|gz|zip|whl|crate|git|gem|xz|bz2)|/zipball/)[^\s\"']{0,100})"
)
_INTEGRITY = rb"(?i)(?:integrity|checksum|hash|sha(?:256|512)|h1:|^[\w./-]+ v\S+(?:/go\.mod)? h1:)"
_ENTRY = rb"^[\"']?((?:node_modules/)?@?[\w./-]{1,100})[\"']?\s*:\s*\{|^name = [\"']([\w.-]+)[\"']|^([\w.-]+/[\w./~-]+ v\S+)(?:/go\.mod)? (h1:\S+)"
_PACKAGE = '{\n  "a": {\n    "version": "1.0.0",\n    "resolved": "https://packages.example/a.tgz",\n    "integrity": "sha512-AAAA"\n  }\n}\n'


class LockfileChanged(Rule):
    """What exactly is installed changed, and nobody asked for it.

    ## What it does
    Reads lock files. A package that comes from another host than all packages before, from plain `http:`, and a checksum that changed or went
    away while the version did not, are holds. A lock file that changes without its manifest is a note.

    ## Why it matters
    Nobody reads a lock file, and it decides what is run.

    ## Example
    In a diff of four thousand lines one `resolved` leads to another host, and the checksum fits what lies there.

    ## What to do instead
    Let the package manager write the file again from the manifest, and compare.
    """

    id, slug, tier, since = "TH601", "lockfile-changed", Tier.HOLD, "0.1"
    triggers: ClassVar = ()

    HOLDS: ClassVar = (
        Diff("package-lock.json", _PACKAGE, _PACKAGE.replace("packages.example", "a.example")),
        Diff("package-lock.json", _PACKAGE, _PACKAGE.replace("https:", "http:")),
        Diff("package-lock.json", _PACKAGE, _PACKAGE.replace("sha512-AAAA", "sha512-BBBB")),
        Diff("go.sum", "a.example/x v1.0.0 h1:AAAA=\n", "a.example/x v1.0.0 h1:BBBB=\n"),
    )
    PASSES: ClassVar = (
        Diff("package-lock.json", _PACKAGE, _PACKAGE.replace("1.0.0", "1.0.1").replace("AAAA", "BBBB")),
        (
            Diff("package.json", '{"a": "1"}\n', '{"a": "2"}\n'),
            Diff("package-lock.json", _PACKAGE, _PACKAGE.replace("1.0.0", "2.0.0").replace("AAAA", "BBBB")),
        ),
        Diff("go.sum", "a.example/x v1.0.0 h1:AAAA=\n", "a.example/x v1.0.1 h1:BBBB=\n"),
    )

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Hosts and checksums of the lines that changed; then whether a manifest changed."""
        if not manifests.is_lock(edit.path) or not edit.new.present or not edit.old.present:
            return
        yield from self._hosts(edit)
        yield from self._checksums(edit)
        if not _has_manifest(edit) and edit.changed.added:
            yield self.came(edit, 0, "this lock file changed and no manifest beside it did", tier=Tier.NOTE)

    def _hosts(self, edit: Edit) -> Iterator[Finding]:
        first: dict[bytes, int] = {}
        for line in edit.changed.added:
            for host in _hosts_of(line.text):
                first.setdefault(host, line.number)
        for host in _strange(first, edit.old.lines):
            yield self.came(edit, first[host], f"packages come from `{visible(host)}` now, where none came from before")

    def _checksums(self, edit: Edit) -> Iterator[Finding]:
        lost, won = _sums(edit, edit.changed.removed, new=False), _sums(edit, edit.changed.added, new=True)
        for entry in lost:
            if entry in won and not _is_upgrade(lost[entry].text, won[entry].text):
                message = f"the checksum of `{visible(entry)}` is another one, and its version is not"
                yield self.came(edit, won[entry].number, message)


def _strange(hosts: Iterable[bytes], old: Iterable[bytes]) -> list[bytes]:
    """Those that no old line names, where old lines name any; the old file is read no further than it takes to know all."""
    unknown = dict.fromkeys(hosts)
    named = False
    for line in old if unknown else ():
        for host in _hosts_of(line):
            named = True
            unknown.pop(host, None)
        if not unknown:
            break
    return list(unknown) if named else []


def _hosts_of(line: bytes) -> Iterator[bytes]:
    if b"://" not in line:
        return
    for match in pattern(_HOST).finditer(line[:2000]):
        host = (match.group(1) or match.group(2)).lower()
        yield host.split(b"://")[0] + b"://" + host.split(b"://")[1].rsplit(b"@", 1)[-1]


def _sums(edit: Edit, lines: tuple[Line, ...], *, new: bool) -> dict[bytes, Line]:
    """Name and version of the packages whose checksum stands in these lines, where both are told and told once."""
    side = edit.new if new else edit.old
    found: dict[bytes, Line] = {}
    told: Counter[bytes] = Counter()
    for line in lines:
        if pattern(_INTEGRITY).search(line.text) is None:
            continue
        entry = _entry(side.lines, line.number)
        if entry:
            told[entry] += 1
            found[entry] = line
    return {entry: line for entry, line in found.items() if told[entry] == 1}


def _is_upgrade(old: bytes, new: bytes) -> bool:
    """A package manager that came to a stronger hash of the same content."""
    return (b"sha1-" in old and b"sha512-" in new) or (b"md5" in old.lower() and b"sha256" in new.lower())


def _entry(lines: list[bytes], number: int) -> bytes:
    """Name and version of the package that a line belongs to, from the few lines above it."""
    version = b""
    for at in range(number - 1, max(number - 8, -1), -1):
        text = lines[at].strip()
        match = pattern(_ENTRY).search(text)
        if match is not None:
            if match.group(3):
                return bytes(match.group(3) + (b"/go.mod" if b"/go.mod" in text else b""))
            name = match.group(1) or match.group(2)
            return bytes(name + b" " + version) if version else b""
        if text.startswith((b'"version"', b"version")):
            version = text.split(b":" if b":" in text else b"=", 1)[-1].strip(b" \",'")
    return b""


def _has_manifest(edit: Edit) -> bool:
    wanted = manifests.LOCKS[manifests.base(edit.path)]
    return any(manifests.base(other.path).endswith(wanted) for other in edit.change.edits)
