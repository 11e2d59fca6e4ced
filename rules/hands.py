"""From a name and an address, or the value of a trailer, to claims about a person, an agent or a service.

The claims carry no channel, grade or commit: who found them adds those with `found`.
"""

from functools import lru_cache

from rules import lineage, naming
from rules.claims import Claim
from rules.visible import skeleton, visible

LONGEST_TEXT = 200
_BREAKS = " \t<>(),;`\"'"
_CLASSES = frozenset(
    (
        "ai",
        "agent",
        "agents",
        "bot",
        "assistant",
        "code",
        "cli",
        "action",
        "integration",
        "background",
        "web",
        "cloud",
        "app",
    )
)
_PLACEHOLDERS = frozenset(("agent_name", "agent", "tool", "name", "agentname"))


def found(claim: Claim, channel: str, commit: str, *, grade: str = "D") -> Claim:
    return Claim._make((channel, grade, commit, *claim[3:]))


def _claim(**values: str) -> Claim:
    values["text"] = values.get("text", "")[:LONGEST_TEXT]
    return Claim("", "D", **values)


def identity(name: str, email: str) -> tuple[Claim, ...]:
    """Who a name and an address mean; `Jane (aider)` is Jane and her tool. Empty where both say nothing."""
    if len(name) + len(email) > lineage.LONGEST:
        name, email = (visible(text)[0].strip()[: lineage.LONGEST] for text in (name, email))
    return _identity(name, email)


@lru_cache(16384)
def _identity(name: str, email: str) -> tuple[Claim, ...]:
    name, email = visible(name)[0].strip(), visible(email)[0].strip()
    text = f"{name} <{email}>"
    tool = lineage.who(name, email)
    if tool == lineage.SERVICE:
        return (_claim(kind="service", name=name, email=email, account=_account(email), text=text),)
    if tool:
        return (_agent(tool, model_in(name, tool), name=name, email=email, text=text),)
    if _is_release(name, email):
        return (_agent(None, name, name=name, email=email, text=text),)
    if is_nameless(name) and naming.is_machine_address(email):
        return (_agent(None, "", name=name, email=email, text=text),)
    return _person(name, email, text)


def _person(name: str, email: str, text: str) -> tuple[Claim, ...]:
    head, via, runner = name.partition(" via ")
    if via and (tool := lineage.named(runner)) and lineage.model(head).maker:
        return (_agent(tool, head, name=name, email=email, text=text),)
    head, aside = _aside(name)
    helper = lineage.who(_unvia(aside), "") if aside and head else None
    if helper and helper != lineage.SERVICE:
        model = model_in(_unvia(aside), helper)
        used = _agent(helper, model, name=aside, email="", text=text)
        return *identity(head, email), used._replace(operator=email or head)
    if not name and not email:
        return ()
    kind = "" if name.lower() in ("unknown", "") and "@" not in email else "person"
    return (_claim(kind=kind, name=name, email=email, account=_account(email), text=text),)


def _aside(name: str) -> tuple[str, str]:
    head, opened, rest = name.partition("(")
    return (head.strip(), rest.partition(")")[0].strip()) if opened else (name, "")


def _unvia(text: str) -> str:
    first, _, rest = text.partition(" ")
    return rest if first.lower() in ("via", "with", "using", "by") else text


def _account(email: str) -> str:
    login = lineage.login(email)
    return f"github:{login}" if login else ""


def _agent(tool: lineage.Tool | None, model: str, *, name: str, email: str, text: str) -> Claim:
    """The weights come of the model that is named; only where none is, of a tool that has weights of one maker."""
    known = lineage.model(model)
    implied = tool if tool and not model and tool.family else None
    return _claim(
        kind="agent",
        name=name,
        email=email,
        account=_account(email),
        tool=tool.name if tool else "",
        model=model,
        maker=implied.maker if implied else known.maker,
        family=implied.family if implied else known.family,
        text=text,
    )


