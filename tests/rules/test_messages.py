"""What commits, branches and environments say about who made a change."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.claims import Claim
from rules.commits import Commit, parse
from rules.messages import branch_claims, claims, environment_claims, hidden

ID = "a" * 40
ANN = "Ann Example <ann@example.org>"
UUID = "01234567-89ab-cdef-0123-456789abcdef"
COPILOT = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
CLAUDE = "Co-Authored-By: Claude Opus 5 <noreply@anthropic.com>"


def commit(message: str, author: str = ANN, committer: str = "") -> Commit:
    head = f"tree {'1' * 40}\nauthor {author} 1700000000 +0000\ncommitter {committer or author} 1700000000 +0000\n\n"
    return parse(ID, (head + message).encode("utf-8", "surrogatepass"))


def marks(message: str, author: str = ANN) -> list[Claim]:
    """What the message says, without the identities."""
    return [claim for claim in claims(commit(message, author)) if claim.channel not in ("author", "committer")]


def one(line: str) -> Claim:
    found = marks(f"Change it\n\nBecause.\n\n{line}\n")
    assert len(found) == 1, found
    return found[0]


def test_identities() -> None:
    """Author and committer are claims of grade D, each of its own kind (law 8)."""
    found = claims(commit("x", ANN, "GitHub <noreply@github.com>"))
    assert [(claim.channel, claim.grade, claim.kind, claim.commit) for claim in found] == [
        ("author", "D", "person", ID),
        ("committer", "D", "service", ID),
    ]
    assert (found[0].name, found[0].email, found[0].text) == ("Ann Example", "ann@example.org", ANN)


def test_an_agent_as_author() -> None:
    """An agent's own identity names tool, maker and family."""
    author = claims(commit("x", "Claude <noreply@anthropic.com>"))[0]
    assert (author.kind, author.tool, author.maker, author.family) == ("agent", "claude", "anthropic", "claude")


def test_aider_suffix() -> None:
    """`Jane (aider)` is Jane, and aider with Jane as its operator."""
    person, agent = claims(commit("x", "Jane (aider) <jane@example.org>"))[:2]
    assert (person.kind, person.name, person.email) == ("person", "Jane", "jane@example.org")
    assert (agent.kind, agent.tool, agent.operator, agent.maker) == ("agent", "aider", "jane@example.org", "")


def test_github_address_names_an_account() -> None:
    """The login of a noreply address is an account; its number is nothing."""
    assert claims(commit("x", "Kim <77+Kim-L@users.noreply.github.com>"))[0].account == "github:kim-l"


