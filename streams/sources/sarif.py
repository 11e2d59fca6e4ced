"""What another scanner found, from its SARIF 2.1.0 file: results as findings of this change (law 26: they never approve).

A result on what the change brings weighs what the policy says; one elsewhere in its files is a note; those in other files
are counted in one note. Suppressions are not heard: a waiver belongs to people, who sign it (law 35).
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from rules import paths
from rules.findings import Finding, Tier
from rules.rule import Blobs, visible
from streams.sources.errors import SourceError

LARGEST = 64 << 20  # bytes of a file
MOST_RESULTS = 50_000  # of a file
MOST_FINDINGS = 1_000  # of one tool in one change
MOST_BASES = 8  # that lead to one another
VERSION = "2.1.0"
_REMEDY = "Give the SARIF 2.1.0 file as the scanner wrote it; `--sarif` may be repeated."


class SarifInvalid(SourceError):
    """A file that is no SARIF 2.1.0, or too much of it."""


class Report(NamedTuple):
    """What one tool found in this change. `reviewer` is its name among reviewers: `sarif.semgrep`."""

    reviewer: str
    findings: tuple[Finding, ...]


class Place(NamedTuple):
    """Where a result stands: a path inside the repository, b"" outside; lines from 1, 0 for the whole file."""

    path: bytes
    start: int = 0
    end: int = 0


def read(path: Path, blobs: Sequence[Blobs], *, error: Tier, root: Path | None) -> tuple[Report, ...]:
    """The findings of a file about a change, by tool. `error` is what an error weighs. Errors: SarifInvalid."""
    return reports(_data(path), str(path), blobs, error=error, root=root)


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise SarifInvalid(f"{path} cannot be read: {error.strerror}.", remedy=_REMEDY) from None
    if len(data) > LARGEST:
        raise SarifInvalid(f"{path} is over {LARGEST >> 20} MiB.", remedy="Let the scanner look at less.")
    return data


def reports(data: bytes, name: str, blobs: Sequence[Blobs], *, error: Tier, root: Path | None) -> tuple[Report, ...]:
    """As `read`, of the bytes of a file called `name`."""
    shown = _Shown(blobs, error, root)
    runs = _runs(data, name)
    found: dict[str, list[Finding]] = {}
    try:
        for run in runs:
            found.setdefault(_tool(run), []).extend(shown.findings(run))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as wrong:
        raise SarifInvalid(f"{name} is no SARIF {VERSION}: {_words(wrong)}.", remedy=_REMEDY) from None
    return tuple(Report(tool, tuple(_capped(tool, rows))) for tool, rows in found.items())


def together(found: Iterable[Report]) -> tuple[Report, ...]:
    """One report a tool, of however many files."""
    rows: dict[str, list[Finding]] = {}
    for report in found:
        rows.setdefault(report.reviewer, []).extend(report.findings)
    return tuple(Report(tool, tuple(_capped(tool, many))) for tool, many in rows.items())


def _runs(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SarifInvalid(f"{name} is no JSON: {_words(error)}.", remedy=_REMEDY) from None
    if not isinstance(whole, dict) or whole.get("version") != VERSION:
        version = whole.get("version") if isinstance(whole, dict) else None
        said = f"its version is {json.dumps(version)[:40]}" if version is not None else "it names no version"
        raise SarifInvalid(f"{name} is no SARIF {VERSION}: {said}.", remedy=_REMEDY)
    runs = whole.get("runs")
    if not isinstance(runs, list) or not runs or not all(isinstance(run, dict) for run in runs):
        raise SarifInvalid(f"{name} holds no run: a scanner that did not run found nothing out.", remedy=_REMEDY)
    results = [run.get("results") for run in runs]
    count = sum(len(rows) for rows in results if isinstance(rows, list))
    if count > MOST_RESULTS:
        raise SarifInvalid(
            f"{name} holds {count} results, more than {MOST_RESULTS}.", remedy="Let the scanner look at less."
        )
    return runs


def _words(error: BaseException) -> str:
    return visible(f"{type(error).__name__} {error}".encode())


def _tool(run: Mapping[str, Any]) -> str:
    return f"sarif.{_slug(run['tool']['driver']['name'])}"


def _slug(text: str, most: int = 60) -> str:
    """A name in lower-case letters, digits and hyphens; of a long one its end, which tells most."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    return "-".join(filter(None, plain.split("-")))[-most:].strip("-") or "unnamed"


def _capped(tool: str, rows: Iterable[Finding]) -> Iterator[Finding]:
    """The heaviest first; what is over the limit is said."""
    order = {Tier.BLOCK: 0, Tier.HOLD: 1, Tier.NOTE: 2}
    found = sorted(dict.fromkeys(rows), key=lambda row: (order[row.tier], row.path, row.line, row.rule, row.message))
    yield from found[:MOST_FINDINGS]
    if len(found) > MOST_FINDINGS:
        over, tier = len(found) - MOST_FINDINGS, found[MOST_FINDINGS].tier
        yield Finding(tool, tier, "", "new", 0, f"{over} more findings of this scanner in this change", "")


