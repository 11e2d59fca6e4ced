"""Marks of tools as they stand in public histories, and what only looks like one: each line is a message's own."""

import time

import pytest

from rules import history, quick
from rules.history import Made

JANE = "Jane Roe <jane@example.org>"
NOREPLY = "users.noreply.github.com"
CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
TASK = "https://chatgpt.com/codex/tasks/task_e_0123456789abcdef"
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def made(message: str, author: str = JANE) -> Made:
    head = f"tree {'0' * 40}\nauthor {author} 1750000000 +0000\ncommitter {author} 1750000000 +0000\n"
    return history.nobody().of(quick.parse("a" * 40, f"{head}\n{message}".encode())).made


def agents(found: Made) -> set[str]:
    return {author.tool or author.name for author in found.authors if author.kind == "agent"}


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("Co-authored-by: opencode <noreply@opencode.ai>", "opencode"),
        ("Co-authored-by: Kiro <noreply@kiro.dev>", "kiro"),
        ("\U0001f916 Assisted by [Amazon Q Developer](https://aws.amazon.com/q/developer)", "amazon-q"),
        (f"Co-authored-by: roomote[bot] <1+roomote[bot]@{NOREPLY}>", "roo"),
        ("Co-Authored-By: cline <cline@cline.bot>", "cline"),
        ("Generated with [Windsurf](https://windsurf.com)", "windsurf"),
        (f"Co-authored-by: junie-eap[bot] <1+junie-eap[bot]@{NOREPLY}>", "junie"),
        ("Signed-off-by: Goose <opensource@block.xyz>", "goose"),
        ("Co-Authored-By: Oz <oz-agent@warp.dev>", "warp"),
        ("Co-authored-by: Zed <noreply@zed.dev>", "zed"),
        ("X-Lovable-Edit-ID: edt-0123", "lovable"),
        ("Co-authored-by: v0agent <it+v0agent@vercel.com>", "v0"),
        ("Co-authored-by: Gemini CLI Agent <gemini-cli-agent@google.com>", "gemini"),
        ("Co-authored-by: Codex (GPT-5) <noreply@openai.com>", "codex"),
        ("Link to Devin run: https://app.devin.ai/sessions/0123456789abcdef", "devin"),
        (f"Co-authored-by: factory-droid[bot] <1+factory-droid[bot]@{NOREPLY}>", "droid"),
        ("Co-authored-by: Augment Code <augment@augmentcode.com>", "augment"),
        ("Co-authored-by: aider (openrouter/deepseek/deepseek-r1) <noreply@aider.chat>", "aider"),
        ("Co-Authored-By: Continue <noreply@continue.dev>", "continue"),
        (f"Co-authored-by: traeagent <traeagent@{NOREPLY}>", "trae"),
        (f"Co-Authored-By: MentatBot <1+MentatBot@{NOREPLY}>", "mentat"),
        ("Co-authored-by: Rovo Dev <noreply@atlassian.com>", "rovo-dev"),
        ("Co-authored-by: GitLab Duo <duo@gitlab.com>", "gitlab-duo"),
        (f"Co-authored-by: terragon-labs[bot] <terragon-labs[bot]@{NOREPLY}>", "terragon"),
        ("Co-authored-by: Grok <grok@x.ai>", "grok"),
        ("Co-authored-by: Codebuff <noreply@codebuff.com>", "codebuff"),
        ("Assisted-by: Hermes Agent:gpt-5.6-sol", "hermes"),
        ("Ultraworked with [Sisyphus](https://example.org)", "sisyphus"),
        ("Generated-By: PostHog Code", "posthog"),
        ("Coding-Agent: Claude Code", "claude"),
        ("AI-assistant: OpenCode v1.0.203 (Claude Opus 4.5)", "opencode"),
        ("Generated with the help of Claude Code", "claude"),
        ("vibe-coded by: Claude Code", "claude"),
        ("<sub>Made with [Cursor](https://cursor.com)</sub>", "cursor"),
        ("Agent-Logs-Url: https://github.com/o/r/tasks/0123", "copilot"),
        ("Co-authored-by: DeepSeek <noreply@deepseek.com>", "DeepSeek"),
        ("Co-authored-by: AI Assistant <ai@example.com>", "AI Assistant"),
        ("Assisted-by: LLM coccinelle sparse", "LLM coccinelle sparse"),
        ("Assisted-by: generic LLM chatbot", "generic LLM chatbot"),
        (f"Assisted-by: devx/{UUID}", "devx"),
        ("Coauthored by OpenCode (after review).", "opencode"),
        ("Co authored with OpenCode, based on the review.", "opencode"),
        ("Co-authored-by: GitHub Copilot (model Claude Sonnet 4.6) <noreply@github.com>", "copilot"),
        (f"Co-authored-by: eu.anthropic.claude-opus-5 via Crush <charmcrush@{NOREPLY}>", "crush"),
        ("Assisted-by: claude-code:fable-5.1#high (orchestrator, reviewer)", "claude"),
        ("Assisted-by: Grok (xAI)", "grok"),
        ("Assisted-by: Acme <noreply@acme.example>", "Acme"),
        ("Generated with omp (AI coding agent)", "omp"),
    ],
)
def test_marks(line: str, tool: str) -> None:
    """A person's commit with a tool's mark names that tool and no other (law 8)."""
    found = made(f"Fix thing\n\nBody text.\n\n{line}\n")
    assert (found.kind, agents(found)) == ("mixed", {tool})


