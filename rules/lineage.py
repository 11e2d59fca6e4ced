"""Whose weights a model name means, and which tool an identity means (law 14, 22, 23). The tables are data.

What the tables do not know stays unknown: an empty maker, `None` for a tool. Format and upkeep: docs/lineage.md.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from rules import naming
from rules.packaged import table
from rules.visible import skeleton

_BOTS = ("[bot]", "(bot)", "-bot")
LONGEST = 300  # characters of a model or display name; a longer one is nobody's, so it stays unknown


class Model(NamedTuple):
    """A model. `lineage` holds `maker/family` of it and of everything that it was tuned from; unknown is ""."""

    name: str  # the name without hosts, dates and effort, in lower case
    maker: str = ""
    family: str = ""
    lineage: tuple[str, ...] = ()


class Tool(NamedTuple):
    """A tool that writes code. `maker` is its vendor; `family` is "" where it runs weights of several makers."""

    name: str
    maker: str = ""
    family: str = ""


class _Family(NamedTuple):
    name: str
    maker: str
    phrases: tuple[tuple[str, ...], ...]
    tuned_from: tuple[str, ...]


@cache
def _models() -> dict[str, Any]:
    return table("models.toml")


@cache
def _families() -> dict[str, _Family]:
    return {
        name: _Family(name, row["maker"], tuple(map(_phrase, row["names"])), tuple(row.get("from", ())))
        for name, row in _models()["family"].items()
    }


def _phrase(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@cache
def _index() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First three letters of a phrase (or its whole first word) -> phrases and their families."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for family in _families().values():
        for phrase in family.phrases:
            index.setdefault(phrase[0].rstrip("*")[:3], []).append((phrase, family.name))
    return index


@cache
def _makers() -> dict[tuple[str, ...], str]:
    return {tuple(words(text)): maker for maker, texts in _models()["makers"].items() for text in texts}


@cache
def _routers() -> frozenset[str]:
    return frozenset(_models()["words"]["unknown"])


def words(text: str) -> list[str]:
    """Lower-case words of a name, numbers apart from the letters before them: `Qwen3.7-Max` -> qwen, 3.7, max."""
    out: list[str] = []
    last = ""
    lower = text.lower() + " "
    for character, following in pairwise(lower):
        point = character in ".p" and last.isdigit() and following.isdigit()
        if point:
            out[-1] += "."
        elif not character.isalnum():
            last = ""
            continue
        elif not last or (character.isdigit() and last.isalpha() and not out[-1][0].isdigit()):
            out.append(character)
        else:
            out[-1] += character
        last = "." if point else character
    return out


def model(name: str) -> Model:
    """The model of a name as tools write it, with hosts, regions, dates and effort in it. Never raises."""
    return _model(name) if len(name) <= LONGEST else Model(name[:LONGEST])


@lru_cache(4096)
def _model(name: str) -> Model:
    prefix, _, last = skeleton(name).strip(" []`'\"").rpartition("/")
    tokens = words(_without_asides(last))
    shown = _joined(_kept(tokens) or tokens, last.lower())
    if not _routers().isdisjoint(tokens):
        return Model(shown)
    found = list(_found(tokens))
    if not found:
        return Model(shown)
    lineage = _lineage(found)
    claimed = {*_claimed(words(prefix)), *_claimed(tokens)}
    claimed.update(_families()[family].maker for family in _found(words(prefix)))
    if claimed - {entry.partition("/")[0] for entry in lineage}:
        return Model(shown)
    maker, _, family = lineage[0].partition("/")
    return Model(shown, maker, family, lineage)


def _without_asides(text: str) -> str:
    """`claude-opus-5 (1M context)` -> `claude-opus-5`; an aside that is all there is stays."""
    head, opened, rest = text.partition("(")
    return head + " " + rest.partition(")")[2] if opened and head.strip() else text


def _found(tokens: list[str]) -> Iterator[str]:
    """Families that are named, from left to right; of two that start at one word the longer phrase."""
    for start, token in enumerate(tokens):
        near = (*_index().get(token[:3], ()), *(_index().get(token, ()) if len(token) < 3 else ()))
        hits = [
            (len(phrase), family) for phrase, family in near if _matches(phrase, tokens[start : start + len(phrase)])
        ]
        if hits:
            yield max(hits)[1]


def _matches(phrase: tuple[str, ...], tokens: list[str]) -> bool:
    return len(phrase) == len(tokens) and all(
        token.startswith(word[:-1]) if word.endswith("*") else token == word
        for word, token in zip(phrase, tokens, strict=True)
    )


def _lineage(found: list[str]) -> tuple[str, ...]:
    """A tuned family speaks first; then what it was tuned from, and every other family in the name."""
    families = _families()
    own = next((family for family in found if families[family].tuned_from), found[0])
    waiting = [own, *families[own].tuned_from, *found]
    waiting += [base for family in waiting for base in families[family].tuned_from]
    return tuple(dict.fromkeys(f"{families[family].maker}/{family}" for family in waiting))


def _claimed(tokens: list[str]) -> Iterator[str]:
    for start in range(len(tokens)):
        for length in (1, 2):
            maker = _makers().get(tuple(tokens[start : start + length]))
            if maker:
                yield maker


def _kept(tokens: list[str]) -> list[str]:
    """The words that tell models apart; `4`, `6` side by side are `4.6`."""
    noise = set(_models()["words"]["noise"])
    kept: list[str] = []
    joined = True
    for token in _undated(tokens):
        if token in noise or (token,) in _makers():
            continue
        small = token.isdigit() and len(token) <= 2
        if small and not joined and kept and kept[-1].isdigit() and len(kept[-1]) <= 2:
            kept[-1] += "." + token
            joined = True
            continue
        kept.append(token)
        joined = not small
    return kept


def _joined(tokens: list[str], written: str) -> str:
    """`qwen3-coder` as it was written: a number stays with its letters."""
    shown = tokens[0] if tokens else ""
    for before, token in pairwise(tokens):
        shown += token if before + token in written else "-" + token
    return shown


def _undated(tokens: list[str]) -> list[str]:
    """Without `20250514`, `2025 08 07` and the `v1:0` of Bedrock."""
    if tokens[-3:-1] in (["v", "1"], ["v", "2"]) and tokens[-1].isdigit():
        tokens = tokens[:-3]
    out: list[str] = []
    skip = 0
    for at, token in enumerate(tokens):
        if skip:
            skip -= 1
        elif token.isdigit() and len(token) == 8 and token.startswith("20"):
            continue
        elif len(token) == 4 and token.startswith("20") and all(len(t) == 2 for t in tokens[at + 1 : at + 3]) and at:
            skip = min(2, len(tokens) - at - 1)
        else:
            out.append(token)
    return out


def declared(name: str, maker: str = "", family: str = "") -> Model:
    """A model with the maker and family that somebody registered for it; what they leave out comes of the name."""
    known = model(name)
    if not maker and not family:
        return known
    maker = maker or (_families()[family].maker if family in _families() else "")
    bases = _families()[family].tuned_from if family in _families() else ()
    own = f"{maker}/{family}" if family else maker
    tuned = (f"{_families()[base].maker}/{base}" for base in bases)
    return Model(known.name, maker, family, tuple(dict.fromkeys((own, *tuned, *known.lineage))))


def same_model(a: str, b: str) -> bool:
    """Do two names mean one model once hosts, dates, effort and word order are gone? Routers are never one model."""
    left, right = _bag(a), _bag(b)
    return bool(left) and left == right


def _bag(name: str) -> list[str]:
    known = model(name)
    tokens = {*words(known.name), *([known.family] if known.family in _families() else [])} - {""}
    return [] if tokens & _routers() else sorted(tokens)


def meet(a: Model, b: Model) -> bool | None:
    """The family axis of law 23: same maker or lineages that meet; `None` where either is unknown."""
    if not a.maker or not b.maker:
        return None
    return not _hands(a).isdisjoint(_hands(b))


def _hands(model: Model) -> set[str]:
    return {model.maker, *(entry.partition("/")[0] for entry in model.lineage)}


class _Agents(NamedTuple):
    """The tool table, ready to be asked. A service has the tool `_SERVICE`."""

    phrases: dict[tuple[str, ...], Tool]
    shared: frozenset[tuple[str, ...]]
    emails: dict[str, Tool]
    logins: dict[str, Tool]
    domains: dict[str, frozenset[str]]  # tool -> its vendor's domains
    branches: tuple[tuple[str, Tool], ...]
    machine: frozenset[str]  # words of which each says that a machine is meant
    plain: frozenset[str]  # those that such a name may consist of
    strong: frozenset[str]  # words that stand beside a tool's name, and in no person's
    weak: frozenset[str]  # words that may stand in either


SERVICE = Tool("service")  # what `who` answers for a plain bot; never the tool of an agent


@cache
def agents() -> _Agents:
    data = table("agents.toml")
    rows = [(Tool(name, row.get("maker", ""), row.get("family", "")), row) for name, row in data["agent"].items()]
    rows.append((SERVICE, data["services"]))
    return _Agents(
        {tuple(words(text)): tool for tool, row in rows for text in row.get("names", ())},
        frozenset(tuple(words(text)) for _, row in rows for text in row.get("shared", ())),
        {email: tool for tool, row in rows for email in row.get("emails", ())},
        {login: tool for tool, row in rows for login in row.get("logins", ())},
        {tool.name: frozenset(row.get("domains", ())) for tool, row in rows},
        tuple((prefix, tool) for tool, row in rows for prefix in row.get("branches", ())),
        frozenset(data["words"]["machine"]),
        frozenset(data["words"]["plain"]),
        frozenset(data["words"]["strong"]),
        frozenset(data["words"]["weak"]),
    )


def named(name: str) -> Tool | None:
    """The tool of a canonical or display name that stands alone, as in `Crush` or `Claude Code`."""
    return agents().phrases.get(tuple(words(skeleton(name)))) if len(name) <= LONGEST else None


def tool(name: str, email: str) -> Tool | None:
    """The tool behind an identity: by display name first, then by an address that only a tool uses; `None` for people
    and plain bots. The number of a GitHub address is never looked at, and a vendor's domain proves nothing."""
    found = who(name, email)
    return None if found == SERVICE else found


