"""Model names, makers, lineages and tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import lineage
from rules.lineage import SERVICE, Model, agents, declared, meet, model, named, same_model, tool, who
from rules.visible import skeleton, visible

OPUS = (
    "claude-opus-5",
    "Claude Opus 5",
    "Claude Opus 5 (1M context)",
    "anthropic/claude-opus-5",
    "anthropic/claude-opus-5-20260301",
    "claude-opus-5@20260301",
    "bedrock/anthropic.claude-opus-5-v1:0",
    "us.anthropic.claude-opus-5-20260301-v1:0",
    "AWS Claude Opus 5",
    "1M Claude Opus 5",
    "openrouter/anthropic/claude-opus-5",
    "Opus 5",
    "claude-5-opus-thinking",
)
MAKERS = (
    ("AWS Claude Opus 4.6", "anthropic", "claude"),
    ("us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic", "claude"),
    ("gpt-5.2-codex", "openai", "gpt"),
    ("chatgpt-4o-latest", "openai", "gpt"),
    ("o3", "openai", "gpt"),
    ("o4-mini", "openai", "gpt"),
    ("gpt-oss:120b", "openai", "gpt"),
    ("gemini-2.5-pro", "google", "gemini"),
    ("models/gemini-3-flash", "google", "gemini"),
    ("gemma-3-27b", "google", "gemma"),
    ("qwen3-coder", "alibaba", "qwen"),
    ("[Qwen 3.7 Max]", "alibaba", "qwen"),
    ("qwq-32b", "alibaba", "qwen"),
    ("deepseek-v3", "deepseek", "deepseek"),
    ("DeepSeek-V3.2 (Non-thinking Mode)", "deepseek", "deepseek"),
    ("meta-llama/Llama-3.3-70B-Instruct", "meta", "llama"),
    ("mistral-large", "mistral", "mistral"),
    ("codestral", "mistral", "mistral"),
    ("devstral-2", "mistral", "mistral"),
    ("x-ai/grok-4.5", "xai", "grok"),
    ("glm-4.6", "zhipu", "glm"),
    ("Z.ai: GLM 5.1", "zhipu", "glm"),
    ("kimi-k2", "moonshot", "kimi"),
    ("accounts/fireworks/models/kimi-k2p6", "moonshot", "kimi"),
    ("MiniMax-M2.7", "minimax", "minimax"),
    ("composer-1", "cursor", "composer"),
    ("swe-1", "cognition", "swe"),
    ("command-r-plus", "cohere", "command"),
    ("phi-4", "microsoft", "phi"),
    ("amazon.nova-pro-v1:0", "amazon", "nova"),
    ("ibm/granite-4", "ibm", "granite"),
    ("nemotron-3", "nvidia", "nemotron"),
    ("hermes-4", "nous", "hermes"),
    ("mimo-v2.5-free", "xiaomi", "mimo"),
)
UNKNOWN = (
    "",
    "/",
    "auto",
    "default",
    "<synthetic>",
    "unknown",
    "openrouter/auto",
    "model-router",
    "acme-coder-7b",
    "mock_ai",
    "openai/claude-opus-5",
    "google/gpt-5",
    "deepseek/claude-opus-5",
    "claude-auto",
)


@pytest.mark.parametrize("name", OPUS)
def test_one_model_under_many_names(name: str) -> None:
    """Hosts, regions, dates, windows, effort and word order do not make another model (law 23)."""
    assert same_model("claude-opus-5", name)
    assert same_model(name, "claude-opus-5")


@pytest.mark.parametrize(
    ("one", "other"),
    [("gpt-5", "gpt-5.2"), ("kimi-k2", "kimi-k2-0905"), ("qwen3-8b", "qwen3-32b"), ("auto", "auto"), ("", "")],
)
def test_other_models(one: str, other: str) -> None:
    """Versions, snapshots and sizes do; routers and silence are never one model."""
    assert not same_model(one, other)


def test_minor_versions_are_joined() -> None:
    """`4-6`, `4.6` and `4p6` are one version."""
    assert model("claude-opus-4-6").name == model("Claude Opus 4.6").name == "claude-opus-4.6"
    assert same_model("kimi-k2p6", "Kimi K2.6")


@pytest.mark.parametrize(("name", "maker", "family"), MAKERS)
def test_makers(name: str, maker: str, family: str) -> None:
    """The maker is whose weights they are, not who serves them."""
    found = model(name)
    assert (found.maker, found.family, found.lineage[0]) == (maker, family, f"{maker}/{family}")


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown(name: str) -> None:
    """Routers, invented names and a maker that contradicts the family are unknown, and unknown is never different."""
    assert (model(name).maker, model(name).lineage) == ("", ())
    assert meet(model(name), model("gpt-5")) is None
    assert meet(model("gpt-5"), model(name)) is None


@pytest.mark.parametrize(
    ("tuned", "base"),
    [
        ("deepseek-r1-distill-qwen-32b", "qwen3-coder"),
        ("deepseek-r1-distill-qwen-32b", "deepseek-v3"),
        ("nvidia/llama-3.1-nemotron-70b", "llama-4"),
        ("hermes-3-llama-3.1-405b", "llama-4"),
        ("gemma-3-27b", "gemini-3-pro"),
        ("composer-2.5", "kimi-k2.5"),
        ("codellama-34b", "llama-3"),
        ("raptor-mini", "gpt-5-mini"),
    ],
)
def test_a_fine_tune_belongs_to_what_it_was_tuned_from(tuned: str, base: str) -> None:
    """Lineages that meet are one family (law 23)."""
    assert meet(model(tuned), model(base)) is True


def test_strangers_do_not_meet() -> None:
    """Other makers with other lineages are distinct."""
    assert meet(model("claude-opus-5"), model("gpt-5.2")) is False
    assert meet(model("deepseek-v3"), model("qwen3-coder")) is False


def test_declared() -> None:
    """What somebody registered speaks; the table fills in what is left out and what it was tuned from."""
    assert declared("house-model", "acme", "acme-1") == Model("house-model", "acme", "acme-1", ("acme/acme-1",))
    assert declared("gpt-5.2").maker == "openai"
    assert declared("tuned", family="nemotron").lineage == ("nvidia/nemotron", "meta/llama")
    assert meet(declared("claude-opus-5", "acme", "acme-1"), model("claude-opus-5")) is True


@pytest.mark.parametrize("name", [*OPUS, *(row[0] for row in MAKERS)])
def test_normalising_twice_changes_nothing(name: str) -> None:
    """A normalised name is its own normal form."""
    assert model(model(name).name).name == model(name).name


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_raises(name: str, email: str) -> None:
    """No name and no address raises, and both model answers are symmetric."""
    who(name, email)
    assert same_model(name, email) == same_model(email, name)
    assert meet(model(name), model(email)) == meet(model(email), model(name))


def test_very_long_names_stay_unknown() -> None:
    """A name beyond the limit is nobody's."""
    assert model("claude" * 100_000).maker == ""
    assert who("claude " * 100_000, "") is None