@pytest.mark.parametrize(
    ("author", "tool"),
    [
        (f"lovable-dev[bot] <1+lovable-dev[bot]@{NOREPLY}>", "lovable"),
        (f"gpt-engineer-app[bot] <1+gpt-engineer-app[bot]@{NOREPLY}>", "lovable"),
        ("bolt.new <noreply@bolt.new>", "bolt"),
        (f"cto-new[bot] <1+cto-new[bot]@{NOREPLY}>", "cto"),
        (f"tembo[bot] <1+tembo[bot]@{NOREPLY}>", "tembo"),
        (f"charliecreates[bot] <1+charliecreates[bot]@{NOREPLY}>", "charlie"),
        (f"seer-by-sentry[bot] <1+seer-by-sentry[bot]@{NOREPLY}>", "seer"),
        (f"cline-cloud[bot] <1+cline-cloud[bot]@{NOREPLY}>", "cline"),
        ("emergent-agent-e1 <github@emergent.sh>", "emergent"),
        ("GitLab Duo <gitlab-duo@noreply.gitlab.com>", "gitlab-duo"),
        ("Codex Test <codex@example.com>", "codex"),
        ("crew/dunks <noreply@anthropic.com>", "claude"),
    ],
)
def test_authors(author: str, tool: str) -> None:
    """An agent on the author line is the author."""
    found = made("Fix thing", author)
    assert (found.kind, agents(found)) == ("agent", {tool})


@pytest.mark.parametrize(
    ("line", "session"),
    [
        (TASK, "codex:task_e_0123456789abcdef"),
        (f"[Codex Task]({TASK})", "codex:task_e_0123456789abcdef"),
        (f"Codex-Task: {TASK}", "codex:task_e_0123456789abcdef"),
        ("https://cursor.com/background-agent?bcId=bc-0123-4567", "cursor:bc-0123-4567"),
        (
            f'<a href="https://cursor.com/background-agent?bcId=bc-{UUID}"><picture><img alt="Open"></picture></a>',
            f"cursor:bc-{UUID}",
        ),
        (f"Amp-Thread: https://ampcode.com/threads/T-{UUID}", f"amp:T-{UUID}"),
        ("*PR created automatically by Jules for task [123](https://jules.google.com/task/123) started by @jane*",
         "jules:123"),
    ],
)  # fmt: skip
def test_addresses_of_sessions(line: str, session: str) -> None:
    """The address that a tool leaves is its mark, and its session (law 23)."""
    found = made(f"Fix thing\n\nBody text.\n\n------\n{line}\n")
    assert found.kind == "mixed"
    assert {author.session for author in found.authors if author.kind == "agent"} == {session}


