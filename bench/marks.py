"""How many labelled commits are told right: `python -m bench.marks ROWS.jsonl MIRROR_DIR [--list]`.

A row of type `commit` is an object with `repo` (owner/name), `commit`, `kind`, `tools`, `families`, `sessions`, and of each of
the last three what may be named besides (`tools_also` and so on; `*` is anything). One of type `repository` has `pin`, `commits`,
`marked`, `by_tool` and `with_session`. Repositories are git directories at MIRROR_DIR/owner+name/repo; absent ones are counted.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from streams.audit import engine
from streams.audit.asked import Asked
from streams.sources.git import Repository

MARKED = frozenset(("agent", "mixed"))
Row = dict[str, Any]


class Miss(NamedTuple):
    """One answer that is not the label's."""

    what: str  # marked, false mark, kind, tool, family, session
    label: Row
    said: object


def located(mirrors: Path, name: str) -> Repository | None:
    place = mirrors / name.replace("/", "+") / "repo"
    return Repository.open(place) if place.exists() else None


def agents(row: Row) -> list[Row]:
    return [author for author in row["authors"] if author["kind"] == "agent" or author["tool"]]


def misses(label: Row, row: Row) -> Iterator[Miss]:
    marked = label["kind"] in MARKED
    if marked != (row["kind"] in MARKED):
        yield Miss("marked" if marked else "false mark", label, row["kind"])
        return
    if marked and row["kind"] != label["kind"]:
        yield Miss("kind", label, row["kind"])
    found = agents(row)
    tools = {author["tool"] for author in found if author["tool"]}
    weights = {(author["maker"], author["family"]) for author in found if author["maker"]}
    sessions = {author["session"] for author in found if author["session"]}
    if not told(tools, set(label["tools"]), label["tools_also"]):
        yield Miss("tool", label, sorted(tools))
    stated = {(one["maker"], one["family"]) for one in label["families"]}
    makers = {maker for maker, _ in weights}
    if not stated <= weights or not told(makers, {maker for maker, _ in stated}, label["families_also"]):
        yield Miss("family", label, sorted(weights, key=str))
    if not told(sessions, ids(label["sessions"]), ids(label["sessions_also"])):
        yield Miss("session", label, sorted(sessions))


def told(said: set[str], needed: set[str], also: Iterable[str]) -> bool:
    return needed <= said and ("*" in also or said <= needed | set(also))


def ids(rows: Iterable[Any]) -> set[str]:
    return {row if isinstance(row, str) else f"{row['namespace']}:{row['id']}" for row in rows}


def asked(label: Row, what: str) -> bool:
    """Does the label say anything about it? A commit that no machine made has no tool to be found."""
    if what == "false mark":
        return label["kind"] not in MARKED
    key = {"tool": "tools", "family": "families", "session": "sessions"}.get(what, "kind")
    return label["kind"] in MARKED and bool(label[key])


def commits(labels: Iterable[Row], mirrors: Path) -> tuple[list[Row], list[Miss]]:
    """The labels that could be asked, and what was told otherwise."""
    groups: dict[str, list[Row]] = {}
    for label in labels:
        groups.setdefault(label["repo"], []).append(label)
    could: list[Row] = []
    wrong: list[Miss] = []
    for name, group in groups.items():
        if repo := located(mirrors, name):
            could += group
            rows = engine.run(repo, Asked(ids=[label["commit"] for label in group], rules=False))
            wrong += (miss for label, row in zip(group, rows, strict=True) for miss in misses(label, row))
    return could, wrong


def counted(repo: Repository, pin: str) -> Row:
    """A whole history in the words of a `repository` row."""
    total, marked, tools, sessions = 0, 0, Counter[str](), Counter[str]()
    for row in engine.run(repo, Asked(revisions=(pin,), rules=False)):
        total += 1
        found = agents(row)
        marked += row["kind"] in MARKED
        tools.update({author["tool"] or "(no tool)" for author in found})
        sessions.update({author["session"].partition(":")[0] for author in found if author["session"]})
    return {"commits": total, "marked": marked, "by_tool": dict(tools.most_common()), "with_session": dict(sessions)}


def report(could: list[Row], wrong: list[Miss]) -> None:
    for what in ("marked", "false mark", "kind", "tool", "family", "session"):
        of = sum(asked(label, what) for label in could)
        bad = sum(miss.what == what and asked(miss.label, what) for miss in wrong)
        extra = sum(miss.what == what and not asked(miss.label, what) for miss in wrong)
        more = f", and {extra} named where the label names none" if extra else ""
        print(f"{what:11} {of - bad:4} of {of:4} right{more}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--list", action="store_true", help="name each miss")
    options: Any = parser.parse_args()
    rows = [json.loads(line) for line in options.rows.read_text().splitlines() if line.strip()]
    labels = [row for row in rows if row["type"] == "commit"]
    could, wrong = commits(labels, options.mirrors)
    print(f"{len(could)} of {len(labels)} labelled commits could be asked")
    report(could, wrong)
    for miss in wrong if options.list else ():
        print(f"{miss.what}: {miss.said} for {json.dumps(miss.label)}")
    for row in rows:
        repo = located(options.mirrors, row["repo"]) if row["type"] == "repository" else None
        if repo:
            print(
                f"{row['repo']} label { ({key: row[key] for key in ('commits', 'marked', 'by_tool', 'with_session')}) }"
            )
            print(f"{row['repo']} found {counted(repo, row['pin'])}")


if __name__ == "__main__":
    main()