@pytest.mark.parametrize(
    ("line", "channel", "tool", "maker", "model"),
    [
        (CLAUDE, "co-author", "claude", "anthropic", "Claude Opus 5"),
        ("Co-authored-by: Claude <noreply@anthropic.com>", "co-author", "claude", "anthropic", ""),
        (
            "Co-Authored-By: Claude Opus 5 (1M context) <x@y.org>",
            "co-author",
            "claude",
            "anthropic",
            "Claude Opus 5 (1M context)",
        ),
        (
            "Co-authored-by: Codex <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
            "co-author",
            "codex",
            "openai",
            "",
        ),
        ("Co-authored-by: OpenAI Codex <any@address.org>", "co-author", "codex", "openai", ""),
        ("Co-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>", "co-author", "copilot", "", ""),
        ("Co-authored-by: Composer <noreply@cursor.com>", "co-author", "cursor", "", ""),
        ("Co-authored-by: aider (gpt-5.2) <aider@aider.chat>", "co-author", "aider", "openai", "gpt-5.2"),
        ("Co-authored-by: OpenHands-GPT-5 openhands@all-hands.dev", "co-author", "openhands", "openai", "GPT-5"),
        ("Co-Authored-By: Charm Crush <crush@charm.land", "co-author", "crush", "", ""),
        ("Co-Authored-By: Devin", "co-author", "devin", "", ""),
        ("Co-Authored-By: Devin \\<noreply@cognition.ai\\>", "co-author", "devin", "", ""),
        ("Co-Authored-By: GPT-5.2 <gpt@house.org>", "co-author", "", "openai", "GPT-5.2"),
        ("Assisted-by: Crush:glm-5.2", "mark", "crush", "zhipu", "glm-5.2"),
        ("Assisted-by: Crush:AWS Claude Opus 4.6", "mark", "crush", "anthropic", "AWS Claude Opus 4.6"),
        ("Assisted-by: Crush:[Qwen 3.7 Max]", "mark", "crush", "alibaba", "Qwen 3.7 Max"),
        (
            "Assisted-by: Crush:accounts/fireworks/models/kimi-k2p6",
            "mark",
            "crush",
            "moonshot",
            "accounts/fireworks/models/kimi-k2p6",
        ),
        ("Assisted-by: Crush:auto", "mark", "crush", "", "auto"),
        ("Assisted-by: GLM-5 via Crush <crush@charm.land>", "mark", "crush", "zhipu", "GLM-5"),
        ("Assisted-by: Claude Opus 4.6 (via Crush)", "mark", "crush", "anthropic", "Claude Opus 4.6"),
        ("Assisted-by: Anthropic: Claude Opus 4 via Crush", "mark", "crush", "anthropic", "Anthropic: Claude Opus 4"),
        ("Assisted-by: Crush via AI Assistant", "mark", "crush", "", ""),
        ("Assisted-by: Crush (glm-5-turbo)", "mark", "crush", "zhipu", "glm-5-turbo"),
        ("Assisted-by: Crush", "mark", "crush", "", ""),
        ("Assisted-by: Claude:claude-3-opus coccinelle sparse", "mark", "claude", "anthropic", "claude-3-opus"),
        ("Assisted-by: Housemade:house-7b", "mark", "", "", "house-7b"),
        ("Assisted-by: GPT-5.5", "mark", "", "openai", "GPT-5.5"),
        ("Assisted-by: ChatGPTv5", "mark", "", "openai", "ChatGPTv5"),
        ("Assisted-by: openai: claude-opus-5", "mark", "", "", "claude-opus-5"),
        ("Generated-by: Claude Code", "mark", "claude", "anthropic", ""),
        ("Made-with: Cursor", "mark", "cursor", "", ""),
        ("Entire-Agent: Claude Code", "mark", "claude", "anthropic", ""),
        ("Claude-Steers: 3", "mark", "claude", "anthropic", ""),
        ("Replit-Commit-Author: Agent", "mark", "replit", "", ""),
        ("AI-assisted: true", "mark", "", "", ""),
        ("AI-used-for: tests", "mark", "", "", ""),
        ("Signed-off-by: Claude <noreply@anthropic.com>", "mark", "claude", "anthropic", ""),
        ("\U0001f916 Generated with [Claude Code](https://claude.com/claude-code)", "mark", "claude", "anthropic", ""),
        (
            "\U0001f916 Generated with [Claude Code](https://a.b) via [Happy](https://c.d)",
            "mark",
            "claude",
            "anthropic",
            "",
        ),
        ("\U0001f498 Generated with Crush", "mark", "crush", "", ""),
        ("\U0001f408\u200d\u2b1b Generated with [Crush](https://a.b)", "mark", "crush", "", ""),
        ("Generated with [Devin](https://cli.devin.ai/docs)", "mark", "devin", "", ""),
        ("Generated with Devin - https://cli.devin.ai/docs", "mark", "devin", "", ""),
        ("Generated with Codex (https://openai.com/codex)", "mark", "codex", "openai", ""),
        ("Made with [Cursor](https://cursor.com)", "mark", "cursor", "", ""),
        ("_Generated by GitHub Copilot._".strip("_"), "mark", "copilot", "", ""),
    ],
)
def test_every_form_of_mark(line: str, channel: str, tool: str, maker: str, model: str) -> None:
    """Each form names its tool, the weights it states, and nothing else."""
    found = one(line)
    assert (found.kind, found.grade) == ("agent", "D")
    assert (found.channel, found.tool, found.maker, found.model) == (channel, tool, maker, model)


@pytest.mark.parametrize(
    "line",
    [
        "Spotted by Codex Security",
        "Reviewed-by: Claude <noreply@anthropic.com>",
        "Reported-by: Devin <noreply@cognition.ai>",
        "Signed-off-by: Ann Example <ann@example.org>",
        "Generated-by: openapi-generator 7.1",
        "Generated by Claude Sonnet as part of adding the small model.",
        "generated by Gemini",
        "Generated with Crush line, including its default.",
        "The trailer Co-Authored-By: Claude <noreply@anthropic.com> is written by default.",
        '"Co-Authored-By: Claude <noreply@anthropic.com>" is the default.',
        "Assisted-by: AGENT_NAME:MODEL_VERSION",
        "AI-assisted: no",
        "Claude wrote most of this, and Copilot the rest.",
        "Agent-Logs-Url: see the wiki",
        "Amp-Thread-ID: none",
        "Claude-Session:",
    ],
)
def test_what_is_no_mark(line: str) -> None:
    """Prose, credits, reviews and people's sign-offs are no authorship (DESIGN 5.1)."""
    assert marks(f"Change it\n\n{line}\n") == []


