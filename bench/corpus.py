"""Measures the rules on labelled commits: `python -m bench.corpus ROWS.jsonl MIRROR_DIR [--list held|missed] [--without RULE]`.

A row is an object with `repo` (owner/name), `commit`, `kind` and perhaps `shape`, `use`. Repositories are bare or work-tree git
directories at MIRROR_DIR/owner+name/repo; absent ones are skipped and counted. A `security-fix` is asked in reverse.
"""

import argparse
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from rules import paths
from rules.change import ABSENT, SUBMODULE, FileChange
from rules.findings import Finding, Tier
from rules.scan import Blobs, scan

WEIGHS = {Tier.HOLD, Tier.BLOCK}


class Answer(NamedTuple):
    row: dict[str, str]
    findings: tuple[Finding, ...]

    def tiers(self, without: frozenset[str]) -> set[Tier]:
        return {finding.tier for finding in self.findings if finding.rule not in without}


class Objects:
    """One repository's blobs through one `git cat-file --batch`."""

    def __init__(self, directory: Path) -> None:
        self.git = ("git", "-C", str(directory))
        self._process = subprocess.Popen(
            [*self.git, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def blob(self, object_id: str) -> bytes:
        source: IO[bytes] = self._process.stdout
        self._process.stdin.write(object_id.encode() + b"\n")
        self._process.stdin.flush()
        head = source.readline().split()
        if len(head) != 3:
            raise LookupError(object_id)
        size = int(head[2])
        data = source.read(size)
        source.read(1)
        return data

    def change(self, old: str, new: str) -> list[Blobs]:
        raw = subprocess.run(
            [*self.git, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new],
            capture_output=True,
            check=True,
        ).stdout
        fields = raw.split(b"\0")[:-1]
        return [self._blobs(meta.decode(), path) for meta, path in zip(fields[::2], fields[1::2], strict=True)]

    def _blobs(self, meta: str, path: bytes) -> Blobs:
        old_mode, new_mode, old_blob, new_blob, _ = meta.lstrip(":").split()
        file = FileChange(paths.quote(path), old_mode, old_blob, new_mode, new_blob, 0, 0)
        return Blobs(file, self._side(old_mode, old_blob), self._side(new_mode, new_blob))

    def _side(self, mode: str, object_id: str) -> bytes | None:
        return None if mode in (ABSENT, SUBMODULE) else self.blob(object_id)


def changes(rows: Sequence[dict[str, Any]], mirrors: Path) -> Iterator[tuple[dict[str, Any], list[Blobs]]]:
    """Every row whose repository and objects are there, by repository, with the files that it changed."""
    by_repository = defaultdict(list)
    for row in rows:
        by_repository[row["repo"]].append(row)
    for name, group in sorted(by_repository.items()):
        directory = mirrors / name.replace("/", "+", 1) / "repo"
        if not directory.exists():
            continue
        objects = Objects(directory)
        for row in group:
            ends = (f"{row['commit']}^1", row["commit"])
            old, new = reversed(ends) if row["kind"] == "security-fix" else ends
            try:
                yield row, objects.change(old, new)
            except (LookupError, subprocess.CalledProcessError):
                continue  # a snapshot may lack its largest objects, a first commit has no parent
        objects.close()


def answers(rows: list[dict[str, str]], mirrors: Path) -> Iterator[Answer]:
    yield from (Answer(row, scan(blobs).findings) for row, blobs in changes(rows, mirrors))


def report(found: list[Answer], without: frozenset[str]) -> None:
    kinds = defaultdict(list)
    for answer in found:
        kinds[answer.row["kind"]].append(answer)
    for kind, group in sorted(kinds.items()):
        held = sum(bool(WEIGHS & answer.tiers(without)) for answer in group)
        blocked = sum(Tier.BLOCK in answer.tiers(without) for answer in group)
        print(
            f"{kind:13} rows {len(group):4}  held {held:4} = {held / len(group):6.1%}  blocked {blocked:3} = {blocked / len(group):6.1%}"
        )
        print("   " + ", ".join(f"{rule} {count}" for rule, count in by_rule(group, without)))


def by_rule(group: list[Answer], without: frozenset[str]) -> list[tuple[str, int]]:
    weighing = ({f.rule for f in answer.findings if f.tier in WEIGHS} - without for answer in group)
    return Counter(rule for rules in weighing for rule in rules).most_common()


def shapes(found: list[Answer], without: frozenset[str]) -> None:
    counts: dict[str, list[bool]] = defaultdict(list)
    for answer in found:
        if answer.row["kind"] == "security-fix":
            counts[answer.row.get("shape", "")].append(bool(WEIGHS & answer.tiers(without)))
    print("by shape: " + ", ".join(f"{shape} {sum(held)}/{len(held)}" for shape, held in sorted(counts.items())))


def listing(found: list[Answer], want: str, without: frozenset[str]) -> None:
    for answer in found:
        weak = answer.row["kind"] in ("security-fix", "attack")
        held = bool(WEIGHS & answer.tiers(without))
        if want == "missed" and weak and not held:
            print("MISSED", json.dumps(answer.row))
        if want == "held" and not weak and held:
            print("HELD", answer.row["repo"], answer.row["commit"], answer.row.get("use", ""))
            for finding in answer.findings:
                if finding.tier in WEIGHS and finding.rule not in without:
                    print(
                        f"    {finding.tier} {finding.rule} {finding.path}:{finding.line} {finding.message}\n        {finding.quote}"
                    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--list", choices=("held", "missed"), default="")
    parser.add_argument("--without", action="append", default=[], metavar="RULE")
    options: Any = parser.parse_args()
    rows = [json.loads(line) for line in options.rows.read_text().splitlines() if line.strip()]
    found = list(answers(rows, options.mirrors))
    without = frozenset(options.without)
    listing(found, options.list, without)
    print(f"{len(found)} of {len(rows)} rows could be asked")
    report(found, without)
    shapes(found, without)
    if not without:
        print("without the rule that reads tests, which a reversed fix trips by taking its tests back:")
        report(found, frozenset({"test-weakened"}))


if __name__ == "__main__":
    main()