def agent(tool: lineage.Tool | None, model: str = "", *, text: str = "") -> Claim:
    """A claim about an agent that is known by its tool or its model alone."""
    return _agent(tool, model.strip()[: lineage.LONGEST], name="", email="", text=text)


def model_in(name: str, tool: lineage.Tool) -> str:
    """The model that a display name states beside the tool's: `Claude Opus 5`, `aider (gpt-5.2)`; "" for none."""
    head, aside = _aside(name)
    if aside and (lineage.model(aside).maker or is_model(aside)):
        return aside.removeprefix("model").partition(";")[0].strip(" :,")
    known = lineage.model(head)
    said = {word for word in known.name.split("-") if word not in _CLASSES}
    if not known.family or not said - set(lineage.words(tool.name)) - {known.family, known.maker, "codex", "chatgpt"}:
        return ""
    starts = skeleton(head).lower().startswith(tool.name) and not tool.family
    return head[len(tool.name) :].strip(" -:_") if starts else name


def is_model(name: str) -> bool:
    """Is the name a model's and nothing else, with a version: `GPT-5.2`, `Kimi K3`, `gemini-3.1-pro-preview`?"""
    head = _aside(name)[0]
    if not lineage.model(head).family:
        return False
    versioned = any(character.isdigit() for character in head)
    return versioned and (" " not in head or lineage.only_words(head))


def _is_release(name: str, email: str) -> bool:
    """Is whoever bears this name and address a model? Logins such as `claude94` or `jambalaya56562` are people's."""
    family = lineage.model(name).family
    if not family:
        return False
    if naming.is_machine_address(email):
        return is_model(name) or lineage.only_words(name)
    words = lineage.words(name)
    said = lineage.spelt(family).intersection(words) and any(map(naming.is_version, words))
    return bool(said) and not name.isalnum() and is_model(name) and lineage.only_words(_aside(name)[0])


def is_nameless(name: str) -> bool:
    """Does the name say that it is a machine, and not which: `AI assistant`, `LLM`?"""
    words = set(lineage.words(name[: lineage.LONGEST]))
    return bool(words & lineage.agents().machine) and words <= lineage.agents().plain


def people(value: str) -> tuple[tuple[str, str], ...]:
    """Names and addresses in a co-author's value: with or without `<>`, closed or not, one or several."""
    if "@" not in value:
        name = value.partition("<")[0] if "<" in value else value
        return ((_name(name), ""),) if _name(name) else ()
    out = []
    start = 0
    while (at := value.find("@", start)) >= 0:
        left, right = _around(value, at, start)
        out.append((_name(value[start:left]), _address(value[left:right])))
        start = right
    return tuple(out)


def _around(value: str, at: int, start: int) -> tuple[int, int]:
    left, right = at, at + 1
    while left > start and value[left - 1] not in _BREAKS:
        left -= 1
    while right < len(value) and value[right] not in _BREAKS:
        right += 1
    return left, right


def _address(text: str) -> str:
    for prefix in ("mailto:", "&lt;", "\\"):
        text = text.removeprefix(prefix)
    for suffix in ("&gt;", "\\"):
        text = text.removesuffix(suffix)
    return text.strip(".:")


def _name(text: str) -> str:
    text = text.strip(" \t<>,;`\"'\\[|").removesuffix("&lt;").removeprefix("and ").strip()
    return text if text.endswith("[bot]") else text.rstrip("]")


def credited(value: str, text: str, *, may_be_a_person: bool) -> tuple[Claim, ...]:
    """Who `Assisted-by:`, `Generated-by:`, `Made-with:` and their kin name.

    `TOOL`, `MODEL`, `TOOL:MODEL tools`, `MODEL via TOOL <address>`, `TOOL (MODEL)`, several of them, or a person.
    """
    name, email = (people(value) or (("", ""),))[0]
    name = (name or value).strip(" []`*_\"'.")
    each = [_credit(part, "", text, any_agent=False) for part in _split(name) if part]
    several = tuple(claim for claims in each for claim in claims)
    if len(each) > 1 and all(each):
        return several
    one = _credit(name, email, text, any_agent=may_be_a_person)
    if one or several or not may_be_a_person:
        return one or several
    if email.lower().startswith(("noreply@", "no-reply@")):
        return (agent(None, text=text)._replace(name=name),)
    claims = identity(name, email) if email or _is_full_name(name) else ()
    return tuple(claim._replace(text=text[:LONGEST_TEXT]) for claim in claims)