@pytest.mark.parametrize(
    "subject",
    [
        "Generated with Claude Code",
        "Assisted-by: Claude",
        "Merge branch 'claude/fix' into main",
        "feat: Copilot support",
    ],
)
def test_subjects_are_never_evidence(subject: str) -> None:
    """A subject is prose, of a merge as well."""
    assert marks(f"{subject}\n\nBody.\n") == []


def test_a_message_that_is_one_trailer() -> None:
    """A first line that can be nothing but a co-author's address or a session still counts."""
    assert [claim.tool for claim in marks(CLAUDE)] == ["claude"]
    assert [claim.session for claim in marks(f"Amp-Thread-ID: T-{UUID}")] == [f"amp:T-{UUID}"]


@pytest.mark.parametrize(
    "line",
    [
        "Co-authored-by: Claude Dupont <claude@dupont.fr>",
        "Co-authored-by: Devin <devin@rivers.net>",
        "Co-authored-by: Ben Example <ben@example.org>",
        "Co-authored-by: Ben Example ben@example.org",
        "Assisted-by: Ben Example",
        "Assisted-by: Ben Example <ben@example.org>",
    ],
)
def test_people_in_trailers(line: str) -> None:
    """A person's name is a person in `Assisted-by` too."""
    assert (one(line).kind, one(line).tool) == ("person", "")


def test_several_on_one_line() -> None:
    """Everybody whom a line names counts."""
    found = marks(
        "x\n\nCo-authored-by: Ben Example <ben@example.org>, Codex <x@y.org>\nAssisted-by: Claude Code, Copilot\n"
    )
    assert [(claim.kind, claim.tool) for claim in found] == [
        ("person", ""),
        ("agent", "codex"),
        ("agent", "claude"),
        ("agent", "copilot"),
    ]


def test_squash_is_a_union() -> None:
    """A squash keeps every mark wherever it stands, once."""
    message = f"Big change (#7)\n\n* first\n\n{CLAUDE}\n\n* second\n\n{CLAUDE}\n\n---------\n\nCo-authored-by: Codex <codex@openai.com>\n\nThe end.\n"
    assert [claim.tool for claim in marks(message)] == ["claude", "codex"]


@pytest.mark.parametrize(
    ("line", "session", "tool"),
    [
        ("Claude-Session: https://claude.ai/code/session_01Ab", "claude-web:session_01Ab", "claude"),
        (f"Claude-Session: {UUID}", f"claude:{UUID}", "claude"),
        (f"Agent-Logs-Url: https://github.com/o/r/sessions/{UUID}", f"copilot:{UUID}", "copilot"),
        (f"Amp-Thread-ID: https://ampcode.com/threads/T-{UUID}", f"amp:T-{UUID}", "amp"),
        (f"Amp-Thread-ID: T-{UUID}", f"amp:T-{UUID}", "amp"),
        (f"Entire-Session: 2026-01-02-{UUID}", f"entire:2026-01-02-{UUID}", ""),
        ("Entire-Checkpoint: 0123456789ab", "entire-checkpoint:0123456789ab", ""),
        (f"Replit-Commit-Session-Id: {UUID}", f"replit:{UUID}", "replit"),
        (f"Codex-Session: {UUID}", f"codex:{UUID}", "codex"),
        (f"Agent-Session: claude:{UUID}", f"claude:{UUID}", "claude"),
    ],
)
def test_sessions(line: str, session: str, tool: str) -> None:
    """A session is tool-recorded, and lives in its namespace (law 23)."""
    found = one(line)
    assert (found.session, found.tool, found.grade, found.channel) == (session, tool, "C", "mark")


def test_marks_of_one_session_share_it() -> None:
    """A tool's only session belongs to all of its marks, and the model they state to the session."""
    found = marks(f"x\n\n{CLAUDE}\nClaude-Session: https://claude.ai/code/session_01\n")
    assert {claim.session for claim in found} == {"claude-web:session_01"}
    assert {claim.model for claim in found} == {"Claude Opus 5"}


