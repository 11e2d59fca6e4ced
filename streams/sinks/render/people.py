"""Who made a change and who spoke about it, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.sinks.render.safe import columns, shown
from streams.sinks.render.sheet import GLUE, Sheet

Row = Mapping[str, Any]
SOURCE, OWN_LOOK = "source", "the source's own look"  # a reviewer, and what people are told of it
NAME = 32  # the widest column of names
MARGIN = 14  # columns around a name that is cut
SHORT = 18  # of names in the table of axes
CELL = 11
AXES = ("identity", "operator", "session", "model", "family")
KINDS: dict[str | None, str] = {"human": "person", "person": "person", None: "stranger"}
VERBS = {
    "approve": "approves", "object": "objects", "propose": "proposes", "withdraw": "withdraws", "waive": "waives",
    "abstain": "abstains", "unreadable": "said something unreadable",
}  # fmt: skip


def authors(decision: Row, sheet: Sheet, *, verbose: bool) -> None:
    """Each hand in the change, with what it is known by; a broken policy tells nothing of hands."""
    rows = decision["authors"]
    if not rows and not decision["requirements"]:
        return
    sheet.heading("made by")
    if not rows:
        sheet.put("  nobody is known to have made this change")
    names = [shown(row["name"], sheet.width - MARGIN) for row in rows]
    column = _column(names)
    for row, name in zip(rows, names, strict=True):
        sheet.row(name, ", ".join(described(row)), column=column)
        if not verbose:
            sheet.wrapped(known_by(row["evidence"]), indent=column + 4, as_="dim")
        for item in row["evidence"] if verbose else ():
            sheet.wrapped(f"{item['grade']} {item['channel']}: {shown(item['claim'])}", indent=column + 4, as_="dim")


def described(row: Row) -> list[str]:
    """What is known of an author, part by part."""
    parts = [KINDS.get(row["kind"]) or shown(row["kind"])]
    if row["model"] or row["maker"]:
        line = "/".join(shown(part) for part in (row["maker"], row["family"]) if part)
        model = shown(row["model"] or "unknown model")
        parts.append(f"{model} ({line})" if line else model)
    if row["session"]:
        parts.append(f"session {shown(row['session'], 60)}")
    if row["operator"] and row["kind"] != "human":
        parts.append(f"for {shown(row['operator'])}")
    if row["kind"] == "human" and not row["principal"]:
        parts.append("not enrolled")
    if row["accountable"]:
        parts.append("answers for the change")
    return parts


def known_by(evidence: Sequence[Row]) -> str:
    """`by proposal (A); mark (C); author, committer (D)`."""
    grades: dict[str, dict[str, None]] = {}
    for item in evidence:
        grades.setdefault(item["grade"], {})[item["channel"]] = None
    return "known by " + "; ".join(f"{', '.join(names)}{GLUE}({grade})" for grade, names in sorted(grades.items()))


def _column(names: Sequence[str]) -> int:
    """As wide as the widest name that leaves room beside it; longer ones have a line of their own."""
    return max((width for width in map(columns, names) if width <= NAME), default=0)


def reviews(decision: Row, sheet: Sheet, *, verbose: bool) -> None:
    """Each statement with what it counts, and the axes of those that do not count."""
    rows = sorted(decision["reviews"], key=lambda row: (row.get("time") or "", row["reviewer"]))
    if not rows:
        return
    sheet.heading("who spoke")
    names = [_speaker(row, sheet.width - MARGIN) for row in rows]
    column = _column(names)
    for row, name in zip(rows, names, strict=True):
        sheet.row(name, said(row), column=column)
        if verbose:
            _details(row, sheet, indent=column + 4)
    compared = [row for row in rows if row["axes"] and (verbose or row["recusals"])]
    if compared:
        _table(compared, sheet)


def _speaker(row: Row, room: int) -> str:
    """A reviewer's name; what a source published of its own review has none."""
    unnamed = row["reviewer"] == SOURCE and row["kind"] == "rules"
    return OWN_LOOK if unnamed else shown(row["reviewer"], room)


