"""What a commit, a branch name and an environment say about who made a change (law 8, 10; DESIGN 5.1).

Everything here is a claim by the one who wrote it. It may add an author or a likeness; it never takes one away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rules import hands, lineage, trailers
from rules.claims import Claim
from rules.commits import Commit
from rules.trailers import Line

_NO = frozenset(("", "no", "false", "none", "0", "off", "n/a", "never"))
_TOOL_OF = {"claude-web": "claude", "replit": "replit"}  # a namespace that is not called after its tool
# Labels that only one tool writes: their line is its mark, also where no session can be read from it.
_TOOL_OF_LINK = {"claude-session": "claude", "agent-logs-url": "copilot", "amp-thread-id": "amp"}
_VEILED = "behind invisible or look-alike characters: "
_UUID = frozenset("0123456789abcdef-")


def claims(commit: Commit) -> tuple[Claim, ...]:
    """Everything that one commit says of its makers, without repetition: identities first, then marks as they stand."""
    author, committer = commit.author[:2], commit.committer[:2]
    return told(author, committer, trailers.lines(commit.message), commit.id)


def told(author: tuple[str, str], committer: tuple[str, str], lines: Sequence[Line], commit: str) -> tuple[Claim, ...]:
    """As `claims`, of what a commit says with its names and addresses and with the lines of its message."""
    named = [hands.found(claim, "author", commit) for claim in hands.identity(*author)]
    named += [hands.found(claim, "committer", commit) for claim in hands.identity(*committer)]
    if not lines:
        return tuple(named)
    named += [claim for line in lines for claim in _named(line, commit)]
    sessions = [claim for line in lines for claim in _sessions(line, commit, named)]
    return tuple(dict.fromkeys(_with_operators(_with_sessions(named, sessions))))


def hidden(commit: Commit) -> bool:
    """Does invisible or look-alike text try to hide a mark of this commit?"""
    return any(_hides(line) for line in trailers.lines(commit.message) if line.veiled or line.obscure)


def _hides(line: Line) -> bool:
    agents = any(claim.kind == "agent" for claim in _named(line, "")) or line.label in trailers.SESSION
    return line.veiled or agents


def _named(line: Line, commit: str) -> Iterator[Claim]:
    channel, found = _read(line)
    for claim in found:
        said = claim
        if line.veiled or (line.obscure and claim.kind == "agent"):
            said = claim._replace(text=f"{_VEILED}{claim.text}"[: hands.LONGEST_TEXT])
        yield hands.found(said, channel, commit)


def _read(line: Line) -> tuple[str, Iterable[Claim]]:
    label, value = line.label, line.value
    if label in trailers.CO_AUTHOR:
        return "co-author", (claim for who in hands.people(value) for claim in hands.identity(*who))
    if label in trailers.MADE:
        return "mark", hands.credited(value, line.text, may_be_a_person=label == "assisted-by")
    if label == trailers.FOOTER:
        return "mark", _footer(value, line.text)
    if label in trailers.SIGNED:
        signers = (claim for who in hands.people(value) for claim in hands.identity(*who))
        return "mark", (claim for claim in signers if claim.kind == "agent")
    if label in trailers.TOLD and value.strip().lower() not in _NO:
        return "mark", hands.credited(value, line.text, may_be_a_person=False) or (hands.agent(None, text=line.text),)
    return "mark", _of_tool(line)


def _of_tool(line: Line) -> Iterable[Claim]:
    if line.label == trailers.REPLIT and line.value.strip().lower() in ("agent", "assistant"):
        return (hands.agent(lineage.named("replit"), text=line.text),)
    tool = trailers.OF_ONE_TOOL.get(line.label) or _TOOL_OF_LINK.get(line.label, "")
    address = line.value.startswith("https://") and " " not in line.value
    if tool and (line.label in trailers.OF_ONE_TOOL or (address and not _session(line.label, line.value))):
        return (hands.agent(lineage.named(tool), text=line.text),)
    return ()


def _footer(value: str, text: str) -> tuple[Claim, ...]:
    """`[TOOL](address) ...`, `TOOL (address)`, `TOOL - address`, `TOOL.`; anything longer is a sentence."""
    if value.startswith("["):
        value = value[1:].partition("]")[0]
    else:
        at = value.find("http")
        value = value[:at] if at > 0 else value
    value = value.strip(" \t-:(.!*_`\u2013\u2014")
    value += ")" if value.count("(") > value.count(")") else ""
    whole = hands.credited(value, text, may_be_a_person=False)
    return whole or hands.credited(value.partition(" (")[0], text, may_be_a_person=False)


def _sessions(line: Line, commit: str, named: list[Claim]) -> Iterator[Claim]:
    if line.label == trailers.JULES:
        task, _, starter = line.value.partition(" started by @")
        task = task.removeprefix("[").partition("]")[0]
        login = starter.split(maxsplit=1)[0].rstrip(".,*_") if starter.strip() else ""
        if task.isdigit():
            claim = hands.agent(lineage.named("jules"), text=line.text)
            operator = f"github:{login.lower()}" if login else ""
            yield hands.found(claim, "mark", commit)._replace(session=f"jules:{task}", operator=operator)
    elif line.label in trailers.SESSION:
        session = _session(line.label, line.value)
        if session:
            claim = hands.agent(_runner(session, named), text=line.text)
            yield hands.found(claim, "mark", commit, grade="C")._replace(session=session)


def _session(label: str, value: str) -> str:
    """`namespace:id` of a session line, "" where the value has no id in it."""
    first = value.split(maxsplit=1)[0].strip("<>`\"'") if value.strip() else ""
    if label == "agent-session":
        namespace, colon, rest = first.partition(":")
        return f"{namespace.lower()}:{rest}" if colon and rest and not rest.startswith("//") else ""
    last = first.partition("?")[0].rstrip("/").rpartition("/")[2]
    if label == "cursor-session" and "=bc-" in first:
        last = f"bc-{first.partition('=bc-')[2].partition('&')[0]}"
    if not _is_id(last):
        return ""
    return _namespaced(label, first, last)


def _namespaced(label: str, value: str, last: str) -> str:
    if label == "claude-session":
        return f"claude-web:{last}" if last.startswith("session_") else f"claude:{last}"
    if label == "agent-logs-url":
        is_session = "/sessions/" in value and len(last) == 36 and set(last.lower()) <= _UUID
        return f"copilot:{last.lower()}" if is_session else ""
    if label == "amp-thread-id":
        return f"amp:{last}" if last.startswith("T-") else ""
    return f"entire-checkpoint:{last}" if label == "entire-checkpoint" else f"{label.partition('-')[0]}:{last}"


def _is_id(text: str) -> bool:
    return 4 <= len(text) <= 200 and text.isascii() and text.replace("_", "").replace("-", "").isalnum()


def _runner(session: str, named: list[Claim]) -> lineage.Tool | None:
    """The tool of a session. GitHub runs other makers' agents too: there the commit's own author says which."""
    namespace = session.partition(":")[0]
    if namespace == "copilot":
        author = next((claim.tool for claim in named if claim.channel == "author" and claim.tool), "")
        return lineage.named(author or "copilot")
    if namespace.startswith("entire"):
        tools = {claim.tool for claim in named if claim.tool}
        return lineage.named(tools.pop()) if len(tools) == 1 else None
    return lineage.named(_TOOL_OF.get(namespace, namespace))


def _with_sessions(named: list[Claim], sessions: list[Claim]) -> list[Claim]:
    """A tool's only session is the session of all its marks here, and their only model is the session's."""
    if not sessions:
        return named
    ids: dict[str, dict[str, None]] = {}
    for claim in sessions:
        ids.setdefault(claim.tool, {})[claim.session] = None
    only = {tool: next(iter(found)) for tool, found in ids.items() if tool and len(found) == 1}
    models: dict[str, dict[tuple[str, str, str], None]] = {}
    for claim in named:
        if claim.tool and claim.model:
            models.setdefault(claim.tool, {})[claim.model, claim.maker, claim.family] = None
    marked = [claim._replace(session=only[claim.tool]) if claim.tool in only else claim for claim in named]
    return marked + [_with_model(claim, models.get(claim.tool, {})) for claim in sessions]


def _with_model(claim: Claim, models: dict[tuple[str, str, str], None]) -> Claim:
    if len(models) != 1:
        return claim
    model, maker, family = next(iter(models))
    return claim._replace(model=model, maker=maker, family=family)


def _with_operators(found: list[Claim]) -> Iterator[Claim]:
    """People who stand as co-authors beside an agent that is the author had asked it: they are its operators."""
    agents = {claim.tool for claim in found if claim.channel == "author" and claim.kind == "agent"}
    people = (claim for claim in found if claim.channel == "co-author" and claim.kind == "person")
    operators = list(dict.fromkeys(claim.email or claim.name for claim in people)) if agents else []
    for claim in found:
        if operators and claim.kind == "agent" and claim.tool in agents and not claim.operator:
            yield claim._replace(operator=operators[0])
            if claim.channel == "author":
                yield from (claim._replace(operator=operator) for operator in operators[1:])
        else:
            yield claim


def branch_claims(branch: str) -> tuple[Claim, ...]:
    """What a branch name says: `claude/...` is an agent's, `dependabot/...` a service's. Grade D."""
    name = branch.removeprefix("refs/heads/")
    low = name.lower()
    tool = next((tool for prefix, tool in lineage.agents().branches if low.startswith(prefix)), None)
    if tool is None:
        return ()
    if tool == lineage.SERVICE:
        return (Claim("branch", "D", kind="service", name=name.partition("/")[0], text=name[: hands.LONGEST_TEXT]),)
    return (hands.found(hands.agent(tool, text=name), "branch", ""),)


def environment_claims(environ: Mapping[str, str]) -> tuple[Claim, ...]:
    """What the variables of a process say about the agent that it runs under. Grade C."""
    found: dict[str, Claim] = {}
    for variable, row in lineage.environment().items():
        value = environ.get(variable, "").strip()
        if value.lower() in _NO:
            continue
        tool = lineage.named(value if row.get("names_tool") else row["tool"])
        if tool and tool != lineage.SERVICE:
            told = _told(row, value)
            claim = found.get(tool.name) or hands.found(hands.agent(tool, text=variable), "environment", "", grade="C")
            found[tool.name] = claim._replace(**{key: text for key, text in told.items() if not getattr(claim, key)})
    return tuple(found.values())


def _told(row: Mapping[str, object], value: str) -> dict[str, str]:
    last = value.rstrip("/").rpartition("/")[2].removesuffix(".json")
    told = {"session": f"{row['session']}:{last}"} if row.get("session") and _is_id(last) else {}
    if row.get("model"):
        model = lineage.model(value)
        told |= {"model": value[: lineage.LONGEST], "maker": model.maker, "family": model.family}
    return told