def test_two_sessions_are_not_guessed() -> None:
    """With two sessions nobody knows which mark was whose."""
    found = marks(f"x\n\n{CLAUDE}\n" + "".join(f"Claude-Session: https://claude.ai/code/session_0{n}\n" for n in "12"))
    assert [claim.session for claim in found] == ["", "claude-web:session_01", "claude-web:session_02"]


def test_operators_beside_an_agent() -> None:
    """People who are co-authors of an agent's own commit asked for it, and stay authors (law 8)."""
    message = f"x\n\nAgent-Logs-Url: https://github.com/o/r/sessions/{UUID}\n\nCo-authored-by: Kim <kim@example.org>\nCo-authored-by: Lee <lee@example.org>\n"
    found = claims(commit(message, COPILOT, "GitHub <noreply@github.com>"))
    assert {claim.operator for claim in found if claim.channel == "author"} == {"kim@example.org", "lee@example.org"}
    assert {claim.email for claim in found if claim.kind == "person"} == {"kim@example.org", "lee@example.org"}


def test_people_beside_a_person_are_no_operators() -> None:
    """Where a person is the author, a co-author operates nothing."""
    found = marks(f"x\n\n{CLAUDE}\nCo-authored-by: Kim <kim@example.org>\n")
    assert {claim.operator for claim in found} == {""}


def test_jules_names_session_and_operator() -> None:
    """The sentence that Jules ends with tells task and starter."""
    found = one("PR created automatically by Jules for task 123456 started by @Kim")
    assert (found.tool, found.session, found.operator) == ("jules", "jules:123456", "github:kim")


def test_github_sessions_belong_to_the_agent_that_ran() -> None:
    """GitHub runs other makers' agents: the author says which."""
    author = "anthropic-code-agent[bot] <242468646+Claude@users.noreply.github.com>"
    found = marks(f"x\n\nAgent-Logs-Url: https://github.com/o/r/sessions/{UUID}\n", author)
    assert [(claim.tool, claim.session) for claim in found] == [("claude", f"copilot:{UUID}")]


VEILS = ("\u200b", "\ufffd", "\u202e", "\U000e0041", "\u00ad", "\x08", "\u2060")


@pytest.mark.parametrize("veil", VEILS)
@pytest.mark.parametrize("at", [0, 2, 13, 20])
def test_invisible_characters_hide_no_mark(veil: str, at: int) -> None:
    """A mark behind invisible characters is the mark, and that it hid is told."""
    hiding = commit(f"x\n\n{CLAUDE[:at]}{veil}{CLAUDE[at:]}\n")
    assert [claim.tool for claim in claims(hiding)] == ["", "", "claude"]
    assert hidden(hiding)
    assert claims(hiding)[2].text.startswith("behind invisible")


def test_look_alikes_hide_no_mark() -> None:
    """Nor do letters of other alphabets, in the label or the name."""
    for line in (
        "\u0421\u043e-Authored-By: Claude <noreply@anthropic.com>",
        "Co-Authored-By: \u0421laude \u039fpus 5 <x@y.org>",
    ):
        assert one(line).tool == "claude"
        assert hidden(commit(f"x\n\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        CLAUDE,
        "Co-authored-by: \u0639\u0644\u06cc\u200c\u0631 <a@b.ir>",
        "Co-authored-by: Ren\ufffd <r@b.fr>",
        "\u2764\ufe0f Generated with Crush",
    ],
)
def test_ordinary_text_hides_nothing(line: str) -> None:
    """Emoji, joiners of other scripts and a badly encoded name are no tricks."""
    assert not hidden(commit(f"x\n\n{line}\n"))


def test_nul_and_odd_line_ends_hide_no_mark() -> None:
    """Neither a NUL nor a line separator ends the reading."""
    for end in ("\0", "\r\n", "\r", "\u2028", "\x0b"):
        assert [claim.tool for claim in marks(f"x{end}{end}{CLAUDE}{end}")] == ["claude"]