def who(name: str, email: str) -> Tool | None:
    """As `tool`, with `SERVICE` for dependabot and its kind."""
    name, email = skeleton(name), skeleton(email).strip().lower()
    return _who(name, email) if len(name) <= LONGEST and len(email) <= LONGEST else None


@lru_cache(8192)
def _who(name: str, email: str) -> Tool | None:
    table = agents()
    bot = name.lower().rstrip().endswith(_BOTS) or login(email).endswith("[bot]") or email.startswith("bot@")
    tokens = [token for token in words(name) if not bot or token != "bot"]  # noqa: S105 - a word of a name
    return (
        _by_name(tokens, email, bot=bot, glued=name.isalnum())
        or table.emails.get(email)
        or table.logins.get(login(email))
        or (SERVICE if bot else None)
    )


def _by_name(tokens: list[str], email: str, *, bot: bool, glued: bool) -> Tool | None:
    table = agents()
    spans = list(_spans(tokens))
    if not spans:
        return None
    tool = spans[0][1]
    if bot:
        return tool
    rest = [token for at, token in enumerate(tokens) if not any(at in span for span, _ in spans)]
    if not all(map(_ordinary, rest)):
        return None
    phrases = {tuple(tokens[at] for at in span) for span, _ in spans}
    versioned = not glued and any(map(naming.is_version, rest))
    alone = phrases <= table.shared and not versioned and table.strong.isdisjoint(rest)
    return tool if not alone or _confirms(tool, email) else None