def _credit(name: str, email: str, text: str, *, any_agent: bool) -> tuple[Claim, ...]:
    if not name and not email:
        return ()
    via = _via(name, email, text)
    if via:
        return via
    head, colon, rest = name.partition(":")
    one = " " not in head.strip() or lineage.tool(head, "")
    if colon and rest.strip() and not rest.startswith("//") and one:
        return _paired(head.strip(), rest, text, any_agent=any_agent)
    tool = lineage.tool(name, email)
    if tool:
        return (_agent(tool, model_in(name, tool), name="", email=email, text=text),)
    if is_model(name):
        return (agent(None, name, text=text),)
    return () if email else _nameless(name, text)


def _nameless(name: str, text: str) -> tuple[Claim, ...]:
    """A machine that the tables do not have: `LLM`, `TOOL (AI agent)`, `TOOL/SESSION`."""
    before, aside = _aside(name)
    nameless = is_nameless(name) or name.startswith("LLM ")
    if nameless or (before and is_nameless(aside)):
        return (agent(None, text=text)._replace(name=name if nameless else before),)
    head, _, session = name.partition("/")
    if not head.isalnum() or len(session) != 36 or session.count("-") != 4 or not session.replace("-", "").isalnum():
        return ()
    return (agent(None, text=text)._replace(name=head, session=f"{head.lower()}:{session.lower()}"),)


def _paired(head: str, rest: str, text: str, *, any_agent: bool) -> tuple[Claim, ...]:
    """`TOOL:MODEL`; `Anthropic: Claude Opus 4` is a model with its maker before it."""
    tool = lineage.tool(head, "")
    if tool:
        return (agent(tool, _stated(rest), text=text),)
    if lineage.model(rest).maker or (any_agent and head.lower() not in _PLACEHOLDERS):
        return (_unheard(head, rest, text),)
    return ()


def _unheard(head: str, rest: str, text: str) -> Claim:
    """`AGENT:MODEL` of a tool that the table does not have: an agent all the same, by the name it gives.

    `Anthropic: Claude Opus 4` is a model after its maker; one after another maker than its own has none.
    """
    claim = agent(None, _stated(rest), text=text)._replace(name=head)
    return claim if lineage.model(f"{head} {rest}").maker else claim._replace(maker="", family="")


def _via(name: str, email: str, text: str) -> tuple[Claim, ...]:
    first, via, last = name.replace("(via ", "via ").replace("(Via ", "via ").partition(" via ")
    if not via:
        return ()
    last = _aside(last.rstrip(" )"))[0]
    tool = lineage.tool(last, email)
    if tool:
        return (agent(tool, first, text=text),)
    tool = lineage.tool(first, email)
    return (agent(tool, last if lineage.model(last).maker else "", text=text),) if tool else ()


def _stated(rest: str) -> str:
    """`claude-3-opus coccinelle sparse` states claude-3-opus; `AWS Claude Opus 4.6` and `[Qwen 3.7 Max]` all of it."""
    rest = rest.partition("#")[0].partition(" (")[0].strip(" []()`")
    first = rest.partition(" ")[0]
    whole = "-" in first or any(character.isdigit() for character in first)
    return first if whole and lineage.model(first).maker else rest


def _split(name: str) -> list[str]:
    slash = " / " if ":" in name else "/"  # `Crush:openai/gpt-5.5` is one
    for separator in (" and ", " & ", " + ", ";", slash):
        name = name.replace(separator, ",")
    return [part.strip() for part in name.split(",")]


def _is_full_name(name: str) -> bool:
    return 2 <= len(name.split()) <= 4 and all(word[0].isupper() for word in name.split())
