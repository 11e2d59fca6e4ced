"""The authors of a commit as an Agent Trace 0.1.0 record, so that other tools can read what twohand knows."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from rules import lines, paths
from rules.canonical import canonical
from rules.rule import Blobs
from rules.traces import OURS

VERSION = "0.1.0"
CONTRIBUTORS = {"agent": "ai", "mixed": "mixed", "human": "human"}  # of any other kind: unknown
LONGEST_MODEL = 250  # characters that the format allows
Row = Mapping[str, Any]


def record(row: Row, blobs: Iterable[Blobs]) -> dict[str, Any]:
    """One record of a row of the audit and of what its commit changed.

    A commit says who made it and not which of its lines, so that all lines that it brought have one contributor:
    `ai` or `human` where nobody else was seen, else `mixed`. Equal answers have equal ids.
    """
    talk = _conversation(row)
    files = [{"path": path(each), "conversations": [{**talk, "ranges": _rows(each)}]} for each in blobs if each.new]
    body = {
        "version": VERSION,
        "timestamp": row["time"] or "1970-01-01T00:00:00Z",
        "vcs": {"type": "git", "revision": row["commit"]},
        "files": files,
        "metadata": {"dev.twohand": {"kind": row["kind"], "authors": list(row["authors"])}},
    }
    tools = {author["tool"] for author in row["authors"] if author["tool"]}
    if len(tools) == 1:
        body["tool"] = {"name": tools.pop()}
    return {"version": VERSION, "id": _uuid(canonical(body)), **body}


def _conversation(row: Row) -> dict[str, Any]:
    agents = [author for author in row["authors"] if author["kind"] == "agent"]
    contributor = {"type": CONTRIBUTORS.get(row["kind"], "unknown"), **_model(agents)}
    sessions = sorted({author["session"] for author in agents if author["session"]})
    related = [{"type": "session", "url": f"{OURS}{session}"} for session in sessions]
    return {"contributor": contributor, **({"related": related} if related else {})}


def _model(agents: Sequence[Row]) -> dict[str, str]:
    """`maker/model`, where the agents name one model and no other."""
    named = {(author["maker"], author["model"]) for author in agents if author["model"]}
    if len(named) != 1:
        return {}
    maker, model = named.pop()
    return {"model_id": (f"{maker}/{model}" if maker and "/" not in model else model)[:LONGEST_MODEL]}


def path(blobs: Blobs) -> str:
    """The path as traces write it."""
    return paths.unquote(blobs.file.path).decode("utf-8", "replace")


def _rows(blobs: Blobs) -> list[dict[str, int]]:
    return [{"start_line": first, "end_line": last} for first, last in ranges(blobs)]


def ranges(blobs: Blobs) -> tuple[tuple[int, int], ...]:
    """The lines that the commit brought, as first and last line of each run."""
    runs: list[list[int]] = []
    for line in lines.compare(blobs.old or b"", blobs.new or b"").added:
        if runs and line.number == runs[-1][1] + 1:
            runs[-1][1] = line.number
        else:
            runs.append([line.number, line.number])
    return tuple((first, last) for first, last in runs)


def _uuid(body: bytes) -> str:
    """A UUID of version 8, which is made of a digest."""
    number = bytearray(sha256(b"twohand trace v1\0" + body).digest()[:16])
    number[6] = number[6] & 0x0F | 0x80
    number[8] = number[8] & 0x3F | 0x80
    text = number.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