@given(
    st.sampled_from(["", " ", "\t", "- ", "* ", "> ", "> > ", "    ", "* - ", "+ "]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([CLAUDE, CLAUDE.upper(), CLAUDE.lower(), CLAUDE.replace(": ", ":"), CLAUDE.replace(": ", " : ")]),
    st.lists(st.sampled_from(VEILS), max_size=3),
    st.integers(0, 30),
    st.text(max_size=40),
)
def test_a_mark_survives(lead: str, end: str, line: str, veils: list[str], at: int, prose: str) -> None:
    """List markers, quotes, CRLF, case, spacing and veils leave a mark what it is."""
    veiled = line[:at] + "".join(veils) + line[at:]
    found = marks(f"x{end}{end}{prose}{end}{lead}{veiled}{end}")
    assert "claude" in {claim.tool for claim in found}


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_message_raises(message: str, author: str) -> None:
    """No text raises, and claims come back in one order."""
    made = commit(message, f"{author} <x@y.org>")
    assert claims(made) == claims(made)
    assert hidden(made) in (True, False)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    """Nor do any bytes behind a label."""
    for label in (
        b"Co-Authored-By: ",
        b"Assisted-by: ",
        b"Generated with ",
        b"Agent-Logs-Url: https://github.com/o/r/sessions/",
    ):
        made = parse(ID, b"tree 1\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n\n" + label + data)
        assert len(claims(made)) >= 2
        assert hidden(made) in (True, False)


@pytest.mark.parametrize(
    "body",
    [
        "@" * 500_000,
        "a@ " * 150_000,
        "\u2605\u2606" * 80_000,
        "(" * 500_000,
        "a," * 250_000,
        " via " * 100_000,
        "\x1b" * 200_000 + "[m" * 200_000,
    ],
)
def test_large_messages_take_linear_time(body: str) -> None:
    """A hostile half megabyte is read whole, in a few seconds at the very worst."""
    start = time.perf_counter()
    made = commit(f"x\n\nAssisted-by: {body}\nCo-Authored-By: {body}\n{body}\n{CLAUDE}\n")
    assert "claude" in {claim.tool for claim in claims(made)}
    assert time.perf_counter() - start < 20


def test_many_marks_are_all_kept() -> None:
    """Nothing is capped: twenty thousand co-authors are twenty thousand claims."""
    message = "x\n\n" + "".join(f"Co-authored-by: P{n} <p{n}@example.org>\n" for n in range(20_000))
    assert len(marks(message)) == 20_000


@pytest.mark.parametrize(
    ("branch", "kind", "tool"),
    [
        ("claude/fix-it-ab12", "agent", "claude"),
        ("refs/heads/copilot/fix-1", "agent", "copilot"),
        ("cursor/add-x", "agent", "cursor"),
        ("codex/y", "agent", "codex"),
        ("devin/1700000000-z", "agent", "devin"),
        ("amp/q", "agent", "amp"),
        ("dependabot/npm_and_yarn/a-1", "service", ""),
        ("renovate/a-1.x", "service", ""),
    ],
)
def test_branches(branch: str, kind: str, tool: str) -> None:
    """A tool's branch prefix is a claim of grade D about the whole change."""
    (found,) = branch_claims(branch)
    assert (found.channel, found.grade, found.commit, found.kind, found.tool) == ("branch", "D", "", kind, tool)


@pytest.mark.parametrize("branch", ["main", "feature/claude", "claudette/x", "ann/copilot-support", ""])
def test_other_branches(branch: str) -> None:
    """Any other branch says nothing."""
    assert branch_claims(branch) == ()


def test_environment() -> None:
    """An agent's variables name it, with its session where one is told (law 20)."""
    found = environment_claims(
        {"CLAUDECODE": "1", "CODEX_THREAD_ID": UUID, "AGENT": "amp", "GEMINI_CLI": "0", "HOME": "/root"}
    )
    assert [(claim.channel, claim.grade, claim.tool, claim.session) for claim in found] == [
        ("environment", "C", "claude", ""),
        ("environment", "C", "codex", f"codex:{UUID}"),
        ("environment", "C", "amp", ""),
    ]


def test_environment_of_one_tool_is_one_claim() -> None:
    """Several variables of one tool are one agent; a model that is told is read."""
    found = environment_claims({"COPILOT_CLI": "1", "COPILOT_MODEL": "gpt-5.2", "COPILOT_AGENT_SESSION_ID": UUID})
    assert [(claim.tool, claim.model, claim.maker, claim.session) for claim in found] == [
        ("copilot", "gpt-5.2", "openai", f"copilot:{UUID}")
    ]


def test_an_empty_environment_says_nothing() -> None:
    """Nor does a variable that is off, or names no tool."""
    assert (
        environment_claims({})
        == environment_claims({"CLAUDECODE": "", "AGENT": "smith", "CURSOR_AGENT": "false"})
        == ()
    )
