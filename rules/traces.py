"""Agent Trace 0.1.0 records (one JSON object a line): which contributor wrote which lines (DESIGN 5.1).

Read with a lenient schema of our own: the published one rejects its own version number. Unsigned, so grade C.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rules import hands, lineage
from rules.claims import Claim
from rules.loose import count, items, mapping, read, text_of

OURS = "urn:session:"  # how twohand writes a session's namespace and id where it has no address
_MINDS = ("ai", "mixed")
_ADDRESSES = (  # namespace, and how the address begins and ends before the id
    ("claude-web", "https://claude.ai/code", ""),
    ("copilot", "https://github.com/", "/sessions"),
    ("amp", "https://ampcode.com/threads", ""),
    ("codex", "https://chatgpt.com/codex/", "tasks"),
    ("devin", "https://app.devin.ai/sessions", ""),
)


class Part(NamedTuple):
    """What one contributor did to one file."""

    path: str
    contributor: str  # "ai", "human", "mixed" or "unknown"
    model: str  # `provider/model`
    session: str  # the address of a related session, or of the conversation
    ranges: tuple[tuple[int, int], ...]  # first and last line, both counted from 1


class Record(NamedTuple):
    """One trace. `revision` is a full commit id, or "" where the record names none."""

    revision: str
    tool: str
    parts: tuple[Part, ...]
    problems: tuple[str, ...]


def parse(text: bytes) -> tuple[Record, ...]:
    """The records of a traces file or of a single record, in order. A line that cannot be read is a record of problems."""
    whole = text.decode("utf-8", "replace")
    lines = [line for line in whole.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].strip() in ("{", "["):
        records = _many(whole)
        if not _unreadable(records):
            return records
    return tuple(record for line in lines for record in _many(line))


def _unreadable(records: tuple[Record, ...]) -> bool:
    return len(records) == 1 and bool(records[0].problems) and not records[0].parts


def _many(text: str) -> tuple[Record, ...]:
    problems: list[str] = []
    if text.lstrip().startswith("["):
        rows = items(read(f'{{"records":{text}}}', problems).get("records"), "the file", problems)
    else:
        rows = [read(text, problems)]
    if problems:
        return (Record("", "", (), tuple(problems)),)
    return tuple(_record(row) for row in rows)


def _record(row: object) -> Record:
    problems: list[str] = []
    data = mapping(row, "the record", problems)
    if not text_of(data.get("version")).startswith("0."):
        problems.append(f"the version is {text_of(data.get('version'))!r}, known is 0.1.0")
    if "files" not in data:
        problems.append("the record names no files")
    vcs = mapping(data.get("vcs"), "vcs", problems)
    tool = text_of(mapping(data.get("tool"), "tool", problems).get("name"))
    parts = tuple(part for file in items(data.get("files"), "files", problems) for part in _parts(file, problems))
    revision = text_of(vcs.get("revision")).strip().lower()
    return Record(revision, tool, parts, tuple(dict.fromkeys(problems)))


def _parts(row: object, problems: list[str]) -> Iterator[Part]:
    file = mapping(row, "a file", problems)
    path = text_of(file.get("path"))
    for talk in items(file.get("conversations"), "conversations", problems):
        fields = mapping(talk, "a conversation", problems)
        whole = mapping(fields.get("contributor"), "contributor", problems)
        session = _session(fields, problems)
        ranges = [mapping(span, "a range", problems) for span in items(fields.get("ranges"), "ranges", problems)]
        for who, spans in _contributors(whole, ranges, problems):
            yield Part(path, text_of(who.get("type")).lower(), text_of(who.get("model_id")), session, spans)


def _contributors(
    whole: dict[str, Any], ranges: list[dict[str, Any]], problems: list[str]
) -> Iterator[tuple[dict[str, Any], tuple[tuple[int, int], ...]]]:
    """A range may name another contributor than its conversation does."""
    plain = [span for span in ranges if "contributor" not in span]
    if plain or not ranges:
        yield whole, tuple(map(_span, plain))
    for span in ranges:
        if "contributor" in span:
            yield mapping(span["contributor"], "contributor", problems), (_span(span),)


def _span(row: dict[str, Any]) -> tuple[int, int]:
    first = count(row.get("start_line"))
    return first, max(first, count(row.get("end_line")))


def _session(fields: dict[str, Any], problems: list[str]) -> str:
    for related in items(fields.get("related"), "related", problems):
        row = mapping(related, "related", problems)
        if text_of(row.get("type")) == "session" and text_of(row.get("url")):
            return text_of(row["url"])
    return text_of(fields.get("url"))


def claims(
    commit_id: str, records: tuple[Record, ...], *, touched: Mapping[str, tuple[tuple[int, int], ...]] | None = None
) -> tuple[Claim, ...]:
    """The contributors that the records name for this commit.

    A record that names a revision speaks of that commit alone. One that names none speaks of it where it covers lines
    of `touched`: path -> first and last line of each changed range, on the new side.
    """
    found = [
        claim
        for record in records
        for part in record.parts
        if (record.revision == commit_id.lower() if record.revision else _touches(part, touched or {}))
        for claim in _claims(record, part)
    ]
    return tuple(dict.fromkeys(hands.found(claim, "trace", commit_id, grade="C") for claim in found))


def _touches(part: Part, touched: Mapping[str, tuple[tuple[int, int], ...]]) -> bool:
    changed = touched.get(part.path, ())
    whole = not part.ranges and bool(changed)
    return whole or any(first <= end and start <= last for first, last in part.ranges for start, end in changed)


def _claims(record: Record, part: Part) -> Iterator[Claim]:
    """People have no name in a trace, so only what a machine wrote is a claim."""
    if part.contributor not in _MINDS and not part.model:
        return
    tool = lineage.named(record.tool) or lineage.tool(record.tool, "")
    claim = hands.agent(tool, part.model, text=f"{record.tool or 'unknown tool'} {part.model} {part.session}")
    yield claim._replace(name="" if tool else record.tool, session=_namespaced(part.session))


def _namespaced(session: str) -> str:
    """An address that the message reader knows too has the same session; any other is its own namespace."""
    if session.startswith(OURS):
        return session.removeprefix(OURS)
    address, _, _ = session.partition("?")
    head, _, last = address.rstrip("/").rpartition("/")
    if not last:
        return ""
    found = next((name for name, start, end in _ADDRESSES if head.startswith(start) and head.endswith(end)), "")
    if found == "claude-web" and not last.startswith("session_"):
        found = ""
    return f"{found}:{last.lower() if found == 'copilot' else last}" if found else f"agent-trace:{session}"