TOOLS = sorted((email, tool.name) for email, tool in agents().emails.items() if tool != SERVICE)
LOGINS = sorted((login, tool.name) for login, tool in agents().logins.items() if tool != SERVICE)
NAMES = sorted((" ".join(phrase), tool.name) for phrase, tool in agents().phrases.items() if tool != SERVICE)
SERVICES = sorted(" ".join(phrase) for phrase, tool in agents().phrases.items() if tool == SERVICE)


@pytest.mark.parametrize(("email", "expected"), TOOLS)
def test_every_tool_address(email: str, expected: str) -> None:
    """An address that only a tool uses names the tool, under any display name."""
    found = tool("Something Else", email)
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize(("login", "expected"), LOGINS)
def test_every_tool_login(login: str, expected: str) -> None:
    """A tool's GitHub login names it, whatever number stands before it."""
    found = tool("Something Else", f"1234567+{login}@users.noreply.github.com")
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_every_tool_name(name: str, expected: str) -> None:
    """A display name beats the address, and the number in the address is never looked at."""
    found = tool(name.title(), "158243242+somebody[bot]@users.noreply.github.com")
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize("name", SERVICES)
def test_every_service(name: str) -> None:
    """Plain bots are services, no agents (law 16)."""
    assert who(f"{name}[bot]", "") == SERVICE
    assert tool(f"{name}[bot]", "") is None


