"""The law that every attack runs against: five people, four agents, and a team that owns what guards others."""

from collections.abc import Mapping
from typing import Final

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin")
AGENTS: Final = {  # name: operator, tool, model, maker, family
    "claude-one": ("alice", "claude-code", "claude-opus-5", "anthropic", "claude"),
    "claude-two": ("dave", "claude-code", "claude-opus-5", "anthropic", "claude"),
    "gpt": ("erin", "codex", "gpt-5.2", "openai", "gpt"),
}
NAMES: Final = (*PEOPLE, *AGENTS, "mallory")  # everybody with a key; nobody enrols mallory
REPOSITORY: Final = "example/shop"

HAND: Final = """
[[requirement]]
name = "an independent hand"
from = ["model", "human"]
"""
TWO_HANDS: Final = HAND.replace("from", "approvals = 2\nfrom")
A_PERSON: Final = HAND.replace('"model", "human"', '"human"')
OWNERS: Final = """
[[requirement]]
name = "security belongs to its owners"
when = { any = [ { paths = ["**/auth/**"] }, { tier = "hold" } ] }
from = ["owner"]
"""
WAIVERS: Final = '[waivers]\nby = ["security"]\n'


def text(
    keys: Mapping[str, str],
    *,
    independence: str = "",
    requirements: str = HAND + OWNERS,
    waivers: str = WAIVERS,
    more: str = "",
) -> str:
    """The policy. `keys` are public key lines by name; `more` stands at its end."""
    head = f'version = 1\nrepository = "{REPOSITORY}"\nprotect = ["main", "release/*"]\n'
    parts = [head, f"[independence]\n{independence}", requirements, '[owners]\nfallback = ["security"]', waivers]
    parts += [person(name, keys[name]) for name in PEOPLE]
    parts += [_agent(name, keys[name]) for name in AGENTS]
    return "\n".join([*parts, '[teams]\nsecurity = ["carol"]', more, ""])


def person(name: str, key: str, *, more: str = "") -> str:
    emails = f'emails = ["{name}@example.com"]\naccounts = ["github:{name}"]'
    return f"[people.{name}]\n{emails}\nkeys = ['{key}']\n{more}"


def _agent(name: str, key: str) -> str:
    fields = zip(("operator", "tool", "model", "maker", "family"), AGENTS[name], strict=True)
    told = "\n".join(f'{field} = "{value}"' for field, value in fields)
    return f"[agents.{name}]\nemails = [\"{name}@agents.example.com\"]\nkeys = ['{key}']\n{told}"


def identity(name: str) -> str:
    """`Name <address>` of somebody in the law; what has an address already stays."""
    if "<" in name:
        return name
    host = "agents.example.com" if name in AGENTS else "example.com"
    return f"{name.capitalize()} <{name}@{host}>"
