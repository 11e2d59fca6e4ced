"""Figures of real histories for docs/audit.md: `python -m bench.histories MIRROR_DIR [--summary OWNER/NAME@COMMIT]`.

Repositories are git directories at MIRROR_DIR/owner+name/repo; absent ones, and commits that are not there, are said. With
--summary one audit with all rules is printed as the command prints it at 80 columns, without the parts that name people,
paths and commits of somebody else's repository.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from streams.audit import text
from streams.audit.asked import Asked
from streams.audit.engine import Audit
from streams.audit.summary import Folding, Summary
from streams.sources.errors import SourceError
from streams.sources.git import Repository

HISTORIES = (
    "attogram/agents@808ac8b1ed02b12f7efbc58b12df6cfb1be0dd28",
    "charmbracelet/crush@37f36e93824e5c4f892e4a817f7f628e2682fe14",
    "fglock/PerlOnJava@2fc98de8a9e6c4347602f7229fd66495ef24c58d",
    "xhluca/bm25s@d2ed652bc853b3f787f0ea15d2aa20ed6b533098",
    "hmarr/codeowners@HEAD",
    "dominictarr/event-stream@HEAD",
    "oauth2-proxy/oauth2-proxy@HEAD",
    "spring-projects/spring-security@HEAD",
    "ansible/ansible@HEAD",
)
KINDS = ("agent", "mixed", "human", "service", "unknown")
REVIEWS = ("independent", "self", "none", "unknown")


def audit_of(mirrors: Path, name: str, *, rules: bool) -> Audit:
    """Errors: SourceError."""
    place, _, commit = name.partition("@")
    repo = Repository.open(mirrors / place.replace("/", "+") / "repo")
    return Audit(repo, Asked((repo.resolve(commit),), rules=rules, cache=False))


def figures(mirrors: Path) -> None:
    print(f"| repository | commit | commits | {' | '.join(KINDS)} | {' | '.join(REVIEWS)} | unmarked | suspected |")
    print("|" + "---|" * (5 + len(KINDS) + len(REVIEWS)))
    for name in HISTORIES:
        try:
            audit = audit_of(mirrors, name, rules=False)
        except SourceError as error:
            print(f"{name}: {error.message}")
            continue
        counts: Counter[str] = Counter()
        for line in audit.lines():
            row = json.loads(line)
            counts.update(("all", f"kind {row['kind']}", f"review {row['review']}"))
            counts["suspected"] += bool(row["suspected"])
            counts["unmarked"] += row["unmarked"] and not row["suspected"]
        told = [*(counts[f"kind {kind}"] for kind in KINDS), *(counts[f"review {one}"] for one in REVIEWS)]
        cells = [counts["all"], *told, counts["unmarked"], counts["suspected"]]
        print(f"| {name.partition('@')[0]} | `{audit.head[:12]}` | {' | '.join(f'{cell:,}' for cell in cells)} |")


def summary(mirrors: Path, name: str) -> None:
    audit = audit_of(mirrors, name, rules=True)
    folding = Folding()
    for line in audit.lines():
        folding.add(json.loads(line))
    place = name.partition("@")[0]
    whole = folding.summary(partial=False, repository=place, head=audit.head, notices=audit.notices)
    print(text.render(without_names(whole), colour=False, width=80), end="")


def without_names(whole: Summary) -> Summary:
    return whole._replace(
        agents=whole.agents._replace(examples=()),
        weakened=whole.weakened._replace(let_in=(), worst=()),
        looked=whole.looked._replace(foremost=()),
        areas=whole.areas._replace(paths=()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--summary", metavar="OWNER/NAME@COMMIT", default="")
    options: Any = parser.parse_args()
    if options.summary:
        summary(options.mirrors, options.summary)
    else:
        figures(options.mirrors)


if __name__ == "__main__":
    main()