@pytest.mark.parametrize(
    "message",
    [
        f"Add a parser\n\nAn example:\n\n```\n{CLAUDE}\n```\n",
        f"Add a parser\n\nThe message looks like this:\n\n    {CLAUDE}\n\nand is read.\n",
        f"Add a parser\n\nIt reads lines like\nthese:\n> {CLAUDE}\nof any message.\n",
        f'Revert "Tidy"\n\nThis reverts commit 0123456789.\n\nOriginal message:\n> Tidy\n>\n> {CLAUDE}\n',
        'Revert "Add Co-Authored-By: Claude <noreply@anthropic.com>"\n\nThis reverts commit 0123456789.\n',
        "Fix\n\n> <sup>Written by [Cursor Bugbot](https://cursor.com/dashboard?tab=bugbot) for commit 0123.</sup>\n",
        "Fix\n\n### <samp>\U0001f916 Generated by Copilot at 0123456</samp>\n",
        "Fix\n\n## Summary by CodeRabbit\n",
        "Fix\n\nReviewed-by: CodeRabbit\nFound-by: Claude\nSuggested-by: Copilot\nTested-by: Claude Code\nAcked-by: Gemini\n",
        "Fix\n\nCo-authored-by: Claude <claude.dupont@free.fr>\n",
        "Fix\n\nCo-authored-by: Ai <ai@mailbox.jp>\n",
        "Fix\n\nCo-authored-by: Pi Chen <pi@chen.tw>\n",
        "Fix\n\nCo-authored-by: Grok <grok@mailbox.org>\n",
        "Fix\n\nCo-authored-by: Conductor Bob <bob@rails.org>\n",
        f"Fix\n\nCo-authored-by: Devin <1+devin42@{NOREPLY}>\n",
        "Fix\n\nCo-authored-by: An Employee <employee@anthropic.com>\n",
        "Fix\n\nCo-authored-by: Happy <yesreply@happy.engineering>\n",
        "Fix\n\nAssisted-by: riastradh on github\n",
        "Fix\n\nAssisted-by: none\n",
        "Fix\n\nGenerated with love\nMade-with: love\nBuilt with Bolt\nCreated using Cursor pagination\n",
        "Fix\n\n[the task](https://example.org/tasks/1)\n",
    ],
)
def test_what_is_no_mark(message: str) -> None:
    """Quotes, examples, reviews, credits and people called like tools are no authorship."""
    assert made(message).kind == "human"


@pytest.mark.parametrize(
    "message",
    [
        f"```\nFix thing\n\n{CLAUDE}\n```\n",
        f"Fix thing\n\n```\nan open fence\n\n{CLAUDE}\n",
        f"Land it\n\nSquashed commit of the following:\n\ncommit 0123\nAuthor: {JANE}\n\n    Fix\n\n    {CLAUDE}\n\nEnd.\n",
        f"Fix thing:\n\n    {CLAUDE}\n\nSigned-off-by: {JANE}\n",
        f"Fix thing\n\n    {CLAUDE}\n",
        f'Revert "Tidy"\n\nThis reverts commit 0123456789.\n\n{CLAUDE}\n',
    ],
)
def test_what_is_one_all_the_same(message: str) -> None:
    """A fence around everything, a fence that never ends, and the indent of a squash are no quotes."""
    assert agents(made(message)) == {"claude"}


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ("StyleCI Bot <bot@styleci.io>", "service"),
        ("argo-bot <argoproj@mailbox.org>", "service"),
        ("CI <noreply@argoproj.com>", "service"),
        ("snyk-bot <snyk-bot@snyk.io>", "service"),
        ("Weblate (bot) <hosted@weblate.org>", "service"),
        ("Jan Bot <jan@bot.nl>", "human"),
        ("JamBalaya56562 <jambalaya@mailbox.jp>", "human"),
        (f"t.claude94 <1+tclaude94@{NOREPLY}>", "human"),
        ("cody0704 <cody@networks.org>", "human"),
        ("Claude 94 <claude@mailbox.fr>", "human"),
        ("claude4 <claude4@mailbox.fr>", "human"),
        ("kimi7 <kimi7@mailbox.fi>", "human"),
        ("Kimiko 7 <kimiko@mailbox.jp>", "human"),
        ("Nova Lee-3 <nova@mailbox.org>", "human"),
        ("DeepSeek V4 Pro agent <agent@atlarix.dev>", "agent"),
        ("GPT-5.2 <gpt@house.org>", "agent"),
        ("Claude Opus 4.5 <claude@house.org>", "agent"),
        ("Sylvain Rabot <sylvain@rabot.fr>", "human"),
        ("Henry Jenkins <henry@jenkins.name>", "human"),
    ],
)
def test_plain_bots(author: str, kind: str) -> None:
    """A bot without a mind of its own is a service; a person called Bot is not."""
    assert made("Fix thing", author).kind == kind


@pytest.mark.parametrize(
    "line",
    [
        "see this:\n> a\ngoes on\n",
        "```\nx\n",
        "> a\n",
        "Generated with\n",
        "[a](https://x)\n",
        "Assisted-by: LLM LLM\n",
    ],
)
def test_a_megabyte_of_anything_is_read_in_seconds(line: str) -> None:
    """What is quoted is told apart in linear time, and the mark at the end is found (law 40)."""
    message = "Fix\n\n" + line * ((1 << 20) // len(line)) + CLAUDE
    begin = time.process_time()
    assert "claude" in agents(made(message))
    assert time.process_time() - begin < 10