def test_unknown_bots_are_services() -> None:
    """A name in `[bot]` that the table does not have is a service; one that names a tool is that tool."""
    assert who("acme-merge[bot]", "1+acme-merge[bot]@users.noreply.github.com") == SERVICE
    assert who("GitHub", "noreply@github.com") == SERVICE
    assert who("acme-claude-helper[bot]", "").name == "claude"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Claude Dupont", "claude@dupont.example.fr"),
        ("Claude", "claude@dupont.fr"),
        ("Claude Max", "claude.max@firma.de"),
        ("Devin Rivers", "devin@rivers.net"),
        ("devin", "devin@rivers.net"),
        ("Aider Ibrahim", "aider@ibrahim.net"),
        ("Cody Miller", "cody@miller.org"),
        ("Jules Verne", "jules@nautilus.fr"),
        ("Jules", "77+jules@users.noreply.github.com"),
        ("Cursor Peterson", "cp@peterson.org"),
        ("Gemma Stone", "gemma@stone.org"),
        ("Nova Chen", "nova@chen.org"),
        ("Ann Example", "ann@anthropic.com"),
        ("Ben Example", "ben@openai.com"),
        ("Ann Example", "ann@cursor.com"),
        ("Ann (she/her)", "ann@example.org"),
    ],
)
def test_people_who_are_called_like_tools(name: str, email: str) -> None:
    """A person stays a person, with a tool's first name or a vendor's domain."""
    assert who(name, email) is None


@pytest.mark.parametrize("name", ["Claude", "Devin", "Jules", "Cursor", "Amp"])
def test_a_shared_name_with_a_machine_address(name: str) -> None:
    """A bare shared name counts with no address, a reserved one, or a no-reply one."""
    for email in ("", "noreply@somewhere.org", "x@example.com", "bot@box.local"):
        assert tool(name, email) is not None


def test_family_is_implied_only_by_tools_of_one_maker() -> None:
    """Tool is not family: what runs several makers' weights implies none."""
    assert named("Claude Code").family == "claude"  # type: ignore[union-attr]
    assert named("codex").family == "gpt"  # type: ignore[union-attr]
    assert {named(name).family for name in ("copilot", "cursor", "crush", "aider", "amp")} == {""}  # type: ignore[union-attr]


def test_every_row_points_somewhere() -> None:
    """Implied families exist in the model table, and so do the families that others were tuned from."""
    families = lineage.table("models.toml")["family"]
    assert all(row.get("family", "claude") in families for row in lineage.table("agents.toml")["agent"].values())
    assert all(base in families for row in families.values() for base in row.get("from", ()))


@pytest.mark.parametrize(
    ("text", "shown", "odd"),
    [
        ("plain", "plain", False),
        ("Cl\u200baude", "Claude", True),
        ("Cl\u202eaude", "Claude", True),
        ("Cl\ufffdaude", "Claude", True),
        ("Cl\U000e0061aude", "Claude", True),
        ("Cl\u00adaude", "Claude", True),
        ("Cl\x08aude", "Claude", True),
        ("\x1b[1;31mClaude\x1b[0m", "Claude", True),
        ("\u200dClaude", "Claude", True),
        ("\u0639\u0644\u06cc\u200c\u0631", "\u0639\u0644\u06cc\u0631", False),
        ("\U0001f408\u200d\u2b1b ok", "\U0001f408\u2b1b ok", False),
        ("\u2764\ufe0f ok", "\u2764 ok", False),
        ("tab\tand\nline", "tab\tand\nline", False),
    ],
)
def test_visible(text: str, shown: str, odd: bool) -> None:
    """What shows nothing goes, and that it did is said; joiners inside scripts and emoji are no trick."""
    assert visible(text) == (shown, odd)


def test_look_alikes_fold() -> None:
    """Cyrillic, Greek and full-width look-alikes compare as what they look like."""
    assert skeleton("\u0421laude \u039fpus") == "Claude Opus"
    assert skeleton("\uff23laude") == "Claude"
    assert model("\u0441laude-opus-5").maker == "anthropic"


@given(st.text(max_size=200))
def test_visible_is_stable(text: str) -> None:
    """Visible text has nothing more to lose."""
    assert visible(visible(text)[0])[0] == visible(text)[0]