class _Shown:
    """The change that results are laid upon."""

    def __init__(self, blobs: Sequence[Blobs], error: Tier, root: Path | None) -> None:
        self._files = {paths.unquote(row.file.path): row for row in blobs if row.file.exists_after}
        self._error = error
        self._root = root
        self._spans: dict[bytes, tuple[int, int]] = {}
        self._read: dict[bytes, list[bytes]] = {}

    def findings(self, run: Mapping[str, Any]) -> Iterator[Finding]:
        """One finding a result in a file of the change, one for all others, and one for a run that failed."""
        tool, levels, elsewhere = _tool(run), _levels(run), Counter[bool]()
        if any(each.get("executionSuccessful") is False for each in run.get("invocations") or ()):
            yield Finding(tool, Tier.HOLD, "", "new", 0, "this scanner says of itself that it did not finish", "")
        if run.get("results") is None:
            yield Finding(
                tool, Tier.HOLD, "", "new", 0, "this scanner gives no list of results: it found nothing out", ""
            )
        for result in run.get("results") or ():
            if result.get("baselineState") == "absent":
                continue
            place = self._place(result, run)
            if place.path in self._files:
                yield self._finding(tool, result, levels, place)
            else:
                elsewhere[bool(place.path)] += 1
        if elsewhere:
            said = f"{elsewhere.total()} results of this scanner are in no file of this change"
            outside = f", {elsewhere[False]} of them in no file of this repository" if elsewhere[False] else ""
            yield Finding(tool, Tier.NOTE, "", "new", 0, said + outside, "")

    def _finding(self, tool: str, result: Mapping[str, Any], levels: Mapping[str, str], place: Place) -> Finding:
        rule = str(result.get("ruleId") or (result.get("rule") or {}).get("id") or "unnamed")
        level = result.get("level") or levels.get(rule, "warning")
        failed = result.get("kind", "fail") == "fail"
        heavy = level == "error" and failed and self._is_touched(place)
        row = self._files[place.path]
        text = visible(str(result["message"].get("text") or result["message"].get("id") or rule).encode())
        lines = self._lines(place.path)
        quote = visible(lines[place.start - 1]) if 0 < place.start <= len(lines) else ""
        slug = f"{tool}.{_slug(rule)}"
        return Finding(slug, self._error if heavy else Tier.NOTE, row.file.path, "new", place.start, text, quote)

    def _is_touched(self, place: Place) -> bool:
        """Whether the result lies between the first and the last changed line of its file, or names none of its lines."""
        row = self._files[place.path]
        if place.path not in self._spans:
            self._spans[place.path] = _span(row.old, row.new)
        first, last = self._spans[place.path]
        return place.start == 0 or row.new is None or (place.start <= last and place.end >= first)

    def _lines(self, path: bytes) -> list[bytes]:
        if path not in self._read:
            self._read[path] = (self._files[path].new or b"").split(b"\n")
        return self._read[path]

    # -- places -------------------------------------------------------------------------------------------------------

    def _place(self, result: Mapping[str, Any], run: Mapping[str, Any]) -> Place:
        """The first location that lies in a file; the repository's root counts as no file."""
        for location in result.get("locations") or ():
            physical = location.get("physicalLocation") or {}
            artifact = physical.get("artifactLocation")
            if artifact is not None:
                region = physical.get("region") or {}
                start = _number(region.get("startLine", 0))
                return Place(self._path(artifact, run), start, max(start, _number(region.get("endLine", start))))
        return Place(b"")

    def _path(self, artifact: Mapping[str, Any], run: Mapping[str, Any]) -> bytes:
        index = artifact.get("index", -1)
        if "uri" not in artifact and isinstance(index, int) and index >= 0:
            artifact = run["artifacts"][index]["location"]
        uri, base = str(artifact.get("uri", "")), artifact.get("uriBaseId")
        bases = run.get("originalUriBaseIds") or {}
        for _ in range(MOST_BASES):
            if base is None or _is_absolute(uri):
                break
            above = bases.get(base) or {}
            before = str(above.get("uri", ""))
            if _is_absolute(before) and self._inside(before) is None:
                break  # where the scanner ran is not where we are: what follows counts from the root
            uri, base = before.rstrip("/") + "/" * bool(before) + uri, above.get("uriBaseId")
        inside = self._inside(uri) if _is_absolute(uri) else unquote_to_bytes(uri)
        return _normal(inside) if inside is not None else b""

    def _inside(self, uri: str) -> bytes | None:
        """The path below the working tree of an absolute address; None where it is not below."""
        if self._root is None or not uri.startswith(("file:///", "/")):
            return None
        path = unquote_to_bytes(uri.removeprefix("file://"))
        home = bytes(self._root).rstrip(b"/") + b"/"
        return path[len(home) :] if path.startswith(home) else b"" if path + b"/" == home else None


def _is_absolute(uri: str) -> bool:
    scheme = uri.partition(":")[0]
    return uri.startswith("/") or (":" in uri and "/" not in scheme and scheme.isalnum())


def _normal(path: bytes) -> bytes:
    """Without `.` and `..`; b"" where it leads out of the repository."""
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b".." and not parts:
            return b""
        if part == b"..":
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise ValueError(f"{json.dumps(value)[:40]} is no line number")
    return value


def _levels(run: Mapping[str, Any]) -> dict[str, str]:
    """What each rule of the tool, and of its extensions, weighs where a result does not say."""
    tool = run["tool"]
    rules = [rule for part in (tool["driver"], *(tool.get("extensions") or ())) for rule in part.get("rules") or ()]
    return {rule["id"]: (rule.get("defaultConfiguration") or {}).get("level", "warning") for rule in rules}


def _span(old: bytes | None, new: bytes | None) -> tuple[int, int]:
    """First and last line of the new side that the change lies between, from 1."""
    before, after = (old or b"").split(b"\n"), (new or b"").split(b"\n")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    limit = min(len(before), len(after)) - same
    pairs = zip(reversed(before), reversed(after), strict=False)
    end = min(limit, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return same + 1, max(len(after) - end, same + 1)
