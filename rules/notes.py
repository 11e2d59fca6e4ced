"""Notes of git-ai, `refs/notes/ai`, format authorship/3.0.0: which session wrote which lines (DESIGN 5.1).

Attestation lines, `---`, JSON. A note is unsigned: whoever may push the ref may rewrite it, so it is grade C.
Lines that no entry covers are unknown, not a person's.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rules import hands, lineage
from rules.claims import Claim
from rules.loose import mapping, read, text_of

NAMESPACE = "git-ai"
SCHEMA = "authorship/3."
_LONGEST = 100  # characters of a key


class Attestation(NamedTuple):
    """Lines of one file, by one session (`s_`, or bare hexadecimal in older notes) or known human (`h_`)."""

    path: str
    key: str
    ranges: tuple[tuple[int, int], ...]  # first and last line, both counted from 1


class Agent(NamedTuple):
    """A session as the note describes it."""

    key: str
    tool: str
    model: str
    operator: str  # `human_author`: a name, an address or both


class Human(NamedTuple):
    """A person whose own typing was recorded."""

    key: str
    author: str


class Note(NamedTuple):
    """One note. `problems` says what could not be read; the rest holds."""

    attestations: tuple[Attestation, ...]
    agents: tuple[Agent, ...]
    humans: tuple[Human, ...]
    problems: tuple[str, ...]


def parse(text: bytes) -> Note | None:
    """The note, or `None` where there is no text. What is malformed becomes a problem, never an error."""
    if not text.strip():
        return None
    problems: list[str] = []
    head, body = _halves(text.decode("utf-8", "replace"), problems)
    attestations = tuple(_attestations(head, problems))
    data = read(body, problems) if body else {}
    if not str(data.get("schema_version", "")).startswith(SCHEMA):
        problems.append(f"the schema is {text_of(data.get('schema_version'))!r}, known is authorship/3.0.0")
    agents = [*_agents(data, "sessions", problems), *_agents(data, "prompts", problems)]
    return Note(attestations, tuple(agents), tuple(_humans(data, problems)), tuple(dict.fromkeys(problems)))


def _halves(text: str, problems: list[str]) -> tuple[list[str], str]:
    lines = text.splitlines()
    if "---" in lines:
        at = lines.index("---")
        return lines[:at], "\n".join(lines[at + 1 :])
    problems.append("there is no line `---` before the JSON")
    return ([], text) if text.lstrip().startswith("{") else (lines, "")


def _attestations(lines: list[str], problems: list[str]) -> Iterator[Attestation]:
    path = ""
    for line in lines:
        if not line.strip():
            continue
        if not line[0].isspace():
            path = line.strip()
            path = path[1:-1] if len(path) > 1 and path[0] == path[-1] == '"' else path
            continue
        key, _, spans = line.strip().partition(" ")
        ranges = tuple(_ranges(spans))
        if not path or len(key) > _LONGEST or None in ranges or not ranges:
            problems.append(f"an attestation line cannot be read: {line.strip()[:60]!r}")
        yield Attestation(path, key[:_LONGEST].partition("::")[0], tuple(span for span in ranges if span))


def _ranges(text: str) -> Iterator[tuple[int, int] | None]:
    for span in text.replace(" ", "").split(","):
        first, dash, last = span.partition("-")
        last = last if dash else first
        readable = first.isascii() and last.isascii() and first.isdigit() and last.isdigit() and len(span) <= 24
        yield (int(first), int(last)) if readable else None


def _agents(data: dict[str, Any], table: str, problems: list[str]) -> Iterator[Agent]:
    for key, row in mapping(data.get(table, {}), table, problems).items():
        fields = mapping(row, f"{table}.{key[:40]}", problems)
        agent = mapping(fields.get("agent_id", {}), "agent_id", problems)
        tool, model = (text_of(agent.get(name)) for name in ("tool", "model"))
        operator = text_of(fields.get("human_author"))
        yield Agent(key[:_LONGEST].partition("::")[0], tool, model, operator)


def _humans(data: dict[str, Any], problems: list[str]) -> Iterator[Human]:
    for key, row in mapping(data.get("humans", {}), "humans", problems).items():
        yield Human(key[:_LONGEST], text_of(mapping(row, "humans", problems).get("author")))


def claims(commit_id: str, note: Note | None) -> tuple[Claim, ...]:
    """The sessions and people of a note. A session that is only attested, without description, is an unknown agent."""
    if note is None:
        return ()
    described = {agent.key for agent in note.agents} | {human.key for human in note.humans}
    attested = dict.fromkeys(line.key for line in note.attestations if line.key and line.key not in described)
    found = [_of_agent(agent) for agent in note.agents]
    found += [claim for human in note.humans for claim in _of_human(human)]
    found += [_of_agent(Agent(key, "", "", "")) for key in attested if not key.startswith("h_")]
    return tuple(dict.fromkeys(hands.found(claim, "note", commit_id, grade="C") for claim in found))


def _of_agent(agent: Agent) -> Claim:
    tool = lineage.named(agent.tool) or lineage.tool(agent.tool, "")
    text = f"{agent.tool or 'unknown tool'} {agent.model} {agent.key}"
    claim = hands.agent(tool, agent.model, text=text)
    name = "" if tool else agent.tool
    return claim._replace(name=name, session=f"{NAMESPACE}:{agent.key}", operator=_operator(agent.operator))


def _operator(author: str) -> str:
    name, email = (hands.people(author) or (("", ""),))[0]
    return email or name


def _of_human(human: Human) -> Iterator[Claim]:
    for who in hands.people(human.author):
        yield from hands.identity(*who)