def said(row: Row) -> str:
    """What a reviewer said, and what it is worth."""
    if row["kind"] == "model":
        return _judged(row)
    if row["kind"] == "rules":
        seen = row["findings"]
        unread = len(row["coverage"]["uncovered"])
        more = f", {unread} of its paths could not be read" if unread else ""
        return (
            f"ran over the change: {seen} finding{'' if seen == 1 else 's'}{more}"
            if row["status"] == "completed"
            else row["status"]
        )
    kind = KINDS.get(row["kind"]) or shown(row["kind"])
    verb = VERBS.get(row["verdict"], shown(row["verdict"]))
    reason = f' "{shown(row["reason"], 120)}"' if row["reason"] else ""
    supposed = " (simulated)" if row.get("simulated") else ""
    return f"{kind}, {verb}{supposed}{reason}{_worth(row)}"


def _judged(row: Row) -> str:
    """A model's look at the change, beside which its signed vote stands where it gave one."""
    judged, seen = row["judged"], row["findings"]
    who = shown(judged["reported"] or judged["asked"], 60)
    if row["status"] != "completed":
        return f"model {who}, no review ({shown(row['status'])}): {shown(row['why'], 300)}"
    tokens = judged["tokens_in"] + judged["tokens_out"]
    return f"model {who} read it, {seen} finding{'' if seen == 1 else 's'}, {tokens:,} tokens"


def _worth(row: Row) -> str:
    if row["verdict"] in ("propose", "withdraw"):
        return f": nothing, {shown(row['why'])}" if not row["counts"] else ""
    unproven = (
        " (presence unproven)"
        if row["verdict"] == "approve" and row["presence"] == "unproven" and row["kind"] == "human"
        else ""
    )
    if row["counts"]:
        return f": counts{unproven}"
    why = {"recused": "recused as self-review", "unresolved": "not shown to be independent"}.get(row["why"], row["why"])
    return f": does not count, {shown(why)}"


def _details(row: Row, sheet: Sheet, *, indent: int) -> None:
    if row.get("statement"):
        sheet.wrapped(
            f"statement {row['statement']}, {row['time']}, presence {row['presence']}", indent=indent, as_="dim"
        )
    for answer in row["axes"]:
        facts = [
            part
            for part in (answer["with"] and f"with {shown(answer['with'])}", shown(answer["evidence"] or ""))
            if part
        ]
        grade = f" ({answer['grade']})" if answer["grade"] else ""
        sheet.wrapped(f"{answer['axis']} {answer['result']}{grade}: {', '.join(facts)}", indent=indent, as_="dim")
    for one in row["coverage"]["uncovered"]:
        sheet.wrapped(f"not read: {shown(one['path'])}: {shown(one['why'])}", indent=indent, as_="dim")


def _table(rows: Sequence[Row], sheet: Sheet) -> None:
    sheet.gap()
    names = [_cut(shown(row["reviewer"])) for row in rows]
    column = max(map(columns, names))
    sheet.put(" " * (column + 4) + "".join(axis.ljust(CELL) for axis in AXES))
    for row, name in zip(rows, names, strict=True):
        answers = {answer["axis"]: answer for answer in row["axes"]}
        cells = "".join(_cell(answers.get(axis), sheet) for axis in AXES)
        sheet.put(f"  {name}{' ' * (column + 2 - columns(name))}{cells}")
        met = dict.fromkeys(shown(a["with"]) for a in row["axes"] if a["result"] == "same" and a["with"])
        if met:
            sheet.wrapped(f"SAME as {', '.join(met)}", indent=column + 4, as_="dim")


def _cut(name: str) -> str:
    return name if len(name) <= SHORT else f"{name[: SHORT - 3]}..."


def _cell(answer: Row | None, sheet: Sheet) -> str:
    result = answer["result"] if answer else "-"
    text = "SAME" if result == "same" else result
    return sheet.paint(text, text) + " " * (CELL - len(text))
