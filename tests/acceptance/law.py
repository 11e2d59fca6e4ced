"""The law that cases are judged under: five people, four agents, two services and a team that owns security."""

PEOPLE = ("alice", "bob", "carol", "dave", "erin")
AGENTS = {  # name: operator, tool, model, maker, family
    "claude-one": ("alice", "claude-code", "claude-opus-5", "anthropic", "claude"),
    "claude-two": ("dave", "claude-code", "claude-opus-5", "anthropic", "claude"),
    "qwen": ("dave", "opencode", "qwen3-coder", "alibaba", "qwen"),
    "gpt": ("erin", "codex", "gpt-5.2", "openai", "gpt"),
}
SERVICES = ("dependabot", "ci")
KEYS = (*PEOPLE, *AGENTS, "mallory")

HAND = """
[[requirement]]
name = "an independent hand"
from = ["model", "human"]
"""
TWO_HANDS = HAND.replace("from", "approvals = 2\nfrom")
A_PERSON = HAND.replace('"model", "human"', '"human"')
OWNERS = """
[[requirement]]
name = "security belongs to its owners"
when = { any = [ { paths = ["**/auth/**"] }, { tier = "hold" } ] }
from = ["owner"]
"""


def law_text(
    keys: dict[str, str], *, independence: str = "", requirements: str = HAND + OWNERS, owners: str = 'fallback = ["security"]',
    waivers: str = 'by = ["security"]', people: dict[str, str] | None = None, agents: dict[str, str] | None = None,
    security: str = '["carol"]', more: str = "", repository: str = "example/shop",
) -> str:  # fmt: skip
    """The text of a policy. `people` and `agents` replace the table of one name each."""
    tables = {name: person(name, keys[name]) for name in PEOPLE} | (people or {})
    hands = {name: agent(name, keys[name]) for name in AGENTS} | (agents or {})
    return "\n".join(
        (
            f'version = 1\nrepository = "{repository}"\nprotect = ["main", "release/*"]',
            f"[independence]\n{independence}",
            requirements,
            f"[owners]\n{owners}",
            f"[waivers]\n{waivers}",
            *(f"[people.{name}]\n{table}" for name, table in tables.items() if table),
            *(f"[agents.{name}]\n{table}" for name, table in hands.items() if table),
            *(
                f'[services.{name}]\naccounts = ["github:{name}[bot]"]\nemails = ["{name}@services.example.com"]'
                for name in SERVICES
            ),
            f"[teams]\nsecurity = {security}",
            more,
            "",
        )
    )


def person(name: str, key: str, *, more: str = "") -> str:
    return f'emails = ["{name}@example.com"]\naccounts = ["github:{name}"]\nkeys = [\'{key}\']\n{more}'


def agent(name: str, key: str, **other: str) -> str:
    """An enrolled agent; `other` replaces its operator, tool, model, maker or family."""
    told = dict(zip(("operator", "tool", "model", "maker", "family"), AGENTS.get(name, ("",) * 5), strict=True)) | other
    lines = [f'{field} = "{value}"' for field, value in told.items()]
    marks = f'emails = ["{name}@agents.example.com"]\naccounts = ["github:{name}[bot]"]\nkeys = [\'{key}\']'
    return "\n".join((marks, *lines))