def _spans(tokens: list[str]) -> Iterator[tuple[range, Tool]]:
    phrases = agents().phrases
    at = 0
    while at < len(tokens):
        for length in range(min(6, len(tokens) - at), 0, -1):
            found = phrases.get(tuple(tokens[at : at + length]))
            if found:
                yield range(at, at + length), found
                at += length - 1
                break
        at += 1


def _ordinary(token: str) -> bool:
    return token in agents().strong or token in agents().weak or _numbered(token) or any(_found([token]))


def _numbered(token: str) -> bool:
    return token[0].isdigit() or token in ("v", "k", "m", "r", "o")


def _confirms(tool: Tool, email: str) -> bool:
    """Does the address of somebody who is called just Claude, Devin or Jules belong to a machine?"""
    _, at, domain = email.partition("@")
    if not at or not domain:
        return True
    table = agents()
    if email in table.emails or login(email) in table.logins:
        return True
    return domain in table.domains[tool.name] or naming.is_machine_address(email)


def login(email: str) -> str:
    """`claude[bot]` of `41898282+claude[bot]@users.noreply.github.com`; "" for any other address."""
    local, at, domain = email.lower().partition("@")
    return local.rpartition("+")[2] if at and domain == "users.noreply.github.com" else ""


@cache
def environment() -> dict[str, dict[str, Any]]:
    """Variable -> `tool` or `names_tool`, and `session` (a namespace) or `model` where its value says one."""
    rows: dict[str, dict[str, Any]] = table("agents.toml")["environment"]
    return rows


def only_words(name: str) -> bool:
    """Is every word of the name one that stands in the names of models and tools, or a number?"""
    return all(_ordinary(token) for token in words(skeleton(name)))


def spelt(family: str) -> frozenset[str]:
    """The words that the names of a family begin with, as they are spelt in full."""
    return frozenset(phrase[0].rstrip("*") for phrase in _families()[family].phrases)
