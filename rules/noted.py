"""A decision as a git note beside the commit that landed it, for other tools: `refs/notes/twohand`, `twohand.note/v1`.

Whoever may push the ref can write such a note, so that reading one is reading a claim of grade D (law 10).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rules.canonical import canonical
from rules.loose import items, mapping, read, text_of

REF = "refs/notes/twohand"
SCHEMA = "twohand.note/v1"
DEPENDENT = "not independent"  # the stamp of a decision that rests on a hand of its own
MADE = ("kind", "tool", "model", "maker", "family")
_MOST = 50  # reviewers of one note that are read


class Note(NamedTuple):
    """What a note says. `reviewers` are the names that counted."""

    outcome: str
    content_key: str
    target: str
    decided_at: str
    reviewers: tuple[str, ...]
    stamps: tuple[str, ...]


def of_decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    """The note of a `twohand.decision/v1`: what other tools need, and no name or address of an author."""
    change = decision["change"]
    return {
        "schema": SCHEMA,
        "outcome": decision["outcome"],
        **{name: change[name] for name in ("repository", "target", "base", "head", "content_key")},
        "change": change["id"],
        "policy": [{"role": law["role"], "digest": law["digest"]} for law in decision["policy"]],
        "authors": _unique([{name: author[name] for name in MADE} for author in decision["authors"]]),
        "reviewers": [{"name": one["reviewer"], "kind": one["kind"]} for one in counting(decision)],
        "stamps": list(decision["stamps"]),
        "decided_at": decision["decided_at"],
    }


def counting(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The approvals of a decision that counted."""
    return [one for one in decision["reviews"] if one["counts"] and one["verdict"] == "approve"]


def _unique(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({canonical(row): row for row in rows}.values())


def written(record: Mapping[str, Any]) -> bytes:
    """The note's bytes: one line of canonical JSON."""
    return canonical(record) + b"\n"


def parse(data: bytes) -> Note | None:
    """The note, or None where it is none of ours; takes any bytes."""
    problems: list[str] = []
    row = read(data.decode("utf-8", "replace"), problems)
    if row.get("schema") != SCHEMA:
        return None
    reviewers = (mapping(one, "a reviewer", problems) for one in items(row.get("reviewers"), "reviewers", problems))
    names = tuple(name for one in list(reviewers)[:_MOST] if (name := text_of(one.get("name"))))
    stamps = tuple(map(text_of, items(row.get("stamps"), "stamps", problems)))
    outcome, key, target, at = (text_of(row.get(name)) for name in ("outcome", "content_key", "target", "decided_at"))
    return Note(outcome, key, target, at, names, stamps)


def is_dependent(stamps: Sequence[str]) -> bool:
    """Is a decision stamped to rest on nobody but its own hands?"""
    return DEPENDENT in stamps
